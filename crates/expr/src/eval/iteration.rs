//! `for`, over lists, tuples, sets, maps and objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::convert::{article, convert};
use terrane_model::value::Marks;
use terrane_model::{Kind, Type, Value};

use super::{Env, Evaluated, Failure, Frame, failure, undetermined};
use crate::ast::{Expr, For};

/// What the turns of a `for` have made so far.
#[derive(Default)]
struct Made {
    elements: Vec<Value>,
    entries: BTreeMap<Arc<str>, Value>,
    groups: BTreeMap<Arc<str>, Vec<Value>>,
    marks: Marks,
    /// A condition or key was unknown, so the shape of the result is.
    shapeless: bool,
}

impl Env<'_> {
    pub(super) fn for_(&self, node: &For) -> Evaluated {
        let collection = self.eval(&node.collection)?;
        let span = node.collection.span;
        let mut made = Made { marks: collection.marks(), ..Made::default() };
        match collection.kind() {
            Kind::List(_, elements) | Kind::Tuple(elements) => {
                for (i, element) in elements.iter().enumerate() {
                    let key = Value::number(i64::try_from(i).unwrap_or(i64::MAX));
                    self.turn(node, key, element.clone(), &mut made)?;
                }
            }
            Kind::Set(_, elements) => {
                for element in elements.iter() {
                    self.turn(node, element.clone(), element.clone(), &mut made)?;
                }
            }
            Kind::Map(_, entries) | Kind::Object(entries) => {
                for (key, element) in entries.iter() {
                    self.turn(node, Value::new(Kind::String(key.clone())), element.clone(), &mut made)?;
                }
            }
            Kind::Unknown(unknown) if !unknown.ty.is_primitive() => made.shapeless = true,
            Kind::Null(_) => {
                return Err(failure(
                    "iteration-over-null",
                    "Iteration over null",
                    "A `for` needs a collection, and the value is null.",
                    span,
                ));
            }
            _ => {
                let detail = format!(
                    "A `for` needs a list, set, tuple, map or object, and this is {}.",
                    article(&collection.ty())
                );
                return Err(failure("invalid-iteration", "Iteration over a single value", detail, span));
            }
        }
        let marks = made.marks;
        Ok(if made.shapeless {
            undetermined()
        } else if node.key.is_none() {
            Value::tuple(made.elements)
        } else if node.group {
            Value::object(made.groups.into_iter().map(|(key, values)| (key, Value::tuple(values))))
        } else {
            Value::new(Kind::Object(Arc::new(made.entries)))
        }
        .with_marks(marks))
    }

    fn turn(&self, node: &For, key: Value, value: Value, made: &mut Made) -> Result<(), Box<Failure>> {
        let key_frame = node.key_name.as_ref().map(|name| Frame { name, value: key, outer: self.frame });
        let outer = key_frame.as_ref().or(self.frame);
        let value_frame = Frame { name: &node.value_name, value, outer };
        let env = Env { frame: Some(&value_frame), ..*self };
        if let Some(condition) = &node.condition {
            match env.condition(condition, &mut made.marks)? {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => {
                    made.shapeless = true;
                    return Ok(());
                }
            }
        }
        let Some(key) = &node.key else {
            made.elements.push(env.eval(&node.value)?);
            return Ok(());
        };
        let text = env.eval(key).and_then(|text| env.key_text(text, key.span))?;
        made.marks = made.marks.union(text.marks());
        let value = env.eval(&node.value)?;
        match text.into_kind() {
            Kind::String(text) if node.group => made.groups.entry(text).or_default().push(value),
            Kind::String(text) => {
                if made.entries.contains_key(&text) {
                    let which = if made.marks.any() { "One key".into() } else { format!("The key `{text}`") };
                    let detail = format!(
                        "{which} is made by two elements. Add `...` behind the value to collect the values of each key in a list."
                    );
                    return Err(failure("duplicate-key", "Duplicate key of an object", detail, key.span));
                }
                made.entries.insert(text, value);
            }
            _ => made.shapeless = true,
        }
        Ok(())
    }

    /// Nothing while it is unknown.
    fn condition(&self, condition: &Expr, marks: &mut Marks) -> Result<Option<bool>, Box<Failure>> {
        let value = self.eval(condition)?;
        if value.is_null() {
            return Err(failure(
                "null-condition",
                "Null condition",
                "The `if` of a `for` must be true or false, and it is null.",
                condition.span,
            ));
        }
        *marks = marks.union(value.marks());
        let value = convert(&value, &Type::Bool).map_err(|error| {
            let detail = format!("The `if` of a `for` must be true or false: {}.", error.detail);
            failure("invalid-condition", "Invalid condition", detail, condition.span)
        })?;
        Ok(value.as_bool())
    }
}
