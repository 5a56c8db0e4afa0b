//! Functions of lists and tuples.

use terrane_model::convert::{convert, unify};
use terrane_model::{Kind, Number, Type, Unknown, Value};

use super::{Fault, Given, Outcome, unknown};
use crate::eval::{Truth, equal, undetermined, unknown_bool};

/// The most elements of a list that is put together out of others.
const MAX_ELEMENTS: usize = 10_000_000;

fn check_count(count: usize) -> Result<(), Fault> {
    match count > MAX_ELEMENTS {
        true => Err(Fault::new(format!("the result would have more than {MAX_ELEMENTS} elements"))),
        false => Ok(()),
    }
}

/// The most numbers that `range` makes.
const MAX_RANGE: usize = 1024;

fn sequence_needed(place: usize) -> Fault {
    Fault::at(place, "a list or tuple is needed")
}

/// The element type of a list; any for everything else.
fn element_type(value: &Value) -> Type {
    value.ty().element().cloned().unwrap_or(Type::Any)
}

pub(super) fn all_true(given: &Given<'_>) -> Outcome {
    for value in given.value(0)?.elements() {
        match value.kind() {
            Kind::Unknown(_) => return Ok(unknown_bool()),
            Kind::Bool(true) => {}
            _ => return Ok(Value::bool(false)),
        }
    }
    Ok(Value::bool(true))
}

pub(super) fn any_true(given: &Given<'_>) -> Outcome {
    let elements = given.value(0)?.elements();
    Ok(match elements.iter().any(|v| v.as_bool() == Some(true)) {
        true => Value::bool(true),
        false if elements.iter().any(Value::is_unknown) => unknown_bool(),
        false => Value::bool(false),
    })
}

pub(super) fn chunk_list(given: &Given<'_>) -> Outcome {
    let list = given.value(0)?;
    let marks = list.marks();
    let size = usize::try_from(given.whole(1)?).map_err(|_| Fault::at(1, "it must not be negative"))?;
    let element = element_type(list);
    let elements = list.elements();
    let size = if size == 0 { elements.len().max(1) } else { size };
    let chunks = elements.chunks(size).map(|chunk| Value::list(element.clone(), chunk.iter().cloned()));
    Ok(Value::list(Type::list(element.clone()), chunks).with_marks(marks))
}

pub(super) fn chunk_list_type(given: &[Value]) -> Type {
    Type::list(Type::list(given.first().map_or(Type::Any, element_type)))
}

/// Drops null and empty text.
pub(super) fn compact(given: &Given<'_>) -> Outcome {
    let kept = given.value(0)?.elements().iter().filter(|v| v.as_str().is_some_and(|s| !s.is_empty()));
    Ok(Value::list(Type::String, kept.cloned()))
}

/// Lists of one type give a list, everything else a tuple.
pub(super) fn concat(given: &Given<'_>) -> Outcome {
    let mut marks = terrane_model::value::Marks::default();
    let mut elements = Vec::new();
    let mut known = true;
    for value in given.values {
        marks = marks.union(value.marks());
        check_count(elements.len() + value.elements().len())?;
        match value.kind() {
            Kind::List(_, es) | Kind::Tuple(es) => elements.extend(es.iter().cloned()),
            Kind::Unknown(u) => match &u.ty {
                Type::Tuple(types) => elements.extend(types.iter().cloned().map(Value::unknown)),
                Type::List(_) | Type::Any => known = false,
                _ => return Err(Fault::new("its arguments must be lists or tuples")),
            },
            _ => return Err(Fault::new("its arguments must be lists or tuples")),
        }
    }
    let ty = concat_type(given.values);
    Ok(match ty.element() {
        _ if !known => unknown(ty),
        Some(element) => Value::list(element.clone(), elements),
        None => Value::tuple(elements),
    }
    .with_marks(marks))
}

fn concat_type(given: &[Value]) -> Type {
    let mut types = given.iter().map(Value::ty);
    match types.next() {
        Some(first @ Type::List(_)) if types.all(|t| t == first) => first,
        _ => Type::Any,
    }
}

/// Whether an element is equal, without conversion.
pub(super) fn contains(given: &Given<'_>) -> Outcome {
    let (list, wanted) = (given.value(0)?, given.value(1)?);
    if !matches!(list.kind(), Kind::List(..) | Kind::Set(..) | Kind::Tuple(_)) {
        return Err(Fault::new("it looks into a list, set or tuple"));
    }
    let mut undecided = false;
    for element in list.elements() {
        match equal(wanted, element) {
            Truth::True => return Ok(Value::bool(true)),
            Truth::Unknown => undecided = true,
            Truth::False => {}
        }
    }
    Ok(if undecided { unknown_bool() } else { Value::bool(false) })
}

pub(super) fn distinct(given: &Given<'_>) -> Outcome {
    let list = given.value(0)?;
    let mut seen = std::collections::BTreeSet::new();
    let kept = list.elements().iter().filter(|v| seen.insert(*v));
    let kept: Vec<Value> = kept.cloned().collect();
    Ok(Value::list(element_type(list), kept))
}

