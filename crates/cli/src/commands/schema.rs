//! `terrane schema`: writes the JSON Schema of the spec.

use crate::exit::{Ended, Exit};
use crate::render::json_schema::document;
use crate::session;
use crate::terminal::Terminal;

/// Runs the command.
pub fn run(terminal: &Terminal) -> Ended {
    terminal.say(&format!("{:#}\n", document(&session::catalog())));
    Ok(Exit::Done)
}
