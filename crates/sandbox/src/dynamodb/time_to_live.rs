//! Items that expire.

use serde::Deserialize;
use serde_json::json;

use super::records::TimeToLive;
use super::{access, find};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

pub(super) fn describe(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let name = find::name_in(visit, &find::body(visit)?)?;
    access::table(visit, "dynamodb:DescribeTimeToLive", &name)?;
    let table = find::existing(visit, &name)?;
    let description = match &table.time_to_live {
        None => json!({ "TimeToLiveStatus": "DISABLED" }),
        Some(settings) => match (settings.enabled, visit.now < settings.changing_until) {
            (true, true) => json!({ "TimeToLiveStatus": "ENABLING", "AttributeName": settings.attribute }),
            (true, false) => json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": settings.attribute }),
            (false, true) => json!({ "TimeToLiveStatus": "DISABLING", "AttributeName": settings.attribute }),
            (false, false) => json!({ "TimeToLiveStatus": "DISABLED" }),
        },
    };
    Ok(json!({ "TimeToLiveDescription": description }).into())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    time_to_live_specification: Specification,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Specification {
    enabled: bool,
    attribute_name: String,
}

pub(super) fn update(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let mut body = find::body(visit)?;
    let input: Input = visit.call.json()?;
    let name = find::name_in(visit, &body)?;
    access::table(visit, "dynamodb:UpdateTimeToLive", &name)?;
    let Specification { enabled, attribute_name: attribute } = input.time_to_live_specification;
    if attribute.is_empty() || attribute.chars().count() > 255 {
        return Err(Refusal::validation(
            "1 validation error detected: Value at 'timeToLiveSpecification.attributeName' failed to satisfy constraint: Member must have length between 1 and 255",
        ));
    }
    let mut table = find::idle(visit, &name)?;
    let active = table.time_to_live.as_ref().filter(|settings| settings.enabled);
    match (active, enabled) {
        (Some(_), true) => return Err(Refusal::validation("TimeToLive is already enabled")),
        (None, false) => return Err(Refusal::validation("TimeToLive is already disabled")),
        (Some(settings), false) if settings.attribute != attribute => {
            return Err(Refusal::validation(format!(
                "TimeToLive is active on a different AttributeName: current AttributeName is {}",
                settings.attribute
            )));
        }
        _ => {}
    }
    if table.time_to_live.as_ref().is_some_and(|settings| visit.now < settings.changing_until) {
        return Err(Refusal::validation(
            "Time to live has been modified multiple times within a fixed interval",
        ));
    }
    body.insert("TableName".to_owned(), name.as_str().into());
    visit.engine()?.call("UpdateTimeToLive", &serde_json::Value::Object(body).to_string())?;
    table.time_to_live = Some(TimeToLive {
        attribute: attribute.clone(),
        enabled,
        changing_until: visit.now.plus(visit.options.table_settling),
    });
    visit.store.put(&table)?;
    Ok(json!({ "TimeToLiveSpecification": { "Enabled": enabled, "AttributeName": attribute } }).into())
}
