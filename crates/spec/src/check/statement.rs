//! Variables, outputs, access statements, and statements about addresses.

use std::collections::HashMap;

use terrane_expr::{Expr, evaluate};
use terrane_model::convert::{article, convert};
use terrane_model::{Diagnostic, Span, Type};

use super::Checker;
use super::scope::{Place, StaticScope};
use crate::module::ResourceKey;
use crate::statement::{Endpoint, NamedBy};

impl<'c> Checker<'c, '_> {
    pub(super) fn statements(&mut self, scope: &StaticScope<'c>) {
        let module = self.module;
        let outside = scope.outside();
        for (name, variable) in &module.variables {
            self.evaluated(&variable.validations, &outside);
            self.speaks_of(name, &variable.validations);
        }
        for (name, output) in &module.outputs {
            self.evaluated(&output.preconditions, &outside);
            match evaluate(&output.value, &outside) {
                Ok(value) if self.is_root && value.marks_deep().sensitive && !output.sensitive => {
                    let detail = format!(
                        "`output.{name}` holds a sensitive value, and it is not declared `sensitive`. Everybody who \
                         sees the outputs would see it."
                    );
                    self.report(
                        Diagnostic::error("sensitive-output", "Sensitive value in an output", detail)
                            .at(output.value.span())
                            .hint("Add `sensitive = true`, or wrap the value in `nonsensitive()` if it may be shown."),
                    );
                }
                Ok(_) => {}
                Err(errors) => self.evaluator_found(errors),
            }
        }
        for check in module.checks.values() {
            let place = Place { data: check.data.as_ref(), ..scope.outside() };
            self.evaluated(&check.assertions, &place);
        }
        for access in module.access.values() {
            let each = access
                .for_each
                .is_some()
                .then(|| (super::scope::unknown(Type::String), terrane_model::Value::unknown(Type::Any)));
            let place = Place { each, ..scope.outside() };
            self.one_or_many(&access.principals, "principals", &place);
            self.one_or_many(&access.actions, "actions", &place);
            self.one_or_many(&access.resources, "resources", &place);
            if let Some(context) = &access.context {
                self.keyed(context, "context", &place);
            }
        }
        self.imports(scope);
        self.moves();
    }

    /// A text or a list of texts.
    fn one_or_many(&mut self, expr: &Expr, name: &str, place: &Place<'_, '_>) {
        match evaluate(expr, place) {
            Ok(value) if convert(&value, &Type::String).is_ok() && !value.is_null() => {}
            Ok(value) => {
                let list = Type::list(Type::String);
                if value.is_null() || convert(&value, &list).is_err() {
                    let detail = format!(
                        "`{name}` must be a text or a list of texts, and this is {}.",
                        article(&value.ty())
                    );
                    self.report(Diagnostic::error("wrong-type", "Wrong type", detail).at(expr.span()));
                }
            }
            Err(errors) => self.evaluator_found(errors),
        }
    }

    /// A map or an object of anything.
    fn keyed(&mut self, expr: &Expr, name: &str, place: &Place<'_, '_>) {
        match evaluate(expr, place) {
            Ok(value) if matches!(value.ty(), Type::Map(_) | Type::Object(_)) => {}
            Ok(value) if value.is_unknown() && value.ty() == Type::Any => {}
            Ok(value) => {
                let detail = format!("`{name}` must be a map, and this is {}.", article(&value.ty()));
                self.report(Diagnostic::error("wrong-type", "Wrong type", detail).at(expr.span()));
            }
            Err(errors) => self.evaluator_found(errors),
        }
    }

    fn imports(&mut self, scope: &StaticScope<'c>) {
        let module = self.module;
        let mut targets: HashMap<String, Span> = HashMap::new();
        for import in &module.imports {
            if let Some(provider) = &import.provider {
                self.provider_exists(provider);
            }
            // Whether there is such a resource is for the plan, which may be asked to write it.
            if let (None, None) = (&import.key, &import.for_each)
                && let Some(first) = targets.insert(import.address.to_string(), import.to_span)
            {
                let detail =
                    format!("`{}` has an import already. One object has one import.", import.address);
                self.report(
                    Diagnostic::error("ambiguous-import", "Ambiguous import", detail)
                        .at(import.to_span)
                        .with_related(first, "the other one"),
                );
            }
            let each = (super::scope::unknown(Type::String), terrane_model::Value::unknown(Type::Any));
            let place = Place { each: Some(each), ..scope.outside() };
            match &import.named_by {
                NamedBy::Id(id) => self.of_type(id, &Type::String, "id", &place),
                NamedBy::Identity(identity) => self.keyed(identity, "identity", &place),
            }
        }
    }

    fn moves(&mut self) {
        let module = self.module;
        let declared = |endpoint: &Endpoint| -> Option<Span> {
            let Endpoint::Resource(address) = endpoint else { return None };
            if address.key.is_some() || !address.resource.module.is_root() {
                return None;
            }
            let resource = &address.resource;
            let key = ResourceKey {
                mode: resource.mode,
                type_name: resource.type_name.clone(),
                name: resource.name.clone(),
            };
            module.resources.get(&key).map(|r| r.span)
        };
        for moved in &module.moved {
            // With a key at the end of `to`, `from` is the one instance without key.
            let instance = matches!(&moved.to.0, Endpoint::Resource(to) if to.key.is_some());
            if let Some(span) = declared(&moved.from.0).filter(|_| !instance) {
                let detail = format!(
                    "`{}` is still declared, so it can't have been moved. Take the declaration out, or the `moved`.",
                    moved.from.0
                );
                self.report(
                    Diagnostic::error("moved-still-declared", "Moved resource still declared", detail)
                        .at(moved.from.1)
                        .with_related(span, "declared here"),
                );
            }
        }
    }
}
