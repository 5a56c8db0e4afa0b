//! DynamoDB: tables. When calls are tried again.

use std::time::Duration;

use terrane_provider::wait::Retry;

pub mod table;

const MINUTE: u64 = 60;

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
    retry("dynamodb:DeleteTable", "LimitExceededException", "simultaneously", 10, "other tables to be done"),
    retry("dynamodb:DeleteTable", "ResourceInUseException", "", 10, "other changes of the table to be done"),
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
