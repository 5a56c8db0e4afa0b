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
pub const ROLE: &[(&str, Severity)] = &[("sts:AssumeRole", Control)];

/// How severe an action is; actions that are in none of the lists count as reading.
pub fn severity(action: &str) -> Severity {
    let all = TABLE.iter().chain(KEY).chain(ROLE);
    all.into_iter().find(|(name, _)| *name == action).map_or(Read, |(_, severity)| *severity)
}
