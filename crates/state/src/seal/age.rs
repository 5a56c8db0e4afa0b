//! Keys for age recipients: a random key, encrypted to each of them.

use ::age::x25519::{Identity, Recipient};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use terrane_model::Diagnostic;
use zeroize::Zeroizing;

use super::{DataKey, Key, Method, random};

/// Recipients, and the identities that this machine has.
pub struct Age {
    recipients: Vec<Recipient>,
    identities: Vec<Identity>,
}

#[derive(Serialize, Deserialize)]
struct Recipe {
    recipients: Vec<String>,
    wrapped: String,
}

impl Age {
    /// Recipients as `age1…`; identities as the text of age's identity files.
    ///
    /// # Errors
    /// What is no recipient, and what is no identity.
    pub fn new(recipients: &[String], identities: &str) -> Result<Age, Diagnostic> {
        let wrong = |detail: String| Diagnostic::error("encryption", "Unusable age key", detail);
        let read = |text: &String| {
            let detail = |why| wrong(format!("`{text}` is no recipient of age: {why}."));
            text.trim().parse::<Recipient>().map_err(detail)
        };
        let lines =
            identities.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let identities = lines.enumerate().map(|(n, line)| {
            // The line itself is a secret.
            let detail = |why| wrong(format!("The age identity {} can't be read: {why}.", n + 1));
            line.parse::<Identity>().map_err(detail)
        });
        Ok(Age {
            recipients: recipients.iter().map(read).collect::<Result<_, _>>()?,
            identities: identities.collect::<Result<_, _>>()?,
        })
    }
}

impl Method for Age {
    fn name(&self) -> &'static str {
        "age"
    }

    fn make(&self) -> Result<DataKey, Diagnostic> {
        let failed = |why: String| {
            let detail = format!("The data key could not be encrypted for the recipients: {why}.");
            Diagnostic::error("encryption", "Not encrypted", detail)
        };
        let key = random::<32>()?;
        let recipients = self.recipients.iter().map(|recipient| recipient as &dyn ::age::Recipient);
        let encryptor =
            ::age::Encryptor::with_recipients(recipients).map_err(|error| failed(error.to_string()))?;
        let mut wrapped = Vec::new();
        let written = encryptor.wrap_output(&mut wrapped).and_then(|mut writer| {
            std::io::Write::write_all(&mut writer, key.as_slice())?;
            writer.finish().map(drop)
        });
        written.map_err(|error| failed(error.to_string()))?;
        let recipe = Recipe {
            recipients: self.recipients.iter().map(ToString::to_string).collect(),
            wrapped: BASE64.encode(wrapped),
        };
        Ok(DataKey { key, recipe: serde_json::to_value(recipe).unwrap_or(Json::Null) })
    }

    fn again(&self, recipe: &Json) -> Result<Key, Diagnostic> {
        let refused = |detail: String| Diagnostic::error("encryption", "Not decryptable", detail);
        let recipe = Recipe::deserialize(recipe)
            .map_err(|_| refused("What the envelope says about the recipients is damaged.".to_owned()))?;
        let wrapped = BASE64.decode(&recipe.wrapped).unwrap_or_default();
        let for_whom = recipe.recipients.join("`, `");
        if self.identities.is_empty() {
            let detail = format!("It is encrypted for `{for_whom}`, and no identity of age is given.");
            return Err(refused(detail).hint(
                "Give it with `identity_file` in `[terrane.encryption.age]`, or as TERRANE_AGE_IDENTITY in the environment.",
            ));
        }
        for identity in &self.identities {
            if let Ok(bytes) = ::age::decrypt(identity, &wrapped).map(Zeroizing::new)
                && let Ok(key) = <[u8; 32]>::try_from(bytes.as_slice())
            {
                return Ok(Zeroizing::new(key));
            }
        }
        Err(refused(format!("It is encrypted for `{for_whom}`, and the given identities of age are others.")))
    }
}
