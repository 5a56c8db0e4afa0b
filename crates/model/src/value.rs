//! Values: what an expression gives, what an attribute holds.
//!
//! A value may be unknown (with what is known about it) and may carry marks. Both sit on the element that has them, never
//! on the whole that holds it: a list with one unknown element has a known length.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::number::Number;
use crate::ty::{Field, Type};

/// A value with its marks. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    kind: Kind,
    marks: Marks,
}

/// What a value is. The order of sets follows from the order here: unknown elements and null stand last.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// true or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text in NFC.
    String(Arc<str>),
    /// Elements of the given type.
    List(Type, Arc<[Value]>),
    /// Distinct elements of the given type, sorted.
    Set(Type, Arc<[Value]>),
    /// Elements of the given type by key.
    Map(Type, Arc<BTreeMap<Arc<str>, Value>>),
    /// Elements of any types.
    Tuple(Arc<[Value]>),
    /// Attributes of any types.
    Object(Arc<BTreeMap<Arc<str>, Value>>),
    /// Not known before apply.
    Unknown(Arc<Unknown>),
    /// Absent; the type is [`Type::Any`] for a bare `null`.
    Null(Type),
}

/// What is known about an unknown value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unknown {
    /// Its type, [`Type::Any`] when not even that is known.
    pub ty: Type,
    /// It will not be null.
    pub not_null: bool,
    /// A text that it will begin with.
    pub prefix: Arc<str>,
    /// Bounds of the number of elements of a collection.
    pub min_len: usize,
    /// Upper bound of the number of elements.
    pub max_len: Option<usize>,
}

impl Unknown {
    /// Nothing but the type is known.
    pub fn of(ty: Type) -> Unknown {
        Unknown { ty, not_null: false, prefix: "".into(), min_len: 0, max_len: None }
    }

    /// An unknown that will not be null.
    pub fn not_null(ty: Type) -> Unknown {
        Unknown { not_null: true, ..Unknown::of(ty) }
    }
}

/// Marks of one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marks {
    /// Never shown.
    pub sensitive: bool,
    /// Never stored in a plan or state.
    pub ephemeral: bool,
}

impl Marks {
    /// The mark of secrets.
    pub const SENSITIVE: Marks = Marks { sensitive: true, ephemeral: false };

    /// Marks that either has.
    #[must_use]
    pub fn union(self, other: Marks) -> Marks {
        Marks { sensitive: self.sensitive || other.sensitive, ephemeral: self.ephemeral || other.ephemeral }
    }

    /// Whether there is any.
    pub fn any(self) -> bool {
        self.sensitive || self.ephemeral
    }
}

impl Value {
    /// A value without marks.
    pub fn new(kind: Kind) -> Value {
        Value { kind, marks: Marks::default() }
    }

    /// A null of a type.
    pub fn null(ty: Type) -> Value {
        Value::new(Kind::Null(ty))
    }

    /// An unknown of a type.
    pub fn unknown(ty: Type) -> Value {
        Value::unknown_with(Unknown::of(ty))
    }

    /// An unknown with what is known about it.
    pub fn unknown_with(unknown: Unknown) -> Value {
        Value::new(Kind::Unknown(Arc::new(unknown)))
    }

    /// true or false.
    pub fn bool(value: bool) -> Value {
        Value::new(Kind::Bool(value))
    }

    /// A number.
    pub fn number(value: impl Into<Number>) -> Value {
        Value::new(Kind::Number(value.into()))
    }

    /// Text; brought into NFC.
    pub fn string(value: impl AsRef<str> + Into<Arc<str>>) -> Value {
        let text = if is_nfc(value.as_ref()) {
            value.into()
        } else {
            value.as_ref().nfc().collect::<String>().into()
        };
        Value::new(Kind::String(text))
    }

    /// A list. Assumes that the elements are of the type.
    pub fn list(element: Type, elements: impl IntoIterator<Item = Value>) -> Value {
        Value::new(Kind::List(element, elements.into_iter().collect()))
    }

