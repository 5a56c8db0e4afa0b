//! The time as the embedded AWS sees it: the system's or a fixed one, plus an offset that can be moved forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

/// Tells the time; clones share it.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Milliseconds since 1970 at which the clock stands still, or `None` for the system's time.
    fixed_millis: Option<i64>,
    offset_millis: Arc<AtomicI64>,
}

impl Clock {
    /// Follows the system's clock.
    #[must_use]
    pub fn system() -> Clock {
        Clock { fixed_millis: None, offset_millis: Arc::new(AtomicI64::new(0)) }
    }

    /// Stands still at `start` until it is advanced.
    #[must_use]
    pub fn fixed(start: SystemTime) -> Clock {
        Clock { fixed_millis: Some(millis(start)), offset_millis: Arc::new(AtomicI64::new(0)) }
    }

    /// Moves the time forward for all clones.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let _ = self
            .offset_millis
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |offset| Some(offset.saturating_add(by)));
    }

    pub(crate) fn offset_millis(&self) -> i64 {
        self.offset_millis.load(Ordering::SeqCst)
    }

    pub(crate) fn now(&self) -> Moment {
        let base = self.fixed_millis.unwrap_or_else(|| millis(SystemTime::now()));
        Moment(base.saturating_add(self.offset_millis()))
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::system()
    }
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A point in time, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    pub(crate) fn plus(self, by: Duration) -> Moment {
        Moment(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    pub(crate) fn plus_days(self, days: i64) -> Moment {
        Moment(self.0.saturating_add(days.saturating_mul(86_400_000)))
    }

    /// Seconds since 1970 with a fraction, as the JSON protocols write times.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds stay exact in a double for 285,000 years")]
    pub(crate) fn epoch_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// `2026-11-23T19:58:43Z`, as the query protocol writes times.
    pub(crate) fn iso(self) -> String {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1000))
            .ok()
            .and_then(|time| time.format(format).ok())
            .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_advanced_and_clones_share_it() {
        let clock = Clock::fixed(UNIX_EPOCH + Duration::from_secs(1_000));
        let other = clock.clone();
        assert_eq!(clock.now(), Moment(1_000_000));
        other.advance(Duration::from_millis(2_500));
        assert_eq!(clock.now(), Moment(1_002_500));
    }

    #[test]
    fn moments_are_written_as_both_protocols_expect() {
        let moment = Moment(1_795_463_923_250);
        assert_eq!(moment.iso(), "2026-11-23T19:58:43Z");
        assert!((moment.epoch_seconds() - 1_795_463_923.25).abs() < 1e-6);
        assert_eq!(Moment(i64::MAX).plus_days(1).iso(), "9999-12-31T23:59:59Z");
    }
}
