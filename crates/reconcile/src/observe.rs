//! Reads what is there now: every object of the state, and the data sources that a plan asks for.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use terrane_model::secret::Secrets;
use terrane_model::{Address, Diagnostic, Diagnostics, Mode, Value};
use terrane_plan::build::Weight;
use terrane_plan::codec::decode;
use terrane_plan::{Need, Observed, ProviderKey, Wish};
use terrane_provider::{Catalog, Context, Error, ErrorKind, Extent, Note, Session, Users};
use terrane_state::Snapshot;

use crate::events::{Event, Events, Waits};
use crate::sessions::Sessions;
use crate::stop::Stop;

/// How long one read may take.
const READ_LIMIT: Duration = Duration::from_secs(20 * 60);

/// How long looking for an object may take that is probably not there.
const LOOK_LIMIT: Duration = Duration::from_secs(60);

/// Reads every managed object of the snapshot, at most `parallelism` at once.
///
/// # Errors
/// One message per object that can't be read, and one when interrupted.
pub async fn observe(
    snapshot: &Snapshot,
    catalog: &Catalog,
    sessions: &Sessions,
    parallelism: usize,
    events: &dyn Events,
    stop: &Stop,
) -> Result<Observed, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut wanted = Vec::new();
    for (address, resource, instance) in snapshot.instances() {
        if address.resource.mode != Mode::Managed {
            continue;
        }
        let Some(kind) = catalog.resource(&address.resource.type_name) else { continue };
        let Some(key) = ProviderKey::from_state_name(&resource.provider) else { continue };
        let current = instance.current.iter().map(|object| (None, object));
        let deposed = instance.deposed.iter().map(|(key, object)| (Some(key.clone()), object));
        for (deposed, object) in current.chain(deposed) {
            match decode(kind.schema(), &object.attributes, &object.sensitive) {
                Ok(prior) => {
                    let note = Note::of(object.note());
                    wanted.push((address.clone(), deposed, key.clone(), kind, prior, note));
                }
                Err(error) => {
                    let detail = format!(
                        "The state has `{}` of this object as something else than the resource type expects: {}.",
                        error.path, error.detail
                    );
                    let error = Diagnostic::error("state-mismatch", "Unreadable object in the state", detail);
                    diagnostics.push(error.about(&address));
                }
            }
        }
    }
    let mut observed = Observed::default();
    let mut running = FuturesUnordered::new();
    let mut queue = wanted.into_iter();
    loop {
        while running.len() < parallelism.max(1) && !stop.gently() {
            let Some((address, deposed, key, kind, prior, note)) = queue.next() else { break };
            running.push(async move {
                let started = Instant::now();
                let session = sessions.get(&key, &address);
                let result = match session {
                    Err(missing) => Err(missing),
                    Ok(session) => {
                        let id = prior.get("id").and_then(Value::as_str);
                        events.event(&Event::ReadStarted { address: &address, id });
                        let waits = Waits(events);
                        let looking = Context::looking(session, &address, READ_LIMIT, &waits);
                        let cx = Context { note: Some(&note), ..looking };
                        let found = kind.read(&cx, &prior).await;
                        found.map_err(|error| diagnose(&hiding(error, &prior), &address, "read"))
                    }
                };
                if let Ok(found) = &result {
                    let id = found.as_ref().and_then(|v| v.get("id")).and_then(Value::as_str);
                    events.event(&Event::ReadDone { address: &address, id, elapsed: started.elapsed() });
                }
                (address, deposed, note, result)
            });
        }
        let next = tokio::select! {
            next = running.next() => next,
            () = stop.asked() => {
                if stop.at_once() {
                    break;
                }
                continue;
            }
        };
        match next {
            Some((address, deposed, note, Ok(found))) => {
                if let Some(note) = note.text() {
                    observed.notes.insert((address.clone(), deposed.clone()), note);
                }
                observed.objects.insert((address, deposed), found);
            }
            Some((_, _, _, Err(diagnostic))) => diagnostics.push(diagnostic),
            None => break,
        }
    }
    if stop.gently() {
        return Err(vec![interrupted()]);
    }
    if diagnostics.is_empty() { Ok(observed) } else { Err(similar_once(diagnostics)) }
}

