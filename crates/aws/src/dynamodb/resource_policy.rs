//! `aws_dynamodb_resource_policy`: the policy of a table or a stream.
//!
//! Object: the policy, identified by the ARN of what it is attached to. Calls and permissions: `dynamodb:PutResourcePolicy`,
//! `dynamodb:GetResourcePolicy`, `dynamodb:DeleteResourcePolicy`. Replaced when the ARN changes; the text changes in place.
//! What was just put may not be found for some seconds, and the next change is refused for a quarter of a minute.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html>
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, block, computed, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Identity, Permissions, PlanRequest,
    ResourceType,
};

use crate::client::Clients;
use crate::dynamodb::{PROPAGATION, RETRIES};
use crate::error::{failed, present};
use crate::iam::{WRITTEN_POLICY, kept};
use crate::object::{absent, filled, flag, needed, settled, text, unknown_text};
use terrane_provider::permission::pattern;

/// The resource type.
pub struct ResourcePolicy;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_dynamodb_resource_policy",
        Mode::Managed,
        "The policy of a table or a stream.",
        block(
            [
                optional_computed("confirm_remove_self_resource_access", Type::Bool)
                    .default(false)
                    .doc("Take a policy after which the caller can no longer change it."),
                computed("id", Type::String).doc("ARN of the table or stream."),
                required("policy", Type::String)
                    .check(Check::Json)
                    .form(&WRITTEN_POLICY)
                    .doc("The document."),
                required("resource_arn", Type::String)
                    .force_new()
                    .check(Check::Arn)
                    .doc("ARN of the table or stream."),
                computed("revision_id", Type::String).doc("Id of the policy's present revision."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for ResourcePolicy {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.is_create() {
            let id = filled(&request.planned, "resource_arn").map_or_else(unknown_text, Value::from);
            request.set("id", id);
        }
        if request.changes("policy") || request.changes("confirm_remove_self_resource_access") {
            request.set("revision_id", unknown_text());
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let arn = needed(prior, "id", "dynamodb:GetResourcePolicy")?;
        Ok(get(cx.session.clients()?, arn).await?.map(|found| found.into_state(arn, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        put(cx, planned).await
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        match put(cx, planned).await {
            Ok(object) => Ok(object),
            Err(failure) => {
                let partial = self.read(cx, prior).await.ok().flatten();
                Err(Failure { error: failure.error, partial })
            }
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let arn = needed(prior, "id", "dynamodb:DeleteResourcePolicy")?;
        let dynamodb = cx.session.clients::<Clients>()?.dynamodb();
        let delete = || async {
            let call = dynamodb.delete_resource_policy().resource_arn(arn);
            call.send().await.map(drop).map_err(failed("dynamodb:DeleteResourcePolicy"))
        };
        present(retry(cx, RETRIES, delete).await).map(|_| Deleted::default())
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        if !id.starts_with("arn:") {
            let message =
                format!("The import id of a policy is the ARN of its table or stream; `{id}` is none.");
            return Err(Error::new(ErrorKind::Invalid, "import", message));
        }
        let prior = absent(&SCHEMA).with("confirm_remove_self_resource_access", Value::bool(false));
        Ok(get(cx.session.clients()?, id).await?.map(|found| found.into_state(id, &prior)))
    }

    fn identity(&self) -> Identity {
        // Putting a policy where there is one would overwrite it.
        Identity::chosen(&["resource_arn"])
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let Some(arn) = filled(planned, "resource_arn") else { return Ok(None) };
        let found = get(cx.session.clients()?, arn).await?.filter(|found| found.says(planned));
        Ok(found.map(|found| found.into_state(arn, planned)))
    }
}

/// Puts the policy and waits until it is what is found.
async fn put(cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
    let clients: &Clients = cx.session.clients()?;
    let arn = needed(planned, "resource_arn", "dynamodb:PutResourcePolicy")?;
    let policy = needed(planned, "policy", "dynamodb:PutResourcePolicy")?;
    let call = || async {
        let call = clients.dynamodb().put_resource_policy().resource_arn(arn).policy(policy);
        let call =
            call.confirm_remove_self_resource_access(flag(planned, "confirm_remove_self_resource_access"));
        call.send().await.map_err(failed("dynamodb:PutResourcePolicy"))
    };
    let revision = retry(cx, RETRIES, call).await?.revision_id.unwrap_or_default();
    let look = || async {
        Ok(match get(clients, arn).await? {
            Some(found) if found.revision == revision || found.says(planned) => Ok(found),
            Some(_) => Err("an old policy".to_owned()),
            None => Err("no such policy".to_owned()),
        })
    };
    let wait = Wait::new("the policy to be known everywhere", PROPAGATION);
    match wait.until(cx, "dynamodb:GetResourcePolicy", look).await {
        Ok(found) => Ok(found.into_state(arn, planned)),
        Err(error) => {
            let object =
                planned.clone().with("id", Value::from(arn)).with("revision_id", Value::from(revision));
            Err(Failure { error, partial: Some(settled(object)) })
        }
    }
}

struct Found {
    policy: String,
    revision: String,
}

async fn get(clients: &Clients, arn: &str) -> Result<Option<Found>, Error> {
    let answer = clients.dynamodb().get_resource_policy().resource_arn(arn).send().await;
    let answer = present(answer.map_err(failed("dynamodb:GetResourcePolicy")))?;
    Ok(answer.and_then(|answer| {
        Some(Found { policy: answer.policy?, revision: answer.revision_id.unwrap_or_default() })
    }))
}

impl Found {
    fn says(&self, planned: &Value) -> bool {
        text(planned, "policy").is_some_and(|wanted| (WRITTEN_POLICY.equivalent)(wanted, &self.policy))
    }

    /// The policy as the state has it: the text stays as it was while it means the same.
    fn into_state(self, arn: &str, prior: &Value) -> Value {
        prior
            .clone()
            .with("id", Value::from(arn))
            .with("policy", Value::from(kept(&WRITTEN_POLICY, text(prior, "policy"), &self.policy)))
            .with("resource_arn", Value::from(arn))
            .with("revision_id", Value::from(self.revision))
    }
}

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    const GET: &[&str] = &["dynamodb:GetResourcePolicy"];
    let arn = |object: &Value| {
        let known = pattern(object.get("resource_arn")).or_else(|| pattern(object.get("id")));
        known.unwrap_or_else(|| ground.regional("dynamodb", "table/*"))
    };
    let put = |object: &Value| {
        Permissions::none().on(&arn(object), GET).on(&arn(object), &["dynamodb:PutResourcePolicy"])
    };
    match doing {
        Doing::LookFor(object) | Doing::Read(object) => Permissions::none().on(&arn(object), GET),
        Doing::Import(id) => Permissions::none().on(id, GET),
        Doing::Create(planned) | Doing::Update { planned, .. } => put(planned),
        Doing::Delete(prior) => Permissions::none().on(&arn(prior), &["dynamodb:DeleteResourcePolicy"]),
    }
}

#[cfg(test)]
mod tests;
