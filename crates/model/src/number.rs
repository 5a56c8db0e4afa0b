//! Numbers as the language has them: binary floats with a mantissa of up to 512 bits, exact for integers far beyond 64
//! bits, printed as the shortest decimal that reads back the same.
//!
//! Each number carries the precision that it was made with (512 bits for decimal text, 64 for counts, 53 for results of
//! 64-bit float functions); an operation rounds to the greater one of its operands. That decides how many digits a
//! fraction prints, and nothing else: numbers compare and hash by value.
//!
//! Work is bounded: magnitudes beyond 2^131072 are infinite, those below 2^-131072 are zero, and decimal text beyond
//! either is refused.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use dashu_base::BitTest;
use dashu_int::{IBig, Sign, UBig};

mod arithmetic;
mod text;

pub use text::{Decimal, NotANumber};

/// Bits of the mantissa of a number that was read from text.
pub const PRECISION: usize = 512;

/// Bits of the mantissa of a number that came from a 64-bit integer.
const WORD_PRECISION: u16 = 64;

/// Bits of the mantissa of a number that came from a 64-bit float.
const FLOAT_PRECISION: u16 = 53;

/// The largest position that the top bit of a finite number may have.
const MAX_EXPONENT: i64 = 1 << 17;

/// A number. Compared and hashed by value; never NaN.
#[derive(Clone)]
pub struct Number(Repr);

/// INVARIANT: a whole number that fits an i64 is `Small` (negative zero apart), so equal numbers have equal variants.
#[derive(Clone)]
enum Repr {
    Small { value: i64, precision: u16 },
    NegativeZero { precision: u16 },
    Infinite { sign: Sign },
    Big(Arc<Big>),
}

/// `mantissa` * 2^`exponent`. INVARIANT: the mantissa is odd.
#[derive(PartialEq, Eq, Hash)]
struct Big {
    mantissa: IBig,
    exponent: i64,
    precision: u16,
}

impl Number {
    /// Positive infinity.
    pub const INFINITY: Number = Number(Repr::Infinite { sign: Sign::Positive });

    /// Negative infinity.
    pub const NEGATIVE_INFINITY: Number = Number(Repr::Infinite { sign: Sign::Negative });

