//! From text to tree: the expression and template syntax of Terraform's language.
//!
//! The parser is our own, since the syntax has corners that parsers of HCL bodies leave out: decimal numbers beyond
//! 64-bit floats, objects with a key given twice, attribute-only splats; and since messages must point into a TOML
//! string. It reads its input once from left to right, and counts how deep it is.
//!
//! References are recognised here, and wrongly shaped ones are reported here; whether what they name exists is for the
//! scope to say.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::{Diagnostic, Diagnostics, Span};

use crate::ast::{Expr, MAX_DEPTH};
use crate::origin::Origin;
use flush::Flush;

mod collection;
mod expression;
mod flush;
mod heredoc;
mod reference;
mod template;

/// Parses a template: text with `${...}` and `%{...}` in it. A template that is one whole `${...}` is that expression and
/// keeps its type.
///
/// # Errors
/// When the text is not a template, or a reference in it has no sensible shape.
pub fn parse_template(text: &str, origin: &Origin) -> Result<Expr, Diagnostics> {
    Parser::new(text, origin, Names::References).run(Parser::whole_template)
}

/// Parses a bare expression, as `console` takes it.
///
/// # Errors
/// When the text is not an expression, or a reference in it has no sensible shape.
pub fn parse_expression(text: &str, origin: &Origin) -> Result<Expr, Diagnostics> {
    Parser::new(text, origin, Names::References).run(Parser::whole_expression)
}

/// Parses a template whose names are all given by the caller of `templatefile` or `templatestring`.
pub(crate) fn parse_closed_template(text: &str, origin: &Origin) -> Result<Expr, Diagnostics> {
    Parser::new(text, origin, Names::Given).run(Parser::whole_template)
}

/// Parses an expression in which names are no references: a type constraint.
pub(crate) fn parse_closed_expression(text: &str, origin: &Origin) -> Result<Expr, Diagnostics> {
    Parser::new(text, origin, Names::Given).run(Parser::whole_expression)
}

/// What a name that no `for` binds stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// `var`, `local`, resource types and so on.
    References,
    /// A variable that will be given.
    Given,
}

/// A syntax error stops the parser; there is one of them.
type Parsed<T> = Result<T, Box<Diagnostic>>;

struct Parser<'t> {
    text: &'t str,
    origin: &'t Origin,
    names: Names,
    /// The next byte.
    at: usize,
    depth: usize,
    /// Whether a new line ends an expression: so it is between the items of an object.
    lines_matter: bool,
    /// Names that a `for` around here binds.
    bound: Vec<Arc<str>>,
    /// Wrongly shaped references. They do not stop the parser.
    problems: Diagnostics,
    /// What happens to the pieces of text of the heredoc around here.
    flush: Option<Flush>,
    /// What the pieces of a heredoc lose at their start, by where its text begins.
    counted: BTreeMap<usize, Vec<usize>>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, origin: &'t Origin, names: Names) -> Parser<'t> {
        Parser {
            text,
            origin,
            names,
            at: 0,
            depth: 0,
            lines_matter: false,
            bound: Vec::new(),
            problems: Vec::new(),
            flush: None,
            counted: BTreeMap::new(),
        }
    }

    fn run(mut self, parse: fn(&mut Parser<'t>) -> Parsed<Expr>) -> Result<Expr, Diagnostics> {
        match parse(&mut self) {
            Ok(expr) if self.problems.is_empty() => Ok(expr),
            Ok(_) => Err(self.problems),
            Err(error) => {
                self.problems.push(*error);
                Err(self.problems)
            }
        }
    }

    fn whole_expression(&mut self) -> Parsed<Expr> {
        self.skip();
        if self.at_end() {
            return Err(self.error_here(
                "missing-expression",
                "Missing expression",
                "An expression is expected here, and there is none.",
            ));
        }
        let expr = self.expression()?;
        self.skip();
        if self.at_end() {
            return Ok(expr);
        }
        if matches!(self.peek(), Some('|' | '&' | '^')) {
            return Err(self.error_here(
                "unknown-operator",
                "Unknown operator",
                "There are no bitwise operators. The logical ones are `&&`, `||` and `!`.",
            ));
        }
        Err(self.error_here(
            "extra-text",
            "Extra text behind an expression",
            "The expression ends here, and there is more text behind it. An operator or a comma may be missing.",
        ))
    }

    // Reading characters.

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn byte(&self) -> Option<u8> {
        self.rest().as_bytes().first().copied()
    }

    fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn looking_at(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.looking_at(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Skips white space and comments; new lines only where they don't matter.
    fn skip(&mut self) {
        self.skip_blank(!self.lines_matter);
    }

    fn skip_blank(&mut self, lines: bool) {
        loop {
            match self.byte() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\n') if lines => self.at += 1,
                Some(b'#') => self.skip_line(),
                Some(b'/') if self.looking_at("//") => self.skip_line(),
                Some(b'/') if self.looking_at("/*") => match self.rest().find("*/") {
                    Some(close) => self.at += close + 2,
                    None => return,
                },
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    /// Eats an identifier: a letter or `_`, then letters, digits, `_` and `-`.
    fn identifier(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let starts = |c: char| c == '_' || unicode_ident::is_xid_start(c);
        if !rest.starts_with(starts) {
            return None;
        }
        let goes_on = |c: char| c == '-' || unicode_ident::is_xid_continue(c);
        let length = rest.find(|c| !goes_on(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length)
    }

    /// Parses with new lines mattering or not, and restores what was before.
    fn with_lines<T>(&mut self, matter: bool, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let before = std::mem::replace(&mut self.lines_matter, matter);
        let parsed = parse(self);
        self.lines_matter = before;
        parsed
    }

    /// Parses one level deeper.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error_here(
                "expression-too-deep",
                "Expression too deep",
                format!(
                    "Expressions may be nested {MAX_DEPTH} levels deep, and this one goes deeper. \
                     Give a part of it a name with a local value."
                ),
            ));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    // Places and messages.

    fn span_from(&self, start: usize) -> Span {
        // White space behind the last token does not belong to it.
        let text = self.text.get(start..self.at).unwrap_or("");
        self.origin.span(start, start + text.trim_end().len())
    }

    fn span_here(&self) -> Span {
        let length = self.peek().map_or(0, char::len_utf8);
        self.origin.span(self.at, self.at + length)
    }

    fn error_here(
        &self,
        code: &'static str,
        summary: &'static str,
        detail: impl Into<String>,
    ) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(code, summary, detail).at(self.span_here()))
    }

    /// What stands here, in words.
    fn found(&self) -> String {
        match self.peek() {
            None => "the end of the text".into(),
            Some('\n') => "a new line".into(),
            Some(c) => format!("`{c}`"),
        }
    }
}

#[cfg(test)]
mod tests;
