//! `terrane access log`: what the audit trail saw of the keys and tables of the stack.
//!
//! Events are looked up by each key and table of the state, and by the name of each user: an event of a refusal does not always
//! name the resource. Of a user's events those count that speak of the stack's keys and tables.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;
use terrane_access::Estate;
use terrane_aws::client::Clients;
use terrane_aws::trail::{By, Event, PACE, Pace, look_up};
use terrane_model::nearest::nearest;
use terrane_model::{Diagnostic, Mode};
use terrane_plan::access::{Surroundings, estate, objects_of};
use terrane_reconcile::{Sessions, Stop};
use terrane_state::{Snapshot, Store};

use crate::cli::{Global, Log};
use crate::exit::{Ended, Exit, Problem};
use crate::functions;
use crate::leftovers::session_of;
use crate::render::access_log as render;
use crate::session;
use crate::signals;
use crate::stack::Stack;
use crate::terminal::Terminal;
use crate::whereabouts;
use crate::work::{block_on, current_folder, now, unless_stopped};

/// One call that the trail saw.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When, as the trail writes it.
    pub time: String,
    /// The ARN of the caller, or of the role behind a session.
    pub principal: String,
    /// The ARN of the caller, with the name of the session.
    pub caller: String,
    /// The action, such as `kms:Decrypt`.
    pub action: String,
    /// The service that called in the caller's name, such as `dynamodb`.
    pub through: Option<String>,
    /// The ARNs or names of what it was about.
    pub resources: Vec<String>,
    /// The ARN of the table for which a key was used.
    pub table: Option<String>,
    /// Error code and message, of a call that was refused or failed.
    pub error: Option<(String, String)>,
    /// The event as it was recorded.
    pub record: Json,
}

/// A key or table of the state.
struct Thing {
    arn: String,
    region: String,
    account: String,
    /// The names under which events know it.
    names: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global, arguments: &Log, terminal: &Terminal) -> Ended {
    let catalog = session::catalog();
    let (folder, time) = (current_folder()?, now());
    let functions = functions::planning(&folder, &time);
    let stack = Stack::load(&arguments.variables, &catalog, &functions, terminal)?;
    let mut backend = stack.backend()?;
    let place = backend.place();
    let snapshot = Store::peek(backend.as_mut())?.unwrap_or_else(|| Snapshot::empty(""));
    let things = things(&snapshot);
    if things.is_empty() {
        let detail = "The state has neither keys nor tables, so the trail has nothing to tell of them.";
        return Err(Diagnostic::error("nothing-to-look-up", "No keys and tables", detail).into());
    }
    let estate = estate(
        &objects_of(&snapshot, &catalog),
        Surroundings { spec: Some(&stack.spec), ..Surroundings::default() },
    );
    let principal = arguments.principal.as_deref().map(|name| principal_of(&estate, name)).transpose()?;
    let configured = session::configured(&stack, &snapshot, &catalog, &functions, global.sandbox)?;
    let in_sandbox = configured.in_sandbox() == Some(true);
    whereabouts::agrees(&snapshot, &place, in_sandbox)?;
    let since = arguments.since;
    let mut seen = block_on(async {
        let stop = Stop::default();
        signals::listen_quietly(&stop);
        unless_stopped(&stop, async {
            let sessions = configured.open().await?;
            let pace = if in_sandbox { Duration::ZERO } else { PACE };
            let events = events(&things, &users(&snapshot), &sessions, since.time(), pace).await?;
            Ok(events.values().map(|event| read(event, &things)).collect::<Vec<Seen>>())
        })
        .await
    })?;
    // The trail tells times to the second.
    seen.sort_by(|a, b| order(a).cmp(&order(b)));
    seen.retain(|one| !arguments.errors || one.error.is_some());
    seen.retain(|one| principal.as_ref().is_none_or(|arn| one.principal == *arn || one.caller == *arn));
    terminal.say(&match terminal.json {
        true => format!("{:#}\n", render::json(&estate, &seen)),
        false => render::text(&estate, &seen, in_sandbox, terminal.paint),
    });
    Ok(Exit::Done)
}

