//! Keys: made, described, enabled and disabled, and taken away after a waiting time.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use terrane_iam::Context;

use super::authority::{key_context, may, may_plainly};
use super::records::{DELETION, Key, Material, ROTATION};
use super::spec::Spec;
use super::tagging::{self, WireTag};
use super::{find, page, policy};
use crate::authorize;
use crate::ids;
use crate::store::Document;
use crate::trail;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateKey {
    policy: Option<String>,
    description: Option<String>,
    key_usage: Option<String>,
    key_spec: Option<String>,
    customer_master_key_spec: Option<String>,
    origin: Option<String>,
    custom_key_store_id: Option<String>,
    #[serde(default)]
    bypass_policy_lockout_safety_check: bool,
    #[serde(default)]
    tags: Vec<WireTag>,
    #[serde(default)]
    multi_region: bool,
}

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: CreateKey = visit.call.json()?;
    if let Some(store) = &input.custom_key_store_id {
        let message = format!("Custom key store {store} does not exist.");
        return Err(Refusal::new("CustomKeyStoreNotFoundException", message));
    }
    let spec = input.key_spec.or(input.customer_master_key_spec);
    let spec = Spec::of(spec.as_deref().unwrap_or("SYMMETRIC_DEFAULT"), input.key_usage.as_deref())?;
    let origin = origin(input.origin.as_deref())?;
    let description = described_by(input.description)?;
    let tags = tagging::checked(input.tags)?;
    let mut context = Context::complete()
        .with("kms:KeySpec", spec.name)
        .with("kms:KeyUsage", spec.usage)
        .with("kms:KeyOrigin", origin)
        .with("kms:MultiRegion", input.multi_region.to_string())
        .with("kms:BypassPolicyLockoutSafetyCheck", input.bypass_policy_lockout_safety_check.to_string());
    for tag in &tags {
        context = context.with(&format!("aws:RequestTag/{}", tag.key), &tag.value);
    }
    if !tags.is_empty() {
        context = context.with_all("aws:TagKeys", tags.iter().map(|tag| &tag.key));
    }
    authorize::identity(visit, "kms:CreateKey", "*", context.clone())?;

    let uuid = ids::uuid();
    let id = if input.multi_region { format!("mrk-{}", uuid.replace('-', "")) } else { uuid };
    let mut key = Key {
        region: visit.region().to_owned(),
        id,
        created: visit.now,
        description,
        enabled: origin != "EXTERNAL",
        deletion: None,
        usage: spec.usage.to_owned(),
        spec: spec.name.to_owned(),
        origin: origin.to_owned(),
        multi_region: input.multi_region,
        managed_by: None,
        policy: policy::default(visit),
        tags,
        rotation: None,
        rotated_on_demand: None,
        materials: Vec::new(),
    };
    // <https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html>
    if !key.tags.is_empty() {
        authorize::identity(visit, "kms:TagResource", &key.arn(visit.account()), context)?;
    }
    if let (Some(bytes), "AWS_KMS") = (spec.material_bytes, origin) {
        key.materials.push(new_material(visit, bytes, None)?);
    }
    if let Some(text) = input.policy {
        key.policy = policy::accepted(visit, &key, &text, input.bypass_policy_lockout_safety_check)?;
    }
    visit.store.put(&key)?;
    visit.seen.resource(trail::KEY, &key.arn(visit.account()));
    Ok(json!({ "KeyMetadata": metadata(visit, &key) }).into())
}

/// A new generation of key material.
pub(super) fn new_material(
    visit: &Visit<'_>,
    bytes: usize,
    rotation: Option<&str>,
) -> Result<Material, Refusal> {
    let random = ids::random_bytes::<64>()?;
    Ok(Material {
        id: ids::hex64()?,
        secret: STANDARD.encode(random.get(..bytes).unwrap_or(&random)),
        created: visit.now,
        rotation: rotation.map(str::to_owned),
    })
}

