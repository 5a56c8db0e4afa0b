//! `terrane force-unlock`: takes away the lock of a process that is gone.

use terrane_model::Diagnostic;

use crate::exit::{Ended, Exit};
use crate::stack::state_backend;
use crate::terminal::Terminal;

/// Runs the command.
pub fn run(id: &str, force: bool, terminal: &Terminal) -> Ended {
    let mut backend = state_backend()?;
    if !force {
        if !terminal.can_ask {
            let error = Diagnostic::error(
                "not-approved",
                "Nobody to ask",
                "Nobody can be asked whether the lock is to go.",
            );
            return Err(error.hint("`--force` takes it away without asking.").into());
        }
        let question = format!(
            "Do you really want to force-unlock?\n  The lock of `{}` goes, and another command can begin at once. Be \
             sure that nobody is at work on it.\n  Only 'yes' will be accepted to confirm.\n\n  Enter a value: ",
            backend.place()
        );
        if terminal.ask(&question).is_none_or(|answer| answer.trim() != "yes") {
            terminal.say("\nforce-unlock cancelled.\n");
            return Ok(Exit::Failed);
        }
    }
    let info = backend.force_unlock(id)?;
    let of = if info.who.is_empty() { String::new() } else { format!(" of {}", info.who) };
    terminal.say(&format!("The lock{of} was taken away.\n"));
    Ok(Exit::Done)
}
