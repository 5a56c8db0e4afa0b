//! Where the statements of a policy stand in its text, as the policy simulator tells it.
//!
//! A statement begins right after the bracket or comma before it and ends right after its closing brace. Lines and columns are
//! counted from 1. <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Position.html>

/// A line and a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The beginning and the end of every statement, in the order of the text. The text must be a policy that was read before.
pub(super) fn statements(text: &str) -> Vec<(Position, Position)> {
    let mut found = Vec::new();
    let mut walk = Walk { at: Position { line: 1, column: 1 }, in_text: false, escaped: false, depth: 0 };
    // The last name at the document's own level, and whether what follows it is its value.
    let (mut name, mut in_statement, mut begin) = (String::new(), false, None);
    for letter in text.chars() {
        let (was_text, before) = (walk.in_text, walk.depth);
        walk.step(letter);
        if walk.in_text || was_text {
            match (was_text, before) {
                (false, 1) => name.clear(),
                (true, 1) if walk.in_text => name.push(letter),
                _ => {}
            }
            continue;
        }
        match (letter, before, walk.depth) {
            (':', 1, 1) => {
                in_statement = name.eq_ignore_ascii_case("Statement");
                begin = Some(walk.at);
                if in_statement {
                    // Of several the last counts.
                    found.clear();
                }
            }
            (',' | '[', 1 | 2, 2) => begin = Some(walk.at),
            (',', 1, 1) => in_statement = false,
            ('}', 3, 2) | ('}', 2, 1) if in_statement => {
                found.extend(begin.take().map(|begin| (begin, walk.at)));
            }
            _ => {}
        }
    }
    found
}

/// A walk over JSON text, after each letter.
struct Walk {
    at: Position,
    in_text: bool,
    escaped: bool,
    depth: usize,
}

impl Walk {
    fn step(&mut self, letter: char) {
        match letter {
            '\n' => self.at = Position { line: self.at.line.saturating_add(1), column: 1 },
            _ => self.at.column = self.at.column.saturating_add(1),
        }
        match (self.in_text, letter) {
            (true, _) if self.escaped => self.escaped = false,
            (true, '\\') => self.escaped = true,
            (_, '"') => self.in_text = !self.in_text,
            (false, '{' | '[') => self.depth = self.depth.saturating_add(1),
            (false, '}' | ']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let one = |(from, to): (Position, Position)| {
            format!("{}:{}-{}:{}", from.line, from.column, to.line, to.column)
        };
        statements(text).into_iter().map(one).collect()
    }

    #[test]
    fn statements_begin_after_the_bracket_or_the_comma() {
        let administrator = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}";
        assert_eq!(shown(administrator), ["3:17-8:6"]);
        assert_eq!(shown(r#"{"Statement":[{"a":[{}]}, {"b":{}}],"Id":{"x":1}}"#), ["1:15-1:25", "1:26-1:35"]);
    }

    #[test]
    fn a_single_statement_and_texts_with_brackets() {
        assert_eq!(shown(r#"{"Id":"Statement","statement":{"Sid":"}\"]{"},"Version":"x"}"#), ["1:31-1:46"]);
        assert_eq!(shown(r#"{"Statement":[]}"#), Vec::<String>::new());
        assert_eq!(shown(""), Vec::<String>::new());
    }
}
