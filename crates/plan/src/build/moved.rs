//! What a plan says of moves and of what is let go of: old addresses, and moves that can't be meant.

use terrane_model::{Action, Diagnostic};

use super::Builder;
use crate::moves::{Declared, still_declared};
use crate::plan::Mode;

impl Builder<'_, '_> {
    /// Refuses moves from what the spec still declares.
    pub(super) fn refuse_moves_from_declared(&mut self) {
        let (world, planned, changes) = (&self.world, &self.planned, &self.changes);
        let found = still_declared(
            self.input.spec,
            &Declared {
                modules: &|names| world.module_instances(names).unwrap_or_default(),
                resource: &|resource| planned.contains(resource),
                instance: &|address| {
                    changes.iter().any(|change| {
                        let gone = matches!(change.action, Action::Delete | Action::Forget);
                        change.address == *address && change.deposed.is_none() && !gone
                    })
                },
            },
        );
        self.diagnostics.extend(found);
    }

    /// Notes where each instance was before, and warns of what is let go of. What is to be destroyed altogether needs no
    /// address any more.
    pub(super) fn tell_of_moves(&mut self) {
        if self.input.options.mode != Mode::Destroy {
            for change in &mut self.changes {
                change.previous_address = self.moved.previous.get(&change.address).cloned();
            }
        }
        let forgotten = self.changes.iter().filter(|change| change.action == Action::Forget);
        let list: String = forgotten.map(|change| format!("\n - {}", change.address)).collect();
        if !list.is_empty() {
            let detail = format!(
                "If you apply this plan, Terrane will discard its tracking information for the following objects, but it \
                 will not delete them:{list}\n\nAfter applying this plan, Terrane will no longer manage these objects. You \
                 will need to import them into Terrane to manage them again."
            );
            let summary = "Some objects will no longer be managed by Terrane";
            self.diagnostics.push(Diagnostic::warning("objects-forgotten", summary, detail));
        }
    }
}
