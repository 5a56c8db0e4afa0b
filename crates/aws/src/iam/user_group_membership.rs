//! `aws_iam_user_group_membership`: some of the groups that a user is in.
//!
//! Object: the user's being in these groups; its id is made up here. Other groups of the user are left alone. Calls and
//! permissions, all `iam:`: AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser. Replaced when the user changes; groups come
//! and go in place.
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
use crate::names;
use crate::object::{elements, is_open};
use crate::object::{filled, texts, unknown_with_prefix};

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

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        Side::User.read(cx, prior).await
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        Side::User.create(cx, &with_id(planned)).await
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        Side::User.update(cx, prior, planned).await
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        Side::User.delete(cx, prior).await
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
        let Some(groups) = Side::User.there(cx.session.clients()?, user).await? else { return Ok(None) };
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
        let Some(groups) = Side::User.there(cx.session.clients()?, user).await? else { return Ok(None) };
        let object = Side::User.into_state(&groups, &with_id(planned));
        Ok((!texts(&object, "groups").is_empty()).then_some(object))
    }
}

fn with_id(planned: &Value) -> Value {
    match filled(planned, "id") {
        Some(_) => planned.clone(),
        None => planned.clone().with("id", Value::from(names::unique(PREFIX))),
    }
}

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    const READ: &[&str] = &["iam:ListGroupsForUser"];
    let read = |object: &Value| {
        let arns = arns_of(ground, "user", object.get("user"));
        arns.iter().fold(Permissions::none(), |all, arn| all.on(arn, READ))
    };
    let each = |groups: &[Value], action: &'static str| {
        let arns = groups.iter().flat_map(|group| arns_of(ground, "group", Some(group)));
        arns.fold(Permissions::none(), |all, arn| all.on(&arn, &[action]))
    };
    let (add, remove) = ("iam:AddUserToGroup", "iam:RemoveUserFromGroup");
    match doing {
        Doing::LookFor(_) => Permissions::none(),
        Doing::Import(id) => {
            let user = Value::from(id.split('/').next().unwrap_or_default());
            read(&Value::object([("user", user)]))
        }
        Doing::Read(object) => read(object),
        Doing::Create(planned) if is_open(planned, "groups") => {
            read(planned).and(each(&[Value::unknown(Type::String)], add))
        }
        Doing::Create(planned) => read(planned).and(each(elements(planned, "groups"), add)),
        Doing::Update { prior, planned } => {
            let (added, removed) = changed(prior, planned, "groups");
            read(planned).and(each(&added, add)).and(each(&removed, remove))
        }
        Doing::Delete(prior) => each(elements(prior, "groups"), remove),
    }
}

#[cfg(test)]
mod tests;
