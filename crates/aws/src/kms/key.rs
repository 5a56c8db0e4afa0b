//! `aws_kms_key`: a key that the account manages.
//!
//! Object: a KMS key, identified by its key id, which AWS makes up. It has no name: between its creation and its first
//! place in the state it is found by a marker tag.
//!
//! Calls: CreateKey, DescribeKey, GetKeyPolicy, GetKeyRotationStatus, ListResourceTags; PutKeyPolicy,
//! UpdateKeyDescription, EnableKey, DisableKey, EnableKeyRotation, DisableKeyRotation, TagResource, UntagResource;
//! ScheduleKeyDeletion, CancelKeyDeletion; ListKeys to find a lost one. Each needs the permission `kms:` of the same name.
//! Before it is deleted: ListAliases, ListGrants, and `dynamodb:ListTables`, DescribeTable, DescribeContinuousBackups.
//!
//! Replaced when its spec, usage, store or multi-region flag changes. Policy, rotation, tags and the enabled state
//! settle within seconds. Deleting only schedules the deletion; a key of the state that is pending deletion is brought
//! back by an update. Such a key has no `is_enabled`, so that there always is one.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html>

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, Operation, block, computed, optional, optional_computed};
use terrane_model::{Mode, Schema, Type, Unknown, Value};
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Extent, Failure, Ground, Permissions, PlanRequest,
    ResourceType, User, Users,
};

use crate::client::Clients;
use crate::error::failed;
use crate::object::{absent, filled, needed, unknown_text, unknown_with_prefix, whole};
use crate::{iam, tags};

mod change;
mod observed;
mod permissions;
pub(crate) mod users;

use observed::{Observed, observe};

/// The resource type.
pub struct Key;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let whole =
        |name, from, to| optional(name, Type::Number).check(Check::Whole).check(Check::Range(from, to));
    let period = optional_computed("rotation_period_in_days", Type::Number)
        .check(Check::Whole)
        .check(Check::Range(90, 2560))
        .required_with(&["enable_key_rotation"]);
    Schema::new(
        "aws_kms_key",
        Mode::Managed,
        "A KMS key that the account manages.",
        block(
            [
                computed("arn", Type::String).doc("ARN of the key."),
                optional("bypass_policy_lockout_safety_check", Type::Bool)
                    .default(false)
                    .doc("Take a policy after which the caller can no longer change it."),
                optional("custom_key_store_id", Type::String)
                    .force_new()
                    .check(Check::Length(1, 22))
                    .doc("Key store that holds the key material."),
                optional("customer_master_key_spec", Type::String)
                    .force_new()
                    .default("SYMMETRIC_DEFAULT")
                    .check(Check::OneOf(SPECS))
                    .doc("Kind of key material."),
                whole("deletion_window_in_days", 7, 30)
                    .doc("Days between deleting the key and its end; AWS takes 30 without."),
                optional_computed("description", Type::String)
                    .check(Check::Length(0, 8192))
                    .doc("What the key is for."),
                optional("enable_key_rotation", Type::Bool)
                    .default(false)
                    .doc("Let KMS make new key material regularly."),
                optional_computed("id", Type::String).doc("The key id."),
                optional("is_enabled", Type::Bool).default(true).doc("Whether the key can be used."),
                computed("key_id", Type::String).doc("The key id."),
                optional("key_usage", Type::String)
                    .force_new()
                    .default("ENCRYPT_DECRYPT")
                    .check(Check::OneOf(USAGES))
                    .doc("What the key does."),
                optional_computed("multi_region", Type::Bool)
                    .force_new()
                    .doc("Whether the key can have replicas in other regions."),
                optional_computed("policy", Type::String)
                    .check(Check::Json)
                    .form(&iam::POLICY)
                    .doc("Key policy; without one KMS hands the decision to the account's IAM policies."),
                period.doc("Days between two rotations."),
                optional("tags", Type::map(Type::String)).doc("Tags."),
                optional_computed("tags_all", Type::map(Type::String))
                    .doc("Tags including the provider's default tags."),
                optional("xks_key_id", Type::String)
                    .force_new()
                    .check(Check::Length(1, 128))
                    .required_with(&["custom_key_store_id"])
                    .doc("Key of the external key store."),
            ],
            [],
        ),
    )
    .timeouts(&[(Operation::Create, Duration::from_secs(120))])
});

const SPECS: &[&str] = &[
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "SYMMETRIC_DEFAULT",
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
];

const USAGES: &[&str] = &["SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"];

