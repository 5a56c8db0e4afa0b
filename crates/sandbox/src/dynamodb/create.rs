//! Making and deleting tables.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::encryption::{self, Wanted};
use super::records::{DELETION, Index, Phase, Table, Work};
use super::{access, describe, find, resource_policy, tagging};
use crate::ids;
use crate::store::Document;
use crate::visit::{Afterwards, Visit};
use crate::wire::{Refusal, Reply};

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut body = find::body(visit)?;
    let name = find::name_in(visit, &body)?;
    let tags = tagging::taken(&mut body)?;
    let wanted = match body.remove("SSESpecification") {
        Some(Value::Object(specification)) => encryption::wanted(visit, &specification),
        _ => Ok(Wanted::AwsOwned),
    };
    let key = match &wanted {
        Ok(Wanted::Key(key)) if key.managed_by.is_none() => Some(key.as_ref()),
        _ => None,
    };
    access::create(visit, &name, key, &tags)?;
    let wanted = wanted?;
    let policy = resource_policy::taken(visit, &mut body)?;
    let on_demand = body.get("BillingMode").and_then(Value::as_str) == Some("PAY_PER_REQUEST");
    if let Some(table) = find::table(visit, &name)? {
        return Err(match table.phase.at(visit.now) {
            Some(Work::Deleting) => find::in_use(&name, Work::Deleting),
            _ => Refusal::new("ResourceInUseException", format!("Table already exists: {name}")),
        });
    }
    let phase = Phase { work: Work::Creating, until: visit.now.plus(visit.options.table_settling) };
    let table = Table {
        region: visit.region().to_owned(),
        name: name.clone(),
        id: ids::uuid(),
        created: visit.now,
        partition_key: partition_key(&body),
        phase,
        encryption: encryption::remembered(&wanted),
        indexes: indexes(&mut body, phase),
        tags,
        time_to_live: None,
        backups: None,
        resource_policy: policy,
        resource_policy_before: None,
        on_demand_since: on_demand.then_some(visit.now),
        class_changed: None,
        insights: BTreeMap::new(),
        last_description: None,
    };
    body.insert("TableName".to_owned(), name.as_str().into());
    make(visit, &name, &Value::Object(body).to_string())?;
    visit.store.put(&table)?;
    let description = describe::beginning(visit, &table, Work::Creating)?;
    Ok(json!({ "TableDescription": description }).into())
}

/// The name of the key that is hashed, as far as the body has one; the engine refuses a table without.
fn partition_key(body: &Map<String, Value>) -> String {
    let keys = body.get("KeySchema").and_then(Value::as_array).into_iter().flatten();
    let mut hashed = keys.filter(|key| key.get("KeyType").and_then(Value::as_str) == Some("HASH"));
    let name = hashed.next().and_then(|key| key.get("AttributeName")).and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

/// Makes the table in the engine. One that the engine still has, though the store does not, is of a call that failed.
fn make(visit: &Visit<'_>, name: &str, body: &str) -> Result<(), Refusal> {
    let engine = visit.engine()?;
    match engine.call("CreateTable", body) {
        Err(refusal) if refusal.code == "ResourceInUseException" => {
            engine.drop_table(name)?;
            engine.call("CreateTable", body).map(drop)
        }
        made => made.map(drop),
    }
}

/// Takes from the body what the engine does not know of indexes.
fn indexes(body: &mut Map<String, Value>, phase: Phase) -> BTreeMap<String, Index> {
    body.remove("WarmThroughput");
    let list = body.get_mut("GlobalSecondaryIndexes").and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(|index| taken_index(index, phase)).collect()
}

/// Name and side of one index, taken from its definition.
pub(super) fn taken_index(index: &mut Value, phase: Phase) -> Option<(String, Index)> {
    let fields = index.as_object_mut()?;
    fields.remove("WarmThroughput");
    let on_demand = fields.remove("OnDemandThroughput").filter(|limits| !limits.is_null());
    let capacity = capacity(fields.get("ProvisionedThroughput")).unwrap_or_default();
    let name = fields.get("IndexName").and_then(Value::as_str)?.to_owned();
    Some((name, Index { phase, capacity, on_demand }))
}

/// Read and write units of a `ProvisionedThroughput`.
pub(super) fn capacity(throughput: Option<&Value>) -> Option<(i64, i64)> {
    let units = |name: &str| throughput?.get(name)?.as_i64();
    Some((units("ReadCapacityUnits")?, units("WriteCapacityUnits")?))
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let body = find::body(visit)?;
    let name = find::name_in(visit, &body)?;
    access::table(visit, "dynamodb:DeleteTable", &name)?;
    let mut table = find::idle(visit, &name)?;
    let mut description = describe::description(visit, &table)?;
    if description.get("DeletionProtectionEnabled").and_then(Value::as_bool) == Some(true) {
        return Err(Refusal::validation(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
        ));
    }
    if let Some(fields) = description.as_object_mut() {
        fields.insert("TableStatus".to_owned(), Work::Deleting.word().into());
    }
    let settling = visit.options.table_settling;
    if settling.is_zero() {
        visit.store.delete::<Table>(&table.key())?;
    } else {
        let until = visit.now.plus(settling);
        table.phase = Phase { work: Work::Deleting, until };
        table.last_description = Some(description.clone());
        visit.store.put(&table)?;
        visit.store.set_deadline(DELETION, &table.key(), until)?;
    }
    // Only once the store has forgotten the table; what a crash leaves in between is dropped at the next opening.
    visit.once_kept(Afterwards::DropTable { region: table.region, name });
    Ok(json!({ "TableDescription": description }).into())
}
