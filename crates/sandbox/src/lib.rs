//! The embedded AWS: KMS, DynamoDB, IAM, STS and an audit trail inside the process, with enforced policies, kept in a folder.
//!
//! A [`Sandbox`] answers the HTTP requests that AWS's SDKs make: directly, through the SDK's own HTTP client
//! ([`Sandbox::http_client`]), or on a loopback port for other programs ([`serve`]). Nothing leaves the machine. The folder
//! holds key material and secrets in the clear: it is for play, and readable by its owner alone.
//!
//! Each call goes through one pipeline: it is read and counted, latency and faults strike if they are asked for, the caller
//! is found by the access key, the policies decide, the service does its work, and the changes are committed.

mod authorize;
mod clock;
mod dynamodb;
mod faults;
mod folder;
mod grammar;
mod http_client;
mod iam;
mod identity;
mod ids;
mod kms;
mod open;
mod options;
mod pipeline;
mod policies;
mod principals;
mod serve;
mod store;
mod sts;
mod trail;
mod visit;
mod wire;

pub use clock::Clock;
pub use open::OpenError;
pub use options::{Faults, Options, Organization};
pub use pipeline::{AnswerLost, Credentials, Sandbox};
pub use serve::serve;
