//! Two values side by side: what of them stays, comes, goes or changes, as a tree that is then written as text.
//!
//! The tree is made from values alone; with a schema, [`block`] makes it for a whole object.

pub mod block;
mod collection;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::{Action, Kind, Path, Step, Value};

/// One value before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Create, update, delete or no-op.
    pub action: Action,
    /// Whether it forces a new object.
    pub replace: bool,
    /// What it is.
    pub body: Body,
    /// What is to be said above it, a line each.
    pub remarks: Vec<String>,
    /// What is to be said below it, a line each.
    pub footnotes: Vec<String>,
}

/// What there is to show of a value before and after.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Something that fits on a line.
    Plain {
        /// Absent for what comes.
        before: Option<String>,
        /// Absent for what goes.
        after: Option<String>,
    },
    /// The value after is not known yet.
    Unknown {
        /// What there was.
        before: Option<Box<Difference>>,
    },
    /// Not to be shown.
    Sensitive,
    /// Text of several lines, each with what becomes of it.
    Lines(Vec<(Action, String)>),
    /// A text that is JSON.
    Json {
        /// What the JSON says.
        inner: Box<Difference>,
        /// Whether nothing but the layout differs.
        layout_only: bool,
    },
    /// A policy, statement by statement.
    Statements {
        /// What changes, each line with what becomes of it.
        lines: Vec<(Action, String)>,
        /// How many statements stay.
        unchanged: usize,
    },
    /// Elements in order.
    Elements {
        /// The elements.
        elements: Vec<Difference>,
        /// Whether neighbours that stay are shown beside what changes.
        neighbours: bool,
    },
    /// Elements by key.
    Entries(BTreeMap<Arc<str>, Difference>),
    /// Attributes by name.
    Attributes(BTreeMap<Arc<str>, Difference>),
    /// Attributes and nested blocks of a schema.
    Block {
        /// Attributes that are set before or after.
        attributes: BTreeMap<Arc<str>, Difference>,
        /// Nested blocks by name.
        blocks: BTreeMap<Arc<str>, Vec<Difference>>,
    },
    /// The value becomes one of another type.
    Other {
        /// What there was.
        before: Box<Difference>,
        /// What there will be.
        after: Box<Difference>,
    },
}

/// The paths that force a new object, as far as they lead to or below a place.
#[derive(Clone, Debug, Default)]
pub struct Forced<'a>(Vec<&'a [Step]>);

impl<'a> Forced<'a> {
    /// All paths, at the object itself.
    pub fn new(paths: &'a [Path]) -> Forced<'a> {
        Forced(paths.iter().map(|path| path.0.as_slice()).collect())
    }

    fn here(&self) -> bool {
        self.0.iter().any(|steps| steps.is_empty())
    }

    fn child(&self, matches: impl Fn(&Step) -> bool) -> Forced<'a> {
        let inside = |steps: &&'a [Step]| {
            let (first, rest) = steps.split_first()?;
            matches(first).then_some(rest)
        };
        Forced(self.0.iter().filter_map(inside).collect())
    }

    fn named(&self, name: &str) -> Forced<'a> {
        self.child(|step| matches!(step, Step::Attribute(n) | Step::Key(n) if n.as_ref() == name))
    }
}

impl Difference {
    fn of(action: Action, body: Body) -> Difference {
        Difference { action, replace: false, body, remarks: vec![], footnotes: vec![] }
    }

    /// Whether it stays as it is.
    pub fn is_same(&self) -> bool {
        self.action == Action::NoOp
    }
}

/// The action of a whole: nothing before, nothing after, or whether a part changes.
fn whole<'d>(
    before: Option<&Value>,
    after: Option<&Value>,
    parts: impl IntoIterator<Item = &'d Difference>,
) -> Action {
    match (before, after) {
        (None, Some(_)) => Action::Create,
        (Some(_), None) => Action::Delete,
        _ if parts.into_iter().all(Difference::is_same) => Action::NoOp,
        _ => Action::Update,
    }
}

/// Compares two values; an absent one is none at all, which a null is not.
pub fn compare(before: Option<&Value>, after: Option<&Value>, forced: &Forced<'_>) -> Difference {
    let mut difference = unmarked(before, after, forced);
    difference.replace = forced.here();
    difference
}

