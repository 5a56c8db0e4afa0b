//! The backend that keeps each workspace's state in a file of a folder beside the spec.
//!
//! Beside `state/default.tfstate` lie `default.tfstate.backup` (the state before the last run that changed it) and, with
//! a dot before the name, `.lock` (the operating system's lock; never removed, so that nobody locks a file that
//! is gone), `.lock.info` (who holds it), `.tmp` (a state not finished), `.journal`, and, while
//! there are temporary access keys, `.temporary`.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::backend::{Backend, DEFAULT_WORKSPACE, Taken, Write, check_workspace, in_line, version_of};
use crate::disk::{Disk, beside};
use crate::error::StateError;
use crate::journal::Log;
use crate::journal::log::FileLog;
use crate::lock::{LockInfo, try_lock, try_record_lock};
use crate::seal::{Purpose, Sealing, method_of};

const SUFFIX: &str = ".tfstate";

/// The state of one workspace in a file. Gives its lock back when it is dropped.
pub struct Local {
    disk: Disk,
    folder: PathBuf,
    /// Where the default workspace's state is, if not in the folder.
    default_path: Option<PathBuf>,
    path: PathBuf,
    held: Option<Held>,
    /// Whether the state as it was before this run is in the backup.
    backed_up: bool,
    /// How a backup is encrypted whose state is not yet.
    sealing: Option<Arc<Sealing>>,
}

struct Held {
    _lock: File,
    /// The state file with Terraform's lock on it; nothing while there is no state.
    state: Option<File>,
}

impl Local {
    /// The workspace's state in `folder`, as `<workspace>.tfstate`. `path` moves the state of the default workspace.
    /// Nothing is touched yet.
    ///
    /// # Errors
    /// [`StateError::Workspace`] when the name cannot be one.
    pub fn new(folder: &Path, path: Option<&Path>, workspace: &str) -> Result<Local, StateError> {
        Local::on(Disk::default(), folder, path, workspace)
    }

    /// The same on a given disk.
    ///
    /// # Errors
    /// As [`Local::new`].
    pub fn on(disk: Disk, folder: &Path, path: Option<&Path>, workspace: &str) -> Result<Local, StateError> {
        check_workspace(workspace)?;
        let default_path = path.map(Path::to_owned);
        let path = place(folder, default_path.as_deref(), workspace);
        Ok(Local {
            disk,
            folder: folder.to_owned(),
            default_path,
            path,
            held: None,
            backed_up: false,
            sealing: None,
        })
    }

    /// Encrypts backups from now on, also that of a state in the clear.
    pub fn seal_backups(&mut self, sealing: Arc<Sealing>) {
        self.sealing = Some(sealing);
    }

    /// The state file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the journal of this state belongs.
    pub fn journal_path(&self) -> PathBuf {
        beside(&self.path, "journal")
    }

    fn lock_path(&self) -> PathBuf {
        beside(&self.path, "lock")
    }

    fn info_path(&self) -> PathBuf {
        beside(&self.path, "lock.info")
    }

