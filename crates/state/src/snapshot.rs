//! The state in memory: what exists, as it was at one serial.
//!
//! Attributes stay raw JSON: whoever has the schema of a resource type decodes them. How all this looks on disk is the
//! matter of [`crate::v4`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use terrane_model::{Address, Key, Path, ResourceAddress, Value};

use crate::backend::Version;

/// The version of Terraform that a state written by this program says it is compatible with.
pub const COMPATIBLE_VERSION: &str = "1.11.4";

/// Everything that is known to exist, at one serial of one lineage. A clone shares the resources until one of the two
/// changes them, and the instances that it does not change even then.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Grows by one with each write.
    pub serial: u64,
    /// Given once, when the first snapshot is made; two snapshots of different lineages have nothing in common.
    pub lineage: String,
    /// The version of Terraform that can read it.
    pub terraform_version: String,
    /// The root module's outputs.
    pub outputs: BTreeMap<Arc<str>, Output>,
    /// The resources that have an instance, shared between copies of a snapshot.
    pub resources: Arc<BTreeMap<ResourceAddress, Resource>>,
    /// Results of checks, kept as they were read; null when there are none.
    pub check_results: Json,
    /// Terrane's own part, under the key `terrane`. Empty: the key is not written.
    pub terrane: Map<String, Json>,
    /// Keys at the top that are not known here, kept as they were read.
    pub other: Map<String, Json>,
}

/// One output of the root module.
#[derive(Clone, PartialEq)]
pub struct Output {
    /// Its value. Carries no marks: `sensitive` says it all.
    pub value: Value,
    /// Never shown.
    pub sensitive: bool,
}

/// The instances of one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Which provider configuration it belongs to: `provider["registry.terraform.io/hashicorp/aws"].alias`, with a
    /// module path before it where the configuration is one of a module's own.
    pub provider: String,
    /// Its instances by key, shared between copies of a snapshot. INVARIANT: none of them is
    /// [empty](Instance::is_empty), and there is at least one.
    pub instances: BTreeMap<Option<Key>, Arc<Instance>>,
    /// Keys that are not known here, kept as they were read.
    pub other: Map<String, Json>,
}

/// The objects of one instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instance {
    /// The object that stands for the instance now.
    pub current: Option<Object>,
    /// Objects that were replaced and still have to be deleted, by a key of eight hexadecimal digits.
    pub deposed: BTreeMap<String, Object>,
}

impl Instance {
    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.current.is_none() && self.deposed.is_empty()
    }
}

/// Whether an object is fit for use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// It is as it should be.
    #[default]
    Ready,
    /// It was made, but not wholly; the next plan replaces it.
    Tainted,
}

/// What is known of one object in the cloud.
#[derive(Clone, Default, PartialEq)]
pub struct Object {
    /// Whether it is fit for use.
    pub status: Status,
    /// The version of the schema that the attributes follow.
    pub schema_version: u64,
    /// The attributes, in the order in which they are written.
    pub attributes: Map<String, Json>,
    /// Where sensitive values sit inside the attributes, beyond those that the schema names.
    pub sensitive: Vec<Path>,
    /// The version of the schema of `identity`.
    pub identity_schema_version: Option<u64>,
    /// The provider's identity of the object, kept as it was read.
    pub identity: Option<Json>,
    /// What the provider keeps for itself, in base64.
    pub private: Option<String>,
    /// What it depended on when it was last applied. Module paths have no keys here.
    pub dependencies: BTreeSet<ResourceAddress>,
    /// Whether its replacement is made before it is deleted.
    pub create_before_destroy: bool,
    /// Keys that are not known here, kept as they were read.
    pub other: Map<String, Json>,
}

impl Object {
    /// The attribute `id`, which nearly every type has.
    pub fn id(&self) -> Option<&str> {
        self.attributes.get("id").and_then(Json::as_str)
    }
}

impl Snapshot {
    /// A snapshot of nothing, never written: serial 0.
    pub fn empty(lineage: impl Into<String>) -> Snapshot {
        Snapshot {
            serial: 0,
            lineage: lineage.into(),
            terraform_version: COMPATIBLE_VERSION.to_owned(),
            outputs: BTreeMap::new(),
            resources: Arc::default(),
            check_results: Json::Null,
            terrane: Map::new(),
            other: Map::new(),
        }
    }

