//! `aws_iam_group_membership`: who is in a group, all of them.
//!
//! Object: the list of members of one group; its id is the name that the spec gives it, which AWS does not know. Users whom
//! others put into the group show as a difference. Calls and permissions, all `iam:`: AddUserToGroup, RemoveUserFromGroup,
//! GetGroup. Replaced when group or name change; users come and go in place. Cannot be imported.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::schema::{block, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Permissions, PlanRequest, ResourceType,
};

use crate::iam::member::Side;
use crate::iam::member::changed;
use crate::iam::permissions::arns_of;
use crate::object::{filled, needed, texts, unknown_text};

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

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        Side::Group.read(cx, prior).await
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let name = needed(planned, "name", "iam:AddUserToGroup")?;
        Side::Group.create(cx, &planned.clone().with("id", Value::from(name))).await
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        Side::Group.update(cx, prior, planned).await
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        Side::Group.delete(cx, prior).await
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
        let Some(members) = Side::Group.there(cx.session.clients()?, group).await? else { return Ok(None) };
        let is_begun = texts(planned, "users").iter().any(|user| members.contains(user));
        Ok(is_begun.then(|| Side::Group.into_state(&members, &planned.clone().with("id", Value::from(name)))))
    }
}

const ADD: &[&str] = &["iam:AddUserToGroup"];
const REMOVE: &[&str] = &["iam:RemoveUserFromGroup"];

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    let all = |object: &Value, actions| {
        let arns = arns_of(ground, "group", object.get("group"));
        arns.iter().fold(Permissions::none(), |all, arn| all.on(arn, actions))
    };
    const READ: &[&str] = &["iam:GetGroup"];
    match doing {
        Doing::LookFor(_) | Doing::Import(_) => Permissions::none(),
        Doing::Read(object) => all(object, READ),
        Doing::Create(planned) => all(planned, ADD).and(all(planned, READ)),
        Doing::Update { prior, planned } => {
            let (added, removed) = changed(prior, planned, "users");
            let adding = if added.is_empty() { Permissions::none() } else { all(prior, ADD) };
            let removing = if removed.is_empty() { Permissions::none() } else { all(prior, REMOVE) };
            adding.and(removing).and(all(prior, READ))
        }
        Doing::Delete(prior) if texts(prior, "users").is_empty() => Permissions::none(),
        Doing::Delete(prior) => all(prior, REMOVE),
    }
}

#[cfg(test)]
mod tests;
