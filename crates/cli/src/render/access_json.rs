//! Answers to questions about access, for tools.

use serde_json::{Value as Json, json};
use terrane_access::estate::{Estate, Principal};
use terrane_access::question::layer_name;
use terrane_access::reach::left_out;
use terrane_access::{Answered, Question, Right};
use terrane_iam::Answer;

use super::access_view::word;

const FORMAT: &str = "1.0";

fn who(principal: &Principal) -> Json {
    json!({ "arn": principal.arn, "address": principal.address, "origin": principal.origin })
}

fn answer(estate: &Estate, answered: &Answered) -> Json {
    let (layer, depends) = match &answered.answer {
        Answer::Denied(layer) => (Some(layer_name(layer)), vec![]),
        Answer::Depends(facts) => (None, facts.clone()),
        Answer::Allowed => (None, vec![]),
    };
    let reason = |reason: &terrane_iam::Reason| {
        json!({
            "action": reason.action,
            "kind": reason.kind.wording(),
            "policy": estate.label_of(&reason.policy),
            "place": estate.place_of(&reason.policy),
            "statement": reason.statement,
            "sid": reason.sid,
            "effect": reason.effect.map(|effect| effect.as_str()),
            "outcome": reason.outcome.to_string(),
        })
    };
    json!({
        "answer": word(&answered.answer),
        "layer": layer,
        "depends": depends,
        "settled_by": { "action": answered.action, "resource": answered.resource },
        "chain": answered.chain.iter().map(reason).collect::<Vec<_>>(),
    })
}

/// One answer with its chain.
pub fn answered(estate: &Estate, question: &Question<'_>, answered: &Answered) -> Json {
    let mut out = answer(estate, answered);
    if let Some(fields) = out.as_object_mut() {
        fields.insert("format_version".into(), FORMAT.into());
        fields.insert("principal".into(), who(question.principal));
        fields.insert("action".into(), question.action.into());
        fields.insert("resource".into(), question.resource.into());
    }
    out
}

/// Everybody who can, or may be able to.
pub fn who_can(estate: &Estate, action: &str, resource: &str, answers: &[(usize, Answered)]) -> Json {
    let one = |(number, answered): &(usize, Answered)| {
        let mut out = answer(estate, answered);
        let principal = estate.principals.get(*number).map(who);
        if let Some(fields) = out.as_object_mut() {
            fields.insert("principal".into(), principal.unwrap_or(Json::Null));
        }
        out
    };
    json!({
        "format_version": FORMAT,
        "action": action,
        "resource": resource,
        "answers": answers.iter().map(one).collect::<Vec<_>>(),
    })
}

/// All rights.
pub fn matrix(estate: &Estate, rights: &[Right], asked: usize, overlooked: &[String]) -> Json {
    let one = |right: &Right| {
        json!({
            "principal": estate.principals.get(right.principal).map(who),
            "resource": right.resource,
            "address": estate.label_of(&right.resource),
            "action": right.action,
            "answer": if right.depends.is_empty() { "ALLOWED" } else { "DEPENDS" },
            "depends": right.depends,
        })
    };
    json!({
        "format_version": FORMAT,
        "asked": asked,
        "rights": rights.iter().map(one).collect::<Vec<_>>(),
        "left_out": left_out(estate).map(who).collect::<Vec<_>>(),
        "overlooked": overlooked,
    })
}
