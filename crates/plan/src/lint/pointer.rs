//! Finds a statement's element in the text of a policy.

use std::ops::Range;

/// The bytes of a statement of a policy, or of the value of one of its elements. Nothing where the text has none such.
pub fn find(text: &str, statement: usize, element: Option<&str>) -> Option<Range<usize>> {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
    let statements = cursor.value_of("Statement")?;
    cursor.at = statements.start;
    cursor.space();
    let found = match cursor.peek()? {
        b'[' => cursor.element(statement)?,
        _ if statement == 0 => statements,
        _ => return None,
    };
    let Some(element) = element else { return Some(found) };
    cursor.at = found.start;
    Some(cursor.value_of(element).unwrap_or(found))
}

/// INVARIANT: reads texts that are known to be JSON; others end in `None`, and none makes it recurse.
struct Cursor<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        self.space();
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// The value of a key of the object that begins here.
    fn value_of(&mut self, key: &str) -> Option<Range<usize>> {
        self.take(b'{')?;
        loop {
            self.space();
            if self.peek()? == b'}' {
                return None;
            }
            let name = self.skip()?;
            self.take(b':')?;
            let value = self.skip()?;
            let inside = self.bytes.get(name.start + 1..name.end.saturating_sub(1))?;
            if inside.eq_ignore_ascii_case(key.as_bytes()) {
                return Some(value);
            }
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                _ => return None,
            }
        }
    }

    /// An element of the array that begins here.
    fn element(&mut self, wanted: usize) -> Option<Range<usize>> {
        self.take(b'[')?;
        let mut number = 0;
        loop {
            self.space();
            if self.peek()? == b']' {
                return None;
            }
            let value = self.skip()?;
            if number == wanted {
                return Some(value);
            }
            number += 1;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                _ => return None,
            }
        }
    }

    /// Passes over a value of any kind.
    fn skip(&mut self) -> Option<Range<usize>> {
        self.space();
        let start = self.at;
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
            let ends = self
                .peek()
                .is_none_or(|byte| matches!(byte, b',' | b'}' | b']' | b':') || byte.is_ascii_whitespace());
            if depth == 0 && ends {
                return Some(start..self.at);
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"{ "Version": "2012-10-17", "Statement": [
        {"Sid": "a\"]}", "Effect": "Allow", "Action": ["kms:*"], "Resource": "*"},
        {"Effect":"Deny","NotAction":"x:y","Resource":["a",  "b"]}
    ]}"#;

    #[test]
    fn elements_are_found_by_statement_and_name() {
        let at = |statement, element| find(TEXT, statement, element).and_then(|range| TEXT.get(range));
        assert_eq!(at(0, Some("Action")), Some(r#"["kms:*"]"#));
        assert_eq!(at(1, Some("resource")), Some(r#"["a",  "b"]"#));
        assert_eq!(at(1, None), Some(r#"{"Effect":"Deny","NotAction":"x:y","Resource":["a",  "b"]}"#));
        assert_eq!(at(1, Some("Sid")), at(1, None), "the statement where it has no such element");
        assert_eq!(at(2, None), None);
        let single = r#"{"Statement":{"Action":"*"}}"#;
        assert_eq!(find(single, 0, Some("Action")).and_then(|range| single.get(range)), Some(r#""*""#));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in r#"[{}\[\]":,\\a ]{0,40}"#, statement in 0usize..3) {
            let _ = find(&text, statement, Some("a"));
        }
    }
}
