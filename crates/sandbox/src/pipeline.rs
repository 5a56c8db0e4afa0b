//! The sandbox itself: one pipeline for every call.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use crate::faults::{Fate, Fates};
use crate::folder::Folder;
use crate::identity::{self, ADMIN_KEY, ROOT_KEY};
use crate::open::{self, OpenError};
use crate::options::Options;
use crate::policies::PolicyCache;
use crate::store::Store;
use crate::visit::Visit;
use crate::wire::{Call, Refusal, Reply, Service, refused, replied};
use crate::{iam, sts};

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
    /// Held so that no other process opens the folder.
    _folder: Option<Folder>,
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
        let folder = Folder::lock(folder)?;
        let store = Store::open(&folder.private_file("sandbox.db")?)?;
        Sandbox::with(store, options, Some(folder))
    }

    fn with(store: Store, options: Options, folder: Option<Folder>) -> Result<Sandbox, OpenError> {
        let founding = open::found(&store, &options)?;
        let moved = u64::try_from(founding.clock_offset_millis).unwrap_or_default();
        options.clock.advance(Duration::from_millis(moved));
        let fates = Fates::new(options.faults);
        let policies = PolicyCache::default();
        Ok(Sandbox { inner: Arc::new(Inner { options, store, policies, fates, _folder: folder }) })
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

    /// Serves one call in one transaction, whose changes are kept unless the call is refused.
    fn serve(&self, call: &Call) -> Result<Reply, Refusal> {
        let held = self.store.lock();
        let changes = held.begin()?;
        let now = self.options.clock.now();
        let caller = identity::authenticate(call, &changes, &self.options, now)?;
        let visit = Visit {
            call,
            caller: &caller,
            now,
            store: &changes,
            options: &self.options,
            policies: &self.policies,
        };
        let reply = match call.service {
            Service::Iam => iam::serve(&visit),
            Service::Sts => sts::serve(&visit),
            Service::Kms | Service::DynamoDb | Service::DynamoDbStreams => Err(Refusal::unknown_operation()),
        }?;
        changes.keep()?;
        Ok(reply)
    }
}

fn throttled(service: Service) -> Refusal {
    match service {
        Service::Iam | Service::Sts => Refusal::new("Throttling", "Rate exceeded"),
        Service::Kms | Service::DynamoDb | Service::DynamoDbStreams => {
            Refusal::new("ThrottlingException", "Rate exceeded")
        }
    }
}

fn failed(service: Service) -> Refusal {
    let message = "The request processing has failed because of an unknown error, exception or failure.";
    let code = match service {
        Service::Iam => "ServiceFailure",
        Service::Sts => "InternalFailure",
        Service::Kms => "KMSInternalException",
        Service::DynamoDb | Service::DynamoDbStreams => "InternalServerError",
    };
    Refusal::with_status(500, code, message)
}
