//! The values of everything in a stack, as far as they are known at the moment.
//!
//! Planning fills a world resource by resource with planned values; applying fills one with real values. Both resolve
//! references here and nowhere else, so that they can't disagree.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_expr::{Expr, FunctionContext, Reference, Scope, evaluate};
use terrane_model::{Diagnostic, Diagnostics, Key, Mode, ResourceAddress, Span, Type, Value};
use terrane_spec::{ResourceKey, Spec};

use crate::expand::{Repetition, whole};

/// Values of variables, locals and resources of one stack.
pub struct World<'s> {
    spec: &'s Spec,
    functions: FunctionContext,
    workspace: Arc<str>,
    variables: BTreeMap<Arc<str>, Value>,
    locals: RefCell<BTreeMap<Arc<str>, Local>>,
    resources: BTreeMap<ResourceKey, Evaluated>,
}

enum Local {
    Evaluating,
    Done(Result<Value, Box<Diagnostic>>),
}

/// The instances of one resource.
struct Evaluated {
    repetition: Repetition,
    instances: BTreeMap<Option<Key>, Value>,
    whole: OnceCell<Value>,
}

impl<'s> World<'s> {
    /// A world in which only variables have values.
    pub fn new(
        spec: &'s Spec,
        variables: BTreeMap<Arc<str>, Value>,
        workspace: Arc<str>,
        functions: FunctionContext,
    ) -> World<'s> {
        World {
            spec,
            functions,
            workspace,
            variables,
            locals: RefCell::default(),
            resources: BTreeMap::new(),
        }
    }

    /// The spec that the values belong to.
    pub fn spec(&self) -> &'s Spec {
        self.spec
    }

    /// Values of the variables.
    pub fn variables(&self) -> &BTreeMap<Arc<str>, Value> {
        &self.variables
    }

    /// Declares a resource: from now on its whole value is that of its instances.
    pub fn declare(&mut self, key: ResourceKey, repetition: Repetition) {
        self.resources
            .insert(key, Evaluated { repetition, instances: BTreeMap::new(), whole: OnceCell::new() });
    }

    /// Sets the value of one instance.
    ///
    /// Assumes that nothing that was evaluated so far depends on it; locals are evaluated once.
    pub fn set(&mut self, key: &ResourceKey, instance: Option<Key>, value: Value) {
        if let Some(resource) = self.resources.get_mut(key) {
            resource.instances.insert(instance, value);
            resource.whole = OnceCell::new();
        }
    }

    /// The value of one instance.
    pub fn instance(&self, key: &ResourceKey, instance: &Option<Key>) -> Option<&Value> {
        self.resources.get(key)?.instances.get(instance)
    }

    /// What an expression of the stack sees outside of any resource.
    pub fn scope(&self) -> InstanceScope<'_, 's> {
        InstanceScope { world: self, key: None, each_value: None, this: None }
    }

    /// What an expression in a resource sees for one instance.
    pub fn instance_scope<'w>(
        &'w self,
        key: Option<&'w Key>,
        each_value: Option<&'w Value>,
    ) -> InstanceScope<'w, 's> {
        InstanceScope { world: self, key, each_value, this: None }
    }

    fn local(&self, name: &Arc<str>, span: Span) -> Result<Value, Diagnostic> {
        match self.locals.borrow().get(name) {
            Some(Local::Done(result)) => return result.clone().map_err(|error| *error),
            Some(Local::Evaluating) => {
                let detail = format!("`local.{name}` needs its own value.");
                return Err(Diagnostic::error("reference-cycle", "Reference cycle", detail).at(span));
            }
            None => {}
        }
        let Some(local) = self.spec.root.locals.get(name) else {
            let detail = format!("There is no local value named `{name}`.");
            return Err(Diagnostic::error(
                "undeclared-reference",
                "Reference to an undeclared local value",
                detail,
            )
            .at(span));
        };
        self.locals.borrow_mut().insert(name.clone(), Local::Evaluating);
        let result = evaluate(&local.expr, &self.scope()).map_err(|errors| first(errors, span));
        self.locals.borrow_mut().insert(name.clone(), Local::Done(result.clone().map_err(Box::new)));
        result
    }

    fn resource(&self, mode: Mode, type_name: &Arc<str>, name: &Arc<str>) -> Value {
        let key = ResourceKey { mode, type_name: type_name.clone(), name: name.clone() };
        match self.resources.get(&key) {
            // Not looked at yet: a validation, or something that waits for an unknown `count`.
            None => Value::unknown(Type::Any),
            Some(resource) => resource
                .whole
                .get_or_init(|| {
                    let instances = resource.instances.iter().map(|(k, v)| (k.clone(), v.clone()));
                    whole(resource.repetition, instances)
                })
                .clone(),
        }
    }
}

