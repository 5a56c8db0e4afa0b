//! Reading: text to [`Snapshot`]. Each refusal names the place by a JSON pointer and never quotes what stands there,
//! because that may be a secret.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};
use terrane_model::{Address, Key, Mode, ModulePath, ResourceAddress, json};

use super::{TERRANE_FORMAT, path, version};
use crate::error::FormatError;
use crate::snapshot::{Instance, Object, Output, Resource, Snapshot, Status};

type Result<T> = std::result::Result<T, FormatError>;

/// Reads a state file.
///
/// Guarantees: what [`render`](super::render) wrote gives the same snapshot again; keys that are not known are kept.
///
/// # Errors
/// [`FormatError`], for all that is not a whole and well-formed state of format version 4.
pub fn parse(text: &[u8]) -> Result<Snapshot> {
    if text.trim_ascii().is_empty() {
        return Err(FormatError::Empty);
    }
    let mut top: BTreeMap<String, &RawValue> = serde_json::from_slice(text).map_err(not_json)?;
    check_version(&top)?;
    let root = At::ROOT;
    let mut take = |key: &'static str| top.remove(key);
    let _version = take("version");
    let mut names = Names::default();

    let terraform_version: String = scalar(take("terraform_version"), root.key("terraform_version"), "text")?;
    if !version::is_version(&terraform_version) {
        return Err(root.key("terraform_version").wrong("a version number such as `1.11.4` is needed"));
    }
    let snapshot = Snapshot {
        serial: scalar(take("serial"), root.key("serial"), "a whole number from 0")?,
        lineage: scalar(take("lineage"), root.key("lineage"), "text")?,
        terraform_version,
        outputs: take("outputs").map_or(Ok(BTreeMap::new()), |raw| outputs(raw, root.key("outputs")))?,
        resources: take("resources")
            .map_or(Ok(BTreeMap::new()), |raw| resources(raw, root.key("resources"), &mut names))?
            .into(),
        check_results: take("check_results")
            .map_or(Ok(Json::Null), |raw| decode(raw, root.key("check_results")))?,
        terrane: take("terrane").map_or(Ok(Map::new()), |raw| terrane(raw, root.key("terrane")))?,
        other: Map::new(),
    };
    let other = top
        .into_iter()
        .map(|(key, raw)| Ok((key.clone(), decode(raw, root.key(&key))?)))
        .collect::<Result<Map<String, Json>>>()?;
    Ok(Snapshot { other, ..snapshot })
}

/// A place in the text, as a chain of steps from the inside out. Costs nothing until there is something to say.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    outer: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    pub(super) const ROOT: At<'static> = At { outer: None, step: Step::Root };

    fn key(&'a self, key: &'a str) -> At<'a> {
        At { outer: Some(self), step: Step::Key(key) }
    }

    fn index(&'a self, index: usize) -> At<'a> {
        At { outer: Some(self), step: Step::Index(index) }
    }

    fn wrong(&self, detail: impl Into<String>) -> FormatError {
        FormatError::Shape { pointer: self.to_string(), detail: detail.into() }
    }

    fn needs(&self, what: &str, found: Option<&Json>) -> FormatError {
        let found = match found {
            None => "nothing",
            Some(Json::Null) => "null",
            Some(Json::Bool(_)) => "a truth value",
            Some(Json::Number(_)) => "a number",
            Some(Json::String(_)) => "text",
            Some(Json::Array(_)) => "a list",
            Some(Json::Object(_)) => "an object",
        };
        self.wrong(format!("{what} is needed, and there is {found}"))
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            outer.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => write!(f, "/{index}"),
        }
    }
}

fn not_json(error: serde_json::Error) -> FormatError {
    match error.is_data() {
        true => At::ROOT.wrong("an object is needed"),
        false => FormatError::NotJson { detail: error.to_string() },
    }
}

/// Decodes a part that is known to be JSON, as far as a quick look can tell.
fn decode<T: DeserializeOwned>(raw: &RawValue, at: At<'_>) -> Result<T> {
    serde_json::from_str(raw.get()).map_err(|error| {
        let text = error.to_string();
        // The line would be counted from the beginning of the part.
        at.wrong(text.split(" at line ").next().unwrap_or_default())
    })
}

fn scalar<T: DeserializeOwned>(raw: Option<&RawValue>, at: At<'_>, what: &str) -> Result<T> {
    let json: Option<Json> = raw.map(|raw| decode(raw, at)).transpose()?;
    json.clone()
        .and_then(|json| serde_json::from_value(json).ok())
        .ok_or_else(|| at.needs(what, json.as_ref()))
}

fn check_version(top: &BTreeMap<String, &RawValue>) -> Result<()> {
    if top.contains_key("encrypted_data") {
        return Err(FormatError::Encrypted);
    }
    if top.contains_key("terrane_encryption") {
        return Err(FormatError::Sealed);
    }
    match scalar(top.get("version").copied(), At::ROOT.key("version"), "the number 4")? {
        4u64 => Ok(()),
        found @ 0..4 => Err(FormatError::OldFormat { found }),
        found => Err(FormatError::NewFormat { what: "format version", found, known: 4 }),
    }
}

