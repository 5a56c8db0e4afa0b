//! A thread that makes the calls, so that who keeps a state need not know that they are asynchronous.
//!
//! The backend is asked from within a run that may have its only thread busy; its calls, and the renewal of its lock, go on
//! here meanwhile.

use std::future::Future;
use std::sync::mpsc;

use terrane_model::Diagnostic;
use terrane_state::StateError;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A runtime on a thread of its own. Both end when this is dropped.
pub(crate) struct Bridge {
    handle: Handle,
    /// Dropped with the bridge, which ends the thread.
    _open: oneshot::Sender<()>,
}

impl Bridge {
    pub(crate) fn new() -> Result<Bridge, StateError> {
        let failed = |error: std::io::Error| {
            let detail = format!("The thread for calls about the state could not be started: {error}.");
            StateError::Backend(Box::new(Diagnostic::error("no-runtime", "No runtime", detail)))
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (open, closed) = oneshot::channel::<()>();
        let work = move || drop(runtime.block_on(closed));
        std::thread::Builder::new().name("state".to_owned()).spawn(work).map_err(failed)?;
        Ok(Bridge { handle, _open: open })
    }

    /// Waits for the future's answer.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, StateError>> + Send + 'static,
    ) -> Result<T, StateError> {
        let (sender, receiver) = mpsc::channel();
        self.handle.spawn(async move {
            // Nobody waits any more: the answer is of no use.
            let _ = sender.send(future.await);
        });
        receiver.recv().unwrap_or_else(|_| Err(gone()))
    }

    /// Lets the future go on by itself, until it ends or the bridge does.
    pub(crate) fn spawn(
        &self,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::AbortHandle {
        self.handle.spawn(future).abort_handle()
    }
}

/// The thread of the bridge is gone.
pub(crate) fn gone() -> StateError {
    let detail = "The thread for calls about the state ended before its time. This is a bug in Terrane. Please report it.";
    StateError::Backend(Box::new(Diagnostic::error("no-runtime", "No runtime", detail)))
}
