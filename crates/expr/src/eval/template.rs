//! Templates: text put together from parts.

use std::sync::Arc;

use terrane_model::convert::{article, convert};
use terrane_model::value::Marks;
use terrane_model::{Kind, Span, Type, Unknown, Value};

use super::{Env, Evaluated, Failure, Failures, MAX_TEXT, failure};
use crate::ast::Part;

/// Text on the way.
#[derive(Default)]
struct Text {
    /// Up to the first unknown part.
    text: String,
    marks: Marks,
    unknown: bool,
}

impl Text {
    fn push(&mut self, text: &str) {
        if !self.unknown {
            self.text.push_str(text);
        }
    }

    fn push_value(&mut self, value: Value, span: Span) -> Result<(), Box<Failure>> {
        let invalid = |detail: String| {
            Err(failure("invalid-interpolation", "Invalid value in a template", detail, span))
        };
        if value.is_null() {
            return invalid("The value is null and can't be put into text.".into());
        }
        self.marks = self.marks.union(value.marks());
        let Ok(converted) = convert(&value, &Type::String) else {
            return invalid(format!(
                "Only text, numbers and bools can be put into text, and this is {}. \
                 Use `jsonencode` or `join` to make text of it.",
                article(&value.ty())
            ));
        };
        match converted.kind() {
            Kind::String(text) => self.push(text),
            Kind::Unknown(unknown) => {
                self.push(&unknown.prefix);
                self.unknown = true;
            }
            _ => self.unknown = true,
        }
        Ok(())
    }

    fn finish(self) -> Value {
        let value = match self.unknown {
            false => Value::string(self.text),
            true => Value::unknown_with(Unknown {
                prefix: known_prefix(&self.text),
                ..Unknown::not_null(Type::String)
            }),
        };
        value.with_marks(self.marks)
    }
}

/// The part of a text that stays as it is whatever follows: a letter may still join with an accent behind it.
pub(crate) fn known_prefix(text: &str) -> Arc<str> {
    let firm = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
    match text.chars().next_back() {
        Some(last) if !firm(last) => {
            let length = text.rfind(|c: char| c.is_ascii()).unwrap_or(0);
            text.get(..length).unwrap_or("").into()
        }
        _ => text.into(),
    }
}

impl Env<'_> {
    pub(super) fn template(&self, parts: &[Part]) -> Evaluated {
        let mut text = Text::default();
        let mut failures = Failures::default();
        for part in parts {
            let done = match part {
                Part::Text(literal) => {
                    text.push(literal);
                    continue;
                }
                Part::Value(expr) => self.eval(expr).and_then(|v| text.push_value(v, expr.span)),
                Part::Join(expr) => self.eval(expr).and_then(|v| join(&mut text, &v, expr.span)),
            };
            failures.note(done.map(|()| Value::bool(true)));
            if text.text.len() > MAX_TEXT {
                let span = if let Part::Value(e) | Part::Join(e) = part { e.span } else { continue };
                return Err(failure(
                    "text-too-long",
                    "Text too long",
                    "The text grows beyond 64 MiB here.",
                    span,
                ));
            }
        }
        failures.finish()?;
        Ok(text.finish())
    }
}

/// Adds the results of a `for` directive.
fn join(text: &mut Text, value: &Value, span: Span) -> Result<(), Box<Failure>> {
    text.marks = text.marks.union(value.marks());
    if value.is_unknown() {
        text.unknown = true;
        return Ok(());
    }
    value.elements().iter().try_for_each(|element| text.push_value(element.clone(), span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_nothing_can_join() {
        assert_eq!(&*known_prefix("pre-"), "pre-");
        assert_eq!(&*known_prefix("arn:aws:"), "arn:aws:");
        assert_eq!(&*known_prefix("abc"), "ab");
        assert_eq!(&*known_prefix("a中"), "");
        assert_eq!(&*known_prefix(""), "");
    }
}
