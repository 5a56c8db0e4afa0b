//! Creating and updating a role: the calls and their order.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws_sdk_iam::config::retry::RetryConfig;
use terrane_model::Value;
use terrane_provider::once::create_once;
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{Context, Error, Failure};

use super::inline;
use super::observed::{Observed, observe};
use super::schema::INLINE;
use crate::client::Clients;
use crate::error::{failed, present};
use crate::iam::{Holder, INLINE_POLICY, PROPAGATION, RETRIES, forget_attached, tag};
use crate::lately::made_since;
use crate::object::{filled, needed, settled, text, texts, whole};
use crate::{names, tags};

/// Makes the role and gives it the policies that its spec has.
pub async fn create(cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
    let name = match (filled(planned, "name"), filled(planned, "name_prefix")) {
        (Some(name), _) => name.to_owned(),
        (None, prefix) => names::unique(prefix.unwrap_or("terraform-")),
    };
    make(cx, planned, &name).await?;
    let object =
        planned.clone().with("id", Value::from(name.as_str())).with("name", Value::from(name.as_str()));
    match finish(cx, &object, &name).await {
        Ok(object) => Ok(object),
        Err(error) => Err(Failure { error, partial: Some(settled(object)) }),
    }
}

async fn make(cx: &Context<'_>, planned: &Value, name: &str) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let trust = needed(planned, "assume_role_policy", "iam:CreateRole")?;
    let call = || async {
        let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
        let tags = tags::wanted(planned).iter().map(|(k, v)| tag(k, v)).collect::<Result<Vec<_>, _>>()?;
        let call = clients.iam().create_role().role_name(name).assume_role_policy_document(trust);
        let call = call
            .path(text(planned, "path").unwrap_or("/"))
            .max_session_duration(session_seconds(planned))
            .set_description(filled(planned, "description").map(str::to_owned))
            .set_permissions_boundary(filled(planned, "permissions_boundary").map(str::to_owned))
            .set_tags((!tags.is_empty()).then_some(tags));
        call.customize().config_override(once).send().await.map(drop).map_err(failed("iam:CreateRole"))
    };
    let start = SystemTime::now();
    let look = || async {
        let answer = clients.iam().get_role().role_name(name).send().await.map_err(failed("iam:GetRole"));
        let role = present(answer)?.and_then(|answer| answer.role);
        Ok(role.filter(|role| made_since(start, Some(&role.create_date))).map(drop))
    };
    retry(cx, RETRIES, || create_once(cx, call, look)).await
}

fn session_seconds(planned: &Value) -> i32 {
    whole(planned, "max_session_duration").and_then(|seconds| i32::try_from(seconds).ok()).unwrap_or(3600)
}

async fn finish(cx: &Context<'_>, planned: &Value, name: &str) -> Result<Value, Error> {
    let clients: &Clients = cx.session.clients()?;
    for (policy, document) in planned.get(INLINE).map(inline::documents).unwrap_or_default() {
        retry(cx, RETRIES, || Holder::Role.put(clients, name, &policy, &document)).await?;
    }
    for policy in texts(planned, "managed_policy_arns") {
        retry(cx, RETRIES, || Holder::Role.attach(clients, name, &policy)).await?;
    }
    as_planned(cx, name, planned).await
}

