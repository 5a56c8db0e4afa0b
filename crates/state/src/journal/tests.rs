//! The format of the lines, replay, and every sort of damage.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, json};

use super::log::FileLog;
use super::record::{fingerprint, sum};
use super::replay::Merge;
use super::*;
use crate::disk::{Disk, Fault, Op};

const GOLDEN: &str = include_str!("../../tests/golden/journal-1.jsonl");

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn object(id: &str) -> Object {
    let attributes = Map::from_iter([("id".to_owned(), id.into()), ("size".to_owned(), json!(1.50))]);
    Object { attributes, private: Some("bnVsbA==".into()), ..Object::default() }
}

fn put(id: &str) -> Change {
    Change::Put { provider: "p".into(), object: Box::new(object(id)) }
}

fn intent(text: &str) -> Intent {
    Intent {
        address: address(text),
        deposed: None,
        operation: Operation::Create,
        provider: "p".into(),
        planned: Some(object("?")),
        marker: Some("m-1".into()),
        id: None,
        survey: None,
    }
}

fn noted(n: u64, intent: Intent) -> Record {
    Record::Intent(n, Box::new(intent))
}

fn base() -> Version {
    Version { lineage: "l".into(), serial: 7 }
}

/// One record of each kind.
fn records() -> Vec<Record> {
    let key = "0000aaaa".to_owned();
    let outcome = |intent, text: &str, change| Record::Outcome(Outcome::of(address(text), intent, change));
    vec![
        noted(1, intent("t.a")),
        outcome(Some(1), "t.a", put("a")),
        outcome(None, "t.b", Change::Depose { key: key.clone() }),
        noted(
            2,
            Intent {
                deposed: Some(key.clone()),
                operation: Operation::Delete,
                planned: None,
                marker: None,
                id: Some("b".into()),
                ..intent("t.b")
            },
        ),
        Record::Outcome(Outcome {
            before: fingerprint(Some(&object("b"))),
            ..Outcome::of(address("t.b"), Some(2), Change::Remove).deposed(key)
        }),
        outcome(None, "t.c", Change::Rename { to: address("module.m[\"x\"].t.c") }),
        noted(3, Intent { operation: Operation::Update, ..intent("t.d") }),
        outcome(Some(3), "t.d", Change::Nothing { why: "refused".into() }),
        Record::Commit { serial: 8, content: "0123456789abcdef".into() },
        noted(4, intent("t.e")),
    ]
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("folder/journal")
    }

    fn open(&self) -> Result<(Journal, Replay), StateError> {
        Journal::open(Box::new(FileLog::new(Disk::default(), &self.path())))
    }

    fn written(bytes: &[u8]) -> Place {
        let place = Place::new();
        std::fs::create_dir_all(place.path().parent().unwrap()).unwrap();
        std::fs::write(place.path(), bytes).unwrap();
        place
    }
}

#[test]
fn the_format_is_the_golden_one() {
    let place = Place::new();
    place.open().unwrap().0.append(&base(), &records()).unwrap();
    let text = std::fs::read_to_string(place.path()).unwrap();
    if std::env::var_os("TERRANE_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/journal-1.jsonl"), &text).unwrap();
    }
    for (line, (written, golden)) in text.lines().zip(GOLDEN.lines()).enumerate() {
        assert_eq!(written, golden, "line {}", line + 1);
    }
    assert_eq!(text, GOLDEN);
}

#[test]
fn what_was_appended_is_replayed() {
    let (journal, replay) = Place::written(GOLDEN.as_bytes()).open().unwrap();
    assert_eq!(replay.base, Some(base()));
    assert_eq!(replay.next(), 5);
    assert_eq!(replay.open_intents().into_iter().collect::<Vec<_>>(), [(4, intent("t.e"))]);
    assert_eq!(journal.len, GOLDEN.len() as u64);
    let again = records().iter().fold(Vec::new(), |mut out, record| {
        record.write(&mut out).unwrap();
        out
    });
    assert!(GOLDEN.as_bytes().ends_with(&again));
}

