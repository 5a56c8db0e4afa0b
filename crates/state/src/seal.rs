//! Encryption of states, backups, journals and plans: what an encrypted text looks like, and who may write which.
//!
//! Every text is sealed with AES-256-GCM under a data key that a [`Method`] makes, and which only the method can give again:
//! by a KMS key, from a passphrase, or for age recipients. The envelope is JSON that says so in the clear, with the serial
//! and the lineage, which are authenticated, so that backends can order snapshots without opening them.
//!
//! INVARIANT: what is sealed for one purpose opens for no other: the purpose is authenticated too.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use terrane_model::Diagnostic;
use zeroize::Zeroizing;

use crate::backend::Version;
use crate::error::StateError;

mod age;
mod backend;
mod log;
mod passphrase;
mod secret;

#[cfg(test)]
mod tests;

pub use self::age::Age;
pub use self::backend::Sealed;
pub use self::passphrase::Passphrase;
pub use self::secret::Given;

/// The version of the envelope that this program writes, and the newest that it reads.
const FORMAT: u64 = 1;

/// The bytes of a key. Wiped when they are dropped.
pub type Key = Zeroizing<[u8; 32]>;

/// A new data key, and how its method gives it again.
pub struct DataKey {
    /// The key.
    pub key: Key,
    /// Whatever the method needs, without secrets.
    pub recipe: Json,
}

/// A way to make data keys that only those can get again who may.
pub trait Method: Send + Sync {
    /// Its name, as envelopes say it.
    fn name(&self) -> &'static str;

    /// Makes a new data key.
    ///
    /// # Errors
    /// When it can't, as a message.
    fn make(&self) -> Result<DataKey, Diagnostic>;

    /// Gives a data key again.
    ///
    /// # Errors
    /// When it can't, or may not: as a message. A wrong key may also show only when nothing opens with it.
    fn again(&self, recipe: &Json) -> Result<Key, Diagnostic>;
}

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A snapshot.
    State,
    /// A line of a journal.
    Journal,
    /// A saved plan.
    Plan,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::State => "state",
            Purpose::Journal => "journal",
            Purpose::Plan => "plan",
        }
    }
}

/// What is made of texts that are not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// They are refused.
    Refused,
    /// They are read: encryption was just switched on, or off.
    Read,
}

/// The encryption of a stack: seals with the first method, and opens with any.
pub struct Sealing {
    primary: Option<Box<dyn Method>>,
    fallback: Vec<Box<dyn Method>>,
    plain: Plain,
    /// The data key of this run.
    made: Mutex<Option<DataKey>>,
    /// Data keys that were got again, by method and recipe: a method may be slow, or a call.
    opened: Mutex<BTreeMap<String, Key>>,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    terrane_encryption: u64,
    #[serde(default)]
    note: String,
    purpose: String,
    method: String,
    key: Json,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    serial: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lineage: Option<String>,
    nonce: String,
    data: String,
}

impl Envelope {
    /// What is authenticated and not encrypted.
    fn authenticated(&self) -> String {
        let (serial, lineage) = (self.serial.unwrap_or(0), self.lineage.as_deref().unwrap_or_default());
        format!("terrane\n{FORMAT}\n{}\n{}\n{serial}\n{lineage}", self.purpose, self.method)
    }
}

impl Sealing {
    /// Encryption with these methods. Without a first one texts are written in the clear.
    pub fn new(primary: Option<Box<dyn Method>>, fallback: Vec<Box<dyn Method>>, plain: Plain) -> Sealing {
        Sealing { primary, fallback, plain, made: Mutex::default(), opened: Mutex::default() }
    }

    /// The method that texts are written with; nothing when they are to be in the clear.
    pub fn writes(&self) -> Option<&'static str> {
        self.primary.as_ref().map(|method| method.name())
    }

    /// Encrypts a text. Leaves it as it is when texts are to be in the clear.
    ///
    /// # Errors
    /// When there is no key.
    pub fn seal(
        &self,
        purpose: Purpose,
        version: Option<&Version>,
        text: &[u8],
    ) -> Result<Vec<u8>, StateError> {
        let Some(method) = &self.primary else { return Ok(text.to_vec()) };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let key = match made.take() {
            Some(key) => made.insert(key),
            None => made.insert(method.make().map_err(told)?),
        };
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| bug("there is no randomness"))?;
        let mut envelope = Envelope {
            terrane_encryption: FORMAT,
            note: match purpose {
                Purpose::Journal => String::new(),
                _ => format!(
                    "This {} is encrypted by Terrane with the method `{}`. Other programs cannot read it.",
                    purpose.name(),
                    method.name()
                ),
            },
            purpose: purpose.name().to_owned(),
            method: method.name().to_owned(),
            key: key.recipe.clone(),
            serial: version.map(|version| version.serial),
            lineage: version.map(|version| version.lineage.clone()),
            nonce: BASE64.encode(nonce),
            data: String::new(),
        };
        let mut data = text.to_vec();
        let aad = Aad::from(envelope.authenticated());
        cipher(&key.key)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut data)
            .map_err(|_| bug("it is too long to be encrypted"))?;
        envelope.data = BASE64.encode(data);
        let rendered = match purpose {
            Purpose::State => serde_json::to_vec_pretty(&envelope),
            Purpose::Journal | Purpose::Plan => serde_json::to_vec(&envelope),
        };
        let mut rendered = rendered.map_err(|_| bug("its envelope has no text"))?;
        rendered.push(b'\n');
        Ok(rendered)
    }

    /// Decrypts a text that is called `place` in messages.
    ///
    /// # Errors
    /// A text in the clear that is not to be; no method, or none that opens it; a text that was changed.
    pub fn open(&self, purpose: Purpose, place: &str, bytes: &[u8]) -> Result<Vec<u8>, StateError> {
        let Some(envelope) = envelope(bytes, place)? else {
            return match self.plain {
                Plain::Read => Ok(bytes.to_vec()),
                Plain::Refused => Err(in_the_clear(purpose, place)),
            };
        };
        if envelope.purpose != purpose.name() {
            let why = format!("it is an encrypted {}, and a {} is wanted", envelope.purpose, purpose.name());
            return Err(unusable(place, &why));
        }
        let damaged = || unusable(place, "its envelope is damaged");
        let nonce = BASE64.decode(&envelope.nonce).ok().and_then(|n| <[u8; NONCE_LEN]>::try_from(n).ok());
        let (nonce, data) =
            (nonce.ok_or_else(damaged)?, BASE64.decode(&envelope.data).map_err(|_| damaged())?);
        let mut refusal = None;
        let all = self.primary.iter().chain(&self.fallback);
        for method in all.filter(|method| method.name() == envelope.method) {
            let key = match self.key(method.as_ref(), &envelope.key) {
                Ok(key) => key,
                Err(error) => {
                    refusal = Some(error);
                    continue;
                }
            };
            let mut data = data.clone();
            let aad = Aad::from(envelope.authenticated());
            if let Ok(text) = cipher(&key)?.open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut data)
            {
                return Ok(text.to_vec());
            }
            refusal.get_or_insert_with(|| wrong(&envelope.method, place));
        }
        Err(told(refusal.unwrap_or_else(|| no_method(&envelope.method, place))))
    }

    fn key(&self, method: &dyn Method, recipe: &Json) -> Result<Key, Diagnostic> {
        let name = format!("{:p} {recipe}", std::ptr::from_ref(method));
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = opened.get(&name) {
            return Ok(key.clone());
        }
        let key = method.again(recipe)?;
        opened.insert(name, key.clone());
        Ok(key)
    }
}