/// Brings the role from `prior` to `planned`.
pub async fn update(cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Error> {
    let name = needed(prior, "id", "iam:UpdateRole")?;
    let clients: &Clients = cx.session.clients()?;
    let iam = clients.iam();
    let differs = |name: &str| prior.get(name) != planned.get(name);
    let change = tags::change(prior, planned);
    if !change.remove.is_empty() {
        let call = iam.untag_role().role_name(name).set_tag_keys(Some(change.remove));
        call.send().await.map_err(failed("iam:UntagRole"))?;
    }
    if !change.put.is_empty() {
        let tags = change.put.iter().map(|(k, v)| tag(k, v)).collect::<Result<Vec<_>, _>>()?;
        let call = iam.tag_role().role_name(name).set_tags(Some(tags));
        call.send().await.map_err(failed("iam:TagRole"))?;
    }
    if differs("assume_role_policy") {
        let trust = needed(planned, "assume_role_policy", "iam:UpdateAssumeRolePolicy")?;
        let call = || async {
            let call = iam.update_assume_role_policy().role_name(name).policy_document(trust);
            call.send().await.map_err(failed("iam:UpdateAssumeRolePolicy"))
        };
        retry(cx, RETRIES, call).await?;
    }
    if text(prior, "description").unwrap_or_default() != text(planned, "description").unwrap_or_default() {
        let call = iam.update_role_description().role_name(name);
        let call = call.description(text(planned, "description").unwrap_or_default());
        call.send().await.map_err(failed("iam:UpdateRoleDescription"))?;
    }
    if differs("max_session_duration") {
        let call = iam.update_role().role_name(name).max_session_duration(session_seconds(planned));
        call.send().await.map_err(failed("iam:UpdateRole"))?;
    }
    match (filled(prior, "permissions_boundary"), filled(planned, "permissions_boundary")) {
        (before, Some(boundary)) if before != Some(boundary) => {
            let call = iam.put_role_permissions_boundary().role_name(name).permissions_boundary(boundary);
            call.send().await.map_err(failed("iam:PutRolePermissionsBoundary"))?;
        }
        (Some(_), None) => {
            let answer = iam.delete_role_permissions_boundary().role_name(name).send().await;
            present(answer.map_err(failed("iam:DeleteRolePermissionsBoundary")))?;
        }
        _ => {}
    }
    policies(cx, name, prior, planned).await?;
    as_planned(cx, name, planned).await
}

/// Brings the policies that the spec gives here from `prior` to `planned`.
async fn policies(cx: &Context<'_>, name: &str, prior: &Value, planned: &Value) -> Result<(), Error> {
    let clients: &Clients = cx.session.clients()?;
    let documents = |object: &Value| object.get(INLINE).map(inline::documents).unwrap_or_default();
    let (before, after) = (documents(prior), documents(planned));
    for policy in before.keys().filter(|policy| !after.contains_key(*policy)) {
        Holder::Role.delete(clients, name, policy).await?;
    }
    for (policy, document) in &after {
        if before.get(policy).is_none_or(|before| !(INLINE_POLICY.equivalent)(before, document)) {
            retry(cx, RETRIES, || Holder::Role.put(clients, name, policy, document)).await?;
        }
    }
    let arns = |object: &Value| texts(object, "managed_policy_arns").into_iter().collect::<BTreeSet<_>>();
    let (before, after) = (arns(prior), arns(planned));
    for policy in before.difference(&after) {
        Holder::Role.detach(clients, name, policy).await?;
    }
    for policy in after.difference(&before) {
        retry(cx, RETRIES, || Holder::Role.attach(clients, name, policy)).await?;
    }
    Ok(())
}

/// Waits until the role is found as planned.
async fn as_planned(cx: &Context<'_>, name: &str, planned: &Value) -> Result<Value, Error> {
    let clients: &Clients = cx.session.clients()?;
    let look = || async {
        forget_attached(clients, Holder::Role, name).await;
        let Some(observed) = observe(clients, name).await? else { return Ok(Err("no such role".to_owned())) };
        Ok(match observed.differs_from(planned) {
            Some(difference) => Err(difference.to_owned()),
            None => Ok(observed),
        })
    };
    let wait = Wait::new("the role to be known everywhere", PROPAGATION);
    let observed: Observed = wait.until(cx, "iam:GetRole", look).await?;
    let object = observed.into_state(planned, &cx.session.facts, false);
    // Policies that others gave it meanwhile are not of this change.
    let planned =
        |name: &str| planned.get(name).filter(|value| value.is_wholly_known() && !value.is_null()).cloned();
    Ok([INLINE, "managed_policy_arns"].into_iter().fold(object, |object, name| match planned(name) {
        Some(value) => object.with(name, value),
        None => object,
    }))
}
