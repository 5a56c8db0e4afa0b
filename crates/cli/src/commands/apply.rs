//! `terrane apply`: carries out a saved plan, or plans, asks and carries out.

use std::fs;
use std::io::Write;
use std::path::Path;

use terrane_model::{Diagnostic, Selector};
use terrane_plan::file::read;
use terrane_plan::order::Step;
use terrane_plan::plan::Mode;
use terrane_plan::{Plan, Targeting};
use terrane_reconcile::{Report, Run, Sessions, Stop, apply};
use terrane_state::Store;

use super::plan::{mode, open_private};
use crate::cli::{Apply, Global, Planning};
use crate::deployer;
use crate::encryption::plan_from_file;
use crate::exit::{Ended, Exit, Problem, let_go};
use crate::functions;
use crate::leftovers;
use crate::modules::changed;
use crate::progress::Progress;
use crate::render::{outputs, plan_text, report, stream};
use crate::session;
use crate::signals;
use crate::stack::Stack;
use crate::terminal::Terminal;
use crate::work::{Work, block_on, unless_stopped};

/// Runs the command.
pub fn run(global: &Global, arguments: Apply, terminal: &Terminal) -> Ended {
    let Apply { file, destroy, refresh_only, applying, planning } = arguments;
    match file {
        None => fresh(global, &planning, mode(destroy, refresh_only), applying.auto_approve, terminal),
        Some(file) => {
            let limited = !planning.target.is_empty() || !planning.exclude.is_empty();
            let asked_for = !planning.replace.is_empty()
                || !planning.allow_destroy.is_empty()
                || !planning.allow_key_deletion.is_empty();
            if destroy || refresh_only || limited || asked_for || !planning.refresh {
                return Err(beside_a_plan("no other way of planning"));
            }
            saved(global, &file, &planning, terminal)
        }
    }
}

/// Brings the state to what is there, without asking: nothing in AWS changes.
pub fn refresh(global: &Global, planning: &Planning, terminal: &Terminal) -> Ended {
    fresh(global, planning, Mode::RefreshOnly, true, terminal)
}

/// Plans, asks, and carries out.
pub fn fresh(global: &Global, planning: &Planning, mode: Mode, approved: bool, terminal: &Terminal) -> Ended {
    if !approved && (terminal.json || !terminal.can_ask || !planning.variables.input) {
        let detail = "Nobody can be asked whether the plan is to be carried out.";
        let error = Diagnostic::error("not-approved", "Nobody to ask", detail)
            .hint("`--auto-approve` carries it out without asking. `terrane plan --out FILE` and `terrane apply FILE` show it first.");
        return Err(error.into());
    }
    let mut work = Work::begin(global, planning, "OperationTypeApply", terminal)?;
    let ended = block_on(async {
        let stop = Stop::default();
        signals::listen(&stop, terminal);
        let progress = Progress::telling(terminal);
        let (sessions, mut plan) = work.connect_and_plan(mode, planning, &progress, &stop).await?;
        deployer::check(&work, planning, &sessions, &mut plan, &stop).await?;
        leftovers::tidied(&work.store, &sessions, terminal).await?;
        show(&work, &plan, terminal);
        if plan.has_changes() && !approved && !confirmed(mode, terminal, &stop).await? {
            let what = if mode == Mode::Destroy { "Destroy" } else { "Apply" };
            terminal.say(&format!("\n{what} cancelled.\n"));
            return Ok(Exit::Failed);
        }
        let result = carry_out(&mut work, &plan, &sessions, planning.changes(), &progress, &stop).await;
        let exit = tell(global, &work, &plan, &result, terminal);
        let_go(plan);
        Ok(exit)
    });
    finish(work, ended, terminal)
}

