//! Everything that somebody can do in an estate.

use std::sync::Arc;

use terrane_iam::{Answer, Caller, Document, Effect};

use crate::actions::{KEY, ROLE, TABLE, USER};
use crate::estate::{Estate, Origin, Policy, Principal};
use crate::glob::Glob;
use crate::question::{Question, sources};

/// One right: somebody can, or may be able to, do something to something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The principal's number in [`Estate::principals`].
    pub principal: usize,
    /// The ARN of the resource.
    pub resource: String,
    /// The action.
    pub action: String,
    /// On what it depends; nothing when it is sure.
    pub depends: Vec<String>,
}

/// Answers of principals × resources × actions; what is in no right is denied.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// The rights, in the order of principals, resources and actions.
    pub rights: Vec<Right>,
    /// How many questions were answered.
    pub asked: usize,
}

/// All rights on the tables, keys and roles of the estate, by the actions of [`crate::actions`]. The root user, who can do
/// everything, is left out; of those whose own policies are not known only what others give them counts.
pub fn reach(estate: &Estate) -> Vec<Right> {
    let resources = resources(estate);
    let who = |principal: &Principal| principal.origin != Origin::Root;
    questions(estate, who, &resources).rights
}

/// The answers for every principal and the given actions on the given resources.
pub fn matrix(estate: &Estate, resources: &[(String, Vec<String>)]) -> Matrix {
    questions(estate, |_| true, resources)
}

/// The tables, keys and roles of the estate with the actions on each.
pub fn resources(estate: &Estate) -> Vec<(String, Vec<String>)> {
    let names = |list: &[(&str, crate::actions::Severity)]| -> Vec<String> {
        list.iter().map(|(name, _)| (*name).to_owned()).collect()
    };
    let tables = estate.tables.iter().map(|table| (table.arn.clone(), names(TABLE)));
    let keys =
        estate.keys.iter().filter(|key| key.address.is_some()).map(|key| (key.arn.clone(), names(KEY)));
    let own = estate.principals.iter().filter(|p| p.address.is_some());
    let own = own.map(|p| (p.arn.clone(), names(if p.trust.is_some() { ROLE } else { USER })));
    tables.chain(keys).chain(own).collect()
}

fn questions(
    estate: &Estate,
    who: impl Fn(&Principal) -> bool,
    resources: &[(String, Vec<String>)],
) -> Matrix {
    let doors: Vec<Door> = resources.iter().map(|(arn, _)| Door::of(estate, arn)).collect();
    let folded: Vec<Vec<String>> = resources
        .iter()
        .map(|(_, actions)| actions.iter().map(|a| a.to_ascii_lowercase()).collect())
        .collect();
    let mut matrix = Matrix { rights: Vec::new(), asked: 0 };
    for (number, principal) in estate.principals.iter().enumerate().filter(|(_, p)| who(p)) {
        let quiet = quiet(principal);
        let principal = &quiet;
        let hints = Hints::of(principal);
        for (((arn, actions), door), folded) in resources.iter().zip(&doors).zip(&folded) {
            matrix.asked += actions.len();
            let invited = door.lets_in(&principal.caller);
            let own = hints.about(arn);
            if !invited && own.is_empty() {
                continue;
            }
            let mut sources = sources(principal);
            for (action, lower) in actions.iter().zip(folded) {
                if !invited && !own.iter().any(|hint| hint.allows_action(lower)) {
                    continue;
                }
                let question = Question { principal, action, resource: arn, context: &[] };
                let depends = match estate.quick(&question, &mut sources) {
                    Answer::Denied(_) => continue,
                    Answer::Allowed => vec![],
                    Answer::Depends(facts) => facts,
                };
                matrix.rights.push(Right {
                    principal: number,
                    resource: arn.clone(),
                    action: action.clone(),
                    depends,
                });
            }
        }
    }
    matrix
}

/// The principal without policies that nobody knows: of a stranger only what others give counts.
fn quiet(principal: &Principal) -> Principal {
    let mut principal = principal.clone();
    if matches!(principal.origin, Origin::Named | Origin::OtherAccount) {
        principal.identity.retain(|policy| policy.document.is_some());
    }
    principal
}

/// What the Allow statements of somebody's own policies could be about.
struct Hints {
    all: Vec<Hint>,
}

struct Hint {
    actions: Option<Vec<Glob>>,
    resources: Option<Vec<Glob>>,
}

impl Hint {
    fn allows_action(&self, lower: &str) -> bool {
        self.actions.as_ref().is_none_or(|globs| globs.iter().any(|glob| glob.could_match(lower)))
    }
}

impl Hints {
    fn of(principal: &Principal) -> Hints {
        if matches!(principal.caller, Caller::Root { .. }) {
            return Hints { all: vec![Hint { actions: None, resources: None }] };
        }
        let groups = principal.groups.iter().flat_map(|(_, policies)| policies);
        Hints { all: principal.identity.iter().chain(groups).flat_map(hints).collect() }
    }

    fn about(&self, arn: &str) -> Vec<&Hint> {
        let matches = |hint: &&Hint| {
            hint.resources.as_ref().is_none_or(|globs| globs.iter().any(|glob| glob.could_match(arn)))
        };
        self.all.iter().filter(matches).collect()
    }
}

fn hints(policy: &Policy) -> Vec<Hint> {
    let Some(document) = &policy.document else { return vec![Hint { actions: None, resources: None }] };
    let globs = |patterns: &Option<Vec<String>>, fold: bool| {
        patterns.as_ref().map(|patterns| patterns.iter().map(|pattern| Glob::new(pattern, fold)).collect())
    };
    let allows = document.statements.iter().filter(|s| s.effect == Effect::Allow);
    allows.map(|s| Hint { actions: globs(&s.actions, true), resources: globs(&s.resources, false) }).collect()
}

/// The resource's own side: whom its policy, or a grant, could let in by itself.
struct Door {
    /// Some text is not known.
    open: bool,
    policies: Vec<Arc<Document>>,
    grantees: Vec<String>,
}

impl Door {
    fn of(estate: &Estate, arn: &str) -> Door {
        let mut door = Door { open: false, policies: vec![], grantees: vec![] };
        let table =
            estate.tables.iter().find(|table| table.arn == arn).and_then(|table| table.policy.as_ref());
        let key = estate.keys.iter().find(|key| key.arn == arn);
        let role = estate.principals.iter().find(|p| p.arn == arn).and_then(|p| p.trust.as_ref());
        for policy in table.into_iter().chain(key.map(|key| &key.policy)).chain(role) {
            match &policy.document {
                Some(document) => door.policies.push(document.clone()),
                None => door.open = true,
            }
        }
        door.grantees =
            key.into_iter().flat_map(|key| &key.grants).map(|grant| grant.grantee.clone()).collect();
        door
    }

    fn lets_in(&self, caller: &Caller) -> bool {
        if self.open {
            return true;
        }
        let named = |kind: &str, value: &str| {
            let principal = terrane_iam::Principal { kind: kind.to_owned(), value: value.to_owned() };
            caller.matches(&principal).is_some_and(|(via, _)| via != terrane_iam::Via::Account)
        };
        let allows = self.policies.iter().flat_map(|document| &document.statements);
        let mut allows = allows.filter(|statement| statement.effect == Effect::Allow);
        let by_policy = allows.any(|statement| match &statement.principals {
            Some(principals) => principals.iter().any(|p| named(&p.kind, &p.value)),
            None => true,
        });
        by_policy || self.grantees.iter().any(|g| named("AWS", g) || named("Service", g))
    }
}
