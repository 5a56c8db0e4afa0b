//! The permissions that the calls for a role take.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::Value;
use terrane_provider::permission::pattern;
use terrane_provider::{Certainty, Doing, Ground, Permissions};

use super::schema::INLINE;
use crate::iam::INLINE_POLICY;
use crate::iam::permissions::{arns_of, only_policy, own_arn};
use crate::object::{elements, filled, flag, is_open, text};
use crate::tags::{self, TagCalls};

const READ: &[&str] = &["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"];
const READ_INLINE: &[&str] = &["iam:GetRolePolicy"];
const TAGGING: TagCalls = TagCalls { put: "iam:TagRole", remove: "iam:UntagRole" };

pub fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    let arn = |object: &Value| own_arn(ground, "role", object);
    let none = Permissions::none();
    match doing {
        Doing::LookFor(planned) => none.on(&arn(planned), &["iam:GetRole"]),
        Doing::Import(name) => {
            let arns = arns_of(ground, "role", Some(&Value::from(name)));
            arns.iter().fold(none, |all, arn| all.on(arn, READ).perhaps_on(arn, READ_INLINE))
        }
        Doing::Read(object) => read(&arn(object), object),
        Doing::Create(planned) => {
            let arn = arn(planned);
            let nothing = Value::object::<&str>([]);
            read(&arn, planned)
                .on(&arn, &["iam:CreateRole"])
                .and(tags::permissions(&TAGGING, &arn, None, planned))
                .and(policies(&arn, &nothing, planned))
        }
        Doing::Update { prior, planned } => update(&arn(prior), prior, planned),
        Doing::Delete(prior) => delete(&arn(prior), prior),
    }
}

fn read(arn: &str, object: &Value) -> Permissions {
    let all = Permissions::none().on(arn, READ);
    match is_open(object, INLINE) {
        true => all.perhaps_on(arn, READ_INLINE),
        false if elements(object, INLINE).iter().any(|block| filled(block, "policy").is_some()) => {
            all.on(arn, READ_INLINE)
        }
        false => all,
    }
}

fn update(arn: &str, prior: &Value, planned: &Value) -> Permissions {
    let differs = |name: &str| prior.get(name) != planned.get(name);
    let mut all = read(arn, planned).and(tags::permissions(&TAGGING, arn, Some(prior), planned));
    if differs("assume_role_policy") {
        all = all.on(arn, &["iam:UpdateAssumeRolePolicy"]);
    }
    let said = |object: &Value| text(object, "description").unwrap_or_default().to_owned();
    if said(prior) != said(planned) || is_open(planned, "description") {
        all = all.on(arn, &["iam:UpdateRoleDescription"]);
    }
    if differs("max_session_duration") {
        all = all.on(arn, &["iam:UpdateRole"]);
    }
    all = match (filled(prior, "permissions_boundary"), filled(planned, "permissions_boundary")) {
        _ if is_open(planned, "permissions_boundary") => all.on(arn, &["iam:PutRolePermissionsBoundary"]),
        (before, Some(boundary)) if before != Some(boundary) => {
            all.on(arn, &["iam:PutRolePermissionsBoundary"])
        }
        (Some(_), None) => all.on(arn, &["iam:DeleteRolePermissionsBoundary"]),
        _ => all,
    };
    all.and(policies(arn, prior, planned))
}

/// What it takes to bring the policies that the spec gives here to what is planned.
fn policies(arn: &str, prior: &Value, planned: &Value) -> Permissions {
    let mut all = Permissions::none();
    let documents = |object: &Value| -> BTreeMap<String, Value> {
        let named = |block: &Value| Some((filled(block, "name")?.to_owned(), block.get("policy")?.clone()));
        elements(object, INLINE).iter().filter_map(named).collect()
    };
    let (before, after) = (documents(prior), documents(planned));
    let same = |name: &str, document: &Value| {
        let before = before.get(name).and_then(Value::as_str);
        before.zip(document.as_str()).is_some_and(|(a, b)| (INLINE_POLICY.equivalent)(a, b))
    };
    if is_open(planned, INLINE) || after.iter().any(|(name, document)| !same(name, document)) {
        all = all.on(arn, &["iam:PutRolePolicy"]);
    }
    if before.keys().any(|name| !after.contains_key(name)) {
        all = all.on(arn, &["iam:DeleteRolePolicy"]);
    }
    if is_open(planned, "managed_policy_arns") {
        return all.perhaps_on(arn, &["iam:AttachRolePolicy", "iam:DetachRolePolicy"]);
    }
    let arns = |object: &Value| elements(object, "managed_policy_arns").iter().cloned().collect();
    let (before, after): (BTreeSet<Value>, BTreeSet<Value>) = (arns(prior), arns(planned));
    for policy in before.difference(&after) {
        all = all.with(arn, &["iam:DetachRolePolicy"], only_policy(Some(policy)), Certainty::Sure);
    }
    for policy in after.difference(&before) {
        all = all.with(arn, &["iam:AttachRolePolicy"], only_policy(Some(policy)), Certainty::Sure);
    }
    all
}

fn delete(arn: &str, prior: &Value) -> Permissions {
    let mut all = Permissions::none().on(arn, &["iam:DeleteRole", "iam:ListInstanceProfilesForRole"]);
    let forced = flag(prior, "force_detach_policies");
    let attached = elements(prior, "managed_policy_arns");
    if forced || !attached.is_empty() {
        all = all.on(arn, &["iam:ListAttachedRolePolicies"]);
    }
    // What is attached may have been detached by then, on behalf of another resource.
    for policy in attached.iter().filter(|policy| pattern(Some(policy)).is_some()) {
        all = all.with(arn, &["iam:DetachRolePolicy"], only_policy(Some(policy)), Certainty::Perhaps);
    }
    if forced && attached.is_empty() {
        all = all.perhaps_on(arn, &["iam:DetachRolePolicy"]);
    }
    if forced || !elements(prior, INLINE).is_empty() {
        all = all.on(arn, &["iam:ListRolePolicies"]).perhaps_on(arn, &["iam:DeleteRolePolicy"]);
    }
    all
}
