//! What must hold: validations of variables, preconditions and postconditions, checks. Planning judges all of them as far
//! as values are known; applying judges those of what it makes again.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use terrane_expr::Scope;
use terrane_model::{Diagnostic, Diagnostics, ModulePath};
use terrane_spec::Module;
use terrane_spec::condition::{Condition, Outcome, Purpose};

use crate::expand::{Wanted, instances};
use crate::target::Selection;
use crate::world::World;

/// What kind of object a verdict is about, as state files name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A resource or data source.
    Resource,
    /// An output value.
    Output,
    /// A check.
    Check,
    /// An input variable.
    Variable,
}

/// How conditions came out. Ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All hold.
    Pass,
    /// Some hang on values that are not known yet.
    Unknown,
    /// Some do not hold.
    Fail,
    /// Some have no value.
    Error,
}

/// How the conditions of one object came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What kind of object it is.
    pub kind: Kind,
    /// The address of the declaration.
    pub declared: String,
    /// The address of the object.
    pub object: String,
    /// The worst of its conditions.
    pub status: Status,
    /// Messages of those that do not hold.
    pub messages: Vec<String>,
}

/// Judges conditions of one object. Breaches are added to `diagnostics`: errors, or warnings of a check.
pub fn judge<'c>(
    conditions: impl IntoIterator<Item = &'c Condition>,
    purpose: Purpose,
    scope: &dyn Scope,
    diagnostics: &mut Diagnostics,
) -> (Status, Vec<String>) {
    let mut status = Status::Pass;
    let mut messages = Vec::new();
    for condition in conditions {
        match condition.judge(scope, purpose) {
            Ok(Outcome::Holds) => {}
            Ok(Outcome::Unknown) => status = status.max(Status::Unknown),
            Ok(Outcome::Fails(diagnostic)) => {
                status = status.max(Status::Fail);
                messages.push(diagnostic.detail.clone());
                diagnostics.push(*diagnostic);
            }
            Err(errors) => {
                status = Status::Error;
                // A check never stops a plan, not even one that can't be evaluated.
                let soften = |error: Diagnostic| match purpose {
                    Purpose::Assertion => Diagnostic { severity: terrane_model::Severity::Warning, ..error },
                    _ => error,
                };
                diagnostics.extend(errors.into_iter().map(soften));
            }
        }
    }
    (status, messages)
}

/// Judges every condition of the selected part of a stack with the values that the world has now.
pub fn judge_all(world: &World<'_>, selection: &Selection, diagnostics: &mut Diagnostics) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (names, module) in world.spec().all_modules() {
        for path in world.module_instances(names).unwrap_or_default() {
            judge_module(world, selection, module, names, &path, diagnostics, &mut verdicts);
        }
    }
    verdicts
}

