//! Does one statement apply to a request, and for whom?

use crate::caller::{Caller, Via};
use crate::condition::{self, Variables};
use crate::document::{Effect, Principal, Statement};
use crate::facts::Facts;
use crate::pattern::{FoldCase, Match, Pattern, Wildcards, fold, quick};
use crate::reason::Outcome;
use crate::truth::Truth;

/// What kind of policy the statement stands in, as far as reading it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// No principal is named: the policy belongs to the caller.
    Identity,
    /// A principal must be named, and a resource.
    Resource,
    /// A principal must be named; the resource is the role itself and goes unsaid.
    Trust,
}

/// What came of a statement.
#[derive(Debug)]
pub(crate) struct Finding {
    /// For each way in which the caller is meant, whether the statement applies. `Identity` statements have one entry.
    pub(crate) ways: Vec<(Via, Truth)>,
    /// The first reason why it surely does not apply.
    pub(crate) mismatch: Option<Outcome>,
}

impl Finding {
    fn none(outcome: Outcome) -> Finding {
        Finding { ways: Vec::new(), mismatch: Some(outcome) }
    }

    /// Whether the statement applies in any way.
    pub(crate) fn truth(&self) -> Truth {
        Truth::any(self.ways.iter().map(|(_, truth)| truth.clone()))
    }
}

pub(crate) fn apply(
    statement: &Statement,
    variables: Variables,
    setting: Setting,
    facts: &Facts<'_>,
) -> Finding {
    let action = action_matches(statement, facts);
    if action.is_no() {
        return Finding::none(Outcome::OtherAction);
    }
    let resource = resource_matches(statement, variables, setting, facts);
    if resource.is_no() {
        return Finding::none(Outcome::OtherResource);
    }
    let ways = match setting {
        Setting::Identity => vec![(Via::User, Truth::Yes)],
        Setting::Resource | Setting::Trust => principal_ways(statement, facts.caller),
    };
    if ways.is_empty() {
        return Finding::none(Outcome::OtherPrincipal);
    }
    let mut common = action.and(resource);
    for one in &statement.conditions {
        let held = condition::holds(one, variables, facts);
        if held.is_no() {
            let (operator, key) = (one.operator.clone(), one.key.clone());
            return Finding::none(Outcome::ConditionFails { operator, key });
        }
        common = common.and(held);
    }
    let ways = ways.into_iter().map(|(via, truth)| (via, truth.and(common.clone()))).collect();
    Finding { ways, mismatch: None }
}

fn action_matches(statement: &Statement, facts: &Facts<'_>) -> Truth {
    let named = |patterns: &[String]| {
        Truth::any(patterns.iter().map(|pattern| match quick(pattern, facts.action, FoldCase::Yes) {
            Some(known) => known.into(),
            None => {
                let read = Pattern::new(pattern, Wildcards::Active, None).fold_case();
                truth(read.matches(&fold(facts.action)), read, "an action that is not known yet")
            }
        }))
    };
    elements(&statement.actions, &statement.not_actions, named).unwrap_or(Truth::No)
}

fn resource_matches(
    statement: &Statement,
    variables: Variables,
    setting: Setting,
    facts: &Facts<'_>,
) -> Truth {
    // A `*` that ends a field of an ARN may reach over the colons that follow, so the whole text is matched at once:
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    let named = |patterns: &[String]| {
        Truth::any(patterns.iter().map(|pattern| match quick(pattern, facts.resource, FoldCase::No) {
            Some(known) => known.into(),
            None => {
                let lookup = |key: &str| facts.lookup(key);
                let lookup: Option<&dyn Fn(&str) -> _> = match variables {
                    Variables::Replaced => Some(&lookup),
                    Variables::Literal => None,
                };
                let read = Pattern::new(pattern, Wildcards::Active, lookup);
                truth(read.matches(facts.resource), read, "an ARN that is not known yet")
            }
        }))
    };
    // A key policy's statement without a resource has no effect:
    // https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
    elements(&statement.resources, &statement.not_resources, named)
        .unwrap_or_else(|| (setting == Setting::Trust).into())
}

/// Combines an element with its `Not` form; `None` if neither is there.
fn elements(
    these: &Option<Vec<String>>,
    others: &Option<Vec<String>>,
    named: impl Fn(&[String]) -> Truth,
) -> Option<Truth> {
    match (these, others) {
        (None, None) => None,
        (Some(these), None) => Some(named(these)),
        (None, Some(others)) => Some(named(others).negate()),
        (Some(these), Some(others)) => Some(named(these).and(named(others).negate())),
    }
}

fn truth(matched: Match, pattern: Pattern, unnamed: &str) -> Truth {
    match matched {
        Match::Yes => Truth::Yes,
        Match::No => Truth::No,
        Match::Maybe if pattern.unknown.is_empty() => Truth::depends_on(unnamed),
        Match::Maybe => Truth::Depends(pattern.unknown),
    }
}

fn principal_ways(statement: &Statement, caller: &Caller) -> Vec<(Via, Truth)> {
    let listed = |principals: &[Principal]| -> Vec<(Via, Truth)> {
        principals.iter().filter_map(|principal| caller.matches(principal)).collect()
    };
    match (&statement.principals, &statement.not_principals) {
        (Some(principals), None) => listed(principals),
        (None, Some(others)) => {
            let outside = outside(&listed(others), statement.effect, caller);
            if outside.is_no() { Vec::new() } else { vec![(Via::Everyone, outside)] }
        }
        (Some(principals), Some(others)) => {
            let outside = outside(&listed(others), statement.effect, caller);
            if outside.is_no() {
                return Vec::new();
            }
            listed(principals).into_iter().map(|(via, truth)| (via, truth.and(outside.clone()))).collect()
        }
        (None, None) => Vec::new(),
    }
}

/// Whether the caller is none of the principals that a `NotPrincipal` element lists.
///
/// AWS may check a user's account, or a session's account and role, before the principal itself, so a denial spares
/// somebody for sure only if all of these are listed:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
fn outside(listed: &[(Via, Truth)], effect: Effect, caller: &Caller) -> Truth {
    let as_any = |wanted: &[Via]| {
        Truth::any(listed.iter().filter(|(via, _)| wanted.contains(via)).map(|(_, truth)| truth.clone()))
    };
    let everyone = as_any(&[Via::Everyone]);
    let own = as_any(&[Via::Root, Via::User, Via::Role, Via::Session, Via::Service]);
    let account = as_any(&[Via::Account]);
    let whole = match caller {
        Caller::User { .. } => own.clone().and(account.clone()),
        Caller::AssumedRole { .. } => as_any(&[Via::Session]).and(as_any(&[Via::Role])).and(account.clone()),
        Caller::Root { .. } | Caller::Service { .. } | Caller::Anonymous => own.clone(),
    };
    let surely_listed = match effect {
        Effect::Deny => whole.or(everyone.clone()),
        Effect::Allow => own.clone().or(everyone.clone()),
    };
    let perhaps_listed = match effect {
        Effect::Deny => own.or(everyone),
        Effect::Allow => own.or(everyone).or(account),
    };
    match (surely_listed, perhaps_listed) {
        (Truth::Yes, _) => Truth::No,
        (_, Truth::No) => Truth::Yes,
        (Truth::Depends(facts), _) | (_, Truth::Depends(facts)) => Truth::Depends(facts),
        (Truth::No, Truth::Yes) => Truth::depends_on(
            "how AWS reads a NotPrincipal that lists the caller without its account or role",
        ),
    }
}
