//! `aws_iam_group`: a group of users.
//!
//! Object: a group, identified by its name. Calls and permissions, all `iam:`: CreateGroup, GetGroup, UpdateGroup,
//! DeleteGroup. Nothing forces replacement: name and path change in place. What was just made may not be found for some
//! seconds. Members and policies of a group are not taken away when it is deleted.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html>

use std::sync::LazyLock;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::types::Group as Remote;
use terrane_model::conform::Problem;
use terrane_model::schema::{block, computed, optional, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::once::create_once;
use terrane_provider::wait::Wait;
use terrane_provider::{
    Context, Deleted, Doing, Error, Failure, Ground, Identity, Permissions, PlanRequest, ResourceType,
};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::permissions::{arns_of, own_arn};
use crate::iam::{Holder, MEMBER_NAME, PROPAGATION, import_name, plan_named};
use crate::lately::made_since;
use crate::object::{absent, filled, needed, settled, text};

/// The resource type.
pub struct Group;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_group",
        Mode::Managed,
        "A group of users.",
        block(
            [
                computed("arn", Type::String).doc("ARN of the group."),
                optional_computed("id", Type::String).doc("Name of the group."),
                required("name", Type::String).check(MEMBER_NAME).doc("Name of the group."),
                optional("path", Type::String).default("/").doc("Path of the group, such as `/team/`."),
                computed("unique_id", Type::String).doc("Unique id of the group."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for Group {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        plan_named(request, "group");
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let name = needed(prior, "id", "iam:GetGroup")?;
        Ok(get(cx.session.clients()?, name).await?.map(|group| into_state(&group, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let name = needed(planned, "name", "iam:CreateGroup")?;
        let clients: &Clients = cx.session.clients()?;
        let call = || async {
            let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
            let call = clients.iam().create_group().group_name(name);
            let call = call.path(text(planned, "path").unwrap_or("/")).customize().config_override(once);
            call.send().await.map(drop).map_err(failed("iam:CreateGroup"))
        };
        let start = SystemTime::now();
        let look = || async {
            let group = get(clients, name).await?;
            Ok(group.filter(|group| made_since(start, Some(&group.create_date))).map(drop))
        };
        create_once(cx, call, look).await?;
        match as_planned(cx, name, planned).await {
            Ok(object) => Ok(object),
            Err(error) => {
                let partial = settled(planned.clone().with("id", Value::from(name)));
                Err(Failure { error, partial: Some(partial) })
            }
        }
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        let old_name = needed(prior, "id", "iam:UpdateGroup")?;
        let name = needed(planned, "name", "iam:UpdateGroup")?;
        let clients: &Clients = cx.session.clients()?;
        let call = clients.iam().update_group().group_name(old_name).new_group_name(name);
        let call = call.new_path(text(planned, "path").unwrap_or("/"));
        call.send().await.map_err(failed("iam:UpdateGroup"))?;
        clients.iam_cache.renamed.note(Holder::Group, old_name, name);
        match as_planned(cx, name, planned).await {
            Ok(object) => Ok(object),
            Err(error) => {
                let renamed = prior.clone().with("id", Value::from(name));
                Err(Failure { error, partial: self.read(cx, &renamed).await.ok().flatten() })
            }
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let name = needed(prior, "id", "iam:DeleteGroup")?;
        let clients: &Clients = cx.session.clients()?;
        let answer = clients.iam().delete_group().group_name(name).send().await;
        match present(answer.map_err(failed("iam:DeleteGroup"))) {
            Err(error) if error.is_code("DeleteConflict") => Err(error.hint(
                "The group has members or policies that are not of this stack: take them away, then delete it.",
            )),
            other => other.map(|_| Deleted::default()),
        }
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        let id = import_name(id, "group")?;
        Ok(get(cx.session.clients()?, id).await?.map(|group| into_state(&group, &absent(&SCHEMA))))
    }

    fn identity(&self) -> Identity {
        Identity::chosen(&["name"])
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let Some(name) = filled(planned, "name") else { return Ok(None) };
        Ok(get(cx.session.clients()?, name).await?.map(|group| into_state(&group, planned)))
    }

    fn lasting_identity(&self) -> Option<&'static str> {
        Some("unique_id")
    }
}

async fn get(clients: &Clients, name: &str) -> Result<Option<Remote>, Error> {
    let answer = clients.iam().get_group().group_name(name).send().await.map_err(failed("iam:GetGroup"));
    Ok(present(answer)?.and_then(|answer| answer.group))
}

/// Waits until the group is found as planned.
async fn as_planned(cx: &Context<'_>, name: &str, planned: &Value) -> Result<Value, Error> {
    let clients: &Clients = cx.session.clients()?;
    let look = || async {
        let Some(group) = get(clients, name).await? else { return Ok(Err("no such group".to_owned())) };
        Ok(match Some(group.path.as_str()) == text(planned, "path") {
            true => Ok(into_state(&group, planned)),
            false => Err("an old path".to_owned()),
        })
    };
    Wait::new("the group to be known everywhere", PROPAGATION).until(cx, "iam:GetGroup", look).await
}

fn into_state(group: &Remote, prior: &Value) -> Value {
    prior
        .clone()
        .with("arn", Value::from(group.arn.as_str()))
        .with("id", Value::from(group.group_name.as_str()))
        .with("name", Value::from(group.group_name.as_str()))
        .with("path", Value::from(group.path.as_str()))
        .with("unique_id", Value::from(group.group_id.as_str()))
}

const READ: &[&str] = &["iam:GetGroup"];

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    let arn = |object: &Value| own_arn(ground, "group", object);
    let none = Permissions::none();
    match doing {
        Doing::LookFor(object) | Doing::Read(object) => none.on(&arn(object), READ),
        Doing::Import(name) => {
            let arns = arns_of(ground, "group", Some(&Value::from(name)));
            arns.iter().fold(none, |all, arn| all.on(arn, READ))
        }
        Doing::Create(planned) => none.on(&arn(planned), &["iam:CreateGroup"]).on(&arn(planned), READ),
        // Who renames needs it on both.
        Doing::Update { prior, planned } => none
            .on(&arn(prior), &["iam:UpdateGroup"])
            .on(&arn(planned), &["iam:UpdateGroup"])
            .on(&arn(planned), READ),
        Doing::Delete(prior) => none.on(&arn(prior), &["iam:DeleteGroup"]),
    }
}

#[cfg(test)]
mod tests;
