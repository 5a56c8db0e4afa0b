//! The lock: an object beside the state, an item in a table, or both, as Terraform makes them.
//!
//! Terraform's lock never ends by itself. Ours is renewed while its holder is at work, by two members of the description that
//! Terraform passes over; so others can tell an abandoned lock from one that is held. It is taken over without asking only
//! when its holder was a process of this machine and is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use terrane_model::Diagnostic;
use terrane_state::{LockInfo, StateError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::Mutex;

use super::bucket::{Bucket, Only, Put};
use super::holder;
use super::table::Table;

/// How often a lock is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// After so many times without a renewal the holder seems to be gone.
const MISSED: u32 = 3;

/// Where the state of one workspace is, and its lock.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) bucket: Bucket,
    /// The state's object.
    pub(super) object: String,
    pub(super) lockfile: bool,
    pub(super) table: Option<Table>,
}

impl Site {
    fn lock_object(&self) -> String {
        format!("{}.tflock", self.object)
    }

    /// What the state is called in the table, and in locks.
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.bucket.name, self.object)
    }

    pub(super) fn url(&self) -> String {
        self.bucket.url(&self.object)
    }

    fn locked(&self, holder: Option<LockInfo>) -> StateError {
        let sign = holder.as_ref().and_then(|info| sign(info, OffsetDateTime::now_utc()));
        StateError::Locked { place: self.url(), holder: holder.map(Box::new), sign }
    }
}

/// A lock that this process holds.
pub(super) struct Held {
    site: Site,
    info: LockInfo,
    /// The tag of the lock's object.
    etag: Option<String>,
    /// What is in the table.
    item: Option<Vec<u8>>,
    /// Set when somebody took the lock away.
    lost: Arc<AtomicBool>,
}

impl Held {
    /// Takes the lock, and gives the description of a dead process's that was in its place.
    pub(super) async fn take(
        site: Site,
        info: LockInfo,
        lost: Arc<AtomicBool>,
    ) -> Result<(Held, Option<LockInfo>), StateError> {
        let info = LockInfo { path: site.id(), renewed: now(), ..info };
        let mut held = Held { site, info, etag: None, item: None, lost };
        let mut abandoned = None;
        if held.site.lockfile {
            abandoned = held.take_object().await?;
        }
        match held.take_item().await {
            Ok(more) => Ok((held, abandoned.or(more))),
            Err(error) => {
                // The error to be told is the first one.
                let _ = held.give_back().await;
                Err(error)
            }
        }
    }

    async fn take_object(&mut self) -> Result<Option<LockInfo>, StateError> {
        let (key, body) = (self.site.lock_object(), self.info.render());
        // Between a refusal and the look at the holder it may go; then it is tried again.
        for _ in 0..3 {
            if let Put::Done(etag) = self.site.bucket.put(&key, body.clone(), &Only::Absent).await? {
                self.etag = Some(etag);
                return Ok(None);
            }
            let Some(found) = self.site.bucket.get(&key).await? else { continue };
            let holder = LockInfo::parse(&found.bytes);
            let Some(dead) = holder.clone().filter(|info| holder::is_dead(&info.process)) else {
                return Err(self.site.locked(holder));
            };
            let only = Only::Unchanged(found.etag);
            if let Put::Done(etag) = self.site.bucket.put(&key, body.clone(), &only).await? {
                self.etag = Some(etag);
                return Ok(Some(dead));
            }
        }
        Err(self.site.locked(None))
    }

    async fn take_item(&mut self) -> Result<Option<LockInfo>, StateError> {
        let Some(table) = &self.site.table else { return Ok(None) };
        let (id, body) = (self.site.id(), self.info.render());
        for _ in 0..3 {
            if table.lock(&id, &body).await? {
                self.item = Some(body);
                return Ok(None);
            }
            let Some(there) = table.holder(&id).await? else { continue };
            let holder = LockInfo::parse(&there);
            let Some(dead) = holder.clone().filter(|info| holder::is_dead(&info.process)) else {
                return Err(self.site.locked(holder));
            };
            if table.rewrite(&id, &there, &body).await? {
                self.item = Some(body);
                return Ok(Some(dead));
            }
        }
        Err(self.site.locked(None))
    }

    /// Says that the holder is at work.
    async fn renew(&mut self) -> Result<(), StateError> {
        self.info.renewed = now();
        let body = self.info.render();
        if let Some(etag) = &self.etag {
            let only = Only::Unchanged(etag.clone());
            match self.site.bucket.put(&self.site.lock_object(), body.clone(), &only).await? {
                Put::Done(etag) => self.etag = Some(etag),
                Put::Refused => self.lost.store(true, Ordering::Relaxed),
            }
        }
        if let (Some(table), Some(item)) = (&self.site.table, &self.item) {
            match table.rewrite(&self.site.id(), item, &body).await? {
                true => self.item = Some(body),
                false => self.lost.store(true, Ordering::Relaxed),
            }
        }
        Ok(())
    }

