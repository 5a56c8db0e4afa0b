//! Snapshot and JSON on disk, lineage, serial, lock, journal, the backend trait.
//!
//! Reading order: [`snapshot`] (what is known to exist), [`v4`] (how that looks on disk), [`backend`] (where it is kept),
//! [`lock`] and [`local`] (in files), [`journal`] (what happened since), [`seal`] (all of it encrypted), [`store`] (all of it
//! at work).
//!
//! INVARIANT: synchronous; knows no spec, no plan and no provider; takes paths, names and times as arguments and reads
//! neither the environment nor the clock; prints nothing. Randomness is taken for keys and nonces alone.

pub mod error;

pub mod snapshot;

mod note;
mod protection;

pub mod v4;

pub mod backend;

pub mod lock;

pub mod disk;

pub mod local;

pub mod journal;

pub mod seal;

pub mod store;

pub use backend::{Backend, DEFAULT_WORKSPACE, Taken, Version, Write, lock_patiently, version_of};
pub use error::{FormatError, StateError};
pub use journal::{Change, Intent, Keep, Log, Operation, Outcome};
pub use local::Local;
pub use lock::LockInfo;
pub use snapshot::{COMPATIBLE_VERSION, Instance, Object, Output, Resource, Snapshot, Status};
pub use store::{Access, Committed, Recovered, Store};
pub use v4::{parse, render};
