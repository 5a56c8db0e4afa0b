//! The stream of JSON lines that `apply --json` and `plan --json-stream` write, in the shape of Terraform's.

use serde_json::{Map, Value as Json, json};
use terrane_model::{Action, Diagnostic, Sources};
use terrane_plan::Plan;
use terrane_plan::plan::{Mode, Totals};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::diagnostics_json;
use super::events::{resource, verb};
use super::plan_text::drift_that_matters;

/// The version of the stream's shape.
const UI: &str = "1.2";

/// One line: level, text and time, then the type and what belongs to it.
pub fn line(level: &str, text: &str, kind: &str, body: Json) -> String {
    let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let mut all = Map::new();
    all.insert("@level".into(), level.into());
    all.insert("@message".into(), text.into());
    all.insert("@module".into(), "terrane.ui".into());
    all.insert("@timestamp".into(), now.into());
    all.insert("type".into(), kind.into());
    if let Json::Object(body) = body {
        all.extend(body);
    }
    format!("{}\n", Json::Object(all))
}

/// The first line.
pub fn version(version: &str) -> String {
    line("info", &format!("Terrane {version}"), "version", json!({ "terrane": version, "ui": UI }))
}

/// Messages.
pub fn diagnostics(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let (level, word) = if diagnostic.is_error() { ("error", "Error") } else { ("warn", "Warning") };
            let body = json!({ "diagnostic": diagnostics_json::one(diagnostic, sources) });
            line(level, &format!("{word}: {}", diagnostic.summary), "diagnostic", body)
        })
        .collect()
}

/// What is planned: a line for each object that changed elsewhere, one for each change, one for the sum, and one for the outputs.
pub fn planned(plan: &Plan) -> String {
    let mut out = String::new();
    for drift in drift_that_matters(plan) {
        let action = if drift.after.is_some() { "update" } else { "delete" };
        let change = json!({ "resource": resource(&drift.address), "action": action });
        let text = format!("{}: Drift detected ({action})", drift.address);
        out.push_str(&line("info", &text, "resource_drift", json!({ "change": change })));
    }
    for change in &plan.changes {
        let action = match change.action {
            Action::NoOp if change.importing.is_some() => "import",
            Action::NoOp if change.previous_address.is_some() => "move",
            Action::NoOp => continue,
            action => verb(action),
        };
        let mut body = Map::new();
        body.insert("resource".into(), resource(&change.address));
        if let Some(previous) = &change.previous_address {
            body.insert("previous_resource".into(), resource(previous));
        }
        body.insert("action".into(), action.into());
        if let Some(reason) = reason(change.reason.json_name()) {
            body.insert("reason".into(), reason.into());
        }
        if let Some(id) = &change.importing {
            body.insert("importing".into(), json!({ "id": id }));
        }
        if let Some(text) = plan.generated.get(&change.address) {
            body.insert("generated_config".into(), text.as_str().into());
        }
        let text = format!("{}: Plan to {action}", change.address);
        out.push_str(&line("info", &text, "planned_change", json!({ "change": body })));
    }
    out.push_str(&summary("plan", plan.totals(), &format!("Plan: {}", super::plan_text::sum(plan.totals()))));
    let changed = plan.outputs.iter().filter(|(_, change)| change.action() != Action::NoOp);
    let outputs: Map<String, Json> = changed
        .map(|(name, change)| {
            (name.to_string(), json!({ "sensitive": change.sensitive, "action": verb(change.action()) }))
        })
        .collect();
    if !outputs.is_empty() {
        out.push_str(&self::outputs(Json::Object(outputs)));
    }
    out
}

/// The stream names reasons of replacements in other words than a plan does.
fn reason(name: Option<&'static str>) -> Option<&'static str> {
    name.map(|name| match name {
        "replace_by_request" => "requested",
        "replace_by_triggers" => "replace_triggered_by",
        name => name.strip_prefix("replace_because_").unwrap_or(name),
    })
}

/// What was done.
pub fn done(mode: Mode, totals: Totals, text: &str) -> String {
    summary(if mode == Mode::Destroy { "destroy" } else { "apply" }, totals, text)
}

fn summary(operation: &str, totals: Totals, text: &str) -> String {
    let changes = json!({
        "add": totals.add,
        "change": totals.change,
        "import": totals.import,
        "remove": totals.destroy,
        "operation": operation,
    });
    line("info", text, "change_summary", json!({ "changes": changes }))
}

/// The outputs.
pub fn outputs(outputs: Json) -> String {
    let count = outputs.as_object().map_or(0, Map::len);
    line("info", &format!("Outputs: {count}"), "outputs", json!({ "outputs": outputs }))
}

#[cfg(test)]
mod tests {
    use terrane_model::Reason;

    use super::reason;

    #[test]
    fn reasons_have_the_names_of_the_stream() {
        let named = [
            (Reason::Plain, None),
            (Reason::ReplaceBecauseCannotUpdate, Some("cannot_update")),
            (Reason::ReplaceBecauseTainted, Some("tainted")),
            (Reason::ReplaceByRequest, Some("requested")),
            (Reason::ReplaceByTriggers, Some("replace_triggered_by")),
            (Reason::DeleteBecauseEachKey, Some("delete_because_each_key")),
        ];
        for (given, name) in named {
            assert_eq!(reason(given.json_name()), name);
        }
    }
}
