//! Templates: text with `${...}` and `%{...}`, in quotes or bare.

use std::sync::Arc;

use terrane_model::{Diagnostic, Value};

use super::heredoc::ends_heredoc;
use super::{Parsed, Parser};
use crate::ast::{Conditional, Expr, For, Node, Part};

/// How the text around the markers is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style<'t> {
    /// In quotes, with escapes.
    Quoted,
    /// As it stands. Strip marks reach to the end of a line at most.
    Bare,
    /// As it stands, up to a line with the word alone.
    Heredoc(&'t str),
}

/// What ends a run of parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The quote or the text itself.
    Whole,
    /// `else`
    Else,
    /// `endif`
    If,
    /// `endfor`
    For,
}

/// Parts on the way: text is kept in the pieces that a strip mark works on.
#[derive(Default)]
struct Parts {
    parts: Vec<Piece>,
    /// The marker before stripped what follows it.
    strip_next: bool,
}

enum Piece {
    Text(String),
    Part(Part),
}

impl Parts {
    fn strip_last(&mut self) {
        if let Some(Piece::Text(text)) = self.parts.last_mut() {
            text.truncate(text.trim_end().len());
        }
    }

    fn finish(self) -> Vec<Part> {
        let mut finished = Vec::new();
        let mut text = String::new();
        for piece in self.parts {
            match piece {
                Piece::Text(more) => text.push_str(&more),
                Piece::Part(part) => {
                    if !text.is_empty() {
                        finished.push(Part::Text(std::mem::take(&mut text).into()));
                    }
                    finished.push(part);
                }
            }
        }
        if !text.is_empty() {
            finished.push(Part::Text(text.into()));
        }
        finished
    }
}

impl<'t> Parser<'t> {
    pub(super) fn whole_template(&mut self) -> Parsed<Expr> {
        let plain = |text: &str| !text.contains("${") && !text.contains("%{");
        if plain(self.text) {
            let span = self.origin.span(0, self.text.len());
            return Ok(Expr::literal(Value::from(self.text), span));
        }
        self.bare_template()
    }

    /// A bare template up to the end.
    fn bare_template(&mut self) -> Parsed<Expr> {
        let (parts, _) = self.parts(Style::Bare, None)?;
        Ok(self.unwrapped(parts, 0))
    }

    /// The lines of a heredoc, up to the one with the word.
    pub(super) fn heredoc_template(&mut self, word: &'t str) -> Parsed<Expr> {
        let start = self.at;
        let (parts, _) = self.parts(Style::Heredoc(word), None)?;
        Ok(self.unwrapped(parts, start))
    }

    pub(super) fn quoted_template(&mut self) -> Parsed<Expr> {
        let start = self.at;
        self.at += 1;
        let (parts, _) = self.apart(|p| p.parts(Style::Quoted, None))?;
        Ok(self.unwrapped(parts, start))
    }

    /// A template that is one whole expression is that expression.
    fn unwrapped(&self, parts: Parts, start: usize) -> Expr {
        let mut parts = parts.finish();
        match parts.pop() {
            Some(Part::Value(expr)) if parts.is_empty() && !expr.is_branching_text() => expr,
            last => {
                parts.extend(last);
                self.template_of(parts, start)
            }
        }
    }

    fn template_of(&self, parts: Vec<Part>, start: usize) -> Expr {
        let span = self.origin.span(start, self.at);
        match parts.as_slice() {
            [] => Expr::literal(Value::from(""), span),
            [Part::Text(text)] => Expr::literal(Value::string(text.clone()), span),
            _ => Expr::new(Node::Template(parts.into()), span),
        }
    }

