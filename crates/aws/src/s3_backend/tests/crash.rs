//! Runs that die at any request, or go on without an answer: another machine's run knows exactly what is there.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use terrane_model::Address;
use terrane_state::journal::{Change, Intent, Operation, Outcome};
use terrane_state::{Access, LockInfo, Object, Snapshot, StateError, Store, parse};

use super::double::Double;
use super::{info, s3};

/// What is really there: the size of each object by its id.
type Cloud = BTreeMap<String, u64>;

fn object(id: &str, size: u64) -> Object {
    let attributes = Map::from_iter([("id".to_owned(), Json::from(id)), ("size".to_owned(), json!(size))]);
    Object { attributes, ..Object::default() }
}

fn put(id: &str, size: u64) -> Change {
    Change::Put { provider: "p".into(), object: Box::new(object(id, size)) }
}

fn begin(double: &Double, info: &LockInfo) -> Result<Store, StateError> {
    let backend = Box::new(s3(double, "default"));
    Store::begin(backend, "l", Access::Locked { info, again: &mut |_| false })
}

/// One call with its intent and outcome. The call is made only when the intent is safe.
fn call(store: &mut Store, cloud: &mut Cloud, n: u8, operation: Operation) {
    let address: Address = format!("t.r[{n}]").parse().unwrap();
    let id = format!("o-{n}");
    let intent = Intent {
        address: address.clone(),
        deposed: None,
        operation,
        provider: "p".into(),
        planned: Some(object(&id, 0)),
        marker: None,
        id: Some(id.clone()),
        survey: None,
    };
    let Ok(noted) = store.intent(intent) else { return };
    let change = match operation {
        Operation::Delete => {
            cloud.remove(&id);
            Change::Remove
        }
        Operation::Create | Operation::Update => {
            let size = cloud.entry(id.clone()).or_default();
            *size += 1;
            put(&id, *size)
        }
    };
    let _ = store.outcome(Outcome::of(address, Some(noted), change));
}

/// A run; as a process that goes on after each error, since the connection may be back.
fn run(store: &mut Store, cloud: &mut Cloud) {
    for n in 0..3 {
        call(store, cloud, n, Operation::Create);
    }
    let _ = store.commit();
    call(store, cloud, 0, Operation::Update);
    call(store, cloud, 1, Operation::Delete);
    let _ = store.commit();
    call(store, cloud, 1, Operation::Create);
}

fn known(snapshot: &Snapshot) -> Cloud {
    let size = |object: &Object| object.attributes["size"].as_u64().unwrap();
    snapshot.current().map(|(.., object)| (object.id().unwrap().to_owned(), size(object))).collect()
}

/// What the next run does about calls of which no outcome is known.
fn look_for_objects(store: &mut Store, cloud: &Cloud) {
    for (n, intent) in store.open_intents().clone() {
        let id = intent.id.clone().unwrap();
        let change = match cloud.get(&id) {
            Some(size) => put(&id, *size),
            None => Change::Remove,
        };
        store.outcome(Outcome::of(intent.address, Some(n), change)).unwrap();
    }
}

/// Lets a run die at a request, and asks that the next one knows exactly what is there. Answers how many requests there were.
fn survives(dies: usize, carried_out: bool) -> usize {
    let (double, mut cloud) = (Double::default(), Cloud::new());
    double.dies_at(dies, carried_out);
    if let Ok(mut store) = begin(&double, &info("1", "")) {
        run(&mut store, &mut cloud);
        let _ = store.finish();
    }
    let requests = double.requests();
    double.recovers();
    // The lock may still be there: it was another machine's.
    let _ = terrane_state::Backend::force_unlock(&mut s3(&double, "default"), "1");
    let mut store = begin(&double, &info("2", "")).unwrap();
    look_for_objects(&mut store, &cloud);
    assert_eq!(known(store.snapshot()), cloud, "dies at {dies}, carried out: {carried_out}");
    store.finish().unwrap();
    let state = double.get("net/terraform.tfstate");
    assert_eq!(state.map(|bytes| known(&parse(&bytes).unwrap())).unwrap_or_default(), cloud);
    let strays = double.keys().into_iter().filter(|key| key != "net/terraform.tfstate").collect::<Vec<_>>();
    assert!(strays.is_empty(), "{strays:?}");
    requests
}

#[test]
fn a_run_may_die_at_any_request() {
    let requests = survives(usize::MAX, false);
    assert!((20..60).contains(&requests), "{requests}");
    for at in 0..requests {
        for carried_out in [false, true] {
            survives(at, carried_out);
        }
    }
}