fn judge_module(
    world: &World<'_>,
    selection: &Selection,
    module: &Module,
    names: &[Arc<str>],
    path: &ModulePath,
    diagnostics: &mut Diagnostics,
    verdicts: &mut Vec<Verdict>,
) {
    let scope = world.module_scope(path);
    let within = |name: String| if path.is_root() { name } else { format!("{path}.{name}") };
    let declared =
        |name: &str| names.iter().map(|n| format!("module.{n}.")).chain([name.to_owned()]).collect();
    for (name, variable) in module.variables.iter().filter(|(_, v)| !v.validations.is_empty()) {
        let (status, messages) = judge(&variable.validations, Purpose::Validation, &scope, diagnostics);
        let (declared, object) = (declared(&format!("var.{name}")), within(format!("var.{name}")));
        verdicts.push(Verdict { kind: Kind::Variable, declared, object, status, messages });
    }
    for (key, resource) in &module.resources {
        let lifecycle = &resource.lifecycle;
        let is_free = lifecycle.preconditions.is_empty() && lifecycle.postconditions.is_empty();
        if is_free || !selection.touches(&key.address(path)) {
            continue;
        }
        let wanted =
            instances(resource.count.as_ref(), resource.for_each.as_ref(), &scope).unwrap_or_default();
        for Wanted { key: instance, each_value } in wanted {
            let about = key.address(path).instance(instance);
            if !selection.covers(&about) {
                continue;
            }
            let scope = || world.instance_scope(path, about.key.as_ref(), each_value.as_ref());
            let mut found = Diagnostics::new();
            let (mut status, mut messages) =
                judge(&lifecycle.preconditions, Purpose::Precondition, &scope(), &mut found);
            if let Some(this) = world.instance(&about) {
                let scope = scope().with_self(&this);
                let after = judge(&lifecycle.postconditions, Purpose::Postcondition, &scope, &mut found);
                status = status.max(after.0);
                messages.extend(after.1);
            }
            diagnostics.extend(found.into_iter().map(|d| d.about(&about)));
            let (declared, object) = (declared(&key.to_string()), about.to_string());
            verdicts.push(Verdict { kind: Kind::Resource, declared, object, status, messages });
        }
    }
    let with_conditions = module.outputs.iter().filter(|(_, o)| !o.preconditions.is_empty());
    for (name, output) in with_conditions.filter(|(_, o)| selection.gives(world.spec(), names, o)) {
        let (status, messages) = judge(&output.preconditions, Purpose::Precondition, &scope, diagnostics);
        let (declared, object) = (declared(&format!("output.{name}")), within(format!("output.{name}")));
        verdicts.push(Verdict { kind: Kind::Output, declared, object, status, messages });
    }
    for (name, check) in module.checks.iter().filter(|(_, c)| selection.judges(world.spec(), names, c)) {
        let (status, messages) = judge(&check.assertions, Purpose::Assertion, &scope, diagnostics);
        let (declared, object) = (declared(&format!("check.{name}")), within(format!("check.{name}")));
        verdicts.push(Verdict { kind: Kind::Check, declared, object, status, messages });
    }
}

/// The names of kinds in state files and plan JSON.
pub const KINDS: [(Kind, &str); 4] =
    [(Kind::Resource, "resource"), (Kind::Output, "output"), (Kind::Check, "check"), (Kind::Variable, "var")];

/// The names of statuses in state files and plan JSON.
pub const STATUSES: [(Status, &str); 4] =
    [(Status::Pass, "pass"), (Status::Unknown, "unknown"), (Status::Fail, "fail"), (Status::Error, "error")];

impl Verdict {
    /// The kind's name.
    pub fn kind_name(&self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, name)| name)
    }

    /// The status's name.
    pub fn status_name(&self) -> &'static str {
        STATUSES.iter().find(|(status, _)| *status == self.status).map_or("", |(_, name)| name)
    }
}

/// The verdicts as the `check_results` of a state file; null when there are none.
pub fn check_results(verdicts: &[Verdict]) -> Json {
    let mut groups: Vec<(&Verdict, Vec<&Verdict>)> = Vec::new();
    let mut sorted: Vec<&Verdict> = verdicts.iter().collect();
    sorted.sort_by(|a, b| (a.kind, &a.declared, &a.object).cmp(&(b.kind, &b.declared, &b.object)));
    for verdict in sorted {
        match groups.last_mut() {
            Some((first, all)) if first.kind == verdict.kind && first.declared == verdict.declared => {
                all.push(verdict)
            }
            _ => groups.push((verdict, vec![verdict])),
        }
    }
    if groups.is_empty() {
        return Json::Null;
    }
    let object = |verdict: &&Verdict| {
        let mut object = json!({ "object_addr": verdict.object, "status": verdict.status_name() });
        if let (false, Some(fields)) = (verdict.messages.is_empty(), object.as_object_mut()) {
            fields.insert("failure_messages".into(), json!(verdict.messages));
        }
        object
    };
    let group = |(first, all): &(&Verdict, Vec<&Verdict>)| {
        let worst = all.iter().map(|v| v.status).max().unwrap_or(Status::Pass);
        json!({
            "object_kind": first.kind_name(),
            "config_addr": first.declared,
            "status": STATUSES.iter().find(|(status, _)| *status == worst).map_or("", |(_, name)| name),
            "objects": all.iter().map(object).collect::<Vec<_>>(),
        })
    };
    Json::Array(groups.iter().map(group).collect())
}
