//! Encrypting and decrypting: `Encrypt`, `Decrypt`, `ReEncrypt`, `GenerateDataKey`, `GenerateRandom`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use terrane_iam::Context;

use super::authority::{key_context, may, with_encryption_context};
use super::envelope::{self, Envelope};
use super::find::{self, Named};
use super::key::must_be_enabled;
use super::records::Key;
use crate::authorize;
use crate::ids;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

type Pairs = BTreeMap<String, String>;

const ALGORITHM: &str = "SYMMETRIC_DEFAULT";
const LONGEST_PLAINTEXT: usize = 4096;

/// Refuses the use of a key unless the caller may and the key can. What the sandbox does not do, it decides on all the same.
fn usable(
    visit: &Visit<'_>,
    named: &Named,
    action: &str,
    pairs: &Pairs,
    decision_alone: bool,
) -> Result<(), Refusal> {
    let mut context = key_context(visit, &named.key)?;
    if named.key.is_symmetric() {
        context = context.with("kms:EncryptionAlgorithm", ALGORITHM);
    }
    if let Some(alias) = &named.alias {
        context = context.with("kms:RequestAlias", alias);
    }
    may(visit, &named.key, action, with_encryption_context(context, pairs))?;
    must_be_enabled(visit, &named.key)?;
    if named.key.is_symmetric() {
        return Ok(());
    }
    let arn = named.key.arn(visit.account());
    let by_pair = !action.starts_with("kms:GenerateDataKey") && pairs.is_empty();
    if named.key.usage == "ENCRYPT_DECRYPT" && by_pair {
        dry_run(decision_alone)?;
        let message = "The sandbox encrypts with symmetric keys only.";
        return Err(Refusal::new("UnsupportedOperationException", message));
    }
    let message = format!("{arn} key usage is {} which is not valid for {action}.", named.key.usage);
    Err(Refusal::new("InvalidKeyUsageException", message))
}

pub(super) fn dry_run(asked: bool) -> Result<(), Refusal> {
    match asked {
        true => Err(Refusal::with_status(
            412,
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.",
        )),
        false => Ok(()),
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| Refusal::serialization("A blob is not base64."))
}

fn short_enough(plaintext: &[u8]) -> Result<(), Refusal> {
    if (1..=LONGEST_PLAINTEXT).contains(&plaintext.len()) {
        return Ok(());
    }
    Err(Refusal::validation(
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and 4096",
    ))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt {
    key_id: String,
    plaintext: String,
    #[serde(default)]
    encryption_context: Pairs,
    #[serde(default)]
    dry_run: bool,
}

pub(super) fn encrypt(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Encrypt = visit.call.json()?;
    let plaintext = decoded(&input.plaintext)?;
    short_enough(&plaintext)?;
    let named = find::by_any_name(visit, &input.key_id)?;
    usable(visit, &named, "kms:Encrypt", &input.encryption_context, input.dry_run)?;
    dry_run(input.dry_run)?;
    let sealed = envelope::seal(&named.key, &plaintext, &input.encryption_context)?;
    Ok(json!({
        "CiphertextBlob": STANDARD.encode(sealed),
        "KeyId": named.key.arn(visit.account()),
        "EncryptionAlgorithm": ALGORITHM,
    })
    .into())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt {
    ciphertext_blob: Option<String>,
    key_id: Option<String>,
    #[serde(default)]
    encryption_context: Pairs,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    dry_run_modifiers: Vec<String>,
}

/// The key, where a trial asks for the decision alone: then there need be nothing to decrypt.
fn decision_on<'n>(dry_run: bool, modifiers: &[String], key: Option<&'n str>) -> Option<&'n str> {
    key.filter(|_| dry_run && modifiers.iter().any(|one| one == "IGNORE_CIPHERTEXT"))
}

fn ciphertext(blob: Option<&str>) -> Result<Vec<u8>, Refusal> {
    decoded(blob.ok_or_else(|| {
        Refusal::validation(
            "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
        )
    })?)
}

pub(super) fn decrypt(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Decrypt = visit.call.json()?;
    if let Some(name) = decision_on(input.dry_run, &input.dry_run_modifiers, input.key_id.as_deref()) {
        let named = find::by_any_name(visit, name)?;
        usable(visit, &named, "kms:Decrypt", &input.encryption_context, input.dry_run)?;
        dry_run(true)?;
    }
    let envelope = Envelope::read(&ciphertext(input.ciphertext_blob.as_deref())?)?;
    let named = sealed_by(visit, &envelope, input.key_id.as_deref())?;
    usable(visit, &named, "kms:Decrypt", &input.encryption_context, input.dry_run)?;
    dry_run(input.dry_run)?;
    let plaintext = envelope.opened(&named.key, &input.encryption_context)?;
    Ok(json!({
        "Plaintext": STANDARD.encode(plaintext),
        "KeyId": named.key.arn(visit.account()),
        "EncryptionAlgorithm": ALGORITHM,
        "KeyMaterialId": named.key.materials.last().map(|material| material.id.clone()),
    })
    .into())
}

