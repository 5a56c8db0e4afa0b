//! Answers to questions about access, for people.

use std::collections::BTreeMap;

use terrane_access::estate::{Estate, Origin, Principal};
use terrane_access::question::{layer_name, layer_wording};
use terrane_access::reach::left_out;
use terrane_access::{Answered, Question, Right};
use terrane_iam::{Answer, Outcome, Reason};

use super::paint::{Paint, Tone};

/// `ALLOWED`, `DENIED` or `DEPENDS`.
pub fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Allowed => "ALLOWED",
        Answer::Denied(_) => "DENIED",
        Answer::Depends(_) => "DEPENDS",
    }
}

fn coloured(answer: &Answer, paint: Paint) -> String {
    let tone = match answer {
        Answer::Allowed => Tone::Good,
        Answer::Denied(_) => Tone::Remove,
        Answer::Depends(_) => Tone::Change,
    };
    paint.tone(tone, word(answer))
}

/// Who a principal is, as people know them.
pub fn label(principal: &Principal) -> String {
    let name = principal.label();
    match principal.origin {
        Origin::Public => "* (anybody)".to_owned(),
        Origin::OtherAccount => format!("{name} (another account)"),
        Origin::Service => format!("{name} (service)"),
        Origin::Named => format!("{name} (not in this stack)"),
        Origin::Root => format!("{name} (root user)"),
        Origin::Managed => name.to_owned(),
    }
}

/// Everybody who can, and who may be able to.
pub fn who_can(
    estate: &Estate,
    action: &str,
    resource: &str,
    answers: &[(usize, Answered)],
    paint: Paint,
) -> String {
    let mut out = format!("{} on {}:\n", paint.strong(action), estate.label_of(resource));
    if answers.is_empty() {
        out.push_str("  nobody that this stack knows of\n");
    }
    for (number, answered) in answers {
        let Some(principal) = estate.principals.get(*number) else { continue };
        out.push_str(&format!("  {} {}\n", coloured(&answered.answer, paint), label(principal)));
        if let Answer::Depends(facts) = &answered.answer {
            out.push_str(&format!("          on {}\n", facts.join(", ")));
        }
    }
    out
}

/// One answer, and where asked for the whole chain.
pub fn answered(
    estate: &Estate,
    question: &Question<'_>,
    answered: &Answered,
    explain: bool,
    paint: Paint,
) -> String {
    let mut out = format!(
        "{}: {} {} on {}\n",
        coloured(&answered.answer, paint),
        label(question.principal),
        question.action,
        estate.label_of(question.resource)
    );
    match &answered.answer {
        Answer::Allowed => {}
        Answer::Depends(facts) => out.push_str(&format!("  depends on {}\n", facts.join(", "))),
        Answer::Denied(layer) => {
            let at = match answered.action == question.action {
                true => String::new(),
                false => format!("at {} on {}, ", answered.action, estate.label_of(&answered.resource)),
            };
            out.push_str(&format!("  {at}since {} ({})\n", layer_wording(layer), layer_name(layer)));
        }
    }
    if explain {
        out.push_str(&chain(estate, &answered.chain, paint));
    }
    out
}

/// The statements of a chain by policy.
type Policies<'r> = Vec<(String, Vec<&'r Reason>)>;

/// The chain as a tree: actions, policies, statements.
fn chain(estate: &Estate, reasons: &[Reason], paint: Paint) -> String {
    let mut actions: Vec<(&str, Policies<'_>)> = Vec::new();
    for reason in reasons {
        let place = estate.place_of(&reason.policy).map(|place| format!(", {place}")).unwrap_or_default();
        let name = estate.label_of(&reason.policy);
        let policy = format!("{} {name}{place}", kind(reason));
        if actions.last().is_none_or(|(action, _)| *action != reason.action) {
            actions.push((&reason.action, vec![]));
        }
        let Some((_, policies)) = actions.last_mut() else { continue };
        match policies.last_mut() {
            Some((last, statements)) if *last == policy => statements.push(reason),
            _ => policies.push((policy, vec![reason])),
        }
    }
    if actions.is_empty() {
        return "  no policy bears on it\n".to_owned();
    }
    let mut out = String::new();
    for (action, policies) in &actions {
        out.push_str(&format!("  {}\n", paint.strong(action)));
        for (i, (policy, statements)) in policies.iter().enumerate() {
            let last = i + 1 == policies.len();
            out.push_str(&format!("  {} {policy}\n", if last { "└─" } else { "├─" }));
            for (j, reason) in statements.iter().enumerate() {
                let stem = if last { "   " } else { "│  " };
                let branch = if j + 1 == statements.len() { "└─" } else { "├─" };
                out.push_str(&format!("  {stem}{branch} {}\n", statement(reason, paint)));
            }
        }
    }
    out
}

fn kind(reason: &Reason) -> &'static str {
    match reason.kind {
        terrane_iam::PolicyKind::Key => "key policy",
        kind => kind.wording(),
    }
}

