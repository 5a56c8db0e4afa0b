//! Comparing version numbers as Terraform writes them: `1.11.4`, `1.12.0-beta1`.

use std::cmp::Ordering;

/// The higher of two versions; `b` where they are equal. Nothing when either is not a version.
pub(crate) fn higher<'v>(a: &'v str, b: &'v str) -> Option<&'v str> {
    Some(if compare(a, b)? == Ordering::Greater { a } else { b })
}

/// Whether a text is a version.
pub(crate) fn is_version(text: &str) -> bool {
    split(text).is_some()
}

fn compare(a: &str, b: &str) -> Option<Ordering> {
    let ((a_numbers, a_pre), (b_numbers, b_pre)) = (split(a)?, split(b)?);
    // A release comes after its previews.
    let stage = |pre: &str| u8::from(pre.is_empty());
    Some(a_numbers.cmp(&b_numbers).then(stage(a_pre).cmp(&stage(b_pre))).then_with(|| a_pre.cmp(b_pre)))
}

/// The numbers, three or more, and the name of the preview if it is one.
fn split(text: &str) -> Option<(Vec<u64>, &str)> {
    let (text, _build) = text.split_once('+').unwrap_or((text, ""));
    let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers: Vec<u64> = numbers.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    numbers.resize(numbers.len().max(3), 0);
    Some((numbers, pre))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_one_wins() {
        for (a, b, high) in [
            ("1.11.4", "1.11.4", "1.11.4"),
            ("1.9.8", "1.11.4", "1.11.4"),
            ("1.12.0", "1.11.4", "1.12.0"),
            ("1.12", "1.11.4", "1.12"),
            ("2.0.0-beta1", "1.11.4", "2.0.0-beta1"),
            ("1.11.4-rc1", "1.11.4", "1.11.4"),
            ("1.12.0-beta2", "1.12.0-beta1", "1.12.0-beta2"),
            ("1.12.0+x", "1.11.4", "1.12.0+x"),
        ] {
            assert_eq!(higher(a, b), Some(high), "{a} {b}");
            assert_eq!(higher(b, a).map(|v| compare(v, high)), Some(Some(Ordering::Equal)), "{b} {a}");
        }
    }

    #[test]
    fn texts_that_are_no_versions() {
        for text in ["", "x", "1.x", "1..2", "v1.2.3", "-1", "99999999999999999999.0"] {
            assert!(!is_version(text), "{text}");
            assert_eq!(higher(text, "1.0.0"), None, "{text}");
        }
    }
}