    /// A set: sorted, without duplicates as far as is known; the marks of the elements move to the set.
    pub fn set(element: Type, elements: impl IntoIterator<Item = Value>) -> Value {
        let mut marks = Marks::default();
        let mut all: Vec<Value> = elements
            .into_iter()
            .map(|v| {
                let (v, m) = v.unmark_deep();
                marks = marks.union(m);
                v
            })
            .collect();
        all.sort();
        // Two unknown elements may turn out to differ.
        all.dedup_by(|a, b| a == b && a.is_wholly_known());
        Value { kind: Kind::Set(element, all.into()), marks }
    }

    /// A map. Assumes that the elements are of the type.
    pub fn map<K: Into<Arc<str>>>(element: Type, elements: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::new(Kind::Map(element, Arc::new(elements.into_iter().map(|(k, v)| (k.into(), v)).collect())))
    }

    /// A tuple.
    pub fn tuple(elements: impl IntoIterator<Item = Value>) -> Value {
        Value::new(Kind::Tuple(elements.into_iter().collect()))
    }

    /// An object.
    pub fn object<K: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::new(Kind::Object(Arc::new(attributes.into_iter().map(|(k, v)| (k.into(), v)).collect())))
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What it is, taken out; the marks are dropped.
    pub fn into_kind(self) -> Kind {
        self.kind
    }

    /// Its marks, not those of its elements.
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// The value with marks added.
    #[must_use]
    pub fn with_marks(mut self, marks: Marks) -> Value {
        self.marks = self.marks.union(marks);
        self
    }

    /// The value marked sensitive.
    #[must_use]
    pub fn sensitive(self) -> Value {
        self.with_marks(Marks::SENSITIVE)
    }

    /// The value without its own marks, and those marks.
    #[must_use]
    pub fn unmark(mut self) -> (Value, Marks) {
        let marks = std::mem::take(&mut self.marks);
        (self, marks)
    }

    /// The value without any marks, its own or its elements', and all those marks together.
    #[must_use]
    pub fn unmark_deep(self) -> (Value, Marks) {
        let marks = self.marks_deep();
        if !marks.any() {
            return (self, marks);
        }
        let strip = |v: Value| Value { marks: Marks::default(), ..v };
        (strip(self).map_elements(&mut |v| v.unmark_deep().0), marks)
    }

    /// Its marks and those of everything inside.
    pub fn marks_deep(&self) -> Marks {
        let mut marks = self.marks;
        self.for_each_child(&mut |v| marks = marks.union(v.marks_deep()));
        marks
    }

    /// Whether it itself is null (an unknown is not).
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }

    /// Whether it itself is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    /// Whether nothing inside is unknown.
    pub fn is_wholly_known(&self) -> bool {
        if self.is_unknown() {
            return false;
        }
        let mut known = true;
        self.for_each_child(&mut |v| known = known && v.is_wholly_known());
        known
    }

    /// The type. A collection's is its declared element type; a structure's follows from its elements.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Null(ty) => ty.clone(),
            Kind::Unknown(u) => u.ty.clone(),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(e, _) => Type::list(e.clone()),
            Kind::Set(e, _) => Type::set(e.clone()),
            Kind::Map(e, _) => Type::map(e.clone()),
            Kind::Tuple(es) => Type::Tuple(es.iter().map(Value::ty).collect()),
            Kind::Object(fs) => Type::Object(Arc::new(
                fs.iter().map(|(k, v)| (k.clone(), Field { ty: v.ty(), optional: false })).collect(),
            )),
        }
    }

    /// The text, if it is known text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(s) => Some(s),
            _ => None,
        }
    }

    /// The truth value, if it is a known one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The number, if it is a known one.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The number as an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::to_i64)
    }

    /// The elements of a list, set or tuple; empty for all else.
    pub fn elements(&self) -> &[Value] {
        match &self.kind {
            Kind::List(_, es) | Kind::Set(_, es) | Kind::Tuple(es) => es,
            _ => &[],
        }
    }

    /// The elements of a map or attributes of an object.
    pub fn entries(&self) -> Option<&BTreeMap<Arc<str>, Value>> {
        match &self.kind {
            Kind::Map(_, m) | Kind::Object(m) => Some(m),
            _ => None,
        }
    }

    /// An attribute of an object or an element of a map.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries()?.get(name)
    }

    /// An element of a list, set or tuple.
    pub fn index(&self, index: usize) -> Option<&Value> {
        self.elements().get(index)
    }

    /// The object with one attribute set; anything else is left as it is.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Value {
        if let Kind::Object(fields) | Kind::Map(_, fields) = &mut self.kind {
            Arc::make_mut(fields).insert(name.into(), value);
        }
        self
    }

    /// Calls `f` on each direct element.
    pub fn for_each_child<'v>(&'v self, f: &mut dyn FnMut(&'v Value)) {
        match &self.kind {
            Kind::List(_, es) | Kind::Set(_, es) | Kind::Tuple(es) => es.iter().for_each(f),
            Kind::Map(_, m) | Kind::Object(m) => m.values().for_each(f),
            _ => {}
        }
    }

    /// Replaces each direct element, keeping the value's own marks. Declared element types stay.
    #[must_use]
    pub fn map_elements(self, f: &mut dyn FnMut(Value) -> Value) -> Value {
        let Value { kind, marks } = self;
        let mapped = match kind {
            Kind::List(t, es) => Value::new(Kind::List(t, es.iter().cloned().map(f).collect())),
            Kind::Set(t, es) => Value::set(t, es.iter().cloned().map(f)),
            Kind::Tuple(es) => Value::new(Kind::Tuple(es.iter().cloned().map(f).collect())),
            Kind::Map(t, m) => {
                Value::new(Kind::Map(t, Arc::new(m.iter().map(|(k, v)| (k.clone(), f(v.clone()))).collect())))
            }
            Kind::Object(m) => {
                Value::new(Kind::Object(Arc::new(m.iter().map(|(k, v)| (k.clone(), f(v.clone()))).collect())))
            }
            other => Value::new(other),
        };
        mapped.with_marks(marks)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::string(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::number(value)
    }
}

