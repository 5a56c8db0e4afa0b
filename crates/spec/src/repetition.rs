//! `count` and `for_each`: from a value to the keys of the instances. One set of rules for the check and for the plan.

use std::sync::Arc;

use terrane_model::convert::{article, convert};
use terrane_model::{Diagnostic, Key, Kind, Span, Type, Value};

/// More instances than any stack has; a slip of the pen should not fill the memory.
const MOST: u64 = 1_000_000;

/// The instances of a `for_each`: each key with `each.value`, sorted by key.
pub type Elements = Vec<(Arc<str>, Value)>;

/// How many instances a `count` asks for; nothing while it is unknown. A sensitive count is allowed.
///
/// # Errors
/// When the value is no whole number from 0 on.
pub fn count(value: &Value, span: Span) -> Result<Option<u64>, Diagnostic> {
    let invalid = |detail: String| Err(Diagnostic::error("invalid-count", "Invalid count", detail).at(span));
    if value.is_null() {
        return invalid("`count` is null. Set it to the number of instances, or take it out.".into());
    }
    let number = match value.kind() {
        Kind::Bool(_) => {
            return invalid(
                "`count` must be a number, and this is a bool. Write `\"${condition ? 1 : 0}\"`.".into(),
            );
        }
        _ => match convert(value, &Type::Number) {
            Ok(number) => number,
            Err(error) => return invalid(format!("`count` must be a number: {}.", error.detail)),
        },
    };
    let Kind::Number(number) = number.kind() else { return Ok(None) };
    match number.to_i64().and_then(|n| u64::try_from(n).ok()) {
        Some(count) if count <= MOST => Ok(Some(count)),
        Some(_) => invalid(format!("`count` is `{number}`, and at most {MOST} instances are allowed.")),
        None if value.marks().sensitive => invalid("`count` must be a whole number from 0 on.".into()),
        None => invalid(format!("`count` must be a whole number from 0 on, and it is `{number}`.")),
    }
}

/// The instances that a `for_each` asks for; nothing while the keys are unknown.
///
/// # Errors
/// When the value is neither a map, an object nor a set of strings, or is sensitive.
pub fn for_each(value: &Value, span: Span) -> Result<Option<Elements>, Diagnostic> {
    let invalid =
        |detail: String| Err(Diagnostic::error("invalid-for-each", "Invalid for_each", detail).at(span));
    if value.marks().sensitive {
        return invalid(
            "`for_each` is sensitive. The keys of instances are part of their addresses and can't be hidden. Use \
             `nonsensitive()` on the keys if they may be shown."
                .into(),
        );
    }
    if value.marks().ephemeral {
        return invalid("`for_each` is ephemeral. The keys of instances are kept in the state.".into());
    }
    match value.kind() {
        Kind::Null(_) => invalid("`for_each` is null. Give an empty map or set for no instances.".into()),
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Any | Type::Map(_) | Type::Object(_) => Ok(None),
            Type::Set(element) if matches!(**element, Type::String | Type::Any) => Ok(None),
            ty => invalid(wrong_type(ty)),
        },
        Kind::Map(_, entries) | Kind::Object(entries) => {
            Ok(Some(entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect()))
        }
        Kind::Set(_, elements) if elements.is_empty() => Ok(Some(vec![])),
        Kind::Set(Type::String, elements) => {
            let mut found = Vec::with_capacity(elements.len());
            for element in elements.iter() {
                match element.kind() {
                    Kind::String(text) => found.push((text.clone(), element.clone())),
                    Kind::Null(_) => {
                        return invalid("`for_each` is a set with null in it. Take the null out.".into());
                    }
                    _ => return Ok(None),
                }
            }
            Ok(Some(found))
        }
        _ => invalid(wrong_type(&value.ty())),
    }
}

fn wrong_type(ty: &Type) -> String {
    let advice = match ty {
        Type::List(_) | Type::Tuple(_) => {
            " Make a set of it with `toset()`, or a map with a `for` expression."
        }
        Type::Set(_) => " Make its elements strings.",
        _ => "",
    };
    format!("`for_each` must be a map, an object or a set of strings, and this is {}.{advice}", article(ty))
}

/// The keys that a count gives.
pub fn indexes(count: u64) -> impl Iterator<Item = Key> {
    (0..count).map(Key::Index)
}

#[cfg(test)]
mod tests {
    use terrane_model::FileId;

    use super::*;

    fn span() -> Span {
        Span::new(FileId(0), 0, 1)
    }

    #[test]
    fn counts_are_whole_numbers() {
        assert_eq!(count(&Value::from(3), span()), Ok(Some(3)));
        assert_eq!(count(&Value::from("2"), span()), Ok(Some(2)));
        assert_eq!(count(&Value::from(1).sensitive(), span()), Ok(Some(1)));
        assert_eq!(count(&Value::unknown(Type::Number), span()), Ok(None));
        let half = Value::number("0.5".parse::<terrane_model::Number>().unwrap());
        let bad = [Value::from(-1), half, Value::from(true), Value::null(Type::Number), Value::tuple([])];
        for value in bad {
            assert!(count(&value, span()).is_err(), "{value:?}");
        }
        let error = count(&Value::from(-7).sensitive(), span()).unwrap_err();
        assert!(!error.detail.contains("-7"));
        assert!(count(&Value::from(i64::MAX), span()).is_err());
    }

    #[test]
    fn for_each_takes_maps_and_sets_of_strings() {
        let object = Value::object([("a", Value::unknown(Type::Any)), ("b", Value::from(1).sensitive())]);
        let elements = for_each(&object, span()).unwrap().unwrap();
        assert_eq!(elements.iter().map(|(k, _)| &**k).collect::<Vec<_>>(), ["a", "b"]);
        let set = Value::set(Type::String, [Value::from("x"), Value::from("")]);
        assert_eq!(for_each(&set, span()).unwrap().unwrap().len(), 2);
        let partly = Value::set(Type::String, [Value::from("x"), Value::unknown(Type::String)]);
        assert_eq!(for_each(&partly, span()), Ok(None));
        assert_eq!(for_each(&Value::unknown(Type::Any), span()), Ok(None));
        let bad = [
            Value::tuple([]),
            Value::list(Type::String, []),
            Value::set(Type::Number, [Value::from(1)]),
            Value::set(Type::String, [Value::null(Type::String)]),
            Value::null(Type::Any),
            Value::from("x"),
            Value::unknown(Type::list(Type::String)),
            Value::object([("a", Value::from(1))]).sensitive(),
        ];
        for value in bad {
            assert!(for_each(&value, span()).is_err(), "{value:?}");
        }
    }
}
