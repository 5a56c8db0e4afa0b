//! `terrane lint`: what is allowed and yet probably not meant. Also what `plan` and `validate` say of it.

use std::path::{Path, PathBuf};

use terrane_model::{Diagnostic, Sources};
use terrane_plan::lint::{Report, of_plan};
use terrane_plan::plan::Mode;
use terrane_plan::{Plan, lint};
use terrane_reconcile::Stop;

use crate::cli::{Global, Lint as Arguments};
use crate::exit::{Ended, Exit, Problem};
use crate::functions;
use crate::progress::Progress;
use crate::render::sarif::{self, Contents};
use crate::render::{diagnostics, lint as text};
use crate::session;
use crate::signals;
use crate::stack::{Stack, VERSION};
use crate::terminal::Terminal;
use crate::work::{Work, block_on, current_folder};

/// Runs the command.
pub fn run(global: &Global, arguments: &Arguments, terminal: &Terminal) -> Ended {
    let found = match &arguments.file {
        Some(file) => of_file(file),
        None => planned(global, arguments, terminal),
    };
    let (report, sources) = match found {
        Ok(found) => found,
        Err(problem) => {
            write_problem(arguments.sarif.as_deref(), &problem, terminal)?;
            return Err(problem);
        }
    };
    if let Some(file) = &arguments.sarif {
        write(file, &report, &[], &sources, terminal)?;
    }
    terminal.report(&report.remarks, &sources);
    match terminal.json {
        true => terminal.say(&format!("{:#}\n", text::json(&report, &sources))),
        false => {
            terminal.say(&shown(&report, &sources, terminal));
            terminal.say(&format!("Lint: {}.\n", text::sum(&report)));
        }
    }
    let is_open = report.open().next().is_some();
    Ok(if arguments.detailed_exitcode && is_open { Exit::Changes } else { Exit::Done })
}

/// The open findings as people read them.
fn shown(report: &Report, sources: &Sources, terminal: &Terminal) -> String {
    let manner = diagnostics::Manner { paint: terminal.paint, folder: &terminal.folder };
    text::messages(report).iter().map(|message| diagnostics::one(message, sources, manner)).collect()
}

fn of_file(file: &Path) -> Result<(Report, Sources), Problem> {
    let (plan, envelope) = super::apply::load(file)?;
    let catalog = session::catalog();
    let files = envelope.spec_files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    let functions = functions::planning(&current_folder()?, &envelope.created);
    let stack = Stack::of_plan(&plan, files, &catalog, &functions)?;
    let report = of_plan(&plan, &stack.spec, &catalog, &functions)
        .map_err(|errors| Problem::new(errors, &stack.spec.sources))?;
    Ok((report, stack.spec.sources))
}

fn planned(
    global: &Global,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<(Report, Sources), Problem> {
    let mut work = Work::begin(global, &arguments.planning, "OperationTypePlan", terminal)?;
    work.only_look = true;
    let planned = block_on(async {
        let stop = Stop::default();
        signals::listen(&stop, terminal);
        let progress = Progress::discreet(terminal);
        work.connect_and_plan(Mode::Normal, &arguments.planning, &progress, &stop).await
    });
    let found = planned.and_then(|(_, plan)| of_work(&work, &plan));
    let sources = work.stack.spec.sources.clone();
    work.leave()?;
    found.map(|report| (report, sources))
}

/// What the lint says of a plan that was just made.
///
/// # Errors
/// When its spec has no graph.
pub fn of_work(work: &Work, plan: &Plan) -> Result<Report, Problem> {
    let functions = functions::planning(&work.folder, &work.plan_time);
    of_plan(plan, &work.stack.spec, &work.catalog, &functions).map_err(|errors| work.problem(errors))
}

/// What the lint says of a spec without a plan: as far as its values are known.
pub fn of_spec(spec: &terrane_spec::Spec, workspace: &str) -> Report {
    let Ok(folder) = current_folder() else { return Report::default() };
    let functions = functions::planning(&folder, &crate::work::now());
    lint::of_spec(spec, &workspace.into(), &session::catalog(), &functions).unwrap_or_default()
}

/// Writes findings and messages as SARIF.
///
/// # Errors
/// When the file can't be written.
pub fn write(
    file: &Path,
    report: &Report,
    messages: &[Diagnostic],
    sources: &Sources,
    terminal: &Terminal,
) -> Result<(), Problem> {
    let folder = stack_folder(terminal);
    let contents = Contents { report, diagnostics: messages, sources, folder: &folder, version: VERSION };
    let text = format!("{:#}\n", sarif::document(&contents));
    std::fs::write(file, text).map_err(|error| {
        let detail = format!("The findings can't be written to `{}`: {error}.", file.display());
        Diagnostic::error("sarif-not-written", "Findings not written", detail).into()
    })
}

/// Writes what a command failed with, where a file is asked for.
///
/// # Errors
/// When the file can't be written.
pub fn write_problem(file: Option<&Path>, problem: &Problem, terminal: &Terminal) -> Result<(), Problem> {
    match file {
        Some(file) => write(file, &Report::default(), &problem.diagnostics, &problem.sources, terminal),
        None => Ok(()),
    }
}

/// What leads to the stack: from the repository where GitHub Actions has checked it out, else from where the command was
/// called.
fn stack_folder(terminal: &Terminal) -> PathBuf {
    let called_from = PathBuf::from(&terminal.folder);
    let Some(repository) = terminal.repository() else { return called_from };
    let stack = std::env::current_dir().and_then(|folder| folder.canonicalize()).unwrap_or_default();
    stack.strip_prefix(repository).map(Path::to_owned).unwrap_or(called_from)
}
