//! What DynamoDB knows about a table, in one round of calls, and how it looks in the state.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    BillingMode, ContinuousBackupsDescription, GlobalSecondaryIndexDescription, KeySchemaElement, KeyType,
    LocalSecondaryIndexDescription, OnDemandThroughput, PointInTimeRecoveryStatus, Projection,
    SseDescription, SseStatus, TableDescription, TableStatus, TimeToLiveDescription, TimeToLiveStatus,
};
use terrane_model::{Type, Value};
use terrane_provider::{Context, Error, ErrorKind};

use super::prediction::{ON_DEMAND, no_expiry, no_recovery};
use super::schema::element;
use super::settings::describe;
use crate::client::Clients;
use crate::error::failed;
use crate::object::{elements, first, flag, or_empty, text, whole};
use crate::{kms, tags};

/// A table as it is.
#[derive(Debug)]
pub struct Observed {
    table: TableDescription,
    /// Nothing where the endpoint has no continuous backups.
    backups: Option<ContinuousBackupsDescription>,
    expiry: Option<TimeToLiveDescription>,
    tags: BTreeMap<String, String>,
}

/// Looks at a table. With its ARN all calls go out at once.
pub async fn observe(cx: &Context<'_>, name: &str, arn: Option<&str>) -> Result<Option<Observed>, Error> {
    let clients: &Clients = cx.session.clients()?;
    let (table, details) = match arn {
        Some(arn) => futures::join!(describe(clients, name), details(clients, name, arn)),
        None => {
            let Some(table) = describe(clients, name).await? else { return Ok(None) };
            let arn = table.table_arn.clone().unwrap_or_default();
            (Ok(Some(table)), details(clients, name, &arn).await)
        }
    };
    let Some(table) = table? else { return Ok(None) };
    if table.table_status == Some(TableStatus::Deleting) {
        return Ok(None);
    }
    let (backups, expiry, tags) = match details {
        Ok(details) => details,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(Observed { table, backups, expiry, tags }))
}

type Details =
    (Option<ContinuousBackupsDescription>, Option<TimeToLiveDescription>, BTreeMap<String, String>);

async fn details(clients: &Clients, name: &str, arn: &str) -> Result<Details, Error> {
    let (backups, expiry, tags) =
        futures::join!(backups(clients, name), expiry(clients, name), remote_tags(clients, arn));
    Ok((backups?, expiry?, tags?))
}

