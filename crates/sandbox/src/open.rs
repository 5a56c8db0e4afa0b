//! Opening a sandbox: the folder, the file, the account and the identities that exist from the start.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::iam::{self, AccessKey, Entity, EntityKind};
use crate::identity::{ADMIN_KEY, ADMIN_NAME};
use crate::options::Options;
use crate::store::{Changes, Document, Store, StoreError};

/// Why a sandbox could not be opened. Nothing was changed in any of these cases.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder or a file in it cannot be made, read or written.
    #[error("the sandbox cannot use {}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the sandbox open.
    #[error("the sandbox in {} is in use by another process{}", path.display(), by(*holder))]
    Locked {
        /// The sandbox's folder.
        path: PathBuf,
        /// The process that holds it, if it has said so.
        holder: Option<u32>,
    },
    /// A file is there that no sandbox has written.
    #[error("{} is not a file of a sandbox", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a later version.
    #[error("{} has format {version}, and this version knows up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format it says it has.
        version: i64,
        /// The latest format that this version knows.
        known: i64,
    },
    /// The file is damaged.
    #[error("{} is damaged: {finding}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the check found first.
        finding: String,
    },
    /// SQLite failed on the file.
    #[error("the sandbox's file {} cannot be opened", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The engine of the tables' items failed on its file.
    #[error("the sandbox's table file {} cannot be opened: {reason}", path.display())]
    Tables {
        /// The file.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
    /// The sandbox was made for another account.
    #[error("the sandbox is account {kept}, not {asked}")]
    OtherAccount {
        /// The account that the folder holds.
        kept: String,
        /// The account that was asked for.
        asked: String,
    },
    /// The account asked for is not twelve digits.
    #[error("{0:?} is not an account: it must have twelve digits")]
    NoAccount(String),
}

fn by(holder: Option<u32>) -> String {
    holder.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// What the sandbox remembers of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Founding {
    account: String,
    founded: Moment,
    /// How far the clock was moved forward, in milliseconds.
    pub(crate) clock_offset_millis: i64,
}

impl Document for Founding {
    const KIND: &'static str = "sandbox.founding";

    fn key(&self) -> String {
        String::new()
    }
}

fn unreadable(error: StoreError) -> OpenError {
    OpenError::Corrupt { path: PathBuf::from("sandbox.db"), finding: error.to_string() }
}

/// Remembers that the clock was moved forward.
pub(crate) fn advance(store: &Store, by: Duration) -> Result<(), OpenError> {
    let held = store.lock();
    let changes = held.begin().map_err(unreadable)?;
    if let Some(mut founding) = changes.get::<Founding>("").map_err(unreadable)? {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        founding.clock_offset_millis = founding.clock_offset_millis.saturating_add(by);
        changes.put(&founding).map_err(unreadable)?;
    }
    changes.keep().map_err(unreadable)
}

/// Reads what the sandbox remembers of itself, or founds it: the account and its administrator.
pub(crate) fn found(store: &Store, options: &Options) -> Result<Founding, OpenError> {
    if options.account.len() != 12 || !options.account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(OpenError::NoAccount(options.account.clone()));
    }
    let held = store.lock();
    let changes = held.begin().map_err(unreadable)?;
    if let Some(founding) = changes.get::<Founding>("").map_err(unreadable)? {
        if founding.account != options.account {
            return Err(OpenError::OtherAccount { kept: founding.account, asked: options.account.clone() });
        }
        return Ok(founding);
    }
    let founding =
        Founding { account: options.account.clone(), founded: options.clock.now(), clock_offset_millis: 0 };
    changes.put(&founding).map_err(unreadable)?;
    settle_admin(&changes, options).map_err(unreadable)?;
    changes.keep().map_err(unreadable)?;
    Ok(founding)
}

/// Makes the administrator: a user with its access key and every permission, so that key policies can name it.
fn settle_admin(changes: &Changes<'_>, options: &Options) -> Result<(), StoreError> {
    let now = options.clock.now();
    let admin = Entity {
        kind: EntityKind::User,
        name: ADMIN_NAME.to_owned(),
        path: "/".to_owned(),
        id: "AIDATERRANEADMIN00001".to_owned(),
        created: now,
        known_from: now,
        tags: Vec::new(),
        boundary: None,
        role: None,
    };
    let key = AccessKey {
        id: ADMIN_KEY.0.to_owned(),
        secret: ADMIN_KEY.1.to_owned(),
        owner: admin.id.clone(),
        active: true,
        created: now,
        known_from: now,
        last_used: None,
    };
    changes.put(&admin)?;
    changes.put(&iam::UniqueId { id: admin.id.clone(), entity: admin.key() })?;
    changes.put(&key)?;
    changes.link(iam::USER_KEY, &admin.id, &key.id)?;
    changes.link(iam::ATTACHMENT, &admin.id, "arn:aws:iam::aws:policy/AdministratorAccess")?;
    Ok(())
}
