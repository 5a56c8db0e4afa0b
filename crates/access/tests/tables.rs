//! Policies of tables: whom they let in, of the account and of another one, and what encryption has to say to that.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use terrane_access::estate::Origin;
use terrane_access::{Change, Estate, Item, Question, difference};
use terrane_iam::{Answer, Layer};
use terrane_model::Value;

const ACCOUNT: &str = "123456789012";
const TABLE: &str = "arn:aws:dynamodb:eu-west-3:123456789012:table/Post";
const KEY: &str = "arn:aws:kms:eu-west-3:123456789012:key/11111111-2222-3333-4444-555555555555";
const OWN: &str = "arn:aws:iam::123456789012:user/reader";
const OTHER: &str = "arn:aws:iam::210987654321:role/reader";
const OTHER_ROOT: &str = "arn:aws:iam::210987654321:root";

fn policy(effect: &str, principal: &str, action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{{"AWS":"{principal}"}},"Action":"{action}","Resource":"*"}}]}}"#
    )
}

/// What encrypts the table.
#[derive(Clone, Debug)]
enum Key {
    Owned,
    OfAccount,
    /// A customer's, with this policy.
    Customers(String),
}

/// A table with a key and, when it is not empty, a policy.
fn estate(key: &Key, table_policy: &str) -> Estate {
    let text =
        |pairs: &[(&'static str, &str)]| pairs.iter().map(|(k, v)| (*k, Value::from(*v))).collect::<Vec<_>>();
    let mut items: Vec<(&str, &str, Value)> = Vec::new();
    let encryption = |arn: Option<&str>| {
        let arn = arn.map_or_else(|| Value::null(terrane_model::Type::String), Value::from);
        Value::tuple([Value::object([("enabled", Value::bool(true)), ("kms_key_arn", arn)])])
    };
    let mut table = text(&[("arn", TABLE), ("name", "Post")]);
    match key {
        Key::Owned => {}
        Key::OfAccount => table.push(("server_side_encryption", encryption(None))),
        Key::Customers(policy) => {
            table.push(("server_side_encryption", encryption(Some(KEY))));
            let key =
                text(&[("arn", KEY), ("key_id", "11111111-2222-3333-4444-555555555555"), ("policy", policy)]);
            items.push(("aws_kms_key.k", "aws_kms_key", Value::object(key)));
        }
    }
    items.push(("aws_dynamodb_table.t", "aws_dynamodb_table", Value::object(table)));
    items.push(("aws_iam_user.u", "aws_iam_user", Value::object(text(&[("arn", OWN), ("name", "reader")]))));
    if !table_policy.is_empty() {
        let policy = text(&[("resource_arn", TABLE), ("policy", table_policy)]);
        items.push(("aws_dynamodb_resource_policy.p", "aws_dynamodb_resource_policy", Value::object(policy)));
    }
    let items = items.iter().map(|(address, type_name, value)| Item {
        address,
        type_name,
        value,
        place: None,
        account: None,
    });
    Estate::new(items, Some(ACCOUNT))
}

fn read(estate: &Estate, principal: &str) -> (Answer, String) {
    let principal = estate.somebody(principal);
    let question =
        Question { principal: &principal, action: "dynamodb:GetItem", resource: TABLE, context: &[] };
    let answered = estate.ask(&question);
    (answered.answer, answered.action)
}

fn gains(before: &Estate, after: &Estate) -> Vec<Change> {
    difference(before, after).into_iter().filter(|change| change.gains).collect()
}

#[test]
fn of_the_account_the_policy_of_the_table_is_enough() {
    let allowed = estate(&Key::Owned, &policy("Allow", OWN, "dynamodb:GetItem"));
    assert_eq!(read(&allowed, OWN).0, Answer::Allowed);
    assert_eq!(read(&estate(&Key::Owned, ""), OWN).0, Answer::Denied(Layer::NoIdentityStatement));
    let refused = read(&estate(&Key::Owned, &policy("Deny", "*", "dynamodb:*")), OWN).0;
    assert!(matches!(refused, Answer::Denied(Layer::ExplicitDeny { .. })), "{refused:?}");
}

#[test]
fn of_another_account_both_sides_must_allow() {
    let (closed, open) =
        (estate(&Key::Owned, ""), estate(&Key::Owned, &policy("Allow", OTHER, "dynamodb:GetItem")));
    assert_eq!(read(&closed, OTHER).0, Answer::Denied(Layer::ResourcePolicy));
    // What the other account gives to its role is not known here.
    let Answer::Depends(facts) = read(&open, OTHER).0 else { panic!("it hangs on the other account") };
    assert!(facts.iter().any(|fact| fact.contains(OTHER)), "{facts:?}");
    let gained = gains(&closed, &open);
    let gained = gained.iter().find(|change| change.principal == OTHER).unwrap();
    assert_eq!((gained.origin, gained.sure), (Origin::OtherAccount, false));
    assert_eq!(
        (gained.actions.as_slice(), gained.resources.as_slice()),
        (["dynamodb:GetItem".to_owned()].as_slice(), ["aws_dynamodb_table.t".to_owned()].as_slice(),)
    );
    // An account as a whole is let in for sure: its root user needs nobody's permission there.
    let open = estate(&Key::Owned, &policy("Allow", OTHER_ROOT, "dynamodb:GetItem"));
    assert_eq!(read(&open, OTHER_ROOT).0, Answer::Allowed);
    assert!(matches!(read(&open, OTHER).0, Answer::Depends(_)));
    assert!(gains(&closed, &open).iter().any(|change| change.sure && change.origin == Origin::OtherAccount));
}

#[test]
fn a_customers_key_must_let_in_the_other_account_too() {
    let table = policy("Allow", OTHER, "dynamodb:GetItem");
    let root = policy("Allow", "arn:aws:iam::123456789012:root", "kms:*");
    let (answer, action) = read(&estate(&Key::Customers(root.clone()), &table), OTHER);
    assert_eq!((answer, action.as_str()), (Answer::Denied(Layer::KeyPolicy), "kms:Decrypt"));
    for (principal, open) in [(OTHER, true), (OTHER_ROOT, true), (OWN, false)] {
        let key = Key::Customers(policy("Allow", principal, "kms:Decrypt"));
        let (answer, _) = read(&estate(&key, &table), OTHER);
        assert_eq!(matches!(answer, Answer::Depends(_)), open, "{principal}: {answer:?}");
    }
    // The key alone opens no table.
    let key = Key::Customers(policy("Allow", OTHER, "kms:Decrypt"));
    assert_eq!(read(&estate(&key, ""), OTHER).0, Answer::Denied(Layer::ResourcePolicy));
    // Nothing is gained by a policy that the key contradicts.
    let closed = estate(&Key::Customers(root.clone()), "");
    let changes = gains(&closed, &estate(&Key::Customers(root), &table));
    assert!(changes.iter().all(|change| change.principal != OTHER), "{changes:?}");
}

#[test]
fn aws_key_in_the_account_lets_nobody_else_through() {
    let closed = (Answer::Denied(Layer::KeyPolicy), "kms:Decrypt".to_owned());
    for (principal, named) in [(OTHER, OTHER), (OTHER_ROOT, OTHER_ROOT), ("*", "*")] {
        let table = policy("Allow", named, "dynamodb:*");
        assert_eq!(read(&estate(&Key::OfAccount, &table), principal), closed, "{principal}");
        assert_ne!(read(&estate(&Key::Owned, &table), principal), closed, "{principal}");
    }
    assert_eq!(
        read(&estate(&Key::OfAccount, &policy("Allow", OWN, "dynamodb:GetItem")), OWN).0,
        Answer::Allowed
    );
    // What touches no item needs no key.
    let table = policy("Allow", OTHER_ROOT, "dynamodb:*");
    let principal = estate(&Key::OfAccount, &table).somebody(OTHER_ROOT);
    let question =
        Question { principal: &principal, action: "dynamodb:DescribeTable", resource: TABLE, context: &[] };
    assert_eq!(estate(&Key::OfAccount, &table).ask(&question).answer, Answer::Allowed);
}
