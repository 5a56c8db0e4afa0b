//! Conditions, as far as they can be judged without values: they must be truth values, and their messages texts.

use terrane_expr::{Expr, Reference, evaluate};
use terrane_model::convert::{article, convert};
use terrane_model::{Diagnostic, Type};

use super::Checker;
use super::scope::Place;
use crate::condition::Condition;

impl Checker<'_, '_> {
    pub(super) fn evaluated(&mut self, conditions: &[Condition], place: &Place<'_, '_>) {
        for condition in conditions {
            self.of_type(&condition.condition, &Type::Bool, "condition", place);
            self.of_type(&condition.error_message, &Type::String, "error_message", place);
        }
    }

    /// Checks that an expression converts to a type.
    pub(super) fn of_type(&mut self, expr: &Expr, ty: &Type, name: &str, place: &Place<'_, '_>) {
        match evaluate(expr, place) {
            Ok(value) if value.is_null() => {
                let detail = format!("`{name}` must be {}, and this is null.", article(ty));
                self.report(Diagnostic::error("wrong-type", "Wrong type", detail).at(expr.span()));
            }
            Ok(value) => {
                if let Err(error) = convert(&value, ty) {
                    let detail = format!("`{name}` must be {}: {}.", article(ty), error.detail);
                    self.report(Diagnostic::error("wrong-type", "Wrong type", detail).at(expr.span()));
                }
            }
            Err(errors) => self.evaluator_found(errors),
        }
    }

    /// Validations of a variable speak of the variable.
    pub(super) fn speaks_of(&mut self, name: &str, conditions: &[Condition]) {
        for condition in conditions {
            let own = |reference: &Reference| matches!(reference, Reference::Variable(n) if &**n == name);
            if !condition.condition.references().any(|(reference, _, _)| own(reference)) {
                let detail = format!(
                    "The validation of `var.{name}` does not refer to it, so it says nothing about it."
                );
                self.report(
                    Diagnostic::error("invalid-validation", "Invalid validation", detail)
                        .at(condition.condition.span()),
                );
            }
        }
    }
}
