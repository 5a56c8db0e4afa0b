//! Which process holds a lock, said such that another one on the same machine can tell whether it is still there.

use std::fs;

/// This process: the machine's boot, the namespace that its number counts in, its number, and when it began. Nothing where
/// that can't be told for sure.
pub fn this_process() -> Option<String> {
    let pid = std::process::id();
    Some(format!("{}/{pid}/{}", machine()?, began(pid)?))
}

/// Whether a process of this machine is gone for sure. False for those of other machines.
pub(super) fn is_dead(process: &str) -> bool {
    is_running(process) == Some(false)
}

/// Whether a process of this machine is there for sure.
pub(super) fn is_alive(process: &str) -> bool {
    is_running(process) == Some(true)
}

/// Whether a process is there; nothing for those of other machines.
fn is_running(process: &str) -> Option<bool> {
    let mut parts = process.rsplitn(3, '/');
    let (since, pid, place) = (parts.next()?, parts.next()?, parts.next()?);
    let pid = pid.parse::<u32>().ok()?;
    (machine()? == place).then(|| began(pid).is_some_and(|began| began == since))
}

/// The boot and the namespace of process numbers: two containers of one machine do not see each other's processes.
fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), namespace.to_str()?))
}

/// When a process began, in ticks since the boot: its number may be another one's by now.
fn began(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_ascii_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_others_are_told_apart() {
        let Some(this) = this_process() else { return };
        assert!(!is_dead(&this) && is_alive(&this));
        let (rest, _) = this.rsplit_once('/').unwrap();
        assert!(is_dead(&format!("{rest}/1")), "the same number, begun at another time");
        let (rest, _) = rest.rsplit_once('/').unwrap();
        assert!(is_dead(&format!("{rest}/4294967295/1")));
        assert!(!is_dead("another-boot/pid:[1]/1/1"));
        assert!(!is_dead("nonsense") && !is_alive(""));
    }
}
