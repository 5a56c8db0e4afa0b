//! Heredocs: `<<WORD`, lines, `WORD`.

use super::{Parsed, Parser};
use crate::ast::{Expr, Node, Part};
use terrane_model::Value;

impl Parser<'_> {
    pub(super) fn heredoc(&mut self) -> Parsed<Expr> {
        let start = self.at;
        self.at += 2;
        let flush = self.eat("-");
        let Some(word) = self.identifier() else {
            return Err(self.error_here(
                "invalid-heredoc",
                "Invalid heredoc",
                "A word that ends the text is expected behind `<<`.",
            ));
        };
        self.eat("\r");
        if !self.eat("\n") {
            return Err(self.error_here(
                "invalid-heredoc",
                "Invalid heredoc",
                "The text begins in the next line; nothing may follow the word here.",
            ));
        }
        let Some(length) = length_before(self.rest(), word) else {
            return Err(self.error_here(
                "unclosed-heredoc",
                "Unclosed heredoc",
                format!("A line with the word `{word}` alone is expected to end the text."),
            ));
        };
        let whole_end = std::mem::replace(&mut self.end, self.at + length);
        let body = self.bare_template();
        self.at = self.end;
        self.end = whole_end;
        let mut body = body?;
        let last_line = self.rest();
        self.at += last_line.find(word).unwrap_or(0) + word.len();
        body.span = self.span_from(start);
        if flush {
            body.node = flushed(body.node);
        }
        Ok(body)
    }
}

/// How many bytes stand before the line that holds nothing but the word.
fn length_before(text: &str, word: &str) -> Option<usize> {
    let mut length = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_end_matches(['\n', '\r']).trim_start();
        if trimmed.strip_prefix(word).is_some_and(|rest| rest.trim_start().is_empty() || closes(rest)) {
            return Some(length);
        }
        length += line.len();
    }
    None
}

/// What may follow the closing word on its line.
fn closes(rest: &str) -> bool {
    rest.trim_start().starts_with([',', ')', ']', '}', '~'])
}

/// Takes the indentation that all lines share away.
fn flushed(node: Node) -> Node {
    let mut indents = Vec::new();
    let mut at_line_start = true;
    let mut visit = |text: &str| {
        for line in text.split_inclusive('\n') {
            if at_line_start && !line.trim().is_empty() {
                indents.push(line.len() - line.trim_start_matches(' ').len());
            }
            at_line_start = line.ends_with('\n');
        }
    };
    match &node {
        Node::Literal(value) => visit(value.as_str().unwrap_or("")),
        Node::Template(parts) => {
            for part in parts {
                match part {
                    Part::Text(text) => visit(text),
                    // Stands for text that is not white space.
                    Part::Value(_) | Part::Join(_) => visit("x"),
                }
            }
        }
        _ => {}
    }
    let cut = indents.into_iter().min().unwrap_or(0);
    let mut at_line_start = true;
    let mut flush = |text: &str| {
        let mut kept = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let from = if at_line_start { spaces.min(cut) } else { 0 };
            kept.push_str(line.get(from..).unwrap_or(line));
            at_line_start = line.ends_with('\n');
        }
        kept
    };
    match node {
        Node::Literal(value) => Node::Literal(Value::from(flush(value.as_str().unwrap_or("")))),
        Node::Template(parts) => Node::Template(
            parts
                .into_vec()
                .into_iter()
                .map(|part| match part {
                    Part::Text(text) => Part::Text(flush(&text).into()),
                    other => {
                        flush("x");
                        other
                    }
                })
                .collect(),
        ),
        other => other,
    }
}
