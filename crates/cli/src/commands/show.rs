//! `terrane show`: a saved plan, or the state.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use terrane_model::Diagnostic;
use terrane_plan::Plan;
use terrane_plan::file::{Envelope, FileError, read};
use terrane_state::{Snapshot, Store};

use crate::cli::Show;
use crate::commands::permissions;
use crate::commands::review::{self, Saved};
use crate::encryption::file_in_the_clear;
use crate::exit::{Ended, Exit, Problem};
use crate::functions;
use crate::render::{lint, plan_json, plan_text, state, state_json};
use crate::session;
use crate::stack::{Stack, state_backend};
use crate::terminal::Terminal;
use crate::work::current_folder;

/// Runs the command.
pub fn run(arguments: &Show, terminal: &Terminal) -> Ended {
    match &arguments.file {
        None => {
            if review::is_wanted(&arguments.view) {
                return Err(review::of_a_state());
            }
            let mut backend = state_backend()?;
            show_state(Store::peek(backend.as_mut())?, terminal)
        }
        Some(file) => show_file(file, arguments, terminal),
    }
}

fn show_state(snapshot: Option<Snapshot>, terminal: &Terminal) -> Ended {
    let catalog = session::catalog();
    let text = match (terminal.json, snapshot) {
        (true, snapshot) => format!("{}\n", state_json::document(snapshot.as_ref(), &catalog)),
        (false, Some(snapshot)) if !snapshot.is_empty() => state::all(&snapshot, &catalog, terminal.paint),
        (false, _) => "The state is empty: nothing has been made yet.\n".to_owned(),
    };
    terminal.say(&text);
    Ok(Exit::Done)
}

/// A plan file, or else a state file.
fn show_file(file: &Path, Show { view, permissions, .. }: &Show, terminal: &Terminal) -> Ended {
    let unusable = |why: String| {
        let detail = format!("The file `{}` can't be shown: {why}.", file.display());
        Problem::from(Diagnostic::error("unusable-plan", "Unusable plan file", detail))
    };
    let bytes = fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let clear = file_in_the_clear(file, bytes.clone())?;
    match read(&clear) {
        Ok((plan, envelope)) if *permissions => show_permissions(&plan, envelope, terminal),
        Ok((plan, envelope)) if review::is_wanted(view) => {
            let (catalog, stack) = (session::catalog(), stack_of(&plan, envelope.clone())?);
            let functions = functions::planning(&current_folder()?, &envelope.created);
            let report = terrane_plan::lint::of_plan(&plan, &stack.spec, &catalog, &functions);
            let lint = report.ok().and_then(|report| lint::section(&report, &stack.spec.sources));
            let saved = Saved { file, bytes: &bytes };
            terminal.say(&review::written(&plan, &envelope, Some(saved), view, &catalog, lint));
            Ok(Exit::Done)
        }
        Ok((plan, envelope)) => show_plan(&plan, envelope, terminal),
        Err(FileError::NotAPlan) => match terrane_state::parse(&clear) {
            Ok(_) if review::is_wanted(view) || *permissions => Err(review::of_a_state()),
            Ok(snapshot) => show_state(Some(snapshot), terminal),
            Err(_) => Err(unusable(FileError::NotAPlan.to_string())),
        },
        Err(error) => Err(unusable(error.to_string())),
    }
}

fn show_permissions(plan: &Plan, envelope: Envelope, terminal: &Terminal) -> Ended {
    let (catalog, stack) = (session::catalog(), stack_of(plan, envelope)?);
    let (text, remarks) = permissions::policy(plan, &stack.spec.root, &catalog, &BTreeMap::new());
    terminal.report(&remarks, &stack.spec.sources);
    terminal.say(&text);
    Ok(Exit::Done)
}

fn stack_of(plan: &Plan, envelope: Envelope) -> Result<Stack, Problem> {
    let files = envelope.spec_files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    let functions = functions::planning(&current_folder()?, &envelope.created);
    Stack::of_plan(plan, files, &session::catalog(), &functions)
}

fn show_plan(plan: &Plan, envelope: Envelope, terminal: &Terminal) -> Ended {
    let catalog = session::catalog();
    if !terminal.json {
        terminal.say(&plan_text::plan(plan, &catalog, terminal.paint));
        terminal.say(&review::beside(plan, &envelope, terminal.paint));
        return Ok(Exit::Done);
    }
    let created = envelope.created.clone();
    let stack = stack_of(plan, envelope)?;
    let json = plan_json::plan(plan, &stack.spec, &catalog, &created);
    terminal.say(&format!("{json}\n"));
    Ok(Exit::Done)
}
