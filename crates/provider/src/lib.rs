//! The contract between the engine and a resource type.
//!
//! A resource type is a [`Schema`](terrane_model::Schema), a pure refinement of what is planned
//! ([`ResourceType::plan`]) and verbs. It sees desired and prior values and a client, never a spec, a graph or a plan.
//! Waits and retries are declared and carried out here ([`wait`]), so that no resource file sleeps.
//!
//! INVARIANT: no concrete service is named here; the built-in `terraform_data` talks to nothing.

pub mod error;

pub mod facts;

pub mod identity;

pub mod permission;

pub mod users;

pub mod note;

pub mod contract;

pub mod catalog;

pub mod wait;

pub mod once;

pub mod terraform_data;

pub use catalog::Catalog;
pub use contract::{
    Cleared, Context, DataSource, Deleted, Failure, PlanRequest, Progress, ResourceType, Session,
};
pub use error::{Error, ErrorKind};
pub use facts::Facts;
pub use identity::Identity;
pub use note::Note;
pub use permission::{Certainty, Doing, Ground, Permission, Permissions, Verdict};
pub use users::{Extent, Holds, User, Users};
