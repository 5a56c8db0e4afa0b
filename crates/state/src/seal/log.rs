//! A journal that is kept encrypted, line by line.

use std::sync::Arc;

use super::{Purpose, Sealing};
use crate::error::StateError;
use crate::journal::{Keep, Log};

/// A log with encryption in front of it. Lengths are those of the plain text.
pub(super) struct SealedLog {
    inner: Box<dyn Log>,
    sealing: Arc<Sealing>,
    /// Where plain and sealed lines end, in ascending order.
    ends: Vec<(u64, u64)>,
}

impl SealedLog {
    pub(super) fn new(inner: Box<dyn Log>, sealing: Arc<Sealing>) -> SealedLog {
        SealedLog { inner, sealing, ends: Vec::new() }
    }

    fn plain(&mut self, sealed: &[u8]) -> Result<Vec<u8>, StateError> {
        let (mut plain, mut at) = (Vec::new(), 0);
        self.ends.clear();
        let place = self.inner.place();
        for line in sealed.split_inclusive(|byte| *byte == b'\n') {
            // What a crash left of the last line says nothing; the reader cuts before it.
            if !line.ends_with(b"\n") {
                break;
            }
            at += line.len() as u64;
            match serde_json::from_slice::<serde::de::IgnoredAny>(line) {
                Ok(_) => plain.extend(self.sealing.open(Purpose::Journal, &place, line)?),
                // A damaged line is passed on as it is, for the reader to judge.
                Err(_) => plain.extend_from_slice(line),
            }
            self.ends.push((plain.len() as u64, at));
        }
        Ok(plain)
    }
}

impl Log for SealedLog {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn open(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        self.inner.open()?.map(|sealed| self.plain(&sealed)).transpose()
    }

    fn peek(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        self.inner.peek()?.map(|sealed| self.plain(&sealed)).transpose()
    }

    fn cut(&mut self, len: u64) -> Result<(), StateError> {
        // The reader cuts at the end of a line; anything else would tear one.
        let kept = self.ends.iter().take_while(|(plain, _)| *plain <= len).count();
        let sealed = self.ends.get(kept.wrapping_sub(1)).map_or(0, |(_, sealed)| *sealed);
        self.inner.cut(sealed)?;
        self.ends.truncate(kept);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8], keep: Keep) -> Result<(), StateError> {
        let mut sealed = Vec::new();
        let mut ends = Vec::new();
        let (mut plain, start) = self.ends.last().copied().unwrap_or_default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            sealed.extend(self.sealing.seal(Purpose::Journal, None, line)?);
            plain += line.len() as u64;
            ends.push((plain, start + sealed.len() as u64));
        }
        self.inner.append(&sealed, keep)?;
        self.ends.extend(ends);
        Ok(())
    }

    fn remove(&mut self) -> Result<(), StateError> {
        self.ends.clear();
        self.inner.remove()
    }
}
