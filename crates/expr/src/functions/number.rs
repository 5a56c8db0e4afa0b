//! Functions of numbers. `log` and `pow` go through 64-bit floats.

use terrane_model::{Number, Value};

use super::{Fault, Given, Outcome};

pub(super) fn abs(given: &Given<'_>) -> Outcome {
    Ok(Value::number(given.number(0)?.abs()))
}

pub(super) fn ceil(given: &Given<'_>) -> Outcome {
    Ok(Value::number(given.number(0)?.ceil()))
}

pub(super) fn floor(given: &Given<'_>) -> Outcome {
    Ok(Value::number(given.number(0)?.floor()))
}

fn from_float(value: f64) -> Outcome {
    Number::from_f64(value).map(Value::number).ok_or_else(|| Fault::new("the result is no number"))
}

pub(super) fn log(given: &Given<'_>) -> Outcome {
    from_float(given.number(0)?.to_f64().ln() / given.number(1)?.to_f64().ln())
}

pub(super) fn pow(given: &Given<'_>) -> Outcome {
    from_float(given.number(0)?.to_f64().powf(given.number(1)?.to_f64()))
}

fn extreme(given: &Given<'_>, better: fn(&Number, &Number) -> bool) -> Outcome {
    let mut best: Option<&Number> = None;
    for place in 0..given.values.len() {
        let number = given.number(place)?;
        if best.is_none_or(|best| better(number, best)) {
            best = Some(number);
        }
    }
    best.map(|n| Value::number(n.clone())).ok_or_else(|| Fault::new("it needs at least one number"))
}

pub(super) fn max(given: &Given<'_>) -> Outcome {
    extreme(given, |a, b| a > b)
}

pub(super) fn min(given: &Given<'_>) -> Outcome {
    extreme(given, |a, b| a < b)
}

/// Text in a base from 2 to 62.
pub(super) fn parse_int(given: &Given<'_>) -> Outcome {
    let text =
        given.value(0)?.as_str().ok_or_else(|| Fault::at(0, "the number must be given as text in quotes"))?;
    let base = given
        .value(1)
        .and_then(|_| given.whole(1))
        .ok()
        .and_then(|base| u32::try_from(base).ok())
        .filter(|base| (2..=62).contains(base))
        .ok_or_else(|| Fault::at(1, "the base must be a whole number from 2 to 62"))?;
    Number::from_radix(text, base)
        .map(Value::number)
        .ok_or_else(|| Fault::at(0, format!("`{text}` is no whole number in base {base}")))
}

pub(super) fn signum(given: &Given<'_>) -> Outcome {
    Ok(Value::number(given.whole(0)?.signum()))
}
