//! The file operations that state and journal are made of, one by one, so that a test can let any of them fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One kind of file operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Making a folder.
    CreateFolder,
    /// Opening a file that exists.
    Open,
    /// Making a file that must not exist yet.
    Create,
    /// Reading a file whole.
    Read,
    /// Writing or appending bytes.
    Write,
    /// Cutting a file short.
    Truncate,
    /// Forcing a file's bytes to the disk.
    Sync,
    /// Forcing the names in a folder to the disk.
    SyncFolder,
    /// Giving a file another name.
    Rename,
    /// Removing a file.
    Remove,
    /// Listing a folder.
    List,
}

/// How an operation fails under test.
#[derive(Debug)]
pub struct Fault {
    /// What the caller is told.
    pub error: io::Error,
    /// How many bytes of a write reach the file all the same.
    pub written: usize,
}

/// Asked before each operation.
pub type Faults = dyn Fn(Op, &Path) -> Result<(), Fault> + Send + Sync;

/// The disk, or under test a disk that fails on demand. The latter is never really forced to keep anything: that takes
/// its time, and makes no difference to a process that dies.
#[derive(Clone, Default)]
pub struct Disk(Option<Arc<Faults>>);

impl Disk {
    /// A disk whose operations are asked about first. For tests.
    pub fn with_faults(faults: Arc<Faults>) -> Disk {
        Disk(Some(faults))
    }

    fn ask(&self, op: Op, path: &Path) -> Result<(), Fault> {
        self.0.as_ref().map_or(Ok(()), |faults| faults(op, path))
    }

    fn may(&self, op: Op, path: &Path) -> io::Result<()> {
        self.ask(op, path).map_err(|fault| fault.error)
    }

    pub(crate) fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.may(Op::CreateFolder, path)?;
        fs::create_dir_all(path)
    }

    /// Opens a file for reading and writing. Nothing when there is none.
    pub(crate) fn open(&self, path: &Path) -> io::Result<Option<File>> {
        self.may(Op::Open, path)?;
        absent(OpenOptions::new().read(true).write(true).open(path))
    }

    /// Opens a file for reading. Nothing when there is none.
    pub(crate) fn open_to_read(&self, path: &Path) -> io::Result<Option<File>> {
        self.may(Op::Open, path)?;
        absent(File::open(path))
    }

    /// Makes a file that only its owner may read. Never follows a link, because the name must be free.
    pub(crate) fn create(&self, path: &Path) -> io::Result<File> {
        self.may(Op::Create, path)?;
        private().read(true).write(true).create_new(true).open(path)
    }

    /// Opens a file that only its owner may read, and makes it where there is none.
    pub(crate) fn open_or_create(&self, path: &Path) -> io::Result<File> {
        self.may(Op::Open, path)?;
        private().read(true).write(true).create(true).truncate(false).open(path)
    }

    pub(crate) fn read_from_start(&self, mut file: &File, path: &Path) -> io::Result<Vec<u8>> {
        self.may(Op::Read, path)?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes at the place where the file stands.
    pub(crate) fn write(&self, mut file: &File, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Err(fault) = self.ask(Op::Write, path) {
            file.write_all(bytes.get(..fault.written.min(bytes.len())).unwrap_or(bytes))?;
            return Err(fault.error);
        }
        file.write_all(bytes)
    }

    /// Cuts the file, and goes on writing from there.
    pub(crate) fn truncate(&self, mut file: &File, path: &Path, len: u64) -> io::Result<()> {
        self.may(Op::Truncate, path)?;
        file.set_len(len)?;
        file.seek(SeekFrom::Start(len)).map(drop)
    }

    pub(crate) fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        self.may(Op::Sync, path)?;
        if self.0.is_none() { file.sync_data() } else { Ok(()) }
    }

    /// Makes the names in a file's folder durable.
    pub(crate) fn sync_folder(&self, file: &Path) -> io::Result<()> {
        let folder = folder(file);
        self.may(Op::SyncFolder, folder)?;
        if cfg!(unix) && self.0.is_none() { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.may(Op::Rename, from)?;
        fs::rename(from, to)
    }

    /// Removes a file or a link itself; that there is none is fine.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.may(Op::Remove, path)?;
        absent(fs::remove_file(path)).map(drop)
    }

    /// The names in a folder; none when there is no folder.
    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.may(Op::List, path)?;
        let Some(entries) = absent(fs::read_dir(path))? else { return Ok(Vec::new()) };
        entries.filter_map(|entry| entry.map(|e| e.file_name().into_string().ok()).transpose()).collect()
    }
}

/// The folder of a file, `.` for a bare name.
pub(crate) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A hidden neighbour of a file: `state/default.tfstate` and `lock` give `state/.default.tfstate.lock`.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{suffix}"))
}

fn absent<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
