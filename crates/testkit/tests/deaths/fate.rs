//! When a run dies, and what is carried out until then.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use terrane_state::disk::{Disk, Fault, Op};
use tokio::sync::Notify;

/// A moment of a run; calls and file operations are numbered as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// AWS never hears of the call.
    BeforeCall(usize),
    /// AWS carried it out, and the answer is never read.
    AfterCall(usize),
    /// The operation is not begun.
    BeforeFile(usize),
    /// Half of the bytes of a write get there; any other operation is not begun.
    HalfFile(usize),
}

/// The fate of one run. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Fate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    at: Option<Moment>,
    calls: AtomicUsize,
    files: AtomicUsize,
    dead: AtomicBool,
    died: Notify,
}

impl Fate {
    pub fn none() -> Fate {
        Fate::new(None)
    }

    pub fn at(moment: Moment) -> Fate {
        Fate::new(Some(moment))
    }

    fn new(at: Option<Moment>) -> Fate {
        let (calls, files) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Fate(Arc::new(Inner { at, calls, files, dead: AtomicBool::new(false), died: Notify::new() }))
    }

    /// How many calls and file operations there were.
    pub fn counted(&self) -> (usize, usize) {
        (self.0.calls.load(Ordering::SeqCst), self.0.files.load(Ordering::SeqCst))
    }

    pub fn is_dead(&self) -> bool {
        self.0.dead.load(Ordering::SeqCst)
    }

    fn die(&self) {
        self.0.dead.store(true, Ordering::SeqCst);
        self.0.died.notify_one();
    }

    /// Comes when the moment has come.
    pub async fn death(&self) {
        if !self.is_dead() {
            self.0.died.notified().await;
        }
    }

    /// The disk until the death.
    pub fn disk(&self) -> Disk {
        let fate = self.clone();
        Disk::with_faults(Arc::new(move |op: Op, _: &Path| fate.file(op)))
    }

    fn file(&self, op: Op) -> Result<(), Fault> {
        let gone = |written| Fault { error: io::Error::other("the process is dead"), written };
        if self.is_dead() {
            return Err(gone(0));
        }
        let n = self.0.files.fetch_add(1, Ordering::SeqCst);
        match self.0.at {
            Some(Moment::BeforeFile(at)) if at == n => {
                self.die();
                Err(gone(0))
            }
            Some(Moment::HalfFile(at)) if at == n => {
                self.die();
                // Long enough to be the beginning of a record, too short for all of one.
                Err(gone(if op == Op::Write { 40 } else { 0 }))
            }
            _ => Ok(()),
        }
    }

    /// The client until the death.
    pub fn client(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Mortal { fate: self.clone(), inner, connector: Arc::default() })
    }
}

/// An HTTP client whose process may die.
#[derive(Clone, Debug)]
struct Mortal {
    fate: Fate,
    inner: SharedHttpClient,
    connector: Arc<Mutex<Option<SharedHttpConnector>>>,
}

impl HttpClient for Mortal {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        parts: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.inner.http_connector(settings, parts);
        *self.connector.lock().unwrap() = Some(connector);
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Mortal {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (fate, connector) = (self.fate.clone(), self.connector.lock().unwrap().clone().unwrap());
        HttpConnectorFuture::new(async move {
            let n = fate.0.calls.fetch_add(1, Ordering::SeqCst);
            if fate.0.at == Some(Moment::BeforeCall(n)) {
                fate.die();
            }
            if fate.is_dead() {
                std::future::pending::<()>().await;
            }
            let answer = connector.call(request).await;
            if fate.0.at == Some(Moment::AfterCall(n)) {
                fate.die();
                std::future::pending::<()>().await;
            }
            answer
        })
    }
}
