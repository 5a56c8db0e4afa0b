//! Strings, numbers, bools and dates of TOML.

use std::borrow::Cow;
use std::str::FromStr;

use terrane_model::{Number, Span};
use toml_parser::decoder::ScalarKind;
use toml_parser::{ErrorSink, ParseError, Raw};

use crate::toml::text::Text;
use crate::toml::tree::Content;

/// More digits than any number of use has; it keeps the reading of numbers fast.
const LONGEST_NUMBER: usize = 1000;

/// Decodes a scalar. What is wrong with it goes to `errors`, and the content is broken.
pub fn scalar(
    raw: Raw<'_>,
    encoding: Option<toml_parser::decoder::Encoding>,
    span: Span,
    errors: &mut dyn ErrorSink,
) -> Content {
    let mut decoded = Cow::Borrowed("");
    let mut broken = false;
    let kind = raw.decode_scalar(&mut decoded, &mut |error: ParseError| {
        broken = true;
        errors.report_error(error);
    });
    let whole = toml_parser::Span::new_unchecked(span.start as usize, span.end as usize);
    let mut refuse = |description: &'static str| {
        errors.report_error(ParseError::new(description).with_unexpected(whole));
        Content::Broken
    };
    match kind {
        _ if broken => Content::Broken,
        ScalarKind::String => Content::Text(Text::new(decoded.into(), raw.as_str(), encoding, span)),
        ScalarKind::Boolean(value) => Content::Bool(value),
        ScalarKind::DateTime => match toml_datetime::Datetime::from_str(&decoded) {
            Ok(_) => Content::Datetime(decoded.into()),
            Err(_) => refuse("no such date or time"),
        },
        ScalarKind::Float | ScalarKind::Integer(_) if decoded.len() > LONGEST_NUMBER => {
            refuse("number too long")
        }
        ScalarKind::Float => match float(&decoded) {
            Ok(number) => Content::Number(number),
            Err(why) => refuse(why),
        },
        ScalarKind::Integer(radix) => {
            let number = match radix.value() {
                10 => Number::from_str(&decoded).ok(),
                radix => i64::from_str_radix(&decoded, radix).ok().map(Number::from),
            };
            number.map_or_else(|| refuse("invalid integer number"), Content::Number)
        }
    }
}

/// A float by its decimal text, so that `0.1` is what it says. Beyond what 64-bit floats reach it is refused.
fn float(text: &str) -> Result<Number, &'static str> {
    let near: f64 = text.parse().map_err(|_| "invalid float")?;
    if near.is_nan() || text.ends_with("inf") {
        return Err("`inf` and `nan` have no meaning in a spec");
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let is_zero = mantissa.chars().all(|c| !('1'..='9').contains(&c));
    if is_zero {
        return Ok(Number::from(0));
    }
    if near.is_infinite() || near == 0.0 {
        return Err("floating-point number out of range");
    }
    Number::from_str(text).map_err(|_| "invalid float")
}
