//! The values of a stack as they could be after apply: what AWS will invent has a stand-in.
//!
//! The id of a key that is not made yet is not known, but it is certain to be none that exists. A decision about access
//! hangs on nothing else of it. So each such id gets a text that nothing else has, everything that refers to it is
//! evaluated once more with that text, and a policy that names the key of a table has the very ARN that the table names.
//! What is not known for another reason (a data source that is read during apply) stays unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::schema::Presence;
use terrane_model::{Address, Kind, Mode, Schema, Type, Value};

use terrane_expr::FunctionContext;
use terrane_provider::{Catalog, Facts};
use terrane_spec::Spec;

use crate::build::instance::checked_body;
use crate::build::provider_of;
use crate::expand::{Repetition, instances};
use crate::graph::{Graph, names_of};
use crate::plan::ProviderKey;
use crate::world::World;

/// A world with stand-ins, and the objects in it.
pub struct Imagined<'s> {
    /// Resolves references.
    pub world: World<'s>,
    /// Managed objects.
    pub objects: BTreeMap<Address, Value>,
}

/// What is imagined from.
pub struct Ground<'a, 's> {
    /// The checked spec.
    pub spec: &'s Spec,
    /// Values of the root module's variables.
    pub variables: &'a BTreeMap<Arc<str>, Value>,
    /// The workspace.
    pub workspace: &'a Arc<str>,
    /// Paths, files and times for functions.
    pub functions: &'a FunctionContext,
    /// Resource types and data sources.
    pub catalog: &'a Catalog,
    /// Facts of each provider configuration, as far as they are known.
    pub facts: &'a BTreeMap<ProviderKey, Arc<Facts>>,
    /// The planned value of an instance.
    pub planned: &'a dyn Fn(&Address) -> Option<Value>,
}

/// Evaluates the stack once more with stand-ins for what AWS invents.
pub fn imagine<'s>(input: &Ground<'_, 's>, graph: &Graph) -> Imagined<'s> {
    let mut world =
        World::new(input.spec, input.variables.clone(), input.workspace.clone(), input.functions.clone());
    let mut objects = BTreeMap::new();
    for node in &graph.sorted {
        for module in world.module_instances(&names_of(&node.module)).unwrap_or_default() {
            let resource = terrane_model::ResourceAddress { module, ..node.clone() };
            let Some(spec) = input.spec.resource(&resource) else { continue };
            let wanted = {
                let scope = world.module_scope(&resource.module);
                instances(spec.count.as_ref(), spec.for_each.as_ref(), &scope).unwrap_or_default()
            };
            world.declare(&resource, Repetition::of(spec.count.as_ref(), spec.for_each.as_ref()));
            for instance in wanted {
                let about = resource.instance(instance.key.clone());
                let Some(known) = (input.planned)(&about) else { continue };
                let value = if known.is_wholly_known() {
                    known
                } else {
                    let scope = world.instance_scope(
                        &resource.module,
                        instance.key.as_ref(),
                        instance.each_value.as_ref(),
                    );
                    match resource.mode {
                        Mode::Managed => managed(input, spec, &scope, &about, known),
                        Mode::Data => data(input, spec, &scope, &resource, known),
                    }
                };
                if resource.mode == Mode::Managed {
                    objects.insert(about.clone(), value.clone());
                }
                world.set(&about, value);
            }
        }
    }
    Imagined { world, objects }
}

fn managed(
    input: &Ground<'_, '_>,
    spec: &terrane_spec::Resource,
    scope: &crate::world::InstanceScope<'_, '_>,
    about: &Address,
    known: Value,
) -> Value {
    let Some(resource) = input.catalog.resource(&about.resource.type_name) else { return known };
    let schema = resource.schema();
    let Ok(config) = checked_body(spec, &schema.block, scope) else { return known };
    stand_in(schema, about, overlay(known, &config), &config)
}

