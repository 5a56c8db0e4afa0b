//! What expressions may touch outside: files, the clock, random numbers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use terrane_expr::{FileKind, Files, FunctionContext, Impure};

/// What functions work with. While planning, what depends on clock or chance is unknown.
pub fn planning(folder: &Path, plan_time: &str) -> FunctionContext {
    FunctionContext {
        base: folder.to_owned(),
        home: std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from),
        plan_time: Some(plan_time.into()),
        files: Arc::new(Disk),
        impure: None,
        console: false,
    }
}

/// The same while applying.
pub fn applying(folder: &Path, plan_time: &str) -> FunctionContext {
    FunctionContext { impure: Some(Arc::new(System)), ..planning(folder, plan_time) }
}

struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        fs::read(path).map_err(|error| clause(&error))
    }

    fn kind(&self, path: &Path) -> Result<Option<FileKind>, String> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(kind(found.file_type()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(clause(&error)),
        }
    }

    fn list(&self, folder: &Path) -> Result<Vec<(String, FileKind)>, String> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(clause(&error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| clause(&error))?;
            // A name that is not UTF-8 can't be named in a spec.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let found = fs::metadata(entry.path()).map_or(FileKind::Other, |found| kind(found.file_type()));
            names.push((name, found));
        }
        Ok(names)
    }
}

fn kind(found: fs::FileType) -> FileKind {
    match (found.is_file(), found.is_dir()) {
        (true, _) => FileKind::File,
        (_, true) => FileKind::Folder,
        _ => FileKind::Other,
    }
}

fn clause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

struct System;

impl Impure for System {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), String> {
        // A version 4 UUID has 122 random bits from the system's source; its fixed bytes 6 and 8 are left out.
        for chunk in bytes.chunks_mut(14) {
            let random = uuid::Uuid::new_v4().into_bytes();
            let free = random.iter().enumerate().filter(|(i, _)| !matches!(i, 6 | 8)).map(|(_, byte)| *byte);
            for (place, byte) in chunk.iter_mut().zip(free) {
                *place = byte;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "x").unwrap();
        assert_eq!(Disk.read(&folder.path().join("a")), Ok(b"x".to_vec()));
        assert_eq!(Disk.kind(&folder.path().join("a")), Ok(Some(FileKind::File)));
        assert_eq!(Disk.kind(&folder.path().join("b")), Ok(None));
        assert_eq!(Disk.list(folder.path()), Ok(vec![("a".to_owned(), FileKind::File)]));
        assert_eq!(Disk.list(&folder.path().join("b")), Ok(vec![]));
        assert_eq!(Disk.read(&folder.path().join("b")), Err("there is no such file".to_owned()));
    }

    #[test]
    fn random_bytes_fill_any_length() {
        let mut bytes = [0; 40];
        System.random(&mut bytes).unwrap();
        assert!(bytes.chunks(14).all(|chunk| chunk.iter().any(|byte| *byte != 0)));
    }
}
