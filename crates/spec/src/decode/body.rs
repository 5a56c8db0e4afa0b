//! Values of the file to expressions.

use std::sync::Arc;

use terrane_expr::{Expr, ObjectKey, Origin, parse_template};
use terrane_model::{Diagnostic, Span, Type, Value};

use super::Decoder;
use crate::place::Places;
use crate::toml::{Content, Entry, Node, Table, Text};

impl Decoder {
    /// The expression of a value. Strings are templates; what is wrong in them is reported, and stands for an unknown.
    pub(crate) fn expr(&mut self, node: &Node) -> Expr {
        match &node.content {
            Content::Text(text) => self.template(text),
            Content::Number(number) => Expr::literal(Value::number(number.clone()), node.span),
            Content::Bool(value) => Expr::literal(Value::bool(*value), node.span),
            Content::Datetime(text) => Expr::literal(Value::string(text.clone()), node.span),
            Content::Broken => Expr::literal(Value::unknown(Type::Any), node.span),
            Content::Array(elements) | Content::Tables(elements) => {
                Expr::array(elements.iter().map(|e| self.expr(e)).collect(), node.span)
            }
            Content::Table(table) => {
                let items = table
                    .entries
                    .iter()
                    .map(|(name, entry)| (self.key(name, entry.key), self.expr(&entry.node)))
                    .collect();
                Expr::object(items, node.span)
            }
        }
    }

    /// The key of an object, which is a template like any string, and normalised like any. That of a block is a name: no
    /// template fits there.
    fn key(&mut self, name: &Arc<str>, span: Span) -> ObjectKey {
        if !is_template(name) {
            let text = Value::string(name.clone());
            return ObjectKey::Name(text.as_str().map_or_else(|| name.clone(), Arc::from), span);
        }
        // Behind the opening quote.
        match parse_template(name, &Origin::linear(span.file, span.start as usize + 1)) {
            Ok(expr) => ObjectKey::Computed(expr),
            Err(found) => {
                self.found.extend(found);
                ObjectKey::Name(name.clone(), span)
            }
        }
    }

    pub(super) fn template(&mut self, text: &Text) -> Expr {
        if !is_template(&text.decoded) {
            return Expr::literal(Value::string(text.decoded.clone()), text.span);
        }
        match parse_template(&text.decoded, &text.origin()) {
            Ok(expr) => expr,
            Err(found) => {
                self.found.extend(found);
                Expr::literal(Value::unknown(Type::Any), text.span)
            }
        }
    }

    /// The object expression of a block's arguments, some of which the caller takes itself.
    pub(super) fn block(&mut self, table: &Table, span: Span, without: &[&str]) -> (Expr, Places) {
        let (items, places) = self.items(table, span, without);
        (Expr::object(items, span), places)
    }

    /// The arguments of a block one by one. A `dynamic` table becomes the block that it stands for.
    pub(super) fn items(
        &mut self,
        table: &Table,
        span: Span,
        without: &[&str],
    ) -> (Vec<(ObjectKey, Expr)>, Places) {
        self.items_with(table, span, without, |_, name, span| ObjectKey::Name(name.clone(), span))
    }

    fn items_with(
        &mut self,
        table: &Table,
        span: Span,
        without: &[&str],
        key: impl Fn(&mut Decoder, &Arc<str>, Span) -> ObjectKey,
    ) -> (Vec<(ObjectKey, Expr)>, Places) {
        let mut items = Vec::new();
        let mut places: Vec<(Arc<str>, Places)> = Vec::new();
        let generated = self.dynamic_blocks(table);
        let taken = |name: &Arc<str>| {
            without.contains(&&**name)
                || generated.as_ref().is_some_and(|g| &**name == "dynamic" || g.contains_key(name))
        };
        for (name, entry) in table.entries.iter().filter(|(name, _)| !taken(name)) {
            let (value, place) = self.argument(&entry.node);
            items.push((key(self, name, entry.key), value));
            places.push((name.clone(), place.with_key(entry.key)));
        }
        for (name, (expr, key)) in generated.into_iter().flatten() {
            places.push((name.clone(), Places::leaf(key).with_key(key)));
            items.push((ObjectKey::Name(name, key), expr));
        }
        (items, Places::named(span, places))
    }

    fn argument(&mut self, node: &Node) -> (Expr, Places) {
        match &node.content {
            Content::Table(table) => {
                let (items, places) = self.items_with(table, node.span, &[], Decoder::key);
                (Expr::object(items, node.span), places)
            }
            Content::Array(elements) | Content::Tables(elements) => {
                let (exprs, places) = elements.iter().map(|e| self.argument(e)).unzip();
                (Expr::array(exprs, node.span), Places::listed(node.span, places))
            }
            _ => (self.expr(node), Places::leaf(node.span)),
        }
    }

    /// Says that an argument may not stand here.
    pub(super) fn refuse(&mut self, entry: &Entry, detail: impl Into<String>) {
        self.report(Diagnostic::error("not-supported", "Argument not supported", detail).at(entry.key));
    }
}

/// Whether there is something to evaluate in a text, or an escape to resolve.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("${") || text.contains("%{")
}
