//! The backend itself: reads, conditional writes, workspaces.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_types::SdkConfig;
use md5::{Digest, Md5};
use terrane_model::Diagnostic;
use terrane_provider::Error;
use terrane_state::backend::{check_workspace, in_line};
use terrane_state::{
    Backend, DEFAULT_WORKSPACE, LockInfo, Log, StateError, Taken, Version, Write, version_of,
};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use super::bucket::{Bucket, Only, Put, in_backend, problem};
use super::journal::{Kind, S3Log};
use super::lock::{Held, Site, force, keep, lost, now};
use super::settings::BackendSettings;
use super::table::Table;
use crate::bridge::Bridge;
use crate::client::{Options, load};

/// How often, and how many times, a state is read anew that is not the one whose digest was noted.
const AGAIN_EVERY: Duration = Duration::from_secs(2);
const AGAIN: usize = 5;

/// The state of one workspace in a bucket. Gives its lock back when it is dropped.
pub struct S3 {
    bridge: Arc<Bridge>,
    settings: BackendSettings,
    site: Site,
    workspace: String,
    /// What is there, as far as it was looked at.
    seen: Option<Seen>,
    held: Option<(Arc<Mutex<Held>>, AbortHandle)>,
    pub(super) lost: Arc<AtomicBool>,
}

#[derive(Clone)]
struct Seen {
    bytes: Option<Vec<u8>>,
    etag: Option<String>,
}

impl S3 {
    /// The workspace's state. Finds credentials and region; makes no call yet.
    ///
    /// # Errors
    /// A workspace's name that can't be one; what is wrong with credentials or region.
    pub fn open(settings: BackendSettings, workspace: &str) -> Result<S3, StateError> {
        check_workspace(workspace)?;
        let bridge = Arc::new(Bridge::new()?);
        let shared = settings.shared.clone();
        let place = format!("s3://{}/{}", settings.bucket, settings.object(workspace));
        let told = place.clone();
        let sdk = bridge.wait(async move {
            let options = Options { user_agent: Some("terrane"), ..Options::default() };
            let sdk = load(&shared, &options).await.map_err(|error| misconfigured(&told, error))?;
            crate::client::check_identity(&shared, &sdk)
                .await
                .map_err(|error| misconfigured(&told, error))?;
            Ok(sdk)
        })?;
        Ok(S3::with(bridge, settings, workspace, &sdk))
    }