    /// Text and markers up to the closing quote, the end, or a directive that belongs to `open`.
    fn parts(&mut self, style: Style<'t>, open: Option<End>) -> Parsed<(Parts, End)> {
        let mut parts = Parts::default();
        self.strip_after_directive(&mut parts);
        loop {
            self.text_pieces(style, &mut parts)?;
            if self.at_end() || self.at_heredoc_end(style) {
                return match (style, open) {
                    (Style::Bare, None) => Ok((parts, End::Whole)),
                    (Style::Heredoc(_), None) if !self.at_end() => Ok((parts, End::Whole)),
                    (_, Some(_)) => Err(self.unfinished(open)),
                    (Style::Heredoc(word), None) => Err(self.error_here(
                        "unclosed-heredoc",
                        "Unclosed heredoc",
                        format!("A line with the word `{word}` alone is expected to end the text."),
                    )),
                    (Style::Quoted, None) => Err(self.error_here(
                        "unclosed-quote",
                        "Unclosed quote",
                        "A `\"` is expected here to close the text.",
                    )),
                };
            }
            if style == Style::Quoted && self.byte() == Some(b'"') {
                if open.is_some() {
                    return Err(self.unfinished(open));
                }
                self.at += 1;
                return Ok((parts, End::Whole));
            }
            let start = self.at;
            let directive = self.byte() == Some(b'%');
            self.at += 2;
            let strips = self.eat("~");
            if strips {
                parts.strip_last();
            }
            self.marker(strips);
            parts.strip_next = false;
            if !directive {
                let value = self.with_lines(false, |p| {
                    p.skip();
                    if matches!(p.byte(), Some(b'}' | b'~')) {
                        return Err(p.error_here(
                            "missing-expression",
                            "Missing expression",
                            "An expression is expected between `${` and `}`. A literal `${` is written `$${`.",
                        ));
                    }
                    p.expression()
                })?;
                self.close_marker()?;
                parts.parts.push(Piece::Part(Part::Value(value)));
                self.strip_after_directive(&mut parts);
            } else if let Some(end) = self.directive(style, open, start, &mut parts)? {
                return Ok((parts, end));
            }
        }
    }

    fn push_text(&mut self, parts: &mut Parts, text: String) {
        let text = match std::mem::take(&mut parts.strip_next) {
            true => text.trim_start().to_owned(),
            false => text,
        };
        let text = self.piece(text);
        parts.parts.push(Piece::Text(text));
    }

    /// Whether the marker that was just read ends in `~}`.
    fn strip_after_directive(&mut self, parts: &mut Parts) {
        let before = self.text.get(..self.at).unwrap_or("");
        parts.strip_next = self.at > 0 && before.ends_with("~}");
    }

    fn close_marker(&mut self) -> Parsed<()> {
        self.skip_blank(true);
        if self.eat("~}") {
            return Ok(());
        }
        self.expect(
            "}",
            "unclosed-marker",
            "Unclosed template marker",
            "the `${` or `%{` before, or an operator",
        )
    }

    /// Whether the line that begins here ends the heredoc.
    fn at_heredoc_end(&self, style: Style<'t>) -> bool {
        let Style::Heredoc(word) = style else { return false };
        let before = self.text.get(..self.at).unwrap_or("");
        before.ends_with('\n') && ends_heredoc(self.rest(), word)
    }

    /// Reads literal text up to a marker, the closing quote or the end.
    fn text_pieces(&mut self, style: Style<'t>, parts: &mut Parts) -> Parsed<()> {
        let mut text = String::new();
        let mut any = false;
        loop {
            if self.at_heredoc_end(style) {
                break;
            }
            let rest = self.rest();
            let stop = match style {
                Style::Bare | Style::Heredoc(_) => rest.find(['$', '%', '\n']),
                Style::Quoted => rest.find(['$', '%', '"', '\\', '\n']),
            };
            let plain = rest.get(..stop.unwrap_or(rest.len())).unwrap_or("");
            text.push_str(plain);
            any |= !plain.is_empty();
            self.at += plain.len();
            match self.byte() {
                None | Some(b'"') => break,
                Some(b'\n') if style == Style::Quoted => {
                    return Err(self.error_here(
                        "newline-in-quotes",
                        "New line inside quotes",
                        "Text in quotes can't go on in the next line. Write `\\n`, or close the quotes.",
                    ));
                }
                Some(b'\n') => {
                    self.at += 1;
                    text.push('\n');
                    self.push_text(parts, std::mem::take(&mut text));
                    any = false;
                }
                Some(b'\\') => {
                    text.push(self.escape()?);
                    any = true;
                }
                _ if self.eat("$${") => {
                    text.push_str("${");
                    any = true;
                }
                _ if self.eat("%%{") => {
                    text.push_str("%{");
                    any = true;
                }
                _ if self.looking_at("${") || self.looking_at("%{") => break,
                _ => {
                    text.extend(self.peek());
                    any = true;
                    self.at += 1;
                }
            }
        }
        if any {
            self.push_text(parts, text);
        }
        Ok(())
    }

