//! Changes in place: which calls are made, in which order.

use serde_json::json;
use terrane_model::{Type, Value};
use terrane_provider::ResourceType;

use super::{
    ARN, KEY, backups, body, create, described, details, encrypted, expiry, index, made, object, plain,
    update,
};
use crate::dynamodb::table::Table;
use crate::object::{elements, filled, first, flag, text, whole};
use crate::testing::{Cloud, facts, misfit, plan_with};

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
