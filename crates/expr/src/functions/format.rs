//! `format` and `formatlist`: verbs, flags, width and precision as in C.

use terrane_model::convert::{article, convert};
use terrane_model::number::Decimal;
use terrane_model::{Kind, Number, Type, Unknown, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::{Fault, Given, Outcome, json, unknown};
use crate::eval::known_prefix;

/// The widest field and the highest precision.
const MAX_WIDTH: usize = 1 << 16;

/// One verb with its flags.
#[derive(Debug, Default)]
struct Verb {
    /// As it is written, for messages.
    text: String,
    letter: char,
    /// The argument that it formats, from 0.
    argument: usize,
    plus: bool,
    minus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
}

enum Piece<'f> {
    Text(&'f str),
    Verb(Verb),
}

/// Takes a format apart.
fn pieces(format: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = format;
    let mut next_argument = 0;
    while let Some(at) = rest.find('%') {
        let (text, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        if let Some(after) = tail.strip_prefix("%%") {
            pieces.push(Piece::Text("%"));
            rest = after;
            continue;
        }
        let (verb, after) = verb(tail, next_argument)?;
        next_argument = verb.argument + 1;
        pieces.push(Piece::Verb(verb));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Reads a verb from its `%` on.
fn verb(text: &str, next_argument: usize) -> Result<(Verb, &str), String> {
    let mut verb = Verb { argument: next_argument, ..Verb::default() };
    let mut rest = text.strip_prefix('%').unwrap_or(text);
    while let Some(flag) = rest.chars().next() {
        match flag {
            '+' => verb.plus = true,
            '-' => verb.minus = true,
            ' ' => verb.space = true,
            '0' => verb.zero = true,
            '#' => verb.sharp = true,
            _ => break,
        }
        rest = rest.get(1..).unwrap_or("");
    }
    let number = |rest: &mut &str| -> Result<Option<usize>, String> {
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, tail) = rest.split_at_checked(length).unwrap_or(("", rest));
        *rest = tail;
        if digits.is_empty() {
            return Ok(None);
        }
        let value = digits.parse::<usize>().ok().filter(|n| *n <= MAX_WIDTH);
        value.map(Some).ok_or_else(|| format!("the number {digits} in the format is too large"))
    };
    verb.width = number(&mut rest)?.unwrap_or(0);
    if let Some(tail) = rest.strip_prefix('.') {
        rest = tail;
        verb.precision = Some(number(&mut rest)?.unwrap_or(0));
    }
    if let Some(tail) = rest.strip_prefix('[') {
        rest = tail;
        let place = number(&mut rest)?.filter(|n| *n > 0);
        let (Some(place), Some(tail)) = (place, rest.strip_prefix(']')) else {
            return Err("the number of an argument is written `[1]`, counting from 1".into());
        };
        verb.argument = place - 1;
        rest = tail;
    }
    let Some(letter) = rest.chars().next() else {
        return Err("the format ends inside a verb; a literal percent sign is written `%%`".into());
    };
    rest = rest.get(letter.len_utf8()..).unwrap_or("");
    verb.letter = letter;
    verb.text = text.get(..text.len() - rest.len()).unwrap_or(text).to_owned();
    if !"vtbdoxXeEfgGsq".contains(letter) {
        return Err(format!("there is no verb `{}`", verb.text));
    }
    Ok((verb, rest))
}

/// Formats wholly known arguments.
fn formatted(format: &str, arguments: &[&Value]) -> Result<String, Fault> {
    let mut out = String::new();
    let mut used = 0;
    for piece in pieces(format).map_err(Fault::new)? {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Verb(verb) => {
                let Some(argument) = arguments.get(verb.argument) else {
                    return Err(Fault::new(format!(
                        "`{}` asks for the argument {} behind the format, and there are {}",
                        verb.text,
                        verb.argument + 1,
                        arguments.len()
                    )));
                };
                used = used.max(verb.argument + 1);
                out.push_str(&one(&verb, argument).map_err(Fault::new)?);
            }
        }
    }
    match used < arguments.len() {
        true => Err(Fault::at(used + 1, format!("the format uses only {used} arguments"))),
        false => Ok(out),
    }
}

fn one(verb: &Verb, value: &Value) -> Result<String, String> {
    let fails =
        |needed: &str| Err(format!("`{}` needs {needed}, and this is {}", verb.text, article(&value.ty())));
    if value.is_null() && verb.letter != 'v' {
        return Err(format!("`{}` can't format null", verb.text));
    }
    let as_type = |ty: &Type| convert(value, ty).ok();
    match verb.letter {
        'v' => as_it_is(verb, value),
        't' => match as_type(&Type::Bool).as_ref().and_then(Value::as_bool) {
            Some(b) => Ok(pad(verb, b.to_string())),
            None => fails("a bool"),
        },
        'b' | 'd' | 'o' | 'x' | 'X' => match as_type(&Type::Number).as_ref().and_then(Value::as_number) {
            Some(n) if n.is_whole() => Ok(integer(verb, n)),
            Some(n) => Err(format!("`{}` needs a whole number, and `{n}` is none", verb.text)),
            None => fails("a number"),
        },
        'e' | 'E' | 'f' | 'g' | 'G' => match as_type(&Type::Number).as_ref().and_then(Value::as_number) {
            Some(n) => Ok(fraction(verb, n)),
            None => fails("a number"),
        },
        _ => match as_type(&Type::String).as_ref().and_then(Value::as_str) {
            Some(text) if verb.letter == 'q' => Ok(pad(verb, json::quoted(text))),
            Some(text) => Ok(pad(
                verb,
                match verb.precision {
                    Some(count) => text.graphemes(true).take(count).collect(),
                    None => text.to_owned(),
                },
            )),
            None => fails("text"),
        },
    }
}

/// Text and numbers as they are, everything else as JSON.
fn as_it_is(verb: &Verb, value: &Value) -> Result<String, String> {
    Ok(pad(
        verb,
        match value.kind() {
            Kind::String(text) if !verb.sharp => text.to_string(),
            Kind::Number(n) if !verb.sharp => general(n, None, 'e'),
            _ => json::encoded(value).ok_or("infinity has no JSON form")?,
        },
    ))
}

/// Fills up to the width, counted in characters as people see them.
fn pad(verb: &Verb, text: String) -> String {
    let missing = verb.width.saturating_sub(text.graphemes(true).count());
    match verb.minus {
        true => text + &" ".repeat(missing),
        false => " ".repeat(missing) + &text,
    }
}

fn sign(verb: &Verb, negative: bool) -> &'static str {
    match negative {
        true => "-",
        false if verb.plus => "+",
        false if verb.space => " ",
        false => "",
    }
}

fn integer(verb: &Verb, number: &Number) -> String {
    let (radix, prefix) = match verb.letter {
        'b' => (2, "0b"),
        'o' => (8, "0"),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        _ => (10, ""),
    };
    let text = number.to_radix(radix).unwrap_or_default();
    let digits = text.trim_start_matches('-');
    let digits = if verb.letter == 'X' { digits.to_uppercase() } else { digits.to_owned() };
    let sign = sign(verb, text.starts_with('-'));
    let prefix = if verb.sharp { prefix } else { "" };
    if verb.precision == Some(0) && digits == "0" {
        return String::new();
    }
    let mut zeros = verb.precision.unwrap_or(0).saturating_sub(digits.len());
    let length = sign.len() + prefix.len() + zeros + digits.len();
    let missing = verb.width.saturating_sub(length);
    let (mut left, mut right) = (0, 0);
    match () {
        () if verb.minus => right = missing,
        () if verb.zero && verb.precision.is_none() => zeros += missing,
        () => left = missing,
    }
    let (left, right, zeros) = (" ".repeat(left), " ".repeat(right), "0".repeat(zeros));
    format!("{left}{sign}{prefix}{zeros}{digits}{right}")
}

fn fraction(verb: &Verb, number: &Number) -> String {
    let text = match verb.letter {
        'f' => fixed(number, verb.precision.unwrap_or(6)),
        'g' => general(number, verb.precision, 'e'),
        'G' => general(number, verb.precision, 'E'),
        letter => match number.to_decimal() {
            Some(mut decimal) => {
                let places = verb.precision.unwrap_or(6);
                decimal.round(places + 1);
                exponential(&decimal, Some(places), letter)
            }
            None => number.to_string(),
        },
    };
    let body = text.trim_start_matches(['-', '+']);
    let sign = match text.starts_with('+') {
        true if verb.space => " ",
        true => "+",
        false => sign(verb, text.starts_with('-')),
    };
    let missing = verb.width.saturating_sub(sign.len() + body.len());
    match () {
        () if verb.zero && number.is_finite() => format!("{sign}{}{body}", "0".repeat(missing)),
        () if verb.minus => format!("{sign}{body}{}", " ".repeat(missing)),
        () => format!("{}{sign}{body}", " ".repeat(missing)),
    }
}

fn fixed(number: &Number, places: usize) -> String {
    let Some(mut decimal) = number.to_decimal() else { return number.to_string() };
    let keep = decimal.point.saturating_add(i64::try_from(places).unwrap_or(i64::MAX));
    match usize::try_from(keep) {
        Ok(keep) => decimal.round(keep),
        Err(_) => decimal = Decimal { digits: Vec::new(), point: 0, ..decimal },
    }
    decimal.plain(Some(places))
}

/// The shorter of plain and exponential. Without precision the shortest digits that read back the same.
fn general(number: &Number, precision: Option<usize>, letter: char) -> String {
    let decimal = match precision {
        None => number.to_shortest_decimal(),
        Some(precision) => number.to_decimal().map(|mut decimal| {
            decimal.round(precision.max(1));
            decimal
        }),
    };
    let Some(decimal) = decimal else { return number.to_string() };
    let digits = i64::try_from(decimal.digits.len()).unwrap_or(i64::MAX);
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let limit = i64::try_from(precision.max(1)).unwrap_or(i64::MAX);
            if limit > digits && digits >= decimal.point { digits } else { limit }
        }
    };
    let exponent = if decimal.digits.is_empty() { 0 } else { decimal.point - 1 };
    let limit = if decimal.digits.is_empty() { limit.max(1) } else { limit };
    match exponent < -4 || exponent >= limit {
        true => exponential(&decimal, None, letter),
        false => decimal.plain(None),
    }
}

