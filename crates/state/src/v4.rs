//! The shape on disk: Terraform's state format, version 4.
//!
//! What Terraform writes is read and written back byte for byte, so that both programs can work on one file. Terrane's
//! own part stands under the key `terrane`; Terraform passes over it, and drops it when it rewrites the file.

mod format;
mod path;
mod read;
pub(crate) mod version;
mod write;

pub use read::parse;
pub use write::render;
pub(crate) use write::{ObjectV4, bare, check, read_object};

/// The version of Terrane's own part that this program writes, and the newest that it reads.
pub(crate) const TERRANE_FORMAT: u64 = 1;

#[cfg(test)]
mod tests;
