//! The plan's own lint: what must hold for every plan, checked in every build. A breach is a bug of ours, never the user's.

use terrane_model::{Action, Diagnostic, Diagnostics};

use crate::order::Step;
use crate::plan::Plan;

/// Checks a plan.
///
/// # Errors
/// Every breach: actions that wait for each other, a replacement with one half, a value where none belongs.
pub fn verify(plan: &Plan) -> Result<(), Diagnostics> {
    let mut breaches = Diagnostics::new();
    let bug = |detail: String| {
        Diagnostic::error("plan-bug", "Inconsistent plan", detail).hint(
            "This is a bug in Terrane. Nothing was changed. Please report it with the spec, if you can.",
        )
    };
    if plan.order.sorted().is_none() {
        breaches.push(bug("Some of the planned actions wait for each other.".into()));
    }
    let mut applies = vec![0usize; plan.changes.len()];
    let mut deletes = vec![0usize; plan.changes.len()];
    for step in &plan.order.steps {
        let counter = match step {
            Step::Apply(i) => applies.get_mut(*i),
            Step::Delete(i) | Step::Forget(i) => deletes.get_mut(*i),
            Step::Made | Step::Unneeded => continue,
        };
        match counter {
            Some(count) => *count += 1,
            None => breaches.push(bug("An action has no change.".into())),
        }
    }
    for ((change, applies), deletes) in plan.changes.iter().zip(applies).zip(deletes) {
        let wanted = match change.action {
            Action::NoOp => (0, 0),
            Action::Create | Action::Update | Action::Read => (1, 0),
            Action::DeleteThenCreate | Action::CreateThenDelete => (1, 1),
            Action::Delete | Action::Forget => (0, 1),
        };
        if (applies, deletes) != wanted {
            breaches
                .push(bug(format!("`{}` has {applies} makings and {deletes} deletions.", change.address)));
        }
        let halves = match change.action {
            Action::Create | Action::Read => change.before.is_none() && change.after.is_some(),
            Action::Delete | Action::Forget => change.after.is_none(),
            _ => change.before.is_some() && change.after.is_some(),
        };
        if !halves {
            breaches.push(bug(format!("`{}` has a value missing or one too many.", change.address)));
        }
        if change.action == Action::NoOp && change.after.as_ref().is_some_and(|v| !v.is_wholly_known()) {
            breaches.push(bug(format!("`{}` does not change but has unknown values.", change.address)));
        }
    }
    if breaches.is_empty() { Ok(()) } else { Err(breaches) }
}