fn data(
    input: &Ground<'_, '_>,
    spec: &terrane_spec::Resource,
    scope: &crate::world::InstanceScope<'_, '_>,
    resource: &terrane_model::ResourceAddress,
    known: Value,
) -> Value {
    let Some(data) = input.catalog.data(&resource.type_name) else { return known };
    let Ok(config) = checked_body(spec, &data.schema().block, scope) else { return known };
    let facts = input.facts.get(&provider_of(input.spec, resource)).cloned().unwrap_or_default();
    match data.compute(&config, &facts) {
        Some(Ok(value)) => value,
        _ => known,
    }
}

/// The planned value, with what the configuration says now where it was not known before.
fn overlay(planned: Value, config: &Value) -> Value {
    if planned.is_wholly_known() || config.is_null() {
        return planned;
    }
    if planned.is_unknown() {
        return config.clone();
    }
    match planned.kind() {
        Kind::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let value = value.clone();
                let merged = match config.get(name) {
                    Some(said) => overlay(value, said),
                    None => value,
                };
                (name.clone(), merged)
            });
            Value::object(fields.collect::<Vec<_>>())
        }
        // Elements of collections have no names by which the two could be laid side by side.
        _ if config.is_wholly_known() => config.clone(),
        _ => planned,
    }
}

/// Gives the ids that AWS invents a stand-in: attributes that are computed and that the spec does not set.
fn stand_in(schema: &Schema, about: &Address, value: Value, config: &Value) -> Value {
    let Some(fields) = value.entries() else { return value };
    let id = unlike_any_other(&about.to_string());
    let filled = fields.iter().map(|(name, value)| {
        let attribute = schema.block.attribute(name);
        let invented = attribute.is_some_and(|attribute| {
            attribute.is_computed()
                && (attribute.presence == Presence::Computed || config.get(name).is_none_or(Value::is_null))
        });
        let stands_in = match value.kind() {
            Kind::Unknown(unknown) if invented && unknown.ty == Type::String => {
                Some(match identifies(name) {
                    true => Value::from(format!("{}{id}", unknown.prefix)),
                    // What AWS puts where the spec says nothing, such as the default policy of a key.
                    false => Value::null(Type::String),
                })
            }
            // What others attach is read from what attaches it.
            Kind::Unknown(unknown) if invented && matches!(unknown.ty, Type::Set(_) | Type::List(_)) => {
                Some(Value::null(unknown.ty.clone()))
            }
            _ => None,
        };
        (name.clone(), stands_in.unwrap_or_else(|| value.clone()))
    });
    Value::object(filled.collect::<Vec<_>>())
}

/// Whether an attribute tells one object from another.
fn identifies(name: &str) -> bool {
    matches!(name, "arn" | "id" | "name") || name.ends_with("_id") || name.ends_with("_arn")
}

/// A text of the form of a key's id that depends on the address alone.
fn unlike_any_other(address: &str) -> String {
    let digest = |start: u64| {
        address.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let (high, low) = (digest(0xcbf2_9ce4_8422_2325), digest(0x9e37_79b9_7f4a_7c15));
    let hex = format!("{high:016x}{low:016x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    // The fourth kind of UUID is drawn by chance; this is none of those that are in use.
    format!("{}-{}-0{}-{}-{}", part(0, 8), part(8, 12), part(13, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::Unknown;

    #[test]
    fn what_became_known_takes_the_place_of_what_was_not() {
        let open = Value::unknown(Type::String);
        let planned = Value::object([("a", open.clone()), ("b", Value::from("kept")), ("c", open.clone())]);
        let config = Value::object([
            ("a", Value::from("now")),
            ("b", Value::from("x")),
            ("c", Value::null(Type::String)),
        ]);
        let merged = overlay(planned, &config);
        assert_eq!(merged.get("a").and_then(Value::as_str), Some("now"));
        assert_eq!(merged.get("b").and_then(Value::as_str), Some("kept"));
        assert!(merged.get("c").is_some_and(Value::is_unknown));
    }

    #[test]
    fn stand_ins_differ_by_address_and_carry_what_is_known() {
        let (a, b) = (unlike_any_other("aws_kms_key.a"), unlike_any_other("aws_kms_key.b"));
        assert_ne!(a, b);
        assert_eq!(a, unlike_any_other("aws_kms_key.a"));
        assert_eq!(a.len(), 36);
        assert_eq!(Unknown::of(Type::String).prefix.as_ref(), "");
    }
}
