//! `terrane plan`: shows what would change.

use std::fs;
use std::io::Write;
use std::path::Path;

use terrane_model::Diagnostic;
use terrane_plan::file::{Envelope, write};
use terrane_plan::plan::Mode;
use terrane_reconcile::Stop;

use crate::cli::{Global, Plan as Arguments};
use crate::commands::lint;
use crate::commands::permissions;
use crate::commands::review::{self, Saved};
use crate::deployer;
use crate::encryption::plan_to_file;
use crate::exit::{Ended, Exit, Problem, let_go};
use crate::generated::{Generation, Target};
use crate::progress::Progress;
use crate::render::{diagnostics, lint as text, plan_json, plan_text, stream};
use crate::signals;
use crate::stack::{Stack, VERSION};
use crate::terminal::Terminal;
use crate::work::{Work, block_on};

/// Said when a plan was sealed with the key of this folder.
const BOUND: &str = "The plan holds sensitive values and is sealed, with a key that stays in `.terrane/plan.key`. To apply it on another \
                     machine, set TERRANE_PLAN_KEY for both commands.\n";

/// What a plan is for, by the flags.
pub fn mode(destroy: bool, refresh_only: bool) -> Mode {
    match (destroy, refresh_only) {
        (true, _) => Mode::Destroy,
        (false, true) => Mode::RefreshOnly,
        (false, false) => Mode::Normal,
    }
}

/// Runs the command.
pub fn run(global: &Global, arguments: Arguments, terminal: &Terminal) -> Ended {
    let mode = mode(arguments.destroy, arguments.refresh_only);
    let target = arguments.generate_config_out.as_deref().map(Target::of).transpose()?;
    let mut work = Work::begin(global, &arguments.planning, "OperationTypePlan", terminal)?;
    work.generation = target.map(|target| Generation { target, resources: None });
    let planned = block_on(async {
        let stop = Stop::default();
        signals::listen(&stop, terminal);
        let progress = match review::is_wanted(&arguments.view) {
            true => Progress::silent(terminal),
            false if arguments.permissions => Progress::silent(terminal),
            false if arguments.json_stream => Progress::telling(terminal),
            false => Progress::discreet(terminal),
        };
        let (sessions, mut plan) = work.connect_and_plan(mode, &arguments.planning, &progress, &stop).await?;
        if !arguments.permissions {
            deployer::check(&work, &arguments.planning, &sessions, &mut plan, &stop).await?;
        }
        Ok((sessions, plan))
    });
    let (plan, facts) = match planned {
        Ok((sessions, plan)) => (plan, sessions.facts()),
        Err(problem) => {
            lint::write_problem(arguments.sarif.as_deref(), &problem, terminal)?;
            work.leave()?;
            return Err(problem);
        }
    };
    let report = match lint::of_work(&work, &plan) {
        Ok(report) => report,
        Err(problem) => {
            work.leave()?;
            return Err(problem);
        }
    };
    let generated = match work.generation.as_ref().map(write_generated).transpose() {
        Ok(told) => told.flatten(),
        Err(problem) => {
            work.leave()?;
            return Err(problem);
        }
    };
    let remarks = report.remarks.as_slice();
    let warnings = [work.stack.warnings.as_slice(), plan.warnings.as_slice(), remarks].concat();
    if let Some(file) = &arguments.sarif {
        let told = [work.stack.warnings.as_slice(), plan.warnings.as_slice()].concat();
        if let Err(problem) = lint::write(file, &report, &told, &work.stack.spec.sources, terminal) {
            work.leave()?;
            return Err(problem);
        }
    }
    let envelope = envelope(&work.stack, &work.plan_time, &warnings);
    let saved = match &arguments.out {
        Some(file) => {
            let spec = &work.stack.spec;
            let bytes = plan_to_file(&plan, &write(&plan, &envelope), &spec.root, &spec.sources);
            let saved = bytes.and_then(|(bytes, bound)| Ok((save(file, bytes)?, bound)));
            let (bytes, bound) = match saved {
                Ok(saved) => saved,
                Err(problem) => {
                    work.leave()?;
                    return Err(problem);
                }
            };
            if bound {
                terminal.tell(BOUND);
            }
            Some((file.as_path(), bytes))
        }
        None => None,
    };
    match arguments.json_stream {
        true => terminal.say(&stream::diagnostics(&warnings, &work.stack.spec.sources)),
        false => terminal.report(&warnings, &work.stack.spec.sources),
    }
    match terminal.json {
        _ if arguments.permissions => {
            let (text, remarks) = permissions::policy(&plan, &work.stack.spec.root, &work.catalog, &facts);
            terminal.report(&remarks, &work.stack.spec.sources);
            terminal.say(&text);
        }
        _ if arguments.json_stream => terminal.say(&stream::planned(&plan)),
        _ if review::is_wanted(&arguments.view) => {
            let saved = saved.as_ref().map(|(file, bytes)| Saved { file, bytes });
            let lint = text::section(&report, &work.stack.spec.sources);
            terminal.say(&review::written(&plan, &envelope, saved, &arguments.view, &work.catalog, lint));
        }
        true => {
            let json = plan_json::plan(&plan, &work.stack.spec, &work.catalog, &work.plan_time);
            terminal.say(&format!("{json}\n"));
        }
        false => {
            terminal.say(&plan_text::plan(&plan, &work.catalog, terminal.paint));
            terminal.say(&text::line(&report).unwrap_or_default());
            let file = arguments.out.as_ref().map(|file| file.display().to_string());
            if std::env::var_os("TF_IN_AUTOMATION").is_none_or(|value| value.is_empty()) {
                terminal.say(&plan_text::next_step(&plan, file.as_deref(), &terminal.folder));
            }
        }
    }
    if let Some(told) = generated {
        terminal.tell(&told);
    }
    work.leave()?;
    if arguments.fail_on_lint && report.open().next().is_some() {
        if terminal.json || arguments.permissions || review::is_wanted(&arguments.view) {
            terminal.tell(&text::line(&report).unwrap_or_default());
        }
        return Ok(Exit::Failed);
    }
    let exit = if arguments.detailed_exitcode && plan.has_changes() { Exit::Changes } else { Exit::Done };
    let_go(plan);
    Ok(exit)
}

/// Writes the resources that imports led to, and tells that it did.
fn write_generated(generation: &Generation) -> Result<Option<String>, Problem> {
    let Some((_, text)) = &generation.resources else { return Ok(None) };
    generation.target.write(text)?;
    Ok(Some(generation.target.done()))
}

/// What a plan file holds besides the plan.
fn envelope(stack: &Stack, created: &str, warnings: &[Diagnostic]) -> Envelope {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let sources = &stack.spec.sources;
    Envelope {
        program_version: VERSION.to_owned(),
        created: created.to_owned(),
        spec_files: stack.files.iter().map(|(name, bytes)| (name.clone(), text(bytes))).collect(),
        warnings: warnings.iter().map(|warning| diagnostics::sentences(warning, sources)).collect(),
    }
}

/// Writes a plan file, for the owner alone, and gives its bytes back.
fn save(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let written = open_private(path).and_then(|mut file| file.write_all(&bytes));
    written.map(|()| bytes).map_err(|error| {
        let detail = format!("The plan can't be saved as `{}`: {error}.", path.display());
        Diagnostic::error("plan-not-saved", "Plan not saved", detail).into()
    })
}

/// Opens a file that only its owner may read, to write it anew.
pub fn open_private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
