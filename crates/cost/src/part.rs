//! One line of a bill, and sums of lines.

use std::ops::Add;

use crate::money::{Decimal, Money};
use crate::prices::Price;

/// How much of something a month needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity {
    /// From the first to the second. Without a second there is no upper end: it depends on the usage.
    Between(Decimal, Option<Decimal>),
    /// It can't be said yet, and why.
    Unknown(String),
}

impl Quantity {
    /// Exactly so much.
    pub fn exactly(value: Decimal) -> Quantity {
        Quantity::Between(value, Some(value))
    }

    /// Nothing or more: only the usage says.
    pub fn open() -> Quantity {
        Quantity::Between(Decimal::ZERO, None)
    }

    /// So many times as much; unknown when that is too much to reckon with.
    #[must_use]
    pub fn times(self, factor: i64) -> Quantity {
        let too_much = || Quantity::Unknown("it is too large to be reckoned with".to_owned());
        match self {
            Quantity::Between(low, high) => match (low.times(factor), high.map(|high| high.times(factor))) {
                (Some(low), None) => Quantity::Between(low, None),
                (Some(low), Some(Some(high))) => Quantity::Between(low, Some(high)),
                _ => too_much(),
            },
            unknown @ Quantity::Unknown(_) => unknown,
        }
    }
}

/// A sum of money that may be a range, may go on upwards with the usage, and may have parts that nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The least.
    pub low: Money,
    /// The most, of what has an upper end.
    pub high: Money,
    /// Whether usage that nobody stated comes on top.
    pub open: bool,
    /// Whether something comes on top whose price or quantity is not known.
    pub unknown: bool,
}

impl Sum {
    /// Nothing.
    pub const ZERO: Sum = Sum { low: Money::ZERO, high: Money::ZERO, open: false, unknown: false };

    /// Whether it is one amount and no more.
    pub fn is_exact(&self) -> bool {
        self.low == self.high && !self.open && !self.unknown
    }

    /// What comes on top of `before` to get here. Ranges widen: the least is this least less that most.
    #[must_use]
    pub fn beyond(self, before: Sum) -> Sum {
        Sum {
            low: self.low - before.high,
            high: self.high - before.low,
            open: self.open || before.open,
            unknown: self.unknown || before.unknown,
        }
    }
}

impl Add for Sum {
    type Output = Sum;
    fn add(self, other: Sum) -> Sum {
        Sum {
            low: self.low + other.low,
            high: self.high + other.high,
            open: self.open || other.open,
            unknown: self.unknown || other.unknown,
        }
    }
}

impl std::iter::Sum for Sum {
    fn sum<I: Iterator<Item = Sum>>(all: I) -> Sum {
        all.fold(Sum::ZERO, Add::add)
    }
}

/// One line: so much of something, at a price.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What is paid for, in words.
    pub name: String,
    /// How much of it a month.
    pub quantity: Quantity,
    /// The price, where the table has one.
    pub price: Option<Price>,
    /// What it costs a month.
    pub monthly: Sum,
    /// Why it is unknown, or what should be known about it.
    pub note: Option<String>,
}

impl Part {
    /// A line with a price from the table. `missing` says why there is none.
    pub fn new(name: impl Into<String>, quantity: Quantity, price: Result<&Price, String>) -> Part {
        let unknown = Sum { unknown: true, ..Sum::ZERO };
        let (monthly, note) = match (&quantity, &price) {
            // Nothing of it costs nothing, at whatever price.
            (Quantity::Between(low, Some(high)), _) if (*low, *high) == (Decimal::ZERO, Decimal::ZERO) => {
                (Sum::ZERO, None)
            }
            (Quantity::Unknown(why), _) => (unknown, Some(why.clone())),
            (_, Err(why)) => (unknown, Some(why.clone())),
            (Quantity::Between(low, high), Ok(price)) => {
                let low = price.each.of_quantity(*low);
                let top = high.map(|high| price.each.of_quantity(high));
                (Sum { low, high: top.unwrap_or(low), open: top.is_none(), unknown: false }, None)
            }
        };
        Part { name: name.into(), quantity, price: price.ok().cloned(), monthly, note }
    }

    /// A line whose cost is not known, whatever the table says.
    pub fn unknown(name: impl Into<String>, why: impl Into<String>) -> Part {
        let why = why.into();
        Part::new(name, Quantity::Unknown(why.clone()), Err(why))
    }

    /// Says something about it, unless it says already why it is unknown.
    #[must_use]
    pub fn noting(mut self, note: impl Into<String>) -> Part {
        self.note.get_or_insert_with(|| note.into());
        self
    }
}
