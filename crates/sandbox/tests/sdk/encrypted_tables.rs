//! The stack that the product is for: a key with a policy of three statements, tables under it, and a user who may do
//! everything with the tables and nothing with the key.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ProvisionedThroughput, ScalarAttributeType, SseSpecification, SseType, TableStatus,
};
use serde_json::json;
use terrane_sandbox::Sandbox;

use crate::aws::{ADMIN, Aws, refused, sandbox};

fn key_policy() -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Sid": "EnableIAMUserPermissions", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:root" }, "Action": "kms:*", "Resource": "*" },
            { "Sid": "AllowKeyAdministrators", "Effect": "Allow", "Principal": { "AWS": ADMIN }, "Action": ["kms:Create*", "kms:Describe*", "kms:Enable*", "kms:Put*", "kms:Get*", "kms:List*"], "Resource": "*" },
            { "Sid": "AllowKeyUsers", "Effect": "Allow", "Principal": { "AWS": ADMIN }, "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": "*" },
        ],
    })
    .to_string()
}

/// Makes the stack; returns the key's ARN and the test user's clients.
pub async fn make(sandbox: &Sandbox) -> (String, Aws) {
    let admin = Aws::admin(sandbox);
    let key = admin.kms.create_key().description("database key").policy(key_policy()).send().await.unwrap();
    let key = key.key_metadata.unwrap().arn.unwrap();
    admin.kms.enable_key_rotation().key_id(&key).send().await.unwrap();
    let mut arns = Vec::new();
    for (name, hash, range) in
        [("ContentCatalog", "Id", None), ("Forum", "Name", None), ("Post", "ForumName", Some("Subject"))]
    {
        let mut call = admin
            .dynamodb
            .create_table()
            .table_name(name)
            .key_schema(part(hash, KeyType::Hash))
            .attribute_definitions(text(hash))
            .provisioned_throughput(units(1, 1))
            .sse_specification(sse(&key));
        if let Some(range) = range {
            call = call.key_schema(part(range, KeyType::Range)).attribute_definitions(text(range));
        }
        let made = call.send().await.unwrap().table_description.unwrap();
        assert_eq!(made.table_status, Some(TableStatus::Creating));
        arns.push(made.table_arn.unwrap());
        let on =
            PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build().unwrap();
        admin
            .dynamodb
            .update_continuous_backups()
            .table_name(name)
            .point_in_time_recovery_specification(on)
            .send()
            .await
            .unwrap();
    }
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query", "dynamodb:Scan"], "Resource": arns }],
    });
    let policy =
        admin.iam.create_policy().policy_name("rw").policy_document(policy.to_string()).send().await.unwrap();
    let user = admin.new_user(sandbox, "reader").await;
    let arn = policy.policy.unwrap().arn.unwrap();
    admin.iam.attach_user_policy().user_name("reader").policy_arn(arn).send().await.unwrap();
    (key, user)
}

