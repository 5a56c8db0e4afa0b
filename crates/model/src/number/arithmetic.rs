//! Arithmetic. An operation whose result is no number gives nothing: infinity minus itself, zero times infinity, zero
//! or infinity divided by itself.

use std::ops::Neg;

use dashu_base::BitTest;
use dashu_int::{IBig, Sign, UBig};

use super::{Number, PRECISION, Repr};

impl Number {
    /// The sum.
    pub fn checked_add(&self, other: &Number) -> Option<Number> {
        let precision = self.precision().max(other.precision());
        match (&self.0, &other.0) {
            (Repr::Small { value: a, .. }, Repr::Small { value: b, .. }) if precision >= 64 => {
                if let Some(value) = a.checked_add(*b) {
                    return Some(Number::small(value, precision));
                }
            }
            (Repr::Infinite { sign: a }, Repr::Infinite { sign: b }) if a != b => return None,
            (Repr::Infinite { .. }, _) => return Some(self.clone()),
            (_, Repr::Infinite { .. }) => return Some(other.clone()),
            (Repr::NegativeZero { .. }, Repr::NegativeZero { .. }) => {
                return Some(Number::zero(Sign::Negative, precision));
            }
            _ => {}
        }
        let ((a_sign, a, a_exponent), (b_sign, b, b_exponent)) = (self.parts(), other.parts());
        let low = a_exponent.min(b_exponent);
        let aligned = |sign, magnitude: UBig, exponent: i64| {
            IBig::from_parts(sign, magnitude << usize::try_from(exponent - low).unwrap_or(0))
        };
        let (sign, magnitude) =
            (aligned(a_sign, a, a_exponent) + aligned(b_sign, b, b_exponent)).into_parts();
        Some(Number::rounded(sign, magnitude, low, false, precision))
    }

    /// The difference.
    pub fn checked_sub(&self, other: &Number) -> Option<Number> {
        self.checked_add(&-other.clone())
    }

    /// The product. It gets as many bits as it needs to be exact, up to 512.
    pub fn checked_mul(&self, other: &Number) -> Option<Number> {
        let precision = self.precision().max(other.precision());
        let sign = self.sign() * other.sign();
        match (&self.0, &other.0) {
            (Repr::Small { value: a, .. }, Repr::Small { value: b, .. }) if precision >= 64 => {
                match a.checked_mul(*b) {
                    Some(0) => return Some(Number::zero(sign, precision)),
                    Some(value) => return Some(Number::small(value, precision)),
                    None => {}
                }
            }
            (Repr::Infinite { .. }, _) | (_, Repr::Infinite { .. }) => {
                return (!self.is_zero() && !other.is_zero()).then_some(Number(Repr::Infinite { sign }));
            }
            _ => {}
        }
        let ((_, a, a_exponent), (_, b, b_exponent)) = (self.parts(), other.parts());
        let product = a * b;
        let needed = product.bit_len() - product.trailing_zeros().unwrap_or(0);
        let precision = usize::from(precision).max(needed.min(PRECISION));
        let precision = u16::try_from(precision).unwrap_or(u16::MAX);
        Some(Number::rounded(sign, product, a_exponent + b_exponent, false, precision))
    }

    /// The quotient. Division of anything but zero by zero is infinite.
    pub fn checked_div(&self, other: &Number) -> Option<Number> {
        let precision = self.precision().max(other.precision());
        let sign = self.sign() * other.sign();
        match (&self.0, &other.0) {
            (Repr::Infinite { .. }, Repr::Infinite { .. }) => return None,
            (Repr::Infinite { .. }, _) => return Some(Number(Repr::Infinite { sign })),
            (_, Repr::Infinite { .. }) => return Some(Number::zero(sign, precision)),
            _ if other.is_zero() => {
                return (!self.is_zero()).then_some(Number(Repr::Infinite { sign }));
            }
            _ if self.is_zero() => return Some(Number::zero(sign, precision)),
            (Repr::Small { value: a, .. }, Repr::Small { value: b, .. }) => {
                if let (Some(0), Some(value)) = (a.checked_rem(*b), a.checked_div(*b)) {
                    return Some(Number::small(value, precision));
                }
            }
            _ => {}
        }
        let ((_, a, a_exponent), (_, b, b_exponent)) = (self.parts(), other.parts());
        // So many bits that the quotient has two more than are kept.
        let shift = (usize::from(precision) + 2 + b.bit_len()).saturating_sub(a.bit_len());
        let dividend = a << shift;
        let quotient = &dividend / &b;
        let sticky = &quotient * &b != dividend;
        let exponent = a_exponent - b_exponent - i64::try_from(shift).unwrap_or(i64::MAX);
        Some(Number::rounded(sign, quotient, exponent, sticky, precision))
    }

