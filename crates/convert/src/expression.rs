//! Expressions: literals become TOML's, everything else a template that holds the text as it was written.

use std::collections::BTreeSet;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Array, Expression, Object, ObjectKey, UnaryOperator};
use terrane_spec::write;

use crate::comments::Gap;
use crate::document::{Element, Entry, Table, Value};
use crate::hcl::Source;
use crate::json::fits;
use crate::position::Reading;
use crate::template;
use crate::text::string;

impl Source<'_> {
    /// The value of an argument.
    pub(crate) fn value(&self, expression: &Expression, reading: Reading) -> Value {
        match (reading, expression) {
            (Reading::Expression, _) => self.expression(expression),
            // In quotes, as it was in the first versions.
            (_, Expression::String(text)) => Value::Scalar(string(text.as_str())),
            (Reading::List, Expression::Array(array)) => {
                self.array(array, &|element| self.value(element, Reading::Verbatim))
            }
            (Reading::Map, Expression::Object(object)) => {
                let key = |key: &Expression| words(self.written(key));
                self.object(object, &key, &|_, value| self.value(value, Reading::Verbatim))
                    .unwrap_or_else(|| self.template(expression))
            }
            (Reading::Requirement, Expression::Object(object)) => {
                let of = |name: &str, value: &Expression| match name {
                    "configuration_aliases" => self.value(value, Reading::List),
                    _ => self.expression(value),
                };
                self.object(object, &|key| self.key(key), &of).unwrap_or_else(|| self.template(expression))
            }
            (Reading::Requirement, _) => self.expression(expression),
            (Reading::Type, _) => Value::Scalar(string(&outdented(self.written(expression)))),
            _ => Value::Scalar(string(&words(self.written(expression)))),
        }
    }

    fn expression(&self, expression: &Expression) -> Value {
        let scalar = match expression {
            Expression::Bool(flag) => flag.value().to_string(),
            Expression::Number(_) => return self.number(expression),
            Expression::UnaryOp(operation)
                if *operation.operator.value() == UnaryOperator::Neg
                    && matches!(operation.expr, Expression::Number(_)) =>
            {
                return self.number(expression);
            }
            Expression::String(text) => string(&write::template(text.as_str())),
            Expression::StringTemplate(parts) => string(&template::quoted(self, parts.iter())),
            Expression::HeredocTemplate(heredoc) => {
                string(&template::heredoc(self, heredoc, self.written(expression)))
            }
            Expression::Array(array) => return self.array(array, &|element| self.expression(element)),
            Expression::Object(object) => {
                return self
                    .object(object, &|key| self.key(key), &|_, value| self.expression(value))
                    .unwrap_or_else(|| self.template(expression));
            }
            _ => return self.template(expression),
        };
        Value::Scalar(scalar)
    }

    /// `"${...}"`.
    fn template(&self, expression: &Expression) -> Value {
        Value::Scalar(string(&format!("${{{}}}", outdented(self.written(expression)))))
    }

    /// TOML's numbers are 64 bits long; others stand in a template.
    fn number(&self, expression: &Expression) -> Value {
        let text = self.written(expression);
        match fits(text) {
            true => Value::Scalar(text.to_owned()),
            false => self.template(expression),
        }
    }

    fn array(&self, array: &Array, of: &dyn Fn(&Expression) -> Value) -> Value {
        let Some(span) = array.span() else { return Value::Array(Vec::new(), Vec::new()) };
        let mut elements: Vec<Element> = Vec::new();
        let mut at = span.start + 1;
        for element in array.iter() {
            let Some(place) = element.span() else { continue };
            let gap = self.gap(at..place.start, false);
            let before = keep(gap, &mut elements, |last| &mut last.after);
            elements.push(Element { before, value: of(element), after: None });
            at = place.end;
        }
        let gap = self.gap(at..span.end.saturating_sub(1), false);
        let tail = keep(gap, &mut elements, |last| &mut last.after);
        Value::Array(elements, tail)
    }

    /// An object as a table. Nothing if it names a key twice: TOML would refuse that.
    fn object(
        &self,
        object: &Object,
        name: &dyn Fn(&Expression) -> String,
        of: &dyn Fn(&str, &Expression) -> Value,
    ) -> Option<Value> {
        let span = object.span()?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut names = BTreeSet::new();
        let mut at = span.start + 1;
        for (key, value) in object {
            let (name, start) = match key {
                ObjectKey::Ident(name) => (name.as_str().to_owned(), name.span()?.start),
                ObjectKey::Expression(key) => (name(key), key.span()?.start),
            };
            if !names.insert(name.clone()) {
                return None;
            }
            let before = keep(self.gap(at..start, false), &mut entries, |last| &mut last.after);
            let value_of = of(&name, value.expr());
            entries.push(Entry { before, name, value: value_of, after: None });
            at = value.expr().span()?.end;
        }
        let tail =
            keep(self.gap(at..span.end.saturating_sub(1), false), &mut entries, |last| &mut last.after);
        Some(Value::Table(Table { entries, tail, ..Table::default() }))
    }

    /// The key of an item of an object, which is a template in a spec.
    fn key(&self, key: &Expression) -> String {
        match key {
            Expression::String(text) => write::template(text.as_str()),
            Expression::StringTemplate(parts) => template::quoted(self, parts.iter()),
            Expression::Number(_) | Expression::Bool(_) => self.written(key).to_owned(),
            Expression::Parenthesis(inside) => format!("${{{}}}", self.written(inside.inner())),
            _ => format!("${{{}}}", self.written(key)),
        }
    }

    fn gap(&self, range: Range<usize>, at_start: bool) -> Gap {
        Gap::read(self.text.get(range).unwrap_or_default(), at_start)
    }
}

/// Hands what stands behind the last item to it, and gives the lines above the next one.
pub(crate) fn keep<T>(
    gap: Gap,
    items: &mut [T],
    after: impl Fn(&mut T) -> &mut Option<String>,
) -> Vec<String> {
    match items.last_mut() {
        Some(last) => {
            *after(last) = gap.after;
            gap.before
        }
        None => gap.lines(),
    }
}

/// The text without the indentation that its lines share, the first one apart. Heredocs keep it, as it belongs to them.
fn outdented(text: &str) -> String {
    let Some((first, rest)) = text.split_once('\n').filter(|_| !text.contains("<<")) else {
        return text.to_owned();
    };
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let shared = rest.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines = rest.lines().map(|line| line.get(shared..).unwrap_or_default().trim_end());
    [first.trim_end()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// One space between words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
