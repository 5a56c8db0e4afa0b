//! A spec, a state and a fake cloud that are planned and applied together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use terrane_expr::FunctionContext;
use terrane_model::{Diagnostic, Diagnostics, Value};
use terrane_plan::{Draft, Input, Observed, Options, Plan, ProviderKey, Scene, Selection, build};
use terrane_provider::{Facts, Session};
use terrane_reconcile::apply::ledger::Ledger;
use terrane_reconcile::{Event, Events, Report, Run, Sessions, Stop, apply, look, observe};
use terrane_spec::{Inputs, Loaded, Modules, Spec};
use terrane_state::journal::{Change, Intent, Outcome};
use terrane_state::{Snapshot, StateError};

use crate::cloud::Cloud;

/// A stack on a fake cloud.
pub struct Stack {
    /// The cloud.
    pub cloud: Cloud,
    /// The state.
    pub snapshot: Snapshot,
    /// What is asked for besides the spec.
    pub options: Options,
    /// Whether objects are read before planning.
    pub refresh: bool,
    /// How many actions at once.
    pub parallelism: usize,
    /// How a run is interrupted.
    pub stop: Stop,
    /// Texts of modules by the source that calls them.
    pub modules: BTreeMap<&'static str, String>,
    /// What was told and written down, a line each.
    pub log: Log,
}

/// Lines of events and ledger entries. Clones are the same log.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// The lines since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn line(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }
}

impl Events for Log {
    fn event(&self, event: &Event<'_>) {
        let line = match event {
            Event::Started { address, action, .. } => format!("{address}: {action:?} started"),
            Event::Done { address, action, .. } => format!("{address}: {action:?} done"),
            Event::Failed { address, action, error, .. } => format!("{address}: {action:?} failed: {error}"),
            Event::Still { address, action, elapsed, .. } => {
                format!("{address}: still {action:?} after {} s", elapsed.as_secs())
            }
            Event::Stopping { under_way } => format!("stopping, {under_way} under way"),
            _ => return,
        };
        self.line(line);
    }
}

/// A ledger in memory: a snapshot, and a line in the log for each entry.
struct Memory<'a> {
    snapshot: &'a mut Snapshot,
    log: Log,
    intents: u64,
}

impl Ledger for Memory<'_> {
    fn begin(&mut self, refreshed: &Snapshot) -> Result<(), StateError> {
        *self.snapshot = refreshed.clone();
        Ok(())
    }

    fn intent(&mut self, intent: Intent) -> Result<u64, StateError> {
        self.log.line(format!("{}: {:?} intended", intent.address, intent.operation));
        self.intents += 1;
        Ok(self.intents)
    }

    fn outcome(&mut self, outcome: Outcome) -> Result<(), StateError> {
        let address = &outcome.address;
        match (&outcome.change, &outcome.deposed) {
            (Change::Put { provider, object }, None) => {
                self.snapshot.put(address, provider, object.as_ref().clone())
            }
            (Change::Put { provider, object }, Some(key)) => {
                self.snapshot.put_deposed(address, provider, key, object.as_ref().clone());
            }
            (Change::Remove, None) => drop(self.snapshot.remove(address)),
            (Change::Remove, Some(key)) => drop(self.snapshot.remove_deposed(address, key)),
            (Change::Depose { key }, _) => drop(self.snapshot.depose(address, key)),
            (Change::Rename { to }, _) => drop(self.snapshot.rename(address, to)),
            (Change::Nothing { .. }, _) => {}
        }
        let there = if self.snapshot.get(address).is_some() { "there" } else { "gone" };
        self.log.line(format!("{address}: recorded as {there}"));
        Ok(())
    }

    fn save(&mut self) -> Result<(), StateError> {
        Ok(())
    }

    fn snapshot(&self) -> &Snapshot {
        self.snapshot
    }

    fn snapshot_mut(&mut self) -> &mut Snapshot {
        self.snapshot
    }
}

impl Default for Stack {
    fn default() -> Stack {
        Stack {
            cloud: Cloud::default(),
            snapshot: Snapshot::empty("test-lineage"),
            options: Options::default(),
            refresh: true,
            parallelism: 10,
            stop: Stop::default(),
            modules: BTreeMap::new(),
            log: Log::default(),
        }
    }
}

