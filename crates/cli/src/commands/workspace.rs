//! `terrane workspace`: several states of one spec.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Subcommand, ValueHint};
use serde_json::json;
use terrane_model::nearest::nearest;
use terrane_model::{Diagnostic, Mode};
use terrane_state::backend::check_workspace;
use terrane_state::{Backend, DEFAULT_WORKSPACE, Snapshot, StateError, Store, Version, Write};

use crate::arguments::truth;
use crate::backends;
use crate::cli::Lock;
use crate::commands::state::push::read;
use crate::exit::{Ended, Exit, Problem};
use crate::record::Record;
use crate::render::paint::Tone;
use crate::stack::folder_settings;
use crate::terminal::Terminal;
use crate::work::{LOCK_PAUSE, lock_info};
use crate::workspace::{Selected, select, selected};

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Workspace {
    /// List the workspaces
    List,
    /// Say which one is selected
    Show,
    /// Make a workspace, and select it
    New {
        /// What it is called
        name: String,
        /// Begin with the objects of this state
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        state: Option<PathBuf>,
        #[command(flatten)]
        lock: Lock,
    },
    /// Select another one
    Select {
        /// Which one
        name: String,
        /// Make it if it isn't there
        #[arg(long, value_name = "BOOL", value_parser = truth, num_args = 0..=1, require_equals = true,
              default_missing_value = "true", default_value = "false", hide_default_value = true)]
        or_create: bool,
    },
    /// Delete one with its state
    Delete {
        /// Which one
        name: String,
        /// Though it has objects: they stay in AWS, and nobody knows of them
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        lock: Lock,
    },
}

/// Runs the command.
pub fn run(command: Workspace, terminal: &Terminal) -> Ended {
    let now = match (selected(), &command) {
        // What is selected now does not matter where it is written anew.
        (Err(_), Workspace::Select { .. }) => Selected { name: "".into(), overridden_by: None },
        (now, _) => now?,
    };
    match command {
        Workspace::List => list(&now, terminal),
        Workspace::Show => show(&now, terminal),
        Workspace::New { name, state, lock } => {
            if let Some(variable) = now.overridden_by.filter(|_| *now.name != *name) {
                return Err(overridden(variable, "new workspace can be made").into());
            }
            make(&name, state.as_deref(), &lock, &now, terminal)
        }
        Workspace::Select { name, or_create } => {
            if let Some(variable) = now.overridden_by {
                return Err(overridden(variable, "other workspace can be selected").into());
            }
            switch(&name, or_create, &now, terminal)
        }
        Workspace::Delete { name, force, lock } => delete(&name, force, &lock, &now, terminal),
    }
}

fn overridden(variable: &str, what: &str) -> Diagnostic {
    let detail = format!(
        "The selected workspace is currently overridden using the {variable} environment variable. No {what} meanwhile."
    );
    Diagnostic::error("workspace-overridden", "Workspace overridden", detail)
        .hint("Change the variable, or unset it, and run the command again.")
}

/// The state of a workspace, which need not be there.
fn backend(name: &str) -> Result<Box<dyn Backend>, Problem> {
    check_workspace(name)?;
    let (module, sources) = folder_settings()?;
    backends::open(&module, &sources, name)
}

/// The names of all workspaces, the default one first.
fn names(backend: &mut dyn Backend) -> Result<Vec<String>, Problem> {
    let mut names = backend.workspaces()?;
    names.sort_by_key(|name| (name != DEFAULT_WORKSPACE, name.clone()));
    Ok(names)
}

fn list(now: &Selected, terminal: &Terminal) -> Ended {
    let all = names(backend(&now.name)?.as_mut())?;
    if terminal.json {
        terminal.say(&format!("{:#}\n", json!({ "selected": now.name, "workspaces": all })));
        return Ok(Exit::Done);
    }
    let line = |name: &String| format!("{} {name}\n", if **name == *now.name { "*" } else { " " });
    terminal.say(&format!("{}\n", all.iter().map(line).collect::<String>()));
    if let Some(variable) = now.overridden_by {
        terminal.tell(&format!(
            "The active workspace is being overridden using the {variable} environment variable.\n"
        ));
    }
    Ok(Exit::Done)
}

