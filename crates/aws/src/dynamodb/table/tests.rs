use serde_json::json;
use terrane_model::{Path, Value};
use terrane_provider::{ErrorKind, ResourceType};

use super::Table;
use crate::object::{absent, elements, filled, first, flag, text, whole};
use crate::testing::{Cloud, facts, misfit, plan_with};

mod planning;
mod updating;

const ARN: &str = "arn:aws:dynamodb:eu-west-3:123456789012:table/Post";
const KEY: &str = "arn:aws:kms:eu-west-3:123456789012:key/k1";

/// A table with provisioned capacity, and more arguments.
fn body(more: &[(&str, Value)]) -> Value {
    let attribute = |name: &str| Value::object([("name", Value::from(name)), ("type", Value::from("S"))]);
    let mut fields = vec![
        ("name", Value::from("Post")),
        ("hash_key", "pk".into()),
        ("range_key", "sk".into()),
        ("attribute", Value::tuple([attribute("pk"), attribute("sk")])),
        ("read_capacity", 1.into()),
        ("write_capacity", 1.into()),
    ];
    for (name, value) in more {
        fields.retain(|(other, _)| other != name);
        fields.push((name, value.clone()));
    }
    Value::object(fields.into_iter().filter(|(_, value)| !value.is_null()))
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::object(fields)
}

fn encrypted() -> Value {
    object([("enabled", true.into()), ("kms_key_arn", KEY.into())])
}

/// A description of the table of the plain body, with these fields over it.
fn described(more: serde_json::Value) -> String {
    let mut table = json!({
        "TableName": "Post", "TableArn": ARN, "TableStatus": "ACTIVE",
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" }, { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
        "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 },
    });
    table.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "Table": table }).to_string()
}

