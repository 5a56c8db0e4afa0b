//! What can be wrong with a state: each case with what it says, and what the user can do about it.

use std::io;
use std::path::{Path, PathBuf};

use terrane_model::Diagnostic;

/// A text that is no state.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Nothing at all: an empty file.
    #[error("the file is empty")]
    Empty,
    /// Not JSON.
    #[error("it is not JSON: {detail}")]
    NotJson {
        /// What is wrong with the text, and on which line.
        detail: String,
    },
    /// Written by OpenTofu with state encryption.
    #[error("it is encrypted")]
    Encrypted,
    /// A format before version 4.
    #[error("it has format version {found}, which is older than version 4")]
    OldFormat {
        /// What the file says.
        found: u64,
    },
    /// A format that came after this program.
    #[error("it has {what} {found}, and this version of Terrane knows no newer one than {known}")]
    NewFormat {
        /// Which version it is about.
        what: &'static str,
        /// What the file says.
        found: u64,
        /// The newest that is known.
        known: u64,
    },
    /// JSON of another shape.
    #[error("at `{pointer}`: {detail}")]
    Shape {
        /// A JSON pointer.
        pointer: String,
        /// What is there and what should be.
        detail: String,
    },
    /// A snapshot that has no form on disk, for want of a value.
    #[error("{what} has no value that can be stored")]
    NotStorable {
        /// Which part of the snapshot.
        what: String,
    },
}

impl FormatError {
    fn hint(&self, place: &str) -> String {
        match self {
            FormatError::Empty | FormatError::NotJson { .. } | FormatError::Shape { .. } => format!(
                "Put a good copy in its place: `{place}.backup` holds the state before the last run. If \
                 there is nothing to keep, move the file away and start with an empty state."
            ),
            FormatError::Encrypted => {
                "Decrypt it with OpenTofu first: `tofu state pull` prints the plain state.".to_owned()
            }
            FormatError::OldFormat { .. } => {
                "Let a current Terraform rewrite it first: `terraform apply -refresh-only`.".to_owned()
            }
            FormatError::NewFormat { .. } => {
                "Use the version of the program that wrote it, or a newer one. The file was left as it is."
                    .to_owned()
            }
            FormatError::NotStorable { .. } => {
                "This is a bug in Terrane. Please report it with the spec of the output.".to_owned()
            }
        }
    }
}
