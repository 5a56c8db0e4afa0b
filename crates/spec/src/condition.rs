//! What must hold: validations of variables, pre- and postconditions, assertions of checks.

use terrane_expr::{Expr, Reference, Scope, evaluate};
use terrane_model::convert::{article, convert};
use terrane_model::{Diagnostic, Diagnostics, Kind, Severity, Span, Step, Type};

/// Something that must hold.
#[derive(Clone, Debug)]
pub struct Condition {
    /// True where it holds.
    pub condition: Expr,
    /// What to say where it does not.
    pub error_message: Expr,
    /// The table in the file.
    pub span: Span,
}

/// What a condition is for. It decides what a breach is called, and how bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Of the value of a variable.
    Validation,
    /// Before a resource is planned, or an output given out.
    Precondition,
    /// Of a resource.
    Postcondition,
    /// Of a `[check.N]`: a breach is a warning.
    Assertion,
}

/// What came of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It hangs on values that are not known yet.
    Unknown,
    /// It does not hold; the message says so in the words of the spec.
    Fails(Box<Diagnostic>),
}

impl Condition {
    /// Everything that the condition and its message refer to.
    pub fn references(&self) -> impl Iterator<Item = (&Reference, Span, Vec<Step>)> {
        self.condition.references().chain(self.error_message.references())
    }

    /// Evaluates the condition.
    ///
    /// # Errors
    /// When the condition has no value, or one that is no truth value.
    pub fn judge(&self, scope: &dyn Scope, purpose: Purpose) -> Result<Outcome, Diagnostics> {
        let value = evaluate(&self.condition, scope)?;
        let wrong = |detail: String| {
            vec![Diagnostic::error("wrong-type", "Wrong type", detail).at(self.condition.span())]
        };
        if value.is_null() {
            return Err(wrong("`condition` must be a bool, and this is null.".into()));
        }
        let truth = convert(&value, &Type::Bool).map_err(|error| {
            wrong(format!("`condition` must be {}: {}.", article(&Type::Bool), error.detail))
        })?;
        Ok(match truth.as_bool() {
            Some(true) => Outcome::Holds,
            None => Outcome::Unknown,
            Some(false) => Outcome::Fails(Box::new(self.breach(scope, purpose))),
        })
    }

    fn breach(&self, scope: &dyn Scope, purpose: Purpose) -> Diagnostic {
        let (code, summary, severity) = match purpose {
            Purpose::Validation => ("invalid-variable", "Invalid value of a variable", Severity::Error),
            Purpose::Precondition => ("precondition-failed", "Precondition not met", Severity::Error),
            Purpose::Postcondition => ("postcondition-failed", "Postcondition not met", Severity::Error),
            Purpose::Assertion => ("check-failed", "Check not met", Severity::Warning),
        };
        let message = evaluate(&self.error_message, scope).ok().and_then(|m| convert(&m, &Type::String).ok());
        let detail = match message {
            Some(message) if message.marks().any() => {
                "The message is sensitive, so it is not shown. Change `error_message` so that it holds no secret.".into()
            }
            Some(message) => match message.kind() {
                Kind::String(text) => text.trim().to_owned(),
                _ => "The message hangs on values that are not known yet.".into(),
            },
            None => "The condition does not hold, and its `error_message` has no value.".into(),
        };
        Diagnostic { severity, ..Diagnostic::error(code, summary, detail).at(self.condition.span()) }
    }
}
