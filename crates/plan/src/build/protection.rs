//! `prevent_destroy`: objects that no plan deletes. The spec says it, and the state keeps it, so that taking the resource out
//! of the spec does not take its protection away.
//!
//! Where the resource is declared, the spec decides. Where it is not, what the last apply wrote into the state does; then
//! only a `[[removed]]` entry or the user naming the object lifts it.

use terrane_model::{Address, Diagnostic};
use terrane_spec::Resource;

use super::Builder;
use crate::removals::removal;

impl Builder<'_, '_> {
    /// Refuses the deletion of an object that is protected.
    pub(super) fn guard(&mut self, about: &Address) {
        let allowed = &self.input.options.allow_destroy;
        if allowed.contains(about) || allowed.contains(&about.resource.instance(None)) {
            return;
        }
        match self.input.spec.resource(&about.resource) {
            Some(spec) if spec.lifecycle.prevent_destroy.is_some() => self.error(prevented(about, spec)),
            Some(_) => {}
            None => {
                let kept = self.refreshed.get(about).is_some_and(|object| object.is_protected());
                if kept && removal(self.input.spec, about).is_none() {
                    self.error(still_protected(about));
                }
            }
        }
    }

    /// Brings what the state knows of the protection of a declared object up to date.
    pub(super) fn note_protection(&mut self, about: &Address, spec: &Resource) {
        let wanted = spec.lifecycle.prevent_destroy.is_some();
        let Some(object) = self.refreshed.get(about).filter(|object| object.is_protected() != wanted) else {
            return;
        };
        let mut object = object.clone();
        object.protect(wanted);
        let provider = self.refreshed.resource(&about.resource).map(|r| r.provider.clone());
        self.refreshed.put(about, &provider.unwrap_or_default(), object);
    }
}

/// That an object would be deleted which the spec protects.
fn prevented(about: &Address, spec: &Resource) -> Diagnostic {
    let detail = format!("The plan would delete `{about}`, and its lifecycle says `prevent_destroy = true`.");
    Diagnostic::error("prevent-destroy", "Protected object would be deleted", detail)
        .at(spec.lifecycle.prevent_destroy.unwrap_or(spec.span))
        .about(about)
        .hint(
            "Undo the change that forces the deletion, or take `prevent_destroy` out of the lifecycle table.",
        )
        .hint(format!("`--allow-destroy '{about}'` allows it for this once."))
}

/// That an object would be deleted which the spec protected when it was last applied.
fn still_protected(about: &Address) -> Diagnostic {
    let detail = format!(
        "The plan would delete `{about}`, which is not in the spec any more. When it last was, its lifecycle said \
         `prevent_destroy = true`, and taking a resource out does not lift that."
    );
    Diagnostic::error("prevent-destroy", "Protected object would be deleted", detail)
        .about(about)
        .hint(format!(
            "If it has another name now, say so with `[[moved]]`. If it is to go, say so with `[[removed]]` and `from = \
             \"{}\"`; with `lifecycle = {{ destroy = false }}` it is let go of and left in AWS.",
            about.resource
        ))
        .hint(format!("`--allow-destroy '{about}'` allows it for this once."))
}