async fn backups(clients: &Clients, name: &str) -> Result<Option<ContinuousBackupsDescription>, Error> {
    let answer = clients.dynamodb().describe_continuous_backups().table_name(name).send().await;
    match answer.map_err(failed("dynamodb:DescribeContinuousBackups")) {
        Ok(answer) => Ok(answer.continuous_backups_description),
        Err(error)
            if error.is_code("UnknownOperationException") || error.is_code("TableNotFoundException") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn expiry(clients: &Clients, name: &str) -> Result<Option<TimeToLiveDescription>, Error> {
    let answer = clients.dynamodb().describe_time_to_live().table_name(name).send().await;
    Ok(answer.map_err(failed("dynamodb:DescribeTimeToLive"))?.time_to_live_description)
}

async fn remote_tags(clients: &Clients, arn: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut tags = BTreeMap::new();
    let mut next = None;
    loop {
        let call = clients.dynamodb().list_tags_of_resource().resource_arn(arn).set_next_token(next.take());
        let answer = call.send().await.map_err(failed("dynamodb:ListTagsOfResource"))?;
        tags.extend(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
        next = answer.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(tags);
        }
    }
}

impl Observed {
    /// The regions of its replicas, each with its key.
    pub fn replicas(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.table.replicas().iter().filter_map(|replica| {
            Some((replica.region_name.as_deref()?, replica.kms_master_key_id.as_deref()))
        })
    }

    /// The table as the state has it. `prior` is the state before, or what was planned.
    pub async fn into_state(self, cx: &Context<'_>, prior: &Value, imported: bool) -> Result<Value, Error> {
        let encryption = encryption(cx, self.table.sse_description.as_ref(), prior).await?;
        let table = &self.table;
        let mode = match table.billing_mode_summary.as_ref().and_then(|summary| summary.billing_mode.as_ref())
        {
            Some(BillingMode::PayPerRequest) => ON_DEMAND,
            _ => "PROVISIONED",
        };
        let throughput = table.provisioned_throughput.as_ref();
        let units = |name: &str, remote: Option<i64>| match mode {
            ON_DEMAND => Value::from(whole(prior, name).unwrap_or(0)),
            _ => Value::from(remote.unwrap_or(0)),
        };
        let class = table.table_class_summary.as_ref().and_then(|summary| summary.table_class.as_ref());
        let stream = table.stream_specification.as_ref().filter(|stream| stream.stream_enabled);
        let view =
            stream.and_then(|stream| stream.stream_view_type.as_ref()).map(|view| view.as_str().to_owned());
        let keys = table.key_schema();
        let name = table.table_name.as_deref().unwrap_or_default();
        let range_key = match key(keys, &KeyType::Range) {
            Some(name) => Value::from(name),
            None => Value::null(Type::String),
        };
        let object = prior
            .clone()
            .with("arn", or_empty(table.table_arn.as_deref()))
            .with("attribute", attributes(table))
            .with("billing_mode", Value::from(mode))
            .with(
                "deletion_protection_enabled",
                Value::bool(table.deletion_protection_enabled.unwrap_or(false)),
            )
            .with("global_secondary_index", global_indexes(table, prior, mode))
            .with("hash_key", or_empty(key(keys, &KeyType::Hash)))
            .with("id", Value::from(name))
            .with("local_secondary_index", local_indexes(table))
            .with("name", Value::from(name))
            .with("on_demand_throughput", limits(table.on_demand_throughput.as_ref(), prior))
            .with(
                "point_in_time_recovery",
                Value::list(element("point_in_time_recovery"), [self.recovery(prior)]),
            )
            .with("range_key", range_key)
            .with(
                "read_capacity",
                units("read_capacity", throughput.and_then(|units| units.read_capacity_units)),
            )
            .with("server_side_encryption", encryption)
            .with("stream_arn", or_empty(table.latest_stream_arn.as_deref()))
            .with("stream_enabled", Value::bool(stream.is_some()))
            .with("stream_label", or_empty(table.latest_stream_label.as_deref()))
            .with(
                "stream_view_type",
                Value::from(
                    view.unwrap_or_else(|| text(prior, "stream_view_type").unwrap_or_default().to_owned()),
                ),
            )
            .with("table_class", Value::from(class.map_or("STANDARD", |class| class.as_str())))
            .with("ttl", Value::list(element("ttl"), [self.expiry(prior)]))
            .with(
                "write_capacity",
                units("write_capacity", throughput.and_then(|units| units.write_capacity_units)),
            );
        Ok(tags::observed(object, self.tags, &cx.session.facts, imported))
    }

    fn recovery(&self, prior: &Value) -> Value {
        let before = first(prior, "point_in_time_recovery");
        let Some(backups) = &self.backups else { return before.cloned().unwrap_or_else(no_recovery) };
        let remote = backups.point_in_time_recovery_description.as_ref();
        let on = remote.and_then(|remote| remote.point_in_time_recovery_status.as_ref());
        if on != Some(&PointInTimeRecoveryStatus::Enabled) {
            // A period that the spec gives beside `enabled = false` has no counterpart in the service.
            return before.filter(|before| !flag(before, "enabled")).cloned().unwrap_or_else(no_recovery);
        }
        let days = remote.and_then(|remote| remote.recovery_period_in_days).unwrap_or(0);
        Value::object([
            ("enabled", Value::bool(true)),
            ("recovery_period_in_days", Value::from(i64::from(days))),
        ])
    }

    fn expiry(&self, prior: &Value) -> Value {
        let remote = self.expiry.as_ref();
        let status = remote.and_then(|remote| remote.time_to_live_status.as_ref());
        if !matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
            let before = first(prior, "ttl").filter(|before| !flag(before, "enabled"));
            return before.cloned().unwrap_or_else(no_expiry);
        }
        let attribute = remote.and_then(|remote| remote.attribute_name.as_deref());
        Value::object([("attribute_name", or_empty(attribute)), ("enabled", Value::bool(true))])
    }
}

fn key<'t>(keys: &'t [KeySchemaElement], kind: &KeyType) -> Option<&'t str> {
    keys.iter().find(|key| key.key_type == *kind).map(|key| key.attribute_name.as_str())
}

fn attributes(table: &TableDescription) -> Value {
    let attribute = |definition: &aws_sdk_dynamodb::types::AttributeDefinition| {
        Value::object([
            ("name", Value::from(definition.attribute_name.as_str())),
            ("type", Value::from(definition.attribute_type.as_str())),
        ])
    };
    Value::set(element("attribute"), table.attribute_definitions().iter().map(attribute))
}

