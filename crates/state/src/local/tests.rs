//! Writing, locking, workspaces, and disks that fail.

use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use super::*;
use crate::disk::{Fault, Op};
use crate::snapshot::Snapshot;
use crate::{Keep, Version};

struct Stack {
    folder: tempfile::TempDir,
}

impl Stack {
    fn new() -> Stack {
        Stack { folder: tempfile::tempdir().unwrap() }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn local(&self) -> Local {
        Local::new(&self.state(), None, DEFAULT_WORKSPACE).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names = Disk::default().list(&self.state()).unwrap();
        names.sort();
        names
    }
}

fn info(id: &str) -> LockInfo {
    LockInfo { id: id.into(), operation: "apply".into(), who: "ann@box".into(), ..LockInfo::default() }
}

fn version(serial: u64) -> Version {
    Version { lineage: "l".into(), serial }
}

fn bytes(serial: u64) -> Vec<u8> {
    crate::render(&Snapshot { serial, ..Snapshot::empty("l") })
}

fn write(local: &mut Local, serial: u64, replaces: Option<u64>) -> Result<(), StateError> {
    let (bytes, version, replaces) = (bytes(serial), version(serial), replaces.map(version));
    Backend::write(local, Write { bytes: &bytes, version: &version, replaces: replaces.as_ref() })
}

#[test]
fn a_state_is_made_replaced_and_backed_up() {
    let stack = Stack::new();
    let mut local = stack.local();
    assert_eq!(Backend::read(&mut local).unwrap(), None);
    local.lock(&info("1")).unwrap();
    write(&mut local, 1, None).unwrap();
    write(&mut local, 2, Some(1)).unwrap();
    assert_eq!(Backend::read(&mut local).unwrap(), Some(bytes(2)));
    local.unlock().unwrap();
    assert_eq!(
        stack.names(),
        [".default.tfstate.lock", "default.tfstate"],
        "there was no state before this run"
    );

    local.lock(&info("2")).unwrap();
    write(&mut local, 3, Some(2)).unwrap();
    write(&mut local, 4, Some(3)).unwrap();
    local.unlock().unwrap();
    assert_eq!(std::fs::read(stack.state().join("default.tfstate.backup")).unwrap(), bytes(2));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_what_is_written() {
    use std::os::unix::fs::PermissionsExt;
    let stack = Stack::new();
    let mut local = stack.local();
    local.lock(&info("1")).unwrap();
    write(&mut local, 1, None).unwrap();
    std::fs::set_permissions(local.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    write(&mut local, 2, Some(1)).unwrap();
    for name in stack.names() {
        let mode = stack.state().join(&name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[test]
fn what_is_not_as_expected_is_not_overwritten() {
    let stack = Stack::new();
    let mut local = stack.local();
    write(&mut local, 5, None).unwrap();
    let foreign = Version { lineage: "other".into(), serial: 6 };
    let same = version(5);
    for (serial, replaces) in [(6, None), (6, Some(4)), (5, Some(5)), (4, Some(5))] {
        assert!(
            matches!(write(&mut local, serial, replaces), Err(StateError::Moved { .. })),
            "{serial} {replaces:?}"
        );
    }
    let bytes6 = bytes(6);
    let foreign = Write { bytes: &bytes6, version: &foreign, replaces: Some(&same) };
    assert!(matches!(Backend::write(&mut local, foreign), Err(StateError::Moved { .. })));
    assert_eq!(Backend::read(&mut local).unwrap(), Some(bytes(5)));

    std::fs::write(local.path(), "{\"version\": 5}").unwrap();
    assert!(matches!(write(&mut local, 6, Some(5)), Err(StateError::Format { .. })));
    assert_eq!(std::fs::read(local.path()).unwrap(), b"{\"version\": 5}");
    std::fs::remove_file(local.path()).unwrap();
    assert!(matches!(write(&mut local, 6, Some(5)), Err(StateError::Moved { found: None, .. })));
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_the_state_but_not_from_the_temporary_file() {
    use std::os::unix::fs::symlink;
    let stack = Stack::new();
    let elsewhere = stack.folder.path().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::create_dir_all(stack.state()).unwrap();
    std::fs::write(elsewhere.join("real"), bytes(1)).unwrap();
    std::fs::write(elsewhere.join("trap"), "precious").unwrap();
    symlink(elsewhere.join("real"), stack.state().join("default.tfstate")).unwrap();
    symlink(elsewhere.join("trap"), elsewhere.join(".real.tmp")).unwrap();
    let mut local = stack.local();
    write(&mut local, 2, Some(1)).unwrap();
    assert!(local.path().is_symlink());
    assert_eq!(std::fs::read(elsewhere.join("real")).unwrap(), bytes(2));
    assert_eq!(std::fs::read(elsewhere.join("trap")).unwrap(), b"precious");
}

#[test]
fn a_lock_excludes_until_it_is_given_back_or_dropped() {
    let stack = Stack::new();
    let (mut first, mut second) = (stack.local(), stack.local());
    assert_eq!(first.lock(&info("1")).unwrap(), Taken::default());
    match second.lock(&info("2")) {
        Err(StateError::Locked { holder: Some(holder), .. }) => assert_eq!(*holder, info("1")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(second.force_unlock("1"), Err(StateError::NotUnlocked { .. })), "its holder is alive");
    first.unlock().unwrap();
    assert_eq!(second.lock(&info("2")).unwrap(), Taken::default());
    drop(second);
    assert_eq!(first.lock(&info("3")).unwrap(), Taken::default());
}

#[test]
fn waiting_asks_the_caller_after_each_refusal() {
    let stack = Stack::new();
    let (mut first, mut second) = (stack.local(), stack.local());
    first.lock(&info("1")).unwrap();
    let mut first = Some(first);
    let mut refusals = 0;
    let taken = crate::lock_patiently(&mut second, &info("2"), &mut |_| {
        refusals += 1;
        if refusals == 3 {
            first = None;
        }
        true
    });
    assert_eq!((taken.unwrap(), refusals), (Taken::default(), 3));
    let mut third = stack.local();
    assert!(matches!(
        crate::lock_patiently(&mut third, &info("3"), &mut |_| false),
        Err(StateError::Locked { .. })
    ));
}

#[test]
fn a_dead_processes_lock_is_taken_over_with_all_that_it_left() {
    let stack = Stack::new();
    std::fs::create_dir_all(stack.state()).unwrap();
    std::fs::write(stack.state().join(".default.tfstate.lock.info"), info("dead").render()).unwrap();
    std::fs::write(stack.state().join(".default.tfstate.tmp"), "half a sta").unwrap();
    let mut local = stack.local();
    assert_eq!(local.lock(&info("1")).unwrap(), Taken { abandoned: Some(info("dead")) });
    assert_eq!(stack.names(), [".default.tfstate.lock", ".default.tfstate.lock.info"]);
    assert_eq!(local.info(), Some(info("1")));
}

#[test]
fn force_unlock_wants_the_id() {
    let stack = Stack::new();
    let mut local = stack.local();
    assert!(matches!(local.force_unlock("x"), Err(StateError::NotUnlocked { .. })), "there is no lock");
    std::fs::create_dir_all(stack.state()).unwrap();
    std::fs::write(stack.state().join(".default.tfstate.lock.info"), info("dead").render()).unwrap();
    assert!(matches!(local.force_unlock("x"), Err(StateError::NotUnlocked { .. })), "another id");
    assert_eq!(local.force_unlock("dead").unwrap(), info("dead"));
    assert_eq!(local.lock(&info("1")).unwrap(), Taken::default());
}

/// Says where the child of the tests below finds its state. Not set: the "test" does nothing.
const CHILD: &str = "TERRANE_STATE_TEST_CHILD";

/// Runs in a child process: locks the state, says so, and waits to be killed.
#[test]
fn child_that_holds_the_lock() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let mut local = Local::new(Path::new(&folder), None, DEFAULT_WORKSPACE).unwrap();
    local.lock(&info("child")).unwrap();
    write(&mut local, 2, Some(1)).unwrap();
    println!("locked");
    let _ = io::stdin().read_line(&mut String::new());
    std::process::abort();
}

#[test]
fn another_process_is_kept_out_and_its_death_lets_us_in() {
    let stack = Stack::new();
    write(&mut stack.local(), 1, None).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "local::tests::child_that_holds_the_lock", "--nocapture"])
        .env(CHILD, stack.state())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("locked") {
        line.clear();
        assert_ne!(io::BufRead::read_line(&mut output, &mut line).unwrap(), 0, "the child ended early");
    }

    let mut local = stack.local();
    match local.lock(&info("1")) {
        Err(StateError::Locked { holder: Some(holder), .. }) => assert_eq!(holder.id, "child"),
        other => panic!("{other:?}"),
    }
    // Terraform's lock is on the state file itself, also on the one that has replaced the first.
    if cfg!(unix) {
        let state = File::options().read(true).write(true).open(local.path()).unwrap();
        assert!(!try_record_lock(&state).unwrap());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(local.lock(&info("1")).unwrap().abandoned.map(|info| info.id), Some("child".into()));
    assert_eq!(Backend::read(&mut local).unwrap(), Some(bytes(2)));
}

#[test]
fn workspaces_are_files_of_the_folder() {
    let stack = Stack::new();
    let mut local = stack.local();
    assert_eq!(local.workspaces().unwrap(), ["default"]);
    let mut test = Local::new(&stack.state(), None, "test").unwrap();
    write(&mut test, 1, None).unwrap();
    assert_eq!(local.workspaces().unwrap(), ["default", "test"]);

    test.lock(&info("1")).unwrap();
    assert!(matches!(local.delete_workspace("test", &mut || true), Err(StateError::Locked { .. })));
    assert!(
        matches!(test.delete_workspace("test", &mut || true), Err(StateError::Workspace { .. })),
        "it is in use"
    );
    assert!(matches!(test.delete_workspace("default", &mut || true), Err(StateError::Workspace { .. })));
    assert!(matches!(local.delete_workspace("none", &mut || true), Err(StateError::Workspace { .. })));
    drop(test);
    // It is asked when nobody else can write any more.
    let mut other = Local::new(&stack.state(), None, "test").unwrap();
    let mut asked = 0;
    let refused = local.delete_workspace("test", &mut || {
        asked += 1;
        assert!(matches!(other.lock(&info("2")), Err(StateError::Locked { .. })));
        false
    });
    assert!(matches!(refused, Err(StateError::Workspace { .. })) && asked == 1);
    assert_eq!(local.workspaces().unwrap(), ["default", "test"]);
    other.lock(&info("2")).unwrap();
    other.unlock().unwrap();
    drop(other);
    local.delete_workspace("test", &mut || true).unwrap();
    assert_eq!(local.workspaces().unwrap(), ["default"]);
    assert_eq!(stack.names(), [""; 0]);

    for name in ["", ".hidden", "a/b", "..", "a b", &"x".repeat(91)] {
        assert!(
            matches!(Local::new(&stack.state(), None, name), Err(StateError::Workspace { .. })),
            "{name}"
        );
    }
}

#[test]
fn a_path_moves_the_default_workspace_alone() {
    let moved = Path::new("elsewhere/terraform.tfstate");
    let at = |workspace| Local::new(Path::new("state"), Some(moved), workspace).unwrap();
    assert_eq!(at("default").path(), moved);
    assert_eq!(at("default").journal_path(), Path::new("elsewhere/.terraform.tfstate.journal"));
    assert_eq!(at("test").path(), Path::new("state/test.tfstate"));
}

/// A disk on which every operation of a kind fails.
fn broken(op: Op, kind: ErrorKind) -> Disk {
    Disk::with_faults(Arc::new(move |now, _| match now == op {
        true => Err(Fault { error: kind.into(), written: 10 }),
        false => Ok(()),
    }))
}

#[test]
fn a_full_disk_and_a_read_only_folder_leave_the_state_as_it_was() {
    for (op, kind) in [
        (Op::Write, ErrorKind::StorageFull),
        (Op::Sync, ErrorKind::StorageFull),
        (Op::Create, ErrorKind::PermissionDenied),
        (Op::Create, ErrorKind::ReadOnlyFilesystem),
        (Op::Rename, ErrorKind::PermissionDenied),
    ] {
        let stack = Stack::new();
        write(&mut stack.local(), 1, None).unwrap();
        let mut local = Local::on(broken(op, kind), &stack.state(), None, DEFAULT_WORKSPACE).unwrap();
        let error = write(&mut local, 2, Some(1)).unwrap_err();
        assert!(matches!(&error, StateError::Io { source, .. } if source.kind() == kind), "{error}");
        assert!(error.diagnostic().hints.concat().contains("as it was"), "{:?}", error.diagnostic());
        assert_eq!(stack.names(), ["default.tfstate"], "{op:?}");
        assert_eq!(Backend::read(&mut local).unwrap(), Some(bytes(1)));
    }
}

#[test]
fn a_file_in_the_folders_place_is_an_error_that_names_it() {
    let stack = Stack::new();
    std::fs::write(stack.state(), "in the way").unwrap();
    let error = stack.local().lock(&info("1")).unwrap_err();
    assert!(matches!(&error, StateError::Io { path, .. } if *path == stack.state()), "{error}");
}

#[test]
fn bytes_are_on_the_disk_before_their_name_is() {
    let stack = Stack::new();
    write(&mut stack.local(), 1, None).unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let disk = Disk::with_faults(Arc::new({
        let log = log.clone();
        move |op, path: &Path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            log.lock().unwrap().push((op, name));
            Ok(())
        }
    }));
    let mut local = Local::on(disk, &stack.state(), None, DEFAULT_WORKSPACE).unwrap();
    write(&mut local, 2, Some(1)).unwrap();
    let log = log.lock().unwrap();
    let at = |op: Op, name: &str| log.iter().position(|(o, n)| *o == op && n == name).unwrap();
    let backed_up = at(Op::Rename, ".default.tfstate.backup.tmp");
    assert!(at(Op::Sync, ".default.tfstate.backup.tmp") < backed_up);
    let renamed = at(Op::Rename, ".default.tfstate.tmp");
    assert!(backed_up < renamed);
    assert!(at(Op::Write, ".default.tfstate.tmp") < at(Op::Sync, ".default.tfstate.tmp"));
    assert!(at(Op::Sync, ".default.tfstate.tmp") < renamed);
    assert!(renamed < at(Op::SyncFolder, "state"));
}

#[test]
fn notes_lie_beside_the_journal_and_can_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Local::new(folder.path(), None, "default").unwrap();
    let path = folder.path().join(".default.tfstate.temporary");
    let mut notes = backend.notes();
    assert_eq!(notes.open().unwrap(), None);
    notes.append(b"a\n", Keep::Safe).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"a\n");
    assert!(backend.notes().open().is_err(), "somebody else is writing it");
    assert_eq!(backend.journal().peek().unwrap(), None);
    notes.remove().unwrap();
    assert!(!path.exists());
    notes.append(b"b\n", Keep::Safe).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"b\n");
}
