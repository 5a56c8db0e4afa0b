//! Tries on keys.
//!
//! With `DryRun`, KMS decides and does nothing: `DryRunOperationException` says that the call would have succeeded.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html>

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, DryRunModifierType, GrantOperation};

use super::{Attempt, Happened, Manner, Untried};
use crate::client::Clients;

const TRIED: [&str; 11] = [
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "ListGrants",
    "ListKeyPolicies",
    "ListResourceTags",
];

/// What leaves a key as it is, but for which the kind of key, another key or another right decides, too.
const NO_CALL: [&str; 10] = [
    "DeriveSharedSecret",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "VerifyMac",
];

pub(super) fn manner(name: &str, resource: &str) -> Result<Manner, Untried> {
    let is_key = resource.contains(":kms:") && resource.contains(":key/");
    match name {
        _ if !is_key || NO_CALL.contains(&name) => Err(Untried::NoCall),
        _ if TRIED.contains(&name) => Ok(Manner::Read),
        _ => Err(Untried::CouldChange),
    }
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
        "Encrypt" => {
            let encrypt = kms.encrypt().key_id(key).plaintext(Blob::new(b"terrane".as_slice()));
            Happened::of(encrypt.dry_run(true).send().await)
        }
        "Decrypt" => {
            // There is nothing to decrypt: the modifier asks for the decision alone.
            let decrypt = kms.decrypt().key_id(key).dry_run(true);
            Happened::of(decrypt.dry_run_modifiers(DryRunModifierType::IgnoreCiphertext).send().await)
        }
        "GenerateDataKey" => {
            let generate = kms.generate_data_key().key_id(key).key_spec(DataKeySpec::Aes256);
            Happened::of(generate.dry_run(true).send().await)
        }
        "GenerateDataKeyWithoutPlaintext" => {
            let generate =
                kms.generate_data_key_without_plaintext().key_id(key).key_spec(DataKeySpec::Aes256);
            Happened::of(generate.dry_run(true).send().await)
        }
        "CreateGrant" => {
            let grant = kms.create_grant().key_id(key).grantee_principal(attempt.caller);
            Happened::of(grant.operations(GrantOperation::DescribeKey).dry_run(true).send().await)
        }
        _ => return None,
    })
}
