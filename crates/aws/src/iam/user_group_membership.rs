//! `aws_iam_user_group_membership`: some of the groups that a user is in.
//!
//! Object: the user's being in these groups; its id is made up here. Other groups of the user are left alone. Calls and
//! permissions, all `iam:`: AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser. Replaced when the user changes; groups come
//! and go in place.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html>

use std::collections::BTreeSet;
use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::schema::{block, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::wait::Wait;
use terrane_provider::{Context, Deleted, Error, ErrorKind, Failure, PlanRequest, ResourceType};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::PROPAGATION;
use crate::iam::member::{add, remove};
use crate::names;
use crate::object::{filled, needed, settled, texts, unknown_with_prefix};

/// The resource type.
pub struct UserGroupMembership;

/// How made-up ids begin.
const PREFIX: &str = "terraform-";

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_user_group_membership",
        Mode::Managed,
        "Some of the groups that a user is in.",
        block(
            [
                required("groups", Type::set(Type::String)).doc("Names of the groups."),
                optional_computed("id", Type::String).doc("Made up."),
                required("user", Type::String).force_new().doc("Name of the user."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for UserGroupMembership {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.is_create() && request.config.get("id").is_none_or(Value::is_null) {
            request.set("id", unknown_with_prefix(PREFIX));
        }
        Ok(())
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let user = needed(prior, "user", "iam:ListGroupsForUser")?;
        let groups = groups(cx.session.clients()?, user).await?;
        Ok(groups.map(|groups| into_state(&groups, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let object = settled(with_id(planned));
        match bring(cx, &BTreeSet::new(), &object).await {
            Ok(()) => Ok(object),
            Err(error) => {
                let partial = self.read(cx, &object).await.ok().flatten();
                Err(Failure { error, partial: Some(partial.unwrap_or(object)) })
            }
        }
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        let object = settled(planned.clone());
        match bring(cx, &texts(prior, "groups").into_iter().collect(), &object).await {
            Ok(()) => Ok(object),
            Err(error) => Err(Failure { error, partial: self.read(cx, prior).await.ok().flatten() }),
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let clients: &Clients = cx.session.clients()?;
        let user = needed(prior, "user", "iam:RemoveUserFromGroup")?;
        for group in texts(prior, "groups") {
            remove(clients, &group, user).await?;
        }
        Ok(Deleted::default())
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        let mut parts = id.split('/');
        let user = parts.next().unwrap_or_default();
        let wanted: Vec<&str> = parts.collect();
        if user.is_empty() || wanted.is_empty() || wanted.iter().any(|group| group.is_empty()) {
            let message = format!(
                "The import id of a user's groups is `USER/GROUP` with further `/GROUP`s; `{id}` is not."
            );
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        }
        let Some(groups) = groups(cx.session.clients()?, user).await? else { return Ok(None) };
        if let Some(missing) = wanted.iter().find(|group| !groups.contains(**group)) {
            let message = format!("The user `{user}` is not in the group `{missing}`.");
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        }
        Ok(Some(Value::object([
            ("groups", Value::set(Type::String, wanted.into_iter().map(Value::from))),
            ("id", Value::from(names::unique(PREFIX))),
            ("user", Value::from(user)),
        ])))
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let Some(user) = filled(planned, "user") else { return Ok(None) };
        let Some(groups) = groups(cx.session.clients()?, user).await? else { return Ok(None) };
        let object = into_state(&groups, &with_id(planned));
        Ok((!texts(&object, "groups").is_empty()).then_some(object))
    }
}

fn with_id(planned: &Value) -> Value {
    match filled(planned, "id") {
        Some(_) => planned.clone(),
        None => planned.clone().with("id", Value::from(names::unique(PREFIX))),
    }
}

/// Takes the user out of groups that are no longer wanted, puts it into new ones, and waits until all are listed.
async fn bring(cx: &Context<'_>, before: &BTreeSet<String>, planned: &Value) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let user = needed(planned, "user", "iam:AddUserToGroup")?;
    let after: BTreeSet<String> = texts(planned, "groups").into_iter().collect();
    for group in before.difference(&after) {
        remove(clients, group, user).await?;
    }
    for group in after.difference(before) {
        add(cx, group, user).await?;
    }
    let look = || async {
        Ok(match groups(clients, user).await? {
            Some(groups) if after.is_subset(&groups) => Ok(()),
            Some(_) => Err("an old list of groups".to_owned()),
            None => Err("no such user".to_owned()),
        })
    };
    Wait::new("the groups to be listed", PROPAGATION).until(cx, "iam:ListGroupsForUser", look).await
}

/// Names of all groups of a user; nothing when there is no such user.
async fn groups(clients: &Clients, user: &str) -> Result<Option<BTreeSet<String>>, Error> {
    let pages = clients.iam().list_groups_for_user().user_name(user).into_paginator().items().send();
    let groups: Result<Vec<_>, _> =
        pages.collect::<Result<_, _>>().await.map_err(failed("iam:ListGroupsForUser"));
    Ok(present(groups)?.map(|groups| groups.into_iter().map(|group| group.group_name).collect()))
}

/// The groups of the list that the user is in.
fn into_state(groups: &BTreeSet<String>, prior: &Value) -> Value {
    let kept = texts(prior, "groups").into_iter().filter(|group| groups.contains(group));
    prior.clone().with("groups", Value::set(Type::String, kept.map(Value::from)))
}

#[cfg(test)]
mod tests;
