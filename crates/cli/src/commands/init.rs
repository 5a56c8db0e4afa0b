//! `terrane init`: there is nothing to initialise, and who types it out of habit is told so.

use crate::exit::{Ended, Exit};
use crate::terminal::Terminal;

/// Runs the command.
pub fn run(terminal: &Terminal) -> Ended {
    terminal.say(
        "Nothing has to be initialised: there are no plugins to install. `terrane plan` works right away.\n",
    );
    Ok(Exit::Done)
}
