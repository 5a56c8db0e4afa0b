//! From blocks to JSON values: sets, principals, conditions, and the order of blocks in a set.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ConditionInput, PrincipalInput, Statement, StatementInput};

/// The identifiers of one principal, in the shape that is written.
#[derive(Debug)]
pub(super) enum Identifiers {
    Text(String),
    List(Vec<String>),
}

/// The values of one condition, in order.
pub(super) type Values = Vec<String>;

/// Turns a block into a statement. The error is a text with a variable that the version does not have.
pub(super) fn statement(block: &StatementInput, version: &str) -> Result<Statement, String> {
    let variables = |text: &String| -> Result<String, String> {
        if text.contains("&{") && version == "2008-10-17" {
            return Err(text.clone());
        }
        Ok(text.replace("&{", "${"))
    };
    let each = |texts: &[String]| texts.iter().map(variables).collect::<Result<Vec<_>, _>>();
    let principals = |blocks: &[PrincipalInput]| {
        in_set_order(blocks, serialised_principal)
            .into_iter()
            .map(|block| Ok((block.kind.clone(), identifiers(each(&distinct(&block.identifiers))?))))
            .collect::<Result<Vec<_>, String>>()
    };
    let conditions = in_set_order(&block.conditions, serialised_condition)
        .into_iter()
        .map(|block| Ok((block.test.clone(), block.variable.clone(), each(&block.values)?)))
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Statement {
        sid: block.sid.clone().unwrap_or_default(),
        effect: block.effect.clone().unwrap_or_else(|| "Allow".to_owned()),
        actions: set(distinct(&block.actions)),
        not_actions: set(distinct(&block.not_actions)),
        resources: set(each(&distinct(&block.resources))?),
        not_resources: set(each(&distinct(&block.not_resources))?),
        principals: principals(&block.principals)?,
        not_principals: principals(&block.not_principals)?,
        conditions,
    })
}

fn distinct(texts: &[String]) -> Vec<String> {
    let mut texts = texts.to_vec();
    texts.sort();
    texts.dedup();
    texts
}

/// Writes a set: nothing, a text, or a list in descending order.
fn set(mut texts: Vec<String>) -> Option<Value> {
    texts.sort_by(|left, right| right.cmp(left));
    match texts.as_slice() {
        [] => None,
        [single] => Some(Value::String(single.clone())),
        _ => Some(list(texts)),
    }
}

fn list(texts: Vec<String>) -> Value {
    Value::Array(texts.into_iter().map(Value::String).collect())
}

fn identifiers(texts: Vec<String>) -> Identifiers {
    match texts.as_slice() {
        [single] => Identifiers::Text(single.clone()),
        _ => Identifiers::List(texts),
    }
}

/// Writes the principals of a statement; `None` for none.
///
/// Principals of one type are joined in order, those of a list among themselves in descending order.
pub(super) fn principals_value(principals: Vec<(String, Identifiers)>) -> Option<Value> {
    if principals.is_empty() {
        return None;
    }
    if let [(kind, identifiers)] = principals.as_slice()
        && kind == "*"
        && identifiers.is_star()
    {
        return Some(Value::String("*".to_owned()));
    }
    let mut kinds: BTreeMap<String, Identifiers> = BTreeMap::new();
    for (kind, identifiers) in principals {
        let joined = match kinds.remove(&kind) {
            None => identifiers.descending(),
            Some(before) => {
                let mut all = before.into_list();
                all.extend(identifiers.descending().into_list());
                Identifiers::List(all)
            }
        };
        kinds.insert(kind, joined);
    }
    let object = kinds.into_iter().map(|(kind, identifiers)| match identifiers {
        Identifiers::Text(text) => (kind, Value::String(text)),
        Identifiers::List(texts) => (kind, list(texts)),
    });
    Some(Value::Object(object.collect()))
}

impl Identifiers {
    fn is_star(&self) -> bool {
        match self {
            Identifiers::Text(text) => text == "*",
            Identifiers::List(texts) => matches!(texts.as_slice(), [single] if single == "*"),
        }
    }

    fn into_list(self) -> Vec<String> {
        match self {
            Identifiers::Text(text) => vec![text],
            Identifiers::List(texts) => texts,
        }
    }

    fn descending(self) -> Identifiers {
        match self {
            Identifiers::List(mut texts) => {
                texts.sort_by(|left, right| right.cmp(left));
                Identifiers::List(texts)
            }
            text => text,
        }
    }
}

/// Writes the conditions of a statement; `None` for none. Values of one operator and key are joined in order.
pub(super) fn conditions_value(conditions: Vec<(String, String, Values)>) -> Option<Value> {
    if conditions.is_empty() {
        return None;
    }
    let mut operators: BTreeMap<String, BTreeMap<String, Values>> = BTreeMap::new();
    for (operator, key, values) in conditions {
        operators.entry(operator).or_default().entry(key).or_default().extend(values);
    }
    let object = operators.into_iter().map(|(operator, keys)| {
        let keys = keys.into_iter().map(|(key, values)| match values.as_slice() {
            [single] => (key, Value::String(single.clone())),
            _ => (key, list(values)),
        });
        (operator, Value::Object(keys.collect()))
    });
    Some(Value::Object(object.collect()))
}

/// Puts blocks into the order in which the provider's SDK walks a set: by the decimal text of the CRC-32 of the block as it
/// serialises it. Equal blocks are one.
fn in_set_order<T>(blocks: &[T], serialised: fn(&T) -> String) -> Vec<&T> {
    let ordered: BTreeMap<String, &T> =
        blocks.iter().map(|block| (set_code(&serialised(block)), block)).collect();
    ordered.into_values().collect()
}

fn set_code(serialised: &str) -> String {
    crc32fast::hash(serialised.as_bytes()).to_string()
}

fn serialised_principal(block: &PrincipalInput) -> String {
    let mut members: Vec<(String, String)> = distinct(&block.identifiers)
        .into_iter()
        .map(|text| format!("{text};"))
        .map(|text| (set_code(&text), text))
        .collect();
    members.sort();
    let members: String = members.into_iter().map(|(_, text)| text).collect();
    format!("identifiers:{{{members}}};type:{};", block.kind)
}

fn serialised_condition(block: &ConditionInput) -> String {
    let members: String = block.values.iter().map(|text| format!("{text};")).collect();
    format!("test:{};values:({members});variable:{};", block.test, block.variable)
}
