//! `terrane sandbox probe`: shows who can read the tables of a stack, by reading.
//!
//! In the stack's sandbox the identity that deploys puts one item into each table. Then the user, with an access key made
//! for the purpose, and the identity that deploys both ask for that item. Key and items are removed again, however it went.

use std::collections::HashMap;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ScalarAttributeType};
use serde_json::{Value as Json, json};
use terrane_aws::client::Sandbox as SandboxClient;
use terrane_model::{Diagnostic, Mode};
use terrane_sandbox::Options;
use terrane_state::{Snapshot, Store};

use crate::exit::{Ended, Exit, Problem};
use crate::render::paint::Tone;
use crate::render::value_text::line;
use crate::session::{client_of, folder_organization, open_sandbox};
use crate::stack::state_backend;
use crate::terminal::Terminal;
use crate::work::block_on;

/// One table, where it is, and the key of the item that is put into it.
struct Probe {
    table: String,
    region: String,
}

/// What came of one read.
enum Read {
    Returned,
    Refused(String),
    Failed(String),
}

/// Runs the command.
pub fn run(user: &str, tables: Vec<String>, terminal: &Terminal) -> Ended {
    let mut backend = state_backend()?;
    let snapshot = Store::peek(backend.as_mut())?.unwrap_or_else(|| Snapshot::empty(""));
    let probes = probes(&snapshot, tables)?;
    let options = Options { organization: folder_organization()?, ..Options::default() };
    let sandbox = client_of(&open_sandbox(options)?);
    block_on(async {
        let user_keys = make_key(&sandbox, user).await?;
        let mut kept = true;
        let mut reads = Vec::new();
        let mut failure = None;
        for probe in &probes {
            match one(&sandbox, &user_keys, user, probe, terminal).await {
                Ok((good, read)) => {
                    kept &= good;
                    reads.extend(read);
                }
                Err(problem) => {
                    failure = Some(problem);
                    break;
                }
            }
        }
        // The key goes, whatever came of the reads.
        let removed = remove_key(&sandbox, user, user_keys.access_key_id()).await;
        failure.map_or(Ok(()), Err)?;
        removed?;
        if terminal.json {
            terminal.say(&format!("{:#}\n", json!({ "user": user, "ok": kept, "reads": reads })));
        }
        Ok(if kept { Exit::Done } else { Exit::Failed })
    })
}

/// The tables of the state, or the named ones, each with its region.
fn probes(snapshot: &Snapshot, named: Vec<String>) -> Result<Vec<Probe>, Problem> {
    let mut known: Vec<Probe> = Vec::new();
    for (address, _, object) in snapshot.current() {
        let resource = &address.resource;
        if resource.mode != Mode::Managed || resource.type_name.as_ref() != "aws_dynamodb_table" {
            continue;
        }
        let text = |name: &str| object.attributes.get(name).and_then(|json| json.as_str());
        let region = text("arn").and_then(|arn| arn.split(':').nth(3));
        if let (Some(table), Some(region)) = (text("name"), region) {
            known.push(Probe { table: table.to_owned(), region: region.to_owned() });
        }
    }
    if named.is_empty() {
        if known.is_empty() {
            let detail = "The state has no `aws_dynamodb_table`, so there is nothing to read.";
            return Err(Diagnostic::error("nothing-to-probe", "No tables", detail)
                .hint("`terrane apply --sandbox` makes them.")
                .into());
        }
        return Ok(known);
    }
    named
        .into_iter()
        .map(|name| {
            let at = known.iter().position(|probe| probe.table == name);
            at.map(|i| known.remove(i)).ok_or_else(|| {
                let detail = format!("The state has no table `{name}`.");
                Diagnostic::error("nothing-to-probe", "No such table", detail).into()
            })
        })
        .collect()
}

/// Reads one table as both, and says what came of each. True when the user was refused and the other was not.
async fn one(
    sandbox: &SandboxClient,
    user_keys: &Credentials,
    user: &str,
    probe: &Probe,
    terminal: &Terminal,
) -> Result<(bool, [Json; 2]), Problem> {
    let deployer = dynamodb(sandbox, sandbox.credentials.clone(), &probe.region);
    let key = key_of(&deployer, &probe.table).await?;
    let put = deployer.put_item().table_name(&probe.table).set_item(Some(key.clone())).send().await;
    put.map_err(|error| failed(&format!("put an item into the table `{}`", probe.table), &error))?;
    let as_user = read(&dynamodb(sandbox, user_keys.clone(), &probe.region), &probe.table, &key).await;
    let as_deployer = read(&deployer, &probe.table, &key).await;
    let removed = deployer.delete_item().table_name(&probe.table).set_key(Some(key)).send().await;
    removed.map_err(|error| {
        failed(&format!("remove the item from the table `{}` again", probe.table), &error)
    })?;
    let refused = matches!(as_user, Read::Refused(_));
    let returned = matches!(as_deployer, Read::Returned);
    if !terminal.json {
        terminal.say(&told(&probe.table, user, &as_user, refused, terminal));
        terminal.say(&told(&probe.table, "the deploying identity", &as_deployer, returned, terminal));
    }
    let reads = [
        as_json(&probe.table, "user", &as_user, refused),
        as_json(&probe.table, "deployer", &as_deployer, returned),
    ];
    Ok((refused && returned, reads))
}

