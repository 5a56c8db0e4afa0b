//! Calls of modules: what the called module takes and gives, against what the call says and what is asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_expr::evaluate;
use terrane_model::nearest::nearest;
use terrane_model::{Diagnostic, Span, Step, Value};

use super::Checker;
use super::scope::StaticScope;
use crate::module::{Module, ModuleCall};
use crate::resource::ProviderRef;

/// What those who call a module see of it.
pub(super) struct Face<'c> {
    pub(super) module: &'c Module,
    /// Its outputs, as far as they can be told.
    pub(super) outputs: BTreeMap<Arc<str>, Value>,
    /// The configurations of providers that it does not declare and wants to be handed.
    pub(super) wants: BTreeMap<String, Span>,
}

impl<'c> Checker<'c, '_> {
    pub(super) fn calls(&mut self, scope: &StaticScope<'c>) {
        for call in self.module.modules.values() {
            if let Some(face) = self.faces.get(&call.name).copied() {
                self.inputs(call, face, scope);
                self.handed(call, face);
            }
            for handed in call.providers.values() {
                self.provider_exists(handed);
            }
        }
    }

    fn inputs(&mut self, call: &'c ModuleCall, face: &Face<'c>, scope: &StaticScope<'c>) {
        let variables = &face.module.variables;
        for (name, key) in call.places.names() {
            if !variables.contains_key(name) {
                let mut detail = format!("The module of `module.{}` has no variable `{name}`.", call.name);
                match nearest(name, variables.keys().map(|n| &**n)) {
                    Some(near) => detail.push_str(&format!(" Did you mean `{near}`?")),
                    None => {
                        let names: Vec<&str> = variables.keys().map(|n| &**n).collect();
                        detail.push_str(&crate::decode::there_are(&names));
                    }
                }
                self.report(Diagnostic::error("unknown-input", "Unknown module input", detail).at(key));
            }
        }
        for place in scope.inside_call(&call.name) {
            for (name, variable) in variables {
                let given = match call.input(name).map(|expr| (evaluate(expr, &place), expr.span())) {
                    Some((Ok(value), span)) => Some((value, span)),
                    Some((Err(errors), _)) => {
                        self.evaluator_found(errors);
                        continue;
                    }
                    None => None,
                };
                if let Err(error) = variable.accept(name, given, call.span) {
                    self.report(error);
                }
            }
        }
    }

    fn handed(&mut self, call: &ModuleCall, face: &Face<'c>) {
        for (wanted, span) in &face.wants {
            if !call.providers.contains_key(wanted.as_str()) {
                let detail = format!(
                    "The module of `module.{}` uses the provider `{wanted}`, and the call does not hand it one.",
                    call.name
                );
                self.report(
                    Diagnostic::error("missing-provider", "Missing provider of a module", detail)
                        .at(call.span)
                        .with_related(*span, "used here")
                        .hint(format!(
                            "Add `providers = {{ \"{wanted}\" = \"...\" }}` to the call, with the name of a \
                             configuration that is declared here."
                        )),
                );
            }
        }
        for (name, value) in &call.providers {
            let provider = name.split('.').next().unwrap_or(name);
            if self.schemas.provider(provider).is_none() && !provider.starts_with("terraform") {
                let mut detail = format!("There is no provider `{provider}` that a module could be handed.");
                if let Some(near) = nearest(provider, self.schemas.provider_names()) {
                    detail.push_str(&format!(" Did you mean `{near}`?"));
                }
                self.report(Diagnostic::error("unknown-provider", "Unknown provider", detail).at(value.span));
            } else if name.contains('.') && !face.wants.contains_key(&**name) {
                let detail = format!("Nothing in the module of `module.{}` uses `{name}`.", call.name);
                self.report(
                    Diagnostic::warning("unused-provider", "Unused provider of a module", detail)
                        .at(value.span),
                );
            }
        }
    }

    /// Whether a reference to an output of a call leads to one: whole instances, keys and names.
    pub(super) fn output_reference(
        &mut self,
        name: &Arc<str>,
        output: Option<&Arc<str>>,
        span: Span,
        steps: &[Step],
    ) {
        let Some(call) = self.module.modules.get(name) else { return };
        let indexed = if call.count.is_some() {
            Some(("count", "[0]", "[*]"))
        } else {
            call.for_each.is_some().then_some(("for_each", "[\"KEY\"]", ""))
        };
        // Behind an index, the place goes on to it, so that what the evaluator says there is known to be an echo.
        let behind = super::reference::length(steps.get(..1).unwrap_or_default());
        let place = match output {
            Some(_) => span,
            None => Span { end: span.end.saturating_add(behind), ..span },
        };
        let wanted = match (output, indexed) {
            (Some(output), Some((argument, one, all))) => {
                let mut detail = format!(
                    "`module.{name}` has `{argument}`, so it is a collection of instances. Write \
                     `module.{name}{one}.{output}` for one of them"
                );
                if all.is_empty() {
                    detail.push('.');
                } else {
                    detail.push_str(&format!(", `module.{name}{all}.{output}` for all."));
                }
                return self.wrong("wrong-instance", "Wrong instance of a module", detail, span, None);
            }
            (output @ Some(_), None) => output,
            (None, None) => match steps.first() {
                Some(Step::Index(_) | Step::Key(_)) => {
                    let detail = format!(
                        "`module.{name}` has neither `count` nor `for_each`, so there is one of it. Leave the index \
                         out."
                    );
                    return self.wrong("wrong-instance", "Wrong instance of a module", detail, span, None);
                }
                _ => None,
            },
            (None, Some(_)) => match steps {
                [Step::Index(_) | Step::Key(_), Step::Attribute(output), ..] => Some(output),
                _ => None,
            },
        };
        let (Some(output), Some(face)) = (wanted, self.faces.get(name).copied()) else { return };
        if !face.module.outputs.contains_key(output) {
            let near = self.suggestion(output, face.module.outputs.keys().map(|n| &**n));
            let detail = format!("The module of `module.{name}` has no output `{output}`.{near}");
            let hint = near
                .is_empty()
                .then(|| format!("To declare it, add `[output.{output}]` in `{}`.", face.module.folder));
            self.wrong("undeclared-output", "Undeclared output", detail, place, hint);
        }
    }

    /// Statements that only the root module may have.
    pub(super) fn root_alone(&mut self) {
        let module = self.module;
        if self.is_root {
            return;
        }
        for provider in &module.providers {
            let detail = format!(
                "A module that is called can't configure the provider `{}`. Configure it in the root module, and \
                 hand it over with `providers` in the call.",
                provider.name
            );
            self.report(
                Diagnostic::error("provider-in-module", "Provider in a module", detail).at(provider.span),
            );
        }
        for import in &module.imports {
            let detail =
                "Only the root module can import. Name the object there, as `module.NAME.TYPE.NAME`.";
            self.report(Diagnostic::error("import-in-module", "Import in a module", detail).at(import.span));
        }
        if let Some(backend) = &module.settings.backend {
            let detail =
                "The backend of a module that is called has no meaning; that of the root module counts.";
            self.report(
                Diagnostic::warning("backend-in-module", "Backend in a module", detail).at(backend.span),
            );
        }
    }

    /// Notes a configuration that whoever calls this module must hand to it.
    pub(super) fn want(&mut self, provider: &ProviderRef) {
        self.wants.entry(provider.to_string()).or_insert(provider.span);
    }
}

/// All outputs of a module, over the values of a check.
pub(super) fn outputs(module: &Module, scope: &StaticScope<'_>) -> BTreeMap<Arc<str>, Value> {
    let value = |output: &crate::module::Output| {
        let value = evaluate(&output.value, &scope.outside());
        let value = value.unwrap_or_else(|_| Value::unknown(terrane_model::Type::Any));
        if output.sensitive { value.sensitive() } else { value }
    };
    module.outputs.iter().map(|(name, output)| (name.clone(), value(output))).collect()
}

/// Says of every call that nobody looked for its module.
pub(super) fn not_looked_for(module: &Module) -> impl Iterator<Item = Diagnostic> {
    module.modules.values().map(|call| {
        let detail = format!("The module of `module.{}` was not read.", call.name);
        Diagnostic::error("module-not-read", "Module not read", detail).at(call.span)
    })
}
