//! DynamoDB: the items are kept by an embedded engine; what the engine lacks, and who may do what, is here.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations.html>

mod access;
mod attributes;
mod backups;
mod create;
mod describe;
mod encryption;
mod engine;
mod find;
mod items;
mod leading;
mod records;
mod resource_policy;
mod rest;
mod statement;
mod tagging;
mod time_to_live;
mod update;

pub(crate) use engine::{Engine, Engines};

use records::{DELETION, Table};

use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Service};

/// Serves one call.
pub(crate) fn serve(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let operation = visit.call.operation.as_str();
    let served = if visit.call.service == Service::DynamoDbStreams {
        match operation {
            "ListStreams" | "DescribeStream" | "GetShardIterator" | "GetRecords" => rest::stream(visit),
            _ => Err(Refusal::unknown_operation()),
        }
    } else {
        tables_and_items(visit, operation)
    };
    served.map_err(full_name)
}

fn tables_and_items(visit: &Visit<'_>, operation: &str) -> Result<Reply, Refusal> {
    match operation {
        "CreateTable" => create::create(visit),
        "DeleteTable" => create::delete(visit),
        "UpdateTable" => update::update(visit),
        "DescribeTable" => {
            let name = find::name_in(visit, &find::body(visit)?)?;
            access::table(visit, "dynamodb:DescribeTable", &name)?;
            describe::describe(visit)
        }
        "ListTables" => {
            access::account(visit, "dynamodb:ListTables")?;
            describe::list(visit)
        }

        "DescribeContinuousBackups" => backups::describe(visit),
        "UpdateContinuousBackups" => backups::update(visit),
        "DescribeTimeToLive" => time_to_live::describe(visit),
        "UpdateTimeToLive" => time_to_live::update(visit),
        "TagResource" => tagging::tag(visit),
        "UntagResource" => tagging::untag(visit),
        "ListTagsOfResource" => tagging::list(visit),
        "GetResourcePolicy" => resource_policy::get(visit),
        "PutResourcePolicy" => resource_policy::put(visit),
        "DeleteResourcePolicy" => resource_policy::delete(visit),

        "GetItem"
        | "PutItem"
        | "UpdateItem"
        | "DeleteItem"
        | "Query"
        | "Scan"
        | "BatchGetItem"
        | "BatchWriteItem"
        | "TransactGetItems"
        | "TransactWriteItems"
        | "ExecuteStatement"
        | "ExecuteTransaction"
        | "BatchExecuteStatement" => items::serve(visit),

        "DescribeContributorInsights" => rest::describe_insights(visit),
        "UpdateContributorInsights" => rest::update_insights(visit),
        "DescribeKinesisStreamingDestination" => rest::kinesis_destinations(visit),
        "DescribeLimits" => rest::limits(visit),
        "DescribeEndpoints" => Ok(rest::endpoints(visit)),
        "ListBackups" => rest::none(visit, "BackupSummaries"),
        "ListContributorInsights" => rest::none(visit, "ContributorInsightsSummaries"),
        "ListExports" => rest::none(visit, "ExportSummaries"),
        "ListImports" => rest::none(visit, "ImportSummaryList"),
        "ListGlobalTables" => rest::none(visit, "GlobalTables"),
        _ => Err(Refusal::unknown_operation()),
    }
}

/// DynamoDB names its errors with the API's namespace.
fn full_name(refusal: Refusal) -> Refusal {
    if refusal.body.is_some() || refusal.status >= 500 {
        return refusal;
    }
    let namespace = match refusal.code.as_ref() {
        "ValidationException" => "com.amazon.coral.validate",
        "SerializationException" | "UnknownOperationException" | "AccessDeniedException" => {
            "com.amazon.coral.service"
        }
        _ => "com.amazonaws.dynamodb.v20120810",
    };
    let body = serde_json::json!({
        "__type": format!("{namespace}#{}", refusal.code),
        if namespace == "com.amazon.coral.service" { "Message" } else { "message" }: refusal.message,
    });
    Refusal { body: Some(body.to_string()), ..refusal }
}

/// Does what was to happen to a table by now. Says whether the deadline was one of DynamoDB.
pub(crate) fn fall_due(visit: &Visit<'_>, kind: &str, key: &str) -> Result<bool, Refusal> {
    if kind != DELETION {
        return Ok(false);
    }
    visit.store.delete::<Table>(key)?;
    visit.store.clear_deadline(kind, key)?;
    Ok(true)
}
