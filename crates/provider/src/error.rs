//! Errors of a provider. The kind drives what the engine does; the rest is for people.

use std::error::Error as StdError;
use std::fmt;

/// What went wrong, as far as behaviour depends on it. A closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The request is wrong and will stay wrong.
    Invalid,
    /// The object is not there.
    NotFound,
    /// The caller lacks a permission.
    Denied,
    /// There are no credentials, or they are not accepted.
    Credentials,
    /// The object is in a state or relation that forbids the request: exists already, in use, being changed.
    Conflict,
    /// Too many requests; slow down.
    Throttled,
    /// A quota is used up.
    Quota,
    /// The service failed or could not be reached.
    Unavailable,
    /// Something waited for did not come about in time.
    TimedOut,
    /// The run was interrupted.
    Interrupted,
    /// The answer contradicts the plan or the protocol.
    Bug,
}

/// A failed operation.
#[derive(Debug)]
pub struct Error {
    /// What drives behaviour.
    pub kind: ErrorKind,
    /// The operation in AWS's words, such as `kms:CreateKey`.
    pub operation: String,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The service's error code, where there was one.
    pub code: Option<String>,
    /// What the service said, or what happened. Full sentences, no secrets.
    pub message: String,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// What the user can do.
    pub hints: Vec<String>,
    /// The cause, not repeated in the message.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error without an answer from a service.
    pub fn new(kind: ErrorKind, operation: impl Into<String>, message: impl Into<String>) -> Error {
        Error {
            kind,
            operation: operation.into(),
            status: None,
            code: None,
            message: message.into(),
            request_id: None,
            hints: vec![],
            source: None,
        }
    }

    /// An error that cannot happen unless the program is wrong.
    pub fn bug(operation: impl Into<String>, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Bug, operation, message)
            .hint("This is a bug in Terrane. Please report it with this message and the version.")
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hints.push(hint.into());
        self
    }

    /// Whether the service answered with this code.
    pub fn is_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the call may have been carried out although it failed: the answer was lost, or did not come in time.
    pub fn leaves_doubt(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Interrupted)
    }

    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)?;
        match (self.status, &self.request_id) {
            (Some(status), Some(id)) => write!(f, " (status {status}, request {id})"),
            (Some(status), None) => write!(f, " (status {status})"),
            _ => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|s| s.as_ref() as &(dyn StdError + 'static))
    }
}
