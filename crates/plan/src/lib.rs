//! From a spec, a snapshot and what was observed to a plan that makes every choice.
//!
//! The flow, in the order of the modules: [`mod@moves`] (which object of the state is at which address now), [`removals`]
//! (what is let go of), [`world`] (values of everything on the way, the one place where references are resolved, for planning
//! and for applying), [`mod@graph`] (which resource needs which), [`target`] (what a plan is limited to), [`conditions`]
//! (what must hold), [`diff`] (one instance), [`generate`] (what
//! a spec would have to say of one), [`mod@build`] (all of them), [`access`] (what it does to access), [`loss`] (what deletions
//! take away), [`mod@order`] (what must wait for what during apply), [`mod@verify`] (a plan's own lint), [`mod@file`] (a plan on disk).
//!
//! INVARIANT: synchronous and pure. No TOML, tokio, AWS, clock, randomness or environment; petgraph stays inside
//! [`mod@graph`]. The same input gives the same plan.

pub mod plan;

pub mod moves;

pub mod removals;

pub mod codec;

pub mod world;

pub mod expand;

pub mod graph;

pub mod target;

pub mod conditions;

pub mod diff;

pub mod generate;

pub mod build;

pub mod access;

pub mod loss;

pub mod order;

pub mod lint;

pub mod permissions;

pub mod verify;

pub mod file;

pub use build::{Draft, Input, Need, Observed, Wish, build};
pub use generate::Undeclared;
pub use plan::{Change, Drift, Mode, Options, OutputChange, Plan, PossibleMove, ProviderKey};
pub use target::{Scene, Selection, Targeting};
pub use world::World;
