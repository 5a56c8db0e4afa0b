//! Before an action: the values of the world, the values that are to become real, the intent.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use terrane_model::conform::parse_duration;
use terrane_model::schema::{Operation, Schema};
use terrane_model::{Action, Diagnostic, Diagnostics, Mode, Value};
use terrane_plan::Change;
use terrane_plan::build::instance::{checked_body, configuration, ignoring, located, preconditions};
use terrane_plan::codec::{decode, encode};
use terrane_plan::diff::{plan_new, plan_object};
use terrane_plan::expand::{Repetition, Wanted, instances};
use terrane_plan::loss::Loss;
use terrane_plan::order::Step;
use terrane_plan::target::bring_uncovered;
use terrane_provider::{Context, Error, Note, ResourceType};
use terrane_state::Object;
use terrane_state::journal::{Change as StateChange, Intent, Operation as JournalOperation, Outcome};

use tokio::time::Instant;

use super::agree::{Disagreement, fits};
use super::verbs::{Ended, Verb, Work};
use super::{UnderWay, Walk, half};
use crate::events::{Event, Waits};

impl<'r> Walk<'r, '_> {
    /// Gives the world everything that is known before the first action.
    pub(super) fn populate(&mut self) {
        for (names, module) in self.run.spec.all_modules() {
            // Keys of modules are known since planning; an error would have stopped the plan.
            for path in self.world.module_instances(names).unwrap_or_default() {
                for (key, resource) in &module.resources {
                    // What is not covered stays unknown.
                    if !self.selection.touches(&key.address(&path)) {
                        continue;
                    }
                    let repetition = Repetition::of(resource.count.as_ref(), resource.for_each.as_ref());
                    self.world.declare(&key.address(&path), repetition);
                }
            }
        }
        for change in &self.run.plan.changes {
            if let (Some(after), None) = (&change.after, &change.deposed) {
                self.world.set(&change.address, after.clone());
            }
        }
        bring_uncovered(&mut self.world, &self.selection, &self.run.plan.refreshed, self.run.catalog);
        for (address, _, object) in self.run.plan.refreshed.current() {
            if address.resource.mode != Mode::Data {
                continue;
            }
            let Some(data) = self.run.catalog.data(&address.resource.type_name) else { continue };
            if let Ok(value) = decode(data.schema(), &object.attributes, &object.sensitive) {
                self.world.set(&address, value);
            }
        }
    }

    /// Begins a node. Gives the work, if there is any; a gate is passed at once.
    pub(super) fn begin(&mut self, node: usize) -> Option<BoxFuture<'r, Ended>> {
        let step = self.run.plan.order.steps.get(node).copied()?;
        let (i, apply) = match step {
            Step::Made | Step::Unneeded => {
                self.complete(node);
                return None;
            }
            Step::Forget(i) => {
                let change = self.run.plan.changes.get(i)?;
                self.report.done.forget += 1;
                let gone = Outcome::of(change.address.clone(), None, StateChange::Remove);
                self.record(match &change.deposed {
                    Some(key) => gone.deposed(key.clone()),
                    None => gone,
                });
                self.complete(node);
                return None;
            }
            Step::Apply(i) => (i, true),
            Step::Delete(i) => (i, false),
        };
        let change = self.run.plan.changes.get(i)?;
        let prepared = if apply { self.prepare_apply(change) } else { Ok(self.prepare_delete(change)) };
        let verb = match prepared {
            Ok(verb) => verb,
            Err(errors) => {
                let action = half(change.action, apply);
                self.report.failed.push((change.address.clone(), action));
                self.report.diagnostics.extend(errors.into_iter().map(|e| e.about(&change.address)));
                return None;
            }
        };
        let kind = self.run.catalog.resource(&change.address.resource.type_name);
        match kind.filter(|kind| kind.is_surveyed() && matches!(verb, Verb::Create { .. })) {
            Some(kind) => self.survey(node, change, kind.clone(), verb),
            None => self.start(node, change, verb, None),
        }
    }

    /// Looks what is there before an object is made that can't be found again. One at a time, so that what is new is the one.
    fn survey(
        &mut self,
        node: usize,
        change: &'r Change,
        kind: Arc<dyn ResourceType>,
        verb: Verb,
    ) -> Option<BoxFuture<'r, Ended>> {
        if self.surveying.is_some() {
            self.held_back.push(node);
            return None;
        }
        let session = match self.run.sessions.get(&change.provider, &change.address) {
            Ok(session) => session,
            // Told when it begins.
            Err(_) => return self.start(node, change, verb, None),
        };
        self.surveying = Some(node);
        let (events, timeout) = (self.run.events, self.timeout(change, &verb));
        Some(Box::pin(async move {
            let started = Instant::now();
            let waits = Waits(events);
            let cx = Context::looking(session, &change.address, timeout, &waits);
            let planned = verb.desired().map(|desired| desired.clone().unmark_deep().0);
            let result = match planned {
                Some(planned) => kind.survey(&cx, &planned).await,
                None => Ok(String::new()),
            };
            Ended::Surveyed { node, verb, result, elapsed: started.elapsed() }
        }))
    }

    /// Begins the creation that was surveyed.
    pub(super) fn surveyed(
        &mut self,
        node: usize,
        verb: Verb,
        result: Result<String, Error>,
        elapsed: Duration,
    ) -> Option<BoxFuture<'r, Ended>> {
        let change = match self.run.plan.order.steps.get(node) {
            Some(Step::Apply(i)) => self.run.plan.changes.get(*i)?,
            _ => return None,
        };
        let work = match result {
            // Nothing begins any more; it is skipped.
            Ok(_) if self.run.stop.gently() || self.broken => None,
            Ok(survey) => self.start(node, change, verb, Some(survey)),
            Err(error) => {
                self.fail(change, Action::Create, node, error, &elapsed);
                None
            }
        };
        if work.is_none() {
            self.survey_is_over(node);
        }
        work
    }

    /// Lets the next one of those be made that are made one at a time.
    pub(super) fn survey_is_over(&mut self, node: usize) {
        if self.surveying == Some(node) {
            self.surveying = None;
            self.ready.append(&mut self.held_back);
        }
    }

    fn start(
        &mut self,
        node: usize,
        change: &'r Change,
        verb: Verb,
        survey: Option<String>,
    ) -> Option<BoxFuture<'r, Ended>> {
        let action = verb.action();
        let marker = format!("{}-{node}", self.run.run_id);
        let id = verb.prior().and_then(|v| v.get("id")).and_then(Value::as_str).map(str::to_owned);
        let deposed = match &verb {
            Verb::Delete { deposed, .. } => deposed.as_deref(),
            _ => None,
        };
        let session = match self.run.sessions.get(&change.provider, &change.address) {
            Ok(session) => session,
            Err(error) => {
                self.report.failed.push((change.address.clone(), action));
                self.report.diagnostics.push(error);
                return None;
            }
        };
        let local =
            self.run.catalog.resource(&change.address.resource.type_name).is_some_and(|r| r.is_local());
        let mut intent = None;
        if let (Some(operation), false) = (operation(action), local) {
            let written = self.ledger.intent(Intent {
                address: change.address.clone(),
                deposed: deposed.map(str::to_owned),
                operation,
                provider: change.provider.state_name(),
                planned: verb.desired().and_then(|desired| self.known_part(change, desired)),
                marker: Some(marker.clone()),
                id: id.clone(),
                survey,
            });
            match written {
                Ok(n) => intent = Some(n),
                Err(error) => {
                    self.lost(&error);
                    return None;
                }
            }
        }
        if action == Action::Create && change.action == Action::CreateThenDelete {
            let key = deposed_key(node);
            self.record(Outcome::of(change.address.clone(), None, StateChange::Depose { key }));
        }
        self.run.events.event(&Event::Started { address: &change.address, action, id: id.as_deref() });
        let address = change.address.clone();
        self.under_way
            .insert(node, UnderWay { address, action, id, started: Instant::now(), intent, told: 0 });
        let note = match &verb {
            Verb::Update { .. } => self.ledger.snapshot().get(&change.address).and_then(Object::note),
            _ => None,
        };
        let note = Note::of(note);
        let timeout = self.timeout(change, &verb);
        let is_lost = |loss: &&Loss| (&loss.address, &loss.deposed) == (&change.address, &change.deposed);
        let loss = self.run.plan.losses.iter().find(is_lost);
        let work = Work {
            node,
            change,
            verb,
            marker,
            note,
            session,
            events: self.run.events,
            catalog: self.run.catalog,
            timeout,
            loss,
        };
        Some(Box::pin(async move { Ended::Action(work.carry_out().await) }))
    }

    /// The planned object for the journal: what is not known yet is null in it.
    fn known_part(&self, change: &Change, desired: &Value) -> Option<Object> {
        fn known(value: Value) -> Value {
            if value.is_unknown() { Value::null(value.ty()) } else { value.map_elements(&mut known) }
        }
        let schema = self.run.catalog.resource(&change.address.resource.type_name)?.schema();
        let (attributes, sensitive) = encode(schema, &known(desired.clone()))?;
        let dependencies = change.dependencies.clone();
        let create_before_destroy = change.create_before_destroy;
        let schema_version = schema.version;
        let mut object = Object {
            attributes,
            sensitive,
            dependencies,
            create_before_destroy,
            schema_version,
            ..Object::default()
        };
        object.protect(self.is_protected(change));
        Some(object)
    }

    fn prepare_apply(&mut self, change: &Change) -> Result<Verb, Diagnostics> {
        let type_name = &change.address.resource.type_name;
        let spec = self.run.spec.resource(&change.address.resource).ok_or_else(|| {
            vec![Diagnostic::error("plan-bug", "Inconsistent plan", "The spec does not have this resource.")]
        })?;
        let wanted = self.wanted(change)?;
        let scope = self.world.instance_scope(
            &change.address.resource.module,
            wanted.key.as_ref(),
            wanted.each_value.as_ref(),
        );
        preconditions(spec, &scope)?;
        let facts =
            self.run.sessions.get(&change.provider, &change.address).map_err(|e| vec![e])?.facts.clone();
        if change.action == Action::Read {
            let data = self.run.catalog.data(type_name).ok_or_else(|| unknown_type(type_name))?;
            let config = checked_body(spec, &data.schema().block, &scope)?;
            return Ok(Verb::Read { config, facts });
        }
        let resource = self.run.catalog.resource(type_name).ok_or_else(|| unknown_type(type_name))?;
        let config = configuration(spec, resource.as_ref(), &scope)?;
        let config = match &change.before {
            // A new object has no changes that could be ignored.
            Some(prior) if !change.action.is_replace() => {
                ignoring(&spec.lifecycle.ignore_changes, config, prior)
            }
            _ => config,
        };
        let placed = |problems: Vec<terrane_model::conform::Problem>| -> Diagnostics {
            problems.into_iter().map(|problem| located(problem, spec)).collect()
        };
        let desired = match (change.action, &change.before) {
            (Action::Update, Some(prior)) => {
                let planned = plan_object(resource.as_ref(), Some(prior), &config, &facts).map_err(placed)?;
                if !planned.replace.is_empty() {
                    return Err(vec![changed_mind(change, None)]);
                }
                planned.after
            }
            _ => plan_new(resource.as_ref(), None, &config, &facts).map_err(placed)?,
        };
        if let Some(after) = &change.after {
            fits(resource.schema(), after, &desired).map_err(|d| vec![changed_mind(change, Some(d))])?;
        }
        match (change.action, &change.before) {
            (Action::Update, Some(prior)) => Ok(Verb::Update { prior: prior.clone(), desired }),
            _ => Ok(Verb::Create { desired }),
        }
    }

    fn prepare_delete(&mut self, change: &Change) -> Verb {
        let deposed = match change.action {
            // The old object was put aside when the new one was made.
            Action::CreateThenDelete => self.deposed_by(change),
            _ => change.deposed.clone(),
        };
        let prior = change.before.clone().unwrap_or_else(|| Value::null(terrane_model::Type::Any));
        Verb::Delete { prior, deposed }
    }

    fn deposed_by(&self, change: &Change) -> Option<String> {
        let steps = &self.run.plan.order.steps;
        let made = steps.iter().position(|step| {
            matches!(step, Step::Apply(i) if self.run.plan.changes.get(*i).is_some_and(|c| std::ptr::eq(c, change)))
        });
        made.map(deposed_key)
    }

    fn wanted(&mut self, change: &Change) -> Result<Wanted, Diagnostics> {
        let resource = &change.address.resource;
        if !self.expansions.contains_key(resource) {
            let spec = self.run.spec.resource(resource);
            let scope = self.world.module_scope(&resource.module);
            let (count, for_each) = spec.map(|s| (s.count.as_ref(), s.for_each.as_ref())).unwrap_or_default();
            let wanted = instances(count, for_each, &scope)?;
            self.expansions.insert(resource.clone(), wanted);
        }
        let all = self.expansions.get(resource).map(Vec::as_slice).unwrap_or_default();
        let found = all.binary_search_by(|w| w.key.cmp(&change.address.key)).ok().and_then(|i| all.get(i));
        found.cloned().ok_or_else(|| vec![changed_mind(change, None)])
    }

    fn timeout(&self, change: &Change, verb: &Verb) -> Duration {
        let operation = match verb {
            Verb::Create { .. } => Operation::Create,
            Verb::Update { .. } => Operation::Update,
            Verb::Delete { .. } => Operation::Delete,
            Verb::Read { .. } => Operation::Read,
        };
        let resource = self.run.catalog.resource(&change.address.resource.type_name);
        let schema: Option<&Schema> = resource.map(|r| r.schema());
        let set = verb
            .desired()
            .or(verb.prior())
            .and_then(|v| v.get("timeouts"))
            .and_then(|t| t.get(operation.name()));
        set.and_then(Value::as_str)
            .and_then(parse_duration)
            .or_else(|| schema.and_then(|s| s.default_timeout(operation)))
            .unwrap_or(Duration::from_secs(20 * 60))
    }
}

fn operation(action: Action) -> Option<JournalOperation> {
    match action {
        Action::Create => Some(JournalOperation::Create),
        Action::Update => Some(JournalOperation::Update),
        Action::Delete => Some(JournalOperation::Delete),
        _ => None,
    }
}

/// The key under which the object is put aside that a node replaces: eight hexadecimal digits.
pub(super) fn deposed_key(node: usize) -> String {
    format!("{:08x}", node & 0xffff_ffff)
}

fn unknown_type(name: &str) -> Diagnostics {
    vec![Diagnostic::error("unknown-type", "Unknown type", format!("There is no type `{name}`."))]
}

fn changed_mind(change: &Change, what: Option<Disagreement>) -> Diagnostic {
    let detail = match what {
        Some(d) => format!(
            "`{}` of `{}` was planned otherwise than it turns out to be now that everything is known: {}.",
            d.path, change.address, d.detail
        ),
        None => format!(
            "Now that everything is known, `{}` needs another action than the planned one.",
            change.address
        ),
    };
    Diagnostic::error("plan-outdated", "Plan does not fit any more", detail)
        .hint("Nothing was done with this object. Plan and apply again.")
}
