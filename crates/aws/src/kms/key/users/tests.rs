use serde_json::json;
use terrane_model::{Type, Value};
use terrane_provider::{ErrorKind, Extent, Holds, ResourceType, User, Users};

use super::super::Key;
use crate::testing::Cloud;

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const ARN: &str = "arn:aws:kms:eu-west-3:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn key() -> Value {
    Value::object([("id", Value::from(ID)), ("key_id", Value::from(ID)), ("arn", Value::from(ARN))])
}

fn described(name: &str, key: &str) -> String {
    json!({ "Table": {
        "TableName": name, "TableArn": format!("arn:aws:dynamodb:eu-west-3:123456789012:table/{name}"), "TableStatus": "ACTIVE",
        "SSEDescription": { "Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key },
    } })
    .to_string()
}

fn backups(status: &str) -> String {
    json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": status },
    } })
    .to_string()
}

/// A key with an alias, a grant of a person and one of DynamoDB.
fn named(cloud: Cloud) -> Cloud {
    let grant = |id: &str, to: &str, constraints| {
        json!({
            "KeyId": ARN, "GrantId": id, "GranteePrincipal": to, "Operations": ["Decrypt"], "Constraints": constraints,
        })
    };
    let of_table = json!({ "EncryptionContextSubset": { "aws:dynamodb:tableName": "Post" } });
    let ann = grant("g1", "arn:aws:iam::123456789012:user/ann", json!({}));
    let grants = [ann, grant("g2", "dynamodb.eu-west-3.amazonaws.com", of_table)];
    cloud
        .answer("ListGrants", &json!({ "Grants": grants, "Truncated": false }).to_string())
        .answer(
            "ListAliases",
            &json!({ "Aliases": [{ "AliasName": "alias/t", "AliasArn": "arn:alias/t", "TargetKeyId": ID }], "Truncated": false })
                .to_string(),
        )
}

async fn look(cloud: &Cloud, extent: Extent) -> Result<Users, terrane_provider::Error> {
    cloud.with(async |cx| Key.users(cx, &key(), extent).await).await
}

fn names(users: &Users) -> Vec<String> {
    users.found.iter().map(|user| format!("{} {}", user.what, user.name)).collect()
}

