//! `aws_iam_group_membership`: who is in a group, all of them.
//!
//! Object: the list of members of one group; its id is the name that the spec gives it, which AWS does not know. Users whom
//! others put into the group show as a difference. Calls and permissions, all `iam:`: AddUserToGroup, RemoveUserFromGroup,
//! GetGroup. Replaced when group or name change; users come and go in place. Cannot be imported.
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
use crate::object::{filled, needed, settled, texts, unknown_text};

/// The resource type.
pub struct GroupMembership;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_group_membership",
        Mode::Managed,
        "Who is in a group, all of them.",
        block(
            [
                required("group", Type::String).force_new().doc("Name of the group."),
                optional_computed("id", Type::String).doc("The name."),
                required("name", Type::String).force_new().doc("Name of this list, which AWS does not know."),
                required("users", Type::set(Type::String)).doc("Names of all members."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for GroupMembership {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.is_create() {
            let id = filled(&request.planned, "name").map_or_else(unknown_text, Value::from);
            request.set("id", id);
        }
        Ok(())
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let group = needed(prior, "group", "iam:GetGroup")?;
        let members = members(cx.session.clients()?, group).await?;
        Ok(members.map(|members| into_state(&members, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let name = needed(planned, "name", "iam:AddUserToGroup")?;
        let object = settled(planned.clone().with("id", Value::from(name)));
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
        match bring(cx, &texts(prior, "users").into_iter().collect(), &object).await {
            Ok(()) => Ok(object),
            Err(error) => Err(Failure { error, partial: self.read(cx, prior).await.ok().flatten() }),
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let clients: &Clients = cx.session.clients()?;
        let group = needed(prior, "group", "iam:RemoveUserFromGroup")?;
        for user in texts(prior, "users") {
            remove(clients, group, &user).await?;
        }
        Ok(Deleted::default())
    }

    async fn import(&self, _cx: &Context<'_>, _id: &str) -> Result<Option<Value>, Error> {
        let message = "A list of members cannot be imported: AWS does not know its name.";
        Err(Error::new(ErrorKind::Invalid, "import", message)
            .hint("Declare it and apply: who is in the group already stays in it."))
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let (Some(group), Some(name)) = (filled(planned, "group"), filled(planned, "name")) else {
            return Ok(None);
        };
        let Some(members) = members(cx.session.clients()?, group).await? else { return Ok(None) };
        let is_begun = texts(planned, "users").iter().any(|user| members.contains(user));
        Ok(is_begun.then(|| into_state(&members, &planned.clone().with("id", Value::from(name)))))
    }
}

/// Takes out whom the list no longer has, puts in whom it has anew, and waits until all are listed.
async fn bring(cx: &Context<'_>, before: &BTreeSet<String>, planned: &Value) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let group = needed(planned, "group", "iam:AddUserToGroup")?;
    let after: BTreeSet<String> = texts(planned, "users").into_iter().collect();
    for user in before.difference(&after) {
        remove(clients, group, user).await?;
    }
    for user in after.difference(before) {
        add(cx, group, user).await?;
    }
    let look = || async {
        Ok(match members(clients, group).await? {
            Some(members) if after.is_subset(&members) => Ok(()),
            Some(_) => Err("an old list of members".to_owned()),
            None => Err("no such group".to_owned()),
        })
    };
    Wait::new("the members to be listed", PROPAGATION).until(cx, "iam:GetGroup", look).await
}

/// Names of all members; nothing when there is no such group.
async fn members(clients: &Clients, group: &str) -> Result<Option<BTreeSet<String>>, Error> {
    let mut members = BTreeSet::new();
    let mut marker = None;
    loop {
        let call = clients.iam().get_group().group_name(group).set_marker(marker.take());
        let Some(answer) = present(call.send().await.map_err(failed("iam:GetGroup")))? else {
            return Ok(None);
        };
        members.extend(answer.users.into_iter().map(|user| user.user_name));
        marker = answer.marker.filter(|_| answer.is_truncated);
        if marker.is_none() {
            return Ok(Some(members));
        }
    }
}

fn into_state(members: &BTreeSet<String>, prior: &Value) -> Value {
    let users = members.iter().map(|user| Value::from(user.as_str()));
    prior.clone().with("users", Value::set(Type::String, users))
}

#[cfg(test)]
mod tests;
