//! What is wrong, where, and what to do: the one shape in which every crate reports to the user.

use crate::address::Address;
use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The command goes on.
    Warning,
    /// The command stops.
    Error,
}

/// One message. `summary` is constant for a `code` and holds no user data; `detail` says what, why and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Warning or error.
    pub severity: Severity,
    /// A stable name such as `unknown-argument`, for tools.
    pub code: &'static str,
    /// A noun phrase.
    pub summary: &'static str,
    /// Full sentences; user text in backticks.
    pub detail: String,
    /// The object that it is about.
    pub address: Option<Address>,
    /// The place in the spec that is underlined.
    pub span: Option<Span>,
    /// More places, each with a short label.
    pub related: Vec<(Span, String)>,
    /// What the user can do, one sentence each.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: &'static str, summary: &'static str, detail: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            summary,
            detail: detail.into(),
            address: None,
            span: None,
            related: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// A warning without a place.
    pub fn warning(code: &'static str, summary: &'static str, detail: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, summary, detail) }
    }

    /// Sets the place, unless it has one already: the innermost place wins.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Diagnostic {
        self.span = self.span.or(span.into());
        self
    }

    /// Names the object, unless one is named already.
    #[must_use]
    pub fn about(mut self, address: &Address) -> Diagnostic {
        self.address.get_or_insert_with(|| address.clone());
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn with_related(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.related.push((span, label.into()));
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hints.push(hint.into());
        self
    }

    /// Whether it stops the command.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Messages collected on the way. A stage goes on collecting and fails at its end.
pub type Diagnostics = Vec<Diagnostic>;

/// Whether any of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}
