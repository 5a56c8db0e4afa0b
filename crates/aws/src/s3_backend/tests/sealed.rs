//! States of several workspaces in a bucket, encrypted: nothing in it can be read, and another machine goes on with all of it.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use terrane_state::journal::{Change, Intent, Operation, Outcome};
use terrane_state::seal::{Passphrase, Plain, Sealed, Sealing};
use terrane_state::{Access, Backend, Object, StateError, Store};

use super::double::Double;
use super::{info, s3};

const SECRET: &str = "correct-horse-battery-staple";

fn sealing(passphrase: &str) -> Arc<Sealing> {
    let text = format!("passphrase number {passphrase}");
    let method = Passphrase::new(text.into()).unwrap();
    Arc::new(Sealing::new(Some(Box::new(method)), vec![], Plain::Refused))
}

fn sealed(double: &Double, workspace: &str, sealing: &Arc<Sealing>) -> Box<dyn Backend> {
    Box::new(Sealed::new(Box::new(s3(double, workspace)), sealing.clone()))
}

fn begin(double: &Double, workspace: &str, sealing: &Arc<Sealing>) -> Result<Store, StateError> {
    // A lock of a process that is gone is taken over.
    let info = info(workspace, "");
    let access = Access::Locked { info: &info, again: &mut |_| false };
    Store::begin(sealed(double, workspace, sealing), workspace, access)
}

fn object() -> Object {
    let attributes = ["id", "password"].map(|name| (name.to_owned(), Json::from(SECRET)));
    Object { attributes: Map::from_iter(attributes), ..Object::default() }
}

fn intent() -> Intent {
    Intent {
        address: "t.r".parse().unwrap(),
        deposed: None,
        operation: Operation::Create,
        provider: "p".into(),
        planned: Some(object()),
        marker: None,
        id: None,
        survey: None,
    }
}

/// Nothing in the bucket can be read.
fn shut(double: &Double) {
    for key in double.keys() {
        let text = String::from_utf8_lossy(&double.get(&key).unwrap()).into_owned();
        assert!(!text.contains(SECRET) && !text.contains("t.r"), "{key}: {text}");
    }
}

#[test]
fn encrypted_workspaces_in_a_bucket_are_made_listed_read_and_deleted() {
    let double = Double::default();
    let here = sealing("one");
    for workspace in ["default", "blue", "red"] {
        let mut store = begin(&double, workspace, &here).unwrap();
        let n = store.intent(intent()).unwrap();
        shut(&double);
        let put = Change::Put { provider: "p".into(), object: Box::new(object()) };
        store.outcome(Outcome::of("t.r".parse().unwrap(), Some(n), put)).unwrap();
        store.finish().unwrap();
        shut(&double);
    }
    // Another machine has the passphrase alone.
    let there = sealing("one");
    let mut backend = sealed(&double, "default", &there);
    assert_eq!(backend.workspaces().unwrap(), ["blue", "default", "red"]);
    let peeked = Store::peek(sealed(&double, "red", &there).as_mut()).unwrap().unwrap();
    assert_eq!(peeked.get(&"t.r".parse().unwrap()), Some(&object()));
    let mut looked = sealed(&double, "blue", &there);
    let mut is_empty = || {
        let peeked = Store::peek(looked.as_mut()).unwrap();
        peeked.is_none_or(|snapshot| snapshot.instances().next().is_none())
    };
    assert!(matches!(backend.delete_workspace("blue", &mut is_empty), Err(StateError::Workspace { .. })));
    backend.delete_workspace("blue", &mut || true).unwrap();
    assert_eq!(backend.workspaces().unwrap(), ["default", "red"]);
}

#[test]
fn another_machine_opens_the_journal_of_an_encrypted_workspace() {
    let double = Double::default();
    let mut store = begin(&double, "blue", &sealing("one")).unwrap();
    let n = store.intent(intent()).unwrap();
    let put = Change::Put { provider: "p".into(), object: Box::new(object()) };
    store.outcome(Outcome::of("t.r".parse().unwrap(), Some(n), put)).unwrap();
    store.intent(Intent { address: "t.other".parse().unwrap(), ..intent() }).unwrap();
    drop(store);
    shut(&double);
    let before = double.keys();

    let wrong = begin(&double, "blue", &sealing("two"));
    assert!(wrong.is_err_and(|error| error.diagnostic().detail.contains("key")));
    let plain = Store::peek(&mut s3(&double, "blue"));
    assert!(plain.is_err());
    assert_eq!(double.keys(), before, "nothing is written by who can't read");

    let store = begin(&double, "blue", &sealing("one")).unwrap();
    assert_eq!(store.snapshot().get(&"t.r".parse().unwrap()), Some(&object()));
    let open: Vec<String> = store.open_intents().values().map(|open| open.address.to_string()).collect();
    assert_eq!(open, ["t.other"]);
}
