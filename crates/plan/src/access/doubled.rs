//! Keys that are given two policies: one of their own, and another one through an `aws_kms_key_policy`. Each apply would put
//! back what the other one wrote.

use terrane_iam::equivalent;
use terrane_model::path::Step;
use terrane_model::{Diagnostic, Diagnostics, Path, Value};
use terrane_spec::resource::IgnoreChanges;
use terrane_spec::{Resource, Spec};

use crate::graph::node_of;
use crate::plan::Change;

/// Warns of keys that are given two policies.
pub fn doubled(spec: &Spec, changes: &[Change]) -> Diagnostics {
    let of = |type_name: &'static str| {
        let wanted = move |change: &&Change| {
            &*change.address.resource.type_name == type_name
                && change.after.is_some()
                && change.deposed.is_none()
        };
        changes.iter().filter(wanted)
    };
    let mut found = Diagnostics::new();
    for policy in of("aws_kms_key_policy") {
        for key in of("aws_kms_key").filter(|key| is_about(policy, key)) {
            let Some(declared) = spec.resource(&key.address.resource).filter(|key| sets_policy(key)) else {
                continue;
            };
            let text = |change: &Change| {
                change.after.as_ref().and_then(|after| after.get("policy")?.as_str().map(str::to_owned))
            };
            if matches!((text(key), text(policy)), (Some(a), Some(b)) if equivalent(&a, &b)) {
                continue;
            }
            let detail = format!(
                "`{}` has a `policy` of its own, and `{}` puts another one on the same key. A key has one policy: each apply \
                 writes over what the other one wrote, and the plans never come to rest.",
                key.address, policy.address
            );
            let own = declared.key_span_of(&Path::attribute("policy"));
            let span = spec.resource(&policy.address.resource).map(|resource| resource.span);
            let warning = Diagnostic::warning("two-policies", "Two policies for one key", detail)
                .about(&policy.address)
                .at(span)
                .with_related(own, "the key's own")
                .hint(format!(
                    "Take `policy` out of `{}`, or take `{}` out.",
                    key.address.resource, policy.address.resource
                ));
            found.push(warning);
        }
    }
    found
}

/// Whether a resource says what the policy is, and follows it when it changes.
fn sets_policy(key: &Resource) -> bool {
    let ignored = match &key.lifecycle.ignore_changes {
        IgnoreChanges::All(_) => true,
        IgnoreChanges::Paths(paths) => paths.iter().any(|(path, _)| *path == Path::attribute("policy")),
    };
    !ignored && key.places.child(&Step::Attribute("policy".into())).is_some()
}

/// Whether a policy is for a key. One for a key that is made in the same plan names it by what is not known yet.
fn is_about(policy: &Change, key: &Change) -> bool {
    let of = |change: &Change, name: &str| change.after.as_ref().and_then(|after| after.get(name).cloned());
    match of(policy, "key_id").as_ref().map(|named| (named.as_str().map(str::to_owned), named.is_unknown())) {
        Some((Some(named), _)) => ["arn", "key_id"]
            .iter()
            .any(|name| of(key, name).as_ref().and_then(Value::as_str) == Some(&named)),
        Some((None, true)) => {
            policy.dependencies.contains(&node_of(&key.address.resource))
                && policy.address.resource.module == key.address.resource.module
                && policy.address.key == key.address.key
        }
        _ => false,
    }
}
