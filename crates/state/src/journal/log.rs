//! Where the bytes of a journal are kept: the trait, and the file beside a local state.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::error::StateError;
use crate::lock::try_lock;

/// What an append must have reached when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The bytes outlive this machine's sudden end, and everything before them does too.
    Safe,
    /// They are on their way, and the caller does not wait for it.
    Soon,
}

/// The bytes of a journal, in the order in which they were appended.
pub trait Log: Send {
    /// What the place is called in messages.
    fn place(&self) -> String;

    /// The bytes, to go on behind them: nobody else may write from now on. Nothing when there are none; makes nothing.
    ///
    /// # Errors
    /// When the place cannot be read, or somebody else is writing.
    fn open(&mut self) -> Result<Option<Vec<u8>>, StateError>;

    /// The bytes, left alone.
    ///
    /// # Errors
    /// When the place cannot be read.
    fn peek(&mut self) -> Result<Option<Vec<u8>>, StateError>;

    /// Cuts off what is behind so many bytes.
    ///
    /// # Errors
    /// When the bytes may still be there.
    fn cut(&mut self, len: u64) -> Result<(), StateError>;

    /// Appends bytes.
    ///
    /// # Errors
    /// When they may not be there, or only a part. What is behind the last whole append is to be cut before another one.
    fn append(&mut self, bytes: &[u8], keep: Keep) -> Result<(), StateError>;

    /// Removes the place itself.
    ///
    /// # Errors
    /// When it may still be there.
    fn remove(&mut self) -> Result<(), StateError>;
}

/// A journal in a file.
pub(crate) struct FileLog {
    disk: Disk,
    path: PathBuf,
    /// Nothing until there is something to write, when there was no file.
    file: Option<File>,
}

impl FileLog {
    pub(crate) fn new(disk: Disk, path: &Path) -> FileLog {
        FileLog { disk, path: path.to_owned(), file: None }
    }

    fn create(&self) -> Result<File, StateError> {
        let folder = crate::disk::folder(&self.path);
        self.disk.create_folder(folder).map_err(self.io("make a folder for"))?;
        let file = self.disk.open_or_create(&self.path).map_err(self.io("create"))?;
        self.lock(&file)?;
        Ok(file)
    }

    fn lock(&self, file: &File) -> Result<(), StateError> {
        match try_lock(file).map_err(self.io("lock"))? {
            true => Ok(()),
            false => {
                let why = "another process is writing it".to_owned();
                Err(StateError::Journal { place: self.place(), why })
            }
        }
    }

    fn write(&self, file: &File, bytes: &[u8], keep: Keep, created: bool) -> io::Result<()> {
        self.disk.write(file, &self.path, bytes)?;
        if keep == Keep::Safe {
            self.disk.sync(file, &self.path)?;
        }
        if created {
            self.disk.sync_folder(&self.path)?;
        }
        Ok(())
    }

    fn io(&self, action: &'static str) -> impl FnOnce(io::Error) -> StateError + use<> {
        let path = self.path.clone();
        move |source| StateError::Io { action, path, source }
    }
}

impl Log for FileLog {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        let Some(file) = self.disk.open(&self.path).map_err(self.io("open"))? else { return Ok(None) };
        self.lock(&file)?;
        let bytes = self.disk.read_from_start(&file, &self.path).map_err(self.io("read"))?;
        self.file = Some(file);
        Ok(Some(bytes))
    }

    fn peek(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        let read = self.io("read");
        let Some(file) = self.disk.open_to_read(&self.path).map_err(self.io("read"))? else {
            return Ok(None);
        };
        self.disk.read_from_start(&file, &self.path).map(Some).map_err(read)
    }

    fn cut(&mut self, len: u64) -> Result<(), StateError> {
        match &self.file {
            Some(file) => self.disk.truncate(file, &self.path, len).map_err(self.io("cut")),
            None => Ok(()),
        }
    }

    fn append(&mut self, bytes: &[u8], keep: Keep) -> Result<(), StateError> {
        let created = self.file.is_none();
        let file = match self.file.take() {
            Some(file) => file,
            None => self.create()?,
        };
        let written = self.write(&file, bytes, keep, created);
        self.file = Some(file);
        written.map_err(self.io("write"))
    }

    fn remove(&mut self) -> Result<(), StateError> {
        match self.file.take() {
            Some(_) => self.disk.remove(&self.path).map_err(self.io("remove")),
            None => Ok(()),
        }
    }
}
