use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use terrane_model::Value;

use super::*;
use crate::disk::{Fault, Op};
use crate::journal::{Change, Operation};
use crate::local::Local;
use crate::snapshot::{Object, Output};

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
    }
}

struct Stack(tempfile::TempDir);

impl Stack {
    fn new() -> Stack {
        Stack(tempfile::tempdir().unwrap())
    }

    fn local(&self, disk: &Disk) -> Local {
        Local::on(disk.clone(), &self.0.path().join("state"), None, "default").unwrap()
    }

    fn begin_on(&self, disk: &Disk) -> Result<Store, StateError> {
        let local = self.local(disk);
        let journal = local.journal_path();
        let info = LockInfo { id: "1".into(), ..LockInfo::default() };
        let access = Access::Locked { info: &info, again: &mut |_| false };
        Store::begin_on(disk.clone(), Box::new(local), &journal, "l", access)
    }

    fn begin(&self) -> Store {
        self.begin_on(&Disk::default()).unwrap()
    }

    fn read(&self) -> Option<Snapshot> {
        let bytes = Backend::read(&mut self.local(&Disk::default())).unwrap()?;
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

    let journal = stack.local(&Disk::default()).journal_path();
    let peeked = Store::peek(&mut stack.local(&Disk::default()), &journal).unwrap().unwrap();
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
fn two_stores_do_not_work_on_one_state() {
    let stack = Stack::new();
    let store = stack.begin();
    assert!(matches!(stack.begin_on(&Disk::default()), Err(StateError::Locked { .. })));
    store.leave().unwrap();
    stack.begin().leave().unwrap();
}

/// What is really there: the size of each object by its id.
type Cloud = BTreeMap<String, u64>;

/// One step of a run.
#[derive(Clone, Debug)]
enum Step {
    Create(u8),
    Update(u8),
    Delete(u8),
    /// A new one is made before the old one is deleted.
    Replace(u8),
    Rename(u8, u8),
    Commit,
}

/// The process is dead: nothing more happens.
struct Dead;

/// A process that applies steps. After an error it either dies or goes on, as a process does that met a full disk.
struct Run<'a> {
    store: Store,
    cloud: &'a mut Cloud,
    dies: bool,
    count: u64,
}

impl Run<'_> {
    fn check<T>(&self, result: Result<T, StateError>) -> Result<Option<T>, Dead> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.dies => Err(Dead),
            Err(_) => Ok(None),
        }
    }

    fn call(
        &mut self,
        address: &Address,
        deposed: Option<&str>,
        operation: Operation,
        id: String,
        f: impl FnOnce(&mut Cloud) -> Change,
    ) -> Result<(), Dead> {
        let planned = (operation == Operation::Create).then(|| object(&id, 0));
        let intent = Intent { deposed: deposed.map(str::to_owned), planned, ..intent(address, operation) };
        let noted = self.store.intent(intent);
        let Some(n) = self.check(noted)? else { return Ok(()) };
        let change = f(self.cloud);
        let outcome =
            Outcome { deposed: deposed.map(str::to_owned), ..Outcome::of(address.clone(), Some(n), change) };
        let noted = self.store.outcome(outcome);
        self.check(noted).map(drop)
    }

    fn create(&mut self, address: &Address) -> Result<(), Dead> {
        self.count += 1;
        let id = format!("{address}#{}", self.count);
        let made = id.clone();
        self.call(address, None, Operation::Create, id.clone(), move |cloud| {
            cloud.insert(made.clone(), 1);
            put(&made, 1)
        })
    }

    fn delete(&mut self, address: &Address, deposed: Option<&str>) -> Result<(), Dead> {
        let id = self.store.snapshot().object(address, deposed).and_then(Object::id).map(str::to_owned);
        let Some(id) = id else { return Ok(()) };
        self.call(address, deposed, Operation::Delete, id.clone(), move |cloud| {
            cloud.remove(&id);
            Change::Remove
        })
    }

    fn step(&mut self, step: &Step) -> Result<(), Dead> {
        let at = |n: &u8| address(&format!("t.r[{n}]"));
        let exists = |store: &Store, n: &u8| store.snapshot().get(&at(n)).is_some();
        match step {
            Step::Commit => {
                let committed = self.store.commit();
                self.check(committed).map(drop)
            }
            Step::Create(n) if !exists(&self.store, n) => self.create(&at(n)),
            Step::Update(n) => {
                let id = self.store.snapshot().get(&at(n)).and_then(Object::id).map(str::to_owned);
                let Some(id) = id else { return Ok(()) };
                self.call(&at(n), None, Operation::Update, id.clone(), move |cloud| {
                    let size = cloud.get_mut(&id).unwrap();
                    *size += 1;
                    put(&id, *size)
                })
            }
            Step::Delete(n) => self.delete(&at(n), None),
            Step::Replace(n) if exists(&self.store, n) => {
                self.count += 1;
                let key = format!("{:08x}", self.count);
                let noted = self.store.outcome(Outcome::of(at(n), None, Change::Depose { key: key.clone() }));
                self.check(noted)?;
                self.create(&at(n))?;
                self.delete(&at(n), Some(&key))
            }
            Step::Rename(from, to) if exists(&self.store, from) && !exists(&self.store, to) => {
                let noted = self.store.outcome(Outcome::of(at(from), None, Change::Rename { to: at(to) }));
                self.check(noted).map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// What the next run does about calls of which no outcome is known: it looks for the object.
fn look_for_objects(store: &mut Store, cloud: &Cloud) {
    for (n, intent) in store.open_intents().clone() {
        let id = match intent.operation {
            Operation::Create => intent.planned.as_ref().and_then(Object::id).unwrap().to_owned(),
            Operation::Update | Operation::Delete => intent.id.clone().unwrap(),
        };
        let change = match (cloud.get(&id), intent.operation) {
            (Some(size), _) => put(&id, *size),
            (None, Operation::Create) => Change::Nothing { why: "it was not made".into() },
            (None, _) => Change::Remove,
        };
        let outcome = Outcome { deposed: intent.deposed, ..Outcome::of(intent.address, Some(n), change) };
        store.outcome(outcome).unwrap();
    }
}

fn known(snapshot: &Snapshot) -> Cloud {
    let current = snapshot.current().map(|(.., object)| object);
    current
        .chain(snapshot.deposed().map(|(.., object)| object))
        .map(|object| (object.id().unwrap().to_owned(), object.attributes["size"].as_u64().unwrap()))
        .collect()
}

/// Runs the steps on a disk on which the operation with a number fails, and, if the process dies of it, all after
/// that. Then lets a second run take over, and asks that it knows exactly what is there. Answers whether there was an
/// operation with that number.
fn survives(steps: &[Step], fails: usize, dies: bool, written: usize) -> bool {
    let stack = Stack::new();
    let mut cloud = Cloud::new();
    let count = Arc::new(AtomicUsize::new(0));
    let disk = Disk::with_faults(Arc::new({
        let count = count.clone();
        move |op: Op, _: &Path| {
            let now = count.fetch_add(1, Ordering::Relaxed);
            match now == fails || (dies && now > fails) {
                // Only the write at which the process dies gets through in part.
                true => Err(Fault {
                    error: ErrorKind::StorageFull.into(),
                    written: if now == fails && op == Op::Write { written } else { 0 },
                }),
                false => Ok(()),
            }
        }
    }));
    if let Ok(store) = stack.begin_on(&disk) {
        let mut run = Run { store, cloud: &mut cloud, dies, count: 0 };
        if steps.iter().try_for_each(|step| run.step(step)).is_ok() {
            let _ = run.store.finish();
        }
    }
    let there = count.load(Ordering::Relaxed) > fails;

    let mut store = stack.begin();
    look_for_objects(&mut store, &cloud);
    assert_eq!(
        known(store.snapshot()),
        cloud,
        "operation {fails} fails, dies: {dies}, {written} bytes written"
    );
    store.finish().unwrap();
    assert_eq!(known(&stack.read().unwrap_or_else(|| Snapshot::empty("l"))), cloud);
    let names = stack.names();
    let strays: Vec<&String> = names
        .iter()
        .filter(|name| {
            !matches!(name.as_str(), ".default.tfstate.lock" | "default.tfstate" | "default.tfstate.backup")
        })
        .collect();
    assert!(strays.is_empty(), "{strays:?}");
    there
}

#[test]
fn a_run_may_die_or_stumble_at_any_file_operation() {
    use Step::{Commit, Create, Delete, Rename, Replace, Update};
    let steps = [
        Create(0),
        Create(1),
        Commit,
        Update(0),
        Replace(1),
        Commit,
        Create(2),
        Delete(0),
        Rename(2, 0),
        Update(0),
        Commit,
        Replace(0),
        Replace(1),
        Delete(1),
    ];
    for dies in [true, false] {
        for written in [0, 40, usize::MAX] {
            let mut fails = 0;
            while survives(&steps, fails, dies, written) {
                fails += 1;
            }
            assert!(fails > 60, "{fails} operations");
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0u8..3).prop_map(Step::Create),
        2 => (0u8..3).prop_map(Step::Update),
        2 => (0u8..3).prop_map(Step::Delete),
        2 => (0u8..3).prop_map(Step::Replace),
        1 => (0u8..3, 0u8..3).prop_map(|(a, b)| Step::Rename(a, b)),
        2 => Just(Step::Commit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_run_may_die_or_stumble_anywhere(
        steps in proptest::collection::vec(step(), 1..16),
        fails in 0usize..120,
        dies in any::<bool>(),
        written in 0usize..600,
    ) {
        survives(&steps, fails, dies, written);
    }
}
