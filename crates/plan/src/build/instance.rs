//! Plans one instance of a managed resource.

use std::collections::BTreeSet;

use terrane_expr::Reference;
use terrane_model::conform::{Problem, check, conform};
use terrane_model::{Action, Address, Diagnostic, Key, Path, Reason, ResourceAddress, Step, Value};
use terrane_provider::ResourceType;
use terrane_spec::Resource;
use terrane_spec::condition::Purpose;
use terrane_spec::resource::IgnoreChanges;
use terrane_state::Status;

use super::{Builder, provider_of};
use crate::conditions::judge;
use crate::diff::{Planned, plan_new, plan_object, same};
use crate::expand::Wanted;
use crate::graph::node_of;
use crate::plan::Change;
use crate::world::{InstanceScope, evaluate_in};

impl Builder<'_, '_> {
    pub(super) fn plan_instance(&mut self, address: &ResourceAddress, wanted: &Wanted) {
        let about = address.instance(wanted.key.clone());
        let Some(spec) = self.input.spec.resource(address) else { return };
        let Some(resource) = self.input.catalog.resource(&address.type_name).cloned() else {
            let detail = format!("There is no resource type `{}`.", address.type_name);
            self.error(
                Diagnostic::error("unknown-type", "Unknown resource type", detail)
                    .at(spec.span)
                    .about(&about),
            );
            return;
        };
        let config = {
            let scope =
                self.world.instance_scope(&address.module, wanted.key.as_ref(), wanted.each_value.as_ref());
            preconditions(spec, &scope).and_then(|()| configuration(spec, resource.as_ref(), &scope))
        };
        let config = match config {
            Ok(config) => config,
            Err(errors) => {
                self.diagnostics.extend(errors.into_iter().map(|e| e.about(&about)));
                let nothing = Value::unknown(resource.schema().ty().clone());
                self.world.set(&about, nothing);
                return;
            }
        };
        let Ok(importing) = self.import(resource.as_ref(), &about) else {
            self.world.set(&about, Value::unknown(resource.schema().ty().clone()));
            return;
        };
        let recovering = match importing {
            Some(_) => Ok(None),
            None => self.predecessor(resource.as_ref(), &about, spec, &config),
        };
        let Ok(recovering) = recovering else {
            self.world.set(&about, Value::unknown(resource.schema().ty().clone()));
            return;
        };
        let tainted = self.refreshed.get(&about).is_some_and(|o| o.status == Status::Tainted);
        let prior = self.prior_object(resource.as_ref(), &about, None);
        if prior.is_none() && self.refreshed.get(&about).is_some() {
            return;
        }
        let whole = config;
        let config = match &prior {
            Some(prior) => ignoring(&spec.lifecycle.ignore_changes, whole.clone(), prior),
            None => whole.clone(),
        };
        let provider = provider_of(self.input.spec, address);
        let facts = self.facts(&provider);
        let planned = plan_object(resource.as_ref(), prior.as_ref(), &config, &facts);
        let planned = match planned {
            Ok(planned) => planned,
            Err(problems) => {
                self.diagnostics.extend(problems.into_iter().map(|p| located(p, spec).about(&about)));
                let nothing = Value::unknown(resource.schema().ty().clone());
                self.world.set(&about, nothing);
                return;
            }
        };
        let create_first = spec.lifecycle.create_before_destroy;
        let (action, reason) = self.choose(spec, &about, prior.is_some(), tainted, &planned, create_first);
        let pending = prior.as_ref().is_some_and(|prior| resource.is_pending_deletion(prior));
        let reason = match (action, pending) {
            (Action::Update, true) if recovering.is_some() => Reason::UpdateBecausePredecessorPendingDeletion,
            (Action::Update, true) => Reason::UpdateBecausePendingDeletion,
            _ => reason,
        };
        // A new object has no changes that could be ignored: it is what the spec says.
        let ignores = whole != config;
        let after = match action.is_replace() && (planned.replace.is_empty() || ignores) {
            true => match plan_new(resource.as_ref(), prior.as_ref(), &whole, &facts) {
                Ok(after) => after,
                Err(problems) => {
                    self.diagnostics.extend(problems.into_iter().map(|p| located(p, spec).about(&about)));
                    planned.after
                }
            },
            false => planned.after,
        };
        if action.is_replace() {
            self.guard(&about);
        }
        self.note_protection(&about, spec);
        if action.is_change() {
            self.pending.insert(node_of(address));
        } else if importing.is_some() {
            self.keep_imported(resource.as_ref(), &about, &after);
        }
        self.world.set(&about, after.clone());
        self.changes.push(Change {
            dependencies: self.dependencies(&about.resource),
            address: about,
            previous_address: None,
            deposed: None,
            provider,
            action,
            reason,
            before: prior,
            after: Some(after),
            replace_paths: planned.replace,
            create_before_destroy: create_first,
            left_over: false,
            importing: importing.or(recovering),
        });
    }

