//! Heredocs: `<<WORD`, lines, `WORD`.

use super::{Parsed, Parser};
use crate::ast::Expr;

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
        let mut body = match flush {
            true => self.flushed(|p| p.heredoc_template(word))?,
            false => self.apart(|p| p.heredoc_template(word))?,
        };
        self.at += self.rest().find(word).unwrap_or(0) + word.len();
        body.span = self.span_from(start);
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
