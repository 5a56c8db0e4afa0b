//! What becomes of the objects: a row for each, and the details to open.

use std::cmp::Reverse;

use terrane_model::schema::Schemas;
use terrane_model::{Action, Reason};
use terrane_plan::{Change, Plan};

use super::contents::LONGEST_NAME;
use super::document::{
    Block, Folded, Importance, Inline, Row, Section, Table, lines, prose, rank, shortened, word,
};
use crate::render::change_text::header;
use crate::render::object;
use crate::render::plan_text::is_shown;

/// How many attributes a row names.
const NAMED: usize = 4;

/// The changes that are shown, what can't be undone first.
fn shown(plan: &Plan) -> Vec<&Change> {
    let mut all: Vec<&Change> = plan.changes.iter().filter(|change| is_shown(plan, change)).collect();
    all.sort_by_key(|change| Reverse(rank(Some(change.action))));
    all
}

/// The name of a change's object.
pub(super) fn name(change: &Change) -> String {
    let address = shortened(&change.address.to_string(), LONGEST_NAME);
    match &change.deposed {
        Some(key) => format!("{address} (deposed {})", shortened(key, 20)),
        None => address,
    }
}

/// Names it in links: the same in every run.
pub fn id(change: &Change) -> String {
    let whole = format!("{}/{}", change.address, change.deposed.as_deref().unwrap_or_default());
    anchor(&whole)
}

/// A text as something that links lead to: readable as far as it can be, and of its own for each text.
pub fn anchor(text: &str) -> String {
    // FNV-1a; a name is needed, not safety.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let readable: String = text.chars().take(60).map(plain).collect();
    format!("{}-{:08x}", readable.trim_matches('-'), hash & 0xffff_ffff)
}

/// The name of a change's object, leading to its details.
pub(super) fn link(change: &Change) -> Inline {
    Inline::Link { name: name(change), to: id(change) }
}

/// One row per object.
pub(super) fn table(plan: &Plan, schemas: &dyn Schemas) -> Option<Section> {
    let row = |change: &&Change| Row {
        action: Some(change.action),
        name: name(change),
        cells: vec![vec![Inline::Action(change.action)], vec![link(change)], why(change, schemas)],
    };
    let rows: Vec<Row> = shown(plan).iter().map(row).collect();
    (!rows.is_empty()).then(|| Section {
        id: "changes",
        title: "What changes".to_owned(),
        importance: Importance::High,
        share: 45,
        blocks: vec![Block::Table(Table { head: vec!["Action", "Object", "What and why"], rows })],
    })
}

/// What of an object changes, and why it is not just changed in place.
fn why(change: &Change, schemas: &dyn Schemas) -> Vec<Inline> {
    let (sentence, because) = header(change);
    let resource = &change.address.resource;
    let schema = schemas.schema(resource.mode, &resource.type_name);
    let changed = match (change.action, schema) {
        (Action::Update | Action::DeleteThenCreate | Action::CreateThenDelete, Some(schema)) => {
            object::changed(schema, change.before.as_ref(), change.after.as_ref(), &change.replace_paths)
        }
        _ => vec![],
    };
    let mut out = Vec::new();
    match change.action {
        Action::DeleteThenCreate => out.push(Inline::text("destroyed first")),
        Action::CreateThenDelete => out.push(Inline::text("made anew first")),
        Action::Update if is_recovered(change) => out.push(Inline::text("recovered: ")),
        _ => {}
    }
    if let (Action::NoOp, Some(previous)) = (change.action, &change.previous_address) {
        out.push(Inline::text("from "));
        out.push(Inline::code(shortened(&previous.to_string(), LONGEST_NAME)));
    } else if change.action == Action::NoOp {
        // What happens to it changes nothing about the object, and only the sentence says it.
        out.push(Inline::text(shortened(&sentence, 2 * LONGEST_NAME)));
    } else if change.action.is_replace() {
        let forcing: Vec<&str> =
            changed.iter().filter(|(_, forces)| *forces).map(|(name, _)| name.as_str()).collect();
        if forcing.is_empty() {
            out.extend(match change.reason {
                Reason::ReplaceBecauseTainted => Some(Inline::text("; tainted")),
                Reason::ReplaceByRequest => Some(Inline::text("; as requested")),
                Reason::ReplaceByTriggers => Some(Inline::text("; by replace_triggered_by")),
                _ => None,
            });
        } else {
            out.push(Inline::text("; forced by "));
            out.extend(names(&forcing));
        }
    } else {
        let changed: Vec<&str> = changed.iter().map(|(name, _)| name.as_str()).collect();
        out.extend(names(&changed));
    }
    for line in because {
        if !out.is_empty() {
            out.push(Inline::text("; "));
        }
        out.extend(prose(&shortened(line.trim_matches(['(', ')']), LONGEST_NAME)));
    }
    out
}

