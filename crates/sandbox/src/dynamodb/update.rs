//! Changing a table: capacity, billing, indexes, stream, encryption, class, protection.

use serde_json::{Map, Value, json};

use super::create::{capacity, taken_index};
use super::encryption::{self, Wanted};
use super::records::{Index, Phase, Table, Work};
use super::{access, describe, find};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

pub(super) fn update(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut body = find::body(visit)?;
    let name = find::name_in(visit, &body)?;
    access::table(visit, "dynamodb:UpdateTable", &name)?;
    refuse_replicas(&body)?;
    let mut table = find::idle(visit, &name)?;
    let phase = Phase { work: Work::Updating, until: visit.now.plus(visit.options.table_settling) };

    let before = describe::description(visit, &table)?;
    let was_on_demand = on_demand(&before);
    let will_be_on_demand = match body.get("BillingMode").and_then(Value::as_str) {
        Some(mode) => mode == "PAY_PER_REQUEST",
        None => was_on_demand,
    };
    let encryption_changed = encrypt(visit, &mut table, &mut body, phase)?;
    body.remove("WarmThroughput");
    let index_changes = Indexes::taken(&mut body, &table, phase)?;
    let indexes_changed = index_changes.apply(&mut table, will_be_on_demand, was_on_demand)?;
    if was_on_demand != will_be_on_demand && will_be_on_demand {
        table.on_demand_since = Some(visit.now);
        for index in table.indexes.values_mut() {
            index.capacity = (0, 0);
        }
    }
    if body.contains_key("TableClass") {
        table.class_changed = Some(visit.now);
    }
    body.insert("TableName".to_owned(), name.as_str().into());
    // What is left is for the engine; definitions of attributes alone are no change.
    let left = body.keys().any(|field| field != "TableName" && field != "AttributeDefinitions");
    if left || !(encryption_changed || indexes_changed) {
        visit.engine()?.call("UpdateTable", &Value::Object(body).to_string())?;
    }
    table.phase = phase;
    visit.store.put(&table)?;
    let mut description = describe::beginning(visit, &table, Work::Updating)?;
    show_beginning_indexes(&mut description, &table, phase);
    Ok(json!({ "TableDescription": description }).into())
}

fn refuse_replicas(body: &Map<String, Value>) -> Result<(), Refusal> {
    let asked = |field: &str| body.get(field).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if asked("ReplicaUpdates") || asked("GlobalTableWitnessUpdates") {
        return Err(Refusal::validation("The sandbox has no replicas of tables in other regions."));
    }
    Ok(())
}

pub(super) fn on_demand(description: &Value) -> bool {
    description.pointer("/BillingModeSummary/BillingMode").and_then(Value::as_str) == Some("PAY_PER_REQUEST")
}

/// Changes the encryption if the call asks for it; says whether it did.
fn encrypt(
    visit: &Visit<'_>,
    table: &mut Table,
    body: &mut Map<String, Value>,
    phase: Phase,
) -> Result<bool, Refusal> {
    let Some(Value::Object(specification)) = body.remove("SSESpecification") else { return Ok(false) };
    let wanted = encryption::wanted(visit, &specification)?;
    if let Wanted::Key(key) = &wanted
        && key.managed_by.is_none()
    {
        access::move_to_key(visit, key)?;
    }
    let mut new = encryption::remembered(&wanted);
    let same = match (&table.encryption, &new) {
        (None, None) => true,
        (Some(old), Some(new)) => old.key == new.key,
        _ => false,
    };
    if same {
        return Err(Refusal::validation(
            "One or more parameter values were invalid: Table is already encrypted by given KMSMasterKeyId",
        ));
    }
    if let Some(encryption) = new.as_mut() {
        encryption.changing_until = Some(phase.until);
    }
    table.encryption = new;
    Ok(true)
}

/// What a call asks of global secondary indexes.
#[derive(Debug, Default)]
struct Indexes {
    created: Vec<(String, Index)>,
    deleted: Vec<String>,
    updated: Vec<IndexUpdate>,
}

/// A change of one index: its name, new capacity, new on-demand limits.
type IndexUpdate = (String, Option<(i64, i64)>, Option<Value>);

