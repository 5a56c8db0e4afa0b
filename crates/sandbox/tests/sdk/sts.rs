//! Who calls, and roles that are assumed.

use std::time::Duration;

use serde_json::json;

use crate::aws::{ACCOUNT, ADMIN, Aws, refused, sandbox, sandbox_with, statement};

async fn identity(aws: &Aws) -> String {
    aws.sts.get_caller_identity().send().await.unwrap().arn.unwrap()
}

#[tokio::test]
async fn everybody_is_told_who_they_are() {
    let sandbox = sandbox();
    assert_eq!(identity(&Aws::admin(&sandbox)).await, ADMIN);
    assert_eq!(identity(&Aws::root(&sandbox)).await, format!("arn:aws:iam::{ACCOUNT}:root"));
    let user = Aws::admin(&sandbox).new_user(&sandbox, "nobody").await;
    assert_eq!(identity(&user).await, format!("arn:aws:iam::{ACCOUNT}:user/nobody"));
}

#[tokio::test]
async fn unknown_and_inactive_keys_are_refused() {
    let sandbox = sandbox();
    let stranger = Aws::with(&sandbox, "AKIAUNKNOWN", "x", None);
    assert_eq!(refused(stranger.sts.get_caller_identity().send().await).0, "InvalidClientTokenId");
    assert_eq!(refused(stranger.kms.list_keys().send().await).0, "UnrecognizedClientException");
    assert_eq!(
        refused(Aws::with(&sandbox, "test", "test", None).kms.list_keys().send().await).0,
        "UnrecognizedClientException"
    );

    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "nobody").await;
    let keys = admin.iam.list_access_keys().user_name("nobody").send().await.unwrap().access_key_metadata;
    let id = keys[0].access_key_id().unwrap();
    let call = admin.iam.update_access_key().user_name("nobody").access_key_id(id);
    call.status("Inactive".into()).send().await.unwrap();
    assert_eq!(refused(user.sts.get_caller_identity().send().await).0, "InvalidClientTokenId");
}

#[tokio::test]
async fn the_usual_test_credentials_stand_for_the_administrator_if_that_is_asked_for() {
    let sandbox = sandbox_with(|options| options.test_credentials = true);
    assert_eq!(identity(&Aws::with(&sandbox, "test", "test", None)).await, ADMIN);
}

async fn role(admin: &Aws, principal: &str) -> String {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" }],
    });
    let made = admin.iam.create_role().role_name("auditor").assume_role_policy_document(trust.to_string());
    let arn = made.send().await.unwrap().role.unwrap().arn;
    let policy = statement("Allow", "iam:*", "*");
    let put = admin.iam.put_role_policy().role_name("auditor").policy_name("p").policy_document(policy);
    put.send().await.unwrap();
    arn
}

#[tokio::test]
async fn a_trusted_user_becomes_a_session_that_its_policies_limit_and_time_ends() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    let arn = role(&admin, &format!("arn:aws:iam::{ACCOUNT}:user/ann")).await;
    let stranger = admin.new_user(&sandbox, "bob").await;
    let denied = stranger.sts.assume_role().role_arn(&arn).role_session_name("s1").send().await;
    assert_eq!(refused(denied).0, "AccessDenied");

    let call = user.sts.assume_role().role_arn(&arn).role_session_name("s1").duration_seconds(900);
    let answer = call.policy(statement("Allow", "iam:List*", "*")).send().await.unwrap();
    let keys = answer.credentials.unwrap();
    let session =
        Aws::with(&sandbox, &keys.access_key_id, &keys.secret_access_key, Some(&keys.session_token));
    assert_eq!(identity(&session).await, format!("arn:aws:sts::{ACCOUNT}:assumed-role/auditor/s1"));
    session.iam.list_users().send().await.unwrap();
    let (code, message) = refused(session.iam.get_user().user_name("ann").send().await);
    assert_eq!(code, "AccessDenied");
    assert!(message.contains("session policy"), "{message}");

    let tokenless = Aws::with(&sandbox, &keys.access_key_id, &keys.secret_access_key, None);
    assert_eq!(refused(tokenless.sts.get_caller_identity().send().await).0, "InvalidClientTokenId");
    sandbox.advance_clock(Duration::from_secs(901)).unwrap();
    assert_eq!(refused(session.sts.get_caller_identity().send().await).0, "ExpiredToken");
    assert_eq!(refused(session.kms.list_keys().send().await).0, "ExpiredTokenException");
}

#[tokio::test]
async fn a_user_made_again_under_the_same_name_is_not_trusted() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    admin.iam.create_user().user_name("ann").send().await.unwrap();
    let arn = role(&admin, &format!("arn:aws:iam::{ACCOUNT}:user/ann")).await;
    admin.iam.delete_user().user_name("ann").send().await.unwrap();
    let again = admin.new_user(&sandbox, "ann").await;
    let denied = again.sts.assume_role().role_arn(&arn).role_session_name("s1").send().await;
    assert_eq!(refused(denied).0, "AccessDenied");
    let role = admin.iam.get_role().role_name("auditor").send().await.unwrap().role.unwrap();
    let shown = role.assume_role_policy_document.unwrap();
    assert!(shown.contains("AIDA") && !shown.contains("user%2Fann"), "{shown}");
}
