//! Values and state for tools, in the shape of Terraform's JSON. What is sensitive is null, and said to be sensitive.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use terrane_model::json::{implied, to_json, type_to_json};
use terrane_model::schema::Schemas;
use terrane_model::{Address, Key, Kind, Mode, ModulePath, Value};
use terrane_plan::ProviderKey;
use terrane_plan::codec::decode;
use terrane_state::{COMPATIBLE_VERSION, Object, Snapshot, Status};

/// A state as a whole.
pub fn document(snapshot: Option<&Snapshot>, schemas: &dyn Schemas) -> Json {
    let mut out = Map::new();
    out.insert("format_version".into(), "1.0".into());
    if let Some(snapshot) = snapshot {
        out.insert("terraform_version".into(), COMPATIBLE_VERSION.into());
        if !snapshot.is_empty() {
            out.insert("values".into(), values(snapshot, schemas));
        }
    }
    Json::Object(out)
}

fn values(snapshot: &Snapshot, schemas: &dyn Schemas) -> Json {
    let mut out = Map::new();
    if !snapshot.outputs.is_empty() {
        let one = |output: &terrane_state::Output| {
            let value =
                if output.sensitive { Json::Null } else { to_json(&output.value).unwrap_or(Json::Null) };
            json!({
                "sensitive": output.sensitive,
                "type": type_to_json(&output.value.ty()),
                "value": value,
            })
        };
        let outputs = snapshot.outputs.iter().map(|(name, output)| (name.to_string(), one(output)));
        out.insert("outputs".into(), Json::Object(outputs.collect()));
    }
    let mut all: Vec<(Address, Json)> = Vec::new();
    for (address, resource, instance) in snapshot.instances() {
        let current = instance.current.iter().map(|object| (None, object));
        let deposed = instance.deposed.iter().map(|(key, object)| (Some(key.as_str()), object));
        for (key, object) in current.chain(deposed) {
            all.push((address.clone(), stored(&address, key, &resource.provider, object, schemas)));
        }
    }
    // Terraform lists data sources first, here and nowhere else.
    all.sort_by_key(|(address, _)| address.resource.mode != Mode::Data);
    out.insert("root_module".into(), by_module(all));
    Json::Object(out)
}

/// One object of a state.
pub fn one(address: &Address, snapshot: &Snapshot, object: &Object, schemas: &dyn Schemas) -> Json {
    let provider = snapshot.resource(&address.resource).map(|resource| resource.provider.as_str());
    stored(address, None, provider.unwrap_or_default(), object, schemas)
}

fn stored(
    address: &Address,
    deposed: Option<&str>,
    provider: &str,
    object: &Object,
    schemas: &dyn Schemas,
) -> Json {
    let schema = schemas.schema(address.resource.mode, &address.resource.type_name);
    let value = schema.and_then(|schema| decode(schema, &object.attributes, &object.sensitive).ok());
    let value = value.unwrap_or_else(|| implied(&Json::Object(object.attributes.clone())));
    let mut out = head(address, provider);
    out.insert("schema_version".into(), object.schema_version.into());
    out.insert("values".into(), known(&value));
    out.insert("sensitive_values".into(), sensitive(&value));
    if !object.dependencies.is_empty() {
        let names: Vec<String> = object.dependencies.iter().map(ToString::to_string).collect();
        out.insert("depends_on".into(), names.into());
    }
    if object.status == Status::Tainted {
        out.insert("tainted".into(), true.into());
    }
    if let Some(key) = deposed {
        out.insert("deposed_key".into(), key.into());
    }
    Json::Object(out)
}

/// What every entry of a resource begins with.
pub fn head(address: &Address, provider: &str) -> Map<String, Json> {
    let resource = &address.resource;
    let mut out = Map::new();
    out.insert("address".into(), address.to_string().into());
    out.insert("mode".into(), if resource.mode == Mode::Data { "data" } else { "managed" }.into());
    out.insert("type".into(), resource.type_name.as_ref().into());
    out.insert("name".into(), resource.name.as_ref().into());
    match &address.key {
        None => {}
        Some(Key::Index(i)) => drop(out.insert("index".into(), (*i).into())),
        Some(Key::Name(name)) => drop(out.insert("index".into(), name.as_ref().into())),
    }
    out.insert("provider_name".into(), provider_name(provider).into());
    out
}

