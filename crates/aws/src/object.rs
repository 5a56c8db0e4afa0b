//! Reading and building the objects that verbs get and give: values in the shape of a schema.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use terrane_model::conform::conform;
use terrane_model::{Kind, Schema, Type, Unknown, Value};
use terrane_provider::Error;

/// A text attribute; nothing when it is null or unknown.
pub fn text<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    object.get(name)?.as_str()
}

/// A text attribute that is not empty.
pub fn filled<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    text(object, name).filter(|text| !text.is_empty())
}

/// A text attribute that must be there by now.
///
/// # Errors
/// A bug: the engine gives verbs only wholly known values.
pub fn needed<'v>(object: &'v Value, name: &str, operation: &'static str) -> Result<&'v str, Error> {
    filled(object, name).ok_or_else(|| Error::bug(operation, format!("The attribute `{name}` has no value.")))
}

/// A truth value; false when it is null or unknown.
pub fn flag(object: &Value, name: &str) -> bool {
    object.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// Whether an attribute has a value that is not known yet.
pub fn is_open(object: &Value, name: &str) -> bool {
    object.get(name).is_some_and(Value::is_unknown)
}

/// A whole number; nothing when it is null or unknown.
pub fn whole(object: &Value, name: &str) -> Option<i64> {
    object.get(name)?.as_i64()
}

/// The only element of a block that occurs at most once.
pub fn first<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.get(name)?.index(0)
}

/// The elements of a list or set; none when it is null or unknown.
pub fn elements<'v>(object: &'v Value, name: &str) -> &'v [Value] {
    object.get(name).map(Value::elements).unwrap_or_default()
}

/// The texts of a list or set of text.
pub fn texts(object: &Value, name: &str) -> Vec<String> {
    elements(object, name).iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The known entries of a map of text.
pub fn text_map(value: Option<&Value>) -> BTreeMap<String, String> {
    let entries = value.and_then(Value::entries).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned()))).collect()
}

/// Text as the state has it: empty where the service says nothing.
pub fn or_empty(text: Option<&str>) -> Value {
    Value::from(text.unwrap_or_default())
}

/// A time as the state has it: in UTC, to the second; empty where the service says nothing.
pub fn time(date: Option<&DateTime>) -> Value {
    let text = date.and_then(|date| DateTime::from_secs(date.secs()).fmt(Format::DateTime).ok());
    Value::from(text.unwrap_or_default())
}

/// An unknown text that will not be null.
pub fn unknown_text() -> Value {
    Value::unknown_with(Unknown::not_null(Type::String))
}

/// An unknown text of which the beginning is known.
pub fn unknown_with_prefix(prefix: &str) -> Value {
    Value::unknown_with(Unknown { prefix: prefix.into(), ..Unknown::not_null(Type::String) })
}

/// The object of which nothing is known: every attribute null, every block absent.
pub fn absent(schema: &Schema) -> Value {
    conform(&Value::object::<&str>([]), &schema.block).0
}

/// The value with null in place of everything unknown, for an object that is only partly made.
pub fn settled(value: Value) -> Value {
    match value.kind() {
        Kind::Unknown(unknown) => Value::null(unknown.ty.clone()),
        _ => value.map_elements(&mut settled),
    }
}

/// Whether a value says no more than its absence: null, empty, false or 0, at every depth.
pub fn is_zero(value: &Value) -> bool {
    match value.kind() {
        Kind::Null(_) => true,
        Kind::Unknown(_) => false,
        Kind::Bool(flag) => !flag,
        Kind::Number(number) => number.to_i64() == Some(0),
        Kind::String(text) => text.is_empty(),
        Kind::List(_, elements) | Kind::Set(_, elements) | Kind::Tuple(elements) => elements.is_empty(),
        Kind::Map(_, entries) => entries.is_empty(),
        Kind::Object(fields) => fields.values().all(is_zero),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_what_says_no_more_than_absence() {
        let nothing = [
            Value::null(Type::String),
            Value::from(""),
            Value::from(false),
            Value::from(0),
            Value::list(Type::String, []),
            Value::object([("create", Value::null(Type::String))]),
        ];
        assert!(nothing.iter().all(is_zero));
        let something = [Value::from(" "), Value::from(true), Value::unknown(Type::String), Value::from(-1)];
        assert!(!something.iter().any(is_zero));
    }

    #[test]
    fn times_are_in_seconds() {
        assert_eq!(
            time(Some(&DateTime::from_secs_f64(1_795_463_926.7))),
            Value::from("2026-11-23T19:58:46Z")
        );
        assert_eq!(time(None), Value::from(""));
    }

    #[test]
    fn settled_has_no_unknowns_at_any_depth() {
        let value = Value::object([(
            "a",
            Value::list(Type::String, [Value::unknown(Type::String), Value::from("x")]),
        )]);
        let expected =
            Value::object([("a", Value::list(Type::String, [Value::null(Type::String), Value::from("x")]))]);
        assert_eq!(settled(value), expected);
    }

    #[test]
    fn accessors_answer_nothing_for_unknown_and_null() {
        let object = Value::object([("a", Value::unknown(Type::String)), ("b", Value::null(Type::Bool))]);
        assert_eq!((text(&object, "a"), flag(&object, "b"), whole(&object, "c")), (None, false, None));
        assert!(needed(&object, "a", "kms:CreateKey").is_err());
    }
}
