//! What a resource type remembers of an object beside its attributes, so that looking at it again takes fewer calls.

use std::sync::{Mutex, PoisonError};

/// A text that a verb finds as the one before it left it, and may replace. The engine keeps it in the state, where the
/// attributes beside it may be changed by others: what it says must be checked against them before it is believed. It is
/// never the only place of anything, and holds no secret.
#[derive(Debug, Default)]
pub struct Note(Mutex<Option<String>>);

impl Note {
    /// A note as the state has it.
    pub fn of(text: Option<String>) -> Note {
        Note(Mutex::new(text))
    }

    /// What it says.
    pub fn text(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes it say something else.
    pub fn write(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }
}