/// Calls of one second are put beside those like them.
fn order(seen: &Seen) -> (&str, &str, &str, &[String], Option<&str>) {
    (&seen.time, &seen.caller, &seen.action, &seen.resources, seen.table.as_deref())
}

/// A principal's ARN.
fn principal_of(estate: &Estate, name: &str) -> Result<String, Problem> {
    estate.arn_of(name).map(str::to_owned).ok_or_else(|| {
        let near = nearest(name, estate.addresses());
        let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        let detail =
            format!("`{name}` is neither an ARN nor the address of a principal in this stack.{near}");
        Diagnostic::error("unknown-address", "Unknown address", detail).into()
    })
}

fn managed<'s>(snapshot: &'s Snapshot, type_name: &'s str) -> impl Iterator<Item = (&'s str, &'s str)> + 's {
    snapshot.current().filter_map(move |(address, _, object)| {
        let resource = &address.resource;
        let fits = resource.mode == Mode::Managed && resource.type_name.as_ref() == type_name;
        let text = |name: &str| object.attributes.get(name).and_then(Json::as_str);
        let arn = text("arn").filter(|_| fits)?;
        Some((arn, text("name").or_else(|| text("key_id")).unwrap_or_default()))
    })
}

fn things(snapshot: &Snapshot) -> Vec<Thing> {
    let all = managed(snapshot, "aws_kms_key").chain(managed(snapshot, "aws_dynamodb_table"));
    all.map(|(arn, name)| {
        let field = |n: usize| arn.split(':').nth(n).unwrap_or_default().to_owned();
        // CloudTrail indexes keys by their ARNs, and tables by names or ARNs.
        let is_key = arn.contains(":kms:");
        let names = std::iter::once(arn).chain((!is_key).then_some(name));
        Thing {
            arn: arn.to_owned(),
            region: field(3),
            account: field(4),
            names: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        }
    })
    .collect()
}

/// The names of the users of the state, with their account.
fn users(snapshot: &Snapshot) -> Vec<(String, String)> {
    let all = managed(snapshot, "aws_iam_user");
    all.map(|(arn, name)| (arn.split(':').nth(4).unwrap_or_default().to_owned(), name.to_owned())).collect()
}

/// Every event about the things, by its id.
async fn events(
    things: &[Thing],
    users: &[(String, String)],
    sessions: &Sessions,
    since: SystemTime,
    pace: Duration,
) -> Result<BTreeMap<String, Event>, Problem> {
    let mut found = BTreeMap::new();
    let places: BTreeSet<(&str, &str)> =
        things.iter().map(|thing| (thing.account.as_str(), thing.region.as_str())).collect();
    for (account, region) in places {
        let Some(session) = session_of(sessions, account) else { continue };
        let clients = session.clients::<Clients>().map_err(failed)?.elsewhere(Some(region), None);
        let mut pace = Pace::new(pace);
        let here = |thing: &&Thing| thing.account == account && thing.region == region;
        for name in things.iter().filter(here).flat_map(|thing| &thing.names) {
            let events = look_up(&clients, By::Resource(name), since, &mut pace).await.map_err(failed)?;
            // Another account's or region's table can have the same name.
            let events = events.into_iter().filter(|event| is_about(event, things));
            found.extend(events.map(|event| (event.id.clone(), event)));
        }
        for (_, name) in users.iter().filter(|(of, _)| of == account) {
            let events = look_up(&clients, By::User(name), since, &mut pace).await.map_err(failed)?;
            let events = events.into_iter().filter(|event| is_about(event, things));
            found.extend(events.map(|event| (event.id.clone(), event)));
        }
    }
    Ok(found)
}

fn failed(error: terrane_provider::Error) -> Problem {
    let detail = format!("The audit trail can't be read. {error}.").replace("..", ".");
    let mut diagnostic = Diagnostic::error("no-trail", "Audit trail not readable", detail);
    diagnostic.hints.extend(error.hints.iter().cloned());
    diagnostic.into()
}

fn text<'j>(json: &'j Json, path: &str) -> Option<&'j str> {
    json.pointer(path).and_then(Json::as_str)
}

