//! What is told while a run goes on. The receiver decides what of it is shown, and how.

use std::time::Duration;

use terrane_model::{Action, Address};
use terrane_provider::{Error, Progress};

/// One thing that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// An object or data source is being read.
    ReadStarted {
        /// The instance.
        address: &'a Address,
        /// The object's id, when it has one.
        id: Option<&'a str>,
    },
    /// It was read.
    ReadDone {
        /// The instance.
        address: &'a Address,
        /// The object's id; absent: it is gone.
        id: Option<&'a str>,
        /// How long it took.
        elapsed: Duration,
    },
    /// An object is going to be imported: it is looked for.
    Preparing {
        /// The instance that it becomes.
        address: &'a Address,
        /// The import id.
        id: &'a str,
    },
    /// An object is taken into the state.
    Importing {
        /// The instance that it becomes.
        address: &'a Address,
        /// The import id.
        id: &'a str,
    },
    /// It is in the state.
    Imported {
        /// The instance.
        address: &'a Address,
        /// The import id.
        id: &'a str,
    },
    /// An action began.
    Started {
        /// The instance.
        address: &'a Address,
        /// Create, update, delete or read: the halves of a replacement come one by one.
        action: Action,
        /// The object's id, when it has one.
        id: Option<&'a str>,
    },
    /// Something is being waited for.
    Waiting {
        /// The instance.
        address: &'a Address,
        /// A noun phrase.
        what: &'a str,
    },
    /// A provider has something to say though nothing failed.
    Remark {
        /// The instance.
        address: &'a Address,
        /// A sentence.
        sentence: &'a str,
    },
    /// An action is still going on.
    Still {
        /// The instance.
        address: &'a Address,
        /// The action.
        action: Action,
        /// The object's id, when it has one.
        id: Option<&'a str>,
        /// Time since it began.
        elapsed: Duration,
    },
    /// An action is done.
    Done {
        /// The instance.
        address: &'a Address,
        /// The action.
        action: Action,
        /// The object's id after it.
        id: Option<&'a str>,
        /// How long it took.
        elapsed: Duration,
        /// A sentence for the user.
        note: Option<&'a str>,
    },
    /// An action failed.
    Failed {
        /// The instance.
        address: &'a Address,
        /// The action.
        action: Action,
        /// What went wrong.
        error: &'a Error,
        /// How long it took.
        elapsed: Duration,
    },
    /// The run was asked to stop: what is under way is finished, nothing new begins.
    Stopping {
        /// How many actions are under way.
        under_way: usize,
    },
}

/// Told about events.
pub trait Events: Send + Sync {
    /// Takes one event.
    fn event(&self, event: &Event<'_>);
}

/// Hands a provider's waits on.
pub(crate) struct Waits<'a>(pub &'a dyn Events);

impl Progress for Waits<'_> {
    fn waiting_for(&self, address: &Address, what: &str) {
        self.0.event(&Event::Waiting { address, what });
    }

    fn remark(&self, address: &Address, sentence: &str) {
        self.0.event(&Event::Remark { address, sentence });
    }
}
