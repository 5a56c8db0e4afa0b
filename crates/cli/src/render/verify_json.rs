//! What became of the assertions in reality, for tools.

use serde_json::{Value as Json, json};
use terrane_access::question::layer_name;
use terrane_access::{Estate, Real};
use terrane_aws::attempt::Happened;
use terrane_iam::Answer;

use super::access_view::word;
use crate::commands::verify::{Outcome, Trial, code_of};

const FORMAT: &str = "1.0";

/// Everything.
pub fn report(estate: &Estate, trials: &[Trial]) -> Json {
    let tried = trials.iter().filter(|trial| !trial.is_untried());
    json!({
        "format_version": FORMAT,
        "ok": trials.iter().all(Trial::agrees),
        "tried": tried.clone().count(),
        "agree": tried.filter(|trial| trial.agrees()).count(),
        "not_tried": trials.iter().filter(|trial| trial.is_untried()).count(),
        "trials": trials.iter().map(|trial| one(estate, trial)).collect::<Vec<_>>(),
    })
}

fn one(estate: &Estate, trial: &Trial) -> Json {
    let label = |arn: &str| Some(estate.label_of(arn)).filter(|label| *label != arn).map(str::to_owned);
    let untried = match &trial.outcome {
        Outcome::Untried(why) => Some(why.reason()),
        Outcome::Pending => Some("interrupted".to_owned()),
        Outcome::Tried(_) => None,
    };
    let proof = trial.proof.as_ref().map(|proof| {
        let layer = match &proof.answer {
            Answer::Denied(layer) => Some(layer_name(layer)),
            _ => None,
        };
        json!({
            "answer": word(&proof.answer),
            "layer": layer,
            "settled_by": { "action": proof.action, "resource": proof.resource },
        })
    });
    let agrees = (!trial.is_untried()).then(|| trial.agrees());
    json!({
        "assertion": trial.claim.name,
        "principal": { "arn": trial.principal, "address": label(&trial.principal) },
        "action": trial.action,
        "resource": trial.resource,
        "address": label(&trial.resource),
        "expected": { "answer": if trial.claim.allowed { "ALLOWED" } else { "DENIED" }, "by": trial.claim.by },
        "proof": proof,
        "not_tried": untried,
        "really": really(trial),
        "as_asserted": agrees.map(|_| trial.is_as_asserted()),
        "as_proved": agrees.map(|_| trial.is_as_proved()),
        "agrees": agrees,
    })
}

fn really(trial: &Trial) -> Option<Json> {
    let Outcome::Tried(happened) = &trial.outcome else { return None };
    let code = code_of(happened);
    Some(match (happened, trial.real()) {
        (Happened::Refused { message, .. }, Some(Real::Refused(refusal))) => json!({
            "answer": "DENIED",
            "code": code,
            "message": message,
            "action": refusal.action,
            "layer": refusal.layer,
        }),
        (Happened::Refused { message, .. } | Happened::Failed { message, .. }, _) => {
            json!({ "answer": "UNCLEAR", "code": code, "message": message, "action": null, "layer": null })
        }
        (Happened::Allowed { .. }, _) => {
            json!({ "answer": "ALLOWED", "code": code, "message": null, "action": null, "layer": null })
        }
    })
}
