//! Runs that die, or stumble, at any file operation: whatever happens, the next run knows exactly what is there.

use proptest::prelude::*;

use super::*;

/// What is really there: the size of each object by its id.
type Cloud = BTreeMap<String, u64>;

/// One step of a run.
#[derive(Clone, Debug)]
enum Step {
    Create(u8),
    Update(u8),
    /// The same, and the state is committed between the intent and the call, and again before the outcome.
    UpdateSlowly(u8),
    Delete(u8),
    /// A new one is made before the old one is deleted.
    Replace(u8),
    Rename(u8, u8),
    Commit,
}

/// The process is dead: nothing more happens.
struct Dead;

/// A process that applies steps. When it is not dead it goes on after an error, as it would when the disk is full for a
/// while: a call whose intent could not be noted is not made.
struct Run<'a> {
    store: Store,
    cloud: &'a mut Cloud,
    disk: &'a FailingDisk,
    commits_meanwhile: bool,
    count: u64,
}

impl Run<'_> {
    fn check<T>(&self, result: Result<T, StateError>) -> Result<Option<T>, Dead> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.disk.is_dead() => Err(Dead),
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
        self.commit_meanwhile()?;
        let change = f(self.cloud);
        self.commit_meanwhile()?;
        let outcome =
            Outcome { deposed: deposed.map(str::to_owned), ..Outcome::of(address.clone(), Some(n), change) };
        let noted = self.store.outcome(outcome);
        self.check(noted).map(drop)
    }

    fn commit_meanwhile(&mut self) -> Result<(), Dead> {
        if self.commits_meanwhile {
            let committed = self.store.commit();
            self.check(committed)?;
        }
        Ok(())
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
            Step::UpdateSlowly(n) => {
                self.commits_meanwhile = true;
                let done = self.step(&Step::Update(*n));
                self.commits_meanwhile = false;
                done
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

/// A disk on which one operation fails, and at another one of which the process dies.
#[derive(Clone)]
struct FailingDisk {
    /// Operations so far.
    count: Arc<AtomicUsize>,
    stumbles: usize,
    dies: usize,
    /// How many bytes of a write that fails get through all the same.
    written: usize,
}

impl FailingDisk {
    fn is_dead(&self) -> bool {
        self.count.load(Ordering::Relaxed) > self.dies
    }

    fn disk(&self) -> Disk {
        let this = self.clone();
        Disk::with_faults(Arc::new(move |op: Op, _: &Path| {
            let now = this.count.fetch_add(1, Ordering::Relaxed);
            if now != this.stumbles && now < this.dies {
                return Ok(());
            }
            // Of what follows after the death nothing gets through.
            let written = if op == Op::Write && now <= this.dies { this.written } else { 0 };
            Err(Fault { error: ErrorKind::StorageFull.into(), written })
        }))
    }
}

const NEVER: usize = usize::MAX;

/// Runs the steps on a failing disk. Then lets a second run take over, and asks that it knows exactly what is there.
/// Answers how many file operations there were.
fn survives(steps: &[Step], stumbles: usize, dies: usize, written: usize) -> usize {
    survives_as(Kept::Plain, steps, stumbles, dies, written)
}

/// The same with the state kept in the clear or encrypted.
fn survives_as(kept: Kept, steps: &[Step], stumbles: usize, dies: usize, written: usize) -> usize {
    let stack = Stack(tempfile::tempdir().unwrap(), kept);
    let mut cloud = Cloud::new();
    let failing = FailingDisk { count: Arc::default(), stumbles, dies, written };
    if let Ok(store) = stack.begin_on(&failing.disk()) {
        let mut run = Run { store, cloud: &mut cloud, disk: &failing, commits_meanwhile: false, count: 0 };
        if steps.iter().try_for_each(|step| run.step(step)).is_ok() {
            let _ = run.store.finish();
        }
    }

    let mut store = stack.begin_on(&Disk::with_faults(Arc::new(|_, _| Ok(())))).unwrap();
    look_for_objects(&mut store, &cloud);
    assert_eq!(known(store.snapshot()), cloud, "stumbles {stumbles}, dies {dies}, {written} bytes written");
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
    failing.count.load(Ordering::Relaxed)
}

#[test]
fn a_run_may_die_or_stumble_at_any_file_operation() {
    dies_everywhere(Kept::Plain);
}

#[test]
fn an_encrypted_run_may_die_or_stumble_at_any_file_operation() {
    dies_everywhere(Kept::Sealed);
}

fn dies_everywhere(kept: Kept) {
    use Step::{Commit, Create, Delete, Rename, Replace, Update, UpdateSlowly};
    let steps = [
        Create(0),
        Create(1),
        Commit,
        Update(0),
        Replace(1),
        UpdateSlowly(0),
        Create(2),
        Delete(0),
        Rename(2, 0),
        Update(0),
        Commit,
        Replace(0),
        Replace(1),
        Delete(1),
    ];
    let operations = survives_as(kept, &steps, NEVER, NEVER, 0);
    assert!(operations > 60, "{operations}");
    for at in 0..operations {
        for written in [0, 40, usize::MAX] {
            survives_as(kept, &steps, NEVER, at, written);
            survives_as(kept, &steps, at, NEVER, written);
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0u8..3).prop_map(Step::Create),
        2 => (0u8..3).prop_map(Step::Update),
        2 => (0u8..3).prop_map(Step::UpdateSlowly),
        2 => (0u8..3).prop_map(Step::Delete),
        2 => (0u8..3).prop_map(Step::Replace),
        1 => (0u8..3, 0u8..3).prop_map(|(a, b)| Step::Rename(a, b)),
        2 => Just(Step::Commit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_run_may_stumble_and_may_die_anywhere(
        steps in proptest::collection::vec(step(), 1..16),
        stumbles in any::<prop::sample::Index>(),
        dies in any::<prop::sample::Index>(),
        written in 0usize..600,
    ) {
        let operations = survives(&steps, NEVER, NEVER, 0);
        survives(&steps, stumbles.index(operations), dies.index(operations), written);
    }
}
