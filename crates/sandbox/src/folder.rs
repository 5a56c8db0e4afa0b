//! The folder that a sandbox lives in: made for the owner alone, and open in one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::OpenError;

/// How long to wait for a process that has the sandbox open. One that waited for the lock of a state goes on as soon as that
/// is free, while the one before it is still about to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(20);

/// A folder that nobody else has open; the lock ends when this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is absent and takes its lock.
    pub(crate) fn lock(path: &Path) -> Result<Folder, OpenError> {
        let failed = |source| OpenError::Folder { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    let _ = file.read_to_string(&mut holder);
                    let holder = holder.trim().parse().ok();
                    return Err(OpenError::Locked { path: path.to_owned(), holder });
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        file.set_len(0).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        keep_out_of_git(path).map_err(failed)?;
        Ok(Folder { path: path.to_owned(), _lock: file })
    }

    /// Makes a file of the folder for the owner alone, if it is absent, and returns its path.
    ///
    /// SQLite gives its journal files the rights of the database, so making the database first with these is enough.
    pub(crate) fn private_file(&self, name: &str) -> Result<PathBuf, OpenError> {
        let path = self.path.join(name);
        let failed = |source| OpenError::Folder { path: path.clone(), source };
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).map_err(failed)?;
        Ok(path)
    }

    /// The names of the files that begin with `prefix` and end with `suffix`, the middle parts alone.
    pub(crate) fn names_between(&self, prefix: &str, suffix: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.path) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| Some(name.strip_prefix(prefix)?.strip_suffix(suffix)?.to_owned()))
            .collect();
        names.sort();
        names
    }
}

/// Key material and secrets must not end up in a repository, so the folder ignores itself.
fn keep_out_of_git(path: &Path) -> std::io::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).open(path.join(".gitignore"));
    match made {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_and_its_files_belong_to_the_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let folder = Folder::lock(&path).unwrap();
        let file = folder.private_file("x.db").unwrap();
        let rights = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(rights(&path), 0o700);
        assert_eq!(rights(&file), 0o600);
        assert_eq!(rights(&path.join("lock")), 0o600);
        assert_eq!(folder.names_between("x", ".db"), [""]);
        assert_eq!(std::fs::read_to_string(path.join(".gitignore")).unwrap(), "*\n");
    }

    #[test]
    fn a_second_opening_is_refused_and_names_the_holder() {
        let parent = tempfile::tempdir().unwrap();
        let held = Folder::lock(parent.path()).unwrap();
        match Folder::lock(parent.path()) {
            Err(OpenError::Locked { holder, .. }) => assert_eq!(holder, Some(std::process::id())),
            other => panic!("expected a lock error, got {other:?}"),
        }
        drop(held);
        Folder::lock(parent.path()).unwrap();
    }

    #[test]
    fn one_that_is_about_to_end_is_waited_for() {
        let parent = tempfile::tempdir().unwrap();
        let held = Folder::lock(parent.path()).unwrap();
        let ending = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(held);
        });
        Folder::lock(parent.path()).unwrap();
        ending.join().unwrap();
    }
}
