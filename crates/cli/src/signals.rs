//! Ctrl-C and SIGTERM.

use terrane_reconcile::Stop;
use tokio::signal::unix::{SignalKind, signal};

use crate::terminal::Terminal;

/// Hands signals on to a run: the first asks it to stop, the second to stop at once. Lasts as long as the runtime.
pub fn listen(stop: &Stop, terminal: &Terminal) {
    handed_on(stop, Some(terminal.clone()));
}

/// The same without a word: for what ends at the first signal.
pub fn listen_quietly(stop: &Stop) {
    handed_on(stop, None);
}

fn handed_on(stop: &Stop, terminal: Option<Terminal>) {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers a signal ends the process, and the journal has what is needed.
        return;
    };
    let stop = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            let text = match (stop.gently(), stop.at_once()) {
                (false, _) => {
                    "\nInterrupt received. What is under way is finished, nothing new begins. Once more to stop at once.\n"
                }
                (true, false) => {
                    "\nStopping at once. What was under way is in the journal; the next command looks what became of it.\n"
                }
                _ => continue,
            };
            if let Some(terminal) = &terminal {
                terminal.tell(text);
            }
            stop.ask();
        }
    });
}
