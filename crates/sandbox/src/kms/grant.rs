//! Grants: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::authority::{key_context, may, may_plainly};
use super::key::must_be_enabled;
use super::records::{Constraints, Grant, Grantee, Key};
use super::{find, page};
use crate::authorize;
use crate::iam::{Entity, EntityKind};
use crate::identity::entity_of;
use crate::ids;
use crate::store::Document;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

const OPERATIONS: [&str; 17] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateGrant {
    key_id: String,
    grantee_principal: String,
    retiring_principal: Option<String>,
    operations: Vec<String>,
    constraints: Option<Constraints>,
    name: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: CreateGrant = visit.call.json()?;
    let key = find::by_key_name(visit, &input.key_id)?;
    let mut context = key_context(visit, &key)?
        .with_all("kms:GrantOperations", &input.operations)
        .with("kms:GranteePrincipal", &input.grantee_principal)
        .with("kms:GrantIsForAWSResource", "false");
    if let Some(retiring) = &input.retiring_principal {
        context = context.with("kms:RetiringPrincipal", retiring);
    }
    may(visit, &key, "kms:CreateGrant", context)?;
    must_be_enabled(visit, &key)?;
    if input.operations.is_empty() {
        return Err(Refusal::validation("Operations must not be empty"));
    }
    if let Some(unknown) = input.operations.iter().find(|one| !OPERATIONS.contains(&one.as_str())) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '[{unknown}]' at 'operations' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [{}]]",
            OPERATIONS.join(", ")
        )));
    }
    let mut grant = Grant {
        region: key.region.clone(),
        target: key.id.clone(),
        id: ids::hex64()?,
        token: ids::hex64()?,
        name: input.name,
        grantee: principal(visit, &input.grantee_principal)?,
        retiring: input.retiring_principal.map(|name| principal(visit, &name)).transpose()?,
        operations: input.operations,
        constraints: input.constraints,
        created: visit.now,
    };
    // A named grant is made once: asking again with the same words gives the first one.
    if grant.name.is_some() {
        for old in visit.store.all::<Grant>(&Grant::prefix_of(&key))? {
            let mut again = grant.clone();
            (again.id, again.token, again.created) = (old.id.clone(), old.token.clone(), old.created);
            if again == old {
                grant = old;
                break;
            }
        }
    }
    super::cipher::dry_run(input.dry_run)?;
    visit.store.put(&grant)?;
    Ok(json!({ "GrantToken": grant.token, "GrantId": grant.id }).into())
}

/// Checks that a grant's principal exists.
fn principal(visit: &Visit<'_>, written: &str) -> Result<Grantee, Refusal> {
    let invalid =
        || Refusal::new("InvalidArnException", format!("ARN does not refer to a valid principal: {written}"));
    if written.ends_with(".amazonaws.com") {
        return Ok(Grantee { written: written.to_owned(), unique_id: None });
    }
    let fields: Vec<&str> = written.splitn(6, ':').collect();
    let ["arn", _, service, "", account, rest] = fields.as_slice() else { return Err(invalid()) };
    let (kind, name) = rest.split_once('/').unwrap_or((rest, ""));
    let kind = match (*service, kind) {
        ("iam", "root") | ("sts", "assumed-role" | "federated-user") => {
            return Ok(Grantee { written: written.to_owned(), unique_id: None });
        }
        ("iam", "user") => EntityKind::User,
        ("iam", "role") => EntityKind::Role,
        _ => return Err(invalid()),
    };
    if *account != visit.account() {
        return Ok(Grantee { written: written.to_owned(), unique_id: None });
    }
    let last = name.rsplit('/').next().unwrap_or_default();
    let entity = visit
        .store
        .get::<Entity>(&Entity::key_of(kind, last))?
        .filter(|entity| entity.arn(account) == written && visit.now >= entity.known_from)
        .ok_or_else(invalid)?;
    Ok(Grantee { written: written.to_owned(), unique_id: Some(entity.id) })
}

/// A grant's principal as it is shown now: the unique id once the user or role is gone.
pub(super) fn shown(visit: &Visit<'_>, grantee: &Grantee) -> Result<String, Refusal> {
    match &grantee.unique_id {
        None => Ok(grantee.written.clone()),
        Some(id) => {
            Ok(entity_of(visit.store, id)?.map_or_else(|| id.clone(), |entity| entity.arn(visit.account())))
        }
    }
}

