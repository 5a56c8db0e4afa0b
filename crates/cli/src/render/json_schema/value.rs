//! Types and bounds of one value.

use serde_json::{Map, Value as Json, json};
use terrane_model::Type;
use terrane_model::schema::Check;

/// What a text must look like to be a template.
pub const TEMPLATE: &str = "[$%]\\{";

/// Adds a description, if there is one.
pub fn documented(mut schema: Json, doc: &str) -> Json {
    if let (false, Some(schema)) = (doc.is_empty(), schema.as_object_mut()) {
        schema.insert("description".to_owned(), json!(doc));
    }
    schema
}

/// The values of a type, or templates that give one.
pub fn value(ty: &Type, checks: &[Check]) -> Json {
    let or_template = |alternatives: Vec<Json>| {
        let template = json!({ "$ref": "#/definitions/template" });
        json!({ "anyOf": alternatives.into_iter().chain([template]).collect::<Vec<_>>() })
    };
    match ty {
        Type::Any => json!({}),
        Type::String => or_template(vec![text(checks)]),
        Type::Number => or_template(vec![
            number(checks),
            json!({ "type": "string", "pattern": "^-?[0-9.]+([eE][+-]?[0-9]+)?$" }),
        ]),
        Type::Bool => or_template(vec![json!({ "type": "boolean" }), json!({ "enum": ["true", "false"] })]),
        Type::List(element) | Type::Set(element) => {
            or_template(vec![json!({ "type": "array", "items": value(element, checks) })])
        }
        Type::Map(element) => {
            or_template(vec![json!({ "type": "object", "additionalProperties": value(element, checks) })])
        }
        Type::Object(fields) => {
            let properties: Map<String, Json> =
                fields.iter().map(|(name, field)| (name.to_string(), value(&field.ty, &[]))).collect();
            or_template(vec![json!({ "type": "object", "properties": properties })])
        }
        Type::Tuple(elements) => {
            let items: Vec<Json> = elements.iter().map(|element| value(element, &[])).collect();
            or_template(vec![json!({ "type": "array", "items": items })])
        }
    }
}

fn text(checks: &[Check]) -> Json {
    // Numbers and bools become texts; bounds are for those that are written as text.
    let mut schema = json!({ "type": if checks.is_empty() { json!(["string", "number", "boolean"]) } else { json!("string") } });
    let mut all = Vec::new();
    for check in checks {
        all.extend(match check {
            Check::Length(shortest, longest) => {
                let longest = (*longest < usize::MAX).then_some(*longest);
                let mut bounds = json!({ "minLength": shortest });
                if let (Some(longest), Some(bounds)) = (longest, bounds.as_object_mut()) {
                    bounds.insert("maxLength".to_owned(), json!(longest));
                }
                Some(bounds)
            }
            Check::OneOf(texts) => Some(json!({ "enum": texts })),
            // Inline flags are not in the dialect of JSON Schema.
            Check::Pattern(pattern, _) if !pattern.contains("(?") => Some(json!({ "pattern": pattern })),
            Check::NotPrefix(prefix) => Some(json!({ "not": { "pattern": format!("^{prefix}") } })),
            Check::Arn => Some(json!({ "pattern": "^(arn:.*)?$" })),
            Check::Rfc3339 => Some(json!({ "format": "date-time" })),
            Check::Empty => Some(json!({ "maxLength": 0 })),
            Check::Pattern(..)
            | Check::Range(..)
            | Check::Whole
            | Check::Json
            | Check::PolicyJson
            | Check::Duration => None,
        });
    }
    if let (false, Some(schema)) = (all.is_empty(), schema.as_object_mut()) {
        schema.insert("allOf".to_owned(), json!(all));
    }
    schema
}

fn number(checks: &[Check]) -> Json {
    let whole = checks.contains(&Check::Whole);
    let mut schema = json!({ "type": if whole { "integer" } else { "number" } });
    for check in checks {
        if let (Check::Range(least, most), Some(schema)) = (check, schema.as_object_mut()) {
            if *least > i64::MIN {
                schema.insert("minimum".to_owned(), json!(least));
            }
            if *most < i64::MAX {
                schema.insert("maximum".to_owned(), json!(most));
            }
        }
    }
    schema
}
