//! Tries on users, roles, groups and policies. A role is assumed for the shortest time; the session is thrown away.

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use aws_sdk_sts::types::Tag;
use terrane_provider::Error;

use super::{Attempt, Happened, Manner, Untried};
use crate::client::Clients;
use crate::error::failed;

/// Seconds; the least that STS gives.
const SHORTEST: i32 = 900;

/// What each kind of resource is looked at by.
const READS: [(&str, &str); 12] = [
    ("GetUser", ":user/"),
    ("ListAccessKeys", ":user/"),
    ("ListAttachedUserPolicies", ":user/"),
    ("ListGroupsForUser", ":user/"),
    ("ListUserPolicies", ":user/"),
    ("GetRole", ":role/"),
    ("ListAttachedRolePolicies", ":role/"),
    ("ListRolePolicies", ":role/"),
    ("AssumeRole", ":role/"),
    ("GetGroup", ":group/"),
    ("GetPolicy", ":policy/"),
    ("ListPolicyVersions", ":policy/"),
];

pub(super) fn manner(name: &str, resource: &str) -> Result<Manner, Untried> {
    match READS.iter().find(|(read, _)| *read == name) {
        Some((_, kind)) if resource.contains(":iam:") && resource.contains(kind) => Ok(Manner::Read),
        Some(_) => Err(Untried::NoCall),
        None if name.starts_with("Get") || name.starts_with("List") => Err(Untried::NoCall),
        None => Err(Untried::CouldChange),
    }
}

/// The name of a session that is thrown away.
const SESSION: &str = "terrane-access-verify";

/// Credentials of a role, for the shortest time, with these tags of the session.
///
/// # Errors
/// What STS has to say.
pub async fn assume(
    clients: &Clients,
    role: &str,
    tags: &BTreeMap<String, String>,
) -> Result<Credentials, Error> {
    let built = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let built: Result<Vec<Tag>, _> = built.collect();
    let tags = built.map_err(|error| Error::bug("sts:AssumeRole", error.to_string()))?;
    let assume = clients.sts().assume_role().role_arn(role).role_session_name(SESSION);
    let assume = assume.set_tags((!tags.is_empty()).then_some(tags));
    let answer = assume.duration_seconds(SHORTEST).send().await.map_err(failed("sts:AssumeRole"))?;
    let Some(keys) = answer.credentials else {
        return Err(Error::bug("sts:AssumeRole", "The answer has no credentials."));
    };
    let token = Some(keys.session_token);
    Ok(Credentials::new(keys.access_key_id, keys.secret_access_key, token, None, "assumed"))
}

pub(super) async fn make(clients: &Clients, attempt: &Attempt<'_>, call: &str) -> Option<Happened> {
    let (iam, name, arn) = (clients.iam(), attempt.name(), attempt.resource);
    Some(match call {
        "GetUser" => Happened::of(iam.get_user().user_name(name).send().await),
        "ListAccessKeys" => Happened::of(iam.list_access_keys().user_name(name).send().await),
        "ListAttachedUserPolicies" => {
            Happened::of(iam.list_attached_user_policies().user_name(name).send().await)
        }
        "ListGroupsForUser" => Happened::of(iam.list_groups_for_user().user_name(name).send().await),
        "ListUserPolicies" => Happened::of(iam.list_user_policies().user_name(name).send().await),
        "GetRole" => Happened::of(iam.get_role().role_name(name).send().await),
        "ListAttachedRolePolicies" => {
            Happened::of(iam.list_attached_role_policies().role_name(name).send().await)
        }
        "ListRolePolicies" => Happened::of(iam.list_role_policies().role_name(name).send().await),
        "GetGroup" => Happened::of(iam.get_group().group_name(name).send().await),
        "GetPolicy" => Happened::of(iam.get_policy().policy_arn(arn).send().await),
        "ListPolicyVersions" => Happened::of(iam.list_policy_versions().policy_arn(arn).send().await),
        "AssumeRole" => {
            let assume = clients.sts().assume_role().role_arn(arn).role_session_name(SESSION);
            Happened::of(assume.duration_seconds(SHORTEST).send().await)
        }
        _ => return None,
    })
}
