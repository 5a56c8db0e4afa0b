//! `aws_kms_grant`: a permission on a key that is given to one principal.
//!
//! Object: a grant, identified by its key and an id that KMS makes up. Calls and permissions: `kms:CreateGrant`,
//! `kms:ListGrants`, `kms:RevokeGrant`, or with `retire_on_delete` `kms:RetireGrant`. Everything forces replacement. A grant is
//! listed after some seconds, and a principal that was just made is not accepted for as long.
//!
//! KMS gives a grant with a name only once, however often it is asked for; one without a name is looked for among the
//! key's grants by what it says, when the answer to its creation got lost.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::types::{GrantConstraints, GrantListEntry, GrantOperation};
use terrane_model::conform::Problem;
use terrane_model::{Schema, Type, Value};
use terrane_provider::once::create_once;
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Permissions, PlanRequest, ResourceType,
};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::kms::{PROPAGATION, RETRIES, key_id};
use crate::object::{
    absent, elements, filled, flag, needed, settled, text_map, texts, unknown_text, unknown_with_prefix,
};

mod schema;

use schema::{CONSTRAINTS, EQUALS, SCHEMA, SUBSET, constraint_type};

/// The resource type.
pub struct Grant;

#[async_trait]
impl ResourceType for Grant {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.is_create() {
            let id = match filled(&request.planned, "key_id") {
                Some(key) => unknown_with_prefix(&format!("{key}:")),
                None => unknown_text(),
            };
            request.set("id", id);
            request.set("grant_id", unknown_text());
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let (key, id) = parts(needed(prior, "id", "kms:ListGrants")?)?;
        let grant = listed(cx.session.clients()?, key, id).await?;
        Ok(grant.map(|grant| into_state(&grant, key, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let clients: &Clients = cx.session.clients()?;
        let key = needed(planned, "key_id", "kms:CreateGrant")?;
        let made = match filled(planned, "name") {
            // The same call again gives the same grant.
            Some(_) => retry(cx, RETRIES, || send(clients, planned, RetryConfig::standard())).await?,
            None => unnamed(cx, planned, key).await?,
        };
        let object = settled(
            planned
                .clone()
                .with("grant_id", Value::from(made.id.as_str()))
                .with("grant_token", Value::from(made.token))
                .with("id", Value::from(format!("{key}:{}", made.id))),
        );
        let look =
            || async { Ok(listed(clients, key, &made.id).await?.ok_or_else(|| "no such grant".to_owned())) };
        let wait = Wait::new("the grant to be listed", PROPAGATION);
        match wait.until(cx, "kms:ListGrants", look).await {
            Ok(grant) => Ok(into_state(&grant, key, &object)),
            Err(error) => Err(Failure { error, partial: Some(object) }),
        }
    }

    async fn update(&self, _cx: &Context<'_>, _prior: &Value, planned: &Value) -> Result<Value, Failure> {
        Ok(settled(planned.clone()))
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let clients: &Clients = cx.session.clients()?;
        let (key, id) = parts(needed(prior, "id", "kms:RevokeGrant")?)?;
        let answer = match flag(prior, "retire_on_delete") {
            true => {
                let call = clients.kms().retire_grant().key_id(arn_of(cx, key)).grant_id(id);
                call.send().await.map(drop).map_err(failed("kms:RetireGrant"))
            }
            false => revoke(clients, key, id).await,
        };
        if present(answer)?.is_none() {
            return Ok(Deleted::default());
        }
        let look = || async {
            Ok(match listed(clients, key, id).await? {
                None => Ok(()),
                Some(_) => Err("a grant that is still listed".to_owned()),
            })
        };
        Wait::new("the grant to be gone", PROPAGATION).until(cx, "kms:ListGrants", look).await?;
        Ok(Deleted::default())
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        if parts(id).is_err() {
            let message =
                format!("The import id of a grant is `KEY:GRANT-ID`, the key by id or ARN; `{id}` is not.");
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        }
        self.read(cx, &absent(&SCHEMA).with("id", Value::from(id))).await
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let Some(key) = filled(planned, "key_id") else { return Ok(None) };
        let grants = present(grants(cx.session.clients()?, key).await)?.unwrap_or_default();
        let found = grants.into_iter().filter(|grant| is_as_planned(grant, planned));
        let newest = found.max_by_key(|grant| grant.creation_date.map(|date| date.as_nanos()));
        // Its token was in the answer that nobody has seen.
        Ok(newest.map(|grant| settled(into_state(&grant, key, planned))))
    }
}

/// Key and grant id of an id. A key may be given by ARN.
fn parts(id: &str) -> Result<(&str, &str), Error> {
    let parts = id.rsplit_once(':').filter(|(key, grant)| !key.is_empty() && !grant.is_empty());
    parts.ok_or_else(|| Error::bug("kms:ListGrants", format!("The id `{id}` names no key and grant.")))
}

/// Retiring a grant takes the ARN of its key.
fn arn_of(cx: &Context<'_>, key: &str) -> String {
    let facts = &cx.session.facts;
    match &facts.account {
        Some(account) if !key.starts_with("arn:") => {
            format!("arn:{}:kms:{}:{account}:key/{}", facts.partition, facts.region, key_id(key))
        }
        _ => key.to_owned(),
    }
}

struct Made {
    id: String,
    token: String,
}

async fn send(clients: &Clients, planned: &Value, retries: RetryConfig) -> Result<Made, Error> {
    let owned = |name: &str| filled(planned, name).map(str::to_owned);
    let tokens = texts(planned, "grant_creation_tokens");
    let call = clients
        .kms()
        .create_grant()
        .set_key_id(owned("key_id"))
        .set_name(owned("name"))
        .set_grantee_principal(owned("grantee_principal"))
        .set_retiring_principal(owned("retiring_principal"))
        .set_operations(Some(
            texts(planned, "operations").iter().map(|o| GrantOperation::from(o.as_str())).collect(),
        ))
        .set_constraints(constraints_to_send(planned))
        .set_grant_tokens((!tokens.is_empty()).then_some(tokens))
        .customize();
    let config = aws_sdk_kms::config::Builder::new().retry_config(retries);
    let answer = call.config_override(config).send().await.map_err(failed("kms:CreateGrant"))?;
    match (answer.grant_id, answer.grant_token) {
        (Some(id), token) => Ok(Made { id, token: token.unwrap_or_default() }),
        (None, _) => Err(Error::bug("kms:CreateGrant", "The answer names no grant.")),
    }
}

/// Makes a grant without a name once. One whose answer got lost is taken back, since its token is lost too.
async fn unnamed(cx: &Context<'_>, planned: &Value, key: &str) -> Result<Made, Error> {
    let clients: &Clients = cx.session.clients()?;
    let ids = |grants: Vec<GrantListEntry>| grants.into_iter().filter_map(|grant| grant.grant_id);
    // One at a time, so that a grant that was not there before is the one that this call made.
    let _only = clients.kms_cache.unnamed_grants.lock().await;
    let before: BTreeSet<String> = ids(present(grants(clients, key).await)?.unwrap_or_default()).collect();
    let call = || send(clients, planned, RetryConfig::disabled());
    let look = || async {
        let mut now = grants(clients, key).await?;
        now.retain(|grant| is_as_planned(grant, planned));
        for id in ids(now).filter(|id| !before.contains(id)) {
            present(revoke(clients, key, &id).await)?;
        }
        Ok(None)
    };
    retry(cx, RETRIES, || create_once(cx, call, look)).await
}

async fn revoke(clients: &Clients, key: &str, id: &str) -> Result<(), Error> {
    let call = clients.kms().revoke_grant().key_id(key).grant_id(id);
    call.send().await.map(drop).map_err(failed("kms:RevokeGrant"))
}

/// All grants of a key.
async fn grants(clients: &Clients, key: &str) -> Result<Vec<GrantListEntry>, Error> {
    let pages = clients.kms().list_grants().key_id(key).limit(100).into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("kms:ListGrants"))
}

/// The grant as it is listed now.
async fn listed(clients: &Clients, key: &str, id: &str) -> Result<Option<GrantListEntry>, Error> {
    let pages =
        clients.kms().list_grants().key_id(key).grant_id(id).limit(100).into_paginator().items().send();
    let listed: Result<Vec<_>, _> = pages.collect::<Result<_, _>>().await.map_err(failed("kms:ListGrants"));
    let listed = match listed {
        // So it is said that there is none of that id.
        Err(error) if error.is_code("InvalidGrantIdException") => return Ok(None),
        listed => present(listed)?.unwrap_or_default(),
    };
    Ok(listed.into_iter().find(|grant| grant.grant_id.as_deref() == Some(id)))
}

type Pairs = BTreeMap<String, String>;

/// What the encryption context must equal, and what it must contain.
fn constraints(object: &Value) -> (Pairs, Pairs) {
    let block = elements(object, CONSTRAINTS).first();
    let pairs = |name: &str| block.map(|block| text_map(block.get(name))).unwrap_or_default();
    (pairs(EQUALS), pairs(SUBSET))
}

fn constraints_to_send(planned: &Value) -> Option<GrantConstraints> {
    let (equals, subset) = constraints(planned);
    let pairs = |pairs: Pairs| (!pairs.is_empty()).then(|| pairs.into_iter().collect());
    let built = GrantConstraints::builder()
        .set_encryption_context_equals(pairs(equals))
        .set_encryption_context_subset(pairs(subset))
        .build();
    (built.encryption_context_equals.is_some() || built.encryption_context_subset.is_some()).then_some(built)
}

fn remote_constraints(grant: &GrantListEntry) -> (Pairs, Pairs) {
    let pairs = |map: Option<&std::collections::HashMap<String, String>>| -> Pairs {
        map.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let remote = grant.constraints.as_ref();
    (
        pairs(remote.and_then(|remote| remote.encryption_context_equals.as_ref())),
        pairs(remote.and_then(|remote| remote.encryption_context_subset.as_ref())),
    )
}

fn is_as_planned(grant: &GrantListEntry, planned: &Value) -> bool {
    let same = |name: &str, remote: Option<&str>| {
        filled(planned, name).unwrap_or_default() == remote.unwrap_or_default()
    };
    let wanted: BTreeSet<String> = texts(planned, "operations").into_iter().collect();
    let operations: BTreeSet<String> = grant.operations().iter().map(|o| o.as_str().to_owned()).collect();
    same("name", grant.name.as_deref())
        && same("grantee_principal", grant.grantee_principal.as_deref())
        && same("retiring_principal", grant.retiring_principal.as_deref())
        && wanted == operations
        && constraints(planned) == remote_constraints(grant)
}

fn into_state(grant: &GrantListEntry, key: &str, prior: &Value) -> Value {
    let id = grant.grant_id.as_deref().unwrap_or_default();
    let given = |name: &str, remote: Option<&str>| match remote.filter(|remote| !remote.is_empty()) {
        Some(remote) => Value::from(remote),
        None => prior.get(name).cloned().unwrap_or_else(|| Value::null(Type::String)),
    };
    let remote = remote_constraints(grant);
    let constraint = match (constraints(prior) == remote, prior.get(CONSTRAINTS)) {
        (true, Some(before)) if before.is_wholly_known() => before.clone(),
        _ => constraint_state(remote),
    };
    prior
        .clone()
        .with(CONSTRAINTS, constraint)
        .with("grant_id", Value::from(id))
        .with("grantee_principal", given("grantee_principal", grant.grantee_principal.as_deref()))
        .with("id", Value::from(format!("{key}:{id}")))
        .with("key_id", Value::from(key))
        .with("name", given("name", grant.name.as_deref()))
        .with(
            "operations",
            Value::set(Type::String, grant.operations().iter().map(|o| Value::from(o.as_str()))),
        )
        .with("retiring_principal", given("retiring_principal", grant.retiring_principal.as_deref()))
}

fn constraint_state((equals, subset): (Pairs, Pairs)) -> Value {
    if equals.is_empty() && subset.is_empty() {
        return Value::set(constraint_type(), []);
    }
    let map = |pairs: Pairs| match pairs.is_empty() {
        true => Value::null(Type::map(Type::String)),
        false => Value::map(Type::String, pairs.into_iter().map(|(key, value)| (key, Value::from(value)))),
    };
    Value::set(constraint_type(), [Value::object([(EQUALS, map(equals)), (SUBSET, map(subset))])])
}

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    const LIST: &[&str] = &["kms:ListGrants"];
    let key = |object: &Value| super::key_arn(ground, object.get("key_id"));
    let none = Permissions::none();
    match doing {
        Doing::LookFor(_) | Doing::Update { .. } => none,
        Doing::Import(id) => {
            let key = id.rsplit_once(':').map_or(id, |(key, _)| key);
            none.on(&super::key_arn(ground, Some(&Value::from(key))), LIST)
        }
        Doing::Read(object) => none.on(&key(object), LIST),
        Doing::Create(planned) => none.on(&key(planned), LIST).on(&key(planned), &["kms:CreateGrant"]),
        Doing::Delete(prior) => {
            let end = if flag(prior, "retire_on_delete") { "kms:RetireGrant" } else { "kms:RevokeGrant" };
            none.on(&key(prior), LIST).on(&key(prior), &[end])
        }
    }
}

#[cfg(test)]
mod tests;