/// The key that sealed an envelope, which must be the one that the call names, if it names one.
fn sealed_by(visit: &Visit<'_>, envelope: &Envelope, name: Option<&str>) -> Result<Named, Refusal> {
    match name {
        Some(name) => {
            let named = find::by_any_name(visit, name)?;
            if named.key.id == envelope.key_id {
                return Ok(named);
            }
            Err(Refusal::new(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            ))
        }
        None => find::by_any_name(visit, &envelope.key_id).map_err(|_| envelope::invalid()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReEncrypt {
    ciphertext_blob: Option<String>,
    #[serde(default)]
    source_encryption_context: Pairs,
    source_key_id: Option<String>,
    destination_key_id: String,
    #[serde(default)]
    destination_encryption_context: Pairs,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    dry_run_modifiers: Vec<String>,
}

pub(super) fn re_encrypt(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: ReEncrypt = visit.call.json()?;
    let destination = find::by_any_name(visit, &input.destination_key_id)?;
    let may = |source: &Named| {
        usable(visit, source, "kms:ReEncryptFrom", &input.source_encryption_context, input.dry_run)?;
        usable(visit, &destination, "kms:ReEncryptTo", &input.destination_encryption_context, input.dry_run)?;
        dry_run(input.dry_run)
    };
    if let Some(name) = decision_on(input.dry_run, &input.dry_run_modifiers, input.source_key_id.as_deref()) {
        may(&find::by_any_name(visit, name)?)?;
    }
    let envelope = Envelope::read(&ciphertext(input.ciphertext_blob.as_deref())?)?;
    let source = sealed_by(visit, &envelope, input.source_key_id.as_deref())?;
    may(&source)?;
    let plaintext = envelope.opened(&source.key, &input.source_encryption_context)?;
    let sealed = envelope::seal(&destination.key, &plaintext, &input.destination_encryption_context)?;
    Ok(json!({
        "CiphertextBlob": STANDARD.encode(sealed),
        "SourceKeyId": source.key.arn(visit.account()),
        "KeyId": destination.key.arn(visit.account()),
        "SourceEncryptionAlgorithm": ALGORITHM,
        "DestinationEncryptionAlgorithm": ALGORITHM,
    })
    .into())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateDataKey {
    key_id: String,
    #[serde(default)]
    encryption_context: Pairs,
    key_spec: Option<String>,
    number_of_bytes: Option<usize>,
    #[serde(default)]
    dry_run: bool,
}

impl GenerateDataKey {
    fn bytes(&self) -> Result<usize, Refusal> {
        match (self.key_spec.as_deref(), self.number_of_bytes) {
            (Some("AES_256"), None) => Ok(32),
            (Some("AES_128"), None) => Ok(16),
            (None, Some(bytes)) if (1..=1024).contains(&bytes) => Ok(bytes),
            _ => Err(Refusal::validation("Please specify either number of bytes or key spec.")),
        }
    }
}

pub(super) fn generate_data_key(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let (key, plaintext, sealed) = data_key(visit, "kms:GenerateDataKey")?;
    Ok(json!({
        "CiphertextBlob": STANDARD.encode(sealed),
        "Plaintext": STANDARD.encode(plaintext),
        "KeyId": key.arn(visit.account()),
    })
    .into())
}

pub(super) fn generate_data_key_without_plaintext(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let (key, _, sealed) = data_key(visit, "kms:GenerateDataKeyWithoutPlaintext")?;
    Ok(json!({ "CiphertextBlob": STANDARD.encode(sealed), "KeyId": key.arn(visit.account()) }).into())
}

fn data_key(visit: &Visit<'_>, action: &str) -> Result<(Key, Vec<u8>, Vec<u8>), Refusal> {
    let input: GenerateDataKey = visit.call.json()?;
    let bytes = input.bytes()?;
    let named = find::by_any_name(visit, &input.key_id)?;
    usable(visit, &named, action, &input.encryption_context, input.dry_run)?;
    dry_run(input.dry_run)?;
    let plaintext = random(bytes)?;
    let sealed = envelope::seal(&named.key, &plaintext, &input.encryption_context)?;
    Ok((named.key, plaintext, sealed))
}

fn random(bytes: usize) -> Result<Vec<u8>, Refusal> {
    let mut random = ids::random_bytes::<1024>()?.to_vec();
    random.truncate(bytes);
    Ok(random)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateRandom {
    number_of_bytes: Option<usize>,
}

pub(super) fn generate_random(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: GenerateRandom = visit.call.json()?;
    authorize::identity(visit, "kms:GenerateRandom", "*", Context::complete())?;
    let bytes = input.number_of_bytes.filter(|bytes| (1..=1024).contains(bytes)).ok_or_else(|| {
        Refusal::validation(
            "1 validation error detected: Value at 'numberOfBytes' failed to satisfy constraint: Member must have value between 1 and 1024",
        )
    })?;
    Ok(json!({ "Plaintext": STANDARD.encode(random(bytes)?) }).into())
}
