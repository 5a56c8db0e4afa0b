//! Keys and the policies that are put on them apart from them: which key's policy a plan changes, and keys that are left with
//! the policy that keys have from the start, since the plan takes their own away.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use terrane_access::first_key_policy;
use terrane_model::{Action, Address, Type, Value};
use terrane_state::{Object, Snapshot};

use crate::plan::Change;

const TYPE: &str = "aws_kms_key_policy";

/// Takes the policy off the keys whose `aws_kms_key_policy` goes: without one, a key leaves everything to IAM policies.
///
/// A key of which the spec gives the policy keeps what the spec gives, as soon as that is another one than it had.
pub(super) fn restore(objects: &mut BTreeMap<Address, Value>, changes: &[Change]) {
    let going = changes.iter().filter(|change| &*change.address.resource.type_name == TYPE);
    for before in going.filter_map(gone) {
        let Some(named) = before.get("key_id").and_then(Value::as_str) else { continue };
        for (address, key) in objects.iter_mut().filter(|(a, _)| &*a.resource.type_name == "aws_kms_key") {
            if is_named(key, named) && !has_another(address, changes) {
                *key = key.clone().with("policy", Value::null(Type::String));
            }
        }
    }
}

/// The policy that a change takes away, and in whose place comes the first one.
fn gone(change: &Change) -> Option<&Value> {
    let is_deleted =
        matches!(change.action, Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete);
    let before = change.before.as_ref().filter(|_| is_deleted)?;
    let stays = before.get("bypass_policy_lockout_safety_check").and_then(Value::as_bool) == Some(true);
    (!stays).then_some(before)
}

/// The keys, among those that there are before a plan, whose policy it changes through an `aws_kms_key_policy`, each with the address
/// of that.
pub(super) fn keys_of_changed_policies(
    changes: &[Change],
    before: &BTreeMap<Address, Value>,
) -> BTreeMap<String, Address> {
    let changed = |change: &&Change| {
        &*change.address.resource.type_name == TYPE
            && change.action.is_change()
            && change.action != Action::Forget
    };
    let mut found = BTreeMap::new();
    for change in changes.iter().filter(changed) {
        for object in change.before.iter().chain(&change.after) {
            let named = object.get("key_id").and_then(Value::as_str);
            let keys = before.iter().filter(|(address, _)| &*address.resource.type_name == "aws_kms_key");
            let named = keys.filter(|(_, key)| named.is_some_and(|named| is_named(key, named)));
            found.extend(named.map(|(address, _)| (address.to_string(), change.address.clone())));
        }
    }
    found
}

fn is_named(key: &Value, named: &str) -> bool {
    ["arn", "key_id"].iter().any(|name| key.get(name).and_then(Value::as_str) == Some(named))
}

/// The keys of a state whose `aws_kms_key_policy` was deleted by these changes, with the policy that they have since then: what the
/// state has of it was read before.
pub fn left_without(snapshot: &Snapshot, changes: &[Change]) -> Vec<(Address, String, Object)> {
    let mut found = Vec::new();
    for change in changes.iter().filter(|change| &*change.address.resource.type_name == TYPE) {
        let named = gone(change).and_then(|before| before.get("key_id")).and_then(Value::as_str);
        let text = |object: &Object, name: &str| {
            object.attributes.get(name).and_then(Json::as_str).map(str::to_owned)
        };
        // Where it was not deleted after all, or takes the place of another one for the same key, that counts.
        let mut policies = snapshot.current().filter(|(address, ..)| &*address.resource.type_name == TYPE);
        let Some(named) = named.filter(|named| {
            !policies.any(|(_, _, object)| text(object, "key_id").is_some_and(|id| same_key(&id, named)))
        }) else {
            continue;
        };
        for (address, provider, key) in snapshot.current() {
            let Some(arn) = text(key, "arn").filter(|_| &*address.resource.type_name == "aws_kms_key") else {
                continue;
            };
            if !same_key(&arn, named) || has_another(&address, changes) {
                continue;
            }
            let Some(first) =
                first_policy(&arn).filter(|first| text(key, "policy").as_deref() != Some(first))
            else {
                continue;
            };
            let mut object = key.clone();
            object.attributes.insert("policy".to_owned(), Json::from(first));
            found.push((address, provider.to_owned(), object));
        }
    }
    found
}

/// Whether two names, each an id or an ARN, are those of one key.
fn same_key(a: &str, b: &str) -> bool {
    let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    match a.starts_with("arn:") && b.starts_with("arn:") {
        true => a == b,
        false => id(a) == id(b),
    }
}

/// The policy that the key with an ARN has from the start.
fn first_policy(arn: &str) -> Option<String> {
    Some(first_key_policy(arn.split(':').nth(1)?, arn.split(':').nth(4)?))
}

/// Whether the key's own policy becomes another one.
fn has_another(key: &Address, changes: &[Change]) -> bool {
    let change = changes.iter().find(|change| change.address == *key && change.deposed.is_none());
    let policy = |object: &Option<Value>| object.as_ref().and_then(|object| object.get("policy").cloned());
    change.is_some_and(|change| change.after.is_some() && policy(&change.before) != policy(&change.after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_by_its_id_and_its_arn() {
        let arn = "arn:aws:kms:eu-west-3:123456789012:key/k-1";
        let cases = [("k-1", arn, true), (arn, arn, true), ("k-2", arn, false), ("k-1", "k-1", true)];
        for (a, b, same) in cases {
            assert_eq!(same_key(a, b), same, "{a} {b}");
        }
        let elsewhere = "arn:aws:kms:eu-west-1:123456789012:key/k-1";
        assert!(!same_key(elsewhere, arn));
        assert!(
            first_policy("arn:aws-cn:kms:cn-north-1:1:key/k").unwrap().contains("arn:aws-cn:iam::1:root")
        );
        assert_eq!(first_policy("k"), None);
    }
}
