//! Reading attributes of planned and stored objects, where any of them may be unknown.

use terrane_model::Value;

use crate::money::Decimal;
use crate::part::Quantity;

/// A value that is there, is null, or will be known only later.
pub enum Known<T> {
    /// There it is.
    Is(T),
    /// It is not set.
    Null,
    /// It is known only after apply.
    Later,
}

fn read<'v, T>(object: &'v Value, name: &str, take: impl FnOnce(&'v Value) -> Option<T>) -> Known<T> {
    match object.get(name) {
        _ if object.is_unknown() => Known::Later,
        Some(value) if value.is_unknown() => Known::Later,
        Some(value) => take(value).map_or(Known::Null, Known::Is),
        None => Known::Null,
    }
}

/// A string.
pub fn text<'v>(object: &'v Value, name: &str) -> Known<&'v str> {
    read(object, name, Value::as_str)
}

/// A bool.
pub fn truth(object: &Value, name: &str) -> Known<bool> {
    read(object, name, Value::as_bool)
}

/// A whole number that is not negative, as a quantity; zero when it is not set.
pub fn count(object: &Value, name: &str) -> Quantity {
    match read(object, name, Value::as_i64) {
        Known::Is(number) => match Decimal::whole(number) {
            Some(number) => Quantity::exactly(number),
            None => Quantity::Unknown(format!("`{name}` is {number}")),
        },
        Known::Null => Quantity::exactly(Decimal::ZERO),
        Known::Later => Quantity::Unknown(format!("`{name}` is known only after apply")),
    }
}

/// The elements of a list or set of blocks.
pub fn blocks<'v>(object: &'v Value, name: &str) -> Known<&'v [Value]> {
    read(object, name, |value| Some(value.elements()))
}

/// The one block of a list that has at most one.
pub fn block<'v>(object: &'v Value, name: &str) -> Known<&'v Value> {
    match blocks(object, name) {
        Known::Is([block, ..]) => Known::Is(block),
        Known::Is([]) | Known::Null => Known::Null,
        Known::Later => Known::Later,
    }
}

/// The region in which an object is, by its ARN.
pub fn region(object: &Value) -> Option<&str> {
    let Known::Is(arn) = text(object, "arn") else { return None };
    arn.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}