    pub(super) fn with(
        bridge: Arc<Bridge>,
        settings: BackendSettings,
        workspace: &str,
        sdk: &SdkConfig,
    ) -> S3 {
        let mut s3 = aws_sdk_s3::config::Builder::from(sdk).force_path_style(settings.path_style);
        if let Some(url) = &settings.s3_endpoint {
            s3 = s3.endpoint_url(url);
        }
        if !settings.checksums {
            s3 = s3
                .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(aws_sdk_s3::config::ResponseChecksumValidation::WhenRequired);
        }
        let table = settings.table.clone().map(|name| {
            let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(sdk);
            if let Some(url) = &settings.dynamodb_endpoint {
                dynamodb = dynamodb.endpoint_url(url);
            }
            Table { client: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()), name }
        });
        let site = Site {
            bucket: Bucket {
                client: aws_sdk_s3::Client::from_conf(s3.build()),
                name: settings.bucket.clone(),
                protection: settings.protection.clone(),
            },
            object: settings.object(workspace),
            lockfile: settings.lockfile,
            table,
        };
        let (workspace, lost) = (workspace.to_owned(), Arc::default());
        S3 { bridge, settings, site, workspace, seen: None, held: None, lost }
    }

    /// The same bucket for another workspace.
    fn other(&self, workspace: &str) -> Result<S3, StateError> {
        check_workspace(workspace)?;
        Ok(S3 {
            bridge: self.bridge.clone(),
            settings: self.settings.clone(),
            site: Site { object: self.settings.object(workspace), ..self.site.clone() },
            workspace: workspace.to_owned(),
            seen: None,
            held: None,
            lost: Arc::default(),
        })
    }

    fn look(&mut self) -> Result<&Seen, StateError> {
        let site = self.site.clone();
        let seen = self.bridge.wait(async move {
            let found = site.bucket.get(&site.object).await?;
            Ok(match found {
                Some(found) => Seen { bytes: Some(found.bytes), etag: Some(found.etag) },
                None => Seen { bytes: None, etag: None },
            })
        })?;
        Ok(self.seen.insert(seen))
    }

    fn found(&self, seen: &Seen) -> Result<Option<Version>, StateError> {
        let version = seen.bytes.as_deref().map(version_of).transpose();
        version.map_err(|source| StateError::Format { place: self.place(), source })
    }

    fn moved(&mut self, write: &Write<'_>) -> StateError {
        let found = match self.look().cloned().and_then(|seen| self.found(&seen)) {
            Ok(found) => found,
            Err(error) => return error,
        };
        StateError::Moved { place: self.place(), expected: write.replaces.cloned(), found }
    }

    /// Compares the state with the digest that was noted when it was written.
    fn check_digest(&mut self) -> Result<(), StateError> {
        let Some(table) = self.site.table.clone() else { return Ok(()) };
        let id = self.site.id();
        let mut noted = None;
        for round in 0..=AGAIN {
            let (table, id) = (table.clone(), id.clone());
            noted = self.bridge.wait(async move {
                if round > 0 {
                    tokio::time::sleep(AGAIN_EVERY).await;
                }
                table.digest(&id).await
            })?;
            if round > 0 {
                self.look()?;
            }
            let bytes = self.seen.as_ref().and_then(|seen| seen.bytes.as_deref());
            if noted.is_none() || noted == bytes.map(digest) {
                return Ok(());
            }
        }
        let is = self.seen.as_ref().and_then(|seen| seen.bytes.as_deref()).map(digest);
        let detail = format!(
            "The state `{}` is not the one whose digest is in the table `{}`: that is {}, and the state's is {}.",
            self.place(),
            table.name,
            noted.unwrap_or_default(),
            is.clone().unwrap_or_else(|| "none, since there is no state".to_owned()),
        );
        let error = Diagnostic::error("state-digest", "State without its digest", detail);
        Err(StateError::Backend(Box::new(error.hint(format!(
            "Either a run ended between the two writes, or somebody wrote the state by other means. Once you are sure that the \
             state is the right one, set the item `{id}-md5` of the table to `Digest` = `{}`, or delete the item.",
            is.unwrap_or_default()
        )))))
    }
}

impl Backend for S3 {
    fn place(&self) -> String {
        self.site.url()
    }

