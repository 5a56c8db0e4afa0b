//! The engine that keeps the items: one DynamoDB emulator for each region, each in a file of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::records::Table;
use crate::OpenError;
use crate::folder::Folder;
use crate::store::{Changes, claim};
use crate::wire::Refusal;

/// The engine's own region and account, which no answer may show.
const ENGINE_ARN: &str = "arn:aws:dynamodb:dynoxide:000000000000:";
const ENGINE_REGION: &str = "\"awsRegion\":\"dynoxide\"";

/// The engines of all regions, opened when they are first asked for.
pub(crate) struct Engines {
    folder: Option<Arc<Folder>>,
    open: Mutex<BTreeMap<String, Database>>,
}

impl fmt::Debug for Engines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Engines").field("folder", &self.folder).finish_non_exhaustive()
    }
}

const PREFIX: &str = "dynamodb-";
const SUFFIX: &str = ".db";

impl Engines {
    /// Looks at the files of all regions, so that a broken one is found now and not in the middle of a call.
    pub(crate) fn check(folder: Option<Arc<Folder>>) -> Result<Engines, OpenError> {
        if let Some(folder) = &folder {
            for region in folder.names_between(PREFIX, SUFFIX) {
                drop(claim(&folder.private_file(&file_name(&region))?)?);
            }
        }
        Ok(Engines { folder, open: Mutex::new(BTreeMap::new()) })
    }

    /// The engine of a region.
    pub(crate) fn region(&self, region: &str, store: &Changes<'_>) -> Result<Engine, Refusal> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = open.get(region) {
            return Ok(Engine { database: database.clone() });
        }
        let database = match &self.folder {
            None => Database::memory().map_err(|error| refusal("", error))?,
            Some(folder) => {
                let unusable = |error: OpenError| Refusal::internal(error.to_string());
                let path = folder.private_file(&file_name(region)).map_err(unusable)?;
                drop(claim(&path).map_err(unusable)?);
                let path = path
                    .to_str()
                    .ok_or_else(|| Refusal::internal("The sandbox's folder must have a name in UTF-8."))?;
                let database = Database::new(path).map_err(|error| refusal("", error))?;
                // Sets the usual way of writing, which survives a killed process without waiting for the disk at each call.
                database.disable_bulk_loading().map_err(|error| refusal("", error))?;
                database
            }
        };
        let engine = Engine { database: database.clone() };
        engine.drop_strays(region, store)?;
        open.insert(region.to_owned(), database);
        Ok(engine)
    }
}

fn file_name(region: &str) -> String {
    format!("{PREFIX}{region}{SUFFIX}")
}

pub(super) fn parsed(text: &str) -> Result<Value, Refusal> {
    serde_json::from_str(text).map_err(|error| Refusal::internal(error.to_string()))
}

/// The engine of one region.
pub(crate) struct Engine {
    database: Database,
}

impl Engine {
    /// Drops what an interrupted call has left: tables that were made or kept without the store knowing of them.
    fn drop_strays(&self, region: &str, store: &Changes<'_>) -> Result<(), Refusal> {
        let mut asked = "{}".to_owned();
        loop {
            let page = parsed(&self.call("ListTables", &asked)?)?;
            for name in page.get("TableNames").and_then(Value::as_array).into_iter().flatten() {
                let Some(name) = name.as_str() else { continue };
                let kept = store.get::<Table>(&Table::key_of(region, name))?;
                if kept.is_none_or(|table| table.last_description.is_some()) {
                    self.drop_table(name)?;
                }
            }
            match page.get("LastEvaluatedTableName").filter(|last| !last.is_null()) {
                Some(last) => asked = serde_json::json!({ "ExclusiveStartTableName": last }).to_string(),
                None => return Ok(()),
            }
        }
    }

