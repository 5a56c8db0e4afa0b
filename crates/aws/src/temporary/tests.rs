use std::sync::{Arc, Mutex};

use terrane_provider::Session;

use super::*;
use crate::testing::Cloud;

/// A log in memory. Clones are the same one.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Option<Vec<u8>>>>);

impl Lines {
    fn with(text: &str) -> Lines {
        Lines(Arc::new(Mutex::new(Some(text.as_bytes().to_vec()))))
    }

    fn text(&self) -> Option<String> {
        self.0.lock().unwrap().clone().map(|bytes| String::from_utf8(bytes).unwrap())
    }
}

impl Log for Lines {
    fn place(&self) -> String {
        "lines".to_owned()
    }

    fn open(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        self.peek()
    }

    fn peek(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn cut(&mut self, len: u64) -> Result<(), StateError> {
        if let Some(bytes) = self.0.lock().unwrap().as_mut() {
            bytes.truncate(usize::try_from(len).unwrap());
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8], _: Keep) -> Result<(), StateError> {
        self.0.lock().unwrap().get_or_insert_default().extend_from_slice(bytes);
        Ok(())
    }

    fn remove(&mut self) -> Result<(), StateError> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }
}

fn list(keys: &[(&str, &str)]) -> String {
    let member = |(id, made): &(&str, &str)| {
        format!(
            "<member><UserName>ann</UserName><AccessKeyId>{id}</AccessKeyId><Status>Active</Status>\
             <CreateDate>{made}</CreateDate></member>"
        )
    };
    let members: String = keys.iter().map(member).collect();
    format!(
        "<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata>{members}</AccessKeyMetadata>\
         <IsTruncated>false</IsTruncated></ListAccessKeysResult></ListAccessKeysResponse>"
    )
}

const CREATED: &str = "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>ann</UserName>\
    <AccessKeyId>AKIANEW</AccessKeyId><Status>Active</Status><SecretAccessKey>s</SecretAccessKey></AccessKey>\
    </CreateAccessKeyResult></CreateAccessKeyResponse>";
const DELETED: &str = "<DeleteAccessKeyResponse/>";
const NEVER_USED: &str = "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>ann</UserName><AccessKeyLastUsed>\
    <ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed></GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>";

fn session(cloud: &Cloud) -> Session {
    cloud.clone().session()
}

#[tokio::test]
async fn a_key_is_noted_before_it_is_made_and_the_file_goes_with_it() {
    let cloud = Cloud::default()
        .answer("ListAccessKeys", &list(&[("AKIAOLD", "2026-01-01T00:00:00Z")]))
        .answer("CreateAccessKey", CREATED)
        .answer("DeleteAccessKey", DELETED);
    let (lines, session) = (Lines::default(), session(&cloud));
    let clients: &Clients = session.clients().unwrap();
    let mut ledger = Ledger::open(Box::new(lines.clone())).unwrap();
    let made = ledger.make(clients, "123456789012", "ann").await.unwrap();
    let text = lines.text().unwrap();
    assert!(text.starts_with("{\"begun\":0,") && text.contains("AKIAOLD"), "{text}");
    assert!(text.ends_with("{\"made\":0,\"id\":\"AKIANEW\"}\n"), "{text}");
    assert!(!text.contains("\"s\""), "the secret is not noted: {text}");
    ledger.remove(clients, &made).await.unwrap();
    assert_eq!(lines.text(), None);
    assert_eq!(cloud.calls(), ["ListAccessKeys", "CreateAccessKey", "DeleteAccessKey"]);
}

#[tokio::test]
async fn a_key_that_was_refused_leaves_no_note() {
    let cloud = Cloud::default().answer("ListAccessKeys", &list(&[])).fail(
        "CreateAccessKey",
        409,
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    );
    let (lines, session) = (Lines::default(), session(&cloud));
    let clients: &Clients = session.clients().unwrap();
    let mut ledger = Ledger::open(Box::new(lines.clone())).unwrap();
    let trouble = ledger.make(clients, "123456789012", "ann").await.unwrap_err();
    assert!(matches!(trouble, Trouble::Iam(error) if error.is_code("LimitExceeded")));
    assert_eq!(lines.text(), None);
}

/// At 2026-11-23T20:00:00Z.
const BEGUN: &str = "{\"begun\":3,\"account\":\"123456789012\",\"user\":\"ann\",\"before\":[\"AKIAOLD\"],\"at\":1795464000}\n";

async fn tidied(text: &str, keys: &[(&str, &str)]) -> (Tidied, Vec<String>) {
    let cloud = Cloud::default()
        .answer("ListAccessKeys", &list(keys))
        .answer("GetAccessKeyLastUsed", NEVER_USED)
        .answer("DeleteAccessKey", DELETED);
    let (lines, session) = (Lines::with(text), session(&cloud));
    let clients: &Clients = session.clients().unwrap();
    let mut ledger = Ledger::open(Box::new(lines.clone())).unwrap();
    let note = ledger.left_over().remove(0);
    let tidied = ledger.tidy(clients, &note).await.unwrap();
    assert_eq!(lines.text(), None);
    (tidied, cloud.calls())
}

#[tokio::test]
async fn a_key_whose_id_was_noted_is_deleted() {
    let text = format!("{BEGUN}{{\"made\":3,\"id\":\"AKIANEW\"}}\n{{\"go");
    let (tidied, calls) = tidied(&text, &[]).await;
    assert_eq!((tidied, calls), (Tidied::Removed("AKIANEW".to_owned()), vec!["DeleteAccessKey".to_owned()]));
}

#[tokio::test]
async fn a_key_whose_answer_was_lost_is_found_among_the_others() {
    let old = ("AKIAOLD", "2026-11-23T20:00:01Z");
    let earlier = ("AKIAEARLIER", "2026-11-20T20:00:00Z");
    let new = ("AKIANEW", "2026-11-23T20:00:02Z");
    let (found, _) = tidied(BEGUN, &[old, earlier, new]).await;
    assert_eq!(found, Tidied::Removed("AKIANEW".to_owned()));
    let (none, calls) = tidied(BEGUN, &[old, earlier]).await;
    assert_eq!(none, Tidied::NotThere);
    assert!(!calls.contains(&"DeleteAccessKey".to_owned()));
    let (unclear, calls) = tidied(BEGUN, &[new, ("AKIAOTHER", "2026-11-23T20:01:00Z")]).await;
    assert_eq!(unclear, Tidied::Unclear(vec!["AKIANEW".to_owned(), "AKIAOTHER".to_owned()]));
    assert!(!calls.contains(&"DeleteAccessKey".to_owned()), "what is not clear is left alone");
}

#[test]
fn notes_that_are_damaged_count_for_nothing() {
    for text in ["", "{", "null\n", "{\"begun\":\"x\"}\n", "{\"made\":7,\"id\":\"A\"}\n", "\u{fffd}\n[]\n"] {
        assert_eq!(replay(text.as_bytes()), (vec![], 0), "{text}");
    }
    let (open, next) = replay(format!("{BEGUN}{{\"gone\":3}}\n").as_bytes());
    assert_eq!((open, next), (vec![], 4));
}
