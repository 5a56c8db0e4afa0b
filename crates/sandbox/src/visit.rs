//! One call while it is served: who calls, when, what is asked, and the transaction that the answer is made in.

use std::cell::RefCell;

use crate::clock::Moment;
use crate::dynamodb::{Engine, Engines};
use crate::identity::Identity;
use crate::options::Options;
use crate::policies::PolicyCache;
use crate::store::Changes;
use crate::trail::Seen;
use crate::wire::{Call, Form, Refusal};

/// What every operation is given.
pub(crate) struct Visit<'a> {
    pub(crate) call: &'a Call,
    pub(crate) caller: &'a Identity,
    pub(crate) now: Moment,
    pub(crate) store: &'a Changes<'a>,
    pub(crate) options: &'a Options,
    pub(crate) policies: &'a PolicyCache,
    pub(crate) engines: &'a Engines,
    pub(crate) afterwards: RefCell<Vec<Afterwards>>,
    pub(crate) seen: &'a Seen,
}

/// What is done outside the store once the call's changes are kept.
#[derive(Debug)]
pub(crate) enum Afterwards {
    /// A table's items are dropped.
    DropTable { region: String, name: String },
}

impl Visit<'_> {
    pub(crate) fn account(&self) -> &str {
        &self.options.account
    }

    pub(crate) fn region(&self) -> &str {
        &self.call.region
    }

    pub(crate) fn form(&self) -> &Form {
        &self.call.form
    }

    /// A required argument of a query call.
    pub(crate) fn argument(&self, name: &str) -> Result<&str, Refusal> {
        self.form().text(name).ok_or_else(|| {
            let field = lower_first(name);
            Refusal::new(
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"
                ),
            )
        })
    }

    /// The engine of the items in the call's region.
    pub(crate) fn engine(&self) -> Result<Engine, Refusal> {
        self.engines.region(self.region(), self.store)
    }

    /// Remembers what to do once the changes are kept.
    pub(crate) fn once_kept(&self, afterwards: Afterwards) {
        self.afterwards.borrow_mut().push(afterwards);
    }

    /// The ARN of something in IAM: `user/path/name`.
    pub(crate) fn iam_arn(&self, rest: &str) -> String {
        format!("arn:aws:iam::{}:{rest}", self.account())
    }

    /// The ARN of something in a service of the call's region.
    pub(crate) fn regional_arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region(), self.account())
    }

    /// When something made now becomes known to the other services.
    pub(crate) fn known_from(&self) -> Moment {
        self.now.plus(self.options.consistency_delay)
    }
}

/// `UserName` as error messages name it: `userName`.
pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
