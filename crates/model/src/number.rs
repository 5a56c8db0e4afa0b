//! Numbers as the language has them: binary floats with a 512-bit mantissa, exact for integers far beyond 64 bits,
//! printed as the shortest decimal that reads back the same.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use dashu_float::{DBig, FBig, round::mode::HalfEven};

type Float = FBig<HalfEven, 2>;

/// Bits of the mantissa.
pub const PRECISION: usize = 512;

/// A number. Compared and hashed by value.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    Int(i64),
    Big(Box<Float>),
}

impl Number {
    /// The number as an integer, when it is whole and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(n) => Some(*n),
            Repr::Big(_) => None,
        }
    }

    /// The nearest 64-bit float.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(n) => *n as f64,
            Repr::Big(b) => b.to_f64().value(),
        }
    }

    /// Whether it has no fraction.
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Big(b) => b.repr().is_finite() && b.fract() == Float::ZERO,
        }
    }

    fn from_float(float: Float) -> Number {
        if float.repr().is_finite() && float.fract() == Float::ZERO {
            if let Ok(n) = i64::try_from(float.to_int().value()) {
                return Number(Repr::Int(n));
            }
        }
        Number(Repr::Big(Box::new(float)))
    }

    fn float(&self) -> Float {
        match &self.0 {
            Repr::Int(n) => Float::from(*n).with_precision(PRECISION).value(),
            Repr::Big(b) => b.as_ref().clone(),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number(Repr::Int(value))
    }
}

/// Text that is no decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotANumber;

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Number, NotANumber> {
        if let Ok(n) = text.parse::<i64>() {
            return Ok(Number(Repr::Int(n)));
        }
        let decimal = DBig::from_str(text).map_err(|_| NotANumber)?;
        let float = decimal.with_base_and_precision::<2>(PRECISION).value().with_rounding::<HalfEven>();
        Ok(Number::from_float(float))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(n) => write!(f, "{n}"),
            Repr::Big(b) => write!(f, "{}", b.to_decimal().value()),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
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
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            _ => self.float().cmp(&other.float()),
        }
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Int(n) => n.hash(state),
            Repr::Big(_) => self.to_f64().to_bits().hash(state),
        }
    }
}
