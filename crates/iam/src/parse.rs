//! From JSON text to a document.
//!
//! The shapes that AWS treats alike are read alike: text or list, object or list. What AWS would refuse but has a clear
//! meaning is read too, since refusing is the work of `validate`.

use std::fmt;

use serde_json::{Map, Value};

use crate::document::{Condition, Document, Effect, Principal, Statement};

/// Why a text is not a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({location})")]
pub struct PolicyError {
    /// What is wrong, as a phrase without the place.
    pub message: String,
    /// Where it is wrong.
    pub location: Location,
}

/// A place in a policy's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// The byte offset at which the JSON text breaks.
    Byte(usize),
    /// An RFC 6901 JSON pointer; empty for the whole document.
    Pointer(String),
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Byte(offset) => write!(formatter, "at byte {offset}"),
            Location::Pointer(pointer) if pointer.is_empty() => write!(formatter, "in the document"),
            Location::Pointer(pointer) => write!(formatter, "at {pointer}"),
        }
    }
}

impl PolicyError {
    pub(crate) fn at(pointer: impl Into<String>, message: impl Into<String>) -> PolicyError {
        PolicyError { message: message.into(), location: Location::Pointer(pointer.into()) }
    }
}

/// Reads any JSON text, with the byte offset of a syntax error.
pub(crate) fn json(text: &str) -> Result<Value, PolicyError> {
    serde_json::from_str(text).map_err(|error| {
        let before: usize =
            text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let offset = before.saturating_add(error.column().saturating_sub(1)).min(text.len());
        PolicyError { message: "The text is not valid JSON".to_owned(), location: Location::Byte(offset) }
    })
}

/// Looks a field up without regard to case. Of several the last counts, as in the provider's reader.
pub(crate) fn field<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Escapes a name for use inside a JSON pointer.
pub(crate) fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

pub(crate) fn document(text: &str) -> Result<Document, PolicyError> {
    let value = json(text)?;
    let Value::Object(object) = &value else {
        return Err(PolicyError::at("", "A policy document must be a JSON object"));
    };
    let statements = match field(object, "Statement") {
        None | Some(Value::Null) => Vec::new(),
        Some(single @ Value::Object(_)) => vec![statement(single, 0, "/Statement")?],
        Some(Value::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(index, item)| statement(item, index, &format!("/Statement/{index}")))
            .collect::<Result<_, _>>()?,
        Some(_) => {
            return Err(PolicyError::at("/Statement", "Statement must be an object or a list of objects"));
        }
    };
    Ok(Document {
        version: text_field(object, "Version", "")?,
        id: text_field(object, "Id", "")?,
        statements,
    })
}

fn statement(value: &Value, index: usize, at: &str) -> Result<Statement, PolicyError> {
    let Value::Object(object) = value else {
        return Err(PolicyError::at(at, "A statement must be an object"));
    };
    let effect = match text_field(object, "Effect", at)? {
        Some(word) if word.eq_ignore_ascii_case("allow") => Effect::Allow,
        Some(word) if word.eq_ignore_ascii_case("deny") => Effect::Deny,
        Some(_) => return Err(PolicyError::at(format!("{at}/Effect"), "Effect must be Allow or Deny")),
        None => return Err(PolicyError::at(at, "Effect is missing")),
    };
    Ok(Statement {
        index,
        sid: text_field(object, "Sid", at)?.filter(|sid| !sid.is_empty()),
        effect,
        actions: list_field(object, "Action", at)?,
        not_actions: list_field(object, "NotAction", at)?,
        resources: list_field(object, "Resource", at)?,
        not_resources: list_field(object, "NotResource", at)?,
        principals: principals_field(object, "Principal", at)?,
        not_principals: principals_field(object, "NotPrincipal", at)?,
        conditions: conditions_field(object, at)?,
    })
}

fn text_field(object: &Map<String, Value>, name: &str, at: &str) -> Result<Option<String>, PolicyError> {
    match field(object, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(PolicyError::at(format!("{at}/{name}"), format!("{name} must be text"))),
    }
}

fn list_field(object: &Map<String, Value>, name: &str, at: &str) -> Result<Option<Vec<String>>, PolicyError> {
    match field(object, name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => texts(value, &format!("{at}/{name}"), name).map(Some),
    }
}

