//! Other documents: how they are read, and how one is laid over another.

use serde_json::{Map, Value};

use super::blocks::{Identifiers, Values};
use super::{Policy, RenderError, Statement};
use crate::canonical::sorted;
use crate::parse::{self, PolicyError, field, pointer_step};

impl Policy {
    /// Lays a newer document over this one: its id replaces, the greater version stays, a statement takes the place of the
    /// one with its Sid.
    pub(super) fn lay_over(&mut self, newer: Policy) {
        if !newer.id.is_empty() {
            self.id = newer.id;
        }
        if newer.version > self.version {
            self.version = newer.version;
        }
        for statement in newer.statements {
            let same =
                self.statements.iter_mut().find(|other| !other.sid.is_empty() && other.sid == statement.sid);
            match same {
                Some(other) => *other = statement,
                None => self.statements.push(statement),
            }
        }
    }
}

/// Reads the source documents, among which a Sid may be used once.
pub(super) fn sources(texts: &[Option<String>]) -> Result<Vec<Policy>, RenderError> {
    let mut documents: Vec<Policy> = Vec::new();
    let mut sids: Vec<String> = Vec::new();
    for (document, text) in given(texts) {
        let policy = read(text).map_err(|source| RenderError::Source { document, source })?;
        for statement in policy.statements.iter().filter(|statement| !statement.sid.is_empty()) {
            if sids.contains(&statement.sid) {
                return Err(RenderError::DuplicateSourceSid { sid: statement.sid.clone(), document });
            }
            sids.push(statement.sid.clone());
        }
        documents.push(policy);
    }
    Ok(documents)
}

/// Reads the override documents, among which the last statement with a Sid wins.
pub(super) fn overrides(texts: &[Option<String>]) -> Result<Vec<Policy>, RenderError> {
    given(texts)
        .map(|(document, text)| read(text).map_err(|source| RenderError::Override { document, source }))
        .collect()
}

fn given(texts: &[Option<String>]) -> impl Iterator<Item = (usize, &str)> {
    texts.iter().enumerate().filter_map(|(index, text)| match text.as_deref() {
        None | Some("") => None,
        Some(text) => Some((index, text)),
    })
}

fn read(text: &str) -> Result<Policy, PolicyError> {
    let value = parse::json(text)?;
    let object = match &value {
        Value::Object(object) => object,
        Value::Null => return Ok(Policy::default()),
        _ => return Err(PolicyError::at("", "A policy document must be a JSON object")),
    };
    let statements = match field(object, "Statement") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(index, item)| statement(item, &format!("/Statement/{index}")))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(PolicyError::at("/Statement", "Statement must be a list of objects")),
    };
    Ok(Policy { version: text_field(object, "Version", "")?, id: text_field(object, "Id", "")?, statements })
}

fn statement(value: &Value, at: &str) -> Result<Statement, PolicyError> {
    let Value::Object(object) = value else {
        return Err(PolicyError::at(at, "A statement must be an object"));
    };
    let kept = |name: &str| field(object, name).filter(|value| !value.is_null()).cloned().map(sorted);
    Ok(Statement {
        sid: text_field(object, "Sid", at)?,
        effect: text_field(object, "Effect", at)?,
        actions: kept("Action"),
        not_actions: kept("NotAction"),
        resources: kept("Resource"),
        not_resources: kept("NotResource"),
        principals: principals(object, "Principal", at)?,
        not_principals: principals(object, "NotPrincipal", at)?,
        conditions: conditions(object, at)?,
    })
}

fn text_field(object: &Map<String, Value>, name: &str, at: &str) -> Result<String, PolicyError> {
    match field(object, name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(PolicyError::at(format!("{at}/{name}"), format!("{name} must be text"))),
    }
}

fn principals(
    object: &Map<String, Value>,
    name: &str,
    at: &str,
) -> Result<Vec<(String, Identifiers)>, PolicyError> {
    let at = format!("{at}/{name}");
    match field(object, name) {
        None => Ok(Vec::new()),
        // Whatever the text, the provider writes everybody.
        Some(Value::String(_)) => Ok(vec![("*".to_owned(), Identifiers::Text("*".to_owned()))]),
        Some(Value::Object(kinds)) => kinds
            .iter()
            .map(|(kind, value)| {
                let identifiers = match value {
                    Value::String(text) => Identifiers::Text(text.clone()),
                    list => Identifiers::List(texts(list, &format!("{at}/{}", pointer_step(kind)))?),
                };
                Ok((kind.clone(), identifiers))
            })
            .collect(),
        Some(_) => Err(PolicyError::at(at, format!("{name} must be \"*\" or an object"))),
    }
}

fn texts(value: &Value, at: &str) -> Result<Vec<String>, PolicyError> {
    let wrong = || PolicyError::at(at, "The value must be text or a list of texts");
    let Value::Array(items) = value else { return Err(wrong()) };
    items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
}

/// Reads conditions. A number is dropped with its key, as the provider does.
fn conditions(object: &Map<String, Value>, at: &str) -> Result<Vec<(String, String, Values)>, PolicyError> {
    let at = format!("{at}/Condition");
    let operators = match field(object, "Condition") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(operators)) => operators,
        Some(_) => return Err(PolicyError::at(at, "Condition must be an object")),
    };
    let mut read = Vec::new();
    for (operator, keys) in operators {
        let at = format!("{at}/{}", pointer_step(operator));
        let keys = match keys {
            Value::Object(keys) => keys,
            Value::Null => continue,
            _ => return Err(PolicyError::at(at, "A condition operator must hold an object of keys")),
        };
        for (key, value) in keys {
            let values = match value {
                Value::String(text) => vec![text.clone()],
                Value::Bool(flag) => vec![flag.to_string()],
                Value::Array(_) => texts(value, &format!("{at}/{}", pointer_step(key)))?,
                Value::Number(_) | Value::Null | Value::Object(_) => continue,
            };
            read.push((operator.clone(), key.clone(), values));
        }
    }
    Ok(read)
}