    /// The remainder, with the sign of the dividend; also of fractions. The remainder of a division by zero is the
    /// dividend, and one that involves an infinity is infinite: so the language has it.
    pub fn checked_rem(&self, other: &Number) -> Option<Number> {
        if !self.is_finite() || !other.is_finite() {
            return self.checked_mul(other);
        }
        if other.is_zero() {
            return Some(self.clone());
        }
        let precision = self.precision().max(other.precision());
        if let (Repr::Small { value: a, .. }, Repr::Small { value: b, .. }) = (&self.0, &other.0) {
            return Some(Number::small(a.checked_rem(*b).unwrap_or(0), precision));
        }
        let whole = self.checked_div(other)?.truncate();
        self.checked_sub(&whole.checked_mul(other)?)
    }

    /// The greatest whole number that is not greater.
    #[must_use]
    pub fn floor(&self) -> Number {
        match self.is_negative() && self.is_finite() && !self.is_whole() {
            true => self.truncate().checked_sub(&Number::from(1)).unwrap_or_else(|| self.clone()),
            false => self.truncate(),
        }
    }

    /// The least whole number that is not less.
    #[must_use]
    pub fn ceil(&self) -> Number {
        match !self.is_negative() && self.is_finite() && !self.is_whole() {
            true => self.truncate().checked_add(&Number::from(1)).unwrap_or_else(|| self.clone()),
            false => self.truncate(),
        }
    }

    /// The whole part; zero without a sign.
    #[must_use]
    pub fn truncate(&self) -> Number {
        match &self.0 {
            Repr::Small { .. } | Repr::Infinite { .. } => self.clone(),
            Repr::NegativeZero { precision } => Number::small(0, *precision),
            Repr::Big(big) if big.exponent >= 0 => self.clone(),
            Repr::Big(big) => {
                let (sign, magnitude, exponent) = self.parts();
                let whole = magnitude >> usize::try_from(-exponent).unwrap_or(usize::MAX);
                let sign = if whole.is_zero() { Sign::Positive } else { sign };
                Number::rounded(sign, whole, 0, false, big.precision)
            }
        }
    }

    /// The magnitude.
    #[must_use]
    pub fn abs(&self) -> Number {
        if self.is_negative() { -self.clone() } else { self.clone() }
    }
}

impl Neg for Number {
    type Output = Number;

