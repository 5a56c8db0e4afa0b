//! A backend that keeps everything encrypted in another one.

use std::sync::Arc;

use super::log::SealedLog;
use super::{Purpose, Sealing};
use crate::backend::{Backend, Taken, Version, Write};
use crate::error::StateError;
use crate::journal::Log;
use crate::lock::LockInfo;

/// A backend with encryption in front of it. Locks are in the clear: other programs read them.
pub struct Sealed {
    inner: Box<dyn Backend>,
    sealing: Arc<Sealing>,
}

impl Sealed {
    /// Keeps everything encrypted in `inner`.
    pub fn new(inner: Box<dyn Backend>, sealing: Arc<Sealing>) -> Sealed {
        Sealed { inner, sealing }
    }
}

impl Backend for Sealed {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn workspaces(&mut self) -> Result<Vec<String>, StateError> {
        self.inner.workspaces()
    }

    fn delete_workspace(&mut self, name: &str, may_go: &mut dyn FnMut() -> bool) -> Result<(), StateError> {
        self.inner.delete_workspace(name, may_go)
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        let Some(bytes) = self.inner.read()? else { return Ok(None) };
        self.sealing.open(Purpose::State, &self.inner.place(), &bytes).map(Some)
    }

    fn write(&mut self, write: Write<'_>) -> Result<(), StateError> {
        let bytes = self.sealing.seal(Purpose::State, Some(write.version), write.bytes)?;
        self.inner.write(Write { bytes: &bytes, ..write })
    }

    fn journal(&self) -> Box<dyn Log> {
        Box::new(SealedLog::new(self.inner.journal(), self.sealing.clone()))
    }

    /// In the clear: names and ids, and no secrets.
    fn notes(&self) -> Box<dyn Log> {
        self.inner.notes()
    }

    fn lock(&mut self, info: &LockInfo) -> Result<Taken, StateError> {
        self.inner.lock(info)
    }

    fn unlock(&mut self) -> Result<(), StateError> {
        self.inner.unlock()
    }

    fn force_unlock(&mut self, id: &str) -> Result<LockInfo, StateError> {
        self.inner.force_unlock(id)
    }

    fn put_aside(&mut self) -> Result<String, StateError> {
        self.inner.put_aside()
    }

    fn sealed(&self, version: &Version, bytes: &[u8]) -> Result<Vec<u8>, StateError> {
        self.sealing.seal(Purpose::State, Some(version), bytes)
    }
}
