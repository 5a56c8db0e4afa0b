//! What is wrong with a planned table that the schema alone does not see. What is not known yet is not judged.

use std::collections::BTreeSet;

use terrane_model::conform::Problem;
use terrane_model::{Path, Step, Value};
use terrane_provider::PlanRequest;

use super::prediction::ON_DEMAND;
use super::schema::SCHEMA;
use crate::object::{elements, filled, first, flag, is_zero, text, whole};

/// All problems of the plan.
pub fn problems(request: &PlanRequest<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    not_supported(request, &mut found);
    keys(request, &mut found);
    stream(request, &mut found);
    capacity(request, &mut found);
    expiry(request, &mut found);
    found
}

fn problem(path: Path, code: &'static str, summary: &'static str, detail: impl Into<String>) -> Problem {
    Problem { path, code, summary, detail: detail.into() }
}

fn not_supported(request: &PlanRequest<'_>, found: &mut Vec<Problem>) {
    for (name, detail) in SCHEMA.block.unsupported() {
        let Some(wanted) = request.config.get(name).filter(|value| !is_zero(value)) else { continue };
        let before = request.prior.and_then(|prior| prior.get(name));
        if before.is_none_or(|before| before != wanted && is_zero(before))
            || name == "replica" && before != Some(wanted)
        {
            found.push(problem(Path::attribute(name), "not-supported", "Argument not supported", detail));
        }
    }
}

/// Every key needs an attribute, and every attribute a key.
fn keys(request: &PlanRequest<'_>, found: &mut Vec<Problem>) {
    let planned = &request.planned;
    let given = request.config.get("attribute");
    if request.is_create() && request.config.get("hash_key").is_none_or(is_zero) {
        found.push(problem(
            Path::attribute("hash_key"),
            "missing-argument",
            "Missing argument",
            "A table needs a partition key: set `hash_key` to the name of an attribute.",
        ));
    }
    let mut keys: Vec<(&str, Path)> = Vec::new();
    let mut complete = true;
    for name in ["hash_key", "range_key"] {
        match planned.get(name) {
            Some(value) if value.is_unknown() => complete = false,
            _ => keys.extend(filled(planned, name).map(|key| (key, Path::attribute(name)))),
        }
    }
    for (block, names) in [
        ("local_secondary_index", &["range_key"][..]),
        ("global_secondary_index", &["hash_key", "range_key"][..]),
    ] {
        complete &= planned.get(block).is_none_or(|set| !set.is_unknown());
        for (at, index) in elements(planned, block).iter().enumerate() {
            for name in names {
                let path = Path(vec![
                    Step::Attribute(block.into()),
                    Step::Index(at),
                    Step::Attribute((*name).into()),
                ]);
                match index.get(name) {
                    Some(value) if value.is_unknown() => complete = false,
                    _ => keys.extend(filled(index, name).map(|key| (key, path))),
                }
            }
        }
    }
    let set = match (planned.get("attribute"), given) {
        (Some(planned), _) if !planned.is_unknown() => planned,
        (_, Some(given)) if !given.is_unknown() => given,
        _ => return,
    };
    let attributes = set.elements();
    if attributes.iter().any(|attribute| attribute.get("name").is_none_or(Value::is_unknown)) {
        return;
    }
    let defined: BTreeSet<&str> = attributes.iter().filter_map(|attribute| text(attribute, "name")).collect();
    for (key, path) in &keys {
        if !defined.contains(key) {
            let detail = format!("The key `{key}` has no `attribute` block that says its type. Add one.");
            found.push(problem(path.clone(), "undefined-key", "Undefined key attribute", detail));
        }
    }
    let used: BTreeSet<&str> = keys.iter().map(|(key, _)| *key).collect();
    for unused in defined.difference(&used).filter(|_| complete) {
        let detail = format!(
            "The attribute `{unused}` is no key of the table or of an index. DynamoDB takes only keys here; take the block out."
        );
        found.push(problem(
            Path::attribute("attribute"),
            "unused-attribute",
            "Attribute without a key",
            detail,
        ));
    }
}

fn stream(request: &PlanRequest<'_>, found: &mut Vec<Problem>) {
    let view = request.planned("stream_view_type");
    let missing = match view {
        Some(view) if view.is_unknown() => {
            request.is_create() && request.config.get("stream_view_type").is_none_or(Value::is_null)
        }
        Some(view) => is_zero(view),
        None => true,
    };
    if flag(&request.planned, "stream_enabled") && missing {
        found.push(problem(
            Path::attribute("stream_view_type"),
            "missing-companion",
            "Missing companion argument",
            "`stream_enabled` needs `stream_view_type`, which says what the stream tells about a changed item.",
        ));
    }
}

fn capacity(request: &PlanRequest<'_>, found: &mut Vec<Problem>) {
    let Some(mode) = text(&request.planned, "billing_mode") else { return };
    let before = request.prior.and_then(|prior| text(prior, "billing_mode"));
    for name in ["read_capacity", "write_capacity"] {
        let config = request.config.get(name);
        if config.is_some_and(Value::is_unknown) {
            continue;
        }
        let given = config.and_then(Value::as_i64);
        if mode == ON_DEMAND {
            let leftover =
                given.is_some_and(|units| units != 0) && before.is_none_or(|before| before == ON_DEMAND);
            if leftover {
                let detail =
                    format!("With `billing_mode = \"{ON_DEMAND}\"` there is no capacity: take `{name}` out.");
                found.push(problem(
                    Path::attribute(name),
                    "conflicting-arguments",
                    "Conflicting arguments",
                    detail,
                ));
            }
        } else {
            let units = given.or_else(|| request.prior.and_then(|prior| whole(prior, name))).unwrap_or(0);
            if units < 1 && before != Some(ON_DEMAND) {
                let detail = format!("With provisioned capacity `{name}` must be at least 1.");
                found.push(problem(Path::attribute(name), "invalid-value", "Value out of bounds", detail));
            }
        }
    }
    if mode == ON_DEMAND {
        return;
    }
    for (at, index) in elements(&request.planned, "global_secondary_index").iter().enumerate() {
        let name = text(index, "name").unwrap_or_default();
        let given = elements(request.config, "global_secondary_index");
        let given = given.iter().find(|given| text(given, "name") == Some(name));
        for capacity in ["read_capacity", "write_capacity"] {
            if given.and_then(|given| given.get(capacity)).is_some_and(Value::is_unknown) {
                continue;
            }
            if whole(index, capacity).unwrap_or(0) < 1 {
                let path = Path(vec![
                    Step::Attribute("global_secondary_index".into()),
                    Step::Index(at),
                    Step::Attribute(capacity.into()),
                ]);
                let detail = format!(
                    "With provisioned capacity `{capacity}` of the index `{name}` must be at least 1."
                );
                found.push(problem(path, "invalid-value", "Value out of bounds", detail));
            }
        }
    }
}

fn expiry(request: &PlanRequest<'_>, found: &mut Vec<Problem>) {
    let Some(block) = first(&request.planned, "ttl") else { return };
    if flag(block, "enabled") && block.get("attribute_name").is_none_or(is_zero) {
        let path =
            Path::attribute("ttl").child(Step::Index(0)).child(Step::Attribute("attribute_name".into()));
        let detail = "`ttl` needs `attribute_name`: the attribute that holds the time of expiry.";
        found.push(problem(path, "missing-companion", "Missing companion argument", detail));
    }
}
