//! CloudTrail's `LookupEvents`: management events of the region, the newest first.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use terrane_iam::Context;

use super::record::Record;
use super::{KEY, TABLE};
use crate::authorize;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

/// How many events one answer holds at most.
const PAGE: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LookupEvents {
    #[serde(default)]
    lookup_attributes: Vec<Attribute>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    max_results: Option<i64>,
    next_token: Option<String>,
    event_category: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_key: String,
    attribute_value: String,
}

/// What an event can be found by.
const ATTRIBUTES: [&str; 8] = [
    "EventId",
    "EventName",
    "ReadOnly",
    "Username",
    "ResourceType",
    "ResourceName",
    "EventSource",
    "AccessKeyId",
];

impl Attribute {
    fn fits(&self, record: &Record) -> bool {
        let value = self.attribute_value.as_str();
        match self.attribute_key.as_str() {
            "EventId" => record.id == value,
            "EventName" => record.name == value,
            "ReadOnly" => record.reads.to_string() == value,
            "Username" => record.who.name == value,
            "ResourceType" => record.resources.iter().any(|(kind, _)| kind == value),
            "ResourceName" => record.resources.iter().any(|resource| is_named(resource, value)),
            "EventSource" => value.strip_suffix(".amazonaws.com") == Some(&record.source),
            "AccessKeyId" => record.who.key == value,
            _ => false,
        }
    }
}

/// A resource is found by its ARN and by its name.
fn is_named((kind, name): &(String, String), value: &str) -> bool {
    let short = match kind.as_str() {
        TABLE => name.rsplit_once(":table/"),
        KEY => name.rsplit_once(":key/"),
        _ => name.rsplit_once('/'),
    };
    name == value || short.is_some_and(|(_, short)| short == value)
}

/// Serves a call to CloudTrail.
pub(crate) fn serve(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    match visit.call.operation.as_str() {
        "LookupEvents" => look_up(visit),
        _ => Err(Refusal::unknown_operation()),
    }
}

fn look_up(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: LookupEvents = visit.call.json()?;
    authorize::identity(visit, "cloudtrail:LookupEvents", "*", Context::complete())?;
    let attribute = match input.lookup_attributes.as_slice() {
        [] => None,
        [one] if ATTRIBUTES.contains(&one.attribute_key.as_str()) => Some(one),
        _ => {
            let message = "Invalid lookup attributes: one of them, of a known key, can be given.";
            return Err(Refusal::new("InvalidLookupAttributesException", message));
        }
    };
    let limit = match input.max_results {
        None => PAGE,
        Some(limit) => {
            usize::try_from(limit).ok().filter(|limit| (1..=PAGE).contains(limit)).ok_or_else(|| {
                Refusal::new("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
            })?
        }
    };
    let millis = |seconds: f64| seconds * 1000.0;
    let (start, end) = (input.start_time.map(millis), input.end_time.map(millis));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(Refusal::new("InvalidTimeRangeException", "The start time is after the end time."));
    }
    if input.event_category.as_deref().is_some_and(|category| category != "insight") {
        let message = "The event category is not valid.";
        return Err(Refusal::new("InvalidEventCategoryException", message));
    }
    // There are no insights here.
    let none = input.event_category.is_some();
    let before = input.next_token.as_deref().map(position).transpose()?;
    let fits = |record: &Record| {
        let at = record.at.epoch_seconds() * 1000.0;
        !none
            && !record.data
            && record.region == visit.region()
            && start.is_none_or(|start| at >= start)
            && end.is_none_or(|end| at <= end)
            && attribute.is_none_or(|attribute| attribute.fits(record))
    };
    let (found, more) = visit.store.recorded(before, limit, fits)?;
    let events: Vec<Value> = found.iter().map(|record| event(record, visit.account())).collect();
    let token = more.map(|number| STANDARD.encode(format!("trail:{number}")));
    Ok(match token {
        Some(token) => json!({ "Events": events, "NextToken": token }),
        None => json!({ "Events": events }),
    }
    .into())
}

/// The number of the record before which to go on.
fn position(token: &str) -> Result<i64, Refusal> {
    let bytes = STANDARD.decode(token).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.strip_prefix("trail:")
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Refusal::new("InvalidNextTokenException", "The next token is not valid."))
}

fn event(record: &Record, account: &str) -> Value {
    let resource = |(kind, name): &(String, String)| {
        // Tables go by their names, keys by their ARNs.
        let name = if kind == TABLE { name.rsplit('/').next().unwrap_or(name) } else { name };
        json!({ "ResourceType": kind, "ResourceName": name })
    };
    json!({
        "EventId": record.id,
        "EventName": record.name,
        "ReadOnly": record.reads.to_string(),
        "AccessKeyId": record.who.key,
        "EventTime": record.at.epoch_seconds(),
        "EventSource": format!("{}.amazonaws.com", record.source),
        "Username": record.who.name,
        "Resources": record.resources.iter().map(resource).collect::<Vec<_>>(),
        "CloudTrailEvent": record.json(account).to_string(),
    })
}
