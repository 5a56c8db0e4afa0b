//! `aws_kms_alias`: a name for a key.
//!
//! Object: an alias, identified by its name. Calls and permissions: `kms:CreateAlias` and `kms:UpdateAlias` (on the alias
//! and on the key), `kms:DeleteAlias`, `kms:ListAliases`. Replaced when the name changes; the key it stands for changes
//! in place. A new alias is listed after some seconds at the latest.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::types::AliasListEntry;
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, block, computed, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::once::create_once;
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Identity, Permissions, PlanRequest,
    ResourceType,
};

use crate::client::Clients;
use crate::error::failed;
use crate::kms::{PROPAGATION, RETRIES, SAME_KEY, aliases, forget_aliases, key_id};
use crate::names;
use crate::object::{absent, filled, needed, settled, text, unknown_text, unknown_with_prefix};
use terrane_provider::permission::pattern;

/// The resource type.
pub struct Alias;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let name = |name| {
        optional_computed(name, Type::String)
            .force_new()
            .check(Check::Pattern(
                r"^alias/[0-9A-Za-z_/-]+$",
                "be `alias/` and letters, digits, `_`, `/` or `-`",
            ))
            .check(Check::NotPrefix("alias/aws/"))
    };
    Schema::new(
        "aws_kms_alias",
        Mode::Managed,
        "A name for a KMS key.",
        block(
            [
                computed("arn", Type::String).doc("ARN of the alias."),
                optional_computed("id", Type::String).doc("The name."),
                name("name").conflicts_with(&["name_prefix"]).doc("The name, beginning with `alias/`."),
                name("name_prefix").conflicts_with(&["name"]).doc("Beginning of a name that is made up."),
                computed("target_key_arn", Type::String).doc("ARN of the key."),
                required("target_key_id", Type::String).form(&SAME_KEY).doc("The key, by id or ARN."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for Alias {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        let facts = request.facts;
        let start = facts
            .account
            .as_ref()
            .map(|account| format!("arn:{}:kms:{}:{account}:", facts.partition, facts.region));
        if request.is_create() {
            let name = filled(request.config, "name").map(str::to_owned);
            if request.config.get("name").is_some_and(|name| !name.is_null()) {
                request.set("name_prefix", Value::from(""));
            }
            let (id, arn) = match (&name, &start) {
                (Some(name), Some(start)) => {
                    (Value::from(name.as_str()), Value::from(format!("{start}{name}")))
                }
                (Some(name), None) => (Value::from(name.as_str()), unknown_text()),
                (None, Some(start)) => (unknown_text(), unknown_with_prefix(start)),
                (None, None) => (unknown_text(), unknown_text()),
            };
            request.set("id", id);
            request.set("arn", arn);
        }
        if request.changes("target_key_id") {
            let target = request.planned("target_key_id").and_then(Value::as_str).map(key_id);
            let arn = match (target, &start) {
                (Some(id), Some(start)) if !id.is_empty() => Value::from(format!("{start}key/{id}")),
                (None, Some(start)) => unknown_with_prefix(&format!("{start}key/")),
                _ => unknown_text(),
            };
            request.set("target_key_arn", arn);
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let name = needed(prior, "id", "kms:ListAliases")?;
        let aliases = aliases(cx.session.clients()?).await?;
        Ok(by_name(&aliases, name).map(|alias| into_state(alias, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let clients: &Clients = cx.session.clients()?;
        let target = needed(planned, "target_key_id", "kms:CreateAlias")?;
        let name = match (filled(planned, "name"), filled(planned, "name_prefix")) {
            (Some(name), _) => name.to_owned(),
            (None, prefix) => names::unique(prefix.unwrap_or("alias/")),
        };
        let call = || async {
            let once = aws_sdk_kms::config::Builder::new().retry_config(RetryConfig::disabled());
            let call = clients.kms().create_alias().alias_name(&name).target_key_id(target).customize();
            call.config_override(once).send().await.map(drop).map_err(failed("kms:CreateAlias"))
        };
        let look =
            || async { Ok(listed(clients, &name).await?.filter(|alias| points_to(alias, target)).map(drop)) };
        retry(cx, RETRIES, || create_once(cx, call, look)).await?;
        forget_aliases(clients).await;
        let object =
            planned.clone().with("id", Value::from(name.as_str())).with("name", Value::from(name.as_str()));
        let object = object.with("name_prefix", Value::from(names::prefix_of(&name)));
        match shown(cx, &name, target).await {
            Ok(alias) => Ok(into_state(&alias, &object)),
            Err(error) => Err(Failure { error, partial: Some(settled(object)) }),
        }
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        let clients: &Clients = cx.session.clients()?;
        let name = needed(prior, "id", "kms:UpdateAlias")?;
        let target = needed(planned, "target_key_id", "kms:UpdateAlias")?;
        if filled(prior, "target_key_id").map(key_id) == Some(key_id(target)) {
            return Ok(settled(planned.clone()));
        }
        let call = || async {
            let call = clients.kms().update_alias().alias_name(name).target_key_id(target);
            call.send().await.map(drop).map_err(failed("kms:UpdateAlias"))
        };
        retry(cx, RETRIES, call).await?;
        forget_aliases(clients).await;
        let alias = shown(cx, name, target).await?;
        Ok(into_state(&alias, planned))
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let clients: &Clients = cx.session.clients()?;
        let name = needed(prior, "id", "kms:DeleteAlias")?;
        let answer =
            clients.kms().delete_alias().alias_name(name).send().await.map_err(failed("kms:DeleteAlias"));
        forget_aliases(clients).await;
        match answer {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Deleted::default()),
        }
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        if !id.starts_with("alias/") {
            let message =
                format!("The import id of an alias is its name, beginning with `alias/`; `{id}` is not.");
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        }
        self.read(cx, &absent(&SCHEMA).with("id", Value::from(id))).await
    }

    fn identity(&self) -> Identity {
        Identity::chosen(&["name"])
    }

    fn is_name(&self) -> bool {
        true
    }

    fn names(&self, object: &Value) -> Option<(&'static str, String)> {
        Some(("aws_kms_key", key_id(filled(object, "target_key_id")?).to_owned()))
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let (Some(name), Some(target)) = (filled(planned, "name"), filled(planned, "target_key_id")) else {
            return Ok(None);
        };
        let alias = listed(cx.session.clients()?, name).await?.filter(|alias| points_to(alias, target));
        Ok(alias.map(|alias| into_state(&alias, planned)))
    }
}

fn by_name<'a>(aliases: &'a [AliasListEntry], name: &str) -> Option<&'a AliasListEntry> {
    aliases.iter().find(|alias| alias.alias_name.as_deref() == Some(name))
}

fn points_to(alias: &AliasListEntry, key: &str) -> bool {
    alias.target_key_id.as_deref() == Some(key_id(key))
}

/// The alias as it is listed now.
async fn listed(clients: &Clients, name: &str) -> Result<Option<AliasListEntry>, Error> {
    forget_aliases(clients).await;
    Ok(by_name(&aliases(clients).await?, name).cloned())
}

/// Waits until the alias is listed with its key.
async fn shown(cx: &Context<'_>, name: &str, target: &str) -> Result<AliasListEntry, Error> {
    let clients: &Clients = cx.session.clients()?;
    let look = || async {
        Ok(match listed(clients, name).await? {
            Some(alias) if points_to(&alias, target) => Ok(alias),
            Some(_) => Err("an alias of another key".to_owned()),
            None => Err("no such alias".to_owned()),
        })
    };
    Wait::new("the alias to be listed", PROPAGATION).until(cx, "kms:ListAliases", look).await
}

fn into_state(alias: &AliasListEntry, prior: &Value) -> Value {
    let name = alias.alias_name.as_deref().unwrap_or_default();
    let arn = alias.alias_arn.as_deref().unwrap_or_default();
    let target = alias.target_key_id.as_deref().unwrap_or_default();
    let target_arn = match arn.strip_suffix(name) {
        Some(start) if !target.is_empty() => format!("{start}key/{target}"),
        _ => String::new(),
    };
    // A key given by ARN stays as it was given.
    let given = text(prior, "target_key_id").filter(|given| key_id(given) == target);
    prior
        .clone()
        .with("arn", Value::from(arn))
        .with("id", Value::from(name))
        .with("name", Value::from(name))
        .with("name_prefix", Value::from(names::prefix_of(name)))
        .with("target_key_arn", Value::from(target_arn))
        .with("target_key_id", Value::from(given.unwrap_or(target)))
}

const LIST: &[&str] = &["kms:ListAliases"];

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    let name = |object: &Value| {
        let prefix = pattern(object.get("name_prefix")).unwrap_or_else(|| "alias/".to_owned());
        pattern(object.get("name")).unwrap_or_else(|| format!("{}*", prefix.trim_end_matches('*')))
    };
    let arn = |object: &Value| ground.regional("kms", &name(object));
    let key = |object: &Value| super::key_arn(ground, object.get("target_key_id"));
    let list = Permissions::none().on("*", LIST);
    match doing {
        Doing::LookFor(_) | Doing::Import(_) | Doing::Read(_) => list,
        Doing::Create(planned) => list.on(&arn(planned), CREATE).on(&key(planned), CREATE),
        Doing::Update { prior, planned } => {
            list.on(&arn(prior), UPDATE).on(&key(prior), UPDATE).on(&key(planned), UPDATE)
        }
        Doing::Delete(prior) => Permissions::none().on(&arn(prior), DELETE).on(&key(prior), DELETE),
    }
}

/// Each is needed on the alias and on the keys that it stood and is to stand for.
const CREATE: &[&str] = &["kms:CreateAlias"];
const UPDATE: &[&str] = &["kms:UpdateAlias"];
const DELETE: &[&str] = &["kms:DeleteAlias"];

#[cfg(test)]
mod tests;
