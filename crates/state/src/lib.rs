//! Snapshot and JSON on disk, lineage, serial, lock, journal, the backend trait.
//!
//! Reading order: [`snapshot`] (what is known to exist), [`v4`] (how that looks on disk).
//!
//! INVARIANT: synchronous; knows no spec, no plan and no provider; takes paths, names and times as arguments and reads
//! neither the environment nor the clock; prints nothing.

pub mod error;

pub mod snapshot;

pub mod v4;

pub use error::FormatError;
pub use snapshot::{COMPATIBLE_VERSION, Instance, Object, Output, Resource, Snapshot, Status};
pub use v4::{parse, render};