fn terrane(raw: &RawValue, at: At<'_>) -> Result<Map<String, Json>> {
    let mut map = object(decode(raw, at)?, at)?;
    match map.shift_remove("format").as_ref().map(|format| format.as_u64().ok_or(format)) {
        Some(Ok(found)) if found > TERRANE_FORMAT => Err(FormatError::NewFormat {
            what: "a part of Terrane's of version",
            found,
            known: TERRANE_FORMAT,
        }),
        Some(Ok(_)) => Ok(map),
        None => Err(at.key("format").needs("a whole number from 1", None)),
        Some(Err(found)) => Err(at.key("format").needs("a whole number from 1", Some(found))),
    }
}

fn outputs(raw: &RawValue, at: At<'_>) -> Result<BTreeMap<Arc<str>, Output>> {
    object(decode(raw, at)?, at)?
        .into_iter()
        .map(|(name, json)| {
            let output = output(json, at.key(&name))?;
            Ok((name.into(), output))
        })
        .collect()
}

fn output(json: Json, at: At<'_>) -> Result<Output> {
    let mut map = object(json, at)?;
    let ty = map.remove("type");
    let ty = ty
        .as_ref()
        .and_then(json::type_from_json)
        .ok_or_else(|| at.key("type").needs("a type", ty.as_ref()))?;
    let value = map.remove("value").ok_or_else(|| at.key("value").needs("a value", None))?;
    let value =
        json::from_json(&value, &ty).map_err(|_| at.key("value").wrong("the value does not fit its type"))?;
    Ok(Output { value, sensitive: flag(&mut map, "sensitive", at)? })
}

fn resources(raw: &RawValue, at: At<'_>, names: &mut Names) -> Result<BTreeMap<ResourceAddress, Resource>> {
    let parts: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| at.wrong("a list is needed"))?;
    let mut all = BTreeMap::new();
    for (i, part) in parts.into_iter().enumerate() {
        let at = at.index(i);
        let (address, resource) = resource(decode(part, at)?, at, names)?;
        if resource.instances.is_empty() {
            continue;
        }
        match all.entry(address) {
            Entry::Vacant(entry) => entry.insert(resource),
            Entry::Occupied(entry) => {
                return Err(at.wrong(format!("`{}` stands here a second time", entry.key())));
            }
        };
    }
    Ok(all)
}

fn resource(json: Json, at: At<'_>, names: &mut Names) -> Result<(ResourceAddress, Resource)> {
    let mut map = object(json, at)?;
    let module = match map.shift_remove("module") {
        None => ModulePath::root(),
        Some(json) => {
            let at = at.key("module");
            let text = text(Some(json), at)?;
            names.module(&text).ok_or_else(|| at.wrong("a module path is needed"))?
        }
    };
    let mode = match map.shift_remove("mode") {
        Some(Json::String(mode)) if mode == "managed" => Mode::Managed,
        Some(Json::String(mode)) if mode == "data" => Mode::Data,
        other => return Err(at.key("mode").needs("`managed` or `data`", other.as_ref())),
    };
    let type_name = text(map.shift_remove("type"), at.key("type"))?.into();
    let name = text(map.shift_remove("name"), at.key("name"))?.into();
    let provider = text(map.shift_remove("provider"), at.key("provider"))?;
    // Versions of Terraform before 0.13 say here how the keys came about; the keys themselves say as much.
    map.shift_remove("each");
    let mut instances = BTreeMap::new();
    let list = map.shift_remove("instances");
    let Some(Json::Array(list)) = list else {
        return Err(at.key("instances").needs("a list", list.as_ref()));
    };
    let at = at.key("instances");
    for (i, json) in list.into_iter().enumerate() {
        instance(json, at.index(i), names, &mut instances)?;
    }
    let address = ResourceAddress { module, mode, type_name, name };
    Ok((address, Resource { provider, instances, other: map }))
}

fn instance(
    json: Json,
    at: At<'_>,
    names: &mut Names,
    instances: &mut BTreeMap<Option<Key>, Arc<Instance>>,
) -> Result<()> {
    let mut map = object(json, at)?;
    let key = match map.shift_remove("index_key") {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) => Some(Key::Name(name.into())),
        Some(json) => {
            let index =
                json.as_u64().ok_or_else(|| at.key("index_key").needs("text or an index", Some(&json)));
            Some(Key::Index(index?))
        }
    };
    let deposed = match map.shift_remove("deposed") {
        None => None,
        Some(json) => Some(text(Some(json), at.key("deposed"))?),
    };
    let object = read_object(map, at, names)?;
    let instance = Arc::make_mut(instances.entry(key).or_default());
    let before = match deposed {
        None => instance.current.replace(object),
        Some(key) => instance.deposed.insert(key, object),
    };
    match before {
        None => Ok(()),
        Some(_) => Err(at.wrong("the same instance stands here a second time")),
    }
}

