//! Reading and writing documents and links inside one call's transaction.

use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Changes, StoreError};

/// A stored object. Keys are unique within the kind and sort as AWS lists the objects.
pub(crate) trait Document: Serialize + DeserializeOwned {
    /// Names the kind in the file; never changes once released.
    const KIND: &'static str;

    /// The key of this object. Parts are joined by `|`, which no AWS name contains.
    fn key(&self) -> String;
}

/// A kind of relation between two keys; never changes once released.
pub(crate) type Link = &'static str;

impl Changes<'_> {
    pub(crate) fn get<D: Document>(&self, key: &str) -> Result<Option<D>, StoreError> {
        let body: Option<String> = self
            .transaction
            .prepare_cached("SELECT body FROM document WHERE kind = ?1 AND key = ?2")?
            .query_row(params![D::KIND, key], |row| row.get(0))
            .optional()?;
        Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
    }

    pub(crate) fn put<D: Document>(&self, document: &D) -> Result<(), StoreError> {
        let body = serde_json::to_string(document)?;
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO document (kind, key, body) VALUES (?1, ?2, ?3)")?
            .execute(params![D::KIND, document.key(), body])?;
        Ok(())
    }

    /// Deletes a document; says whether it was there.
    pub(crate) fn delete<D: Document>(&self, key: &str) -> Result<bool, StoreError> {
        let deleted = self
            .transaction
            .prepare_cached("DELETE FROM document WHERE kind = ?1 AND key = ?2")?
            .execute(params![D::KIND, key])?;
        Ok(deleted > 0)
    }

    /// Up to `limit` documents whose keys begin with `prefix` and come after `after`, in the order of their keys.
    pub(crate) fn list<D: Document>(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<D>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT body FROM document WHERE kind = ?1 AND key >= ?2 AND key < ?3 AND key > ?4 ORDER BY key LIMIT ?5",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![D::KIND, prefix, end_of(prefix), after.unwrap_or_default(), limit], |row| {
                row.get::<_, String>(0)
            })?;
        rows.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
    }

    /// All documents whose keys begin with `prefix`.
    pub(crate) fn all<D: Document>(&self, prefix: &str) -> Result<Vec<D>, StoreError> {
        self.list(prefix, None, usize::MAX)
    }

    /// How many documents' keys begin with `prefix`.
    pub(crate) fn count<D: Document>(&self, prefix: &str) -> Result<usize, StoreError> {
        let count: i64 = self
            .transaction
            .prepare_cached("SELECT count(*) FROM document WHERE kind = ?1 AND key >= ?2 AND key < ?3")?
            .query_row(params![D::KIND, prefix, end_of(prefix)], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// Makes a link; says whether it is new.
    pub(crate) fn link(&self, kind: Link, source: &str, target: &str) -> Result<bool, StoreError> {
        let made = self
            .transaction
            .prepare_cached("INSERT OR IGNORE INTO link (kind, source, target) VALUES (?1, ?2, ?3)")?
            .execute(params![kind, source, target])?;
        Ok(made > 0)
    }

    /// Takes a link away; says whether it was there.
    pub(crate) fn unlink(&self, kind: Link, source: &str, target: &str) -> Result<bool, StoreError> {
        let gone = self
            .transaction
            .prepare_cached("DELETE FROM link WHERE kind = ?1 AND source = ?2 AND target = ?3")?
            .execute(params![kind, source, target])?;
        Ok(gone > 0)
    }

    /// What `source` is linked to, in order.
    pub(crate) fn targets(&self, kind: Link, source: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT target FROM link WHERE kind = ?1 AND source = ?2 ORDER BY target")?;
        let rows = statement.query_map(params![kind, source], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What is linked to `target`, in order.
    pub(crate) fn sources(&self, kind: Link, target: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT source FROM link WHERE kind = ?1 AND target = ?2 ORDER BY source")?;
        let rows = statement.query_map(params![kind, target], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The first text after all texts that begin with `prefix`: U+10FFFF sorts after everything that is used in keys.
fn end_of(prefix: &str) -> String {
    format!("{prefix}\u{10FFFF}")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::store::Store;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        name: String,
        size: u32,
    }

    impl Document for Thing {
        const KIND: &'static str = "thing";

        fn key(&self) -> String {
            self.name.clone()
        }
    }

    fn thing(name: &str, size: u32) -> Thing {
        Thing { name: name.to_owned(), size }
    }

    #[test]
    fn documents_are_replaced_listed_by_prefix_and_paged() {
        let store = Store::in_memory().unwrap();
        let held = store.lock();
        let changes = held.begin().unwrap();
        for name in ["a|1", "a|2", "a|3", "ab|1", "b|1"] {
            changes.put(&thing(name, 1)).unwrap();
        }
        changes.put(&thing("a|2", 2)).unwrap();
        assert_eq!(changes.get::<Thing>("a|2").unwrap(), Some(thing("a|2", 2)));
        assert_eq!(changes.all::<Thing>("a|").unwrap().len(), 3);
        assert_eq!(changes.count::<Thing>("").unwrap(), 5);
        let page = changes.list::<Thing>("a|", Some("a|1"), 1).unwrap();
        assert_eq!(page, [thing("a|2", 2)]);
        assert!(changes.delete::<Thing>("a|2").unwrap());
        assert!(!changes.delete::<Thing>("a|2").unwrap());
        assert_eq!(changes.get::<Thing>("a|2").unwrap(), None);
    }

    #[test]
    fn links_are_found_from_both_ends() {
        let store = Store::in_memory().unwrap();
        let held = store.lock();
        let changes = held.begin().unwrap();
        assert!(changes.link("member", "user-b", "group").unwrap());
        assert!(changes.link("member", "user-a", "group").unwrap());
        assert!(!changes.link("member", "user-a", "group").unwrap());
        assert_eq!(changes.sources("member", "group").unwrap(), ["user-a", "user-b"]);
        assert_eq!(changes.targets("member", "user-a").unwrap(), ["group"]);
        assert!(changes.unlink("member", "user-a", "group").unwrap());
        assert!(!changes.unlink("member", "user-a", "group").unwrap());
    }

    #[test]
    fn what_is_not_kept_is_undone() {
        let store = Store::in_memory().unwrap();
        {
            let held = store.lock();
            held.begin().unwrap().put(&thing("lost", 1)).unwrap();
        }
        let held = store.lock();
        let changes = held.begin().unwrap();
        assert_eq!(changes.get::<Thing>("lost").unwrap(), None);
    }
}
