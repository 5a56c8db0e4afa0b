//! What the state has and the spec does not want any more.

use std::collections::BTreeSet;

use terrane_model::{Action, Address, Diagnostic, Key, Mode as ResourceMode, Reason, ResourceAddress};

use super::Builder;
use crate::expand::Wanted;
use crate::graph::node_of;
use crate::plan::{Change, ProviderKey};
use crate::removals::removal;

impl Builder<'_, '_> {
    /// Deletes the instances of a declared resource that are not wanted, and what was put aside.
    pub(super) fn delete_unwanted(&mut self, resource: &ResourceAddress, wanted: &[Wanted]) {
        let keys: BTreeSet<&Option<Key>> = wanted.iter().map(|w| &w.key).collect();
        let Some(existing) = self.refreshed.resource(resource) else { return };
        let mut leftovers = Vec::new();
        for (instance_key, instance) in &existing.instances {
            let about = resource.instance(instance_key.clone());
            if instance.current.is_some() && !keys.contains(instance_key) {
                let reason = match (instance_key, wanted.first().map(|w| &w.key)) {
                    (Some(Key::Index(_)), Some(Some(Key::Index(_))) | None) => {
                        Reason::DeleteBecauseCountIndex
                    }
                    (Some(Key::Name(_)), Some(Some(Key::Name(_))) | None) => Reason::DeleteBecauseEachKey,
                    _ => Reason::DeleteBecauseWrongRepetition,
                };
                leftovers.push((about.clone(), None, reason));
            }
            for deposed in instance.deposed.keys() {
                leftovers.push((about.clone(), Some(deposed.clone()), Reason::Plain));
            }
        }
        leftovers.retain(|(about, _, _)| self.selection.covers(about));
        for (about, deposed, reason) in leftovers {
            self.pending.insert(node_of(resource));
            self.delete(&about, deposed, reason);
        }
    }

    /// Deletes what the spec does not declare at all.
    pub(super) fn delete_undeclared(&mut self) {
        let mut leftovers = Vec::new();
        let mut stale_data = Vec::new();
        for (about, _, instance) in self.refreshed.instances() {
            if !self.selection.covers(&about) {
                continue;
            }
            let declared = self.planned.contains(&about.resource);
            if about.resource.mode == ResourceMode::Data {
                if !declared {
                    stale_data.push(about);
                }
                continue;
            }
            if declared {
                continue;
            }
            if instance.current.is_some() {
                leftovers.push((about.clone(), None));
            }
            leftovers.extend(instance.deposed.keys().map(|key| (about.clone(), Some(key.clone()))));
        }
        for about in stale_data {
            self.refreshed.remove(&about);
        }
        for (about, deposed) in leftovers {
            // An instance of a module that is not wanted any more, or a resource that is not there at all.
            let reason = match self.input.spec.resource(&about.resource) {
                Some(_) => Reason::DeleteBecauseNoModule,
                None if self.moved.previous.contains_key(&about) => Reason::DeleteBecauseNoMoveTarget,
                None => Reason::DeleteBecauseNoResourceConfig,
            };
            self.delete(&about, deposed, reason);
        }
    }

    /// Plans the deletion of one object of the state, or that it is let go of.
    pub(super) fn delete(&mut self, about: &Address, deposed: Option<String>, reason: Reason) {
        let let_go = removal(self.input.spec, about).is_some_and(|removed| !removed.destroy);
        let resource = self.input.catalog.resource(&about.resource.type_name).cloned();
        let before = match &resource {
            Some(resource) => self.prior_object(resource.as_ref(), about, deposed.as_deref()),
            None if let_go => None,
            None => {
                self.error(undeletable(about));
                return;
            }
        };
        if !let_go && deposed.is_none() {
            self.guard(about);
        }
        let state = self.refreshed.resource(&about.resource).map(|r| r.provider.as_str());
        let provider = state.and_then(ProviderKey::from_state_name).unwrap_or_else(|| {
            ProviderKey::default_of(terrane_provider::catalog::provider_of(&about.resource.type_name))
        });
        let object = self.refreshed.object(about, deposed.as_deref());
        let dependencies = object.map(|o| o.dependencies.clone()).unwrap_or_default();
        self.changes.push(Change {
            address: about.clone(),
            previous_address: None,
            deposed,
            provider,
            action: if let_go { Action::Forget } else { Action::Delete },
            reason,
            before,
            after: None,
            replace_paths: vec![],
            dependencies,
            create_before_destroy: false,
            left_over: false,
            importing: None,
        });
    }
}

fn undeletable(about: &Address) -> Diagnostic {
    let detail = format!(
        "The state holds an object of the type `{}`, which this version of Terrane does not know, so it can't delete it.",
        about.resource.type_name
    );
    Diagnostic::error("unknown-type", "Object of an unknown type", detail).about(about).hint(
        "Declare it again, or let go of it with `[[removed]]` and `lifecycle = { destroy = false }`, or with `terrane state \
         rm`.",
    )
}
