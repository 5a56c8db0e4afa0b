//! JSON texts in one form: no spaces, object keys in byte order, and the characters that are special in HTML escaped.
//!
//! This is the form in which the AWS provider keeps policies, so that two writers of one policy agree on its bytes.

use std::fmt::Write as _;

use serde_json::{Number, Value};

use crate::parse::{self, PolicyError};

/// Rewrites a JSON text: no spaces, keys in byte order, `<`, `>`, `&`, U+2028 and U+2029 as `\uXXXX`.
///
/// Numbers are written as the provider writes them, of the precision of a 64-bit float. Of a key that is there twice the last value stays.
///
/// # Errors
/// When the text is not JSON.
pub fn canonical_json(text: &str) -> Result<String, PolicyError> {
    Ok(write(&sorted(parse::json(text)?), Layout::Compact))
}

/// Rewrites a JSON text as [`canonical_json`] does, and puts a top-level `"Version":"2012-10-17"` first. Any other version
/// stays in its place by name.
///
/// # Errors
/// When the text is not JSON.
pub fn version_first(text: &str) -> Result<String, PolicyError> {
    let mut value = sorted(parse::json(text)?);
    if let Value::Object(object) = &mut value
        && object.get("Version").and_then(Value::as_str) == Some("2012-10-17")
        && let Some(version) = object.shift_remove("Version")
    {
        object.shift_insert(0, "Version".to_owned(), version);
    }
    Ok(write(&value, Layout::Compact))
}

/// Puts the keys of all objects into byte order.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(object) => {
            let mut entries: Vec<_> = object.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Object(entries.into_iter().collect())
        }
        scalar => scalar,
    }
}

/// How a JSON text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// No spaces at all.
    Compact,
    /// One member a line, two spaces for each level.
    Indented,
}

/// Writes a value with its keys in their present order.
pub(crate) fn write(value: &Value, layout: Layout) -> String {
    let mut out = String::new();
    write_value(&mut out, value, layout, 0);
    out
}

fn write_value(out: &mut String, value: &Value, layout: Layout, depth: usize) {
    match value {
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            write_members(out, ['[', ']'], items.iter(), layout, depth, |out, item, inside| {
                write_value(out, item, layout, inside);
            });
        }
        Value::Object(object) => {
            write_members(out, ['{', '}'], object.iter(), layout, depth, |out, (key, value), inside| {
                write_text(out, key);
                out.push_str(if layout == Layout::Indented { ": " } else { ":" });
                write_value(out, value, layout, inside);
            });
        }
        Value::Number(number) => out.push_str(&number_text(number)),
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn write_members<T>(
    out: &mut String,
    [open, close]: [char; 2],
    members: impl ExactSizeIterator<Item = T>,
    layout: Layout,
    depth: usize,
    mut write_one: impl FnMut(&mut String, T, usize),
) {
    let line_break = |out: &mut String, depth: usize| {
        if layout == Layout::Indented {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    };
    let empty = members.len() == 0;
    let inside = depth.saturating_add(1);
    out.push(open);
    for (number, member) in members.enumerate() {
        if number > 0 {
            out.push(',');
        }
        line_break(out, inside);
        write_one(out, member, inside);
    }
    if !empty {
        line_break(out, depth);
    }
    out.push(close);
}

/// Writes a number as Go's encoder writes one that it has read into a float: `1.50` becomes `1.5`, `1e30` `1e+30`.
fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|float| float.is_finite()) else {
        return number.to_string();
    };
    let size = float.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return float.to_string();
    }
    let text = format!("{float:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

/// Writes a text as Go's encoder does, which is what the provider's states hold.
fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing into a text cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_spaces_go() {
        let text = "{ \"b\": [1.50, {\"z\": null, \"a\": true}],\n \"Z\": {}, \"a\": [] }";
        assert_eq!(canonical_json(text).as_deref(), Ok(r#"{"Z":{},"a":[],"b":[1.5,{"a":true,"z":null}]}"#));
    }

    #[test]
    fn special_characters_are_escaped_and_others_stay() {
        let text = "{\"<é>\":\"a&b\\u2028\\n\\u0001\\\"\\\\/\"}";
        assert_eq!(
            canonical_json(text).as_deref(),
            Ok("{\"\\u003cé\\u003e\":\"a\\u0026b\\u2028\\n\\u0001\\\"\\\\/\"}")
        );
    }

    #[test]
    fn only_todays_version_comes_first() {
        let text = r#"{"Statement":[],"Id":"x","Version":"2012-10-17"}"#;
        assert_eq!(version_first(text).as_deref(), Ok(r#"{"Version":"2012-10-17","Id":"x","Statement":[]}"#));
        let old = r#"{"Version":"2008-10-17","Id":"x"}"#;
        assert_eq!(version_first(old).as_deref(), Ok(r#"{"Id":"x","Version":"2008-10-17"}"#));
        assert_eq!(
            version_first(r#"[{"Version":"2012-10-17","A":1}]"#).as_deref(),
            Ok(r#"[{"A":1,"Version":"2012-10-17"}]"#)
        );
    }

    #[test]
    fn numbers_are_those_of_a_float() {
        let text = "[5, 5.0, -0.25, 1e2, 1E30, 0.0000001, 12345678901234567890, 0]";
        assert_eq!(canonical_json(text).as_deref(), Ok("[5,5,-0.25,100,1e+30,1e-7,12345678901234567000,0]"));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert!(canonical_json("{").is_err());
        assert!(version_first("").is_err());
    }
}