/// Carries out a saved plan, if nothing that it was made from has moved.
fn saved(global: &Global, file: &Path, planning: &Planning, terminal: &Terminal) -> Ended {
    let (mut plan, envelope) = load(file)?;
    let workspace = crate::workspace::selected()?.name;
    if workspace != plan.workspace {
        let detail = format!(
            "The plan was made in the workspace `{}`, and the selected one is `{workspace}`. Nothing was done.",
            plan.workspace
        );
        let error = Diagnostic::error("other-workspace", "Plan of another workspace", detail);
        return Err(error.hint(format!("`terrane workspace select {}` goes there.", plan.workspace)).into());
    }
    let text = |(name, text): (String, String)| (name, text.into_bytes());
    let files: Vec<(String, Vec<u8>)> = envelope.spec_files.into_iter().map(text).collect();
    if let Some(what) = changed(&files) {
        return Err(outdated(&format!("The spec has changed since the plan was made: {what}.")).into());
    }
    let catalog = session::catalog();
    let functions = functions::planning(&crate::work::current_folder()?, &envelope.created);
    let mut stack = Stack::of_plan(&plan, files, &catalog, &functions)?;
    let asks = stack.spec.root.variables.values().any(|variable| variable.ephemeral);
    if !asks && !planning.variables.ordered.is_empty() {
        return Err(beside_a_plan("no variables but ephemeral ones, and this spec has none"));
    }
    stack.give_ephemeral(&planning.variables, terminal)?;
    plan.variables = stack.variables.clone();
    if stack.spec.digest != plan.digest {
        return Err(outdated("The spec in the plan is not the one that the plan was made from.").into());
    }
    let lineage = &plan.prior.lineage;
    let mut work = Work::resume(global, stack, catalog, &planning.lock, lineage, envelope.created, terminal)?;
    let ended = block_on(async {
        let stop = Stop::default();
        signals::listen(&stop, terminal);
        let progress = Progress::telling(terminal);
        let sessions = unless_stopped(&stop, work.connect(Some(&plan), &progress)).await?;
        leftovers::tidied(&work.store, &sessions, terminal).await?;
        let (now, then) = (work.store.snapshot().version(), plan.prior.version());
        if now != then {
            let place = work.store.place();
            return Err(outdated(&match now.lineage == then.lineage {
                true => format!(
                    "The state `{place}` has changed since the plan was made: it has the serial {}, and the plan was made from {}.",
                    now.serial, then.serial
                ),
                false => format!(
                    "The state `{place}` is another one than the plan was made from: it has the lineage `{}`, and the plan was \
                     made from `{}`.",
                    now.lineage, then.lineage
                ),
            })
            .into());
        }
        let result = carry_out(&mut work, &plan, &sessions, planning.changes(), &progress, &stop).await;
        Ok(tell(global, &work, &plan, &result, terminal))
    });
    finish(work, ended, terminal)
}

fn beside_a_plan(what: &str) -> Problem {
    let detail = format!("A saved plan is carried out as it is: {what}.");
    Problem::usage(Diagnostic::error("too-many-arguments", "Arguments beside a plan", detail))
}

/// Reads a plan file.
pub fn load(file: &Path) -> Result<(Plan, terrane_plan::file::Envelope), Problem> {
    let unusable = |why: String| {
        let detail = format!("The plan file `{}` can't be used: {why}.", file.display());
        Problem::from(Diagnostic::error("unusable-plan", "Unusable plan file", detail))
    };
    let bytes = fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let bytes = plan_from_file(file, bytes)?;
    read(&bytes).map_err(|error| unusable(error.to_string()))
}

fn outdated(detail: &str) -> Diagnostic {
    Diagnostic::error("plan-outdated", "Saved plan is stale", detail)
        .hint("Nothing was done. Make a new plan with `terrane plan --out FILE`.")
}

fn show(work: &Work, plan: &Plan, terminal: &Terminal) {
    let warnings = [work.stack.warnings.as_slice(), plan.warnings.as_slice()].concat();
    let sources = &work.stack.spec.sources;
    match terminal.json {
        true => {
            terminal.say(&stream::diagnostics(&warnings, sources));
            terminal.say(&stream::planned(plan));
        }
        false => {
            terminal.say(&plan_text::plan(plan, &work.catalog, terminal.paint));
            terminal.report(&warnings, sources);
        }
    }
}

async fn confirmed(mode: Mode, terminal: &Terminal, stop: &Stop) -> Result<bool, Problem> {
    let question = match mode {
        Mode::Destroy => {
            "\nDo you really want to destroy all resources?\n  Terrane will destroy all your managed \
             infrastructure, as shown above.\n  There is no undo. Only 'yes' will be accepted to confirm.\n\n  \
             Enter a value: "
        }
        Mode::RefreshOnly => {
            "\nWould you like to update the Terrane state to reflect these detected changes?\n  Terrane will write \
             these changes to the state without modifying any real infrastructure.\n  There is no undo. Only \
             'yes' will be accepted to confirm.\n\n  Enter a value: "
        }
        Mode::Normal => {
            "\nDo you want to perform these actions?\n  Terrane will perform the actions described above.\n  \
             Only 'yes' will be accepted to approve.\n\n  Enter a value: "
        }
    };
    let asking = {
        let terminal = terminal.clone();
        tokio::task::spawn_blocking(move || terminal.ask(question))
    };
    tokio::select! {
        answer = asking => {
            terminal.say("\n");
            Ok(answer.ok().flatten().is_some_and(|text| text.trim() == "yes"))
        }
        () = stop.asked() => Err(Problem::interrupted()),
    }
}

async fn carry_out(
    work: &mut Work,
    plan: &Plan,
    sessions: &Sessions,
    parallelism: usize,
    progress: &Progress,
    stop: &Stop,
) -> Report {
    let steps = plan.order.steps.iter();
    progress.begin(steps.filter(|step| matches!(step, Step::Apply(_) | Step::Delete(_))).count());
    let run_id = uuid::Uuid::new_v4().to_string();
    let run = Run {
        plan,
        spec: &work.stack.spec,
        catalog: &work.catalog,
        sessions,
        functions: functions::applying(&work.folder, &work.plan_time),
        parallelism,
        events: progress,
        stop,
        run_id: &run_id,
    };
    let report = apply(run, &mut work.store).await;
    progress.end();
    report
}

