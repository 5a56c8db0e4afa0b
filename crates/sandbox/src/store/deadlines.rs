//! Deadlines: what must happen to an object once the clock has passed a moment. One per kind and key.

use rusqlite::params;

use super::{Changes, StoreError};
use crate::clock::Moment;

impl Changes<'_> {
    /// Sets the deadline of an object, in place of an earlier one of the same kind.
    pub(crate) fn set_deadline(&self, kind: &str, key: &str, at: Moment) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO deadline (kind, key, at) VALUES (?1, ?2, ?3)")?
            .execute(params![kind, key, at.0])?;
        Ok(())
    }

    /// Takes a deadline away, if there is one.
    pub(crate) fn clear_deadline(&self, kind: &str, key: &str) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("DELETE FROM deadline WHERE kind = ?1 AND key = ?2")?
            .execute(params![kind, key])?;
        Ok(())
    }

    /// Kind and key of every deadline that `now` has reached, oldest first.
    pub(crate) fn due(&self, now: Moment) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement =
            self.transaction.prepare_cached("SELECT kind, key FROM deadline WHERE at <= ?1 ORDER BY at")?;
        let rows = statement.query_map(params![now.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::Moment;
    use crate::store::Store;

    #[test]
    fn deadlines_fall_due_in_order_and_can_be_moved() {
        let store = Store::in_memory().unwrap();
        let held = store.lock();
        let changes = held.begin().unwrap();
        changes.set_deadline("key", "a", Moment(20)).unwrap();
        changes.set_deadline("key", "b", Moment(10)).unwrap();
        changes.set_deadline("table", "a", Moment(30)).unwrap();
        assert_eq!(changes.due(Moment(9)).unwrap(), []);
        let due = changes.due(Moment(20)).unwrap();
        assert_eq!(due, [("key".to_owned(), "b".to_owned()), ("key".to_owned(), "a".to_owned())]);
        changes.set_deadline("key", "b", Moment(40)).unwrap();
        changes.clear_deadline("key", "a").unwrap();
        assert_eq!(changes.due(Moment(29)).unwrap(), []);
    }
}