pub(super) fn read_object(mut map: Map<String, Json>, at: At<'_>, names: &mut Names) -> Result<Object> {
    if map.contains_key("attributes_flat") {
        let hint = "attributes in the form of Terraform 0.11 and before are not read; let a current Terraform \
                    rewrite the state first";
        return Err(at.key("attributes_flat").wrong(hint));
    }
    let status = match map.shift_remove("status") {
        None => Status::Ready,
        Some(Json::String(status)) if status.is_empty() => Status::Ready,
        Some(Json::String(status)) if status == "tainted" => Status::Tainted,
        other => return Err(at.key("status").needs("`tainted` or no status", other.as_ref())),
    };
    let schema_version = number(&mut map, "schema_version", at)?.unwrap_or(0);
    let attributes = match map.shift_remove("attributes") {
        Some(Json::Object(attributes)) => attributes,
        other => return Err(at.key("attributes").needs("an object", other.as_ref())),
    };
    let sensitive = match map.shift_remove("sensitive_attributes") {
        None | Some(Json::Null) => Vec::new(),
        Some(json) => {
            let at = at.key("sensitive_attributes");
            let list = json.as_array().ok_or_else(|| at.needs("a list", Some(&json)))?;
            let read = |(i, json)| path::read(json).ok_or_else(|| at.index(i).needs("a path", Some(json)));
            list.iter().enumerate().map(read).collect::<Result<_>>()?
        }
    };
    Ok(Object {
        status,
        schema_version,
        attributes,
        sensitive,
        identity_schema_version: number(&mut map, "identity_schema_version", at)?,
        identity: map.shift_remove("identity"),
        private: map.shift_remove("private").map(|json| text(Some(json), at.key("private"))).transpose()?,
        dependencies: dependencies(map.shift_remove("dependencies"), at.key("dependencies"), names)?,
        create_before_destroy: flag(&mut map, "create_before_destroy", at)?,
        other: map,
    })
}

fn dependencies(json: Option<Json>, at: At<'_>, names: &mut Names) -> Result<BTreeSet<ResourceAddress>> {
    let Some(json) = json else { return Ok(BTreeSet::new()) };
    let list = json.as_array().ok_or_else(|| at.needs("a list", Some(&json)))?;
    list.iter()
        .enumerate()
        .map(|(i, json)| {
            let wrong = || at.index(i).needs("a resource's address without key", Some(json));
            names.resource(json.as_str().ok_or_else(wrong)?).ok_or_else(wrong)
        })
        .collect()
}

/// Addresses that were met before. Most of a large state are the same few addresses in lists of dependencies; this way
/// they are read once, and kept once.
#[derive(Default)]
pub(super) struct Names {
    modules: HashMap<String, ModulePath>,
    resources: HashMap<String, ResourceAddress>,
}

impl Names {
    fn module(&mut self, text: &str) -> Option<ModulePath> {
        if let Some(known) = self.modules.get(text) {
            return Some(known.clone());
        }
        let address: Address = format!("{text}.x.x").parse().ok()?;
        let module = address.resource.module;
        if module.is_root() || address.resource.mode == Mode::Data {
            return None;
        }
        self.modules.insert(text.to_owned(), module.clone());
        Some(module)
    }

    fn resource(&mut self, text: &str) -> Option<ResourceAddress> {
        if let Some(known) = self.resources.get(text) {
            return Some(known.clone());
        }
        let address: Address = text.parse().ok()?;
        if address.key.is_some() || address.resource.module.0.iter().any(|step| step.key.is_some()) {
            return None;
        }
        self.resources.insert(text.to_owned(), address.resource.clone());
        Some(address.resource)
    }
}

fn object(json: Json, at: At<'_>) -> Result<Map<String, Json>> {
    match json {
        Json::Object(map) => Ok(map),
        other => Err(at.needs("an object", Some(&other))),
    }
}

/// Text that is not empty.
fn text(json: Option<Json>, at: At<'_>) -> Result<String> {
    match json {
        Some(Json::String(text)) if !text.is_empty() => Ok(text),
        other => Err(at.needs("text that is not empty", other.as_ref())),
    }
}

fn flag(map: &mut Map<String, Json>, key: &str, at: At<'_>) -> Result<bool> {
    match map.shift_remove(key) {
        None => Ok(false),
        Some(Json::Bool(flag)) => Ok(flag),
        other => Err(at.key(key).needs("true or false", other.as_ref())),
    }
}

fn number(map: &mut Map<String, Json>, key: &str, at: At<'_>) -> Result<Option<u64>> {
    match map.shift_remove(key) {
        None => Ok(None),
        Some(json) => match json.as_u64() {
            Some(number) => Ok(Some(number)),
            None => Err(at.key(key).needs("a whole number from 0", Some(&json))),
        },
    }
}
