//! Local values, counts and for_eaches, each after those that it refers to. A cycle among them is reported here; cycles
//! through the arguments of resources are for the graph.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use terrane_expr::{Expr, Reference, evaluate};
use terrane_model::{Diagnostic, Span};

use super::Checker;
use super::scope::{Instances, StaticScope};
use crate::module::{ModuleCall, ResourceKey};
use crate::repetition;
use crate::resource::Resource;

/// Something whose value others need before they are looked at.
#[derive(Clone, Copy)]
enum Step<'c> {
    Local(&'c Arc<str>, &'c Expr, Span),
    Repetition(&'c ResourceKey, &'c Resource),
    Call(&'c ModuleCall),
}

impl<'c> Step<'c> {
    fn exprs(self) -> impl Iterator<Item = &'c Expr> {
        let all = match self {
            Step::Local(_, expr, _) => [Some(expr), None],
            Step::Repetition(_, resource) => [resource.count.as_ref(), resource.for_each.as_ref()],
            Step::Call(call) => [call.count.as_ref(), call.for_each.as_ref()],
        };
        all.into_iter().flatten()
    }

    fn describe(self) -> (String, Span) {
        match self {
            Step::Local(name, _, span) => (format!("local.{name}"), span),
            Step::Repetition(key, resource) => (key.to_string(), resource.span),
            Step::Call(call) => (format!("module.{}", call.name), call.span),
        }
    }
}

