//! Numbers from decimal text and to it.
//!
//! A number prints as the shortest decimal that reads back as the same number at its precision, without exponent.

use std::fmt;
use std::str::FromStr;

use dashu_base::BitTest;
use dashu_int::{Sign, UBig};

use super::{MAX_EXPONENT, Number, PRECISION, Repr};

/// The most digits that a number may be written with.
const MAX_DIGITS: usize = 20_000;

/// Text that is no decimal number, or one that is out of all bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotANumber;

/// The decimal digits of a finite number: 0.`digits` * 10^`point`. Zero has no digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Whether it carries a minus sign.
    pub negative: bool,
    /// The digits, without zeros at either end.
    pub digits: Vec<u8>,
    /// Where the point stands, counted from the first digit.
    pub point: i64,
}

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Number, NotANumber> {
        let precision = u16::try_from(PRECISION).unwrap_or(u16::MAX);
        let (sign, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (Sign::Negative, text.get(1..).unwrap_or("")),
            Some(b'+') => (Sign::Positive, text.get(1..).unwrap_or("")),
            _ => (Sign::Positive, text),
        };
        if unsigned.len() < 19 && !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
            let value: i64 = unsigned.parse().map_err(|_| NotANumber)?;
            return Ok(match (value, sign) {
                (0, sign) => Number::zero(sign, precision),
                (value, Sign::Positive) => Number::small(value, precision),
                (value, Sign::Negative) => Number::small(-value, precision),
            });
        }
        if matches!(unsigned, "Inf" | "inf") {
            return Ok(Number(Repr::Infinite { sign }));
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return Err(NotANumber);
        }
        let digits = [whole, fraction].concat();
        let digits = digits.trim_start_matches('0');
        let significant = digits.trim_end_matches('0');
        let scale = exponent - as_i64(fraction.len()) + as_i64(digits.len() - significant.len());
        if significant.is_empty() {
            return Ok(Number::zero(sign, precision));
        }
        if significant.len() > MAX_DIGITS || (scale + as_i64(significant.len())).abs() > MAX_EXPONENT * 3 / 10
        {
            return Err(NotANumber);
        }
        let significand = UBig::from_str_radix(significant, 10).map_err(|_| NotANumber)?;
        let power = UBig::from(5u8).pow(usize::try_from(scale.unsigned_abs()).map_err(|_| NotANumber)?);
        if scale >= 0 {
            return Ok(Number::rounded(sign, significand * power, scale, false, precision));
        }
        let shift = (PRECISION + 2 + power.bit_len()).saturating_sub(significand.bit_len());
        let dividend = significand << shift;
        let quotient = &dividend / &power;
        let sticky = &quotient * &power != dividend;
        Ok(Number::rounded(sign, quotient, scale - as_i64(shift), sticky, precision))
    }
}

fn as_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Reads an exponent; one of absurd size is cut to a size that is out of bounds all the same.
fn read_exponent(text: &str) -> Result<i64, NotANumber> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotANumber);
    }
    let value = digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 40);
    Ok(if text.starts_with('-') { -value } else { value })
}

