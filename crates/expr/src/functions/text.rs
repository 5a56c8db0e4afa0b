//! Functions of text. Characters are counted as people see them: by grapheme cluster.

use terrane_model::{Kind, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::{Fault, Given, Outcome};
use crate::eval::{MAX_TEXT, unknown_bool};

/// Drops new lines at the end.
pub(super) fn chomp(given: &Given<'_>) -> Outcome {
    Ok(Value::from(given.text(0)?.trim_end_matches(['\n', '\r'])))
}

pub(super) fn ends_with(given: &Given<'_>) -> Outcome {
    Ok(Value::bool(given.text(0)?.ends_with(given.text(1)?)))
}

/// What is known of the beginning of an unknown text may be enough.
pub(super) fn starts_with(given: &Given<'_>) -> Outcome {
    let (text, prefix) = (given.value(0)?, given.value(1)?);
    let Some(prefix) = prefix.as_str() else { return Ok(unknown_bool()) };
    Ok(match text.kind() {
        Kind::String(text) => Value::bool(text.starts_with(prefix)),
        Kind::Unknown(u) if u.prefix.starts_with(prefix) => Value::bool(true),
        Kind::Unknown(u) if !prefix.starts_with(&*u.prefix) => Value::bool(false),
        _ => unknown_bool(),
    })
}

pub(super) fn contains(given: &Given<'_>) -> Outcome {
    Ok(Value::bool(given.text(0)?.contains(given.text(1)?)))
}

/// Indents every line but the first.
pub(super) fn indent(given: &Given<'_>) -> Outcome {
    let spaces = usize::try_from(given.whole(0)?)
        .map_err(|_| Fault::new("the number of spaces must not be negative"))?;
    let text = given.text(1)?;
    let lines = text.matches('\n').count();
    if lines.checked_mul(spaces).is_none_or(|added| added > MAX_TEXT) {
        return Err(Fault::new("the text would grow too long"));
    }
    Ok(Value::from(text.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

pub(super) fn join(given: &Given<'_>) -> Outcome {
    let mut text = String::new();
    let mut first = true;
    let separator = given.text(0)?;
    for (place, list) in given.values.iter().enumerate().skip(1) {
        for (i, element) in list.elements().iter().enumerate() {
            let Some(part) = element.as_str() else {
                return Err(Fault::at(place, format!("the element {i} is null")));
            };
            if !first {
                text.push_str(separator);
            }
            first = false;
            text.push_str(part);
            if text.len() > MAX_TEXT {
                return Err(Fault::new("the text would grow too long"));
            }
        }
    }
    Ok(Value::from(text))
}

/// One character for one: those that would become several stay.
fn map_characters(text: &str, map: impl Fn(char) -> char) -> Value {
    Value::from(text.chars().map(map).collect::<String>())
}

fn upper_character(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        // Greek letters with a subscript iota have one capital letter of their own.
        _ => match c {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
                char::from_u32(u32::from(c) + 8).unwrap_or(c)
            }
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(u32::from(c) + 9).unwrap_or(c),
            _ => c,
        },
    }
}

pub(super) fn lower(given: &Given<'_>) -> Outcome {
    Ok(map_characters(given.text(0)?, |c| c.to_lowercase().next().unwrap_or(c)))
}

pub(super) fn upper(given: &Given<'_>) -> Outcome {
    Ok(map_characters(given.text(0)?, upper_character))
}

/// The first letter of each word in upper case; the rest stays.
pub(super) fn title(given: &Given<'_>) -> Outcome {
    let separates = |c: char| match c.is_ascii() {
        true => !c.is_ascii_alphanumeric() && c != '_',
        false => !c.is_alphanumeric() && c.is_whitespace(),
    };
    let mut after_separator = true;
    let titled: String = given
        .text(0)?
        .chars()
        .map(|c| {
            let here = std::mem::replace(&mut after_separator, separates(c));
            if here { upper_character(c) } else { c }
        })
        .collect();
    Ok(Value::from(titled))
}

/// An empty separator gives single characters.
pub(super) fn split(given: &Given<'_>) -> Outcome {
    let (separator, text) = (given.text(0)?, given.text(1)?);
    let mut buffer = [0; 4];
    let parts: Vec<Value> = match separator.is_empty() {
        true => text.chars().map(|c| Value::from(&*c.encode_utf8(&mut buffer))).collect(),
        false => text.split(separator).map(Value::from).collect(),
    };
    Ok(Value::list(Type::String, parts))
}

pub(super) fn reverse(given: &Given<'_>) -> Outcome {
    Ok(Value::from(given.text(0)?.graphemes(true).rev().collect::<String>()))
}

/// A negative offset counts from the end; a negative length means the rest.
pub(super) fn substr(given: &Given<'_>) -> Outcome {
    let text = given.text(0)?;
    let (offset, length) = (given.whole(1)?, given.whole(2)?);
    let from_end = offset < 0;
    if length == 0 && !from_end {
        return Ok(Value::from(""));
    }
    let count = i64::try_from(text.graphemes(true).count()).unwrap_or(i64::MAX);
    let skip = if from_end { count.saturating_add(offset).max(0) } else { offset };
    let rest = text.graphemes(true).skip(usize::try_from(skip).unwrap_or(usize::MAX));
    // From the end, a length of zero is not looked at.
    Ok(Value::from(match usize::try_from(length) {
        Ok(length) if length > 0 => rest.take(length).collect::<String>(),
        _ => rest.collect(),
    }))
}

pub(super) fn trim(given: &Given<'_>) -> Outcome {
    let set = given.text(1)?;
    Ok(Value::from(given.text(0)?.trim_matches(|c| set.contains(c))))
}

pub(super) fn trim_prefix(given: &Given<'_>) -> Outcome {
    let text = given.text(0)?;
    Ok(Value::from(text.strip_prefix(given.text(1)?).unwrap_or(text)))
}

pub(super) fn trim_suffix(given: &Given<'_>) -> Outcome {
    let text = given.text(0)?;
    Ok(Value::from(text.strip_suffix(given.text(1)?).unwrap_or(text)))
}

pub(super) fn trim_space(given: &Given<'_>) -> Outcome {
    Ok(Value::from(given.text(0)?.trim()))
}
