//! The sandbox itself: one pipeline for every call.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};

use crate::clock::Moment;
use crate::dynamodb::Engines;
use crate::faults::{Fate, Fates};
use crate::folder::Folder;
use crate::identity::{self, ADMIN_KEY, Identity, ROOT_KEY};
use crate::open::{self, OpenError};
use crate::options::Options;
use crate::policies::PolicyCache;
use crate::store::{Changes, Held, Store};
use crate::trail::{KeysKept, Scene, Seen};
use crate::visit::{Afterwards, Visit};
use crate::wire::{Call, Refusal, Reply, Service, refused, replied};
use crate::{dynamodb, iam, kms, sts, trail};

/// An AWS of its own. Clones are the same one.
///
/// It can be used from several threads; calls are served one after the other.
#[derive(Clone, Debug)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    store: Store,
    policies: PolicyCache,
    fates: Fates,
    counts: Mutex<BTreeMap<String, u64>>,
    keys_kept: KeysKept,
    /// Holds the folder, so that no other process opens it.
    engines: Engines,
}

/// An access key: its id and its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
}

impl Credentials {
    fn fixed((id, secret): (&str, &str)) -> Credentials {
        Credentials { access_key_id: id.to_owned(), secret_access_key: secret.to_owned() }
    }
}

/// The answer was lost on its way, as if the connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection broke before the answer arrived")]
pub struct AnswerLost;

impl Sandbox {
    /// Opens the sandbox of a folder, or founds it there.
    ///
    /// # Errors
    /// When another process has it open, or its files are not ours, damaged, or of a later version. Nothing is changed then.
    pub fn open(folder: &Path, options: Options) -> Result<Sandbox, OpenError> {
        if options.in_memory {
            return Sandbox::with(Store::in_memory()?, options, None);
        }
        let folder = Arc::new(Folder::lock(folder)?);
        let store = Store::open(&folder.private_file("sandbox.db")?)?;
        Sandbox::with(store, options, Some(folder))
    }

    fn with(store: Store, options: Options, folder: Option<Arc<Folder>>) -> Result<Sandbox, OpenError> {
        let founding = open::found(&store, &options)?;
        let moved = u64::try_from(founding.clock_offset_millis).unwrap_or_default();
        options.clock.advance(Duration::from_millis(moved));
        let fates = Fates::new(options.faults);
        let engines = Engines::check(folder)?;
        let policies = PolicyCache::default();
        Ok(Sandbox {
            inner: Arc::new(Inner {
                options,
                store,
                policies,
                fates,
                counts: Mutex::default(),
                keys_kept: KeysKept::default(),
                engines,
            }),
        })
    }

    /// The access key of the administrator, the user `terrane-admin` with every permission.
    #[must_use]
    pub fn admin_credentials(&self) -> Credentials {
        Credentials::fixed(ADMIN_KEY)
    }

    /// The access key of the account's root user.
    #[must_use]
    pub fn root_credentials(&self) -> Credentials {
        Credentials::fixed(ROOT_KEY)
    }

    /// Moves the sandbox's clock forward, for good: deletions, rotations and expiries come due, now and after it is opened again.
    ///
    /// # Errors
    /// When the file cannot be written; the clock is not moved then.
    pub fn advance_clock(&self, by: Duration) -> Result<(), OpenError> {
        open::advance(&self.inner.store, by)?;
        self.inner.options.clock.advance(by);
        Ok(())
    }

    /// How often each operation was called since the sandbox was opened, such as `kms:DescribeKey`; refused and lost calls count.
    #[must_use]
    pub fn call_counts(&self) -> BTreeMap<String, u64> {
        self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The time as the sandbox sees it.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        let millis = u64::try_from(self.inner.options.clock.now().0).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    /// Answers a request; a lost answer becomes a 503 here.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        match self.exchange(request).await {
            Ok(response) => response,
            Err(lost) => {
                let refusal = Refusal::with_status(503, "ServiceUnavailable", lost.to_string());
                refused(None, &refusal)
            }
        }
    }

    /// Answers a request, or loses the answer where the faults say so.
    ///
    /// # Errors
    /// The answer was lost. The call may have been carried out.
    pub async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, AnswerLost> {
        let latency = self.inner.options.latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        self.inner.answer(&request)
    }
}

