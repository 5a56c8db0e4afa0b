//! Aliases: <https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html>.

use serde::Deserialize;
use serde_json::{Value, json};
use terrane_iam::Context;

use super::authority::{key_context, may};
use super::key::{must_be_customers, must_not_be_pending};
use super::records::{ALIAS_OF, Alias, Key};
use super::{find, page};
use crate::authorize;
use crate::store::Document;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    alias_name: String,
    target_key_id: Option<String>,
}

impl Input {
    fn target(&self, visit: &Visit<'_>) -> Result<Key, Refusal> {
        let name = self.target_key_id.as_deref().unwrap_or_default();
        if name.starts_with("alias/") || name.contains(":alias/") {
            return Err(Refusal::validation("Aliases must refer to keys. Not aliases"));
        }
        find::by_key_name(visit, name)
    }
}

/// Stores an alias and what it points to.
pub(super) fn store(visit: &Visit<'_>, alias: &Alias) -> Result<(), Refusal> {
    visit.store.put(alias)?;
    visit.store.link(ALIAS_OF, &alias.key(), &Key::key_of(&alias.region, &alias.target))?;
    Ok(())
}

fn checked(name: &str) -> Result<(), Refusal> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-:".contains(&byte);
    if name.len() > 256 || !name.bytes().all(fits) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value '{name}' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
        )));
    }
    let Some(rest) = name.strip_prefix("alias/") else {
        return Err(Refusal::validation("Invalid identifier"));
    };
    if rest.is_empty() || rest.contains(':') {
        return Err(Refusal::validation("Invalid identifier"));
    }
    if rest.starts_with("aws/") {
        return Err(Refusal::new("NotAuthorizedException", "The alias prefix alias/aws/ is reserved."));
    }
    Ok(())
}

/// Refuses the call unless the caller may do `action` with the alias, which only IAM policies can say.
fn may_alias(visit: &Visit<'_>, action: &str, name: &str) -> Result<(), Refusal> {
    authorize::identity(visit, action, &visit.regional_arn("kms", name), Context::complete())
}

pub(super) fn create(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Input = visit.call.json()?;
    let name = &input.alias_name;
    checked(name)?;
    may_alias(visit, "kms:CreateAlias", name)?;
    let key = input.target(visit)?;
    may(visit, &key, "kms:CreateAlias", key_context(visit, &key)?.with("kms:RequestAlias", name))?;
    must_be_customers(visit, &key)?;
    must_not_be_pending(visit, &key)?;
    if visit.store.get::<Alias>(&Alias::key_of(visit.region(), name))?.is_some() {
        return Err(Refusal::new(
            "AlreadyExistsException",
            format!("An alias with the name {} already exists", visit.regional_arn("kms", name)),
        ));
    }
    let alias = Alias {
        region: visit.region().to_owned(),
        name: name.clone(),
        target: key.id,
        created: visit.now,
        updated: visit.now,
    };
    store(visit, &alias)?;
    Ok(Reply::Empty)
}

/// Points an alias to another key of the same kind and use.
pub(super) fn update(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Input = visit.call.json()?;
    let name = &input.alias_name;
    checked(name)?;
    may_alias(visit, "kms:UpdateAlias", name)?;
    let mut alias = existing(visit, name)?;
    let new = input.target(visit)?;
    let old_key = Key::key_of(&alias.region, &alias.target);
    if let Some(old) = visit.store.get::<Key>(&old_key)? {
        may(visit, &old, "kms:UpdateAlias", key_context(visit, &old)?)?;
        if (old.is_symmetric(), &old.usage) != (new.is_symmetric(), &new.usage) {
            return Err(Refusal::validation(
                "The current and new KMS keys must have the same type and the same key usage.",
            ));
        }
    }
    may(visit, &new, "kms:UpdateAlias", key_context(visit, &new)?)?;
    must_not_be_pending(visit, &new)?;
    visit.store.unlink(ALIAS_OF, &alias.key(), &old_key)?;
    alias.target = new.id;
    alias.updated = visit.now;
    store(visit, &alias)?;
    Ok(Reply::Empty)
}

pub(super) fn delete(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: Input = visit.call.json()?;
    let name = &input.alias_name;
    checked(name)?;
    may_alias(visit, "kms:DeleteAlias", name)?;
    let alias = existing(visit, name)?;
    if let Some(key) = visit.store.get::<Key>(&Key::key_of(&alias.region, &alias.target))? {
        may(visit, &key, "kms:DeleteAlias", key_context(visit, &key)?)?;
    }
    forget(visit, &alias)?;
    Ok(Reply::Empty)
}

/// Takes an alias away.
pub(super) fn forget(visit: &Visit<'_>, alias: &Alias) -> Result<(), Refusal> {
    visit.store.delete::<Alias>(&alias.key())?;
    visit.store.unlink(ALIAS_OF, &alias.key(), &Key::key_of(&alias.region, &alias.target))?;
    Ok(())
}

fn existing(visit: &Visit<'_>, name: &str) -> Result<Alias, Refusal> {
    let found = visit.store.get::<Alias>(&Alias::key_of(visit.region(), name))?;
    found.ok_or_else(|| find::no_alias(visit, name))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    key_id: Option<String>,
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: List = visit.call.json()?;
    authorize::identity(visit, "kms:ListAliases", "*", Context::complete())?;
    let page = page::Asked::of(visit, 50, 100)?;
    let prefix = format!("{}|", visit.region());
    let aliases = match input.key_id {
        None => visit.store.list::<Alias>(&prefix, page.after(), page.limit() + 1)?,
        Some(name) => {
            let key = find::by_key_name(visit, &name)?;
            let mut aliases = Vec::new();
            for found in visit.store.sources(ALIAS_OF, &key.key())? {
                if page.after().is_none_or(|after| found.as_str() > after) {
                    aliases.extend(visit.store.get::<Alias>(&found)?);
                }
            }
            aliases
        }
    };
    Ok(page.answer("Aliases", aliases, Alias::key, |alias| -> Value {
        json!({
            "AliasName": alias.name,
            "AliasArn": alias.arn(visit.account()),
            "TargetKeyId": alias.target,
            "CreationDate": alias.created.epoch_seconds(),
            "LastUpdatedDate": alias.updated.epoch_seconds(),
        })
    }))
}
