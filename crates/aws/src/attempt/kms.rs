//! Tries on keys.
//!
//! With `DryRun`, KMS decides and does nothing: `DryRunOperationException` says that the call would have succeeded.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html>

use std::collections::HashMap;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    DataKeyPairSpec, DataKeySpec, DryRunModifierType, EncryptionAlgorithmSpec, GrantOperation, KeyMetadata,
    KeySpec, KeyUsageType, MacAlgorithmSpec, MessageType, SigningAlgorithmSpec,
};
use terrane_provider::Error;

use super::{Attempt, Happened, Manner, Untried};
use crate::client::Clients;
use crate::error::failed;

/// What looks at a key, or shares it, whatever its kind.
const OF_ANY_KIND: [&str; 7] = [
    "CreateGrant",
    "DescribeKey",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "ListGrants",
    "ListKeyPolicies",
    "ListResourceTags",
];

/// Uses of a key that encrypts, with the kinds of keys that have them.
const OF_ENCRYPTION: [(&str, Needs); 8] = [
    ("Decrypt", Needs::Encryption),
    ("Encrypt", Needs::Encryption),
    ("ReEncryptFrom", Needs::Encryption),
    ("ReEncryptTo", Needs::Encryption),
    ("GenerateDataKey", Needs::Symmetric),
    ("GenerateDataKeyPair", Needs::Symmetric),
    ("GenerateDataKeyPairWithoutPlaintext", Needs::Symmetric),
    ("GenerateDataKeyWithoutPlaintext", Needs::Symmetric),
];

/// Uses of other keys.
const OF_OTHERS: [(&str, Needs); 4] = [
    ("GenerateMac", Needs::Mac),
    ("Sign", Needs::Signing),
    ("Verify", Needs::Signing),
    ("VerifyMac", Needs::Mac),
];

/// What leaves a key as it is, and for which there is no trial.
const NO_CALL: [&str; 2] = ["DeriveSharedSecret", "GetPublicKey"];

/// The kind of key that a use asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Encryption,
    Symmetric,
    Mac,
    Signing,
}

fn needs(name: &str) -> Option<Needs> {
    OF_ENCRYPTION.iter().chain(&OF_OTHERS).find(|(use_of, _)| *use_of == name).map(|(_, needs)| *needs)
}

pub(super) fn manner(name: &str, resource: &str) -> Result<Manner, Untried> {
    let is_key = resource.contains(":kms:") && resource.contains(":key/");
    match name {
        _ if !is_key || NO_CALL.contains(&name) => Err(Untried::NoCall),
        _ if OF_ANY_KIND.contains(&name) || needs(name).is_some() => Ok(Manner::Read),
        _ => Err(Untried::CouldChange),
    }
}

/// Whether an operation is given an encryption context.
pub(super) fn takes_encryption_context(name: &str) -> bool {
    OF_ENCRYPTION.iter().any(|(use_of, _)| *use_of == name)
}

/// What kind of key it is, as far as calls depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    symmetric: bool,
    /// The algorithms that it has; of one sort at most.
    encryption: Option<EncryptionAlgorithmSpec>,
    mac: Option<MacAlgorithmSpec>,
    signing: Option<SigningAlgorithmSpec>,
}

impl Kind {
    fn of(key: &KeyMetadata) -> Kind {
        Kind {
            symmetric: key.key_spec() == Some(&KeySpec::SymmetricDefault)
                && key.key_usage() == Some(&KeyUsageType::EncryptDecrypt),
            encryption: key.encryption_algorithms().last().cloned(),
            mac: key.mac_algorithms().first().cloned(),
            signing: key.signing_algorithms().first().cloned(),
        }
    }

    /// Whether a use of the key is one that keys of this kind have. An encryption context is for symmetric keys.
    pub fn has(&self, action: &str, with_encryption_context: bool) -> bool {
        let kind = match action.split_once(':').and_then(|(_, name)| needs(name)) {
            None => true,
            Some(Needs::Encryption) => self.encryption.is_some(),
            Some(Needs::Symmetric) => self.symmetric,
            Some(Needs::Mac) => self.mac.is_some(),
            Some(Needs::Signing) => self.signing.is_some(),
        };
        kind && (self.symmetric || !with_encryption_context)
    }
}

