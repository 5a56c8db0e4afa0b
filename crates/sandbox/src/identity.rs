//! Who makes a call: found by the access key that signed it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::iam::{AccessKey, Entity, LastUse, Tag, UniqueId};
use crate::options::Options;
use crate::store::{Changes, Document};
use crate::wire::{Call, Refusal};

/// The administrator that exists from the start.
pub(crate) const ADMIN_NAME: &str = "terrane-admin";
/// Its access key. Both pairs are well known: whoever can open the folder may do everything in it anyway.
pub(crate) const ADMIN_KEY: (&str, &str) =
    ("AKIATERRANEADMIN0001", "sandbox/administrator/not/a/real/secret1");
/// The root user's access key.
pub(crate) const ROOT_KEY: (&str, &str) =
    ("AKIATERRANEROOT00001", "sandbox/root/user/not/a/real/secret00001");
/// The access key id that local endpoints are usually called with.
const TEST_KEY: &str = "test";

/// How much later a use is noted again; AWS notes it no finer.
const USE_NOTED_EVERY: Duration = Duration::from_secs(900);

/// The identity behind a call.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    Root,
    User(Entity),
    Session { role: Entity, session: Session },
}

/// Temporary credentials of a role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) access_key: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    /// The role's unique id.
    pub(crate) role: String,
    pub(crate) name: String,
    /// The policies that limit the session, as texts.
    pub(crate) policies: Vec<String>,
    pub(crate) expires: Moment,
    /// The tags of the session itself, which count before those of the role.
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
}

impl Document for Session {
    const KIND: &'static str = "sts.session";

    fn key(&self) -> String {
        self.access_key.clone()
    }
}

impl Identity {
    /// The ARN that AWS names the caller by.
    pub(crate) fn arn(&self, account: &str) -> String {
        match self {
            Identity::Root => format!("arn:aws:iam::{account}:root"),
            Identity::User(user) => user.arn(account),
            Identity::Session { role, session } => {
                format!("arn:aws:sts::{account}:assumed-role/{}/{}", role.name, session.name)
            }
        }
    }

    /// The unique id, as `aws:userid` has it.
    pub(crate) fn user_id(&self, account: &str) -> String {
        match self {
            Identity::Root => account.to_owned(),
            Identity::User(user) => user.id.clone(),
            Identity::Session { role, session } => format!("{}:{}", role.id, session.name),
        }
    }
}

/// Finds the caller of a call.
///
/// # Errors
/// The refusal that AWS gives for a missing, unknown, inactive or expired access key.
pub(crate) fn authenticate(
    call: &Call,
    store: &Changes<'_>,
    options: &Options,
    now: Moment,
) -> Result<Identity, Refusal> {
    let Some(id) = call.access_key.as_deref() else { return Err(missing(call)) };
    if id == ROOT_KEY.0 {
        return Ok(Identity::Root);
    }
    let id = if options.test_credentials && id == TEST_KEY { ADMIN_KEY.0 } else { id };
    if let Some(session) = store.get::<Session>(id)? {
        return resume(call, store, now, session);
    }
    let Some(mut key) = store.get::<AccessKey>(id)? else { return Err(unknown(call)) };
    if !key.active || now < key.known_from || call.session_token.is_some() {
        return Err(unknown(call));
    }
    let user = entity_of(store, &key.owner)?.ok_or_else(|| unknown(call))?;
    let noted = key.last_used.as_ref().is_some_and(|used| now < used.at.plus(USE_NOTED_EVERY));
    if !noted {
        let service = call.service.prefix().to_owned();
        key.last_used = Some(LastUse { at: now, service, region: call.region.clone() });
        store.put(&key)?;
    }
    Ok(Identity::User(user))
}

fn resume(call: &Call, store: &Changes<'_>, now: Moment, session: Session) -> Result<Identity, Refusal> {
    if call.session_token.as_deref() != Some(session.token.as_str()) {
        return Err(unknown(call));
    }
    if now >= session.expires {
        let message = "The security token included in the request is expired";
        return Err(match call.service.speaks_xml() {
            true => Refusal::with_status(403, "ExpiredToken", message),
            false => Refusal::new("ExpiredTokenException", message),
        });
    }
    let role = entity_of(store, &session.role)?.ok_or_else(|| unknown(call))?;
    Ok(Identity::Session { role, session })
}

/// The entity that has a unique id.
pub(crate) fn entity_of(store: &Changes<'_>, id: &str) -> Result<Option<Entity>, Refusal> {
    match store.get::<UniqueId>(id)? {
        Some(found) => Ok(store.get::<Entity>(&found.entity)?),
        None => Ok(None),
    }
}

fn missing(call: &Call) -> Refusal {
    match call.service.speaks_xml() {
        true => {
            Refusal::with_status(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        }
        false => {
            Refusal::new("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        }
    }
}

fn unknown(call: &Call) -> Refusal {
    let message = "The security token included in the request is invalid.";
    match call.service.speaks_xml() {
        true => Refusal::with_status(403, "InvalidClientTokenId", message),
        false => Refusal::new("UnrecognizedClientException", message),
    }
}
