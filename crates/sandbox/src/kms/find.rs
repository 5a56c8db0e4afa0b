//! Finding the key that a call names, by id, ARN, alias or alias ARN.

use super::aws_key;
use super::records::{Alias, Key};
use crate::visit::Visit;
use crate::wire::Refusal;

/// The key, and the alias it was named by.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) key: Key,
    pub(crate) alias: Option<String>,
}

/// Finds a key that may be named by alias.
pub(crate) fn by_any_name(visit: &Visit<'_>, name: &str) -> Result<Named, Refusal> {
    let bare = local(visit, name)?;
    if let Some(id) = bare.strip_prefix("key/") {
        return Ok(Named { key: by_id(visit, id)?, alias: None });
    }
    if !bare.starts_with("alias/") {
        return Ok(Named { key: by_id(visit, bare)?, alias: None });
    }
    let alias = match visit.store.get::<Alias>(&Alias::key_of(visit.region(), bare))? {
        Some(alias) => alias,
        None => match bare.strip_prefix("alias/aws/").and_then(aws_key::service) {
            Some(service) => aws_key::make(visit, service)?,
            None => return Err(no_alias(visit, bare)),
        },
    };
    Ok(Named { key: by_id(visit, &alias.target)?, alias: Some(alias.name) })
}

/// Finds a key that must be named by id or ARN.
pub(crate) fn by_key_name(visit: &Visit<'_>, name: &str) -> Result<Key, Refusal> {
    let bare = local(visit, name)?;
    if bare.starts_with("alias/") {
        return Err(not_found(format!("Invalid keyId {name}")));
    }
    by_id(visit, bare.strip_prefix("key/").unwrap_or(bare))
}

/// The part of a name that counts in this account and region: what follows the ARN's account, or the name itself.
fn local<'n>(visit: &Visit<'_>, name: &'n str) -> Result<&'n str, Refusal> {
    if name.is_empty() || name.len() > 2048 {
        return Err(Refusal::validation(
            "1 validation error detected: Value at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ));
    }
    if !name.starts_with("arn:") {
        return Ok(name);
    }
    let mut fields = name.splitn(6, ':');
    let mut field = || fields.next().unwrap_or_default();
    let (_, _, service, region, account, rest) = (field(), field(), field(), field(), field(), field());
    if service != "kms" || !(rest.starts_with("key/") || rest.starts_with("alias/")) {
        return Err(Refusal::new("InvalidArnException", format!("{name} is not a valid ARN")));
    }
    if region != visit.region() {
        return Err(not_found(format!("Invalid arn {region}")));
    }
    if account != visit.account() {
        return Err(not_found(format!("Key '{name}' does not exist")));
    }
    Ok(rest)
}

fn by_id(visit: &Visit<'_>, id: &str) -> Result<Key, Refusal> {
    let found = visit.store.get::<Key>(&Key::key_of(visit.region(), id))?;
    found.ok_or_else(|| {
        let id_like = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        not_found(match id_like {
            true => format!("Key '{}' does not exist", visit.regional_arn("kms", &format!("key/{id}"))),
            false => format!("Invalid keyId {id}"),
        })
    })
}

pub(super) fn no_alias(visit: &Visit<'_>, name: &str) -> Refusal {
    not_found(format!("Alias {} is not found.", visit.regional_arn("kms", name)))
}

pub(super) fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new("NotFoundException", message)
}