impl Stack {
    /// Reads a spec.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn spec(&self, text: &str) -> Result<Spec, Diagnostics> {
        parse(text, &self.modules, &self.cloud)
    }

    fn sessions(&self) -> Sessions {
        let builtin = Session::new(Facts::default(), Arc::new(()));
        Sessions(BTreeMap::from([
            (ProviderKey::default_of("fake"), self.cloud.session()),
            (ProviderKey::default_of("terraform"), builtin),
        ]))
    }

    /// Plans a spec.
    ///
    /// # Errors
    /// What the plan fails with.
    pub async fn plan(&self, spec: &Spec) -> Result<Plan, Diagnostics> {
        match self.draft(spec).await? {
            Draft::Plan(plan) => Ok(*plan),
            Draft::Needs(_) | Draft::Undeclared(_) => Err(vec![Diagnostic::error("no-plan", "No plan", "")]),
        }
    }

    /// Builds until nothing is to be looked at any more: a plan, or the resources that are to be written.
    ///
    /// # Errors
    /// What the plan fails with.
    pub async fn draft(&self, spec: &Spec) -> Result<Draft, Diagnostics> {
        let catalog = self.cloud.catalog();
        let sessions = self.sessions();
        let mut observed = Observed::default();
        if self.refresh {
            let scene = Scene {
                spec,
                variables: defaults(spec),
                workspace: "default".into(),
                functions: FunctionContext::closed(),
                snapshot: &self.snapshot,
                mode: self.options.mode,
            };
            let part = Selection::of(&self.options.targeting, &scene)?.of_state(&self.snapshot);
            observed = observe(&part, &catalog, &sessions, self.parallelism, &self.log, &self.stop).await?;
        }
        let facts = sessions.facts();
        loop {
            let input = Input {
                spec,
                variables: defaults(spec),
                workspace: "default".into(),
                functions: FunctionContext::closed(),
                catalog: &catalog,
                snapshot: &self.snapshot,
                observed: &observed,
                facts: &facts,
                options: &self.options,
            };
            match build(&input)? {
                Draft::Needs(needs) => {
                    look(needs, &mut observed, &catalog, &sessions, self.parallelism, &self.log).await?;
                }
                done => return Ok(done),
            }
        }
    }

    /// Applies a plan and keeps the state that comes of it.
    pub async fn apply(&mut self, spec: &Spec, plan: &Plan) -> Report {
        let catalog = self.cloud.catalog();
        let sessions = self.sessions();
        let run = Run {
            plan,
            spec,
            catalog: &catalog,
            sessions: &sessions,
            functions: FunctionContext::closed(),
            parallelism: self.parallelism,
            events: &self.log,
            stop: &self.stop,
            run_id: "test",
        };
        let log = self.log.clone();
        apply(run, &mut Memory { snapshot: &mut self.snapshot, log, intents: 0 }).await
    }

    /// Plans and applies.
    ///
    /// # Errors
    /// What the spec or the plan fails with. A failed apply is in the report.
    pub async fn up(&mut self, text: &str) -> Result<(Plan, Report), Diagnostics> {
        let spec = self.spec(text)?;
        let plan = self.plan(&spec).await?;
        let report = self.apply(&spec, &plan).await;
        Ok((plan, report))
    }
}

fn defaults(spec: &Spec) -> BTreeMap<Arc<str>, Value> {
    let mut sources = spec.sources.clone();
    let values = terrane_spec::variables(&spec.root, &Inputs::default(), &mut sources);
    values.map(|values| values.values).unwrap_or_default()
}

fn parse(text: &str, modules: &BTreeMap<&'static str, String>, cloud: &Cloud) -> Result<Spec, Diagnostics> {
    let parsed = terrane_spec::parse(vec![("terrane.toml".to_owned(), text.as_bytes().to_vec())])
        .with_modules(&mut InMemory(modules));
    terrane_spec::check(parsed, &cloud.catalog(), &FunctionContext::closed())
        .map_err(|failed| failed.diagnostics)
}

struct InMemory<'a>(&'a BTreeMap<&'static str, String>);

impl Modules for InMemory<'_> {
    fn load(&mut self, source: &str, _: &str) -> Result<Loaded, String> {
        let text = self.0.get(source).ok_or_else(|| format!("there is no `{source}`"))?;
        let name = format!("{source}/terrane.toml");
        Ok(Loaded { folder: source.into(), files: vec![(name, text.as_bytes().to_vec())] })
    }
}
