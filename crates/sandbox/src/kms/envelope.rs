//! Real encryption under a key's material: AES-256-GCM, with the encryption context as associated data.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::records::{Key, Material};
use crate::ids;
use crate::wire::Refusal;

/// The first byte of a ciphertext: the layout that follows.
///
/// Then: length of the key's id, the id; length of the material's id, the id; 12 bytes of nonce; the sealed text.
const LAYOUT: u8 = 1;
const NONCE_BYTES: usize = 12;

/// A ciphertext taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) key_id: String,
    material_id: String,
    nonce: [u8; NONCE_BYTES],
    sealed: Vec<u8>,
}

pub(super) fn invalid() -> Refusal {
    Refusal { status: 400, code: "InvalidCiphertextException".into(), message: String::new(), body: None }
}

impl Envelope {
    pub(super) fn read(bytes: &[u8]) -> Result<Envelope, Refusal> {
        let (layout, rest) = bytes.split_first().ok_or_else(invalid)?;
        if *layout != LAYOUT {
            return Err(invalid());
        }
        let (key_id, rest) = text(rest)?;
        let (material_id, rest) = text(rest)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES).ok_or_else(invalid)?;
        let nonce = nonce.try_into().map_err(|_| invalid())?;
        Ok(Envelope { key_id, material_id, nonce, sealed: sealed.to_vec() })
    }

    /// The plaintext, if the envelope was sealed by this key with this context.
    pub(super) fn opened(self, key: &Key, context: &BTreeMap<String, String>) -> Result<Vec<u8>, Refusal> {
        let material =
            key.materials.iter().find(|material| material.id == self.material_id).ok_or_else(invalid)?;
        let mut buffer = self.sealed;
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let length = cipher(material)?
            .open_in_place(nonce, Aad::from(associated(&key.id, context)), &mut buffer)
            .map_err(|_| invalid())?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

fn text(bytes: &[u8]) -> Result<(String, &[u8]), Refusal> {
    let (length, rest) = bytes.split_first().ok_or_else(invalid)?;
    let (text, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(invalid)?;
    Ok((String::from_utf8(text.to_vec()).map_err(|_| invalid())?, rest))
}

/// Seals a plaintext under the newest material of a key.
pub(super) fn seal(
    key: &Key,
    plaintext: &[u8],
    context: &BTreeMap<String, String>,
) -> Result<Vec<u8>, Refusal> {
    let material = key.materials.last().ok_or_else(|| Refusal::internal("The key has no material."))?;
    let nonce = ids::random_bytes::<NONCE_BYTES>()?;
    let mut sealed = plaintext.to_vec();
    cipher(material)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated(&key.id, context)),
            &mut sealed,
        )
        .map_err(|_| Refusal::internal("The plaintext could not be encrypted."))?;
    let mut envelope = vec![LAYOUT];
    for text in [&key.id, &material.id] {
        envelope.push(u8::try_from(text.len()).map_err(|_| Refusal::internal("An id is too long."))?);
        envelope.extend_from_slice(text.as_bytes());
    }
    envelope.extend_from_slice(&nonce);
    envelope.extend_from_slice(&sealed);
    Ok(envelope)
}

fn cipher(material: &Material) -> Result<LessSafeKey, Refusal> {
    let broken = || Refusal::internal("Key material in the sandbox's file is broken.");
    let bytes = STANDARD.decode(&material.secret).map_err(|_| broken())?;
    let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| broken())?;
    Ok(LessSafeKey::new(key))
}

/// Key id and context as bytes; lengths in front keep different contexts different.
fn associated(key_id: &str, context: &BTreeMap<String, String>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let texts = context.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    for text in std::iter::once(key_id).chain(texts) {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}
