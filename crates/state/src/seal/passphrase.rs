//! Keys from a passphrase, by Argon2id with a new salt for each.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use terrane_model::Diagnostic;
use zeroize::Zeroizing;

use super::{DataKey, Key, Method, random};

/// Memory in KiB, passes and lanes. RFC 9106's second choice, on one lane.
const COSTS: (u32, u32, u32) = (64 * 1024, 3, 1);
/// What an envelope may ask for: more would only keep its reader busy.
const MOST: (u32, u32, u32) = (1024 * 1024, 16, 16);
/// Shorter passphrases are guessed.
const SHORTEST: usize = 16;

/// A passphrase.
pub struct Passphrase {
    text: Zeroizing<String>,
    costs: (u32, u32, u32),
}

#[derive(Serialize, Deserialize)]
struct Recipe {
    kdf: String,
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Passphrase {
    /// Keys from this passphrase.
    ///
    /// # Errors
    /// When it is too short.
    pub fn new(text: Zeroizing<String>) -> Result<Passphrase, Diagnostic> {
        if text.chars().count() < SHORTEST {
            let detail = format!("The passphrase must have at least {SHORTEST} characters.");
            return Err(Diagnostic::error("encryption", "Passphrase too short", detail)
                .hint("`openssl rand -base64 32` makes a good one."));
        }
        Ok(Passphrase { text, costs: COSTS })
    }

    /// The same with little work, for tests.
    #[cfg(test)]
    pub(crate) fn cheap(text: &str) -> Passphrase {
        Passphrase { text: Zeroizing::new(text.to_owned()), costs: (64, 1, 1) }
    }

    fn derive(&self, salt: &[u8], (memory, passes, lanes): (u32, u32, u32)) -> Option<Key> {
        let params = Params::new(memory, passes, lanes, Some(32)).ok()?;
        let mut key = Zeroizing::new([0; 32]);
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(self.text.as_bytes(), salt, key.as_mut_slice()).ok()?;
        Some(key)
    }
}

impl Method for Passphrase {
    fn name(&self) -> &'static str {
        "passphrase"
    }

    fn make(&self) -> Result<DataKey, Diagnostic> {
        let salt = random::<16>()?;
        let (memory_kib, passes, lanes) = self.costs;
        let key = self.derive(salt.as_slice(), self.costs).ok_or_else(not_derived)?;
        let recipe = Recipe {
            kdf: "argon2id".to_owned(),
            salt: BASE64.encode(salt.as_slice()),
            memory_kib,
            passes,
            lanes,
        };
        Ok(DataKey { key, recipe: serde_json::to_value(recipe).unwrap_or(Json::Null) })
    }

    fn again(&self, recipe: &Json) -> Result<Key, Diagnostic> {
        let recipe = Recipe::deserialize(recipe).map_err(|_| not_derived())?;
        let salt = BASE64.decode(&recipe.salt).map_err(|_| not_derived())?;
        let costs = (recipe.memory_kib, recipe.passes, recipe.lanes);
        if recipe.kdf != "argon2id" || costs.0 > MOST.0 || costs.1 > MOST.1 || costs.2 > MOST.2 {
            return Err(not_derived());
        }
        self.derive(&salt, costs).ok_or_else(not_derived)
    }
}

fn not_derived() -> Diagnostic {
    let detail =
        "What the envelope says about the passphrase's key is not what this version of Terrane can follow.";
    Diagnostic::error("encryption", "Key not derived", detail)
}
