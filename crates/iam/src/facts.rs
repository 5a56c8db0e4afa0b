//! The facts of one request: what was given, and what follows from caller, action and resource.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>

use crate::caller::{Caller, arn_account, arn_field};
use crate::context::{Context, ContextValue};
use crate::pattern::UNKNOWN;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) context: &'a Context,
    /// All tags of the resource, where the engine was told them; else they are looked for in the context.
    pub(crate) resource_tags: Option<&'a [(String, String)]>,
}

impl Facts<'_> {
    /// The value of a condition key, or of a policy variable.
    pub(crate) fn lookup(&self, key: &str) -> ContextValue {
        if let Some(tags) = self.resource_tags
            && let Some((prefix, name)) = key.split_at_checked("aws:ResourceTag/".len())
            && prefix.eq_ignore_ascii_case("aws:ResourceTag/")
        {
            let tag = tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(name));
            return optional(tag.map(|(_, value)| value.clone()));
        }
        if let Some(given) = self.context.get(key) {
            return given.clone();
        }
        let lower = key.to_ascii_lowercase();
        self.derived(&lower).unwrap_or_else(|| {
            let service = self.action.split(':').next().unwrap_or_default();
            let of_other_service = ["kms", "dynamodb"]
                .iter()
                .any(|owner| lower.split(':').next() == Some(owner) && !service.eq_ignore_ascii_case(owner));
            // A service's own keys are only in requests to that service.
            if of_other_service { ContextValue::Absent } else { self.context.fallback(&lower) }
        })
    }

    fn derived(&self, lower: &str) -> Option<ContextValue> {
        Some(match lower {
            "aws:principalarn" => optional(self.caller.principal_arn()),
            "aws:principalaccount" => optional(self.caller.account().map(str::to_owned)),
            "kms:calleraccount" if self.is_of("kms") => optional(self.caller.account().map(str::to_owned)),
            "aws:principaltype" => one(match self.caller {
                Caller::Root { .. } => "Account",
                Caller::User { .. } => "User",
                Caller::AssumedRole { .. } => "AssumedRole",
                Caller::Anonymous => "Anonymous",
                Caller::Service { .. } => return None,
            }),
            "aws:username" => match self.caller {
                Caller::User { arn, .. } => optional(arn.rsplit('/').next().map(str::to_owned)),
                _ => ContextValue::Absent,
            },
            "aws:userid" => match self.caller {
                Caller::Root { account, .. } => one(account),
                Caller::User { user_id, .. } => known(user_id.as_deref()),
                Caller::AssumedRole { role_id, session_name, .. } => match role_id {
                    Some(role_id) => one(&format!("{role_id}:{session_name}")),
                    None => one(&format!("{UNKNOWN}:{session_name}")),
                },
                Caller::Anonymous => one("anonymous"),
                Caller::Service { .. } => return None,
            },
            "aws:principalisawsservice" => {
                one(if matches!(self.caller, Caller::Service { .. }) { "true" } else { "false" })
            }
            "aws:principalservicename" => match self.caller {
                Caller::Service { name } => one(name),
                _ => ContextValue::Absent,
            },
            "aws:resourceaccount" => one(arn_account(self.resource)?),
            "aws:requestedregion" => one(arn_field(self.resource, 3)?),
            _ => return None,
        })
    }

    fn is_of(&self, service: &str) -> bool {
        self.action.split(':').next().is_some_and(|own| own.eq_ignore_ascii_case(service))
    }
}

fn one(value: &str) -> ContextValue {
    ContextValue::Values(vec![value.to_owned()])
}

fn optional(value: Option<String>) -> ContextValue {
    value.map_or(ContextValue::Absent, |value| ContextValue::Values(vec![value]))
}

fn known(value: Option<&str>) -> ContextValue {
    value.map_or(ContextValue::Unknown, one)
}
