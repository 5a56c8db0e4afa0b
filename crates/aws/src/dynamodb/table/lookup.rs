//! `aws_dynamodb_table`, the data source: a table that is there already.
//!
//! Calls and permissions, all `dynamodb:`: DescribeTable, DescribeContinuousBackups, DescribeTimeToLive, ListTagsOfResource;
//! and `kms:DescribeKey`, to know AWS's own key for DynamoDB from others. Read anew in every run.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::schema::{Attribute, Nesting, block, computed, nested, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{Context, DataSource, Doing, Error, ErrorKind, Ground, Permissions};

use super::observed::observe;
use super::schema::SCHEMA as RESOURCE;
use crate::object::{absent, elements, needed, or_empty};

/// The data source.
pub struct TableLookup;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let encryption = block(
        [
            computed("enabled", Type::Bool).doc("Whether a key in KMS encrypts the table."),
            computed("kms_key_arn", Type::String).doc("ARN of the key, unless it is AWS's for DynamoDB."),
        ],
        [],
    );
    let encryption =
        nested("server_side_encryption", Nesting::List, encryption).max(1).doc("How the table is encrypted.");
    Schema::new(
        "aws_dynamodb_table",
        Mode::Data,
        "A table that is there already.",
        block(attributes(), [encryption]),
    )
});

fn attributes() -> Vec<Attribute> {
    let text = |name, doc| computed(name, Type::String).doc(doc);
    let list = |name, element, doc| computed(name, Type::list(element)).doc(doc);
    let set = |name, element, doc| computed(name, Type::set(element)).doc(doc);
    vec![
        text("arn", "ARN of the table."),
        set("attribute", attribute_type(), "Attributes that are keys of the table or of an index."),
        text("billing_mode", "`PROVISIONED` or `PAY_PER_REQUEST`."),
        computed("deletion_protection_enabled", Type::Bool).doc("Whether the table can't be deleted."),
        set("global_secondary_index", global_type(), "Global indexes."),
        text("hash_key", "Name of the partition key."),
        optional_computed("id", Type::String).doc("Name of the table."),
        set("local_secondary_index", local_type(), "Local indexes."),
        required("name", Type::String).doc("Name of the table."),
        list("on_demand_throughput", limit_type(), "Limits of a table that is billed by request."),
        list("point_in_time_recovery", recovery_type(), "Point-in-time recovery."),
        text("range_key", "Name of the sort key."),
        computed("read_capacity", Type::Number).doc("Provisioned units of reading."),
        set("replica", replica_type(), "The table's replicas in other regions."),
        text("stream_arn", "ARN of the latest stream."),
        computed("stream_enabled", Type::Bool).doc("Whether changes are streamed."),
        text("stream_label", "Label of the latest stream."),
        text("stream_view_type", "What the stream tells of a change."),
        text("table_class", "Class of storage."),
        optional_computed("tags", Type::map(Type::String)).doc("Tags."),
        set("ttl", expiry_type(), "By which attribute items expire."),
        computed("write_capacity", Type::Number).doc("Provisioned units of writing."),
    ]
}

fn attribute_type() -> Type {
    Type::object([("name", Type::String), ("type", Type::String)])
}

fn limit_type() -> Type {
    Type::object([("max_read_request_units", Type::Number), ("max_write_request_units", Type::Number)])
}

fn global_type() -> Type {
    Type::object([
        ("hash_key", Type::String),
        ("name", Type::String),
        ("non_key_attributes", Type::list(Type::String)),
        ("on_demand_throughput", Type::list(limit_type())),
        ("projection_type", Type::String),
        ("range_key", Type::String),
        ("read_capacity", Type::Number),
        ("write_capacity", Type::Number),
    ])
}

fn local_type() -> Type {
    Type::object([
        ("name", Type::String),
        ("non_key_attributes", Type::list(Type::String)),
        ("projection_type", Type::String),
        ("range_key", Type::String),
    ])
}

fn recovery_type() -> Type {
    Type::object([("enabled", Type::Bool), ("recovery_period_in_days", Type::Number)])
}

fn replica_type() -> Type {
    Type::object([("kms_key_arn", Type::String), ("region_name", Type::String)])
}

fn expiry_type() -> Type {
    Type::object([("attribute_name", Type::String), ("enabled", Type::Bool)])
}

