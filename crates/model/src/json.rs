//! Values and types to JSON and back, in the encodings that state and plan files use.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::convert::{ConvertError, article, convert, without_optional};
use crate::number::Number;
use crate::path::{Path, Step};
use crate::ty::{Field, Type};
use crate::value::{Kind, Value};

/// Reads a value of a known type. Absent attributes of an object are null, attributes that the type lacks are passed
/// over. Where the type says [`Type::Any`], the type follows from the JSON as in [`implied`].
///
/// # Errors
/// When the JSON does not fit the type; text is taken for numbers and bools and the other way round, as Terraform does.
pub fn from_json(json: &Json, ty: &Type) -> Result<Value, ConvertError> {
    let misfit = || ConvertError {
        path: Path::default(),
        detail: format!("{} is needed, and this is {}", article(ty), json_kind(json)),
    };
    Ok(match (ty, json) {
        (Type::Any, _) => implied(json),
        (_, Json::Null) => Value::null(without_optional(ty)),
        (Type::Bool | Type::Number | Type::String, Json::Bool(_) | Json::Number(_) | Json::String(_)) => {
            convert(&implied(json), ty)?
        }
        (Type::List(e), Json::Array(items)) => {
            let items = read_items(items, |_| Some(e))?;
            if e.has_any() {
                return convert(&Value::tuple(items), ty);
            }
            Value::list(without_optional(e), items)
        }
        (Type::Set(e), Json::Array(items)) => {
            let items = read_items(items, |_| Some(e))?;
            if e.has_any() {
                return convert(&Value::tuple(items), ty);
            }
            Value::set(without_optional(e), items)
        }
        (Type::Tuple(types), Json::Array(items)) if items.len() == types.len() => {
            Value::tuple(read_items(items, |i| types.get(i))?)
        }
        (Type::Map(e), Json::Object(members)) => {
            let entries = members
                .iter()
                .map(|(k, v)| {
                    let k = key(k);
                    Ok((k.clone(), from_json(v, e).map_err(|x| inside(x, Step::Key(k)))?))
                })
                .collect::<Result<Vec<_>, ConvertError>>()?;
            if e.has_any() {
                return convert(&Value::object(entries), ty);
            }
            Value::map(without_optional(e), entries)
        }
        (Type::Object(fields), Json::Object(members)) => Value::object(
            fields
                .iter()
                .map(|(name, field)| {
                    let member = members.get(&**name).unwrap_or(&Json::Null);
                    let value =
                        from_json(member, &field.ty).map_err(|x| inside(x, Step::Attribute(name.clone())))?;
                    Ok((name.clone(), value))
                })
                .collect::<Result<Vec<_>, ConvertError>>()?,
        ),
        _ => return Err(misfit()),
    })
}

fn inside(mut error: ConvertError, step: Step) -> ConvertError {
    error.path.0.insert(0, step);
    error
}

fn read_items<'t>(
    items: &[Json],
    ty: impl Fn(usize) -> Option<&'t Type>,
) -> Result<Vec<Value>, ConvertError> {
    items
        .iter()
        .enumerate()
        .map(|(i, item)| from_json(item, ty(i).unwrap_or(&Type::Any)).map_err(|x| inside(x, Step::Index(i))))
        .collect()
}

fn json_kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

/// A key in the normal form of all text.
fn key(text: &str) -> Arc<str> {
    match Value::from(text).into_kind() {
        Kind::String(text) => text,
        _ => text.into(),
    }
}

/// Reads a value whose type follows from the JSON: arrays are tuples, objects are objects.
pub fn implied(json: &Json) -> Value {
    match json {
        Json::Null => Value::null(Type::Any),
        Json::Bool(b) => Value::bool(*b),
        Json::Number(n) => match n.as_str().parse::<Number>() {
            Ok(number) => Value::number(number),
            Err(_) => Value::string(n.to_string()),
        },
        Json::String(s) => Value::from(s.as_str()),
        Json::Array(items) => Value::tuple(items.iter().map(implied)),
        Json::Object(members) => Value::object(members.iter().map(|(k, v)| (key(k), implied(v)))),
    }
}

/// Writes a value; nothing when something in it is unknown or infinite. Marks are not looked at.
pub fn to_json(value: &Value) -> Option<Json> {
    Some(match value.kind() {
        Kind::Null(_) => Json::Null,
        Kind::Unknown(_) => return None,
        Kind::Bool(b) => Json::Bool(*b),
        Kind::Number(n) => Json::Number(n.to_string().parse().ok()?),
        Kind::String(s) => Json::String(s.to_string()),
        Kind::List(_, es) | Kind::Set(_, es) | Kind::Tuple(es) => {
            Json::Array(es.iter().map(to_json).collect::<Option<_>>()?)
        }
        Kind::Map(_, m) | Kind::Object(m) => {
            Json::Object(m.iter().map(|(k, v)| Some((k.to_string(), to_json(v)?))).collect::<Option<_>>()?)
        }
    })
}

