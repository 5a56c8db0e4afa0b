//! The walk of a plan's action graph: at most so many actions at once, each as soon as what it waits for is done.
//!
//! A failed action stops only what waits for it. Every intent is in the ledger before its call and every outcome after it,
//! so that a run that dies loses nothing that is done.

mod agree;
mod finish;
pub mod ledger;
mod limits;
mod prepare;
mod verbs;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use terrane_expr::FunctionContext;
use terrane_model::{Action, Address, Diagnostics, ResourceAddress};
use terrane_plan::order::Step;
use terrane_plan::plan::Totals;
use terrane_plan::{Plan, Selection, World};
use terrane_provider::Catalog;
use terrane_spec::Spec;

use tokio::time::Instant;

use crate::events::{Event, Events};
use crate::sessions::Sessions;
use crate::stop::Stop;
use ledger::Ledger;
use verbs::Ended;

/// How often the snapshot is brought up to date while actions go on; the journal has the rest.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// How often it is looked whether there is something to tell.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often it is told that an action is still going on.
const STILL_EVERY: Duration = Duration::from_secs(10);

/// Everything that an apply works with.
pub struct Run<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The spec that it was made from.
    pub spec: &'a Spec,
    /// Resource types and data sources.
    pub catalog: &'a Catalog,
    /// Configured providers.
    pub sessions: &'a Sessions,
    /// Paths, files and times for functions.
    pub functions: FunctionContext,
    /// How many actions at once.
    pub parallelism: usize,
    /// Told about what happens.
    pub events: &'a dyn Events,
    /// How the run is interrupted.
    pub stop: &'a Stop,
    /// A text unique to this run; markers begin with it.
    pub run_id: &'a str,
}

/// How an apply ended.
#[derive(Debug)]
pub struct Report {
    /// What was done.
    pub done: Totals,
    /// Actions that failed.
    pub failed: Vec<(Address, Action)>,
    /// Actions that did not begin, since something that they wait for failed or the run was stopped.
    pub skipped: Vec<(Address, Action)>,
    /// Actions that were dropped while under way: what came of them is not known.
    pub dropped: Vec<(Address, Action)>,
    /// What went wrong.
    pub diagnostics: Diagnostics,
    /// What is worth saying though all is well.
    pub warnings: Diagnostics,
    /// Sentences about deleted objects and the like.
    pub notes: Vec<(Address, String)>,
    /// Whether it was asked to stop.
    pub interrupted: bool,
}

impl Report {
    /// Whether everything was done.
    pub fn is_success(&self) -> bool {
        self.failed.is_empty()
            && self.skipped.is_empty()
            && self.dropped.is_empty()
            && self.diagnostics.is_empty()
    }
}

/// Carries the plan out.
pub async fn apply(run: Run<'_>, ledger: &mut dyn Ledger) -> Report {
    let waits = run.plan.order.waits();
    let ready = waits.iter().enumerate().filter(|(_, n)| **n == 0).map(|(i, _)| i).collect();
    let world =
        World::new(run.spec, run.plan.variables.clone(), run.plan.workspace.clone(), run.functions.clone());
    let mut walk = Walk {
        run: &run,
        ledger,
        world,
        selection: limits::selection(&run),
        waits,
        ready,
        done: vec![false; run.plan.order.steps.len()],
        under_way: BTreeMap::new(),
        surveying: None,
        held_back: vec![],
        expansions: BTreeMap::new(),
        broken: false,
        report: Report {
            done: Totals::default(),
            failed: vec![],
            skipped: vec![],
            dropped: vec![],
            diagnostics: vec![],
            warnings: vec![],
            notes: vec![],
            interrupted: false,
        },
    };
    if let Err(error) = walk.ledger.begin(&run.plan.refreshed) {
        walk.lost(&error);
        return walk.close();
    }
    walk.imported();
    walk.populate();
    walk.go().await;
    walk.close()
}

struct UnderWay {
    address: Address,
    action: Action,
    id: Option<String>,
    started: Instant,
    intent: Option<u64>,
    /// How often it was told that it is still going on.
    told: u32,
}

