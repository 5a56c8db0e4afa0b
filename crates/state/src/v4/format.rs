//! JSON text as Terraform writes it: two spaces of indentation, and a few characters escaped that JSON would allow.

use std::io::{self, Write};

use serde_json::ser::{Formatter, PrettyFormatter};

/// serde_json's pretty formatter, which writes `<`, `>`, `&` and the two Unicode line separators as escapes.
pub(crate) struct TerraformFormatter(PrettyFormatter<'static>);

impl TerraformFormatter {
    pub(crate) fn new() -> TerraformFormatter {
        TerraformFormatter(PrettyFormatter::with_indent(b"  "))
    }
}

/// The escape of the character that a text begins with, if it has one here.
fn escape(c: char) -> Option<&'static [u8]> {
    Some(match c {
        '<' => b"\\u003c",
        '>' => b"\\u003e",
        '&' => b"\\u0026",
        '\u{2028}' => b"\\u2028",
        '\u{2029}' => b"\\u2029",
        _ => return None,
    })
}

impl Formatter for TerraformFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Most texts have none of them; bytes are looked through much faster than characters.
        if !fragment.bytes().any(|byte| matches!(byte, b'<' | b'>' | b'&' | 0xe2)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| escape(*c).is_some()) {
            let (plain, tail) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            writer.write_all(escape(c).unwrap_or_default())?;
            rest = tail.get(c.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use serde_json::json;

    fn written(value: &serde_json::Value) -> String {
        let mut out = Vec::new();
        value
            .serialize(&mut serde_json::Serializer::with_formatter(&mut out, TerraformFormatter::new()))
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_at_the_edges_and_in_a_row() {
        assert_eq!(written(&json!("<a>&\u{2028}\u{2029}é\u{8}\u{c}\u{1}\u{7f}\"\\\n")), {
            "\"\\u003ca\\u003e\\u0026\\u2028\\u2029é\\b\\f\\u0001\u{7f}\\\"\\\\\\n\""
        });
        assert_eq!(written(&json!({"<": []})), "{\n  \"\\u003c\": []\n}");
    }

    #[test]
    fn empty_and_nested() {
        assert_eq!(written(&json!({"a": {}, "b": [[1], []]})), {
            "{\n  \"a\": {},\n  \"b\": [\n    [\n      1\n    ],\n    []\n  ]\n}"
        });
    }
}
