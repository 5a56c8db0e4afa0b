//! Markers: objects that have no name carry a tag from the call that makes them until they are safely in the state.
//!
//! While the tag is still on, the state says so, under a key of its own beside the object. So a run that dies in between
//! leaves word for the next one.

use std::time::Duration;

use serde_json::Value as Json;
use terrane_model::{Address, Diagnostic, Value};
use terrane_plan::ProviderKey;
use terrane_plan::codec::decode;
use terrane_provider::{Catalog, Context, Error, ResourceType, Session};
use terrane_state::journal::{Change, Outcome};
use terrane_state::{Object, Snapshot, Store};

use crate::apply::ledger::Ledger;
use crate::events::{Events, Waits};
use crate::sessions::Sessions;

/// The key in the state, beside `attributes`. Terraform passes over it.
const KEY: &str = "terrane_marker";

/// How long taking one off may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Notes that the object still carries its marker.
pub(crate) fn note(object: &mut Object, marker: &str) {
    object.other.insert(KEY.to_owned(), Json::from(marker));
}

/// The outcome by which the state learns that the object at an address carries no marker any more.
pub(crate) fn settled(snapshot: &Snapshot, address: &Address) -> Option<Outcome> {
    let mut object = snapshot.get(address)?.clone();
    object.other.remove(KEY)?;
    let provider = snapshot.resource(&address.resource)?.provider.clone();
    Some(Outcome::of(address.clone(), None, Change::Put { provider, object: Box::new(object) }))
}

/// Takes the marker off an object that is safely in the state.
pub(crate) async fn take_off(
    resource: &dyn ResourceType,
    session: &Session,
    address: &Address,
    object: &Value,
    events: &dyn Events,
) -> Result<(), Error> {
    let waits = Waits(events);
    let cx = Context::looking(session, address, LIMIT, &waits);
    resource.settle(&cx, &object.clone().unmark_deep().0).await
}

/// Where a marker was left on.
pub(crate) fn left_on(snapshot: &Snapshot) -> Vec<Address> {
    let current = snapshot.current();
    current.filter(|(_, _, object)| object.other.contains_key(KEY)).map(|(address, ..)| address).collect()
}

/// Takes off what a run that died left on. What can't be taken off now is left for the next run: it does no harm.
///
/// # Errors
/// When the state can't be written.
pub(crate) async fn settle_left(
    store: &mut Store,
    catalog: &Catalog,
    sessions: &Sessions,
    events: &dyn Events,
) -> Result<(), Diagnostic> {
    for address in left_on(store.snapshot()) {
        let Some((resource, session, object)) = found(store.snapshot(), &address, catalog, sessions) else {
            continue;
        };
        if take_off(resource, session, &address, &object, events).await.is_err() {
            continue;
        }
        if let Some(outcome) = settled(store.snapshot(), &address) {
            Ledger::outcome(store, outcome).map_err(|error| crate::apply::ledger::lost(&error))?;
        }
    }
    Ok(())
}

fn found<'a>(
    snapshot: &Snapshot,
    address: &Address,
    catalog: &'a Catalog,
    sessions: &'a Sessions,
) -> Option<(&'a dyn ResourceType, &'a Session, Value)> {
    let resource = catalog.resource(&address.resource.type_name)?;
    let key = ProviderKey::from_state_name(&snapshot.resource(&address.resource)?.provider)?;
    let object = snapshot.get(address)?;
    let value = decode(resource.schema(), &object.attributes, &object.sensitive).ok()?;
    Some((resource.as_ref(), sessions.get(&key, address).ok()?, value))
}
