//! The `terrane` binary: arguments in, an exit code out. Commands are in `commands`, one file each.

mod arguments;
mod backends;
mod cli;
mod commands;
mod deployer;
mod encryption;
mod exit;
mod functions;
mod generated;
mod git;
mod hardships;
mod leftovers;
mod modules;
mod progress;
mod record;
mod render;
mod session;
mod signals;
mod stack;
mod terminal;
mod whereabouts;
mod work;
mod workspace;

use std::process::ExitCode;

/// Expressions, blocks and values nest; walking them takes stack, and how deep a spec nests is up to the user.
const STACK_BYTES: usize = 256 << 20;

fn main() -> ExitCode {
    let worker = std::thread::Builder::new().name("terrane".into()).stack_size(STACK_BYTES).spawn(cli::run);
    let code = match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(exit)) => exit.code(),
        // A panic has said what happened; there is nothing to add.
        Ok(Err(_)) | Err(_) => exit::Exit::Failed.code(),
    };
    ExitCode::from(code)
}