impl Number {
    /// Reads a whole number from digits of a base between 2 and 62, with an optional sign. Letters stand for 10 and up;
    /// up to base 36 their case does not matter, beyond it lower case comes first. Nothing for any other text.
    pub fn from_radix(text: &str, radix: u32) -> Option<Number> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (Sign::Negative, rest),
            None => (Sign::Positive, text.strip_prefix('+').unwrap_or(text)),
        };
        if digits.is_empty() || digits.len() > MAX_DIGITS || !(2..=62).contains(&radix) {
            return None;
        }
        let mut magnitude = UBig::ZERO;
        for c in digits.chars() {
            let digit = match c {
                '0'..='9' => u32::from(c) - u32::from('0'),
                'a'..='z' => u32::from(c) - u32::from('a') + 10,
                'A'..='Z' if radix <= 36 => u32::from(c) - u32::from('A') + 10,
                'A'..='Z' => u32::from(c) - u32::from('A') + 36,
                _ => return None,
            };
            if digit >= radix {
                return None;
            }
            magnitude = magnitude * radix + digit;
        }
        let precision = magnitude.bit_len().max(64);
        Some(Number::rounded(sign, magnitude, 0, false, u16::try_from(precision).unwrap_or(u16::MAX)))
    }

    /// The digits of a whole number in base 2, 8, 10 or 16 (any from 2 to 36), in lower case, with a minus sign if it is
    /// negative. Nothing for fractions and infinities.
    pub fn to_radix(&self, radix: u32) -> Option<String> {
        if !self.is_whole() || !(2..=36).contains(&radix) {
            return None;
        }
        let (sign, magnitude, exponent) = self.parts();
        let whole = magnitude << usize::try_from(exponent).ok()?;
        let minus = if sign == Sign::Negative && !self.is_zero() { "-" } else { "" };
        Some(format!("{minus}{}", whole.in_radix(radix)))
    }

    /// All decimal digits; nothing for infinities.
    pub fn to_decimal(&self) -> Option<Decimal> {
        let (sign, magnitude, exponent) = self.parts();
        self.is_finite().then(|| digits_of(sign, magnitude, exponent))
    }

    /// The fewest decimal digits that read back as this number at its precision; nothing for infinities.
    pub fn to_shortest_decimal(&self) -> Option<Decimal> {
        if !self.is_finite() {
            return None;
        }
        let (sign, magnitude, exponent) = self.parts();
        if magnitude.is_zero() {
            return Some(Decimal { negative: sign == Sign::Negative, digits: Vec::new(), point: 0 });
        }
        // Scaled so that the lowest bit is half a unit in the last place of the precision.
        let wanted = usize::from(self.precision()) + 1;
        let bits = magnitude.bit_len();
        let (scaled, exponent) = match wanted.checked_sub(bits) {
            Some(up) => (magnitude << up, exponent - as_i64(up)),
            None => (magnitude >> (bits - wanted), exponent + as_i64(bits - wanted)),
        };
        let even = !scaled.bit(1);
        let lower = digits_of(sign, &scaled - UBig::ONE, exponent);
        let upper = digits_of(sign, &scaled + UBig::ONE, exponent);
        Some(digits_of(sign, scaled, exponent).shortened(&lower, &upper, even))
    }
}

fn digits_of(sign: Sign, magnitude: UBig, exponent: i64) -> Decimal {
    let negative = sign == Sign::Negative;
    if magnitude.is_zero() {
        return Decimal { negative, digits: Vec::new(), point: 0 };
    }
    let zeros = magnitude.trailing_zeros().unwrap_or(0);
    let exponent = exponent + as_i64(zeros);
    let magnitude = magnitude >> zeros;
    let size = usize::try_from(exponent.unsigned_abs()).unwrap_or(0);
    let (whole, shift) = match exponent >= 0 {
        true => (magnitude << size, 0),
        false => (magnitude * UBig::from(5u8).pow(size), as_i64(size)),
    };
    let mut digits = whole.in_radix(10).to_string().into_bytes();
    let point = as_i64(digits.len()) - shift;
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    Decimal { negative, digits, point }
}

impl Decimal {
    fn digit(&self, place: usize) -> u8 {
        self.digits.get(place).copied().unwrap_or(b'0')
    }

    /// Cuts digits off as long as the result stays between the bounds; they count as inside when `inclusive`.
    fn shortened(mut self, lower: &Decimal, upper: &Decimal, inclusive: bool) -> Decimal {
        for place in 0..self.digits.len() {
            let (digit, low, high) = (self.digit(place), lower.digit(place), upper.digit(place));
            let down = low != digit || (inclusive && place + 1 == lower.digits.len());
            let up = digit != high && (inclusive || digit + 1 < high || place + 1 < upper.digits.len());
            match (down, up) {
                (true, true) => {
                    self.round(place + 1);
                    break;
                }
                (true, false) => {
                    self.cut(place + 1);
                    break;
                }
                (false, true) => {
                    self.round_up(place + 1);
                    break;
                }
                (false, false) => {}
            }
        }
        self
    }

