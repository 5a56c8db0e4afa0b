//! Decisions where the resource's own policy must speak first: KMS keys with their grants, and roles with their trust
//! policies.
//!
//! A statement that names the caller is enough; one that names the caller's account leaves the decision to the account's
//! IAM policies; without either, IAM policies count for nothing.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam>

use crate::caller::Via;
use crate::context::ContextValue;
use crate::decide::{
    Answer, Decision, Gates, Layer, NamedPolicy, PolicySources, Request, Surroundings, decision, facts,
    in_another_account,
};
use crate::document::{Document, Effect, Principal};
use crate::facts::Facts;
use crate::pattern::{Match, could_be_equal};
use crate::reason::{Outcome, PolicyKind, Reason};
use crate::tally::{self, Tally, Trace};
use crate::truth::Truth;

/// What a key itself says about its use.
#[derive(Debug, Clone, Copy)]
pub struct KeyAuthority<'a> {
    /// The key's ARN. May hold [`crate::UNKNOWN`] for an id that AWS has not given yet.
    pub key_arn: &'a str,
    /// The key policy; `None` if its text is not known yet.
    pub key_policy: Option<&'a Document>,
    /// The grants that are in force.
    pub grants: &'a [Grant],
    /// All tags of the key, for `aws:ResourceTag`; `None` leaves them to the request's context.
    pub tags: Option<&'a [(String, String)]>,
}

/// A grant on a key.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The grant's id.
    pub id: String,
    /// The ARN of the grantee, or a service's principal name.
    pub grantee: String,
    /// The operations, such as `Decrypt`.
    pub operations: Vec<String>,
    /// What the request's encryption context must look like.
    pub constraint: Option<GrantConstraint>,
}

/// A grant's condition on the encryption context of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantConstraint {
    /// The context is exactly these pairs.
    Equals(Vec<(String, String)>),
    /// The context has at least these pairs.
    Subset(Vec<(String, String)>),
}

/// Decides on an operation on a KMS key. The resource is always the key; the request's own `resource` is not looked at.
///
/// Operations that are on no key (`kms:CreateKey`, `kms:ListKeys`) and the alias side of alias operations are for
/// [`crate::decide`].
pub fn decide_key(request: &Request<'_>, sources: &PolicySources<'_>, key: &KeyAuthority<'_>) -> Decision {
    let facts = key_facts(request, key);
    let mut trace = Trace::kept();
    let answer = weigh_key(&facts, sources, key, &mut trace);
    decision(&facts, answer, trace)
}

/// Answers as [`decide_key`] does, without the chain: for asking very often.
pub fn answer_key(request: &Request<'_>, sources: &PolicySources<'_>, key: &KeyAuthority<'_>) -> Answer {
    weigh_key(&key_facts(request, key), sources, key, &mut Trace::dropped())
}

pub(crate) fn key_facts<'a>(request: &'a Request<'a>, key: &KeyAuthority<'a>) -> Facts<'a> {
    Facts { resource_tags: key.tags, ..facts(request, key.key_arn) }
}

/// Decides on `sts:AssumeRole` of the role that is the request's resource and has this trust policy.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user.html>
pub fn decide_assume_role(
    request: &Request<'_>,
    sources: &PolicySources<'_>,
    trust: &NamedPolicy<'_>,
) -> Decision {
    let facts = facts(request, request.resource);
    let mut trace = Trace::kept();
    let around = Surroundings::gather(&facts, sources, &mut trace);
    let own = tally::policies(PolicyKind::Trust, [trust], &facts, &mut trace);
    let guard = Guard {
        own,
        grants: Tally::nothing(),
        not_named: Layer::TrustPolicy,
        not_in_iam: Layer::NoIdentityStatement,
    };
    let answer = guard.answer(&facts, &around);
    decision(&facts, answer, trace)
}

pub(crate) fn weigh_key(
    facts: &Facts<'_>,
    sources: &PolicySources<'_>,
    key: &KeyAuthority<'_>,
    trace: &mut Trace,
) -> Answer {
    let around = Surroundings::gather(facts, sources, trace);
    let policy = NamedPolicy { name: key.key_arn.to_owned(), document: key.key_policy };
    let own = tally::policies(PolicyKind::Key, [&policy], facts, trace);
    let mut grants = Tally::nothing();
    for grant in key.grants {
        add_grant(&mut grants, grant, facts, trace);
    }
    let guard = Guard { own, grants, not_named: Layer::KeyPolicy, not_in_iam: Layer::KeyIam };
    guard.answer(facts, &around)
}

/// A resource that is closed to IAM policies until its own policy opens it.
struct Guard {
    own: Tally,
    grants: Tally,
    not_named: Layer,
    not_in_iam: Layer,
}

