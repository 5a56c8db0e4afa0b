//! Bringing a table from one state to another: the calls and their order.
//!
//! DynamoDB takes one change of an index at a time, and none while the table is being changed.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    BillingMode, GlobalSecondaryIndexUpdate, SseStatus, StreamSpecification, TableClass, TableDescription,
};
use terrane_model::Value;
use terrane_provider::once::create_once;
use terrane_provider::wait::retry;
use terrane_provider::{Context, Error};

use super::create::{as_planned, stream};
use super::index::{self, Steps, built};
use super::prediction::ON_DEMAND;
use super::settings::{self, active};
use crate::client::Clients;
use crate::dynamodb::RETRIES;
use crate::error::failed;
use crate::object::{elements, filled, first, flag, is_zero, needed, text, whole};
use crate::tags;

/// Brings the table from `prior` to `planned`.
pub async fn bring(cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Error> {
    let name = needed(prior, "id", "dynamodb:UpdateTable")?;
    let clients: &Clients = cx.session.clients()?;
    let arn = needed(prior, "arn", "dynamodb:TagResource")?;
    settings::set_tags(clients, arn, tags::change(prior, planned)).await?;
    let steps = index::steps(prior, planned);
    for index in &steps.deletes {
        let update = index::deletion(index)?;
        let change = |call: UpdateTableFluentBuilder| call.global_secondary_index_updates(update.clone());
        update_table(cx, name, change, |table| !has_index(table, index)).await?;
        active(cx, name, Some(index)).await?;
    }
    if differs(prior, planned, "table_class")
        && let Some(class) = filled(planned, "table_class").map(TableClass::from)
    {
        let is_class = |table: &TableDescription| {
            table.table_class_summary.as_ref().and_then(|summary| summary.table_class.as_ref())
                == Some(&class)
        };
        update_table(cx, name, |call| call.table_class(class.clone()), is_class).await?;
        active(cx, name, None).await?;
    }
    new_view(cx, name, prior, planned).await?;
    main_change(cx, name, prior, planned, &steps).await?;
    for index in &steps.creates {
        let update = index::creation(index, text(planned, "billing_mode") != Some(ON_DEMAND))?;
        let definitions = index::attribute_definitions(planned)?;
        let change = |call: UpdateTableFluentBuilder| {
            call.set_attribute_definitions(Some(definitions.clone()))
                .global_secondary_index_updates(update.clone())
        };
        update_table(cx, name, change, |table| has_index(table, text(index, "name").unwrap_or_default()))
            .await?;
        active(cx, name, None).await?;
    }
    encryption(cx, name, prior, planned).await?;
    expiry(cx, name, prior, planned).await?;
    if differs(prior, planned, "point_in_time_recovery")
        && let Some(block) = first(planned, "point_in_time_recovery")
    {
        settings::set_recovery(cx, name, block).await?;
    }
    as_planned(cx, name, planned).await
}

/// Whether an attribute differs otherwise than by an empty value.
pub fn differs(prior: &Value, planned: &Value, name: &str) -> bool {
    let (before, after) = (prior.get(name), planned.get(name));
    before != after && !(before.is_none_or(is_zero) && after.is_none_or(is_zero))
}

/// Changes the table by one call. When the answer gets lost, `done` tells from the table whether the call had its effect.
async fn update_table<F, D>(cx: &Context<'_>, name: &str, change: F, done: D) -> Result<(), Error>
where
    F: Fn(UpdateTableFluentBuilder) -> UpdateTableFluentBuilder,
    D: Fn(&TableDescription) -> bool,
{
    let clients: &Clients = cx.session.clients()?;
    let call = || async {
        let once = aws_sdk_dynamodb::config::Builder::new().retry_config(RetryConfig::disabled());
        let request =
            change(clients.dynamodb().update_table().table_name(name)).customize().config_override(once);
        request.send().await.map(drop).map_err(failed("dynamodb:UpdateTable"))
    };
    let look = || async {
        let table = active(cx, name, None).await?;
        Ok(done(&table).then_some(()))
    };
    retry(cx, RETRIES, || create_once(cx, call, look)).await
}

fn has_index(table: &TableDescription, name: &str) -> bool {
    table.global_secondary_indexes().iter().any(|index| index.index_name.as_deref() == Some(name))
}

fn stream_is(table: &TableDescription, wanted: &StreamSpecification) -> bool {
    let stream = table.stream_specification.as_ref().filter(|stream| stream.stream_enabled);
    match wanted.stream_enabled {
        true => stream.is_some_and(|stream| stream.stream_view_type == wanted.stream_view_type),
        false => stream.is_none(),
    }
}

/// What a stream tells can only be changed by turning the stream off and on.
async fn new_view(cx: &Context<'_>, name: &str, prior: &Value, planned: &Value) -> Result<(), Error> {
    let stays_on = flag(prior, "stream_enabled") && flag(planned, "stream_enabled");
    if !stays_on || text(prior, "stream_view_type") == text(planned, "stream_view_type") {
        return Ok(());
    }
    let off = built(StreamSpecification::builder().stream_enabled(false).build())?;
    for step in [Some(off), stream(planned)?].into_iter().flatten() {
        let change = |call: UpdateTableFluentBuilder| call.stream_specification(step.clone());
        update_table(cx, name, change, |table| stream_is(table, &step)).await?;
        active(cx, name, None).await?;
    }
    Ok(())
}

/// Billing, capacity, protection, limits and the stream: one call.
#[derive(Clone, Default)]
struct Main {
    billing: Option<BillingMode>,
    throughput: Option<aws_sdk_dynamodb::types::ProvisionedThroughput>,
    protection: Option<bool>,
    limits: Option<aws_sdk_dynamodb::types::OnDemandThroughput>,
    stream: Option<StreamSpecification>,
    indexes: Vec<GlobalSecondaryIndexUpdate>,
}

impl Main {
    fn of(prior: &Value, planned: &Value, steps: &Steps<'_>) -> Result<Main, Error> {
        let on_demand = text(planned, "billing_mode") == Some(ON_DEMAND);
        let new_mode = text(prior, "billing_mode") != text(planned, "billing_mode");
        let units = |name: &str| whole(prior, name) != whole(planned, name);
        let new_units = new_mode || units("read_capacity") || units("write_capacity");
        let mut main = Main::default();
        if !on_demand && new_units {
            main.throughput = Some(index::throughput(planned)?);
        }
        if new_mode || main.throughput.is_some() {
            main.billing =
                Some(if on_demand { BillingMode::PayPerRequest } else { BillingMode::Provisioned });
        }
        if differs(prior, planned, "deletion_protection_enabled") {
            main.protection = Some(flag(planned, "deletion_protection_enabled"));
        }
        if on_demand && index::on_demand(prior) != index::on_demand(planned) {
            let none = aws_sdk_dynamodb::types::OnDemandThroughput::builder()
                .max_read_request_units(-1)
                .max_write_request_units(-1)
                .build();
            main.limits = Some(index::on_demand(planned).unwrap_or(none));
        }
        if flag(prior, "stream_enabled") != flag(planned, "stream_enabled") {
            main.stream = match stream(planned)? {
                Some(stream) => Some(stream),
                None => Some(built(StreamSpecification::builder().stream_enabled(false).build())?),
            };
        }
        // An index that is deleted and made again takes its capacity when it is made.
        for index in &steps.updates {
            main.indexes.push(index::capacity_change(index, !on_demand)?);
        }
        Ok(main)
    }

    /// Whether the table shows the change. One with indexes or limits is rather made again: that does no harm.
    fn is_done(&self, table: &TableDescription) -> bool {
        let mode = table.billing_mode_summary.as_ref().and_then(|summary| summary.billing_mode.clone());
        let mode = mode.unwrap_or(BillingMode::Provisioned);
        let units = table.provisioned_throughput.as_ref();
        let units = units.map(|units| (units.read_capacity_units, units.write_capacity_units));
        self.indexes.is_empty()
            && self.limits.is_none()
            && self.billing.as_ref().is_none_or(|wanted| *wanted == mode)
            && self.throughput.as_ref().is_none_or(|wanted| {
                units == Some((Some(wanted.read_capacity_units), Some(wanted.write_capacity_units)))
            })
            && self
                .protection
                .is_none_or(|wanted| table.deletion_protection_enabled.unwrap_or(false) == wanted)
            && self.stream.as_ref().is_none_or(|wanted| stream_is(table, wanted))
    }

    fn is_empty(&self) -> bool {
        self.billing.is_none()
            && self.protection.is_none()
            && self.limits.is_none()
            && self.stream.is_none()
            && self.indexes.is_empty()
    }
}

async fn main_change(
    cx: &Context<'_>,
    name: &str,
    prior: &Value,
    planned: &Value,
    steps: &Steps<'_>,
) -> Result<(), Error> {
    let main = Main::of(prior, planned, steps)?;
    if main.is_empty() {
        return Ok(());
    }
    let change = |call: UpdateTableFluentBuilder| {
        let main = main.clone();
        call.set_billing_mode(main.billing)
            .set_provisioned_throughput(main.throughput)
            .set_deletion_protection_enabled(main.protection)
            .set_on_demand_throughput(main.limits)
            .set_stream_specification(main.stream)
            .set_global_secondary_index_updates((!main.indexes.is_empty()).then_some(main.indexes))
    };
    update_table(cx, name, change, |table| main.is_done(table)).await?;
    active(cx, name, None).await.map(drop)
}

/// Whether another key is to encrypt the table.
pub fn is_encrypted_anew(prior: &Value, planned: &Value) -> bool {
    const NAME: &str = "server_side_encryption";
    let on = |object: &Value| first(object, NAME).is_some_and(|block| flag(block, "enabled"));
    differs(prior, planned, NAME) && !elements(planned, NAME).is_empty() && (on(prior) || on(planned))
}

/// Whether getting from one to the other takes a call of UpdateTable.
pub fn takes_update_table(prior: &Value, planned: &Value) -> bool {
    let steps = index::steps(prior, planned);
    let stays_on = flag(prior, "stream_enabled") && flag(planned, "stream_enabled");
    !steps.deletes.is_empty()
        || !steps.creates.is_empty()
        || differs(prior, planned, "table_class")
        || stays_on && differs(prior, planned, "stream_view_type")
        || is_encrypted_anew(prior, planned)
        || Main::of(prior, planned, &steps).map_or(true, |main| !main.is_empty())
}

async fn encryption(cx: &Context<'_>, name: &str, prior: &Value, planned: &Value) -> Result<(), Error> {
    if !is_encrypted_anew(prior, planned) {
        return Ok(());
    }
    let specification = settings::encryption(planned);
    let wanted = specification.as_ref().and_then(|wanted| wanted.enabled).unwrap_or(false);
    let key = specification.as_ref().and_then(|wanted| wanted.kms_master_key_id.clone());
    let is_done = |table: &TableDescription| {
        let shown = table.sse_description.as_ref().filter(|shown| shown.status == Some(SseStatus::Enabled));
        let shown_key = shown.and_then(|shown| shown.kms_master_key_arn.clone());
        shown.is_some() == wanted && (key.is_none() || key == shown_key)
    };
    update_table(cx, name, |call| call.set_sse_specification(specification.clone()), is_done).await?;
    active(cx, name, None).await.map(drop)
}

/// The attribute by which items expire, where they do.
pub fn expires_by(table: &Value) -> Option<String> {
    let block = first(table, "ttl").filter(|block| flag(block, "enabled"))?;
    filled(block, "attribute_name").map(str::to_owned)
}

async fn expiry(cx: &Context<'_>, name: &str, prior: &Value, planned: &Value) -> Result<(), Error> {
    match (expires_by(prior), expires_by(planned)) {
        (before, after) if before == after => Ok(()),
        (Some(before), None) => settings::set_expiry(cx, name, &before, false).await,
        (None, Some(after)) => settings::set_expiry(cx, name, &after, true).await,
        (Some(before), Some(after)) => {
            settings::set_expiry(cx, name, &before, false).await?;
            settings::set_expiry(cx, name, &after, true).await
        }
        (None, None) => Ok(()),
    }
}
