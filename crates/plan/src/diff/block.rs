//! A block and the blocks inside it.

use std::sync::Arc;

use terrane_model::schema::{Block, NestedBlock, Nesting};
use terrane_model::{Type, Value};

use super::attribute::plan_attribute;
use super::changes::same;

/// The planned value of a block, of a new object (`prior` absent) or of an existing one.
pub fn plan_block(block: &Block, config: &Value, prior: Option<&Value>) -> Value {
    if config.is_unknown() {
        return config.clone();
    }
    let mut fields: Vec<(Arc<str>, Value)> = Vec::new();
    for attribute in &block.attributes {
        let null = || Value::null(attribute.ty.clone());
        let config = config.get(attribute.name).cloned().unwrap_or_else(null);
        let prior = prior.map(|p| p.get(attribute.name).cloned().unwrap_or_else(null));
        let planned = plan_attribute(attribute, &config, prior.as_ref());
        fields.push((attribute.name.into(), if attribute.sensitive { planned.sensitive() } else { planned }));
    }
    for nested in &block.blocks {
        let absent = Value::null(nested.ty());
        let config = config.get(nested.name).unwrap_or(&absent);
        let prior = prior.map(|p| p.get(nested.name).unwrap_or(&absent));
        fields.push((nested.name.into(), plan_nested(nested, config, prior)));
    }
    Value::object(fields).with_marks(config.marks())
}

fn plan_nested(nested: &NestedBlock, config: &Value, prior: Option<&Value>) -> Value {
    let element = nested.block.ty();
    if config.is_unknown() {
        return config.clone();
    }
    match nested.nesting {
        Nesting::Single => match (config.is_null(), prior) {
            // A `timeouts` table that was never given and one full of nulls are the same.
            (true, Some(prior)) if all_null(prior) => prior.clone(),
            (true, _) => Value::null(element),
            (false, _) => config.clone(),
        },
        Nesting::List | Nesting::Set if config.elements().is_empty() => match prior {
            Some(prior) if nested.computed => prior.clone(),
            None if nested.computed => Value::unknown(nested.ty()),
            _ => collection(nested.nesting, element, vec![]).with_marks(config.marks()),
        },
        Nesting::List => {
            let olds = prior.map_or(&[][..], Value::elements);
            let planned = config
                .elements()
                .iter()
                .enumerate()
                .map(|(i, new)| plan_block(&nested.block, new, olds.get(i)))
                .collect();
            collection(Nesting::List, element, planned).with_marks(config.marks())
        }
        Nesting::Set => {
            let olds = prior.map_or(&[][..], Value::elements);
            let planned = config
                .elements()
                .iter()
                .map(|new| plan_block(&nested.block, new, counterpart(nested, new, olds)))
                .collect();
            collection(Nesting::Set, element, planned).with_marks(config.marks())
        }
    }
}

fn collection(nesting: Nesting, element: Type, values: Vec<Value>) -> Value {
    match nesting {
        Nesting::Set => Value::set(element, values),
        Nesting::List | Nesting::Single => Value::list(element, values),
    }
}

fn all_null(value: &Value) -> bool {
    value.is_null() || value.entries().is_some_and(|fields| fields.values().all(Value::is_null))
}

/// The element of a set that a configured element continues: the one with the same identity, or, where the schema names
/// none, the one that agrees in all that the spec sets.
fn counterpart<'v>(nested: &NestedBlock, new: &Value, olds: &'v [Value]) -> Option<&'v Value> {
    olds.iter().find(|old| {
        if !nested.identity.is_empty() {
            return nested.identity.iter().all(|name| old.get(name) == new.get(name));
        }
        nested.block.attributes.iter().all(|attribute| {
            let (Some(old), Some(new)) = (old.get(attribute.name), new.get(attribute.name)) else {
                return false;
            };
            (new.is_null() && attribute.is_computed()) || same(attribute.form, old, new)
        })
    })
}
