//! What the embedded AWS remembers of KMS, IAM and STS, and of DynamoDB's tables beside their items: one SQLite file.
//!
//! Each call is one transaction: it sees one state, and all of its changes are kept or none. Objects are JSON documents by
//! kind and key; relations between them are links, found from both ends; deadlines are rows that a sweep reads.

mod deadlines;
mod documents;
mod events;
mod format;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction};

pub(crate) use documents::{Document, Link};
pub(crate) use format::claim;

use crate::OpenError;

/// The open file. One call uses it at a time.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Mutex<Connection>,
}

/// Why a document could not be read or written. Both are faults of the sandbox or its file, never of a caller.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the sandbox's file failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("a document of the sandbox's file is not what this version writes: {0}")]
    Document(#[from] serde_json::Error),
}

impl Store {
    /// Opens the file, or fills it if it is empty.
    pub(crate) fn open(path: &Path) -> Result<Store, OpenError> {
        let connection = claim(path)?;
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        connection.pragma_update(None, "journal_mode", "WAL").map_err(sqlite)?;
        // A killed process loses nothing in this mode; a power cut may lose the last calls, never the file.
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(sqlite)?;
        Store::prepared(connection).map_err(sqlite)
    }

    /// An empty store that is gone with the process.
    pub(crate) fn in_memory() -> Result<Store, OpenError> {
        let sqlite = |source| OpenError::Sqlite { path: ":memory:".into(), source };
        Store::prepared(Connection::open_in_memory().map_err(sqlite)?).map_err(sqlite)
    }

    fn prepared(connection: Connection) -> rusqlite::Result<Store> {
        connection.set_prepared_statement_cache_capacity(64);
        format::make_tables(&connection)?;
        Ok(Store { connection: Mutex::new(connection) })
    }

    /// Takes the file for one call.
    pub(crate) fn lock(&self) -> Held<'_> {
        Held { connection: self.connection.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// The file, taken for one call.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    connection: MutexGuard<'a, Connection>,
}

impl Held<'_> {
    /// Begins the call's transaction; dropping it without [`Changes::keep`] undoes everything.
    pub(crate) fn begin(&self) -> Result<Changes<'_>, StoreError> {
        Ok(Changes { transaction: self.connection.unchecked_transaction()? })
    }
}

/// One call's view of the store and its changes.
pub(crate) struct Changes<'a> {
    transaction: Transaction<'a>,
}

impl Changes<'_> {
    /// Makes the changes lasting.
    pub(crate) fn keep(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit()?)
    }
}
