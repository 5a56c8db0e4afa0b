//! `aws_iam_access_key`: an access key of a user, whose secret AWS shows once.
//!
//! Object: an access key, identified by an id that IAM makes up. Calls and permissions, all `iam:`: CreateAccessKey,
//! ListAccessKeys, UpdateAccessKey, DeleteAccessKey; GetAccessKeyLastUsed to import and after an interruption. Replaced when the user changes; the status
//! changes in place. A user can have two keys.
//!
//! The secret is in the answer to the creation and nowhere else. When that answer gets lost, the key is deleted and another
//! one made. When the program dies before the answer, the next run knows from the journal which keys there were before, and deletes
//! the one that is new, if there is one alone, it was made at that time, the state does not have it and nobody ever used it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html>

use std::collections::BTreeSet;
use std::sync::LazyLock;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::types::{AccessKey as Made, AccessKeyMetadata, StatusType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, block, computed, optional, optional_computed, required};
use terrane_model::{Mode, Path, Schema, Type, Value};
use terrane_provider::once::create_once;
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{
    Cleared, Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Permissions, PlanRequest,
    ResourceType,
};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::permissions::arns_of;
use crate::iam::{Holder, PROPAGATION, RETRIES};
use crate::object::{absent, filled, is_zero, needed, settled, text, time, unknown_text};

mod lost;

/// The resource type.
pub struct AccessKey;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_access_key",
        Mode::Managed,
        "An access key of a user.",
        block(
            [
                computed("create_date", Type::String).doc("When the key was made."),
                computed("encrypted_secret", Type::String).doc("Null, since `pgp_key` is not supported."),
                computed("encrypted_ses_smtp_password_v4", Type::String)
                    .doc("Null, since `pgp_key` is not supported."),
                optional_computed("id", Type::String).doc("The access key id."),
                computed("key_fingerprint", Type::String).doc("Null, since `pgp_key` is not supported."),
                optional("pgp_key", Type::String)
                    .force_new()
                    .doc("Not supported: encrypt the state instead, with `[terrane.encryption]`."),
                computed("secret", Type::String)
                    .sensitive()
                    .doc("The secret access key; null for a key that was imported."),
                computed("ses_smtp_password_v4", Type::String)
                    .sensitive()
                    .doc("Password for the SMTP interface of SES in the provider's region."),
                optional("status", Type::String)
                    .default("Active")
                    .check(Check::OneOf(&["Active", "Inactive"]))
                    .doc("Whether the key can be used: `Active` or `Inactive`."),
                required("user", Type::String).force_new().doc("Name of the user."),
            ],
            [],
        ),
    )
});

/// Attributes that have a value only with `pgp_key`.
const ENCRYPTED: [&str; 3] = ["encrypted_secret", "encrypted_ses_smtp_password_v4", "key_fingerprint"];

