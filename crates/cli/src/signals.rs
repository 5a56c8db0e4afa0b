//! Ctrl-C and SIGTERM.

use terrane_reconcile::Stop;
use tokio::signal::unix::{SignalKind, signal};

use crate::terminal::Terminal;

/// What is said when somebody interrupts.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The first time.
    pub gently: &'static str,
    /// The second time.
    pub at_once: &'static str,
}

/// What is said of runs that keep a journal.
const OF_RUNS: Words = Words {
    gently: "\nInterrupt received. What is under way is finished, nothing new begins. Once more to stop at once.\n",
    at_once: "\nStopping at once. What was under way is in the journal; the next command looks what became of it.\n",
};

/// Hands signals on to a run: the first asks it to stop, the second to stop at once. Lasts as long as the runtime.
pub fn listen(stop: &Stop, terminal: &Terminal) {
    listen_saying(stop, terminal, OF_RUNS);
}

/// The same in other words.
pub fn listen_saying(stop: &Stop, terminal: &Terminal, words: Words) {
    handed_on(stop, Some((terminal.clone(), words)));
}

/// The same without a word: for what ends at the first signal.
pub fn listen_quietly(stop: &Stop) {
    handed_on(stop, None);
}

fn handed_on(stop: &Stop, heard: Option<(Terminal, Words)>) {
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
            let (first, more) = (!stop.gently(), stop.at_once());
            if more {
                continue;
            }
            if let Some((terminal, words)) = &heard {
                terminal.tell(if first { words.gently } else { words.at_once });
            }
            stop.ask();
        }
    });
}
