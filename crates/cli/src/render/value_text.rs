//! Values as text: quoted strings, numbers, and whole values as an output shows them.
//!
//! What comes from AWS or from a file may hold control characters; none of them reaches the terminal.

use std::fmt::Write as _;

use terrane_model::Value;

/// A string in quotes, with what would not show, or would do harm, escaped.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => push_escape(&mut out, c),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A line of text, with what would do harm escaped.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push('\t'),
            c if is_hidden(c) => push_escape(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// Control characters, and those that turn the direction of the text around.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

fn push_escape(out: &mut String, c: char) {
    // Writing into a text cannot fail.
    let _ = write!(out, "\\u{:04x}", u32::from(c));
}

/// A name of an attribute or key of an object: as it is, or in quotes when it is no plain name.
pub fn name(text: &str) -> String {
    let mut chars = text.chars();
    let begins = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    match begins && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// A value as `terrane output` shows it: as an expression that would yield it. What is sensitive is not shown.
pub fn expression(value: &Value) -> String {
    let text = terrane_expr::print_value(value);
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hide_nothing_and_harm_nobody() {
        assert_eq!(quoted("a\"b\\c\n\u{1b}[31m\u{202e}é"), r#""a\"b\\c\n\u001b[31m\u202eé""#);
        assert_eq!(line("\tx\u{7}"), "\tx\\u0007");
        assert_eq!(name("aws:SourceArn"), "\"aws:SourceArn\"");
        assert_eq!(name("read_capacity"), "read_capacity");
    }

    #[test]
    fn nothing_in_a_whole_value_harms_the_terminal() {
        let value = Value::tuple([Value::from("a\u{1b}[2J\nb"), Value::from("hunter2").sensitive()]);
        let text = expression(&value);
        assert!(!text.contains('\u{1b}') && !text.contains("hunter2"), "{text}");
        assert!(text.contains("(sensitive value)"), "{text}");
    }
}
