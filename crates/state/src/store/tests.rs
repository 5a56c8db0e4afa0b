//! Commits, recovery and what is refused; the runs that die are in [`crash`].

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value as Json, json};
use terrane_model::Value;

use super::*;
use crate::disk::{Disk, Fault, Op};
use crate::journal::{Change, Operation};
use crate::local::Local;
use crate::seal::{Passphrase, Plain, Sealed, Sealing};
use crate::snapshot::{Object, Output};

mod crash;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn object(id: &str, size: u64) -> Object {
    let attributes = Map::from_iter([("id".to_owned(), Json::from(id)), ("size".to_owned(), json!(size))]);
    Object { attributes, ..Object::default() }
}

fn put(id: &str, size: u64) -> Change {
    Change::Put { provider: "p".into(), object: Box::new(object(id, size)) }
}

fn intent(address: &Address, operation: Operation) -> Intent {
    Intent {
        address: address.clone(),
        deposed: None,
        operation,
        provider: "p".into(),
        planned: None,
        marker: None,
        id: None,
        survey: None,
    }
}

struct Stack(tempfile::TempDir, Kept);

/// How the state is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    Plain,
    Sealed,
}

impl Stack {
    fn new() -> Stack {
        Stack(tempfile::tempdir().unwrap(), Kept::Plain)
    }

    fn local(&self, disk: &Disk) -> Local {
        Local::on(disk.clone(), &self.0.path().join("state"), None, "default").unwrap()
    }

    fn backend(&self, disk: &Disk) -> Box<dyn Backend> {
        let local = Box::new(self.local(disk));
        match self.1 {
            Kept::Plain => local,
            Kept::Sealed => {
                let method = Box::new(Passphrase::cheap("a passphrase"));
                Box::new(Sealed::new(local, Arc::new(Sealing::new(Some(method), vec![], Plain::Refused))))
            }
        }
    }

    fn begin_on(&self, disk: &Disk) -> Result<Store, StateError> {
        let info = LockInfo { id: "1".into(), ..LockInfo::default() };
        let access = Access::Locked { info: &info, again: &mut |_| false };
        Store::begin(self.backend(disk), "l", access)
    }

    fn begin(&self) -> Store {
        self.begin_on(&Disk::default()).unwrap()
    }

    fn read(&self) -> Option<Snapshot> {
        let bytes = self.backend(&Disk::default()).read().unwrap()?;
        Some(v4::parse(&bytes).unwrap())
    }

    fn names(&self) -> Vec<String> {
        let mut names = Disk::default().list(&self.0.path().join("state")).unwrap();
        names.sort();
        names
    }
}

#[test]
fn outcomes_reach_the_state_at_a_commit_and_the_journal_goes_away() {
    let stack = Stack::new();
    let mut store = stack.begin();
    let a = address("t.a");
    let n = store.intent(intent(&a, Operation::Create)).unwrap();
    assert_eq!(store.open_intents().keys().collect::<Vec<_>>(), [&n]);
    assert!(stack.names().contains(&".default.tfstate.journal".to_owned()));
    store.outcome(Outcome::of(a.clone(), Some(n), put("a", 1))).unwrap();
    assert_eq!((store.open_intents().len(), store.pending()), (0, 1));
    assert!(stack.read().is_none());
    assert_eq!(store.finish().unwrap(), Committed::Written(1));
    let read = stack.read().unwrap();
    assert_eq!((read.serial, read.lineage.as_str(), read.get(&a)), (1, "l", Some(&object("a", 1))));
    assert_eq!(stack.names(), [".default.tfstate.lock", "default.tfstate"]);
}