fn describe(visit: &Visit<'_>, grant: &Grant) -> Result<Value, Refusal> {
    let mut shown_grant = json!({
        "KeyId": Key::arn_of(&grant.region, visit.account(), &grant.target),
        "GrantId": grant.id,
        "Name": grant.name.clone().unwrap_or_default(),
        "CreationDate": grant.created.epoch_seconds(),
        "GranteePrincipal": shown(visit, &grant.grantee)?,
        "IssuingAccount": visit.iam_arn("root"),
        "Operations": grant.operations,
    });
    if let Some(object) = shown_grant.as_object_mut() {
        if let Some(retiring) = &grant.retiring {
            object.insert("RetiringPrincipal".to_owned(), shown(visit, retiring)?.into());
        }
        if let Some(constraints) = &grant.constraints {
            object.insert("Constraints".to_owned(), json!(constraints));
        }
    }
    Ok(shown_grant)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListGrants {
    key_id: String,
    grant_id: Option<String>,
    grantee_principal: Option<String>,
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: ListGrants = visit.call.json()?;
    let key = find::by_key_name(visit, &input.key_id)?;
    may_plainly(visit, &key, "kms:ListGrants")?;
    listed(visit, visit.store.all::<Grant>(&Grant::prefix_of(&key))?, |grant, grantee| {
        input.grant_id.as_ref().is_none_or(|id| *id == grant.id)
            && input.grantee_principal.as_ref().is_none_or(|wanted| wanted == grantee)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRetirable {
    retiring_principal: String,
}

pub(super) fn list_retirable(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: ListRetirable = visit.call.json()?;
    authorize::identity(visit, "kms:ListRetirableGrants", "*", terrane_iam::Context::complete())?;
    let grants = visit.store.all::<Grant>(&format!("{}|", visit.region()))?;
    listed(visit, grants, |grant, _| {
        grant.retiring.as_ref().is_some_and(|retiring| retiring.written == input.retiring_principal)
    })
}

fn listed(
    visit: &Visit<'_>,
    grants: Vec<Grant>,
    wanted: impl Fn(&Grant, &str) -> bool,
) -> Result<Reply, Refusal> {
    let page = page::Asked::of(visit, 50, 100)?;
    let mut described = Vec::new();
    for grant in grants {
        let later = page.after().is_none_or(|after| grant.key().as_str() > after);
        if later && wanted(&grant, &shown(visit, &grant.grantee)?) {
            described.push((grant.key(), describe(visit, &grant)?));
        }
    }
    Ok(page.answer("Grants", described, |(key, _)| key.clone(), |(_, shown)| shown.clone()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Revoke {
    key_id: String,
    grant_id: String,
}

pub(super) fn revoke(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Revoke = visit.call.json()?;
    let key = find::by_key_name(visit, &input.key_id)?;
    may_plainly(visit, &key, "kms:RevokeGrant")?;
    if visit.store.delete::<Grant>(&format!("{}{}", Grant::prefix_of(&key), input.grant_id))? {
        return Ok(Reply::Empty);
    }
    Err(find::not_found(format!("Grant ID {} not found", input.grant_id)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Retire {
    grant_token: Option<String>,
    key_id: Option<String>,
    grant_id: Option<String>,
}

/// Ends a grant by its token or by key and id; the retiring principal, the grantee with `RetireGrant` among its operations,
/// or somebody whom the policies allow.
pub(super) fn retire(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Retire = visit.call.json()?;
    let found = match (&input.grant_token, &input.key_id, &input.grant_id) {
        (Some(token), _, _) => {
            let all = visit.store.all::<Grant>(&format!("{}|", visit.region()))?;
            all.into_iter().find(|grant| grant.token == *token)
        }
        (None, Some(key), Some(id)) => {
            let key = find::by_key_name(visit, key)?;
            visit.store.get::<Grant>(&format!("{}{id}", Grant::prefix_of(&key)))?
        }
        _ => {
            return Err(Refusal::validation(
                "Either the grant token or the key id and the grant id must be given.",
            ));
        }
    };
    let grant = found.ok_or_else(|| find::not_found("The grant was not found."))?;
    let key = find::by_key_name(visit, &grant.target)?;
    let retires = match &grant.retiring {
        Some(retiring) => shown(visit, retiring)? == visit.caller.arn(visit.account()),
        None => false,
    };
    if !retires {
        may_plainly(visit, &key, "kms:RetireGrant")?;
    }
    visit.store.delete::<Grant>(&grant.key())?;
    Ok(Reply::Empty)
}
