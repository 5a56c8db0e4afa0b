//! Imports that lead to no resource of the spec: refused, or, where that was asked for, the arguments of a resource that can
//! be written for them.

use terrane_model::nearest::nearest;
use terrane_model::schema::Schemas;
use terrane_model::{Address, Diagnostic, Mode, ResourceAddress};
use terrane_spec::Spec;
use terrane_spec::statement::Import;

use super::import::{already_managed, held_by, not_found, provider_of_undeclared};
use super::{Builder, Need, Wish};
use crate::expand::Wanted;
use crate::generate::{Undeclared, arguments};
use crate::graph::names_of;

impl Builder<'_, '_> {
    /// Looks at the imports that lead to no resource of the spec.
    pub(super) fn imports_of_undeclared(&mut self) {
        let spec = self.input.spec;
        let entries = std::mem::take(&mut self.entries);
        for (resource, imports) in &entries {
            let is_missing = match spec.resource(resource) {
                None => true,
                // The resource is there, and its module has no such instance.
                Some(_) => {
                    let paths = self.world.module_instances(&names_of(&resource.module));
                    paths.is_ok_and(|paths| !paths.contains(&resource.module))
                }
            };
            let imports = imports.iter().filter_map(|entry| spec.root.imports.get(*entry));
            for import in imports.filter(|_| is_missing) {
                match self.input.options.generate && can_be_written(import) {
                    true => self.write_undeclared(import),
                    false => self.error(undeclared(spec, resource, import, self.input.options.generate)),
                }
            }
        }
    }

    /// Looks at the object, and notes what a resource would have to say.
    fn write_undeclared(&mut self, import: &Import) {
        let about = &import.address;
        let type_name = &about.resource.type_name;
        let Some(kind) = self.input.catalog.resource(type_name).cloned() else {
            self.error(unknown_type(self.input.catalog, import));
            return;
        };
        if self.input.snapshot.get(about).is_some() || self.refreshed.get(about).is_some() {
            let detail = format!(
                "The state has `{about}` already, and the spec has no resource for it. There is nothing to import."
            );
            let error = Diagnostic::error("already-managed", "Object managed already", detail);
            let hint =
                "Declare the resource; or take the import out, and the plan says what becomes of the object.";
            self.error(error.at(import.to_span).about(about).hint(hint));
            return;
        }
        let provider = provider_of_undeclared(import);
        let element = Wanted { key: None, each_value: None };
        let id = match self.import_id(kind.as_ref(), import, &element) {
            Ok(Some(id)) => id,
            Ok(None) => {
                self.unknown_id(import, about);
                return;
            }
            Err(errors) => {
                self.diagnostics.extend(errors.into_iter().map(|e| e.about(about)));
                return;
            }
        };
        let found = match self.input.observed.imports.get(about) {
            Some((looked_for, found)) if *looked_for == id => found,
            _ => {
                self.ask(Need { address: about.clone(), provider, what: Wish::Import { id } });
                return;
            }
        };
        let Some(object) = found else {
            self.error(not_found(import, about, &id));
            return;
        };
        if let Some(other) = held_by(&self.refreshed, kind.identity(), object, &provider, about) {
            self.error(already_managed(import, about, &id, &other));
            return;
        }
        let arguments = arguments(kind.as_ref(), object, &self.facts(&provider));
        let named = import.provider.is_some().then_some(provider);
        self.undeclared.push(Undeclared { address: about.clone(), id, provider: named, arguments });
    }
}

/// Whether one resource of the root module, with one instance, is what the import needs.
fn can_be_written(import: &Import) -> bool {
    let Address { resource, key } = &import.address;
    resource.module.is_root() && key.is_none() && import.key.is_none() && import.for_each.is_none()
}

fn undeclared(spec: &Spec, resource: &ResourceAddress, import: &Import, generate: bool) -> Diagnostic {
    let near = match resource.module.is_root() {
        true => {
            let names: Vec<String> = spec.root.resources.keys().map(ToString::to_string).collect();
            let near = nearest(&resource.to_string(), names.iter().map(String::as_str));
            near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default()
        }
        false => String::new(),
    };
    let detail = format!("There is no resource `{resource}` that the object could be imported to.{near}");
    let error = Diagnostic::error("undeclared-resource", "Undeclared resource", detail).at(import.to_span);
    match (generate, can_be_written(import)) {
        (_, true) => error.hint(
            "Declare it with the arguments that the object has, or let \
             `terrane plan --generate-config-out generated.terrane.toml` write it.",
        ),
        (false, false) => {
            error.hint("Declare it with the arguments that the object has; the plan shows where they differ.")
        }
        (true, false) => error.hint(
            "`--generate-config-out` writes resources of the root module, without `count` and `for_each`: for an \
             import with `for_each`, with a key or into a module, declare the resource yourself.",
        ),
    }
}

fn unknown_type(schemas: &dyn Schemas, import: &Import) -> Diagnostic {
    let type_name = &import.address.resource.type_name;
    let near = nearest(type_name, schemas.names(Mode::Managed));
    let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    let detail = format!("There is no resource type `{type_name}`.{near}");
    Diagnostic::error("unknown-type", "Unknown resource type", detail).at(import.to_span)
}