fn unmarked(before: Option<&Value>, after: Option<&Value>, forced: &Forced<'_>) -> Difference {
    let hidden = |value: Option<&Value>| value.is_some_and(|v| v.marks().sensitive);
    if hidden(before) || hidden(after) {
        return sensitive(before, after);
    }
    let Some(kind) = after.or(before).map(Value::kind) else {
        return Difference::of(Action::NoOp, Body::Plain { before: None, after: None });
    };
    if matches!(kind, Kind::Unknown(_)) {
        let (action, before) = match (before, after) {
            (_, None) => (Action::Delete, None),
            (None, Some(_)) => (Action::Create, None),
            (Some(old), Some(_)) => {
                (Action::Update, Some(Box::new(compare(Some(old), None, &Forced::default()))))
            }
        };
        return Difference::of(action, Body::Unknown { before });
    }
    if let (Some(old), Some(new)) = (before, after)
        && shape(old) != shape(new)
    {
        let before = Box::new(compare(Some(old), None, &Forced::default()));
        let after = Box::new(compare(None, Some(new), &Forced::default()));
        return Difference::of(Action::Update, Body::Other { before, after });
    }
    match kind {
        Kind::String(_) => text::compare(before.and_then(Value::as_str), after.and_then(Value::as_str)),
        Kind::List(..) | Kind::Tuple(_) => collection::sequence(before, after, forced),
        Kind::Set(..) => collection::set(before, after, forced),
        Kind::Map(..) => {
            let entries = collection::entries(before, after, forced);
            Difference::of(whole(before, after, entries.values()), Body::Entries(entries))
        }
        Kind::Object(_) => {
            let entries = collection::entries(before, after, forced);
            Difference::of(whole(before, after, entries.values()), Body::Attributes(entries))
        }
        Kind::Null(_) | Kind::Bool(_) | Kind::Number(_) | Kind::Unknown(_) => {
            let action = match (before, after) {
                (Some(old), Some(new)) if scalar(old) == scalar(new) => Action::NoOp,
                _ => whole(before, after, [&Difference::of(Action::Update, Body::Sensitive)]),
            };
            Difference::of(action, Body::Plain { before: before.map(scalar), after: after.map(scalar) })
        }
    }
}

fn sensitive(before: Option<&Value>, after: Option<&Value>) -> Difference {
    let plain = |value: Option<&Value>| value.map(|v| v.clone().unmark_deep().0);
    let (old, new) = (plain(before), plain(after));
    let action = match (&old, &new) {
        (Some(old), Some(new)) if old == new && new.is_wholly_known() => Action::NoOp,
        _ => whole(before, after, [&Difference::of(Action::Update, Body::Sensitive)]),
    };
    let mut difference = Difference::of(action, Body::Sensitive);
    if let (Some(before), Some(after)) = (before, after) {
        match (before.marks().sensitive, after.marks().sensitive) {
            (true, false) => difference
                .remarks
                .push("This value is no longer sensitive: the next plan shows it.".to_owned()),
            (false, true) => difference
                .remarks
                .push("This value becomes sensitive: it will not be shown any more.".to_owned()),
            _ => {}
        }
        if !difference.remarks.is_empty() && action == Action::NoOp {
            difference.action = Action::Update;
            difference.remarks.push("The value itself stays as it is.".to_owned());
        }
    }
    difference
}

/// What kind of body a value has: values of one shape can be compared part by part.
fn shape(value: &Value) -> u8 {
    match value.kind() {
        Kind::Null(_) | Kind::Bool(_) | Kind::Number(_) | Kind::Unknown(_) => 0,
        Kind::String(_) => 1,
        Kind::List(..) | Kind::Tuple(_) => 2,
        Kind::Set(..) => 3,
        Kind::Map(..) => 4,
        Kind::Object(_) => 5,
    }
}

fn scalar(value: &Value) -> String {
    match value.kind() {
        Kind::Null(_) => "null".to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(n) => n.to_string(),
        _ => super::value_text::expression(value),
    }
}

#[cfg(test)]
mod tests;
