//! Everything that somebody can do in an estate.

use std::borrow::Cow;

use terrane_iam::managed::AwsManaged;
use terrane_iam::{Answer, Caller, Effect, Grant, PolicySources, Request};

use crate::actions::{KEY, ROLE, TABLE, USER};
use crate::estate::{Estate, Origin, Place, Policy, Principal};
use crate::glob::Glob;
use crate::question::{Question, Target};

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
    let resources: Vec<Resource<'_>> = resources.iter().map(|one| Resource::new(estate, one)).collect();
    let mut matrix = Matrix { rights: Vec::new(), asked: 0 };
    for (number, principal) in estate.principals.iter().enumerate().filter(|(_, p)| who(p)) {
        let asker = Asker { estate, principal: quiet(principal), hints: Hints::of(&quiet(principal)) };
        let mut by_service: Vec<(&str, PolicySources<'_>)> = Vec::new();
        for resource in &resources {
            matrix.asked += resource.actions.len();
            asker.about(resource, &mut by_service, |action, depends| {
                matrix.rights.push(Right {
                    principal: number,
                    resource: resource.arn.to_owned(),
                    action: action.to_owned(),
                    depends,
                });
            });
        }
    }
    matrix
}

/// A resource with what is found out about it once.
struct Resource<'e> {
    arn: &'e str,
    /// The actions, in lower case, and what the resource is for each.
    actions: Vec<(&'e str, String, Target<'e>)>,
    door: Door,
}

impl<'e> Resource<'e> {
    fn new(estate: &'e Estate, (arn, actions): &'e (String, Vec<String>)) -> Resource<'e> {
        let one =
            |action: &'e String| (action.as_str(), action.to_ascii_lowercase(), estate.target(arn, action));
        Resource { arn, actions: actions.iter().map(one).collect(), door: Door::of(estate, arn) }
    }
}

/// Somebody who is asked about.
struct Asker<'e> {
    estate: &'e Estate,
    principal: Cow<'e, Principal>,
    hints: Hints,
}

impl<'e> Asker<'e> {
    /// Tells every action that is not denied, and on what it depends.
    fn about<'s>(
        &'s self,
        resource: &Resource<'s>,
        by_service: &mut Vec<(&'s str, PolicySources<'s>)>,
        mut tell: impl FnMut(&str, Vec<String>),
    ) where
        'e: 's,
    {
        let invited = resource.door.lets_in(&self.principal.caller);
        let own = self.hints.about(resource.arn);
        if !invited && own.is_empty() {
            return;
        }
        let mut asked: Option<Request<'_>> = None;
        for (action, lower, target) in &resource.actions {
            if !invited && !own.iter().any(|hint| hint.allows_action(lower)) {
                continue;
            }
            let question =
                Question { principal: &self.principal, action, resource: resource.arn, context: &[] };
            // All actions on one resource are asked with the same condition keys, but for the making of grants.
            let alone = lower == "kms:creategrant";
            let mut request = match asked.take() {
                Some(same) if !alone => Request { action, ..same },
                other => {
                    asked = other;
                    self.estate.request(&question, target)
                }
            };
            let service = action.split(':').next().unwrap_or_default();
            let place = by_service.iter().position(|(known, _)| *known == service);
            let place = place.unwrap_or_else(|| {
                by_service.push((service, self.estate.sources(&self.principal, action)));
                by_service.len() - 1
            });
            if let Some((_, sources)) = by_service.get_mut(place) {
                match self.estate.quick(&request, target, sources) {
                    Answer::Denied(_) => {}
                    Answer::Allowed => tell(action, vec![]),
                    Answer::Depends(facts) => tell(action, facts),
                }
            }
            if !alone {
                request.action = "";
                asked = Some(request);
            }
        }
    }
}

/// The principal without policies that nobody knows: of a stranger only what others give counts. Somebody of another account
/// needs both, so there the answer hangs on them.
fn quiet(principal: &Principal) -> Cow<'_, Principal> {
    if principal.origin != Origin::Named {
        return Cow::Borrowed(principal);
    }
    let mut principal = principal.clone();
    principal.identity.retain(|policy| policy.document.is_some());
    Cow::Owned(principal)
}

