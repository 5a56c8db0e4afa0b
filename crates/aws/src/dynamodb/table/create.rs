//! Making a table, and what is set once it is active.

use std::time::SystemTime;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::{BillingMode, StreamSpecification, StreamViewType, TableClass};
use terrane_model::Value;
use terrane_provider::once::create_once;
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{Context, Error};

use super::index::{self, built};
use super::observed::observe;
use super::prediction::ON_DEMAND;
use super::settings::{self, SETTLING, active, describe};
use crate::client::Clients;
use crate::dynamodb::RETRIES;
use crate::error::failed;
use crate::lately::made_since;
use crate::object::{filled, first, flag, needed, text};
use crate::tags;

/// Makes the table.
pub async fn make(cx: &Context<'_>, planned: &Value) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let name = needed(planned, "name", "dynamodb:CreateTable")?;
    let start = SystemTime::now();
    let call = || async {
        let once = aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled());
        let request = request(clients, name, planned)?.customize().config_override(once);
        request.send().await.map(drop).map_err(failed("dynamodb:CreateTable"))
    };
    let look = || async {
        let table = describe(clients, name).await?;
        Ok(table.filter(|table| made_since(start, table.creation_date_time.as_ref())).map(drop))
    };
    retry(cx, RETRIES, || create_once(cx, call, look)).await
}

type CreateTable = aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;

fn request(clients: &Clients, name: &str, planned: &Value) -> Result<CreateTable, Error> {
    let on_demand = text(planned, "billing_mode") == Some(ON_DEMAND);
    let some = |is_empty: bool| !is_empty;
    let (local, global) = (index::local_indexes(planned)?, index::global_indexes(planned)?);
    let tags =
        tags::wanted(planned).iter().map(|(k, v)| settings::tag(k, v)).collect::<Result<Vec<_>, _>>()?;
    Ok(clients
        .dynamodb()
        .create_table()
        .table_name(name)
        .billing_mode(if on_demand { BillingMode::PayPerRequest } else { BillingMode::Provisioned })
        .set_key_schema(Some(index::key_schema(filled(planned, "hash_key"), filled(planned, "range_key"))?))
        .set_attribute_definitions(Some(index::attribute_definitions(planned)?))
        .set_provisioned_throughput((!on_demand).then(|| index::throughput(planned)).transpose()?)
        .set_local_secondary_indexes(some(local.is_empty()).then_some(local))
        .set_global_secondary_indexes(some(global.is_empty()).then_some(global))
        .set_on_demand_throughput(index::on_demand(planned))
        .set_stream_specification(stream(planned)?)
        .set_sse_specification(settings::encryption(planned))
        .set_table_class(filled(planned, "table_class").map(TableClass::from))
        .set_deletion_protection_enabled(flag(planned, "deletion_protection_enabled").then_some(true))
        .set_tags(some(tags.is_empty()).then_some(tags)))
}

/// The stream of a table that has one.
pub fn stream(table: &Value) -> Result<Option<StreamSpecification>, Error> {
    if !flag(table, "stream_enabled") {
        return Ok(None);
    }
    let view = filled(table, "stream_view_type").map(StreamViewType::from);
    built(StreamSpecification::builder().stream_enabled(true).set_stream_view_type(view).build()).map(Some)
}

/// Waits until the table is active, sets what has calls of its own, and gives the table as the state has it.
pub async fn finish(cx: &Context<'_>, planned: &Value) -> Result<Value, Error> {
    let name = needed(planned, "name", "dynamodb:DescribeTable")?;
    active(cx, name, None).await?;
    if let Some(block) = first(planned, "ttl").filter(|block| flag(block, "enabled")) {
        settings::set_expiry(cx, name, needed(block, "attribute_name", "dynamodb:UpdateTimeToLive")?, true)
            .await?;
    }
    if let Some(block) = first(planned, "point_in_time_recovery").filter(|block| flag(block, "enabled")) {
        settings::set_recovery(cx, name, block).await?;
    }
    as_planned(cx, name, planned).await
}

/// Waits until backups, expiry and tags show as they were set.
pub async fn as_planned(cx: &Context<'_>, name: &str, planned: &Value) -> Result<Value, Error> {
    let arn = filled(planned, "arn");
    let look = || async {
        let Some(observed) = observe(cx, name, arn).await? else {
            return Ok(Err("no such table".to_owned()));
        };
        let object = observed.into_state(cx, planned, false).await?;
        let on =
            |object: &Value, block: &str| first(object, block).is_some_and(|block| flag(block, "enabled"));
        let late = ["point_in_time_recovery", "ttl"]
            .into_iter()
            .find(|block| on(&object, block) != on(planned, block));
        Ok(match late {
            Some(block) => Err(format!("an old `{block}`")),
            None if object.get("tags_all") != planned.get("tags_all") => Err("old tags".to_owned()),
            None => Ok(object),
        })
    };
    Wait::new("the table's settings to be in effect", SETTLING)
        .until(cx, "dynamodb:DescribeTable", look)
        .await
}
