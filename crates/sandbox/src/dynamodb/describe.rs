//! A table's description: what the engine says of keys and items, with everything else laid over it.

use serde_json::{Map, Value, json};

use super::engine::{outward, parsed};
use super::records::{Phase, Table, Work};
use super::{encryption, find};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

pub(super) fn describe(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let name = find::name_in(visit, &find::body(visit)?)?;
    let table = find::existing(visit, &name)?;
    Ok(json!({ "Table": description(visit, &table)? }).into())
}

/// The description of a table as it is now.
pub(super) fn description(visit: &Visit<'_>, table: &Table) -> Result<Value, Refusal> {
    if let Some(last) = &table.last_description {
        return Ok(last.clone());
    }
    let asked = json!({ "TableName": table.name }).to_string();
    let answer = visit.engine()?.call("DescribeTable", &asked)?;
    let mut answer = parsed(&outward(&answer, &table.region, visit.account()))?;
    let mut description = answer.get_mut("Table").map(Value::take).unwrap_or_default();
    if let Some(fields) = description.as_object_mut() {
        lay_over(visit, table, fields)?;
    }
    Ok(description)
}

/// The same, in a phase that just begins: even where it lasts no time, the answer that begins it shows it.
pub(super) fn beginning(visit: &Visit<'_>, table: &Table, work: Work) -> Result<Value, Refusal> {
    let mut description = description(visit, table)?;
    if let Some(fields) = description.as_object_mut() {
        fields.insert("TableStatus".to_owned(), work.word().into());
        if work == Work::Creating {
            let indexes = fields.get_mut("GlobalSecondaryIndexes").and_then(Value::as_array_mut);
            for index in indexes.into_iter().flatten().filter_map(Value::as_object_mut) {
                index.insert("IndexStatus".to_owned(), "CREATING".into());
            }
        }
    }
    Ok(description)
}

fn lay_over(visit: &Visit<'_>, table: &Table, fields: &mut Map<String, Value>) -> Result<(), Refusal> {
    let mut set = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    let key = encryption::customer_key(visit, table)?;
    let status = match (table.phase.at(visit.now), key) {
        (None, Some(key)) if !key.usable => "INACCESSIBLE_ENCRYPTION_CREDENTIALS",
        (work, _) => status(work),
    };
    set("TableStatus", status.into());
    set("TableId", table.id.clone().into());
    set("CreationDateTime", table.created.epoch_seconds().into());
    fields.remove("SSEDescription");
    fields.remove("TableThroughputModeSummary");
    if let Some(description) = encryption::describe(visit, table) {
        fields.insert("SSEDescription".to_owned(), description);
    }
    if let Some(since) = table.on_demand_since {
        let on_demand = fields.contains_key("BillingModeSummary");
        let mode = if on_demand { "PAY_PER_REQUEST" } else { "PROVISIONED" };
        let summary =
            json!({ "BillingMode": mode, "LastUpdateToPayPerRequestDateTime": since.epoch_seconds() });
        fields.insert("BillingModeSummary".to_owned(), summary);
    }
    if let (Some(changed), Some(class)) =
        (table.class_changed, fields.get_mut("TableClassSummary").and_then(Value::as_object_mut))
    {
        class.insert("LastUpdateDateTime".to_owned(), changed.epoch_seconds().into());
    }
    let indexes = fields.get_mut("GlobalSecondaryIndexes").and_then(Value::as_array_mut);
    for index in indexes.into_iter().flatten().filter_map(Value::as_object_mut) {
        lay_over_index(visit, table, index);
    }
    Ok(())
}

fn status(work: Option<Work>) -> &'static str {
    work.map_or("ACTIVE", Work::word)
}

fn lay_over_index(visit: &Visit<'_>, table: &Table, fields: &mut Map<String, Value>) {
    let name = fields.get("IndexName").and_then(Value::as_str).unwrap_or_default();
    let Some(index) = table.indexes.get(name) else { return };
    let work = Phase::at(index.phase, visit.now);
    fields.insert("IndexStatus".to_owned(), status(work).into());
    if work == Some(Work::Creating) {
        fields.insert("Backfilling".to_owned(), false.into());
    }
    fields.insert(
        "ProvisionedThroughput".to_owned(),
        json!({
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": index.capacity.0,
            "WriteCapacityUnits": index.capacity.1,
        }),
    );
    if let Some(limits) = &index.on_demand {
        fields.insert("OnDemandThroughput".to_owned(), limits.clone());
    }
}

/// Lists the names of the region's tables.
pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let body = find::body(visit)?;
    let limit = body.get("Limit").and_then(Value::as_u64).unwrap_or(100);
    if !(1..=100).contains(&limit) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value between 1 and 100"
        )));
    }
    let limit = usize::try_from(limit).unwrap_or(100);
    let after = body
        .get("ExclusiveStartTableName")
        .and_then(Value::as_str)
        .map(|name| Table::key_of(visit.region(), name));
    let prefix = format!("{}|", visit.region());
    let mut tables = visit.store.list::<Table>(&prefix, after.as_deref(), limit + 1)?;
    let more = tables.len() > limit;
    tables.truncate(limit);
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let mut answer = json!({ "TableNames": names });
    if let (true, Some(last), Some(object)) = (more, names.last(), answer.as_object_mut()) {
        object.insert("LastEvaluatedTableName".to_owned(), (*last).into());
    }
    Ok(answer.into())
}
