//! What an expression needs from outside: values for its references, and what some functions read.
//!
//! INVARIANT: the evaluator touches no file, clock or random source but through these traits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use terrane_model::{Diagnostic, Key, Span, Value};

use crate::reference::Reference;

/// Gives the values that an expression refers to.
pub trait Scope {
    /// The value of a reference. `span` is where it stands, for the error.
    ///
    /// # Errors
    /// When there is nothing of that name. `try` and `can` do not hide such an error.
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Diagnostic>;

    /// The value of one instance of a resource or module with `count` or `for_each`, for a scope that can tell it without
    /// putting all instances together. Nothing: the evaluator resolves the whole and takes the instance out of it.
    fn resolve_instance(
        &self,
        reference: &Reference,
        key: &Key,
        span: Span,
    ) -> Option<Result<Value, Diagnostic>> {
        let _ = (reference, key, span);
        None
    }

    /// What functions work with.
    fn functions(&self) -> &FunctionContext;
}

/// What functions work with beside their arguments.
#[derive(Clone)]
pub struct FunctionContext {
    /// The folder from which relative paths are taken: the stack's.
    pub base: PathBuf,
    /// What a leading `~` stands for.
    pub home: Option<PathBuf>,
    /// The time that `plantimestamp` gives, in RFC 3339; nothing where there is no plan.
    pub plan_time: Option<Arc<str>>,
    /// Reads files.
    pub files: Arc<dyn Files>,
    /// The clock and random numbers. Nothing while planning: then what depends on them is unknown.
    pub impure: Option<Arc<dyn Impure>>,
    /// Whether `type` exists, which is a function of the console only.
    pub console: bool,
}

impl FunctionContext {
    /// For expressions that must not read files: every path is refused. Impure functions are unknown.
    pub fn closed() -> FunctionContext {
        FunctionContext {
            base: PathBuf::from("/"),
            home: None,
            plan_time: None,
            files: Arc::new(NoFiles),
            impure: None,
            console: false,
        }
    }
}

/// Reads files for `file`, `templatefile`, `fileset` and their like. Paths are absolute.
pub trait Files: Send + Sync {
    /// The bytes of a file.
    ///
    /// # Errors
    /// A clause that says why it can't be read, such as "there is no such file".
    fn read(&self, path: &Path) -> Result<Vec<u8>, String>;

    /// What there is at a path; nothing when there is nothing.
    ///
    /// # Errors
    /// A clause that says why that can't be told.
    fn kind(&self, path: &Path) -> Result<Option<FileKind>, String>;

    /// The names in a folder, in any order, each with what it is. Empty when there is no such folder.
    ///
    /// # Errors
    /// A clause that says why it can't be read.
    fn list(&self, folder: &Path) -> Result<Vec<(String, FileKind)>, String>;
}

/// What a path leads to, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// Something else, such as a device.
    Other,
}

/// The clock and random numbers, for `timestamp`, `uuid` and `bcrypt`.
pub trait Impure: Send + Sync {
    /// The time now.
    fn now(&self) -> SystemTime;

    /// Fills the bytes with random ones, fit for secrets.
    ///
    /// # Errors
    /// When there is no source of random numbers.
    fn random(&self, bytes: &mut [u8]) -> Result<(), String>;
}

/// Files for contexts without any.
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
        Err("files can't be read here".into())
    }

    fn kind(&self, _: &Path) -> Result<Option<FileKind>, String> {
        Err("files can't be read here".into())
    }

    fn list(&self, _: &Path) -> Result<Vec<(String, FileKind)>, String> {
        Err("files can't be read here".into())
    }
}
