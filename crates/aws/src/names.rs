//! Names and ids that are made up here: a prefix and 26 characters that sort by time.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use time::OffsetDateTime;

/// Digits of time and counter behind a prefix.
const SUFFIX: usize = 26;

/// A name that nothing else has: the prefix, the UTC time to a ten-thousandth of a second, and a counter of this process.
pub fn unique(prefix: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let counter = MADE.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    format!("{prefix}{}{counter:08x}", timestamp(SystemTime::now()))
}

fn timestamp(now: SystemTime) -> String {
    let t = OffsetDateTime::from(now);
    let fraction = t.microsecond() / 100;
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}{fraction:04}",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// The prefix from which a name was made, or nothing when it was not made here.
pub fn prefix_of(name: &str) -> &str {
    let Some(cut) = name.len().checked_sub(SUFFIX) else { return "" };
    match name.split_at_checked(cut) {
        Some((prefix, suffix))
            if suffix.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) =>
        {
            prefix
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_names_are_distinct_and_give_their_prefix_back() {
        let (a, b) = (unique("app-"), unique("app-"));
        assert_ne!(a, b);
        assert_eq!((prefix_of(&a), a.len()), ("app-", 30));
        assert_eq!(prefix_of(&unique("")), "");
    }

    #[test]
    fn other_names_have_no_prefix() {
        for name in ["", "short", "kms-demo-policy", "ééééééééééééééééééé", "app-2026112319584670920000000g"]
        {
            assert_eq!(prefix_of(name), "", "{name}");
        }
    }

    #[test]
    fn the_time_has_four_digits_of_fraction() {
        let t = SystemTime::UNIX_EPOCH + std::time::Duration::from_micros(1_795_463_926_709_200);
        assert_eq!(timestamp(t), "202611231958467092");
    }
}
