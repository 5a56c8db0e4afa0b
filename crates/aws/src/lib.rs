//! The AWS clients and one file per resource type.
//!
//! [`catalog()`] registers everything; [`client::configure`] makes a session. A resource type sees desired and prior values
//! and a client, never a spec, a graph or a plan.

pub mod attempt;
mod bridge;
mod catalog;
pub mod client;
pub mod config;

mod credentials;
mod error;
mod http;
mod lately;
mod names;
mod object;
mod quota;
mod regions;
mod settings;
pub mod simulation;
mod tags;
pub mod temporary;
pub mod trail;

mod kms;

mod dynamodb;

mod iam;

mod sts;

mod partition;

mod region;

pub mod s3_backend;

pub mod state_key;

#[cfg(test)]
mod testing;

#[cfg(test)]
mod retries;

#[cfg(test)]
mod moto;

pub use catalog::catalog;