#[test]
fn outcomes_go_into_the_snapshot_that_the_journal_builds_on() {
    let replay = Replay::read(GOLDEN.as_bytes()).unwrap();
    let mut snapshot = Snapshot { serial: 7, ..Snapshot::empty("l") };
    snapshot.put(&address("t.c"), "p", object("c"));
    let Merge::Done(merged) = replay.merge(&mut snapshot, None) else { panic!() };
    assert!(merged.contains(&address("t.a")) && !merged.contains(&address("t.d")));
    assert_eq!(snapshot.get(&address("t.a")), Some(&object("a")));
    assert_eq!(snapshot.get(&address("module.m[\"x\"].t.c")), Some(&object("c")));
    assert_eq!(snapshot.get(&address("t.c")), None);
}

#[test]
fn outcomes_that_the_snapshot_has_are_not_brought_in_again() {
    let replay = Replay::read(GOLDEN.as_bytes()).unwrap();
    let mut snapshot = Snapshot { serial: 8, ..Snapshot::empty("l") };
    let committed = replay.merge(&mut snapshot, Some("0123456789abcdef"));
    assert_eq!(committed, Merge::Done(Default::default()));
    assert!(snapshot.is_empty());
}

/// The same serial, but other content: somebody else went on from the snapshot before.
#[test]
fn a_foreign_snapshot_takes_what_it_cannot_contradict() {
    let mut text = Vec::new();
    let mut update = Outcome::of(address("t.b"), None, put("b2"));
    update.before = fingerprint(Some(&object("b1")));
    let outcomes = [Outcome::of(address("t.a"), None, put("a")), update];
    Record::Base(base()).write(&mut text).unwrap();
    for outcome in outcomes {
        Record::Outcome(outcome).write(&mut text).unwrap();
    }
    let replay = Replay::read(&text).unwrap();
    let merged = |a: Option<&str>, b: Option<&str>| {
        let mut snapshot = Snapshot { serial: 9, ..Snapshot::empty("l") };
        for (text, id) in [("t.a", a), ("t.b", b)] {
            if let Some(id) = id {
                snapshot.put(&address(text), "p", object(id));
            }
        }
        match replay.merge(&mut snapshot, Some("x")) {
            Merge::Done(_) => {
                let id = |text| snapshot.get(&address(text)).and_then(Object::id).map(str::to_owned);
                Ok((id("t.a"), id("t.b")))
            }
            Merge::Diverged(addresses) => Err(addresses),
        }
    };
    let all = Ok((Some("a".to_owned()), Some("b2".to_owned())));
    assert_eq!(merged(None, Some("b1")), all);
    assert_eq!(merged(Some("a"), Some("b1")), all);
    assert_eq!(merged(Some("a"), Some("b2")), all);
    assert_eq!(merged(Some("other"), Some("b1")), Err(vec![address("t.a")]));
    assert_eq!(merged(None, None), Err(vec![address("t.b")]));
}

#[test]
fn a_torn_end_is_passed_over_and_written_over() {
    let whole = GOLDEN.trim_end().rfind('\n').unwrap() + 1;
    for cut in whole..GOLDEN.len() {
        let place = Place::written(&GOLDEN.as_bytes()[..cut]);
        let (mut journal, replay) = place.open().unwrap();
        assert!(replay.open_intents().is_empty(), "cut at {cut}");
        journal.append(&base(), &[noted(4, intent("t.e"))]).unwrap();
        assert_eq!(std::fs::read_to_string(place.path()).unwrap(), GOLDEN, "cut at {cut}");
    }
}

#[test]
fn a_journal_cut_anywhere_is_readable() {
    for cut in 0..GOLDEN.len() {
        let replay = Replay::read(&GOLDEN.as_bytes()[..cut]).unwrap();
        assert!(replay.len as usize <= cut);
        assert_eq!(replay.base.is_some(), replay.len > 0);
    }
}

#[test]
fn damage_before_a_whole_durable_line_is_an_error() {
    for at in 0..GOLDEN.trim_end().rfind('\n').unwrap() {
        let mut bytes = GOLDEN.as_bytes().to_vec();
        bytes[at] ^= 1;
        let error = Replay::read(&bytes).unwrap_err();
        assert!(error.starts_with("line ") || error.contains("does not begin"), "{at}: {error}");
    }
}

