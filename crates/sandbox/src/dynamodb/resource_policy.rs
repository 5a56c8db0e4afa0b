//! Policies attached to tables.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html>

use serde_json::{Map, Value, json};
use terrane_iam::{PolicyUse, Rule};

use super::records::{ResourcePolicy, Table};
use super::{access, find};
use crate::grammar;
use crate::ids;
use crate::principals;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

/// Takes the policy of a new table out of a body.
pub(super) fn taken(
    visit: &Visit<'_>,
    body: &mut Map<String, Value>,
) -> Result<Option<ResourcePolicy>, Refusal> {
    match body.remove("ResourcePolicy") {
        Some(Value::String(text)) => accepted(visit, text).map(Some),
        _ => Ok(None),
    }
}

fn accepted(visit: &Visit<'_>, text: String) -> Result<ResourcePolicy, Refusal> {
    let invalid = |message: &str| Refusal::validation(format!("Invalid policy document: {message}"));
    let document = grammar::accepted(&text, PolicyUse::Table).map_err(|violation| match violation.rule {
        Rule::Size => Refusal::new("LimitExceededException", violation.message),
        _ => invalid(&violation.to_string()),
    })?;
    if principals::bind(visit, &text, &document)?.is_err() {
        return Err(invalid("Invalid principal in policy"));
    }
    Ok(ResourcePolicy { text, revision: revision(visit) })
}

/// Revisions are numbers that grow.
fn revision(visit: &Visit<'_>) -> String {
    let random = u64::from_str_radix(ids::uuid().get(..4).unwrap_or("0"), 16).unwrap_or_default();
    format!("{}{random:05}", visit.now.0)
}

fn of_call(visit: &Visit<'_>, action: &str) -> Result<(Map<String, Value>, Table), Refusal> {
    let body = find::body(visit)?;
    let (arn, table) = find::of_resource(visit, &body)?;
    access::table(visit, action, arn.rsplit('/').next().unwrap_or_default())?;
    let table = table.ok_or_else(|| {
        Refusal::new("ResourceNotFoundException", format!("Requested resource not found: {arn}"))
    })?;
    Ok((body, table))
}

fn no_policy(visit: &Visit<'_>, table: &Table) -> Refusal {
    let arn = table.arn(visit.account());
    Refusal::new(
        "PolicyNotFoundException",
        format!("Resource-based policy not found for the provided ResourceArn: {arn}"),
    )
}

/// Refuses a change of another revision than the caller expects.
fn expected(body: &Map<String, Value>, visit: &Visit<'_>, table: &Table) -> Result<(), Refusal> {
    let Some(wanted) = body.get("ExpectedRevisionId").and_then(Value::as_str) else { return Ok(()) };
    match &table.resource_policy {
        Some(policy) if policy.revision == wanted => Ok(()),
        None if wanted == "NO_POLICY" => Ok(()),
        _ => Err(no_policy(visit, table)),
    }
}

pub(super) fn get(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let (_, table) = of_call(visit, "dynamodb:GetResourcePolicy")?;
    let policy = table.resource_policy.as_ref().ok_or_else(|| no_policy(visit, &table))?;
    Ok(json!({ "Policy": policy.text, "RevisionId": policy.revision }).into())
}

pub(super) fn put(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let (mut body, mut table) = of_call(visit, "dynamodb:PutResourcePolicy")?;
    expected(&body, visit, &table)?;
    let Some(Value::String(text)) = body.remove("Policy") else {
        return Err(Refusal::validation(
            "The parameter 'Policy' is required but was not present in the request",
        ));
    };
    let policy = accepted(visit, text)?;
    let answer = json!({ "RevisionId": policy.revision });
    table.resource_policy = Some(policy);
    visit.store.put(&table)?;
    Ok(answer.into())
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let (body, mut table) = of_call(visit, "dynamodb:DeleteResourcePolicy")?;
    expected(&body, visit, &table)?;
    let gone = table.resource_policy.take();
    visit.store.put(&table)?;
    Ok(match gone {
        Some(policy) => json!({ "RevisionId": policy.revision }).into(),
        None => Reply::Empty,
    })
}
