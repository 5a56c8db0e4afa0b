//! One attribute.

use terrane_model::schema::{Attribute, NormalForm};
use terrane_model::{Kind, Unknown, Value};

use super::changes::{is_zero, same};

/// The planned value of an attribute of a new object (`prior` absent) or of an existing one.
pub fn plan_attribute(attribute: &Attribute, config: &Value, prior: Option<&Value>) -> Value {
    match prior {
        None => new_value(attribute, config),
        Some(prior) => kept_or_changed(attribute, config, prior),
    }
}

fn new_value(attribute: &Attribute, config: &Value) -> Value {
    if !config.is_null() {
        return normalise(attribute.form, config);
    }
    match &attribute.default {
        Some(default) => default.clone(),
        None if attribute.is_computed() => Value::unknown(attribute.ty.clone()),
        None => Value::null(attribute.ty.clone()),
    }
}

fn kept_or_changed(attribute: &Attribute, config: &Value, prior: &Value) -> Value {
    let wanted = match &attribute.default {
        Some(default) if config.is_null() => default,
        None if config.is_null() && attribute.is_computed() => return prior.clone(),
        _ => config,
    };
    if is_zero(wanted) && is_zero(prior) || same(attribute.form, prior, wanted) {
        let (prior, _) = prior.clone().unmark();
        return prior.with_marks(wanted.marks());
    }
    normalise(attribute.form, wanted)
}

fn normalise(form: Option<&'static NormalForm>, value: &Value) -> Value {
    let Some(form) = form else { return value.clone() };
    match value.kind() {
        Kind::String(text) => Value::from((form.normalise)(text)).with_marks(value.marks()),
        // In its normal form the text may begin otherwise than it is written.
        Kind::Unknown(unknown) => {
            let unknown = Unknown { prefix: "".into(), ..Unknown::clone(unknown) };
            Value::unknown_with(unknown).with_marks(value.marks())
        }
        _ => value.clone(),
    }
}
