//! Keys that are left with the policy that keys have from the start, since the plan takes their own away.

use std::collections::BTreeMap;

use terrane_model::{Action, Address, Type, Value};

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
            let is_it =
                ["arn", "key_id"].iter().any(|name| key.get(name).and_then(Value::as_str) == Some(named));
            if is_it && !has_another(address, changes) {
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

/// Whether the key's own policy becomes another one.
fn has_another(key: &Address, changes: &[Change]) -> bool {
    let change = changes.iter().find(|change| change.address == *key && change.deposed.is_none());
    let policy = |object: &Option<Value>| object.as_ref().and_then(|object| object.get("policy").cloned());
    change.is_some_and(|change| change.after.is_some() && policy(&change.before) != policy(&change.after))
}
