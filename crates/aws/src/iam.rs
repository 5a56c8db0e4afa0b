//! IAM: users, roles, groups, their policies and keys, and policy documents. The normal form of policies, and when calls are tried again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_iam::types::Tag;
use terrane_model::Value;
use terrane_model::schema::{Check, FormKind, NormalForm};
use terrane_provider::wait::Retry;
use terrane_provider::{Error, ErrorKind, PlanRequest};
use tokio::sync::{Mutex, OnceCell};

use crate::client::Clients;
use crate::error::present;
use crate::object::{filled, text, unknown_text, unknown_with_prefix};

mod holder;
mod member;
mod permissions;
mod renamed;

pub mod access_key;
pub mod group;
pub mod group_membership;
pub mod inline_policy;
pub mod policy;
pub mod policy_attachment;
pub mod policy_document;
pub mod policy_lookup;
pub mod role;
pub mod role_lookup;
pub mod user;
pub mod user_group_membership;
pub mod user_lookup;

pub use holder::Holder;

/// A policy document: two texts are the same when their statements are.
pub static POLICY: NormalForm =
    NormalForm { kind: FormKind::Policy, equivalent: terrane_iam::equivalent, normalise };

fn normalise(text: &str) -> String {
    terrane_iam::canonical_json(text).unwrap_or_else(|_| text.to_owned())
}

/// A policy that is part of a user, role or group: as [`POLICY`], with the version in front.
pub static INLINE_POLICY: NormalForm =
    NormalForm { kind: FormKind::Policy, equivalent: terrane_iam::equivalent, normalise: version_first };

fn version_first(text: &str) -> String {
    terrane_iam::version_first(text).unwrap_or_else(|_| text.to_owned())
}

/// A policy that the state holds as it is written: as [`POLICY`], without a normal form.
pub static WRITTEN_POLICY: NormalForm =
    NormalForm { kind: FormKind::Policy, equivalent: terrane_iam::equivalent, normalise: str::to_owned };

/// The text that the state holds of a policy: the one it had when the object's means the same, else the object's.
pub fn kept_policy(prior: Option<&str>, remote: &str) -> String {
    kept(&POLICY, prior, remote)
}

/// The same of a policy with a given form.
pub fn kept(form: &NormalForm, prior: Option<&str>, remote: &str) -> String {
    match prior {
        Some(prior) if (form.equivalent)(prior, remote) => (form.normalise)(prior),
        _ => (form.normalise)(remote),
    }
}

/// IAM is eventually consistent: what was just made may not be found for some seconds.
const PROPAGATION: Duration = Duration::from_secs(2 * 60);
/// As long as it may also be a mistyped name, the wait is short.
const SHORT: Duration = Duration::from_secs(15);

/// When a call is tried again, and what is being waited for.
pub(crate) static RETRIES: &[Retry] = &[
    busy("iam:AttachGroupPolicy", "other changes of the group to be done"),
    busy("iam:AttachRolePolicy", "other changes of the role to be done"),
    busy("iam:AttachUserPolicy", "other changes of the user to be done"),
    busy("iam:CreateRole", "other changes of the role to be done"),
    busy("iam:CreateUser", "other changes of the user to be done"),
    unknown_yet("iam:AddUserToGroup", "the group and the user to be known everywhere"),
    unknown_yet("iam:CreateAccessKey", "the user to be known everywhere"),
    unknown_yet("iam:AttachGroupPolicy", "the group and the policy to be known everywhere"),
    unknown_yet("iam:AttachRolePolicy", "the role and the policy to be known everywhere"),
    unknown_yet("iam:AttachUserPolicy", "the user and the policy to be known everywhere"),
    unknown_yet("iam:PutGroupPolicy", "the group to be known everywhere"),
    unknown_yet("iam:PutRolePolicy", "the role to be known everywhere"),
    unknown_yet("iam:PutUserPolicy", "the user to be known everywhere"),
    retry(
        "iam:CreateRole",
        "MalformedPolicyDocument",
        "Invalid principal in policy",
        PROPAGATION,
        "the principals of the trust policy to be known",
    ),
    retry(
        "iam:UpdateAssumeRolePolicy",
        "MalformedPolicyDocument",
        "Invalid principal in policy",
        PROPAGATION,
        "the principals of the trust policy to be known",
    ),
    retry("iam:DeleteRole", "DeleteConflict", "", PROPAGATION, "what hangs on the role to be gone"),
    retry(
        "iam:DeleteLoginProfile",
        "EntityTemporarilyUnmodifiable",
        "",
        PROPAGATION,
        "the user's password to be deletable",
    ),
];