#[test]
fn nothing_is_written_when_nothing_but_the_serial_would_change() {
    let stack = Stack::new();
    assert_eq!(stack.begin().finish().unwrap(), Committed::Unchanged);
    assert!(stack.read().is_none(), "no state for nothing");

    let mut store = stack.begin();
    store.outcome(Outcome::of(address("t.a"), None, put("a", 1))).unwrap();
    assert_eq!(store.commit().unwrap(), Committed::Written(1));
    assert_eq!(store.commit().unwrap(), Committed::Unchanged);
    store.outcome(Outcome::of(address("t.a"), None, put("a", 1))).unwrap();
    assert_eq!(store.finish().unwrap(), Committed::Unchanged);
    assert_eq!(stack.names(), [".default.tfstate.lock", "default.tfstate"]);

    // Another program wrote the same in its own way.
    let path = stack.0.path().join("state/default.tfstate");
    let text = std::fs::read_to_string(&path).unwrap().replace("1.11.4", "1.9.0").replace("  ", "\t");
    std::fs::write(&path, &text).unwrap();
    let mut store = stack.begin();
    assert_eq!(store.snapshot_mut().terraform_version, "1.9.0");
    assert_eq!(store.finish().unwrap(), Committed::Unchanged);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn the_version_of_terraform_is_never_lowered() {
    for (read, written) in [("1.9.8", "1.11.4"), ("1.13.0", "1.13.0")] {
        let stack = Stack::new();
        let mut store = stack.begin();
        store.outcome(Outcome::of(address("t.a"), None, put("a", 1))).unwrap();
        store.finish().unwrap();
        let path = stack.0.path().join("state/default.tfstate");
        let text = std::fs::read_to_string(&path).unwrap().replace("1.11.4", read);
        std::fs::write(&path, text).unwrap();
        let mut store = stack.begin();
        store.snapshot_mut().outputs.insert("o".into(), Output { value: Value::from("x"), sensitive: false });
        assert_eq!(store.finish().unwrap(), Committed::Written(2));
        assert_eq!(stack.read().unwrap().terraform_version, written);
    }
}

#[test]
fn an_interrupted_run_is_taken_up() {
    let stack = Stack::new();
    let (a, b) = (address("t.a"), address("t.b"));
    let mut store = stack.begin();
    store.intents(vec![intent(&a, Operation::Create), intent(&b, Operation::Create)]).unwrap();
    store.outcome(Outcome::of(a.clone(), Some(1), put("a", 1))).unwrap();
    drop(store);

    let peeked = Store::peek(&mut stack.local(&Disk::default())).unwrap().unwrap();
    assert!(peeked.get(&a).is_some());

    let mut store = stack.begin();
    assert_eq!(store.recovered().merged, BTreeSet::from([a.clone()]));
    assert_eq!(store.snapshot().lineage, "l");
    assert_eq!(store.open_intents().keys().copied().collect::<Vec<_>>(), [2]);
    store.commit().unwrap();
    assert!(stack.read().unwrap().get(&a).is_some());
    drop(store);

    let mut store = stack.begin();
    assert!(store.recovered().merged.is_empty(), "it is in the state now");
    assert_eq!(store.open_intents().len(), 1, "this one still wants an outcome");
    let n = store.intent(intent(&a, Operation::Delete)).unwrap();
    assert_eq!((n, store.open_intents()[&n].id.as_deref()), (3, Some("a")));
    store.outcome(Outcome::of(a.clone(), Some(n), Change::Remove)).unwrap();
    store.outcome(Outcome::of(b, Some(2), Change::Nothing { why: "never made".into() })).unwrap();
    store.finish().unwrap();
    assert!(stack.read().unwrap().is_empty());
    assert_eq!(stack.names(), [".default.tfstate.lock", "default.tfstate", "default.tfstate.backup"]);
}

#[test]
fn a_journal_of_another_lineage_is_refused_and_kept() {
    let stack = Stack::new();
    let mut store = stack.begin();
    store.intent(intent(&address("t.a"), Operation::Create)).unwrap();
    drop(store);
    let mut foreign = Snapshot::empty("other");
    foreign.serial = 3;
    std::fs::write(stack.0.path().join("state/default.tfstate"), v4::render(&foreign)).unwrap();
    let names = stack.names();
    match stack.begin_on(&Disk::default()) {
        Err(error @ StateError::Journal { .. }) => {
            assert!(error.to_string().contains("lineage l"), "{error}");
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
    assert_eq!(stack.names(), names);
}

#[test]
fn a_state_that_somebody_else_changed_meanwhile_is_not_overwritten() {
    let stack = Stack::new();
    let (a, b) = (address("t.a"), address("t.b"));
    let mut store = stack.begin();
    store.outcome(Outcome::of(a.clone(), None, put("a", 1))).unwrap();
    store.commit().unwrap();
    let mut foreign = stack.read().unwrap();
    foreign.serial += 1;
    foreign.put(&b, "p", object("b", 1));
    std::fs::write(stack.0.path().join("state/default.tfstate"), v4::render(&foreign)).unwrap();
    store.outcome(Outcome::of(a.clone(), None, put("a", 2))).unwrap();
    assert!(matches!(store.commit(), Err(StateError::Moved { .. })));
    assert!(matches!(store.finish(), Err(StateError::Moved { .. })));
    assert_eq!(stack.read().unwrap(), foreign);

    // The next run has both.
    let store = stack.begin();
    let id = |address| store.snapshot().get(address).map(|o| o.attributes["size"].clone());
    assert_eq!((id(&a), id(&b)), (Some(json!(2)), Some(json!(1))));
}

#[test]
fn a_write_that_fails_when_it_is_done_does_not_stand_in_the_way_of_the_next() {
    let stack = Stack::new();
    let syncs = Arc::new(AtomicUsize::new(0));
    let disk = Disk::with_faults(Arc::new(move |op: Op, path: &Path| {
        let first = op == Op::SyncFolder && syncs.fetch_add(1, Ordering::Relaxed) == 0;
        match first && path.ends_with("state") {
            true => Err(Fault { error: ErrorKind::Other.into(), written: 0 }),
            false => Ok(()),
        }
    }));
    let mut store = stack.begin_on(&disk).unwrap();
    store.snapshot_mut().put(&address("t.a"), "p", object("a", 1));
    assert!(matches!(store.commit(), Err(StateError::Io { action: "save", .. })));
    assert_eq!(stack.read().unwrap().serial, 1, "the new name is there, though it may not last");
    store.snapshot_mut().put(&address("t.a"), "p", object("a", 2));
    assert_eq!(store.finish().unwrap(), Committed::Written(2));
    assert_eq!(stack.read().unwrap().get(&address("t.a")), Some(&object("a", 2)));
}

#[test]
fn two_stores_do_not_work_on_one_state() {
    let stack = Stack::new();
    let store = stack.begin();
    assert!(matches!(stack.begin_on(&Disk::default()), Err(StateError::Locked { .. })));
    store.leave().unwrap();
    stack.begin().leave().unwrap();
}
