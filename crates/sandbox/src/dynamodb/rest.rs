//! Smaller operations: streams, contributor insights, limits, endpoints, and lists of what the sandbox has none of.

use serde_json::{Value, json};
use terrane_iam::Context;

use super::engine::{inward, outward};
use super::{access, find};
use crate::authorize;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

/// Serves an operation of DynamoDB Streams.
pub(super) fn stream(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let operation = visit.call.operation.as_str();
    let body = find::body(visit)?;
    let arn = body.get("StreamArn").and_then(Value::as_str).unwrap_or("*");
    let action = format!("dynamodb:{operation}");
    match find::table_of_stream(visit, arn) {
        Some(table) if operation != "ListStreams" => {
            access::items(visit, &action, &table, None, Context::complete())?;
        }
        _ => authorize::identity(visit, &action, arn, Context::complete())?,
    }
    let text = inward(&visit.call.body, visit.region(), visit.account());
    let answer = visit.engine()?.call(operation, &text)?;
    Ok(Reply::Json(outward(&answer, visit.region(), visit.account())))
}

pub(super) fn limits(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    access::account(visit, "dynamodb:DescribeLimits")?;
    Ok(json!({
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    })
    .into())
}

pub(super) fn endpoints(visit: &Visit<'_>) -> Reply {
    let address = format!("dynamodb.{}.amazonaws.com", visit.region());
    json!({ "Endpoints": [{ "Address": address, "CachePeriodInMinutes": 1440 }] }).into()
}

/// An empty list.
pub(super) fn none(visit: &Visit<'_>, list: &str) -> Result<Reply, Refusal> {
    access::account(visit, &format!("dynamodb:{}", visit.call.operation))?;
    Ok(json!({ list: [] }).into())
}

/// Destinations of a table in Kinesis, of which there are none.
pub(super) fn kinesis_destinations(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let name = find::name_in(visit, &find::body(visit)?)?;
    access::table(visit, "dynamodb:DescribeKinesisStreamingDestination", &name)?;
    find::existing(visit, &name)?;
    Ok(json!({ "TableName": name, "KinesisDataStreamDestinations": [] }).into())
}

pub(super) fn update_insights(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let body = find::body(visit)?;
    let name = find::name_in(visit, &body)?;
    access::table(visit, "dynamodb:UpdateContributorInsights", &name)?;
    let mut table = find::existing(visit, &name)?;
    let index = body.get("IndexName").and_then(Value::as_str).unwrap_or_default().to_owned();
    let status = match body.get("ContributorInsightsAction").and_then(Value::as_str) {
        Some("ENABLE") => {
            table.insights.insert(index.clone(), visit.now);
            "ENABLING"
        }
        Some("DISABLE") => {
            table.insights.remove(&index);
            "DISABLING"
        }
        _ => {
            return Err(Refusal::validation(
                "1 validation error detected: Value at 'contributorInsightsAction' failed to satisfy constraint: Member must satisfy enum value set: [ENABLE, DISABLE]",
            ));
        }
    };
    visit.store.put(&table)?;
    let mut answer = json!({ "TableName": name, "ContributorInsightsStatus": status });
    name_index(&mut answer, index);
    Ok(answer.into())
}

pub(super) fn describe_insights(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let body = find::body(visit)?;
    let name = find::name_in(visit, &body)?;
    access::table(visit, "dynamodb:DescribeContributorInsights", &name)?;
    let table = find::existing(visit, &name)?;
    let index = body.get("IndexName").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut answer = match table.insights.get(&index) {
        Some(since) => json!({
            "TableName": name,
            "ContributorInsightsStatus": "ENABLED",
            "ContributorInsightsRuleList": [format!("DynamoDBContributorInsights-PKC-{name}-{}", table.created.0)],
            "LastUpdateDateTime": since.epoch_seconds(),
        }),
        None => json!({ "TableName": name, "ContributorInsightsStatus": "DISABLED" }),
    };
    name_index(&mut answer, index);
    Ok(answer.into())
}

fn name_index(answer: &mut Value, index: String) {
    if let (false, Some(fields)) = (index.is_empty(), answer.as_object_mut()) {
        fields.insert("IndexName".to_owned(), index.into());
    }
}