/// Looks at what a plan asks for, and adds it to what was observed.
///
/// # Errors
/// One message per data source or object to import that can't be read. Where it can't be told whether an object is there
/// already, the plan goes on as if it were not.
pub async fn look(
    needs: Vec<Need>,
    observed: &mut Observed,
    catalog: &Catalog,
    sessions: &Sessions,
    parallelism: usize,
    events: &dyn Events,
) -> Result<(), Diagnostics> {
    let reads = needs.into_iter().map(|need| async move {
        let result = look_at(&need, catalog, sessions, events).await;
        (need, result)
    });
    let mut reads = futures::stream::iter(reads).buffer_unordered(parallelism.max(1));
    let mut diagnostics = Diagnostics::new();
    while let Some((need, result)) = reads.next().await {
        match (need.what, result) {
            (Wish::Data { config, .. }, Ok(Seen::Data(value))) => {
                observed.data.insert(need.address, (config, value));
            }
            (Wish::Data { weight: Weight::OfCheck, .. }, Err(diagnostic)) => {
                observed.failed.insert(need.address, diagnostic);
            }
            (Wish::Import { id }, Ok(Seen::Object(found))) => {
                observed.imports.insert(need.address, (id, found.map(|found| *found)));
            }
            (Wish::Recoverable { id }, Ok(Seen::Object(found))) => {
                observed.recoverable.insert((need.address, id), Ok(found.map(|found| *found)));
            }
            (Wish::Recoverable { id }, Err(why)) if matches!(why.code, "aws-denied" | "aws-invalid") => {
                observed.recoverable.insert((need.address, id), Err(why));
            }
            (Wish::Users { deposed, .. }, Ok(Seen::Users(users))) => {
                observed.users.insert((need.address, deposed), users);
            }
            (Wish::Existing { id }, Ok(Seen::Whether(is_there))) => {
                observed.existing.insert(need.address, (id, is_there));
            }
            (Wish::Principal { arn, .. }, Ok(Seen::Perhaps(is_there))) => {
                observed.principals.insert(arn, is_there);
            }
            (_, Err(diagnostic)) => diagnostics.push(diagnostic),
            (_, Ok(_)) => {}
        }
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(similar_once(diagnostics)) }
}

/// What was seen.
enum Seen {
    Data(Value),
    Object(Option<Box<Value>>),
    Whether(bool),
    Users(Users),
    /// Nothing where it can't be told.
    Perhaps(Option<bool>),
}

async fn look_at(
    need: &Need,
    catalog: &Catalog,
    sessions: &Sessions,
    events: &dyn Events,
) -> Result<Seen, Diagnostic> {
    match &need.what {
        Wish::Data { config, .. } => read_one(need, config, catalog, sessions, events).await.map(Seen::Data),
        Wish::Import { id } => {
            let found = import_one(need, id, catalog, sessions, events).await?;
            Ok(Seen::Object(found.map(Box::new)))
        }
        Wish::Users { object, .. } => {
            users_of(need, object, catalog, sessions, events).await.map(Seen::Users)
        }
        Wish::Recoverable { id } => {
            let found = recoverable(need, id, catalog, sessions, events).await?;
            Ok(Seen::Object(found.map(Box::new)))
        }
        Wish::Existing { id } => {
            Ok(Seen::Whether(is_there(need, id, catalog, sessions, events).await.unwrap_or(false)))
        }
        Wish::Principal { name, .. } => {
            Ok(Seen::Perhaps(is_there(need, name, catalog, sessions, events).await))
        }
    }
}

/// The object that an import id names.
async fn import_one(
    need: &Need,
    id: &str,
    catalog: &Catalog,
    sessions: &Sessions,
    events: &dyn Events,
) -> Result<Option<Value>, Diagnostic> {
    let address = &need.address;
    events.event(&Event::Preparing { address, id });
    let session = sessions.get(&need.provider, address)?;
    import(address, id, catalog, session, events).await
}

/// Reads the object that an import id names, as the resource type of the address has it.
///
/// # Errors
/// Why it can't be read. That there is none is an answer.
pub async fn import(
    address: &Address,
    id: &str,
    catalog: &Catalog,
    session: &Session,
    events: &dyn Events,
) -> Result<Option<Value>, Diagnostic> {
    let Some(kind) = catalog.resource(&address.resource.type_name) else {
        let detail = format!("There is no resource type `{}`.", address.resource.type_name);
        return Err(Diagnostic::error("unknown-type", "Unknown resource type", detail).about(address));
    };
    let started = Instant::now();
    let waits = Waits(events);
    let cx = Context::looking(session, address, READ_LIMIT, &waits);
    events.event(&Event::ReadStarted { address, id: Some(id) });
    let found = kind.import(&cx, id).await.map_err(|error| diagnose(&error, address, "import"))?;
    let id = found.as_ref().and_then(|object| object.get("id")).and_then(Value::as_str);
    events.event(&Event::ReadDone { address, id, elapsed: started.elapsed() });
    Ok(found)
}

/// Whether there is an object of an import id. Where that can't be told, because it may not be looked at or for any other
/// reason, the apply will find out.
async fn is_there(
    need: &Need,
    id: &str,
    catalog: &Catalog,
    sessions: &Sessions,
    events: &dyn Events,
) -> Option<bool> {
    let address = &need.address;
    let kind = catalog.resource(&address.resource.type_name)?;
    let session = sessions.get(&need.provider, address).ok()?;
    let waits = Waits(events);
    let cx = Context::looking(session, address, LOOK_LIMIT, &waits);
    kind.exists(&cx, id).await.ok()
}

