//! The state at work: a snapshot, the journal of what happened to it, and the backend that keeps it.
//!
//! ```text
//! begin ── lock, read, replay the journal ─┐
//!                                          ├─ intent, outcome, intent, outcome ... ── commit ... ── finish
//! ```
//! The snapshot is written as a whole, which takes longer the larger it is; an outcome is one line in the journal. So a
//! long run commits now and then and at its end, and what lies between is in the journal.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::Address;

use crate::backend::{Backend, Taken, Version, Write, lock_patiently};
use crate::error::StateError;
use crate::journal::record::{Record, fingerprint, sum};
use crate::journal::replay::Merge;
use crate::journal::{Intent, Journal, Outcome, Replay};
use crate::lock::LockInfo;
use crate::snapshot::{COMPATIBLE_VERSION, Snapshot};
use crate::v4;

/// Whether the state is locked for the time of the work.
pub enum Access<'a> {
    /// Nobody else may write. `again` is asked after each refusal; it waits, and says whether to try once more.
    Locked {
        /// Who locks it and what for.
        info: &'a LockInfo,
        /// Waits and watches the clock.
        again: &'a mut dyn FnMut(&StateError) -> bool,
    },
    /// The user answers for it that nobody else writes.
    Unlocked,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It was written, and has this serial now.
    Written(u64),
    /// The state had nothing to learn.
    Unchanged,
}

/// What a beginning found left over from a run that did not come to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// The description of a dead process's lock, which was taken over.
    pub abandoned_lock: Option<LockInfo>,
    /// Instances whose outcome was in the journal only. The snapshot has them now.
    pub merged: BTreeSet<Address>,
}

/// The key in Terrane's own part of a snapshot that could not be written.
pub const UNSAVED: &str = "unsaved";

/// A state at work. Not dropped but [finished](Store::finish) in the normal course; a drop leaves journal and state such
/// that the next beginning finds everything.
pub struct Store {
    backend: Box<dyn Backend>,
    journal: Journal,
    snapshot: Snapshot,
    recovered: Recovered,
    open: BTreeMap<u64, Intent>,
    next: u64,
    /// Outcomes that could not be written. INVARIANT: nothing goes into the journal before them, because what follows
    /// may build on them.
    backlog: Vec<Record>,
    /// Outcomes since the last commit.
    pending: usize,
    /// Whether the snapshot may say something that the last commit did not.
    touched: bool,
    saved: Saved,
}

/// What the backend holds.
#[derive(Clone, Debug, PartialEq)]
struct Saved {
    version: Option<Version>,
    /// The digest of its content.
    content: Option<String>,
    /// The digest of what a failed write may have put in its place all the same.
    attempt: Option<String>,
}

