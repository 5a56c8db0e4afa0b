//! Statements about addresses and about access: `[[moved]]`, `[[import]]`, `[[removed]]`, `[check.N]`, `[access.N]`.

use std::fmt;
use std::sync::Arc;

use terrane_expr::{Expr, Reference};
use terrane_model::{Address, ModulePath, Span};

use crate::condition::Condition;
use crate::resource::{ProviderRef, Resource};

/// What a statement about addresses names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A resource or one instance of it.
    Resource(Address),
    /// A module call or one instance of it.
    Module(ModulePath),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Resource(address) => address.fmt(f),
            Endpoint::Module(path) => path.fmt(f),
        }
    }
}

/// An object got another address.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The address in the state.
    pub from: (Endpoint, Span),
    /// The address in the spec.
    pub to: (Endpoint, Span),
    /// The statement in the file.
    pub span: Span,
}

/// An object that exists is taken into the state.
#[derive(Clone, Debug)]
pub struct Import {
    /// The instance that it becomes.
    pub address: Address,
    /// The key of the instance, where it is an expression.
    pub key: Option<Expr>,
    /// Where the address stands.
    pub to_span: Span,
    /// What finds the object.
    pub named_by: NamedBy,
    /// One import per element.
    pub for_each: Option<Expr>,
    /// The provider to read with, when it isn't the resource's.
    pub provider: Option<ProviderRef>,
    /// The statement in the file.
    pub span: Span,
}

impl Import {
    /// Everything that its expressions refer to.
    pub fn references(&self) -> impl Iterator<Item = (&Reference, Span)> {
        let exprs = [Some(self.named_by.expr()), self.key.as_ref(), self.for_each.as_ref()];
        let found = exprs.into_iter().flatten().flat_map(|expr| expr.references());
        found.map(|(reference, span, _)| (reference, span))
    }
}

/// What an import finds its object by.
#[derive(Clone, Debug)]
pub enum NamedBy {
    /// A text, in the form that the resource type has.
    Id(Expr),
    /// An object of the attributes that tell it from others.
    Identity(Expr),
}

impl NamedBy {
    /// The expression.
    pub fn expr(&self) -> &Expr {
        match self {
            NamedBy::Id(expr) | NamedBy::Identity(expr) => expr,
        }
    }
}

/// A resource is not in the spec any more.
#[derive(Clone, Debug)]
pub struct Removed {
    /// What was there.
    pub from: (Endpoint, Span),
    /// Whether its objects are deleted, or only forgotten.
    pub destroy: bool,
    /// The statement in the file.
    pub span: Span,
}

/// Something that should hold; a breach is a warning.
#[derive(Clone, Debug)]
pub struct Check {
    /// A data source that only this check reads.
    pub data: Option<Resource>,
    /// What should hold.
    pub assertions: Vec<Condition>,
    /// The header in the file.
    pub span: Span,
}

/// Who must be able, or unable, to do what. Decided over the planned state; a breach fails the plan.
#[derive(Clone, Debug)]
pub struct Access {
    /// ARNs of principals: a text or a list of texts.
    pub principals: Expr,
    /// The actions: a text or a list of texts.
    pub actions: Expr,
    /// The ARNs of the resources: a text or a list of texts.
    pub resources: Expr,
    /// An object of condition keys that the request carries.
    pub context: Option<Expr>,
    /// What the decision must be.
    pub expect: (Expectation, Span),
    /// Which service or layer must have decided so, such as `kms`.
    pub by: Option<(Arc<str>, Span)>,
    /// Why this matters.
    pub description: Option<Arc<str>>,
    /// One assertion per element.
    pub for_each: Option<Expr>,
    /// Whether an answer that depends on something that cannot be known is good enough.
    pub accept_depends: bool,
    /// The header in the file.
    pub span: Span,
}

/// What an access statement expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Every action on every resource is allowed.
    Allowed,
    /// Every action on every resource is denied.
    Denied,
}
