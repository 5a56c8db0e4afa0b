//! Policies attached to tables.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html>

use serde_json::{Map, Value, json};
use terrane_iam::{PolicyUse, Rule};

use super::records::{PolicyBefore, ResourcePolicy, Table, Work};
use super::{access, find};
use crate::grammar;
use crate::iam::PrincipalPolicy;
use crate::identity::Identity;
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
    match principals::bind(visit, &text, &document)? {
        Ok(PrincipalPolicy { text, principals }) => {
            Ok(ResourcePolicy { text, revision: revision(visit), principals })
        }
        Err(_) => Err(invalid("Invalid principal in policy")),
    }
}

/// The policy's text as it reads now: who is gone is named by the unique id.
pub(super) fn rendered(visit: &Visit<'_>, policy: &ResourcePolicy) -> Result<String, Refusal> {
    let ResourcePolicy { text, principals, .. } = policy.clone();
    principals::rendered(visit, &PrincipalPolicy { text, principals })
}

/// Revisions are numbers that grow.
fn revision(visit: &Visit<'_>) -> String {
    let random = u64::from_str_radix(ids::uuid().get(..4).unwrap_or("0"), 16).unwrap_or_default();
    format!("{}{random:05}", visit.now.0)
}

fn of_call(visit: &Visit<'_>, action: &str) -> Result<(Map<String, Value>, Table), Refusal> {
    let body = find::body(visit)?;
    let (arn, table) = find::of_resource(visit, &body)?;
    // No policy keeps the root user from mending it.
    if !matches!(visit.caller, Identity::Root) {
        access::table(visit, action, arn.rsplit('/').next().unwrap_or_default())?;
    }
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
    let policy = table.policy_at(visit.now).ok_or_else(|| no_policy(visit, &table))?;
    Ok(json!({ "Policy": rendered(visit, policy)?, "RevisionId": policy.revision }).into())
}

pub(super) fn put(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let (mut body, mut table) = of_call(visit, "dynamodb:PutResourcePolicy")?;
    expected(&body, visit, &table)?;
    let Some(Value::String(text)) = body.remove("Policy") else {
        return Err(Refusal::validation(
            "The parameter 'Policy' is required but was not present in the request",
        ));
    };
    idle(visit, &table)?;
    if let Some(same) = table.resource_policy.as_ref().filter(|policy| policy.text == text) {
        return Ok(json!({ "RevisionId": same.revision }).into());
    }
    let policy = accepted(visit, text)?;
    if body.get("ConfirmRemoveSelfResourceAccess").and_then(Value::as_bool) != Some(true) {
        keeps_the_caller(visit, &table, &policy)?;
    }
    let answer = json!({ "RevisionId": policy.revision });
    replace(visit, &mut table, Some(policy))?;
    Ok(answer.into())
}

/// Refuses a change of the policy while the table is made or taken away.
fn idle(visit: &Visit<'_>, table: &Table) -> Result<(), Refusal> {
    match table.phase.at(visit.now) {
        Some(work @ (Work::Creating | Work::Deleting)) => Err(find::in_use(&table.name, work)),
        Some(Work::Updating) | None => Ok(()),
    }
}

/// Refuses a policy after which the caller could not put another one.
fn keeps_the_caller(visit: &Visit<'_>, table: &Table, policy: &ResourcePolicy) -> Result<(), Refusal> {
    if matches!(visit.caller, Identity::Root) {
        return Ok(());
    }
    let proposed =
        Table { resource_policy: Some(policy.clone()), resource_policy_before: None, ..table.clone() };
    access::proposed(visit, "dynamodb:PutResourcePolicy", &proposed).map_err(|_| {
        Refusal::validation(
            "The new policy will not allow you to change the policy of this resource in the future; \
             ConfirmRemoveSelfResourceAccess is needed for that",
        )
    })
}

/// Puts another policy, or none, in the place of the present one, which goes on to count until that is known everywhere.
fn replace(visit: &Visit<'_>, table: &mut Table, policy: Option<ResourcePolicy>) -> Result<(), Refusal> {
    let until = visit.known_from();
    let present = table.policy_at(visit.now).cloned();
    table.resource_policy_before = (visit.now < until).then_some(PolicyBefore { policy: present, until });
    table.resource_policy = policy;
    visit.store.put(table)?;
    Ok(())
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let (body, mut table) = of_call(visit, "dynamodb:DeleteResourcePolicy")?;
    expected(&body, visit, &table)?;
    idle(visit, &table)?;
    let Some(gone) = table.resource_policy.clone() else { return Ok(Reply::Empty) };
    replace(visit, &mut table, None)?;
    Ok(json!({ "RevisionId": gone.revision }).into())
}
