//! What KMS knows about a key, in one round of calls, and how it looks in the state.

use std::collections::BTreeMap;

use aws_sdk_kms::types::{KeyMetadata, KeyState, MultiRegionKeyType, OriginType};
use terrane_model::{Type, Value};
use terrane_provider::{Error, ErrorKind, Facts};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::object::{filled, flag, or_empty, text, whole};
use crate::{iam, tags};

/// A key as it is.
#[derive(Debug)]
pub struct Observed {
    metadata: KeyMetadata,
    policy: String,
    rotation: Option<Rotation>,
    tags: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug)]
struct Rotation {
    enabled: bool,
    period: Option<i32>,
}

/// Looks at a key. One that is pending deletion is still there: it can be brought back.
pub async fn observe(clients: &Clients, id: &str) -> Result<Option<Observed>, Error> {
    let kms = clients.kms();
    let describe = async { kms.describe_key().key_id(id).send().await.map_err(failed("kms:DescribeKey")) };
    let policy = async {
        kms.get_key_policy()
            .key_id(id)
            .policy_name("default")
            .send()
            .await
            .map_err(failed("kms:GetKeyPolicy"))
    };
    let rotation = rotation(clients, id);
    let remote_tags = remote_tags(clients, id);
    let (described, policy, rotation, tags) = futures::join!(describe, policy, rotation, remote_tags);

    let Some(metadata) = present(described)?.and_then(|answer| answer.key_metadata) else { return Ok(None) };
    if let Some(region) = &metadata.multi_region_configuration
        && region.multi_region_key_type == Some(MultiRegionKeyType::Replica)
    {
        return Err(Error::new(
            ErrorKind::Invalid,
            "kms:DescribeKey",
            "The key is a replica of a multi-region key; this resource type is for primary keys.",
        ));
    }
    let has_rotation = metadata.origin.is_none() || metadata.origin == Some(OriginType::AwsKms);
    let rotation = if has_rotation { present(rotation)?.flatten() } else { None };
    let (Some(policy), Some(tags)) = (present(policy)?, present(tags)?) else { return Ok(None) };
    Ok(Some(Observed { metadata, policy: policy.policy.unwrap_or_default(), rotation, tags }))
}

