//! Where inside a value: `attribute[0].name`.

use std::fmt;
use std::sync::Arc;

use crate::value::Value;

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An attribute of an object.
    Attribute(Arc<str>),
    /// An element of a list or tuple, from 0.
    Index(usize),
    /// An element of a map.
    Key(Arc<str>),
    /// An element of a set, named by itself.
    Element(Box<Value>),
}

/// Steps from the outside in. Empty: the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// A path of one attribute.
    pub fn attribute(name: impl Into<Arc<str>>) -> Path {
        Path(vec![Step::Attribute(name.into())])
    }

    /// This path and one step more.
    #[must_use]
    pub fn child(&self, step: Step) -> Path {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }

    /// The name of the outermost attribute.
    pub fn root(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Attribute(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether this path lies at or below `other`.
    pub fn starts_with(&self, other: &Path) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The value at this path, or nothing where a step does not fit or the way is unknown or null.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |v, step| match step {
            Step::Attribute(name) | Step::Key(name) => v.get(name),
            Step::Index(i) => v.index(*i),
            Step::Element(e) => v.elements().iter().find(|x| *x == e.as_ref()),
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) => write!(f, "{}{name}", if i > 0 { "." } else { "" })?,
                Step::Index(n) => write!(f, "[{n}]")?,
                Step::Key(k) => write!(f, "[{k:?}]")?,
                Step::Element(_) => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}
