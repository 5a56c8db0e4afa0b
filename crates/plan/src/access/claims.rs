//! `[access.N]`: evaluated, judged, and what is wrong told at its place.

use terrane_access::claim::expanded;
use terrane_access::question::{BY, layer_wording};
use terrane_access::{Answered, Claim, Estate, Judgement, Verdict};
use terrane_expr::Expr;
use terrane_iam::{Answer, Outcome, Reason};
use terrane_model::convert::convert;
use terrane_model::{Diagnostic, Diagnostics, Key, ModulePath, Type, Value};
use terrane_spec::statement::{Access, Expectation};

use super::report::Assertion;
use crate::expand::{Wanted, instances};
use crate::world::{InstanceScope, World, evaluate_in};

/// How many answers that go against an assertion are told one by one.
const TOLD: usize = 3;

/// Evaluates and judges every assertion.
pub(super) fn judge_all(world: &World<'_>, estate: &Estate, diagnostics: &mut Diagnostics) -> Vec<Assertion> {
    let mut judged = Vec::new();
    for (claim, access) in evaluated(world, estate, diagnostics) {
        let judgement = estate.judge(&claim);
        diagnostics.extend(complaint(&judgement, access, estate));
        judged.push(Assertion::of(&judgement, estate));
    }
    judged
}

/// Every assertion with its values, and where it is declared.
pub(super) fn evaluated<'w>(
    world: &'w World<'_>,
    estate: &Estate,
    diagnostics: &mut Diagnostics,
) -> Vec<(Claim, &'w Access)> {
    let mut all = Vec::new();
    for (names, module) in world.spec().all_modules().filter(|(_, module)| !module.access.is_empty()) {
        for path in world.module_instances(names).unwrap_or_default() {
            for (name, access) in &module.access {
                evaluate(world, estate, &path, name, access, &mut all, diagnostics);
            }
        }
    }
    all
}

fn evaluate<'w>(
    world: &'w World<'_>,
    estate: &Estate,
    path: &ModulePath,
    name: &str,
    access: &'w Access,
    all: &mut Vec<(Claim, &'w Access)>,
    diagnostics: &mut Diagnostics,
) {
    let wanted = match instances(None, access.for_each.as_ref(), &world.module_scope(path)) {
        Ok(wanted) => wanted,
        Err(errors) => {
            diagnostics.extend(errors);
            return;
        }
    };
    for Wanted { key, each_value } in wanted {
        let scope = world.instance_scope(path, key.as_ref(), each_value.as_ref());
        let name = full_name(path, name, key.as_ref());
        match claim(&scope, name, access, estate) {
            Ok(claim) => all.push((claim, access)),
            Err(errors) => diagnostics.extend(errors),
        }
    }
}

fn full_name(path: &ModulePath, name: &str, key: Option<&Key>) -> String {
    let within = if path.is_root() { String::new() } else { format!("{path}.") };
    let key = match key {
        Some(Key::Name(key)) => format!("[{key:?}]"),
        Some(Key::Index(index)) => format!("[{index}]"),
        None => String::new(),
    };
    format!("{within}{name}{key}")
}