async fn rotation(clients: &Clients, id: &str) -> Result<Option<Rotation>, Error> {
    let answer = clients.kms().get_key_rotation_status().key_id(id).send().await;
    match answer.map_err(failed("kms:GetKeyRotationStatus")) {
        Ok(answer) => Ok(Some(Rotation {
            enabled: answer.key_rotation_enabled,
            period: answer.rotation_period_in_days,
        })),
        // Kinds of keys that KMS cannot rotate, and keys that are pending deletion.
        Err(error)
            if error.is_code("UnsupportedOperationException")
                || error.is_code("KMSInvalidStateException") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The tags of a key, the marker included.
pub async fn remote_tags(clients: &Clients, id: &str) -> Result<BTreeMap<String, String>, Error> {
    let pages = clients.kms().list_resource_tags().key_id(id).into_paginator().items().send();
    let tags: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("kms:ListResourceTags"))?;
    Ok(tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect())
}

impl Observed {
    /// Whether the key waits for its deletion.
    pub fn is_pending_deletion(&self) -> bool {
        use KeyState::{PendingDeletion, PendingReplicaDeletion};
        matches!(self.metadata.key_state, Some(PendingDeletion | PendingReplicaDeletion))
    }

    /// What to say of a key that waits for its deletion.
    pub fn remark(&self) -> Option<String> {
        let from = self.metadata.deletion_date.map(|date| format!(" on {}", super::day(date)));
        let sentence = format!(
            "The key {} is pending deletion: AWS deletes it{}, and what it encrypted can't be read any more then.",
            self.metadata.key_id,
            from.unwrap_or_else(|| " once its replicas are gone".to_owned()),
        );
        self.is_pending_deletion().then_some(sentence)
    }

    /// The key as the state has it. `prior` is the state before, or what was planned.
    pub fn into_state(self, prior: &Value, facts: &Facts, imported: bool) -> Value {
        let metadata = &self.metadata;
        let spec = metadata.key_spec.as_ref().map(|spec| spec.as_str());
        let usage = metadata.key_usage.as_ref().map(|usage| usage.as_str());
        let key_id = metadata.key_id.as_str();
        let id = filled(prior, "id").unwrap_or(key_id).to_owned();
        let xks_id = metadata.xks_key_configuration.as_ref().and_then(|xks| xks.id.as_deref());
        // Neither enabled nor disabled: whatever the spec says of it, there is something to do.
        let enabled = match self.is_pending_deletion() {
            true => Value::null(Type::Bool),
            false => Value::bool(metadata.enabled),
        };
        // Its rotation rests until it is back.
        let rotates = match self.is_pending_deletion() {
            true => flag(prior, "enable_key_rotation"),
            false => self.rotation.is_some_and(|rotation| rotation.enabled),
        };
        let object = prior
            .clone()
            .with("arn", or_empty(metadata.arn.as_deref()))
            .with("custom_key_store_id", or_empty(metadata.custom_key_store_id.as_deref()))
            .with("customer_master_key_spec", or_empty(spec))
            .with("description", or_empty(metadata.description.as_deref()))
            .with("enable_key_rotation", Value::bool(rotates))
            .with("id", Value::from(id))
            .with("is_enabled", enabled)
            .with("key_id", Value::from(key_id))
            .with("key_usage", or_empty(usage))
            .with("multi_region", Value::bool(metadata.multi_region.unwrap_or(false)))
            .with("policy", Value::from(iam::kept_policy(text(prior, "policy"), &self.policy)))
            .with("rotation_period_in_days", Value::from(self.period(prior)))
            .with("xks_key_id", or_empty(xks_id));
        tags::observed(object, self.tags, facts, imported)
    }

    /// KMS tells no period while rotation is off: the one that was set before stays then.
    fn period(&self, prior: &Value) -> i64 {
        let before = whole(prior, "rotation_period_in_days");
        match self.rotation {
            Some(Rotation { enabled: true, period: Some(days) }) => days.into(),
            Some(Rotation { period, .. }) => before.unwrap_or(period.unwrap_or(0).into()),
            None => before.unwrap_or(0),
        }
    }

    /// What is not yet as planned, in words; nothing when all of it is.
    pub fn differs_from(&self, planned: &Value) -> Option<&'static str> {
        let wanted = |name: &str| planned.get(name).and_then(Value::as_bool);
        let rotation = self.rotation.unwrap_or(Rotation { enabled: false, period: None });
        let enabled = wanted("is_enabled").unwrap_or(true);
        if text(planned, "description")
            .is_some_and(|text| text != self.metadata.description.as_deref().unwrap_or(""))
        {
            return Some("an old description");
        }
        if self.is_pending_deletion() {
            return Some("a key that is pending deletion");
        }
        if enabled != self.metadata.enabled {
            return Some(if enabled { "a disabled key" } else { "an enabled key" });
        }
        if wanted("enable_key_rotation").unwrap_or(false) != rotation.enabled {
            return Some("an old rotation setting");
        }
        let period = whole(planned, "rotation_period_in_days").filter(|days| *days > 0 && rotation.enabled);
        if let (Some(wanted), Some(days)) = (period, rotation.period)
            && wanted != i64::from(days)
        {
            return Some("an old rotation period");
        }
        if filled(planned, "policy").is_some_and(|policy| !(iam::POLICY.equivalent)(policy, &self.policy)) {
            return Some("an old policy");
        }
        let missing =
            tags::wanted(planned).into_iter().any(|(key, value)| self.tags.get(&key) != Some(&value));
        missing.then_some("old tags")
    }
}
