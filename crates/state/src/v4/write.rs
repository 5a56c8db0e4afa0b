//! Writing: [`Snapshot`] to text.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value as Json};
use terrane_model::{Key, Mode, ResourceAddress, json};

use super::format::TerraformFormatter;
use super::read::{At, Names};
use super::{TERRANE_FORMAT, path};
use crate::error::FormatError;
use crate::snapshot::{Object, Output, Resource, Snapshot, Status};

/// Writes a state file, byte for byte as Terraform does.
///
/// Ordering: outputs by name; resources by module, mode, type and name, instances by key, the current object before
/// deposed ones, dependencies as texts. Attributes stand in the order of their map.
///
/// Caveat: an output with no value that JSON can hold, because something in it is unknown or infinite, is written as null;
/// a [`Store`](crate::Store) refuses to keep such a snapshot.
pub fn render(snapshot: &Snapshot) -> Vec<u8> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, TerraformFormatter::new());
    // Neither memory nor these types ever fail; what is cut off would not be read as a state again.
    let _ = StateV4(snapshot).serialize(&mut serializer);
    out.push(b'\n');
    out
}

/// Whether every value has a form on disk.
pub(crate) fn check(snapshot: &Snapshot) -> Result<(), FormatError> {
    match snapshot.outputs.iter().find(|(_, output)| json::to_json(&output.value).is_none()) {
        None => Ok(()),
        Some((name, _)) => Err(FormatError::NotStorable { what: format!("the output `{name}`") }),
    }
}

/// One object as an instance of a state file has it, for the journal.
pub(crate) fn bare(object: &Object) -> ObjectV4<'_> {
    ObjectV4 { key: None, deposed: None, object }
}

/// Reads what [`bare`] wrote.
pub(crate) fn read_object(json: Json) -> Result<Object, FormatError> {
    match json {
        Json::Object(map) => super::read::read_object(map, At::ROOT, &mut Names::default()),
        _ => Err(FormatError::Shape { pointer: String::new(), detail: "an object is needed".into() }),
    }
}

struct StateV4<'a>(&'a Snapshot);

impl Serialize for StateV4<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let snapshot = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("version", &4)?;
        map.serialize_entry("terraform_version", &snapshot.terraform_version)?;
        map.serialize_entry("serial", &snapshot.serial)?;
        map.serialize_entry("lineage", &snapshot.lineage)?;
        map.serialize_entry("outputs", &OutputsV4(snapshot))?;
        map.serialize_entry("resources", &ResourcesV4(snapshot))?;
        map.serialize_entry("check_results", &snapshot.check_results)?;
        if !snapshot.terrane.is_empty() {
            let mut own = Map::from_iter([("format".to_owned(), Json::from(TERRANE_FORMAT))]);
            own.extend(snapshot.terrane.iter().map(|(key, value)| (key.clone(), value.clone())));
            map.serialize_entry("terrane", &own)?;
        }
        write_other(&mut map, &snapshot.other)?;
        map.end()
    }
}

fn write_other<M: SerializeMap>(map: &mut M, other: &Map<String, Json>) -> Result<(), M::Error> {
    other.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))
}

struct OutputsV4<'a>(&'a Snapshot);

impl Serialize for OutputsV4<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.outputs.iter().map(|(name, output)| (name, OutputV4(output))))
    }
}

struct OutputV4<'a>(&'a Output);

impl Serialize for OutputV4<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let output = self.0;
        let value = json::to_json(&output.value).unwrap_or_default();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", &value)?;
        map.serialize_entry("type", &json::type_to_json(&output.value.ty()))?;
        if output.sensitive {
            map.serialize_entry("sensitive", &true)?;
        }
        map.end()
    }
}

struct ResourcesV4<'a>(&'a Snapshot);

impl Serialize for ResourcesV4<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all: Vec<ResourceV4<'_>> = self
            .0
            .resources
            .iter()
            .map(|(address, resource)| ResourceV4 { module: address.module.to_string(), address, resource })
            .collect();
        // The order of texts, which is not that of the addresses: `module.a[10]` stands before `module.a[2]`.
        all.sort_by(|a, b| a.order().cmp(&b.order()));
        serializer.collect_seq(all)
    }
}

struct ResourceV4<'a> {
    module: String,
    address: &'a ResourceAddress,
    resource: &'a Resource,
}

impl ResourceV4<'_> {
    fn mode(&self) -> &'static str {
        match self.address.mode {
            Mode::Data => "data",
            Mode::Managed => "managed",
        }
    }

    fn order(&self) -> (&str, &str, &str, &str) {
        (&self.module, self.mode(), &self.address.type_name, &self.address.name)
    }
}

impl Serialize for ResourceV4<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.module.is_empty() {
            map.serialize_entry("module", &self.module)?;
        }
        map.serialize_entry("mode", self.mode())?;
        map.serialize_entry("type", &self.address.type_name)?;
        map.serialize_entry("name", &self.address.name)?;
        map.serialize_entry("provider", &self.resource.provider)?;
        map.serialize_entry("instances", &InstancesV4(self.resource))?;
        write_other(&mut map, &self.resource.other)?;
        map.end()
    }
}

struct InstancesV4<'a>(&'a Resource);

impl Serialize for InstancesV4<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for (key, instance) in &self.0.instances {
            let key = key.as_ref();
            if let Some(object) = &instance.current {
                list.serialize_element(&ObjectV4 { key, deposed: None, object })?;
            }
            for (deposed, object) in &instance.deposed {
                list.serialize_element(&ObjectV4 { key, deposed: Some(deposed), object })?;
            }
        }
        list.end()
    }
}

/// An object on disk.
pub(crate) struct ObjectV4<'a> {
    key: Option<&'a Key>,
    deposed: Option<&'a str>,
    object: &'a Object,
}

impl Serialize for ObjectV4<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object = self.object;
        let mut map = serializer.serialize_map(None)?;
        match self.key {
            None => {}
            Some(Key::Index(index)) => map.serialize_entry("index_key", index)?,
            Some(Key::Name(name)) => map.serialize_entry("index_key", name)?,
        }
        if object.status == Status::Tainted {
            map.serialize_entry("status", "tainted")?;
        }
        if let Some(deposed) = self.deposed {
            map.serialize_entry("deposed", deposed)?;
        }
        map.serialize_entry("schema_version", &object.schema_version)?;
        map.serialize_entry("attributes", &object.attributes)?;
        let sensitive: Vec<Json> = object.sensitive.iter().map(path::write).collect();
        map.serialize_entry("sensitive_attributes", &sensitive)?;
        if let Some(version) = object.identity_schema_version {
            map.serialize_entry("identity_schema_version", &version)?;
        }
        if let Some(identity) = &object.identity {
            map.serialize_entry("identity", identity)?;
        }
        if let Some(private) = &object.private {
            map.serialize_entry("private", private)?;
        }
        if !object.dependencies.is_empty() {
            let mut texts: Vec<String> = object.dependencies.iter().map(ToString::to_string).collect();
            texts.sort_unstable();
            map.serialize_entry("dependencies", &texts)?;
        }
        if object.create_before_destroy {
            map.serialize_entry("create_before_destroy", &true)?;
        }
        write_other(&mut map, &object.other)?;
        map.end()
    }
}