/// For developers: never shows a sensitive value.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.marks.sensitive {
            return f.write_str("(sensitive)");
        }
        match &self.kind {
            Kind::Null(t) => write!(f, "null:{t}"),
            Kind::Unknown(u) => write!(f, "unknown:{}", u.ty),
            Kind::Bool(b) => write!(f, "{b}"),
            Kind::Number(n) => write!(f, "{n}"),
            Kind::String(s) => write!(f, "{s:?}"),
            Kind::List(_, es) => f.debug_list().entries(es.iter()).finish(),
            Kind::Set(_, es) => f.debug_set().entries(es.iter()).finish(),
            Kind::Tuple(es) => f.debug_list().entries(es.iter()).finish(),
            Kind::Map(_, m) | Kind::Object(m) => f.debug_map().entries(m.iter()).finish(),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::new(self.clone()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_sorted_and_takes_over_the_marks_of_its_elements() {
        let set =
            Value::set(Type::String, [Value::from("b"), Value::from("a").sensitive(), Value::from("b")]);
        assert!(set.marks().sensitive);
        assert_eq!(set.elements(), [Value::from("a"), Value::from("b")]);
    }

    #[test]
    fn unknown_elements_of_a_set_stay_apart_and_stand_last() {
        let u = || Value::unknown(Type::String);
        let set = Value::set(Type::String, [u(), Value::from("a"), u(), Value::null(Type::String)]);
        assert_eq!(set.elements(), [Value::from("a"), u(), u(), Value::null(Type::String)]);
    }

    #[test]
    fn unknown_sits_on_the_element() {
        let list = Value::list(Type::String, [Value::unknown(Type::String), Value::from("x")]);
        assert!(!list.is_unknown());
        assert!(!list.is_wholly_known());
        assert_eq!(list.elements().len(), 2);
    }

    #[test]
    fn marks_come_off_at_every_depth() {
        let object = Value::object([("a", Value::tuple([Value::from("s").sensitive()]))]);
        let (plain, marks) = object.unmark_deep();
        assert!(marks.sensitive);
        assert_eq!(plain, Value::object([("a", Value::tuple([Value::from("s")]))]));
    }

    #[test]
    fn debug_hides_secrets_and_text_is_composed() {
        assert_eq!(format!("{:?}", Value::from("hunter2").sensitive()), "(sensitive)");
        assert_eq!(Value::from("e\u{301}"), Value::from("é"));
    }
}
