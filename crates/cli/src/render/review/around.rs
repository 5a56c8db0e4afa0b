//! What stands around the changes: warnings, checks, what was changed outside, outputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::Action;
use terrane_model::schema::Schemas;
use terrane_plan::conditions::{Kind, Status, Verdict};
use terrane_plan::{Drift, OutputChange, Plan, PossibleMove};

use super::changes::anchor;
use super::contents::LONGEST_NAME;
use super::document::{Block, Folded, Importance, Inline, Line, Section, Tone, lines, prose, shortened};
use crate::render::plan_text::drift_that_matters;
use crate::render::{object, outputs as outputs_text};

/// The longest message that is shown whole.
const LONGEST_MESSAGE: usize = 2_000;

/// Warnings that came with the plan.
pub(super) fn warnings(all: &[&String]) -> Option<Section> {
    let one = |text: &&String| Block::Notice(Tone::Warning, vec![prose(&shortened(text, LONGEST_MESSAGE))]);
    (!all.is_empty()).then(|| Section {
        id: "warnings",
        title: if all.len() == 1 { "Warning".to_owned() } else { format!("{} warnings", all.len()) },
        importance: Importance::Vital,
        share: 25,
        blocks: all.iter().map(one).collect(),
    })
}

/// What looks like a rename, with the entries to paste.
pub(super) fn possible_moves(plan: &Plan) -> Option<Section> {
    let moves = &plan.possible_moves;
    if moves.is_empty() {
        return None;
    }
    let said = "The plan deletes what it makes anew under another address. Where only the name in the spec is another one, \
                say so in the spec, and nothing is deleted:";
    let entries: Vec<String> = moves.iter().map(PossibleMove::entry).collect();
    let entries = entries.join("\n\n");
    let lines = entries.lines().map(|text| Line { action: Action::NoOp, text: text.to_owned() });
    Some(Section {
        id: "moves",
        title: if moves.len() == 1 {
            "Looks like a rename".to_owned()
        } else {
            "Looks like renames".to_owned()
        },
        importance: Importance::Vital,
        share: 20,
        blocks: vec![Block::Notice(Tone::Warning, vec![prose(said)]), Block::Lines(lines.collect())],
    })
}

/// Conditions that do not hold, and how many could not be judged yet.
pub(super) fn checks(verdicts: &[Verdict]) -> Option<Section> {
    let mut points = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| verdict.status >= Status::Fail) {
        let how = if verdict.status == Status::Error { " could not be judged" } else { " does not hold" };
        let object = Inline::code(shortened(&verdict.object, LONGEST_NAME));
        let mut point = vec![object, Inline::Strong(how.to_owned())];
        for message in &verdict.messages {
            point.push(Inline::text(": "));
            point.extend(prose(&shortened(message, LONGEST_MESSAGE)));
        }
        points.push(point);
    }
    let count = |status: Status| verdicts.iter().filter(|verdict| verdict.status == status).count();
    let (holding, open) = (count(Status::Pass), count(Status::Unknown));
    let mut blocks = Vec::new();
    if !points.is_empty() {
        blocks.push(Block::List(points));
    } else if !verdicts.iter().any(|verdict| verdict.kind == Kind::Check) && open == 0 {
        return None;
    }
    let mut sum = format!("{holding} of {} hold", verdicts.len());
    if open > 0 {
        sum.push_str(&format!("; {open} can be judged only when the plan is applied"));
    }
    blocks.push(Block::Paragraph(vec![Inline::text(format!("{sum}."))]));
    let failing = verdicts.iter().any(|verdict| verdict.status >= Status::Fail);
    Some(Section {
        id: "checks",
        title: "Checks".to_owned(),
        importance: if failing { Importance::Vital } else { Importance::Low },
        share: 20,
        blocks,
    })
}

/// What had changed outside, as far as it matters.
pub(super) fn drift(plan: &Plan, schemas: &dyn Schemas) -> Option<Section> {
    let shown = drift_that_matters(plan);
    (!shown.is_empty()).then(|| Section {
        id: "drift",
        title: "Changed outside of Terrane".to_owned(),
        importance: Importance::High,
        share: 30,
        blocks: shown.into_iter().map(|drift| Block::Folded(drifted(drift, schemas))).collect(),
    })
}

fn drifted(drift: &Drift, schemas: &dyn Schemas) -> Folded {
    let name = shortened(&drift.address.to_string(), LONGEST_NAME);
    let how = if drift.after.is_none() { " was deleted" } else { " has changed" };
    let resource = &drift.address.resource;
    let schema = schemas.schema(resource.mode, &resource.type_name);
    let blocks = match (schema, &drift.after) {
        (Some(schema), Some(after)) => {
            let (before, after) = (Some(&drift.before), Some(after));
            let text = object::margin_lines(schema, &drift.address, Action::Update, before, after, &[]);
            vec![Block::Lines(lines(&text))]
        }
        _ => vec![Block::Paragraph(vec![Inline::text("The object is gone.")])],
    };
    Folded {
        id: format!("drift-{}", anchor(&drift.address.to_string())),
        action: None,
        name: name.clone(),
        summary: vec![Inline::code(name), Inline::text(how)],
        blocks,
    }
}

/// What becomes of the outputs.
pub(super) fn outputs(all: &BTreeMap<Arc<str>, OutputChange>) -> Option<Section> {
    let text = outputs_text::margin_lines(all);
    let count = all.values().filter(|output| output.action() != Action::NoOp).count();
    (!text.is_empty()).then(|| Section {
        id: "outputs",
        title: "Outputs".to_owned(),
        importance: Importance::Low,
        share: 30,
        blocks: vec![Block::Folded(Folded {
            id: "changed-outputs".to_owned(),
            action: None,
            name: "the outputs".to_owned(),
            summary: vec![Inline::text(match count {
                1 => "1 output changes".to_owned(),
                _ => format!("{count} outputs change"),
            })],
            blocks: vec![Block::Lines(lines(&text))],
        })],
    })
}
