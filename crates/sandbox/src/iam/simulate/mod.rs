//! The policy simulator: what the policies of a user, group or role let it do, without doing it.
//!
//! As in AWS it looks at the policies of the entity, at those that the call gives, and at the organization's service control
//! policies, and not at the policies that a resource has. <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>

mod policies;
mod position;
mod request;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use terrane_iam::{
    Answer, Context, Decision, Document, Effect, KeyAuthority, Layer, NamedPolicy, Outcome, PolicyKind,
    PolicySources, Reason, Request, Statement, decide, decide_key,
};

use self::policies::Part;
use self::request::Simulation;
use super::paging;
use crate::policies::service_control;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply, Xml};

/// The decision on one action and resource, in the words of the simulator.
struct Verdict {
    word: &'static str,
    matched: Xml,
    missing: Vec<String>,
    within_boundary: Option<bool>,
    within_organization: Option<bool>,
    details: Xml,
}

pub(super) fn principal_policy(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let simulation = Simulation::of(visit)?;
    let actions: Vec<(usize, &String)> = simulation.actions.iter().enumerate().collect();
    let page = paging::at_hand(visit, actions, |(number, _)| format!("{number:08}"))?;
    let mut results = Xml::new();
    for (_, action) in &page.items {
        results.raw("member", evaluated(&simulation, action));
    }
    let mut xml = Xml::new();
    xml.raw("EvaluationResults", results);
    page.finish(&mut xml);
    Ok(xml.into())
}

/// The result of one action: the most restrictive one of all resources, and that of each.
fn evaluated(simulation: &Simulation<'_>, action: &str) -> Xml {
    let verdicts: Vec<(&String, Verdict)> = simulation
        .resources
        .iter()
        .map(|resource| (resource, verdict(simulation, action, resource)))
        .collect();
    let gravity =
        |word: &str| ["allowed", "implicitDeny", "explicitDeny"].iter().position(|one| *one == word);
    let word = verdicts.iter().map(|(_, verdict)| verdict.word).max_by_key(|word| gravity(word));
    let mut xml = Xml::new();
    xml.text("EvalActionName", action);
    match verdicts.as_slice() {
        [(resource, verdict)] => {
            xml.text("EvalResourceName", resource).text("EvalDecision", verdict.word);
            xml.element("MatchedStatements", |xml| xml.add(&verdict.matched));
            let missing: &[String] = if *resource == "*" { &verdict.missing } else { &[] };
            xml.texts("MissingContextValues", missing);
            boundary(&mut xml, verdict);
        }
        _ => {
            xml.text("EvalResourceName", "*").text("EvalDecision", word.unwrap_or("implicitDeny"));
            xml.texts("MatchedStatements", &[]).texts("MissingContextValues", &[]);
        }
    }
    // Told once for the action: it must be within on every resource.
    let within: Option<Vec<bool>> = verdicts.iter().map(|(_, verdict)| verdict.within_organization).collect();
    if let Some(within) = within {
        xml.element("OrganizationsDecisionDetail", |xml| {
            xml.text("AllowedByOrganizations", within.into_iter().all(|within| within));
        });
    }
    if simulation.resources != ["*"] {
        xml.texts("EvalDecisionDetails", &[]);
        xml.list("ResourceSpecificResults", &verdicts, |xml, (resource, verdict)| {
            xml.text("EvalResourceName", resource).text("EvalResourceDecision", verdict.word);
            xml.element("MatchedStatements", |xml| xml.add(&verdict.matched));
            xml.texts("MissingContextValues", &verdict.missing);
            xml.element("EvalDecisionDetails", |xml| xml.add(&verdict.details));
            boundary(xml, verdict);
        });
    }
    xml
}

fn boundary(xml: &mut Xml, verdict: &Verdict) {
    if let Some(allowed) = verdict.within_boundary {
        xml.element("PermissionsBoundaryDecisionDetail", |xml| {
            xml.text("AllowedByPermissionsBoundary", allowed);
        });
    }
}

fn verdict(simulation: &Simulation<'_>, action: &str, resource: &str) -> Verdict {
    let decision = decided(simulation, action, resource, simulation.context.clone());
    let (word, effect) = match &decision.answer {
        Answer::Allowed => ("allowed", Some(Effect::Allow)),
        Answer::Denied(Layer::ExplicitDeny { .. }) => ("explicitDeny", Some(Effect::Deny)),
        Answer::Denied(_) | Answer::Depends(_) => ("implicitDeny", None),
    };
    let applied: Vec<&Reason> =
        decision.chain.iter().filter(|reason| reason.outcome == Outcome::Applies).collect();
    let mut matched = Xml::new();
    // Of the organization's policies it is told only whether they allow.
    let told = |reason: &&&Reason| {
        effect.is_some() && reason.effect == effect && reason.kind != PolicyKind::ServiceControl
    };
    for reason in applied.iter().filter(told) {
        matched.raw("member", statement(simulation, reason));
    }
    let of_boundary = |wanted: Effect| {
        applied.iter().any(|reason| reason.kind == PolicyKind::Boundary && reason.effect == Some(wanted))
    };
    let within = of_boundary(Effect::Allow) && !of_boundary(Effect::Deny);
    Verdict {
        word,
        matched,
        missing: missing(simulation, action, resource),
        within_boundary: simulation.policies.has_boundary().then_some(within),
        within_organization: within_organization(simulation, action, resource),
        details: details(simulation, resource, &applied),
    }
}