impl Inner {
    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, AnswerLost> {
        let call = match Call::read(request) {
            Ok(call) => call,
            Err((service, refusal)) => return Ok(refused(service, &refusal)),
        };
        self.count(&call);
        let fate = self.fates.draw();
        let outcome = match fate {
            Fate::Throttled => Err(throttled(call.service)),
            Fate::Failed => Err(failed(call.service)),
            Fate::Served | Fate::Lost => self.serve(&call),
        };
        tracing::debug!(
            service = ?call.service,
            operation = call.operation,
            refusal = outcome.as_ref().err().map(|refusal| refusal.code.as_ref()),
            "call"
        );
        if fate == Fate::Lost {
            return Err(AnswerLost);
        }
        Ok(match outcome {
            Ok(reply) => replied(&call, reply),
            Err(refusal) => refused(Some(call.service), &refusal),
        })
    }

    fn count(&self, call: &Call) {
        let name = format!("{}:{}", call.service.prefix(), call.operation);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(name).or_default() += 1;
    }

    /// Serves one call in one transaction, whose changes are kept unless the call is refused. Its record is kept in any case.
    fn serve(&self, call: &Call) -> Result<Reply, Refusal> {
        let held = self.store.lock();
        let now = self.options.clock.now();
        self.sweep(&held, call, now)?;
        let changes = held.begin()?;
        let caller = identity::authenticate(call, &changes, &self.options, now)?;
        let seen = Seen::default();
        let scene =
            Scene { call, caller: &caller, account: &self.options.account, now, kept: &self.keys_kept };
        let visit = self.visit(call, &caller, now, &changes, &seen);
        let served = match call.service {
            Service::Iam => iam::serve(&visit),
            Service::Sts => sts::serve(&visit),
            Service::Kms => kms::serve(&visit),
            Service::DynamoDb | Service::DynamoDbStreams => dynamodb::serve(&visit),
            Service::CloudTrail => trail::serve(&visit),
        };
        let afterwards = visit.afterwards.into_inner();
        let reply = match served {
            Ok(reply) => reply,
            Err(refusal) => {
                // What the call changed is undone; that it was made is not.
                drop(changes);
                let changes = held.begin()?;
                trail::keep(&changes, scene, &seen, Some(&refusal))?;
                changes.keep()?;
                return Err(refusal);
            }
        };
        trail::keep(&changes, scene, &seen, None)?;
        changes.keep()?;
        for Afterwards::DropTable { region, name } in afterwards {
            // The call has succeeded already; what cannot be dropped now is dropped when the engine is opened again.
            if let Err(refusal) = self.engines.region(&region, &held.begin()?)?.drop_table(&name) {
                tracing::warn!(table = name, message = refusal.message, "a deleted table's items remain");
            }
        }
        Ok(reply)
    }

    fn visit<'a>(
        &'a self,
        call: &'a Call,
        caller: &'a Identity,
        now: Moment,
        store: &'a Changes<'a>,
        seen: &'a Seen,
    ) -> Visit<'a> {
        Visit {
            call,
            caller,
            now,
            store,
            options: &self.options,
            policies: &self.policies,
            engines: &self.engines,
            afterwards: RefCell::default(),
            seen,
        }
    }

    /// Does what the clock has made due: deletions of keys and tables, rotations.
    fn sweep(&self, held: &Held<'_>, call: &Call, now: Moment) -> Result<(), Refusal> {
        let changes = held.begin()?;
        let due = changes.due(now)?;
        if due.is_empty() {
            return Ok(());
        }
        let seen = Seen::default();
        let visit = self.visit(call, &Identity::Root, now, &changes, &seen);
        for (kind, key) in due {
            if !kms::fall_due(&visit, &kind, &key)? && !dynamodb::fall_due(&visit, &kind, &key)? {
                changes.clear_deadline(&kind, &key)?;
            }
        }
        changes.keep()?;
        Ok(())
    }
}

fn throttled(service: Service) -> Refusal {
    match service {
        Service::Iam | Service::Sts => Refusal::new("Throttling", "Rate exceeded"),
        Service::Kms | Service::DynamoDb | Service::DynamoDbStreams | Service::CloudTrail => {
            Refusal::new("ThrottlingException", "Rate exceeded")
        }
    }
}

fn failed(service: Service) -> Refusal {
    let message = "The request processing has failed because of an unknown error, exception or failure.";
    let code = match service {
        Service::Iam => "ServiceFailure",
        Service::Sts | Service::CloudTrail => "InternalFailure",
        Service::Kms => "KMSInternalException",
        Service::DynamoDb | Service::DynamoDbStreams => "InternalServerError",
    };
    Refusal::with_status(500, code, message)
}
