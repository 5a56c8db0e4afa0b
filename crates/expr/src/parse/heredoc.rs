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
        let mut body = self.heredoc_template(word)?;
        self.at += self.rest().find(word).unwrap_or(0) + word.len();
        body.span = self.span_from(start);
        if flush {
            body.node = flushed(body.node);
        }
        Ok(body)
    }
}

/// Whether a line ends a heredoc: nothing but the word stands on it, and perhaps what closes the expression around.
pub(super) fn ends_heredoc(text: &str, word: &str) -> bool {
    let line = text.split('\n').next().unwrap_or("");
    let Some(rest) = line.trim_start().strip_prefix(word) else { return false };
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with([',', ')', ']', '}', '~'])
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
