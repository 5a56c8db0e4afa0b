//! Values with unknowns and marks as JSON, without loss.
//!
//! Texts, truth values, integers and tuples stand for themselves; everything else is an object with one key that says
//! what it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value as Json;
use terrane_model::json::{type_from_json, type_to_json};
use terrane_model::value::Marks;
use terrane_model::{Kind, Number, Type, Unknown, Value};

/// A value as it is written.
pub struct Wire<'a>(pub &'a Value);

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, marks) = (self.0.kind(), self.0.marks());
        if !marks.any() {
            return Plain(kind).serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("marked", &Plain(kind))?;
        map.serialize_entry("sensitive", &marks.sensitive)?;
        map.serialize_entry("ephemeral", &marks.ephemeral)?;
        map.end()
    }
}

/// A value without its own marks.
struct Plain<'a>(&'a Kind);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Kind::Null(ty) => named(serializer, "null", &type_to_json(ty), None),
            Kind::Unknown(unknown) => named(serializer, "unknown", &Open(unknown), None),
            Kind::Bool(b) => serializer.serialize_bool(*b),
            Kind::Number(n) => match n.to_i64() {
                Some(n) => serializer.serialize_i64(n),
                None => named(serializer, "number", &n.to_string(), None),
            },
            Kind::String(s) => serializer.serialize_str(s),
            Kind::List(ty, elements) => named(serializer, "list", &All(elements), Some(ty)),
            Kind::Set(ty, elements) => named(serializer, "set", &All(elements), Some(ty)),
            Kind::Map(ty, entries) => named(serializer, "map", &Fields(entries), Some(ty)),
            Kind::Tuple(elements) => All(elements).serialize(serializer),
            Kind::Object(entries) => named(serializer, "object", &Fields(entries), None),
        }
    }
}

/// An object with one key, and the type of the elements where there is one.
fn named<S: Serializer>(
    serializer: S,
    name: &str,
    content: &impl Serialize,
    of: Option<&Type>,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry(name, content)?;
    if let Some(ty) = of {
        map.serialize_entry("of", &type_to_json(ty))?;
    }
    map.end()
}

struct All<'a>(&'a [Value]);

impl Serialize for All<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Wire))
    }
}

struct Fields<'a>(&'a BTreeMap<Arc<str>, Value>);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name.as_ref(), Wire(value))))
    }
}

struct Open<'a>(&'a Unknown);

impl Serialize for Open<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unknown = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &type_to_json(&unknown.ty))?;
        map.serialize_entry("not_null", &unknown.not_null)?;
        map.serialize_entry("prefix", unknown.prefix.as_ref())?;
        map.serialize_entry("min_len", &unknown.min_len)?;
        map.serialize_entry("max_len", &unknown.max_len)?;
        map.end()
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
            let text = serde_json::to_string(&Wire(&value)).unwrap();
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