    fn choose(
        &self,
        spec: &Resource,
        about: &Address,
        exists: bool,
        tainted: bool,
        planned: &Planned,
        create_first: bool,
    ) -> (Action, Reason) {
        let replace = if create_first { Action::CreateThenDelete } else { Action::DeleteThenCreate };
        if !exists {
            (Action::Create, Reason::Plain)
        } else if tainted {
            (replace, Reason::ReplaceBecauseTainted)
        } else if self.triggered(spec, about) {
            (replace, Reason::ReplaceByTriggers)
        } else if self.input.options.replace.contains(about) {
            (replace, Reason::ReplaceByRequest)
        } else if !planned.replace.is_empty() {
            (replace, Reason::ReplaceBecauseCannotUpdate)
        } else if planned.changed {
            (Action::Update, Reason::Plain)
        } else {
            (Action::NoOp, Reason::Plain)
        }
    }

    /// Whether something that `replace_triggered_by` names changes: an object that is changed or replaced. One that is only
    /// made or only deleted had nothing to do with this one.
    pub(super) fn triggered(&self, spec: &Resource, about: &Address) -> bool {
        spec.lifecycle.replace_triggered_by.iter().any(|trigger| {
            let steps = &trigger.steps;
            let (key, path) = match (trigger.own_key, steps.split_first()) {
                (Some(_), _) => (about.key.clone(), steps.as_slice()),
                (None, Some((Step::Index(i), rest))) => (u64::try_from(*i).ok().map(Key::Index), rest),
                (None, Some((Step::Key(name), rest))) => (Some(Key::Name(name.clone())), rest),
                (None, _) => (None, steps.as_slice()),
            };
            let path = Path(path.to_vec());
            let of_resource = |change: &&Change| {
                let reference = &trigger.reference;
                let named = matches!(reference, Reference::Resource { mode, type_name, name }
                    if *mode == change.address.resource.mode
                        && *type_name == change.address.resource.type_name
                        && *name == change.address.resource.name
                        && change.address.resource.module == about.resource.module);
                named && (key.is_none() || change.address.key == key)
            };
            let changed = |change: &&Change| change.action == Action::Update || change.action.is_replace();
            let mut changes = self.changes.iter().filter(of_resource).filter(changed);
            changes.any(|change| match (&change.before, &change.after) {
                _ if path.0.is_empty() => true,
                (Some(before), Some(after)) => match (path.get(before), path.get(after)) {
                    (Some(before), Some(after)) => !same(None, before, after),
                    (before, after) => before.is_some() != after.is_some(),
                },
                _ => false,
            })
        })
    }

    /// The resources that are written into the state as what this one depends on.
    pub(super) fn dependencies(&self, resource: &ResourceAddress) -> BTreeSet<ResourceAddress> {
        self.graph.lasting_needs(resource)
    }
}

