//! The permissions that the calls for a table take, and those on the key that encrypts it.
//!
//! DynamoDB uses a customer's key in the name of whoever makes the table or puts it under the key:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html>

use terrane_iam::key_needs;
use terrane_model::Value;
use terrane_provider::permission::{Condition, pattern};
use terrane_provider::{Certainty, Doing, Ground, Permissions};

use super::update::{differs, expires_by, is_encrypted_anew, takes_update_table};
use crate::object::{first, flag, is_open};
use crate::tags::{self, TagCalls};

const READ: &[&str] = &[
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:ListTagsOfResource",
];
const TAGGING: TagCalls = TagCalls { put: "dynamodb:TagResource", remove: "dynamodb:UntagResource" };
const EXPIRY: &[&str] = &["dynamodb:UpdateTimeToLive"];
const RECOVERY: &[&str] = &["dynamodb:UpdateContinuousBackups"];
const ENCRYPTION: &str = "server_side_encryption";

pub fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    let named = |name: &str| ground.regional("dynamodb", &format!("table/{name}"));
    let arn = |object: &Value| {
        let known = object.get("arn").and_then(Value::as_str).filter(|arn| !arn.is_empty());
        known.map_or_else(
            || named(&pattern(object.get("name")).unwrap_or_else(|| "*".to_owned())),
            str::to_owned,
        )
    };
    match doing {
        Doing::LookFor(planned) => Permissions::none().on(&arn(planned), &["dynamodb:DescribeTable"]),
        Doing::Import(name) => Permissions::none().on(&named(name), READ).and(default_key(ground)),
        Doing::Read(object) => read(&arn(object), object, ground),
        Doing::Create(planned) => create(&arn(planned), planned, ground),
        Doing::Update { prior, planned } => update(&arn(prior), prior, planned, ground),
        Doing::Delete(prior) => {
            Permissions::none().on(&arn(prior), &["dynamodb:DeleteTable", "dynamodb:DescribeTable"])
        }
    }
}

fn read(arn: &str, object: &Value, ground: &Ground<'_>) -> Permissions {
    let all = Permissions::none().on(arn, READ);
    let block = first(object, ENCRYPTION).filter(|block| flag(block, "enabled"));
    match block.is_some_and(|block| pattern(block.get("kms_key_arn")).is_none()) {
        // Whether the key is AWS's own is asked; where it may not be, the state shows its ARN.
        true => all.and(default_key(ground)),
        false => all,
    }
}

fn default_key(ground: &Ground<'_>) -> Permissions {
    let alias = Condition {
        operator: "StringEquals",
        key: "kms:RequestAlias",
        value: "alias/aws/dynamodb".to_owned(),
    };
    let key = ground.regional("kms", "key/*");
    Permissions::none().with(&key, &["kms:DescribeKey"], Some(alias), Certainty::Perhaps)
}

fn create(arn: &str, planned: &Value, ground: &Ground<'_>) -> Permissions {
    let mut all = read(arn, planned, ground)
        .on(arn, &["dynamodb:CreateTable"])
        .and(tags::permissions(&TAGGING, arn, None, planned))
        .and(under_key(planned, ground));
    for (name, actions) in [("ttl", EXPIRY), ("point_in_time_recovery", RECOVERY)] {
        all = match first(planned, name) {
            Some(block) if flag(block, "enabled") => all.on(arn, actions),
            Some(block) if is_open(block, "enabled") => all.perhaps_on(arn, actions),
            None if is_open(planned, name) => all.perhaps_on(arn, actions),
            _ => all,
        };
    }
    all
}

fn update(arn: &str, prior: &Value, planned: &Value, ground: &Ground<'_>) -> Permissions {
    let mut all = read(arn, planned, ground).and(tags::permissions(&TAGGING, arn, Some(prior), planned));
    if takes_update_table(prior, planned) {
        all = all.on(arn, &["dynamodb:UpdateTable"]);
    }
    if is_encrypted_anew(prior, planned) {
        all = all.and(under_key(planned, ground));
    }
    if expires_by(prior) != expires_by(planned) || is_open(planned, "ttl") {
        all = all.on(arn, EXPIRY);
    }
    if differs(prior, planned, "point_in_time_recovery") {
        all = all.on(arn, RECOVERY);
    }
    all
}

/// What it takes to put a table under the account's own key.
fn under_key(planned: &Value, ground: &Ground<'_>) -> Permissions {
    let none = Permissions::none();
    let Some(block) = first(planned, ENCRYPTION).filter(|block| flag(block, "enabled")) else { return none };
    let Some(key) = pattern(block.get("kms_key_arn")) else { return none };
    // An alias is no resource of a policy.
    let key = if key.contains(":key/") { key } else { ground.regional("kms", "key/*") };
    let through = Condition {
        operator: "StringEquals",
        key: "kms:ViaService",
        value: format!("dynamodb.{}.amazonaws.com", ground.facts.region),
    };
    let needs = key_needs("dynamodb:CreateTable");
    none.with(&key, needs.surely, Some(through.clone()), Certainty::Sure).with(
        &key,
        needs.perhaps,
        Some(through),
        Certainty::Perhaps,
    )
}
