//! The file's format: how a file is recognised as ours, which version it has, and its tables.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::OpenError;

/// `TRSB`, in the place of the file's header that SQLite keeps for the application.
const APPLICATION: i64 = 0x5452_5342;
/// The version of the tables below and of the documents in them.
const VERSION: i64 = 1;
/// Larger files are not checked page by page at each opening.
const CHECKED_BYTES: u64 = 16 << 20;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS document (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, key)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS link (kind TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,
        PRIMARY KEY (kind, source, target)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS link_back ON link (kind, target, source);
    CREATE TABLE IF NOT EXISTS deadline (kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (kind, key)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS deadline_at ON deadline (at);
    CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
";

pub(super) fn make_tables(connection: &Connection) -> rusqlite::Result<()> {
    let made: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('document', 'link', 'link_back', 'deadline', 'deadline_at', 'event')",
        [],
        |row| row.get(0),
    )?;
    if made == 6 { Ok(()) } else { connection.execute_batch(TABLES) }
}

/// Opens an existing file if it is one of ours and whole, or makes an empty one ours. Writes to no other file.
///
/// # Errors
/// `Foreign` for a file of somebody else, `Newer` for one of a later version, `Corrupt` for a damaged one.
pub(crate) fn claim(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { path: path.to_owned() },
        Some(ErrorCode::DatabaseCorrupt) => {
            OpenError::Corrupt { path: path.to_owned(), finding: source.to_string() }
        }
        _ => OpenError::Sqlite { path: path.to_owned(), source },
    };
    let bytes =
        std::fs::metadata(path).map_err(|source| OpenError::Folder { path: path.to_owned(), source })?.len();
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    let header = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    // A file whose founding was cut off has a length until SQLite rolls it back, but no pages.
    if bytes == 0 || header("page_count").map_err(failed)? == 0 {
        let found =
            format!("BEGIN; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;");
        connection.execute_batch(&found).map_err(failed)?;
        return Ok(connection);
    }
    if header("application_id").map_err(failed)? != APPLICATION {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    let version = header("user_version").map_err(failed)?;
    if version > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), version, known: VERSION });
    }
    if bytes <= CHECKED_BYTES {
        let finding: String =
            connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(failed)?;
        if finding != "ok" {
            return Err(OpenError::Corrupt { path: path.to_owned(), finding });
        }
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn an_empty_file_becomes_ours_and_opens_again() {
        let file = file(b"");
        drop(Store::open(file.path()).unwrap());
        drop(Store::open(file.path()).unwrap());
    }

    #[test]
    fn a_text_file_is_refused_and_kept() {
        let text = "somebody's notes\n".repeat(100);
        let file = file(text.as_bytes());
        assert!(matches!(Store::open(file.path()), Err(OpenError::Foreign { .. })));
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
    }

    #[test]
    fn another_programs_database_is_refused_and_kept() {
        let file = file(b"");
        Connection::open(file.path())
            .unwrap()
            .execute_batch("CREATE TABLE notes (t); INSERT INTO notes VALUES (1)")
            .unwrap();
        let before = std::fs::read(file.path()).unwrap();
        assert!(matches!(Store::open(file.path()), Err(OpenError::Foreign { .. })));
        assert_eq!(std::fs::read(file.path()).unwrap(), before);
    }

    #[test]
    fn a_later_version_is_refused_and_kept() {
        let file = file(b"");
        drop(Store::open(file.path()).unwrap());
        Connection::open(file.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
        match Store::open(file.path()) {
            Err(OpenError::Newer { version, .. }) => assert_eq!(version, 99),
            other => panic!("expected a version error, got {other:?}"),
        }
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let file = file(b"");
        {
            let store = Store::open(file.path()).unwrap();
            let held = store.lock();
            let changes = held.begin().unwrap();
            for number in 0..500 {
                changes.link("filler", &format!("{number:0>200}"), "x").unwrap();
            }
            changes.keep().unwrap();
        }
        let mut bytes = std::fs::read(file.path()).unwrap();
        let length = bytes.len();
        for byte in &mut bytes[4096..length / 2] {
            *byte = 0x5a;
        }
        std::fs::write(file.path(), bytes).unwrap();
        assert!(matches!(Store::open(file.path()), Err(OpenError::Corrupt { .. })));
    }
}
