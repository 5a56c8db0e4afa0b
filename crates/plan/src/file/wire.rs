//! Values with unknowns and marks as JSON, without loss.
//!
//! Texts, truth values, integers and tuples stand for themselves; everything else is an object with one key that says
//! what it is.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use terrane_model::json::{type_from_json, type_to_json};
use terrane_model::value::Marks;
use terrane_model::{Kind, Number, Unknown, Value};

/// Encodes a value.
pub fn value_to_wire(value: &Value) -> Json {
    let plain = kind_to_wire(value.kind());
    let marks = value.marks();
    match marks.any() {
        true => json!({ "marked": plain, "sensitive": marks.sensitive, "ephemeral": marks.ephemeral }),
        false => plain,
    }
}

fn kind_to_wire(kind: &Kind) -> Json {
    let all = |elements: &[Value]| elements.iter().map(value_to_wire).collect::<Vec<_>>();
    let fields = |entries: &std::collections::BTreeMap<Arc<str>, Value>| {
        entries.iter().map(|(k, v)| (k.to_string(), value_to_wire(v))).collect::<Map<_, _>>()
    };
    match kind {
        Kind::Null(ty) => json!({ "null": type_to_json(ty) }),
        Kind::Unknown(unknown) => json!({ "unknown": {
            "type": type_to_json(&unknown.ty),
            "not_null": unknown.not_null,
            "prefix": unknown.prefix.as_ref(),
            "min_len": unknown.min_len,
            "max_len": unknown.max_len,
        } }),
        Kind::Bool(b) => json!(b),
        Kind::Number(n) => match n.to_i64() {
            Some(n) => json!(n),
            None => json!({ "number": n.to_string() }),
        },
        Kind::String(s) => json!(s.as_ref()),
        Kind::List(ty, elements) => json!({ "list": all(elements), "of": type_to_json(ty) }),
        Kind::Set(ty, elements) => json!({ "set": all(elements), "of": type_to_json(ty) }),
        Kind::Map(ty, entries) => json!({ "map": fields(entries), "of": type_to_json(ty) }),
        Kind::Tuple(elements) => Json::Array(all(elements)),
        Kind::Object(entries) => json!({ "object": fields(entries) }),
    }
}

/// Decodes a value. Nothing when it is damaged.
pub fn value_from_wire(json: &Json) -> Option<Value> {
    let all = |json: &Json| json.as_array()?.iter().map(value_from_wire).collect::<Option<Vec<_>>>();
    match json {
        Json::Null => None,
        Json::Bool(b) => Some(Value::bool(*b)),
        Json::Number(n) => Some(Value::number(n.as_i64()?)),
        Json::String(s) => Some(Value::from(s.as_str())),
        Json::Array(_) => Some(Value::tuple(all(json)?)),
        Json::Object(object) => {
            let of = || object.get("of").and_then(type_from_json);
            if let Some(inner) = object.get("marked") {
                let flag = |name: &str| object.get(name).and_then(Json::as_bool).unwrap_or(false);
                let marks = Marks { sensitive: flag("sensitive"), ephemeral: flag("ephemeral") };
                return Some(value_from_wire(inner)?.with_marks(marks));
            }
            if let Some(ty) = object.get("null") {
                return Some(Value::null(type_from_json(ty)?));
            }
            if let Some(unknown) = object.get("unknown") {
                return unknown_from_wire(unknown);
            }
            if let Some(number) = object.get("number") {
                return Some(Value::number(number.as_str()?.parse::<Number>().ok()?));
            }
            if let Some(elements) = object.get("list") {
                return Some(Value::list(of()?, all(elements)?));
            }
            if let Some(elements) = object.get("set") {
                return Some(Value::set(of()?, all(elements)?));
            }
            if let Some(entries) = object.get("map") {
                return Some(Value::map(of()?, fields(entries)?));
            }
            Some(Value::object(fields(object.get("object")?)?))
        }
    }
}

fn fields(json: &Json) -> Option<Vec<(&str, Value)>> {
    json.as_object()?.iter().map(|(k, v)| Some((k.as_str(), value_from_wire(v)?))).collect()
}

fn unknown_from_wire(json: &Json) -> Option<Value> {
    let length = |name: &str| json.get(name).and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok());
    Some(Value::unknown_with(Unknown {
        ty: type_from_json(json.get("type")?)?,
        not_null: json.get("not_null")?.as_bool()?,
        prefix: json.get("prefix")?.as_str()?.into(),
        min_len: length("min_len")?,
        max_len: length("max_len"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::Type;

    #[test]
    fn nothing_is_lost() {
        let unknown = Unknown { not_null: true, prefix: "arn:".into(), ..Unknown::of(Type::String) };
        let values = [
            Value::null(Type::list(Type::String)),
            Value::unknown_with(unknown),
            Value::number("0.1".parse::<Number>().unwrap()),
            Value::list(Type::Number, [Value::from(1), Value::null(Type::Number)]),
            Value::set(Type::String, [Value::from("b"), Value::from("a")]).sensitive(),
            Value::map(Type::Bool, [("x", Value::from(true).sensitive())]),
            Value::object([("marked", Value::tuple([Value::object([("null", Value::from("text"))])]))]),
        ];
        for value in values {
            let text = value_to_wire(&value).to_string();
            assert_eq!(value_from_wire(&serde_json::from_str(&text).unwrap()), Some(value), "{text}");
        }
    }

    #[test]
    fn damage_is_noticed() {
        for text in ["null", "{}", r#"{"list":[1]}"#, r#"{"unknown":{}}"#, "1.5", r#"{"number":"x"}"#] {
            assert_eq!(value_from_wire(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }
}