    fn backup_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".backup");
        name.into()
    }

    fn locked(&self) -> StateError {
        StateError::Locked { place: self.place(), holder: self.info().map(Box::new), sign: None }
    }

    /// The description of the lock, if it is there and readable.
    fn info(&self) -> Option<LockInfo> {
        let path = self.info_path();
        let file = self.disk.open_to_read(&path).ok()??;
        LockInfo::parse(&self.disk.read_from_start(&file, &path).ok()?)
    }

    /// The file that a write must replace: what the path leads to, when it is a link.
    fn target(&self) -> PathBuf {
        match self.path.is_symlink() {
            true => self.path.canonicalize().unwrap_or_else(|_| self.path.clone()),
            false => self.path.clone(),
        }
    }

    /// The state file as it is now. While it is locked, the handle that holds the lock: to close another handle of the
    /// same file would give Terraform's lock away.
    fn current(&self) -> Result<Option<Handle<'_>>, StateError> {
        if let Some(held) = self.held.as_ref().and_then(|held| held.state.as_ref())
            && same_file(held, &self.path)
        {
            return Ok(Some(Handle::Held(held)));
        }
        let opened = self.disk.open_to_read(&self.path).map_err(io_error("open", &self.path))?;
        Ok(opened.map(Handle::Opened))
    }

    fn check(&self, write: &Write<'_>) -> Result<(), StateError> {
        let found = self.read()?.map(|bytes| version_of(&bytes)).transpose();
        let found = found.map_err(|source| StateError::Format { place: self.place(), source })?;
        match in_line(found.as_ref(), write) {
            true => Ok(()),
            false => Err(StateError::Moved { place: self.place(), expected: write.replaces.cloned(), found }),
        }
    }

    fn read(&self) -> Result<Option<Vec<u8>>, StateError> {
        let Some(file) = self.current()? else { return Ok(None) };
        self.disk.read_from_start(&file, &self.path).map(Some).map_err(io_error("read", &self.path))
    }

    /// Keeps the state as it was before this run.
    fn back_up(&mut self) -> Result<(), StateError> {
        if self.backed_up {
            return Ok(());
        }
        if let Some(mut bytes) = self.read()? {
            if let Some(sealing) = self.sealing.as_ref().filter(|_| method_of(&bytes).is_none()) {
                let version = version_of(&bytes).ok();
                bytes = sealing.seal(Purpose::State, version.as_ref(), &bytes)?;
            }
            self.replace(&self.backup_path(), &bytes)?;
        }
        self.backed_up = true;
        Ok(())
    }

    /// Puts a whole new file in a file's place, and answers its handle.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<File, StateError> {
        let temporary = beside(path, "tmp");
        let file = self.create(&temporary)?;
        let written = self
            .disk
            .write(&file, &temporary, bytes)
            .and_then(|()| self.disk.sync(&file, &temporary))
            // Terraform must find the new file locked from the first moment.
            .and_then(|()| if self.held.is_some() { try_record_lock(&file).map(drop) } else { Ok(()) })
            .map_err(io_error("write", path))
            .and_then(|()| self.disk.rename(&temporary, path).map_err(io_error("replace", path)));
        match written {
            Ok(()) => Ok(file),
            Err(error) => {
                // The error to be told is the first one; what is left over goes when the lock is taken next.
                let _ = self.disk.remove(&temporary);
                Err(error)
            }
        }
    }

    /// Makes a new file. What has the name already is a left-over of a crash, or a trap: it goes, unopened.
    fn create(&self, path: &Path) -> Result<File, StateError> {
        self.disk
            .create(path)
            .or_else(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    self.disk.remove(path)?;
                    self.disk.create(path)
                }
                _ => Err(error),
            })
            .map_err(io_error("create", path))
    }

    fn remove(&self, path: &Path) -> Result<(), StateError> {
        self.disk.remove(path).map_err(io_error("remove", path))
    }

    /// Takes both locks. Nothing when somebody else has one of them.
    fn try_hold(&self) -> Result<Option<Held>, StateError> {
        let path = self.lock_path();
        let lock = self.disk.open_or_create(&path).map_err(io_error("open", &path))?;
        if !try_lock(&lock).map_err(io_error("lock", &path))? {
            return Ok(None);
        }
        let state = self.disk.open(&self.path).map_err(io_error("open", &self.path))?;
        if let Some(file) = &state
            && !try_record_lock(file).map_err(io_error("lock", &self.path))?
        {
            return Ok(None);
        }
        Ok(Some(Held { _lock: lock, state }))
    }
}

impl Backend for Local {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn workspaces(&mut self) -> Result<Vec<String>, StateError> {
        let names = self.disk.list(&self.folder).map_err(io_error("list", &self.folder))?;
        let mut names: Vec<String> = names
            .iter()
            .filter_map(|name| name.strip_suffix(SUFFIX))
            .filter(|name| check_workspace(name).is_ok())
            .map(str::to_owned)
            .chain([DEFAULT_WORKSPACE.to_owned()])
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn delete_workspace(&mut self, name: &str, may_go: &mut dyn FnMut() -> bool) -> Result<(), StateError> {
        let refused = |why| StateError::Workspace { name: name.to_owned(), why };
        if name == DEFAULT_WORKSPACE {
            return Err(refused("is the default one and cannot be deleted"));
        }
        let other = Local::on(self.disk.clone(), &self.folder, self.default_path.as_deref(), name)?;
        if other.path == self.path {
            return Err(refused("is the one in use; select another one first"));
        }
        if !self.workspaces()?.iter().any(|known| known == name) {
            return Err(refused("does not exist"));
        }
        let Some(held) = other.try_hold()? else { return Err(other.locked()) };
        if !may_go() {
            return Err(refused("was not deleted"));
        }
        // The state goes first: from then on the workspace does not exist, whatever is left over.
        for path in [other.path.clone(), other.journal_path(), other.backup_path(), other.info_path()] {
            other.remove(&path)?;
        }
        drop(held);
        other.remove(&other.lock_path())
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        Local::read(self)
    }

