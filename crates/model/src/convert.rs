//! The conversion rules of the language: when a value of one type may stand where another is asked for, and which type
//! values of several types have in common.
//!
//! Marks and unknowns stay on the element that has them. An unknown keeps what is known about it as far as that still
//! holds after the conversion.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::number::Number;
use crate::path::{Path, Step};
use crate::ty::{Field, Type};
use crate::value::{Kind, Marks, Unknown, Value};

mod unify;

pub use unify::unify;
use unify::{all_unknown, settled};

/// A value that does not fit a type: where in it, and both types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ConvertError {
    /// Where in the value the misfit lies.
    pub path: Path,
    /// What is asked for and what is there, as a clause that can end a sentence.
    pub detail: String,
}

impl ConvertError {
    fn new(detail: impl Into<String>) -> ConvertError {
        ConvertError { path: Path::default(), detail: detail.into() }
    }

    fn mismatch(from: &Type, to: &Type) -> ConvertError {
        ConvertError::new(format!("{} is needed, and this is {}", article(to), article(from)))
    }

    fn inside(mut self, step: Step) -> ConvertError {
        self.path.0.insert(0, step);
        self
    }
}

/// A type with its article, for sentences: `a list of string`, `an object`.
pub fn article(ty: &Type) -> String {
    let name = ty.friendly();
    match name.chars().next() {
        Some('a') if *ty == Type::Any => name,
        Some('a' | 'e' | 'i' | 'o' | 'u') => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

/// Brings a value to a type. Where the type says [`Type::Any`], the value keeps its own.
///
/// # Errors
/// When there is no conversion, or the text is no number or truth value.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    if fits(value, ty) {
        return Ok(value.clone());
    }
    let converted = match value.kind() {
        Kind::Null(from) => match result_type(from, ty) {
            Some(ty) => Value::null(ty),
            None => return Err(ConvertError::mismatch(from, ty)),
        },
        Kind::Unknown(unknown) => convert_unknown(unknown, ty)?,
        _ => match ty {
            Type::Any => value.clone(),
            Type::Bool | Type::Number | Type::String => convert_primitive(value, ty)?,
            Type::List(element) => match value.kind() {
                Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
                    let (element, elements) = convert_elements(value.elements(), element, ty)?;
                    Value::list(element, elements)
                }
                _ => return Err(ConvertError::mismatch(&value.ty(), ty)),
            },
            Type::Set(element) => match value.kind() {
                Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => convert_to_set(value, element, ty)?,
                _ => return Err(ConvertError::mismatch(&value.ty(), ty)),
            },
            Type::Map(element) => match value.kind() {
                Kind::Map(_, entries) | Kind::Object(entries) => convert_to_map(entries, element, ty)?,
                _ => return Err(ConvertError::mismatch(&value.ty(), ty)),
            },
            Type::Tuple(types) => match value.kind() {
                Kind::Tuple(elements) => convert_to_tuple(elements, types)?,
                _ => return Err(ConvertError::mismatch(&value.ty(), ty)),
            },
            Type::Object(fields) => match value.kind() {
                Kind::Map(_, entries) | Kind::Object(entries) => convert_to_object(entries, fields)?,
                _ => return Err(ConvertError::mismatch(&value.ty(), ty)),
            },
        },
    };
    Ok(converted.with_marks(value.marks()))
}

/// Whether the value is of the type as it stands, seen without walking through collections.
fn fits(value: &Value, ty: &Type) -> bool {
    match (value.kind(), ty) {
        (_, Type::Any)
        | (Kind::Bool(_), Type::Bool)
        | (Kind::Number(_), Type::Number)
        | (Kind::String(_), Type::String) => true,
        (Kind::Null(have), want) => have == want && !has_optional(want),
        (Kind::Unknown(unknown), want) => unknown.ty == *want && !has_optional(want),
        (Kind::List(have, _), Type::List(want))
        | (Kind::Set(have, _), Type::Set(want))
        | (Kind::Map(have, _), Type::Map(want)) => *have == **want && !want.has_any(),
        _ => false,
    }
}

