//! What `[access.N]` asserts, and whether it holds.

use terrane_iam::Answer;

use crate::actions::known;
use crate::estate::{Estate, Origin, Principal};
use crate::question::{Answered, Question};

/// An assertion: every one of these principals is, or is not, allowed every one of these actions on every resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The name, with the key of an instance: `cannot_read`, `cannot_read["Post"]`.
    pub name: String,
    /// Why it matters.
    pub description: Option<String>,
    /// ARNs of users and roles, names of services, `*`.
    pub principals: Vec<String>,
    /// Actions; with `*` they stand for all actions that Terrane knows on the resource.
    pub actions: Vec<String>,
    /// ARNs.
    pub resources: Vec<String>,
    /// Condition keys of the request.
    pub context: Vec<(String, Vec<String>)>,
    /// Whether they must be allowed; else denied.
    pub allowed: bool,
    /// Which service or layer must have settled it.
    pub by: Option<String>,
    /// Whether an answer that depends on something is good enough.
    pub accept_depends: bool,
    /// What of it is not known yet: then it can't be judged.
    pub unknown: Vec<String>,
}

impl Claim {
    /// The questions that it asks: principal, action and resource.
    pub fn questions(&self) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        for principal in &self.principals {
            for resource in &self.resources {
                for action in self.actions.iter().flat_map(|action| expanded(action, resource)) {
                    all.push((principal.clone(), action, resource.clone()));
                }
            }
        }
        all
    }
}

/// How an assertion came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// Some answers depend on something, and the assertion accepts that.
    Accepted,
    /// Some answers depend on something, or something is not known yet.
    Open,
    /// It does not hold.
    Broken,
}

/// An assertion, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The assertion.
    pub claim: Claim,
    /// How it came out.
    pub verdict: Verdict,
    /// How many questions it asked.
    pub asked: usize,
    /// The answers that are not as asserted: principal, action and resource asked for, and the answer.
    pub against: Vec<(String, String, String, Answered)>,
    /// Which services or layers settled it, when it holds.
    pub settled_by: Vec<String>,
}

impl Estate {
    /// Judges an assertion.
    pub fn judge(&self, claim: &Claim) -> Judgement {
        let mut judgement = Judgement {
            claim: claim.clone(),
            verdict: match (claim.unknown.is_empty(), claim.accept_depends) {
                (true, _) => Verdict::Holds,
                (false, true) => Verdict::Accepted,
                (false, false) => Verdict::Open,
            },
            asked: 0,
            against: vec![],
            settled_by: vec![],
        };
        let mut last: Option<(String, Principal)> = None;
        for (name, action, resource) in claim.questions() {
            let principal = match last.take().filter(|(known, _)| *known == name) {
                Some((_, principal)) => principal,
                None => self.somebody(&name),
            };
            self.one(&mut judgement, &name, &principal, &action, &resource);
            last = Some((name, principal));
        }
        judgement
    }

    /// The principal with an ARN or an address, or somebody whom nothing in the stack names.
    pub fn somebody(&self, name: &str) -> Principal {
        self.principal(name).cloned().unwrap_or_else(|| stranger(name, self))
    }

    /// Whoever calls by this ARN, as AWS names callers: the session of a role, too, with what the stack knows of the role.
    pub fn caller(&self, arn: &str) -> Principal {
        let session = arn.split_once(":assumed-role/").and_then(|(start, rest)| {
            let (role, name) = rest.split_once('/')?;
            Some((start.split(':').nth(4)?, role, name))
        });
        let role = session.and_then(|(account, role, name)| {
            let found = self.principals.iter().find(|principal| {
                let mut fields = principal.arn.splitn(6, ':').skip(4);
                let (their, resource) = (fields.next(), fields.next().unwrap_or_default());
                let is_role = resource.starts_with("role/") && resource.rsplit('/').next() == Some(role);
                their == Some(account) && is_role && principal.origin == Origin::Managed
            })?;
            Some((found, name))
        });
        let Some((role, name)) = role else { return self.somebody(arn) };
        let mut principal = role.clone();
        if let terrane_iam::Caller::AssumedRole { session_arn, session_name, .. } = &mut principal.caller {
            arn.clone_into(session_arn);
            name.clone_into(session_name);
        }
        principal
    }

    fn one(
        &self,
        judgement: &mut Judgement,
        name: &str,
        principal: &Principal,
        action: &str,
        resource: &str,
    ) {
        let claim = &judgement.claim;
        let answered = self.ask(&Question { principal, action, resource, context: &claim.context });
        judgement.asked += 1;
        let by = claim.by.as_deref().is_none_or(|by| answered.is_by(by));
        let verdict = match (&answered.answer, claim.allowed) {
            (Answer::Depends(_), _) if claim.accept_depends => Verdict::Accepted,
            (Answer::Depends(_), _) => Verdict::Open,
            (Answer::Allowed, true) => Verdict::Holds,
            (Answer::Denied(_), false) if by => Verdict::Holds,
            _ => Verdict::Broken,
        };
        judgement.verdict = judgement.verdict.max(verdict);
        if verdict == Verdict::Holds {
            let by = settled_by(&answered);
            if !judgement.settled_by.contains(&by) {
                judgement.settled_by.push(by);
            }
        } else {
            judgement.against.push((name.to_owned(), action.to_owned(), resource.to_owned(), answered));
        }
    }
}

fn settled_by(answered: &Answered) -> String {
    match &answered.answer {
        Answer::Denied(layer) => format!("{} ({})", answered.service(), crate::question::layer_name(layer)),
        _ => answered.service().to_owned(),
    }
}

/// The actions that a pattern stands for on a resource; an action without `*` and `?` stands for itself.
pub fn expanded(action: &str, resource: &str) -> Vec<String> {
    if !action.contains(['*', '?']) {
        return vec![action.to_owned()];
    }
    let pattern = action.to_ascii_lowercase();
    let kind = match resource.split(':').nth(2) {
        Some("iam") if resource.contains(":user/") => "user",
        Some(service) => service,
        None => "",
    };
    let all = known(kind).into_iter();
    all.filter(|name| crate::glob::matches(&pattern, &name.to_ascii_lowercase())).map(str::to_owned).collect()
}

/// Somebody whom nothing in the stack names.
fn stranger(name: &str, estate: &Estate) -> Principal {
    crate::read::stranger(name, estate).unwrap_or_else(|| Principal {
        arn: name.to_owned(),
        address: None,
        caller: terrane_iam::Caller::Service { name: name.to_owned() },
        origin: Origin::Service,
        identity: vec![],
        groups: vec![],
        boundary: None,
        trust: None,
        tags: Some(vec![]),
    })
}
