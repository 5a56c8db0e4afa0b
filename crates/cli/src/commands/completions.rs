//! `terrane completions`: completions for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Ended, Exit};

/// Runs the command.
pub fn run(shell: Shell) -> Ended {
    clap_complete::generate(shell, &mut Cli::command(), "terrane", &mut std::io::stdout());
    Ok(Exit::Done)
}