impl Indexes {
    /// Takes from the body what the engine does not keep; creations and deletions stay in it.
    fn taken(body: &mut Map<String, Value>, table: &Table, phase: Phase) -> Result<Indexes, Refusal> {
        let mut indexes = Indexes::default();
        let Some(list) = body.get_mut("GlobalSecondaryIndexUpdates").and_then(Value::as_array_mut) else {
            return Ok(indexes);
        };
        let mut kept = Vec::new();
        for mut change in std::mem::take(list) {
            if let Some(update) = change.get("Update").filter(|update| !update.is_null()) {
                let name = update.get("IndexName").and_then(Value::as_str).unwrap_or_default().to_owned();
                if !table.indexes.contains_key(&name) {
                    return Err(Refusal::new(
                        "ResourceNotFoundException",
                        format!("Requested resource not found: Table: {} Index: {name}", table.name),
                    ));
                }
                let limits = update.get("OnDemandThroughput").filter(|limits| !limits.is_null());
                indexes.updated.push((name, capacity(update.get("ProvisionedThroughput")), limits.cloned()));
                continue;
            }
            if let Some(create) = change.get_mut("Create").filter(|create| !create.is_null()) {
                let creating = Phase { work: Work::Creating, ..phase };
                indexes.created.extend(taken_index(create, creating));
            }
            let deleted = change.pointer("/Delete/IndexName").and_then(Value::as_str);
            indexes.deleted.extend(deleted.map(str::to_owned));
            kept.push(change);
        }
        if indexes.created.len() + indexes.deleted.len() > 1 {
            return Err(Refusal::new(
                "LimitExceededException",
                "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
            ));
        }
        if kept.is_empty() {
            body.remove("GlobalSecondaryIndexUpdates");
        } else {
            body.insert("GlobalSecondaryIndexUpdates".to_owned(), kept.into());
        }
        Ok(indexes)
    }

    /// Changes what is remembered of the indexes; says whether something changed.
    fn apply(self, table: &mut Table, on_demand: bool, was_on_demand: bool) -> Result<bool, Refusal> {
        let changed = !(self.created.is_empty() && self.deleted.is_empty() && self.updated.is_empty());
        if was_on_demand && !on_demand {
            let given =
                |name: &String| self.updated.iter().any(|(index, units, _)| index == name && units.is_some());
            if let Some(missing) = table.indexes.keys().find(|name| !given(name)) {
                return Err(Refusal::validation(format!(
                    "One or more parameter values were invalid: ProvisionedThroughput must be specified for index: {missing}"
                )));
            }
        }
        for (name, index) in self.created {
            if !on_demand && index.capacity == (0, 0) {
                return Err(Refusal::validation(format!(
                    "One or more parameter values were invalid: ProvisionedThroughput must be specified for index: {name}"
                )));
            }
            table.indexes.insert(name, index);
        }
        for name in self.deleted {
            table.indexes.remove(&name);
        }
        for (name, units, limits) in self.updated {
            let Some(index) = table.indexes.get_mut(&name) else { continue };
            if let Some(units) = units {
                if on_demand {
                    return Err(Refusal::validation(
                        "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
                    ));
                }
                if units.0 < 1 || units.1 < 1 {
                    return Err(Refusal::validation(format!(
                        "1 validation error detected: Value at 'globalSecondaryIndexUpdates' failed to satisfy constraint: the units of index {name} must be at least 1"
                    )));
                }
                if index.capacity == units {
                    return Err(unchanged(&name, units));
                }
                index.capacity = units;
            }
            if let Some(limits) = limits {
                index.on_demand = merged(index.on_demand.take(), &limits);
            }
        }
        Ok(changed)
    }
}

/// New on-demand limits over the old ones; -1 takes one away.
fn merged(old: Option<Value>, new: &Value) -> Option<Value> {
    let mut limits = match old {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    for (name, value) in new.as_object().into_iter().flatten() {
        if value.as_i64() == Some(-1) {
            limits.remove(name);
        } else if !value.is_null() {
            limits.insert(name.clone(), value.clone());
        }
    }
    (!limits.is_empty()).then_some(Value::Object(limits))
}

fn unchanged(name: &str, (read, write): (i64, i64)) -> Refusal {
    Refusal::validation(format!(
        "The provisioned throughput for the index {name} will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the index: {read}. Requested ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned for the index: {write}. Requested WriteCapacityUnits: {write}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    ))
}

/// The answer shows a new index in creation even where that lasts no time.
fn show_beginning_indexes(description: &mut Value, table: &Table, phase: Phase) {
    let list = description.get_mut("GlobalSecondaryIndexes").and_then(Value::as_array_mut);
    for fields in list.into_iter().flatten().filter_map(Value::as_object_mut) {
        let name = fields.get("IndexName").and_then(Value::as_str).unwrap_or_default();
        let new = table
            .indexes
            .get(name)
            .is_some_and(|index| index.phase == Phase { work: Work::Creating, ..phase });
        if new {
            fields.insert("IndexStatus".to_owned(), "CREATING".into());
        }
    }
}