fn claim(
    scope: &InstanceScope<'_, '_>,
    name: String,
    access: &Access,
    estate: &Estate,
) -> Result<Claim, Diagnostics> {
    let mut unknown = Vec::new();
    let mut list = |what: &str, expr: &Expr| -> Result<Vec<String>, Diagnostics> {
        let value = evaluate_in(scope, expr)?.unmark_deep().0;
        let elements = if value.as_str().is_some() || value.is_unknown() {
            vec![value]
        } else {
            value.elements().to_vec()
        };
        let mut texts = Vec::new();
        for element in elements {
            match element.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => unknown.push(what.to_owned()),
            }
        }
        Ok(texts)
    };
    let principals = list("a principal", &access.principals)?;
    let actions = list("an action", &access.actions)?;
    let resources = list("a resource", &access.resources)?;
    let context = match &access.context {
        Some(expr) => pairs(&evaluate_in(scope, expr)?.unmark_deep().0),
        None => Some(vec![]),
    };
    if context.is_none() {
        unknown.push("a condition key".to_owned());
    }
    let principals = named("principal", principals, &access.principals, estate)?;
    let resources = named("resource", resources, &access.resources, estate)?;
    for action in &actions {
        let stands_for_none = resources.iter().all(|resource| expanded(action, resource).is_empty());
        if !action.contains(':') && action != "*" || (!resources.is_empty() && stands_for_none) {
            let detail = format!("`{action}` stands for no action that Terrane knows on these resources.");
            return Err(vec![
                Diagnostic::error("invalid-action", "Invalid action", detail)
                    .at(access.actions.span())
                    .hint("An action has a service and a name, such as `kms:Decrypt`; `*` and `?` stand for known ones."),
            ]);
        }
    }
    if let Some(empty) = [("principals", &principals), ("actions", &actions), ("resources", &resources)]
        .iter()
        .find(|(_, texts)| texts.is_empty() && unknown.is_empty())
    {
        let detail = format!("`access.{name}` has no {}: it would hold whatever happens.", empty.0);
        return Err(vec![
            Diagnostic::error("empty-assertion", "Assertion about nothing", detail).at(access.span),
        ]);
    }
    let by = access.by.as_ref().map(|(by, _)| by.to_string());
    if let Some((by, span)) = access.by.as_ref().filter(|(by, _)| !BY.contains(&by.as_ref())) {
        let near = terrane_model::nearest::nearest(by, BY.iter().copied());
        let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        let detail = format!("`{by}` is neither a service nor a layer that decides.{near}");
        let known: Vec<String> = BY.iter().map(|name| format!("`{name}`")).collect();
        return Err(vec![
            Diagnostic::error("invalid-value", "Value out of bounds", detail)
                .at(*span)
                .hint(format!("There are {}.", known.join(", "))),
        ]);
    }
    unknown.dedup();
    Ok(Claim {
        name,
        description: access.description.as_ref().map(|text| text.to_string()),
        principals,
        actions,
        resources,
        context: context.unwrap_or_default(),
        allowed: access.expect.0 == Expectation::Allowed,
        by,
        accept_depends: access.accept_depends,
        unknown,
    })
}

/// ARNs as they are, addresses as the ARNs that they stand for. What is neither would stand for nobody and nothing, and
/// an assertion about that would hold whatever happens.
fn named(what: &str, names: Vec<String>, expr: &Expr, estate: &Estate) -> Result<Vec<String>, Diagnostics> {
    let is_account = |name: &str| name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit());
    let resolved = names.into_iter().map(|name| match estate.arn_of(&name) {
        Some(arn) => Ok(arn.to_owned()),
        None if what == "principal" && name.ends_with(".amazonaws.com") => Ok(name),
        None if what == "principal" && is_account(&name) => Ok(format!("arn:aws:iam::{name}:root")),
        None => {
            let near = terrane_model::nearest::nearest(&name, estate.addresses());
            let near = near.map(|near| format!(" Did you mean the ARN of `{near}`?")).unwrap_or_default();
            let detail = format!("`{name}` is not the ARN of a {what}.{near}");
            Err(vec![Diagnostic::error("invalid-arn", "Invalid ARN", detail).at(expr.span())])
        }
    });
    resolved.collect()
}

/// Condition keys with their values; nothing when some are not known.
fn pairs(value: &Value) -> Option<Vec<(String, Vec<String>)>> {
    if !value.is_wholly_known() {
        return None;
    }
    let text = |value: &Value| convert(value, &Type::String).ok()?.as_str().map(str::to_owned);
    let entries = value.entries().into_iter().flatten();
    let pairs = entries.map(|(key, value)| {
        let texts = match text(value) {
            Some(text) => vec![text],
            None => value.elements().iter().filter_map(text).collect(),
        };
        (key.to_string(), texts)
    });
    Some(pairs.collect())
}