impl Store {
    /// Takes the lock, reads the state, and brings in what the journal of an interrupted run has to add. `lineage` is
    /// for a state that does not exist yet.
    ///
    /// # Errors
    /// [`StateError::Locked`], [`StateError::Format`], [`StateError::Journal`], [`StateError::Diverged`], and what the
    /// backend says. The lock is given back.
    pub fn begin(
        mut backend: Box<dyn Backend>,
        lineage: &str,
        access: Access<'_>,
    ) -> Result<Store, StateError> {
        let taken = match access {
            Access::Locked { info, again } => lock_patiently(backend.as_mut(), info, again)?,
            Access::Unlocked => Taken::default(),
        };
        let begun = Journal::open(backend.journal()).and_then(|(journal, replay)| {
            let read = read(backend.as_mut(), &replay, &journal.place(), lineage)?;
            Ok((journal, replay, read))
        });
        let (journal, replay, read) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                // The error to be told is the first one.
                let _ = backend.unlock();
                return Err(error);
            }
        };
        Ok(Store {
            backend,
            journal,
            snapshot: read.snapshot,
            recovered: Recovered { abandoned_lock: taken.abandoned, merged: read.merged.clone() },
            open: replay.open_intents(),
            next: replay.next(),
            backlog: Vec::new(),
            pending: read.merged.len(),
            touched: true,
            saved: read.saved,
        })
    }

    /// The state as it would be after a beginning, read without lock and without touching anything. Nothing when there
    /// is neither a state nor a journal that begins one.
    ///
    /// # Errors
    /// As [`Store::begin`], but for the lock.
    pub fn peek(backend: &mut dyn Backend) -> Result<Option<Snapshot>, StateError> {
        let mut log = backend.journal();
        let replay = Journal::peek(log.as_mut())?;
        let read = read(backend, &replay, &log.place(), "")?;
        Ok((read.saved.version.is_some() || replay.base.is_some()).then_some(read.snapshot))
    }

    /// The snapshot with all outcomes so far.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The snapshot, for changes that no call stands behind, such as outputs and refreshed objects. They are kept from
    /// the next commit on, not before; so an instance that gets another address wants [`Change::Rename`](crate::Change),
    /// lest the journal speak of an address that the state on disk does not know.
    pub fn snapshot_mut(&mut self) -> &mut Snapshot {
        self.touched = true;
        &mut self.snapshot
    }

    /// Where the state is kept, for messages.
    pub fn place(&self) -> String {
        self.backend.place()
    }

    /// The log beside the journal, for what is made for a moment: see [`Backend::notes`].
    pub fn notes(&self) -> Box<dyn crate::journal::Log> {
        self.backend.notes()
    }

    /// What the beginning found left over.
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// The intents of which no outcome is known, by number. After a beginning: the calls of an interrupted run, each of
    /// which wants an outcome before anything else is done.
    pub fn open_intents(&self) -> &BTreeMap<u64, Intent> {
        &self.open
    }

    /// How many outcomes a commit would bring into the state.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Notes a call that is about to be made, and answers the number by which its outcome refers to it. On the disk when
    /// this returns.
    ///
    /// # Errors
    /// When it could not be written: the call must not be made.
    pub fn intent(&mut self, intent: Intent) -> Result<u64, StateError> {
        let n = self.next;
        self.intents(vec![intent])?;
        Ok(n)
    }

    /// Notes several calls at the price of one. Their numbers follow each other, beginning with the answer.
    ///
    /// # Errors
    /// When they could not be written: none of the calls must be made.
    pub fn intents(&mut self, mut intents: Vec<Intent>) -> Result<u64, StateError> {
        let first = self.next;
        for intent in &mut intents {
            let object = self.snapshot.object(&intent.address, intent.deposed.as_deref());
            intent.id = intent.id.take().or_else(|| object.and_then(|o| o.id()).map(str::to_owned));
        }
        let records: Vec<Record> =
            (first..).zip(intents).map(|(n, intent)| Record::Intent(n, Box::new(intent))).collect();
        self.append(&records)?;
        for record in records {
            if let Record::Intent(n, intent) = record {
                self.open.insert(n, *intent);
                self.next = n + 1;
            }
        }
        Ok(first)
    }

    /// Takes in what came of a call, or of a step that needs none. The snapshot has it whatever happens.
    ///
    /// # Errors
    /// When the journal could not be written. That is tried again with the next record; should there be none, and no
    /// commit, then the intent stays open for the next beginning.
    pub fn outcome(&mut self, mut outcome: Outcome) -> Result<(), StateError> {
        outcome.before = fingerprint(self.snapshot.object(&outcome.address, outcome.deposed.as_deref()));
        if let Some(n) = outcome.intent {
            self.open.remove(&n);
        }
        self.pending += 1;
        self.touched = true;
        let record = Record::Outcome(outcome);
        let appended = self.append(std::slice::from_ref(&record));
        if let Record::Outcome(outcome) = record {
            outcome.apply(&mut self.snapshot);
        }
        appended
    }

    /// Writes the snapshot, unless nothing in it but the serial would change, and empties the journal as far as it
    /// says no more than the snapshot. A state that never was is not begun for nothing.
    ///
    /// # Errors
    /// What the backend says. State and journal still hold everything, and another commit may be tried.
    pub fn commit(&mut self) -> Result<Committed, StateError> {
        self.look_again()?;
        let before = (self.snapshot.serial, self.snapshot.terraform_version.clone());
        let committed = self.write();
        if !matches!(committed, Ok(Committed::Written(_))) {
            (self.snapshot.serial, self.snapshot.terraform_version) = before;
        }
        let committed = committed?;
        self.pending = 0;
        self.touched = false;
        self.backlog.clear();
        if self.open.is_empty() {
            self.journal.clear()?;
        }
        Ok(committed)
    }

    /// Writes the snapshot though it says the same as before: the backend may keep it otherwise now.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn rewrite(&mut self) -> Result<Committed, StateError> {
        self.look_again()?;
        self.saved.content = None;
        self.pending += 1;
        self.touched = true;
        self.commit()
    }

    /// Puts the state aside after it was copied, answers its new name, and gives the lock back.
    ///
    /// # Errors
    /// When it may still be there; the lock is given back all the same.
    pub fn put_aside(mut self) -> Result<String, StateError> {
        let aside = self.backend.put_aside();
        let removed = self.journal.remove_if_empty();
        let unlocked = self.backend.unlock();
        let aside = aside?;
        removed?;
        unlocked.map(|()| aside)
    }

    /// The snapshot as the backend would keep it, for when it can't.
    ///
    /// # Errors
    /// When it has no form, or can't be encrypted.
    pub fn unsaved(&self) -> Result<Vec<u8>, StateError> {
        let serial = self.saved.version.as_ref().map_or(0, |version| version.serial) + 1;
        let mut snapshot = Snapshot { serial, ..self.snapshot.clone() };
        let open: Vec<u64> = self.open.keys().copied().collect();
        snapshot.terrane.insert(UNSAVED.to_owned(), serde_json::json!({ "open": open }));
        v4::check(&snapshot).map_err(|source| self.format(source))?;
        self.backend.sealed(&snapshot.version(), &v4::render(&snapshot))
    }

    /// Takes in a snapshot that [`unsaved`](Store::unsaved) gave: it knows what became of the intents that were not open then.
    /// False when the snapshot is none of these.
    ///
    /// # Errors
    /// As [`Store::outcome`].
    pub fn take_unsaved(&mut self, mut snapshot: Snapshot) -> Result<bool, StateError> {
        let Some(unsaved) = snapshot.terrane.shift_remove(UNSAVED) else { return Ok(false) };
        let still: BTreeSet<u64> = unsaved
            .get("open")
            .and_then(serde_json::Value::as_array)
            .map(|open| open.iter().filter_map(serde_json::Value::as_u64).collect())
            .unwrap_or_default();
        self.snapshot = Snapshot { serial: self.snapshot.serial, ..snapshot };
        self.touched = true;
        for (n, intent) in self.open.clone() {
            if !still.contains(&n) {
                let why = "the state that could not be written knows it".to_owned();
                self.outcome(Outcome::of(intent.address, Some(n), crate::Change::Nothing { why }))?;
            }
        }
        self.pending += 1;
        Ok(true)
    }

    fn write(&mut self) -> Result<Committed, StateError> {
        if !self.touched {
            return Ok(Committed::Unchanged);
        }
        self.stamp();
        v4::check(&self.snapshot).map_err(|source| self.format(source))?;
        let bytes = v4::render(&self.snapshot);
        let content = content(&bytes);
        if content == self.saved.content || (self.pending == 0 && self.is_saved()?) {
            return Ok(Committed::Unchanged);
        }
        let version = self.snapshot.version();
        if !self.journal.is_empty() {
            let content = content.clone().unwrap_or_default();
            self.append(&[Record::Commit { serial: version.serial, content }])?;
        }
        self.saved.attempt = content.clone();
        let replaces = self.saved.version.clone();
        self.backend.write(Write { bytes: &bytes, version: &version, replaces: replaces.as_ref() })?;
        self.saved = Saved { version: Some(version), content, attempt: None };
        Ok(Committed::Written(self.snapshot.serial))
    }

    /// Whether the state says the same already, in whatever form and by whatever version it was written.
    fn is_saved(&mut self) -> Result<bool, StateError> {
        let empty = Snapshot::empty(self.snapshot.lineage.clone());
        let saved = match self.backend.read()? {
            None => empty,
            Some(bytes) => v4::parse(&bytes).map_err(|source| self.format(source))?,
        };
        let Snapshot { serial, terraform_version, .. } = &self.snapshot;
        Ok(Snapshot { serial: *serial, terraform_version: terraform_version.clone(), ..saved }
            == self.snapshot)
    }

    /// Gives the snapshot the serial under which it is to be written next.
    fn stamp(&mut self) {
        self.snapshot.serial = self.saved.version.as_ref().map_or(0, |version| version.serial) + 1;
        let version = &mut self.snapshot.terraform_version;
        if let Some(higher) = v4::version::higher(version, COMPATIBLE_VERSION) {
            *version = higher.to_owned();
        }
    }

    /// Commits, removes the journal if it holds nothing, and gives the lock back.
    ///
    /// # Errors
    /// As [`Store::commit`]; the lock is given back all the same.
    pub fn finish(mut self) -> Result<Committed, StateError> {
        let committed = self.commit();
        let removed = self.journal.remove_if_empty();
        let unlocked = self.backend.unlock();
        let committed = committed?;
        removed?;
        unlocked?;
        Ok(committed)
    }

    /// Gives the lock back without writing anything: what the journal holds stays for the next beginning.
    ///
    /// # Errors
    /// When the lock may still be there.
    pub fn leave(mut self) -> Result<(), StateError> {
        let removed = self.journal.remove_if_empty();
        self.backend.unlock()?;
        removed
    }

    /// Appends records behind those that could not be appended before. Of these, outcomes are kept when it fails.
    fn append(&mut self, records: &[Record]) -> Result<(), StateError> {
        let base = self.saved.version.clone();
        let base = base.unwrap_or_else(|| Version { serial: 0, lineage: self.snapshot.lineage.clone() });
        if self.backlog.is_empty() {
            return self.journal.append(&base, records).inspect_err(|_| self.keep(records));
        }
        let all = [self.backlog.as_slice(), records].concat();
        self.journal.append(&base, &all).inspect_err(|_| self.keep(records))?;
        self.backlog.clear();
        Ok(())
    }

    fn keep(&mut self, records: &[Record]) {
        self.backlog.extend(records.iter().filter(|record| matches!(record, Record::Outcome(_))).cloned());
    }

    /// Finds out which of two snapshots is there after a write that failed.
    fn look_again(&mut self) -> Result<(), StateError> {
        if self.saved.attempt.is_none() {
            return Ok(());
        }
        let bytes = self.backend.read()?;
        let version = match &bytes {
            None => None,
            Some(bytes) => Some(v4::parse(bytes).map_err(|source| self.format(source))?.version()),
        };
        let found = bytes.as_deref().and_then(content);
        if found != self.saved.attempt && version != self.saved.version {
            let expected = self.saved.version.clone();
            return Err(StateError::Moved { place: self.place(), expected, found: version });
        }
        self.saved = Saved { version, content: found, attempt: None };
        Ok(())
    }

    fn format(&self, source: crate::error::FormatError) -> StateError {
        StateError::Format { place: self.place(), source }
    }
}

