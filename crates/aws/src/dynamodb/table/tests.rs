use serde_json::json;
use terrane_model::{Path, Type, Value};
use terrane_provider::{ErrorKind, ResourceType};

use super::Table;
use crate::object::{absent, elements, filled, first, flag, text, whole};
use crate::testing::{Cloud, facts, misfit, plan_with};

mod planning;

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

#[tokio::test(start_paused = true)]
async fn capacity_and_billing_change_in_place() {
    let table = made(body(&[])).await;
    let faster =
        described(json!({ "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 1 } }));
    let cloud = details().answer("UpdateTable", "{}").answer("DescribeTable", &faster);
    update(&cloud, &table, body(&[("read_capacity", 5.into())])).await;
    assert_eq!(
        cloud.sent("UpdateTable"),
        json!({ "TableName": "Post", "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 1 } })
    );

    let null = || Value::null(Type::Any);
    let on_demand =
        [("billing_mode", "PAY_PER_REQUEST".into()), ("read_capacity", null()), ("write_capacity", null())];
    let shown = described(json!({
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
        "ProvisionedThroughput": { "ReadCapacityUnits": 0, "WriteCapacityUnits": 0 } }));
    let cloud = details().answer("UpdateTable", "{}").answer("DescribeTable", &shown);
    let paid = update(&cloud, &table, body(&on_demand)).await;
    assert_eq!(whole(&paid, "read_capacity"), Some(0));
    assert_eq!(cloud.sent("UpdateTable"), json!({ "TableName": "Post", "BillingMode": "PAY_PER_REQUEST" }));

    // And back, with one unit where the spec gives none.
    let cloud = plain().answer("UpdateTable", "{}");
    let back = update(&cloud, &paid, body(&[("read_capacity", null()), ("write_capacity", null())])).await;
    assert_eq!((whole(&back, "read_capacity"), text(&back, "billing_mode")), (Some(1), Some("PROVISIONED")));
}

#[tokio::test(start_paused = true)]
async fn streams_turn_on_change_and_turn_off() {
    let table = made(body(&[])).await;
    let stream = |view: &str| {
        json!({ "StreamSpecification": { "StreamEnabled": true, "StreamViewType": view },
            "LatestStreamArn": format!("{ARN}/stream/2026"), "LatestStreamLabel": "2026" })
    };
    let with =
        |view: &'static str| body(&[("stream_enabled", true.into()), ("stream_view_type", view.into())]);
    let cloud =
        details().answer("UpdateTable", "{}").answer("DescribeTable", &described(stream("NEW_IMAGE")));
    let streaming = update(&cloud, &table, with("NEW_IMAGE")).await;
    assert_eq!(filled(&streaming, "stream_label"), Some("2026"));

    let cloud =
        details().answer("UpdateTable", "{}").answer("DescribeTable", &described(stream("KEYS_ONLY")));
    update(&cloud, &streaming, with("KEYS_ONLY")).await;
    let calls: Vec<serde_json::Value> =
        cloud.requests("UpdateTable").iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let specs: Vec<_> = calls.iter().map(|call| call["StreamSpecification"].clone()).collect();
    assert_eq!(
        specs,
        [json!({ "StreamEnabled": false }), json!({ "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" })]
    );

    let cloud = plain().answer("UpdateTable", "{}");
    let off = update(&cloud, &streaming, body(&[])).await;
    assert_eq!((flag(&off, "stream_enabled"), text(&off, "stream_view_type")), (false, Some("NEW_IMAGE")));
}

#[tokio::test(start_paused = true)]
async fn expiry_and_backups_turn_on_and_off() {
    let table = made(body(&[])).await;
    let ttl = |on: bool| object([("attribute_name", "expires".into()), ("enabled", on.into())]);
    let recovery = |on: bool| object([("enabled", on.into())]);
    let cloud = Cloud::default()
        .answer("DescribeTable", &described(json!({})))
        .answer("UpdateTimeToLive", "{}")
        .answer("UpdateContinuousBackups", "{}")
        .answer("DescribeContinuousBackups", &backups(false))
        .answer("DescribeContinuousBackups", &backups(true))
        .answer("DescribeTimeToLive", &expiry(Some("expires")))
        .answer("ListTagsOfResource", r#"{"Tags":[]}"#);
    let on =
        update(&cloud, &table, body(&[("ttl", ttl(true)), ("point_in_time_recovery", recovery(true))])).await;
    assert_eq!(cloud.requests("DescribeContinuousBackups").len(), 2, "looked again until it was on");
    assert_eq!(
        cloud.sent("UpdateTimeToLive")["TimeToLiveSpecification"],
        json!({ "Enabled": true, "AttributeName": "expires" })
    );

    let cloud = plain().answer("UpdateTimeToLive", "{}").answer("UpdateContinuousBackups", "{}");
    update(&cloud, &on, body(&[("ttl", ttl(false)), ("point_in_time_recovery", recovery(false))])).await;
    assert_eq!(
        cloud.sent("UpdateTimeToLive")["TimeToLiveSpecification"],
        json!({ "Enabled": false, "AttributeName": "expires" })
    );
    let (planned, _) = plan_with(&Table, Some(&on), body(&[]), &facts()).unwrap();
    assert_eq!(misfit(&on, &planned), None, "taking the blocks out changes nothing");
}

#[tokio::test(start_paused = true)]
async fn encryption_changes_in_place_and_knows_the_default_key() {
    let table = made(body(&[])).await;
    let sse = |key: &str| json!({ "SSEDescription": { "Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key } });
    let cloud = details().answer("UpdateTable", "{}").answer("DescribeTable", &described(sse(KEY)));
    let own = update(&cloud, &table, body(&[("server_side_encryption", encrypted())])).await;
    assert_eq!(cloud.sent("UpdateTable")["SSESpecification"]["KMSMasterKeyId"], KEY);

    let aws = "arn:aws:kms:eu-west-3:123456789012:key/aws";
    let default_key = json!({ "KeyMetadata": { "KeyId": "aws", "Arn": aws } }).to_string();
    let cloud = details().answer("DescribeTable", &described(sse(aws))).answer("DescribeKey", &default_key);
    for _ in 0..2 {
        let read = cloud.with(async |cx| Table.read(cx, &own).await).await.unwrap().unwrap();
        assert_eq!(text(first(&read, "server_side_encryption").unwrap(), "kms_key_arn"), Some(""));
    }
    assert_eq!(cloud.requests("DescribeKey").len(), 1);
    let closed = details().answer("DescribeTable", &described(sse(aws))).fail(
        "DescribeKey",
        400,
        "AccessDeniedException",
        "not allowed",
    );
    let read = closed.with(async |cx| Table.read(cx, &own).await).await.unwrap().unwrap();
    assert_eq!(text(first(&read, "server_side_encryption").unwrap(), "kms_key_arn"), Some(aws));

    let cloud = plain().answer("UpdateTable", "{}");
    update(&cloud, &own, body(&[("server_side_encryption", object([("enabled", false.into())]))])).await;
    assert_eq!(cloud.sent("UpdateTable")["SSESpecification"], json!({ "Enabled": false }));
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

fn shown_index(name: &str, projection: &str, units: i64, status: &str) -> serde_json::Value {
    json!({ "IndexName": name, "IndexStatus": status, "KeySchema": [{ "AttributeName": "sk", "KeyType": "HASH" }],
        "Projection": { "ProjectionType": projection },
        "ProvisionedThroughput": { "ReadCapacityUnits": units, "WriteCapacityUnits": units } })
}

#[tokio::test(start_paused = true)]
async fn global_indexes_are_deleted_changed_and_made_one_at_a_time() {
    let indexes = |list: &[serde_json::Value]| described(json!({ "GlobalSecondaryIndexes": list }));
    let (a, b) = (shown_index("a", "ALL", 1, "ACTIVE"), shown_index("b", "ALL", 1, "ACTIVE"));
    let before = Value::tuple([index("a", "ALL", 1), index("b", "ALL", 1)]);
    let cloud = details().answer("CreateTable", "{}").answer("DescribeTable", &indexes(&[a.clone(), b]));
    let table = create(&cloud, body(&[("global_secondary_index", before)])).await.unwrap();
    assert_eq!(cloud.sent("CreateTable")["GlobalSecondaryIndexes"].as_array().map(Vec::len), Some(2));

    let after = Value::tuple([index("a", "ALL", 4), index("b", "KEYS_ONLY", 1), index("c", "ALL", 1)]);
    let (a, c) = (shown_index("a", "ALL", 4, "ACTIVE"), shown_index("c", "ALL", 1, "ACTIVE"));
    let (old, new) = (shown_index("b", "ALL", 1, "DELETING"), shown_index("b", "KEYS_ONLY", 1, "ACTIVE"));
    let making = shown_index("c", "ALL", 1, "CREATING");
    let cloud = details()
        .answer("UpdateTable", "{}")
        .answer("DescribeTable", &indexes(&[a.clone(), old]))
        .answer("DescribeTable", &indexes(std::slice::from_ref(&a)))
        .answer("DescribeTable", &indexes(std::slice::from_ref(&a)))
        .answer("DescribeTable", &indexes(&[a.clone(), new.clone()]))
        .answer("DescribeTable", &indexes(&[a.clone(), new.clone(), making]))
        .answer("DescribeTable", &indexes(&[a, new, c]));
    let table = update(&cloud, &table, body(&[("global_secondary_index", after)])).await;
    assert_eq!(elements(&table, "global_secondary_index").len(), 3);
    let steps: Vec<String> = cloud
        .requests("UpdateTable")
        .iter()
        .map(|body| serde_json::from_str::<serde_json::Value>(body).unwrap())
        .flat_map(|call| call["GlobalSecondaryIndexUpdates"].as_array().cloned().unwrap_or_default())
        .map(|step| {
            let (verb, index) = step.as_object().unwrap().iter().next().unwrap();
            format!("{verb} {}", index["IndexName"].as_str().unwrap())
        })
        .collect();
    assert_eq!(steps, ["Delete b", "Update a", "Create b", "Create c"]);
}

#[tokio::test(start_paused = true)]
async fn tags_class_and_protection_change_in_place() {
    let table = made(body(&[("tags", Value::null(Type::Any))])).await;
    let shown = json!({ "DeletionProtectionEnabled": true,
        "TableClassSummary": { "TableClass": "STANDARD_INFREQUENT_ACCESS" } });
    let cloud = Cloud::default()
        .answer("DescribeContinuousBackups", &backups(false))
        .answer("DescribeTimeToLive", &expiry(None))
        .answer("ListTagsOfResource", r#"{"Tags":[{"Key":"t","Value":"1"}]}"#)
        .answer("TagResource", "{}")
        .answer("UpdateTable", "{}")
        .answer("DescribeTable", &described(shown));
    let more = [
        ("tags", object([("t", "1".into())])),
        ("table_class", "STANDARD_INFREQUENT_ACCESS".into()),
        ("deletion_protection_enabled", true.into()),
    ];
    let changed = update(&cloud, &table, body(&more)).await;
    assert_eq!(cloud.calls()[0], "TagResource");
    let calls = cloud.requests("UpdateTable");
    assert!(
        calls[0].contains("TableClass") && !calls[0].contains("DeletionProtection"),
        "the class alone: {calls:?}"
    );
    assert!(calls[1].contains("DeletionProtectionEnabled"));

    let refused =
        Cloud::default().fail("DeleteTable", 400, "ValidationException", "protected against deletion");
    let error = refused.with(async |cx| Table.delete(cx, &changed).await).await.unwrap_err();
    assert!(error.hints.iter().any(|hint| hint.contains("deletion_protection_enabled = false")), "{error:?}");
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
async fn an_update_whose_answer_got_lost_is_not_a_failure() {
    let table = made(body(&[])).await;
    let faster =
        described(json!({ "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 1 } }));
    let cloud = details()
        .lose("UpdateTable")
        .fail(
            "UpdateTable",
            400,
            "ValidationException",
            "The provisioned throughput for the table will not change.",
        )
        .answer("DescribeTable", &faster);
    update(&cloud, &table, body(&[("read_capacity", 5.into())])).await;
    assert_eq!(cloud.requests("UpdateTable").len(), 1);
    let slow = described(json!({}));
    let cloud = details()
        .fail("UpdateTable", 500, "InternalServerError", "try again")
        .answer("UpdateTable", "{}")
        .answer("DescribeTable", &slow)
        .answer("DescribeTable", &faster);
    update(&cloud, &table, body(&[("read_capacity", 5.into())])).await;
    assert_eq!(cloud.requests("UpdateTable").len(), 2);
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
