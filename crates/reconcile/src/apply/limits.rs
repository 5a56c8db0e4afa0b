//! Plans that cover only a part of the stack: what of it an apply looks at, and what the state remembers.

use terrane_model::Diagnostic;
use terrane_plan::build::limits::{forget, remember};
use terrane_plan::plan::Mode;
use terrane_plan::target::named;
use terrane_plan::{Scene, Selection};

use super::{Run, Walk};

/// What the plan covers.
pub(super) fn selection(run: &Run<'_>) -> Selection {
    let scene = Scene {
        spec: run.spec,
        variables: run.plan.variables.clone(),
        workspace: run.plan.workspace.clone(),
        functions: run.functions.clone(),
        snapshot: &run.plan.prior,
        mode: run.plan.mode,
    };
    // The plan was made from the same, so it can be told.
    Selection::of(&run.plan.targeting, &scene).unwrap_or_else(|_| Selection::everything())
}

impl Walk<'_, '_> {
    /// Remembers in the state that something may have been left out, or that nothing is.
    pub(super) fn note_limits(&mut self) {
        let plan = self.run.plan;
        if !plan.targeting.is_limited() {
            if plan.mode != Mode::RefreshOnly && self.report.is_success() && !self.report.interrupted {
                forget(self.ledger.snapshot_mut());
            }
            return;
        }
        if plan.has_changes() {
            remember(&plan.targeting, self.ledger.snapshot_mut());
        }
        let detail = format!(
            "The plan was limited by {}, so changes that the spec asks for may have been left out, and outputs may not be \
             up to date.",
            named(&plan.targeting)
        );
        let warning = Diagnostic::warning("partial-apply", "Applied changes may be incomplete", detail);
        self.report.warnings.push(warning.hint("`terrane plan` shows what is left to do."));
    }
}
