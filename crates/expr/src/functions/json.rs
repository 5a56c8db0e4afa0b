//! `jsonencode` and `jsondecode`.

use terrane_model::json::implied;
use terrane_model::{Kind, Type, Unknown, Value};

use super::{Fault, Given, Outcome};
use crate::eval::known_prefix;

/// Text in JSON quotes. `<`, `>` and `&` are escaped, so that it can stand in HTML.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    escape(text, &mut out);
    out.push('"');
    out
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
}

/// What stops the writer.
enum Stop {
    /// An unknown; the text so far begins the result.
    Unknown,
    Infinite,
}

fn write(value: &Value, out: &mut String) -> Result<(), Stop> {
    match value.kind() {
        Kind::Null(_) => out.push_str("null"),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Number(n) if !n.is_finite() => return Err(Stop::Infinite),
        Kind::Number(n) => out.push_str(&n.to_string()),
        Kind::String(text) => {
            out.push('"');
            escape(text, out);
            out.push('"');
        }
        Kind::List(_, elements) | Kind::Set(_, elements) | Kind::Tuple(elements) => {
            out.push('[');
            for (i, element) in elements.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(element, out)?;
            }
            out.push(']');
        }
        Kind::Map(_, entries) | Kind::Object(entries) => {
            out.push('{');
            for (i, (key, element)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push('"');
                escape(key, out);
                out.push_str("\":");
                write(element, out)?;
            }
            out.push('}');
        }
        Kind::Unknown(u) => {
            if u.not_null {
                match &u.ty {
                    Type::String => {
                        out.push('"');
                        escape(&u.prefix, out);
                    }
                    Type::List(_) | Type::Set(_) | Type::Tuple(_) => out.push('['),
                    Type::Map(_) | Type::Object(_) => out.push('{'),
                    _ => {}
                }
            }
            return Err(Stop::Unknown);
        }
    }
    Ok(())
}

/// A wholly known value in compact JSON; nothing when there is an infinity in it.
pub(super) fn encoded(value: &Value) -> Option<String> {
    let mut out = String::new();
    write(value, &mut out).ok().map(|()| out)
}

/// Compact JSON with sorted keys. An unknown in it makes the whole unknown, except for what stands before.
pub(super) fn encode(given: &Given<'_>) -> Outcome {
    let mut out = String::new();
    match write(given.value(0)?, &mut out) {
        Ok(()) => Ok(Value::from(out)),
        Err(Stop::Infinite) => Err(Fault::new("infinity has no JSON form")),
        Err(Stop::Unknown) => {
            Ok(Value::unknown_with(Unknown { prefix: known_prefix(&out), ..Unknown::not_null(Type::String) }))
        }
    }
}

pub(super) fn decode(given: &Given<'_>) -> Outcome {
    match serde_json::from_str::<serde_json::Value>(given.text(0)?) {
        Ok(json) => Ok(implied(&json)),
        Err(error) => Err(Fault::at(0, format!("it is no valid JSON: {error}"))),
    }
}