    /// Which snapshot it is.
    pub fn version(&self) -> Version {
        Version { lineage: self.lineage.clone(), serial: self.serial }
    }

    /// Whether no object and no output is left.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty()
    }

    /// The resource's entry.
    pub fn resource(&self, address: &ResourceAddress) -> Option<&Resource> {
        self.resources.get(address)
    }

    /// The instance, with its deposed objects.
    pub fn instance(&self, address: &Address) -> Option<&Instance> {
        self.resources.get(&address.resource)?.instances.get(&address.key).map(Arc::as_ref)
    }

    /// The instance's current object.
    pub fn get(&self, address: &Address) -> Option<&Object> {
        self.instance(address)?.current.as_ref()
    }

    /// An object: the current one, or the one deposed under a key.
    pub fn object(&self, address: &Address, deposed: Option<&str>) -> Option<&Object> {
        let instance = self.instance(address)?;
        match deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(key),
        }
    }

    /// Sets the instance's current object. The whole resource belongs to `provider` from now on.
    pub fn put(&mut self, address: &Address, provider: &str, object: Object) {
        self.instance_mut(address, provider).current = Some(object);
    }

    /// Sets the object deposed under a key.
    pub fn put_deposed(&mut self, address: &Address, provider: &str, key: &str, object: Object) {
        self.instance_mut(address, provider).deposed.insert(key.to_owned(), object);
    }

    /// Takes the instance's current object out.
    pub fn remove(&mut self, address: &Address) -> Option<Object> {
        self.take(address, |instance| instance.current.take())
    }

    /// Takes the object deposed under a key out.
    pub fn remove_deposed(&mut self, address: &Address, key: &str) -> Option<Object> {
        self.take(address, |instance| instance.deposed.remove(key))
    }

    /// Puts the current object aside under `key`, so that another can take its place. Nothing happens, and false is
    /// the answer, when there is no current object or the key is taken.
    pub fn depose(&mut self, address: &Address, key: &str) -> bool {
        self.take(address, |instance| {
            if instance.deposed.contains_key(key) {
                return None;
            }
            let object = instance.current.take()?;
            instance.deposed.insert(key.to_owned(), object);
            Some(())
        })
        .is_some()
    }

    /// Gives an instance another address, with all that is deposed. Answers false, and does nothing, when there is
    /// nothing at `from` or something at `to`.
    pub fn rename(&mut self, from: &Address, to: &Address) -> bool {
        if self.instance(to).is_some() {
            return false;
        }
        let Some(provider) = self.resource(&from.resource).map(|r| r.provider.clone()) else { return false };
        let moved = self.take(from, |instance| (!instance.is_empty()).then(|| std::mem::take(instance)));
        let Some(moved) = moved else { return false };
        *self.instance_mut(to, &provider) = moved;
        true
    }

    /// Every instance with its resource, in the order of addresses.
    pub fn instances(&self) -> impl Iterator<Item = (Address, &Resource, &Instance)> {
        self.resources.iter().flat_map(|(address, resource)| {
            resource
                .instances
                .iter()
                .map(move |(key, instance)| (address.instance(key.clone()), resource, instance.as_ref()))
        })
    }

    /// Every current object with its provider, in the order of addresses.
    pub fn current(&self) -> impl Iterator<Item = (Address, &str, &Object)> {
        self.instances().filter_map(|(address, resource, instance)| {
            Some((address, resource.provider.as_str(), instance.current.as_ref()?))
        })
    }

    /// Every deposed object with its key and provider, in the order of addresses and keys.
    pub fn deposed(&self) -> impl Iterator<Item = (Address, &str, &str, &Object)> {
        self.instances().flat_map(|(address, resource, instance)| {
            instance
                .deposed
                .iter()
                .map(move |(key, object)| (address.clone(), key.as_str(), resource.provider.as_str(), object))
        })
    }

    fn instance_mut(&mut self, address: &Address, provider: &str) -> &mut Instance {
        let resources = Arc::make_mut(&mut self.resources);
        let resource = resources.entry(address.resource.clone()).or_insert_with(|| Resource {
            provider: String::new(),
            instances: BTreeMap::new(),
            other: Map::new(),
        });
        if resource.provider != provider {
            provider.clone_into(&mut resource.provider);
        }
        Arc::make_mut(resource.instances.entry(address.key.clone()).or_default())
    }

    /// Takes something out of an instance, and the instance and the resource too when nothing is left of them.
    fn take<T>(&mut self, address: &Address, f: impl FnOnce(&mut Instance) -> Option<T>) -> Option<T> {
        if !self.resources.contains_key(&address.resource) {
            return None;
        }
        let resources = Arc::make_mut(&mut self.resources);
        let resource = resources.get_mut(&address.resource)?;
        let instance = Arc::make_mut(resource.instances.get_mut(&address.key)?);
        let taken = f(instance);
        if instance.is_empty() {
            resource.instances.remove(&address.key);
        }
        if resource.instances.is_empty() {
            resources.remove(&address.resource);
        }
        taken
    }
}

