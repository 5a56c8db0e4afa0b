//! What opens and what does not; whole runs under encryption.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::backend::{Backend, Write};
use crate::journal::Keep;
use crate::local::Local;

fn passphrase(text: &str) -> Box<dyn Method> {
    Box::new(Passphrase::cheap(text))
}

fn sealing(text: &str) -> Sealing {
    Sealing::new(Some(passphrase(text)), vec![], Plain::Refused)
}

fn version() -> Version {
    Version { lineage: "l".into(), serial: 3 }
}

fn says(error: &StateError) -> String {
    let diagnostic = error.diagnostic();
    format!("{} {}", diagnostic.detail, diagnostic.hints.join(" "))
}

const STATE: &[u8] = b"{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": 3,\n  \"lineage\": \"l\",\n  \"outputs\": {},\n  \"resources\": []\n}\n";

#[test]
fn an_envelope_says_what_it_is_and_hides_the_rest() {
    let sealed = sealing("one").seal(Purpose::State, Some(&version()), b"the secret").unwrap();
    let json: Json = serde_json::from_slice(&sealed).unwrap();
    assert_eq!((json["terrane_encryption"].as_u64(), json["method"].as_str()), (Some(1), Some("passphrase")));
    assert_eq!((json["serial"].as_u64(), json["lineage"].as_str()), (Some(3), Some("l")));
    assert!(json["note"].as_str().unwrap().contains("encrypted by Terrane with the method `passphrase`"));
    assert!(!String::from_utf8_lossy(&sealed).contains("secret"));
    assert_eq!(crate::version_of(&sealed).unwrap(), version());
    assert!(matches!(crate::parse(&sealed), Err(crate::FormatError::Sealed)));
    // Another run, with a key of its own, opens it.
    assert_eq!(sealing("one").open(Purpose::State, "s", &sealed).unwrap(), b"the secret");
}

#[test]
fn a_wrong_key_another_purpose_and_plain_text_are_refused() {
    let sealed = sealing("one").seal(Purpose::State, Some(&version()), b"text").unwrap();
    let refused =
        |sealing: &Sealing, purpose, bytes: &[u8]| says(&sealing.open(purpose, "s", bytes).unwrap_err());
    assert!(refused(&sealing("two"), Purpose::State, &sealed).contains("key is another one"));
    assert!(refused(&sealing("one"), Purpose::Plan, &sealed).contains("a plan is wanted"));
    assert!(refused(&sealing("one"), Purpose::State, STATE).contains("allow_unencrypted"));
    let nothing = Sealing::new(None, vec![], Plain::Read);
    assert!(refused(&nothing, Purpose::State, &sealed).contains("fallback.passphrase"));
    assert_eq!(nothing.open(Purpose::State, "s", STATE).unwrap(), STATE);
    assert_eq!(nothing.seal(Purpose::State, None, STATE).unwrap(), STATE);
}

#[test]
fn a_key_of_earlier_opens_and_the_new_one_seals() {
    let old = sealing("one").seal(Purpose::State, Some(&version()), b"text").unwrap();
    let both = Sealing::new(Some(passphrase("two")), vec![passphrase("one")], Plain::Refused);
    assert_eq!(both.open(Purpose::State, "s", &old).unwrap(), b"text");
    let new = both.seal(Purpose::State, Some(&version()), b"text").unwrap();
    assert_eq!(sealing("two").open(Purpose::State, "s", &new).unwrap(), b"text");
    assert!(sealing("one").open(Purpose::State, "s", &new).is_err());
}

#[test]
fn age_opens_for_each_recipient_and_for_nobody_else() {
    use ::age::secrecy::ExposeSecret;
    let keys: Vec<_> = (0..3).map(|_| ::age::x25519::Identity::generate()).collect();
    let recipients: Vec<String> = keys[..2].iter().map(|key| key.to_public().to_string()).collect();
    let with = |identity: &str| {
        Sealing::new(Some(Box::new(Age::new(&recipients, identity).unwrap())), vec![], Plain::Refused)
    };
    let sealed = with("").seal(Purpose::Plan, None, b"text").unwrap();
    for key in &keys[..2] {
        let file = format!("# a comment\n{}\n", key.to_string().expose_secret());
        assert_eq!(with(&file).open(Purpose::Plan, "p", &sealed).unwrap(), b"text");
    }
    let other = with(keys[2].to_string().expose_secret()).open(Purpose::Plan, "p", &sealed).unwrap_err();
    assert!(says(&other).contains("are others"), "{other}");
    assert!(says(&with("").open(Purpose::Plan, "p", &sealed).unwrap_err()).contains("identity_file"));
    assert!(Age::new(&["age1nonsense".to_owned()], "").is_err());
    let secret = Age::new(&[], "AGE-SECRET-KEY-1NONSENSE").err().unwrap();
    assert!(!secret.detail.contains("NONSENSE"), "{}", secret.detail);
}