/// Writes a type as Terraform's files do: `"string"`, `["list","string"]`, `["object",{"a":"number"}]`.
pub fn type_to_json(ty: &Type) -> Json {
    let pair = |kind: &str, of: Json| Json::Array(vec![kind.into(), of]);
    match ty {
        Type::Any => "dynamic".into(),
        Type::Bool => "bool".into(),
        Type::Number => "number".into(),
        Type::String => "string".into(),
        Type::List(e) => pair("list", type_to_json(e)),
        Type::Set(e) => pair("set", type_to_json(e)),
        Type::Map(e) => pair("map", type_to_json(e)),
        Type::Tuple(es) => pair("tuple", Json::Array(es.iter().map(type_to_json).collect())),
        Type::Object(fields) => {
            let types = fields.iter().map(|(n, f)| (n.to_string(), type_to_json(&f.ty))).collect();
            let optional: Vec<Json> =
                fields.iter().filter(|(_, f)| f.optional).map(|(n, _)| (&**n).into()).collect();
            let mut parts = vec!["object".into(), Json::Object(types)];
            if !optional.is_empty() {
                parts.push(Json::Array(optional));
            }
            Json::Array(parts)
        }
    }
}

/// Reads a type as [`type_to_json`] writes it; nothing when it is not one.
pub fn type_from_json(json: &Json) -> Option<Type> {
    if let Json::String(name) = json {
        return Some(match name.as_str() {
            "dynamic" => Type::Any,
            "bool" => Type::Bool,
            "number" => Type::Number,
            "string" => Type::String,
            _ => return None,
        });
    }
    let parts = json.as_array()?;
    let of = parts.get(1)?;
    if parts.len() > 3 || (parts.len() == 3 && parts.first()? != "object") {
        return None;
    }
    Some(match parts.first()?.as_str()? {
        "list" => Type::list(type_from_json(of)?),
        "set" => Type::set(type_from_json(of)?),
        "map" => Type::map(type_from_json(of)?),
        "tuple" => Type::tuple(of.as_array()?.iter().map(type_from_json).collect::<Option<Vec<_>>>()?),
        "object" => {
            let optional = match parts.get(2) {
                Some(names) => names.as_array()?.iter().map(Json::as_str).collect::<Option<Vec<_>>>()?,
                None => Vec::new(),
            };
            let fields = of
                .as_object()?
                .iter()
                .map(|(name, ty)| {
                    let field =
                        Field { ty: type_from_json(ty)?, optional: optional.contains(&name.as_str()) };
                    Some((name.as_str().into(), field))
                })
                .collect::<Option<_>>()?;
            Type::Object(Arc::new(fields))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn state_shape_fills_absent_attributes_and_passes_over_others() {
        let ty =
            Type::object([("name", Type::String), ("tags", Type::map(Type::String)), ("size", Type::Number)]);
        let value = from_json(&json!({"name": "a", "size": "7", "gone": true}), &ty).unwrap();
        let expected = Value::object([
            ("name", Value::from("a")),
            ("tags", Value::null(Type::map(Type::String))),
            ("size", Value::number(7)),
        ]);
        assert_eq!(value, expected);
    }

    #[test]
    fn misfits_name_the_place_and_both_types() {
        let ty = Type::object([("a", Type::list(Type::Number))]);
        let error = from_json(&json!({"a": [1, []]}), &ty).unwrap_err();
        assert_eq!(error.path.to_string(), "a[1]");
        assert!(error.detail.contains("number") && error.detail.contains("array"), "{error}");
    }

    #[test]
    fn numbers_keep_their_digits() {
        let text = r#"[123456789012345678901234567890,2.50,1e3,-0]"#;
        let value = implied(&serde_json::from_str(text).unwrap());
        let json = to_json(&value).unwrap();
        assert_eq!(json.to_string(), "[123456789012345678901234567890,2.5,1000,-0]");
    }

    #[test]
    fn an_unknown_inside_has_no_json() {
        assert_eq!(to_json(&Value::tuple([Value::unknown(Type::String)])), None);
    }

    #[test]
    fn types_go_there_and_back() {
        for text in [
            r#""string""#,
            r#"["list","dynamic"]"#,
            r#"["map",["set","bool"]]"#,
            r#"["tuple",["string","number"]]"#,
            r#"["object",{"a":"string","b":["list","number"]},["b"]]"#,
        ] {
            let json: Json = serde_json::from_str(text).unwrap();
            assert_eq!(type_to_json(&type_from_json(&json).unwrap()).to_string(), text);
        }
        for text in [r#""text""#, "[]", r#"["list"]"#, r#"["list","string","x"]"#, r#"["object",[]]"#, "1"] {
            assert_eq!(type_from_json(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }
}
