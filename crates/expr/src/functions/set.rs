//! Functions of sets, and the cartesian product.

use std::collections::BTreeSet;

use terrane_model::convert::{convert, unify};
use terrane_model::{Kind, Type, Value};

use super::{Fault, Given, Outcome, unknown};

/// The most elements that `setproduct` makes.
const MAX_PRODUCT: usize = 1 << 20;

/// The sets with one element type.
fn alike(given: &Given<'_>) -> Result<(Type, Vec<Value>), Fault> {
    let types: Vec<Type> =
        given.values.iter().map(|v| v.ty().element().cloned().unwrap_or(Type::Any)).collect();
    let element =
        unify(&types).ok_or_else(|| Fault::new("the elements of the sets have no type in common"))?;
    let ty = Type::set(element.clone());
    let sets: Result<Vec<Value>, Fault> =
        given.values.iter().map(|v| convert(v, &ty).map_err(|e| Fault::new(e.detail))).collect();
    Ok((element, sets?))
}

pub(super) fn set_type(given: &[Value]) -> Type {
    let types: Vec<Type> = given.iter().map(|v| v.ty().element().cloned().unwrap_or(Type::Any)).collect();
    Type::set(unify(&types).unwrap_or(Type::Any))
}

fn combine(given: &Given<'_>, step: fn(&BTreeSet<&Value>, &BTreeSet<&Value>) -> BTreeSet<Value>) -> Outcome {
    let (element, sets) = alike(given)?;
    let mut sets = sets.into_iter();
    let first: BTreeSet<Value> = sets.next().map(|s| s.elements().to_vec()).into_iter().flatten().collect();
    let result =
        sets.fold(first, |so_far, next| step(&so_far.iter().collect(), &next.elements().iter().collect()));
    Ok(Value::set(element, result))
}

pub(super) fn intersection(given: &Given<'_>) -> Outcome {
    combine(given, |a, b| a.intersection(b).map(|v| (*v).clone()).collect())
}

/// Unknown elements stay, each for itself.
pub(super) fn union(given: &Given<'_>) -> Outcome {
    let (element, sets) = alike(given)?;
    Ok(Value::set(element, sets.iter().flat_map(|set| set.elements().iter().cloned())))
}

pub(super) fn subtract(given: &Given<'_>) -> Outcome {
    combine(given, |a, b| a.difference(b).map(|v| (*v).clone()).collect())
}

/// Every way to take one element from each. Sets alone give a set, else it is a list.
pub(super) fn product(given: &Given<'_>) -> Outcome {
    if given.values.len() < 2 {
        return Err(Fault::new("it needs at least two lists or sets"));
    }
    let mut marks = terrane_model::value::Marks::default();
    let mut elements: Vec<Vec<Value>> = Vec::new();
    for (place, value) in given.values.iter().enumerate() {
        marks = marks.union(value.marks());
        let list = match value.kind() {
            Kind::List(..) | Kind::Set(..) => value.clone(),
            Kind::Tuple(_) => convert(value, &Type::list(Type::Any))
                .map_err(|_| Fault::at(place, "all elements must have one type"))?,
            _ => return Err(Fault::at(place, "a list, set or tuple is needed")),
        };
        elements.push(list.elements().to_vec());
    }
    let total = elements.iter().try_fold(1usize, |n, es| n.checked_mul(es.len())).unwrap_or(usize::MAX);
    if total > MAX_PRODUCT {
        return Err(Fault::new(format!("it would give more than {MAX_PRODUCT} elements")));
    }
    let ty = product_type(given.values);
    let Some(element) = ty.element().cloned() else { return Ok(unknown(ty)) };
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for column in &elements {
        rows = rows
            .iter()
            .flat_map(|row| {
                column.iter().map(move |v| row.iter().cloned().chain([v.clone()]).collect::<Vec<_>>())
            })
            .collect();
    }
    let tuples = rows.into_iter().map(Value::tuple);
    Ok(match ty {
        Type::Set(_) => Value::set(element, tuples),
        _ => Value::list(element, tuples),
    }
    .with_marks(marks))
}

pub(super) fn product_type(given: &[Value]) -> Type {
    let element = |value: &Value| match value.ty() {
        Type::List(e) | Type::Set(e) => (*e).clone(),
        Type::Tuple(types) => unify(&types).unwrap_or(Type::Any),
        _ => Type::Any,
    };
    let row = Type::tuple(given.iter().map(element));
    match given.iter().all(|v| matches!(v.ty(), Type::Set(_))) {
        true => Type::set(row),
        false => Type::list(row),
    }
}
