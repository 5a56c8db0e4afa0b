//! Writes YAML the way Terraform does: block style, keys and text in double quotes, text of several lines as a literal
//! block, lists not indented below their key, long text folded behind column 80.

use terrane_model::{Kind, Value};

/// Behind this column text is folded at the next space.
const WIDTH: usize = 80;
/// Keys longer than this, in bytes, or with several lines are written with `?`.
const MAX_KEY: usize = 128;

/// What a node is written behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing.
    Start,
    /// `-`, or `?`, or a `:` of its own line.
    Mark,
    /// `key:`
    Key,
}

#[derive(Default)]
struct Writer {
    out: String,
    column: usize,
    /// The last thing could go on, so that the document needs an end mark.
    open_ended: bool,
}

/// A wholly known value as one document.
pub(super) fn document(value: &Value) -> String {
    let mut writer = Writer::default();
    writer.node(value, None, Place::Start);
    writer.fresh_line(0);
    if writer.open_ended {
        writer.out.push_str("...\n");
    }
    writer.out
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(at) => self.column = text.get(at + 1..).unwrap_or("").chars().count(),
            None => self.column += text.chars().count(),
        }
        self.open_ended = false;
    }

    /// Goes to the column of a line that has nothing else on it.
    fn fresh_line(&mut self, indent: usize) {
        let open_ended = self.open_ended;
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.put("\n");
        }
        self.put(&" ".repeat(indent));
        self.open_ended = open_ended;
    }

    /// `indent` is that of the collection around; nothing at the top.
    fn node(&mut self, value: &Value, indent: Option<usize>, place: Place) {
        let deeper = indent.map_or(0, |i| i + 2);
        match value.kind() {
            Kind::List(_, elements) | Kind::Set(_, elements) | Kind::Tuple(elements) => {
                if elements.is_empty() {
                    return self.flow("[]", place);
                }
                // A list below its key is not indented.
                let own = if place == Place::Key { indent.unwrap_or(0) } else { deeper };
                for (i, element) in elements.iter().enumerate() {
                    self.item_start(own, i == 0, place);
                    self.put("-");
                    self.node(element, Some(own), Place::Mark);
                }
            }
            Kind::Map(_, entries) | Kind::Object(entries) => {
                if entries.is_empty() {
                    return self.flow("{}", place);
                }
                for (i, (key, element)) in entries.iter().enumerate() {
                    self.item_start(deeper, i == 0, place);
                    self.entry(key, element, deeper);
                }
            }
            Kind::String(text) => {
                self.space(place);
                let indent = indent.map_or(2, |i| i + 2);
                match text.contains('\n') && block_allowed(text) {
                    true => self.block(text, indent),
                    false => self.quoted(text, Some(indent)),
                }
            }
            Kind::Bool(b) => self.plain(&b.to_string(), place),
            Kind::Number(n) => self.plain(
                &match n.to_string().as_str() {
                    "+Inf" => "+.Inf".to_owned(),
                    "-Inf" => "-.Inf".to_owned(),
                    text => text.to_owned(),
                },
                place,
            ),
            Kind::Null(_) | Kind::Unknown(_) => self.plain("null", place),
        }
    }

    fn entry(&mut self, key: &str, element: &Value, indent: usize) {
        let simple = key.len() <= MAX_KEY && !key.contains('\n');
        if simple {
            self.quoted(key, None);
            self.put(":");
            return self.node(element, Some(indent), Place::Key);
        }
        self.put("?");
        self.node(&Value::from(key), Some(indent), Place::Mark);
        self.fresh_line(indent);
        self.put(":");
        self.node(element, Some(indent), Place::Mark);
    }

    fn item_start(&mut self, indent: usize, first: bool, place: Place) {
        match (first, place) {
            (true, Place::Start) => {}
            (true, Place::Mark) => self.put(" "),
            _ => self.fresh_line(indent),
        }
    }

    fn space(&mut self, place: Place) {
        if place != Place::Start {
            self.put(" ");
        }
    }

    fn flow(&mut self, text: &str, place: Place) {
        self.space(place);
        self.put(text);
    }

    fn plain(&mut self, text: &str, place: Place) {
        self.space(place);
        self.put(text);
        self.open_ended = place == Place::Start;
    }

    /// In double quotes; folded when an indent for the next line is given.
    fn quoted(&mut self, text: &str, fold: Option<usize>) {
        self.put("\"");
        let mut chars = text.char_indices().peekable();
        let mut after_space = false;
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            let inside = at > 0 && next.is_some();
            match (c, fold) {
                (' ', Some(indent)) if !after_space && self.column > WIDTH && inside => {
                    self.put("\n");
                    self.put(&" ".repeat(indent));
                    // Spaces at the start of a line would be lost.
                    if next == Some(' ') {
                        self.put("\\");
                    }
                    after_space = true;
                }
                _ => {
                    self.put(&escaped(c));
                    after_space = c == ' ';
                }
            }
        }
        self.put("\"");
    }

    /// A literal block.
    fn block(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        let keeps = text == "\n" || text.ends_with("\n\n");
        if keeps {
            self.put("+");
        } else if !text.ends_with('\n') {
            self.put("-");
        }
        self.put("\n");
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.put(&" ".repeat(indent));
            }
            self.put(line);
        }
        self.open_ended = keeps;
    }
}