/// Whether the kind of key decides how an action is tried.
pub fn depends_on_kind(action: &str) -> bool {
    action.strip_prefix("kms:").is_some_and(|name| needs(name).is_some())
}

/// Looks at a key as the identity that deploys, with clients in its region.
///
/// # Errors
/// What KMS has to say.
pub async fn kind(clients: &Clients, key: &str) -> Result<Kind, Error> {
    let described = clients.kms().describe_key().key_id(key).send().await;
    match described.map_err(failed("kms:DescribeKey"))?.key_metadata {
        Some(metadata) => Ok(Kind::of(&metadata)),
        None => Err(Error::bug("kms:DescribeKey", "The answer has no description of the key.")),
    }
}

/// Something to encrypt, sign or authenticate. Nothing of it is kept.
fn something() -> Blob {
    Blob::new(b"terrane".as_slice())
}

pub(super) async fn make(clients: &Clients, attempt: &Attempt<'_>, name: &str) -> Option<Happened> {
    let (kms, key) = (clients.kms(), attempt.resource);
    Some(match name {
        "DescribeKey" => Happened::of(kms.describe_key().key_id(key).send().await),
        "GetKeyPolicy" => Happened::of(kms.get_key_policy().key_id(key).send().await),
        "GetKeyRotationStatus" => Happened::of(kms.get_key_rotation_status().key_id(key).send().await),
        "ListGrants" => Happened::of(kms.list_grants().key_id(key).limit(1).send().await),
        "ListKeyPolicies" => Happened::of(kms.list_key_policies().key_id(key).send().await),
        "ListResourceTags" => Happened::of(kms.list_resource_tags().key_id(key).limit(1).send().await),
        "CreateGrant" => {
            let grant = kms.create_grant().key_id(key).grantee_principal(attempt.caller);
            Happened::of(grant.operations(GrantOperation::DescribeKey).dry_run(true).send().await)
        }
        _ => return used(clients, attempt, name, attempt.kind?).await,
    })
}

