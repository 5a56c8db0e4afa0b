//! `terrane state migrate`: copies the states of a stack to where the spec says they are now, compares, and puts the old ones
//! aside. In the same place it encrypts them anew, or decrypts them.

use std::sync::Arc;

use terrane_model::Diagnostic;
use terrane_state::seal::{Sealing, method_of};
use terrane_state::{Backend, Snapshot, StateError, Version, Write, parse, render};

use crate::backends;
use crate::cli::Lock;
use crate::encryption;
use crate::exit::{Ended, Exit, Problem};
use crate::record::{Named, Record};
use crate::stack::folder_settings;
use crate::terminal::Terminal;
use crate::work::{lock_info, nothing_open, open_store};

const OPERATION: &str = "OperationTypeStateMigrate";

/// Runs the command.
pub fn run(force: bool, lock: &Lock, terminal: &Terminal) -> Ended {
    let (module, sources) = folder_settings()?;
    let sealing = encryption::migrating(&module, &sources)?.map(Arc::new);
    let to = backends::named(&module);
    let from = Record::read().map_or_else(default, |record| record.named);
    let open = |named: &Named, workspace: &str| -> Result<Box<dyn Backend>, Problem> {
        backends::open_named(named, workspace, sealing.clone())
            .map_err(|errors| Problem::new(errors, &sources))
    };
    let names = open(&from, terrane_state::DEFAULT_WORKSPACE)?.workspaces()?;
    let mut count = 0;
    for workspace in names {
        let (source, target) = (open(&from, &workspace)?, open(&to, &workspace)?);
        let done = match source.place() == target.place() {
            true => {
                drop(target);
                let raw = backends::open_named(&to, &workspace, None);
                let raw = raw.map_err(|errors| Problem::new(errors, &sources))?.read()?;
                match raw {
                    Some(raw) => rewrite(source, method_of(&raw), sealing.as_deref(), force, lock, terminal)?,
                    None => false,
                }
            }
            false => copy(source, target, force, lock, terminal)?,
        };
        if done {
            count += 1;
            Record::note(&to, &workspace, &open(&to, &workspace)?.place());
        }
    }
    match count {
        0 => {
            terminal.say("There is nothing to migrate: the states are where the spec says, and as it says.\n")
        }
        1 => terminal.say("\nMigrated 1 state.\n"),
        n => terminal.say(&format!("\nMigrated {n} states.\n")),
    }
    Ok(Exit::Done)
}

/// Where a state is of which nothing is known.
fn default() -> Named {
    Named { kind: "local".to_owned(), ..Named::default() }
}

/// Encrypts a state anew in its place. Says whether that was needed.
fn rewrite(
    backend: Box<dyn Backend>,
    is: Option<String>,
    sealing: Option<&Sealing>,
    force: bool,
    lock: &Lock,
    terminal: &Terminal,
) -> Result<bool, Problem> {
    let wanted = sealing.and_then(Sealing::writes);
    if is.as_deref() == wanted && !(force && wanted.is_some()) {
        return Ok(false);
    }
    let place = backend.place();
    let mut store = open_store(backend, lock, OPERATION, "", terminal)?;
    if let Err(problem) = nothing_open(&store) {
        store.leave()?;
        return Err(problem);
    }
    let rewritten = store.rewrite();
    store.finish()?;
    rewritten?;
    let how =
        wanted.map_or("in the clear".to_owned(), |method| format!("encrypted with the method `{method}`"));
    terminal.say(&format!("{place}: is {how} now.\n"));
    Ok(true)
}

/// Copies a state. Says whether there was one.
fn copy(
    source: Box<dyn Backend>,
    mut target: Box<dyn Backend>,
    force: bool,
    lock: &Lock,
    terminal: &Terminal,
) -> Result<bool, Problem> {
    let (from, to) = (source.place(), target.place());
    let mut store = open_store(source, lock, OPERATION, "", terminal)?;
    if let Err(problem) = nothing_open(&store) {
        store.leave()?;
        return Err(problem);
    }
    store.commit()?;
    if store.snapshot().serial == 0 {
        store.leave()?;
        return Ok(false);
    }
    let snapshot = store.snapshot().clone();
    if lock.lock {
        target.lock(&lock_info(OPERATION, &to))?;
    }
    let copied = put(snapshot, target.as_mut(), force);
    let unlocked = target.unlock();
    if let Err(problem) = copied {
        store.leave()?;
        return Err(problem);
    }
    unlocked?;
    terminal.say(&format!("{from}: copied to {to}, read back and compared.\n"));
    let aside = store.put_aside()?;
    terminal.say(&format!("{from}: kept as {aside}.\n"));
    Ok(true)
}

/// Writes the copy, reads it back, and compares.
fn put(snapshot: Snapshot, target: &mut dyn Backend, force: bool) -> Result<(), Problem> {
    let place = target.place();
    let format = |source| StateError::Format { place: place.clone(), source };
    let there = match target.read()? {
        Some(bytes) => Some(parse(&bytes).map_err(format)?),
        None => None,
    };
    let (snapshot, replaces) = match there {
        None => (snapshot, None),
        // An earlier migration came that far.
        Some(there) if there == snapshot => return Ok(()),
        Some(there) if there.lineage == snapshot.lineage && there.serial < snapshot.serial => {
            (snapshot, Some(there.version()))
        }
        Some(there) if force => {
            let replaces = there.version();
            let snapshot = Snapshot { lineage: there.lineage, serial: there.serial + 1, ..snapshot };
            (snapshot, Some(replaces))
        }
        Some(there) => return Err(taken(&place, &there.version(), &snapshot.version()).into()),
    };
    let (bytes, version) = (render(&snapshot), snapshot.version());
    target.write(Write { bytes: &bytes, version: &version, replaces: replaces.as_ref() })?;
    match target.read()? {
        Some(back) if parse(&back).map_err(format)? == snapshot => Ok(()),
        _ => {
            let detail = format!(
                "What was written to `{place}` came back as something else. The old state is as it was."
            );
            Err(Diagnostic::error("not-migrated", "State not migrated", detail).into())
        }
    }
}

fn taken(place: &str, there: &Version, here: &Version) -> Diagnostic {
    let detail = format!(
        "There is a state at `{place}` already, with {there}, and the state to be copied has {here}. Nothing was written."
    );
    Diagnostic::error("not-migrated", "State not migrated", detail)
        .hint("Look at both with `terrane show`. `--force` writes over the one that is there.")
}
