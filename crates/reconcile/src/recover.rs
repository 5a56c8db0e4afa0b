//! After a run that died: what it had begun is looked for, and adopted or dropped.

use std::collections::BTreeSet;
use std::time::Duration;

use terrane_model::secret::Secrets;
use terrane_model::{Address, Diagnostic, Diagnostics, Value};
use terrane_plan::ProviderKey;
use terrane_plan::codec::{decode, encode};
use terrane_provider::{Catalog, Cleared, Context};
use terrane_state::journal::{Change, Intent, Operation, Outcome};
use terrane_state::{Object, Status, Store};

use crate::events::{Events, Waits};
use crate::marker;
use crate::observe::diagnose;
use crate::sessions::Sessions;

/// How long finding one object may take.
const FIND_LIMIT: Duration = Duration::from_secs(120);

/// What became of one intent whose outcome was not written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// The instance.
    pub address: Address,
    /// What had been begun.
    pub operation: Operation,
    /// What was found.
    pub found: Found,
    /// A sentence about it.
    pub note: Option<String>,
}

/// What was found of an interrupted action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The object was made: it is in the state now.
    Adopted,
    /// The object was not made.
    NotMade,
    /// The object exists: what it is like is read in the next refresh.
    There,
    /// The object is gone: it is out of the state now.
    Gone,
    /// The object was made, was of no use, and was deleted.
    Cleared,
    /// The object may have been made, and may be somebody else's.
    Doubtful,
}

/// Whether a run that died left something to [`recover`].
pub fn unfinished(store: &Store) -> bool {
    !store.open_intents().is_empty() || !marker::left_on(store.snapshot()).is_empty()
}

/// Closes every open intent of the store, and takes off the markers that were left on.
///
/// # Errors
/// One message per object that could not be looked for; its intent stays open.
pub async fn recover(
    store: &mut Store,
    catalog: &Catalog,
    sessions: &Sessions,
    events: &dyn Events,
) -> Result<Vec<Recovery>, Diagnostics> {
    let open: Vec<(u64, Intent)> =
        store.open_intents().iter().map(|(n, intent)| (*n, intent.clone())).collect();
    let mut done = Vec::new();
    let mut errors = Diagnostics::new();
    for (n, intent) in open {
        match look(&intent, store, catalog, sessions, events).await {
            Ok((found, change, note)) => {
                let aside = put_aside(store, &intent, &change, n).map(|key| {
                    store.outcome(Outcome::of(intent.address.clone(), None, Change::Depose { key }))
                });
                if let Some(Err(error)) = aside {
                    errors.push(crate::apply::ledger::lost(&error));
                    break;
                }
                let outcome = Outcome::of(intent.address.clone(), Some(n), change);
                let outcome = match &intent.deposed {
                    Some(key) => outcome.deposed(key.clone()),
                    None => outcome,
                };
                if let Err(error) = store.outcome(outcome) {
                    errors.push(crate::apply::ledger::lost(&error));
                    break;
                }
                done.push(Recovery { address: intent.address, operation: intent.operation, found, note });
            }
            Err(error) => errors.push(error),
        }
    }
    if let Err(error) = marker::settle_left(store, catalog, sessions, events).await {
        errors.push(error);
    }
    if errors.is_empty() { Ok(done) } else { Err(errors) }
}

/// The key under which the present object must be put aside, when another one was made to take its place.
fn put_aside(store: &Store, intent: &Intent, change: &Change, n: u64) -> Option<String> {
    let (Change::Put { object, .. }, Operation::Create) = (change, intent.operation) else { return None };
    let present = store.snapshot().get(&intent.address)?;
    (present.id() != object.id()).then(|| format!("{:08x}", n & 0xffff_ffff))
}

/// The ids of the objects of a type that the state has.
fn ids(store: &Store, type_name: &str) -> BTreeSet<String> {
    let instances =
        store.snapshot().instances().filter(|(address, ..)| *address.resource.type_name == *type_name);
    let objects =
        instances.flat_map(|(_, _, instance)| instance.current.iter().chain(instance.deposed.values()));
    objects.filter_map(|object| object.id().map(str::to_owned)).collect()
}

/// What became of an object, without what is sensitive of it.
fn hiding(mut cleared: Cleared, planned: &Value) -> Cleared {
    let mut secrets = Secrets::default();
    secrets.learn(planned);
    match &mut cleared {
        Cleared::NotMade => {}
        Cleared::Deleted(note) | Cleared::Doubtful(note) => secrets.hide_in(note),
    }
    cleared
}