/// The source of a provider, without alias and module.
pub fn provider_name(state_name: &str) -> String {
    let source = state_name.split_once("provider[\"").and_then(|(_, rest)| rest.split_once("\"]"));
    source.map_or_else(|| state_name.to_owned(), |(source, _)| source.to_owned())
}

/// The source of a provider configuration.
pub fn provider_source(key: &ProviderKey) -> String {
    provider_name(&key.state_name())
}

/// Entries put under the modules that they belong to: the root module, with child modules inside.
pub fn by_module(entries: Vec<(Address, Json)>) -> Json {
    let mut modules: BTreeMap<ModulePath, Vec<Json>> = BTreeMap::from([(ModulePath::root(), vec![])]);
    for (address, entry) in entries {
        let steps = &address.resource.module.0;
        for length in 1..=steps.len() {
            let path = ModulePath(steps.iter().take(length).cloned().collect());
            modules.entry(path).or_default();
        }
        modules.entry(address.resource.module).or_default().push(entry);
    }
    module(&ModulePath::root(), &modules)
}

fn module(path: &ModulePath, modules: &BTreeMap<ModulePath, Vec<Json>>) -> Json {
    let mut out = Map::new();
    if let Some(resources) = modules.get(path).filter(|resources| !resources.is_empty()) {
        out.insert("resources".into(), resources.clone().into());
    }
    if !path.is_root() {
        out.insert("address".into(), path.to_string().into());
    }
    let is_child = |other: &&ModulePath| other.0.len() == path.0.len() + 1 && other.0.starts_with(&path.0);
    let children: Vec<Json> = modules.keys().filter(is_child).map(|child| module(child, modules)).collect();
    if !children.is_empty() {
        out.insert("child_modules".into(), children.into());
    }
    Json::Object(out)
}

/// A value with what is unknown left out of objects and null in lists, and what is sensitive null.
pub fn known(value: &Value) -> Json {
    if value.marks().any() {
        return Json::Null;
    }
    match value.kind() {
        Kind::Unknown(_) | Kind::Null(_) => Json::Null,
        Kind::List(_, es) | Kind::Set(_, es) | Kind::Tuple(es) => es.iter().map(known).collect(),
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let parts = entries.iter().filter(|(_, v)| !v.is_unknown());
            Json::Object(parts.map(|(k, v)| (k.to_string(), known(v))).collect())
        }
        Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => to_json(value).unwrap_or(Json::Null),
    }
}

/// The shape of a value with `true` where it is unknown; objects leave out what is known.
pub fn unknown(value: &Value) -> Json {
    shape(value, &|value| value.is_unknown())
}

/// The shape of a value with `true` where it is sensitive; objects leave out what is not.
pub fn sensitive(value: &Value) -> Json {
    shape(value, &|value| value.marks().sensitive)
}

fn shape(value: &Value, test: &dyn Fn(&Value) -> bool) -> Json {
    if test(value) {
        return true.into();
    }
    match value.kind() {
        Kind::List(_, es) | Kind::Set(_, es) | Kind::Tuple(es) => es.iter().map(|e| shape(e, test)).collect(),
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let parts = entries.iter().map(|(k, v)| (k.to_string(), shape(v, test)));
            Json::Object(parts.filter(|(_, part)| *part != Json::Bool(false)).collect())
        }
        _ => false.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::Type;

    #[test]
    fn unknown_and_sensitive_parts_have_shapes_of_their_own() {
        let value = Value::object([
            ("id", Value::unknown(Type::String)),
            ("list", Value::tuple([Value::from("a"), Value::unknown(Type::String)])),
            ("name", Value::from("n")),
            ("secret", Value::from("hunter2").sensitive()),
        ]);
        assert_eq!(known(&value), json!({ "list": ["a", null], "name": "n", "secret": null }));
        assert_eq!(unknown(&value), json!({ "id": true, "list": [false, true] }));
        assert_eq!(sensitive(&value), json!({ "list": [false, false], "secret": true }));
    }

    #[test]
    fn modules_nest() {
        let entry = |address: &str| (address.parse().unwrap(), json!(address));
        let tree = by_module(vec![entry("module.a.module.b.x.y"), entry("x.y")]);
        assert_eq!(tree["resources"], json!(["x.y"]));
        let child = &tree["child_modules"][0];
        assert_eq!((&child["address"], child.get("resources")), (&json!("module.a"), None));
        assert_eq!(child["child_modules"][0]["resources"], json!(["module.a.module.b.x.y"]));
    }
}
