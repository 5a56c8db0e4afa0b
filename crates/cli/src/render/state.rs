//! The state as people read it.

use serde_json::Value as Json;
use terrane_model::json::implied;
use terrane_model::schema::Schemas;
use terrane_model::{Address, Value};
use terrane_plan::codec::decode;
use terrane_state::{Object, Snapshot, Status};

use super::difference::{Forced, compare};
use super::paint::Paint;
use super::tree_text::{Style, write};
use super::value_text::quoted;
use super::{object, outputs};

/// Every object, then the outputs.
pub fn all(snapshot: &Snapshot, schemas: &dyn Schemas, paint: Paint) -> String {
    let mut parts = Vec::new();
    for (address, _, instance) in snapshot.instances() {
        if let Some(current) = &instance.current {
            parts.push(one(&address, None, current, schemas, paint));
        }
        for (key, deposed) in &instance.deposed {
            parts.push(one(&address, Some(key), deposed, schemas, paint));
        }
    }
    let list = outputs::list(&snapshot.outputs);
    if !list.is_empty() {
        parts.push(format!("{}\n\n{list}", paint.strong("Outputs:")));
    }
    parts.join("\n")
}

/// One object.
pub fn one(
    address: &Address,
    deposed: Option<&str>,
    found: &Object,
    schemas: &dyn Schemas,
    paint: Paint,
) -> String {
    let resource = &address.resource;
    let mut heading = format!("# {address}:");
    if found.status == Status::Tainted {
        heading.push_str(" (tainted)");
    }
    if let Some(key) = deposed {
        heading.push_str(&format!(" (deposed object {key})"));
    }
    let schema = schemas.schema(resource.mode, &resource.type_name);
    let decoded = schema.map(|schema| (schema, decode(schema, &found.attributes, &found.sensitive)));
    let body = match decoded {
        Some((schema, Ok(value))) => object::state(schema, address, &value, paint),
        _ => unknown(address, found, paint),
    };
    format!("{}\n{body}", paint.strong(&heading))
}

/// An object of a type that this version does not know. Which of its attributes are secret nobody knows either, but for
/// those that the state names.
fn unknown(address: &Address, found: &Object, paint: Paint) -> String {
    let hidden = |name: &str| found.sensitive.iter().any(|path| path.root() == Some(name));
    let fields =
        found.attributes.iter().filter(|(_, json)| !json.is_null()).map(|(name, json): (_, &Json)| {
            let value = implied(json);
            (name.as_str(), if hidden(name) { value.sensitive() } else { value })
        });
    let value = Value::object(fields);
    let tree = compare(Some(&value), Some(&value), &Forced::default());
    let resource = &address.resource;
    let mut out = format!("resource {} {} ", quoted(&resource.type_name), quoted(&resource.name));
    write(&mut out, &tree, 0, Style::state(paint));
    out.push('\n');
    out
}
