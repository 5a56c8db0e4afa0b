//! Where intents and outcomes are written down as they happen, and the state that follows from them.

use terrane_model::Diagnostic;
use terrane_state::journal::{Intent, Outcome};
use terrane_state::{Snapshot, StateError, Store};

/// The state of a run with its journal.
pub trait Ledger {
    /// Starts from this snapshot, and saves it.
    ///
    /// # Errors
    /// When it can't be saved: then nothing may be done.
    fn begin(&mut self, refreshed: &Snapshot) -> Result<(), StateError>;

    /// Writes down what is about to be done. When this returns, the intent is safe.
    ///
    /// # Errors
    /// When it could not be written: then it may not be done.
    fn intent(&mut self, intent: Intent) -> Result<u64, StateError>;

    /// Writes down what came of it, and brings it into the snapshot.
    ///
    /// # Errors
    /// When it could not be written: then nothing new may be done.
    fn outcome(&mut self, outcome: Outcome) -> Result<(), StateError>;

    /// Saves the snapshot.
    ///
    /// # Errors
    /// When it can't be saved; the journal still has all of it.
    fn save(&mut self) -> Result<(), StateError>;

    /// The state as it is now.
    fn snapshot(&self) -> &Snapshot;

    /// The state, to set its outputs.
    fn snapshot_mut(&mut self) -> &mut Snapshot;
}

impl Ledger for Store {
    fn begin(&mut self, refreshed: &Snapshot) -> Result<(), StateError> {
        let serial = self.snapshot().serial;
        *self.snapshot_mut() = Snapshot { serial, ..refreshed.clone() };
        self.commit().map(drop)
    }

    fn intent(&mut self, intent: Intent) -> Result<u64, StateError> {
        Store::intent(self, intent)
    }

    fn outcome(&mut self, outcome: Outcome) -> Result<(), StateError> {
        Store::outcome(self, outcome)
    }

    fn save(&mut self) -> Result<(), StateError> {
        self.commit().map(drop)
    }

    fn snapshot(&self) -> &Snapshot {
        Store::snapshot(self)
    }

    fn snapshot_mut(&mut self) -> &mut Snapshot {
        Store::snapshot_mut(self)
    }
}

/// That the state can't be written any more.
pub(crate) fn lost(error: &StateError) -> Diagnostic {
    let mut detail = format!("{error}.").replace("..", ".");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        detail.push_str(&format!(" Cause: {inner}."));
        cause = inner.source();
    }
    Diagnostic::error("state-not-saved", "State could not be saved", detail).hint(
        "Nothing new was begun. What was done before is in the journal beside the state; the next command takes it over.",
    )
}