async fn look(
    intent: &Intent,
    store: &Store,
    catalog: &Catalog,
    sessions: &Sessions,
    events: &dyn Events,
) -> Result<(Found, Change, Option<String>), Diagnostic> {
    let address = &intent.address;
    let nothing = |why: &str| Change::Nothing { why: why.to_owned() };
    let Some(resource) = catalog.resource(&address.resource.type_name) else {
        let detail = format!(
            "The journal names the type `{}`, which this version does not know.",
            address.resource.type_name
        );
        return Err(Diagnostic::error("unknown-type", "Object of an unknown type", detail).about(address));
    };
    let Some(key) = ProviderKey::from_state_name(&intent.provider) else {
        let detail = format!("The journal names the provider `{}`, which can't be read.", intent.provider);
        return Err(
            Diagnostic::error("missing-provider", "Missing provider configuration", detail).about(address)
        );
    };
    let session = sessions.get(&key, address)?;
    let waits = Waits(events);
    let marker = intent.marker.as_deref();
    let cx = Context { marker, ..Context::looking(session, address, FIND_LIMIT, &waits) };
    let schema = resource.schema();
    let value = |object: &Object| decode(schema, &object.attributes, &object.sensitive).ok();
    match intent.operation {
        Operation::Create => {
            let Some(planned) = intent.planned.as_ref().and_then(value) else {
                return Ok((Found::NotMade, nothing("the journal has no planned object"), None));
            };
            if let Some(survey) = &intent.survey {
                let held = ids(store, &address.resource.type_name);
                let cleared = resource.clear(&cx, &planned, survey, &held).await;
                let cleared = cleared.map_err(|e| diagnose(&e, address, "look for"))?;
                return Ok(match hiding(cleared, &planned) {
                    Cleared::NotMade => (Found::NotMade, nothing("it was not made"), None),
                    Cleared::Deleted(note) => (Found::Cleared, nothing("it was of no use"), Some(note)),
                    Cleared::Doubtful(note) => (Found::Doubtful, nothing("it can't be told"), Some(note)),
                });
            }
            let found = resource.find(&cx, &planned).await.map_err(|e| diagnose(&e, address, "look for"))?;
            let Some(found) = found else { return Ok((Found::NotMade, nothing("it was not made"), None)) };
            let Some((attributes, sensitive)) = encode(schema, &found) else {
                return Err(Diagnostic::error("provider-bug", "Incomplete object", "It has unknown parts.")
                    .about(address));
            };
            let template = intent.planned.clone().unwrap_or_default();
            // It may lack what comes after the first call; the plan that follows brings it to what the spec says.
            let mut object = Object { status: Status::Ready, attributes, sensitive, ..template };
            if let Some(marker) = marker.filter(|_| resource.has_marker()) {
                marker::note(&mut object, marker);
            }
            let object = Box::new(object);
            Ok((Found::Adopted, Change::Put { provider: intent.provider.clone(), object }, None))
        }
        Operation::Update => {
            let there = || Ok((Found::There, nothing("it is read in the next refresh"), None));
            let (Some(lasting), Some(kept)) = (resource.lasting_identity(), store.snapshot().get(address))
            else {
                return there();
            };
            let (Some(prior), Some(planned)) = (value(kept), intent.planned.as_ref().and_then(value)) else {
                return there();
            };
            if resource.read(&cx, &prior).await.map_err(|e| diagnose(&e, address, "look for"))?.is_some() {
                return there();
            }
            // It may go under its new name already.
            let found = resource.find(&cx, &planned).await.map_err(|e| diagnose(&e, address, "look for"))?;
            let same = found.filter(|found| found.get(lasting) == prior.get(lasting));
            let Some((attributes, sensitive)) = same.and_then(|found| encode(schema, &found)) else {
                return there();
            };
            let object = Box::new(Object { attributes, sensitive, ..kept.clone() });
            Ok((Found::There, Change::Put { provider: intent.provider.clone(), object }, None))
        }
        Operation::Delete => {
            let prior = store.snapshot().object(address, intent.deposed.as_deref()).and_then(value);
            let Some(prior) = prior else {
                return Ok((Found::Gone, nothing("the state does not have it"), None));
            };
            let there = resource.read(&cx, &prior).await.map_err(|e| diagnose(&e, address, "look for"))?;
            match there {
                Some(found) if !resource.is_pending_deletion(&found) => {
                    Ok((Found::There, nothing("it still exists"), None))
                }
                _ => Ok((Found::Gone, Change::Remove, None)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_an_object_is_told_without_its_secrets() {
        let planned = Value::object([("user", Value::from("hemlock-and-honey").sensitive())]);
        let told = || "The access key `AKIA` of the user `hemlock-and-honey` was deleted.".to_owned();
        for cleared in [Cleared::Deleted(told()), Cleared::Doubtful(told())] {
            match hiding(cleared, &planned) {
                Cleared::Deleted(note) | Cleared::Doubtful(note) => {
                    assert!(note.contains("AKIA") && !note.contains("hemlock"), "{note}");
                }
                Cleared::NotMade => unreachable!("it was made"),
            }
        }
    }
}
