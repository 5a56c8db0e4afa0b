//! Between the attributes of a state file and values of a schema's shape.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use terrane_model::convert::ConvertError;
use terrane_model::json::{from_json, to_json, type_from_json, type_to_json};
use terrane_model::schema::{Block, Schema};
use terrane_model::{Path, Step, Type, Value};

/// Decodes the attributes of a state object. Attributes that the schema does not have are left out, missing ones are null.
/// Sensitive attributes come back marked.
///
/// # Errors
/// An attribute of a type that the schema does not have.
pub fn decode(
    schema: &Schema,
    attributes: &Map<String, Json>,
    sensitive: &[Path],
) -> Result<Value, ConvertError> {
    let mut fields: Vec<(Arc<str>, Value)> = Vec::new();
    let at = |name: &'static str| {
        move |error: ConvertError| ConvertError {
            path: Path([vec![Step::Attribute(name.into())], error.path.0].concat()),
            ..error
        }
    };
    for attribute in &schema.block.attributes {
        let json = attributes.get(attribute.name).unwrap_or(&Json::Null);
        let value = match attribute.ty {
            Type::Any => decode_dynamic(json),
            _ => from_json(json, &attribute.ty),
        };
        let value = value.map_err(at(attribute.name))?;
        fields.push((attribute.name.into(), if attribute.sensitive { value.sensitive() } else { value }));
    }
    for nested in &schema.block.blocks {
        let json = attributes.get(nested.name).unwrap_or(&Json::Null);
        let value = match json {
            Json::Null if nested.nesting != terrane_model::schema::Nesting::Single => {
                from_json(&json!([]), &nested.ty())
            }
            _ => from_json(json, &nested.ty()),
        };
        fields.push((nested.name.into(), value.map_err(at(nested.name))?));
    }
    Ok(sensitive.iter().fold(Value::object(fields), |value, path| mark(value, &path.0)))
}

/// Encodes an object for the state file, and lists the paths of its sensitive parts. Nothing may be unknown.
pub fn encode(schema: &Schema, object: &Value) -> Option<(Map<String, Json>, Vec<Path>)> {
    let mut attributes = Map::new();
    for attribute in &schema.block.attributes {
        let value = object.get(attribute.name)?;
        let json = match attribute.ty {
            Type::Any => encode_dynamic(value)?,
            _ => to_json(value)?,
        };
        attributes.insert(attribute.name.to_owned(), json);
    }
    for nested in &schema.block.blocks {
        attributes.insert(nested.name.to_owned(), to_json(object.get(nested.name)?)?);
    }
    attributes.sort_keys();
    let mut paths = Vec::new();
    match object.marks().sensitive {
        // A state has no word for the whole object.
        true => paths.extend(schema.block.attributes.iter().map(|a| Path::attribute(a.name))),
        false => sensitive_paths(object, &Path::default(), &mut paths),
    }
    if object.marks().sensitive {
        paths.extend(schema.block.blocks.iter().map(|nested| Path::attribute(nested.name)));
        paths.retain(|path| path.get(object).is_some_and(|part| !part.is_null()));
    }
    let own = |path: &Path| !schema_marks(&schema.block, path);
    paths.retain(own);
    Some((attributes, paths))
}

/// A value of any type carries its type with it.
fn decode_dynamic(json: &Json) -> Result<Value, ConvertError> {
    match (json.get("type"), json.get("value")) {
        (Some(ty), Some(value)) => from_json(value, &type_from_json(ty).unwrap_or(Type::Any)),
        _ => Ok(Value::null(Type::Any)),
    }
}

fn encode_dynamic(value: &Value) -> Option<Json> {
    if value.is_null() && value.ty() == Type::Any {
        return Some(Json::Null);
    }
    Some(json!({ "value": to_json(value)?, "type": type_to_json(&value.ty()) }))
}

fn mark(value: Value, steps: &[Step]) -> Value {
    let Some((first, rest)) = steps.split_first() else { return value.sensitive() };
    match first {
        Step::Attribute(name) | Step::Key(name) => match value.get(name).cloned() {
            Some(inner) => value.with(name, mark(inner, rest)),
            None => value,
        },
        Step::Index(wanted) => {
            let mut i = 0;
            value.map_elements(&mut |element| {
                i += 1;
                if i - 1 == *wanted { mark(element, rest) } else { element }
            })
        }
        Step::Element(_) => value.sensitive(),
    }
}

fn sensitive_paths(value: &Value, path: &Path, paths: &mut Vec<Path>) {
    if value.marks().sensitive {
        paths.push(path.clone());
        return;
    }
    if let Some(fields) = value.entries() {
        let object = matches!(value.kind(), terrane_model::Kind::Object(_));
        for (name, field) in fields {
            let step = if object { Step::Attribute(name.clone()) } else { Step::Key(name.clone()) };
            sensitive_paths(field, &path.child(step), paths);
        }
    }
    for (i, element) in value.elements().iter().enumerate() {
        sensitive_paths(element, &path.child(Step::Index(i)), paths);
    }
}

fn schema_marks(block: &Block, path: &Path) -> bool {
    path.0.len() == 1 && path.root().and_then(|name| block.attribute(name)).is_some_and(|a| a.sensitive)
}
