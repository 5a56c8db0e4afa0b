//! TOML text to a checked Spec, with spans.
//!
//! The flow is [`parse()`] (texts to a decoded [`Module`], everything that is wrong collected),
//! [`Parsed::with_modules`] (what it calls, through [`Modules`]), then [`check()`] (against the
//! schemas: a [`Spec`], or all messages of the run), then [`variables`] (the values of the spec's variables from files,
//! arguments and environment).
//!
//! INVARIANT: nothing here reads a file, the environment or the clock; names and texts are given, and what functions of
//! the language may read comes with the `FunctionContext`. No state, no plan, no provider's code.
//!
//! The shape is the JSON syntax of Terraform's language, key for key, written in TOML; strings are templates.

pub mod toml;

pub mod place;

pub mod version;

pub mod settings;

pub mod condition;

pub mod resource;

pub mod variable;

pub mod repetition;

pub mod statement;

pub mod module;

pub mod modules;

mod constant;

mod decode;

pub mod parse;

pub mod check;

pub mod format;

pub mod write;

pub mod inputs;

pub use check::check;
pub use condition::{Condition, Outcome, Purpose};
pub use inputs::{Inputs, is_variable_file, variables};
pub use module::{Module, ResourceKey, Spec};
pub use modules::{Loaded, Modules};
pub use parse::{Failure, Parsed, is_hidden, is_spec_file, parse};
pub use resource::Resource;
pub use variable::Variable;
