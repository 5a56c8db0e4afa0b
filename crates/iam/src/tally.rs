//! Policies added up: what they deny and what they allow, with a line for each statement.

use crate::caller::Via;
use crate::condition::Variables;
use crate::decide::NamedPolicy;
use crate::document::{Document, Effect, Statement};
use crate::facts::Facts;
use crate::reason::{Outcome, PolicyKind, Reason};
use crate::statement::{self, Finding, Setting};
use crate::truth::Truth;

/// What a set of policies says about a request.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Some statement denies.
    pub(crate) denied: Truth,
    /// The policy that surely denies, if there is one.
    pub(crate) denied_by: Option<(PolicyKind, String)>,
    /// Some statement allows the caller itself; boundaries and session policies that are silent do not limit it.
    pub(crate) allows_caller: Truth,
    /// Some statement allows the role of the session.
    pub(crate) allows_role: Truth,
    /// Some statement allows the account of the caller.
    pub(crate) allows_account: Truth,
}

impl Tally {
    pub(crate) fn nothing() -> Tally {
        Tally {
            denied: Truth::No,
            denied_by: None,
            allows_caller: Truth::No,
            allows_role: Truth::No,
            allows_account: Truth::No,
        }
    }

    /// Some statement allows, whoever it names.
    pub(crate) fn allows(&self) -> Truth {
        self.allows_caller.clone().or(self.allows_role.clone()).or(self.allows_account.clone())
    }

    pub(crate) fn allow(&mut self, via: Via, truth: Truth) {
        let slot = match via {
            Via::Everyone | Via::Root | Via::User | Via::Session | Via::Service => &mut self.allows_caller,
            Via::Role => &mut self.allows_role,
            Via::Account => &mut self.allows_account,
        };
        *slot = std::mem::replace(slot, Truth::No).or(truth);
    }

    fn deny(&mut self, kind: PolicyKind, policy: &str, truth: Truth) {
        if truth.is_yes() && self.denied_by.is_none() {
            self.denied_by = Some((kind, policy.to_owned()));
        }
        self.denied = std::mem::replace(&mut self.denied, Truth::No).or(truth);
    }
}

/// Takes the lines of a decision down, or lets them go where nobody will read them.
#[derive(Debug)]
pub(crate) struct Trace {
    reasons: Option<Vec<Reason>>,
}

impl Trace {
    pub(crate) fn kept() -> Trace {
        Trace { reasons: Some(Vec::new()) }
    }

    pub(crate) fn dropped() -> Trace {
        Trace { reasons: None }
    }

    pub(crate) fn into_reasons(self) -> Vec<Reason> {
        self.reasons.unwrap_or_default()
    }

    pub(crate) fn add(&mut self, reason: impl FnOnce() -> Reason) {
        if let Some(reasons) = &mut self.reasons {
            reasons.push(reason());
        }
    }
}

/// Adds policies of one kind up.
pub(crate) fn policies<'p, 'd: 'p>(
    kind: PolicyKind,
    policies: impl IntoIterator<Item = &'p NamedPolicy<'d>>,
    facts: &Facts<'_>,
    trace: &mut Trace,
) -> Tally {
    let mut tally = Tally::nothing();
    for policy in policies {
        match policy.document {
            Some(document) => add_document(&mut tally, kind, &policy.name, document, facts, trace),
            None => {
                let open = || Truth::depends_on(format!("the text of policy {}", policy.name));
                tally.deny(kind, &policy.name, open());
                for via in [Via::User, Via::Account] {
                    tally.allow(via, open());
                }
                trace.add(|| Reason {
                    action: facts.action.to_owned(),
                    kind,
                    policy: policy.name.clone(),
                    statement: None,
                    sid: None,
                    effect: None,
                    outcome: Outcome::TextUnknown,
                });
            }
        }
    }
    tally
}

fn add_document(
    tally: &mut Tally,
    kind: PolicyKind,
    name: &str,
    document: &Document,
    facts: &Facts<'_>,
    trace: &mut Trace,
) {
    let variables = if document.has_variables() { Variables::Replaced } else { Variables::Literal };
    let setting = match kind {
        PolicyKind::Resource | PolicyKind::ResourceControl | PolicyKind::Key => Setting::Resource,
        PolicyKind::Trust => Setting::Trust,
        PolicyKind::Identity
        | PolicyKind::Boundary
        | PolicyKind::Session
        | PolicyKind::ServiceControl
        | PolicyKind::Grant => Setting::Identity,
    };
    for statement in &document.statements {
        let finding = statement::apply(statement, variables, setting, facts);
        trace.add(|| reason(kind, name, statement, &finding, facts));
        match statement.effect {
            Effect::Deny => tally.deny(kind, name, finding.truth()),
            Effect::Allow => finding.ways.into_iter().for_each(|(via, truth)| tally.allow(via, truth)),
        }
    }
}

fn reason(
    kind: PolicyKind,
    name: &str,
    statement: &Statement,
    finding: &Finding,
    facts: &Facts<'_>,
) -> Reason {
    let only_account = !finding.ways.is_empty() && finding.ways.iter().all(|(via, _)| *via == Via::Account);
    let outcome = match (&finding.mismatch, finding.truth()) {
        (Some(mismatch), _) => mismatch.clone(),
        (None, Truth::Yes) if only_account && statement.effect == Effect::Allow => Outcome::HandsOverToIam,
        (None, Truth::Yes) => Outcome::Applies,
        (None, Truth::Depends(facts)) => Outcome::AppliesIf(facts.into_iter().collect()),
        (None, Truth::No) => Outcome::OtherPrincipal,
    };
    Reason {
        action: facts.action.to_owned(),
        kind,
        policy: name.to_owned(),
        statement: Some(statement.index),
        sid: statement.sid.clone(),
        effect: Some(statement.effect),
        outcome,
    }
}