    /// The number as an integer, when it is whole and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Small { value, .. } => Some(*value),
            Repr::NegativeZero { .. } => Some(0),
            Repr::Infinite { .. } | Repr::Big(_) => None,
        }
    }

    /// The nearest 64-bit float.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Small { value, .. } => *value as f64,
            Repr::NegativeZero { .. } => -0.0,
            Repr::Infinite { sign: Sign::Positive } => f64::INFINITY,
            Repr::Infinite { sign: Sign::Negative } => f64::NEG_INFINITY,
            Repr::Big(big) => {
                // The mantissa has at most 512 bits; powers of two scale exactly until the result is subnormal.
                let step = |x: f64, e: i64| x * 2f64.powi(i32::try_from(e).unwrap_or(i32::MIN));
                let exponent = big.exponent.clamp(-2400, 2400);
                step(step(big.mantissa.to_f64().value(), exponent / 2), exponent - exponent / 2)
            }
        }
    }

    /// A 64-bit float; nothing for NaN.
    pub fn from_f64(value: f64) -> Option<Number> {
        if value.is_nan() {
            return None;
        }
        let sign = if value.is_sign_negative() { Sign::Negative } else { Sign::Positive };
        if value.is_infinite() {
            return Some(Number(Repr::Infinite { sign }));
        }
        let bits = value.to_bits();
        let (biased, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
        let (mantissa, exponent) = match biased {
            0 => (fraction, -1074),
            _ => (fraction | (1 << 52), i64::try_from(biased).unwrap_or(0) - 1075),
        };
        Some(Number::rounded(sign, UBig::from(mantissa), exponent, false, FLOAT_PRECISION))
    }

    /// Whether it has no fraction. Infinities are not whole.
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Small { .. } | Repr::NegativeZero { .. } => true,
            Repr::Infinite { .. } => false,
            Repr::Big(big) => big.exponent >= 0,
        }
    }

    /// Whether it is neither infinity.
    pub fn is_finite(&self) -> bool {
        !matches!(self.0, Repr::Infinite { .. })
    }

    /// Whether it is zero, of either sign.
    pub fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Small { value: 0, .. } | Repr::NegativeZero { .. })
    }

    /// Whether it carries a minus sign; negative zero does.
    pub fn is_negative(&self) -> bool {
        self.sign() == Sign::Negative
    }

    fn sign(&self) -> Sign {
        match &self.0 {
            Repr::Small { value, .. } if *value < 0 => Sign::Negative,
            Repr::Small { .. } => Sign::Positive,
            Repr::NegativeZero { .. } => Sign::Negative,
            Repr::Infinite { sign } => *sign,
            Repr::Big(big) => big.mantissa.sign(),
        }
    }

    fn precision(&self) -> u16 {
        match &self.0 {
            Repr::Small { precision, .. } | Repr::NegativeZero { precision } => *precision,
            Repr::Infinite { .. } => WORD_PRECISION,
            Repr::Big(big) => big.precision,
        }
    }

    /// Sign, magnitude and exponent of a finite number.
    fn parts(&self) -> (Sign, UBig, i64) {
        match &self.0 {
            Repr::Small { value, .. } => (self.sign(), UBig::from(value.unsigned_abs()), 0),
            Repr::NegativeZero { .. } | Repr::Infinite { .. } => (self.sign(), UBig::ZERO, 0),
            Repr::Big(big) => {
                let (sign, magnitude) = big.mantissa.clone().into_parts();
                (sign, magnitude, big.exponent)
            }
        }
    }

    fn small(value: i64, precision: u16) -> Number {
        Number(Repr::Small { value, precision })
    }

    fn zero(sign: Sign, precision: u16) -> Number {
        match sign {
            Sign::Positive => Number::small(0, precision),
            Sign::Negative => Number(Repr::NegativeZero { precision }),
        }
    }

    /// The number nearest to `magnitude` * 2^`exponent`, ties to even. `sticky` says that the true magnitude is a little
    /// greater, by less than one unit of `magnitude`.
    fn rounded(sign: Sign, magnitude: UBig, exponent: i64, sticky: bool, precision: u16) -> Number {
        let (mut magnitude, mut exponent) = (magnitude, exponent);
        let excess = magnitude.bit_len().saturating_sub(usize::from(precision));
        if excess > 0 {
            let half = magnitude.bit(excess - 1);
            let (low, high) = magnitude.split_bits(excess);
            let above = sticky || low.trailing_zeros().is_some_and(|n| n < excess - 1);
            magnitude = if half && (above || high.bit(0)) { high + UBig::ONE } else { high };
            exponent += i64::try_from(excess).unwrap_or(i64::MAX);
        }
        let Some(zeros) = magnitude.trailing_zeros() else {
            return Number::zero(sign, precision);
        };
        magnitude >>= zeros;
        exponent += i64::try_from(zeros).unwrap_or(i64::MAX);
        let top = exponent + i64::try_from(magnitude.bit_len()).unwrap_or(i64::MAX);
        if top > MAX_EXPONENT {
            return Number(Repr::Infinite { sign });
        }
        if top < -MAX_EXPONENT {
            return Number::zero(sign, precision);
        }
        if (0..64).contains(&exponent) && top <= 64 {
            let whole = IBig::from_parts(sign, magnitude.clone() << usize::try_from(exponent).unwrap_or(0));
            if let Ok(value) = i64::try_from(whole) {
                return Number::small(value, precision);
            }
        }
        let mantissa = IBig::from_parts(sign, magnitude);
        Number(Repr::Big(Arc::new(Big { mantissa, exponent, precision })))
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number::small(value, WORD_PRECISION)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        match (&self.0, &other.0) {
            (Repr::Small { value: a, .. }, Repr::Small { value: b, .. }) => a == b,
            _ => self.cmp(other) == Ordering::Equal,
        }
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        if let (Repr::Small { value: a, .. }, Repr::Small { value: b, .. }) = (&self.0, &other.0) {
            return a.cmp(b);
        }
        let class = |n: &Number| match n.sign() {
            _ if n.is_zero() => 0,
            Sign::Positive if n.is_finite() => 1,
            Sign::Positive => 2,
            Sign::Negative if n.is_finite() => -1,
            Sign::Negative => -2,
        };
        class(self).cmp(&class(other)).then_with(|| match class(self) {
            1 => self.compare_magnitude(other),
            -1 => other.compare_magnitude(self),
            _ => Ordering::Equal,
        })
    }
}

