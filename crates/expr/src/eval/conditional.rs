//! `condition ? a : b`. Both sides are evaluated, since the type of the result is what they have in common; a failure of
//! the side that is not taken does not matter.

use terrane_model::convert::{article, convert, unify};
use terrane_model::{Kind, Span, Type, Unknown, Value};

use super::{Env, Evaluated, failure};
use crate::ast::Conditional;

impl Env<'_> {
    pub(super) fn conditional(&self, node: &Conditional, span: Span) -> Evaluated {
        let condition = self.eval(&node.condition)?;
        let (yes, no) = (self.eval(&node.yes), self.eval(&node.no));
        let (yes, no) = match (yes, no) {
            (Err(failed), _) | (_, Err(failed)) if failed.fatal => return Err(failed),
            sides => sides,
        };
        let null = || {
            failure(
                "null-condition",
                "Null condition",
                "The condition is null; it must be true or false.",
                node.condition.span,
            )
        };
        if condition.is_null() {
            return Err(null());
        }
        let condition = convert(&condition, &Type::Bool).map_err(|error| {
            let detail = format!("The condition must be true or false: {}.", error.detail);
            failure("invalid-condition", "Invalid condition", detail, node.condition.span)
        })?;
        let marks = condition.marks();
        let common = match (&yes, &no) {
            (Ok(yes), Ok(no)) => Some(common_type(yes, no).ok_or_else(|| {
                let detail = format!(
                    "The two results must have a type in common; the first one is {}, the second one is {}.{}",
                    article(&yes.ty()),
                    article(&no.ty()),
                    if yes.ty() == no.ty() || yes.ty().friendly() == no.ty().friendly() { " What is inside them differs." } else { "" },
                );
                failure("inconsistent-results", "Inconsistent results of a condition", detail, span)
            })?),
            _ => None,
        };
        let Some(condition) = condition.as_bool() else {
            let (yes, no) = match (yes, no) {
                (Ok(yes), Ok(no)) => (yes, no),
                // Only the side that succeeds can become the result.
                (Ok(side), Err(_)) | (Err(_), Ok(side)) => (side.clone(), side),
                (Err(failed), Err(_)) => return Err(failed),
            };
            return Ok(either(&yes, &no, common.unwrap_or(Type::Any))
                .with_marks(marks.union(yes.marks()).union(no.marks())));
        };
        let taken = if condition { yes? } else { no? };
        let converted = match &common {
            Some(ty) if !is_open(&taken) => convert(&taken, ty).map_err(|error| {
                let side = if condition { &node.yes } else { &node.no };
                failure(
                    "inconsistent-results",
                    "Inconsistent results of a condition",
                    error.detail,
                    side.span,
                )
            })?,
            _ => taken,
        };
        Ok(converted.with_marks(marks))
    }
}

/// Whether it may still turn out to be of any type.
fn is_open(value: &Value) -> bool {
    matches!(value.kind(), Kind::Unknown(unknown) if unknown.ty == Type::Any)
}

/// The type of the result; any where a side may still turn out to be of any type.
fn common_type(yes: &Value, no: &Value) -> Option<Type> {
    if is_open(yes) || is_open(no) {
        return Some(Type::Any);
    }
    unify(&[yes.ty(), no.ty()])
}

/// What is known of the result while the condition is not.
fn either(yes: &Value, no: &Value, ty: Type) -> Value {
    if yes.is_null() && no.is_null() {
        return Value::null(ty);
    }
    let range = |value: &Value| match value.kind() {
        Kind::Unknown(unknown) => {
            (unknown.not_null, unknown.prefix.clone(), unknown.min_len, unknown.max_len)
        }
        Kind::Null(_) => (false, "".into(), 0, None),
        Kind::String(text) => (true, text.clone(), 0, None),
        Kind::List(_, es) | Kind::Tuple(es) => (true, "".into(), es.len(), Some(es.len())),
        Kind::Set(_, es) => (true, "".into(), es.len().min(1), Some(es.len())),
        Kind::Map(_, m) | Kind::Object(m) => (true, "".into(), m.len(), Some(m.len())),
        Kind::Bool(_) | Kind::Number(_) => (true, "".into(), 0, None),
    };
    let ((a_not_null, a_prefix, a_min, a_max), (b_not_null, b_prefix, b_min, b_max)) =
        (range(yes), range(no));
    let mut unknown = Unknown { not_null: a_not_null && b_not_null, ..Unknown::of(ty) };
    if yes.ty() == Type::String && no.ty() == Type::String {
        let shared = a_prefix.char_indices().zip(b_prefix.chars()).find(|((_, a), b)| a != b);
        let length = shared.map_or(a_prefix.len().min(b_prefix.len()), |((i, _), _)| i);
        unknown.prefix = super::known_prefix(a_prefix.get(..length).unwrap_or(""));
    }
    if unknown.ty.is_collection() {
        unknown.min_len = a_min.min(b_min);
        unknown.max_len = a_max.zip(b_max).map(|(a, b)| a.max(b));
    }
    Value::unknown_with(unknown)
}
