//! What an organization of AWS lets its accounts do: service and resource control policies, given as files.
//!
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>,
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>

use std::collections::BTreeMap;

use terrane_iam::{Caller, NamedPolicy};

use crate::estate::{Estate, Policy, Principal};

/// The policies of an organization that bear on the accounts of the stack. Without any, nothing is limited.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// The id, such as `o-a1b2c3d4e5`, where it is known.
    pub id: Option<String>,
    /// What binds the account that the stack lives in.
    pub own: Limits,
    /// What binds accounts by their twelve digits. Where the account that the stack lives in is among them, this counts.
    pub accounts: BTreeMap<String, Limits>,
}

/// What limits one account.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Service control policies, a list for each level from the organization's root to the account. Each level must allow.
    pub service_control: Vec<Vec<Policy>>,
    /// Resource control policies of all levels. They only deny.
    pub resource_control: Vec<Policy>,
}

impl Organization {
    /// All policies.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        let all = self.accounts.values().chain([&self.own]);
        all.flat_map(|limits| limits.service_control.iter().flatten().chain(&limits.resource_control))
    }

    /// What limits an account; `own` is the one that the stack lives in.
    pub fn limits(&self, account: &str, own: Option<&str>) -> Option<&Limits> {
        self.accounts.get(account).or_else(|| (own == Some(account)).then_some(&self.own))
    }
}

impl Estate {
    fn limits(&self, account: &str) -> Option<&Limits> {
        self.organization.limits(account, self.account.as_deref())
    }

    /// The service control policies that bind a principal: those of its account.
    pub(crate) fn service_control(&self, principal: &Principal) -> Vec<Vec<NamedPolicy<'_>>> {
        let caller = &principal.caller;
        let bound = caller.account().filter(|_| caller.is_bound_by_service_control());
        let levels = bound.and_then(|account| self.limits(account)).map(|limits| &limits.service_control);
        levels.into_iter().flatten().map(|level| level.iter().map(Policy::whole).collect()).collect()
    }

    /// The resource control policies that bind a request on a resource: those of the account that has it.
    pub(crate) fn resource_control(
        &self,
        caller: &Caller,
        action: &str,
        resource: &str,
    ) -> Vec<NamedPolicy<'_>> {
        let owner = account_of(resource).or(self.account.as_deref());
        let limits = owner.filter(|_| caller.is_bound_by_resource_control(action));
        let limits = limits.and_then(|owner| self.limits(owner));
        limits.into_iter().flat_map(|limits| &limits.resource_control).map(Policy::whole).collect()
    }

    /// The id of the organization, where it is known, and an account is one that the spec says to be in it.
    pub(crate) fn organization_of(&self, account: &str) -> Option<&str> {
        self.limits(account).and(self.organization.id.as_deref())
    }
}

/// The account in an ARN.
pub(crate) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}
