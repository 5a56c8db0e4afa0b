//! All resource types and data sources that a program offers.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::schema::{Block, Schemas};
use terrane_model::{Mode, Schema};

use crate::contract::{DataSource, ResourceType};

/// The resource types and data sources by name, and the schema of the provider's own configuration.
#[derive(Clone, Default)]
pub struct Catalog {
    resources: BTreeMap<&'static str, Arc<dyn ResourceType>>,
    data: BTreeMap<&'static str, Arc<dyn DataSource>>,
    providers: BTreeMap<&'static str, Arc<Block>>,
}

impl Catalog {
    /// Adds a resource type.
    pub fn add_resource(&mut self, resource: Arc<dyn ResourceType>) {
        self.resources.insert(resource.schema().type_name, resource);
    }

    /// Adds a data source.
    pub fn add_data(&mut self, data: Arc<dyn DataSource>) {
        self.data.insert(data.schema().type_name, data);
    }

    /// Adds the schema of a provider's configuration.
    pub fn add_provider(&mut self, name: &'static str, configuration: Block) {
        self.providers.insert(name, Arc::new(configuration));
    }

    /// A resource type.
    pub fn resource(&self, type_name: &str) -> Option<&Arc<dyn ResourceType>> {
        self.resources.get(type_name)
    }

    /// A data source.
    pub fn data(&self, type_name: &str) -> Option<&Arc<dyn DataSource>> {
        self.data.get(type_name)
    }
}

impl Schemas for Catalog {
    fn schema(&self, mode: Mode, type_name: &str) -> Option<&Schema> {
        match mode {
            Mode::Managed => self.resources.get(type_name).map(|r| r.schema()),
            Mode::Data => self.data.get(type_name).map(|d| d.schema()),
        }
    }

    fn provider(&self, name: &str) -> Option<&Block> {
        self.providers.get(name).map(AsRef::as_ref)
    }

    fn names(&self, mode: Mode) -> Vec<&'static str> {
        match mode {
            Mode::Managed => self.resources.keys().copied().collect(),
            Mode::Data => self.data.keys().copied().collect(),
        }
    }

    fn provider_names(&self) -> Vec<&'static str> {
        self.providers.keys().copied().collect()
    }
}

/// The provider that a type belongs to: the part of its name before the first underscore.
pub fn provider_of(type_name: &str) -> &str {
    type_name.split('_').next().unwrap_or(type_name)
}