/// A use of a key, tried with `DryRun`.
async fn used(clients: &Clients, attempt: &Attempt<'_>, name: &str, kind: &Kind) -> Option<Happened> {
    let (kms, key) = (clients.kms(), attempt.resource);
    let pairs = &attempt.circumstances.encryption_context;
    let context: Option<HashMap<String, String>> = (!pairs.is_empty())
        .then(|| pairs.iter().map(|(name, value)| (name.clone(), value.clone())).collect());
    // A symmetric key has one algorithm, which goes without saying.
    let algorithm = kind.encryption.clone().filter(|_| !kind.symmetric);
    // There is nothing to decrypt: the modifier asks for the decision alone.
    let alone = DryRunModifierType::IgnoreCiphertext;
    Some(match name {
        "Encrypt" => {
            let encrypt = kms.encrypt().key_id(key).plaintext(something()).dry_run(true);
            let encrypt = encrypt.set_encryption_context(context).set_encryption_algorithm(algorithm);
            Happened::of(encrypt.send().await)
        }
        "Decrypt" => {
            let decrypt = kms.decrypt().key_id(key).dry_run(true).dry_run_modifiers(alone);
            let decrypt = decrypt.set_encryption_context(context).set_encryption_algorithm(algorithm);
            Happened::of(decrypt.send().await)
        }
        "ReEncryptFrom" | "ReEncryptTo" => {
            let call = kms.re_encrypt().source_key_id(key).destination_key_id(key);
            let call = call.set_source_encryption_context(context.clone());
            let call = call.set_destination_encryption_context(context);
            let call = call.set_source_encryption_algorithm(algorithm.clone());
            let call = call.set_destination_encryption_algorithm(algorithm);
            Happened::of(call.dry_run(true).dry_run_modifiers(alone).send().await)
        }
        "GenerateDataKey" => {
            let call = kms.generate_data_key().key_id(key).key_spec(DataKeySpec::Aes256);
            Happened::of(call.set_encryption_context(context).dry_run(true).send().await)
        }
        "GenerateDataKeyWithoutPlaintext" => {
            let call = kms.generate_data_key_without_plaintext().key_id(key).key_spec(DataKeySpec::Aes256);
            Happened::of(call.set_encryption_context(context).dry_run(true).send().await)
        }
        "GenerateDataKeyPair" => {
            let call = kms.generate_data_key_pair().key_id(key).key_pair_spec(DataKeyPairSpec::EccNistP256);
            Happened::of(call.set_encryption_context(context).dry_run(true).send().await)
        }
        "GenerateDataKeyPairWithoutPlaintext" => {
            let call = kms.generate_data_key_pair_without_plaintext().key_id(key);
            let call = call.key_pair_spec(DataKeyPairSpec::EccNistP256).set_encryption_context(context);
            Happened::of(call.dry_run(true).send().await)
        }
        "GenerateMac" => {
            let call = kms.generate_mac().key_id(key).message(something()).mac_algorithm(kind.mac.clone()?);
            Happened::of(call.dry_run(true).send().await)
        }
        "VerifyMac" => {
            let call = kms.verify_mac().key_id(key).message(something()).mac_algorithm(kind.mac.clone()?);
            Happened::of(call.mac(something()).dry_run(true).send().await)
        }
        "Sign" => {
            let call = kms.sign().key_id(key).message(something()).message_type(MessageType::Raw);
            Happened::of(call.signing_algorithm(kind.signing.clone()?).dry_run(true).send().await)
        }
        "Verify" => {
            let call = kms.verify().key_id(key).message(something()).message_type(MessageType::Raw);
            let call = call.signature(something()).signing_algorithm(kind.signing.clone()?);
            Happened::of(call.dry_run(true).send().await)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_fits_the_kind_of_key() {
        let key = |spec, usage| KeyMetadata::builder().key_id("k").key_spec(spec).key_usage(usage);
        let symmetric = key(KeySpec::SymmetricDefault, KeyUsageType::EncryptDecrypt)
            .encryption_algorithms(EncryptionAlgorithmSpec::SymmetricDefault);
        let rsa = key(KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt)
            .encryption_algorithms(EncryptionAlgorithmSpec::RsaesOaepSha1)
            .encryption_algorithms(EncryptionAlgorithmSpec::RsaesOaepSha256);
        let mac = key(KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac)
            .mac_algorithms(MacAlgorithmSpec::HmacSha256);
        let signing = key(KeySpec::EccNistP256, KeyUsageType::SignVerify)
            .signing_algorithms(SigningAlgorithmSpec::EcdsaSha256);
        let [symmetric, rsa, mac, signing] =
            [symmetric, rsa, mac, signing].map(|key| Kind::of(&key.build().unwrap()));
        assert_eq!(rsa.encryption, Some(EncryptionAlgorithmSpec::RsaesOaepSha256));
        for (action, fitting) in [
            ("kms:Decrypt", [true, true, false, false]),
            ("kms:ReEncryptTo", [true, true, false, false]),
            ("kms:GenerateDataKeyPair", [true, false, false, false]),
            ("kms:VerifyMac", [false, false, true, false]),
            ("kms:Sign", [false, false, false, true]),
            ("kms:DescribeKey", [true, true, true, true]),
        ] {
            let has = [&symmetric, &rsa, &mac, &signing].map(|kind| kind.has(action, false));
            assert_eq!(has, fitting, "{action}");
        }
        assert!(symmetric.has("kms:Encrypt", true) && !rsa.has("kms:Encrypt", true));
        assert!(depends_on_kind("kms:Sign") && !depends_on_kind("kms:GetKeyPolicy"));
        assert!(!depends_on_kind("dynamodb:GetItem"));
    }
}