fn statement(reason: &Reason, paint: Paint) -> String {
    let name = match (&reason.sid, reason.statement) {
        (Some(sid), _) => sid.clone(),
        (None, Some(index)) => format!("statement {}", index + 1),
        (None, None) => "as a whole".to_owned(),
    };
    let effect = reason.effect.map(|effect| format!(" ({})", effect.as_str())).unwrap_or_default();
    let text = format!("{name}{effect}: {}", reason.outcome);
    match reason.outcome {
        Outcome::Applies | Outcome::HandsOverToIam => paint.tone(Tone::Good, &text),
        Outcome::AppliesIf(_) | Outcome::TextUnknown => paint.tone(Tone::Change, &text),
        _ => text,
    }
}

/// The rights by resource and principal.
type Table<'e> = Vec<(&'e str, Vec<(String, Vec<&'e Right>)>)>;

fn by_resource<'e>(
    estate: &'e Estate,
    resources: &'e [(String, Vec<String>)],
    rights: &'e [Right],
) -> Table<'e> {
    let mut found: BTreeMap<&str, BTreeMap<usize, Vec<&Right>>> = BTreeMap::new();
    for right in rights {
        found.entry(&right.resource).or_default().entry(right.principal).or_default().push(right);
    }
    let rows = |arn: &str| {
        let principals = found.get(arn).into_iter().flatten();
        principals
            .filter_map(|(number, rights)| Some((label(estate.principals.get(*number)?), rights.clone())))
            .collect()
    };
    resources.iter().map(|(arn, _)| (estate.label_of(arn), rows(arn))).collect()
}

/// The actions of one principal on one resource; `?` behind those that depend on something.
fn actions(rights: &[&Right]) -> String {
    let one = |right: &&Right| format!("{}{}", right.action, if right.depends.is_empty() { "" } else { "?" });
    rights.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Everything at a terminal.
pub fn matrix(
    estate: &Estate,
    resources: &[(String, Vec<String>)],
    rights: &[Right],
    overlooked: &[String],
    paint: Paint,
) -> String {
    let mut out = String::new();
    for (resource, principals) in by_resource(estate, resources, rights) {
        out.push_str(&format!("{}\n", paint.strong(resource)));
        if principals.is_empty() {
            out.push_str("  nobody\n");
        }
        for (principal, rights) in principals {
            out.push_str(&format!("  {principal}\n      {}\n", actions(&rights)));
        }
    }
    if rights.iter().any(|right| !right.depends.is_empty()) {
        out.push_str("\n?: depends on something that is not known; `terrane access explain` says on what.\n");
    }
    for note in notes(estate, overlooked) {
        out.push_str(&format!("\n{note}\n"));
    }
    out
}

/// What a matrix does not say, a sentence each.
pub fn notes(estate: &Estate, overlooked: &[String]) -> Vec<String> {
    let strangers: Vec<&str> = left_out(estate).map(Principal::label).collect();
    let mut notes = Vec::new();
    if let [first, rest @ ..] = strangers.as_slice() {
        let who = match rest.len() {
            0 => (*first).to_owned(),
            more => format!("{first} and {more} more"),
        };
        notes.push(format!(
            "Left out: what only policies that are not of this stack could give to {who}. Of them counts what this stack \
             gives them."
        ));
    }
    notes.extend(unseen(overlooked));
    notes
}

/// That some objects are not looked at.
pub fn unseen(overlooked: &[String]) -> Option<String> {
    let names = overlooked.join(", ");
    (!overlooked.is_empty()).then(|| format!("Not looked at, since such objects are not read: {names}."))
}

/// Everything as a table of Markdown.
pub fn markdown(
    estate: &Estate,
    resources: &[(String, Vec<String>)],
    rights: &[Right],
    overlooked: &[String],
) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('`', "'");
    let mut out = "| Resource | Principal | Actions |\n|---|---|---|\n".to_owned();
    for (resource, principals) in by_resource(estate, resources, rights) {
        for (principal, rights) in principals {
            out.push_str(&format!(
                "| `{}` | `{}` | {} |\n",
                cell(resource),
                cell(&principal),
                actions(&rights)
            ));
        }
    }
    for note in notes(estate, overlooked) {
        out.push_str(&format!("\n{}\n", cell(&note)));
    }
    out
}
