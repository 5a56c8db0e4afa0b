//! `aws_iam_user_policy_attachment`: attaches a managed policy to a user.
//!
//! Object: the attachment, identified by user and policy together; its id is made up here. Calls and permissions, all
//! `iam:`: AttachUserPolicy, ListAttachedUserPolicies, DetachUserPolicy. Replaced when either changes. A user or policy
//! that was just made may not be found for some seconds.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, block, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{Context, Deleted, Error, ErrorKind, Failure, PlanRequest, ResourceType};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::{PROPAGATION, RETRIES, attached_policies, forget_attached};
use crate::names;
use crate::object::{filled, needed, settled, unknown_text};

/// The resource type.
pub struct UserPolicyAttachment;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_user_policy_attachment",
        Mode::Managed,
        "Attaches a managed policy to a user.",
        block(
            [
                optional_computed("id", Type::String).doc("Made up; beginning with the user's name."),
                required("policy_arn", Type::String).force_new().check(Check::Arn).doc("ARN of the policy."),
                required("user", Type::String).force_new().doc("Name of the user."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for UserPolicyAttachment {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.is_create() {
            request.set("id", unknown_text());
        }
        Ok(())
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let (user, policy) = ends(prior)?;
        let attached = attached_policies(cx.session.clients()?, user).await?;
        Ok(attached.iter().any(|arn| arn == policy).then(|| prior.clone()))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let clients: &Clients = cx.session.clients()?;
        let (user, policy) = ends(planned)?;
        let attach = || async {
            let call = clients.iam().attach_user_policy().user_name(user).policy_arn(policy);
            call.send().await.map(drop).map_err(failed("iam:AttachUserPolicy"))
        };
        retry(cx, RETRIES, attach).await?;
        let object = with_id(planned, user);
        let look = || async {
            forget_attached(clients, user).await;
            let attached = attached_policies(clients, user).await?;
            Ok(attached
                .iter()
                .any(|arn| arn == policy)
                .then_some(())
                .ok_or_else(|| "no attachment".to_owned()))
        };
        let wait = Wait::new("the attachment to be listed", PROPAGATION);
        match wait.until(cx, "iam:ListAttachedUserPolicies", look).await {
            Ok(()) => Ok(object),
            Err(error) => Err(Failure { error, partial: Some(object) }),
        }
    }

    async fn update(&self, _cx: &Context<'_>, _prior: &Value, planned: &Value) -> Result<Value, Failure> {
        Ok(settled(planned.clone()))
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let clients: &Clients = cx.session.clients()?;
        let (user, policy) = ends(prior)?;
        let answer = clients.iam().detach_user_policy().user_name(user).policy_arn(policy).send().await;
        forget_attached(clients, user).await;
        present(answer.map_err(failed("iam:DetachUserPolicy")))?;
        Ok(Deleted::default())
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        let ends = id.split_once('/').filter(|(user, arn)| !user.is_empty() && arn.starts_with("arn:"));
        let Some((user, policy)) = ends else {
            let message = format!("The import id of an attachment is `USER/POLICY-ARN`; `{id}` is not.");
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        };
        let object = Value::object([
            ("id", Value::from(format!("{user}-{policy}"))),
            ("policy_arn", Value::from(policy)),
            ("user", Value::from(user)),
        ]);
        self.read(cx, &object).await
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        match filled(planned, "user") {
            Some(user) => self.read(cx, &with_id(planned, user)).await,
            None => Ok(None),
        }
    }
}

fn ends(object: &Value) -> Result<(&str, &str), Error> {
    let operation = "iam:AttachUserPolicy";
    Ok((needed(object, "user", operation)?, needed(object, "policy_arn", operation)?))
}

fn with_id(planned: &Value, user: &str) -> Value {
    match filled(planned, "id") {
        Some(_) => planned.clone(),
        None => planned.clone().with("id", Value::from(names::unique(&format!("{user}-")))),
    }
}

#[cfg(test)]
mod tests;
