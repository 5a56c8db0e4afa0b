//! A plan for tools: Terraform's plan JSON, format version 1.2.
//!
//! What is sensitive is null here and said to be sensitive: a plan is passed around.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use terrane_model::json::type_to_json;
use terrane_model::schema::Schemas;
use terrane_model::{Action, Address, Path, Step, Value};
use terrane_plan::access::AccessReport;
use terrane_plan::conditions::{Kind, Status, Verdict};
use terrane_plan::loss::Loss;
use terrane_plan::plan::Mode;
use terrane_plan::{Change, Drift, OutputChange, Plan};
use terrane_spec::Spec;
use terrane_state::COMPATIBLE_VERSION;

use super::configuration_json::configuration;
use super::relevant_json::relevant_attributes;
use super::state_json::{by_module, document, head, known, sensitive, unknown};
use crate::stack::VERSION;

/// The whole plan.
pub fn plan(plan: &Plan, spec: &Spec, schemas: &dyn Schemas, timestamp: &str) -> Json {
    let drift: Vec<Json> = plan.drift.iter().map(|drift| drifted(plan, drift)).collect();
    let changes: Vec<Json> = plan.changes.iter().map(|one| change(plan, one)).collect();
    let outputs: Map<String, Json> =
        plan.outputs.iter().map(|(name, change)| (name.to_string(), output_change(change))).collect();
    let mut out = Map::new();
    out.insert("format_version".into(), "1.2".into());
    // Tools look at this version to know what to expect; it is the one whose shape this is.
    out.insert("terraform_version".into(), COMPATIBLE_VERSION.into());
    out.insert("generator".into(), json!({ "name": "terrane", "version": VERSION }));
    let variables =
        plan.variables.iter().map(|(name, value)| (name.to_string(), json!({ "value": known(value) })));
    out.insert("variables".into(), Json::Object(variables.collect()));
    out.insert("planned_values".into(), planned_values(plan, schemas));
    if !drift.is_empty() {
        out.insert("resource_drift".into(), drift.into());
    }
    out.insert("resource_changes".into(), changes.into());
    out.insert("output_changes".into(), Json::Object(outputs));
    out.insert("prior_state".into(), document(Some(&plan.refreshed), schemas));
    out.insert("configuration".into(), configuration(spec, schemas));
    let relevant = relevant_attributes(plan, spec);
    if !relevant.is_empty() {
        out.insert("relevant_attributes".into(), relevant.into());
    }
    if !plan.verdicts.is_empty() {
        out.insert("checks".into(), checks(&plan.verdicts));
    }
    if plan.access != AccessReport::default() {
        out.insert("access".into(), plan.access.to_json());
    }
    if !plan.possible_moves.is_empty() {
        let moves = plan.possible_moves.iter().map(|one| json!({ "from": one.from, "to": one.to }));
        out.insert("possible_moves".into(), moves.collect());
    }
    if !plan.losses.is_empty() {
        out.insert("losses".into(), plan.losses.iter().map(Loss::to_json).collect());
    }
    out.insert("timestamp".into(), timestamp.into());
    out.insert("applyable".into(), plan.has_changes().into());
    out.insert("complete".into(), (!plan.targeting.is_limited()).into());
    out.insert("errored".into(), false.into());
    Json::Object(out)
}

fn change(plan: &Plan, change: &Change) -> Json {
    let mut out = head(&change.address, &change.provider.state_name());
    previous(&mut out, change.previous_address.as_ref());
    if let Some(key) = &change.deposed {
        out.insert("deposed".into(), key.as_str().into());
    }
    if !change.address.resource.module.is_root() {
        out.insert("module_address".into(), change.address.resource.module.to_string().into());
    }
    let mut body = sides(change.action.json_names(), change.before.as_ref(), change.after.as_ref());
    if !change.replace_paths.is_empty() {
        body.insert("replace_paths".into(), change.replace_paths.iter().map(path).collect());
    }
    if let Some(id) = &change.importing {
        body.insert("importing".into(), json!({ "id": id }));
    }
    if let Some(text) = plan.generated.get(&change.address) {
        body.insert("generated_config".into(), text.as_str().into());
    }
    out.insert("change".into(), Json::Object(body));
    if let Some(reason) = change.reason.json_name() {
        out.insert("action_reason".into(), reason.into());
    }
    Json::Object(out)
}

fn drifted(plan: &Plan, drift: &Drift) -> Json {
    let was = drift.previous_address.as_ref().unwrap_or(&drift.address);
    let provider = plan.prior.resource(&was.resource).map(|resource| resource.provider.clone());
    let mut out = head(&drift.address, &provider.unwrap_or_default());
    previous(&mut out, drift.previous_address.as_ref());
    let action = if drift.after.is_some() { Action::Update } else { Action::Delete };
    let body = sides(action.json_names(), Some(&drift.before), drift.after.as_ref());
    out.insert("change".into(), Json::Object(body));
    Json::Object(out)
}

fn previous(out: &mut Map<String, Json>, address: Option<&Address>) {
    if let Some(address) = address {
        out.insert("previous_address".into(), address.to_string().into());
    }
}

/// Before and after, with what of them is unknown and sensitive.
fn sides(actions: &[&str], before: Option<&Value>, after: Option<&Value>) -> Map<String, Json> {
    let marked = |value: Option<&Value>| value.map_or(Json::Bool(false), sensitive);
    let after_unknown = match after {
        Some(value) if !value.is_wholly_known() => unknown(value),
        _ => json!({}),
    };
    let mut out = Map::new();
    out.insert("actions".into(), actions.into());
    out.insert("before".into(), before.map_or(Json::Null, known));
    out.insert("after".into(), after.map_or(Json::Null, known));
    out.insert("after_unknown".into(), after_unknown);
    out.insert("before_sensitive".into(), marked(before));
    out.insert("after_sensitive".into(), marked(after));
    out
}

