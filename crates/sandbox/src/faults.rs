//! Draws which call goes wrong, from a seeded sequence.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::options::Faults;

/// What befalls one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing: the call is answered.
    Served,
    /// Refused by throttling; nothing is done.
    Throttled,
    /// Answered with a 500; nothing is done.
    Failed,
    /// Carried out, and the answer is lost.
    Lost,
}

/// The sequence of fates.
#[derive(Debug)]
pub(crate) struct Fates {
    faults: Faults,
    drawn: AtomicU64,
}

impl Fates {
    pub(crate) fn new(faults: Faults) -> Fates {
        Fates { faults, drawn: AtomicU64::new(0) }
    }

    /// Draws the next fate; calls that never fail draw nothing.
    pub(crate) fn draw(&self) -> Fate {
        let Faults { seed, throttled, failed, lost } = self.faults;
        if throttled <= 0.0 && failed <= 0.0 && lost <= 0.0 {
            return Fate::Served;
        }
        let number = self.drawn.fetch_add(1, Ordering::SeqCst);
        let point = unit(seed, number);
        if point < throttled {
            Fate::Throttled
        } else if point < throttled + failed {
            Fate::Failed
        } else if point < throttled + failed + lost {
            Fate::Lost
        } else {
            Fate::Served
        }
    }
}

/// The `number`th value of the sequence of `seed`, in 0..1: the output function of SplitMix64.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
fn unit(seed: u64, number: u64) -> f64 {
    let mut bits = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(faults: Faults, count: usize) -> Vec<Fate> {
        let fates = Fates::new(faults);
        (0..count).map(|_| fates.draw()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_gives_others() {
        let faults = Faults { seed: 7, throttled: 0.2, failed: 0.1, lost: 0.1 };
        assert_eq!(first(faults, 200), first(faults, 200));
        assert_ne!(first(faults, 200), first(Faults { seed: 8, ..faults }, 200));
    }

    #[test]
    fn fractions_hold() {
        let drawn = first(Faults { seed: 1, throttled: 0.25, failed: 0.05, lost: 0.10 }, 20_000);
        let share = |fate| drawn.iter().filter(|one| **one == fate).count() as f64 / drawn.len() as f64;
        assert!((share(Fate::Throttled) - 0.25).abs() < 0.02);
        assert!((share(Fate::Failed) - 0.05).abs() < 0.01);
        assert!((share(Fate::Lost) - 0.10).abs() < 0.01);
        assert_eq!(first(Faults { seed: 1, ..Faults::default() }, 5), vec![Fate::Served; 5]);
    }
}