pub(super) fn same_list_type(given: &[Value]) -> Type {
    Type::list(given.first().map_or(Type::Any, element_type))
}

/// The index wraps around.
pub(super) fn element(given: &Given<'_>) -> Outcome {
    let list = given.value(0)?;
    let index = given.value(1)?;
    let place = match index.as_number() {
        None => None,
        Some(_) => {
            Some(usize::try_from(given.whole(1)?).map_err(|_| Fault::new("the index must not be negative"))?)
        }
    };
    let elements = match list.kind() {
        Kind::List(_, elements) | Kind::Tuple(elements) => elements,
        Kind::Unknown(u) => match (&u.ty, place) {
            (Type::List(element), _) => {
                return Ok(Value::unknown((**element).clone()).with_marks(list.marks()));
            }
            (Type::Tuple(types), Some(place)) if !types.is_empty() => {
                let ty = types.get(place % types.len()).cloned().unwrap_or(Type::Any);
                return Ok(Value::unknown(ty).with_marks(list.marks()));
            }
            (Type::Any | Type::Tuple(_), _) => return Ok(Value::unknown(Type::Any).with_marks(list.marks())),
            _ => return Err(Fault::new("it takes a list or tuple")),
        },
        _ => return Err(Fault::new("it takes a list or tuple")),
    };
    if elements.is_empty() {
        return Err(Fault::new("the list is empty"));
    }
    let Some(place) = place else { return Ok(Value::unknown(element_type(list)).with_marks(list.marks())) };
    let found = elements.get(place % elements.len()).cloned();
    Ok(found.unwrap_or_else(undetermined).with_marks(list.marks()))
}

/// Puts the elements of nested lists, sets and tuples in their place, at every depth.
pub(super) fn flatten(given: &Given<'_>) -> Outcome {
    fn flat(value: &Value, into: &mut Vec<Value>, marks: &mut terrane_model::value::Marks) -> bool {
        *marks = marks.union(value.marks());
        let mut known = true;
        for element in value.elements() {
            match element.kind() {
                Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => known &= flat(element, into, marks),
                Kind::Unknown(u)
                    if matches!(u.ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)) =>
                {
                    *marks = marks.union(element.marks());
                    known = false;
                }
                _ => into.push(element.clone()),
            }
            if into.len() > MAX_ELEMENTS {
                break;
            }
        }
        known
    }
    let list = given.value(0)?;
    if !matches!(list.kind(), Kind::List(..) | Kind::Set(..) | Kind::Tuple(_)) {
        return Err(Fault::new("it takes a list, set or tuple"));
    }
    let (mut elements, mut marks) = (Vec::new(), Default::default());
    let known = flat(list, &mut elements, &mut marks);
    check_count(elements.len())?;
    Ok(if known { Value::tuple(elements) } else { undetermined() }.with_marks(marks))
}

/// The place of the first equal element.
pub(super) fn index(given: &Given<'_>) -> Outcome {
    let (list, wanted) = (given.value(0)?, given.value(1)?);
    if !matches!(list.kind(), Kind::List(..) | Kind::Tuple(_)) {
        return Err(Fault::new("it looks into a list or tuple"));
    }
    for (place, element) in list.elements().iter().enumerate() {
        match equal(element, wanted) {
            Truth::True => return Ok(Value::number(i64::try_from(place).unwrap_or(i64::MAX))),
            Truth::Unknown => return Ok(unknown(Type::Number)),
            Truth::False => {}
        }
    }
    Err(Fault::new("no element is equal to the value"))
}

/// Of the values those whose key, at the same place, is among the wanted ones.
pub(super) fn match_keys(given: &Given<'_>) -> Outcome {
    let (values, keys, wanted) = (given.value(0)?, given.value(1)?, given.value(2)?);
    if values.elements().len() != keys.elements().len() {
        return Err(Fault::new("there must be as many keys as values"));
    }
    let common = unify(&[keys.ty(), wanted.ty()])
        .ok_or_else(|| Fault::new("the keys and those that are wanted must have one type"))?;
    let convert = |value: &Value| convert(value, &common).map_err(|e| Fault::new(e.detail));
    let (keys, wanted) = (convert(keys)?, convert(wanted)?);
    let wanted: std::collections::BTreeSet<&Value> = wanted.elements().iter().collect();
    let kept: Vec<Value> = values
        .elements()
        .iter()
        .zip(keys.elements())
        .filter(|(_, key)| wanted.contains(key))
        .map(|(value, _)| value.clone())
        .collect();
    Ok(Value::list(element_type(values), kept))
}

