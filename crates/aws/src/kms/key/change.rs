//! Creating and updating a key: the calls and their order.

use std::time::Duration;

use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::types::{KeyMetadata, KeySpec, KeyUsageType, OriginType, Tag};
use terrane_model::Value;
use terrane_provider::once::create_once;
use terrane_provider::wait::{Wait, retry};
use terrane_provider::{Context, Error, Failure};

use super::observed::{Observed, observe};
use super::{is_pending_deletion, marked};
use crate::client::Clients;
use crate::error::failed;
use crate::kms::{PROPAGATION, RETRIES, STATE_CHANGE};
use crate::object::{filled, flag, needed, or_empty, settled, text, whole};
use crate::tags;

/// Makes the key and brings it into the planned state.
pub async fn create(cx: &Context<'_>, planned: &Value) -> Result<Value, Failure> {
    let metadata = make(cx, planned).await?;
    let id = metadata.key_id.clone();
    match finish(cx, planned, &id).await {
        Ok(object) => Ok(object),
        Err(error) => {
            let made = planned
                .clone()
                .with("id", Value::from(id.as_str()))
                .with("key_id", Value::from(id))
                .with("arn", or_empty(metadata.arn.as_deref()));
            Err(Failure { error, partial: Some(settled(made)) })
        }
    }
}

async fn make(cx: &Context<'_>, planned: &Value) -> Result<KeyMetadata, Error> {
    let clients: &Clients = cx.session.clients()?;
    let call = || async {
        let request = request(clients, cx.marker, planned)?;
        let once = aws_sdk_kms::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer =
            request.customize().config_override(once).send().await.map_err(failed("kms:CreateKey"))?;
        answer.key_metadata.ok_or_else(|| Error::bug("kms:CreateKey", "The answer names no key."))
    };
    let look = || async {
        let Some(marker) = cx.marker else { return Ok(None) };
        let Some(id) = marked(clients, marker).await? else { return Ok(None) };
        let answer =
            clients.kms().describe_key().key_id(id).send().await.map_err(failed("kms:DescribeKey"))?;
        Ok(answer.key_metadata)
    };
    retry(cx, RETRIES, || create_once(cx, call, look)).await
}

type CreateKey = aws_sdk_kms::operation::create_key::builders::CreateKeyFluentBuilder;

fn request(clients: &Clients, marker: Option<&str>, planned: &Value) -> Result<CreateKey, Error> {
    let owned = |name: &str| filled(planned, name).map(str::to_owned);
    let mut request = clients
        .kms()
        .create_key()
        .set_description(owned("description"))
        .set_key_spec(filled(planned, "customer_master_key_spec").map(KeySpec::from))
        .set_key_usage(filled(planned, "key_usage").map(KeyUsageType::from))
        .set_policy(owned("policy"))
        .set_multi_region(flag(planned, "multi_region").then_some(true))
        .bypass_policy_lockout_safety_check(flag(planned, "bypass_policy_lockout_safety_check"));
    if let Some(store) = owned("custom_key_store_id") {
        request = request.custom_key_store_id(store).origin(OriginType::AwsCloudhsm);
    }
    if let Some(key) = owned("xks_key_id") {
        request = request.xks_key_id(key).origin(OriginType::ExternalKeyStore);
    }
    let marker = marker.map(|marker| (tags::MARKER.to_owned(), marker.to_owned()));
    for (key, value) in tags::wanted(planned).into_iter().chain(marker) {
        request = request.tags(tag(&key, &value)?);
    }
    Ok(request)
}

fn tag(key: &str, value: &str) -> Result<Tag, Error> {
    let tag = Tag::builder().tag_key(key).tag_value(value).build();
    tag.map_err(|error| Error::bug("kms:TagResource", error.to_string()))
}

async fn finish(cx: &Context<'_>, planned: &Value, id: &str) -> Result<Value, Error> {
    if flag(planned, "enable_key_rotation") {
        set_rotation(cx, id, planned).await?;
    }
    if !planned.get("is_enabled").and_then(Value::as_bool).unwrap_or(true) {
        set_enabled(cx, id, false).await?;
    }
    let object = planned.clone().with("id", Value::from(id));
    in_effect(cx, id, &object, PROPAGATION).await
}

