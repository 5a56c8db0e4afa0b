//! IAM: policies, users, attachments and policy documents. The normal form of policies, and when calls are tried again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_iam::types::Tag;
use terrane_model::schema::{FormKind, NormalForm};
use terrane_provider::Error;
use terrane_provider::wait::Retry;
use tokio::sync::{Mutex, OnceCell};

use crate::client::Clients;
use crate::error::{failed, present};

pub mod policy;
pub mod policy_document;
pub mod user;
pub mod user_policy_attachment;

/// A policy document: two texts are the same when their statements are.
pub static POLICY: NormalForm =
    NormalForm { kind: FormKind::Policy, equivalent: terrane_iam::equivalent, normalise };

fn normalise(text: &str) -> String {
    terrane_iam::canonical_json(text).unwrap_or_else(|_| text.to_owned())
}

/// The text that the state holds of a policy: the one it had when the object's means the same, else the object's.
pub fn kept_policy(prior: Option<&str>, remote: &str) -> String {
    match prior {
        Some(prior) if (POLICY.equivalent)(prior, remote) => normalise(prior),
        _ => normalise(remote),
    }
}

/// IAM is eventually consistent: what was just made may not be found for some seconds.
const PROPAGATION: Duration = Duration::from_secs(2 * 60);
/// As long as it may also be a mistyped name, the wait is short.
const SHORT: Duration = Duration::from_secs(15);

/// When a call is tried again, and what is being waited for.
pub(crate) static RETRIES: &[Retry] = &[
    retry(
        "iam:AttachUserPolicy",
        "ConcurrentModification",
        PROPAGATION,
        "other changes of the user to be done",
    ),
    retry("iam:AttachUserPolicy", "NoSuchEntity", SHORT, "the user and the policy to be known everywhere"),
    retry("iam:CreateUser", "ConcurrentModification", PROPAGATION, "other changes of the user to be done"),
    retry(
        "iam:DeleteLoginProfile",
        "EntityTemporarilyUnmodifiable",
        PROPAGATION,
        "the user's password to be deletable",
    ),
];

const fn retry(operation: &'static str, code: &'static str, limit: Duration, what: &'static str) -> Retry {
    Retry { operation, code, message: "", limit, what }
}

/// What is asked for once per run.
#[derive(Debug, Default)]
pub struct Cache {
    attached: Mutex<BTreeMap<String, Arc<OnceCell<Vec<String>>>>>,
}

/// ARNs of the managed policies of a user, listed once and again after a change made here. None for no such user.
pub(crate) async fn attached_policies(clients: &Clients, user: &str) -> Result<Vec<String>, Error> {
    let cell = clients.iam_cache.attached.lock().await.entry(user.to_owned()).or_default().clone();
    let ask = || async {
        let pages =
            clients.iam().list_attached_user_policies().user_name(user).into_paginator().items().send();
        let listed =
            pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("iam:ListAttachedUserPolicies"));
        let listed = present(listed)?.unwrap_or_default();
        Ok(listed.into_iter().filter_map(|policy| policy.policy_arn).collect())
    };
    cell.get_or_try_init(ask).await.cloned()
}

/// Forgets the policies of a user, since they have changed.
pub(crate) async fn forget_attached(clients: &Clients, user: &str) {
    clients.iam_cache.attached.lock().await.remove(user);
}

/// A tag as the API takes it.
pub(crate) fn tag(key: &str, value: &str) -> Result<Tag, Error> {
    Tag::builder().key(key).value(value).build().map_err(|error| Error::bug("iam:Tag", error.to_string()))
}

/// Tags as the API gives them.
pub(crate) fn tag_map(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

/// A document as the API encodes it: percent signs, and `+` for a space.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let byte = match (first, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high * 16 + low);
                    rest = tail.get(2..).unwrap_or_default();
                    continue;
                }
                _ => b'%',
            },
            _ => *first,
        };
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded_as_queries_are() {
        assert_eq!(decoded("%7B%22a%22%3A+%22b%2Bc%22%7D"), r#"{"a": "b+c"}"#);
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
        assert_eq!(decoded("%C3%A9"), "é");
    }

    #[test]
    fn the_prior_text_of_a_policy_stays_while_it_means_the_same() {
        let prior =
            r#"{"Statement":[{"Action":"a:b","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#;
        let same =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["a:b"],"Resource":"*"}}"#;
        assert_eq!(kept_policy(Some(prior), same), prior);
        let other = r#"{"Version":"2012-10-17","Statement":[]}"#;
        assert_eq!(kept_policy(Some(prior), other), r#"{"Statement":[],"Version":"2012-10-17"}"#);
        assert_eq!(kept_policy(None, "not JSON"), "not JSON");
    }
}
