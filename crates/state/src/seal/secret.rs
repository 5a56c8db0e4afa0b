//! A key that is given as it is: for saved plans, where nothing else is said about encryption.

use serde_json::{Value as Json, json};
use terrane_model::Diagnostic;
use zeroize::Zeroizing;

use super::{DataKey, Key, Method};
use crate::journal::record::sum;

/// A given key.
pub struct Given(Key);

impl Given {
    /// This key.
    pub fn new(key: [u8; 32]) -> Given {
        Given(Zeroizing::new(key))
    }

    fn id(&self) -> String {
        sum(&[b"terrane plan key", self.0.as_slice()].concat())
    }
}

impl Method for Given {
    fn name(&self) -> &'static str {
        "key"
    }

    fn make(&self) -> Result<DataKey, Diagnostic> {
        Ok(DataKey { key: self.0.clone(), recipe: json!({ "id": self.id() }) })
    }

    fn again(&self, recipe: &Json) -> Result<Key, Diagnostic> {
        if recipe.get("id").and_then(Json::as_str) == Some(&self.id()) {
            return Ok(self.0.clone());
        }
        let detail = "It was sealed with another key than the one at hand.";
        Err(Diagnostic::error("encryption", "Not decryptable", detail))
    }
}
