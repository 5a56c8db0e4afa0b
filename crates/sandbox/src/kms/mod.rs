//! KMS: keys with enforced policies and grants, aliases, rotation, and real encryption.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html>

mod alias;
mod authority;
mod aws_key;
mod cipher;
mod decided;
mod envelope;
mod find;
mod grant;
mod key;
mod mac;
mod page;
mod policy;
mod records;
mod rotation;
mod spec;
mod tagging;

pub(crate) use authority::{Authority, may_through, operation};
pub(crate) use aws_key::of_service as aws_key;
pub(crate) use find::by_any_name;
pub(crate) use records::Key;

use records::{ALIAS_OF, Alias, DELETION, Grant, ROTATION};

use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

/// Serves one call.
pub(crate) fn serve(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    match visit.call.operation.as_str() {
        "CreateKey" => key::create(visit),
        "DescribeKey" => key::describe(visit),
        "ListKeys" => key::list(visit),
        "EnableKey" => key::enable(visit),
        "DisableKey" => key::disable(visit),
        "UpdateKeyDescription" => key::update_description(visit),
        "ScheduleKeyDeletion" => key::schedule_deletion(visit),
        "CancelKeyDeletion" => key::cancel_deletion(visit),

        "GetKeyPolicy" => policy::get(visit),
        "PutKeyPolicy" => policy::put(visit),
        "ListKeyPolicies" => policy::list(visit),

        "EnableKeyRotation" => rotation::enable(visit),
        "DisableKeyRotation" => rotation::disable(visit),
        "GetKeyRotationStatus" => rotation::status(visit),
        "RotateKeyOnDemand" => rotation::rotate(visit),
        "ListKeyRotations" => rotation::list(visit),

        "TagResource" => tagging::tag(visit),
        "UntagResource" => tagging::untag(visit),
        "ListResourceTags" => tagging::list(visit),

        "CreateAlias" => alias::create(visit),
        "UpdateAlias" => alias::update(visit),
        "DeleteAlias" => alias::delete(visit),
        "ListAliases" => alias::list(visit),

        "CreateGrant" => grant::create(visit),
        "ListGrants" => grant::list(visit),
        "ListRetirableGrants" => grant::list_retirable(visit),
        "RevokeGrant" => grant::revoke(visit),
        "RetireGrant" => grant::retire(visit),

        "Encrypt" => cipher::encrypt(visit),
        "Decrypt" => cipher::decrypt(visit),
        "ReEncrypt" => cipher::re_encrypt(visit),
        "GenerateDataKey" => cipher::generate_data_key(visit),
        "GenerateDataKeyWithoutPlaintext" => cipher::generate_data_key_without_plaintext(visit),
        "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext" => decided::data_key_pair(visit),
        "Sign" | "Verify" => decided::signature(visit),
        "GenerateRandom" => cipher::generate_random(visit),
        "GenerateMac" => mac::generate(visit),
        "VerifyMac" => mac::verify(visit),
        _ => Err(Refusal::unknown_operation()),
    }
}

/// Does what was to happen to a key by now. Says whether the deadline was one of KMS.
pub(crate) fn fall_due(visit: &Visit<'_>, kind: &str, key: &str) -> Result<bool, Refusal> {
    let found = visit.store.get::<Key>(key)?;
    match (kind, found) {
        (DELETION, Some(found)) => {
            for alias in visit.store.sources(ALIAS_OF, key)? {
                if let Some(alias) = visit.store.get::<Alias>(&alias)? {
                    alias::forget(visit, &alias)?;
                }
            }
            for grant in visit.store.all::<Grant>(&Grant::prefix_of(&found))? {
                visit.store.delete::<Grant>(&crate::store::Document::key(&grant))?;
            }
            visit.store.delete::<Key>(key)?;
            visit.store.clear_deadline(kind, key)?;
        }
        (ROTATION, Some(found)) => rotation::fall_due(visit, found)?,
        (DELETION | ROTATION, None) => visit.store.clear_deadline(kind, key)?,
        _ => return Ok(false),
    }
    Ok(true)
}
