//! The write-ahead log of an apply: what is about to be done, and what came of it.
//!
//! A journal lives beside the state for as long as the state does not say everything: from the first intent of a run to
//! the snapshot that holds its last outcome. It is a file of JSON lines, each with a checksum. Intents are on the disk
//! before the call is made. Outcomes are only handed to the operating system, which is enough for any death of the
//! process; should the machine itself die, the intent is still there and the object is looked for.
//!
//! A torn end is what a crash leaves, and is passed over. A damaged line with whole ones behind it is not: something else
//! happened to the file, and somebody must look.

use serde::{Deserialize, Serialize};
use terrane_model::Address;

use crate::backend::Version;
use crate::error::StateError;
use crate::snapshot::{Object, Snapshot};

pub mod log;
pub(crate) mod record;
pub(crate) mod replay;

pub use log::{Keep, Log};
use record::Record;
pub(crate) use replay::Replay;

/// What is about to be done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
}

/// One call that is about to be made, with all that is needed to find its object again.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// The instance.
    pub address: Address,
    /// The key of the deposed object, when it is about one.
    pub deposed: Option<String>,
    /// What is about to be done.
    pub operation: Operation,
    /// The provider configuration, as the state names it.
    pub provider: String,
    /// The object as planned; attributes that are not known yet are left out.
    pub planned: Option<Object>,
    /// What marks an object that has no name of its own, such as a tag's value.
    pub marker: Option<String>,
    /// The `id` of the object as it is before, when there is one.
    pub id: Option<String>,
    /// What there was before, where only that tells what was made. Journals of earlier versions have none.
    pub survey: Option<String>,
}

/// What came of a call, or of a step that needs none.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The intent that this closes; nothing for a step that had none.
    pub intent: Option<u64>,
    /// The instance.
    pub address: Address,
    /// The key of the deposed object, when it is about one.
    pub deposed: Option<String>,
    /// The fingerprint of the object as it was before; nothing when there was none. The store fills it in.
    pub(crate) before: Option<String>,
    /// What became of the object.
    pub change: Change,
}

impl Outcome {
    /// An outcome for an instance's current object.
    pub fn of(address: Address, intent: Option<u64>, change: Change) -> Outcome {
        Outcome { intent, address, deposed: None, before: None, change }
    }

    /// The same for the object deposed under a key.
    #[must_use]
    pub fn deposed(self, key: impl Into<String>) -> Outcome {
        Outcome { deposed: Some(key.into()), ..self }
    }

    /// Brings the outcome into a snapshot. Doing so again changes nothing.
    pub(crate) fn apply(self, snapshot: &mut Snapshot) {
        let address = &self.address;
        match (self.change, &self.deposed) {
            (Change::Put { provider, object }, None) => snapshot.put(address, &provider, *object),
            (Change::Put { provider, object }, Some(key)) => {
                snapshot.put_deposed(address, &provider, key, *object);
            }
            (Change::Remove, None) => drop(snapshot.remove(address)),
            (Change::Remove, Some(key)) => drop(snapshot.remove_deposed(address, key)),
            (Change::Depose { key }, _) => {
                let now = record::fingerprint(snapshot.get(address));
                if now == self.before {
                    snapshot.depose(address, &key);
                }
            }
            (Change::Rename { to }, _) => {
                snapshot.rename(address, &to);
            }
            (Change::Nothing { .. }, _) => {}
        }
    }
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is like this now. Whole, or tainted when only a part was made.
    Put {
        /// The provider configuration, as the state names it.
        provider: String,
        /// The object.
        object: Box<Object>,
    },
    /// It is gone, or no longer looked after.
    Remove,
    /// It was put aside under a key of eight hexadecimal digits, so that another can take its place.
    Depose {
        /// The key.
        key: String,
    },
    /// It goes under another address, with all that is deposed.
    Rename {
        /// The new address.
        to: Address,
    },
    /// It is as it was: the call is known to have had no effect.
    Nothing {
        /// Why.
        why: String,
    },
}

/// The journal of a run.
pub(crate) struct Journal {
    log: Box<dyn Log>,
    /// Bytes of whole lines.
    len: u64,
    /// Whether there may be bytes behind the whole lines, from a write that failed.
    unclean: bool,
    /// Whether there is something that is to be removed at the end.
    exists: bool,
}

impl Journal {
    /// Opens the journal to go on with it, and tells what it holds. Makes nothing where there is none.
    pub(crate) fn open(mut log: Box<dyn Log>) -> Result<(Journal, Replay), StateError> {
        let Some(bytes) = log.open()? else {
            return Ok((Journal { log, len: 0, unclean: false, exists: false }, Replay::default()));
        };
        let replay = Replay::read(&bytes).map_err(|why| StateError::Journal { place: log.place(), why })?;
        log.cut(replay.len)?;
        Ok((Journal { log, len: replay.len, unclean: false, exists: true }, replay))
    }

    /// Tells what a journal holds, and leaves it alone.
    pub(crate) fn peek(log: &mut dyn Log) -> Result<Replay, StateError> {
        let Some(bytes) = log.peek()? else { return Ok(Replay::default()) };
        Replay::read(&bytes).map_err(|why| StateError::Journal { place: log.place(), why })
    }

    pub(crate) fn place(&self) -> String {
        self.log.place()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends records, as one write. When one of them must be durable, they all are when this returns. After a failure
    /// none of them is there.
    pub(crate) fn append(&mut self, base: &Version, records: &[Record]) -> Result<(), StateError> {
        let mut lines = Vec::new();
        let first = self.is_empty().then(|| Record::Base(base.clone()));
        for record in first.iter().chain(records) {
            record
                .write(&mut lines)
                .map_err(|error| StateError::Journal { place: self.place(), why: error.to_string() })?;
        }
        let keep = if records.iter().any(Record::is_durable) { Keep::Safe } else { Keep::Soon };
        if self.unclean {
            self.log.cut(self.len)?;
        }
        self.unclean = true;
        self.exists = true;
        self.log.append(&lines, keep)?;
        self.unclean = false;
        self.len += lines.len() as u64;
        Ok(())
    }

    /// Forgets everything: the snapshot has it now.
    pub(crate) fn clear(&mut self) -> Result<(), StateError> {
        if self.exists && (self.len > 0 || self.unclean) {
            self.log.cut(0)?;
            self.len = 0;
            self.unclean = false;
        }
        Ok(())
    }

    /// Removes the place of a journal that holds nothing.
    pub(crate) fn remove_if_empty(mut self) -> Result<(), StateError> {
        if self.is_empty() && self.exists { self.log.remove() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