fn origin(origin: Option<&str>) -> Result<&'static str, Refusal> {
    match origin.unwrap_or("AWS_KMS") {
        "AWS_KMS" => Ok("AWS_KMS"),
        "EXTERNAL" => Ok("EXTERNAL"),
        "AWS_CLOUDHSM" | "EXTERNAL_KEY_STORE" => {
            Err(Refusal::validation("This origin needs a custom key store, of which the sandbox has none."))
        }
        other => Err(Refusal::validation(format!(
            "1 validation error detected: Value '{other}' at 'origin' failed to satisfy constraint: Member must satisfy enum value set: [EXTERNAL, AWS_CLOUDHSM, AWS_KMS, EXTERNAL_KEY_STORE]"
        ))),
    }
}

fn described_by(text: Option<String>) -> Result<String, Refusal> {
    let text = text.unwrap_or_default();
    if text.chars().count() <= 8192 {
        return Ok(text);
    }
    Err(Refusal::validation(
        "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192",
    ))
}

/// The description of a key as the API gives it.
pub(super) fn metadata(visit: &Visit<'_>, key: &Key) -> Value {
    let arn = key.arn(visit.account());
    let mut metadata = json!({
        "AWSAccountId": visit.account(),
        "KeyId": key.id,
        "Arn": arn,
        "CreationDate": key.created.epoch_seconds(),
        "Enabled": key.state() == "Enabled",
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state(),
        "Origin": key.origin,
        "KeyManager": if key.managed_by.is_some() { "AWS" } else { "CUSTOMER" },
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "MultiRegion": key.multi_region,
    });
    let mut set = |name: &str, value: Value| {
        if let Some(object) = metadata.as_object_mut() {
            object.insert(name.to_owned(), value);
        }
    };
    if let Some(date) = key.deletion {
        set("DeletionDate", date.epoch_seconds().into());
    }
    if let Some((name, algorithms)) = super::spec::algorithms(&key.spec, &key.usage) {
        set(name, algorithms.into());
    }
    if let Some(material) = key.materials.last().filter(|_| key.is_symmetric()) {
        set("CurrentKeyMaterialId", material.id.clone().into());
    }
    if key.multi_region {
        set(
            "MultiRegionConfiguration",
            json!({
                "MultiRegionKeyType": "PRIMARY",
                "PrimaryKey": { "Arn": arn, "Region": key.region },
                "ReplicaKeys": [],
            }),
        );
    }
    metadata
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyOnly {
    pub(super) key_id: String,
}

pub(super) fn describe(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: KeyOnly = visit.call.json()?;
    let named = find::by_any_name(visit, &input.key_id)?;
    let mut context = key_context(visit, &named.key)?;
    if let Some(alias) = &named.alias {
        context = context.with("kms:RequestAlias", alias);
    }
    may(visit, &named.key, "kms:DescribeKey", context)?;
    Ok(json!({ "KeyMetadata": metadata(visit, &named.key) }).into())
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    authorize::identity(visit, "kms:ListKeys", "*", Context::complete())?;
    let page = page::Asked::of(visit, 100, 1000)?;
    let keys = visit.store.list::<Key>(&format!("{}|", visit.region()), page.after(), page.limit() + 1)?;
    Ok(page.answer(
        "Keys",
        keys,
        Key::key,
        |key| json!({ "KeyId": key.id, "KeyArn": key.arn(visit.account()) }),
    ))
}

/// Refuses what a key that AWS manages does not allow.
pub(super) fn must_be_customers(visit: &Visit<'_>, key: &Key) -> Result<(), Refusal> {
    if key.managed_by.is_none() {
        return Ok(());
    }
    let message = format!("{} is managed by AWS and cannot be changed.", key.arn(visit.account()));
    Err(Refusal::new("UnsupportedOperationException", message))
}

/// Refuses what a key that waits for its deletion does not allow.
pub(super) fn must_not_be_pending(visit: &Visit<'_>, key: &Key) -> Result<(), Refusal> {
    let arn = key.arn(visit.account());
    match key.state() {
        "PendingDeletion" => {
            Err(Refusal::new("KMSInvalidStateException", format!("{arn} is pending deletion.")))
        }
        _ => Ok(()),
    }
}

/// Refuses what only an enabled key allows.
pub(super) fn must_be_enabled(visit: &Visit<'_>, key: &Key) -> Result<(), Refusal> {
    must_not_be_pending(visit, key)?;
    let arn = key.arn(visit.account());
    match key.state() {
        "Disabled" => Err(Refusal::new("DisabledException", format!("{arn} is disabled."))),
        "PendingImport" => Err(Refusal::new("KMSInvalidStateException", format!("{arn} is pending import."))),
        _ => Ok(()),
    }
}

pub(super) fn enable(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    switch(visit, "kms:EnableKey", true)
}

pub(super) fn disable(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    switch(visit, "kms:DisableKey", false)
}

fn switch(visit: &Visit<'_>, action: &str, enabled: bool) -> Result<Reply, Refusal> {
    let mut key = changed(visit, action)?;
    must_not_be_pending(visit, &key)?;
    if key.state() == "PendingImport" {
        must_be_enabled(visit, &key)?;
    }
    key.enabled = enabled;
    visit.store.put(&key)?;
    Ok(Reply::Empty)
}

/// The key of the call, which the caller may change by `action`.
pub(super) fn changed(visit: &Visit<'_>, action: &str) -> Result<Key, Refusal> {
    let input: KeyOnly = visit.call.json()?;
    let key = find::by_key_name(visit, &input.key_id)?;
    may_plainly(visit, &key, action)?;
    must_be_customers(visit, &key)?;
    Ok(key)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateDescription {
    description: String,
}

pub(super) fn update_description(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: UpdateDescription = visit.call.json()?;
    let description = described_by(Some(input.description))?;
    let mut key = changed(visit, "kms:UpdateKeyDescription")?;
    must_not_be_pending(visit, &key)?;
    key.description = description;
    visit.store.put(&key)?;
    Ok(Reply::Empty)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScheduleDeletion {
    key_id: String,
    pending_window_in_days: Option<i64>,
}

pub(super) fn schedule_deletion(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: ScheduleDeletion = visit.call.json()?;
    let days = input.pending_window_in_days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value between 7 and 30"
        )));
    }
    let mut key = find::by_key_name(visit, &input.key_id)?;
    let context =
        key_context(visit, &key)?.with("kms:ScheduleKeyDeletionPendingWindowInDays", days.to_string());
    may(visit, &key, "kms:ScheduleKeyDeletion", context)?;
    must_be_customers(visit, &key)?;
    must_not_be_pending(visit, &key)?;
    let date = visit.now.plus_days(days);
    key.deletion = Some(date);
    key.enabled = false;
    visit.store.put(&key)?;
    visit.store.set_deadline(DELETION, &key.key(), date)?;
    visit.store.clear_deadline(ROTATION, &key.key())?;
    Ok(json!({
        "KeyId": key.arn(visit.account()),
        "DeletionDate": date.epoch_seconds(),
        "KeyState": key.state(),
        "PendingWindowInDays": days,
    })
    .into())
}

pub(super) fn cancel_deletion(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut key = changed(visit, "kms:CancelKeyDeletion")?;
    let arn = key.arn(visit.account());
    if key.deletion.take().is_none() {
        let message = format!("{arn} is not pending deletion.");
        return Err(Refusal::new("KMSInvalidStateException", message));
    }
    visit.store.put(&key)?;
    visit.store.clear_deadline(DELETION, &key.key())?;
    if let Some(rotation) = &key.rotation {
        visit.store.set_deadline(ROTATION, &key.key(), rotation.next)?;
    }
    Ok(json!({ "KeyId": arn }).into())
}