fn convert_primitive(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    match (value.kind(), ty) {
        (Kind::Bool(b), Type::String) => Ok(Value::from(if *b { "true" } else { "false" })),
        (Kind::Number(n), Type::String) => Ok(Value::string(n.to_string())),
        (Kind::String(text), Type::Number) => text.parse::<Number>().map(Value::number).map_err(|_| {
            ConvertError::new("a number is needed, and this is a string that is no decimal number")
        }),
        (Kind::String(text), Type::Bool) => match &**text {
            "true" | "1" => Ok(Value::bool(true)),
            "false" | "0" => Ok(Value::bool(false)),
            _ => Err(ConvertError::new(
                "a bool is needed, and this is a string that is neither \"true\" nor \"false\"",
            )),
        },
        _ => Err(ConvertError::mismatch(&value.ty(), ty)),
    }
}

fn convert_unknown(unknown: &Unknown, ty: &Type) -> Result<Value, ConvertError> {
    let Some(result) = result_type(&unknown.ty, ty) else {
        return Err(ConvertError::mismatch(&unknown.ty, ty));
    };
    let mut kept = Unknown { ty: result, ..unknown.clone() };
    if unknown.ty != Type::String || kept.ty != Type::String {
        kept.prefix = "".into();
    }
    let counts = |t: &Type| t.is_collection();
    match (&unknown.ty, &kept.ty) {
        (Type::Tuple(types), Type::List(_)) => {
            (kept.min_len, kept.max_len) = (types.len(), Some(types.len()));
        }
        (Type::Tuple(types), Type::Set(_)) => {
            (kept.min_len, kept.max_len) = (types.len().min(1), Some(types.len()));
        }
        (Type::Object(fields), Type::Map(_)) => {
            (kept.min_len, kept.max_len) = (fields.len(), Some(fields.len()));
        }
        (Type::List(_), Type::Set(_)) => kept.min_len = kept.min_len.min(1),
        (Type::Set(from), Type::Set(to)) if from != to => kept.min_len = kept.min_len.min(1),
        (from, to) if counts(from) && counts(to) => {}
        _ => (kept.min_len, kept.max_len) = (0, None),
    }
    Ok(Value::unknown_with(kept))
}

/// Converts each element, then finds the element type where the constraint leaves it open.
fn convert_elements(
    elements: &[Value],
    element: &Type,
    whole: &Type,
) -> Result<(Type, Vec<Value>), ConvertError> {
    let converted = elements
        .iter()
        .enumerate()
        .map(|(i, v)| convert(v, element).map_err(|e| e.inside(Step::Index(i))))
        .collect::<Result<Vec<Value>, ConvertError>>()?;
    share_type(converted, element, whole)
}

/// Gives elements that were converted to a constraint one common type.
fn share_type(
    elements: Vec<Value>,
    element: &Type,
    whole: &Type,
) -> Result<(Type, Vec<Value>), ConvertError> {
    if !element.has_any() {
        return Ok((without_optional(element), elements));
    }
    let types: Vec<Type> = elements.iter().map(Value::ty).collect();
    let Some(common) = unify(&types) else {
        return Err(ConvertError::new(format!(
            "{} needs elements of one type, and these have no type in common: {}",
            article(whole),
            few_types(&types)
        )));
    };
    if types.iter().all(|t| *t == common) {
        return Ok((common, elements));
    }
    if !settled(&elements, &common) {
        return Ok((Type::Any, all_unknown(&elements)));
    }
    let elements = elements
        .iter()
        .enumerate()
        .map(|(i, v)| convert(v, &common).map_err(|e| e.inside(Step::Index(i))))
        .collect::<Result<Vec<Value>, ConvertError>>()?;
    Ok((common, elements))
}

/// The distinct types in words, the first few of them.
fn few_types(types: &[Type]) -> String {
    let mut names: Vec<String> = Vec::new();
    for ty in types {
        let name = ty.friendly();
        if !names.contains(&name) && names.len() < 4 {
            names.push(name);
        }
    }
    names.join(", ")
}

