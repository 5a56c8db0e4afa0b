//! Principals in policies that are attached to something: whether they exist, and what becomes of them when they go.
//!
//! AWS keeps the unique id of each user and role that a key policy or a trust policy names, and shows the ARN as long as that
//! user or role lives; afterwards the policy shows the id, and a new user of the same name gains nothing.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use serde_json::Value;
use terrane_iam::{Document, Principal};

use crate::iam::{Entity, EntityKind, PrincipalPolicy};
use crate::identity::entity_of;
use crate::visit::Visit;
use crate::wire::Refusal;

/// A principal that does not exist, as kind and value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) String, pub(crate) String);

/// Binds a policy to the users and roles that it names.
///
/// # Errors
/// The inner error names the first principal that does not exist.
pub(crate) fn bind(
    visit: &Visit<'_>,
    text: &str,
    document: &Document,
) -> Result<Result<PrincipalPolicy, Missing>, Refusal> {
    let mut bound = Vec::new();
    let named = document
        .statements
        .iter()
        .flat_map(|statement| [&statement.principals, &statement.not_principals])
        .flatten()
        .flatten();
    for principal in named {
        match resolve(visit, principal)? {
            Resolved::Entity(id) => bound.push((principal.value.clone(), id)),
            Resolved::Other => {}
            Resolved::Nobody => return Ok(Err(Missing(principal.kind.clone(), principal.value.clone()))),
        }
    }
    bound.sort();
    bound.dedup();
    Ok(Ok(PrincipalPolicy { text: text.to_owned(), principals: bound }))
}

enum Resolved {
    /// A user or role of this account, by its unique id.
    Entity(String),
    /// Something that needs no watching: an account, a service, somebody in another account.
    Other,
    Nobody,
}

fn resolve(visit: &Visit<'_>, principal: &Principal) -> Result<Resolved, Refusal> {
    let value = principal.value.as_str();
    match principal.kind.as_str() {
        "*" => return Ok(if value == "*" { Resolved::Other } else { Resolved::Nobody }),
        "AWS" => {}
        "Service" => return Ok(if value.contains('.') { Resolved::Other } else { Resolved::Nobody }),
        "Federated" => return Ok(Resolved::Other),
        _ => return Ok(Resolved::Nobody),
    }
    if value == "*" || is_account(value) {
        return Ok(Resolved::Other);
    }
    if value.starts_with("AIDA") || value.starts_with("AROA") {
        let entity = entity_of(visit.store, value)?;
        return Ok(entity.map_or(Resolved::Nobody, |entity| Resolved::Entity(entity.id)));
    }
    let mut fields = value.splitn(6, ':');
    let mut field = || fields.next().unwrap_or_default();
    let (arn, partition, service, region, account, rest) =
        (field(), field(), field(), field(), field(), field());
    if arn != "arn" || !partition.starts_with("aws") || !region.is_empty() || !is_account(account) {
        return Ok(Resolved::Nobody);
    }
    let (kind, name) = rest.split_once('/').unwrap_or((rest, ""));
    let kind = match (service, kind) {
        ("iam", "root") => return Ok(Resolved::Other),
        ("iam", "user") => EntityKind::User,
        ("iam", "role") | ("sts", "assumed-role") => EntityKind::Role,
        ("sts", "federated-user") => return Ok(Resolved::Other),
        _ => return Ok(Resolved::Nobody),
    };
    if account != visit.account() {
        return Ok(Resolved::Other);
    }
    if service == "sts" {
        let role = name.split('/').next().unwrap_or_default();
        let found = visit.store.get::<Entity>(&Entity::key_of(kind, role))?;
        return Ok(if found.is_some() { Resolved::Other } else { Resolved::Nobody });
    }
    let last = name.rsplit('/').next().unwrap_or_default();
    let found = visit
        .store
        .get::<Entity>(&Entity::key_of(kind, last))?
        .filter(|entity| entity.arn(account) == value && visit.now >= entity.known_from);
    Ok(found.map_or(Resolved::Nobody, |entity| Resolved::Entity(entity.id)))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The policy's text as it reads now: as it was put while its users and roles live under the same ARN, else with their
/// present ARN or their unique id in place.
pub(crate) fn rendered(visit: &Visit<'_>, policy: &PrincipalPolicy) -> Result<String, Refusal> {
    let mut changes = Vec::new();
    for (written, id) in &policy.principals {
        let now = match entity_of(visit.store, id)? {
            Some(entity) => entity.arn(visit.account()),
            None => id.clone(),
        };
        if now != *written {
            changes.push((written.as_str(), now));
        }
    }
    if changes.is_empty() {
        return Ok(policy.text.clone());
    }
    let mut value: Value =
        serde_json::from_str(&policy.text).map_err(|error| Refusal::internal(error.to_string()))?;
    let statements = value.as_object_mut().and_then(|object| find(object, "Statement"));
    match statements {
        Some(Value::Array(list)) => list.iter_mut().for_each(|statement| replace_in(statement, &changes)),
        Some(single) => replace_in(single, &changes),
        None => {}
    }
    Ok(value.to_string())
}

fn find<'v>(object: &'v mut serde_json::Map<String, Value>, name: &str) -> Option<&'v mut Value> {
    object.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn replace_in(statement: &mut Value, changes: &[(&str, String)]) {
    let Some(object) = statement.as_object_mut() else { return };
    for name in ["Principal", "NotPrincipal"] {
        if let Some(aws) =
            find(object, name).and_then(Value::as_object_mut).and_then(|kinds| kinds.get_mut("AWS"))
        {
            replace(aws, changes);
        }
    }
}

fn replace(value: &mut Value, changes: &[(&str, String)]) {
    match value {
        Value::String(text) => {
            if let Some((_, now)) = changes.iter().find(|(written, _)| written == text) {
                text.clone_from(now);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, changes)),
        _ => {}
    }
}