fn texts(value: &Value, at: &str, name: &str) -> Result<Vec<String>, PolicyError> {
    let wrong = || PolicyError::at(at, format!("{name} must be text or a list of texts"));
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

fn principals_field(
    object: &Map<String, Value>,
    name: &str,
    at: &str,
) -> Result<Option<Vec<Principal>>, PolicyError> {
    let at = format!("{at}/{name}");
    match field(object, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(vec![Principal { kind: "*".to_owned(), value: text.clone() }])),
        Some(Value::Object(kinds)) => {
            let mut principals = Vec::new();
            for (kind, value) in kinds {
                for identifier in texts(value, &format!("{at}/{}", pointer_step(kind)), "A principal")? {
                    principals.push(Principal { kind: kind.clone(), value: identifier });
                }
            }
            Ok(Some(principals))
        }
        Some(_) => Err(PolicyError::at(at, format!("{name} must be \"*\" or an object"))),
    }
}

fn conditions_field(object: &Map<String, Value>, at: &str) -> Result<Vec<Condition>, PolicyError> {
    let at = format!("{at}/Condition");
    let operators = match field(object, "Condition") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(operators)) => operators,
        Some(_) => return Err(PolicyError::at(at, "Condition must be an object")),
    };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let at = format!("{at}/{}", pointer_step(operator));
        let Value::Object(keys) = keys else {
            return Err(PolicyError::at(at, "A condition operator must hold an object of keys"));
        };
        for (key, value) in keys {
            let values = condition_values(value).ok_or_else(|| {
                PolicyError::at(
                    format!("{at}/{}", pointer_step(key)),
                    "A condition value must be text, a number, a boolean or a list of these",
                )
            })?;
            conditions.push(Condition { operator: operator.clone(), key: key.clone(), values });
        }
    }
    Ok(conditions)
}

fn condition_values(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        single => scalar(single).map(|text| vec![text]),
    }
}

pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(text: &str) -> Location {
        document(text).expect_err(text).location
    }

    #[test]
    fn shapes_that_mean_the_same_are_read_alike() {
        let single = r#"{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}"#;
        let list = r#"{"statement":[{"EFFECT":"allow","action":["a:b"],"Resource":["*"],"Note":1}]}"#;
        assert_eq!(document(single), document(list));
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(location("{\n  \"Statement\": ]"), Location::Byte(17));
        assert_eq!(location("[]"), Location::Pointer(String::new()));
        assert_eq!(location(r#"{"Statement":[{}]}"#), Location::Pointer("/Statement/0".into()));
        assert_eq!(
            location(r#"{"Statement":[{"Effect":"Allow"},{"Effect":"Allow","Action":[1]}]}"#),
            Location::Pointer("/Statement/1/Action".into())
        );
        assert_eq!(
            location(r#"{"Statement":{"Effect":"Deny","Condition":{"StringEquals":{"a/b~":{}}}}}"#),
            Location::Pointer("/Statement/Condition/StringEquals/a~1b~0".into())
        );
    }

    #[test]
    fn sid_index_and_condition_texts_are_kept() {
        let read = document(
            r#"{"Version":"2012-10-17","Id":"x","Statement":[
                {"Effect":"Allow","Action":"a:b","Sid":""},
                {"Sid":"S","Effect":"Deny","Principal":{"AWS":["1","2"],"Service":"s"},
                 "Condition":{"Bool":{"aws:x":true},"NumericEquals":{"n":[1,2.50]}}}]}"#,
        )
        .expect("a document");
        assert_eq!((read.version.as_deref(), read.id.as_deref()), (Some("2012-10-17"), Some("x")));
        assert_eq!(
            (read.statements[0].label(), read.statements[1].label()),
            ("statement 1".into(), "S".into())
        );
        assert_eq!(read.statements[1].index, 1);
        assert_eq!(read.statements[1].principals.as_ref().map(Vec::len), Some(3));
        assert_eq!(read.statements[1].conditions[0].values, ["true"]);
        assert_eq!(read.statements[1].conditions[1].values, ["1", "2.50"]);
    }
}