struct Walk<'r, 'a> {
    run: &'r Run<'a>,
    ledger: &'r mut dyn Ledger,
    world: World<'a>,
    /// What the plan covers.
    selection: Selection,
    waits: Vec<usize>,
    ready: Vec<usize>,
    done: Vec<bool>,
    under_way: BTreeMap<usize, UnderWay>,
    /// The node that is making something of which only one is made at a time.
    surveying: Option<usize>,
    /// The nodes that wait for that.
    held_back: Vec<usize>,
    expansions: BTreeMap<ResourceAddress, Vec<terrane_plan::expand::Wanted>>,
    /// The ledger can't be written any more.
    broken: bool,
    report: Report,
}

impl<'r, 'a> Walk<'r, 'a> {
    async fn go(&mut self) {
        let mut running: FuturesUnordered<BoxFuture<'r, Ended>> = FuturesUnordered::new();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.tick().await;
        let mut saved = Instant::now();
        let mut told = false;
        loop {
            while running.len() < self.run.parallelism.max(1) && !self.run.stop.gently() && !self.broken {
                let Some(node) = self.ready.pop() else { break };
                if let Some(work) = self.begin(node) {
                    running.push(work);
                }
            }
            if self.run.stop.gently() && !told {
                told = true;
                self.run.events.event(&Event::Stopping { under_way: running.len() });
            }
            if running.is_empty() || self.run.stop.at_once() {
                break;
            }
            tokio::select! {
                biased;
                ended = running.next() => match ended {
                    Some(Ended::Action(finished)) => {
                        if let Some(settling) = self.finish(finished) {
                            running.push(settling);
                        }
                    }
                    Some(Ended::Surveyed { node, verb, result, elapsed }) => {
                        if let Some(work) = self.surveyed(node, verb, result, elapsed) {
                            running.push(work);
                        }
                    }
                    Some(Ended::Settled { address, result: Err(error) }) => self.not_settled(&address, &error),
                    Some(Ended::Settled { address, result: Ok(()) }) => self.settled(&address),
                    None => {}
                },
                () = self.run.stop.asked() => {}
                _ = tick.tick() => self.tell_still(),
            }
            if saved.elapsed() >= SAVE_EVERY {
                self.save();
                saved = Instant::now();
            }
        }
    }

    /// Imported objects are in the snapshot that the walk begins from, and that is saved.
    fn imported(&mut self) {
        for change in &self.run.plan.changes {
            let (address, Some(id)) = (&change.address, &change.importing) else { continue };
            self.run.events.event(&Event::Importing { address, id });
            self.run.events.event(&Event::Imported { address, id });
            self.report.done.import += 1;
        }
    }

    fn tell_still(&mut self) {
        for work in self.under_way.values_mut() {
            let due = STILL_EVERY * (work.told + 1);
            if work.started.elapsed() < due {
                continue;
            }
            work.told += 1;
            self.run.events.event(&Event::Still {
                address: &work.address,
                action: work.action,
                id: work.id.as_deref(),
                elapsed: due,
            });
        }
    }

    /// Lets everything go on that waited for this node.
    fn complete(&mut self, node: usize) {
        if let Some(done) = self.done.get_mut(node) {
            *done = true;
        }
        for follower in self.run.plan.order.followers.get(node).into_iter().flatten() {
            if let Some(count) = self.waits.get_mut(*follower) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.ready.push(*follower);
                }
            }
        }
    }

    fn close(mut self) -> Report {
        self.report.interrupted = self.run.stop.gently();
        let failed: BTreeSet<(Address, Action)> = self.report.failed.iter().cloned().collect();
        for (node, step) in self.run.plan.order.steps.iter().enumerate() {
            let (i, apply) = match step {
                Step::Apply(i) => (*i, true),
                Step::Delete(i) | Step::Forget(i) => (*i, false),
                Step::Made | Step::Unneeded => continue,
            };
            let Some(change) = self.run.plan.changes.get(i) else { continue };
            let entry = (change.address.clone(), half(change.action, apply));
            if self.under_way.contains_key(&node) {
                self.report.dropped.push(entry);
            } else if self.done.get(node) == Some(&false) && !failed.contains(&entry) {
                self.report.skipped.push(entry);
            }
        }
        if !self.broken {
            self.settle_policies();
            self.outputs();
            self.judge_all();
            self.note_limits();
            self.save();
        }
        self.report
    }
}

/// The action of one half of a change.
fn half(action: Action, apply: bool) -> Action {
    match (action, apply) {
        (Action::DeleteThenCreate | Action::CreateThenDelete, true) => Action::Create,
        (Action::DeleteThenCreate | Action::CreateThenDelete, false) => Action::Delete,
        (action, _) => action,
    }
}
