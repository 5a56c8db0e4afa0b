//! Where snapshots are kept: what every backend must be able to do.
//!
//! A backend moves bytes, and is bound to one workspace. It does not know what they say.

use std::fmt;

use serde::Deserialize;

use crate::error::{FormatError, StateError};
use crate::journal::Log;
use crate::lock::LockInfo;

/// The name of the workspace that always exists.
pub const DEFAULT_WORKSPACE: &str = "default";

/// Which snapshot it is: two of one lineage are ordered by their serials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// See [`Snapshot::lineage`](crate::Snapshot::lineage).
    pub lineage: String,
    /// See [`Snapshot::serial`](crate::Snapshot::serial).
    pub serial: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "serial {} of lineage {}", self.serial, self.lineage)
    }
}

/// A snapshot on its way to a backend.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// Which snapshot it is.
    pub version: &'a Version,
    /// What it replaces; nothing when there must be no state yet.
    pub replaces: Option<&'a Version>,
}

/// A lock that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The description of a lock whose holder is dead, and which was taken over.
    pub abandoned: Option<LockInfo>,
}

/// A place for the snapshots of one workspace.
pub trait Backend: Send {
    /// What the place is called in messages.
    fn place(&self) -> String;

    /// The names of all workspaces, sorted, [`DEFAULT_WORKSPACE`] among them.
    ///
    /// # Errors
    /// When the place cannot be listed.
    fn workspaces(&mut self) -> Result<Vec<String>, StateError>;

    /// Removes a workspace with its state, if `may_go` says so. That is asked under the workspace's lock, so that what it looked at
    /// stays as it is until it is gone.
    ///
    /// # Errors
    /// [`StateError::Workspace`] for the default one, this backend's own, and one that may not go; [`StateError::Locked`] when
    /// it is in use.
    fn delete_workspace(&mut self, name: &str, may_go: &mut dyn FnMut() -> bool) -> Result<(), StateError>;

    /// The bytes of the snapshot; nothing when there is none yet.
    ///
    /// # Errors
    /// When the place cannot be read.
    fn read(&mut self) -> Result<Option<Vec<u8>>, StateError>;

    /// Replaces the snapshot as a whole: afterwards, and after a failure or a crash at any moment, either the old or the
    /// new one is there.
    ///
    /// # Errors
    /// [`StateError::Moved`] when what is there is not what should be replaced, or is of another lineage, or has no lower
    /// serial. After any other error it may be the old or the new one that is there.
    fn write(&mut self, write: Write<'_>) -> Result<(), StateError>;

    /// The journal that belongs to the snapshot. Every call gives another handle.
    fn journal(&self) -> Box<dyn Log>;

    /// A log beside the journal, for what is made for a moment and must be taken away again. It outlives a run that dies, and
    /// nothing replays it by itself. Whoever uses it holds the lock. Every call gives another handle.
    fn notes(&self) -> Box<dyn Log>;

    /// Gives the snapshot another name, under which no command finds it, and answers that name.
    ///
    /// # Errors
    /// When it may still be there.
    fn put_aside(&mut self) -> Result<String, StateError>;

    /// A snapshot's bytes as this backend would keep them, for one that could not be written.
    ///
    /// # Errors
    /// When they can't be encrypted.
    fn sealed(&self, version: &Version, bytes: &[u8]) -> Result<Vec<u8>, StateError> {
        let _ = version;
        Ok(bytes.to_vec())
    }

    /// Takes the lock, or fails at once.
    ///
    /// # Errors
    /// [`StateError::Locked`] when somebody has it.
    fn lock(&mut self, info: &LockInfo) -> Result<Taken, StateError>;

    /// Gives the lock back. Nothing happens when it is not held.
    ///
    /// # Errors
    /// When it may still be there.
    fn unlock(&mut self) -> Result<(), StateError>;

    /// Takes the lock with this id away from a holder that is gone.
    ///
    /// # Errors
    /// [`StateError::NotUnlocked`] when there is no lock, one with another id, or a holder that is known to be alive.
    fn force_unlock(&mut self, id: &str) -> Result<LockInfo, StateError>;
}

/// Takes the lock, as often as `again` says so after a refusal. `again` is where the caller waits and watches its clock.
///
/// # Errors
/// The last refusal, or at once what is no [`StateError::Locked`].
pub fn lock_patiently(
    backend: &mut dyn Backend,
    info: &LockInfo,
    again: &mut dyn FnMut(&StateError) -> bool,
) -> Result<Taken, StateError> {
    loop {
        match backend.lock(info) {
            Err(refusal @ StateError::Locked { .. }) if again(&refusal) => {}
            result => return result,
        }
    }
}

/// Which snapshot a state file holds, without reading all of it.
///
/// # Errors
/// When it is no state that this version knows.
pub fn version_of(bytes: &[u8]) -> Result<Version, FormatError> {
    #[derive(Deserialize)]
    struct Header {
        version: u64,
        serial: u64,
        lineage: String,
    }
    match serde_json::from_slice(bytes) {
        Ok(Header { version: 4, serial, lineage }) => Ok(Version { lineage, serial }),
        _ => match crate::seal::version_inside(bytes) {
            Some(version) => Ok(version),
            // Whatever is wrong with it, reading it whole will say so.
            None => crate::parse(bytes).map(|snapshot| snapshot.version()),
        },
    }
}

/// Whether a write may take the place of what was found.
pub fn in_line(found: Option<&Version>, write: &Write<'_>) -> bool {
    let follows = found.is_none_or(|v| v.lineage == write.version.lineage && v.serial < write.version.serial);
    follows && found == write.replaces
}

/// Whether a name can be a workspace's: letters, digits, `-`, `_` and `.`, not beginning with a dot, at most 90.
///
/// # Errors
/// When it can't.
pub fn check_workspace(name: &str) -> Result<(), StateError> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !name.is_empty() && name.len() <= 90 && !name.starts_with('.') && name.chars().all(good) {
        true => Ok(()),
        false => Err(StateError::Workspace {
            name: name.to_owned(),
            why: "needs a name of at most 90 letters, digits, `-`, `_` and `.` that does not begin with a dot",
        }),
    }
}
