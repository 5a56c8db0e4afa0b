//! `count` and `for_each`: how many instances a resource has, and what each of them sees.

use std::sync::Arc;

use terrane_model::value::Kind;
use terrane_model::{Diagnostic, Diagnostics, Key, Type, Value};
use terrane_spec::ResourceKey;

use crate::world::{World, evaluate_in};

/// How a resource repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// Neither `count` nor `for_each`: one instance without a key.
    Single,
    /// `count`.
    Count,
    /// `for_each`.
    ForEach,
}

/// One instance that the spec wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Its key.
    pub key: Option<Key>,
    /// `each.value`, with `for_each`.
    pub each_value: Option<Value>,
}

/// The instances that the spec wants of a resource. Planning and applying both call this.
///
/// # Errors
/// An expression without a value, or a value that says no number or no keys.
pub fn expand(world: &World<'_>, key: &ResourceKey) -> Result<(Repetition, Vec<Wanted>), Diagnostics> {
    let resource = world.spec().root.resources.get(key);
    let (repetition, expression) = match resource.map(|r| (&r.count, &r.for_each)) {
        Some((Some(expression), _)) => (Repetition::Count, expression),
        Some((None, Some(expression))) => (Repetition::ForEach, expression),
        _ => return Ok((Repetition::Single, vec![Wanted { key: None, each_value: None }])),
    };
    let value = evaluate_in(&world.scope(), expression)?;
    let wanted = match repetition {
        Repetition::Count => count(&value),
        _ => for_each(&value),
    };
    wanted.map(|wanted| (repetition, wanted)).map_err(|error| vec![error.at(expression.span())])
}

/// The instances that a `count` asks for.
///
/// # Errors
/// A count that is null, unknown, negative or no whole number.
pub fn count(value: &Value) -> Result<Vec<Wanted>, Diagnostic> {
    let wrong = |detail: String| {
        Err(Diagnostic::error("invalid-count", "Invalid count", detail)
            .hint("`count` must be a whole number of at least 0, known before apply."))
    };
    let (value, _) = value.clone().unmark();
    if value.is_unknown() {
        return wrong("The value of `count` depends on something that is known only after apply.".into());
    }
    let number = match terrane_model::convert::convert(&value, &Type::Number) {
        Ok(number) if !number.is_null() => number,
        Ok(_) => return wrong("The value of `count` is null.".into()),
        Err(error) => return wrong(format!("The value of `count` is no number: {}.", error.detail)),
    };
    match number.as_i64() {
        Some(n @ 0..=1_000_000) => {
            Ok((0..n.unsigned_abs()).map(|i| Wanted { key: Some(Key::Index(i)), each_value: None }).collect())
        }
        _ => wrong(format!("`count` is {number:?}.")),
    }
}

/// The instances that a `for_each` asks for, sorted by key.
///
/// # Errors
/// Anything but a map, an object or a set of texts; keys that are unknown, null or sensitive.
pub fn for_each(value: &Value) -> Result<Vec<Wanted>, Diagnostic> {
    let wrong = |detail: String| {
        Err(Diagnostic::error("invalid-for-each", "Invalid for_each", detail).hint(
            "`for_each` must be a map, or a set of strings (`toset([...])`), whose keys are known before apply. Unknown \
             or sensitive *values* are fine.",
        ))
    };
    if value.marks().sensitive {
        return wrong("The value of `for_each` is sensitive, and its keys would show in addresses.".into());
    }
    match value.kind() {
        Kind::Null(_) => wrong("The value of `for_each` is null.".into()),
        Kind::Unknown(_) => {
            wrong("The keys of `for_each` depend on something that is known only after apply.".into())
        }
        Kind::Map(_, entries) | Kind::Object(entries) => Ok(entries
            .iter()
            .map(|(key, value)| Wanted { key: Some(Key::Name(key.clone())), each_value: Some(value.clone()) })
            .collect()),
        Kind::Set(Type::String, elements) | Kind::Set(Type::Any, elements) => {
            let mut wanted = Vec::with_capacity(elements.len());
            for element in elements.iter() {
                match element.kind() {
                    Kind::String(key) => wanted.push(Wanted {
                        key: Some(Key::Name(key.clone())),
                        each_value: Some(element.clone()),
                    }),
                    Kind::Unknown(_) => {
                        return wrong("An element of the set is known only after apply.".into());
                    }
                    _ => return wrong("An element of the set is null or no string.".into()),
                }
            }
            Ok(wanted)
        }
        Kind::Set(element, _) => {
            wrong(format!("The value is a set of {}, not of strings.", element.friendly()))
        }
        _ => wrong(format!("The value is a {}.", value.ty().friendly())),
    }
}

/// The value of a whole resource from those of its instances.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(count(&Value::from(2)).unwrap().len(), 2);
        assert_eq!(count(&Value::from("3")).unwrap().len(), 3);
        assert_eq!(count(&Value::from(1).sensitive()).unwrap().len(), 1);
        for bad in [
            Value::from(-1),
            Value::from(true),
            Value::null(Type::Number),
            Value::unknown(Type::Number),
            Value::number("1.5".parse::<terrane_model::Number>().unwrap()),
        ] {
            assert_eq!(count(&bad).unwrap_err().code, "invalid-count", "{bad:?}");
        }
    }

    #[test]
    fn keys_must_be_known_but_values_need_not() {
        let map = Value::object([("a", Value::unknown(Type::String)), ("b", Value::from("x").sensitive())]);
        assert_eq!(for_each(&map).unwrap().len(), 2);
        let set = Value::set(Type::String, [Value::from("a"), Value::unknown(Type::String)]);
        for bad in [set, map.sensitive(), Value::tuple([]), Value::set(Type::Number, [Value::from(1)])] {
            assert_eq!(for_each(&bad).unwrap_err().code, "invalid-for-each", "{bad:?}");
        }
    }
}