    fn escape(&mut self) -> Parsed<char> {
        let start = self.at;
        self.at += 1;
        let kind = self.peek();
        self.at += kind.map_or(0, char::len_utf8);
        let digits = match kind {
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some('"') => return Ok('"'),
            Some('\\') => return Ok('\\'),
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        let code = self.rest().get(..digits).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let character = code.and_then(|c| u32::from_str_radix(c, 16).ok()).and_then(char::from_u32);
        if let (1.., Some(character)) = (digits, character) {
            self.at += digits;
            return Ok(character);
        }
        let detail =
            "The escapes are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uXXXX` and `\\UXXXXXXXX` (hexadecimal).";
        let span = self.origin.span(start, self.at);
        Err(Box::new(Diagnostic::error("invalid-escape", "Invalid escape", detail).at(span)))
    }

    /// A directive whose `%{` was read. Gives an end when it belongs to the directive around.
    fn directive(
        &mut self,
        style: Style<'t>,
        open: Option<End>,
        start: usize,
        parts: &mut Parts,
    ) -> Parsed<Option<End>> {
        self.skip_blank(true);
        let word_at = self.at;
        let word = self.identifier();
        let end = match word {
            Some("if") => {
                let part = self.deeper(|p| p.if_directive(style, start))?;
                parts.parts.push(Piece::Part(part));
                self.strip_after_directive(parts);
                return Ok(None);
            }
            Some("for") => {
                let part = self.deeper(|p| p.for_directive(style, start))?;
                parts.parts.push(Piece::Part(part));
                self.strip_after_directive(parts);
                return Ok(None);
            }
            Some("else") => End::Else,
            Some("endif") => End::If,
            Some("endfor") => End::For,
            _ => {
                self.at = word_at;
                return Err(self.error_here(
                    "unknown-directive",
                    "Unknown template directive",
                    "The directives are `if`, `else`, `endif`, `for` and `endfor`. A literal `%{` is written `%%{`.",
                ));
            }
        };
        let belongs = match open {
            Some(End::If) => end == End::If,
            Some(End::Else) => end == End::Else || end == End::If,
            Some(End::For) => end == End::For,
            _ => false,
        };
        if !belongs {
            let span = self.span_from(start);
            let detail = match open {
                Some(End::For) => "The `%{ for }` before must be closed by `%{ endfor }` first.",
                Some(_) => "The `%{ if }` before must be closed by `%{ endif }` first.",
                None => "There is no `%{ if }` or `%{ for }` before that this could belong to.",
            };
            let problem = Diagnostic::error("unexpected-directive", "Unexpected template directive", detail);
            return Err(Box::new(problem.at(span)));
        }
        self.close_marker()?;
        Ok(Some(end))
    }

    fn unfinished(&self, open: Option<End>) -> Box<Diagnostic> {
        let missing = if open == Some(End::For) { "endfor" } else { "endif" };
        let detail = format!("A `%{{ {missing} }}` is expected before the text ends here.");
        self.error_here("unclosed-directive", "Unclosed template directive", detail)
    }

    fn if_directive(&mut self, style: Style<'t>, start: usize) -> Parsed<Part> {
        let condition = self.with_lines(false, Parser::expression)?;
        self.close_marker()?;
        let yes_at = self.at;
        let (yes, end) = self.parts(style, Some(End::Else))?;
        let yes = self.template_of(yes.finish(), yes_at);
        let no_at = self.at;
        let no = match end {
            End::Else => self.parts(style, Some(End::If))?.0.finish(),
            _ => Vec::new(),
        };
        let no = self.template_of(no, no_at);
        let node = Node::Conditional(Box::new(Conditional { condition, yes, no }));
        // Wrapped, so that a template which is this directive alone gives text.
        let conditional = Expr::new(node, self.span_from(start));
        Ok(Part::Value(Expr::new(
            Node::Template(Box::new([Part::Value(conditional)])),
            self.span_from(start),
        )))
    }

    fn for_directive(&mut self, style: Style<'t>, start: usize) -> Parsed<Part> {
        let (key_name, value_name, collection) = self.with_lines(false, |p| {
            let first = p.binding()?;
            p.skip();
            let second = if p.eat(",") { Some(p.binding()?) } else { None };
            p.skip();
            let before = p.at;
            if p.identifier() != Some("in") {
                p.at = before;
                return Err(p.invalid_for("The word `in` and a collection are expected here"));
            }
            let (key, value): (Option<Arc<str>>, Arc<str>) = match second {
                Some(value) => (Some(first), value),
                None => (None, first),
            };
            Ok((key, value, p.expression()?))
        })?;
        self.close_marker()?;
        let body_at = self.at;
        let bound_before = self.bound.len();
        self.bound.extend(key_name.iter().cloned());
        self.bound.push(value_name.clone());
        let body = self.parts(style, Some(End::For));
        self.bound.truncate(bound_before);
        let value = self.template_of(body?.0.finish(), body_at);
        let node = For { key_name, value_name, collection, key: None, value, condition: None, group: false };
        Ok(Part::Join(Expr::new(Node::For(Box::new(node)), self.span_from(start))))
    }
}

impl Expr {
    /// Whether it is what an `if` directive became: text, even where it stands alone.
    fn is_branching_text(&self) -> bool {
        matches!(self.node, Node::Template(_))
    }
}
