//! A plan as reviewers read it, for `show` and `plan`.

use std::path::Path;

use sha2::{Digest, Sha256};
use terrane_model::Diagnostic;
use terrane_model::schema::Schemas;
use terrane_plan::Plan;
use terrane_plan::file::Envelope;

use crate::cli::{View, ViewFormat};
use crate::commands::cost;
use crate::exit::Problem;
use crate::render::access_review;
use crate::render::cost::section;
use crate::render::drawing::graph::Graph;
use crate::render::losses;
use crate::render::paint::Paint;
use crate::render::plan_text::is_shown;
use crate::render::review::changes::id;
use crate::render::review::contents::{self, About, document};
use crate::render::review::document::Section;
use crate::render::review::{html, markdown, text};

/// A plan file: its name and all of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a> {
    /// As the user named it.
    pub file: &'a Path,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// Whether a document is asked for rather than text or JSON.
pub fn is_wanted(view: &View) -> bool {
    match view.format {
        ViewFormat::Text | ViewFormat::Json => false,
        ViewFormat::Markdown | ViewFormat::Html => true,
    }
}

/// The document of a plan in the format that is asked for.
pub fn written(
    plan: &Plan,
    envelope: &Envelope,
    saved: Option<Saved<'_>>,
    view: &View,
    schemas: &dyn Schemas,
    lint: Option<Section>,
) -> String {
    let about = about(envelope, saved, view);
    let mut more: Vec<_> = losses::section(&plan.losses).into_iter().collect();
    more.extend(access_review::sections(&plan.access));
    more.extend(lint);
    more.extend(cost::estimate_of(plan).and_then(|estimate| section(&estimate, about.file.as_deref())));
    let document = document(plan, &about, more, schemas);
    match view.format {
        ViewFormat::Html => {
            let told_by = |i: usize| plan.changes.get(i).filter(|change| is_shown(plan, change)).map(id);
            html::page(&document, &Graph::of_plan(plan), told_by)
        }
        _ => markdown::render(&document, markdown::ROOM),
    }
}

fn about(envelope: &Envelope, saved: Option<Saved<'_>>, view: &View) -> About {
    About {
        title: view.title.clone(),
        file: saved.map(|saved| saved.file.display().to_string()),
        digest: saved.map(|saved| hexadecimal(&Sha256::digest(saved.bytes))),
        program: envelope.program_version.clone(),
        created: envelope.created.clone(),
        warnings: envelope.warnings.clone(),
    }
}

/// What `show` says at a terminal besides the plan's own text.
pub fn beside(plan: &Plan, envelope: &Envelope, paint: Paint) -> String {
    let about = About { warnings: envelope.warnings.clone(), ..About::default() };
    contents::beside(plan, &about).iter().map(|section| text::section(section, paint)).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// There is nothing to review in a state.
pub fn of_a_state() -> Problem {
    let detail = "Only a plan can be written as a review; this is a state.";
    let error = Diagnostic::error("no-review", "Nothing to review", detail);
    Problem::usage(error.hint("Name a plan file that `terrane plan --out FILE` wrote."))
}
