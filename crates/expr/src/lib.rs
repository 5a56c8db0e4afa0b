//! Templates and expressions over values with unknowns and marks: the expression language of a spec.
//!
//! Reading order: [`origin`] (where text stands), [`mod@reference`] and [`ast`] (what it becomes), [`parse`], [`scope`] (what
//! is needed from outside), [`eval`], [`functions`], [`types`] (type constraints of variables), [`mod@print`].
//!
//! INVARIANT: no files, clock, network or random source but through the traits in [`scope`]; no TOML, no AWS.

pub mod origin;

pub mod reference;

pub mod ast;

pub mod parse;

pub mod scope;

pub mod eval;

pub mod functions;

pub mod types;

pub mod print;

pub use ast::{Expr, ObjectKey};
pub use eval::evaluate;
pub use functions::function_names;
pub use origin::{OffsetMap, Origin};
pub use parse::{parse_expression, parse_template};
pub use print::print_value;
pub use reference::Reference;
pub use scope::{FileKind, Files, FunctionContext, Impure, Scope};
pub use types::{Defaults, parse_type};