fn decided(simulation: &Simulation<'_>, action: &str, resource: &str, context: Context) -> Decision {
    // The account of a resource whose ARN names none is that of its owner.
    let owned = owned(resource, &simulation.owner);
    let request = Request { caller: &simulation.caller, action, resource: &owned, context };
    let mut sources = simulation.policies.sources();
    sources.service_control = service_control(&simulation.caller, simulation.organization);
    match simulation.policies.of_resource() {
        Some(policy) if owned.split(':').nth(2) == Some("kms") => {
            sources.resource = None;
            let key = KeyAuthority { key_arn: &owned, key_policy: Some(policy), grants: &[], tags: None };
            decide_key(&request, &sources, &key)
        }
        _ => decide(&request, &sources),
    }
}

/// Whether the service control policies let it through, where some bind the caller.
fn within_organization(simulation: &Simulation<'_>, action: &str, resource: &str) -> Option<bool> {
    let levels = service_control(&simulation.caller, simulation.organization);
    if levels.is_empty() {
        return None;
    }
    let context = simulation.context.clone();
    let request = Request { caller: &simulation.caller, action, resource, context };
    let sources = PolicySources {
        service_control: levels,
        identity: vec![NamedPolicy::new("everything", &EVERYTHING)],
        ..PolicySources::default()
    };
    let answer = decide(&request, &sources).answer;
    Some(!matches!(
        answer,
        Answer::Denied(
            Layer::ServiceControlPolicy | Layer::ExplicitDeny { kind: PolicyKind::ServiceControl, .. }
        )
    ))
}

/// A policy that allows everything.
static EVERYTHING: LazyLock<Document> = LazyLock::new(|| {
    let all = Some(vec!["*".to_owned()]);
    let statement = Statement {
        index: 0,
        sid: None,
        effect: Effect::Allow,
        actions: all.clone(),
        not_actions: None,
        resources: all,
        not_resources: None,
        principals: None,
        not_principals: None,
        conditions: vec![],
    };
    Document { version: None, id: None, statements: vec![statement] }
});

fn owned(resource: &str, owner: &str) -> String {
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    match fields.as_slice() {
        [arn, partition, service, region, "", rest] if *service != "s3" => {
            format!("{arn}:{partition}:{service}:{region}:{owner}:{rest}")
        }
        _ => resource.to_owned(),
    }
}

/// The keys that statements on this action and resource ask for, and that nobody gave.
fn missing(simulation: &Simulation<'_>, action: &str, resource: &str) -> Vec<String> {
    let open = simulation.context.clone().into_partial();
    let chain = decided(simulation, action, resource, open).chain;
    let asked = chain.into_iter().filter_map(|reason| match reason.outcome {
        Outcome::AppliesIf(facts) => Some(facts),
        _ => None,
    });
    // What else is open, such as somebody's unique id, is no condition key.
    let keys: BTreeSet<String> =
        asked.flatten().filter(|fact| fact.contains(':') && !fact.contains(' ')).collect();
    keys.into_iter().collect()
}

/// What each kind of policy says by itself, told where the resource is in another account.
fn details(simulation: &Simulation<'_>, resource: &str, applied: &[&Reason]) -> Xml {
    let mut xml = Xml::new();
    let account = owned(resource, &simulation.owner).split(':').nth(4).unwrap_or_default().to_owned();
    if account.is_empty() || simulation.caller.account() == Some(&account) {
        return xml;
    }
    let says = |of_resource: bool| {
        let with = |effect: Effect| {
            applied.iter().any(|reason| {
                let is_of_resource = matches!(reason.kind, PolicyKind::Resource | PolicyKind::Key);
                is_of_resource == of_resource && reason.effect == Some(effect)
            })
        };
        match (with(Effect::Deny), with(Effect::Allow)) {
            (true, _) => "explicitDeny",
            (false, true) => "allowed",
            (false, false) => "implicitDeny",
        }
    };
    for (name, of_resource) in [("IAM Policy", false), ("Resource Policy", true)] {
        xml.element("entry", |xml| {
            xml.text("key", name).text("value", says(of_resource));
        });
    }
    xml
}

/// A statement that decided, by its policy and its place there.
fn statement(simulation: &Simulation<'_>, reason: &Reason) -> Xml {
    let mut xml = Xml::new();
    // The engine names a key's policy by the key.
    let policy = match reason.kind {
        PolicyKind::Key => simulation.policies.resource(),
        _ => simulation.policies.by_number(&reason.policy),
    };
    let Some(policy) = policy else { return xml };
    let kind = match policy.part {
        Part::Identity | Part::Group => "IAM Policy",
        Part::Boundary => "Permissions Boundary Policy",
        Part::Resource => "Resource Policy",
    };
    xml.text("SourcePolicyId", &policy.source).text("SourcePolicyType", kind);
    let places = position::statements(&policy.text);
    if let Some((from, to)) = reason.statement.and_then(|number| places.get(number)) {
        for (name, place) in [("StartPosition", from), ("EndPosition", to)] {
            xml.element(name, |xml| {
                xml.text("Line", place.line).text("Column", place.column);
            });
        }
    }
    xml
}