#[async_trait]
impl ResourceType for AccessKey {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if !request.is_create() {
            return Ok(());
        }
        if request.config.get("pgp_key").is_some_and(|key| !is_zero(key)) {
            return Err(vec![Problem {
                path: Path::attribute("pgp_key"),
                code: "not-supported",
                summary: "Argument not supported",
                detail: "Encrypting the secret for a PGP key is not supported. Take `pgp_key` out; `[terrane.encryption]` \
                         encrypts the whole state, and outputs can be `sensitive`."
                    .to_owned(),
            }]);
        }
        for name in ENCRYPTED {
            request.set(name, Value::null(Type::String));
        }
        for name in ["id", "create_date", "secret", "ses_smtp_password_v4"] {
            request.set(name, unknown_text());
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    /// A key whose secret nobody has seen is deleted: it is told from others by never having been used.
    fn recovery(&self, planned: &Value, ground: &Ground<'_>) -> Permissions {
        let users = arns_of(ground, "user", planned.get("user"));
        let last = Permissions::none().on("*", &["iam:GetAccessKeyLastUsed"]);
        users.iter().fold(last, |all, arn| all.on(arn, &["iam:DeleteAccessKey"]))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let id = needed(prior, "id", "iam:ListAccessKeys")?;
        let user = needed(prior, "user", "iam:ListAccessKeys")?;
        let keys = present(keys(cx.session.clients()?, user).await)?.unwrap_or_default();
        let key = keys.into_iter().find(|key| key.access_key_id.as_deref() == Some(id));
        Ok(key.map(|key| into_state(&key, user, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let user = needed(planned, "user", "iam:CreateAccessKey")?;
        let made = make(cx, user).await?;
        let secret = made.secret_access_key.as_str();
        let object = planned
            .clone()
            .with("create_date", time(made.create_date.as_ref()))
            .with("id", Value::from(made.access_key_id.as_str()))
            .with("secret", Value::from(secret))
            .with("ses_smtp_password_v4", Value::from(smtp_password(secret, &cx.session.facts.region)));
        let object = settled(object);
        match finish(cx, user, &made.access_key_id, planned).await {
            Ok(()) => Ok(object),
            Err(error) => Err(Failure { error, partial: Some(object) }),
        }
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        let id = needed(prior, "id", "iam:UpdateAccessKey")?;
        let user = needed(prior, "user", "iam:UpdateAccessKey")?;
        set_status(cx.session.clients()?, user, id, text(planned, "status").unwrap_or("Active")).await?;
        Ok(settled(planned.clone()))
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let id = needed(prior, "id", "iam:DeleteAccessKey")?;
        let user = needed(prior, "user", "iam:DeleteAccessKey")?;
        let clients: &Clients = cx.session.clients()?;
        let Some(user) = clients.iam_cache.renamed.by_now(Holder::User, user, id) else {
            return Ok(Deleted::default());
        };
        present(delete(clients, &user, id).await).map(|_| Deleted::default())
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        if id.len() < 16 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let message =
                format!("The import id of an access key is its id, such as `AKIA...`; `{id}` is not.");
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        }
        let clients: &Clients = cx.session.clients()?;
        let answer = clients.iam().get_access_key_last_used().access_key_id(id).send().await;
        let user = match answer.map_err(failed("iam:GetAccessKeyLastUsed")) {
            Ok(answer) => answer.user_name,
            Err(error) if error.is_not_found() || error.message.contains("cannot be found") => None,
            Err(error) => return Err(error),
        };
        let Some(user) = user else { return Ok(None) };
        self.read(cx, &absent(&SCHEMA).with("id", Value::from(id)).with("user", Value::from(user))).await
    }

    async fn find(&self, _cx: &Context<'_>, _planned: &Value) -> Result<Option<Value>, Error> {
        // A key is of no use without its secret, which was in an answer that nobody has seen.
        Ok(None)
    }

    fn is_surveyed(&self) -> bool {
        true
    }

    async fn survey(&self, cx: &Context<'_>, planned: &Value) -> Result<String, Error> {
        lost::survey(cx, needed(planned, "user", "iam:ListAccessKeys")?).await
    }

    async fn clear(
        &self,
        cx: &Context<'_>,
        planned: &Value,
        survey: &str,
        held: &BTreeSet<String>,
    ) -> Result<Cleared, Error> {
        lost::clear(cx, needed(planned, "user", "iam:ListAccessKeys")?, survey, held).await
    }
}

async fn make(cx: &Context<'_>, user: &str) -> Result<Made, Error> {
    let clients: &Clients = cx.session.clients()?;
    // One at a time, so that a key that was not there before is the one that this call made.
    let _only = clients.iam_cache.access_keys.lock().await;
    let ids = |keys: Vec<AccessKeyMetadata>| -> BTreeSet<String> {
        keys.into_iter().filter_map(|key| key.access_key_id).collect()
    };
    let before = ids(present(keys(clients, user).await)?.unwrap_or_default());
    let call = || async {
        let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
        let call = clients.iam().create_access_key().user_name(user).customize().config_override(once);
        let answer = call.send().await.map_err(failed("iam:CreateAccessKey"))?;
        answer.access_key.ok_or_else(|| Error::bug("iam:CreateAccessKey", "The answer has no key."))
    };
    let look = || async {
        for id in ids(keys(clients, user).await?).difference(&before) {
            present(delete(clients, user, id).await)?;
        }
        Ok(None)
    };
    match retry(cx, RETRIES, || create_once(cx, call, look)).await {
        Err(error) if error.kind == ErrorKind::Quota && !before.is_empty() => {
            let before: Vec<_> = before.iter().map(|id| format!("`{id}`")).collect();
            Err(error.hint(format!(
                "The user has {} already. One that nobody uses can go: `aws iam delete-access-key --user-name {user} \
                 --access-key-id ID`.",
                before.join(" and ")
            )))
        }
        other => other,
    }
}

/// Gives the key its status and waits until it is listed.
async fn finish(cx: &Context<'_>, user: &str, id: &str, planned: &Value) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let status = filled(planned, "status").unwrap_or("Active");
    if status != "Active" {
        set_status(clients, user, id, status).await?;
    }
    let look = || async {
        let keys = present(keys(clients, user).await)?.unwrap_or_default();
        let is_listed = keys.iter().any(|key| key.access_key_id.as_deref() == Some(id));
        Ok(is_listed.then_some(()).ok_or_else(|| "no such key".to_owned()))
    };
    Wait::new("the key to be listed", PROPAGATION).until(cx, "iam:ListAccessKeys", look).await
}

async fn set_status(clients: &Clients, user: &str, id: &str, status: &str) -> Result<(), Error> {
    let call = clients.iam().update_access_key().user_name(user).access_key_id(id);
    call.status(StatusType::from(status)).send().await.map(drop).map_err(failed("iam:UpdateAccessKey"))
}

async fn delete(clients: &Clients, user: &str, id: &str) -> Result<(), Error> {
    let call = clients.iam().delete_access_key().user_name(user).access_key_id(id);
    call.send().await.map(drop).map_err(failed("iam:DeleteAccessKey"))
}

async fn keys(clients: &Clients, user: &str) -> Result<Vec<AccessKeyMetadata>, Error> {
    let pages = clients.iam().list_access_keys().user_name(user).into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListAccessKeys"))
}

fn into_state(key: &AccessKeyMetadata, user: &str, prior: &Value) -> Value {
    prior
        .clone()
        .with("create_date", time(key.create_date.as_ref()))
        .with("status", Value::from(key.status.as_ref().map_or("Active", StatusType::as_str)))
        .with("user", Value::from(user))
}

/// <https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html#smtp-credentials-convert>
fn smtp_password(secret: &str, region: &str) -> String {
    let sign = |key: &[u8], text: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    };
    let steps = ["11111111", region, "ses", "aws4_request", "SendRawEmail"];
    let signature =
        steps.into_iter().fold(format!("AWS4{secret}").into_bytes(), |key, step| sign(&key, step));
    let mut password = vec![4];
    password.extend(signature);
    STANDARD.encode(password)
}

const READ: &[&str] = &["iam:ListAccessKeys"];

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    let users = |object: &Value| arns_of(ground, "user", object.get("user"));
    let all = |object: &Value, actions| {
        users(object).iter().fold(Permissions::none(), |all, arn| all.on(arn, actions))
    };
    match doing {
        Doing::LookFor(_) => Permissions::none(),
        Doing::Import(_) => Permissions::none().on("*", &["iam:GetAccessKeyLastUsed"]),
        Doing::Read(object) => all(object, READ),
        Doing::Create(planned) => {
            let make = all(planned, &["iam:CreateAccessKey"]).and(all(planned, READ));
            match text(planned, "status") {
                Some("Active") => make,
                _ => make.and(all(planned, &["iam:UpdateAccessKey"])),
            }
        }
        Doing::Update { prior, .. } => all(prior, &["iam:UpdateAccessKey"]),
        Doing::Delete(prior) => all(prior, &["iam:DeleteAccessKey"]),
    }
}

#[cfg(test)]
mod tests;