/// An object that may be pending deletion. It is not said that it is read, since it may come to nothing.
async fn recoverable(
    need: &Need,
    id: &str,
    catalog: &Catalog,
    sessions: &Sessions,
    events: &dyn Events,
) -> Result<Option<Value>, Diagnostic> {
    let address = &need.address;
    let Some(kind) = catalog.resource(&address.resource.type_name) else { return Ok(None) };
    let session = sessions.get(&need.provider, address)?;
    let waits = Waits(events);
    let cx = Context::looking(session, address, READ_LIMIT, &waits);
    kind.import(&cx, id).await.map_err(|error| diagnose(&error, address, "look at what was before"))
}

/// Who uses an object that is to be deleted.
async fn users_of(
    need: &Need,
    object: &Value,
    catalog: &Catalog,
    sessions: &Sessions,
    events: &dyn Events,
) -> Result<Users, Diagnostic> {
    let address = &need.address;
    let Some(kind) = catalog.resource(&address.resource.type_name) else { return Ok(Users::default()) };
    let session = sessions.get(&need.provider, address)?;
    let waits = Waits(events);
    let cx = Context::looking(session, address, READ_LIMIT, &waits);
    let users = kind.users(&cx, object, Extent::All).await;
    users.map_err(|error| diagnose(&hiding(error, object), address, "look for what uses"))
}

async fn read_one(
    need: &Need,
    config: &Value,
    catalog: &Catalog,
    sessions: &Sessions,
    events: &dyn Events,
) -> Result<Value, Diagnostic> {
    let address = &need.address;
    let Some(data) = catalog.data(&address.resource.type_name) else {
        return Err(Diagnostic::error(
            "unknown-type",
            "Unknown data source",
            "There is no such data source.",
        ));
    };
    let session = sessions.get(&need.provider, address)?;
    let started = Instant::now();
    events.event(&Event::ReadStarted { address, id: None });
    let waits = Waits(events);
    let cx = Context::looking(session, address, READ_LIMIT, &waits);
    let read = data.read(&cx, config).await;
    let value = read.map_err(|error| diagnose(&hiding(error, config), address, "read"))?;
    let id = value.get("id").and_then(Value::as_str);
    events.event(&Event::ReadDone { address, id, elapsed: started.elapsed() });
    Ok(value)
}

/// The error without what is sensitive of the value: services quote what they refuse.
fn hiding(mut error: Error, value: &Value) -> Error {
    let mut secrets = Secrets::default();
    secrets.learn(value);
    secrets.hide_in(&mut error.message);
    error.hints.iter_mut().for_each(|hint| secrets.hide_in(hint));
    error
}

/// An error of a provider as a message.
pub(crate) fn diagnose(error: &Error, address: &Address, doing: &str) -> Diagnostic {
    let (code, summary) = match error.kind {
        ErrorKind::Invalid => ("aws-invalid", "Request refused as invalid"),
        ErrorKind::NotFound => ("aws-not-found", "Object not found"),
        ErrorKind::Denied => ("aws-denied", "Permission denied"),
        ErrorKind::Credentials => ("aws-credentials", "Credentials not accepted"),
        ErrorKind::Conflict => ("aws-conflict", "Conflict with what exists"),
        ErrorKind::Throttled => ("aws-throttled", "Too many requests"),
        ErrorKind::Quota => ("aws-quota", "Quota used up"),
        ErrorKind::Unavailable => ("aws-unavailable", "Service not reachable or failing"),
        ErrorKind::TimedOut => ("aws-timeout", "Waited in vain"),
        ErrorKind::Interrupted => ("interrupted", "Interrupted"),
        ErrorKind::Bug => ("provider-bug", "Unexpected answer"),
    };
    let mut diagnostic = Diagnostic::error(
        code,
        summary,
        format!("Could not {doing} `{address}`. {error}.").replace("..", "."),
    )
    .about(address);
    diagnostic.hints.extend(error.hints.iter().cloned());
    diagnostic
}

/// That a run was interrupted.
pub(crate) fn interrupted() -> Diagnostic {
    Diagnostic::error("interrupted", "Interrupted", "The run was interrupted before it was done.")
}

/// Where every object fails for one reason, such as missing credentials, one message is enough.
fn similar_once(diagnostics: Diagnostics) -> Diagnostics {
    let whole_run =
        |d: &Diagnostic| matches!(d.code, "aws-credentials" | "aws-unavailable" | "missing-provider");
    let mut kept: Diagnostics = Vec::new();
    for diagnostic in diagnostics {
        if whole_run(&diagnostic) && kept.iter().any(|k| k.code == diagnostic.code) {
            continue;
        }
        kept.push(diagnostic);
    }
    kept
}
