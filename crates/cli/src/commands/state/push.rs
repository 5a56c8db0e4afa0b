//! `terrane state push`: puts another state in the place of the present one.

use std::fs;
use std::io::Read;
use std::path::Path;

use terrane_model::Diagnostic;
use terrane_state::Snapshot;
use terrane_state::store::UNSAVED;

use crate::cli::Lock;
use crate::encryption::file_in_the_clear;
use crate::exit::{Ended, Exit, Problem};
use crate::stack::state_backend;
use crate::terminal::Terminal;
use crate::work::{nothing_open, open_store};

/// Runs the command.
pub fn run(file: &Path, force: bool, lock: &Lock, terminal: &Terminal) -> Ended {
    let pushed = read(file)?;
    let mut store = open_store(state_backend()?, lock, "OperationTypeStatePush", &pushed.lineage, terminal)?;
    let current = store.snapshot().version();
    let unsaved = pushed.terrane.contains_key(UNSAVED);
    let refused = match () {
        () if force => None,
        () if current.lineage != pushed.lineage => Some(format!(
            "It is of the lineage `{}`, and the present state of `{}`.",
            pushed.lineage, current.lineage
        )),
        () if current.serial > pushed.serial || (unsaved && current.serial == pushed.serial) => {
            Some(format!("It has the serial {}, and the present state {}.", pushed.serial, current.serial))
        }
        () => None,
    };
    if let Some(why) = refused {
        store.leave()?;
        let detail = format!("The state in `{}` does not follow the present one. {why}", file.display());
        let error = Diagnostic::error("state-refused", "State refused", detail);
        return Err(error.hint("`--force` puts it in its place nevertheless.").into());
    }
    if unsaved && current.lineage == pushed.lineage {
        let taken = store.take_unsaved(pushed);
        store.finish()?;
        taken?;
        return Ok(Exit::Done);
    }
    if let Err(problem) = nothing_open(&store) {
        store.leave()?;
        return Err(problem);
    }
    *store.snapshot_mut() = Snapshot { serial: current.serial, lineage: current.lineage, ..pushed };
    store.finish()?;
    Ok(Exit::Done)
}

/// The state in a file that is not where this stack keeps its own.
///
/// # Errors
/// When it can't be read, or is no state.
pub fn read(file: &Path) -> Result<Snapshot, Problem> {
    let unreadable = |error: std::io::Error| {
        let detail = format!("`{}` can't be read: {error}.", file.display());
        Diagnostic::error("unreadable-file", "File not readable", detail)
    };
    let bytes = match file == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(unreadable)?;
            bytes
        }
        false => fs::read(file).map_err(unreadable)?,
    };
    let bytes = file_in_the_clear(file, bytes)?;
    Ok(terrane_state::parse(&bytes).map_err(|error| error.of_file(&file.display().to_string()))?)
}