/// Says how it went.
fn tell(global: &Global, work: &Work, plan: &Plan, result: &Report, terminal: &Terminal) -> Exit {
    let told = [result.warnings.as_slice(), result.diagnostics.as_slice()].concat();
    let sources = &work.stack.spec.sources;
    let outputs = &work.store.snapshot().outputs;
    let paint = terminal.paint;
    if terminal.json {
        terminal.say(&stream::diagnostics(&told, sources));
        let text = report::complete(plan.mode, result.done, paint);
        terminal.say(&stream::done(plan.mode, result.done, &text));
        terminal.say(&stream::outputs(outputs::all_json(outputs)));
    } else {
        terminal.say("\n");
        terminal.report(&told, sources);
        let notes = report::notes(&result.notes);
        let notes = if notes.is_empty() { notes } else { format!("\n{notes}") };
        match result.is_success() {
            true => terminal.say(&format!("{}\n{notes}", report::complete(plan.mode, result.done, paint))),
            false => {
                let again = again(global, plan);
                terminal.say(&format!("{}{notes}", report::incomplete(plan.mode, result, &again, paint)));
            }
        }
        let list = outputs::list(outputs);
        if !list.is_empty() && plan.mode != Mode::Destroy && result.is_success() {
            terminal.say(&format!("\n{}\n\n{list}", paint.strong("Outputs:")));
        }
    }
    match (result.interrupted, result.is_success()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Done,
        (false, false) => Exit::Failed,
    }
}

/// The command that goes on after a failure.
fn again(global: &Global, plan: &Plan) -> String {
    let folder = global.chdir.as_ref().map(|dir| format!(" -C {}", dir.display())).unwrap_or_default();
    let command = match plan.mode {
        Mode::Normal => "apply",
        Mode::Destroy => "destroy",
        Mode::RefreshOnly => "apply --refresh-only",
    };
    let sandbox = if global.sandbox { " --sandbox" } else { "" };
    format!("terrane{folder} {command}{sandbox}{}", limits(&plan.targeting))
}

/// The flags that limit a plan, as a shell reads them.
fn limits(targeting: &Targeting) -> String {
    let flag = |name: &str, selector: &Selector| {
        let text = selector.to_string();
        match text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
            true => format!(" --{name}={text}"),
            false => format!(" --{name}='{}'", text.replace('\'', r"'\''")),
        }
    };
    let targets = targeting.targets.iter().map(|selector| flag("target", selector));
    let dependents = targeting.dependents.then(|| " --target-dependents".to_owned());
    let excludes = targeting.excludes.iter().map(|selector| flag("exclude", selector));
    targets.chain(dependents).chain(excludes).collect()
}

/// Where a state goes that its backend did not take.
const UNSAVED: &str = "errored.tfstate";

/// Saves the state and gives the lock back. What a bucket does not take is kept in a file.
fn save(mut store: Store) -> Result<(), Problem> {
    let error = match store.commit() {
        Err(error) if store.place().starts_with("s3://") => error,
        _ => return store.finish().map(drop).map_err(Problem::from),
    };
    let kept = store.unsaved().map_err(Problem::from).and_then(|bytes| {
        let written = open_private(Path::new(UNSAVED)).and_then(|mut file| file.write_all(&bytes));
        written.map_err(|error| Diagnostic::error("state-io", "State not saved", error.to_string()).into())
    });
    // What can't be reached can't be unlocked either; the error to be told is the first one.
    let _ = store.leave();
    let diagnostic = error.diagnostic();
    Err(match kept {
        Ok(()) => diagnostic
            .hint(format!(
                "The state as it should be is in `{UNSAVED}` now. When the bucket can be reached again, write it there before anything \
                 else: `terrane state push {UNSAVED}`."
            ))
            .hint("The lock may still be there; `terrane force-unlock` takes it away.")
            .into(),
        Err(problem) => {
            let mut all = vec![diagnostic];
            all.extend(problem.diagnostics);
            Problem::new(all, &terrane_model::Sources::default())
        }
    })
}

/// Saves what is to be saved and gives the lock back, however it went.
fn finish(work: Work, ended: Result<Exit, Problem>, terminal: &Terminal) -> Ended {
    let sources = work.stack.spec.sources.clone();
    let finished = match ended.is_ok() {
        true => {
            work.let_go_of_shared();
            let_go(work.stack);
            save(work.store)
        }
        false => work.leave(),
    };
    match (ended, finished) {
        (Ok(exit), Ok(())) => Ok(exit),
        (Err(problem), Ok(())) => Err(problem),
        (Ok(exit), Err(problem)) => {
            terminal.report(&problem.diagnostics, &sources);
            Ok(if exit == Exit::Interrupted { exit } else { Exit::Failed })
        }
        (Err(problem), Err(also)) => {
            terminal.report(&also.diagnostics, &sources);
            Err(problem)
        }
    }
}
