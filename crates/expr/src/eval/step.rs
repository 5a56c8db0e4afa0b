//! Attributes, indexes and splats.

use terrane_model::convert::{article, convert, unify};
use terrane_model::nearest::nearest;
use terrane_model::{Key, Kind, Span, Type, Unknown, Value};

use super::{Env, Evaluated, Failure, Failures, failure, undetermined};
use crate::ast::{Expr, Node, Postfix, PostfixStep};
use crate::reference::Reference;

impl Env<'_> {
    pub(super) fn base_and_steps(&self, base: &Expr, steps: &[Postfix]) -> Evaluated {
        if let (Node::Reference(reference), Some((first, rest))) = (&base.node, steps.split_first())
            && let Some(instance) = self.instance(reference, base.span, first)?
        {
            return self.steps(instance, rest);
        }
        // What a name stands for need not be cloned before the first step.
        if let Node::Variable(name) = &base.node
            && let (Some(value), Some((first, rest))) = (self.lookup(name), steps.split_first())
        {
            return self.steps(self.step(value, first)?, rest);
        }
        self.steps(self.eval(base)?, steps)
    }

    /// One instance of a resource or module, where the scope can give it without the others.
    fn instance(
        &self,
        reference: &Reference,
        span: Span,
        step: &Postfix,
    ) -> Result<Option<Value>, Box<Failure>> {
        let (Reference::Resource { .. } | Reference::Module { output: None, .. }, PostfixStep::Index(index)) =
            (reference, &step.step)
        else {
            return Ok(None);
        };
        let key = self.eval(index)?;
        let marks = key.marks();
        let key = match key.kind() {
            Kind::String(name) => Key::Name(name.clone()),
            Kind::Number(number) => match number.to_i64().and_then(|n| u64::try_from(n).ok()) {
                Some(index) => Key::Index(index),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        match self.scope.resolve_instance(reference, &key, span.to(step.span)) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value.with_marks(marks))),
            Some(Err(diagnostic)) => Err(diagnostic.at(span.to(step.span)).into()),
        }
    }

    pub(crate) fn steps(&self, value: Value, steps: &[Postfix]) -> Evaluated {
        let mut value = value;
        for step in steps {
            value = self.step(&value, step)?;
        }
        Ok(value)
    }

    fn step(&self, value: &Value, step: &Postfix) -> Evaluated {
        match &step.step {
            PostfixStep::Attribute(name) => attribute(value, name, step.span),
            PostfixStep::Index(key) => index(value, &self.eval(key)?, step.span),
            PostfixStep::Splat(each) => self.splat(value, each, step.span),
        }
    }

    fn splat(&self, value: &Value, each: &[Postfix], span: Span) -> Evaluated {
        let marks = value.marks();
        let result = match value.kind() {
            Kind::List(..) | Kind::Set(..) => {
                let values = self.each(value.elements(), each)?;
                let types: Vec<Type> = match values.is_empty() {
                    true => vec![self.type_of_steps(value.ty().element(), each)],
                    false => values.iter().map(Value::ty).collect(),
                };
                // The elements of a list stay a list, where their results have one type.
                match types.split_first() {
                    Some((first, rest)) if rest.iter().all(|t| t == first) => {
                        Value::list(first.clone(), values)
                    }
                    _ => match unify(&types) {
                        Some(common)
                            if values.iter().all(|v| v.is_null() || v.is_unknown() || v.ty() == common) =>
                        {
                            Value::list(common, values)
                        }
                        _ => Value::tuple(values),
                    },
                }
            }
            Kind::Tuple(elements) => Value::tuple(self.each(elements, each)?),
            Kind::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                return Err(failure(
                    "splat-of-null",
                    "Splat of null",
                    "The value to the left of the splat is a null list.",
                    span,
                ));
            }
            Kind::Null(_) => Value::tuple([]),
            Kind::Unknown(unknown) => self.splat_of_unknown(unknown, each)?,
            _ => Value::tuple(self.each(std::slice::from_ref(value), each)?),
        };
        Ok(result.with_marks(marks))
    }

    fn each(&self, elements: &[Value], steps: &[Postfix]) -> Result<Vec<Value>, Box<Failure>> {
        let mut failures = Failures::default();
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            match failures.note(self.steps(element.clone(), steps)) {
                Some(value) => values.push(value),
                None => break,
            }
        }
        failures.finish()?;
        Ok(values)
    }

    fn splat_of_unknown(&self, unknown: &Unknown, each: &[Postfix]) -> Evaluated {
        Ok(match &unknown.ty {
            Type::Any => undetermined(),
            Type::List(element) | Type::Set(element) => {
                let result = self.type_of_steps(Some(element), each);
                let list = Type::list(result);
                Value::unknown_with(Unknown {
                    ty: list,
                    not_null: true,
                    min_len: unknown.min_len,
                    max_len: unknown.max_len,
                    prefix: "".into(),
                })
            }
            Type::Tuple(types) => {
                let elements: Vec<Value> = types.iter().cloned().map(Value::unknown).collect();
                Value::tuple(self.each(&elements, each)?)
            }
            // Null would give no element, anything else one.
            _ if unknown.not_null => {
                let element = Value::unknown_with(unknown.clone());
                Value::tuple(self.each(&[element], each)?)
            }
            _ => undetermined(),
        })
    }

    /// The type that steps lead to from an element of a type.
    fn type_of_steps(&self, element: Option<&Type>, steps: &[Postfix]) -> Type {
        let element = element.cloned().unwrap_or(Type::Any);
        self.steps(Value::unknown(element), steps).map_or(Type::Any, |value| value.ty())
    }
}