fn is_recovered(change: &Change) -> bool {
    let reasons = [Reason::UpdateBecausePendingDeletion, Reason::UpdateBecausePredecessorPendingDeletion];
    reasons.contains(&change.reason)
}

fn names(all: &[&str]) -> Vec<Inline> {
    let mut out = Vec::new();
    for (i, name) in all.iter().take(NAMED).enumerate() {
        if i > 0 {
            out.push(Inline::text(", "));
        }
        out.push(Inline::code(shortened(name, 60)));
    }
    if all.len() > NAMED {
        out.push(Inline::text(format!(" and {} more", all.len() - NAMED)));
    }
    out
}

/// Each object with what becomes of its attributes.
pub(super) fn details(plan: &Plan, schemas: &dyn Schemas) -> Option<Section> {
    let blocks: Vec<Block> = shown(plan).into_iter().map(|c| Block::Folded(one(c, schemas))).collect();
    (!blocks.is_empty()).then(|| Section {
        id: "details",
        title: "Details".to_owned(),
        importance: Importance::Middle,
        share: 100,
        blocks,
    })
}

fn one(change: &Change, schemas: &dyn Schemas) -> Folded {
    let (_, because) = header(change);
    let mut blocks = Vec::new();
    for line in because {
        blocks.push(Block::Paragraph(prose(line.trim_matches(['(', ')']))));
    }
    let resource = &change.address.resource;
    let schema = schemas.schema(resource.mode, &resource.type_name);
    if let Some(schema) = schema.filter(|_| change.action != Action::Forget) {
        blocks.push(Block::Lines(lines(&object::margin_lines(
            schema,
            &change.address,
            change.action,
            change.before.as_ref(),
            change.after.as_ref(),
            &change.replace_paths,
        ))));
    } else if change.action == Action::Forget {
        blocks.push(Block::Paragraph(vec![Inline::text(
            "It stays in AWS, and Terrane no longer knows of it.",
        )]));
    }
    Folded {
        id: id(change),
        action: Some(change.action),
        name: format!("{} ({})", name(change), word(change.action)),
        summary: vec![Inline::Action(change.action), Inline::text(" "), Inline::code(name(change))],
        blocks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::plan_text::tests::change;
    use crate::session;
    use terrane_model::{Path, Value};

    fn told(change: &Change) -> String {
        let one = |inline: Inline| match inline {
            Inline::Text(text) | Inline::Strong(text) => text,
            Inline::Code(text) | Inline::Link { name: text, .. } => format!("`{text}`"),
            Inline::Action(action) => word(action).to_owned(),
        };
        why(change, &session::catalog()).into_iter().map(one).collect()
    }

    #[test]
    fn every_change_says_what_and_why() {
        let data = |trigger: i64| {
            let null = || Value::null(terrane_model::Type::Any);
            Value::object([
                ("id", Value::from("x")),
                ("input", null()),
                ("output", null()),
                ("triggers_replace", Value::number(trigger)),
            ])
        };
        let of = |action, reason, paths: &[&str]| Change {
            reason,
            replace_paths: paths.iter().map(|path| Path::attribute(*path)).collect(),
            ..change("terraform_data.a", action, Some(data(1)), Some(data(2)))
        };
        let forced = of(Action::DeleteThenCreate, Reason::ReplaceBecauseCannotUpdate, &["triggers_replace"]);
        assert_eq!(told(&forced), "destroyed first; forced by `triggers_replace`");
        let cases = [
            (Action::CreateThenDelete, Reason::ReplaceBecauseTainted, "made anew first; tainted"),
            (Action::DeleteThenCreate, Reason::ReplaceByRequest, "destroyed first; as requested"),
            (Action::DeleteThenCreate, Reason::ReplaceByTriggers, "destroyed first; by replace_triggered_by"),
            (Action::Update, Reason::Plain, "`triggers_replace`"),
            (
                Action::Delete,
                Reason::DeleteBecauseNoResourceConfig,
                "because terraform_data.a is not in configuration",
            ),
            (Action::Create, Reason::Plain, ""),
            (Action::NoOp, Reason::Plain, "terraform_data.a stays as it is"),
        ];
        for (action, reason, text) in cases {
            assert_eq!(told(&of(action, reason, &[])), text);
        }
    }

    #[test]
    fn links_are_readable_and_different() {
        assert!(anchor("aws_a.b[\"x\"]").starts_with("aws-a-b--x-"));
        assert_ne!(anchor("a.b"), anchor("a_b"));
    }
}
