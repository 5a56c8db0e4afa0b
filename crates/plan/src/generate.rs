//! What a spec would have to say for an object to stay as it is: the arguments of a resource that is to be written.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::conform::conform;
use terrane_model::schema::{Attribute, Block, NestedBlock, Nesting, Presence};
use terrane_model::{Address, Value};
use terrane_provider::{Facts, ResourceType};

use crate::diff::{is_zero, plan_object, same};
use crate::plan::ProviderKey;

/// An object to import that no resource of the spec is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Undeclared {
    /// The address that the import gives it.
    pub address: Address,
    /// The import id.
    pub id: String,
    /// The provider configuration that the import names, if it names one.
    pub provider: Option<ProviderKey>,
    /// The arguments that a resource needs to keep the object as it is; those left out are not there at all. What the
    /// schema calls sensitive is marked so.
    pub arguments: Value,
}

type Fields = BTreeMap<Arc<str>, Value>;

/// The arguments that keep an object as it is: what can be set and says more than its absence. Blocks that only say what is
/// so anyway are left out where nothing would change by it.
pub fn arguments(kind: &dyn ResourceType, object: &Value, facts: &Facts) -> Value {
    let block = &kind.schema().block;
    let mut fields = written(block, object);
    for name in ["id", "tags_all"].iter().chain(kind.left_to_others()) {
        fields.remove(*name);
    }
    let keeps = |fields: &Fields| {
        let (config, _) = conform(&Value::object(fields.clone()), block);
        plan_object(kind, Some(object), &config, facts).is_ok_and(|planned| !planned.changed)
    };
    if keeps(&fields) {
        for nested in block.blocks.iter().filter(|nested| nested.min == 0) {
            let Some(value) = fields.get(nested.name).filter(|value| says_nothing(value)).cloned() else {
                continue;
            };
            fields.remove(nested.name);
            if !keeps(&fields) {
                fields.insert(nested.name.into(), value);
            }
        }
    }
    Value::object(fields)
}

fn written(block: &Block, object: &Value) -> Fields {
    let mut fields = Fields::new();
    for attribute in &block.attributes {
        let Some(value) = object.get(attribute.name).filter(|value| is_written(attribute, value)) else {
            continue;
        };
        let excluded = attribute.conflicts_with.iter().any(|other| fields.contains_key(*other));
        if attribute.presence == Presence::Required || !excluded {
            let value = value.clone();
            let value = if attribute.sensitive { value.sensitive() } else { value };
            fields.insert(attribute.name.into(), value);
        }
    }
    for nested in &block.blocks {
        let excluded = nested.conflicts_with.iter().any(|other| fields.contains_key(*other));
        if let (Some(value), false) =
            (object.get(nested.name).and_then(|value| elements(nested, value)), excluded)
        {
            fields.insert(nested.name.into(), value);
        }
    }
    fields
}

fn is_written(attribute: &Attribute, value: &Value) -> bool {
    let says = match (attribute.presence, &attribute.default) {
        (Presence::Computed, _) => false,
        (Presence::Required, _) => true,
        (_, Some(default)) => !same(attribute.form, default, value),
        (_, None) => !is_zero(value),
    };
    let unwanted = attribute.presence != Presence::Required && attribute.deprecated.is_some();
    says && !value.is_null() && !unwanted
}

fn elements(nested: &NestedBlock, value: &Value) -> Option<Value> {
    // How long operations may take is not a property of the object.
    if nested.nesting == Nesting::Single || value.elements().is_empty() {
        return None;
    }
    let elements = value.elements().iter();
    Some(Value::tuple(elements.map(|element| Value::object(written(&nested.block, element)))))
}

/// Whether every element of a block only says what is so without it.
fn says_nothing(block: &Value) -> bool {
    let nothing = |element: &Value| element.entries().is_none_or(|fields| fields.values().all(is_zero));
    block.elements().iter().all(nothing)
}