/// `value.name`
pub(super) fn attribute(value: &Value, name: &str, span: Span) -> Evaluated {
    let found = match value.kind() {
        Kind::Object(entries) => match entries.get(name) {
            Some(value) => value.clone(),
            None if value.marks().any() => return Err(no_attribute(name, std::iter::empty(), span)),
            None => return Err(no_attribute(name, entries.keys().map(|k| &**k), span)),
        },
        Kind::Map(_, entries) => match entries.get(name) {
            Some(value) => value.clone(),
            None if value.marks().any() => return Err(no_element(None, std::iter::empty(), span)),
            None => return Err(no_element(Some(name), entries.keys().map(|k| &**k), span)),
        },
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Any => Value::unknown(Type::Any),
            Type::Map(element) => Value::unknown((**element).clone()),
            Type::Object(fields) => match fields.get(name) {
                Some(field) => Value::unknown(field.ty.clone()),
                None => return Err(no_attribute(name, fields.keys().map(|k| &**k), span)),
            },
            ty => return Err(no_attributes(ty, name, span)),
        },
        Kind::Null(_) => {
            return Err(failure(
                "attribute-of-null",
                "Attribute of null",
                format!("The value is null and has no attribute `{name}`."),
                span,
            ));
        }
        _ => return Err(no_attributes(&value.ty(), name, span)),
    };
    Ok(found.with_marks(value.marks()))
}

fn no_attribute<'n>(name: &str, names: impl Iterator<Item = &'n str> + Clone, span: Span) -> Box<Failure> {
    let mut detail = format!("This object has no attribute `{name}`.");
    let few: Vec<String> = names.clone().take(9).map(|n| format!("`{n}`")).collect();
    if let Some(near) = nearest(name, names) {
        detail.push_str(&format!(" Did you mean `{near}`?"));
    } else if !few.is_empty() && few.len() < 9 {
        detail.push_str(&format!(" It has {}.", few.join(", ")));
    }
    failure("unknown-attribute", "Unknown attribute", detail, span)
}

fn no_attributes(ty: &Type, name: &str, span: Span) -> Box<Failure> {
    let mut detail = format!("This is {}, which has no attributes.", article(ty));
    match ty {
        Type::List(_) | Type::Tuple(_) => detail.push_str(&format!(
            " For the attribute of each element write `[*].{name}`, for that of one element `[0].{name}`."
        )),
        Type::Set(_) => {
            detail.push_str(&format!(" For the attribute of each element write `[*].{name}`."));
        }
        _ => {}
    }
    failure("unknown-attribute", "Unknown attribute", detail, span)
}

fn no_element<'n>(name: Option<&str>, names: impl Iterator<Item = &'n str>, span: Span) -> Box<Failure> {
    let detail = match name {
        Some(name) => match nearest(name, names) {
            Some(near) => format!("This map has no element `{name}`. Did you mean `{near}`?"),
            None => format!("This map has no element `{name}`."),
        },
        None => "This map has no element of that name.".into(),
    };
    failure("invalid-index", "Invalid index", detail, span)
}

fn invalid_index(detail: impl Into<String>, span: Span) -> Box<Failure> {
    failure("invalid-index", "Invalid index", detail, span)
}