/// Somebody of whom there are policies that nobody knows, and that the matrix leaves out.
pub fn left_out(estate: &Estate) -> impl Iterator<Item = &Principal> {
    let open = |principal: &&Principal| {
        principal.origin == Origin::Named && principal.identity.iter().any(|policy| policy.document.is_none())
    };
    estate.principals.iter().filter(open)
}

/// What the Allow statements of somebody's own policies could be about.
struct Hints {
    all: Vec<Hint>,
}

struct Hint {
    actions: Actions,
    resources: Option<Vec<Glob>>,
}

enum Actions {
    Any,
    Matching(Vec<Glob>),
    /// Of what a policy of AWS's says on these nothing is known.
    WithoutText(&'static AwsManaged),
}

impl Hint {
    fn allows_action(&self, lower: &str) -> bool {
        match &self.actions {
            Actions::Any => true,
            Actions::Matching(globs) => globs.iter().any(|glob| glob.could_match(lower)),
            Actions::WithoutText(policy) => !policy.is_whole_for(lower),
        }
    }
}

impl Hints {
    fn of(principal: &Principal) -> Hints {
        if matches!(principal.caller, Caller::Root { .. }) {
            return Hints { all: vec![Hint { actions: Actions::Any, resources: None }] };
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
    let Some(document) = &policy.document else {
        return vec![Hint { actions: Actions::Any, resources: None }];
    };
    let globs = |patterns: &Option<Vec<String>>, fold: bool| {
        patterns.as_ref().map(|patterns| patterns.iter().map(|pattern| Glob::new(pattern, fold)).collect())
    };
    let allows = document.statements.iter().filter(|s| s.effect == Effect::Allow);
    let hints = allows.map(|s| Hint {
        actions: globs(&s.actions, true).map_or(Actions::Any, Actions::Matching),
        resources: globs(&s.resources, false),
    });
    let rest = policy.by_aws.filter(|policy| policy.whole_for.is_some());
    hints.chain(rest.map(|policy| Hint { actions: Actions::WithoutText(policy), resources: None })).collect()
}

/// The resource's own side: whom its policy, or a grant, could let in by itself.
struct Door {
    /// It could be anybody: some text is not known, or a statement names everybody but some.
    open: bool,
    named: Vec<terrane_iam::Principal>,
}

impl Door {
    fn of(estate: &Estate, arn: &str) -> Door {
        let (policies, grants): (Vec<&Policy>, &[Grant]) = match estate.places.get(arn) {
            Some(Place::Table(number)) => {
                let policy = estate.tables.get(*number).and_then(|table| table.policy.as_ref());
                (policy.into_iter().collect(), &[])
            }
            Some(Place::Key(number)) => match estate.keys.get(*number) {
                Some(key) => (vec![&key.policy], &key.grants),
                None => (vec![], &[]),
            },
            Some(Place::Principal(number)) => {
                let trust = estate.principals.get(*number).and_then(|role| role.trust.as_ref());
                (trust.into_iter().collect(), &[])
            }
            None => (vec![], &[]),
        };
        let mut door = Door { open: policies.iter().any(|policy| policy.document.is_none()), named: vec![] };
        let statements = policies.iter().filter_map(|p| p.document.as_deref()).flat_map(|d| &d.statements);
        for statement in statements.filter(|statement| statement.effect == Effect::Allow) {
            match &statement.principals {
                Some(principals) => door.named.extend(principals.iter().cloned()),
                None => door.open = true,
            }
        }
        for grant in grants {
            for kind in ["AWS", "Service"] {
                let (kind, value) = (kind.to_owned(), grant.grantee.clone());
                door.named.push(terrane_iam::Principal { kind, value });
            }
        }
        door.named.sort();
        door.named.dedup();
        door
    }

    fn lets_in(&self, caller: &Caller) -> bool {
        let matches =
            |principal| caller.matches(principal).is_some_and(|(via, _)| via != terrane_iam::Via::Account);
        self.open || self.named.iter().any(matches)
    }
}