/// Never shows the value of a sensitive output.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sensitive {
            true => f.write_str("(sensitive)"),
            false => self.value.fmt(f),
        }
    }
}

/// Shows the id and the names of the attributes: without the schema nobody knows which of them are secrets.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object")
            .field("status", &self.status)
            .field("id", &self.id())
            .field("attributes", &self.attributes.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn object(id: &str) -> Object {
        Object { attributes: Map::from_iter([("id".to_owned(), Json::from(id))]), ..Object::default() }
    }

    #[test]
    fn what_was_put_is_found_and_an_empty_resource_goes_away() {
        let mut snapshot = Snapshot::empty("l");
        let (a, b) = (address("aws_x.y[0]"), address("aws_x.y[1]"));
        snapshot.put(&a, "p", object("0"));
        snapshot.put(&b, "p", object("1"));
        assert_eq!(snapshot.get(&b).and_then(Object::id), Some("1"));
        assert_eq!(snapshot.current().map(|(a, ..)| a).collect::<Vec<_>>(), [a.clone(), b.clone()]);
        assert!(snapshot.remove(&a).is_some());
        assert!(snapshot.remove(&a).is_none());
        assert!(!snapshot.is_empty());
        assert!(snapshot.remove(&b).is_some());
        assert!(snapshot.is_empty());
    }

    #[test]
    fn a_deposed_object_keeps_the_instance_alive() {
        let mut snapshot = Snapshot::empty("l");
        let a = address("aws_x.y");
        assert!(!snapshot.depose(&a, "00000001"), "there is nothing to depose");
        snapshot.put(&a, "p", object("old"));
        assert!(snapshot.depose(&a, "00000001"));
        assert!(snapshot.get(&a).is_none());
        snapshot.put(&a, "p", object("new"));
        assert!(!snapshot.depose(&a, "00000001"), "the key is taken");
        assert_eq!(snapshot.get(&a).and_then(Object::id), Some("new"));
        assert!(snapshot.remove(&a).is_some());
        assert_eq!(snapshot.deposed().map(|(_, key, ..)| key).collect::<Vec<_>>(), ["00000001"]);
        assert_eq!(snapshot.remove_deposed(&a, "00000001").as_ref().and_then(Object::id), Some("old"));
        assert!(snapshot.is_empty());
    }

    #[test]
    fn an_instance_moves_with_all_it_has() {
        let mut snapshot = Snapshot::empty("l");
        let (from, to) = (address("aws_x.y[0]"), address("module.m.aws_x.z"));
        snapshot.put(&from, "p", object("a"));
        snapshot.put_deposed(&from, "p", "00000001", object("b"));
        assert!(snapshot.rename(&from, &to));
        assert_eq!(snapshot.resource(&to.resource).map(|r| r.provider.as_str()), Some("p"));
        assert_eq!(snapshot.object(&to, Some("00000001")).and_then(Object::id), Some("b"));
        assert!(snapshot.instance(&from).is_none());
        assert!(!snapshot.rename(&from, &address("aws_x.w")), "nothing there");
        snapshot.put(&from, "p", object("c"));
        assert!(!snapshot.rename(&from, &to), "something there");
    }

    #[test]
    fn debug_shows_no_secrets() {
        let mut snapshot = Snapshot::empty("l");
        let mut secret = object("id-1");
        secret.attributes.insert("password".into(), "hunter2".into());
        snapshot.put(&address("aws_x.y"), "p", secret);
        snapshot.outputs.insert("o".into(), Output { value: Value::from("hunter2"), sensitive: true });
        let text = format!("{snapshot:?}");
        assert!(!text.contains("hunter2") && text.contains("password") && text.contains("id-1"), "{text}");
    }
}