/// Judges what must hold before an instance is looked at. Planning and applying both call this.
///
/// # Errors
/// What does not hold.
pub fn preconditions(spec: &Resource, scope: &InstanceScope<'_, '_>) -> Result<(), Vec<Diagnostic>> {
    let mut found = Vec::new();
    judge(&spec.lifecycle.preconditions, Purpose::Precondition, scope, &mut found);
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Evaluates the body of a resource for one instance, brings it into the shape of the schema and checks it. Planning and
/// applying both call this.
///
/// # Errors
/// Everything that is wrong with it, each with its place in the spec.
pub fn configuration(
    spec: &Resource,
    resource: &dyn ResourceType,
    scope: &InstanceScope<'_, '_>,
) -> Result<Value, Vec<Diagnostic>> {
    checked_body(spec, &resource.schema().block, scope)
}

/// As [`configuration`], for a block of any kind.
///
/// # Errors
/// Everything that is wrong with it.
pub fn checked_body(
    spec: &Resource,
    block: &terrane_model::schema::Block,
    scope: &InstanceScope<'_, '_>,
) -> Result<Value, Vec<Diagnostic>> {
    let body = evaluate_in(scope, &spec.body)?;
    let (config, mut problems) = conform(&body, block);
    problems.extend(check(&config, block));
    problems.extend(ephemeral(&config));
    if problems.is_empty() {
        return Ok(config);
    }
    Err(problems.into_iter().map(|problem| located(problem, spec)).collect())
}

/// Ephemeral values in arguments: they would be stored.
fn ephemeral(config: &Value) -> Vec<Problem> {
    let fields = config.entries().into_iter().flatten();
    let marked = fields.filter(|(_, value)| value.marks_deep().ephemeral);
    marked
        .map(|(name, _)| Problem {
            path: Path::attribute(name.clone()),
            code: "ephemeral-argument",
            summary: "Ephemeral value in an argument",
            detail: format!(
                "The value of `{name}` is ephemeral: it must not be kept, and arguments are kept in plan and state. \
                 Ephemeral values are for the configuration of providers."
            ),
        })
        .collect()
}

/// A problem as a message that points into the spec.
pub fn located(problem: Problem, spec: &Resource) -> Diagnostic {
    Diagnostic::error(problem.code, problem.summary, problem.detail).at(spec.span_of(&problem.path))
}

/// The configuration with what `ignore_changes` names taken from the prior object.
pub fn ignoring(ignore: &IgnoreChanges, config: Value, prior: &Value) -> Value {
    match ignore {
        IgnoreChanges::All(_) => prior.clone(),
        IgnoreChanges::Paths(paths) => {
            paths.iter().fold(config, |config, (path, _)| overlay(config, prior, &path.0))
        }
    }
}

fn overlay(config: Value, prior: &Value, steps: &[Step]) -> Value {
    let Some((first, rest)) = steps.split_first() else { return prior.clone() };
    match first {
        Step::Attribute(name) | Step::Key(name) => {
            let inner = match (config.get(name), prior.get(name)) {
                (Some(inner), Some(prior)) => overlay(inner.clone(), prior, rest),
                (None, Some(prior)) if rest.is_empty() && config.entries().is_some() => prior.clone(),
                (Some(_), None) if rest.is_empty() => return without(config, name),
                _ => return config,
            };
            config.with(name, inner)
        }
        Step::Index(wanted) => {
            let Some(prior) = prior.index(*wanted).cloned() else { return config };
            let mut i = 0;
            config.map_elements(&mut |element| {
                i += 1;
                if i - 1 == *wanted { overlay(element, &prior, rest) } else { element }
            })
        }
        Step::Element(_) => config,
    }
}

fn without(config: Value, name: &str) -> Value {
    let marks = config.marks();
    match config.into_kind() {
        terrane_model::Kind::Map(ty, mut entries) => {
            std::sync::Arc::make_mut(&mut entries).remove(name);
            Value::new(terrane_model::Kind::Map(ty, entries)).with_marks(marks)
        }
        other => Value::new(other).with_marks(marks),
    }
}
