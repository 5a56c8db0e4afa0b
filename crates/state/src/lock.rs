//! Who is at work on a state: the lock's description as Terraform writes it, and locks of the operating system.
//!
//! Two locks are held on a local state. The first is on a file of its own (`flock` on Unix), so that it also works
//! between two handles of one process and outlives the renames by which the state is replaced. The second is the record
//! lock (`fcntl`) on the state file itself that Terraform takes: the two kinds do not see each other, so one alone would
//! not keep both programs apart. Either vanishes with its process, however that ends.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;

use serde::{Deserialize, Serialize};

/// Who holds a lock, since when and what for: the JSON that Terraform writes beside a locked state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LockInfo {
    /// A unique name of this lock, asked for when it is broken.
    #[serde(rename = "ID")]
    pub id: String,
    /// What is being done, such as `apply`.
    pub operation: String,
    /// Anything more.
    pub info: String,
    /// User and machine: `ann@box`.
    pub who: String,
    /// The program's version.
    pub version: String,
    /// When it was taken, as RFC 3339 writes times.
    pub created: String,
    /// The state that is locked.
    pub path: String,
    /// Which process holds it, such that another one on the same machine can tell whether it is still there. Terraform
    /// does not write this, and passes over it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub process: String,
    /// When its holder last said that it is at work, as RFC 3339 writes times. As `process`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub renewed: String,
}

impl LockInfo {
    /// Reads a description; nothing when the text is none.
    pub fn parse(text: &[u8]) -> Option<LockInfo> {
        serde_json::from_slice(text).ok()
    }

    /// The description as JSON on one line.
    pub fn render(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// One `name: value` per line, without those that are empty.
impl fmt::Display for LockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            ("ID", &self.id),
            ("Path", &self.path),
            ("Operation", &self.operation),
            ("Who", &self.who),
            ("Version", &self.version),
            ("Created", &self.created),
            ("Renewed", &self.renewed),
            ("Info", &self.info),
        ];
        let mut first = true;
        for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
            let start = if first { "" } else { "\n" };
            first = false;
            write!(f, "{start}  {:<11}{value}", format!("{name}:"))?;
        }
        Ok(())
    }
}

/// Takes the lock on a file of its own. False when another handle has it. Released when the file is closed.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Takes Terraform's lock on a state file, which must be open for writing. False when another process has it.
///
/// Caveat: released when this process closes *any* handle of that file, so a locked state must only be read through the
/// handle that holds the lock.
#[cfg(unix)]
pub(crate) fn try_record_lock(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, fcntl_lock};
    use rustix::io::Errno;
    match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
        // No such locks on this file system, so Terraform has none either.
        Err(Errno::NOLCK | Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// There are no record locks here.
#[cfg(not(unix))]
pub(crate) fn try_record_lock(_file: &File) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_the_one_that_terraform_writes() {
        let text = r#"{"ID":"i","Operation":"OperationTypeApply","Info":"","Who":"ann@box","Version":"1.11.4","Created":"2026-11-24T06:00:00Z","Path":"state/default.tfstate"}"#;
        let info = LockInfo::parse(text.as_bytes()).unwrap();
        assert_eq!(info.who, "ann@box");
        assert_eq!(String::from_utf8(info.render()).unwrap(), text);
        assert_eq!(LockInfo::parse(b"{\"ID\":\"i\",\"New\":1}").unwrap().id, "i");
        assert_eq!(LockInfo::parse(b"nonsense"), None);
    }

    #[test]
    fn a_lock_of_its_own_excludes_other_handles_until_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let open = || File::options().create(true).truncate(false).write(true).open(&path).unwrap();
        let (first, second) = (open(), open());
        assert!(try_lock(&first).unwrap());
        assert!(!try_lock(&second).unwrap());
        drop(first);
        assert!(try_lock(&second).unwrap());
    }
}
