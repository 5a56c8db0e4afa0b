//! Key policies: the default one, what KMS accepts, and the check that nobody locks themselves out.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>

use serde::Deserialize;
use serde_json::json;
use terrane_iam::{PolicyUse, Rule};

use super::authority::{Authority, key_context, may, may_plainly, weigh};
use super::find;
use super::key::{KeyOnly, must_be_customers};
use super::records::Key;
use crate::grammar;
use crate::iam::PrincipalPolicy;
use crate::principals;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

/// The policy of a key that is made without one: everything is left to the account's IAM policies.
pub(super) fn default(visit: &Visit<'_>) -> PrincipalPolicy {
    let text = format!(
        "{{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n  \"Statement\" : [ {{\n    \"Sid\" : \"Enable IAM User Permissions\",\n    \"Effect\" : \"Allow\",\n    \"Principal\" : {{\n      \"AWS\" : \"{}\"\n    }},\n    \"Action\" : \"kms:*\",\n    \"Resource\" : \"*\"\n  }} ]\n}}",
        visit.iam_arn("root")
    );
    PrincipalPolicy { text, principals: Vec::new() }
}

const NO_SUCH_PRINCIPAL: &str = "Policy contains a statement with one or more invalid principals.";

fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new("MalformedPolicyDocumentException", message)
}

/// Reads a policy for a key and refuses what KMS refuses.
pub(super) fn accepted(
    visit: &Visit<'_>,
    key: &Key,
    text: &str,
    bypass_lockout_check: bool,
) -> Result<PrincipalPolicy, Refusal> {
    let document = grammar::accepted(text, PolicyUse::Key).map_err(|violation| match violation.rule {
        Rule::Size => Refusal::new("LimitExceededException", violation.message),
        Rule::PrincipalFormat => malformed(NO_SUCH_PRINCIPAL),
        Rule::Syntax => malformed(format!("Syntax errors in policy: {violation}")),
        _ => malformed(violation.to_string()),
    })?;
    let Ok(policy) = principals::bind(visit, text, &document)? else {
        return Err(malformed(NO_SUCH_PRINCIPAL));
    };
    if !bypass_lockout_check {
        let proposed = Authority::with_policy(visit, key, text)?;
        let decision = weigh(visit, &proposed, "kms:PutKeyPolicy", key_context(visit, key)?)?;
        if !decision.is_allowed() {
            return Err(malformed(
                "The new key policy will not allow you to update the key policy in the future.",
            ));
        }
    }
    Ok(policy)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetPolicy {
    key_id: String,
    policy_name: Option<String>,
}

pub(super) fn get(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: GetPolicy = visit.call.json()?;
    let key = find::by_key_name(visit, &input.key_id)?;
    may_plainly(visit, &key, "kms:GetKeyPolicy")?;
    only_default(input.policy_name.as_deref())?;
    Ok(json!({ "Policy": principals::rendered(visit, &key.policy)?, "PolicyName": "default" }).into())
}

fn only_default(name: Option<&str>) -> Result<(), Refusal> {
    match name {
        None | Some("default") => Ok(()),
        Some(_) => Err(find::not_found("No such policy exists")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutPolicy {
    key_id: String,
    policy_name: Option<String>,
    policy: String,
    #[serde(default)]
    bypass_policy_lockout_safety_check: bool,
}

pub(super) fn put(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: PutPolicy = visit.call.json()?;
    let mut key = find::by_key_name(visit, &input.key_id)?;
    let bypass = input.bypass_policy_lockout_safety_check;
    let context = key_context(visit, &key)?.with("kms:BypassPolicyLockoutSafetyCheck", bypass.to_string());
    may(visit, &key, "kms:PutKeyPolicy", context)?;
    must_be_customers(visit, &key)?;
    only_default(input.policy_name.as_deref())?;
    key.policy = accepted(visit, &key, &input.policy, bypass)?;
    visit.store.put(&key)?;
    Ok(Reply::Empty)
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let input: KeyOnly = visit.call.json()?;
    let key = find::by_key_name(visit, &input.key_id)?;
    may_plainly(visit, &key, "kms:ListKeyPolicies")?;
    Ok(json!({ "PolicyNames": ["default"], "Truncated": false }).into())
}
