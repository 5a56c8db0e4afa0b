//! Whether two values are equal, as far as that can be said.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::{Kind, Type, Unknown, Value};

/// Yes, no, or not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Truth {
        if value { Truth::True } else { Truth::False }
    }
}

/// Compares without conversion: values of different types are unequal. Null equals null of any type. Marks are not looked
/// at.
pub(crate) fn equal(left: &Value, right: &Value) -> Truth {
    match (left.kind(), right.kind()) {
        (Kind::Null(_), Kind::Null(_)) => Truth::True,
        (Kind::Null(_), Kind::Unknown(u)) | (Kind::Unknown(u), Kind::Null(_)) if !u.not_null => {
            Truth::Unknown
        }
        (Kind::Null(_), _) | (_, Kind::Null(_)) => Truth::False,
        _ if is_open(left) || is_open(right) => Truth::Unknown,
        _ => compare(left, right),
    }
}

/// Whether an unknown inside may turn out to be of any type.
fn is_open(value: &Value) -> bool {
    if let Kind::Unknown(unknown) = value.kind() {
        return unknown.ty.has_any();
    }
    let mut open = false;
    value.for_each_child(&mut |child| open = open || is_open(child));
    open
}

fn compare(left: &Value, right: &Value) -> Truth {
    match (left.kind(), right.kind()) {
        (Kind::Null(_), Kind::Null(_)) => Truth::True,
        (Kind::Unknown(a), Kind::Unknown(b)) => compare_unknowns(a, b),
        (Kind::Unknown(u), Kind::Null(_)) | (Kind::Null(_), Kind::Unknown(u)) => match u.not_null {
            true => Truth::False,
            false => Truth::Unknown,
        },
        (Kind::Unknown(u), _) => compare_unknown(u, right),
        (_, Kind::Unknown(u)) => compare_unknown(u, left),
        (Kind::Bool(a), Kind::Bool(b)) => (a == b).into(),
        (Kind::Number(a), Kind::Number(b)) => (a == b).into(),
        (Kind::String(a), Kind::String(b)) => (a == b).into(),
        (Kind::List(s, a), Kind::List(t, b)) if alike(s, t) => compare_sequences(a, b),
        (Kind::Tuple(a), Kind::Tuple(b)) => compare_sequences(a, b),
        (Kind::Set(s, a), Kind::Set(t, b)) if alike(s, t) => compare_sets(left, right, a, b),
        (Kind::Map(s, a), Kind::Map(t, b)) if alike(s, t) => compare_entries(a, b),
        (Kind::Object(a), Kind::Object(b)) => compare_entries(a, b),
        _ => Truth::False,
    }
}

/// Whether collections with these element types can be equal. An empty one may not know its element type.
fn alike(a: &Type, b: &Type) -> bool {
    a == b || a.has_any() || b.has_any()
}

fn compare_unknowns(a: &Unknown, b: &Unknown) -> Truth {
    let apart = !may_be_equal_types(&a.ty, &b.ty)
        || !(a.prefix.starts_with(&*b.prefix) || b.prefix.starts_with(&*a.prefix))
        || a.max_len.is_some_and(|max| max < b.min_len)
        || b.max_len.is_some_and(|max| max < a.min_len);
    // Two nulls of different types are equal.
    if apart && (a.not_null || b.not_null) { Truth::False } else { Truth::Unknown }
}

fn may_be_equal_types(a: &Type, b: &Type) -> bool {
    a == b || a.has_any() || b.has_any()
}

fn compare_unknown(unknown: &Unknown, known: &Value) -> Truth {
    let length = match known.kind() {
        Kind::List(_, es) | Kind::Tuple(es) => Some(es.len()),
        Kind::Map(_, m) => Some(m.len()),
        _ => None,
    };
    let fits_length =
        length.is_none_or(|n| n >= unknown.min_len && unknown.max_len.is_none_or(|max| n <= max));
    let fits_prefix = known.as_str().is_none_or(|text| text.starts_with(&*unknown.prefix));
    match may_be_equal_types(&unknown.ty, &known.ty()) && fits_length && fits_prefix {
        true => Truth::Unknown,
        false => Truth::False,
    }
}

/// From left to right: what is met first decides, a difference or an unknown.
fn compare_sequences(a: &[Value], b: &[Value]) -> Truth {
    if a.len() != b.len() {
        return Truth::False;
    }
    for (left, right) in a.iter().zip(b) {
        match compare(left, right) {
            Truth::True => {}
            other => return other,
        }
    }
    Truth::True
}

fn compare_sets(left: &Value, right: &Value, a: &[Value], b: &[Value]) -> Truth {
    match left.is_wholly_known() && right.is_wholly_known() {
        true => match a.len() == b.len() {
            true => compare_sequences(a, b),
            false => Truth::False,
        },
        false => Truth::Unknown,
    }
}

/// Any difference decides, wherever it stands.
fn compare_entries(a: &BTreeMap<Arc<str>, Value>, b: &BTreeMap<Arc<str>, Value>) -> Truth {
    if !a.keys().eq(b.keys()) {
        return Truth::False;
    }
    let mut result = Truth::True;
    for (left, right) in a.values().zip(b.values()) {
        match compare(left, right) {
            Truth::True => {}
            Truth::False => return Truth::False,
            Truth::Unknown => result = Truth::Unknown,
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(value: i64) -> Value {
        Value::number(value)
    }

    #[test]
    fn types_are_not_converted() {
        assert_eq!(equal(&n(1), &Value::from("1")), Truth::False);
        let list = Value::list(Type::Number, [n(1)]);
        assert_eq!(equal(&Value::tuple([n(1)]), &list), Truth::False);
        assert_eq!(equal(&list, &list), Truth::True);
        assert_eq!(equal(&Value::null(Type::String), &Value::null(Type::Any)), Truth::True);
        let empty = Value::list(Type::Any, []);
        assert_eq!(equal(&empty, &Value::list(Type::String, [])), Truth::True);
    }

    #[test]
    fn what_is_known_of_an_unknown_can_decide() {
        let named = Value::unknown_with(Unknown { prefix: "pre-".into(), ..Unknown::not_null(Type::String) });
        assert_eq!(equal(&named, &Value::from("x")), Truth::False);
        assert_eq!(equal(&named, &Value::from("pre-x")), Truth::Unknown);
        assert_eq!(equal(&named, &Value::null(Type::Any)), Truth::False);
        assert_eq!(equal(&named, &n(1)), Truth::False);
        assert_eq!(equal(&Value::unknown(Type::String), &Value::null(Type::Any)), Truth::Unknown);
        let long = Value::unknown_with(Unknown { min_len: 2, ..Unknown::not_null(Type::list(Type::String)) });
        assert_eq!(equal(&long, &Value::list(Type::String, [Value::from("a")])), Truth::False);
    }

    #[test]
    fn sequences_go_from_left_to_right_and_objects_do_not() {
        let u = || Value::unknown(Type::String);
        let pair = |a, b| Value::tuple([a, b]);
        assert_eq!(equal(&pair(n(1), u()), &pair(n(2), "x".into())), Truth::False);
        assert_eq!(equal(&pair(u(), n(1)), &pair("x".into(), n(2))), Truth::Unknown);
        let object = |a, b| Value::object([("a", a), ("b", b)]);
        assert_eq!(equal(&object(u(), n(1)), &object("x".into(), n(2))), Truth::False);
        let open = pair(n(1), Value::unknown(Type::Any));
        assert_eq!(equal(&open, &pair(n(2), "x".into())), Truth::Unknown);
    }
}
