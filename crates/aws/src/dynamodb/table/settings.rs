//! What is set by calls of its own once a table is active: expiry, continuous backups, tags; and the waits.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    IndexStatus, PointInTimeRecoverySpecification, SseSpecification, SseType, TableDescription, TableStatus,
    Tag, TimeToLiveSpecification,
};
use terrane_model::Value;
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{Context, Error, ErrorKind};

use super::index::built;
use crate::client::Clients;
use crate::dynamodb::RETRIES;
use crate::error::{failed, present};
use crate::object::{filled, first, flag, whole};
use crate::tags::Change;

/// The table as it is described.
pub async fn describe(clients: &Clients, name: &str) -> Result<Option<TableDescription>, Error> {
    let answer = clients.dynamodb().describe_table().table_name(name).send().await;
    Ok(present(answer.map_err(failed("dynamodb:DescribeTable")))?.and_then(|answer| answer.table))
}

/// Waits until the table and all its indexes are active. An index in `gone` must be gone.
pub async fn active(cx: &Context<'_>, name: &str, gone: Option<&str>) -> Result<TableDescription, Error> {
    let clients: &Clients = cx.session.clients()?;
    let look = || async {
        let Some(table) = describe(clients, name).await? else { return Ok(Err("no such table".to_owned())) };
        if table.table_status == Some(TableStatus::InaccessibleEncryptionCredentials) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "dynamodb:DescribeTable",
                "DynamoDB cannot use the table's KMS key.",
            )
            .hint(
                "The key may be disabled or pending deletion, or its policy may not let DynamoDB use it.",
            ));
        }
        Ok(match not_yet(&table, gone) {
            Some(state) => Err(state),
            None => Ok(table),
        })
    };
    Wait::new("the table to be active", cx.timeout).until(cx, "dynamodb:DescribeTable", look).await
}

fn not_yet(table: &TableDescription, gone: Option<&str>) -> Option<String> {
    if table.table_status != Some(TableStatus::Active) {
        let status = table.table_status.as_ref().map_or("unknown", TableStatus::as_str);
        return Some(format!("a table with status {status}"));
    }
    table.global_secondary_indexes().iter().find_map(|index| {
        let name = index.index_name.as_deref().unwrap_or_default();
        let status = index.index_status.as_ref();
        let waits = gone == Some(name) || status.is_some_and(|status| *status != IndexStatus::Active);
        waits.then(|| {
            format!("the index {name} with status {}", status.map_or("unknown", IndexStatus::as_str))
        })
    })
}

/// How the spec's encryption block is said to the API.
pub fn encryption(table: &Value) -> Option<SseSpecification> {
    let block = first(table, "server_side_encryption")?;
    let builder = SseSpecification::builder().enabled(flag(block, "enabled"));
    let key = filled(block, "kms_key_arn").filter(|_| flag(block, "enabled"));
    Some(match key {
        Some(key) => builder.sse_type(SseType::Kms).kms_master_key_id(key).build(),
        None => builder.build(),
    })
}

/// Turns expiry on or off. The attribute is named either way.
pub async fn set_expiry(cx: &Context<'_>, name: &str, attribute: &str, on: bool) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let specification =
        built(TimeToLiveSpecification::builder().enabled(on).attribute_name(attribute).build())?;
    let call = || async {
        let call = clients.dynamodb().update_time_to_live().table_name(name);
        let answer = call.time_to_live_specification(specification.clone()).send().await;
        match answer.map_err(failed("dynamodb:UpdateTimeToLive")) {
            // An earlier try whose answer was lost.
            Err(error) if error.message.contains("TimeToLive is already") => Ok(()),
            other => other.map(drop),
        }
    };
    retry(cx, RETRIES, call).await
}

/// Turns continuous backups on or off.
pub async fn set_recovery(cx: &Context<'_>, name: &str, block: &Value) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let on = flag(block, "enabled");
    let days = whole(block, "recovery_period_in_days").filter(|days| on && *days > 0);
    let specification = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(on)
        .set_recovery_period_in_days(days.and_then(|days| i32::try_from(days).ok()))
        .build();
    let specification = built(specification)?;
    let call = || async {
        let call = clients.dynamodb().update_continuous_backups().table_name(name);
        let call = call.point_in_time_recovery_specification(specification.clone());
        call.send().await.map(drop).map_err(failed("dynamodb:UpdateContinuousBackups"))
    };
    retry(cx, RETRIES, call).await
}

/// Changes tags.
pub async fn set_tags(clients: &Clients, arn: &str, change: Change) -> Result<(), Error> {
    if !change.remove.is_empty() {
        let call = clients.dynamodb().untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove));
        call.send().await.map_err(failed("dynamodb:UntagResource"))?;
    }
    if !change.put.is_empty() {
        let tags = change.put.iter().map(|(key, value)| tag(key, value)).collect::<Result<Vec<_>, _>>()?;
        let call = clients.dynamodb().tag_resource().resource_arn(arn).set_tags(Some(tags));
        call.send().await.map_err(failed("dynamodb:TagResource"))?;
    }
    Ok(())
}

/// A tag as the API takes it.
pub fn tag(key: &str, value: &str) -> Result<Tag, Error> {
    built(Tag::builder().key(key).value(value).build())
}

/// How long settings made by calls of their own may take to show.
pub const SETTLING: Duration = Duration::from_secs(5 * 60);