const fn busy(operation: &'static str, what: &'static str) -> Retry {
    retry(operation, "ConcurrentModification", "", PROPAGATION, what)
}

const fn unknown_yet(operation: &'static str, what: &'static str) -> Retry {
    retry(operation, "NoSuchEntity", "", SHORT, what)
}

const fn retry(
    operation: &'static str,
    code: &'static str,
    message: &'static str,
    limit: Duration,
    what: &'static str,
) -> Retry {
    Retry { operation, code, message, limit, what }
}

/// ARNs, once they are listed.
type Listed = Arc<OnceCell<Vec<String>>>;

/// What is asked for once per run.
#[derive(Debug, Default)]
pub struct Cache {
    /// Held while an access key is made.
    access_keys: Mutex<()>,
    attached: Mutex<BTreeMap<(Holder, String), Listed>>,
    /// Who got another name.
    renamed: renamed::Renamed,
}

/// ARNs of the managed policies of a user, role or group, listed once and again after a change made here. None for none such.
pub(crate) async fn attached_policies(
    clients: &Clients,
    holder: Holder,
    name: &str,
) -> Result<Vec<String>, Error> {
    let cell = clients.iam_cache.attached.lock().await.entry((holder, name.to_owned())).or_default().clone();
    let ask = || async { Ok(present(holder.attached(clients, name).await)?.unwrap_or_default()) };
    cell.get_or_try_init(ask).await.cloned()
}

/// Forgets the policies of a user, role or group, since they have changed.
pub(crate) async fn forget_attached(clients: &Clients, holder: Holder, name: &str) {
    clients.iam_cache.attached.lock().await.remove(&(holder, name.to_owned()));
}

/// Plans what follows from a name that can change in place: the ARN of a user or a group, and its id.
pub(crate) fn plan_named(request: &mut PlanRequest<'_>, kind: &str) {
    if !request.changes("name") && !request.changes("path") {
        return;
    }
    let facts = request.facts;
    let name = filled(&request.planned, "name").map(str::to_owned);
    let arn = match (&facts.account, &name, text(&request.planned, "path")) {
        (Some(account), Some(name), Some(path)) => {
            Value::from(format!("arn:{}:iam::{account}:{kind}{path}{name}", facts.partition))
        }
        (Some(account), _, _) => {
            unknown_with_prefix(&format!("arn:{}:iam::{account}:{kind}/", facts.partition))
        }
        _ => unknown_text(),
    };
    request.set("arn", arn);
    request.set("id", name.map_or_else(unknown_text, Value::from));
}

/// Refuses what cannot be the import id of a user, a role or a group.
pub(crate) fn import_name<'a>(id: &'a str, kind: &str) -> Result<&'a str, Error> {
    if id.is_empty() || id.contains(['/', ':']) {
        let message = format!("The import id of a {kind} is its name, without path.");
        return Err(Error::new(ErrorKind::Invalid, "import", message));
    }
    Ok(id)
}

/// Letters, digits and some signs: the names of users and groups.
pub(crate) const MEMBER_NAME: Check =
    Check::Pattern(r"^[0-9A-Za-z=,.@\-_+]+$", "consist of letters, digits and `=,.@-_+`");

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
