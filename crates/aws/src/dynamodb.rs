//! DynamoDB: tables, their policies and items. When calls are tried again.

use std::time::Duration;

use terrane_provider::wait::Retry;

pub mod resource_policy;
pub mod table;
pub mod table_item;

const MINUTE: u64 = 60;

/// A policy that was just put is not found for some seconds, nor is a user or role that was just made.
const PROPAGATION: Duration = Duration::from_secs(2 * MINUTE);

/// When a call is tried again, and what is being waited for.
pub(crate) static RETRIES: &[Retry] = &[
    retry(
        "dynamodb:CreateTable",
        "LimitExceededException",
        "can be created, updated, or deleted simultaneously",
        30,
        "other tables to be done",
    ),
    retry(
        "dynamodb:CreateTable",
        "LimitExceededException",
        "indexed tables that can be created simultaneously",
        30,
        "other tables to be done",
    ),
    retry(
        "dynamodb:DeleteResourcePolicy",
        "ResourceInUseException",
        "",
        10,
        "other changes of the table to be done",
    ),
    retry("dynamodb:DeleteTable", "LimitExceededException", "simultaneously", 10, "other tables to be done"),
    retry("dynamodb:DeleteTable", "ResourceInUseException", "", 10, "other changes of the table to be done"),
    // After each change DynamoDB takes no other one for 15 seconds.
    retry(
        "dynamodb:PutResourcePolicy",
        "ResourceInUseException",
        "",
        10,
        "other changes of the table to be done",
    ),
    retry(
        "dynamodb:PutResourcePolicy",
        "ValidationException",
        "Invalid principal in policy",
        2,
        "the principals of the policy to be known",
    ),
    retry(
        "dynamodb:UpdateContinuousBackups",
        "ContinuousBackupsUnavailableException",
        "",
        20,
        "continuous backups to be available",
    ),
    retry("dynamodb:UpdateTable", "LimitExceededException", "simultaneously", 30, "other tables to be done"),
    retry("dynamodb:UpdateTable", "ResourceInUseException", "", 10, "other changes of the table to be done"),
    retry(
        "dynamodb:UpdateTimeToLive",
        "ResourceInUseException",
        "",
        10,
        "other changes of the table to be done",
    ),
];

const fn retry(
    operation: &'static str,
    code: &'static str,
    message: &'static str,
    minutes: u64,
    what: &'static str,
) -> Retry {
    Retry { operation, code, message, limit: Duration::from_secs(minutes * MINUTE), what }
}