    /// Deletes a table if it is there.
    pub(crate) fn drop_table(&self, name: &str) -> Result<(), Refusal> {
        let unprotected =
            serde_json::json!({ "TableName": name, "DeletionProtectionEnabled": false }).to_string();
        let body = serde_json::json!({ "TableName": name }).to_string();
        let absent = |refusal: &Refusal| refusal.code == "ResourceNotFoundException";
        for (operation, body) in [("UpdateTable", unprotected), ("DeleteTable", body)] {
            match self.call(operation, &body) {
                Err(refusal) if !absent(&refusal) => return Err(refusal),
                _ => {}
            }
        }
        Ok(())
    }

    /// Runs one operation on a JSON body.
    pub(super) fn call(&self, operation: &str, body: &str) -> Result<String, Refusal> {
        let db = &self.database;
        match operation {
            "CreateTable" => run(operation, body, |input| db.create_table(input)),
            "DeleteTable" => run(operation, body, |input| db.delete_table(input)),
            "DescribeTable" => run(operation, body, |input| db.describe_table(input)),
            "UpdateTable" => run(operation, body, |input| db.update_table(input)),
            "ListTables" => run(operation, body, |input| db.list_tables(input)),
            "UpdateTimeToLive" => run(operation, body, |input| db.update_time_to_live(input)),
            "PutItem" => run(operation, body, |input| db.put_item(input)),
            "GetItem" => run(operation, body, |input| db.get_item(input)),
            "DeleteItem" => run(operation, body, |input| db.delete_item(input)),
            "UpdateItem" => run(operation, body, |input| db.update_item(input)),
            "Query" => run(operation, body, |input| db.query(input)),
            "Scan" => run(operation, body, |input| db.scan(input)),
            "BatchGetItem" => run(operation, body, |input| db.batch_get_item(input)),
            "BatchWriteItem" => run(operation, body, |input| db.batch_write_item(input)),
            "TransactWriteItems" => run(operation, body, |input| db.transact_write_items(input)),
            "TransactGetItems" => run(operation, body, |input| db.transact_get_items(input)),
            "ExecuteStatement" => run(operation, body, |input| db.execute_statement(input)),
            "ExecuteTransaction" => run(operation, body, |input| db.execute_transaction(input)),
            "BatchExecuteStatement" => run(operation, body, |input| db.batch_execute_statement(input)),
            "ListStreams" => run(operation, body, |input| db.list_streams(input)),
            "DescribeStream" => run(operation, body, |input| db.describe_stream(input)),
            "GetShardIterator" => run(operation, body, |input| db.get_shard_iterator(input)),
            "GetRecords" => run(operation, body, |input| db.get_records(input)),
            _ => Err(Refusal::unknown_operation()),
        }
    }
}

/// Rewrites the engine's own ARNs into those of a region and account.
pub(super) fn outward(text: &str, region: &str, account: &str) -> String {
    text.replace(ENGINE_ARN, &format!("arn:aws:dynamodb:{region}:{account}:"))
        .replace(ENGINE_REGION, &format!("\"awsRegion\":\"{region}\""))
}

/// Rewrites ARNs of a region and account into the engine's own.
pub(super) fn inward(text: &str, region: &str, account: &str) -> String {
    text.replace(&format!("arn:aws:dynamodb:{region}:{account}:"), ENGINE_ARN)
}

fn run<Input: DeserializeOwned, Output: Serialize>(
    operation: &str,
    body: &str,
    act: impl FnOnce(Input) -> dynoxide::Result<Output>,
) -> Result<String, Refusal> {
    let body = if body.is_empty() { "{}" } else { body };
    let input = serde_json::from_str(body).map_err(|error| unreadable(operation, &error.to_string()))?;
    let output = act(input).map_err(|error| refusal(operation, error))?;
    serde_json::to_string(&output).map_err(|error| Refusal::internal(error.to_string()))
}

fn refusal(operation: &str, error: DynoxideError) -> Refusal {
    if let DynoxideError::EnvelopedValidation(message) = &error {
        return enveloped(operation, message);
    }
    let code = error.error_type().rsplit('#').next().unwrap_or_default().to_owned();
    Refusal {
        status: error.status_code(),
        code: code.into(),
        message: error.to_string(),
        body: Some(error.to_json()),
    }
}