async fn encryption(
    cx: &Context<'_>,
    remote: Option<&SseDescription>,
    prior: &Value,
) -> Result<Value, Error> {
    const NAME: &str = "server_side_encryption";
    let before = first(prior, NAME);
    let Some(remote) = remote else {
        // Encryption with a key that AWS owns is what every table has; the block may say so or be absent.
        let said = before.filter(|before| !flag(before, "enabled")).cloned();
        return Ok(Value::list(element(NAME), said));
    };
    let on = matches!(remote.status, Some(SseStatus::Enabled | SseStatus::Enabling | SseStatus::Updating));
    let arn = remote.kms_master_key_arn.as_deref().unwrap_or_default();
    let is_known = before.and_then(|before| text(before, "kms_key_arn")) == Some(arn);
    let arn = match arn.is_empty() || is_known || !is_default_key(cx, arn).await? {
        true => arn,
        false => "",
    };
    let block = Value::object([("enabled", Value::bool(on)), ("kms_key_arn", Value::from(arn))]);
    Ok(Value::list(element(NAME), [block]))
}

/// Whether a key is AWS's own for DynamoDB. Who may not look at that key sees its ARN instead.
async fn is_default_key(cx: &Context<'_>, arn: &str) -> Result<bool, Error> {
    match kms::dynamodb_key(cx.session.clients()?).await {
        Ok(default) => Ok(default == Some(arn)),
        Err(error) if error.kind == ErrorKind::Denied => Ok(false),
        Err(error) => Err(error),
    }
}

fn limits(remote: Option<&OnDemandThroughput>, prior: &Value) -> Value {
    const NAME: &str = "on_demand_throughput";
    let before = first(prior, NAME);
    let unit = |name: &str, remote: Option<i64>| {
        let said = before.and_then(|before| whole(before, name));
        // No limit is 0, -1 or nothing.
        match (remote.unwrap_or(0), said) {
            (0 | -1, Some(said @ (0 | -1))) => Value::from(said),
            (remote, _) => Value::from(remote),
        }
    };
    let unlimited = |units: Option<i64>| matches!(units.unwrap_or(0), 0 | -1);
    let remote = match remote {
        None if before.is_none() => return Value::list(element(NAME), []),
        Some(remote)
            if before.is_none()
                && unlimited(remote.max_read_request_units)
                && unlimited(remote.max_write_request_units) =>
        {
            return Value::list(element(NAME), []);
        }
        other => other,
    };
    let read = unit("max_read_request_units", remote.and_then(|remote| remote.max_read_request_units));
    let write = unit("max_write_request_units", remote.and_then(|remote| remote.max_write_request_units));
    Value::list(
        element(NAME),
        [Value::object([("max_read_request_units", read), ("max_write_request_units", write)])],
    )
}

fn further(projection: Option<&Projection>) -> impl Iterator<Item = Value> + '_ {
    projection
        .map(Projection::non_key_attributes)
        .unwrap_or_default()
        .iter()
        .map(|name| Value::from(name.as_str()))
}

fn projection_type(projection: Option<&Projection>) -> Value {
    or_empty(projection.and_then(|projection| projection.projection_type.as_ref()).map(|kind| kind.as_str()))
}

fn global_indexes(table: &TableDescription, prior: &Value, mode: &str) -> Value {
    const NAME: &str = "global_secondary_index";
    let empty = Value::object::<&str>([]);
    let index = |index: &GlobalSecondaryIndexDescription| {
        let name = index.index_name.as_deref().unwrap_or_default();
        let before =
            elements(prior, NAME).iter().find(|before| text(before, "name") == Some(name)).unwrap_or(&empty);
        let throughput = index.provisioned_throughput.as_ref();
        let units = |name: &str, remote: Option<i64>| match mode {
            ON_DEMAND => Value::from(whole(before, name).unwrap_or(0)),
            _ => Value::from(remote.unwrap_or(0)),
        };
        let projection = index.projection.as_ref();
        Value::object([
            ("hash_key", or_empty(key(index.key_schema(), &KeyType::Hash))),
            ("name", Value::from(name)),
            ("non_key_attributes", Value::set(Type::String, further(projection))),
            ("on_demand_throughput", limits(index.on_demand_throughput.as_ref(), before)),
            ("projection_type", projection_type(projection)),
            ("range_key", or_empty(key(index.key_schema(), &KeyType::Range))),
            ("read_capacity", units("read_capacity", throughput.and_then(|units| units.read_capacity_units))),
            (
                "write_capacity",
                units("write_capacity", throughput.and_then(|units| units.write_capacity_units)),
            ),
        ])
    };
    Value::set(element(NAME), table.global_secondary_indexes().iter().map(index))
}

fn local_indexes(table: &TableDescription) -> Value {
    let index = |index: &LocalSecondaryIndexDescription| {
        let projection = index.projection.as_ref();
        Value::object([
            ("name", or_empty(index.index_name.as_deref())),
            ("non_key_attributes", Value::list(Type::String, further(projection))),
            ("projection_type", projection_type(projection)),
            ("range_key", or_empty(key(index.key_schema(), &KeyType::Range))),
        ])
    };
    Value::set(element("local_secondary_index"), table.local_secondary_indexes().iter().map(index))
}
