//! Policies on tables: whom they let in and keep out, their revisions, and when they begin to count.

use std::time::Duration;

use serde_json::json;

use crate::aws::{ACCOUNT, ADMIN, Aws, fixed, refused, sandbox, sandbox_with};
use crate::encrypted_tables::{self, value};

const FORUM: &str = "arn:aws:dynamodb:eu-west-3:123456789012:table/Forum";

fn ann() -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/ann")
}

fn policy(effect: &str, principal: &str, action: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": effect, "Principal": { "AWS": principal }, "Action": action, "Resource": FORUM }],
    })
    .to_string()
}

/// A table with one item, and somebody without any policy.
async fn table_and_user(sandbox: &terrane_sandbox::Sandbox) -> (Aws, Aws) {
    let admin = Aws::admin(sandbox);
    let call = admin.dynamodb.create_table().table_name("Forum");
    call.key_schema(encrypted_tables::part("Name", aws_sdk_dynamodb::types::KeyType::Hash))
        .attribute_definitions(encrypted_tables::text("Name"))
        .provisioned_throughput(encrypted_tables::units(1, 1))
        .send()
        .await
        .unwrap();
    admin.dynamodb.put_item().table_name("Forum").item("Name", value("a")).send().await.unwrap();
    let user = admin.new_user(sandbox, "ann").await;
    (admin, user)
}

async fn put(aws: &Aws, policy: &str) -> Result<String, (String, String)> {
    let answer = aws.dynamodb.put_resource_policy().resource_arn(FORUM).policy(policy).send().await;
    answer.map(|answer| answer.revision_id.unwrap()).map_err(|error| refused::<(), _>(Err(error)))
}

async fn get(aws: &Aws) -> Result<(String, String), String> {
    let answer = aws.dynamodb.get_resource_policy().resource_arn(FORUM).send().await;
    let answer = answer.map_err(|error| refused::<(), _>(Err(error)).0)?;
    Ok((answer.policy.unwrap(), answer.revision_id.unwrap()))
}

async fn read(aws: &Aws) -> Result<(), (String, String)> {
    let answer = aws.dynamodb.get_item().table_name("Forum").key("Name", value("a")).send().await;
    answer.map(drop).map_err(|error| refused::<(), _>(Err(error)))
}

#[tokio::test]
async fn a_policy_on_the_table_opens_it_to_whom_it_names() {
    let sandbox = sandbox();
    let (admin, user) = table_and_user(&sandbox).await;
    assert_eq!(read(&user).await.unwrap_err().0, "AccessDeniedException");
    assert_eq!(get(&admin).await.unwrap_err(), "PolicyNotFoundException");
    let allow = policy("Allow", &ann(), "dynamodb:GetItem");
    let revision = put(&admin, &allow).await.unwrap();
    assert_eq!(get(&admin).await.unwrap(), (allow, revision));
    read(&user).await.unwrap();
    let scan = refused(user.dynamodb.scan().table_name("Forum").send().await);
    assert!(scan.1.contains("dynamodb:Scan"), "{scan:?}");
    admin.dynamodb.delete_resource_policy().resource_arn(FORUM).send().await.unwrap();
    assert_eq!(read(&user).await.unwrap_err().0, "AccessDeniedException");
    admin.dynamodb.delete_resource_policy().resource_arn(FORUM).send().await.unwrap();
    assert_eq!(put(&admin, "{}").await.unwrap_err().0, "ValidationException");
    let nobody = put(&admin, &policy("Allow", &format!("{}x", ann()), "dynamodb:GetItem")).await.unwrap_err();
    assert!(nobody.1.contains("Invalid principal in policy"), "{nobody:?}");
}

#[tokio::test]
async fn a_denial_on_the_table_wins_over_what_iam_allows() {
    let sandbox = sandbox();
    let (admin, user) = table_and_user(&sandbox).await;
    admin.allow("ann", "items", "dynamodb:*", "*").await;
    read(&user).await.unwrap();
    put(&admin, &policy("Deny", &ann(), "dynamodb:GetItem")).await.unwrap();
    let (_, message) = read(&user).await.unwrap_err();
    assert!(message.contains("explicit deny in a resource-based policy"), "{message}");
    user.dynamodb.scan().table_name("Forum").send().await.unwrap();
}

#[tokio::test]
async fn under_a_customers_key_the_tables_policy_alone_opens_nothing() {
    let sandbox = sandbox();
    let (key, _) = encrypted_tables::make(&sandbox).await;
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    put(&admin, &policy("Allow", &ann(), "dynamodb:GetItem")).await.unwrap();
    let (_, message) = read(&user).await.unwrap_err();
    assert!(message.contains("kms:Decrypt"), "{message}");
    admin.allow("ann", "key", "kms:Decrypt", &key).await;
    read(&user).await.unwrap();
}