    fn workspaces(&mut self) -> Result<Vec<String>, StateError> {
        let (bucket, prefix) = (self.site.bucket.clone(), format!("{}/", self.settings.prefix));
        let keys = self.bridge.wait(async move { bucket.list(&prefix).await })?;
        let mut names: Vec<String> = keys.iter().filter_map(|key| self.settings.workspace(key)).collect();
        names.push(DEFAULT_WORKSPACE.to_owned());
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn delete_workspace(&mut self, name: &str, may_go: &mut dyn FnMut() -> bool) -> Result<(), StateError> {
        let refused = |why| StateError::Workspace { name: name.to_owned(), why };
        if name == DEFAULT_WORKSPACE {
            return Err(refused("is the default one and cannot be deleted"));
        }
        if name == self.workspace {
            return Err(refused("is the one in use; select another one first"));
        }
        if !self.workspaces()?.iter().any(|known| known == name) {
            return Err(refused("does not exist"));
        }
        let mut other = self.other(name)?;
        let info = LockInfo {
            id: uuid::Uuid::new_v4().to_string(),
            operation: "delete workspace".to_owned(),
            created: now(),
            process: super::this_process().unwrap_or_default(),
            ..LockInfo::default()
        };
        other.lock(&info)?;
        if !may_go() {
            other.unlock()?;
            return Err(refused("was not deleted"));
        }
        let site = other.site.clone();
        // The state goes first: from then on the workspace does not exist, whatever is left over.
        self.bridge.wait(async move {
            site.bucket.delete(&site.object).await?;
            if let Some(table) = &site.table {
                table.forget_digest(&site.id()).await?;
            }
            Ok(())
        })?;
        let mut journal = other.journal();
        journal.open()?;
        journal.remove()?;
        other.unlock()
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        self.look()?;
        self.check_digest()?;
        Ok(self.seen.as_ref().and_then(|seen| seen.bytes.clone()))
    }

    fn write(&mut self, write: Write<'_>) -> Result<(), StateError> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(lost(&self.site));
        }
        let seen = match self.seen.take() {
            Some(seen) => seen,
            None => self.look()?.clone(),
        };
        let found = self.found(&seen)?;
        if !in_line(found.as_ref(), &write) {
            return Err(self.moved(&write));
        }
        let (site, bytes) = (self.site.clone(), write.bytes.to_vec());
        let only = seen.etag.map_or(Only::Absent, Only::Unchanged);
        let put = self.bridge.wait(async move {
            let digest = digest(&bytes);
            let put = site.bucket.put(&site.object, bytes, &only).await?;
            if let (Put::Done(_), Some(table)) = (&put, &site.table) {
                table.note_digest(&site.id(), &digest).await?;
            }
            Ok(put)
        })?;
        match put {
            Put::Done(etag) => {
                self.seen = Some(Seen { bytes: Some(write.bytes.to_vec()), etag: Some(etag) });
                Ok(())
            }
            Put::Refused => Err(self.moved(&write)),
        }
    }

    fn journal(&self) -> Box<dyn Log> {
        Box::new(S3Log::new(self.bridge.clone(), self.site.clone(), Kind::Journal, self.lost.clone()))
    }

    fn notes(&self) -> Box<dyn Log> {
        Box::new(S3Log::new(self.bridge.clone(), self.site.clone(), Kind::Notes, self.lost.clone()))
    }

    fn put_aside(&mut self) -> Result<String, StateError> {
        let Some(bytes) = self.look()?.bytes.clone() else { return Ok(self.place()) };
        let site = self.site.clone();
        self.seen = None;
        self.bridge.wait(async move {
            for n in 0.. {
                let more = if n == 0 { String::new() } else { format!("-{n}") };
                let aside = format!("{}.migrated{more}", site.object);
                if let Put::Done(_) = site.bucket.put(&aside, bytes.clone(), &Only::Absent).await? {
                    site.bucket.delete(&site.object).await?;
                    if let Some(table) = &site.table {
                        table.forget_digest(&site.id()).await?;
                    }
                    return Ok(site.bucket.url(&aside));
                }
            }
            Ok(site.url())
        })
    }

    fn lock(&mut self, info: &LockInfo) -> Result<Taken, StateError> {
        self.lost = Arc::default();
        let (site, info, lost) = (self.site.clone(), info.clone(), self.lost.clone());
        let (held, abandoned) = self.bridge.wait(Held::take(site, info, lost))?;
        let held = Arc::new(Mutex::new(held));
        let renewal = self.bridge.spawn(keep(held.clone()));
        self.held = Some((held, renewal));
        Ok(Taken { abandoned })
    }

    fn unlock(&mut self) -> Result<(), StateError> {
        let Some((held, renewal)) = self.held.take() else { return Ok(()) };
        self.bridge.wait(async move {
            // A renewal that is under way comes to its end first.
            let mut held = held.lock().await;
            renewal.abort();
            held.give_back().await
        })
    }

    fn force_unlock(&mut self, id: &str) -> Result<LockInfo, StateError> {
        self.bridge.wait(force(self.site.clone(), id.to_owned()))
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // Who wants to know of a failure calls `unlock`.
        let _ = self.unlock();
    }
}

/// The MD5 of a state, as Terraform notes it.
fn digest(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with the clients' configuration.
fn misconfigured(place: &str, mut error: Error) -> StateError {
    error.operation = "backend.s3".to_owned();
    error.message = in_backend(&error.message);
    problem(place, &error)
}
