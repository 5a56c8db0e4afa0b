//! `aws_iam_user_policy_attachment`, `aws_iam_role_policy_attachment` and `aws_iam_group_policy_attachment`: attaches a managed
//! policy to a user, a role or a group.
//!
//! Object: the attachment, identified by both ends together; its id is made up here. Calls and permissions, all `iam:`, for
//! users (and likewise for roles and groups): AttachUserPolicy, ListAttachedUserPolicies, DetachUserPolicy. Replaced when
//! either end changes. An end that was just made may not be found for some seconds.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html>
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html>
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachGroupPolicy.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, block, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Identity, Permissions, PlanRequest,
    ResourceType,
};

use crate::client::Clients;
use crate::iam::permissions::{arns_of, only_policy};
use crate::iam::{Holder, PROPAGATION, RETRIES, attached_policies, forget_attached};
use crate::names;
use crate::object::{filled, needed, settled, unknown_text};
use terrane_provider::Certainty;

/// The resource type for one kind of object.
pub struct PolicyAttachment(pub Holder);

static USER: LazyLock<Schema> = LazyLock::new(|| {
    schema(
        "aws_iam_user_policy_attachment",
        "Attaches a managed policy to a user.",
        "user",
        "Name of the user.",
        "Made up; beginning with the user's name.",
    )
});

static ROLE: LazyLock<Schema> = LazyLock::new(|| {
    schema(
        "aws_iam_role_policy_attachment",
        "Attaches a managed policy to a role.",
        "role",
        "Name of the role.",
        "Made up; beginning with the role's name.",
    )
});

static GROUP: LazyLock<Schema> = LazyLock::new(|| {
    schema(
        "aws_iam_group_policy_attachment",
        "Attaches a managed policy to a group.",
        "group",
        "Name of the group.",
        "Made up; beginning with the group's name.",
    )
});

fn schema(
    type_name: &'static str,
    summary: &'static str,
    holder: &'static str,
    holder_doc: &'static str,
    id_doc: &'static str,
) -> Schema {
    let attributes = [
        optional_computed("id", Type::String).doc(id_doc),
        required("policy_arn", Type::String).force_new().check(Check::Arn).doc("ARN of the policy."),
        required(holder, Type::String).force_new().doc(holder_doc),
    ];
    Schema::new(type_name, Mode::Managed, summary, block(attributes, []))
}

#[async_trait]
impl ResourceType for PolicyAttachment {
    fn schema(&self) -> &Schema {
        match self.0 {
            Holder::Group => &GROUP,
            Holder::Role => &ROLE,
            Holder::User => &USER,
        }
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.is_create() {
            request.set("id", unknown_text());
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(self.needs(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let (name, policy) = self.ends(prior)?;
        let attached = attached_policies(cx.session.clients()?, self.0, name).await?;
        Ok(attached.iter().any(|arn| arn == policy).then(|| prior.clone()))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let clients: &Clients = cx.session.clients()?;
        let (name, policy) = self.ends(planned)?;
        retry(cx, RETRIES, || self.0.attach(clients, name, policy)).await?;
        clients.iam_cache.renamed.made(self.0, name, policy);
        let object = with_id(planned, name);
        let look = || async {
            forget_attached(clients, self.0, name).await;
            let attached = attached_policies(clients, self.0, name).await?;
            let is_there = attached.iter().any(|arn| arn == policy);
            Ok(is_there.then_some(()).ok_or_else(|| "no attachment".to_owned()))
        };
        let wait = Wait::new("the attachment to be listed", PROPAGATION);
        match wait.until(cx, self.0.list_attached_operation(), look).await {
            Ok(()) => Ok(object),
            Err(error) => Err(Failure { error, partial: Some(object) }),
        }
    }

    async fn update(&self, _cx: &Context<'_>, _prior: &Value, planned: &Value) -> Result<Value, Failure> {
        Ok(settled(planned.clone()))
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let clients: &Clients = cx.session.clients()?;
        let (name, policy) = self.ends(prior)?;
        let Some(name) = clients.iam_cache.renamed.by_now(self.0, name, policy) else {
            return Ok(Deleted::default());
        };
        let answer = self.0.detach(clients, &name, policy).await;
        forget_attached(clients, self.0, &name).await;
        answer.map(|()| Deleted::default())
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        let ends = id.split_once('/').filter(|(name, arn)| !name.is_empty() && arn.starts_with("arn:"));
        let Some((name, policy)) = ends else {
            let kind = self.0.attribute().to_uppercase();
            let message = format!("The import id of an attachment is `{kind}/POLICY-ARN`; `{id}` is not.");
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        };
        let object = Value::object([
            ("id", Value::from(format!("{name}-{policy}"))),
            ("policy_arn", Value::from(policy)),
            (self.0.attribute(), Value::from(name)),
        ]);
        self.read(cx, &object).await
    }

    fn identity(&self) -> Identity {
        let attributes: &[&str] = match self.0 {
            Holder::Group => &["group", "policy_arn"],
            Holder::Role => &["role", "policy_arn"],
            Holder::User => &["user", "policy_arn"],
        };
        Identity::joined(attributes, "/")
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        match filled(planned, self.0.attribute()) {
            Some(name) => self.read(cx, &with_id(planned, name)).await,
            None => Ok(None),
        }
    }
}

impl PolicyAttachment {
    fn ends<'v>(&self, object: &'v Value) -> Result<(&'v str, &'v str), Error> {
        let operation = self.0.list_attached_operation();
        Ok((needed(object, self.0.attribute(), operation)?, needed(object, "policy_arn", operation)?))
    }
}

fn with_id(planned: &Value, name: &str) -> Value {
    match filled(planned, "id") {
        Some(_) => planned.clone(),
        None => planned.clone().with("id", Value::from(names::unique(&format!("{name}-")))),
    }
}

impl PolicyAttachment {
    fn needs(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
        let kind = self.0.attribute();
        let (attach, detach): (&'static str, &'static str) = match self.0 {
            Holder::Group => ("iam:AttachGroupPolicy", "iam:DetachGroupPolicy"),
            Holder::Role => ("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
            Holder::User => ("iam:AttachUserPolicy", "iam:DetachUserPolicy"),
        };
        let list = self.0.list_attached_operation();
        let all = |object: &Value, action: &'static str| {
            let only = (action != list).then(|| only_policy(object.get("policy_arn"))).flatten();
            let arns = arns_of(ground, kind, object.get(kind));
            arns.iter()
                .fold(Permissions::none(), |all, arn| all.with(arn, &[action], only.clone(), Certainty::Sure))
        };
        match doing {
            Doing::LookFor(_) => Permissions::none(),
            Doing::Read(object) => all(object, list),
            Doing::Import(id) => {
                let owner = Value::from(id.split('/').next().unwrap_or_default());
                all(&Value::object([(kind, owner)]), list)
            }
            Doing::Create(planned) => all(planned, attach).and(all(planned, list)),
            Doing::Update { .. } => Permissions::none(),
            Doing::Delete(prior) => all(prior, detach),
        }
    }
}

#[cfg(test)]
mod tests;
