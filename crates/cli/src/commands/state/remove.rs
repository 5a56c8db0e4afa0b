//! `terrane state rm`: lets go of objects, and leaves them in AWS.

use terrane_state::journal::{Change, Outcome};

use super::{covered, looked_up};
use crate::cli::Lock;
use crate::exit::{Ended, Exit};
use crate::terminal::Terminal;

/// Runs the command.
pub fn run(filters: &[String], dry_run: bool, lock: &Lock, terminal: &Terminal) -> Ended {
    let find = |snapshot: &_| covered(filters, snapshot);
    let (mut store, found) = looked_up(lock, "OperationTypeStateRm", terminal, find)?;
    for address in &found {
        let verb = if dry_run { "Would remove" } else { "Removed" };
        terminal.say(&format!("{verb} {address}\n"));
        if dry_run {
            continue;
        }
        let instance = store.snapshot().instance(address);
        let deposed: Vec<String> = instance.map(|i| i.deposed.keys().cloned().collect()).unwrap_or_default();
        for key in deposed {
            store.outcome(Outcome::of(address.clone(), None, Change::Remove).deposed(key))?;
        }
        if store.snapshot().get(address).is_some() {
            store.outcome(Outcome::of(address.clone(), None, Change::Remove))?;
        }
    }
    if dry_run {
        store.leave()?;
        return Ok(Exit::Done);
    }
    store.finish()?;
    terminal.say(&format!("Successfully removed {} resource instance(s).\n", found.len()));
    Ok(Exit::Done)
}