fn exponential(decimal: &Decimal, places: Option<usize>, letter: char) -> String {
    let places = places.unwrap_or_else(|| decimal.digits.len().saturating_sub(1));
    let digit = |place: usize| char::from(decimal.digits.get(place).copied().unwrap_or(b'0'));
    let mut text = String::new();
    if decimal.negative {
        text.push('-');
    }
    text.push(digit(0));
    if places > 0 {
        text.push('.');
        text.extend((1..=places).map(digit));
    }
    let exponent = if decimal.digits.is_empty() { 0 } else { decimal.point - 1 };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{text}{letter}{sign}{:02}", exponent.abs())
}

/// The result while an argument is unknown: it begins with what stands before the first verb.
fn unknown_text(format: &str) -> Value {
    let before = format.split('%').next().unwrap_or("");
    Value::unknown_with(Unknown { prefix: known_prefix(before), ..Unknown::not_null(Type::String) })
}

pub(super) fn format(given: &Given<'_>) -> Outcome {
    let Some(format) = given.value(0)?.as_str() else { return Ok(unknown(Type::String)) };
    let arguments: Vec<&Value> = given.rest(1).iter().collect();
    let undecided = |v: &&&Value| !v.is_wholly_known() || matches!(v.kind(), Kind::Null(Type::Any));
    if arguments.iter().any(|v| undecided(&v)) {
        pieces(format).map_err(Fault::new)?;
        return Ok(unknown_text(format));
    }
    formatted(format, &arguments).map(Value::from)
}