/// What is to be told of an assertion that does not hold.
fn complaint(judgement: &Judgement, access: &Access, estate: &Estate) -> Option<Diagnostic> {
    let claim = &judgement.claim;
    let expected = if claim.allowed { "allowed" } else { "denied" };
    let about = format!("`access.{}`", claim.name);
    let mut detail = match judgement.verdict {
        Verdict::Holds | Verdict::Accepted => return None,
        Verdict::Open if judgement.against.is_empty() => {
            format!("{about} can't be judged: {} is known only after apply.", claim.unknown.join(" and "))
        }
        Verdict::Open => format!(
            "{about} expects {} to be {expected}, and for {} of {} questions it depends on what is not known.",
            principals(claim, estate),
            judgement.against.len(),
            judgement.asked
        ),
        Verdict::Broken => format!(
            "{about} expects {} to be {expected}, and of {} questions {} came out otherwise.",
            principals(claim, estate),
            judgement.asked,
            judgement.against.len()
        ),
    };
    for (principal, action, resource, answered) in judgement.against.iter().take(TOLD) {
        detail.push_str(&format!(
            "\n{} {action} on {}: {}.",
            estate.label_of(principal),
            estate.label_of(resource),
            outcome(answered, claim)
        ));
        for reason in decisive(answered) {
            let place =
                estate.place_of(&reason.policy).map(|place| format!(" ({place})")).unwrap_or_default();
            detail.push_str(&format!("\n  {}{place}", told(reason, estate)));
        }
    }
    if judgement.against.len() > TOLD {
        detail.push_str(&format!("\n... and {} more.", judgement.against.len() - TOLD));
    }
    let diagnostic = match judgement.verdict {
        Verdict::Broken => Diagnostic::error("access-violated", "Access assertion violated", detail),
        _ => Diagnostic::error("access-open", "Access assertion undecided", detail),
    };
    let diagnostic = diagnostic.at(access.expect.1).hint(suggestion(judgement));
    Some(match judgement.against.first() {
        Some((principal, action, resource, _)) => diagnostic.hint(format!(
            "`terrane access explain '{}' {action} '{}'` shows every statement that was looked at.",
            estate.label_of(principal),
            estate.label_of(resource)
        )),
        None => diagnostic,
    })
}

fn principals(claim: &Claim, estate: &Estate) -> String {
    let names: Vec<String> =
        claim.principals.iter().map(|name| format!("`{}`", estate.label_of(name))).collect();
    match names.as_slice() {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

fn outcome(answered: &Answered, claim: &Claim) -> String {
    match &answered.answer {
        Answer::Allowed => "allowed".to_owned(),
        Answer::Depends(facts) => format!("depends on {}", facts.join(", ")),
        Answer::Denied(layer) => {
            let by = match (&claim.by, claim.allowed) {
                (Some(by), false) => format!(", and not by `{by}`"),
                _ => String::new(),
            };
            format!("denied at {}, since {}{by}", answered.action, layer_wording(layer))
        }
    }
}

/// The statements that an answer rests on.
fn decisive(answered: &Answered) -> impl Iterator<Item = &Reason> {
    let applies = |reason: &&Reason| {
        matches!(reason.outcome, Outcome::Applies | Outcome::HandsOverToIam | Outcome::AppliesIf(_))
    };
    answered.chain.iter().filter(applies)
}

/// A line of a chain with the key's address in the place of its ARN.
pub(super) fn told(reason: &Reason, estate: &Estate) -> String {
    let label = estate.label_of(&reason.policy).to_owned();
    format!("{}: {}", reason.action, Reason { policy: label, ..reason.clone() })
}

fn suggestion(judgement: &Judgement) -> &'static str {
    match (judgement.verdict, judgement.claim.allowed) {
        (Verdict::Open, _) => {
            "`context` gives condition keys a value; `accept_depends = true` accepts what can't be known before apply."
        }
        (_, true) => "Give the principal what is missing, or change what the assertion expects.",
        (_, false) => {
            "Take the right away in the statement that gives it, or change what the assertion expects."
        }
    }
}
