//! Encryption at rest: which key a table is under, and what that takes.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html>

use serde_json::{Map, Value, json};

use super::records::{Encryption, Table};
use crate::kms;
use crate::visit::Visit;
use crate::wire::Refusal;

/// What a call's `SSESpecification` asks for.
pub(super) enum Wanted {
    /// The key that AWS owns.
    AwsOwned,
    Key(Box<kms::Key>),
}

fn invalid(message: &str) -> Refusal {
    Refusal::validation(format!("One or more parameter values were invalid: {message}"))
}

/// Reads a specification and finds its key.
pub(super) fn wanted(visit: &Visit<'_>, specification: &Map<String, Value>) -> Result<Wanted, Refusal> {
    let enabled = specification.get("Enabled").and_then(Value::as_bool);
    let kind = specification.get("SSEType").and_then(Value::as_str);
    let name = specification.get("KMSMasterKeyId").and_then(Value::as_str);
    match (enabled.unwrap_or(name.is_some()), kind, name) {
        (false, None, None) => Ok(Wanted::AwsOwned),
        (false, ..) => Err(invalid("SSEType and KMSMasterKeyId can only be specified when SSE is enabled")),
        (true, Some("AES256"), _) => Err(invalid("SSEType AES256 is not supported")),
        (true, Some(other), _) if other != "KMS" => Err(Refusal::validation(format!(
            "1 validation error detected: Value '{other}' at 'sSESpecification.sSEType' failed to satisfy constraint: Member must satisfy enum value set: [AES256, KMS]"
        ))),
        (true, _, None) => Ok(Wanted::Key(Box::new(kms::aws_key(visit, "dynamodb")?))),
        (true, _, Some(name)) => {
            let key = kms::by_any_name(visit, name)
                .map_err(|refusal| invalid(&format!("KMS validation error: {}", refusal.message)))?
                .key;
            check(visit, &key)?;
            Ok(Wanted::Key(Box::new(key)))
        }
    }
}

fn check(visit: &Visit<'_>, key: &kms::Key) -> Result<(), Refusal> {
    let arn = key.arn(visit.account());
    if key.managed_by.as_deref().is_some_and(|service| service != "dynamodb") {
        return Err(invalid(&format!("KMS validation error: {arn} is managed for another service")));
    }
    if !key.is_symmetric() {
        return Err(invalid(&format!("KMS validation error: {arn} is not a symmetric encryption key")));
    }
    match key.state() {
        "Enabled" => Ok(()),
        state => Err(invalid(&format!("KMS validation error: {arn} is not enabled (its state is {state})"))),
    }
}

/// What a table remembers of its key.
pub(super) fn remembered(wanted: &Wanted) -> Option<Encryption> {
    match wanted {
        Wanted::AwsOwned => None,
        Wanted::Key(key) => {
            Some(Encryption { key: key.id.clone(), customer: key.managed_by.is_none(), changing_until: None })
        }
    }
}

/// The key of a table, if it is the account's own.
pub(super) fn customer_key(visit: &Visit<'_>, table: &Table) -> Result<Option<CustomerKey>, Refusal> {
    let Some(encryption) = table.encryption.as_ref().filter(|encryption| encryption.customer) else {
        return Ok(None);
    };
    let found = visit.store.get::<kms::Key>(&kms::Key::key_of(&table.region, &encryption.key))?;
    let usable = found.as_ref().is_some_and(|key| key.state() == "Enabled");
    Ok(Some(CustomerKey { key: found, usable }))
}

/// A table's key: gone, or there and usable or not.
pub(super) struct CustomerKey {
    pub(super) key: Option<kms::Key>,
    pub(super) usable: bool,
}

/// The refusal of any use of items under a key that cannot be used.
pub(super) fn inaccessible(table: &Table) -> Refusal {
    Refusal::new(
        "InaccessibleEncryptionCredentialsException",
        format!(
            "The table {} is not accessible because its KMS key is disabled, pending deletion or deleted.",
            table.name
        ),
    )
}

/// The table's `SSEDescription`.
pub(super) fn describe(visit: &Visit<'_>, table: &Table) -> Option<Value> {
    let encryption = table.encryption.as_ref()?;
    let updating = encryption.changing_until.is_some_and(|until| visit.now < until);
    let arn = kms::Key::arn_of(&table.region, visit.account(), &encryption.key);
    Some(json!({
        "Status": if updating { "UPDATING" } else { "ENABLED" },
        "SSEType": "KMS",
        "KMSMasterKeyArn": arn,
    }))
}
