//! Marks of what was planned, on what there is.

use terrane_model::schema::Block;
use terrane_model::{Kind, Value};

/// The planned object with what its schema calls sensitive marked, known or not.
pub fn declared_marks(block: &Block, planned: Value) -> Value {
    let hidden = block.attributes.iter().filter(|attribute| attribute.sensitive);
    hidden.fold(planned, |planned, attribute| match planned.get(attribute.name).cloned() {
        Some(value) => planned.with(attribute.name, value.sensitive()),
        None => planned,
    })
}

/// The actual object with the marks that were planned.
pub fn carry_marks(planned: &Value, actual: Value) -> Value {
    let marks = planned.marks_deep();
    if !marks.any() {
        return actual;
    }
    if planned.marks().any() {
        return actual.with_marks(marks);
    }
    match (planned.entries(), actual.entries()) {
        (Some(fields), Some(_)) => {
            fields.iter().fold(actual, |actual, (name, planned)| match actual.get(name).cloned() {
                Some(inner) => actual.with(name, carry_marks(planned, inner)),
                None => actual,
            })
        }
        _ if planned.elements().len() == actual.elements().len()
            && !matches!(actual.kind(), Kind::Set(..)) =>
        {
            let mut planned = planned.elements().iter();
            actual.map_elements(&mut |inner| match planned.next() {
                Some(planned) => carry_marks(planned, inner),
                None => inner,
            })
        }
        _ => actual.with_marks(marks),
    }
}