impl<'c> Checker<'c, '_> {
    /// Evaluates what can be told of all local values and repetitions.
    pub(super) fn settle(&mut self, scope: &mut StaticScope<'c>) {
        let module = self.module;
        let locals = module.locals.iter().map(|(name, local)| Step::Local(name, &local.expr, local.span));
        let repeated = module.resources.iter().filter(|(_, r)| r.count.is_some() || r.for_each.is_some());
        let repeated = repeated.map(|(key, resource)| Step::Repetition(key, resource));
        let calls = module.modules.values().filter(|call| call.count.is_some() || call.for_each.is_some());
        let steps: Vec<Step<'c>> = locals.chain(repeated).chain(calls.map(Step::Call)).collect();
        let needs = needs(&steps);

        let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
        let mut users: Vec<Vec<usize>> = vec![vec![]; steps.len()];
        for (user, needed) in needs.iter().enumerate() {
            for step in needed {
                if let Some(users) = users.get_mut(*step) {
                    users.push(user);
                }
            }
        }
        let mut ready: VecDeque<usize> =
            open.iter().enumerate().filter(|(_, n)| **n == 0).map(|(i, _)| i).collect();
        while let Some(at) = ready.pop_front() {
            if let Some(step) = steps.get(at) {
                self.evaluate_step(*step, scope);
            }
            for user in users.get(at).into_iter().flatten() {
                if let Some(open) = open.get_mut(*user) {
                    *open -= 1;
                    if *open == 0 {
                        ready.push_back(*user);
                    }
                }
            }
        }
        let stuck: Vec<bool> = open.iter().map(|n| *n > 0).collect();
        self.cycles(&steps, &needs, &stuck);
    }

    fn evaluate_step(&mut self, step: Step<'c>, scope: &mut StaticScope<'c>) {
        match step {
            Step::Local(name, expr, _) => match evaluate(expr, &scope.outside()) {
                Ok(value) => {
                    scope.locals.insert(name.clone(), value);
                }
                Err(errors) => self.evaluator_found(errors),
            },
            Step::Repetition(key, resource) => {
                let instances = self.instances(resource.count.as_ref(), resource.for_each.as_ref(), scope);
                scope.instances.insert(key.clone(), instances);
            }
            Step::Call(call) => {
                let instances = self.instances(call.count.as_ref(), call.for_each.as_ref(), scope);
                scope.calls.insert(call.name.clone(), instances);
            }
        }
    }

    fn instances(
        &mut self,
        count: Option<&Expr>,
        for_each: Option<&Expr>,
        scope: &StaticScope<'c>,
    ) -> Instances {
        match (count, for_each) {
            (Some(count), _) => Instances::Count(self.repetition(count, scope, repetition::count).flatten()),
            (None, Some(for_each)) => {
                Instances::ForEach(self.repetition(for_each, scope, repetition::for_each).flatten())
            }
            (None, None) => Instances::One,
        }
    }

    fn repetition<T>(
        &mut self,
        expr: &Expr,
        scope: &StaticScope<'c>,
        read: fn(&terrane_model::Value, Span) -> Result<T, Diagnostic>,
    ) -> Option<T> {
        match evaluate(expr, &scope.outside()) {
            Ok(value) => read(&value, expr.span()).map_err(|error| self.report(error)).ok(),
            Err(errors) => {
                self.evaluator_found(errors);
                None
            }
        }
    }

    /// Reports cycles among the steps that never became ready. Each of them needs another one of them, so following the
    /// needs leads into a cycle.
    fn cycles(&mut self, steps: &[Step<'c>], needs: &[Vec<usize>], stuck: &[bool]) {
        let is_stuck = |step: usize| stuck.get(step).copied().unwrap_or(false);
        let mut walk_of: Vec<Option<usize>> = vec![None; steps.len()];
        for start in (0..steps.len()).filter(|s| is_stuck(*s)) {
            let mut path = Vec::new();
            let mut at = Some(start);
            while let Some(step) = at {
                match walk_of.get_mut(step) {
                    Some(seen @ None) => *seen = Some(start),
                    Some(Some(walk)) if *walk == start => {
                        let begin = path.iter().position(|p| *p == step).unwrap_or(0);
                        self.cycle(path.iter().skip(begin).filter_map(|s| steps.get(*s)).copied().collect());
                        break;
                    }
                    _ => break,
                }
                path.push(step);
                at = needs.get(step).into_iter().flatten().copied().find(|s| is_stuck(*s));
            }
        }
    }

    fn cycle(&mut self, members: Vec<Step<'c>>) {
        let described: Vec<(String, Span)> = members.iter().map(|m| m.describe()).collect();
        let Some((first, span)) = described.first() else { return };
        let mut detail = format!("`{first}` refers to ");
        for (name, _) in described.iter().skip(1) {
            detail.push_str(&format!("`{name}`, which refers to "));
        }
        detail.push_str(if described.len() == 1 { "itself." } else { "it again." });
        let mut diagnostic = Diagnostic::error("reference-cycle", "Reference cycle", detail).at(*span);
        for (name, span) in described.iter().skip(1) {
            diagnostic = diagnostic.with_related(*span, format!("`{name}` is a part of the cycle"));
        }
        self.report(diagnostic);
    }
}

/// For each step, the steps that it needs, each once.
fn needs(steps: &[Step<'_>]) -> Vec<Vec<usize>> {
    let mut locals: HashMap<&Arc<str>, usize> = HashMap::new();
    let mut repetitions: HashMap<&ResourceKey, usize> = HashMap::new();
    let mut calls: HashMap<&Arc<str>, usize> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Local(name, ..) => locals.insert(name, at),
            Step::Repetition(key, _) => repetitions.insert(key, at),
            Step::Call(call) => calls.insert(&call.name, at),
        };
    }
    let place = |reference: &Reference| match reference {
        Reference::Local(name) => locals.get(name).copied(),
        Reference::Resource { mode, type_name, name } => {
            let key = ResourceKey { mode: *mode, type_name: type_name.clone(), name: name.clone() };
            repetitions.get(&key).copied()
        }
        Reference::Module { name, .. } => calls.get(name).copied(),
        _ => None,
    };
    let needed = |step: &Step<'_>| {
        let mut found: Vec<usize> = step
            .exprs()
            .flat_map(Expr::references)
            .filter_map(|(reference, _, _)| place(reference))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    steps.iter().map(needed).collect()
}
