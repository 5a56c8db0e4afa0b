//! `terrane completions`: completions for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Ended, Exit};
use crate::terminal::Terminal;

/// Runs the command.
pub fn run(shell: Shell, terminal: &Terminal) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "terrane", &mut script);
    terminal.say(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