/// Whether the character can stand as it is.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// Whether text can be a literal block: nothing in it needs an escape, and no line ends in a space.
fn block_allowed(text: &str) -> bool {
    text.chars().all(|c| is_printable(c) && !matches!(c, '\u{2028}' | '\u{2029}'))
        && !text.ends_with(' ')
        && !text.contains(" \n")
}

fn escaped(c: char) -> String {
    let code = u32::from(c);
    match c {
        '\0' => "\\0".into(),
        '\u{7}' => "\\a".into(),
        '\u{8}' => "\\b".into(),
        '\t' => "\\t".into(),
        '\n' => "\\n".into(),
        '\u{b}' => "\\v".into(),
        '\u{c}' => "\\f".into(),
        '\r' => "\\r".into(),
        '\u{1b}' => "\\e".into(),
        '"' => "\\\"".into(),
        '\\' => "\\\\".into(),
        '\u{85}' => "\\N".into(),
        '\u{2028}' => "\\L".into(),
        '\u{2029}' => "\\P".into(),
        _ if is_printable(c) => c.into(),
        _ if code <= 0xff => format!("\\x{code:02X}"),
        _ if code <= 0xffff => format!("\\u{code:04X}"),
        _ => format!("\\U{code:08X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::Type;

    #[test]
    fn scalars_at_the_top_are_closed_where_they_could_go_on() {
        assert_eq!(document(&Value::number(1)), "1\n...\n");
        assert_eq!(document(&Value::null(Type::Any)), "null\n...\n");
        assert_eq!(document(&Value::from("")), "\"\"\n");
        assert_eq!(document(&Value::from("a\n\n")), "|+\n  a\n\n...\n");
    }

    #[test]
    fn text_of_several_lines_is_a_block_where_it_can_be() {
        let object = |text: &str| document(&Value::object([("k", Value::from(text))]));
        assert_eq!(object("a\nb\n"), "\"k\": |\n  a\n  b\n");
        assert_eq!(object("a\nb"), "\"k\": |-\n  a\n  b\n");
        assert_eq!(object(" a\nb"), "\"k\": |2-\n   a\n  b\n");
        assert_eq!(object("a \nb"), "\"k\": \"a \\nb\"\n");
        assert_eq!(object("a\tb\nc"), "\"k\": \"a\\tb\\nc\"\n");
    }

    #[test]
    fn long_text_is_folded_behind_column_80() {
        let text = format!("{} tail", "word ".repeat(16).trim_end());
        let written = document(&Value::from(text.as_str()));
        assert_eq!(
            written.lines().count(),
            1,
            "80 characters and a quote are not behind column 80: {written}"
        );
        let longer = format!("{} more tail", "word ".repeat(17).trim_end());
        let written = document(&Value::from(longer.as_str()));
        assert_eq!(written.lines().nth(1), Some("  more tail\""), "{written}");
    }
}