/// Brings the key from `prior` to `planned`.
pub async fn update(cx: &Context<'_>, prior: &Value, planned: &Value) -> Result<Value, Error> {
    let id = needed(prior, "id", "kms:DescribeKey")?;
    let recovered = match is_pending_deletion(prior) {
        true => Some(bring_back(cx, id, prior).await?),
        false => None,
    };
    let prior = recovered.as_ref().unwrap_or(prior);
    let kms = cx.session.clients::<Clients>()?.kms();
    let differs = |name: &str| prior.get(name) != planned.get(name);
    let change = tags::change(prior, planned);
    if !change.remove.is_empty() {
        let call = kms.untag_resource().key_id(id).set_tag_keys(Some(change.remove));
        call.send().await.map_err(failed("kms:UntagResource"))?;
    }
    if !change.put.is_empty() {
        let tags = change.put.iter().map(|(key, value)| tag(key, value)).collect::<Result<Vec<_>, _>>()?;
        let call = kms.tag_resource().key_id(id).set_tags(Some(tags));
        call.send().await.map_err(failed("kms:TagResource"))?;
    }
    let (was_enabled, enabled) = (flag(prior, "is_enabled"), flag(planned, "is_enabled"));
    if enabled && !was_enabled {
        set_enabled(cx, id, true).await?;
    }
    let rotates = flag(planned, "enable_key_rotation");
    let new_period = rotates
        && whole(planned, "rotation_period_in_days").is_some_and(|days| days > 0)
        && differs("rotation_period_in_days");
    if rotates != flag(prior, "enable_key_rotation") || new_period {
        set_rotation(cx, id, planned).await?;
    }
    if differs("description")
        && let Some(description) = text(planned, "description")
    {
        let call = kms.update_key_description().key_id(id).description(description);
        call.send().await.map_err(failed("kms:UpdateKeyDescription"))?;
    }
    if differs("policy")
        && let Some(policy) = filled(planned, "policy")
    {
        let bypass = flag(planned, "bypass_policy_lockout_safety_check");
        let call = || async {
            let call = kms.put_key_policy().key_id(id).policy_name("default").policy(policy);
            call.bypass_policy_lockout_safety_check(bypass).send().await.map_err(failed("kms:PutKeyPolicy"))
        };
        retry(cx, RETRIES, call).await?;
    }
    if was_enabled && !enabled {
        set_enabled(cx, id, false).await?;
    }
    let object = planned.clone().with("id", Value::from(id));
    in_effect(cx, id, &object, STATE_CHANGE).await
}

/// Cancels the deletion and enables the key, and gives it as it is then: its rotation comes back with it.
async fn bring_back(cx: &Context<'_>, id: &str, prior: &Value) -> Result<Value, Error> {
    let clients: &Clients = cx.session.clients()?;
    let answer = clients.kms().cancel_key_deletion().key_id(id).send().await;
    match answer.map_err(failed("kms:CancelKeyDeletion")) {
        Err(error) if error.is_not_found() => {
            let hint = "It came to its end since the plan was made. Plan again: the key is made anew then.";
            return Err(error.hint(hint));
        }
        // Somebody was faster.
        Err(error) if error.is_code("KMSInvalidStateException") => {}
        answer => drop(answer?),
    }
    set_enabled(cx, id, true).await?;
    let look = || async {
        let Some(observed) = observe(clients, id).await? else { return Ok(Err("no such key".to_owned())) };
        match observed.is_pending_deletion() {
            true => Ok(Err("a key that is pending deletion".to_owned())),
            false => Ok(Ok(observed)),
        }
    };
    let wait = Wait::new("the key to be back", PROPAGATION);
    let observed: Observed = wait.until(cx, "kms:DescribeKey", look).await?;
    Ok(observed.into_state(prior, &cx.session.facts, false).with("is_enabled", Value::bool(true)))
}

async fn set_enabled(cx: &Context<'_>, id: &str, enabled: bool) -> Result<(), Error> {
    let kms = cx.session.clients::<Clients>()?.kms();
    let call = || async {
        match enabled {
            true => kms.enable_key().key_id(id).send().await.map(drop).map_err(failed("kms:EnableKey")),
            false => kms.disable_key().key_id(id).send().await.map(drop).map_err(failed("kms:DisableKey")),
        }
    };
    retry(cx, RETRIES, call).await
}

async fn set_rotation(cx: &Context<'_>, id: &str, planned: &Value) -> Result<(), Error> {
    let kms = cx.session.clients::<Clients>()?.kms();
    let days = whole(planned, "rotation_period_in_days").filter(|days| *days > 0);
    let days = days.and_then(|days| i32::try_from(days).ok());
    let on = flag(planned, "enable_key_rotation");
    let call = || async {
        match on {
            true => {
                let call = kms.enable_key_rotation().key_id(id).set_rotation_period_in_days(days);
                call.send().await.map(drop).map_err(failed("kms:EnableKeyRotation"))
            }
            false => {
                let call = kms.disable_key_rotation().key_id(id);
                call.send().await.map(drop).map_err(failed("kms:DisableKeyRotation"))
            }
        }
    };
    retry(cx, RETRIES, call).await
}

/// Waits until the key is as planned, and gives it as the state has it.
async fn in_effect(cx: &Context<'_>, id: &str, planned: &Value, limit: Duration) -> Result<Value, Error> {
    let clients: &Clients = cx.session.clients()?;
    let look = || async {
        let Some(observed) = observe(clients, id).await? else { return Ok(Err("no such key".to_owned())) };
        Ok(match observed.differs_from(planned) {
            Some(difference) => Err(difference.to_owned()),
            None => Ok(observed),
        })
    };
    let wait = Wait::new("the key's settings to be in effect", limit.max(cx.timeout));
    let observed: Observed = wait.until(cx, "kms:DescribeKey", look).await?;
    Ok(observed.into_state(planned, &cx.session.facts, false))
}