struct Read {
    snapshot: Snapshot,
    merged: BTreeSet<Address>,
    saved: Saved,
}

fn read(
    backend: &mut dyn Backend,
    replay: &Replay,
    journal: &str,
    lineage: &str,
) -> Result<Read, StateError> {
    let bytes = backend.read()?;
    let saved = match &bytes {
        None => None,
        Some(bytes) => {
            Some(v4::parse(bytes).map_err(|source| StateError::Format { place: backend.place(), source })?)
        }
    };
    let saved_version = saved.as_ref().map(Snapshot::version);
    let content = bytes.as_deref().and_then(content);
    drop(bytes);
    let mut merged = BTreeSet::new();
    let mut snapshot = match (saved, &replay.base) {
        (Some(snapshot), _) => snapshot,
        // The journal of a state that was never written names the lineage that it would have had.
        (None, Some(base)) if base.serial == 0 => Snapshot::empty(base.lineage.clone()),
        (None, _) => Snapshot::empty(lineage),
    };
    if let Some(base) = &replay.base {
        if base.lineage != snapshot.lineage {
            return Err(foreign(journal, base, backend.place()));
        }
        match replay.merge(&mut snapshot, content.as_deref()) {
            Merge::Done(addresses) => merged = addresses,
            Merge::Diverged(addresses) => {
                return Err(StateError::Diverged {
                    place: backend.place(),
                    journal: journal.to_owned(),
                    addresses,
                });
            }
        }
    }
    Ok(Read { snapshot, merged, saved: Saved { version: saved_version, content, attempt: None } })
}

fn foreign(journal: &str, base: &Version, state: String) -> StateError {
    let why = format!("it belongs to {base}, which is not what `{state}` holds");
    StateError::Journal { place: journal.to_owned(), why }
}

/// The digest of a state file without its version of Terraform and its serial. Nothing when the text does not begin as
/// [`render`](v4::render) lets it.
fn content(bytes: &[u8]) -> Option<String> {
    let mark: &[u8] = b"\n  \"lineage\": ";
    let head = bytes.get(..bytes.len().min(1024))?;
    let at = head.windows(mark.len()).position(|window| window == mark)?;
    bytes.get(at..).map(sum)
}

#[cfg(test)]
mod tests;
