//! `count` and `for_each`: how many instances a resource or module call has, and what each of them sees.

use std::sync::Arc;

use terrane_expr::Expr;
use terrane_model::{Diagnostic, Diagnostics, Key, Span, Type, Value};
use terrane_spec::repetition;

use crate::world::{InstanceScope, evaluate_in};

/// How a resource or module call repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// Neither `count` nor `for_each`: one instance without a key.
    Single,
    /// `count`.
    Count,
    /// `for_each`.
    ForEach,
}

impl Repetition {
    /// By which of the two arguments are given.
    pub fn of(count: Option<&Expr>, for_each: Option<&Expr>) -> Repetition {
        match (count, for_each) {
            (Some(_), _) => Repetition::Count,
            (None, Some(_)) => Repetition::ForEach,
            (None, None) => Repetition::Single,
        }
    }
}

/// One instance that the spec wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Its key.
    pub key: Option<Key>,
    /// `each.value`, with `for_each`.
    pub each_value: Option<Value>,
}

/// The instances that `count` or `for_each` ask for, sorted by key.
///
/// # Errors
/// An expression without a value, a value that is no number or has no keys, and one that is not known yet.
pub fn instances(
    count: Option<&Expr>,
    for_each: Option<&Expr>,
    scope: &InstanceScope<'_, '_>,
) -> Result<Vec<Wanted>, Diagnostics> {
    if let Some(expr) = count {
        let value = evaluate_in(scope, expr)?;
        let count = repetition::count(&value, expr.span()).map_err(|e| vec![e])?;
        let count = count.ok_or_else(|| vec![unknown("count", expr.span())])?;
        let keys = repetition::indexes(count);
        return Ok(keys.map(|key| Wanted { key: Some(key), each_value: None }).collect());
    }
    if let Some(expr) = for_each {
        let value = evaluate_in(scope, expr)?;
        let elements = repetition::for_each(&value, expr.span()).map_err(|e| vec![e])?;
        let elements = elements.ok_or_else(|| vec![unknown("for_each", expr.span())])?;
        let wanted = |(key, value)| Wanted { key: Some(Key::Name(key)), each_value: Some(value) };
        return Ok(elements.into_iter().map(wanted).collect());
    }
    Ok(vec![Wanted { key: None, each_value: None }])
}

fn unknown(what: &'static str, span: Span) -> Diagnostic {
    let detail = match what {
        "count" => "`count` depends on something that is known only after apply.",
        _ => {
            "The keys of `for_each` depend on something that is known only after apply. Unknown *values* of a map are \
              fine; its keys, and the elements of a set, must be known."
        }
    };
    Diagnostic::error("unknown-instances", "Unknown number of instances", detail)
        .at(span)
        .hint("Take the keys from the spec itself (a variable, a local value), not from an attribute of another object.")
}

/// The value of a whole resource or module call from those of its instances.
pub fn whole(repetition: Repetition, instances: impl IntoIterator<Item = (Option<Key>, Value)>) -> Value {
    let mut instances = instances.into_iter();
    match repetition {
        Repetition::Single => instances.next().map_or_else(|| Value::unknown(Type::Any), |(_, value)| value),
        Repetition::Count => Value::tuple(instances.map(|(_, value)| value)),
        Repetition::ForEach => Value::object(instances.filter_map(|(key, value)| match key {
            Some(Key::Name(name)) => Some((name, value)),
            _ => None::<(Arc<str>, Value)>,
        })),
    }
}
