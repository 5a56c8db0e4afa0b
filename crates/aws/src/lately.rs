//! Whether an object was made just now, and not by somebody else before.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;

/// How far the service's clock may be from ours.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// Whether an object with this date was made since then. One without a date may have been.
pub fn made_since(start: SystemTime, made: Option<&DateTime>) -> bool {
    let Some(made) = made.and_then(|date| SystemTime::try_from(*date).ok()) else { return true };
    start.checked_sub(SKEW).is_none_or(|earliest| made >= earliest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_objects_are_somebody_elses() {
        let now = SystemTime::now();
        let date = |ago: u64| DateTime::from(now - Duration::from_secs(ago));
        assert!(made_since(now, Some(&date(10))) && made_since(now, None));
        assert!(!made_since(now, Some(&date(3600))));
    }
}
