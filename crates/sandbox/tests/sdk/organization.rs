//! What the policies of the account's organization do to calls.

use std::sync::Arc;

use serde_json::{Value, json};
use terrane_iam::Document;
use terrane_sandbox::{Options, Sandbox};

use crate::aws::{ACCOUNT, ADMIN, Aws, refused, sandbox_with};

/// A sandbox of an account whose levels have one service control policy each, and with these resource control policies.
fn within(levels: &[Value], resource_control: &[Value]) -> Sandbox {
    let policy = |statement: &Value| {
        let text = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
        ("policy".to_owned(), Arc::new(Document::parse(&text).unwrap()))
    };
    sandbox_with(|options: &mut Options| {
        options.organization.id = Some("o-a1b2c3d4e5".to_owned());
        options.organization.service_control = levels.iter().map(|level| vec![policy(level)]).collect();
        options.organization.resource_control = resource_control.iter().map(policy).collect();
    })
}

fn allow(action: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": "*" })
}

#[tokio::test]
async fn every_level_must_allow_also_what_the_root_user_does() {
    let sandbox = within(&[allow("*"), allow("iam:*")], &[]);
    let reason = "because no service control policy allows the kms:ListKeys action";
    for (aws, who) in [(Aws::admin(&sandbox), ADMIN), (Aws::root(&sandbox), "arn:aws:iam::123456789012:root")]
    {
        aws.iam.list_users().send().await.unwrap();
        let (code, message) = refused(aws.kms.list_keys().send().await);
        assert_eq!(code, "AccessDeniedException");
        assert_eq!(
            message,
            format!("User: {who} is not authorized to perform: kms:ListKeys on resource: * {reason}")
        );
        // Who one is, nothing can hide.
        aws.sts.get_caller_identity().send().await.unwrap();
    }
}

#[tokio::test]
async fn a_denial_of_the_organization_names_its_kind() {
    let not_admin = json!({ "ArnNotEquals": { "aws:PrincipalArn": ADMIN } });
    let mut deny =
        json!({ "Effect": "Deny", "Action": ["dynamodb:ListTables", "sts:AssumeRole"], "Resource": "*" });
    deny["Condition"] = not_admin.clone();
    let mut deny_key = json!({ "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*" });
    deny_key["Condition"] = not_admin;
    let sandbox = within(&[json!([allow("*"), deny])], &[deny_key]);
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    admin.allow("ann", "all", "*", "*").await;
    let key = admin.kms.create_key().send().await.unwrap().key_metadata.unwrap();
    admin.dynamodb.list_tables().send().await.unwrap();
    admin.kms.describe_key().key_id(&key.key_id).send().await.unwrap();

    let (_, message) = refused(user.dynamodb.list_tables().send().await);
    assert!(message.ends_with("with an explicit deny in a service control policy"), "{message}");
    let (_, message) = refused(user.kms.describe_key().key_id(&key.key_id).send().await);
    assert!(message.ends_with("with an explicit deny in a resource control policy"), "{message}");
    // IAM has no resource control policies.
    user.iam.list_users().send().await.unwrap();

    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" }],
    });
    let made = admin.iam.create_role().role_name("r").assume_role_policy_document(trust.to_string());
    let arn = made.send().await.unwrap().role.unwrap().arn;
    let (code, message) = refused(user.sts.assume_role().role_arn(&arn).role_session_name("s1").send().await);
    assert_eq!(code, "AccessDenied");
    assert!(message.ends_with("with an explicit deny in a service control policy"), "{message}");
}

#[tokio::test]
async fn requests_carry_the_id_of_the_organization() {
    let outsiders = |id: &str| {
        json!({
            "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
            "Condition": { "StringNotEqualsIfExists": { "aws:PrincipalOrgID": id, "aws:ResourceOrgID": id } },
        })
    };
    let ours = within(&[], &[outsiders("o-a1b2c3d4e5")]);
    Aws::admin(&ours).kms.list_keys().send().await.unwrap();
    let theirs = within(&[], &[outsiders("o-another")]);
    let (_, message) = refused(Aws::admin(&theirs).kms.list_keys().send().await);
    assert!(message.ends_with("with an explicit deny in a resource control policy"), "{message}");
}