pub fn part(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

pub fn text(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap()
}

pub fn units(read: i64, write: i64) -> ProvisionedThroughput {
    ProvisionedThroughput::builder().read_capacity_units(read).write_capacity_units(write).build().unwrap()
}

pub fn sse(key: &str) -> SseSpecification {
    SseSpecification::builder().enabled(true).sse_type(SseType::Kms).kms_master_key_id(key).build()
}

pub fn value(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn get(aws: &Aws) -> Result<Option<AttributeValue>, (String, String)> {
    let answer = aws.dynamodb.get_item().table_name("Forum").key("Name", value("a")).send().await;
    match answer {
        Ok(found) => Ok(found.item.and_then(|mut item| item.remove("Name"))),
        Err(error) => Err(refused::<(), _>(Err(error))),
    }
}

async fn put(aws: &Aws) -> Result<(), (String, String)> {
    let answer = aws.dynamodb.put_item().table_name("Forum").item("Name", value("a")).send().await;
    answer.map(drop).map_err(|error| refused::<(), _>(Err(error)))
}

#[tokio::test]
async fn the_user_with_every_table_right_and_no_key_right_reads_nothing() {
    let sandbox = sandbox();
    let (key, user) = make(&sandbox).await;
    let admin = Aws::admin(&sandbox);
    put(&admin).await.unwrap();
    assert_eq!(get(&admin).await, Ok(Some(value("a"))));
    let (code, message) = get(&user).await.unwrap_err();
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("not authorized to perform: kms:Decrypt"), "{message}");
    assert!(message.contains(&key), "{message}");
    assert_eq!(put(&user).await.unwrap_err().0, "AccessDeniedException");
    let scan = refused(user.dynamodb.scan().table_name("Post").send().await);
    assert!(scan.1.contains("kms:Decrypt"), "{scan:?}");
    // What touches no item is refused by IAM, for another reason.
    let describe = refused(user.dynamodb.describe_table().table_name("Forum").send().await);
    assert!(describe.1.contains("dynamodb:DescribeTable"), "{describe:?}");
}

#[tokio::test]
async fn a_right_on_the_key_opens_the_tables_and_its_loss_closes_them() {
    let sandbox = sandbox();
    let (key, user) = make(&sandbox).await;
    let admin = Aws::admin(&sandbox);
    put(&admin).await.unwrap();
    admin.allow("reader", "key", "kms:Decrypt", &key).await;
    assert_eq!(get(&user).await, Ok(Some(value("a"))));
    admin.iam.delete_user_policy().user_name("reader").policy_name("key").send().await.unwrap();
    assert!(get(&user).await.is_err());
}

#[tokio::test]
async fn without_the_root_statement_iam_policies_say_nothing_about_the_key() {
    let sandbox = sandbox();
    let (key, user) = make(&sandbox).await;
    let admin = Aws::admin(&sandbox);
    put(&admin).await.unwrap();
    admin.allow("reader", "key", "kms:*", "*").await;
    assert!(get(&user).await.is_ok());
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": ADMIN }, "Action": "kms:*", "Resource": "*" }],
    });
    admin.kms.put_key_policy().key_id(&key).policy(policy.to_string()).send().await.unwrap();
    let (_, message) = get(&user).await.unwrap_err();
    assert!(message.contains("no resource-based policy allows the kms:Decrypt action"), "{message}");
    assert!(get(&admin).await.is_ok());
}

#[tokio::test]
async fn a_table_whose_key_cannot_be_used_is_inaccessible_to_everybody() {
    let sandbox = sandbox();
    let (key, _) = make(&sandbox).await;
    let admin = Aws::admin(&sandbox);
    put(&admin).await.unwrap();
    admin.kms.disable_key().key_id(&key).send().await.unwrap();
    assert_eq!(get(&admin).await.unwrap_err().0, "InaccessibleEncryptionCredentialsException");
    let table = admin.dynamodb.describe_table().table_name("Forum").send().await.unwrap().table.unwrap();
    assert_eq!(table.table_status, Some(TableStatus::InaccessibleEncryptionCredentials));
    admin.kms.enable_key().key_id(&key).send().await.unwrap();
    assert!(get(&admin).await.is_ok());
    admin.kms.schedule_key_deletion().key_id(&key).pending_window_in_days(7).send().await.unwrap();
    assert_eq!(get(&admin).await.unwrap_err().0, "InaccessibleEncryptionCredentialsException");
}

#[tokio::test]
async fn the_aws_managed_key_asks_nothing_of_its_users() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "plain").await;
    admin.allow("plain", "items", "dynamodb:*Item", "*").await;
    let enabled = SseSpecification::builder().enabled(true).build();
    let made = admin
        .dynamodb
        .create_table()
        .table_name("Forum")
        .key_schema(part("Name", KeyType::Hash))
        .attribute_definitions(text("Name"))
        .provisioned_throughput(units(1, 1))
        .sse_specification(enabled)
        .send()
        .await
        .unwrap();
    let arn = made.table_description.unwrap().sse_description.unwrap().kms_master_key_arn.unwrap();
    put(&user).await.unwrap();
    assert_eq!(get(&user).await, Ok(Some(value("a"))));
    let alias =
        admin.kms.describe_key().key_id("alias/aws/dynamodb").send().await.unwrap().key_metadata.unwrap();
    assert_eq!(alias.arn, Some(arn));
    assert_eq!(alias.key_manager.unwrap().as_str(), "AWS");
}