fn first(errors: Diagnostics, span: Span) -> Diagnostic {
    errors.into_iter().next().unwrap_or_else(|| {
        Diagnostic::error("evaluation", "Expression without a value", "The expression has no value.").at(span)
    })
}

/// What the expressions of one instance see.
pub struct InstanceScope<'w, 's> {
    world: &'w World<'s>,
    key: Option<&'w Key>,
    each_value: Option<&'w Value>,
    this: Option<&'w Value>,
}

impl<'w> InstanceScope<'w, '_> {
    /// With `self`, for conditions that are checked after apply.
    #[must_use]
    pub fn with_self(mut self, this: &'w Value) -> Self {
        self.this = Some(this);
        self
    }
}

impl Scope for InstanceScope<'_, '_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Diagnostic> {
        let outside = |what: &str, needs: &str| {
            let detail = format!("`{what}` has a value only in a resource with `{needs}`.");
            Err(Diagnostic::error("reference-out-of-place", "Reference out of place", detail).at(span))
        };
        match reference {
            Reference::Variable(name) => match self.world.variables.get(name) {
                Some(value) => Ok(value.clone()),
                None if self.world.spec.root.variables.contains_key(name) => Ok(Value::unknown(Type::Any)),
                None => {
                    let detail = format!("There is no variable named `{name}`.");
                    Err(Diagnostic::error(
                        "undeclared-reference",
                        "Reference to an undeclared variable",
                        detail,
                    )
                    .at(span))
                }
            },
            Reference::Local(name) => self.world.local(name, span),
            Reference::Resource { mode, type_name, name } => Ok(self.world.resource(*mode, type_name, name)),
            Reference::EachKey => match self.key {
                Some(Key::Name(name)) => Ok(Value::from(name.as_ref())),
                _ => outside("each.key", "for_each"),
            },
            Reference::EachValue => match self.each_value {
                Some(value) => Ok(value.clone()),
                None => outside("each.value", "for_each"),
            },
            Reference::CountIndex => match self.key {
                Some(Key::Index(i)) => Ok(Value::number(i64::try_from(*i).unwrap_or(i64::MAX))),
                _ => outside("count.index", "count"),
            },
            Reference::SelfObject => match self.this {
                Some(value) => Ok(value.clone()),
                None => outside("self", "postcondition"),
            },
            // Relative paths are taken from the stack's folder.
            Reference::PathModule | Reference::PathRoot => Ok(Value::from(".")),
            Reference::PathCwd => Ok(Value::from(self.world.functions.base.to_string_lossy().as_ref())),
            Reference::Workspace => Ok(Value::from(self.world.workspace.as_ref())),
            Reference::Module { name, .. } => {
                let detail = format!("Modules are not supported yet, so `module.{name}` has no value.");
                Err(Diagnostic::error("unsupported-module", "Module reference", detail).at(span))
            }
        }
    }

    fn resolve_instance(
        &self,
        reference: &Reference,
        key: &Key,
        _: Span,
    ) -> Option<Result<Value, Diagnostic>> {
        let Reference::Resource { mode, type_name, name } = reference else { return None };
        let resource = ResourceKey { mode: *mode, type_name: type_name.clone(), name: name.clone() };
        self.world.instance(&resource, &Some(key.clone())).cloned().map(Ok)
    }

    fn functions(&self) -> &FunctionContext {
        &self.world.functions
    }
}

/// Evaluates an expression of an instance and marks errors with what it was for.
///
/// # Errors
/// Whatever the expression fails with.
pub fn evaluate_in(scope: &InstanceScope<'_, '_>, expr: &Expr) -> Result<Value, Diagnostics> {
    evaluate(expr, scope)
}

/// The key of a resource in the spec.
pub fn key_of(resource: &ResourceAddress) -> ResourceKey {
    ResourceKey { mode: resource.mode, type_name: resource.type_name.clone(), name: resource.name.clone() }
}