    /// Gives the lock back, unless it is somebody else's by now.
    pub(super) async fn give_back(&mut self) -> Result<(), StateError> {
        if self.etag.is_some() {
            let key = self.site.lock_object();
            let there = self.site.bucket.get(&key).await?;
            if there.and_then(|f| LockInfo::parse(&f.bytes)).is_some_and(|info| info.id == self.info.id) {
                self.site.bucket.delete(&key).await?;
            }
            self.etag = None;
        }
        if let (Some(table), true) = (&self.site.table, self.item.is_some()) {
            table.unlock(&self.site.id(), &self.info.id).await?;
            self.item = None;
        }
        Ok(())
    }
}

/// Renews a lock until it is lost. A renewal that fails is tried again the next time.
pub(super) async fn keep(held: Arc<Mutex<Held>>) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let mut held = held.lock().await;
        let _ = held.renew().await;
        if held.lost.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Takes a lock away from a holder that is gone.
pub(super) async fn force(site: Site, id: String) -> Result<LockInfo, StateError> {
    let refused = |why: String| StateError::NotUnlocked { place: site.url(), why };
    let object = match site.lockfile {
        true => site.bucket.get(&site.lock_object()).await?.and_then(|found| LockInfo::parse(&found.bytes)),
        false => None,
    };
    let item = match &site.table {
        Some(table) => table.holder(&site.id()).await?.and_then(|there| LockInfo::parse(&there)),
        None => None,
    };
    let Some(info) = [&object, &item].into_iter().flatten().find(|info| info.id == id).cloned() else {
        return Err(match object.or(item) {
            Some(other) => refused(format!("its id is `{}`", other.id)),
            None => refused("it is not locked".to_owned()),
        });
    };
    if holder::is_alive(&info.process) {
        let why = "the process that holds it is at work on this machine; end it first";
        return Err(refused(why.to_owned()));
    }
    if object.is_some_and(|info| info.id == id) {
        site.bucket.delete(&site.lock_object()).await?;
    }
    if let Some(table) = &site.table {
        table.unlock(&site.id(), &id).await?;
    }
    Ok(info)
}

/// That the lock was taken away while the run was at work.
pub(super) fn lost(site: &Site) -> StateError {
    let detail = format!("The lock of `{}` was taken away from this run while it was at work.", site.url());
    let error = Diagnostic::error("lock-lost", "Lock lost", detail).hint(
        "Nothing was written over. What this run did is in the journal beside the state; the next command takes it over.",
    );
    StateError::Backend(Box::new(error))
}

pub(super) fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
}

/// Whether the holder of a lock seems to be at work.
fn sign(info: &LockInfo, now: OffsetDateTime) -> Option<String> {
    let age = |text: &str| {
        let then = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(Duration::from_secs(u64::try_from((now - then).whole_seconds()).unwrap_or(0)))
    };
    if let Some(age) = age(&info.renewed) {
        let since = spoken(age);
        return Some(match age > RENEW_EVERY * MISSED {
            true => format!(
                "It was last renewed {since} ago, and a holder at work renews it every {} seconds: the holder seems to be gone.",
                RENEW_EVERY.as_secs()
            ),
            false => format!("It was renewed {since} ago: the holder is at work."),
        });
    }
    Some(format!("It was taken {} ago.", spoken(age(&info.created)?)))
}

fn spoken(age: Duration) -> String {
    let seconds = age.as_secs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_shows_whether_its_holder_is_at_work() {
        let now = OffsetDateTime::parse("2026-11-24T12:00:00Z", &Rfc3339).unwrap();
        let info = |created: &str, renewed: &str| LockInfo {
            created: created.into(),
            renewed: renewed.into(),
            ..LockInfo::default()
        };
        let says = |info: &LockInfo| sign(info, now).unwrap_or_default();
        assert!(says(&info("", "2026-11-24T11:59:50Z")).contains("10 seconds ago: the holder is at work"));
        assert!(says(&info("", "2026-11-24T11:46:00Z")).contains("14 minutes ago, and"));
        assert_eq!(says(&info("2026-11-21T11:46:00.25Z", "")), "It was taken 3 days ago.");
        assert_eq!(says(&info("2026-11-24T12:00:09Z", "")), "It was taken 0 seconds ago.");
        assert_eq!(sign(&info("", ""), now), None);
    }
}
