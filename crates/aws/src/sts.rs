//! STS: who calls.

pub mod caller_identity;
