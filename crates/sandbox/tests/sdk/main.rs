//! The sandbox as AWS's own SDK sees it. One binary, since the SDK's clients take long to link.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, also in what its tests share"
)]

mod any_input;
mod aws;
mod dynamodb;
mod encrypted_tables;
mod faults;
mod iam;
mod kms;
mod organization;
mod persistence;
mod served;
mod simulate;
mod sts;
mod table_policies;
mod trail;
