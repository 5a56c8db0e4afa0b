//! Which workspace is selected: by the environment, or by `.terrane/environment`.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use terrane_model::Diagnostic;
use terrane_state::DEFAULT_WORKSPACE;
use terrane_state::backend::check_workspace;

use crate::exit::Problem;

/// Holds the name of the selected workspace.
const FILE: &str = ".terrane/environment";

/// The variables that select a workspace, the stronger one first.
const VARIABLES: [&str; 2] = ["TERRANE_WORKSPACE", "TF_WORKSPACE"];

/// The workspace that a command works in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Its name.
    pub name: Arc<str>,
    /// The variable of the environment that says so, whatever the folder says.
    pub overridden_by: Option<&'static str>,
}

/// The workspace of this run.
///
/// # Errors
/// When the folder's selection can't be read.
pub fn selected() -> Result<Selected, Problem> {
    let set = |name: &&'static str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some(Selected { name: value.into(), overridden_by: Some(*name) })
    };
    if let Some(selected) = VARIABLES.iter().find_map(set) {
        return Ok(selected);
    }
    let text = match fs::read_to_string(FILE) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            let detail =
                format!("The file `{FILE}`, which names the selected workspace, can't be read: {error}.");
            let error = Diagnostic::error("workspace", "Workspace not known", detail);
            return Err(error
                .hint("Remove it to be back in the workspace `default`, or set TERRANE_WORKSPACE.")
                .into());
        }
    };
    let name = if text.trim().is_empty() { DEFAULT_WORKSPACE } else { text.trim() };
    if check_workspace(name).is_err() {
        let detail = format!("The file `{FILE}`, which names the selected workspace, holds something else.");
        let error = Diagnostic::error("workspace", "Workspace not known", detail);
        return Err(error.hint("`terrane workspace select NAME` writes it anew.").into());
    }
    Ok(Selected { name: name.into(), overridden_by: None })
}

/// Selects a workspace in the current folder.
///
/// # Errors
/// When that can't be written down; the selection is the old one then.
pub fn select(name: &str) -> Result<(), Problem> {
    let temporary = format!("{FILE}.tmp");
    let written = fs::create_dir_all(Path::new(FILE).parent().unwrap_or(Path::new(".")))
        .and_then(|()| fs::write(&temporary, name))
        .and_then(|()| fs::rename(&temporary, FILE));
    written.map_err(|error| {
        // The error to be told is the first one.
        let _ = fs::remove_file(&temporary);
        let detail =
            format!("The workspace \"{name}\" can't be selected: `{FILE}` can't be written: {error}.");
        Diagnostic::error("workspace", "Workspace not selected", detail).into()
    })
}
