//! What a journal holds, set against the snapshot that is there.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::Address;

use super::record::{Record, fingerprint};
use super::{Change, Intent, Outcome};
use crate::backend::Version;
use crate::snapshot::Snapshot;

/// The records of a journal's file.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The snapshot that it builds on; nothing when the journal is empty.
    pub(crate) base: Option<Version>,
    records: Vec<Record>,
    /// Bytes of whole lines.
    pub(crate) len: u64,
}

/// How the outcomes of a journal stand to a snapshot.
#[derive(Debug, PartialEq)]
pub(crate) enum Merge {
    /// They were brought in, as far as they were missing: those instances changed.
    Done(BTreeSet<Address>),
    /// The snapshot went on without them, and of these instances it says something else.
    Diverged(Vec<Address>),
}

impl Replay {
    /// Reads a journal's file.
    ///
    /// # Errors
    /// Why it cannot be a whole journal with at most a torn end, as a clause.
    pub(crate) fn read(bytes: &[u8]) -> Result<Replay, String> {
        let mut replay = Replay::default();
        if !could_begin(bytes) {
            return Err("it does not begin as a journal does".to_owned());
        }
        let mut torn_at = None;
        let mut offset = 0;
        for (i, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            offset += line.len() as u64;
            let number = i + 1;
            // Without its line break a line was not written to its end.
            let record = line.strip_suffix(b"\n").and_then(Record::read);
            match (record, torn_at) {
                (None, _) => torn_at = torn_at.or(Some(number)),
                (Some(Err(why)), _) => return Err(format!("line {number}: {why}")),
                (Some(Ok(record)), Some(torn)) if record.is_durable() => {
                    return Err(format!("line {torn} is damaged, and whole lines follow it"));
                }
                (Some(Ok(_)), Some(_)) => {}
                (Some(Ok(record)), None) => {
                    replay.take(record).map_err(|why| format!("line {number}: {why}"))?;
                    replay.len = offset;
                }
            }
        }
        Ok(replay)
    }

    fn take(&mut self, record: Record) -> Result<(), &'static str> {
        match (record, &self.base) {
            (Record::Base(version), None) => self.base = Some(version),
            (Record::Base(_), Some(_)) => return Err("it begins a second time"),
            (_, None) => return Err("it does not begin as a journal does"),
            (record, Some(_)) => self.records.push(record),
        }
        Ok(())
    }

    /// The number for the next intent.
    pub(crate) fn next(&self) -> u64 {
        self.intents().map(|(n, _)| n + 1).max().unwrap_or(1)
    }

    fn intents(&self) -> impl Iterator<Item = (u64, &Intent)> {
        self.records.iter().filter_map(|record| match record {
            Record::Intent(n, intent) => Some((*n, intent.as_ref())),
            _ => None,
        })
    }

    /// The intents of which no outcome is known.
    pub(crate) fn open_intents(&self) -> BTreeMap<u64, Intent> {
        let closed: BTreeSet<u64> = outcomes(&self.records).filter_map(|outcome| outcome.intent).collect();
        self.intents().filter(|(n, _)| !closed.contains(n)).map(|(n, intent)| (n, intent.clone())).collect()
    }

    /// Brings into the snapshot what it lacks. `content` is the digest of the snapshot as it was read.
    pub(crate) fn merge(&self, snapshot: &mut Snapshot, content: Option<&str>) -> Merge {
        match self.since(snapshot.serial, content) {
            Some(records) => Merge::Done(apply(outcomes(records), snapshot)),
            None => self.merge_by_instance(snapshot),
        }
    }

    /// The records behind the moment at which the snapshot was written; nothing when it is not one of this journal's.
    fn since(&self, serial: u64, content: Option<&str>) -> Option<&[Record]> {
        let commit = self.records.iter().rposition(|record| {
            matches!(record, Record::Commit { serial: s, content: c } if *s == serial && Some(c.as_str()) == content)
        });
        match commit {
            Some(at) => self.records.get(at + 1..),
            None => (self.base.as_ref()?.serial == serial).then_some(&self.records),
        }
    }

    /// Somebody else wrote the snapshot. An outcome may still come in where the snapshot has the instance in one of the
    /// states that the journal saw it go through.
    fn merge_by_instance(&self, snapshot: &mut Snapshot) -> Merge {
        let mut seen: BTreeMap<(&Address, Option<&str>), BTreeSet<Option<String>>> = BTreeMap::new();
        for outcome in outcomes(&self.records) {
            let slot = (&outcome.address, outcome.deposed.as_deref());
            let mut saw = |slot, state| {
                seen.entry(slot).or_default().insert(state);
            };
            saw(slot, outcome.before.clone());
            match &outcome.change {
                // What was read from a journal can be written again.
                Change::Put { object, .. } => saw(slot, fingerprint(Some(object))),
                Change::Remove | Change::Depose { .. } => saw(slot, None),
                Change::Rename { to } => {
                    saw(slot, None);
                    saw((to, None), None);
                    saw((to, None), outcome.before.clone());
                }
                Change::Nothing { .. } => {}
            }
        }
        let strangers: BTreeSet<Address> = seen
            .iter()
            .filter(|((address, deposed), states)| {
                let now = fingerprint(snapshot.object(address, *deposed));
                !states.contains(&now)
            })
            .map(|((address, _), _)| (*address).clone())
            .collect();
        match strangers.is_empty() {
            true => Merge::Done(apply(outcomes(&self.records), snapshot)),
            false => Merge::Diverged(strangers.into_iter().collect()),
        }
    }
}

/// Whether these are the bytes of a journal, or what a crash can leave of one that was just begun.
fn could_begin(bytes: &[u8]) -> bool {
    let beginning = b"{\"sum\":\"";
    bytes.first() == Some(&0) || bytes.iter().zip(beginning).all(|(a, b)| a == b)
}

fn outcomes(records: &[Record]) -> impl Iterator<Item = &Outcome> {
    records.iter().filter_map(|record| match record {
        Record::Outcome(outcome) => Some(outcome),
        _ => None,
    })
}

fn apply<'a>(outcomes: impl Iterator<Item = &'a Outcome>, snapshot: &mut Snapshot) -> BTreeSet<Address> {
    outcomes
        .filter(|outcome| !matches!(outcome.change, Change::Nothing { .. }))
        .map(|outcome| {
            outcome.clone().apply(snapshot);
            outcome.address.clone()
        })
        .collect()
}