#[test]
fn damage_before_outcomes_alone_is_a_torn_end() {
    // The machine died, and a page of the file was written but not the one before it.
    let mut lines: Vec<&str> = GOLDEN.split_inclusive('\n').take(5).collect();
    lines[2] = "\0\0\0\0\0\n";
    let text = lines.concat();
    assert!(Replay::read(text.as_bytes()).is_err(), "an intent follows");
    lines.truncate(4);
    let replay = Replay::read(lines.concat().as_bytes()).unwrap();
    assert_eq!(replay.open_intents().len(), 1, "its outcome is lost, so it is looked for");
}

#[test]
fn lines_that_are_whole_but_wrong_are_errors() {
    let line = |record: &str| format!("{{\"sum\":\"{}\",\"record\":{record}}}\n", sum(record.as_bytes()));
    let base = line(r#"{"base":{"format":1,"lineage":"l","serial":7}}"#);
    assert!(Replay::read(base.as_bytes()).is_ok());
    for (text, why) in [
        (line(r#"{"base":{"format":2,"lineage":"l","serial":7}}"#), "format 2"),
        (format!("{base}{base}"), "second time"),
        (line(r#"{"commit":{"serial":8,"content":""}}"#), "does not begin"),
        (format!("{base}{}", line(r#"{"future":{}}"#)), "does not know"),
        (
            format!("{base}{}", line(r#"{"outcome":{"address":"nonsense","change":"remove"}}"#)),
            "no resource address",
        ),
        (
            format!(
                "{base}{}",
                line(r#"{"outcome":{"address":"t.a","change":{"put":{"provider":"p","object":{}}}}}"#)
            ),
            "`/attributes`",
        ),
    ] {
        let error = Replay::read(text.as_bytes()).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn a_file_that_is_no_journal_is_left_alone() {
    // Nothing in it is a whole line, so it could be a torn beginning; but no journal ever begins like this.
    for text in ["{\"version\": 4}\n", "hello\nworld\n"] {
        let place = Place::written(text.as_bytes());
        assert!(matches!(place.open(), Err(StateError::Journal { .. })), "{text}");
        assert_eq!(std::fs::read_to_string(place.path()).unwrap(), text);
    }
}

#[test]
fn a_failed_append_leaves_no_trace() {
    for (op, written) in [(Op::Write, 0), (Op::Write, 30), (Op::Sync, 0)] {
        let place = Place::new();
        let broken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let disk = Disk::with_faults(std::sync::Arc::new({
            let broken = broken.clone();
            move |now, _: &Path| match now == op && broken.load(std::sync::atomic::Ordering::Relaxed) {
                true => Err(Fault { error: io::ErrorKind::StorageFull.into(), written }),
                false => Ok(()),
            }
        }));
        let (mut journal, _) = Journal::open(Box::new(FileLog::new(disk, &place.path()))).unwrap();
        journal.append(&base(), &[noted(1, intent("t.a"))]).unwrap();
        broken.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(matches!(journal.append(&base(), &[noted(2, intent("t.b"))]), Err(StateError::Io { .. })));
        broken.store(false, std::sync::atomic::Ordering::Relaxed);
        journal.append(&base(), &[noted(3, intent("t.c"))]).unwrap();
        drop(journal);
        let open: Vec<u64> = place.open().unwrap().1.open_intents().into_keys().collect();
        assert_eq!(open, [1, 3], "{op:?} {written}");
    }
}

#[test]
fn one_writer_at_a_time_and_no_file_for_nothing() {
    let place = Place::new();
    let (mut first, _) = place.open().unwrap();
    assert!(!place.path().exists());
    first.append(&base(), &[noted(1, intent("t.a"))]).unwrap();
    assert!(matches!(place.open(), Err(StateError::Journal { .. })));
    assert_eq!(
        Journal::peek(&mut FileLog::new(Disk::default(), &place.path())).unwrap().open_intents().len(),
        1
    );
    first.clear().unwrap();
    assert!(first.is_empty());
    first.append(&base(), &[noted(1, intent("t.b"))]).unwrap();
    first.clear().unwrap();
    first.remove_if_empty().unwrap();
    assert!(!place.path().exists());
}
