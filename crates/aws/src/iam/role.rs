//! `aws_iam_role`: a role of the account.
//!
//! Object: a role, identified by its name. Calls and permissions, all `iam:`: CreateRole, GetRole, ListRolePolicies,
//! GetRolePolicy, ListAttachedRolePolicies; UpdateAssumeRolePolicy, UpdateRoleDescription, UpdateRole,
//! PutRolePermissionsBoundary, DeleteRolePermissionsBoundary, TagRole, UntagRole, and for the policies that the spec gives here
//! PutRolePolicy, DeleteRolePolicy, AttachRolePolicy, DetachRolePolicy; ListInstanceProfilesForRole,
//! RemoveRoleFromInstanceProfile, DeleteRole. Replaced when name or path change. What was just made may not be found for some
//! seconds, and a principal that was just made may not be accepted in the trust policy for as long.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::{Schema, Type, Value};
use terrane_provider::wait::retry;
use terrane_provider::{
    Context, Deleted, Doing, Error, Failure, Ground, Identity, Permissions, PlanRequest, ResourceType,
};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::{Holder, RETRIES, forget_attached, import_name};
use crate::object::{absent, elements, filled, flag, needed, text, unknown_text, unknown_with_prefix};
use crate::tags;

mod change;
mod inline;
mod observed;
mod permissions;
mod schema;

use observed::observe;
use schema::{INLINE, SCHEMA};

/// The resource type.
pub struct Role;

#[async_trait]
impl ResourceType for Role {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        tags::plan(request);
        inline::plan(request);
        if !request.is_create() {
            return Ok(());
        }
        let is_given = |name: &str| request.config.get(name).is_some_and(|value| !value.is_null());
        let (named, attached) = (is_given("name"), is_given("managed_policy_arns"));
        let name = filled(request.config, "name").filter(|_| request.replaces.is_none());
        let id = name.map_or_else(unknown_text, Value::from);
        let facts = request.facts;
        let arn = match (&facts.account, name, text(&request.planned, "path")) {
            // Who trusts the old role has to let go of it: policies know roles by more than their names.
            (Some(account), Some(name), Some(path)) => {
                Value::from(format!("arn:{}:iam::{account}:role{path}{name}", facts.partition))
            }
            (Some(account), _, _) => {
                unknown_with_prefix(&format!("arn:{}:iam::{account}:role/", facts.partition))
            }
            _ => unknown_text(),
        };
        request.set("id", id);
        request.set("arn", arn);
        if named {
            request.set("name_prefix", Value::from(""));
        }
        if !attached {
            request.set("managed_policy_arns", Value::set(Type::String, []));
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions::permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let name = needed(prior, "id", "iam:GetRole")?;
        let observed = observe(cx.session.clients()?, name).await?;
        Ok(observed.map(|observed| observed.into_state(prior, &cx.session.facts, false)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        change::create(cx, planned).await
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        match change::update(cx, prior, planned).await {
            Ok(object) => Ok(object),
            Err(error) => Err(Failure { error, partial: self.read(cx, prior).await.ok().flatten() }),
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let name = needed(prior, "id", "iam:DeleteRole")?;
        let clients: &Clients = cx.session.clients()?;
        if present(leave_profiles(clients, name).await)?.is_none() {
            return Ok(Deleted::default());
        }
        let forced = flag(prior, "force_detach_policies");
        if forced || !elements(prior, "managed_policy_arns").is_empty() {
            detach_all(clients, name).await?;
        }
        if forced || !elements(prior, "inline_policy").is_empty() {
            for policy in observed::inline_names(clients, name).await?.unwrap_or_default() {
                Holder::Role.delete(clients, name, &policy).await?;
            }
        }
        let delete = || async {
            let answer = clients.iam().delete_role().role_name(name).send().await;
            answer.map(drop).map_err(failed("iam:DeleteRole"))
        };
        match present(retry(cx, RETRIES, delete).await) {
            Err(error) if error.is_code("DeleteConflict") => Err(error.hint(
                "`force_detach_policies = true` takes away the policies that others gave the role; apply it before deleting.",
            )),
            other => other.map(|_| Deleted::default()),
        }
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        let id = import_name(id, "role")?;
        let prior = absent(&SCHEMA).with("force_detach_policies", Value::bool(false));
        let observed = observe(cx.session.clients()?, id).await?;
        Ok(observed.map(|observed| observed.into_state(&prior, &cx.session.facts, true)))
    }

    fn left_to_others(&self) -> &'static [&'static str] {
        // `aws_iam_role_policy` and the attachments.
        &[INLINE, "managed_policy_arns"]
    }

    fn identity(&self) -> Identity {
        Identity::chosen(&["name"])
    }

    async fn exists(&self, cx: &Context<'_>, id: &str) -> Result<bool, Error> {
        let clients: &Clients = cx.session.clients()?;
        let answer = clients.iam().get_role().role_name(id).send().await;
        Ok(present(answer.map_err(failed("iam:GetRole")))?.is_some())
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let Some(name) = filled(planned, "name") else { return Ok(None) };
        let observed = observe(cx.session.clients()?, name).await?;
        Ok(observed.map(|observed| observed.into_state(planned, &cx.session.facts, false)))
    }
}

/// Takes the role out of all instance profiles. "Not found" means that there is no such role.
async fn leave_profiles(clients: &Clients, name: &str) -> Result<(), Error> {
    let iam = clients.iam();
    let pages = iam.list_instance_profiles_for_role().role_name(name).into_paginator().items().send();
    let profiles: Vec<_> =
        pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListInstanceProfilesForRole"))?;
    for profile in profiles {
        let call = iam.remove_role_from_instance_profile().role_name(name);
        let answer = call.instance_profile_name(profile.instance_profile_name).send().await;
        present(answer.map_err(failed("iam:RemoveRoleFromInstanceProfile")))?;
    }
    Ok(())
}

async fn detach_all(clients: &Clients, name: &str) -> Result<(), Error> {
    for policy in present(Holder::Role.attached(clients, name).await)?.unwrap_or_default() {
        Holder::Role.detach(clients, name, &policy).await?;
    }
    forget_attached(clients, Holder::Role, name).await;
    Ok(())
}

#[cfg(test)]
mod tests;
