//! Expressions that must have a value without anything around them.

use std::sync::LazyLock;

use terrane_expr::{Expr, FunctionContext, Reference, Scope, evaluate};
use terrane_model::convert::{ConvertError, convert};
use terrane_model::{Diagnostic, Diagnostics, Span, Type, Value};

use crate::variable::Variable;

/// The value of an expression that refers to nothing; nothing when it does refer to something. What is wrong with it is
/// reported, and an unknown stands for it.
pub(crate) fn constant(expr: &Expr, found: &mut Diagnostics) -> Option<Value> {
    if let Some(value) = expr.as_literal() {
        return Some(value.clone());
    }
    if expr.references().next().is_some() {
        return None;
    }
    match evaluate(expr, &Nothing) {
        Ok(value) if value.is_wholly_known() => Some(value),
        Ok(_) => None,
        Err(errors) => {
            found.extend(errors);
            Some(Value::unknown(Type::Any))
        }
    }
}

/// A scope in which there is nothing.
struct Nothing;

static CLOSED: LazyLock<FunctionContext> = LazyLock::new(FunctionContext::closed);

impl Scope for Nothing {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Diagnostic> {
        let detail = format!("`{reference}` can't be referred to here.");
        Err(Diagnostic::error("invalid-reference", "Invalid reference", detail).at(span))
    }

    fn functions(&self) -> &FunctionContext {
        &CLOSED
    }
}

impl Variable {
    /// Brings a value to the variable's type, absent optional attributes filled.
    ///
    /// # Errors
    /// When there is no conversion.
    pub fn convert(&self, value: &Value) -> Result<Value, ConvertError> {
        match &self.defaults {
            Some(defaults) if !value.is_null() => convert(&defaults.apply(value), &self.ty),
            _ => convert(value, &self.ty),
        }
    }
}
