//! The vocabulary of Terrane: what the other crates talk about.
//!
//! Reading order: [`source`] and [`diagnostic`] (where something is written, what is wrong with it), [`number`],
//! [`ty`], [`value`], [`path`], [`convert`], [`json`] (values), [`address`] (what an instance is called), [`selector`]
//! (what names many of them), [`schema`] (what a resource type looks like), [`action`] (what a plan does).
//!
//! INVARIANT: no I/O, no async, no files, no AWS, no graph.

pub mod source;

pub mod diagnostic;

pub mod number;

pub mod ty;

pub mod value;

pub mod path;

pub mod convert;

pub mod json;

pub mod address;

pub mod selector;

pub mod schema;

pub mod duplicate;

pub mod conform;

pub mod action;

pub mod nearest;

pub mod secret;

pub use action::{Action, Reason};
pub use address::{Address, Key, Mode, ModulePath, ResourceAddress};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use number::Number;
pub use path::{Path, Step};
pub use schema::Schema;
pub use selector::Selector;
pub use source::{FileId, Sources, Span};
pub use ty::Type;
pub use value::{Kind, Unknown, Value};
