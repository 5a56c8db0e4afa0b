//! The permissions that the calls for a key take.
//!
//! A key that is not made yet has no ARN, so what is done with it is allowed on any key of the account and region:
//! `kms:CreateKey` itself knows no resource at all.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html>

use terrane_model::Value;
use terrane_provider::permission::pattern;
use terrane_provider::{Certainty, Doing, Ground, Permissions};

use super::is_pending_deletion;
use crate::object::{filled, flag, is_open};
use crate::tags::{self, TagCalls};

const READ: &[&str] = &["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListResourceTags"];
const ROTATION: &[&str] = &["kms:GetKeyRotationStatus"];
const TAGGING: TagCalls = TagCalls { put: "kms:TagResource", remove: "kms:UntagResource" };

pub fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    let any = ground.regional("kms", "key/*");
    let arn = |object: &Value| pattern(object.get("arn")).unwrap_or_else(|| any.clone());
    match doing {
        Doing::LookFor(_) => Permissions::none(),
        Doing::Import(id) => {
            let arn = match id.starts_with("arn:") {
                true => id.to_owned(),
                false => ground.regional("kms", &format!("key/{id}")),
            };
            Permissions::none().on(&arn, READ).on(&arn, ROTATION)
        }
        Doing::Read(object) => read(&arn(object), object),
        Doing::Create(planned) => create(&any, planned, ground),
        Doing::Update { prior, planned } => update(&arn(prior), prior, planned),
        Doing::Delete(prior) => delete(&arn(prior), ground),
    }
}

/// A plan that deletes a key looks who uses it, as far as it may.
fn delete(arn: &str, ground: &Ground<'_>) -> Permissions {
    Permissions::none()
        .on(arn, &["kms:ScheduleKeyDeletion"])
        .perhaps_on(arn, &["kms:ListGrants"])
        .perhaps_on("*", &["dynamodb:ListTables", "kms:ListAliases"])
        .perhaps_on(&ground.regional("dynamodb", "table/*"), LOOK)
}

const LOOK: &[&str] = &["dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable"];

/// A lost key is found by its marker, among all keys there are.
pub fn recovery(ground: &Ground<'_>) -> Permissions {
    let any = ground.regional("kms", "key/*");
    Permissions::none().on("*", &["kms:ListKeys"]).on(&any, &["kms:ListResourceTags"])
}

fn read(arn: &str, object: &Value) -> Permissions {
    let all = Permissions::none().on(arn, READ);
    // KMS does not rotate material that it does not make: what it answers about that does not count.
    match filled(object, "custom_key_store_id") {
        Some(_) => all,
        None => all.on(arn, ROTATION),
    }
}

fn create(arn: &str, planned: &Value, ground: &Ground<'_>) -> Permissions {
    // The marker is a tag: put on when the key is made, and taken off when it is in the state.
    let mut all = Permissions::none().on("*", &["kms:CreateKey"]).on(arn, &[TAGGING.put, TAGGING.remove]);
    // A policy is taken only from somebody whom it lets change it again.
    let is_given =
        planned.get("policy").is_some_and(|policy| policy.is_unknown() || policy.as_str().is_some());
    if is_given && !flag(planned, "bypass_policy_lockout_safety_check") {
        let certainty = if is_open(planned, "policy") { Certainty::Perhaps } else { Certainty::Sure };
        all = all.with(arn, &["kms:PutKeyPolicy"], None, certainty);
    }
    if flag(planned, "multi_region") {
        let role = "role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys";
        all = all.perhaps_on(&ground.global("iam", role), &["iam:CreateServiceLinkedRole"]);
    }
    if is_open(planned, "enable_key_rotation") {
        all = all.perhaps_on(arn, &["kms:EnableKeyRotation"]);
    } else if flag(planned, "enable_key_rotation") {
        all = all.on(arn, &["kms:EnableKeyRotation"]);
    }
    if is_open(planned, "is_enabled") {
        all = all.perhaps_on(arn, &["kms:DisableKey"]);
    } else if !flag(planned, "is_enabled") {
        all = all.on(arn, &["kms:DisableKey"]);
    }
    all.and(read(arn, planned))
}

fn update(arn: &str, prior: &Value, planned: &Value) -> Permissions {
    let differs = |name: &str| prior.get(name) != planned.get(name);
    let mut all = read(arn, planned).and(tags::permissions(&TAGGING, arn, Some(prior), planned));
    let was_pending = is_pending_deletion(prior);
    if was_pending {
        all = all.on(arn, &["kms:CancelKeyDeletion", "kms:EnableKey"]);
        // What it is like once it is back is not known before: rotation, and with it the period, may have to follow.
        all = all.perhaps_on(arn, &["kms:EnableKeyRotation", "kms:DisableKeyRotation"]);
    }
    let was_enabled = was_pending || flag(prior, "is_enabled");
    if is_open(planned, "is_enabled") {
        all = all.perhaps_on(arn, &["kms:EnableKey", "kms:DisableKey"]);
    } else if was_enabled != flag(planned, "is_enabled") {
        let call = if was_enabled { "kms:DisableKey" } else { "kms:EnableKey" };
        all = all.on(arn, &[call]);
    }
    let (rotated, rotates) = (flag(prior, "enable_key_rotation"), flag(planned, "enable_key_rotation"));
    if is_open(planned, "enable_key_rotation") {
        all = all.perhaps_on(arn, &["kms:EnableKeyRotation", "kms:DisableKeyRotation"]);
    } else if rotates && (!rotated || differs("rotation_period_in_days")) {
        let certainty = match is_open(planned, "rotation_period_in_days") && rotated {
            true => Certainty::Perhaps,
            false => Certainty::Sure,
        };
        all = all.with(arn, &["kms:EnableKeyRotation"], None, certainty);
    } else if rotated && !rotates {
        all = all.on(arn, &["kms:DisableKeyRotation"]);
    }
    if differs("description") && !planned.get("description").is_some_and(Value::is_null) {
        all = all.on(arn, &["kms:UpdateKeyDescription"]);
    }
    if differs("policy") {
        all = all.on(arn, &["kms:PutKeyPolicy"]);
    }
    all
}
