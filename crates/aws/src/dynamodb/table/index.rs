//! Indexes: from the state to the API, and what has to be done to get from one set of global indexes to another.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, CreateGlobalSecondaryIndexAction, DeleteGlobalSecondaryIndexAction,
    GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, LocalSecondaryIndex,
    OnDemandThroughput, Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType,
    UpdateGlobalSecondaryIndexAction,
};
use aws_smithy_types::error::operation::BuildError;
use terrane_model::Value;
use terrane_provider::Error;

use super::prediction::ON_DEMAND;
use crate::object::{elements, filled, first, text, texts, whole};

pub type Built<T> = Result<T, Error>;

pub fn built<T>(result: Result<T, BuildError>) -> Built<T> {
    result.map_err(|error| Error::bug("dynamodb:CreateTable", error.to_string()))
}

/// Partition and sort key.
pub fn key_schema(hash: Option<&str>, range: Option<&str>) -> Built<Vec<KeySchemaElement>> {
    let element =
        |name: &str, kind| built(KeySchemaElement::builder().attribute_name(name).key_type(kind).build());
    let hash = hash.map(|name| element(name, KeyType::Hash));
    let range = range.map(|name| element(name, KeyType::Range));
    hash.into_iter().chain(range).collect()
}

/// The attributes that keys consist of.
pub fn attribute_definitions(table: &Value) -> Built<Vec<AttributeDefinition>> {
    let definition = |attribute: &Value| {
        let kind = ScalarAttributeType::from(text(attribute, "type").unwrap_or_default());
        let name = text(attribute, "name").unwrap_or_default();
        built(AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build())
    };
    elements(table, "attribute").iter().map(definition).collect()
}

/// Provisioned capacity; never below 1.
pub fn throughput(object: &Value) -> Built<ProvisionedThroughput> {
    let units = |name| whole(object, name).unwrap_or(1).max(1);
    let builder = ProvisionedThroughput::builder();
    built(
        builder
            .read_capacity_units(units("read_capacity"))
            .write_capacity_units(units("write_capacity"))
            .build(),
    )
}

/// Limits of on-demand capacity, where there are some.
pub fn on_demand(object: &Value) -> Option<OnDemandThroughput> {
    let limits = first(object, "on_demand_throughput")?;
    Some(
        OnDemandThroughput::builder()
            .set_max_read_request_units(whole(limits, "max_read_request_units"))
            .set_max_write_request_units(whole(limits, "max_write_request_units"))
            .build(),
    )
}

fn projection(index: &Value) -> Projection {
    let further = texts(index, "non_key_attributes");
    Projection::builder()
        .projection_type(ProjectionType::from(text(index, "projection_type").unwrap_or_default()))
        .set_non_key_attributes((!further.is_empty()).then_some(further))
        .build()
}

/// The local indexes of a table.
pub fn local_indexes(table: &Value) -> Built<Vec<LocalSecondaryIndex>> {
    let hash = filled(table, "hash_key");
    let index = |index: &Value| {
        let builder = LocalSecondaryIndex::builder()
            .index_name(text(index, "name").unwrap_or_default())
            .set_key_schema(Some(key_schema(hash, filled(index, "range_key"))?))
            .projection(projection(index));
        built(builder.build())
    };
    elements(table, "local_secondary_index").iter().map(index).collect()
}

/// The global indexes of a table.
pub fn global_indexes(table: &Value) -> Built<Vec<GlobalSecondaryIndex>> {
    let provisioned = text(table, "billing_mode") != Some(ON_DEMAND);
    let index = |index: &Value| {
        let builder = GlobalSecondaryIndex::builder()
            .index_name(text(index, "name").unwrap_or_default())
            .set_key_schema(Some(key_schema(filled(index, "hash_key"), filled(index, "range_key"))?))
            .projection(projection(index))
            .set_provisioned_throughput(provisioned.then(|| throughput(index)).transpose()?)
            .set_on_demand_throughput(on_demand(index));
        built(builder.build())
    };
    elements(table, "global_secondary_index").iter().map(index).collect()
}

/// What has to be done with the global indexes, in this order: deletes, updates, creates.
#[derive(Debug, Default)]
pub struct Steps<'v> {
    pub deletes: Vec<&'v str>,
    pub updates: Vec<&'v Value>,
    pub creates: Vec<&'v Value>,
}

/// Compares the global indexes of two tables by name.
pub fn steps<'v>(prior: &'v Value, planned: &'v Value) -> Steps<'v> {
    const NAME: &str = "global_secondary_index";
    let mode = text(planned, "billing_mode");
    let same_mode = text(prior, "billing_mode") == mode;
    let mut steps = Steps::default();
    for before in elements(prior, NAME) {
        let name = text(before, "name").unwrap_or_default();
        let after = elements(planned, NAME).iter().find(|after| text(after, "name") == Some(name));
        let Some(after) = after else {
            steps.deletes.push(name);
            continue;
        };
        if !same_structure(before, after) {
            steps.deletes.push(name);
            steps.creates.push(after);
            continue;
        }
        let differs = |name: &str| whole(before, name) != whole(after, name);
        let changed = match mode {
            Some(ON_DEMAND) => {
                let limits = on_demand(after);
                limits.is_some() && limits != on_demand(before)
            }
            _ => !same_mode || differs("read_capacity") || differs("write_capacity"),
        };
        if changed {
            steps.updates.push(after);
        }
    }
    let is_new = |after: &&Value| {
        !elements(prior, NAME).iter().any(|before| text(before, "name") == text(after, "name"))
    };
    steps.creates.extend(elements(planned, NAME).iter().filter(is_new));
    steps
}

fn same_structure(a: &Value, b: &Value) -> bool {
    let further = |index: &Value| texts(index, "non_key_attributes").into_iter().collect::<BTreeSet<_>>();
    filled(a, "hash_key") == filled(b, "hash_key")
        && filled(a, "range_key") == filled(b, "range_key")
        && filled(a, "projection_type") == filled(b, "projection_type")
        && further(a) == further(b)
}

/// The update that deletes an index.
pub fn deletion(name: &str) -> Built<GlobalSecondaryIndexUpdate> {
    let action = built(DeleteGlobalSecondaryIndexAction::builder().index_name(name).build())?;
    Ok(GlobalSecondaryIndexUpdate::builder().delete(action).build())
}

/// The update that changes an index's capacity.
pub fn capacity_change(index: &Value, provisioned: bool) -> Built<GlobalSecondaryIndexUpdate> {
    let builder = UpdateGlobalSecondaryIndexAction::builder()
        .index_name(text(index, "name").unwrap_or_default())
        .set_provisioned_throughput(provisioned.then(|| throughput(index)).transpose()?)
        .set_on_demand_throughput(if provisioned { None } else { on_demand(index) });
    Ok(GlobalSecondaryIndexUpdate::builder().update(built(builder.build())?).build())
}

/// The update that makes an index.
pub fn creation(index: &Value, provisioned: bool) -> Built<GlobalSecondaryIndexUpdate> {
    let builder = CreateGlobalSecondaryIndexAction::builder()
        .index_name(text(index, "name").unwrap_or_default())
        .set_key_schema(Some(key_schema(filled(index, "hash_key"), filled(index, "range_key"))?))
        .projection(projection(index))
        .set_provisioned_throughput(provisioned.then(|| throughput(index)).transpose()?)
        .set_on_demand_throughput(on_demand(index));
    Ok(GlobalSecondaryIndexUpdate::builder().create(built(builder.build())?).build())
}
