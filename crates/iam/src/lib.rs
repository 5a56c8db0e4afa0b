//! Policy documents: model, normal form, semantic diff, evaluation, access proofs.
//!
//! Everything here is pure: text and facts go in, answers come out. Where policies come from, and who asks, is left to
//! the callers. Values that a plan does not know yet are carried as [`UNKNOWN`] inside text or as
//! [`ContextValue::Unknown`], and make an answer [`Answer::Depends`] where it hangs on them.

mod caller;
mod canonical;
mod condition;
mod context;
mod decide;
mod diff;
mod document;
mod equivalence;
mod facts;
mod instant;
mod key;
pub mod managed;
mod message;
mod network;
mod operator;
mod organization;
mod parse;
mod pattern;
mod reason;
mod render;
mod statement;
mod table;
mod tally;
mod truth;
mod validate;

pub use caller::{Caller, Via};
pub use canonical::{canonical_json, version_first};
pub use context::{Context, ContextValue};
pub use decide::{
    Answer, Decision, GroupPolicies, Layer, NamedPolicy, PolicySources, Request, answer, decide,
};
pub use diff::{Element, ElementChange, Sign, StatementChange, diff};
pub use document::{Condition, Document, Effect, Principal, Statement};
pub use equivalence::equivalent;
pub use key::{Grant, GrantConstraint, KeyAuthority, answer_key, decide_assume_role, decide_key};
pub use parse::{Location, PolicyError};
pub use pattern::UNKNOWN;
pub use reason::{Outcome, PolicyKind, Reason};
pub use render::{
    ConditionInput, PolicyInput, PrincipalInput, RenderError, Rendered, StatementInput, render,
};
pub use table::{KeyNeeds, answer_table_access, decide_table_access, key_needs};
pub use truth::Truth;
pub use validate::{PolicyUse, Rule, Violation, validate};