fn show(now: &Selected, terminal: &Terminal) -> Ended {
    match terminal.json {
        true => terminal.say(&format!("{}\n", json!({ "selected": now.name }))),
        false => terminal.say(&format!("{}\n", now.name)),
    }
    Ok(Exit::Done)
}

fn make(name: &str, copied: Option<&Path>, lock: &Lock, now: &Selected, terminal: &Terminal) -> Ended {
    let mut place = backend(name)?;
    if names(place.as_mut())?.iter().any(|known| known == name) {
        let detail = format!("Workspace \"{name}\" already exists.");
        let error = Diagnostic::error("workspace-exists", "Workspace exists", detail);
        return Err(error.hint(format!("`terrane workspace select {name}` selects it.")).into());
    }
    // Nothing is made when there is nothing to be copied.
    let objects = copied.map(read).transpose()?;
    begin(place.as_mut(), objects, lock)?;
    if now.overridden_by.is_none() {
        select(name)?;
    }
    let paint = terminal.paint;
    let made = paint.tone(Tone::Good, &format!("Created and switched to workspace \"{name}\"!"));
    let empty = "\n\nYou're now on a new, empty workspace. Workspaces isolate their state,\nso if you run \"terrane plan\" \
                 Terrane will not see any existing state\nfor this configuration.";
    terminal.say(&format!("{made}{}\n", if copied.is_none() { empty } else { "" }));
    Ok(Exit::Done)
}

/// Writes the first state of a workspace, by which it exists.
fn begin(place: &mut dyn Backend, objects: Option<Snapshot>, lock: &Lock) -> Result<(), Problem> {
    if lock.lock {
        let deadline = Instant::now() + lock.lock_timeout;
        let info = lock_info("OperationTypeInvalid", &place.place());
        terrane_state::lock_patiently(place, &info, &mut |_| waited(deadline))?;
    }
    let version = Version { lineage: uuid::Uuid::new_v4().to_string(), serial: 1 };
    let objects = objects.unwrap_or_else(|| Snapshot::empty(""));
    let snapshot = Snapshot { serial: version.serial, lineage: version.lineage.clone(), ..objects };
    let bytes = terrane_state::render(&snapshot);
    let written = place.write(Write { bytes: &bytes, version: &version, replaces: None });
    let unlocked = place.unlock();
    written?;
    Ok(unlocked?)
}

/// Waits a moment, until it is too late.
fn waited(deadline: Instant) -> bool {
    let now = Instant::now();
    if now >= deadline {
        return false;
    }
    std::thread::sleep(LOCK_PAUSE.min(deadline - now));
    true
}

fn switch(name: &str, or_create: bool, now: &Selected, terminal: &Terminal) -> Ended {
    let known = names(backend(name)?.as_mut())?;
    if !known.iter().any(|known| known == name) {
        if or_create {
            let lock = Lock { lock: true, lock_timeout: std::time::Duration::ZERO };
            return make(name, None, &lock, now, terminal);
        }
        return Err(absent(name, &known).into());
    }
    if *now.name != *name {
        select(name)?;
        terminal.say(&format!(
            "{}\n",
            terminal.paint.tone(Tone::Good, &format!("Switched to workspace \"{name}\"."))
        ));
    }
    Ok(Exit::Done)
}

fn absent(name: &str, known: &[String]) -> Diagnostic {
    let near = nearest(name, known.iter().map(String::as_str));
    let near = near.map(|near| format!(" Did you mean \"{near}\"?")).unwrap_or_default();
    let detail = format!("Workspace \"{name}\" doesn't exist.{near}");
    Diagnostic::error("no-workspace", "No such workspace", detail).hint(
        "You can create this workspace with the `new` subcommand, or include the `--or-create` flag with the \
         `select` subcommand.",
    )
}

