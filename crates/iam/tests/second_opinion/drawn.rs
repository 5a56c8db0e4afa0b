//! Questions drawn at random, without what `iam-rs` is known to read otherwise than AWS (see [`crate::differences`]).

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::Asked;

const ACTIONS: [&str; 9] = [
    "*",
    "dynamodb:*",
    "dynamodb:GetItem",
    "DynamoDB:getitem",
    "dynamodb:Get*",
    "dynamodb:?etItem",
    "dynamodb:*Item",
    "s3:GetObject",
    "dynamodb:GetItems",
];
/// All six fields of an ARN are there, and the service has no wildcard.
const RESOURCES: [&str; 10] = [
    "*",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/Post",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/P*",
    "arn:aws:dynamodb:*:*:table/*",
    "arn:aws:dynamodb:eu-west-?:111122223333:table/P?st",
    "arn:aws:dynamodb:us-east-1:111122223333:table/Post",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/Post/index/*",
    "arn:aws:s3:::bucket/*",
    // The variable has a value in every request, without a wildcard.
    "arn:aws:dynamodb:eu-west-1:111122223333:table/${x:table}",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/post",
];
const ASKED_RESOURCES: [&str; 3] = [
    "arn:aws:dynamodb:eu-west-1:111122223333:table/Post",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/Post/index/byDate",
    "arn:aws:s3:::bucket/key",
];
const ASKED_ACTIONS: [&str; 3] = ["dynamodb:GetItem", "dynamodb:PutItem", "s3:GetObject"];

const TEXTS: [&str; 6] = ["a", "A", "ab", "abc", "b", "a/b:c"];
const PATTERNS: [&str; 7] = ["a", "a*", "?", "*", "*b*", "A?c", "a/*"];
const NUMBERS: [&str; 5] = ["5", "5.0", "-1", "10", "9"];
const DATES: [&str; 5] = [
    "2020-01-01T00:00:00Z",
    "2020-01-01T01:00:00+01:00",
    "2019-12-31T23:59:59Z",
    "1577836800",
    "2020-01-01T00:00:00.5Z",
];
const ADDRESSES: [&str; 5] = ["10.0.0.1", "10.255.0.1", "11.0.0.1", "2001:db8::1", "203.0.113.9"];
const RANGES: [&str; 5] = ["10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "2001:DB8::/32", "203.0.113.0/24"];
/// Wildcards stand where no colon is near, so that it makes no difference whether fields are compared one by one.
const ARN_PATTERNS: [&str; 4] = [
    "arn:aws:iam::111122223333:role/a*",
    "arn:aws:iam::111122223333:role/?b",
    "arn:aws:iam::111122223333:role/ab",
    "arn:aws:iam::444455556666:role/*",
];
const ARNS: [&str; 3] = [
    "arn:aws:iam::111122223333:role/ab",
    "arn:aws:iam::444455556666:role/ab",
    "arn:aws:iam::111122223333:role/b",
];

fn some(from: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(from), 1..4)
}

/// One condition: an operator, a key that such an operator is for, and values.
fn condition() -> impl Strategy<Value = (String, &'static str, Value)> {
    let of = |operators: &'static [&'static str], key: &'static str, values: &'static [&'static str]| {
        (prop::sample::select(operators), any::<bool>(), some(values)).prop_map(
            move |(operator, if_exists, values)| {
                let operator = format!("{operator}{}", if if_exists { "IfExists" } else { "" });
                (operator, key, json!(values))
            },
        )
    };
    let single = |operators: &'static [&'static str], key: &'static str, values: &'static [&'static str]| {
        (prop::sample::select(operators), prop::sample::select(values))
            .prop_map(move |(operator, value)| (operator.to_owned(), key, json!(value)))
    };
    let set = |operators: &'static [&'static str], values: &'static [&'static str]| {
        (prop::sample::select(operators), some(values))
            .prop_map(move |(operator, values)| (operator.to_owned(), "x:set", json!(values)))
    };
    prop_oneof![
        3 => of(
            &["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"],
            "x:text",
            &TEXTS
        ),
        3 => of(&["StringLike", "StringNotLike"], "x:text", &PATTERNS),
        2 => of(
            &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            "x:number",
            &NUMBERS
        ),
        2 => of(
            &[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ],
            "x:date",
            &DATES
        ),
        1 => of(&["Bool"], "x:flag", &["true", "false"]),
        2 => of(&["IpAddress", "NotIpAddress"], "x:address", &RANGES),
        2 => of(&["ArnLike", "ArnNotLike"], "x:arn", &ARN_PATTERNS),
        1 => of(&["ArnEquals", "ArnNotEquals"], "x:arn", &ARNS),
        1 => single(&["Null"], "x:text", &["true", "false"]),
        1 => single(&["Null"], "x:set", &["true", "false"]),
        2 => set(
            &[
                "ForAllValues:StringEquals",
                "ForAnyValue:StringEquals",
                "ForAllValues:StringNotEquals",
                "ForAnyValue:StringNotEquals",
            ],
            &TEXTS
        ),
        2 => set(
            &[
                "ForAllValues:StringLike",
                "ForAnyValue:StringLike",
                "ForAllValues:StringNotLike",
                "ForAnyValue:StringNotLike",
            ],
            &PATTERNS
        ),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    (
        prop::bool::weighted(0.7),
        (prop::bool::weighted(0.8), some(&ACTIONS)),
        (prop::bool::weighted(0.8), some(&RESOURCES)),
        prop::collection::vec(condition(), 0..3),
    )
        .prop_map(|(allows, (action, actions), (resource, resources), conditions)| {
            let mut statement = json!({ "Effect": if allows { "Allow" } else { "Deny" } });
            statement[if action { "Action" } else { "NotAction" }] = json!(actions);
            statement[if resource { "Resource" } else { "NotResource" }] = json!(resources);
            if !conditions.is_empty() {
                let mut all = json!({});
                for (operator, key, values) in conditions {
                    all[operator][key] = values;
                }
                statement["Condition"] = all;
            }
            statement
        })
}

fn policy() -> impl Strategy<Value = String> {
    prop::collection::vec(statement(), 1..4).prop_map(|statements| {
        let document = json!({ "Version": "2012-10-17", "Statement": statements });
        document.to_string()
    })
}

/// A question with one to three policies. Each key may be missing, but for the one that is used as a variable.
pub fn asked() -> impl Strategy<Value = Asked> {
    let value = |from: &'static [&'static str]| prop::option::weighted(0.75, prop::sample::select(from));
    let single = (
        value(&TEXTS),
        value(&NUMBERS),
        value(&DATES),
        value(&["true", "false"]),
        value(&ADDRESSES),
        value(&ARNS),
        prop::sample::select(&["Post", "Other"][..]),
    )
        .prop_map(|(text, number, date, flag, address, arn, table)| {
            let keys = [
                ("x:text", text),
                ("x:number", number),
                ("x:date", date),
                ("x:flag", flag),
                ("x:address", address),
                ("x:arn", arn),
                ("x:table", Some(table)),
            ];
            keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect()
        });
    let several = prop::option::weighted(0.75, prop::collection::vec(prop::sample::select(&TEXTS), 1..4));
    let several = several.prop_map(|values| {
        let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect::<Vec<_>>();
        values.into_iter().map(|values| ("x:set".to_owned(), owned(values))).collect::<BTreeMap<_, _>>()
    });
    (
        prop::collection::vec(policy(), 1..4),
        prop::sample::select(&ASKED_ACTIONS),
        prop::sample::select(&ASKED_RESOURCES),
        single,
        several,
    )
        .prop_map(|(policies, action, resource, single, several)| Asked {
            policies,
            action: action.to_owned(),
            resource: resource.to_owned(),
            single,
            several,
        })
}
