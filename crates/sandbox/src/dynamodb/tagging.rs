//! Tags of tables.

use serde_json::{Map, Value, json};
use terrane_iam::Context;

use super::records::Table;
use super::{access, find};
use crate::iam::Tag;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

fn invalid(message: &str) -> Refusal {
    Refusal::validation(format!("One or more parameter values were invalid: {message}"))
}

/// Takes the tags out of a body.
pub(super) fn taken(body: &mut Map<String, Value>) -> Result<Vec<Tag>, Refusal> {
    let Some(list) = body.remove("Tags").filter(|tags| !tags.is_null()) else { return Ok(Vec::new()) };
    let mut tags: Vec<Tag> = Vec::new();
    for tag in list.as_array().into_iter().flatten() {
        let text = |name: &str| tag.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (key, value) = (text("Key"), text("Value"));
        let fits = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        if !(1..=128).contains(&key.chars().count()) {
            return Err(invalid("Tag key must be between 1 and 128 characters"));
        }
        if value.chars().count() > 256 {
            return Err(invalid("Tag value must be between 0 and 256 characters"));
        }
        if !key.chars().all(fits) || !value.chars().all(fits) {
            return Err(invalid(
                "Tag keys and values may hold letters, digits, white space and _.:/=+-@ only",
            ));
        }
        if key.starts_with("aws:") {
            return Err(invalid("Tag keys may not begin with aws:"));
        }
        if tags.iter().any(|tag| tag.key == key) {
            return Err(invalid("Duplicate tag keys found"));
        }
        tags.push(Tag { key, value });
    }
    too_many(&tags)?;
    Ok(tags)
}

fn too_many(tags: &[Tag]) -> Result<(), Refusal> {
    if tags.len() <= 50 { Ok(()) } else { Err(invalid("Too many tags: a table has at most 50")) }
}

/// The table of the call's ARN, which the caller may touch by `action`.
fn of_call(
    visit: &Visit<'_>,
    body: &Map<String, Value>,
    action: &str,
    context: Context,
) -> Result<Table, Refusal> {
    let (arn, table) = find::of_resource(visit, body)?;
    let name = arn.rsplit('/').next().unwrap_or_default();
    access::with_context(visit, action, name, context)?;
    table.ok_or_else(|| {
        let message = format!("Requested resource not found: ResourcArn: {arn} not found");
        Refusal::new("ResourceNotFoundException", message)
    })
}

fn must_be_idle(visit: &Visit<'_>, table: &Table) -> Result<(), Refusal> {
    match table.phase.at(visit.now) {
        Some(work) => Err(find::in_use(&table.name, work)),
        None => Ok(()),
    }
}

pub(super) fn tag(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut body = find::body(visit)?;
    let added = taken(&mut body)?;
    if added.is_empty() {
        return Err(Refusal::validation("Atleast one Tag needs to be provided as Input."));
    }
    let mut context = Context::complete().with_all("aws:TagKeys", added.iter().map(|tag| &tag.key));
    for tag in &added {
        context = context.with(&format!("aws:RequestTag/{}", tag.key), &tag.value);
    }
    let mut table = of_call(visit, &body, "dynamodb:TagResource", context)?;
    must_be_idle(visit, &table)?;
    for tag in added {
        match table.tags.iter_mut().find(|old| old.key == tag.key) {
            Some(old) => *old = tag,
            None => table.tags.push(tag),
        }
    }
    too_many(&table.tags)?;
    visit.store.put(&table)?;
    Ok(Reply::Empty)
}

pub(super) fn untag(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let body = find::body(visit)?;
    let keys: Vec<String> = body
        .get("TagKeys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if keys.is_empty() {
        return Err(Refusal::validation("Atleast one Tag Key needs to be provided as Input."));
    }
    let context = Context::complete().with_all("aws:TagKeys", &keys);
    let mut table = of_call(visit, &body, "dynamodb:UntagResource", context)?;
    must_be_idle(visit, &table)?;
    table.tags.retain(|tag| !keys.contains(&tag.key));
    visit.store.put(&table)?;
    Ok(Reply::Empty)
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let body = find::body(visit)?;
    let table = of_call(visit, &body, "dynamodb:ListTagsOfResource", Context::complete())?;
    let tags: Vec<Value> =
        table.tags.iter().map(|tag| json!({ "Key": tag.key, "Value": tag.value })).collect();
    Ok(json!({ "Tags": tags }).into())
}