/// What came of a read, for tools.
fn as_json(table: &str, who: &str, read: &Read, good: bool) -> Json {
    let (result, message) = match read {
        Read::Returned => ("returned", None),
        Read::Refused(message) => ("refused", Some(message)),
        Read::Failed(message) => ("failed", Some(message)),
    };
    json!({ "table": table, "as": who, "result": result, "message": message, "ok": good })
}

fn told(table: &str, who: &str, read: &Read, good: bool, terminal: &Terminal) -> String {
    let text = match read {
        Read::Returned => "returned the item".to_owned(),
        Read::Refused(message) if message.contains("kms:") => format!("refused by KMS: {message}"),
        Read::Refused(message) => format!("refused: {message}"),
        Read::Failed(message) => format!("failed: {message}"),
    };
    let sign =
        terminal.paint.tone(if good { Tone::Add } else { Tone::Error }, if good { "ok" } else { "NOT OK" });
    format!("{sign}  {table}, GetItem as {who}: {}\n", line(&text))
}

/// A key that no item has yet: the partition key and the sort key with values made for this run.
async fn key_of(
    client: &aws_sdk_dynamodb::Client,
    table: &str,
) -> Result<HashMap<String, AttributeValue>, Problem> {
    let described = client.describe_table().table_name(table).send().await;
    let described = described.map_err(|error| failed(&format!("describe the table `{table}`"), &error))?;
    let Some(table) = described.table else {
        let detail = format!("The sandbox answered without a description of the table `{table}`.");
        return Err(Diagnostic::error("provider-bug", "Unexpected answer", detail).into());
    };
    let unique = uuid::Uuid::new_v4();
    let value = |name: &str| {
        let defined = table.attribute_definitions().iter().find(|defined| defined.attribute_name() == name);
        match defined.map(|defined| defined.attribute_type()) {
            Some(ScalarAttributeType::N) => AttributeValue::N((unique.as_u128() >> 64).to_string()),
            Some(ScalarAttributeType::B) => AttributeValue::B(Blob::new(unique.as_bytes().as_slice())),
            _ => AttributeValue::S(format!("terrane-probe-{unique}")),
        }
    };
    Ok(table
        .key_schema()
        .iter()
        .map(|key| (key.attribute_name().to_owned(), value(key.attribute_name())))
        .collect())
}

async fn read(client: &aws_sdk_dynamodb::Client, table: &str, key: &HashMap<String, AttributeValue>) -> Read {
    let answer =
        client.get_item().table_name(table).set_key(Some(key.clone())).consistent_read(true).send().await;
    match answer {
        Ok(answer) if answer.item.is_some() => Read::Returned,
        Ok(_) => Read::Failed("the item is not there".to_owned()),
        Err(error) => {
            let message = describe(&error);
            match error.code() {
                Some("AccessDeniedException") => Read::Refused(message),
                _ => Read::Failed(message),
            }
        }
    }
}

fn dynamodb(sandbox: &SandboxClient, keys: Credentials, region: &str) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::from_conf(
        aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(keys)
            .http_client(sandbox.http_client.clone())
            .build(),
    )
}

fn iam(sandbox: &SandboxClient) -> aws_sdk_iam::Client {
    aws_sdk_iam::Client::from_conf(
        aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(sandbox.region))
            .credentials_provider(sandbox.credentials.clone())
            .http_client(sandbox.http_client.clone())
            .build(),
    )
}

async fn make_key(sandbox: &SandboxClient, user: &str) -> Result<Credentials, Problem> {
    let made = iam(sandbox).create_access_key().user_name(user).send().await;
    let made = made.map_err(|error| failed(&format!("make an access key for the user `{user}`"), &error))?;
    let Some(key) = made.access_key else {
        let detail = "The sandbox answered without an access key.";
        return Err(Diagnostic::error("provider-bug", "Unexpected answer", detail).into());
    };
    Ok(Credentials::new(key.access_key_id, key.secret_access_key, None, None, "probe"))
}

async fn remove_key(sandbox: &SandboxClient, user: &str, id: &str) -> Result<(), Problem> {
    let removed = iam(sandbox).delete_access_key().user_name(user).access_key_id(id).send().await;
    removed.map(drop).map_err(|error| failed(&format!("remove the access key `{id}` again"), &error))
}

fn failed<E: ProvideErrorMetadata>(doing: &str, error: &SdkError<E, HttpResponse>) -> Problem {
    let detail = format!("Could not {doing}. {}.", describe(error).trim_end_matches('.'));
    Diagnostic::error("probe-failed", "Probe failed", detail).into()
}

/// Code and message of the service, or what happened instead of an answer.
fn describe<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => error.to_string(),
    }
}
