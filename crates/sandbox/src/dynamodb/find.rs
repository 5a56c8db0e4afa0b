//! Finding the table that a call names, and knowing what may be done to it now.

use serde_json::{Map, Value};

use super::records::{Table, Work};
use crate::visit::Visit;
use crate::wire::Refusal;

/// The body of a call as an object.
pub(super) fn body(visit: &Visit<'_>) -> Result<Map<String, Value>, Refusal> {
    visit.call.json()
}

/// The name of a table that may be given as an ARN; text that is no ARN of this account and region stays as it is.
pub(super) fn bare_name<'n>(visit: &Visit<'_>, name: &'n str) -> &'n str {
    let prefix = visit.regional_arn("dynamodb", "table/");
    let rest = name.strip_prefix(&prefix).unwrap_or(name);
    rest.split('/').next().unwrap_or(rest)
}

/// The table name in a body.
pub(super) fn name_in(visit: &Visit<'_>, body: &Map<String, Value>) -> Result<String, Refusal> {
    match body.get("TableName") {
        Some(Value::String(name)) => checked(bare_name(visit, name)).map(str::to_owned),
        None | Some(Value::Null) => Err(Refusal::validation(
            "The parameter 'TableName' is required but was not present in the request",
        )),
        Some(_) => Err(Refusal::serialization("TableName cannot be converted to String")),
    }
}

fn checked(name: &str) -> Result<&str, Refusal> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if !(3..=255).contains(&name.len()) {
        return Err(Refusal::validation(
            "TableName must be at least 3 characters long and at most 255 characters long",
        ));
    }
    if name.bytes().all(fits) {
        return Ok(name);
    }
    Err(Refusal::validation(format!(
        "1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    )))
}

/// The table of a name, whatever is being done to it.
pub(crate) fn table(visit: &Visit<'_>, name: &str) -> Result<Option<Table>, Refusal> {
    Ok(visit.store.get::<Table>(&Table::key_of(visit.region(), name))?)
}

/// The table of a name, or the refusal that it is not there.
pub(super) fn existing(visit: &Visit<'_>, name: &str) -> Result<Table, Refusal> {
    table(visit, name)?.ok_or_else(|| {
        Refusal::new(
            "ResourceNotFoundException",
            format!("Requested resource not found: Table: {name} not found"),
        )
    })
}

/// A table that nothing is being done to.
pub(super) fn idle(visit: &Visit<'_>, name: &str) -> Result<Table, Refusal> {
    let table = existing(visit, name)?;
    match table.phase.at(visit.now) {
        None => Ok(table),
        Some(work) => Err(in_use(name, work)),
    }
}

pub(super) fn in_use(name: &str, work: Work) -> Refusal {
    let doing = match work {
        Work::Creating => "created",
        Work::Updating => "updated",
        Work::Deleting => "deleted",
    };
    let message =
        format!("Attempt to change a resource which is still in use: Table is being {doing}: {name}");
    Refusal::new("ResourceInUseException", message)
}

/// The table that an ARN names in `ResourceArn`.
pub(super) fn of_resource(
    visit: &Visit<'_>,
    body: &Map<String, Value>,
) -> Result<(String, Option<Table>), Refusal> {
    let arn = body.get("ResourceArn").and_then(Value::as_str).unwrap_or_default();
    let prefix = visit.regional_arn("dynamodb", "table/");
    match arn.strip_prefix(&prefix) {
        Some(name) => Ok((arn.to_owned(), table(visit, name)?)),
        None => Err(Refusal::validation("Invalid TableArn")),
    }
}

/// The table of a stream's ARN.
pub(super) fn table_of_stream(visit: &Visit<'_>, arn: &str) -> Option<String> {
    let rest = arn.strip_prefix(&visit.regional_arn("dynamodb", "table/"))?;
    rest.split_once("/stream/").map(|(table, _)| table.to_owned())
}
