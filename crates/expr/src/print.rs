//! Values as the console prints them.

use std::fmt::Write;

use terrane_model::{Kind, Type, Value};

/// Writes a value the way `console` and `output` show it. What is sensitive or unknown is only named.
pub fn print_value(value: &Value) -> String {
    let mut text = String::new();
    write_value(value, 0, &mut text);
    text
}

fn write_value(value: &Value, indent: usize, text: &mut String) {
    let marks = value.marks();
    if value.is_unknown() {
        return text.push_str("(known after apply)");
    }
    if marks.sensitive {
        return text.push_str("(sensitive value)");
    }
    if marks.ephemeral {
        return text.push_str("(ephemeral value)");
    }
    match value.kind() {
        Kind::Null(ty) => write_null(ty, text),
        Kind::Unknown(_) => {}
        Kind::Bool(b) => text.push_str(if *b { "true" } else { "false" }),
        Kind::Number(n) => text.push_str(&n.to_string()),
        Kind::String(s) if s.contains('\n') => write_lines(s, indent, text),
        Kind::String(s) => write_quoted(s, text),
        Kind::Tuple(elements) => write_sequence(elements, indent, text),
        Kind::List(_, elements) => wrapped("tolist", text, |text| write_sequence(elements, indent, text)),
        Kind::Set(_, elements) => wrapped("toset", text, |text| write_sequence(elements, indent, text)),
        Kind::Object(entries) => write_entries(entries, indent, text),
        Kind::Map(_, entries) => wrapped("tomap", text, |text| write_entries(entries, indent, text)),
    }
}

fn wrapped(name: &str, text: &mut String, inner: impl FnOnce(&mut String)) {
    text.push_str(name);
    text.push('(');
    inner(text);
    text.push(')');
}

fn write_null(ty: &Type, text: &mut String) {
    let name = |ty: &Type| match ty {
        Type::Any => "dynamic".to_owned(),
        ty => ty.friendly(),
    };
    match ty {
        Type::Any => text.push_str("null"),
        Type::String => text.push_str("tostring(null)"),
        Type::Number => text.push_str("tonumber(null)"),
        Type::Bool => text.push_str("tobool(null)"),
        Type::List(e) => text.push_str(&format!("tolist(null) /* of {} */", name(e))),
        Type::Set(e) => text.push_str(&format!("toset(null) /* of {} */", name(e))),
        Type::Map(e) => text.push_str(&format!("tomap(null) /* of {} */", name(e))),
        Type::Tuple(_) | Type::Object(_) => text.push_str(&format!("null /* {} */", name(ty))),
    }
}

fn line(indent: usize, text: &mut String) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
}

fn write_sequence(elements: &[Value], indent: usize, text: &mut String) {
    text.push('[');
    for element in elements {
        line(indent + 2, text);
        write_value(element, indent + 2, text);
        text.push(',');
    }
    if !elements.is_empty() {
        line(indent, text);
    }
    text.push(']');
}

fn write_entries(
    entries: &std::collections::BTreeMap<std::sync::Arc<str>, Value>,
    indent: usize,
    text: &mut String,
) {
    text.push('{');
    for (key, value) in entries {
        line(indent + 2, text);
        match key.contains('\n') {
            true => write_lines(key, indent + 2, text),
            false => write_quoted(key, text),
        }
        text.push_str(" = ");
        match value.kind() {
            Kind::Null(ty) if ty.is_primitive() && !value.marks().any() => text.push_str("null"),
            _ => write_value(value, indent + 2, text),
        }
    }
    if !entries.is_empty() {
        line(indent, text);
    }
    text.push('}');
}

/// Text of several lines, as a heredoc.
fn write_lines(content: &str, indent: usize, text: &mut String) {
    let mut delimiter = "EOT".to_owned();
    while content.split('\n').any(|line| line == delimiter) {
        delimiter.push('_');
    }
    text.push_str(if indent > 0 { "<<-" } else { "<<" });
    text.push_str(&delimiter);
    for content_line in content.split('\n') {
        line(indent, text);
        text.push_str(content_line);
    }
    line(indent, text);
    text.push_str(&delimiter);
}

/// Text of one line in quotes; what has no visible form is escaped.
fn write_quoted(content: &str, text: &mut String) {
    text.push('"');
    for c in content.chars() {
        let code = u32::from(c);
        let written = match c {
            '"' => text.write_str("\\\""),
            '\\' => text.write_str("\\\\"),
            '\n' => text.write_str("\\n"),
            '\r' => text.write_str("\\r"),
            '\t' => text.write_str("\\t"),
            '\u{7}' => text.write_str("\\a"),
            '\u{8}' => text.write_str("\\b"),
            '\u{c}' => text.write_str("\\f"),
            '\u{b}' => text.write_str("\\v"),
            ' '..='~' => text.write_char(c),
            _ if is_visible(c) => text.write_char(c),
            _ if code < 0x80 => write!(text, "\\x{code:02x}"),
            _ if code < 0x1_0000 => write!(text, "\\u{code:04x}"),
            _ => write!(text, "\\U{code:08x}"),
        };
        // Writing to a string can't fail.
        let _ = written;
    }
    text.push('"');
}

/// Whether the character has a visible form: not a control, a space, or unassigned.
fn is_visible(c: char) -> bool {
    // Behind another character accents are not escaped, so this tells what is printable.
    let mut buffer = [0; 8];
    let text: &str = {
        let (first, rest) = buffer.split_at_mut(1);
        first.fill(b'a');
        let length = c.encode_utf8(rest).len();
        buffer.get(..=length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
    };
    text.escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars() {
        assert_eq!(print_value(&Value::from("tab\t\"q\" \\ ${x}")), r#""tab\t\"q\" \\ ${x}""#);
        assert_eq!(print_value(&Value::from("a\u{2028}\u{200d}\u{0}é中")), r#""a\u2028\u200d\x00é中""#);
        assert_eq!(print_value(&Value::from("e\u{301}x\u{323}")), "\"éx\u{323}\"");
        assert_eq!(print_value(&Value::null(Type::map(Type::String))), "tomap(null) /* of string */");
        assert_eq!(print_value(&Value::null(Type::list(Type::Any))), "tolist(null) /* of dynamic */");
        assert_eq!(print_value(&Value::from("s").sensitive()), "(sensitive value)");
    }

    #[test]
    fn lines_are_heredocs_with_a_free_delimiter() {
        assert_eq!(print_value(&Value::from("a\nEOT\n")), "<<EOT_\na\nEOT\n\nEOT_");
        let nested = Value::tuple([Value::from("a\nb")]);
        assert_eq!(print_value(&nested), "[\n  <<-EOT\n  a\n  b\n  EOT,\n]");
    }

    #[test]
    fn nulls_in_collections() {
        let map = Value::map(Type::String, [("a", Value::null(Type::String))]);
        assert_eq!(print_value(&map), "tomap({\n  \"a\" = null\n})");
        let list = Value::list(Type::String, [Value::null(Type::String)]);
        assert_eq!(print_value(&list), "tolist([\n  tostring(null),\n])");
    }
}
