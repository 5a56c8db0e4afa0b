//! The configured providers of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::{Address, Diagnostic};
use terrane_plan::ProviderKey;
use terrane_provider::{Facts, Session};

/// Sessions by provider configuration.
#[derive(Clone, Default)]
pub struct Sessions(pub BTreeMap<ProviderKey, Session>);

impl Sessions {
    /// The facts of each configuration, as planning wants them.
    pub fn facts(&self) -> BTreeMap<ProviderKey, Arc<Facts>> {
        self.0.iter().map(|(key, session)| (key.clone(), session.facts.clone())).collect()
    }

    /// The session of a configuration.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, key: &ProviderKey, address: &Address) -> Result<&Session, Diagnostic> {
        self.0.get(key).ok_or_else(|| {
            let detail =
                format!("`{address}` uses the provider configuration `{key}`, which the spec does not have.");
            Diagnostic::error("missing-provider", "Missing provider configuration", detail)
                .about(address)
                .hint(format!(
                    "Add a `[[provider.{}]]` table with this alias until the object is gone.",
                    key.name
                ))
        })
    }
}
