//! The policy of a key that is declared apart from the key.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use terrane_access::lockout::unmanageable;
use terrane_access::{Estate, Item, Question};
use terrane_iam::{Answer, Layer};
use terrane_model::{Type, Value};

const ACCOUNT: &str = "123456789012";
const ID: &str = "11111111-2222-3333-4444-555555555555";
const KEY: &str = "arn:aws:kms:eu-west-3:123456789012:key/11111111-2222-3333-4444-555555555555";
const ANN: &str = "arn:aws:iam::123456789012:user/ann";
const ROOT: &str = "arn:aws:iam::123456789012:root";

fn policy(principal: &str, action: &str) -> Value {
    Value::from(format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"{action}","Resource":"*"}}]}}"#
    ))
}

fn estate(own: Value, apart: &[(&str, Value)]) -> Estate {
    let key = Value::object([("arn", Value::from(KEY)), ("key_id", Value::from(ID)), ("policy", own)]);
    let apart = apart.iter().map(|(named, policy)| {
        let value = Value::object([("key_id", Value::from(*named)), ("policy", policy.clone())]);
        ("aws_kms_key_policy.p", "aws_kms_key_policy", value)
    });
    let user = Value::object([("arn", Value::from(ANN)), ("name", Value::from("ann"))]);
    let stack = [("aws_kms_key.k", "aws_kms_key", key), ("aws_iam_user.ann", "aws_iam_user", user)];
    let all: Vec<_> = stack.into_iter().chain(apart).collect();
    let items = all.iter().map(|(address, type_name, value)| Item {
        address,
        type_name,
        value,
        place: None,
        account: None,
    });
    Estate::new(items, Some(ACCOUNT))
}

fn decrypt(estate: &Estate) -> Answer {
    let principal = estate.somebody(ANN);
    let question = Question { principal: &principal, action: "kms:Decrypt", resource: KEY, context: &[] };
    estate.ask(&question).answer
}

#[test]
fn it_counts_in_place_of_the_keys_own() {
    for named in [ID, KEY] {
        let opened = estate(policy(ROOT, "kms:*"), &[(named, policy(ANN, "kms:*"))]);
        assert_eq!(decrypt(&opened), Answer::Allowed, "{named}");
        let closed = estate(policy(ANN, "kms:*"), &[(named, policy(ROOT, "kms:PutKeyPolicy"))]);
        assert_eq!(decrypt(&closed), Answer::Denied(Layer::KeyPolicy), "{named}");
    }
    let others = estate(policy(ANN, "kms:*"), &[("another", policy(ROOT, "kms:*"))]);
    assert_eq!(decrypt(&others), Answer::Allowed);
}

#[test]
fn it_can_lock_everybody_out_and_let_them_in_again() {
    let own = || policy(ROOT, "kms:*");
    assert!(unmanageable(&estate(own(), &[])).is_empty());
    assert_eq!(unmanageable(&estate(own(), &[(ID, policy(ANN, "kms:Decrypt"))])).len(), 1);
    assert!(unmanageable(&estate(policy(ANN, "kms:Decrypt"), &[(ID, own())])).is_empty());
}

#[test]
fn without_any_policy_everything_is_left_to_iam() {
    let estate = estate(Value::null(Type::String), &[]);
    assert_eq!(decrypt(&estate), Answer::Denied(Layer::KeyIam));
    assert!(unmanageable(&estate).is_empty());
}
