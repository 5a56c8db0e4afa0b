//! KMS: keys, their policies, aliases and grants. What is asked for once per run, and when calls are tried again.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_kms::types::AliasListEntry;
use terrane_model::Value;
use terrane_model::schema::{FormKind, NormalForm};
use terrane_provider::permission::{Condition, pattern};
use terrane_provider::wait::Retry;
use terrane_provider::{Error, Ground};
use tokio::sync::{Mutex, OnceCell};

use crate::client::Clients;
use crate::error::failed;

pub mod alias;
pub mod alias_lookup;
pub mod grant;
pub mod key;
pub mod key_lookup;
pub mod key_policy;

/// How long a key that was just made may take to be known to all. A target that does not exist at all fails after it.
const KEY_KNOWN: Duration = Duration::from_secs(30);

const PROPAGATION: Duration = Duration::from_secs(2 * 60);
const STATE_CHANGE: Duration = Duration::from_secs(10 * 60);

/// When a call is tried again, and what is being waited for.
pub(crate) static RETRIES: &[Retry] = &[
    // A principal that was just made is not known to KMS for some seconds.
    retry(
        "kms:CreateKey",
        "MalformedPolicyDocumentException",
        PROPAGATION,
        "the policy's principals to be known to KMS",
    ),
    retry(
        "kms:PutKeyPolicy",
        "MalformedPolicyDocumentException",
        PROPAGATION,
        "the policy's principals to be known to KMS",
    ),
    retry("kms:PutKeyPolicy", "NotFoundException", PROPAGATION, "the key to be known everywhere"),
    retry("kms:EnableKey", "NotFoundException", PROPAGATION, "the key to be known everywhere"),
    retry("kms:DisableKey", "NotFoundException", PROPAGATION, "the key to be known everywhere"),
    retry("kms:EnableKeyRotation", "NotFoundException", STATE_CHANGE, "the key to be known everywhere"),
    retry("kms:EnableKeyRotation", "DisabledException", STATE_CHANGE, "the key to be enabled"),
    retry("kms:DisableKeyRotation", "NotFoundException", STATE_CHANGE, "the key to be known everywhere"),
    retry("kms:DisableKeyRotation", "DisabledException", STATE_CHANGE, "the key to be enabled"),
    retry("kms:CreateAlias", "NotFoundException", KEY_KNOWN, "the key to be known everywhere"),
    retry("kms:CreateGrant", "InvalidArnException", PROPAGATION, "the grant's principals to be known to KMS"),
    retry("kms:CreateGrant", "DependencyTimeoutException", PROPAGATION, "KMS to take the request"),
    retry("kms:CreateGrant", "KMSInternalException", PROPAGATION, "KMS to take the request"),
    retry("kms:UpdateAlias", "NotFoundException", PROPAGATION, "the alias to be known everywhere"),
];

const fn retry(operation: &'static str, code: &'static str, limit: Duration, what: &'static str) -> Retry {
    Retry { operation, code, message: "", limit, what }
}

/// What is asked for once per run.
#[derive(Debug, Default)]
pub struct Cache {
    aliases: Mutex<Option<Arc<[AliasListEntry]>>>,
    dynamodb_key: OnceCell<Option<String>>,
    /// Which tables are encrypted by which key.
    survey: Mutex<Option<key::users::Survey>>,
    /// Held while a grant without a name is made.
    unnamed_grants: Mutex<()>,
}

/// All aliases of the region, listed once and again after a change made here.
pub(crate) async fn aliases(clients: &Clients) -> Result<Arc<[AliasListEntry]>, Error> {
    let mut known = clients.kms_cache.aliases.lock().await;
    if let Some(aliases) = known.as_ref() {
        return Ok(aliases.clone());
    }
    let pages = clients.kms().list_aliases().into_paginator().items().send();
    let listed: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(failed("kms:ListAliases"))?;
    let aliases: Arc<[AliasListEntry]> = listed.into();
    *known = Some(aliases.clone());
    Ok(aliases)
}

/// Forgets the listed aliases, since one of them has changed.
pub(crate) async fn forget_aliases(clients: &Clients) {
    *clients.kms_cache.aliases.lock().await = None;
}

/// The ARN of the key that AWS manages for DynamoDB in this account, or nothing when there is none yet.
pub(crate) async fn dynamodb_key(clients: &Clients) -> Result<Option<&str>, Error> {
    let ask = || async {
        let answer = clients.kms().describe_key().key_id("alias/aws/dynamodb").send().await;
        match answer.map_err(failed("kms:DescribeKey")) {
            Ok(answer) => Ok(answer.key_metadata.and_then(|metadata| metadata.arn)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    };
    clients.kms_cache.dynamodb_key.get_or_try_init(ask).await.map(Option::as_deref)
}

/// A key by id or by ARN is the same key.
pub(crate) static SAME_KEY: NormalForm = NormalForm {
    kind: FormKind::Other,
    equivalent: |a, b| key_id(a) == key_id(b),
    normalise: |text| text.to_owned(),
};

/// The ARN of a key given by id or ARN; any key of the account and region as long as it is not known.
pub(crate) fn key_arn(ground: &Ground<'_>, key: Option<&Value>) -> String {
    match pattern(key) {
        Some(arn) if arn.starts_with("arn:") => arn,
        Some(id) => ground.regional("kms", &format!("key/{}", key_id(&id))),
        None => ground.regional("kms", "key/*"),
    }
}

/// The ARN of a key given by id, ARN or alias, and what can be said of requests that name the alias: an alias is no resource
/// of a policy.
pub(crate) fn named_key(ground: &Ground<'_>, name: &str) -> (String, Option<Condition>) {
    let alias = match name.split_once(":alias/") {
        Some((_, rest)) => Some(format!("alias/{rest}")),
        None => name.starts_with("alias/").then(|| name.to_owned()),
    };
    match alias {
        Some(value) => {
            let condition = Condition { operator: "StringEquals", key: "kms:RequestAlias", value };
            (ground.regional("kms", "key/*"), Some(condition))
        }
        None => (key_arn(ground, Some(&Value::from(name))), None),
    }
}

/// The bare id of a key given by id or ARN.
pub(crate) fn key_id(key: &str) -> &str {
    match key.rsplit_once(":key/") {
        Some((_, id)) => id,
        None => key.strip_prefix("key/").unwrap_or(key),
    }
}
