//! What the identity that deploys lacks of what its plan takes.
//!
//! Its own policies are judged elsewhere, permission by permission. Here it is seen what policies of resources give or
//! take besides, as far as the stack has these, and it is put into words.

use std::collections::{BTreeMap, BTreeSet};

use terrane_access::estate::Origin;
use terrane_access::{Estate, Question};
use terrane_iam::{Answer, Layer, PolicyKind};
use terrane_model::{Action, Diagnostic};
use terrane_provider::{Certainty, Verdict};

use super::{Needed, Needs, Part};
use crate::plan::{Plan, ProviderKey};

/// What a provider configuration needs for sure to carry the plan out, with the objects of it.
pub fn to_carry_out(plan: &Plan, needs: &Needs, provider: &ProviderKey) -> Vec<Needed> {
    let of_provider = plan.changes.iter().filter(|change| change.provider == *provider);
    let theirs: BTreeSet<String> = of_provider.map(|change| change.address.to_string()).collect();
    let sure = needs
        .needed
        .iter()
        .filter(|one| one.part == Part::Change && one.permission.certainty == Certainty::Sure);
    sure.filter_map(|one| {
        let addresses: BTreeSet<String> = one.addresses.intersection(&theirs).cloned().collect();
        (!addresses.is_empty()).then(|| Needed { addresses, ..one.clone() })
    })
    .collect()
}

/// Permissions to ask about together: each of the actions on each of the resources, under one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    /// The actions, of one service.
    pub actions: Vec<String>,
    /// The resources.
    pub resources: Vec<String>,
    /// A condition key and the value that the request has.
    pub context: Option<(&'static str, String)>,
}

/// Puts permissions together so that nothing is asked that is not needed.
pub fn together(needed: &[Needed]) -> Vec<Together> {
    type Context = Option<(&'static str, String)>;
    let mut resources: BTreeMap<(&str, Context), BTreeSet<&str>> = BTreeMap::new();
    for Needed { permission, .. } in needed {
        let context = permission.condition.as_ref().map(|condition| (condition.key, condition.value.clone()));
        resources.entry((&permission.action, context)).or_default().insert(&permission.resource);
    }
    let mut scopes: BTreeMap<(&str, Context, BTreeSet<&str>), Vec<String>> = BTreeMap::new();
    for ((action, context), resources) in resources {
        let service = action.split(':').next().unwrap_or_default();
        scopes.entry((service, context, resources)).or_default().push(action.to_owned());
    }
    let owned = |texts: BTreeSet<&str>| texts.into_iter().map(str::to_owned).collect();
    scopes
        .into_iter()
        .map(|((_, context, resources), actions)| Together { actions, resources: owned(resources), context })
        .collect()
}

/// Why a permission is lacking, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// A statement of the caller's policies denies it.
    Denied,
    /// The key's policy keeps the caller out, whatever theirs allow.
    ByKey,
    /// No policy of the caller's allows it.
    NotAllowed,
    /// The same, and a policy that is not known here may give it.
    UnlessGiven,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Why::Denied => "denied by a policy of the caller's or of its organization",
            Why::ByKey => "kept back by the key's policy",
            Why::NotAllowed => "allowed by no policy",
            Why::UnlessGiven => "allowed by no policy of the caller's, and the key's is not known here",
        }
    }
}

/// Who deploys.
#[derive(Clone, Copy, Debug)]
pub struct Deployer<'a> {
    /// The ARN of the caller.
    pub caller: &'a str,
    /// The ARN of the user or role whose policies bind them.
    pub subject: &'a str,
}

/// The stack's estates before and after the plan.
pub type Estates = (Estate, Estate);

/// A warning that names what the caller lacks; nothing where it lacks nothing. `verdict` is what their own policies say; the
/// estates are asked for only where policies of resources can make a difference.
pub fn warning(
    plan: &Plan,
    deployer: Deployer<'_>,
    needed: &[Needed],
    verdict: &dyn Fn(&Needed) -> Verdict,
    estates: &dyn Fn() -> Estates,
) -> Option<Diagnostic> {
    let judged: Vec<(&Needed, Verdict)> = needed.iter().map(|one| (one, verdict(one))).collect();
    let differs = |(one, verdict): &(&Needed, Verdict)| match verdict {
        Verdict::Allowed => is_on_key(one),
        Verdict::NotAllowed | Verdict::Denied => true,
        Verdict::Open => false,
    };
    if !judged.iter().any(differs) {
        return None;
    }
    let makes = [Action::Create, Action::CreateThenDelete, Action::DeleteThenCreate];
    let made = plan.changes.iter().filter(|change| makes.contains(&change.action));
    let made = made.map(|change| change.address.to_string()).collect();
    let (before, after) = estates();
    let seen = Seen { deployer, before: &before, after: &after, made };
    let lacking = judged.into_iter().filter_map(|(one, verdict)| Some((one, seen.why(one, verdict)?)));
    // First what is lacking on one resource, then resources of which the same is lacking.
    type Names<'n> = BTreeSet<&'n str>;
    let mut on_each: BTreeMap<(Why, &str), (Names<'_>, Names<'_>)> = BTreeMap::new();
    for (one, why) in lacking {
        let (actions, addresses) = on_each.entry((why, &one.permission.resource)).or_default();
        actions.insert(&one.permission.action);
        addresses.extend(one.addresses.iter().map(String::as_str));
    }
    let mut lines: BTreeMap<(Why, Names<'_>), (Names<'_>, Names<'_>)> = BTreeMap::new();
    for ((why, resource), (actions, addresses)) in on_each {
        let (resources, all) = lines.entry((why, actions)).or_default();
        resources.insert(resource);
        all.extend(addresses);
    }
    if lines.is_empty() {
        return None;
    }
    let caller = deployer.caller;
    let mut detail = format!("`{caller}` can't carry out all of this plan: it lacks permissions.");
    let hidden = lines.len().saturating_sub(LINES);
    for ((why, actions), (resources, addresses)) in lines.iter().take(LINES) {
        let on = if resources.contains("*") { String::new() } else { format!(" on {}", named(resources)) };
        let actions: Vec<&str> = actions.iter().copied().collect();
        let (actions, why) = (actions.join(", "), why.words());
        detail.push_str(&format!("\n{actions}{on}: {why}; for {}.", named(addresses)));
    }
    if hidden > 0 {
        detail.push_str(&format!("\n... and {hidden} more."));
    }
    let warning = Diagnostic::warning(CODE, "Permissions that the plan takes and the caller lacks", detail);
    Some(warning.hint("`terrane plan --permissions` writes the policy that this plan takes."))
}

/// The code of the warning.
pub const CODE: &str = "permissions-lacking";

/// As many lines has the warning.
const LINES: usize = 12;
/// As many objects and as many resources are named in a line.
const NAMED: usize = 3;

fn named(all: &BTreeSet<&str>) -> String {
    let some: Vec<&str> = all.iter().take(NAMED).copied().collect();
    match all.len().saturating_sub(some.len()) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}

struct Seen<'a> {
    deployer: Deployer<'a>,
    before: &'a Estate,
    after: &'a Estate,
    /// Addresses of what the plan makes.
    made: BTreeSet<String>,
}

