//! `terrane destroy`: deletes everything that the state has. The same as `terrane apply --destroy`.

use terrane_plan::plan::Mode;

use super::apply::fresh;
use crate::cli::{Destroy, Global};
use crate::exit::Ended;
use crate::terminal::Terminal;

/// Runs the command.
pub fn run(global: &Global, arguments: Destroy, terminal: &Terminal) -> Ended {
    fresh(global, &arguments.planning, Mode::Destroy, arguments.applying.auto_approve, terminal)
}