/// Some refusals of three operations say how many errors there are.
fn enveloped(operation: &str, message: &str) -> Refusal {
    Refusal::validation(match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => format!("1 validation error detected: {message}"),
        _ => message.to_owned(),
    })
}

/// Tells what is wrong with a body that the engine could not read. The engine marks its own findings by a prefix.
fn unreadable(operation: &str, message: &str) -> Refusal {
    let clean = message.rfind(" at line ").and_then(|end| message.get(..end)).unwrap_or(message);
    if let Some(found) = clean.strip_prefix("VALIDATION_REQUEST:") {
        return enveloped(operation, found);
    }
    for (prefix, kept) in [("VALIDATION:", clean), ("VALIDATION_AS_READ:", message)] {
        if let Some(found) = kept.strip_prefix(prefix) {
            return Refusal::validation(found);
        }
    }
    for (prefix, kept) in [("SERIALIZATION:", clean), ("SERIALIZATION_AS_READ:", message)] {
        if let Some(found) = kept.strip_prefix(prefix) {
            return Refusal::serialization(found);
        }
    }
    if clean.contains("empty AttributeValue") {
        return Refusal::validation(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        );
    }
    let validation = ["missing field", "unknown variant", "invalid type: null", "Supplied AttributeValue"];
    if validation.iter().any(|words| clean.contains(words)) {
        return Refusal::validation(clean);
    }
    Refusal::serialization(clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn engine() -> Engine {
        let store = Store::in_memory().unwrap();
        let held = store.lock();
        Engines::check(None).unwrap().region("eu-west-3", &held.begin().unwrap()).unwrap()
    }

    #[test]
    fn the_engines_own_names_stay_inside() {
        let text = format!("{{\"a\":\"{ENGINE_ARN}table/x\",\"awsRegion\":\"dynoxide\"}}");
        let shown = outward(&text, "eu-west-3", "123456789012");
        assert_eq!(
            shown,
            "{\"a\":\"arn:aws:dynamodb:eu-west-3:123456789012:table/x\",\"awsRegion\":\"eu-west-3\"}"
        );
        assert_eq!(inward(&shown, "eu-west-3", "123456789012"), text.replace("dynoxide\"}", "eu-west-3\"}"));
    }

    #[test]
    fn numbers_keep_their_digits() {
        let engine = engine();
        let table = r#"{"TableName":"Numbers","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
            "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"N"}],
            "ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":2}}"#;
        let made = parsed(&engine.call("CreateTable", table).unwrap()).unwrap();
        assert_eq!(made["TableDescription"]["ProvisionedThroughput"]["ReadCapacityUnits"], 3);
        let digits = "12345678901234567890.123456789";
        let item = format!(r#"{{"TableName":"Numbers","Item":{{"k":{{"N":"{digits}"}}}}}}"#);
        engine.call("PutItem", &item).unwrap();
        let get = format!(r#"{{"TableName":"Numbers","Key":{{"k":{{"N":"{digits}"}}}}}}"#);
        let got = parsed(&engine.call("GetItem", &get).unwrap()).unwrap();
        assert_eq!(got["Item"]["k"]["N"], digits);
    }

    #[test]
    fn the_engines_markers_never_reach_an_answer() {
        let engine = engine();
        for (operation, body) in [
            ("CreateTable", "{}"),
            ("CreateTable", r#"{"TableName":"x"}"#),
            ("DescribeTable", r#"{"TableName":"a b c"}"#),
            ("PutItem", r#"{"TableName":"Absent","Item":{"k":{}}}"#),
            ("PutItem", r#"{"TableName":1}"#),
            ("GetItem", "{"),
            ("UpdateTable", r#"{"TableName":"Absent","BillingMode":3}"#),
        ] {
            let refusal = engine.call(operation, body).unwrap_err();
            assert!(
                !refusal.message.contains("VALIDATION") && !refusal.message.contains("SERIALIZATION:"),
                "{refusal:?}"
            );
            assert!(
                matches!(
                    refusal.code.as_ref(),
                    "ValidationException" | "SerializationException" | "ResourceNotFoundException"
                ),
                "{refusal:?}"
            );
        }
    }
}