impl Seen<'_> {
    fn why(&self, needed: &Needed, verdict: Verdict) -> Option<Why> {
        match verdict {
            Verdict::Denied => Some(Why::Denied),
            Verdict::Open => None,
            Verdict::Allowed if !is_on_key(needed) => None,
            Verdict::Allowed => {
                let answers = self.answers(needed);
                (!answers.is_empty() && answers.iter().all(is_kept_back)).then_some(Why::ByKey)
            }
            Verdict::NotAllowed => {
                let answers = self.answers(needed);
                let given = answers.contains(&Answer::Allowed);
                let unknown = answers.is_empty() && is_on_key(needed) && self.is_own(needed);
                let why = if unknown { Why::UnlessGiven } else { Why::NotAllowed };
                (!given).then_some(why)
            }
        }
    }

    /// Whether the resource is, or may be, in the caller's account: in another both sides must allow.
    fn is_own(&self, needed: &Needed) -> bool {
        let account = |arn: &str| arn.split(':').nth(4).map(str::to_owned);
        let resource = account(&needed.permission.resource);
        resource.as_deref() == Some("*") || resource == account(self.deployer.caller)
    }

    /// What the stack's policies say about it, on each object that may be meant, of the caller and of the role; nothing where
    /// the stack has none.
    fn answers(&self, needed: &Needed) -> Vec<Answer> {
        let mut context: Vec<(String, Vec<String>)> = Vec::new();
        if let Some(condition) = &needed.permission.condition {
            context.push((condition.key.to_owned(), vec![condition.value.clone()]));
            // A service that asks in the caller's name makes grants for itself.
            if condition.key == "kms:ViaService" {
                context.push(("kms:GrantIsForAWSResource".to_owned(), vec!["true".to_owned()]));
            }
        }
        let action = needed.permission.action.as_ref();
        let ask = |estate: &Estate, resource: &str| {
            [self.deployer.caller, self.deployer.subject].map(|arn| {
                let mut principal = estate.caller(arn);
                if principal.origin != Origin::Managed {
                    // What their own policies say was judged already: here is asked what others give them.
                    principal.identity = vec![];
                    principal.groups = vec![];
                    principal.boundary = None;
                }
                let question = Question { principal: &principal, action, resource, context: &context };
                estate.ask(&question).answer
            })
        };
        let resource = needed.permission.resource.as_str();
        if !resource.contains('*') {
            let has =
                |estate: &Estate| estate.keys.iter().any(|key| key.arn == resource && key.address.is_some());
            // A key's policy counts as it is; what others say may come with the plan.
            return match is_on_key(needed) {
                true if has(self.before) => ask(self.before, resource).into(),
                true if has(self.after) => ask(self.after, resource).into(),
                true => vec![],
                false => [ask(self.before, resource), ask(self.after, resource)].concat(),
            };
        }
        if !is_on_key(needed) {
            return vec![];
        }
        // The key itself where it is said, or else any that the plan makes: the id is not known yet.
        let made = self.after.keys.iter().filter_map(|key| Some((key.address.as_ref()?, key.arn.as_str())));
        let made: Vec<_> = made.filter(|(address, _)| self.made.contains(*address)).collect();
        let itself: Vec<_> =
            made.iter().filter(|(address, _)| needed.addresses.contains(*address)).copied().collect();
        let meant = if itself.is_empty() { made } else { itself };
        meant.into_iter().flat_map(|(_, arn)| ask(self.after, arn)).collect()
    }
}

/// Whether it is on a key itself, so that its policy counts. A key that is made with tags has none yet.
fn is_on_key(needed: &Needed) -> bool {
    let resource = needed.permission.resource.as_str();
    let is_made_with = needed.permission.action == "kms:TagResource" && resource.ends_with(":key/*");
    needed.permission.action.starts_with("kms:") && resource.contains(":key/") && !is_made_with
}

/// Whether the key's own policy refuses, whatever other policies say.
fn is_kept_back(answer: &Answer) -> bool {
    match answer {
        Answer::Denied(Layer::KeyPolicy) => true,
        Answer::Denied(Layer::ExplicitDeny { kind, .. }) => *kind == PolicyKind::Key,
        _ => false,
    }
}