/// Whether an event speaks of one of the things: among its resources, in its arguments, or in what was answered.
fn is_about(event: &Event, things: &[Thing]) -> bool {
    let table = text(&event.record, "/requestParameters/tableName")
        .or_else(|| text(&event.record, "/requestParameters/encryptionContext/aws:dynamodb:tableName"));
    let all = event.record.to_string();
    things.iter().any(|thing| {
        let named = table.is_some_and(|table| thing.names.iter().any(|name| name == table));
        let region = text(&event.record, "/awsRegion") == Some(&thing.region);
        all.contains(&thing.arn) || (named && region)
    })
}

fn read(event: &Event, things: &[Thing]) -> Seen {
    let record = &event.record;
    let source = text(record, "/eventSource").unwrap_or_default();
    let service = |name: &str| name.strip_suffix(".amazonaws.com").unwrap_or(name).to_owned();
    let caller = text(record, "/userIdentity/arn").unwrap_or("(unknown)").to_owned();
    let role = text(record, "/userIdentity/sessionContext/sessionIssuer/arn");
    let table = text(record, "/requestParameters/encryptionContext/aws:dynamodb:tableName");
    let table = table.and_then(|name| things.iter().find(|thing| thing.names.iter().any(|n| n == name)));
    let resources = record.get("resources").and_then(Json::as_array).into_iter().flatten();
    let mut resources: Vec<String> =
        resources.filter_map(|resource| text(resource, "/ARN").map(str::to_owned)).collect();
    if resources.is_empty() {
        let all = record.to_string();
        resources
            .extend(things.iter().filter(|thing| all.contains(&thing.arn)).map(|thing| thing.arn.clone()));
    }
    let error = text(record, "/errorCode")
        .map(|code| (code.to_owned(), text(record, "/errorMessage").unwrap_or_default().to_owned()));
    Seen {
        time: text(record, "/eventTime").unwrap_or_default().to_owned(),
        principal: role.map_or_else(|| caller.clone(), str::to_owned),
        caller,
        action: format!("{}:{}", service(source), text(record, "/eventName").unwrap_or_default()),
        through: text(record, "/userIdentity/invokedBy").map(service),
        resources,
        table: table.map(|thing| thing.arn.clone()),
        error,
        record: record.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn thing(arn: &str, name: &str) -> Thing {
        let field = |n: usize| arn.split(':').nth(n).unwrap().to_owned();
        Thing {
            arn: arn.to_owned(),
            region: field(3),
            account: field(4),
            names: vec![arn.to_owned(), name.to_owned()],
        }
    }

    #[test]
    fn a_refusal_that_names_the_key_only_in_its_message_is_about_it() {
        let key = "arn:aws:kms:eu-west-3:123456789012:key/1";
        let things = [thing(key, key), thing("arn:aws:dynamodb:eu-west-3:123456789012:table/Post", "Post")];
        let event = |record| Event { id: "a".to_owned(), at: 0, record };
        let refused = event(json!({
            "awsRegion": "eu-west-3",
            "eventSource": "kms.amazonaws.com",
            "eventName": "Decrypt",
            "eventTime": "2026-11-23T20:00:00Z",
            "userIdentity": { "arn": "arn:aws:iam::123456789012:user/ann", "invokedBy": "dynamodb.amazonaws.com" },
            "errorCode": "AccessDenied",
            "errorMessage": format!("not authorized to perform: kms:Decrypt on resource: {key}"),
            "requestParameters": null,
        }));
        assert!(is_about(&refused, &things));
        let seen = read(&refused, &things);
        assert_eq!((seen.action.as_str(), seen.through.as_deref()), ("kms:Decrypt", Some("dynamodb")));
        assert_eq!(seen.resources, [key]);
        let other = json!({ "awsRegion": "eu-west-1", "requestParameters": { "tableName": "Post" } });
        assert!(!is_about(&event(other), &things), "a table of the same name elsewhere");
        let same = json!({ "awsRegion": "eu-west-3", "requestParameters": { "tableName": "Post" } });
        assert!(is_about(&event(same), &things));
    }
}