/// The method that a text is encrypted with; nothing when it is in the clear.
pub fn method_of(bytes: &[u8]) -> Option<String> {
    envelope(bytes, "").ok().flatten().map(|envelope| envelope.method)
}

/// Which snapshot is inside, as the envelope says.
pub(crate) fn version_inside(bytes: &[u8]) -> Option<Version> {
    let envelope = envelope(bytes, "").ok()??;
    Some(Version { serial: envelope.serial?, lineage: envelope.lineage? })
}

fn envelope(bytes: &[u8], place: &str) -> Result<Option<Envelope>, StateError> {
    #[derive(Deserialize)]
    struct Sniff {
        terrane_encryption: u64,
    }
    match serde_json::from_slice::<Sniff>(bytes) {
        Err(_) => Ok(None),
        Ok(Sniff { terrane_encryption }) if terrane_encryption > FORMAT => {
            let why = format!(
                "its encryption has format {terrane_encryption}, and this version of Terrane knows none after {FORMAT}"
            );
            Err(unusable(place, &why))
        }
        Ok(_) => match serde_json::from_slice(bytes) {
            Ok(envelope) => Ok(Some(envelope)),
            Err(_) => Err(unusable(place, "its envelope is damaged")),
        },
    }
}

fn cipher(key: &Key) -> Result<LessSafeKey, StateError> {
    let key =
        UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| bug("the key has the wrong length"))?;
    Ok(LessSafeKey::new(key))
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Diagnostic> {
    let mut bytes = Zeroizing::new([0; N]);
    match SystemRandom::new().fill(bytes.as_mut_slice()) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Diagnostic::error("encryption", "No randomness", "The system gave no random bytes.")),
    }
}

/// A new random key.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_key() -> Result<Key, Diagnostic> {
    random()
}

fn told(diagnostic: Diagnostic) -> StateError {
    StateError::Backend(Box::new(diagnostic))
}

fn bug(why: &str) -> StateError {
    let detail = format!("The text could not be encrypted: {why}. Nothing was written.");
    told(Diagnostic::error("encryption", "Not encrypted", detail))
}

fn unusable(place: &str, why: &str) -> StateError {
    let detail = format!("`{place}` cannot be decrypted: {why}. It was left as it is.");
    told(Diagnostic::error("encryption", "Not decryptable", detail))
}

fn wrong(method: &str, place: &str) -> Diagnostic {
    let detail = format!(
        "`{place}` is encrypted with the method `{method}`, and does not open: the key is another one, or the text was \
         changed. It was left as it is."
    );
    let hint = match method {
        "passphrase" => {
            "Check the passphrase. An earlier one belongs under `[terrane.encryption.fallback.passphrase]`."
        }
        _ => "A key of earlier belongs under `[terrane.encryption.fallback]`.",
    };
    Diagnostic::error("encryption", "Not decryptable", detail).hint(hint)
}

fn no_method(method: &str, place: &str) -> Diagnostic {
    let detail = format!(
        "`{place}` is encrypted with the method `{method}`, which `[terrane.encryption]` does not have. It was left as it is."
    );
    Diagnostic::error("encryption", "Not decryptable", detail)
        .hint(format!("Say how it opens under `[terrane.encryption.fallback.{method}]`."))
}

fn in_the_clear(purpose: Purpose, place: &str) -> StateError {
    let detail = format!(
        "`{place}` is in the clear, and the spec has `[terrane.encryption]`: this {} may have been put there by somebody else. \
         It was left as it is.",
        purpose.name()
    );
    let error = Diagnostic::error("not-encrypted", "Text in the clear", detail);
    told(error.hint(
        "When encryption was just switched on, say `allow_unencrypted = true` in `[terrane.encryption]` until the next apply, \
         or let `terrane state migrate` encrypt it.",
    ))
}
