//! Functions of maps and objects, and `length`.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::convert::convert;
use terrane_model::value::Marks;
use terrane_model::{Kind, Type, Unknown, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::{Fault, Given, Outcome, unknown};
use crate::eval::undetermined;

fn count(n: usize) -> Value {
    Value::number(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Elements, or characters as people count them.
pub(super) fn length(given: &Given<'_>) -> Outcome {
    let value = given.value(0)?;
    let length = match value.kind() {
        Kind::String(text) => count(text.graphemes(true).count()),
        Kind::List(_, elements) | Kind::Tuple(elements) => count(elements.len()),
        Kind::Set(_, elements) if elements.len() > 1 && !value.is_wholly_known() => unknown(Type::Number),
        Kind::Set(_, elements) => count(elements.len()),
        Kind::Map(_, entries) | Kind::Object(entries) => count(entries.len()),
        Kind::Unknown(u) => match &u.ty {
            Type::Tuple(types) => count(types.len()),
            Type::Object(fields) => count(fields.len()),
            Type::Any | Type::String => unknown(Type::Number),
            ty if ty.is_collection() && u.max_len == Some(u.min_len) => count(u.min_len),
            ty if ty.is_collection() => unknown(Type::Number),
            _ => return Err(Fault::new("it takes text, a collection, a tuple or an object")),
        },
        _ => return Err(Fault::new("it takes text, a collection, a tuple or an object")),
    };
    Ok(length.with_marks(value.marks()))
}

/// Sorted: a tuple for an object, a list for a map.
pub(super) fn keys(given: &Given<'_>) -> Outcome {
    let value = given.value(0)?;
    let text = |name: &Arc<str>| Value::new(Kind::String(name.clone()));
    let keys = match value.kind() {
        Kind::Object(entries) => Value::tuple(entries.keys().map(text)),
        Kind::Map(_, entries) => Value::list(Type::String, entries.keys().map(text)),
        Kind::Unknown(u) => match &u.ty {
            Type::Object(fields) => Value::tuple(fields.keys().map(text)),
            Type::Map(_) => Value::unknown_with(Unknown {
                min_len: u.min_len,
                max_len: u.max_len,
                ..Unknown::not_null(Type::list(Type::String))
            }),
            Type::Any => undetermined(),
            _ => return Err(Fault::at(0, "a map or object is needed")),
        },
        _ => return Err(Fault::at(0, "a map or object is needed")),
    };
    Ok(keys.with_marks(value.marks()))
}

/// In the order of the keys: a tuple for an object, a list for a map.
pub(super) fn values(given: &Given<'_>) -> Outcome {
    let value = given.value(0)?;
    let values = match value.kind() {
        Kind::Object(entries) => Value::tuple(entries.values().cloned()),
        Kind::Map(element, entries) => Value::list(element.clone(), entries.values().cloned()),
        Kind::Unknown(u) => match &u.ty {
            Type::Object(fields) => Value::tuple(fields.values().map(|f| Value::unknown(f.ty.clone()))),
            Type::Map(element) => Value::unknown_with(Unknown {
                min_len: u.min_len,
                max_len: u.max_len,
                ..Unknown::not_null(Type::List(element.clone()))
            }),
            Type::Any => undetermined(),
            _ => return Err(Fault::new("it takes a map or object")),
        },
        _ => return Err(Fault::new("it takes a map or object")),
    };
    Ok(values.with_marks(value.marks()))
}

/// An element by its key, or the default.
pub(super) fn lookup(given: &Given<'_>) -> Outcome {
    let (value, key, default) = (given.value(0)?, given.value(1)?, given.values.get(2));
    if given.values.len() > 3 {
        return Err(Fault::new("it takes a map, a key and one default"));
    }
    let marks = value.marks().union(key.marks());
    let default = match (value.ty(), default) {
        (Type::Map(element), Some(default)) => Some(convert(default, &element).map_err(|e| {
            Fault::at(2, format!("the default must fit the type of the map's elements: {}", e.detail))
        })?),
        (_, default) => default.cloned(),
    };
    let found = match (value.kind(), key.as_str()) {
        (Kind::Map(..) | Kind::Object(_), Some(name)) => match (value.get(name), default) {
            (Some(found), _) => found.clone(),
            (None, Some(default)) => default,
            (None, None) if marks.any() => return Err(Fault::at(0, "it has no element of that name")),
            (None, None) => return Err(Fault::at(0, format!("it has no element `{name}`"))),
        },
        (Kind::Map(element, _), None) => Value::unknown(element.clone()),
        (Kind::Object(_), None) => Value::unknown(Type::Any),
        (Kind::Unknown(u), name) => match (&u.ty, name) {
            (Type::Map(element), _) => Value::unknown((**element).clone()),
            (Type::Object(fields), Some(name)) => match (fields.get(name), default) {
                (Some(field), _) => Value::unknown(field.ty.clone()),
                (None, Some(default)) => default,
                (None, None) => return Err(Fault::at(0, format!("it has no element `{name}`"))),
            },
            (Type::Any | Type::Object(_), _) => Value::unknown(Type::Any),
            _ => return Err(Fault::at(0, "a map or object is needed")),
        },
        _ => return Err(Fault::at(0, "a map or object is needed")),
    };
    Ok(found.with_marks(marks))
}

/// Later arguments win. Maps of one type give a map, everything else an object; null is passed over.
pub(super) fn merge(given: &Given<'_>) -> Outcome {
    let mut marks = Marks::default();
    let mut entries = BTreeMap::new();
    let mut known = true;
    for value in given.values {
        marks = marks.union(value.marks());
        match value.kind() {
            Kind::Map(_, more) | Kind::Object(more) => {
                entries.extend(more.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            Kind::Null(Type::Any | Type::Map(_) | Type::Object(_)) => {}
            Kind::Unknown(u) => match &u.ty {
                Type::Object(fields) if u.not_null => {
                    entries.extend(fields.iter().map(|(k, f)| (k.clone(), Value::unknown(f.ty.clone()))));
                }
                Type::Object(_) | Type::Map(_) | Type::Any => known = false,
                _ => return Err(Fault::new("its arguments must be maps or objects")),
            },
            _ => return Err(Fault::new("its arguments must be maps or objects")),
        }
    }
    let mut types = given.values.iter().map(Value::ty);
    let element = match types.next() {
        Some(Type::Map(element)) if types.all(|t| t == Type::Map(element.clone())) => Some(element),
        _ => None,
    };
    Ok(match element {
        Some(element) if known => Value::new(Kind::Map((*element).clone(), Arc::new(entries))),
        Some(element) => unknown(Type::Map(element)),
        None if known => Value::new(Kind::Object(Arc::new(entries))),
        None => undetermined(),
    }
    .with_marks(marks))
}

/// From lists by key to keys by element.
pub(super) fn transpose(given: &Given<'_>) -> Outcome {
    let mut result: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (key, list) in given.value(0)?.entries().into_iter().flatten() {
        if list.is_null() {
            return Err(Fault::at(0, "a list in it is null"));
        }
        for element in list.elements() {
            let Kind::String(text) = element.kind() else {
                return Err(Fault::at(0, "an element of a list in it is null"));
            };
            result.entry(text.clone()).or_default().push(Value::new(Kind::String(key.clone())));
        }
    }
    let lists = result.into_iter().map(|(key, keys)| (key, Value::list(Type::String, keys)));
    Ok(Value::map(Type::list(Type::String), lists))
}

pub(super) fn transpose_type(_: &[Value]) -> Type {
    Type::map(Type::list(Type::String))
}

/// Keys and values to an object, or to a map where the values are a list.
pub(super) fn zipmap(given: &Given<'_>) -> Outcome {
    let (keys, values) = (given.value(0)?, given.value(1)?);
    let marks = values.marks();
    if !matches!(values.kind(), Kind::List(..) | Kind::Tuple(_)) {
        return Err(Fault::at(1, "a list or tuple is needed"));
    }
    let (names, elements) = (keys.elements(), values.elements());
    if names.len() != elements.len() {
        return Err(Fault::new(format!(
            "there are {} keys and {} values; there must be as many",
            names.len(),
            elements.len()
        )));
    }
    if names.iter().any(Value::is_unknown) {
        return Ok(match values.kind() {
            Kind::List(element, _) => unknown(Type::map(element.clone())),
            _ => undetermined(),
        }
        .with_marks(marks));
    }
    let mut entries = BTreeMap::new();
    for (name, element) in names.iter().zip(elements) {
        let Kind::String(name) = name.kind() else { return Err(Fault::at(0, "a key is null")) };
        entries.insert(name.clone(), element.clone());
    }
    let entries = Arc::new(entries);
    Ok(match values.kind() {
        Kind::List(element, _) => Value::new(Kind::Map(element.clone(), entries)),
        _ => Value::new(Kind::Object(entries)),
    }
    .with_marks(marks))
}

pub(super) fn zipmap_type(given: &[Value]) -> Type {
    match given.get(1).map(Value::ty) {
        Some(Type::List(element)) => Type::Map(element),
        _ => Type::Any,
    }
}
