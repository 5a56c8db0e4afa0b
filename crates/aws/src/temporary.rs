//! Access keys for a moment: made, used and removed within one command, and removed by the next one where that died.
//!
//! ```text
//! note that a key is about to be made ─ CreateAccessKey ─ note its id ─ ... ─ DeleteAccessKey ─ note that it is gone
//! ```
//! Each line is on the disk before the next step. Where the id is not noted, nobody has ever had the secret: such a key is told
//! from the user's others by its not having been there before, by the time at which it was made, and by its never having been
//! used. What fits more than one key is left alone.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::types::AccessKeyMetadata;
use aws_smithy_types::DateTime;
use serde_json::{Value as Json, json};
use terrane_provider::Error;
use terrane_state::{Keep, Log, StateError};

use crate::client::Clients;
use crate::error::{failed, present};

/// Clocks differ by so much at most.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// How long after its note a key can still have been made.
const LATEST: Duration = Duration::from_secs(15 * 60);
/// How often the making is tried.
const TRIES: u32 = 5;

/// A key that was about to be made, and may be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    number: u64,
    /// The account.
    pub account: String,
    /// The name of the user.
    pub user: String,
    /// The id, where the key was made and the answer came.
    pub id: Option<String>,
    /// The ids of the keys that the user had before.
    before: Vec<String>,
    /// Seconds since 1970.
    at: u64,
}

/// What became of a key that a dead command left over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tidied {
    /// It was removed.
    Removed(String),
    /// It was not there (any more).
    NotThere,
    /// More than one key could be it, and none was touched.
    Unclear(Vec<String>),
}

/// A key that is in use.
#[derive(Clone, Debug)]
pub struct Made {
    note: Note,
    /// The key.
    pub credentials: Credentials,
}

/// Why a key could not be made, or could not be removed.
#[derive(Debug)]
pub enum Trouble {
    /// The note could not be written.
    State(StateError),
    /// What IAM has to say.
    Iam(Error),
}