fn convert_to_set(value: &Value, element: &Type, ty: &Type) -> Result<Value, ConvertError> {
    let (element, elements) = convert_elements(value.elements(), element, ty)?;
    // Neighbours of an unknown of open type were made unknown; which of them are equal is open too.
    let forgotten = value.elements().iter().zip(&elements).any(|(v, e)| e.is_unknown() && !v.is_unknown());
    if forgotten {
        let marks = elements.iter().fold(Marks::default(), |m, v| m.union(v.marks()));
        let set = Type::set(Type::Any);
        let count = Unknown { min_len: 1, max_len: Some(elements.len()), ..Unknown::not_null(set) };
        return Ok(Value::unknown_with(count).with_marks(marks));
    }
    Ok(Value::set(element, elements))
}

fn convert_to_map(
    entries: &BTreeMap<Arc<str>, Value>,
    element: &Type,
    ty: &Type,
) -> Result<Value, ConvertError> {
    let converted = entries
        .iter()
        .map(|(k, v)| convert(v, element).map_err(|e| e.inside(Step::Key(k.clone()))))
        .collect::<Result<Vec<Value>, ConvertError>>()?;
    let (element, converted) = share_type(converted, element, ty).map_err(|mut error| {
        let key = match error.path.0.first() {
            Some(Step::Index(i)) => entries.keys().nth(*i),
            _ => None,
        };
        if let Some(key) = key {
            error.path.0.splice(..1, [Step::Key(key.clone())]);
        }
        error
    })?;
    Ok(Value::map(element, entries.keys().cloned().zip(converted)))
}

fn convert_to_tuple(elements: &[Value], types: &[Type]) -> Result<Value, ConvertError> {
    if elements.len() != types.len() {
        return Err(ConvertError::new(format!(
            "a tuple of {} elements is needed, and this is a tuple of {}",
            types.len(),
            elements.len()
        )));
    }
    let converted = elements
        .iter()
        .zip(types)
        .enumerate()
        .map(|(i, (v, t))| convert(v, t).map_err(|e| e.inside(Step::Index(i))))
        .collect::<Result<Vec<Value>, ConvertError>>()?;
    Ok(Value::tuple(converted))
}

fn convert_to_object(
    entries: &BTreeMap<Arc<str>, Value>,
    fields: &BTreeMap<Arc<str>, Field>,
) -> Result<Value, ConvertError> {
    let mut converted = Vec::with_capacity(fields.len());
    for (name, field) in fields {
        let value = match entries.get(name) {
            Some(v) => convert(v, &field.ty).map_err(|e| e.inside(Step::Attribute(name.clone())))?,
            None if field.optional => Value::null(without_optional(&field.ty)),
            None => return Err(ConvertError::new(missing(name, entries))),
        };
        converted.push((name.clone(), value));
    }
    Ok(Value::object(converted))
}

fn missing(name: &str, entries: &BTreeMap<Arc<str>, Value>) -> String {
    let mut detail = format!("the attribute `{name}` is needed, and this object does not have it");
    if let Some(near) = crate::nearest::nearest(name, entries.keys().map(|k| &**k)) {
        detail.push_str(&format!(" (it has `{near}`)"));
    }
    detail
}

