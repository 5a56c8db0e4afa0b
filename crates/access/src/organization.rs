//! What an organization of AWS lets its accounts do: service and resource control policies, given as files.
//!
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>,
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>

use terrane_iam::{Caller, NamedPolicy};

use crate::estate::{Estate, Policy, Principal};

/// The policies of an organization that bear on the account of the stack. Without any, nothing is limited.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// Service control policies, a list for each level from the organization's root to the account. Each level must allow.
    pub service_control: Vec<Vec<Policy>>,
    /// Resource control policies of all levels. They only deny.
    pub resource_control: Vec<Policy>,
}

/// The services whose resources a resource control policy can speak of.
///
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>,
/// <https://aws.amazon.com/about-aws/whats-new/2026/02/aws-expands-resource-control-policies-amazon/>
pub const BOUND_SERVICES: &[&str] = &[
    "aoss",
    "cognito-identity",
    "cognito-idp",
    "dynamodb",
    "ecr",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "sqs",
    "sts",
];

impl Organization {
    /// All policies.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.service_control.iter().flatten().chain(&self.resource_control)
    }
}

impl Estate {
    /// The service control policies that bind a principal: those of the stack's account, but for service-linked roles.
    pub(crate) fn service_control(&self, principal: &Principal) -> Vec<Vec<NamedPolicy<'_>>> {
        let bound =
            principal.caller.account().is_some_and(|account| Some(account) == self.account.as_deref());
        if !bound || is_service_linked(&principal.caller) {
            return vec![];
        }
        let levels = self.organization.service_control.iter();
        levels.map(|level| level.iter().map(Policy::whole).collect()).collect()
    }

    /// The resource control policies that bind a request on a resource: of services that have such, where the resource is
    /// the stack's account's, and but for service-linked roles.
    pub(crate) fn resource_control(
        &self,
        caller: &Caller,
        action: &str,
        resource: &str,
    ) -> Vec<NamedPolicy<'_>> {
        let service = action.split(':').next().unwrap_or_default();
        let known = BOUND_SERVICES.iter().any(|known| known.eq_ignore_ascii_case(service));
        let owner = resource.split(':').nth(4).filter(|account| !account.is_empty());
        let ours = owner.is_none_or(|owner| Some(owner) == self.account.as_deref());
        if !known || !ours || is_service_linked(caller) {
            return vec![];
        }
        self.organization.resource_control.iter().map(Policy::whole).collect()
    }
}

fn is_service_linked(caller: &Caller) -> bool {
    matches!(caller, Caller::AssumedRole { role_arn, .. } if role_arn.contains(":role/aws-service-role/"))
}