fn output_change(change: &OutputChange) -> Json {
    let mark = |value: &Option<Value>| {
        value.clone().map(|value| if change.sensitive { value.sensitive() } else { value })
    };
    let (before, after) = (mark(&change.before), mark(&change.after));
    let mut out = sides(change.action().json_names(), before.as_ref(), after.as_ref());
    if after.as_ref().is_none_or(Value::is_wholly_known) {
        out.insert("after_unknown".into(), false.into());
    }
    for side in ["before_sensitive", "after_sensitive"] {
        out.insert(side.into(), change.sensitive.into());
    }
    Json::Object(out)
}

/// The state as it will be, as far as it is known.
fn planned_values(plan: &Plan, schemas: &dyn Schemas) -> Json {
    let mut out = Map::new();
    let outputs: Map<String, Json> = plan
        .outputs
        .iter()
        .filter_map(|(name, change)| {
            let value = change.after.as_ref()?;
            let mut entry = Map::new();
            entry.insert("sensitive".into(), change.sensitive.into());
            if value.is_wholly_known() {
                entry.insert("type".into(), type_to_json(&value.ty()));
                entry.insert("value".into(), if change.sensitive { Json::Null } else { known(value) });
            }
            Some((name.to_string(), Json::Object(entry)))
        })
        .collect();
    if !outputs.is_empty() {
        out.insert("outputs".into(), Json::Object(outputs));
    }
    let entries: Vec<(Address, Json)> = plan
        .changes
        .iter()
        .filter(|change| change.deposed.is_none() && plan.mode != Mode::Destroy)
        .filter_map(|change| {
            let value = change.after.as_ref()?;
            let schema = schemas.schema(change.address.resource.mode, &change.address.resource.type_name);
            let mut entry = head(&change.address, &change.provider.state_name());
            entry.insert("schema_version".into(), schema.map_or(0, |schema| schema.version).into());
            entry.insert("values".into(), known(value));
            entry.insert("sensitive_values".into(), sensitive(value));
            Some((change.address.clone(), Json::Object(entry)))
        })
        .collect();
    out.insert("root_module".into(), by_module(entries));
    Json::Object(out)
}

/// How conditions came out: an entry for each declaration, with its objects inside.
fn checks(verdicts: &[Verdict]) -> Json {
    let mut declared: BTreeMap<(Kind, &str), Vec<&Verdict>> = BTreeMap::new();
    for verdict in verdicts {
        declared.entry((verdict.kind, &verdict.declared)).or_default().push(verdict);
    }
    let one = |((kind, address), verdicts): ((Kind, &str), Vec<&Verdict>)| {
        let worst = verdicts.iter().map(|verdict| verdict.status).max().unwrap_or(Status::Pass);
        let instances: Vec<Json> = verdicts.into_iter().map(judged).collect();
        json!({
            "address": { "kind": kind_name(kind), "to_display": address },
            "status": status_name(worst),
            "instances": instances,
        })
    };
    declared.into_iter().map(one).collect()
}

fn judged(verdict: &Verdict) -> Json {
    let mut out = Map::new();
    out.insert("address".into(), json!({ "to_display": verdict.object }));
    out.insert("status".into(), status_name(verdict.status).into());
    if !verdict.messages.is_empty() {
        out.insert(
            "problems".into(),
            verdict.messages.iter().map(|message| json!({ "message": message })).collect(),
        );
    }
    Json::Object(out)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Resource => "resource",
        Kind::Output => "output_value",
        Kind::Check => "check",
        Kind::Variable => "var",
    }
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Unknown => "unknown",
        Status::Fail => "fail",
        Status::Error => "error",
    }
}

/// A path as a list of names and numbers; an element of a set stands for itself.
fn path(path: &Path) -> Json {
    let step = |step: &Step| match step {
        Step::Attribute(name) | Step::Key(name) => json!(name.as_ref()),
        Step::Index(i) => json!(i),
        Step::Element(value) => known(value),
    };
    path.0.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_told_by_declaration() {
        let verdict = |object: &str, status, messages: Vec<String>| Verdict {
            kind: Kind::Resource,
            declared: "aws_a.b".into(),
            object: object.into(),
            status,
            messages,
        };
        let verdicts = [
            verdict("aws_a.b[0]", Status::Pass, vec![]),
            verdict("aws_a.b[1]", Status::Fail, vec!["No.".into()]),
        ];
        let told = checks(&verdicts);
        assert_eq!(told[0]["status"], "fail");
        assert_eq!(told[0]["address"], json!({ "kind": "resource", "to_display": "aws_a.b" }));
        assert_eq!(told[0]["instances"][1]["problems"], json!([{ "message": "No." }]));
        assert_eq!(told.as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn what_is_unknown_or_secret_has_no_value() {
        let before = Value::object([("a", Value::from("x")), ("s", Value::from("hunter1").sensitive())]);
        let unknown = Value::unknown(terrane_model::Type::String);
        let after = Value::object([("a", unknown), ("s", Value::from("hunter2").sensitive())]);
        let told = Json::Object(sides(&["update"], Some(&before), Some(&after)));
        assert_eq!(told["after"], json!({ "s": null }));
        assert_eq!(told["after_unknown"], json!({ "a": true }));
        assert_eq!(told["after_sensitive"], json!({ "s": true }));
        assert!(!told.to_string().contains("hunter"), "{told}");
    }
}
