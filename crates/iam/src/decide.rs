//! The decision on a request: which policies count, in which order, and what comes of them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>

use crate::caller::{Caller, arn_account};
use crate::context::Context;
use crate::document::Document;
use crate::facts::Facts;
use crate::pattern::UNKNOWN;
use crate::reason::{PolicyKind, Reason};
use crate::tally::{self, Tally, Trace};
use crate::truth::Truth;

/// What is asked: may this caller do this to that?
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The action, such as `dynamodb:GetItem`, in any case and without wildcards.
    pub action: &'a str,
    /// The resource's ARN, or `*` where an action has none. May hold [`UNKNOWN`].
    pub resource: &'a str,
    /// The condition keys.
    pub context: Context,
}

/// A policy with the name under which reasons speak of it.
#[derive(Debug, Clone)]
pub struct NamedPolicy<'a> {
    /// The name or ARN.
    pub name: String,
    /// The document; `None` if its text is not known yet, so that it may say anything.
    pub document: Option<&'a Document>,
}

impl<'a> NamedPolicy<'a> {
    /// Names a document.
    pub fn new(name: impl Into<String>, document: &'a Document) -> NamedPolicy<'a> {
        NamedPolicy { name: name.into(), document: Some(document) }
    }

    /// Names a policy whose text is not known yet.
    pub fn unknown(name: impl Into<String>) -> NamedPolicy<'a> {
        NamedPolicy { name: name.into(), document: None }
    }
}

/// The policies that a user has through one group.
#[derive(Debug, Clone)]
pub struct GroupPolicies<'a> {
    /// The group's name.
    pub group: String,
    /// Its inline and attached policies.
    pub policies: Vec<NamedPolicy<'a>>,
}

/// The policies that may bear on a request.
#[derive(Debug, Clone, Default)]
pub struct PolicySources<'a> {
    /// Inline and attached policies of the user or role. They do not limit a root user.
    pub identity: Vec<NamedPolicy<'a>>,
    /// Policies of the user's groups.
    pub groups: Vec<GroupPolicies<'a>>,
    /// The permissions boundary of the user or role.
    pub boundary: Option<NamedPolicy<'a>>,
    /// The session policies; empty if the session was made without any.
    pub session: Vec<NamedPolicy<'a>>,
    /// The policy attached to the resource.
    pub resource: Option<NamedPolicy<'a>>,
    /// Service control policies, one list for each level from the organization's root down to the caller's account. Each
    /// level must allow.
    pub service_control: Vec<Vec<NamedPolicy<'a>>>,
    /// Resource control policies of the resource's account and the levels above. They can only deny, since AWS attaches
    /// one that allows everything to every level.
    pub resource_control: Vec<NamedPolicy<'a>>,
}

/// What the engine says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The request is allowed.
    Allowed,
    /// The request is denied, and by which layer.
    Denied(Layer),
    /// The answer hangs on these facts.
    Depends(Vec<String>),
}

/// The layer of policies at which a request fails.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A statement denies.
    ExplicitDeny {
        /// The kind of the policy with the statement.
        kind: PolicyKind,
        /// The policy's name.
        policy: String,
    },
    /// A level of the organization does not allow it.
    ServiceControlPolicy,
    /// The resource's policy, which must allow a caller of another account, does not.
    ResourcePolicy,
    /// No identity policy allows it.
    NoIdentityStatement,
    /// The permissions boundary does not allow it.
    Boundary,
    /// No session policy allows it.
    SessionPolicy,
    /// The key's policy neither allows it nor leaves it to IAM, and no grant does.
    KeyPolicy,
    /// The key's policy leaves it to IAM policies, and none allows it.
    KeyIam,
    /// The role's trust policy does not allow it.
    TrustPolicy,
}

/// An answer with what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub answer: Answer,
    /// Every statement that was looked at, in the order of evaluation.
    pub chain: Vec<Reason>,
    /// The ARN of the caller.
    pub caller: String,
    /// The action that the answer is about: of several needed ones the one that settled it.
    pub action: String,
    /// The resource that the answer is about.
    pub resource: String,
}

impl Decision {
    /// True if the request is surely allowed.
    pub fn is_allowed(&self) -> bool {
        self.answer == Answer::Allowed
    }
}

/// Decides on a request to a service that IAM policies and, if it has one, the resource's policy govern.
///
/// A caller of the resource's account needs an identity policy or a resource policy that names it; one of another account
/// needs both. A resource whose account is not known counts as the caller's.
pub fn decide(request: &Request<'_>, sources: &PolicySources<'_>) -> Decision {
    let facts = facts(request, request.resource);
    let mut trace = Trace::kept();
    let answer = weigh(&facts, sources, &mut trace);
    decision(&facts, answer, trace)
}

/// Answers as [`decide`] does, without the chain: for asking very often.
pub fn answer(request: &Request<'_>, sources: &PolicySources<'_>) -> Answer {
    weigh(&facts(request, request.resource), sources, &mut Trace::dropped())
}

pub(crate) fn facts<'a>(request: &'a Request<'a>, resource: &'a str) -> Facts<'a> {
    Facts {
        caller: request.caller,
        action: request.action,
        resource,
        context: &request.context,
        resource_tags: None,
    }
}

pub(crate) fn decision(facts: &Facts<'_>, answer: Answer, trace: Trace) -> Decision {
    Decision {
        answer,
        chain: trace.into_reasons(),
        caller: facts.caller.arn(),
        action: facts.action.to_owned(),
        resource: facts.resource.to_owned(),
    }
}