impl Guard {
    fn answer(self, facts: &Facts<'_>, around: &Surroundings) -> Answer {
        let mut gates = Gates::default();
        gates.denials([&around.service_control, &around.resource_control, &self.own]);
        gates.denials(around.own());
        gates.need(Layer::ServiceControlPolicy, around.within_organization.clone());
        gates.need(self.not_named, self.own.allows().or(self.grants.allows()));
        // Across accounts the key's account can only open the door: the caller's account must send its own through, by
        // an IAM policy; a grant that names the caller needs none.
        let (free, named) = if in_another_account(facts) {
            (self.grants.allows_caller, self.grants.allows_role)
        } else {
            (
                self.own.allows_caller.or(self.grants.allows_caller),
                self.own.allows_role.or(self.grants.allows_role),
            )
        };
        around.need_unless(&mut gates, free, self.not_in_iam, named.or(around.identity.clone()));
        gates.settle()
    }
}

fn add_grant(tally: &mut Tally, grant: &Grant, facts: &Facts<'_>, trace: &mut Trace) {
    let (ways, outcome) = grant_ways(grant, facts);
    trace.add(|| Reason {
        action: facts.action.to_owned(),
        kind: PolicyKind::Grant,
        policy: grant.id.clone(),
        statement: None,
        sid: None,
        effect: Some(Effect::Allow),
        outcome,
    });
    if let Some((via, truth)) = ways {
        tally.allow(via, truth);
    }
}

fn grant_ways(grant: &Grant, facts: &Facts<'_>) -> (Option<(Via, Truth)>, Outcome) {
    let operation = facts.action.split_once(':').map_or(facts.action, |(_, operation)| operation);
    if !grant.operations.iter().any(|granted| granted.eq_ignore_ascii_case(operation)) {
        return (None, Outcome::OtherAction);
    }
    let kind = if grant.grantee.ends_with(".amazonaws.com") { "Service" } else { "AWS" };
    let grantee = Principal { kind: kind.to_owned(), value: grant.grantee.clone() };
    let Some((via, named)) = facts.caller.matches(&grantee) else {
        return (None, Outcome::OtherPrincipal);
    };
    let constraint = grant.constraint.as_ref().map_or(Truth::Yes, |constraint| satisfied(constraint, facts));
    match named.and(constraint) {
        Truth::No => (None, Outcome::ConstraintFails),
        Truth::Yes if via == Via::Account => (Some((via, Truth::Yes)), Outcome::HandsOverToIam),
        Truth::Yes => (Some((via, Truth::Yes)), Outcome::Applies),
        Truth::Depends(open) => {
            let outcome = Outcome::AppliesIf(open.iter().cloned().collect());
            (Some((via, Truth::Depends(open))), outcome)
        }
    }
}

const ENCRYPTION_CONTEXT: &str = "kms:encryptioncontext:";

/// Pairs are compared with regard to case, names too.
fn satisfied(constraint: &GrantConstraint, facts: &Facts<'_>) -> Truth {
    let (GrantConstraint::Equals(pairs) | GrantConstraint::Subset(pairs)) = constraint;
    let there = Truth::all(pairs.iter().map(|(name, wanted)| pair_given(name, wanted, facts)));
    match constraint {
        GrantConstraint::Subset(_) => there,
        GrantConstraint::Equals(_) => {
            let extra = facts.context.with_prefix(ENCRYPTION_CONTEXT).any(|(name, value)| {
                matches!(value, ContextValue::Values(_)) && !pairs.iter().any(|(wanted, _)| wanted == name)
            });
            let nothing_else = match (extra, facts.context.is_complete()) {
                (true, _) => Truth::No,
                (false, true) => Truth::Yes,
                (false, false) => Truth::depends_on("kms:EncryptionContextKeys"),
            };
            there.and(nothing_else)
        }
    }
}

fn pair_given(name: &str, wanted: &str, facts: &Facts<'_>) -> Truth {
    let open = || Truth::depends_on(format!("kms:EncryptionContext:{name}"));
    let given = facts.context.with_prefix(ENCRYPTION_CONTEXT).find(|(given, _)| *given == name);
    match given.map(|(_, value)| value) {
        None if facts.context.is_complete() => Truth::No,
        None | Some(ContextValue::Unknown) => open(),
        Some(ContextValue::Absent) => Truth::No,
        Some(ContextValue::Values(values)) => {
            Truth::any(values.iter().map(|value| match could_be_equal(wanted, value) {
                Match::Yes => Truth::Yes,
                Match::No => Truth::No,
                Match::Maybe => open(),
            }))
        }
    }
}