#[tokio::test]
async fn lists_what_uses_it() {
    let cloud = named(Cloud::default())
        .answer("ListTables", r#"{"TableNames":["Other","Post","Plain"]}"#)
        .answer("DescribeTable", &described("Other", "arn:aws:kms:eu-west-3:123456789012:key/other"))
        .answer("DescribeTable", &described("Post", ARN))
        .answer("DescribeTable", r#"{"Table":{"TableName":"Plain","TableStatus":"ACTIVE"}}"#)
        .answer("DescribeContinuousBackups", &backups("ENABLED"));
    let users = look(&cloud, Extent::All).await.unwrap();
    assert_eq!(
        names(&users),
        ["table Post", "grant g1 to arn:aws:iam::123456789012:user/ann", "alias alias/t"]
    );
    assert_eq!(users.found[0].holds, Holds::DataAndBackups);
    assert_eq!(users.not_looked_at, [""; 0]);
    // Before it is deleted only data counts.
    let cloud = Cloud::default()
        .answer("ListTables", r#"{"TableNames":["Post"]}"#)
        .answer("DescribeTable", &described("Post", ARN))
        .answer("DescribeContinuousBackups", &backups("DISABLED"));
    let users = look(&cloud, Extent::Data).await.unwrap();
    assert_eq!((names(&users), users.found[0].holds), (vec!["table Post".to_owned()], Holds::Data));
    assert_eq!(cloud.calls(), ["ListTables", "DescribeTable", "DescribeContinuousBackups"]);
}

#[tokio::test]
async fn tables_are_looked_at_once_for_many_keys() {
    let other = "arn:aws:kms:eu-west-3:123456789012:key/other";
    let cloud = Cloud::default()
        .answer("ListTables", r#"{"TableNames":["Other","Post"]}"#)
        .answer("DescribeTable", &described("Other", other))
        .answer("DescribeTable", &described("Post", ARN))
        .answer("DescribeContinuousBackups", &backups("ENABLED"))
        // What uses a key is described again where the survey is not from just now: it may have gone meanwhile.
        .answer("DescribeTable", &described("Other", other))
        .answer("DescribeContinuousBackups", &backups("ENABLED"))
        .answer("DescribeTable", r#"{"Table":{"TableName":"Post","TableStatus":"DELETING"}}"#);
    let with = |arn: &str| {
        Value::object([("id", Value::from(ID)), ("key_id", Value::from(ID)), ("arn", Value::from(arn))])
    };
    let found = cloud
        .with(async |cx| {
            let mut found = Vec::new();
            for arn in [ARN, other, ARN, "arn:aws:kms:eu-west-3:123456789012:key/third"] {
                found.push(names(&Key.users(cx, &with(arn), Extent::Data).await.unwrap()));
            }
            found
        })
        .await;
    assert_eq!(found, [vec!["table Post".to_owned()], vec!["table Other".to_owned()], vec![], vec![]]);
    assert_eq!(cloud.calls().iter().filter(|call| *call == "ListTables").count(), 1);
    assert_eq!(cloud.calls().len(), 7);
}

#[tokio::test]
async fn what_may_not_be_looked_at_is_said() {
    let denied =
        |cloud: Cloud, operation: &str| cloud.fail(operation, 400, "AccessDeniedException", "not authorized");
    let cloud = named(denied(Cloud::default(), "ListTables"));
    let users = look(&cloud, Extent::Data).await.unwrap();
    // The grant of DynamoDB tells of its table.
    let table = users.found.iter().find(|user| user.what == "table").unwrap();
    assert_eq!(table.id, "arn:aws:dynamodb:eu-west-3:123456789012:table/Post");
    assert_eq!(users.not_looked_at, ["Tables could not be listed: not authorized."]);

    let cloud = denied(denied(denied(Cloud::default(), "ListGrants"), "ListAliases"), "DescribeTable")
        .answer("ListTables", r#"{"TableNames":["A","B","C"]}"#);
    let users = look(&cloud, Extent::All).await.unwrap();
    assert_eq!(users.found, []);
    assert_eq!(
        users.not_looked_at,
        [
            "The table `A` and 2 more may not be described.",
            "Grants of the key could not be listed: not authorized.",
            "Aliases of the key could not be listed: not authorized.",
        ]
    );
    // A failure is no answer.
    let failing = Cloud::default().fail("ListTables", 500, "InternalServerError", "try again");
    assert_eq!(look(&failing, Extent::All).await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[test]
fn objects_of_the_state_use_it_by_arn_or_id() {
    let list = |value: Value| Value::list(Type::Any, [value]);
    let sse =
        |key: &str| list(Value::object([("enabled", Value::from(true)), ("kms_key_arn", Value::from(key))]));
    let table = |key: &str| {
        Value::object([
            ("id", Value::from("Post")),
            ("arn", Value::from("arn:post")),
            ("name", Value::from("Post")),
            ("server_side_encryption", sse(key)),
            ("point_in_time_recovery", list(Value::object([("enabled", Value::from(true))]))),
        ])
    };
    let user = Key.user(&key(), "aws_dynamodb_table", &table(ARN)).unwrap();
    let wanted = User {
        what: "table".into(),
        name: "Post".into(),
        id: "arn:post".into(),
        holds: Holds::DataAndBackups,
    };
    assert_eq!(user, wanted);
    assert_eq!(Key.user(&key(), "aws_dynamodb_table", &table("arn:other")), None);
    let alias = Value::object([
        ("id", Value::from("alias/t")),
        ("name", Value::from("alias/t")),
        ("target_key_id", Value::from(ID)),
    ]);
    assert_eq!(Key.user(&key(), "aws_kms_alias", &alias).unwrap().holds, Holds::Nothing);
    assert_eq!(Key.user(&key(), "aws_iam_user", &alias), None);
    assert_eq!(Key.days_until_lost(&key()), Some(30));
    assert_eq!(Key.days_until_lost(&key().with("deletion_window_in_days", 7.into())), Some(7));
}
