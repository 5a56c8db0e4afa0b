//! The policies that are part of a role and given in its spec: compared by what they say.

use std::collections::BTreeMap;

use terrane_model::Value;
use terrane_provider::PlanRequest;

use super::schema::{INLINE, inline_type};
use crate::iam::INLINE_POLICY;
use crate::object::{filled, unknown_text};

/// Plans the block: the texts in their normal form, and what means the same as before as it was.
pub fn plan(request: &mut PlanRequest<'_>) {
    let Some(given) = request.config.get(INLINE).filter(|given| !given.is_unknown()).cloned() else { return };
    if given.elements().is_empty() {
        if request.is_create() {
            request.set(INLINE, Value::set(inline_type(), []));
        }
        return;
    }
    let wanted = given.map_elements(&mut |element| match element.get("policy") {
        Some(policy) if policy.is_unknown() => element.with("policy", unknown_text()),
        Some(policy) => match policy.as_str().map(INLINE_POLICY.normalise) {
            Some(normal) => element.with("policy", Value::from(normal)),
            None => element,
        },
        None => element,
    });
    let prior = request.prior.and_then(|prior| prior.get(INLINE));
    match prior {
        Some(prior) if mean_the_same(prior, &wanted) => request.set(INLINE, prior.clone()),
        _ => request.set(INLINE, wanted),
    }
}

/// Names and documents; the empty block is none.
pub fn documents(block: &Value) -> BTreeMap<String, String> {
    let named =
        |element: &Value| Some((filled(element, "name")?.to_owned(), filled(element, "policy")?.to_owned()));
    block.elements().iter().filter_map(named).collect()
}

/// Whether two sets of policies say the same.
pub fn mean_the_same(before: &Value, after: &Value) -> bool {
    if !before.is_wholly_known() || !after.is_wholly_known() {
        return false;
    }
    let (before, after) = (documents(before), documents(after));
    before.len() == after.len()
        && before.iter().all(|(name, document)| {
            after.get(name).is_some_and(|other| (INLINE_POLICY.equivalent)(document, other))
        })
}
