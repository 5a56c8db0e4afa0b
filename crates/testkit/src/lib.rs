//! For tests only: a cloud that lives in memory and fails on demand, and what is needed to plan and apply on it.
//!
//! In the order of use: [`cloud`] (the fake cloud and its one resource type), [`stack`] (a spec, a state and a cloud that
//! are planned and applied together).

pub mod cloud;

pub mod stack;

pub use cloud::{Cloud, Fault};
pub use stack::Stack;
