//! What IAM knows about a role, in one round of calls, and how it looks in the state.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::Role as Remote;
use terrane_model::{Type, Value};
use terrane_provider::{Error, Facts};

use super::inline;
use super::schema::{INLINE, inline_type};
use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::{self, Holder, INLINE_POLICY, attached_policies, kept_policy};
use crate::object::{filled, or_empty, text, time};
use crate::{names, tags};

/// A role as it is.
#[derive(Debug)]
pub struct Observed {
    pub role: Remote,
    /// Policies that are part of it, by name.
    inline: BTreeMap<String, String>,
    attached: BTreeSet<String>,
}

/// Looks at a role and its policies.
pub async fn observe(clients: &Clients, name: &str) -> Result<Option<Observed>, Error> {
    let role = async {
        let answer = clients.iam().get_role().role_name(name).send().await.map_err(failed("iam:GetRole"));
        Ok(present(answer)?.and_then(|answer| answer.role))
    };
    let attached = attached_policies(clients, Holder::Role, name);
    let (role, inline, attached) = futures::join!(role, inline(clients, name), attached);
    let Some(role) = role? else { return Ok(None) };
    Ok(Some(Observed { role, inline: inline?, attached: attached?.into_iter().collect() }))
}

/// Names of the policies that are part of a role; nothing when there is no such role.
pub async fn inline_names(clients: &Clients, name: &str) -> Result<Option<Vec<String>>, Error> {
    let pages = clients.iam().list_role_policies().role_name(name).into_paginator().items().send();
    let names: Result<Vec<_>, _> =
        pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListRolePolicies"));
    present(names)
}

async fn inline(clients: &Clients, name: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut policies = BTreeMap::new();
    for policy in inline_names(clients, name).await?.unwrap_or_default() {
        if let Some(document) = Holder::Role.get(clients, name, &policy).await? {
            policies.insert(policy, document);
        }
    }
    Ok(policies)
}

impl Observed {
    /// Where the role is not as planned yet. Policies that others give it do not count.
    pub fn differs_from(&self, planned: &Value) -> Option<&'static str> {
        let role = &self.role;
        let trust = iam::decoded(role.assume_role_policy_document.as_deref().unwrap_or_default());
        let same = |name: &str, remote: Option<&str>| {
            text(planned, name).unwrap_or_default() == remote.unwrap_or_default()
        };
        let tags = tags::wanted(planned);
        let remote_tags = iam::tag_map(role.tags());
        // For a moment the unique id may stand in place of the ARN.
        if !role.arn.starts_with("arn:") {
            Some("a role without its ARN")
        } else if filled(planned, "assume_role_policy")
            .is_some_and(|wanted| !(iam::POLICY.equivalent)(wanted, &trust))
        {
            Some("an old trust policy")
        } else if !same("description", role.description.as_deref()) {
            Some("an old description")
        } else if !same("permissions_boundary", self.boundary()) {
            Some("an old permissions boundary")
        } else if tags.iter().any(|(key, value)| remote_tags.get(key) != Some(value)) {
            Some("old tags")
        } else {
            None
        }
    }

    fn boundary(&self) -> Option<&str> {
        self.role
            .permissions_boundary
            .as_ref()
            .and_then(|boundary| boundary.permissions_boundary_arn.as_deref())
    }

    /// The role as the state has it. `prior` is the state before, or what was planned.
    pub fn into_state(self, prior: &Value, facts: &Facts, imported: bool) -> Value {
        let role = &self.role;
        let trust = iam::decoded(role.assume_role_policy_document.as_deref().unwrap_or_default());
        let name = role.role_name.as_str();
        let object = prior
            .clone()
            .with("arn", Value::from(role.arn.as_str()))
            .with("assume_role_policy", Value::from(kept_policy(text(prior, "assume_role_policy"), &trust)))
            .with("create_date", time(Some(&role.create_date)))
            .with("description", or_empty(role.description.as_deref()))
            .with("id", Value::from(name))
            .with(INLINE, self.inline_state(prior))
            .with(
                "managed_policy_arns",
                Value::set(Type::String, self.attached.iter().map(|arn| Value::from(arn.as_str()))),
            )
            .with("max_session_duration", Value::from(i64::from(role.max_session_duration.unwrap_or(3600))))
            .with("name", Value::from(name))
            .with("name_prefix", Value::from(names::prefix_of(name)))
            .with("path", Value::from(role.path.as_str()))
            .with("permissions_boundary", or_empty(self.boundary()))
            .with("unique_id", Value::from(role.role_id.as_str()));
        tags::observed(object, iam::tag_map(role.tags()), facts, imported)
    }

    fn inline_state(&self, prior: &Value) -> Value {
        let policy = |(name, document): (&String, &String)| {
            let document = (INLINE_POLICY.normalise)(document);
            Value::object([("name", Value::from(name.as_str())), ("policy", Value::from(document))])
        };
        let remote = Value::set(inline_type(), self.inline.iter().map(policy));
        match prior.get(INLINE) {
            Some(before) if inline::mean_the_same(before, &remote) => before.clone(),
            _ => remote,
        }
    }
}
