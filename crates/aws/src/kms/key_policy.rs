//! `aws_kms_key_policy`: the policy of a key, apart from the key.
//!
//! Object: the key's policy, identified by the key. Calls and permissions: `kms:PutKeyPolicy`, `kms:GetKeyPolicy`,
//! `kms:DescribeKey`. Another key means another object; the text changes in place, and is in effect after some seconds. Every
//! key has a policy: deleting this one puts the one that leaves everything to IAM policies, unless the lockout check is to be
//! bypassed; then it stays.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_kms::types::KeyState;
use terrane_model::conform::Problem;
use terrane_model::schema::{Check, block, optional, optional_computed, required};
use terrane_model::{Mode, Path, Schema, Type, Value};
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{
    Context, Deleted, Doing, Error, ErrorKind, Failure, Ground, Identity, Permissions, PlanRequest,
    ResourceType,
};

use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::{POLICY, kept_policy};
use crate::kms::{RETRIES, SAME_KEY, STATE_CHANGE};
use crate::object::{absent, filled, flag, needed, settled, text, unknown_text};

/// The resource type.
pub struct KeyPolicy;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_kms_key_policy",
        Mode::Managed,
        "The policy of a KMS key, apart from the key.",
        block(
            [
                optional("bypass_policy_lockout_safety_check", Type::Bool)
                    .default(false)
                    .doc("Take a policy after which the caller can no longer change it."),
                optional_computed("id", Type::String).doc("The key."),
                required("key_id", Type::String)
                    .check(Check::Length(1, 2048))
                    .form(&SAME_KEY)
                    .doc("The key, by id or ARN."),
                required("policy", Type::String).check(Check::Json).form(&POLICY).doc("The document."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl ResourceType for KeyPolicy {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<(), Vec<Problem>> {
        if request.is_create() {
            let id = filled(&request.planned, "key_id").map_or_else(unknown_text, Value::from);
            request.set("id", id);
        } else if request.changes("key_id") {
            // The old key gets its first policy back, and the new one this policy.
            request.replace.push(Path::attribute("key_id"));
        }
        Ok(())
    }

    fn permissions(&self, doing: Doing<'_>, ground: &Ground<'_>) -> Option<Permissions> {
        Some(permissions(doing, ground))
    }

    async fn read(&self, cx: &Context<'_>, prior: &Value) -> Result<Option<Value>, Error> {
        let key = needed(prior, "id", "kms:GetKeyPolicy")?;
        let found = get(cx.session.clients()?, key).await?;
        Ok(found.map(|found| into_state(&found, prior)))
    }

    async fn create(&self, cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
        let key = needed(planned, "key_id", "kms:PutKeyPolicy")?;
        let object = planned.clone().with("id", Value::from(key));
        let policy = needed(planned, "policy", "kms:PutKeyPolicy")?;
        put(cx, key, policy, flag(planned, "bypass_policy_lockout_safety_check")).await?;
        match in_effect(cx, key, policy).await {
            Ok(found) => Ok(into_state(&found, &object)),
            Err(error) => Err(Failure { error, partial: Some(settled(object)) }),
        }
    }

    async fn update(&self, cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Failure> {
        let key = needed(prior, "id", "kms:PutKeyPolicy")?;
        if prior.get("policy") == planned.get("policy") {
            return Ok(settled(planned.clone()));
        }
        let change = async {
            let policy = needed(planned, "policy", "kms:PutKeyPolicy")?;
            put(cx, key, policy, flag(planned, "bypass_policy_lockout_safety_check")).await?;
            in_effect(cx, key, policy).await
        };
        match change.await {
            Ok(found) => Ok(into_state(&found, planned)),
            Err(error) => Err(Failure { error, partial: self.read(cx, prior).await.ok().flatten() }),
        }
    }

    async fn delete(&self, cx: &Context<'_>, prior: &Value) -> Result<Deleted, Error> {
        let key = needed(prior, "id", "kms:PutKeyPolicy")?;
        if flag(prior, "bypass_policy_lockout_safety_check") {
            return Ok(Deleted { note: Some(format!("The key {key} keeps its policy.")) });
        }
        // A key that is pending deletion or gone needs no policy.
        if get(cx.session.clients()?, key).await?.is_none() {
            return Ok(Deleted::default());
        }
        let first = first_policy(cx)?;
        put(cx, key, &first, false).await?;
        in_effect(cx, key, &first).await?;
        Ok(Deleted {
            note: Some(format!("The key {key} has the policy again that keys have from the start.")),
        })
    }

    async fn import(&self, cx: &Context<'_>, id: &str) -> Result<Option<Value>, Error> {
        if id.is_empty() || id.starts_with("alias/") {
            return Err(Error::new(
                ErrorKind::Invalid,
                "import",
                "The import id of a key's policy is the key's id.",
            ));
        }
        let prior = absent(&SCHEMA).with("id", Value::from(id)).with("key_id", Value::from(id));
        self.read(cx, &prior).await
    }

    fn identity(&self) -> Identity {
        Identity { attributes: &["key_id"], separator: "", is_chosen: false, unique: None }
    }

    async fn find(&self, cx: &Context<'_>, planned: &Value) -> Result<Option<Value>, Error> {
        let (Some(key), Some(policy)) = (filled(planned, "key_id"), filled(planned, "policy")) else {
            return Ok(None);
        };
        let found = get(cx.session.clients()?, key).await?;
        let found = found.filter(|found| (POLICY.equivalent)(policy, found));
        Ok(found.map(|found| into_state(&found, &planned.clone().with("id", Value::from(key)))))
    }
}

/// What a key has as its policy when it is made without one.
fn first_policy(cx: &Context<'_>) -> Result<String, Error> {
    let facts = &cx.session.facts;
    let Some(account) = &facts.account else {
        let message = "The account is not known, so the key cannot get its first policy back.";
        return Err(Error::new(ErrorKind::Invalid, "kms:PutKeyPolicy", message)
            .hint("Take `skip_requesting_account_id` out of the provider."));
    };
    let partition = &facts.partition;
    let policy = serde_json::json!({
        "Id": "default",
        "Statement": [{
            "Action": "kms:*",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:{partition}:iam::{account}:root") },
            "Resource": "*",
            "Sid": "Enable IAM User Permissions",
        }],
        "Version": "2012-10-17",
    });
    Ok(policy.to_string())
}

async fn put(cx: &Context<'_>, key: &str, policy: &str, bypass: bool) -> Result<(), Error> {
    let kms = cx.session.clients::<Clients>()?.kms();
    let call = || async {
        let call = kms.put_key_policy().key_id(key).policy_name("default").policy(policy);
        let call = call.bypass_policy_lockout_safety_check(bypass);
        call.send().await.map(drop).map_err(failed("kms:PutKeyPolicy"))
    };
    retry(cx, RETRIES, call).await
}

/// Waits until the key has the policy, and gives the text that KMS has.
async fn in_effect(cx: &Context<'_>, key: &str, policy: &str) -> Result<String, Error> {
    let clients: &Clients = cx.session.clients()?;
    let look = || async {
        Ok(match get(clients, key).await? {
            Some(found) if (POLICY.equivalent)(policy, &found) => Ok(found),
            Some(_) => Err("an old policy".to_owned()),
            None => Err("no such key".to_owned()),
        })
    };
    Wait::new("the key's policy to be in effect", STATE_CHANGE).until(cx, "kms:GetKeyPolicy", look).await
}

/// The policy of a key; nothing when there is no such key, or it is pending deletion.
async fn get(clients: &Clients, key: &str) -> Result<Option<String>, Error> {
    let kms = clients.kms();
    let describe = async { kms.describe_key().key_id(key).send().await.map_err(failed("kms:DescribeKey")) };
    let policy = async {
        let call = kms.get_key_policy().key_id(key).policy_name("default");
        call.send().await.map_err(failed("kms:GetKeyPolicy"))
    };
    let (described, policy) = futures::join!(describe, policy);
    let state = present(described)?.and_then(|answer| answer.key_metadata).and_then(|key| key.key_state);
    match state {
        Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) | None => Ok(None),
        Some(_) => Ok(present(policy)?.and_then(|answer| answer.policy)),
    }
}

fn into_state(found: &str, prior: &Value) -> Value {
    prior.clone().with("policy", Value::from(kept_policy(text(prior, "policy"), found)))
}

fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    const READ: &[&str] = &["kms:DescribeKey", "kms:GetKeyPolicy"];
    let key = |object: &Value| crate::kms::key_arn(ground, object.get("key_id"));
    let read = |object: &Value| Permissions::none().on(&key(object), READ);
    let put = |object: &Value| read(object).on(&key(object), &["kms:PutKeyPolicy"]);
    match doing {
        Doing::LookFor(_) => Permissions::none(),
        Doing::Import(id) => {
            Permissions::none().on(&crate::kms::key_arn(ground, Some(&Value::from(id))), READ)
        }
        Doing::Read(object) => read(object),
        Doing::Create(planned) => put(planned),
        Doing::Update { prior, planned } if prior.get("policy") == planned.get("policy") => {
            Permissions::none()
        }
        Doing::Update { planned, .. } => put(planned),
        Doing::Delete(prior) if flag(prior, "bypass_policy_lockout_safety_check") => Permissions::none(),
        Doing::Delete(prior) => put(prior),
    }
}

#[cfg(test)]
mod tests;