/// The type that a value of type `from` has after a conversion to `to`; nothing when there is no conversion.
///
/// Text counts as convertible to numbers and truth values, though a given text may not be.
pub fn result_type(from: &Type, to: &Type) -> Option<Type> {
    match (from, to) {
        (from, Type::Any) => Some(from.clone()),
        (Type::Any, to) => Some(without_optional(to)),
        (Type::Bool | Type::Number | Type::String, Type::String)
        | (Type::Number | Type::String, Type::Number)
        | (Type::Bool | Type::String, Type::Bool) => Some(to.clone()),
        (Type::List(f) | Type::Set(f), Type::List(t)) => Some(Type::list(result_type(f, t)?)),
        (Type::List(f) | Type::Set(f), Type::Set(t)) => Some(Type::set(result_type(f, t)?)),
        (Type::Tuple(fs), Type::List(t)) => Some(Type::list(common_type(fs.iter(), t)?)),
        (Type::Tuple(fs), Type::Set(t)) => Some(Type::set(common_type(fs.iter(), t)?)),
        (Type::Map(f), Type::Map(t)) => Some(Type::map(result_type(f, t)?)),
        (Type::Object(fs), Type::Map(t)) => {
            Some(Type::map(common_type(fs.values().map(|field| &field.ty), t)?))
        }
        (Type::Tuple(fs), Type::Tuple(ts)) if fs.len() == ts.len() => {
            let types: Option<Vec<Type>> = fs.iter().zip(ts.iter()).map(|(f, t)| result_type(f, t)).collect();
            Some(Type::tuple(types?))
        }
        (Type::Map(f), Type::Object(ts)) => {
            let types: Option<Vec<(Arc<str>, Type)>> =
                ts.iter().map(|(name, field)| Some((name.clone(), result_type(f, &field.ty)?))).collect();
            Some(Type::object(types?))
        }
        (Type::Object(fs), Type::Object(ts)) => {
            let types: Option<Vec<(Arc<str>, Type)>> = ts
                .iter()
                .map(|(name, field)| match fs.get(name) {
                    Some(f) => Some((name.clone(), result_type(&f.ty, &field.ty)?)),
                    None if field.optional => Some((name.clone(), without_optional(&field.ty))),
                    None => None,
                })
                .collect();
            Some(Type::object(types?))
        }
        _ => None,
    }
}

fn common_type<'t>(from: impl Iterator<Item = &'t Type>, to: &Type) -> Option<Type> {
    let types: Vec<Type> = from.map(|f| result_type(f, to)).collect::<Option<_>>()?;
    if to.has_any() { unify(&types) } else { Some(without_optional(to)) }
}

fn has_optional(ty: &Type) -> bool {
    match ty {
        Type::Any | Type::Bool | Type::Number | Type::String => false,
        Type::List(e) | Type::Set(e) | Type::Map(e) => has_optional(e),
        Type::Tuple(es) => es.iter().any(has_optional),
        Type::Object(fs) => fs.values().any(|f| f.optional || has_optional(&f.ty)),
    }
}

