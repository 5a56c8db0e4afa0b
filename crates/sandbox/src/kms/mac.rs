//! Message authentication codes: `GenerateMac`, `VerifyMac`.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::authority::{key_context, may};
use super::cipher::dry_run;
use super::find;
use super::key::must_be_enabled;
use super::records::Key;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    key_id: String,
    message: String,
    mac_algorithm: String,
    mac: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

pub(super) fn generate(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Input = visit.call.json()?;
    let (key, secret) = prepared(visit, &input, "kms:GenerateMac")?;
    let tag = hmac::sign(&secret, &blob(&input.message)?);
    Ok(json!({
        "Mac": STANDARD.encode(tag.as_ref()),
        "MacAlgorithm": input.mac_algorithm,
        "KeyId": key.arn(visit.account()),
    })
    .into())
}

pub(super) fn verify(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Input = visit.call.json()?;
    let (key, secret) = prepared(visit, &input, "kms:VerifyMac")?;
    let mac = blob(input.mac.as_deref().unwrap_or_default())?;
    hmac::verify(&secret, &blob(&input.message)?, &mac)
        .map_err(|_| Refusal::new("KMSInvalidMacException", String::new()))?;
    Ok(json!({
        "KeyId": key.arn(visit.account()),
        "MacValid": true,
        "MacAlgorithm": input.mac_algorithm,
    })
    .into())
}

fn blob(text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| Refusal::serialization("A blob is not base64."))
}

fn prepared(visit: &Visit<'_>, input: &Input, action: &str) -> Result<(Key, hmac::Key), Refusal> {
    let named = find::by_any_name(visit, &input.key_id)?;
    let key = named.key;
    let context = key_context(visit, &key)?.with("kms:MacAlgorithm", &input.mac_algorithm);
    may(visit, &key, action, context)?;
    must_be_enabled(visit, &key)?;
    let algorithm = match (key.spec.as_str(), input.mac_algorithm.as_str()) {
        ("HMAC_224", "HMAC_SHA_224") => hmac::HMAC_SHA224,
        ("HMAC_256", "HMAC_SHA_256") => hmac::HMAC_SHA256,
        ("HMAC_384", "HMAC_SHA_384") => hmac::HMAC_SHA384,
        ("HMAC_512", "HMAC_SHA_512") => hmac::HMAC_SHA512,
        _ => {
            let arn = key.arn(visit.account());
            let message = format!("{arn} cannot be used with {}.", input.mac_algorithm);
            return Err(Refusal::new("InvalidKeyUsageException", message));
        }
    };
    dry_run(input.dry_run)?;
    let material = key.materials.last().and_then(|material| STANDARD.decode(&material.secret).ok());
    let material =
        material.ok_or_else(|| Refusal::internal("Key material in the sandbox's file is broken."))?;
    Ok((key, hmac::Key::new(algorithm, &material)))
}