/// Formats once per element of the lists, which must be of one length; single values repeat.
pub(super) fn format_list(given: &Given<'_>) -> Outcome {
    let Some(format) = given.value(0)?.as_str() else { return Ok(unknown(Type::list(Type::String))) };
    let arguments = given.rest(1);
    let mut length: Option<(usize, usize)> = None;
    for (place, argument) in arguments.iter().enumerate() {
        match argument.kind() {
            Kind::List(_, elements) | Kind::Set(_, elements) | Kind::Tuple(elements) => match length {
                Some((first, count)) if count != elements.len() => {
                    return Err(Fault::at(
                        place + 1,
                        format!(
                            "it has {} elements, and the argument {} behind the format has {count}",
                            elements.len(),
                            first + 1
                        ),
                    ));
                }
                _ => length = Some((place, elements.len())),
            },
            Kind::Unknown(u) if !u.ty.is_primitive() => return Ok(unknown(Type::list(Type::String))),
            _ => {}
        }
    }
    let count = length.map_or(1, |(_, count)| count);
    let mut results = Vec::with_capacity(count);
    for turn in 0..count {
        let row: Vec<&Value> = arguments
            .iter()
            .map(|argument| match argument.kind() {
                Kind::List(_, es) | Kind::Set(_, es) | Kind::Tuple(es) => es.get(turn).unwrap_or(argument),
                _ => argument,
            })
            .collect();
        results.push(match row.iter().all(|v| v.is_wholly_known()) {
            true => Value::from(formatted(format, &row)?),
            false => unknown_text(format),
        });
    }
    Ok(Value::list(Type::String, results))
}
