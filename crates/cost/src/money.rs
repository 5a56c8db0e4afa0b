//! Exact decimals and amounts of money. Nothing is rounded before it is shown.

use std::fmt;
use std::iter::Sum as Total;
use std::ops::{Add, Neg, Sub};

/// Digits behind the point of a [`Decimal`].
pub const QUANTITY_DIGITS: usize = 6;

/// Digits behind the point of a price for one unit.
pub const PRICE_DIGITS: usize = 18;

/// Digits behind the point of [`Money`]: what the product of a price and a quantity has at most.
const MONEY_DIGITS: usize = QUANTITY_DIGITS + PRICE_DIGITS;

/// The largest quantity that is reckoned with.
pub const MOST: i128 = 100_000_000_000_000;

/// Reads decimal text as a whole number of `10^-digits`. Nothing when it is no plain decimal, is negative or has more
/// digits behind the point.
fn scaled(text: &str, digits: usize) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = match fraction.trim_end_matches('0') {
        "" if plain(fraction) => "0",
        trimmed => trimmed,
    };
    if !plain(whole) || !plain(fraction) || fraction.len() > digits {
        return None;
    }
    format!("{whole}{fraction:0<digits$}").parse().ok()
}

/// Writes a whole number of `10^-digits` as decimal text without needless zeros.
fn written(value: i128, digits: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let all = format!("{:0>width$}", value.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = all.split_at(all.len() - digits);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// A quantity that is not negative: up to [`MOST`], with up to six digits behind the point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(i128);

impl Decimal {
    /// Nothing.
    pub const ZERO: Decimal = Decimal(0);

    /// A whole number; nothing when it is negative or too large.
    pub fn whole(value: i64) -> Option<Decimal> {
        let value = i128::from(value);
        (0..=MOST).contains(&value).then(|| Decimal(value * 10_i128.pow(6)))
    }

    /// Reads decimal text; nothing when it is negative, too large, or has more than six digits behind the point.
    pub fn parse(text: &str) -> Option<Decimal> {
        scaled(text, QUANTITY_DIGITS).filter(|value| *value <= MOST * 10_i128.pow(6)).map(Decimal)
    }

    /// The product with a whole number; nothing when it gets too large.
    pub fn times(self, factor: i64) -> Option<Decimal> {
        let product = self.0.checked_mul(i128::from(factor))?;
        (0..=MOST * 10_i128.pow(6)).contains(&product).then_some(Decimal(product))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(self.0, QUANTITY_DIGITS))
    }
}

/// The price of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitPrice(i128);

impl UnitPrice {
    /// The price of one unit when `per` of them cost `amount`; nothing when that is no exact decimal of 18 digits.
    pub fn of(amount: &str, per: u64) -> Option<UnitPrice> {
        let amount = scaled(amount, PRICE_DIGITS)?;
        let per = i128::from(per);
        (per > 0 && amount % per == 0).then(|| UnitPrice(amount / per))
    }

    /// What a quantity costs.
    pub fn of_quantity(self, quantity: Decimal) -> Money {
        Money(self.0.saturating_mul(quantity.0))
    }
}

impl fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(self.0, PRICE_DIGITS))
    }
}

/// An amount of money, exact; of differences also a negative one. `Display` writes all its digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(i128);

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// Rounded to cents, halves away from zero, as text with two digits behind the point. An amount that is not zero and
    /// rounds to zero is `<0.01`.
    pub fn cents(self) -> String {
        let cent = 10_i128.pow(22);
        let rounded =
            (self.0.saturating_abs() / cent) + i128::from(self.0.saturating_abs() % cent >= cent / 2);
        let sign = if self.0 < 0 { "-" } else { "" };
        match rounded {
            0 if self.0 != 0 => format!("{sign}<0.01"),
            _ => format!("{sign}{}.{:02}", rounded / 100, rounded % 100),
        }
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(self.0.saturating_neg())
    }
}

impl Total for Money {
    fn sum<I: Iterator<Item = Money>>(all: I) -> Money {
        all.fold(Money::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(self.0, MONEY_DIGITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(amount: &str, per: u64, quantity: &str) -> Money {
        UnitPrice::of(amount, per).unwrap().of_quantity(Decimal::parse(quantity).unwrap())
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        assert_eq!(cost("0.00065", 1, "730").to_string(), "0.4745");
        assert_eq!(cost("0.1487", 1_000_000, "1").to_string(), "0.0000001487");
        assert_eq!(cost("0.1", 1, "0.1") + cost("0.2", 1, "0.1"), cost("0.3", 1, "0.1"));
        assert_eq!((cost("1", 1, "1") - cost("3", 1, "1")).to_string(), "-2");
    }

    #[test]
    fn cents_are_rounded_half_away_from_zero() {
        for (amount, shown) in [
            ("0", "0.00"),
            ("0.004999", "<0.01"),
            ("0.005", "0.01"),
            ("1.994", "1.99"),
            ("1.995", "2.00"),
            ("1234.5", "1234.50"),
        ] {
            assert_eq!(cost(amount, 1, "1").cents(), shown);
        }
        assert_eq!((Money::ZERO - cost("1.995", 1, "1")).cents(), "-2.00");
        assert_eq!((Money::ZERO - cost("0.001", 1, "1")).cents(), "-<0.01");
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for bad in ["", "-1", "1e3", ".5", "1.", "0.0000001", "1000000000000000", "nan", "1_000"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
        assert_eq!(Decimal::parse("12.500000000").map(|d| d.to_string()).as_deref(), Some("12.5"));
        assert_eq!(UnitPrice::of("1", 3), None);
        assert_eq!(UnitPrice::of("1", 0), None);
        assert_eq!(Decimal::whole(-1), None);
    }
}
