//! Plans one instance of a data source: computed, taken from what was read, asked for, or left for apply.

use terrane_model::{Action, Diagnostic, ModulePath, Reason, ResourceAddress, Severity, Type, Value};
use terrane_spec::Resource;
use terrane_state::Object;

use super::instance::{checked_body, located, preconditions};
use super::{Builder, Need, Weight, Wish, provider_of};
use crate::codec::encode;
use crate::expand::{Repetition, Wanted};
use crate::graph::{Ways, names_of, node_of};
use crate::plan::Change;

impl Builder<'_, '_> {
    pub(super) fn plan_data(&mut self, resource: &ResourceAddress, wanted: &Wanted) {
        if let Some(spec) = self.input.spec.resource(resource) {
            self.plan_data_of(spec, resource, wanted, Weight::Full);
        }
    }

    /// Plans the data source that only a check reads: what is wrong with it is a warning.
    pub(super) fn plan_scoped_data(&mut self, spec: &Resource, module: &ModulePath) {
        let resource = spec.key().address(module);
        self.world.declare(&resource, Repetition::Single);
        let before = self.diagnostics.len();
        let wanted = Wanted { key: None, each_value: None };
        if let Some(failed) = self.input.observed.failed.get(&resource.instance(None)) {
            self.diagnostics.push(failed.clone());
            self.world.set(&resource.instance(None), Value::unknown(Type::Any));
        } else {
            self.plan_data_of(spec, &resource, &wanted, Weight::OfCheck);
        }
        for diagnostic in self.diagnostics.iter_mut().skip(before) {
            diagnostic.severity = Severity::Warning;
        }
    }

    fn plan_data_of(&mut self, spec: &Resource, resource: &ResourceAddress, wanted: &Wanted, weight: Weight) {
        let about = resource.instance(wanted.key.clone());
        let Some(data) = self.input.catalog.data(&resource.type_name).cloned() else {
            let detail = format!("There is no data source `{}`.", resource.type_name);
            self.error(
                Diagnostic::error("unknown-type", "Unknown data source", detail).at(spec.span).about(&about),
            );
            return;
        };
        let config = {
            let scope =
                self.world.instance_scope(&resource.module, wanted.key.as_ref(), wanted.each_value.as_ref());
            preconditions(spec, &scope).and_then(|()| checked_body(spec, &data.schema().block, &scope))
        };
        let config = match config {
            Ok(config) => config,
            Err(errors) => {
                self.diagnostics.extend(errors.into_iter().map(|e| e.about(&about)));
                self.world.set(&about, Value::unknown(data.schema().ty().clone()));
                return;
            }
        };
        let provider = provider_of(self.input.spec, resource);
        let names = names_of(&resource.module);
        let mut ways = Ways::new(self.input.spec);
        let pending = spec.depends_on.iter().any(|(reference, _)| {
            ways.targets(&names, reference).iter().any(|needed| self.pending.contains(needed))
        });
        let marks = config.marks_deep();
        let value = match data.compute(&config, &self.facts(&provider)) {
            Some(Ok(value)) if value.is_wholly_known() || weight == Weight::OfCheck => value,
            Some(Ok(value)) => {
                self.read_later(resource, wanted, value.clone(), Reason::ReadBecauseConfigUnknown);
                value
            }
            Some(Err(problems)) => {
                self.diagnostics.extend(problems.into_iter().map(|p| located(p, spec).about(&about)));
                Value::unknown(data.schema().ty().clone())
            }
            None if pending && weight == Weight::OfCheck => Value::unknown(data.schema().ty().clone()),
            None if !config.is_wholly_known() && weight == Weight::OfCheck => {
                Value::unknown(data.schema().ty().clone())
            }
            None if pending => self.defer(resource, wanted, &config, Reason::ReadBecauseDependencyPending),
            None if !config.is_wholly_known() => {
                self.defer(resource, wanted, &config, Reason::ReadBecauseConfigUnknown)
            }
            None => match self.input.observed.data.get(&about) {
                Some((read_with, value)) if *read_with == config => value.clone(),
                _ => {
                    let what = Wish::Data { config, weight };
                    self.ask(Need { address: about.clone(), provider: provider.clone(), what });
                    Value::unknown(data.schema().ty().clone())
                }
            },
        };
        let value = if marks.any() && value.is_wholly_known() { value.with_marks(marks) } else { value };
        let stored = encode(data.schema(), &value).filter(|_| weight == Weight::Full);
        if let Some((attributes, sensitive)) = stored {
            let dependencies = self.dependencies(&about.resource);
            let schema_version = data.schema().version;
            let object = Object { attributes, sensitive, schema_version, dependencies, ..Object::default() };
            self.refreshed.put(&about, &provider.state_name(), object);
        }
        self.world.set(&about, value);
    }

    /// Plans a read during apply. The result is the arguments as far as they are known, and unknown for the rest.
    fn defer(
        &mut self,
        resource: &ResourceAddress,
        wanted: &Wanted,
        config: &Value,
        reason: Reason,
    ) -> Value {
        let Some(data) = self.input.catalog.data(&resource.type_name).cloned() else { return config.clone() };
        let block = &data.schema().block;
        let after =
            block.attributes.iter().filter(|a| a.is_computed()).fold(config.clone(), |value, attribute| {
                match value.get(attribute.name).is_some_and(|v| !v.is_null()) {
                    true => value,
                    false => value.with(attribute.name, Value::unknown(attribute.ty.clone())),
                }
            });
        self.read_later(resource, wanted, after.clone(), reason);
        after
    }

    fn read_later(&mut self, resource: &ResourceAddress, wanted: &Wanted, after: Value, reason: Reason) {
        let about = resource.instance(wanted.key.clone());
        self.pending.insert(node_of(resource));
        self.changes.push(Change {
            dependencies: self.dependencies(&about.resource),
            address: about,
            previous_address: None,
            deposed: None,
            provider: provider_of(self.input.spec, resource),
            action: Action::Read,
            reason,
            before: None,
            after: Some(after),
            replace_paths: vec![],
            create_before_destroy: false,
            left_over: false,
            importing: None,
        });
    }
}
