//! What the sandbox decides on and does not do: signing, verifying, and pairs of data keys. With `DryRun` the answer is that of
//! AWS; without, whoever may is told that the sandbox does not do it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::authority::{key_context, may, with_encryption_context};
use super::cipher::dry_run;
use super::find;
use super::key::must_be_enabled;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    key_id: String,
    signing_algorithm: Option<String>,
    message_type: Option<String>,
    key_pair_spec: Option<String>,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
    #[serde(default)]
    dry_run: bool,
}

/// `Sign` and `Verify`.
pub(super) fn signature(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Input = visit.call.json()?;
    let algorithm = input.signing_algorithm.as_deref().ok_or_else(|| missing("signingAlgorithm"))?;
    decided(visit, &input, "SIGN_VERIFY", |context| {
        let kind = input.message_type.as_deref().unwrap_or("RAW");
        context.with("kms:SigningAlgorithm", algorithm).with("kms:MessageType", kind)
    })
}

/// `GenerateDataKeyPair` and its like without plaintext.
pub(super) fn data_key_pair(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Input = visit.call.json()?;
    let spec = input.key_pair_spec.as_deref().ok_or_else(|| missing("keyPairSpec"))?;
    decided(visit, &input, "ENCRYPT_DECRYPT", |context| {
        let context =
            context.with("kms:DataKeyPairSpec", spec).with("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
        with_encryption_context(context, &input.encryption_context)
    })
}

fn decided(
    visit: &Visit<'_>,
    input: &Input,
    usage: &str,
    about: impl FnOnce(terrane_iam::Context) -> terrane_iam::Context,
) -> Result<Reply, Refusal> {
    let named = find::by_any_name(visit, &input.key_id)?;
    let operation = visit.call.operation.as_str();
    let mut context = key_context(visit, &named.key)?;
    if let Some(alias) = &named.alias {
        context = context.with("kms:RequestAlias", alias);
    }
    may(visit, &named.key, &format!("kms:{operation}"), about(context))?;
    must_be_enabled(visit, &named.key)?;
    if named.key.usage != usage || (usage == "ENCRYPT_DECRYPT" && !named.key.is_symmetric()) {
        let arn = named.key.arn(visit.account());
        let message = format!("{arn} key usage is {} which is not valid for {operation}.", named.key.usage);
        return Err(Refusal::new("InvalidKeyUsageException", message));
    }
    dry_run(input.dry_run)?;
    let message = format!("The sandbox decides on {operation} and does not do it: ask with DryRun.");
    Err(Refusal::new("UnsupportedOperationException", message))
}

fn missing(field: &str) -> Refusal {
    Refusal::validation(format!(
        "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"
    ))
}
