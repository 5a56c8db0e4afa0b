//! The backend that keeps states in a bucket of S3, in the places and with the locks of Terraform's own S3 backend, so
//! that both programs can work on one state and exclude each other.
//!
//! | object | what it is |
//! |---|---|
//! | `<key>` | the state of the default workspace |
//! | `<workspace_key_prefix>/<workspace>/<key>` | the state of another one |
//! | the same with `.tflock` behind it | the lock |
//! | the same with `.terrane-journal/` behind it | the journal, in pieces |
//! | the same with `.terrane-temporary/` behind it | the temporary access keys that are, or may be, there |
//!
//! Every write is conditional: the lock is made only where there is none, and the state is replaced only while it is the one
//! that was read. Even a run that lost its lock cannot write over a newer state.
//!
//! Permissions: `s3:ListBucket` on the bucket; `s3:GetObject`, `s3:PutObject` and `s3:DeleteObject` on the objects above;
//! with a table, `dynamodb:GetItem`, `PutItem`, `UpdateItem` and `DeleteItem` on it; with a key, `kms:Encrypt`,
//! `kms:Decrypt` and `kms:GenerateDataKey`.

mod backend;
mod bucket;
mod holder;
mod journal;
mod lock;
mod permissions;
pub(crate) mod settings;
mod table;

#[cfg(test)]
mod tests;

pub use backend::S3;
pub use holder::this_process;
pub use permissions::permissions;
pub use settings::{BackendSettings, schema};