/// `value[key]`
pub(crate) fn index(value: &Value, key: &Value, span: Span) -> Evaluated {
    if value.is_null() {
        return Err(failure(
            "index-of-null",
            "Index of null",
            "The value is null and has no elements.",
            span,
        ));
    }
    if key.is_null() {
        return Err(invalid_index("The index is null.", span));
    }
    let found = match value.kind() {
        Kind::List(element, elements) => match place(key, elements.len(), span)? {
            Some(place) => element_at(elements, place),
            None => Value::unknown(element.clone()),
        },
        Kind::Tuple(elements) => match place(key, elements.len(), span)? {
            Some(place) => element_at(elements, place),
            None => Value::unknown(shared_type(elements.iter().map(Value::ty))),
        },
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let name = convert(key, &Type::String)
                .map_err(|e| invalid_index(format!("The key of an element is text: {}.", e.detail), span))?;
            match name.kind() {
                Kind::String(name) => return keyed(value, name, key, span),
                _ => match value.kind() {
                    Kind::Map(element, _) => Value::unknown(element.clone()),
                    _ => Value::unknown(shared_type(entries.values().map(Value::ty))),
                },
            }
        }
        Kind::Unknown(unknown) => match &unknown.ty {
            Type::Any => Value::unknown(Type::Any),
            Type::List(element) => {
                place(key, usize::MAX, span)?;
                Value::unknown((**element).clone())
            }
            Type::Tuple(types) => match place(key, types.len(), span)? {
                Some(place) => Value::unknown(types.get(place).cloned().unwrap_or(Type::Any)),
                None => Value::unknown(shared_type(types.iter().cloned())),
            },
            Type::Map(_) | Type::Object(_) => match convert(key, &Type::String).as_ref().map(Value::kind) {
                Ok(Kind::String(name)) => {
                    return attribute(value, name, span).map(|v| v.with_marks(key.marks()));
                }
                Ok(_) => Value::unknown(unknown.ty.element().cloned().unwrap_or(Type::Any)),
                Err(e) => {
                    return Err(invalid_index(format!("The key of an element is text: {}.", e.detail), span));
                }
            },
            ty => return Err(not_indexable(ty, span)),
        },
        _ => return Err(not_indexable(&value.ty(), span)),
    };
    Ok(found.with_marks(value.marks()).with_marks(key.marks()))
}

/// An attribute or element named by a key, which no message may show if it is sensitive.
fn keyed(value: &Value, name: &str, key: &Value, span: Span) -> Evaluated {
    match attribute(value, name, span) {
        Ok(found) => Ok(found.with_marks(key.marks())),
        Err(_) if key.marks().any() => Err(invalid_index("There is no element of that name.", span)),
        Err(failed) => Err(failed),
    }
}

fn element_at(elements: &[Value], place: usize) -> Value {
    elements.get(place).cloned().unwrap_or_else(|| Value::null(Type::Any))
}

fn not_indexable(ty: &Type, span: Span) -> Box<Failure> {
    invalid_index(
        match ty {
            Type::Set(_) => {
                "This is a set, whose elements have no index. Make a list of it with `tolist` first."
                    .to_owned()
            }
            _ => format!("This is {}, which has no elements.", article(ty)),
        },
        span,
    )
}

/// The one type that all have, or none in particular.
fn shared_type(mut types: impl Iterator<Item = Type>) -> Type {
    let Some(first) = types.next() else { return Type::Any };
    if types.all(|t| t == first) { first } else { Type::Any }
}

/// The place that a key names in a sequence; nothing while the key is unknown.
fn place(key: &Value, length: usize, span: Span) -> Result<Option<usize>, Box<Failure>> {
    let number = convert(key, &Type::Number)
        .map_err(|e| invalid_index(format!("The index of an element is a number: {}.", e.detail), span))?;
    let Kind::Number(number) = number.kind() else { return Ok(None) };
    let place = number.to_i64().and_then(|n| usize::try_from(n).ok());
    match place.filter(|place| *place < length) {
        Some(place) => Ok(Some(place)),
        None if key.marks().any() => Err(invalid_index("The index does not fit.", span)),
        None if !number.is_whole() => {
            Err(invalid_index(format!("An index must be a whole number, and `{number}` is none."), span))
        }
        None if number.is_negative() => {
            Err(invalid_index(format!("An index counts from 0; `{number}` is negative."), span))
        }
        None if length == 0 => Err(invalid_index("There are no elements.", span)),
        None => Err(invalid_index(
            format!("There is no element {number}: indexes here go from 0 to {}.", length - 1),
            span,
        )),
    }
}
