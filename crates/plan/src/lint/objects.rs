//! What the rules find in single objects: in their arguments, and in the policies that these hold.

use terrane_iam::Document;
use terrane_model::{Path, Step, Value};

use super::documents::{Use, judge};
use super::place::Within;
use super::rule::{
    LONG_LIVED_KEY, NO_CUSTOMER_KEY, NO_RECOVERY, NO_ROTATION, NO_SAFETY_CHECK, POLICY_ON_USER, Rule,
    SHORT_WINDOW,
};

/// A breach of a rule in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The rule.
    pub rule: &'static Rule,
    /// The argument.
    pub path: Path,
    /// The place within the policy that the argument holds.
    pub within: Option<Within>,
    /// What is found there, a sentence.
    pub detail: String,
}

/// Days below which a deletion window is short.
const SHORT: i64 = 14;

/// Judges an object. Parts that are not known are passed over.
pub fn breaches(type_name: &str, object: &Value) -> Vec<Breach> {
    match type_name {
        "aws_kms_key" => key(object),
        "aws_dynamodb_table" => table(object),
        "aws_iam_user_policy" => [on_user("policy"), policy(object, "policy", Use::Identity)].concat(),
        "aws_iam_user_policy_attachment" => on_user("policy_arn"),
        "aws_iam_policy" | "aws_iam_role_policy" | "aws_iam_group_policy" => {
            policy(object, "policy", Use::Identity)
        }
        "aws_iam_role" => role(object),
        "aws_iam_access_key" => {
            vec![breach(&LONG_LIVED_KEY, "user", "The user gets an access key that stays.".to_owned())]
        }
        "aws_kms_key_policy" => policy(object, "policy", Use::Key),
        "aws_dynamodb_resource_policy" => policy(object, "policy", Use::Resource),
        _ => vec![],
    }
}

fn breach(rule: &'static Rule, attribute: &str, detail: String) -> Breach {
    Breach { rule, path: Path::attribute(attribute), within: None, detail }
}

fn is(object: &Value, name: &str, wanted: bool) -> bool {
    object.get(name).and_then(Value::as_bool) == Some(wanted)
}

/// Whether an argument is not there, or says no more than that.
fn lacks(object: &Value, name: &str) -> bool {
    object.get(name).is_none_or(|value| !value.is_unknown() && value.as_str().is_none_or(str::is_empty))
}

fn says(object: &Value, name: &str, wanted: &str) -> bool {
    match object.get(name).filter(|value| !value.is_null()) {
        None => true,
        Some(value) => value.as_str() == Some(wanted),
    }
}

fn key(object: &Value) -> Vec<Breach> {
    let mut found = Vec::new();
    let rotatable = says(object, "customer_master_key_spec", "SYMMETRIC_DEFAULT")
        && says(object, "key_usage", "ENCRYPT_DECRYPT")
        && lacks(object, "custom_key_store_id");
    let off = object.get("enable_key_rotation").is_none_or(Value::is_null)
        || is(object, "enable_key_rotation", false);
    if rotatable && off {
        found.push(breach(&NO_ROTATION, "enable_key_rotation", "Rotation is off.".to_owned()));
    }
    if let Some(days) =
        object.get("deletion_window_in_days").and_then(Value::as_i64).filter(|days| *days < SHORT)
    {
        let detail = format!("A deleted key is gone after {days} days.");
        found.push(breach(&SHORT_WINDOW, "deletion_window_in_days", detail));
    }
    if is(object, "bypass_policy_lockout_safety_check", true) {
        let detail = "The check is switched off.".to_owned();
        found.push(breach(&NO_SAFETY_CHECK, "bypass_policy_lockout_safety_check", detail));
    }
    found.extend(policy(object, "policy", Use::Key));
    found
}

fn table(object: &Value) -> Vec<Breach> {
    let mut found = Vec::new();
    let block = |name: &str| object.get(name).filter(|value| !value.is_unknown());
    if let Some(encryption) = block("server_side_encryption") {
        let first = encryption.index(0);
        let open = first.is_some_and(|block| {
            ["enabled", "kms_key_arn"].iter().any(|name| block.get(name).is_some_and(Value::is_unknown))
        });
        let own = first.is_some_and(|block| is(block, "enabled", true) && !lacks(block, "kms_key_arn"));
        if !open && !own {
            let detail = match first.is_some_and(|block| is(block, "enabled", true)) {
                true => "The key is AWS's own for DynamoDB.",
                false => "The key is one that AWS owns.",
            };
            found.push(breach(&NO_CUSTOMER_KEY, "server_side_encryption", detail.to_owned()));
        }
    }
    if let Some(recovery) = block("point_in_time_recovery") {
        let enabled = recovery.index(0).and_then(|block| block.get("enabled"));
        if enabled.is_none_or(|enabled| enabled.as_bool() == Some(false)) {
            let detail = "Recovery is off.".to_owned();
            found.push(breach(&NO_RECOVERY, "point_in_time_recovery", detail));
        }
    }
    found
}

fn on_user(attribute: &str) -> Vec<Breach> {
    vec![breach(&POLICY_ON_USER, attribute, "The policy belongs to one user.".to_owned())]
}

fn role(object: &Value) -> Vec<Breach> {
    let mut found = policy(object, "assume_role_policy", Use::Trust);
    let blocks = object.get("inline_policy").map(Value::elements).unwrap_or_default();
    for (number, block) in blocks.iter().enumerate() {
        for mut breach in policy(block, "policy", Use::Identity) {
            let outer = Path::attribute("inline_policy").child(Step::Index(number));
            breach.path = Path(outer.0.into_iter().chain(breach.path.0).collect());
            found.push(breach);
        }
    }
    found
}

/// Judges the policy that an argument holds.
fn policy(object: &Value, attribute: &str, kind: Use) -> Vec<Breach> {
    let text = object.get(attribute).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(Ok(document)) = text.map(Document::parse) else { return vec![] };
    judge(&document, kind)
        .into_iter()
        .map(|(rule, within, detail)| Breach {
            rule,
            path: Path::attribute(attribute),
            within: Some(within),
            detail,
        })
        .collect()
}
