//! Literals of arrays and objects, and `for` in both.

use std::sync::Arc;

use terrane_model::Diagnostic;

use super::{Parsed, Parser};
use crate::ast::{Expr, For, Node, ObjectKey, PostfixStep};

impl Parser<'_> {
    pub(super) fn array(&mut self) -> Parsed<Expr> {
        let start = self.at;
        self.at += 1;
        self.with_lines(false, |p| {
            p.skip();
            if p.at_for() {
                return p.for_expression(start, false);
            }
            let mut elements = Vec::new();
            loop {
                p.skip();
                if p.byte() == Some(b']') {
                    break;
                }
                elements.push(p.expression()?);
                p.skip();
                if !p.eat(",") {
                    break;
                }
            }
            if p.looking_at("...") {
                return Err(p.error_here(
                    "invalid-expansion",
                    "Expansion outside a call",
                    "`...` can only follow the last argument of a function. To join lists, use `concat`.",
                ));
            }
            p.expect("]", "unclosed-array", "Unclosed array", "the array, or a `,` before its next element")?;
            Ok(Expr::array(elements, p.span_from(start)))
        })
    }

    pub(super) fn object(&mut self) -> Parsed<Expr> {
        let start = self.at;
        self.at += 1;
        self.skip_blank(true);
        if self.at_for() {
            return self.with_lines(false, |p| p.for_expression(start, true));
        }
        self.with_lines(true, |p| {
            let mut items = Vec::new();
            loop {
                p.skip_blank(true);
                if p.eat("}") {
                    return Ok(Expr::object(items, p.span_from(start)));
                }
                let key = p.object_key()?;
                items.push((key, p.object_value()?));
                p.skip();
                if !p.eat(",") && !matches!(p.byte(), Some(b'\n' | b'}')) {
                    return Err(p.error_here(
                        "missing-separator",
                        "Missing separator",
                        format!(
                            "A `,` or a new line is expected behind an attribute; there is {}.",
                            p.found()
                        ),
                    ));
                }
            }
        })
    }

    fn object_key(&mut self) -> Parsed<ObjectKey> {
        let start = self.at;
        if let Some(name) = self.identifier() {
            let span = self.span_from(start);
            self.skip();
            if self.at_assignment() {
                return Ok(ObjectKey::Name(name.into(), span));
            }
            if matches!(self.byte(), None | Some(b'}' | b',' | b'\n')) {
                return Err(self.missing_value());
            }
            self.at = start;
        }
        let parenthesised = self.byte() == Some(b'(');
        let key = self.expression()?;
        let is_path = match &key.node {
            Node::Reference(_) | Node::Variable(_) => true,
            Node::Steps(base, steps) => {
                matches!(base.node, Node::Reference(_) | Node::Variable(_))
                    && steps.iter().any(|s| matches!(s.step, PostfixStep::Attribute(_)))
            }
            _ => false,
        };
        if is_path && !parenthesised {
            let detail = "A key that is to be looked up stands in parentheses: `(local.name) = value`. \
                          A key that is meant as text stands in quotes.";
            return Err(Box::new(
                Diagnostic::error("ambiguous-key", "Ambiguous key of an object", detail).at(key.span),
            ));
        }
        Ok(ObjectKey::Computed(key))
    }

    fn at_assignment(&self) -> bool {
        match self.byte() {
            Some(b'=') => !self.looking_at("==") && !self.looking_at("=>"),
            Some(b':') => true,
            _ => false,
        }
    }

    fn object_value(&mut self) -> Parsed<Expr> {
        self.skip();
        if !self.at_assignment() {
            return Err(self.missing_value());
        }
        self.at += 1;
        self.expression()
    }

    fn missing_value(&self) -> Box<Diagnostic> {
        self.error_here(
            "missing-value",
            "Missing value of an attribute",
            format!("A `=` or `:` and a value are expected behind a key; there is {}.", self.found()),
        )
    }

    /// Whether a `for` begins here, and not an attribute of that name.
    fn at_for(&self) -> bool {
        let Some(rest) = self.rest().strip_prefix("for") else { return false };
        rest.starts_with(|c: char| c.is_whitespace() || c == '/' || c == '#')
            && !rest.trim_start().starts_with(['=', ':'])
    }

    /// From the word `for` to the closing bracket.
    fn for_expression(&mut self, start: usize, object: bool) -> Parsed<Expr> {
        self.at += "for".len();
        let first = self.binding()?;
        self.skip();
        let second = if self.eat(",") { Some(self.binding()?) } else { None };
        self.skip();
        let before = self.at;
        if self.identifier() != Some("in") {
            self.at = before;
            return Err(self.invalid_for("The word `in` and a collection are expected here"));
        }
        let collection = self.expression()?;
        self.skip();
        if !self.eat(":") {
            return Err(self.invalid_for("A `:` is expected behind the collection"));
        }
        let (key_name, value_name) = match second {
            Some(value) => (Some(first), value),
            None => (None, first),
        };
        let bound_before = self.bound.len();
        self.bound.extend(key_name.iter().cloned());
        self.bound.push(value_name.clone());
        let parsed = self.for_body(object);
        self.bound.truncate(bound_before);
        let (key, value, group, condition) = parsed?;
        let node = For { key_name, value_name, collection, key, value, condition, group };
        Ok(Expr::new(Node::For(Box::new(node)), self.span_from(start)))
    }

    fn for_body(&mut self, object: bool) -> Parsed<(Option<Expr>, Expr, bool, Option<Expr>)> {
        let first = self.expression()?;
        self.skip();
        let (key, value) = match (self.eat("=>"), object) {
            (true, true) => (Some(first), self.expression()?),
            (false, false) => (None, first),
            (true, false) => {
                self.at -= 2;
                return Err(self
                    .invalid_for("`key => value` makes an object, which stands in `{ }` instead of `[ ]`"));
            }
            (false, true) => {
                return Err(self.invalid_for("An object needs `key => value`; a `=>` is expected here"));
            }
        };
        self.skip();
        let group = self.looking_at("...");
        if group && !object {
            return Err(self.invalid_for("`...` groups the values of one key, and only an object has keys"));
        }
        if group {
            self.at += 3;
            self.skip();
        }
        let before = self.at;
        let condition = match self.identifier() {
            Some("if") => Some(self.expression()?),
            _ => {
                self.at = before;
                None
            }
        };
        self.skip();
        let close = if object { "}" } else { "]" };
        self.expect(close, "invalid-for", "Invalid `for` expression", "the `for` expression")?;
        Ok((key, value, group, condition))
    }

    pub(super) fn binding(&mut self) -> Parsed<Arc<str>> {
        self.skip();
        match self.identifier() {
            Some(name) => Ok(name.into()),
            None => Err(self.invalid_for("A name for the element is expected here")),
        }
    }

    pub(super) fn invalid_for(&self, expected: &str) -> Box<Diagnostic> {
        let detail = format!("{expected}; there is {}.", self.found());
        self.error_here("invalid-for", "Invalid `for` expression", detail)
    }
}
