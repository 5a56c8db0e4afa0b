//! Access to tables that a customer-managed key encrypts: DynamoDB's permission joined with KMS's.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use terrane_iam::*;

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234";
const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111111111111:table/Post";
const ANN: &str = "arn:aws:iam::111111111111:user/ann";
const ROOT: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}"#;
const ITEMS: &str = r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:table/*"}"#;

fn statements(text: &str) -> Document {
    Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#)).expect(text)
}

fn decide_for(action: &str, key_policy: Option<&str>, identity: &str) -> Decision {
    let caller = Caller::User { arn: ANN.into(), user_id: Some("AIDAANN".into()) };
    let (key_policy, identity) = (key_policy.map(statements), statements(identity));
    let sources =
        PolicySources { identity: vec![NamedPolicy::new("own", &identity)], ..PolicySources::default() };
    let request = Request { caller: &caller, action, resource: TABLE, context: Context::complete() };
    let key = key_policy.as_ref().map(|policy| KeyAuthority {
        key_arn: KEY,
        key_policy: Some(policy),
        grants: &[],
        tags: Some(&[]),
    });
    let decision = decide_table_access(&request, &sources, key.as_ref(), "eu-west-1");
    assert_eq!(decision.answer, answer_table_access(&request, &sources, key.as_ref(), "eu-west-1"));
    decision
}

const ACTIONS: [&str; 5] =
    ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:BatchGetItem"];

#[test]
fn every_dynamodb_permission_without_the_key_reads_nothing() {
    for action in ACTIONS {
        let decision = decide_for(action, Some(ROOT), ITEMS);
        assert_eq!(decision.answer, Answer::Denied(Layer::KeyIam), "{action}");
        assert_eq!((decision.action.as_str(), decision.resource.as_str()), ("kms:Decrypt", KEY));
        assert_eq!(
            decision.message(),
            Some(format!(
                "User: {ANN} is not authorized to perform: kms:Decrypt on resource: {KEY} because no identity-based policy allows the kms:Decrypt action"
            ))
        );
        assert_eq!(decide_for(action, Some(""), ITEMS).answer, Answer::Denied(Layer::KeyPolicy), "{action}");
    }
    assert_eq!(decide_for("dynamodb:DescribeTable", Some(ROOT), ITEMS).answer, Answer::Allowed);
}

#[test]
fn the_key_alone_reads_nothing_either() {
    let key_only = r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#;
    let decision = decide_for("dynamodb:GetItem", Some(ROOT), key_only);
    assert_eq!(decision.answer, Answer::Denied(Layer::NoIdentityStatement));
    assert_eq!(decision.action, "dynamodb:GetItem");
}

#[test]
fn both_together_read() {
    let both = format!(r#"{ITEMS},{{"Effect":"Allow","Action":["kms:Decrypt"],"Resource":"{KEY}"}}"#);
    assert_eq!(decide_for("dynamodb:GetItem", Some(ROOT), &both).answer, Answer::Allowed);
    assert_eq!(decide_for("dynamodb:GetItem", Some(""), &both).answer, Answer::Denied(Layer::KeyPolicy));
    assert!(matches!(decide_for("dynamodb:PutItem", Some(ROOT), &both).answer, Answer::Depends(_)));
    let writes = both.replace("\"kms:Decrypt\"", "\"kms:Decrypt\",\"kms:GenerateDataKey*\"");
    assert_eq!(decide_for("dynamodb:PutItem", Some(ROOT), &writes).answer, Answer::Allowed);
}

#[test]
fn a_table_without_a_customer_key_needs_no_key() {
    assert_eq!(decide_for("dynamodb:GetItem", None, ITEMS).answer, Answer::Allowed);
}

#[test]
fn a_key_user_reads_through_dynamodb_only() {
    let user = |condition: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{ANN}"}},"Action":"kms:Decrypt","Resource":"*","Condition":{{"StringEquals":{{{condition}}}}}}}"#
        )
    };
    let through =
        |service: &str| user(&format!(r#""kms:ViaService":"{service}","kms:CallerAccount":"111111111111""#));
    let answer = |policy: String| decide_for("dynamodb:GetItem", Some(&policy), ITEMS).answer;
    assert_eq!(answer(through("dynamodb.eu-west-1.amazonaws.com")), Answer::Allowed);
    assert_eq!(answer(through("dynamodb.us-east-1.amazonaws.com")), Answer::Denied(Layer::KeyPolicy));
    assert_eq!(answer(user(r#""kms:EncryptionContext:aws:dynamodb:tableName":"Post""#)), Answer::Allowed);
    assert_eq!(
        answer(user(r#""kms:EncryptionContext:aws:dynamodb:tableName":"User""#)),
        Answer::Denied(Layer::KeyPolicy)
    );
    assert_eq!(answer(user(r#""aws:CalledVia":"dynamodb.amazonaws.com""#)), Answer::Allowed);
    assert_eq!(answer(user(r#""aws:ResourceTag/a":"b""#)), Answer::Denied(Layer::KeyPolicy));
}

#[test]
fn a_denial_on_the_key_is_named_as_such() {
    let denied = format!(r#"{ITEMS},{{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}}"#);
    let decision = decide_for("dynamodb:Query", Some(ROOT), &denied);
    assert_eq!(
        decision.answer,
        Answer::Denied(Layer::ExplicitDeny { kind: PolicyKind::Identity, policy: "own".into() })
    );
    assert_eq!(decision.action, "kms:Decrypt");
}

#[test]
fn making_a_table_needs_to_grant_dynamodb_the_key() {
    let may_make =
        |actions: &str| format!(r#"{ITEMS},{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}"#);
    let answer = |actions: &str| decide_for("dynamodb:CreateTable", Some(ROOT), &may_make(actions)).answer;
    assert_eq!(answer(r#""kms:DescribeKey""#), Answer::Denied(Layer::KeyIam));
    assert!(matches!(answer(r#""kms:DescribeKey","kms:CreateGrant""#), Answer::Depends(_)));
    assert_eq!(answer(r#""kms:*""#), Answer::Allowed);
}
