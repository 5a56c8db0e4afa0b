//! `[variable.N]`: what can be chosen from outside.

use std::sync::Arc;

use terrane_expr::Defaults;
use terrane_model::{Span, Type, Value};

use crate::condition::Condition;

/// A variable's declaration.
#[derive(Clone, Debug)]
pub struct Variable {
    /// What its values must convert to.
    pub ty: Type,
    /// What fills absent optional attributes of its type.
    pub defaults: Option<Defaults>,
    /// Whether `--var` and the environment give text as it is, as for primitive types and for no type at all. Otherwise
    /// they give an expression.
    pub takes_text: bool,
    /// The value when none is given, already converted; absent: one must be given.
    pub default: Option<Value>,
    /// Whether null is a value of its own rather than the same as none given.
    pub nullable: bool,
    /// Never shown.
    pub sensitive: bool,
    /// Never stored.
    pub ephemeral: bool,
    /// What it is.
    pub description: Option<Arc<str>>,
    /// What must hold of its value.
    pub validations: Vec<Condition>,
    /// The name in the file.
    pub span: Span,
}
