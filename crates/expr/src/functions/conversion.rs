//! `tostring` and its like, `sensitive` and its like.

use terrane_model::convert::convert;
use terrane_model::value::Marks;
use terrane_model::{Kind, Type, Value};

use super::{Fault, Given, Outcome};
use crate::eval::unknown_bool;

fn to(given: &Given<'_>, ty: &Type) -> Outcome {
    convert(given.value(0)?, ty).map_err(|error| match error.path.0.is_empty() {
        true => Fault::at(0, error.detail),
        false => Fault::at(0, format!("{} (at `{}`)", error.detail, error.path)),
    })
}

pub(super) fn to_bool(given: &Given<'_>) -> Outcome {
    to(given, &Type::Bool)
}

pub(super) fn to_list(given: &Given<'_>) -> Outcome {
    to(given, &Type::list(Type::Any))
}

pub(super) fn to_map(given: &Given<'_>) -> Outcome {
    to(given, &Type::map(Type::Any))
}

pub(super) fn to_number(given: &Given<'_>) -> Outcome {
    to(given, &Type::Number)
}

pub(super) fn to_set(given: &Given<'_>) -> Outcome {
    to(given, &Type::set(Type::Any))
}

pub(super) fn to_string(given: &Given<'_>) -> Outcome {
    to(given, &Type::String)
}

pub(super) fn sensitive(given: &Given<'_>) -> Outcome {
    Ok(given.value(0)?.clone().sensitive())
}

/// Takes the mark off the value itself; those inside stay.
pub(super) fn nonsensitive(given: &Given<'_>) -> Outcome {
    let (value, marks) = given.value(0)?.clone().unmark();
    Ok(value.with_marks(Marks { sensitive: false, ..marks }))
}

pub(super) fn is_sensitive(given: &Given<'_>) -> Outcome {
    let value = given.value(0)?;
    Ok(match (value.marks().sensitive, value.is_unknown()) {
        (true, _) => Value::bool(true),
        (false, true) => unknown_bool(),
        (false, false) => Value::bool(false),
    })
}

/// Makes null of every ephemeral value inside.
pub(super) fn ephemeral_as_null(given: &Given<'_>) -> Outcome {
    fn replace(value: Value) -> Value {
        let marks = value.marks();
        if marks.ephemeral {
            return Value::null(value.ty()).with_marks(Marks { ephemeral: false, ..marks });
        }
        value.map_elements(&mut replace)
    }
    let value = given.value(0)?;
    Ok(match value.marks_deep().ephemeral {
        true => replace(value.clone()),
        false => value.clone(),
    })
}

/// `type(value)`, of the console only: the type, written over several lines.
pub(super) fn type_of(given: &Given<'_>) -> Outcome {
    let mut text = String::new();
    write_type(&given.value(0)?.ty(), 0, &mut text);
    Ok(Value::new(Kind::String(text.into())))
}

fn write_type(ty: &Type, depth: usize, text: &mut String) {
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"    ".repeat(depth));
    };
    let wrapped = |name: &str, element: &Type, text: &mut String| {
        text.push_str(name);
        text.push('(');
        let structural = matches!(element, Type::Object(_) | Type::Tuple(_));
        if structural {
            line(text, depth + 1);
            write_type(element, depth + 1, text);
            text.push(',');
            line(text, depth);
        } else {
            write_type(element, depth, text);
        }
        text.push(')');
    };
    match ty {
        Type::Any => text.push_str("dynamic"),
        Type::Bool => text.push_str("bool"),
        Type::Number => text.push_str("number"),
        Type::String => text.push_str("string"),
        Type::List(element) => wrapped("list", element, text),
        Type::Set(element) => wrapped("set", element, text),
        Type::Map(element) => wrapped("map", element, text),
        Type::Tuple(elements) if elements.is_empty() => text.push_str("tuple([])"),
        Type::Tuple(elements) => {
            text.push_str("tuple([");
            for element in elements.iter() {
                line(text, depth + 1);
                write_type(element, depth + 1, text);
                text.push(',');
            }
            line(text, depth);
            text.push_str("])");
        }
        Type::Object(fields) if fields.is_empty() => text.push_str("object({})"),
        Type::Object(fields) => {
            text.push_str("object({");
            for (name, field) in fields.iter() {
                line(text, depth + 1);
                text.push_str(name);
                text.push_str(": ");
                write_type(&field.ty, depth + 1, text);
                text.push(',');
            }
            line(text, depth);
            text.push_str("})");
        }
    }
}
