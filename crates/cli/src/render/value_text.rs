//! Values as text: quoted strings, numbers, and whole values as an output shows them.
//!
//! What comes from AWS or from a file may hold control characters; none of them reaches the terminal.

use std::fmt::Write as _;

use terrane_model::{Kind, Type, Value};

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
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

fn write_value(out: &mut String, value: &Value, indent: usize) {
    if value.marks().sensitive {
        out.push_str("(sensitive value)");
        return;
    }
    match value.kind() {
        Kind::Null(ty) => out.push_str(null(ty)),
        Kind::Unknown(_) => out.push_str("(known after apply)"),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Number(n) => out.push_str(&n.to_string()),
        Kind::String(s) => write_text(out, s, indent),
        Kind::List(_, es) => wrapped(out, "tolist(", |out| write_elements(out, es, indent)),
        Kind::Set(_, es) => wrapped(out, "toset(", |out| write_elements(out, es, indent)),
        Kind::Tuple(es) => write_elements(out, es, indent),
        Kind::Map(_, entries) => wrapped(out, "tomap(", |out| {
            let entries = entries.iter().map(|(key, value)| (quoted(key), value));
            write_entries(out, entries, indent);
        }),
        Kind::Object(entries) => {
            write_entries(out, entries.iter().map(|(key, value)| (quoted(key), value)), indent);
        }
    }
}

/// A null of a type is shown as its conversion where there is a function for it.
fn null(ty: &Type) -> &'static str {
    match ty {
        Type::String => "tostring(null)",
        Type::Number => "tonumber(null)",
        Type::Bool => "tobool(null)",
        _ => "null",
    }
}

fn wrapped(out: &mut String, opening: &str, inside: impl FnOnce(&mut String)) {
    out.push_str(opening);
    inside(out);
    out.push(')');
}

fn write_elements(out: &mut String, elements: &[Value], indent: usize) {
    if elements.is_empty() {
        out.push_str("[]");
        return;
    }
    out.push_str("[\n");
    for element in elements {
        pad(out, indent + 2);
        write_value(out, element, indent + 2);
        out.push_str(",\n");
    }
    pad(out, indent);
    out.push(']');
}

fn write_entries<'v>(
    out: &mut String,
    entries: impl ExactSizeIterator<Item = (String, &'v Value)>,
    indent: usize,
) {
    if entries.len() == 0 {
        out.push_str("{}");
        return;
    }
    out.push_str("{\n");
    for (key, value) in entries {
        pad(out, indent + 2);
        out.push_str(&key);
        out.push_str(" = ");
        write_value(out, value, indent + 2);
        out.push('\n');
    }
    pad(out, indent);
    out.push('}');
}

fn write_text(out: &mut String, text: &str, indent: usize) {
    if !text.contains('\n') {
        out.push_str(&quoted(text));
        return;
    }
    let step = if indent == 0 { "<<EOT\n" } else { "<<-EOT\n" };
    out.push_str(step);
    for part in text.trim_end_matches('\n').split('\n') {
        pad(out, indent);
        out.push_str(&line(part));
        out.push('\n');
    }
    // A text that ends with line breaks shows them as empty lines but the last.
    for _ in 1..text.len() - text.trim_end_matches('\n').len() {
        out.push('\n');
    }
    pad(out, indent);
    out.push_str("EOT");
}

fn pad(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
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
    fn whole_values_are_expressions() {
        let value = Value::object([
            ("list", Value::list(Type::String, [Value::from("a")])),
            ("none", Value::null(Type::String)),
            ("secret", Value::from("hunter2").sensitive()),
            ("tuple", Value::tuple([])),
        ]);
        let text = "{\n  \"list\" = tolist([\n    \"a\",\n  ])\n  \"none\" = tostring(null)\n  \
                    \"secret\" = (sensitive value)\n  \"tuple\" = []\n}";
        assert_eq!(expression(&value), text);
    }

    #[test]
    fn text_of_several_lines_is_a_here_document() {
        assert_eq!(expression(&Value::from("a\nb\n")), "<<EOT\na\nb\nEOT");
        let list = Value::tuple([Value::from("a\nb")]);
        assert_eq!(expression(&list), "[\n  <<-EOT\n  a\n  b\n  EOT,\n]");
    }
}
