//! Resources, data sources and providers against their schemas.

use std::collections::HashSet;

use terrane_expr::{Expr, evaluate};
use terrane_model::nearest::nearest;
use terrane_model::schema::Schemas;
use terrane_model::{Diagnostic, Diagnostics, Mode, ModulePath, Path, Schema, Span, Step, Type, Value};

use super::scope::StaticScope;
use super::{Arguments, Checker};
use crate::module::{Module, ResourceKey};
use crate::resource::{IgnoreChanges, ProviderRef, Resource};

impl<'c> Checker<'c, '_> {
    pub(super) fn resources(&mut self, scope: &StaticScope<'c>, arguments: &'c Arguments) {
        let module = self.module;
        for (key, resource) in &module.resources {
            self.resource(scope, resource, arguments.get(key).map(Vec::as_slice));
        }
        for check in module.checks.values() {
            if let Some(data) = &check.data {
                self.resource(scope, data, None);
            }
        }
    }

    fn resource(
        &mut self,
        scope: &StaticScope<'c>,
        resource: &'c Resource,
        arguments: Option<&[(std::sync::Arc<str>, Expr)]>,
    ) {
        if let Some(provider) = &resource.provider {
            self.provider_exists(provider);
        }
        let Some(schema) = self.schemas.schema(resource.mode, &resource.type_name) else {
            return self.unknown_type(resource);
        };
        let mut seen = HashSet::new();
        let address = resource.key().address(&ModulePath::root());
        for place in scope.inside(resource) {
            let address = address.instance(place.key());
            // In a called module the address hangs on who calls it.
            let named = self.is_root.then_some(&address);
            let about = |errors: Diagnostics| {
                let about = |error: Diagnostic| match named {
                    Some(address) => error.about(address),
                    None => error,
                };
                errors.into_iter().map(about).collect()
            };
            let body = match (evaluate(&resource.body, &place), arguments) {
                (Ok(body), _) => body,
                (Err(_), Some(arguments)) => {
                    let mut entries = Vec::with_capacity(arguments.len());
                    for (name, expr) in arguments {
                        let value = evaluate(expr, &place).unwrap_or_else(|errors| {
                            self.evaluator_found(about(errors));
                            Value::unknown(Type::Any)
                        });
                        entries.push((name.clone(), value));
                    }
                    Value::object(entries)
                }
                (Err(errors), None) => {
                    self.evaluator_found(about(errors));
                    continue;
                }
            };
            self.body(&body, &schema.block, &resource.places, resource.span, named, &mut seen);
            let with_self = super::scope::Place {
                itself: Some(scope.object(resource.mode, &resource.type_name)),
                ..place
            };
            self.evaluated(&resource.lifecycle.preconditions, &with_self);
            self.evaluated(&resource.lifecycle.postconditions, &with_self);
        }
        if let IgnoreChanges::Paths(paths) = &resource.lifecycle.ignore_changes {
            for (path, span) in paths {
                self.ignored(schema, path, *span);
            }
        }
    }

    fn ignored(&mut self, schema: &Schema, path: &Path, span: Span) {
        let Some(name) = path.root() else { return };
        if schema.block.attribute(name).is_none() && schema.block.nested(name).is_none() {
            let near = self.suggestion(name, schema.block.names());
            let detail = format!(
                "`{}` has no argument `{name}` whose changes could be ignored.{near}",
                schema.type_name
            );
            self.report(Diagnostic::error("unknown-argument", "Unknown argument", detail).at(span));
        }
    }

    fn unknown_type(&mut self, resource: &Resource) {
        let (what, other_mode) = match resource.mode {
            Mode::Managed => ("resource type", Mode::Data),
            Mode::Data => ("data source", Mode::Managed),
        };
        let type_name = &resource.type_name;
        let mut detail = format!("There is no {what} `{type_name}`.");
        if self.schemas.schema(other_mode, type_name).is_some() {
            detail.push_str(match other_mode {
                Mode::Data => " There is a data source of this name: write `[data.",
                Mode::Managed => " There is a resource type of this name: write `[resource.",
            });
            detail.push_str(&format!("{type_name}.{}]`.", resource.name));
        } else {
            let names = self.schemas.names(resource.mode);
            match nearest(type_name, names.iter().copied()) {
                Some(near) => detail.push_str(&format!(" Did you mean `{near}`?")),
                None => detail.push_str(" `terrane schema` lists those that there are."),
            }
        }
        self.report(Diagnostic::error("unknown-type", "Unknown type", detail).at(resource.span));
    }

    pub(super) fn provider_exists(&mut self, wanted: &ProviderRef) {
        let module = self.module;
        let found = match &wanted.alias {
            Some(_) => module.providers.iter().any(|p| p.name == wanted.name && p.alias == wanted.alias),
            None => self.schemas.provider(&wanted.name).is_some() || wanted.name.starts_with("terraform"),
        };
        if !found && !self.is_root && self.schemas.provider(&wanted.name).is_some() {
            self.want(wanted);
        } else if !found {
            let written: Vec<String> = module
                .providers
                .iter()
                .map(|p| match &p.alias {
                    Some(alias) => format!("{}.{alias}", p.name),
                    None => p.name.to_string(),
                })
                .collect();
            let near = self.suggestion(&wanted.to_string(), written.iter().map(|w| &**w));
            let detail = format!("There is no provider `{wanted}`.{near}");
            let mut diagnostic =
                Diagnostic::error("undeclared-provider", "Undeclared provider", detail).at(wanted.span);
            if let Some(alias) = &wanted.alias {
                diagnostic = diagnostic.hint(format!(
                    "To declare it, add `[[provider.{}]]` with `alias = \"{alias}\"`.",
                    wanted.name
                ));
            }
            self.report(diagnostic);
        }
    }

    pub(super) fn providers(&mut self, scope: &StaticScope<'c>) {
        let module = self.module;
        for provider in &module.providers {
            let Some(block) = self.schemas.provider(&provider.name) else {
                let names = self.schemas.provider_names();
                let mut detail = format!("There is no provider `{}`.", provider.name);
                match nearest(&provider.name, names.iter().copied()) {
                    Some(near) => detail.push_str(&format!(" Did you mean `{near}`?")),
                    None => detail.push_str(&crate::decode::there_are(&names)),
                }
                self.report(
                    Diagnostic::error("unknown-provider", "Unknown provider", detail).at(provider.span),
                );
                continue;
            };
            match evaluate(&provider.body, &scope.outside()) {
                Ok(body) => {
                    self.body(&body, block, &provider.places, provider.span, None, &mut HashSet::new())
                }
                Err(errors) => self.evaluator_found(errors),
            }
        }
    }
}