#[async_trait]
impl ResourceType for Key {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        tags::plan(request);
        let is_absent = |name: &str| request.config.get(name).is_none_or(Value::is_null);
        let (no_description, no_region, no_period) =
            (is_absent("description"), is_absent("multi_region"), is_absent("rotation_period_in_days"));
        if request.prior.is_some_and(is_pending_deletion) {
            // Absence would pass for `false`.
            let wanted = request.config.get("is_enabled").filter(|wanted| !wanted.is_null());
            request.set("is_enabled", wanted.cloned().unwrap_or_else(|| Value::bool(true)));
        }
        if request.is_create() {
            request.set("id", unknown_text());
            request.set("key_id", unknown_text());
            request.set("arn", arn_to_be(request));
            if no_description {
                request.set("description", Value::from(""));
            }
            if no_region {
                request.set("multi_region", Value::bool(false));
            }
        } else if request.changes("enable_key_rotation") && no_period {
            request.set("rotation_period_in_days", Value::unknown_with(Unknown::not_null(Type::Number)));
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions::permissions(doing, ground))
    }

    fn recovery(&self, _: &Value, ground: &Ground<'_>) -> Permissions {
        permissions::recovery(ground)
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let id = needed(prior, "id", "kms:DescribeKey")?;
        let observed = observe(cx.session.clients()?, id).await?;
        if let Some(remark) = observed.as_ref().and_then(Observed::remark) {
            cx.progress.remark(cx.address, &remark);
        }
        Ok(observed.map(|observed| observed.into_state(prior, &cx.session.facts, false)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        change::create(cx, planned).await
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        match change::update(cx, prior, planned).await {
            Ok(object) => Ok(object),
            Err(error) => Err(Failure { error, partial: self.read(cx, prior).await.ok().flatten() }),
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let id = needed(prior, "id", "kms:ScheduleKeyDeletion")?;
        let kms = cx.session.clients::<Clients>()?.kms();
        let window = whole(prior, "deletion_window_in_days").and_then(|days| i32::try_from(days).ok());
        let answer = kms.schedule_key_deletion().key_id(id).set_pending_window_in_days(window).send().await;
        let date = match answer.map_err(failed("kms:ScheduleKeyDeletion")) {
            Ok(answer) => answer.deletion_date,
            Err(error) if error.is_not_found() => return Ok(Deleted::default()),
            Err(error)
                if error.is_code("KMSInvalidStateException")
                    && error.message.contains("pending deletion") =>
            {
                let answer = kms.describe_key().key_id(id).send().await.map_err(failed("kms:DescribeKey"))?;
                answer.key_metadata.and_then(|metadata| metadata.deletion_date)
            }
            Err(error) => return Err(error),
        };
        let until = date.map(|date| format!(" until {}", day(date))).unwrap_or_default();
        Ok(Deleted {
            note: Some(format!(
                "The key {id} is pending deletion{until}; until then it can be brought back."
            )),
        })
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        if id.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "import", "The import id of a key is its key id."));
        }
        let prior = absent(&SCHEMA).with("id", Value::from(id));
        let observed = observe(cx.session.clients()?, id).await?;
        if let Some(remark) = observed.as_ref().and_then(Observed::remark) {
            cx.progress.remark(cx.address, &remark);
        }
        Ok(observed.map(|observed| observed.into_state(&prior, &cx.session.facts, true)))
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let Some(marker) = cx.marker else { return Ok(None) };
        let clients: &Clients = cx.session.clients()?;
        let Some(id) = marked(clients, marker).await? else { return Ok(None) };
        let observed = observe(clients, &id).await?.filter(|observed| !observed.is_pending_deletion());
        let prior = planned.clone().with("id", Value::from(id));
        Ok(observed.map(|observed: Observed| observed.into_state(&prior, &cx.session.facts, false)))
    }

    fn is_pending_deletion(&self, object: &Value) -> bool {
        is_pending_deletion(object)
    }

    fn can_be_brought_back(&self) -> bool {
        true
    }

    fn days_until_lost(&self, object: &Value) -> Option<u32> {
        let days = whole(object, "deletion_window_in_days").and_then(|days| u32::try_from(days).ok());
        Some(days.unwrap_or(30))
    }

    async fn users(&self, cx: &Context<'_>, object: &Value, extent: Extent) -> Result<Users, Error> {
        users::look(cx, object, extent).await
    }

    fn user(&self, object: &Value, type_name: &str, other: &Value) -> Option<User> {
        users::of_state(object, type_name, other)
    }

    fn has_marker(&self) -> bool {
        true
    }

    async fn settle(&self, cx: &Context<'_>, object: &Value) -> Result<(), Error> {
        let id = needed(object, "id", "kms:UntagResource")?;
        let kms = cx.session.clients::<Clients>()?.kms();
        let answer = kms.untag_resource().key_id(id).tag_keys(tags::MARKER).send().await;
        match answer.map_err(failed("kms:UntagResource")) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

fn arn_to_be(request: &PlanRequest<'_>) -> Value {
    let facts = request.facts;
    match &facts.account {
        Some(account) => {
            unknown_with_prefix(&format!("arn:{}:kms:{}:{account}:key/", facts.partition, facts.region))
        }
        None => unknown_text(),
    }
}

/// Whether a key of the state waits for its deletion.
fn is_pending_deletion(object: &Value) -> bool {
    let is_read = filled(object, "key_id").is_some();
    is_read && object.get("is_enabled").is_some_and(Value::is_null)
}

/// The key that carries the marker.
async fn marked(clients: &Clients, marker: &str) -> Result<Option<String>, Error> {
    let pages = clients.kms().list_keys().into_paginator().items().send();
    let keys: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("kms:ListKeys"))?;
    let ids = keys.into_iter().rev().filter_map(|key| key.key_id);
    let mut looks = stream::iter(ids)
        .map(|id| async move {
            // Other people's keys may be closed to us; a key that we made is not.
            let tags = observed::remote_tags(clients, &id).await.unwrap_or_default();
            (tags.get(tags::MARKER).map(String::as_str) == Some(marker)).then_some(id)
        })
        .buffered(8);
    while let Some(found) = looks.next().await {
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn day(date: aws_smithy_types::DateTime) -> String {
    let text = date.fmt(aws_smithy_types::date_time::Format::DateTime).unwrap_or_default();
    text.split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