impl From<StateError> for Trouble {
    fn from(error: StateError) -> Trouble {
        Trouble::State(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Iam(error)
    }
}

/// The notes of keys that are, or may be, there.
pub struct Ledger {
    log: Box<dyn Log>,
    open: Vec<Note>,
    next: u64,
}

impl Ledger {
    /// Reads the notes. The state's lock is held.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn open(mut log: Box<dyn Log>) -> Result<Ledger, StateError> {
        let found = log.open()?;
        let exists = found.is_some();
        let bytes = found.unwrap_or_default();
        // A line that was cut off was not safe yet: nothing was done on its account.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            log.cut(u64::try_from(whole).unwrap_or_default())?;
        }
        let (open, next) = replay(bytes.get(..whole).unwrap_or_default());
        if exists && open.is_empty() {
            log.remove()?;
        }
        Ok(Ledger { log, open, next })
    }

    /// The keys that a command which died left over.
    pub fn left_over(&self) -> Vec<Note> {
        self.open.clone()
    }

    /// Makes a key of a user.
    ///
    /// # Errors
    /// What IAM or the disk has to say. No key is left over then, unless a note says so.
    pub async fn make(&mut self, clients: &Clients, account: &str, user: &str) -> Result<Made, Trouble> {
        let before = ids(&keys(clients, user).await?);
        let mut note = Note {
            number: self.next,
            account: account.to_owned(),
            user: user.to_owned(),
            id: None,
            before,
            at: seconds(SystemTime::now()),
        };
        self.write(&json!({
            "begun": note.number, "account": account, "user": user, "before": note.before, "at": note.at
        }))?;
        self.next += 1;
        self.open.push(note.clone());
        let key = match self.create(clients, &note).await {
            Ok(key) => key,
            Err(error) => {
                if !error.leaves_doubt() {
                    self.gone(&note)?;
                }
                return Err(error.into());
            }
        };
        self.write(&json!({ "made": note.number, "id": key.access_key_id }))?;
        note.id = Some(key.access_key_id.clone());
        if let Some(open) = self.open.iter_mut().find(|open| open.number == note.number) {
            *open = note.clone();
        }
        let credentials = Credentials::new(key.access_key_id, key.secret_access_key, None, None, "temporary");
        Ok(Made { note, credentials })
    }

    /// Calls until the answer arrives. A key whose answer got lost is removed before another one is made.
    async fn create(&self, clients: &Clients, note: &Note) -> Result<aws_sdk_iam::types::AccessKey, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
            let call = clients.iam().create_access_key().user_name(&note.user);
            let answer = call.customize().config_override(once).send().await;
            match answer.map_err(failed("iam:CreateAccessKey")) {
                Ok(made) => {
                    return made
                        .access_key
                        .ok_or_else(|| Error::bug("iam:CreateAccessKey", "The answer has no access key."));
                }
                Err(error) if tries < TRIES && (error.leaves_doubt() || is_throttled(&error)) => {
                    tokio::time::sleep(Duration::from_millis(200 << tries)).await;
                    if error.leaves_doubt() {
                        tidy(clients, note).await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes a key.
    ///
    /// # Errors
    /// What IAM or the disk has to say. The note stays then.
    pub async fn remove(&mut self, clients: &Clients, made: &Made) -> Result<(), Trouble> {
        delete(clients, &made.note.user, made.credentials.access_key_id()).await?;
        Ok(self.gone(&made.note)?)
    }

    /// Removes what a dead command left over, as its note says.
    ///
    /// # Errors
    /// What IAM or the disk has to say. The note stays then.
    pub async fn tidy(&mut self, clients: &Clients, note: &Note) -> Result<Tidied, Trouble> {
        let tidied = tidy(clients, note).await?;
        self.gone(note)?;
        Ok(tidied)
    }

    fn gone(&mut self, note: &Note) -> Result<(), StateError> {
        self.open.retain(|open| open.number != note.number);
        if self.open.is_empty() {
            // The file goes with the last key.
            return self.log.remove();
        }
        self.write(&json!({ "gone": note.number }))
    }

    fn write(&mut self, line: &Json) -> Result<(), StateError> {
        self.log.append(format!("{line}\n").as_bytes(), Keep::Safe)
    }
}

fn is_throttled(error: &Error) -> bool {
    error.kind == terrane_provider::ErrorKind::Throttled
}

/// The keys of which nothing says that they are gone, and the next number. What can't be read counts for nothing.
fn replay(bytes: &[u8]) -> (Vec<Note>, u64) {
    let (mut open, mut next): (Vec<Note>, u64) = (Vec::new(), 0);
    for line in String::from_utf8_lossy(bytes).lines() {
        let Ok(line) = serde_json::from_str::<Json>(line) else { continue };
        let number = |name: &str| line.get(name).and_then(Json::as_u64);
        let text = |name: &str| line.get(name).and_then(Json::as_str).map(str::to_owned);
        if let (Some(number), Some(account), Some(user), Some(at)) =
            (number("begun"), text("account"), text("user"), number("at"))
        {
            let before = line.get("before").and_then(Json::as_array).into_iter().flatten();
            let before = before.filter_map(|id| id.as_str().map(str::to_owned)).collect();
            open.push(Note { number, account, user, id: None, before, at });
            next = next.max(number + 1);
        } else if let Some(made) = number("made") {
            if let Some(note) = open.iter_mut().find(|note| note.number == made) {
                note.id = text("id");
            }
        } else if let Some(gone) = number("gone") {
            open.retain(|note| note.number != gone);
        }
    }
    (open, next)
}

async fn tidy(clients: &Clients, note: &Note) -> Result<Tidied, Error> {
    if let Some(id) = &note.id {
        return Ok(match delete(clients, &note.user, id).await? {
            true => Tidied::Removed(id.clone()),
            false => Tidied::NotThere,
        });
    }
    let Some(there) = present(keys(clients, &note.user).await)? else { return Ok(Tidied::NotThere) };
    let mut fitting = Vec::new();
    for key in there.iter().filter(|key| fits(key, note)) {
        let Some(id) = key.access_key_id() else { continue };
        if !was_used(clients, id).await? {
            fitting.push(id.to_owned());
        }
    }
    match fitting.as_slice() {
        [] => Ok(Tidied::NotThere),
        [id] => {
            delete(clients, &note.user, id).await?;
            Ok(Tidied::Removed(id.clone()))
        }
        _ => Ok(Tidied::Unclear(fitting)),
    }
}

/// Whether a key can be the one of a note without an id.
fn fits(key: &AccessKeyMetadata, note: &Note) -> bool {
    let new = key.access_key_id().is_some_and(|id| !note.before.iter().any(|before| before == id));
    let made = key.create_date().map(DateTime::secs).and_then(|made| u64::try_from(made).ok());
    let (earliest, latest) = (note.at.saturating_sub(SKEW.as_secs()), note.at + LATEST.as_secs());
    new && made.is_some_and(|made| (earliest..=latest).contains(&made))
}

async fn was_used(clients: &Clients, id: &str) -> Result<bool, Error> {
    let used = clients.iam().get_access_key_last_used().access_key_id(id).send().await;
    let used = used.map_err(failed("iam:GetAccessKeyLastUsed"))?;
    Ok(used.access_key_last_used.is_some_and(|used| used.last_used_date.is_some()))
}

async fn keys(clients: &Clients, user: &str) -> Result<Vec<AccessKeyMetadata>, Error> {
    let pages = clients.iam().list_access_keys().user_name(user).into_paginator().items().send();
    pages.try_collect().await.map_err(failed("iam:ListAccessKeys"))
}

fn ids(keys: &[AccessKeyMetadata]) -> Vec<String> {
    keys.iter().filter_map(|key| key.access_key_id().map(str::to_owned)).collect()
}

/// Deletes a key; says whether it was there.
async fn delete(clients: &Clients, user: &str, id: &str) -> Result<bool, Error> {
    let deleted = clients.iam().delete_access_key().user_name(user).access_key_id(id).send().await;
    Ok(present(deleted.map_err(failed("iam:DeleteAccessKey")))?.is_some())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