fn delete(name: &str, force: bool, lock: &Lock, now: &Selected, terminal: &Terminal) -> Ended {
    let refused =
        |detail: String| Diagnostic::error("workspace-not-deleted", "Workspace not deleted", detail);
    if *now.name == *name {
        let detail = format!("Workspace \"{name}\" is your active workspace.");
        let error = refused(format!("{detail} You cannot delete the currently active workspace."));
        return Err(error.hint("Switch to another workspace and try again.").into());
    }
    if name == DEFAULT_WORKSPACE {
        return Err(
            refused("The workspace \"default\" always exists, and cannot be deleted.".to_owned()).into()
        );
    }
    let mut here = backend(&now.name)?;
    let known = names(here.as_mut())?;
    if !known.iter().any(|known| known == name) {
        return Err(absent(name, &known).into());
    }
    // Whoever has it at work now may still fill or empty it, so what counts is what it holds under the lock.
    let mut there = backend(name)?;
    let mut looked = Ok(BTreeSet::new());
    let mut may_go = || {
        looked = objects(there.as_mut(), name, force);
        looked.is_ok()
    };
    let deadline = Instant::now() + lock.lock_timeout;
    let done = loop {
        match here.delete_workspace(name, &mut may_go) {
            Err(StateError::Locked { .. }) if waited(deadline) => {}
            done => break done,
        }
    };
    let tracked = looked?;
    done?;
    Record::forget(name);
    let paint = terminal.paint;
    terminal.say(&format!("{}\n", paint.tone(Tone::Good, &format!("Deleted workspace \"{name}\"!"))));
    if !tracked.is_empty() {
        terminal.tell(&format!(
            "WARNING: \"{name}\" was non-empty.\nThe resources managed by the deleted workspace may still exist,\nbut are no \
             longer manageable by Terrane since the state has\nbeen deleted.\n"
        ));
    }
    Ok(Exit::Done)
}

/// The objects of a workspace that may go.
fn objects(there: &mut dyn Backend, name: &str, force: bool) -> Result<BTreeSet<String>, Problem> {
    match Store::peek(there).map(|snapshot| tracked(snapshot.as_ref())) {
        // What can't be read may hold objects; who insists need not have it read.
        Err(_) if force => Ok(BTreeSet::new()),
        Err(error) => Err(error.into()),
        Ok(tracked) if !force && !tracked.is_empty() => Err(not_empty(name, &tracked).into()),
        Ok(tracked) => Ok(tracked),
    }
}

/// The managed objects of a state, the deposed ones among them.
fn tracked(snapshot: Option<&Snapshot>) -> BTreeSet<String> {
    let instances = snapshot.into_iter().flat_map(Snapshot::instances);
    instances
        .filter(|(address, _, _)| address.resource.mode == Mode::Managed)
        .map(|(address, _, _)| address.to_string())
        .collect()
}

fn not_empty(name: &str, tracked: &BTreeSet<String>) -> Diagnostic {
    const SHOWN: usize = 20;
    let mut list: String = tracked.iter().take(SHOWN).map(|address| format!("\n  - {address}")).collect();
    if let Some(more) = tracked.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        list.push_str(&format!("\n  - and {more} more"));
    }
    let detail = format!(
        "Workspace \"{name}\" is currently tracking the following resource instances:{list}\n\nDeleting this workspace would \
         cause Terrane to lose track of any associated remote objects, which would then require you to delete them manually \
         outside of Terrane."
    );
    Diagnostic::error("workspace-not-empty", "Workspace is not empty", detail)
        .hint(format!(
            "`TERRANE_WORKSPACE={name} terrane destroy` destroys these objects; then the workspace can go."
        ))
        .hint("`--force` deletes it anyway, and has Terrane forget about these objects.")
}
