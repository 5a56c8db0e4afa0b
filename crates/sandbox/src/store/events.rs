//! The records of the audit trail: numbered as they come, and only the newest kept.

use rusqlite::params;

use super::{Changes, StoreError};
use crate::trail::Record;

impl Changes<'_> {
    /// Adds a record, and lets the oldest go beyond so many.
    pub(crate) fn record(&self, record: &Record, kept: i64) -> Result<(), StoreError> {
        let body = serde_json::to_string(record)?;
        self.transaction.prepare_cached("INSERT INTO event (body) VALUES (?1)")?.execute(params![body])?;
        let newest = self.transaction.last_insert_rowid();
        self.transaction
            .prepare_cached("DELETE FROM event WHERE number <= ?1")?
            .execute(params![newest.saturating_sub(kept)])?;
        Ok(())
    }

    /// Up to `limit` records that fit, the newest first, of those before a number; and the number before which to go on, where
    /// there may be more.
    pub(crate) fn recorded(
        &self,
        before: Option<i64>,
        limit: usize,
        fits: impl Fn(&Record) -> bool,
    ) -> Result<(Vec<Record>, Option<i64>), StoreError> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT number, body FROM event WHERE number < ?1 ORDER BY number DESC")?;
        let rows = statement.query_map(params![before.unwrap_or(i64::MAX)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        let (mut found, mut last): (Vec<Record>, _) = (Vec::new(), None);
        for row in rows {
            let (number, body) = row?;
            let record: Record = serde_json::from_str(&body)?;
            if !fits(&record) {
                continue;
            }
            if found.len() == limit {
                return Ok((found, last));
            }
            found.push(record);
            last = Some(number);
        }
        Ok((found, None))
    }
}

#[cfg(test)]
mod tests {
    use crate::store::Store;
    use crate::trail::Record;

    #[test]
    fn only_the_newest_are_kept_and_they_are_paged() {
        let store = Store::in_memory().unwrap();
        let held = store.lock();
        let changes = held.begin().unwrap();
        for number in 0..30 {
            changes.record(&Record::sample(number), 20).unwrap();
        }
        let ids = |records: &[Record]| records.iter().map(|record| record.at.0).collect::<Vec<_>>();
        let (page, more) = changes.recorded(None, 3, |_| true).unwrap();
        assert_eq!(ids(&page), [29, 28, 27]);
        let (page, _) = changes.recorded(more, 2, |record| record.at.0 % 2 == 0).unwrap();
        assert_eq!(ids(&page), [26, 24]);
        let (all, more) = changes.recorded(None, 100, |_| true).unwrap();
        assert_eq!((all.len(), more), (20, None));
    }
}