pub(super) fn range(given: &Given<'_>) -> Outcome {
    let zero = Number::from(0);
    let one = Number::from(1);
    let (start, end, step) = match given.values.len() {
        1 => (zero.clone(), given.number(0)?.clone(), None),
        2 => (given.number(0)?.clone(), given.number(1)?.clone(), None),
        3 => (given.number(0)?.clone(), given.number(1)?.clone(), Some(given.number(2)?.clone())),
        _ => return Err(Fault::new("it takes one, two or three numbers")),
    };
    let step = step.unwrap_or_else(|| if end < start { -one } else { one });
    if step == zero {
        return Err(Fault::new("the step must not be zero"));
    }
    let down = step < zero;
    if (down && end > start) || (!down && end < start) {
        return Err(Fault::new("the step leads away from the end"));
    }
    let mut numbers = Vec::new();
    let mut next = start;
    while if down { next > end } else { next < end } {
        if numbers.len() >= MAX_RANGE {
            return Err(Fault::new(format!("it would give more than {MAX_RANGE} numbers")));
        }
        numbers.push(Value::number(next.clone()));
        next = next.checked_add(&step).ok_or_else(|| Fault::new("the numbers must be finite"))?;
    }
    Ok(Value::list(Type::Number, numbers))
}

pub(super) fn number_list(_: &[Value]) -> Type {
    Type::list(Type::Number)
}

pub(super) fn reverse(given: &Given<'_>) -> Outcome {
    let list = given.value(0)?;
    let reversed = list.elements().iter().rev().cloned();
    Ok(match list.kind() {
        Kind::List(element, _) | Kind::Set(element, _) => Value::list(element.clone(), reversed),
        Kind::Tuple(_) => Value::tuple(reversed),
        _ => return Err(Fault::at(0, "a list, set or tuple is needed")),
    }
    .with_marks(list.marks()))
}

pub(super) fn reverse_type(given: &[Value]) -> Type {
    match given.first().map(Value::ty) {
        Some(Type::List(element) | Type::Set(element)) => Type::List(element),
        Some(Type::Tuple(types)) => Type::tuple(types.iter().rev().cloned()),
        _ => Type::Any,
    }
}

pub(super) fn slice(given: &Given<'_>) -> Outcome {
    let list = given.value(0)?;
    let elements = match list.kind() {
        Kind::List(_, elements) | Kind::Tuple(elements) => elements,
        Kind::Set(..) => {
            return Err(Fault::at(
                0,
                "the elements of a set have no places; make a list of it with `tolist`",
            ));
        }
        _ => return Err(sequence_needed(0)),
    };
    let bound = |place: usize| -> Result<usize, Fault> {
        let number = given.whole(place)?;
        usize::try_from(number).map_err(|_| Fault::at(place, "it must not be negative"))
    };
    let (start, end) = (bound(1)?, bound(2)?);
    if end > elements.len() {
        return Err(Fault::at(
            2,
            format!("it must not be greater than the number of elements, {}", elements.len()),
        ));
    }
    let Some(part) = elements.get(start..end) else {
        return Err(Fault::at(1, "it must not be greater than the end"));
    };
    let part = part.iter().cloned();
    Ok(match list.kind() {
        Kind::List(element, _) => Value::list(element.clone(), part),
        _ => Value::tuple(part),
    }
    .with_marks(list.marks()))
}

pub(super) fn slice_type(given: &[Value]) -> Type {
    match given.first().map(Value::ty) {
        Some(ty @ Type::List(_)) => ty,
        _ => Type::Any,
    }
}

/// By code points.
pub(super) fn sort(given: &Given<'_>) -> Outcome {
    let list = given.value(0)?;
    if list.elements().iter().any(Value::is_null) {
        return Err(Fault::at(0, "an element is null"));
    }
    if !list.is_wholly_known() {
        let count = list.elements().len();
        return Ok(Value::unknown_with(Unknown {
            min_len: count,
            max_len: Some(count),
            ..Unknown::not_null(Type::list(Type::String))
        }));
    }
    let mut elements = list.elements().to_vec();
    elements.sort();
    Ok(Value::list(Type::String, elements))
}

pub(super) fn sum(given: &Given<'_>) -> Outcome {
    let list = given.value(0)?;
    if !matches!(list.kind(), Kind::List(..) | Kind::Set(..) | Kind::Tuple(_)) {
        return Err(Fault::at(0, "a list, set or tuple of numbers is needed"));
    }
    let mut total: Option<Number> = None;
    let mut known = true;
    for element in list.elements() {
        if element.is_null() {
            return Err(Fault::at(0, "an element is null"));
        }
        let number = convert(element, &Type::Number).map_err(|e| Fault::at(0, e.detail))?;
        let Some(number) = number.as_number() else {
            known = false;
            continue;
        };
        total = Some(match total {
            None => number.clone(),
            Some(total) => total
                .checked_add(number)
                .ok_or_else(|| Fault::new("infinity and negative infinity have no sum"))?,
        });
    }
    match total {
        _ if !known => Ok(unknown(Type::Number)),
        Some(total) => Ok(Value::number(total)),
        None => Err(Fault::at(0, "it is empty")),
    }
}
