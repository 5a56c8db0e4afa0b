//! After an action: the answer is checked against the plan, the snapshot changed, the outcome written down.

use futures::future::BoxFuture;
use serde_json::Value as Json;
use terrane_model::secret::Secrets;
use terrane_model::{Action, Address, Diagnostic, Value};
use terrane_plan::access;
use terrane_plan::build::outputs::output_value;
use terrane_plan::codec::encode;
use terrane_plan::conditions::{Kind, Status, check_results, judge, judge_all};
use terrane_plan::diff::carry_marks;
use terrane_plan::order::Step;
use terrane_plan::plan::Mode;
use terrane_plan::{Change, OutputChange};
use terrane_provider::{Error, Failure, Note};
use terrane_spec::condition::Purpose;
use terrane_state::journal::{Change as StateChange, Outcome};
use terrane_state::{Object, Output, StateError};

use super::agree::fits;
use super::ledger::lost;
use super::prepare::deposed_key;
use super::verbs::{Came, Ended, Finished, Verb};
use super::{Walk, half};
use crate::events::Event;
use crate::marker;
use crate::observe::diagnose;

impl<'r> Walk<'r, '_> {
    /// Takes an ended action over. Gives what is left to do for its object.
    pub(super) fn finish(&mut self, finished: Finished) -> Option<BoxFuture<'r, Ended>> {
        let intent = self.under_way.remove(&finished.node).and_then(|work| work.intent);
        self.survey_is_over(finished.node);
        let index = match self.run.plan.order.steps.get(finished.node) {
            Some(Step::Apply(i) | Step::Delete(i)) => *i,
            _ => return None,
        };
        let change = self.run.plan.changes.get(index)?;
        let mut left = None;
        let action = finished.verb.action();
        match finished.result {
            Ok(Came::Gone(deleted)) => {
                let deposed = match &finished.verb {
                    Verb::Delete { deposed, .. } => deposed.as_deref(),
                    _ => None,
                };
                let gone = Outcome::of(change.address.clone(), intent, StateChange::Remove);
                self.record(match deposed {
                    Some(key) => gone.deposed(key),
                    None => gone,
                });
                self.report.done.destroy += 1;
                if let Some(note) = &deleted.note {
                    self.report.notes.push((change.address.clone(), note.clone()));
                }
                self.tell_done(change, action, None, &finished.elapsed, deleted.note.as_deref());
                self.complete(finished.node);
            }
            Ok(Came::Object(object)) => {
                let object = match finished.verb.desired() {
                    Some(desired) => carry_marks(desired, object),
                    None => match &finished.verb {
                        Verb::Read { config, .. } if config.marks_deep().any() => {
                            object.with_marks(config.marks_deep())
                        }
                        _ => object,
                    },
                };
                let breach = self.breach(change, &finished.verb, &object);
                let beside = (action, finished.marker.as_str(), &finished.note);
                if let Err(failure) = self.keep(change, intent, &object, breach.is_some(), beside) {
                    self.fail(change, action, finished.node, failure, &finished.elapsed);
                    return None;
                }
                if let Some(error) = breach {
                    self.fail(change, action, finished.node, error, &finished.elapsed);
                    return None;
                }
                let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
                if action == Action::Create {
                    left = self.settling(change, &object);
                }
                self.world.set(&change.address, object.clone());
                match action {
                    Action::Create => self.report.done.add += 1,
                    Action::Update => self.report.done.change += 1,
                    _ => {}
                }
                self.tell_done(change, action, id.as_deref(), &finished.elapsed, None);
                let breaches = self.postconditions(change, &object);
                if breaches.is_empty() {
                    self.complete(finished.node);
                } else {
                    // The object is made and kept; what depends on it waits until the condition holds.
                    self.report.diagnostics.extend(breaches);
                    self.report.failed.push((change.address.clone(), action));
                }
            }
            Err(Failure { error, partial }) => {
                let error = self.without_secrets(error, &finished.verb);
                match partial {
                    Some(partial) => {
                        let beside = (action, finished.marker.as_str(), &finished.note);
                        let _ = self.keep(change, intent, &partial, true, beside);
                    }
                    None => {
                        // In doubt the intent stays open: the next run looks whether the object was made after all.
                        if !error.leaves_doubt() {
                            let why = error.to_string();
                            self.record(Outcome::of(
                                change.address.clone(),
                                intent,
                                StateChange::Nothing { why },
                            ));
                        }
                        if action == Action::Create {
                            self.restore(change, finished.node);
                        }
                    }
                }
                self.fail(change, action, finished.node, error, &finished.elapsed);
            }
        }
        left
    }

    /// The error with nothing in it that is sensitive: services quote what they refuse.
    fn without_secrets(&self, mut error: Error, verb: &Verb) -> Error {
        let mut secrets = Secrets::default();
        let read = match verb {
            Verb::Read { config, .. } => Some(config),
            _ => None,
        };
        let values = verb.prior().into_iter().chain(verb.desired()).chain(read);
        self.run.plan.variables.values().chain(values).for_each(|value| secrets.learn(value));
        secrets.hide_in(&mut error.message);
        error.hints.iter_mut().for_each(|hint| secrets.hide_in(hint));
        error
    }

    fn settling(&self, change: &'r Change, object: &Value) -> Option<BoxFuture<'r, Ended>> {
        let resource =
            self.run.catalog.resource(&change.address.resource.type_name).filter(|r| r.has_marker())?;
        let session = self.run.sessions.get(&change.provider, &change.address).ok()?;
        let (address, object, events) = (change.address.clone(), object.clone(), self.run.events);
        Some(Box::pin(async move {
            let result = marker::take_off(resource.as_ref(), session, &address, &object, events).await;
            Ended::Settled { address, result }
        }))
    }

    /// Notes that an object carries no marker any more.
    pub(super) fn settled(&mut self, address: &Address) {
        if let Some(outcome) = marker::settled(self.ledger.snapshot(), address) {
            self.record(outcome);
        }
    }

    pub(super) fn not_settled(&mut self, address: &Address, error: &Error) {
        let detail = format!(
            "`{address}` is made and in the state, but the tag that marks it as new could not be taken off: {error}."
        );
        let warning = Diagnostic::warning("marker-left", "Left-over tag", detail).about(address);
        self.report.warnings.push(warning.hint("It does no harm. The next run tries again."));
    }

    /// What does not hold of an object that was just made, changed or read.
    fn postconditions(&self, change: &Change, object: &Value) -> Vec<Diagnostic> {
        let Some(spec) = self.run.spec.resource(&change.address.resource) else { return vec![] };
        if spec.lifecycle.postconditions.is_empty() {
            return vec![];
        }
        let wanted = self.expansions.get(&change.address.resource).into_iter().flatten();
        let each_value = wanted.filter(|w| w.key == change.address.key).find_map(|w| w.each_value.as_ref());
        let scope = self.world.instance_scope(
            &change.address.resource.module,
            change.address.key.as_ref(),
            each_value,
        );
        let mut found = Vec::new();
        let scope = scope.with_self(object);
        judge(&spec.lifecycle.postconditions, Purpose::Postcondition, &scope, &mut found);
        found.into_iter().map(|d| d.about(&change.address)).collect()
    }

    /// Brings keys up to date whose policy changed when another object was deleted.
    pub(super) fn settle_policies(&mut self) {
        let found = access::left_without(self.ledger.snapshot(), &self.run.plan.changes);
        for (address, provider, object) in found {
            let put = StateChange::Put { provider, object: Box::new(object) };
            self.record(Outcome::of(address, None, put));
        }
    }

    /// Judges everything once more with real values, and writes the results into the state.
    pub(super) fn judge_all(&mut self) {
        if self.run.plan.mode != Mode::Normal {
            self.ledger.snapshot_mut().check_results = Json::Null;
            return;
        }
        let mut found = Vec::new();
        let mut verdicts = judge_all(&self.world, &self.selection, &mut found);
        // A check with a data source of its own was judged while planning; it is not read again.
        let planned = &self.run.plan.verdicts;
        for verdict in verdicts.iter_mut().filter(|v| v.kind == Kind::Check && v.status == Status::Unknown) {
            if let Some(known) = planned.iter().find(|p| p.kind == Kind::Check && p.object == verdict.object)
            {
                *verdict = known.clone();
            }
        }
        self.ledger.snapshot_mut().check_results = check_results(&verdicts);
        self.judge_access();
        // Errors were reported where they stopped something; what checks say is new.
        self.report.warnings.extend(found.into_iter().filter(|d| !d.is_error()));
    }

    /// Judges the assertions about access once more, with the objects that are there now.
    fn judge_access(&mut self) {
        let whole =
            self.report.failed.is_empty() && self.report.skipped.is_empty() && self.report.dropped.is_empty();
        if !whole {
            return;
        }
        let account = access::account(&self.run.sessions.facts());
        let (snapshot, catalog) = (self.ledger.snapshot(), self.run.catalog);
        let mut found = Vec::new();
        let (account, changes) = (account.as_deref(), &self.run.plan.changes);
        let judged = access::judge_now(&self.world, snapshot, catalog, account, changes, &mut found);
        let weighed = found.into_iter().map(|error| self.selection.weighed(error));
        let (errors, warnings) = weighed.partition(Diagnostic::is_error);
        self.report.diagnostics.extend::<Vec<_>>(errors);
        self.report.warnings.extend::<Vec<_>>(warnings);
        access::own_part(&mut self.ledger.snapshot_mut().terrane, &judged);
    }

    /// Where the answer breaks what was planned.
    fn breach(&self, change: &Change, verb: &Verb, object: &Value) -> Option<Error> {
        let name = change.address.resource.type_name.as_ref();
        if !object.is_wholly_known() {
            return Some(Error::bug(name, "The answer has unknown parts."));
        }
        let desired = verb.desired()?;
        let schema = self.run.catalog.resource(name)?.schema();
        let disagreement = fits(schema, desired, object).err()?;
        Some(Error::bug(
            name,
            format!("`{}` came out otherwise than planned: {}.", disagreement.path, disagreement.detail),
        ))
    }

    /// Puts an object into the snapshot and writes it down. One that was made and is not as it should be is tainted.
    fn keep(
        &mut self,
        change: &Change,
        intent: Option<u64>,
        object: &Value,
        amiss: bool,
        (action, marker, note): (Action, &str, &Note),
    ) -> Result<(), Error> {
        let name = change.address.resource.type_name.as_ref();
        let schema = match change.action {
            Action::Read => self.run.catalog.data(name).map(|d| d.schema()),
            _ => self.run.catalog.resource(name).map(|r| r.schema()),
        };
        let encoded = schema.and_then(|schema| Some((encode(schema, object)?, schema.version)));
        let Some(((attributes, sensitive), schema_version)) = encoded else {
            return Err(Error::bug(name, "The answer can't be written into the state."));
        };
        let before = self.ledger.snapshot().get(&change.address);
        let tainted = amiss && action == Action::Create;
        let mut kept = Object {
            status: if tainted { terrane_state::Status::Tainted } else { terrane_state::Status::Ready },
            schema_version,
            attributes,
            sensitive,
            dependencies: change.dependencies.clone(),
            create_before_destroy: change.create_before_destroy,
            private: before.and_then(|object| object.private.clone()),
            other: before.map(|object| object.other.clone()).unwrap_or_default(),
            ..Object::default()
        };
        if action == Action::Create && self.run.catalog.resource(name).is_some_and(|r| r.has_marker()) {
            marker::note(&mut kept, marker);
        }
        kept.remember(note.text().as_deref());
        kept.protect(self.is_protected(change));
        let put = StateChange::Put { provider: change.provider.state_name(), object: Box::new(kept) };
        self.record(Outcome::of(change.address.clone(), intent, put));
        Ok(())
    }

    /// Whether the spec says that the object must not be deleted.
    pub(super) fn is_protected(&self, change: &Change) -> bool {
        let spec = self.run.spec.resource(&change.address.resource);
        spec.is_some_and(|spec| spec.lifecycle.prevent_destroy.is_some())
    }

    /// A replacement that was to be made first was not made: the old object takes its place again.
    fn restore(&mut self, change: &Change, node: usize) {
        if change.action != Action::CreateThenDelete || self.ledger.snapshot().get(&change.address).is_some()
        {
            return;
        }
        let key = deposed_key(node);
        if let Some(object) = self.ledger.snapshot().object(&change.address, Some(&key)).cloned() {
            let put = StateChange::Put { provider: change.provider.state_name(), object: Box::new(object) };
            self.record(Outcome::of(change.address.clone(), None, put));
            self.record(Outcome::of(change.address.clone(), None, StateChange::Remove).deposed(key));
        }
    }

    pub(super) fn record(&mut self, outcome: Outcome) {
        if let Err(error) = self.ledger.outcome(outcome) {
            self.lost(&error);
        }
    }

    pub(super) fn save(&mut self) {
        if let Err(error) = self.ledger.save() {
            self.lost(&error);
        }
    }

    /// Nothing new begins once the state can't be written.
    pub(super) fn lost(&mut self, error: &StateError) {
        if !self.broken {
            self.report.diagnostics.push(lost(error));
        }
        self.broken = true;
    }

    pub(super) fn fail(
        &mut self,
        change: &Change,
        action: Action,
        node: usize,
        error: Error,
        elapsed: &std::time::Duration,
    ) {
        self.run.events.event(&Event::Failed {
            address: &change.address,
            action,
            error: &error,
            elapsed: *elapsed,
        });
        let apply = matches!(self.run.plan.order.steps.get(node), Some(Step::Apply(_)));
        self.report.failed.push((change.address.clone(), half(change.action, apply)));
        let doing = match action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
            _ => "read",
        };
        let mut diagnostic = diagnose(&error, &change.address, doing);
        if let Some(spec) = self.run.spec.resource(&change.address.resource) {
            diagnostic = diagnostic.at(spec.span);
        }
        self.report.diagnostics.push(diagnostic);
    }

    fn tell_done(
        &self,
        change: &Change,
        action: Action,
        id: Option<&str>,
        elapsed: &std::time::Duration,
        note: Option<&str>,
    ) {
        let address = &change.address;
        self.run.events.event(&Event::Done { address, action, id, elapsed: *elapsed, note });
    }

    /// Writes the outputs into the snapshot. One that can't be told, since something failed, keeps its old value.
    pub(super) fn outputs(&mut self) {
        let planned = &self.run.plan.outputs;
        for (name, change) in planned {
            match (self.run.plan.mode, &change.after) {
                (Mode::RefreshOnly, _) => {}
                (Mode::Destroy, _) | (_, None) => {
                    if self.report.failed.is_empty() && self.report.skipped.is_empty() {
                        self.ledger.snapshot_mut().outputs.remove(name);
                    }
                }
                (Mode::Normal, Some(_)) => self.output(name, change),
            }
        }
    }

    fn output(&mut self, name: &std::sync::Arc<str>, change: &OutputChange) {
        match output_value(&self.world, name) {
            Ok(value) if value.is_wholly_known() => {
                let (value, _) = value.unmark_deep();
                let output = Output { value, sensitive: change.sensitive };
                self.ledger.snapshot_mut().outputs.insert(name.clone(), output);
            }
            // Something that it refers to was not made.
            Ok(_) => {}
            Err(errors) if self.report.failed.is_empty() => {
                let about = |e: Diagnostic| e.hint(format!("The output `{name}` keeps its old value."));
                self.report.diagnostics.extend(errors.into_iter().map(about));
            }
            Err(_) => {}
        }
    }
}