    fn neg(self) -> Number {
        match &self.0 {
            Repr::Small { value: 0, precision } => Number(Repr::NegativeZero { precision: *precision }),
            Repr::NegativeZero { precision } => Number::small(0, *precision),
            Repr::Small { value, precision } => match value.checked_neg() {
                Some(value) => Number::small(value, *precision),
                None => Number::rounded(
                    Sign::Positive,
                    UBig::from(value.unsigned_abs()),
                    0,
                    false,
                    (*precision).max(super::WORD_PRECISION),
                ),
            },
            Repr::Infinite { sign } => Number(Repr::Infinite { sign: -*sign }),
            Repr::Big(big) => {
                let (sign, magnitude, exponent) = self.parts();
                Number::rounded(-sign, magnitude, exponent, false, big.precision)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn n(text: &str) -> Number {
        text.parse().unwrap()
    }

    fn show(number: Option<Number>) -> String {
        number.map_or_else(|| "none".into(), |n| n.to_string())
    }

    #[test]
    fn decimal_fractions_behave_as_people_expect() {
        assert_eq!(n("0.1").checked_add(&n("0.2")), Some(n("0.3")));
        assert_eq!(n("1").checked_div(&n("3")).unwrap().checked_mul(&n("3")), Some(n("1")));
        assert_eq!(show(n("7.5").checked_rem(&n("2"))), "1.5");
        assert_eq!(show(n("-7").checked_rem(&n("3"))), "-1");
        assert_eq!(show(n("1").checked_rem(&n("0"))), "1");
    }

    #[test]
    fn integers_stay_exact_beyond_64_bits() {
        let big = n("9223372036854775807");
        assert_eq!(show(big.checked_add(&big)), "18446744073709551614");
        assert_eq!(show(big.checked_mul(&big)), "85070591730234615847396907784232501249");
        assert_eq!(show(Some(-n("-9223372036854775808"))), "9223372036854775808");
        let counted = Number::from(i64::MAX);
        assert_eq!(show(counted.checked_mul(&counted)), "85070591730234615847396907784232501249");
    }

    #[test]
    fn what_is_no_number_is_nothing_and_the_rest_has_its_sign() {
        let inf = Number::INFINITY;
        assert_eq!(inf.checked_sub(&inf), None);
        assert_eq!(n("0").checked_div(&n("0")), None);
        assert_eq!(n("0").checked_mul(&inf), None);
        assert_eq!(inf.checked_div(&inf), None);
        assert_eq!(show(n("1").checked_div(&n("0"))), "+Inf");
        assert_eq!(show(n("-1").checked_div(&n("0"))), "-Inf");
        assert_eq!(show(n("0").checked_mul(&n("-5"))), "-0");
        assert_eq!(show(n("5").checked_sub(&n("5"))), "0");
        assert_eq!(show(Some(-n("0"))), "-0");
    }

    #[test]
    fn magnitudes_are_bounded() {
        let mut x = n("1e1000");
        for _ in 0..40 {
            x = x.checked_mul(&x).unwrap();
        }
        assert_eq!(x, Number::INFINITY);
        let mut x = n("1e-1000");
        for _ in 0..40 {
            x = x.checked_mul(&x).unwrap();
        }
        assert!(x.is_zero());
    }

    #[test]
    fn rounding_to_whole_numbers() {
        for (text, floor, ceil, whole) in [
            ("1.5", "1", "2", "1"),
            ("-1.5", "-2", "-1", "-1"),
            ("-0.5", "-1", "0", "0"),
            ("0.5", "0", "1", "0"),
            ("3", "3", "3", "3"),
            (
                "1e30",
                "1000000000000000000000000000000",
                "1000000000000000000000000000000",
                "1000000000000000000000000000000",
            ),
        ] {
            assert_eq!(n(text).floor().to_string(), floor, "floor {text}");
            assert_eq!(n(text).ceil().to_string(), ceil, "ceil {text}");
            assert_eq!(n(text).truncate().to_string(), whole, "truncate {text}");
        }
    }

    #[test]
    fn precision_is_that_of_the_operands() {
        let third = Number::from(1).checked_div(&Number::from(3)).unwrap();
        assert_eq!(third.to_string(), "0.33333333333333333334");
        let float = Number::from_f64(0.1).unwrap();
        assert_eq!(float.to_string(), "0.1");
    }

    proptest! {
        #[test]
        fn small_arithmetic_agrees_with_128_bit_integers(a: i64, b: i64) {
            let (x, y) = (n(&a.to_string()), n(&b.to_string()));
            let (a, b) = (i128::from(a), i128::from(b));
            prop_assert_eq!(x.checked_add(&y), Some(n(&(a + b).to_string())));
            prop_assert_eq!(x.checked_sub(&y), Some(n(&(a - b).to_string())));
            prop_assert_eq!(x.checked_mul(&y), Some(n(&(a * b).to_string())));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            if b != 0 {
                prop_assert_eq!(x.checked_rem(&y), Some(n(&(a % b).to_string())));
                prop_assert_eq!(x.checked_div(&y).unwrap().truncate(), n(&(a / b).to_string()));
            }
        }
    }
}
