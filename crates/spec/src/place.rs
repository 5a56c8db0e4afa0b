//! Where each argument of a body stands in the file, also where the body itself became one literal value.

use std::sync::Arc;

use terrane_model::{Path, Span, Step};

/// The place of a value, and the places of what is inside it.
#[derive(Clone, Debug)]
pub struct Places {
    /// The value.
    pub value: Span,
    /// Its key, where it has one of its own.
    pub key: Option<Span>,
    inside: Inside,
}

#[derive(Clone, Debug)]
enum Inside {
    Nothing,
    /// By name, sorted.
    Named(Box<[(Arc<str>, Places)]>),
    Listed(Box<[Places]>),
}

impl Places {
    /// A value without known places inside.
    pub fn leaf(value: Span) -> Places {
        Places { value, key: None, inside: Inside::Nothing }
    }

    /// A table.
    pub fn named(value: Span, mut entries: Vec<(Arc<str>, Places)>) -> Places {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Places { value, key: None, inside: Inside::Named(entries.into()) }
    }

    /// An array.
    pub fn listed(value: Span, elements: Vec<Places>) -> Places {
        Places { value, key: None, inside: Inside::Listed(elements.into()) }
    }

    /// The same with the place of its key.
    #[must_use]
    pub fn with_key(mut self, key: Span) -> Places {
        self.key = Some(key);
        self
    }

    /// The places of what a step leads to.
    pub fn child(&self, step: &Step) -> Option<&Places> {
        match (&self.inside, step) {
            (Inside::Named(entries), Step::Attribute(name) | Step::Key(name)) => {
                let at = entries.binary_search_by(|(have, _)| have.cmp(name)).ok()?;
                entries.get(at).map(|(_, places)| places)
            }
            // A block that is written once, as a table, is the only element of the blocks of its name.
            (Inside::Named(_), Step::Index(0) | Step::Element(_)) => Some(self),
            (Inside::Listed(elements), Step::Index(index)) => elements.get(*index),
            (Inside::Listed(elements), Step::Attribute(_)) => match &**elements {
                [only] => only.child(step),
                _ => None,
            },
            _ => None,
        }
    }

    /// The names of what is inside, each with the place of its key.
    pub fn names(&self) -> impl Iterator<Item = (&Arc<str>, Span)> {
        let entries = match &self.inside {
            Inside::Named(entries) => &**entries,
            _ => &[],
        };
        entries.iter().map(|(name, places)| (name, places.key.unwrap_or(places.value)))
    }

    /// The place that a path leads to, or that of the innermost value around it.
    pub fn at(&self, path: &Path) -> Span {
        self.innermost(path).value
    }

    /// The key of what a path leads to, or else its value, or that of the innermost value around it.
    pub fn key_at(&self, path: &Path) -> Span {
        let innermost = self.innermost(path);
        innermost.key.unwrap_or(innermost.value)
    }

    fn innermost(&self, path: &Path) -> &Places {
        let mut here = self;
        for step in &path.0 {
            match here.child(step) {
                Some(inner) => here = inner,
                None => break,
            }
        }
        here
    }
}