impl Number {
    /// Compares two finite numbers that are not zero, without their signs.
    fn compare_magnitude(&self, other: &Number) -> Ordering {
        let ((_, a, a_exponent), (_, b, b_exponent)) = (self.parts(), other.parts());
        let top = |m: &UBig, e: i64| e + i64::try_from(m.bit_len()).unwrap_or(i64::MAX);
        top(&a, a_exponent).cmp(&top(&b, b_exponent)).then_with(|| {
            // The top bits stand at the same place, so neither shift is longer than the other mantissa.
            let low = a_exponent.min(b_exponent);
            let shift = |m: UBig, e: i64| m << usize::try_from(e - low).unwrap_or(0);
            shift(a, a_exponent).cmp(&shift(b, b_exponent))
        })
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Small { value, .. } => value.hash(state),
            Repr::NegativeZero { .. } => 0i64.hash(state),
            Repr::Infinite { sign } => (*sign == Sign::Negative).hash(state),
            Repr::Big(big) => (&big.mantissa, big.exponent).hash(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn n(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn order_goes_by_value_across_representations() {
        let sorted =
            ["-1e400", "-9223372036854775809", "-1.5", "-1", "-0.1", "0", "1e-300", "1", "1e19", "1e400"];
        let numbers: Vec<Number> = [Number::NEGATIVE_INFINITY]
            .into_iter()
            .chain(sorted.iter().map(|t| n(t)))
            .chain([Number::INFINITY])
            .collect();
        for (i, a) in numbers.iter().enumerate() {
            for (j, b) in numbers.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a} and {b}");
            }
        }
        assert_eq!(n("-0"), n("0"));
    }

    #[test]
    fn equal_numbers_hash_alike() {
        let set: HashSet<Number> =
            [n("1.0"), Number::from(1), n("10e-1"), n("0"), n("-0"), Number::from_f64(1.0).unwrap()]
                .into_iter()
                .collect();
        assert_eq!(set.len(), 2);
    }

    #[test]
    fn floats_go_there_and_back() {
        for value in [0.0, 1.5, -0.1, 1e300, 5e-324, f64::MAX, f64::INFINITY, 9007199254740993.0] {
            assert_eq!(Number::from_f64(value).unwrap().to_f64(), value);
        }
        assert!(Number::from_f64(f64::NAN).is_none());
        assert_eq!(n("1e400").to_f64(), f64::INFINITY);
        assert_eq!(n("1e-400").to_f64(), 0.0);
    }

    #[test]
    fn whole_numbers_that_fit_are_integers() {
        assert_eq!(n("5e0").to_i64(), Some(5));
        assert_eq!(n("9223372036854775807").to_i64(), Some(i64::MAX));
        assert_eq!(n("-9223372036854775808").to_i64(), Some(i64::MIN));
        assert_eq!(n("9223372036854775808").to_i64(), None);
        assert_eq!(n("0.5").to_i64(), None);
        assert!(n("1e300").is_whole() && !n("1e-3").is_whole() && !Number::INFINITY.is_whole());
    }
}
