//! `[resource.TYPE.NAME]` and `[data.TYPE.NAME]`.

use std::fmt;
use std::sync::Arc;

use terrane_expr::{Expr, Reference};
use terrane_model::{Mode, Path, Span, Step};

use crate::condition::Condition;
use crate::module::ResourceKey;
use crate::place::Places;

/// A resource or data source as it is declared.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Managed or data.
    pub mode: Mode,
    /// The resource type.
    pub type_name: Arc<str>,
    /// The name in the spec.
    pub name: Arc<str>,
    /// The header in the file.
    pub span: Span,
    /// How many instances.
    pub count: Option<Expr>,
    /// An instance per element.
    pub for_each: Option<Expr>,
    /// What must be done before it, beyond what it refers to.
    pub depends_on: Vec<(Reference, Span)>,
    /// The provider, when it isn't the default one of the type.
    pub provider: Option<ProviderRef>,
    /// How it is replaced, kept and checked.
    pub lifecycle: Lifecycle,
    /// An object of all arguments and nested blocks, without meta-arguments.
    pub body: Expr,
    /// Where the parts of the body stand.
    pub places: Places,
}

/// The name of a provider's configuration: `aws` or `aws.paris`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRef {
    /// The provider.
    pub name: Arc<str>,
    /// Which of its configurations; absent: the default one.
    pub alias: Option<Arc<str>>,
    /// Where it is written.
    pub span: Span,
}

impl fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.alias.as_ref().map_or(Ok(()), |alias| write!(f, ".{alias}"))
    }
}

/// `lifecycle` of a resource.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// A replacement is made before the old object is deleted.
    pub create_before_destroy: bool,
    /// Set where deleting the object is refused.
    pub prevent_destroy: Option<Span>,
    /// Arguments whose changes are not looked at.
    pub ignore_changes: IgnoreChanges,
    /// What makes the object new when it changes.
    pub replace_triggered_by: Vec<Trigger>,
    /// What must hold before the object is planned.
    pub preconditions: Vec<Condition>,
    /// What must hold of the object itself.
    pub postconditions: Vec<Condition>,
    /// The table in the file.
    pub span: Option<Span>,
}

/// Arguments whose changes are not looked at.
#[derive(Clone, Debug)]
pub enum IgnoreChanges {
    /// These.
    Paths(Vec<(Path, Span)>),
    /// All.
    All(Span),
}

impl Default for IgnoreChanges {
    fn default() -> IgnoreChanges {
        IgnoreChanges::Paths(vec![])
    }
}

impl IgnoreChanges {
    /// Whether changes at a path are not looked at.
    pub fn covers(&self, path: &Path) -> bool {
        match self {
            IgnoreChanges::All(_) => true,
            IgnoreChanges::Paths(paths) => paths.iter().any(|(ignored, _)| path.starts_with(ignored)),
        }
    }
}

/// The key of the instance that a trigger belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnKey {
    /// `each.key`.
    Each,
    /// `count.index`.
    Count,
}

/// Something whose change makes an object new.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The resource.
    pub reference: Reference,
    /// Whether it is the instance of the same key: `[each.key]` or `[count.index]`.
    pub own_key: Option<OwnKey>,
    /// The instance, where it is not that of the own key, and the attribute.
    pub steps: Vec<Step>,
    /// Where it is written.
    pub span: Span,
}

impl Resource {
    /// What tells it from others of the module.
    pub fn key(&self) -> ResourceKey {
        ResourceKey { mode: self.mode, type_name: self.type_name.clone(), name: self.name.clone() }
    }

    /// Everything that the resource refers to: in its arguments, count, for_each, depends_on and lifecycle. In the order
    /// of that list; a reference may occur more than once.
    ///
    /// References of postconditions to the resource itself are left out.
    pub fn references(&self) -> Vec<(Reference, Span)> {
        let own = |reference: &Reference| {
            matches!(reference, Reference::Resource { mode, type_name, name }
                if *mode == self.mode && *type_name == self.type_name && *name == self.name)
        };
        let exprs = [Some(&self.body), self.count.as_ref(), self.for_each.as_ref()];
        let mut found: Vec<(Reference, Span)> = exprs
            .into_iter()
            .flatten()
            .flat_map(|expr| expr.references())
            .map(|(reference, span, _)| (reference.clone(), span))
            .collect();
        found.extend(self.depends_on.iter().cloned());
        found.extend(self.lifecycle.replace_triggered_by.iter().map(|t| (t.reference.clone(), t.span)));
        for condition in &self.lifecycle.preconditions {
            found.extend(condition.references().map(|(reference, span, _)| (reference.clone(), span)));
        }
        for condition in &self.lifecycle.postconditions {
            let others = condition.references().filter(|(reference, _, _)| !own(reference));
            found.extend(others.map(|(reference, span, _)| (reference.clone(), span)));
        }
        found
    }

    /// Where in the file the argument or element of a path stands, or the innermost value around it. A path that no part
    /// of the body matches leads to the header.
    pub fn span_of(&self, path: &Path) -> Span {
        match path.0.first().map(|first| self.places.child(first)) {
            Some(Some(_)) => self.places.at(path),
            _ => self.span,
        }
    }

    /// As [`Resource::span_of`], but the key of the argument rather than its value.
    pub fn key_span_of(&self, path: &Path) -> Span {
        match path.0.first().map(|first| self.places.child(first)) {
            Some(Some(_)) => self.places.key_at(path),
            _ => self.span,
        }
    }
}