pub(crate) fn weigh(facts: &Facts<'_>, sources: &PolicySources<'_>, trace: &mut Trace) -> Answer {
    let around = Surroundings::gather(facts, sources, trace);
    let resource = tally::policies(PolicyKind::Resource, &sources.resource, facts, trace);
    let mut gates = Gates::default();
    gates.denials([&around.service_control, &around.resource_control, &resource]);
    gates.denials(around.own());
    gates.need(Layer::ServiceControlPolicy, around.within_organization.clone());
    if in_another_account(facts) {
        gates.need(Layer::ResourcePolicy, resource.allows());
        around.need_own(&mut gates, Layer::NoIdentityStatement, around.identity.clone());
    } else {
        // A permission that the resource's policy gives to the caller itself is not limited by a boundary or a session
        // policy that is silent; one given to the role is:
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-resource-based.html
        let named = resource.allows_role.or(around.identity.clone());
        around.need_unless(&mut gates, resource.allows_caller, Layer::NoIdentityStatement, named);
    }
    gates.settle()
}

/// True if the resource surely belongs to another account than the caller.
pub(crate) fn in_another_account(facts: &Facts<'_>) -> bool {
    match (facts.caller.account(), arn_account(facts.resource)) {
        // What AWS itself owns, such as its managed policies, is in no other account.
        (Some(own), Some(other)) => {
            own != other && other != "aws" && !own.contains(UNKNOWN) && !other.contains(UNKNOWN)
        }
        _ => false,
    }
}

/// What every policy but the resource's says.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) service_control: Tally,
    pub(crate) resource_control: Tally,
    pub(crate) within_organization: Truth,
    identity_tally: Tally,
    boundary_tally: Tally,
    session_tally: Tally,
    /// Some identity policy allows, or the caller is a root user.
    pub(crate) identity: Truth,
    boundary: Truth,
    session: Truth,
}

impl Surroundings {
    pub(crate) fn gather(facts: &Facts<'_>, sources: &PolicySources<'_>, trace: &mut Trace) -> Surroundings {
        let mut within_organization = Truth::Yes;
        let mut service_control = Tally::nothing();
        for level in &sources.service_control {
            let tally = tally::policies(PolicyKind::ServiceControl, level, facts, trace);
            within_organization = within_organization.and(tally.allows());
            service_control.denied = service_control.denied.or(tally.denied);
            service_control.denied_by = service_control.denied_by.or(tally.denied_by);
        }
        let resource_control =
            tally::policies(PolicyKind::ResourceControl, &sources.resource_control, facts, trace);
        let root = matches!(facts.caller, Caller::Root { .. });
        let own = |kind, policies: &mut dyn Iterator<Item = &NamedPolicy<'_>>, trace: &mut Trace| {
            if root { Tally::nothing() } else { tally::policies(kind, policies, facts, trace) }
        };
        let through_groups = sources.groups.iter().flat_map(|group| &group.policies);
        let identity_tally =
            own(PolicyKind::Identity, &mut sources.identity.iter().chain(through_groups), trace);
        let boundary_tally = own(PolicyKind::Boundary, &mut sources.boundary.iter(), trace);
        let session_tally = own(PolicyKind::Session, &mut sources.session.iter(), trace);
        let free =
            |unlimited: bool, tally: &Tally| if root || unlimited { Truth::Yes } else { tally.allows() };
        Surroundings {
            within_organization,
            service_control,
            resource_control,
            identity: free(false, &identity_tally),
            boundary: free(sources.boundary.is_none(), &boundary_tally),
            session: free(sources.session.is_empty(), &session_tally),
            identity_tally,
            boundary_tally,
            session_tally,
        }
    }

    /// The caller's own policies, in the order in which their denials are named.
    pub(crate) fn own(&self) -> [&Tally; 3] {
        [&self.identity_tally, &self.boundary_tally, &self.session_tally]
    }

    /// Needs `named`, within the boundary and the session policies.
    pub(crate) fn need_own(&self, gates: &mut Gates, layer: Layer, named: Truth) {
        self.need_unless(gates, Truth::No, layer, named);
    }

    /// Needs `named`, within the boundary and the session policies, unless `free` holds already.
    pub(crate) fn need_unless(&self, gates: &mut Gates, free: Truth, layer: Layer, named: Truth) {
        gates.need(layer, free.clone().or(named));
        gates.need(Layer::Boundary, free.clone().or(self.boundary.clone()));
        gates.need(Layer::SessionPolicy, free.or(self.session.clone()));
    }
}

/// What a request must pass, in order.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    gates: Vec<(Layer, Truth)>,
    open_denials: Option<Truth>,
}

impl Gates {
    /// No statement of these may deny.
    pub(crate) fn denials<'t>(&mut self, tallies: impl IntoIterator<Item = &'t Tally>) {
        for tally in tallies {
            match &tally.denied_by {
                Some((kind, policy)) => {
                    self.need(Layer::ExplicitDeny { kind: *kind, policy: policy.clone() }, Truth::No);
                }
                None => {
                    let spared = tally.denied.clone().negate();
                    self.open_denials = Some(self.open_denials.take().unwrap_or(Truth::Yes).and(spared));
                }
            }
        }
    }

    pub(crate) fn need(&mut self, layer: Layer, truth: Truth) {
        self.gates.push((layer, truth));
    }

    /// Names the first gate that is surely shut; else what is open.
    pub(crate) fn settle(self) -> Answer {
        let mut all = self.open_denials.unwrap_or(Truth::Yes);
        for (layer, truth) in self.gates {
            if truth.is_no() {
                return Answer::Denied(layer);
            }
            all = all.and(truth);
        }
        match all {
            Truth::Yes => Answer::Allowed,
            // INVARIANT: each part of `all` was seen not to be `No`; if that were ever broken, deny.
            Truth::No => Answer::Denied(Layer::NoIdentityStatement),
            Truth::Depends(facts) => Answer::Depends(facts.into_iter().collect()),
        }
    }
}