/// Makes paths of `ignore_changes` such as `tags.Name` say what they mean by the schema: a key of a map.
pub(super) fn settle_paths(module: &mut Module, schemas: &dyn Schemas) {
    for (ResourceKey { mode, type_name, .. }, resource) in &mut module.resources {
        let IgnoreChanges::Paths(paths) = &mut resource.lifecycle.ignore_changes else { continue };
        if paths.is_empty() {
            continue;
        }
        let Some(schema) = schemas.schema(*mode, type_name) else { continue };
        for (path, _) in paths {
            settle_path(path, schema.ty());
        }
    }
}

fn settle_path(path: &mut Path, ty: &Type) {
    let mut here = Some(ty.clone());
    for step in &mut path.0 {
        let inside = match (&here, &*step) {
            (Some(Type::Object(fields)), Step::Attribute(name) | Step::Key(name)) => {
                let field = fields.get(name).map(|f| f.ty.clone());
                *step = Step::Attribute(name.clone());
                field
            }
            (Some(Type::Map(element)), Step::Attribute(name) | Step::Key(name)) => {
                let element = (**element).clone();
                *step = Step::Key(name.clone());
                Some(element)
            }
            (Some(Type::List(element) | Type::Set(element)), Step::Index(_)) => Some((**element).clone()),
            _ => None,
        };
        here = inside;
    }
}
