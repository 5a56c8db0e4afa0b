//! The two modes that don't look at what the spec wants: destroying everything, and only refreshing.

use terrane_model::{Action, Mode as ResourceMode, Reason};

use super::Builder;
use crate::plan::{Change, ProviderKey};

impl Builder<'_, '_> {
    /// Plans the deletion of everything in the state.
    pub(super) fn destroy_all(&mut self) {
        let mut all = Vec::new();
        let mut data = Vec::new();
        for (about, _, instance) in self.refreshed.instances() {
            if !self.selection.covers(&about) {
                continue;
            }
            if about.resource.mode == ResourceMode::Data {
                data.push(about);
                continue;
            }
            if instance.current.is_some() {
                all.push((about.clone(), None));
            }
            all.extend(instance.deposed.keys().map(|key| (about.clone(), Some(key.clone()))));
        }
        for about in data {
            self.refreshed.remove(&about);
        }
        for (about, deposed) in all {
            self.delete(&about, deposed, Reason::Plain);
        }
    }

    /// Plans nothing: every object stays as it was found.
    pub(super) fn keep_all(&mut self) {
        let all: Vec<_> = self
            .refreshed
            .current()
            .filter(|(about, _, _)| {
                about.resource.mode == ResourceMode::Managed && self.selection.covers(about)
            })
            .map(|(about, provider, object)| (about, ProviderKey::from_state_name(provider), object.clone()))
            .collect();
        for (about, provider, object) in all {
            let Some(resource) = self.input.catalog.resource(&about.resource.type_name).cloned() else {
                continue;
            };
            let value = self.prior_object(resource.as_ref(), &about, None);
            let provider = provider.unwrap_or_else(|| {
                ProviderKey::default_of(terrane_provider::catalog::provider_of(&about.resource.type_name))
            });
            self.changes.push(Change {
                address: about,
                previous_address: None,
                deposed: None,
                provider,
                action: Action::NoOp,
                reason: Reason::Plain,
                before: value.clone(),
                after: value,
                replace_paths: vec![],
                dependencies: object.dependencies,
                create_before_destroy: object.create_before_destroy,
                left_over: false,
                importing: None,
            });
        }
    }
}
