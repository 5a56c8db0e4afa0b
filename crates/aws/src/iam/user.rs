//! `aws_iam_user`: a user of the account.
//!
//! Object: a user, identified by its name. Calls and permissions, all `iam:`: CreateUser, GetUser, UpdateUser,
//! PutUserPermissionsBoundary, DeleteUserPermissionsBoundary, TagUser, UntagUser, ListGroupsForUser, RemoveUserFromGroup,
//! DeleteUser; with `force_destroy` also those that take away what hangs on the user. Nothing forces replacement: name
//! and path change in place. What was just made may not be found for some seconds.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html>

use std::sync::LazyLock;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::types::User as Remote;
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, block, computed, optional, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::once::create_once;
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{
    Context, Deleted, Doing, Error, Facts, Failure, Ground, Identity, Permissions, PlanRequest, ResourceType,
};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::{self, Holder, MEMBER_NAME, PROPAGATION, RETRIES, import_name, plan_named, tag};
use crate::lately::made_since;
use crate::object::{absent, filled, flag, needed, or_empty, settled, text};
use crate::tags;

mod belongings;
mod permissions;

/// The resource type.
pub struct User;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_user",
        Mode::Managed,
        "A user of the account.",
        block(
            [
                computed("arn", Type::String).doc("ARN of the user."),
                optional("force_destroy", Type::Bool)
                    .default(false)
                    .doc("On deletion take away keys, policies and devices that hang on the user."),
                optional_computed("id", Type::String).doc("Name of the user."),
                required("name", Type::String).check(MEMBER_NAME).doc("Name of the user."),
                optional("path", Type::String).default("/").doc("Path of the user, such as `/team/`."),
                optional("permissions_boundary", Type::String)
                    .check(Check::Length(0, 2048))
                    .doc("ARN of the policy that limits the user's permissions."),
                optional("tags", Type::map(Type::String)).doc("Tags."),
                optional_computed("tags_all", Type::map(Type::String))
                    .doc("Tags including the provider's default tags."),
                computed("unique_id", Type::String).doc("Unique id of the user."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for User {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        tags::plan(request);
        plan_named(request, "user");
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions::permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let name = needed(prior, "id", "iam:GetUser")?;
        let user = get(cx.session.clients()?, name).await?;
        Ok(user.map(|user| into_state(&user, prior, &cx.session.facts, false)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let name = needed(planned, "name", "iam:CreateUser")?;
        make(cx, planned, name).await?;
        match as_planned(cx, name, planned).await {
            Ok(object) => Ok(object),
            Err(error) => {
                let partial = settled(planned.clone().with("id", Value::from(name)));
                Err(Failure { error, partial: Some(partial) })
            }
        }
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        match change(cx, prior, planned).await {
            Ok(object) => Ok(object),
            Err(error) => {
                let renamed =
                    prior.clone().with("id", planned.get("name").cloned().unwrap_or_else(|| "".into()));
                let partial = match self.read(cx, prior).await {
                    Ok(Some(object)) => Some(object),
                    _ => self.read(cx, &renamed).await.ok().flatten(),
                };
                Err(Failure { error, partial })
            }
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let name = needed(prior, "id", "iam:DeleteUser")?;
        let clients: &Clients = cx.session.clients()?;
        if present(belongings::leave_groups(clients, name).await)?.is_none() {
            return Ok(Deleted::default());
        }
        if flag(prior, "force_destroy") {
            belongings::take_away(cx, clients, name).await?;
        }
        let answer =
            clients.iam().delete_user().user_name(name).send().await.map_err(failed("iam:DeleteUser"));
        match answer {
            Err(error) if error.is_code("DeleteConflict") => Err(error
                .hint("`force_destroy = true` takes away what hangs on the user; apply it before deleting.")),
            other => present(other).map(|_| Deleted::default()),
        }
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        let id = import_name(id, "user")?;
        let user = get(cx.session.clients()?, id).await?;
        Ok(user.map(|user| into_state(&user, &absent(&SCHEMA), &cx.session.facts, true)))
    }

    fn identity(&self) -> Identity {
        Identity::chosen(&["name"])
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let Some(name) = filled(planned, "name") else { return Ok(None) };
        let user = get(cx.session.clients()?, name).await?;
        Ok(user.map(|user| into_state(&user, planned, &cx.session.facts, false)))
    }

    fn lasting_identity(&self) -> Option<&'static str> {
        Some("unique_id")
    }
}

async fn get(clients: &Clients, name: &str) -> Result<Option<Remote>, Error> {
    let answer = clients.iam().get_user().user_name(name).send().await.map_err(failed("iam:GetUser"));
    Ok(present(answer)?.and_then(|answer| answer.user))
}

async fn make(cx: &Context<'_>, planned: &Value, name: &str) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let call = || async {
        let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
        let tags = tags::wanted(planned).iter().map(|(k, v)| tag(k, v)).collect::<Result<Vec<_>, _>>()?;
        let call = clients.iam().create_user().user_name(name).path(text(planned, "path").unwrap_or("/"));
        let call = call.set_permissions_boundary(filled(planned, "permissions_boundary").map(str::to_owned));
        let call = call.set_tags((!tags.is_empty()).then_some(tags)).customize().config_override(once);
        call.send().await.map(drop).map_err(failed("iam:CreateUser"))
    };
    let start = SystemTime::now();
    let look = || async {
        let user = get(clients, name).await?;
        Ok(user.filter(|user| made_since(start, Some(&user.create_date))).map(drop))
    };
    retry(cx, RETRIES, || create_once(cx, call, look)).await
}

async fn change(cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Error> {
    let old_name = needed(prior, "id", "iam:UpdateUser")?;
    let name = needed(planned, "name", "iam:UpdateUser")?;
    let clients: &Clients = cx.session.clients()?;
    let iam = clients.iam();
    let change = tags::change(prior, planned);
    if !change.remove.is_empty() {
        let call = iam.untag_user().user_name(old_name).set_tag_keys(Some(change.remove));
        call.send().await.map_err(failed("iam:UntagUser"))?;
    }
    if !change.put.is_empty() {
        let tags = change.put.iter().map(|(k, v)| tag(k, v)).collect::<Result<Vec<_>, _>>()?;
        iam.tag_user()
            .user_name(old_name)
            .set_tags(Some(tags))
            .send()
            .await
            .map_err(failed("iam:TagUser"))?;
    }
    if old_name != name || prior.get("path") != planned.get("path") {
        let call = iam.update_user().user_name(old_name).new_user_name(name);
        let call = call.new_path(text(planned, "path").unwrap_or("/"));
        call.send().await.map_err(failed("iam:UpdateUser"))?;
        clients.iam_cache.renamed.note(Holder::User, old_name, name);
    }
    match (filled(prior, "permissions_boundary"), filled(planned, "permissions_boundary")) {
        (before, Some(boundary)) if before != Some(boundary) => {
            let call = iam.put_user_permissions_boundary().user_name(name).permissions_boundary(boundary);
            call.send().await.map_err(failed("iam:PutUserPermissionsBoundary"))?;
        }
        (Some(_), None) => {
            let answer = iam.delete_user_permissions_boundary().user_name(name).send().await;
            present(answer.map_err(failed("iam:DeleteUserPermissionsBoundary")))?;
        }
        _ => {}
    }
    as_planned(cx, name, planned).await
}

/// Waits until the user is found as planned.
async fn as_planned(cx: &Context<'_>, name: &str, planned: &Value) -> Result<Value, Error> {
    let clients: &Clients = cx.session.clients()?;
    let boundary = filled(planned, "permissions_boundary");
    let look = || async {
        let Some(user) = get(clients, name).await? else { return Ok(Err("no such user".to_owned())) };
        let object = into_state(&user, planned, &cx.session.facts, false);
        let same = ["path", "tags_all"].iter().all(|name| object.get(name) == planned.get(name));
        Ok(match same && filled(&object, "permissions_boundary") == boundary {
            true => Ok(object),
            false => Err("an old state of the user".to_owned()),
        })
    };
    Wait::new("the user to be known everywhere", PROPAGATION).until(cx, "iam:GetUser", look).await
}

fn into_state(user: &Remote, prior: &Value, facts: &Facts, imported: bool) -> Value {
    let boundary =
        user.permissions_boundary.as_ref().and_then(|boundary| boundary.permissions_boundary_arn.as_deref());
    let object = prior
        .clone()
        .with("arn", Value::from(user.arn.as_str()))
        .with("id", Value::from(user.user_name.as_str()))
        .with("name", Value::from(user.user_name.as_str()))
        .with("path", Value::from(user.path.as_str()))
        .with("permissions_boundary", or_empty(boundary))
        .with("unique_id", Value::from(user.user_id.as_str()));
    tags::observed(object, iam::tag_map(user.tags()), facts, imported)
}

#[cfg(test)]
mod tests;
