//! What a plan says to a reviewer: totals, what can't be undone, and the sections.

use terrane_model::Action;
use terrane_model::schema::Schemas;
use terrane_plan::Plan;
use terrane_plan::plan::Mode;

use super::document::{Block, Document, Inline, Section, Tone, shortened};
use super::{around, changes};
use crate::render::plan_text;

/// The longest name that is shown whole.
pub(super) const LONGEST_NAME: usize = 160;
/// How many objects the warning of what is lost names.
const NAMED: usize = 8;

/// How the warning of what looks like a rename begins.
const RENAME: &str = "Looks like a rename";

/// What goes with an object beyond the object itself.
const LOSSES: [(&str, &str); 2] = [
    ("aws_dynamodb_table", "The items of a table go with it."),
    (
        "aws_kms_key",
        "What a key has encrypted can't be read any more: at once, and for good after the waiting period.",
    ),
];

/// Where a plan comes from, as far as a reviewer wants to know.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// What the review is called; tells one stack from another.
    pub title: Option<String>,
    /// The plan file as the user named it.
    pub file: Option<String>,
    /// Digest of the plan file, as `sha256sum` prints it.
    pub digest: Option<String>,
    /// Version of the program that made the plan.
    pub program: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// Warnings that came with the plan, as `summary: detail`.
    pub warnings: Vec<String>,
}

/// The document of a plan. `more` are the sections of others; they stand between the table and the details.
pub fn document(plan: &Plan, about: &About, more: Vec<Section>, schemas: &dyn Schemas) -> Document {
    let mut sections = beside(plan, about);
    sections.extend(changes::table(plan, schemas));
    sections.extend(more);
    sections.extend(around::drift(plan, schemas));
    sections.extend(changes::details(plan, schemas));
    sections.extend(around::outputs(&plan.outputs));
    Document {
        title: about.title.clone().unwrap_or_default(),
        totals: totals(plan),
        lead: lost(plan).into_iter().collect(),
        sections,
        closing: closing(plan, about),
        whole: match &about.file {
            Some(file) => {
                vec![
                    Inline::code(format!("terrane show {}", shortened(file, LONGEST_NAME))),
                    Inline::text(" shows it."),
                ]
            }
            None => vec![Inline::code("terrane plan"), Inline::text(" shows it.")],
        },
    }
}

/// What came with the plan and stands in no change: warnings and checks.
pub fn beside(plan: &Plan, about: &About) -> Vec<Section> {
    // What a check found stands among the checks.
    let found = || plan.verdicts.iter().flat_map(|verdict| &verdict.messages);
    let apart = |warning: &&String| !found().any(|message| warning.contains(message.as_str()));
    // So does a rename, in a section of its own.
    let renames = |warning: &&String| !plan.possible_moves.is_empty() && warning.starts_with(RENAME);
    let all = about.warnings.iter().filter(|warning| !renames(warning));
    let warnings: Vec<&String> = all.filter(apart).collect();
    let sections = around::warnings(&warnings).into_iter().chain(around::possible_moves(plan));
    sections.chain(around::checks(&plan.verdicts)).collect()
}

fn totals(plan: &Plan) -> String {
    let kind = match plan.mode {
        Mode::Normal => "Plan:",
        Mode::Destroy => "Plan to destroy everything:",
        Mode::RefreshOnly => {
            let count = plan.drift.len();
            let plural = if count == 1 { "object has" } else { "objects have" };
            return match count {
                0 => "Refresh-only plan: everything is as the state has it.".to_owned(),
                _ => format!("Refresh-only plan: {count} {plural} changed outside of Terrane."),
            };
        }
    };
    let outputs = plan.outputs.values().filter(|output| output.action() != Action::NoOp).count();
    if !plan.changes.iter().any(|change| plan_text::is_shown(plan, change) && change.action != Action::Read) {
        return match outputs {
            0 => "No changes.".to_owned(),
            1 => "No changes of objects; 1 output changes.".to_owned(),
            _ => format!("No changes of objects; {outputs} outputs change."),
        };
    }
    format!("{kind} {}", plan_text::sum(plan.totals()))
}

/// What can't be undone, by name.
fn lost(plan: &Plan) -> Option<Block> {
    let named = |pick: &dyn Fn(Action) -> bool, one: &str, many: &str| {
        let found: Vec<_> = plan.changes.iter().filter(|change| pick(change.action)).collect();
        if found.is_empty() {
            return None;
        }
        let mut line = vec![
            Inline::Strong(format!("{} ", found.len())),
            Inline::text(format!("{}: ", if found.len() == 1 { one } else { many })),
        ];
        for (i, change) in found.iter().take(NAMED).enumerate() {
            if i > 0 {
                line.push(Inline::text(", "));
            }
            line.push(changes::link(change));
        }
        if found.len() > NAMED {
            line.push(Inline::text(format!(" and {} more", found.len() - NAMED)));
        }
        Some(line)
    };
    let mut lines: Vec<Vec<Inline>> = [
        named(&|action| action == Action::Delete, "object is destroyed", "objects are destroyed"),
        named(
            &Action::is_replace,
            "object is destroyed and made anew",
            "objects are destroyed and made anew",
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    let gone = |type_name: &str| {
        plan.changes.iter().any(|change| {
            let goes = change.action == Action::Delete || change.action.is_replace();
            goes && change.address.resource.type_name.as_ref() == type_name
        })
    };
    let losses = LOSSES.iter().filter(|(type_name, _)| gone(type_name));
    lines.extend(losses.map(|(_, sentence)| vec![Inline::text(*sentence)]));
    (!lines.is_empty()).then_some(Block::Notice(Tone::Danger, lines))
}

fn closing(plan: &Plan, about: &About) -> Vec<Vec<Inline>> {
    let mut made = vec![
        Inline::text("Made by Terrane "),
        Inline::text(shortened(&about.program, 40)),
        Inline::text(" at "),
        Inline::text(shortened(&about.created, 40)),
        Inline::text(" in the workspace "),
        Inline::code(shortened(&plan.workspace, 90)),
        Inline::text(format!(" from serial {} of the state.", plan.prior.serial)),
    ];
    if let Some(digest) = &about.digest {
        made.extend([Inline::text(" SHA-256 of the plan file: "), Inline::code(digest.clone())]);
    }
    let mut lines = vec![made];
    if let Some(file) = about.file.as_ref().filter(|_| plan.has_changes()) {
        let command = format!("terrane apply {}", shortened(file, LONGEST_NAME));
        lines.push(vec![
            Inline::code(command),
            Inline::text(" carries out exactly this, and refuses when spec or state have moved."),
        ]);
    }
    lines
}