    /// Keeps `count` digits, rounded to the nearest, halves to even.
    pub fn round(&mut self, count: usize) {
        if count >= self.digits.len() {
            return;
        }
        let exactly_half = self.digit(count) == b'5' && count + 1 == self.digits.len();
        let up = match exactly_half {
            true => count > 0 && self.digit(count - 1) % 2 == 1,
            false => self.digit(count) >= b'5',
        };
        if up { self.round_up(count) } else { self.cut(count) }
    }

    fn cut(&mut self, count: usize) {
        self.digits.truncate(count);
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
    }

    fn round_up(&mut self, count: usize) {
        self.digits.truncate(count);
        while self.digits.last() == Some(&b'9') {
            self.digits.pop();
        }
        match self.digits.last_mut() {
            Some(last) => *last += 1,
            None => {
                self.digits.push(b'1');
                self.point += 1;
            }
        }
    }

    /// Writes it without exponent, with `fraction` digits behind the point, or with as many as there are.
    pub fn plain(&self, fraction: Option<usize>) -> String {
        let mut text = String::with_capacity(self.digits.len() + 4);
        if self.negative {
            text.push('-');
        }
        let whole = usize::try_from(self.point).unwrap_or(0);
        if whole == 0 {
            text.push('0');
        }
        for place in 0..whole {
            text.push(char::from(self.digit(place)));
        }
        let count =
            fraction.unwrap_or_else(|| usize::try_from(as_i64(self.digits.len()) - self.point).unwrap_or(0));
        let count = if self.digits.is_empty() && fraction.is_none() { 0 } else { count };
        if count > 0 {
            text.push('.');
        }
        for behind in 0..count {
            let place = usize::try_from(self.point + as_i64(behind));
            text.push(place.map_or('0', |p| char::from(self.digit(p))));
        }
        text
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            // An i64 has fewer bits than these precisions, so that no shorter decimal reads back the same.
            Repr::Small { value, precision } if *precision >= 64 || value.unsigned_abs() < 1 << 53 => {
                write!(f, "{value}")
            }
            Repr::NegativeZero { .. } => f.write_str("-0"),
            Repr::Infinite { sign: Sign::Positive } => f.write_str("+Inf"),
            Repr::Infinite { sign: Sign::Negative } => f.write_str("-Inf"),
            Repr::Small { .. } | Repr::Big(_) => match self.to_shortest_decimal() {
                Some(decimal) => f.write_str(&decimal.plain(None)),
                None => Ok(()),
            },
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    fn round_trip(text: &str) -> String {
        text.parse::<Number>().map_or_else(|_| "refused".into(), |n| n.to_string())
    }

    #[test]
    fn decimals_print_without_exponent_and_without_noise() {
        for (text, printed) in [
            ("1.50", "1.5"),
            ("00012", "12"),
            ("1e3", "1000"),
            ("1E-3", "0.001"),
            ("0.0000001", "0.0000001"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("123456789012345678901234567890.123", "123456789012345678901234567890.123"),
            ("-0", "-0"),
            ("-0.0", "-0"),
            ("+5", "5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e-20", "0.00000000000000000001"),
            ("-12.5e1", "-125"),
            ("Inf", "+Inf"),
        ] {
            assert_eq!(round_trip(text), printed, "{text}");
        }
        let googol = round_trip("1e400");
        assert_eq!((googol.len(), googol.trim_end_matches('0')), (401, "1"));
        let two_thirds = Number::from(2).checked_div(&"3".parse().unwrap()).unwrap().to_string();
        assert_eq!(two_thirds, format!("0.{}7", "6".repeat(153)));
    }

    #[test]
    fn other_text_is_refused() {
        for text in
            ["", " 1", "1 ", "0x10", "1_000", "e5", "1e", "1e+", "--1", ".", "1.2.3", "NaN", "١", "1e5.0"]
        {
            assert_eq!(round_trip(text), "refused", "{text}");
        }
    }

    #[test]
    fn absurd_sizes_are_answered_at_once() {
        let start = Instant::now();
        for text in ["1e999999999", "1e-999999999999999999999", "-1e40000", "0.1e-40000"] {
            assert_eq!(round_trip(text), "refused", "{text}");
        }
        assert_eq!(round_trip("0e999999999"), "0");
        assert_eq!(round_trip(&"9".repeat(30_000)), "refused");
        assert_eq!(round_trip(&"0".repeat(1_000_000)), "0");
        assert_eq!(round_trip("1e39000").len(), 39_001);
        assert_eq!(round_trip("1e-39000").len(), 39_002);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[test]
    fn floats_print_as_short_as_floats_do() {
        for value in [0.1, 1.0 / 3.0, 1e21, 1.2676506002282294e30, 2f64.powi(63), 2.3e-308, 123456.789] {
            let number = Number::from_f64(value).unwrap().to_string();
            assert_eq!(number.parse::<f64>(), Ok(value));
            assert_eq!(number, format!("{value}"), "{value:e}");
        }
    }

    #[test]
    fn other_bases() {
        assert_eq!(Number::from_radix("ff", 16), Some(Number::from(255)));
        assert_eq!(Number::from_radix("-FF", 16), Some(Number::from(-255)));
        assert_eq!(Number::from_radix("Z", 62), Some(Number::from(61)));
        assert_eq!(Number::from_radix("z", 36), Some(Number::from(35)));
        for (text, radix) in [("", 10), ("2", 2), ("1.5", 10), ("-", 10), ("1", 1), ("1", 63), ("1_0", 10)] {
            assert_eq!(Number::from_radix(text, radix), None, "{text} in base {radix}");
        }
        assert_eq!(Number::from(-255).to_radix(16).as_deref(), Some("-ff"));
        assert_eq!("1e20".parse::<Number>().unwrap().to_radix(2).unwrap().len(), 67);
        assert_eq!("0.5".parse::<Number>().unwrap().to_radix(2), None);
    }

    #[test]
    fn fixed_fractions_round_halves_to_even() {
        let fixed = |text: &str, places: usize| {
            let mut decimal = text.parse::<Number>().unwrap().to_decimal().unwrap();
            let keep = decimal.point + i64::try_from(places).unwrap();
            decimal.round(usize::try_from(keep).unwrap_or(0));
            decimal.plain(Some(places))
        };
        assert_eq!(fixed("0.125", 2), "0.12");
        assert_eq!(fixed("0.375", 2), "0.38");
        assert_eq!(fixed("9.999", 2), "10.00");
        assert_eq!(fixed("3", 2), "3.00");
        assert_eq!(fixed("0.05", 0), "0");
    }

    proptest! {
        #[test]
        fn printing_reads_back_the_same(digits in "[1-9][0-9]{0,60}", point in -40i32..40) {
            let number: Number = format!("{digits}e{point}").parse().unwrap();
            let printed = number.to_string();
            prop_assert!(!printed.contains('e'));
            prop_assert_eq!(printed.parse::<Number>().unwrap(), number);
        }

        #[test]
        fn any_text_is_answered(text in ".{0,30}") {
            if let Ok(number) = text.parse::<Number>() {
                prop_assert_eq!(number.to_string().parse::<Number>(), Ok(number));
            }
        }

        #[test]
        fn floats_print_as_floats(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
            let printed = Number::from_f64(value).unwrap().to_string();
            // As short as can be. Where two texts of that length are equally near, either is right: the last digit is
            // rounded to even here.
            prop_assert_eq!(printed.len(), format!("{value}").len());
            prop_assert_eq!(printed.parse::<f64>().unwrap(), value);
        }
    }
}