/// The type without `optional(..)`: what values that meet the constraint have.
pub fn without_optional(ty: &Type) -> Type {
    if !has_optional(ty) {
        return ty.clone();
    }
    match ty {
        Type::Any | Type::Bool | Type::Number | Type::String => ty.clone(),
        Type::List(e) => Type::list(without_optional(e)),
        Type::Set(e) => Type::set(without_optional(e)),
        Type::Map(e) => Type::map(without_optional(e)),
        Type::Tuple(es) => Type::tuple(es.iter().map(without_optional)),
        Type::Object(fs) => Type::object(fs.iter().map(|(n, f)| (n.clone(), without_optional(&f.ty)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: i64) -> Value {
        Value::number(n)
    }

    #[test]
    fn primitives_convert_through_text_only() {
        assert_eq!(convert(&number(1), &Type::String), Ok(Value::from("1")));
        assert_eq!(convert(&Value::bool(true), &Type::String), Ok(Value::from("true")));
        assert_eq!(convert(&Value::from("1.5e1"), &Type::Number), Ok(number(15)));
        assert_eq!(convert(&Value::from("0"), &Type::Bool), Ok(Value::bool(false)));
        assert!(convert(&Value::from("yes"), &Type::Bool).is_err());
        assert!(convert(&number(1), &Type::Bool).is_err());
        let error = convert(&Value::bool(true), &Type::Number).unwrap_err();
        assert!(error.detail.contains("number") && error.detail.contains("bool"), "{error}");
    }

    #[test]
    fn tuples_become_lists_of_the_common_type() {
        let tuple = Value::tuple([Value::null(Type::Any), number(1), Value::from("a")]);
        let list = convert(&tuple, &Type::list(Type::Any)).unwrap();
        assert_eq!(list.ty(), Type::list(Type::String));
        assert_eq!(list.elements(), [Value::null(Type::String), Value::from("1"), Value::from("a")]);
        assert!(convert(&Value::tuple([number(1), Value::bool(true)]), &Type::list(Type::Any)).is_err());
        let empty = convert(&Value::tuple([]), &Type::list(Type::Any)).unwrap();
        assert_eq!(empty.ty(), Type::list(Type::Any));
        assert_eq!(convert(&empty, &Type::set(Type::String)), Ok(Value::set(Type::String, [])));
    }

    #[test]
    fn sets_lose_duplicates_that_appear_by_conversion() {
        let set = convert(&Value::tuple([number(1), Value::from("1")]), &Type::set(Type::Any)).unwrap();
        assert_eq!(set, Value::set(Type::String, [Value::from("1")]));
    }

    #[test]
    fn objects_take_optional_attributes_as_null_and_drop_others() {
        let ty = Type::Object(Arc::new(BTreeMap::from([
            ("pk".into(), Field { ty: Type::String, optional: false }),
            ("rk".into(), Field { ty: Type::String, optional: true }),
        ])));
        let given = Value::object([("pk", number(1)), ("extra", Value::bool(true))]);
        let expected = Value::object([("pk", Value::from("1")), ("rk", Value::null(Type::String))]);
        assert_eq!(convert(&given, &ty), Ok(expected.clone()));
        let maps = convert(&Value::object([("a", given)]), &Type::map(ty)).unwrap();
        assert!(!maps.ty().element().unwrap().has_any());
        assert_eq!(maps.get("a"), Some(&expected));
    }

    #[test]
    fn misfits_say_where_they_are() {
        let ty = Type::map(Type::list(Type::Number));
        let given = Value::object([("a", Value::tuple([number(1), Value::from("x")]))]);
        let error = convert(&given, &ty).unwrap_err();
        assert_eq!(error.path.to_string(), "[\"a\"][1]");
        let ty = Type::object([("name", Type::String)]);
        let error = convert(&Value::object([("nam", number(1))]), &ty).unwrap_err();
        assert!(error.detail.contains("`name`") && error.detail.contains("`nam`"), "{error}");
    }

    #[test]
    fn marks_stay_on_the_element() {
        let tuple = Value::tuple([number(1).sensitive(), number(2)]);
        let list = convert(&tuple, &Type::list(Type::String)).unwrap();
        assert!(!list.marks().any());
        assert!(list.elements()[0].marks().sensitive && !list.elements()[1].marks().any());
    }

    #[test]
    fn unknowns_keep_what_is_known() {
        let named = Unknown { prefix: "arn:".into(), ..Unknown::not_null(Type::String) };
        let kept = convert(&Value::unknown_with(named.clone()), &Type::Any).unwrap();
        assert_eq!(kept, Value::unknown_with(named));
        let list = Unknown { min_len: 2, max_len: Some(3), ..Unknown::not_null(Type::list(Type::Number)) };
        let set = convert(&Value::unknown_with(list), &Type::set(Type::String)).unwrap();
        let expected = Unknown { min_len: 1, max_len: Some(3), ..Unknown::not_null(Type::set(Type::String)) };
        assert_eq!(set, Value::unknown_with(expected));
        assert!(convert(&Value::unknown(Type::Bool), &Type::Number).is_err());
    }

    #[test]
    fn an_unknown_of_open_type_leaves_its_neighbours_open_too() {
        let open = Value::tuple([Value::unknown(Type::Any), number(1)]);
        let list = convert(&open, &Type::list(Type::Any)).unwrap();
        assert_eq!(list.elements().len(), 2);
        assert!(list.elements().iter().all(Value::is_unknown), "1 may turn out to be \"1\"");
        let text = Value::tuple([Value::unknown(Type::Any), Value::from("a")]);
        let list = convert(&text, &Type::list(Type::Any)).unwrap();
        assert_eq!(list.elements(), [Value::unknown(Type::String), Value::from("a")]);
    }
}
