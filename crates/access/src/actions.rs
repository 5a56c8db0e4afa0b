//! The actions that differences and matrices speak of: those by which data is read, written or lost, and those by which
//! somebody gains the power to.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>,
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>

use serde::{Deserialize, Serialize};

/// What an action can do at worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It gives the power to do everything else.
    Control,
    /// It destroys.
    Destroy,
    /// It changes data.
    Write,
    /// It reveals data.
    Read,
    /// It reveals that, and how, things are.
    Look,
}

use Severity::{Control, Destroy, Look, Read, Write};

/// Actions on a table.
pub const TABLE: &[(&str, Severity)] = &[
    ("dynamodb:PutResourcePolicy", Control),
    ("dynamodb:DeleteTable", Destroy),
    ("dynamodb:UpdateTable", Control),
    ("dynamodb:PutItem", Write),
    ("dynamodb:UpdateItem", Write),
    ("dynamodb:DeleteItem", Write),
    ("dynamodb:BatchWriteItem", Write),
    ("dynamodb:ExportTableToPointInTime", Read),
    ("dynamodb:GetItem", Read),
    ("dynamodb:BatchGetItem", Read),
    ("dynamodb:Query", Read),
    ("dynamodb:Scan", Read),
    ("dynamodb:DescribeTable", Look),
];

/// Actions on a key.
pub const KEY: &[(&str, Severity)] = &[
    ("kms:PutKeyPolicy", Control),
    ("kms:CreateGrant", Control),
    ("kms:ScheduleKeyDeletion", Destroy),
    ("kms:DisableKey", Destroy),
    ("kms:Encrypt", Write),
    ("kms:GenerateDataKey", Write),
    ("kms:Decrypt", Read),
    ("kms:DescribeKey", Look),
];

/// Actions on a role.
pub const ROLE: &[(&str, Severity)] = &[
    ("sts:AssumeRole", Control),
    ("iam:AttachRolePolicy", Control),
    ("iam:PutRolePolicy", Control),
    ("iam:UpdateAssumeRolePolicy", Control),
    ("iam:PassRole", Control),
];

/// Actions on a user.
pub const USER: &[(&str, Severity)] =
    &[("iam:AttachUserPolicy", Control), ("iam:CreateAccessKey", Control), ("iam:PutUserPolicy", Control)];

/// Further actions that a pattern in an assertion stands for.
pub const MORE: &[(&str, Severity)] = &[
    ("dynamodb:ConditionCheckItem", Read),
    ("dynamodb:CreateBackup", Read),
    ("dynamodb:DeleteResourcePolicy", Control),
    ("dynamodb:DescribeContinuousBackups", Look),
    ("dynamodb:DescribeTimeToLive", Look),
    ("dynamodb:GetRecords", Read),
    ("dynamodb:ListTagsOfResource", Look),
    ("dynamodb:PartiQLDelete", Write),
    ("dynamodb:PartiQLInsert", Write),
    ("dynamodb:PartiQLSelect", Read),
    ("dynamodb:PartiQLUpdate", Write),
    ("dynamodb:RestoreTableToPointInTime", Read),
    ("dynamodb:UpdateContinuousBackups", Destroy),
    ("dynamodb:UpdateTimeToLive", Destroy),
    ("kms:CancelKeyDeletion", Control),
    ("kms:DisableKeyRotation", Control),
    ("kms:EnableKey", Control),
    ("kms:EnableKeyRotation", Control),
    ("kms:GenerateDataKeyPair", Write),
    ("kms:GenerateDataKeyPairWithoutPlaintext", Write),
    ("kms:GenerateDataKeyWithoutPlaintext", Write),
    ("kms:GetKeyPolicy", Look),
    ("kms:GetKeyRotationStatus", Look),
    ("kms:ListGrants", Look),
    ("kms:ListResourceTags", Look),
    ("kms:ReEncryptFrom", Read),
    ("kms:ReEncryptTo", Write),
    ("kms:ReplicateKey", Control),
    ("kms:RetireGrant", Destroy),
    ("kms:RevokeGrant", Destroy),
    ("kms:Sign", Write),
    ("kms:TagResource", Control),
    ("kms:UntagResource", Control),
    ("kms:UpdateKeyDescription", Write),
    ("kms:Verify", Look),
];

/// All actions that are known here on a kind of resource, by its service and kind: `dynamodb`, `kms`, `role`, `user`.
pub fn known(kind: &str) -> Vec<&'static str> {
    let (list, service) = match kind {
        "dynamodb" => (TABLE, "dynamodb:"),
        "kms" => (KEY, "kms:"),
        "user" => (USER, ""),
        _ => (ROLE, ""),
    };
    let more = MORE.iter().filter(|(name, _)| !service.is_empty() && name.starts_with(service));
    list.iter().chain(more).map(|(name, _)| *name).collect()
}

/// How severe an action is; actions that are in none of the lists count as reading.
pub fn severity(action: &str) -> Severity {
    let all = TABLE.iter().chain(KEY).chain(ROLE).chain(USER).chain(MORE);
    all.into_iter().find(|(name, _)| *name == action).map_or(Read, |(_, severity)| *severity)
}