fn backups(on: bool) -> String {
    let description = match on {
        true => json!({ "PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 35 }),
        false => json!({ "PointInTimeRecoveryStatus": "DISABLED" }),
    };
    json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": description } })
    .to_string()
}

fn expiry(attribute: Option<&str>) -> String {
    let description = match attribute {
        Some(name) => json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": name }),
        None => json!({ "TimeToLiveStatus": "DISABLED" }),
    };
    json!({ "TimeToLiveDescription": description }).to_string()
}

/// A cloud with plain details of the table, whose description the test adds.
fn details() -> Cloud {
    Cloud::default()
        .answer("DescribeContinuousBackups", &backups(false))
        .answer("DescribeTimeToLive", &expiry(None))
        .answer("ListTagsOfResource", r#"{"Tags":[]}"#)
}

fn plain() -> Cloud {
    details().answer("DescribeTable", &described(json!({})))
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, terrane_provider::Failure> {
    let planned = cloud.plan(&Table, None, body).unwrap();
    let object = cloud.with(async |cx| Table.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    assert!(object.is_wholly_known());
    Ok(object)
}

async fn made(body: Value) -> Value {
    create(&plain().answer("CreateTable", "{}"), body).await.unwrap()
}

async fn update(cloud: &Cloud, prior: &Value, body: Value) -> Value {
    let planned = cloud.plan(&Table, Some(prior), body).unwrap();
    let object = cloud.with(async |cx| Table.update(cx, prior, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &object), None);
    object
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let sse = json!({ "SSEDescription": { "Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY } });
    let creating = json!({ "TableStatus": "CREATING" });
    let cloud = Cloud::default()
        .answer("CreateTable", "{}")
        .answer("DescribeTable", &described(creating))
        .answer("DescribeTable", &described(sse.clone()))
        .fail(
            "UpdateContinuousBackups",
            400,
            "ContinuousBackupsUnavailableException",
            "Backups are being enabled",
        )
        .answer("UpdateContinuousBackups", "{}")
        .answer("DescribeContinuousBackups", &backups(true))
        .answer("DescribeTimeToLive", &expiry(None))
        .answer("ListTagsOfResource", r#"{"Tags":[{"Key":"team","Value":"a"}]}"#);
    let tags = object([("team", "a".into())]);
    let recovery = object([("enabled", true.into())]);
    let more =
        [("server_side_encryption", encrypted()), ("point_in_time_recovery", recovery), ("tags", tags)];
    let table = create(&cloud, body(&more)).await.unwrap();
    assert_eq!((filled(&table, "id"), filled(&table, "arn")), (Some("Post"), Some(ARN)));
    assert_eq!(whole(first(&table, "point_in_time_recovery").unwrap(), "recovery_period_in_days"), Some(35));
    let sent = cloud.sent("CreateTable");
    assert_eq!(sent["SSESpecification"], json!({ "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": KEY }));
    assert_eq!(sent["KeySchema"][1], json!({ "AttributeName": "sk", "KeyType": "RANGE" }));
    assert_eq!(sent["Tags"], json!([{ "Key": "team", "Value": "a" }]));
    assert!(sent["StreamSpecification"].is_null() && sent["DeletionProtectionEnabled"].is_null());

    let before = cloud.calls().len();
    assert_eq!(cloud.with(async |cx| Table.read(cx, &table).await).await.unwrap(), Some(table.clone()));
    assert_eq!(cloud.calls().len() - before, 4, "the key is known, and nobody is asked about it");

    let gone = Cloud::default()
        .fail("DeleteTable", 400, "ResourceInUseException", "being updated")
        .answer("DeleteTable", "{}")
        .answer("DescribeTable", &described(json!({ "TableStatus": "DELETING" })))
        .fail("DescribeTable", 400, "ResourceNotFoundException", "not found");
    gone.with(async |cx| Table.delete(cx, &table).await).await.unwrap();
    assert_eq!(gone.calls(), ["DeleteTable", "DeleteTable", "DescribeTable", "DescribeTable"]);
}

#[tokio::test]
async fn vanished() {
    let missing = |code: &str| {
        Cloud::default()
            .fail("DescribeTable", 400, "ResourceNotFoundException", "not found")
            .fail("DescribeContinuousBackups", 400, "TableNotFoundException", "not found")
            .fail("DescribeTimeToLive", 400, "ResourceNotFoundException", "not found")
            .fail("ListTagsOfResource", 400, code, "not found")
            .fail("DeleteTable", 400, "ResourceNotFoundException", "not found")
    };
    let prior = absent(Table.schema()).with("id", "Post".into()).with("arn", ARN.into());
    for code in ["ResourceNotFoundException", "AccessDeniedException"] {
        let cloud = missing(code);
        assert_eq!(cloud.with(async |cx| Table.read(cx, &prior).await).await.unwrap(), None);
        cloud.with(async |cx| Table.delete(cx, &prior).await).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn replaced() {
    let table = made(body(&[])).await;
    let swapped = body(&[("hash_key", "sk".into()), ("range_key", "pk".into())]);
    let (planned, replace) = plan_with(&Table, Some(&table), swapped, &facts()).unwrap();
    assert_eq!(replace, [Path::attribute("hash_key"), Path::attribute("range_key")]);
    assert_eq!(filled(&planned, "arn"), Some(ARN));
}

fn index(name: &str, projection: &str, units: i64) -> Value {
    object([
        ("name", name.into()),
        ("hash_key", "sk".into()),
        ("projection_type", projection.into()),
        ("read_capacity", units.into()),
        ("write_capacity", units.into()),
    ])
}

#[tokio::test(start_paused = true)]
async fn throttled_busy_lost_and_taken() {
    let busy = "Subscriber limit exceeded: can be created, updated, or deleted simultaneously";
    let cloud = plain()
        .fail("CreateTable", 400, "ThrottlingException", "Rate exceeded")
        .fail("CreateTable", 400, "LimitExceededException", busy)
        .answer("CreateTable", "{}");
    create(&cloud, body(&[])).await.unwrap();
    assert_eq!(cloud.requests("CreateTable").len(), 3);
    let lost = plain().lose("CreateTable");
    create(&lost, body(&[])).await.unwrap();
    assert_eq!(lost.requests("CreateTable").len(), 1);
    let taken =
        Cloud::default().fail("CreateTable", 400, "ResourceInUseException", "Table already exists: Post");
    let failure = create(&taken, body(&[])).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.partial.is_none()), (ErrorKind::Conflict, true));
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = plain().answer("CreateTable", "{}").fail(
        "UpdateContinuousBackups",
        400,
        "AccessDeniedException",
        "not allowed",
    );
    let recovery = object([("enabled", true.into())]);
    let failure = create(&cloud, body(&[("point_in_time_recovery", recovery)])).await.unwrap_err();
    assert_eq!(failure.error.kind, ErrorKind::Denied);
    let partial = failure.partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some("Post"), true));
    assert!(!flag(first(&partial, "point_in_time_recovery").unwrap(), "enabled"), "as it really is");
}

#[tokio::test(start_paused = true)]
async fn a_table_whose_key_cannot_be_used_is_told_at_once() {
    let cloud = details()
        .answer("CreateTable", "{}")
        .answer("DescribeTable", &described(json!({ "TableStatus": "INACCESSIBLE_ENCRYPTION_CREDENTIALS" })));
    let error = create(&cloud, body(&[])).await.unwrap_err().error;
    assert!(error.hints.iter().any(|hint| hint.contains("pending deletion")), "{error:?}");
}

#[tokio::test]
async fn import_takes_a_name() {
    let cloud = plain();
    let table = cloud.with(async |cx| Table.import(cx, "Post").await).await.unwrap().unwrap();
    assert_eq!((text(&table, "range_key"), whole(&table, "read_capacity")), (Some("sk"), Some(1)));
    assert!(cloud.with(async |cx| Table.import(cx, ARN).await).await.is_err());
}

#[tokio::test]
async fn tags_come_in_pages_and_endpoints_without_backups_are_read() {
    let cloud = Cloud::default()
        .answer("DescribeTable", &described(json!({})))
        .fail("DescribeContinuousBackups", 400, "UnknownOperationException", "unknown")
        .answer("DescribeTimeToLive", &expiry(None))
        .answer("ListTagsOfResource", r#"{"Tags":[{"Key":"a","Value":"1"}],"NextToken":"t"}"#)
        .answer("ListTagsOfResource", r#"{"Tags":[{"Key":"b","Value":"2"}]}"#);
    let table = cloud.with(async |cx| Table.import(cx, "Post").await).await.unwrap().unwrap();
    assert_eq!(table.get("tags").unwrap().entries().unwrap().len(), 2);
    assert_eq!(elements(&table, "point_in_time_recovery").len(), 1);
}