    fn write(&mut self, write: Write<'_>) -> Result<(), StateError> {
        let folder = crate::disk::folder(&self.path);
        self.disk.create_folder(folder).map_err(io_error("create", folder))?;
        self.check(&write)?;
        self.back_up()?;
        let target = self.target();
        let file = self.replace(&target, write.bytes)?;
        if let Some(held) = &mut self.held {
            held.state = Some(file);
        }
        self.disk.sync_folder(&target).map_err(io_error("save", &target))
    }

    fn journal(&self) -> Box<dyn Log> {
        Box::new(FileLog::new(self.disk.clone(), &self.journal_path()))
    }

    fn notes(&self) -> Box<dyn Log> {
        Box::new(FileLog::new(self.disk.clone(), &beside(&self.path, "temporary")))
    }

    fn put_aside(&mut self) -> Result<String, StateError> {
        let target = self.target();
        let named = |n: u32| {
            let mut name = target.clone().into_os_string();
            name.push(if n == 0 { ".migrated".to_owned() } else { format!(".migrated-{n}") });
            PathBuf::from(name)
        };
        let aside = (0..).map(named).find(|path| !path.exists()).unwrap_or_else(|| named(0));
        self.disk.rename(&target, &aside).map_err(io_error("rename", &target))?;
        self.disk.sync_folder(&aside).map_err(io_error("save", &aside))?;
        Ok(aside.display().to_string())
    }

    fn lock(&mut self, info: &LockInfo) -> Result<Taken, StateError> {
        let parent = crate::disk::folder(&self.path).to_owned();
        self.disk.create_folder(&parent).map_err(io_error("create", &parent))?;
        let Some(held) = self.try_hold()? else { return Err(self.locked()) };
        let abandoned = self.info();
        for left_over in [beside(&self.target(), "tmp"), beside(&self.backup_path(), "tmp")] {
            self.remove(&left_over)?;
        }
        let path = self.info_path();
        let file = self.create(&path)?;
        self.disk.write(&file, &path, &info.render()).map_err(io_error("write", &path))?;
        self.held = Some(held);
        self.backed_up = false;
        Ok(Taken { abandoned })
    }

    fn unlock(&mut self) -> Result<(), StateError> {
        let Some(held) = self.held.take() else { return Ok(()) };
        let removed = self.remove(&self.info_path());
        drop(held);
        removed
    }

    fn force_unlock(&mut self, id: &str) -> Result<LockInfo, StateError> {
        let refused = |why: String| StateError::NotUnlocked { place: self.place(), why };
        let Some(info) = self.info() else { return Err(refused("it is not locked".to_owned())) };
        if info.id != id {
            return Err(refused(format!("its id is `{}`", info.id)));
        }
        let Some(held) = self.try_hold()? else {
            return Err(refused(
                "the process that holds it is at work on this machine; end it first".to_owned(),
            ));
        };
        self.remove(&self.info_path())?;
        drop(held);
        Ok(info)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // Who wants to know of a failure calls `unlock`; the locks proper go with their files in any case.
        let _ = self.unlock();
    }
}

enum Handle<'a> {
    Held(&'a File),
    Opened(File),
}

impl Deref for Handle<'_> {
    type Target = File;

    fn deref(&self) -> &File {
        match self {
            Handle::Held(file) => file,
            Handle::Opened(file) => file,
        }
    }
}

fn place(folder: &Path, default_path: Option<&Path>, workspace: &str) -> PathBuf {
    match default_path {
        Some(path) if workspace == DEFAULT_WORKSPACE => path.to_owned(),
        _ => folder.join(format!("{workspace}{SUFFIX}")),
    }
}

/// Whether the file at a path is the one that is open.
#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), path.metadata()) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file(_file: &File, _path: &Path) -> bool {
    false
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::Io { action, path, source }
}

#[cfg(test)]
mod tests;
