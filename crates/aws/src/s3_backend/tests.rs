//! The backend against a bucket inside the test, which can break off at any request.

mod crash;
mod double;
mod sealed;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use terrane_model::Value;
use terrane_state::journal::Keep;
use terrane_state::{Backend, LockInfo, StateError, Version, Write};

use super::settings::BackendSettings;
use super::*;
use crate::bridge::Bridge;
use double::Double;

fn settings(more: &[(&'static str, Value)]) -> BackendSettings {
    let base = [
        ("bucket", Value::from("states")),
        ("key", Value::from("net/terraform.tfstate")),
        ("region", Value::from("eu-west-3")),
        ("use_path_style", Value::from(true)),
    ];
    BackendSettings::read(&Value::object(base.into_iter().chain(more.iter().cloned()))).unwrap()
}

fn s3(double: &Double, workspace: &str) -> S3 {
    S3::with(Arc::new(Bridge::new().unwrap()), settings(&[]), workspace, &double.sdk())
}

fn info(id: &str, process: &str) -> LockInfo {
    LockInfo { id: id.into(), who: "ann@box".into(), process: process.into(), ..LockInfo::default() }
}

fn version(serial: u64) -> Version {
    Version { lineage: "l".into(), serial }
}

fn state(serial: u64) -> Vec<u8> {
    format!("{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": {serial},\n  \"lineage\": \"l\"\n}}").into_bytes()
}

fn write(backend: &mut S3, serial: u64, replaces: Option<u64>) -> Result<(), StateError> {
    let (bytes, version, replaces) = (state(serial), version(serial), replaces.map(version));
    backend.write(Write { bytes: &bytes, version: &version, replaces: replaces.as_ref() })
}

#[test]
fn objects_lie_where_terraform_puts_them() {
    let double = Double::default();
    for workspace in ["default", "prod"] {
        let mut backend = s3(&double, workspace);
        backend.lock(&info("1", "")).unwrap();
        write(&mut backend, 1, None).unwrap();
        let mut log = backend.journal();
        log.append(b"x\n", Keep::Safe).unwrap();
        drop(log);
    }
    assert_eq!(
        double.keys(),
        [
            "env:/prod/net/terraform.tfstate",
            "env:/prod/net/terraform.tfstate.terrane-journal/000000",
            "net/terraform.tfstate",
            "net/terraform.tfstate.terrane-journal/000000",
        ]
    );
    let mut backend = s3(&double, "default");
    assert_eq!(backend.workspaces().unwrap(), ["default", "prod"]);
    assert!(matches!(backend.delete_workspace("none", &mut || true), Err(StateError::Workspace { .. })));
    assert!(matches!(backend.delete_workspace("default", &mut || true), Err(StateError::Workspace { .. })));
    // It is asked when nobody else can write any more.
    let mut other = s3(&double, "prod");
    let refused = backend.delete_workspace("prod", &mut || {
        assert!(matches!(other.lock(&info("2", "")), Err(StateError::Locked { .. })));
        false
    });
    assert!(matches!(refused, Err(StateError::Workspace { .. })));
    assert_eq!(double.keys().len(), 4, "{:?}", double.keys());
    other.lock(&info("2", "")).unwrap();
    other.unlock().unwrap();
    drop(other);
    backend.delete_workspace("prod", &mut || true).unwrap();
    assert_eq!(double.keys().len(), 2, "{:?}", double.keys());
}

#[test]
fn notes_lie_apart_from_the_journal_and_go_when_they_are_removed() {
    let double = Double::default();
    let mut backend = s3(&double, "default");
    backend.lock(&info("1", "")).unwrap();
    let mut notes = backend.notes();
    notes.append(b"a\n", Keep::Safe).unwrap();
    assert_eq!(backend.journal().peek().unwrap(), None);
    assert_eq!(backend.notes().open().unwrap(), Some(b"a\n".to_vec()));
    assert!(double.get("net/terraform.tfstate.terrane-temporary/000000").is_some());
    notes.remove().unwrap();
    assert_eq!(backend.notes().open().unwrap(), None);
    notes.append(b"b\n", Keep::Safe).unwrap();
    assert_eq!(backend.notes().peek().unwrap(), Some(b"b\n".to_vec()));
}

#[test]
fn a_state_is_replaced_only_while_it_is_the_one_that_was_read() {
    let double = Double::default();
    let (mut first, mut second) = (s3(&double, "default"), s3(&double, "default"));
    assert_eq!(first.read().unwrap(), None);
    assert_eq!(second.read().unwrap(), None);
    write(&mut first, 1, None).unwrap();
    assert!(
        matches!(write(&mut second, 7, None), Err(StateError::Moved { found: Some(v), .. }) if v.serial == 1)
    );
    write(&mut first, 2, Some(1)).unwrap();
    assert!(matches!(write(&mut second, 7, Some(1)), Err(StateError::Moved { .. })));
    assert_eq!(second.read().unwrap(), Some(state(2)));
    write(&mut second, 3, Some(2)).unwrap();
    // The first one still believes in its own.
    assert!(matches!(write(&mut first, 7, Some(2)), Err(StateError::Moved { .. })));
    assert_eq!(double.get("net/terraform.tfstate"), Some(state(3)));
}

#[test]
fn a_write_whose_answer_was_lost_is_known_to_have_taken_place() {
    let double = Double::default();
    let mut backend = s3(&double, "default");
    assert_eq!(backend.read().unwrap(), None);
    double.lose_answer_of("PUT");
    write(&mut backend, 1, None).unwrap();
    double.lose_answer_of("PUT");
    write(&mut backend, 2, Some(1)).unwrap();
    double.lose_answer_of("PUT");
    backend.lock(&info("1", "")).unwrap();
    assert_eq!(double.get("net/terraform.tfstate"), Some(state(2)));
}

#[test]
fn the_lock_is_terraforms_and_excludes_others() {
    let double = Double::default();
    let (mut first, mut second) = (s3(&double, "default"), s3(&double, "default"));
    first.lock(&info("1", &this_process().unwrap_or_default())).unwrap();
    let there = double.get("net/terraform.tfstate.tflock").unwrap();
    let json: serde_json::Value = serde_json::from_slice(&there).unwrap();
    assert_eq!(
        (json["ID"].as_str(), json["Path"].as_str()),
        (Some("1"), Some("states/net/terraform.tfstate"))
    );
    let refusal = second.lock(&info("2", "")).unwrap_err();
    let text = refusal.diagnostic().detail;
    assert!(text.contains("the holder is at work") && text.contains("ann@box"), "{text}");
    if this_process().is_some() {
        assert!(
            matches!(second.force_unlock("1"), Err(StateError::NotUnlocked { .. })),
            "its holder is here"
        );
    }
    first.unlock().unwrap();
    second.lock(&info("2", "elsewhere/ns/1/1")).unwrap();
    assert!(
        matches!(first.force_unlock("1"), Err(StateError::NotUnlocked { why, .. }) if why.contains("`2`"))
    );
    assert_eq!(first.force_unlock("2").unwrap().id, "2");
    first.lock(&info("3", "")).unwrap();
    // What was taken away is not given back over another's head.
    second.unlock().unwrap();
    assert!(double.get("net/terraform.tfstate.tflock").is_some());
}

#[test]
fn the_lock_of_a_dead_process_of_this_machine_is_taken_over() {
    let Some(this) = this_process() else { return };
    let (machine, _) = this.rsplit_once('/').unwrap();
    let double = Double::default();
    let dead = info("1", &format!("{machine}/1"));
    double.insert("net/terraform.tfstate.tflock", &dead.render());
    let taken = s3(&double, "default").lock(&info("2", &this)).unwrap();
    assert_eq!(taken.abandoned.map(|info| info.id), Some("1".to_owned()));
    let elsewhere = info("3", "another/ns/1/1");
    double.insert("net/terraform.tfstate.tflock", &elsewhere.render());
    assert!(matches!(s3(&double, "default").lock(&info("4", &this)), Err(StateError::Locked { .. })));
}

#[test]
fn a_lost_lock_stops_the_run() {
    let double = Double::default();
    let mut backend = s3(&double, "default");
    backend.lock(&info("1", "")).unwrap();
    let mut log = backend.journal();
    backend.lost.store(true, Ordering::Relaxed);
    let failed = log.append(b"x\n", Keep::Safe).unwrap_err();
    assert!(failed.diagnostic().detail.contains("taken away"), "{failed}");
    assert!(write(&mut backend, 1, None).is_err());
    assert_eq!(double.keys(), ["net/terraform.tfstate.tflock"]);
}

#[test]
fn a_journal_of_many_pieces_is_cut_and_read_again() {
    let double = Double::default();
    let backend = s3(&double, "default");
    let mut log = backend.journal();
    assert_eq!(log.open().unwrap(), None);
    let line = [vec![b'x'; 30_000], b"\n".to_vec()].concat();
    let mut all = Vec::new();
    for n in 0..12 {
        log.append(&line, if n % 3 == 0 { Keep::Safe } else { Keep::Soon }).unwrap();
        all.extend_from_slice(&line);
    }
    drop(log);
    assert!(double.keys().len() > 2, "{:?}", double.keys());
    let mut log = backend.journal();
    assert_eq!(log.open().unwrap(), Some(all.clone()));
    log.cut(100_000).unwrap();
    log.append(b"behind\n", Keep::Safe).unwrap();
    let cut = [&all[..100_000], b"behind\n"].concat();
    assert_eq!(backend.journal().peek().unwrap(), Some(cut));
    log.cut(0).unwrap();
    assert_eq!(backend.journal().peek().unwrap(), Some(vec![]));
    log.append(b"anew\n", Keep::Safe).unwrap();
    assert_eq!(backend.journal().peek().unwrap(), Some(b"anew\n".to_vec()));
    // Somebody else who writes it is found out.
    let mut other = backend.journal();
    other.open().unwrap();
    other.append(b"other\n", Keep::Safe).unwrap();
    assert!(matches!(log.append(b"mine\n", Keep::Safe), Err(StateError::Journal { .. })));
    other.remove().unwrap();
    assert_eq!(double.keys(), Vec::<String>::new());
}

#[test]
fn arguments_are_checked() {
    let wrong = |arguments: &[(&'static str, Value)]| {
        let problems = BackendSettings::read(&Value::object(arguments.iter().cloned())).unwrap_err();
        problems.iter().map(|p| format!("{} {}", p.code, p.detail)).collect::<Vec<_>>().join("\n")
    };
    let (bucket, key) = (("bucket", Value::from("b")), ("key", Value::from("k")));
    assert!(wrong(std::slice::from_ref(&key)).contains("`bucket`"));
    let more = |argument| wrong(&[bucket.clone(), key.clone(), argument]);
    assert!(more(("buckett", Value::from("b"))).contains("`bucket`"), "the nearest name");
    assert!(more(("workspace_key_prefix", Value::from("/env"))).contains("`/`"));
    assert!(more(("sse_customer_key", Value::from("c2hvcnQ="))).contains("32 bytes"));
    assert!(more(("access_key", Value::from("AKIA"))).contains("secret_key"));
    assert!(wrong(&[bucket.clone(), ("key", Value::from("a//b"))]).contains("`a//b`"));
    let read = settings(&[("dynamodb_table", Value::from("t")), ("endpoint", Value::from("http://x"))]);
    assert!(!read.lockfile && read.s3_endpoint.as_deref() == Some("http://x"));
    let both = settings(&[("dynamodb_table", Value::from("t")), ("use_lockfile", Value::from(true))]);
    assert!(both.lockfile && both.table.is_some());
}
