//! Operations on items: who may, and then the engine.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use terrane_iam::Context;

use super::records::Work;
use super::{access, attributes, find, leading, statement};
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

/// One access that a call needs.
#[derive(Debug, PartialEq)]
pub(super) struct Access {
    pub(super) action: String,
    pub(super) table: String,
    pub(super) index: Option<String>,
    pub(super) context: Context,
}

/// Serves an operation on items.
pub(super) fn serve(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let operation = visit.call.operation.as_str();
    let mut body = find::body(visit)?;
    for access in accesses(visit, operation, &body)? {
        access::items(visit, &access.action, &access.table, access.index.as_deref(), access.context)?;
        // A table that is not there is the engine's to refuse, in the operation's own words.
        let work = find::table(visit, &access.table)?.and_then(|table| table.phase.at(visit.now));
        if matches!(work, Some(Work::Creating | Work::Deleting)) {
            return Err(Refusal::new("ResourceNotFoundException", "Requested resource not found"));
        }
    }
    let renamed = bare_names(visit, operation, &mut body);
    let text = if renamed { Value::Object(body).to_string() } else { visit.call.body.clone() };
    Ok(Reply::Json(visit.engine()?.call(operation, &text)?))
}

fn accesses(visit: &Visit<'_>, operation: &str, body: &Map<String, Value>) -> Result<Vec<Access>, Refusal> {
    let list = |name: &str| body.get(name).and_then(Value::as_array).into_iter().flatten();
    let mut found = Vec::new();
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body.get("RequestItems").and_then(Value::as_object);
            for (table, request) in tables.into_iter().flatten() {
                let access = plain(visit, operation, table);
                found.push(match request.as_object() {
                    Some(request) => about(visit, access, request)?,
                    None => {
                        let access = with_attributes(access, attributes::named_in_writes(request));
                        with_keys(visit, access, |key| leading::keys_of_writes(key, request))?
                    }
                });
            }
        }
        "TransactGetItems" => {
            for item in list("TransactItems") {
                found.extend(within(visit, item, "Get", "GetItem")?);
            }
        }
        "TransactWriteItems" => {
            let kinds = [
                ("Put", "PutItem"),
                ("Update", "UpdateItem"),
                ("Delete", "DeleteItem"),
                ("ConditionCheck", "ConditionCheckItem"),
            ];
            for (item, (kind, action)) in
                list("TransactItems").flat_map(|item| kinds.map(|kind| (item, kind)))
            {
                found.extend(within(visit, item, kind, action)?);
            }
        }
        "ExecuteStatement" => found.extend(statement::access(visit, body)),
        "ExecuteTransaction" => found.extend(members(visit, list("TransactStatements"))),
        "BatchExecuteStatement" => found.extend(members(visit, list("Statements"))),
        _ => {
            let name = find::name_in(visit, body)?;
            let mut access = plain(visit, operation, &name);
            access.index = body.get("IndexName").and_then(Value::as_str).map(str::to_owned);
            for (field, key) in [("Select", "dynamodb:Select"), ("ReturnValues", "dynamodb:ReturnValues")] {
                if let Some(value) = body.get(field).and_then(Value::as_str) {
                    access.context = access.context.with(key, value);
                }
            }
            found.push(about(visit, access, body)?);
        }
    }
    Ok(found)
}

/// Adds what a request on one table names.
fn about(visit: &Visit<'_>, access: Access, request: &Map<String, Value>) -> Result<Access, Refusal> {
    let access = with_attributes(access, attributes::named(request));
    with_keys(visit, access, |key| leading::keys(key, request))
}

/// Adds the attributes that the request names.
fn with_attributes(mut access: Access, named: BTreeSet<String>) -> Access {
    if !named.is_empty() {
        access.context = access.context.with_all("dynamodb:Attributes", named);
    }
    access
}

/// Adds the partition keys that the request names, where the table's own keys are meant.
fn with_keys(
    visit: &Visit<'_>,
    mut access: Access,
    keys: impl FnOnce(&str) -> Vec<String>,
) -> Result<Access, Refusal> {
    if access.index.is_none()
        && let Some(table) = find::table(visit, &access.table)?
    {
        let keys = keys(&table.partition_key);
        if !keys.is_empty() {
            access.context = access.context.with_all("dynamodb:LeadingKeys", keys);
        }
    }
    Ok(access)
}

fn members<'v>(visit: &Visit<'_>, list: impl Iterator<Item = &'v Value>) -> Vec<Access> {
    list.filter_map(Value::as_object).filter_map(|member| statement::access(visit, member)).collect()
}

fn plain(visit: &Visit<'_>, operation: &str, table: &str) -> Access {
    Access {
        action: format!("dynamodb:{operation}"),
        table: find::bare_name(visit, table).to_owned(),
        index: None,
        context: Context::complete(),
    }
}

fn within(visit: &Visit<'_>, item: &Value, kind: &str, action: &str) -> Result<Option<Access>, Refusal> {
    let Some(request) = item.get(kind).and_then(Value::as_object) else { return Ok(None) };
    let Some(table) = request.get("TableName").and_then(Value::as_str) else { return Ok(None) };
    let mut access = plain(visit, action, table);
    access.context = access.context.with("dynamodb:EnclosingOperation", &visit.call.operation);
    about(visit, access, request).map(Some)
}

/// Writes the names of tables that were given as ARNs as the engine knows them; says whether there were any.
fn bare_names(visit: &Visit<'_>, operation: &str, body: &mut Map<String, Value>) -> bool {
    let mut changed = false;
    if let Some(Value::String(name)) = body.get_mut("TableName") {
        changed |= shorten(visit, name);
    }
    if operation.starts_with("Transact") {
        let items = body.get_mut("TransactItems").and_then(Value::as_array_mut);
        for request in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            for (_, part) in request.iter_mut() {
                if let Some(Value::String(name)) = part.get_mut("TableName") {
                    changed |= shorten(visit, name);
                }
            }
        }
    }
    if let Some(Value::Object(tables)) = body.get_mut("RequestItems")
        && tables.keys().any(|name| name.starts_with("arn:"))
    {
        let renamed = std::mem::take(tables).into_iter();
        *tables =
            renamed.map(|(name, request)| (find::bare_name(visit, &name).to_owned(), request)).collect();
        changed = true;
    }
    changed
}

fn shorten(visit: &Visit<'_>, name: &mut String) -> bool {
    let bare = find::bare_name(visit, name);
    if bare.len() == name.len() {
        return false;
    }
    *name = bare.to_owned();
    true
}
