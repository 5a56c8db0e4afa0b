//! What a plan does to access, as sections of a review.

use terrane_access::estate::Origin;
use terrane_access::{Change, Verdict};
use terrane_plan::access::AccessReport;

use super::access_text::{other_condition, outcome, resources, verb, who};
use super::review::document::{Block, Importance, Inline, Row, Section, Table, Tone};

/// The part of a review that access may take at most, in percent.
const SHARE: usize = 30;

/// The sections; none when nothing is asserted and nobody gains or loses.
pub fn sections(access: &AccessReport) -> Vec<Section> {
    let mut sections = Vec::new();
    if !access.changes.is_empty() {
        sections.push(changes(&access.changes));
    }
    if !access.assertions.is_empty() {
        sections.push(assertions(access));
    }
    sections
}

fn changes(changes: &[Change]) -> Section {
    let grave: Vec<Vec<Inline>> = changes
        .iter()
        .filter(|change| change.gains && matches!(change.origin, Origin::Public | Origin::OtherAccount))
        .map(|change| {
            vec![
                Inline::Code(who(change)),
                Inline::Text(format!(" {} ", verb(change))),
                Inline::Code(change.actions.join(", ")),
                Inline::Text(" on ".to_owned()),
                Inline::Code(resources(change)),
            ]
        })
        .collect();
    let row = |change: &Change| Row {
        action: None,
        name: who(change),
        cells: vec![
            vec![Inline::Code(who(change))],
            vec![Inline::Strong(verb(change).to_owned())],
            vec![Inline::Code(change.actions.join(", "))],
            match &change.depended {
                Some(before) => vec![
                    Inline::Code(resources(change)),
                    Inline::Text(": ".to_owned()),
                    Inline::Code(other_condition(before, &change.depends)),
                ],
                None => vec![Inline::Code(resources(change))],
            },
        ],
    };
    let mut blocks = Vec::new();
    if !grave.is_empty() {
        blocks.push(Block::Notice(Tone::Danger, grave));
    }
    blocks.push(Block::Table(Table {
        head: vec!["Who", "", "What", "On"],
        rows: changes.iter().map(row).collect(),
    }));
    Section {
        id: "access",
        title: "Changes to access".to_owned(),
        importance: Importance::Vital,
        share: SHARE,
        blocks,
    }
}

fn assertions(access: &AccessReport) -> Section {
    let line = |assertion: &terrane_plan::access::Assertion| {
        let mark = match assertion.verdict {
            Verdict::Holds | Verdict::Accepted => "✓ ",
            Verdict::Open | Verdict::Broken => "✗ ",
        };
        vec![
            Inline::Text(mark.to_owned()),
            Inline::Code(assertion.name.clone()),
            Inline::Text(": ".to_owned()),
            Inline::Code(outcome(assertion)),
        ]
    };
    Section {
        id: "assertions",
        title: "Access assertions".to_owned(),
        importance: Importance::High,
        share: SHARE,
        blocks: vec![Block::List(access.assertions.iter().map(line).collect())],
    }
}