#[tokio::test]
async fn revisions_guard_against_overwriting() {
    let sandbox = sandbox();
    let (admin, _) = table_and_user(&sandbox).await;
    let db = &admin.dynamodb;
    let one = policy("Allow", &ann(), "dynamodb:GetItem");
    let first = db.put_resource_policy().resource_arn(FORUM).policy(&one).expected_revision_id("NO_POLICY");
    let first = first.send().await.unwrap().revision_id.unwrap();
    // The same policy once more is no new revision.
    assert_eq!(put(&admin, &one).await.unwrap(), first);
    let two = policy("Allow", &ann(), "dynamodb:Scan");
    let second = put(&admin, &two).await.unwrap();
    assert_ne!(second, first);
    for expected in [first.as_str(), "NO_POLICY"] {
        let call = db.put_resource_policy().resource_arn(FORUM).policy(&one).expected_revision_id(expected);
        assert_eq!(refused(call.send().await).0, "PolicyNotFoundException");
        let call = db.delete_resource_policy().resource_arn(FORUM).expected_revision_id(expected);
        assert_eq!(refused(call.send().await).0, "PolicyNotFoundException");
    }
    let call = db.delete_resource_policy().resource_arn(FORUM).expected_revision_id(&second);
    assert_eq!(call.send().await.unwrap().revision_id, Some(second));
}

#[tokio::test]
async fn nobody_shuts_themselves_out_without_saying_so() {
    let sandbox = sandbox();
    let (admin, _) = table_and_user(&sandbox).await;
    let deny = policy("Deny", "*", "dynamodb:*ResourcePolicy");
    let (code, message) = put(&admin, &deny).await.unwrap_err();
    assert_eq!(code, "ValidationException");
    assert!(message.contains("ConfirmRemoveSelfResourceAccess"), "{message}");
    let call = admin.dynamodb.put_resource_policy().resource_arn(FORUM).policy(&deny);
    call.confirm_remove_self_resource_access(true).send().await.unwrap();
    assert_eq!(
        put(&admin, &policy("Allow", ADMIN, "dynamodb:*")).await.unwrap_err().0,
        "AccessDeniedException"
    );
    // The root user can mend it, whatever it says.
    let root = Aws::root(&sandbox);
    assert_eq!(get(&root).await.unwrap().0, deny);
    root.dynamodb.delete_resource_policy().resource_arn(FORUM).send().await.unwrap();
    put(&admin, &policy("Allow", ADMIN, "dynamodb:*")).await.unwrap();
}

#[tokio::test]
async fn who_is_gone_is_named_by_their_id_and_another_of_the_name_gains_nothing() {
    let sandbox = sandbox();
    let (admin, user) = table_and_user(&sandbox).await;
    put(&admin, &policy("Allow", &ann(), "dynamodb:GetItem")).await.unwrap();
    read(&user).await.unwrap();
    let key = admin.iam.list_access_keys().user_name("ann").send().await.unwrap().access_key_metadata;
    let key = key[0].access_key_id.clone().unwrap();
    admin.iam.delete_access_key().user_name("ann").access_key_id(key).send().await.unwrap();
    admin.iam.delete_user().user_name("ann").send().await.unwrap();
    let another = admin.new_user(&sandbox, "ann").await;
    let (shown, _) = get(&admin).await.unwrap();
    assert!(shown.contains("AIDA") && !shown.contains("user/ann"), "{shown}");
    assert_eq!(read(&another).await.unwrap_err().0, "AccessDeniedException");
}

#[tokio::test]
async fn a_change_is_known_after_a_while() {
    let clock = fixed();
    let sandbox = sandbox_with(|options| {
        options.consistency_delay = Duration::from_secs(5);
        options.clock = clock.clone();
    });
    let (admin, _) = table_and_user_later(&sandbox, &clock).await;
    let db = &admin.dynamodb;
    let allow = policy("Allow", &ann(), "dynamodb:GetItem");
    put(&admin, &allow).await.unwrap();
    assert_eq!(get(&admin).await.unwrap_err(), "PolicyNotFoundException");
    clock.advance(Duration::from_secs(5));
    assert_eq!(get(&admin).await.unwrap().0, allow);
    db.delete_resource_policy().resource_arn(FORUM).send().await.unwrap();
    assert_eq!(get(&admin).await.unwrap().0, allow);
    clock.advance(Duration::from_secs(5));
    assert_eq!(get(&admin).await.unwrap_err(), "PolicyNotFoundException");
}

async fn table_and_user_later(
    sandbox: &terrane_sandbox::Sandbox,
    clock: &terrane_sandbox::Clock,
) -> (Aws, Aws) {
    let made = table_and_user(sandbox).await;
    clock.advance(Duration::from_secs(5));
    made
}