#[async_trait]
impl DataSource for TableLookup {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn permissions(&self, config: &Value, ground: &Ground<'_>) -> Permissions {
        super::permissions::permissions(
            Doing::Import(crate::object::filled(config, "name").unwrap_or("*")),
            ground,
        )
    }

    async fn read(&self, cx: &Context<'_>, config: &Value) -> Result<Value, Error> {
        let name = needed(config, "name", "dynamodb:DescribeTable")?;
        let Some(observed) = observe(cx, name, None).await? else {
            let message = format!("There is no table `{name}` in {}.", cx.session.facts.region);
            return Err(Error::new(ErrorKind::NotFound, "dynamodb:DescribeTable", message));
        };
        let replicas = Value::set(
            replica_type(),
            observed.replicas().map(|(region, key)| {
                Value::object([("kms_key_arn", or_empty(key)), ("region_name", Value::from(region))])
            }),
        );
        let table = observed.into_state(cx, &absent(&RESOURCE), true).await?;
        let names = SCHEMA.block.names().filter(|name| !["id", "name", "replica", "tags"].contains(name));
        let object = names.fold(config.clone(), |object, name| object.with(name, shaped(&table, name)));
        let tags = table.get("tags_all").cloned().unwrap_or_else(|| Value::null(Type::map(Type::String)));
        Ok(object.with("id", Value::from(name)).with("replica", replicas).with("tags", tags))
    }
}

/// An attribute of the resource as the data source has it: with other kinds of collections here and there.
fn shaped(table: &Value, name: &str) -> Value {
    let found = || elements(table, name).iter().cloned();
    match name {
        "attribute" => Value::set(attribute_type(), found()),
        "global_secondary_index" => Value::set(
            global_type(),
            found().map(|index| {
                let further = elements(&index, "non_key_attributes").to_vec();
                let limits = elements(&index, "on_demand_throughput").to_vec();
                index
                    .with("non_key_attributes", Value::list(Type::String, further))
                    .with("on_demand_throughput", Value::list(limit_type(), limits))
            }),
        ),
        "local_secondary_index" => Value::set(local_type(), found()),
        "on_demand_throughput" => Value::list(limit_type(), found()),
        "point_in_time_recovery" => Value::list(recovery_type(), found()),
        "ttl" => Value::set(expiry_type(), found()),
        _ => table.get(name).cloned().unwrap_or_else(|| Value::null(Type::String)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{filled, text_map};
    use crate::testing::Cloud;

    fn body() -> Value {
        Value::object([("name", Value::from("notes"))])
    }

    #[tokio::test]
    async fn a_table_is_found_by_name() {
        let table = r#"{"Table":{"TableName":"notes","TableArn":"arn:aws:dynamodb:eu-west-3:123456789012:table/notes","TableStatus":"ACTIVE",
            "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
            "ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":2},
            "GlobalSecondaryIndexes":[{"IndexName":"g","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
            "Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["z"]},"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}}],
            "Replicas":[{"RegionName":"eu-west-1","KMSMasterKeyId":"arn:k"}]}}"#;
        let cloud = Cloud::default()
            .answer("DescribeTable", table)
            .answer("DescribeContinuousBackups", r#"{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"ENABLED","RecoveryPeriodInDays":35}}}"#)
            .answer("DescribeTimeToLive", r#"{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"e"}}"#)
            .answer("ListTagsOfResource", r#"{"Tags":[{"Key":"a","Value":"b"}]}"#);
        let found = cloud.read_data(&TableLookup, body()).await.unwrap();
        assert_eq!((filled(&found, "id"), filled(&found, "hash_key")), (Some("notes"), Some("id")));
        assert_eq!(found.ty(), SCHEMA.block.ty(), "it has the shape of the schema");
        assert_eq!(filled(&elements(&found, "replica")[0], "kms_key_arn"), Some("arn:k"));
        assert_eq!(filled(&elements(&found, "ttl")[0], "attribute_name"), Some("e"));
        assert_eq!(text_map(found.get("tags")), [("a".to_owned(), "b".to_owned())].into());
        assert!(found.is_wholly_known() && found.get("range_key").unwrap().is_null());
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_an_error() {
        let cloud = Cloud::default().fail("DescribeTable", 400, "ResourceNotFoundException", "no table");
        let error = cloud.read_data(&TableLookup, body()).await.unwrap_err();
        assert!(error.is_not_found() && error.message.contains("`notes` in eu-west-3"), "{error:?}");
    }
}