#[test]
fn what_an_envelope_asks_for_has_a_bound() {
    let recipe = serde_json::json!({
        "kdf": "argon2id", "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "memory_kib": 4_000_000_000u32, "passes": 1, "lanes": 1
    });
    assert!(Passphrase::cheap("one").again(&recipe).is_err());
    assert!(Passphrase::new(Zeroizing::new("short".to_owned())).is_err());
}

#[test]
fn a_later_envelope_is_left_alone() {
    let later = br#"{"terrane_encryption": 2, "anything": 1}"#;
    assert!(says(&sealing("one").open(Purpose::State, "s", later).unwrap_err()).contains("format 2"));
}

#[test]
fn a_local_state_is_never_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let states = folder.path().join("state");
    std::fs::create_dir(&states).unwrap();
    std::fs::write(states.join("default.tfstate"), STATE).unwrap();
    let open = |plain| {
        let sealing = Arc::new(Sealing::new(Some(passphrase("one")), vec![], plain));
        let mut local = Local::new(&states, None, "default").unwrap();
        local.seal_backups(sealing.clone());
        Sealed::new(Box::new(local), sealing)
    };
    assert!(says(&open(Plain::Refused).read().unwrap_err()).contains("allow_unencrypted"));
    let mut backend = open(Plain::Read);
    assert_eq!(backend.read().unwrap().as_deref(), Some(STATE));
    let next = Version { serial: 4, ..version() };
    backend.write(Write { bytes: b"new secret", version: &next, replaces: Some(&version()) }).unwrap();
    let mut log = backend.journal();
    log.append(b"{\"sum\":\"a secret\"}\n{\"a\":1}\n", Keep::Safe).unwrap();
    for entry in std::fs::read_dir(&states).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("secret") && !text.contains("\"outputs\""), "{}: {text}", path.display());
    }
    assert_eq!(open(Plain::Refused).read().unwrap().as_deref(), Some(&b"new secret"[..]));
}

#[test]
fn a_sealed_journal_is_cut_and_read_like_a_plain_one() {
    let folder = tempfile::tempdir().unwrap();
    let backend = || {
        let local = Local::new(folder.path(), None, "default").unwrap();
        Sealed::new(Box::new(local), Arc::new(sealing("one")))
    };
    let mut log = backend().journal();
    assert_eq!(log.open().unwrap(), None);
    log.append(b"{\"a\":1}\n{\"b\":2}\n", Keep::Safe).unwrap();
    log.append(b"{\"c\":3}\n", Keep::Soon).unwrap();
    drop(log);
    // A line that was not written to its end.
    let path = folder.path().join(".default.tfstate.journal");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"terrane_encryption\":1,\"purp");
    std::fs::write(&path, &bytes).unwrap();
    let mut log = backend().journal();
    assert_eq!(log.open().unwrap().unwrap(), b"{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
    log.cut(16).unwrap();
    log.append(b"{\"d\":4}\n", Keep::Safe).unwrap();
    drop(log);
    assert_eq!(backend().journal().peek().unwrap().unwrap(), b"{\"a\":1}\n{\"b\":2}\n{\"d\":4}\n");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_changed_does_not_open(
        text in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let sealing = sealing("one");
        let sealed = sealing.seal(Purpose::State, Some(&version()), &text).unwrap();
        prop_assert_eq!(&sealing.open(Purpose::State, "s", &sealed).unwrap(), &text);
        let mut changed = sealed.clone();
        let at = at.index(changed.len());
        changed[at] = to;
        // Either it is refused, or what was changed says nothing: the note, or space.
        if let Ok(opened) = sealing.open(Purpose::State, "s", &changed) {
            prop_assert_eq!(&opened, &text);
        }
    }
}
