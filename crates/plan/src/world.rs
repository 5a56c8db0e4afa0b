//! The values of everything in a stack, as far as they are known at the moment.
//!
//! Planning fills a world resource by resource with planned values; applying fills one with real values. Both resolve
//! references here and nowhere else, so that they can't disagree. Variables of modules, local values and outputs are
//! evaluated when somebody asks for them, once per module instance.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use terrane_expr::{Expr, FunctionContext, Reference, Scope, evaluate};
use terrane_model::value::Marks;
use terrane_model::{
    Address, Diagnostic, Diagnostics, Key, Mode, ModulePath, ResourceAddress, Span, Type, Value,
};
use terrane_spec::{Module, ResourceKey, Spec};

use crate::expand::{Repetition, Wanted, instances, whole};

/// Values of variables, locals and resources of one stack.
pub struct World<'s> {
    spec: &'s Spec,
    functions: FunctionContext,
    workspace: Arc<str>,
    variables: BTreeMap<Arc<str>, Value>,
    modules: RefCell<BTreeMap<ModulePath, Rc<Instance<'s>>>>,
}

/// One instance of a module.
struct Instance<'s> {
    path: ModulePath,
    module: &'s Module,
    /// What the call's expressions see as `each` and `count`.
    wanted: Wanted,
    memo: RefCell<BTreeMap<Slot, Memo>>,
    calls: RefCell<BTreeMap<Arc<str>, Called>>,
    resources: RefCell<BTreeMap<ResourceKey, Evaluated>>,
}

/// The instances of a call, or why they can't be told.
type Called = Result<Vec<Wanted>, Diagnostics>;

/// Something that is evaluated once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Variable(Arc<str>),
    Local(Arc<str>),
    Output(Arc<str>),
}

enum Memo {
    Evaluating,
    Done(Result<Value, Box<Diagnostic>>),
}

/// The instances of one resource.
struct Evaluated {
    repetition: Repetition,
    /// The instance without a key; most resources have no other, and a map for one would be the largest part of the world.
    unkeyed: Option<Value>,
    keyed: BTreeMap<Key, Value>,
    whole: OnceCell<Value>,
}

impl Evaluated {
    fn get(&self, key: Option<&Key>) -> Option<&Value> {
        match key {
            None => self.unkeyed.as_ref(),
            Some(key) => self.keyed.get(key),
        }
    }

    fn set(&mut self, key: Option<Key>, value: Value) {
        self.whole = OnceCell::new();
        match key {
            None => self.unkeyed = Some(value),
            Some(key) => {
                self.keyed.insert(key, value);
            }
        }
    }

    fn whole(&self) -> &Value {
        self.whole.get_or_init(|| {
            let unkeyed = self.unkeyed.iter().map(|value| (None, value.clone()));
            let keyed = self.keyed.iter().map(|(key, value)| (Some(key.clone()), value.clone()));
            whole(self.repetition, unkeyed.chain(keyed))
        })
    }
}

impl<'s> World<'s> {
    /// A world in which only variables have values.
    pub fn new(
        spec: &'s Spec,
        variables: BTreeMap<Arc<str>, Value>,
        workspace: Arc<str>,
        functions: FunctionContext,
    ) -> World<'s> {
        World { spec, functions, workspace, variables, modules: RefCell::default() }
    }

    /// What functions work with.
    pub fn functions(&self) -> &FunctionContext {
        &self.functions
    }

    /// The spec that the values belong to.
    pub fn spec(&self) -> &'s Spec {
        self.spec
    }

    /// Values of the root module's variables.
    pub fn variables(&self) -> &BTreeMap<Arc<str>, Value> {
        &self.variables
    }

    /// Declares a resource: from now on its whole value is that of its instances.
    pub fn declare(&mut self, resource: &ResourceAddress, repetition: Repetition) {
        if let Some(module) = self.module(&resource.module) {
            let evaluated =
                Evaluated { repetition, unkeyed: None, keyed: BTreeMap::new(), whole: OnceCell::new() };
            module.resources.borrow_mut().insert(key_of(resource), evaluated);
        }
    }

    /// Sets the value of one instance.
    ///
    /// Assumes that nothing that was evaluated so far depends on it; locals, variables and outputs are evaluated once.
    pub fn set(&mut self, address: &Address, value: Value) {
        let Some(module) = self.module(&address.resource.module) else { return };
        if let Some(resource) = module.resources.borrow_mut().get_mut(&key_of(&address.resource)) {
            resource.set(address.key.clone(), value);
        }
    }

    /// The value of one instance.
    pub fn instance(&self, address: &Address) -> Option<Value> {
        let module = self.module(&address.resource.module)?;
        let resources = module.resources.borrow();
        resources.get(&key_of(&address.resource))?.get(address.key.as_ref()).cloned()
    }

    /// What an expression of the root module sees outside of any resource.
    pub fn scope(&self) -> InstanceScope<'_, 's> {
        self.module_scope(&ModulePath::root())
    }

    /// What an expression of a module instance sees outside of any resource.
    pub fn module_scope(&self, module: &ModulePath) -> InstanceScope<'_, 's> {
        self.instance_scope(module, None, None)
    }

    /// What an expression in a resource sees for one instance.
    pub fn instance_scope<'w>(
        &'w self,
        module: &ModulePath,
        key: Option<&'w Key>,
        each_value: Option<&'w Value>,
    ) -> InstanceScope<'w, 's> {
        InstanceScope {
            world: self,
            module: self.module(module),
            key: key.cloned(),
            each_value: each_value.cloned(),
            this: None,
        }
    }

    /// The instances of the module that is called by these names.
    ///
    /// # Errors
    /// A `count` or `for_each` on the way that has no value.
    pub fn module_instances(&self, names: &[Arc<str>]) -> Result<Vec<ModulePath>, Diagnostics> {
        let mut paths = vec![ModulePath::root()];
        for name in names {
            let mut deeper = Vec::new();
            for path in &paths {
                let Some(module) = self.module(path) else { continue };
                for wanted in self.call(&module, name)? {
                    deeper.push(path.child(name.clone(), wanted.key));
                }
            }
            paths = deeper;
        }
        Ok(paths)
    }

    /// The module instance at a path; nothing when its call does not exist or wants no such instance.
    fn module(&self, path: &ModulePath) -> Option<Rc<Instance<'s>>> {
        if let Some(module) = self.modules.borrow().get(path) {
            return Some(module.clone());
        }
        let names: Vec<Arc<str>> = path.0.iter().map(|step| step.name.clone()).collect();
        let module = self.spec.module(&names)?;
        let wanted = match path.0.split_last() {
            None => Wanted { key: None, each_value: None },
            Some((last, parents)) => {
                let parent = self.module(&ModulePath(parents.into()))?;
                self.call(&parent, &last.name).ok()?.into_iter().find(|w| w.key == last.key)?
            }
        };
        let instance = Rc::new(Instance {
            path: path.clone(),
            module,
            wanted,
            memo: RefCell::default(),
            calls: RefCell::default(),
            resources: RefCell::default(),
        });
        self.modules.borrow_mut().insert(path.clone(), instance.clone());
        Some(instance)
    }

    /// The instances of a call, evaluated once.
    fn call(&self, caller: &Rc<Instance<'s>>, name: &Arc<str>) -> Result<Vec<Wanted>, Diagnostics> {
        if let Some(known) = caller.calls.borrow().get(name) {
            return known.clone();
        }
        let Some(call) = caller.module.modules.get(name) else { return Ok(vec![]) };
        let scope = self.scope_of(caller);
        let found = instances(call.count.as_ref(), call.for_each.as_ref(), &scope);
        caller.calls.borrow_mut().insert(name.clone(), found.clone());
        found
    }

    fn scope_of(&self, module: &Rc<Instance<'s>>) -> InstanceScope<'_, 's> {
        InstanceScope { world: self, module: Some(module.clone()), key: None, each_value: None, this: None }
    }

    fn once(
        &self,
        module: &Rc<Instance<'s>>,
        slot: Slot,
        span: Span,
        evaluate: impl FnOnce() -> Result<Value, Diagnostic>,
    ) -> Result<Value, Diagnostic> {
        match module.memo.borrow().get(&slot) {
            Some(Memo::Done(result)) => return result.clone().map_err(|error| *error),
            Some(Memo::Evaluating) => {
                let detail = "This value needs itself.";
                return Err(Diagnostic::error("reference-cycle", "Reference cycle", detail).at(span));
            }
            None => {}
        }
        module.memo.borrow_mut().insert(slot.clone(), Memo::Evaluating);
        let result = evaluate();
        let memo = Memo::Done(result.clone().map_err(Box::new));
        module.memo.borrow_mut().insert(slot, memo);
        result
    }

    fn local(&self, module: &Rc<Instance<'s>>, name: &Arc<str>, span: Span) -> Result<Value, Diagnostic> {
        let Some(local) = module.module.locals.get(name) else {
            return Err(undeclared("local value", name, span));
        };
        self.once(module, Slot::Local(name.clone()), span, || {
            evaluate(&local.expr, &self.scope_of(module)).map_err(|errors| first(errors, span))
        })
    }

    fn variable(&self, module: &Rc<Instance<'s>>, name: &Arc<str>, span: Span) -> Result<Value, Diagnostic> {
        let Some(variable) = module.module.variables.get(name) else {
            return Err(undeclared("variable", name, span));
        };
        let Some((last, parents)) = module.path.0.split_last() else {
            let given = self.variables.get(name).cloned();
            return Ok(given.unwrap_or_else(|| Value::unknown(variable.ty.clone())));
        };
        self.once(module, Slot::Variable(name.clone()), span, || {
            let parent = self.module(&ModulePath(parents.into()));
            let call = parent.as_ref().and_then(|p| p.module.modules.get(&last.name));
            let input = call.and_then(|call| call.input(name).map(|expr| (call, expr)));
            let given = match (input, &parent) {
                (Some((_, expr)), Some(parent)) => {
                    let scope = InstanceScope {
                        key: module.wanted.key.clone(),
                        each_value: module.wanted.each_value.clone(),
                        ..self.scope_of(parent)
                    };
                    Some((evaluate(expr, &scope).map_err(|errors| first(errors, span))?, expr.span()))
                }
                _ => None,
            };
            variable.accept(name, given, call.map_or(span, |call| call.span))
        })
    }

    fn output(&self, module: &Rc<Instance<'s>>, name: &Arc<str>, span: Span) -> Result<Value, Diagnostic> {
        let Some(output) = module.module.outputs.get(name) else {
            return Err(undeclared("output", name, span));
        };
        self.once(module, Slot::Output(name.clone()), span, || {
            let value =
                evaluate(&output.value, &self.scope_of(module)).map_err(|errors| first(errors, span))?;
            if value.marks_deep().ephemeral && !output.ephemeral {
                let detail = format!(
                    "The value of the output `{name}` is ephemeral, and the output is not declared so."
                );
                return Err(Diagnostic::error("ephemeral-output", "Ephemeral value in an output", detail)
                    .at(output.value.span())
                    .hint("Set `ephemeral = true` in the output."));
            }
            Ok(value.with_marks(Marks { sensitive: output.sensitive, ephemeral: output.ephemeral }))
        })
    }

    /// A module call as a value: an object of outputs, or a tuple or object of those.
    fn call_value(
        &self,
        caller: &Rc<Instance<'s>>,
        name: &Arc<str>,
        only: Option<&Arc<str>>,
        span: Span,
    ) -> Result<Value, Diagnostic> {
        let Some(call) = caller.module.modules.get(name) else {
            return Err(undeclared("module", name, span));
        };
        let repetition = Repetition::of(call.count.as_ref(), call.for_each.as_ref());
        if let (Some(output), true) = (only, repetition != Repetition::Single) {
            let detail =
                format!("`module.{name}` has several instances; `.{output}` is an output of each of them.");
            return Err(Diagnostic::error("missing-key", "Missing instance key", detail)
                .at(span)
                .hint(format!("Write `module.{name}[KEY].{output}`, or a `for` over all instances.")));
        }
        let wanted = self.call(caller, name).map_err(|errors| first(errors, span))?;
        let mut values = Vec::with_capacity(wanted.len());
        for instance in wanted {
            let path = caller.path.child(name.clone(), instance.key.clone());
            let Some(module) = self.module(&path) else { continue };
            if let (Repetition::Single, Some(output)) = (repetition, only) {
                return self.output(&module, output, span);
            }
            let outputs = module.module.outputs.keys();
            let value = outputs.map(|name| Ok((name.clone(), self.output(&module, name, span)?)));
            values.push((instance.key, Value::object(value.collect::<Result<Vec<_>, Diagnostic>>()?)));
        }
        Ok(whole(repetition, values))
    }

    fn resource(&self, module: &Rc<Instance<'s>>, key: &ResourceKey) -> Value {
        match module.resources.borrow().get(key) {
            // Not looked at yet: a validation, or something that waits for an unknown `count`.
            None => Value::unknown(Type::Any),
            Some(resource) => resource.whole().clone(),
        }
    }
}

fn first(errors: Diagnostics, span: Span) -> Diagnostic {
    errors.into_iter().next().unwrap_or_else(|| {
        Diagnostic::error("evaluation", "Expression without a value", "The expression has no value.").at(span)
    })
}

fn undeclared(what: &str, name: &str, span: Span) -> Diagnostic {
    let detail = format!("There is no {what} named `{name}`.");
    Diagnostic::error("undeclared-reference", "Undeclared reference", detail).at(span)
}

/// What the expressions of one instance see.
pub struct InstanceScope<'w, 's> {
    world: &'w World<'s>,
    module: Option<Rc<Instance<'s>>>,
    key: Option<Key>,
    each_value: Option<Value>,
    this: Option<Value>,
}

impl InstanceScope<'_, '_> {
    /// With `self`, for conditions that are checked after apply.
    #[must_use]
    pub fn with_self(mut self, this: &Value) -> Self {
        self.this = Some(this.clone());
        self
    }
}

impl Scope for InstanceScope<'_, '_> {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Diagnostic> {
        let outside = |what: &str, needs: &str| {
            let detail = format!("`{what}` has a value only in a resource with `{needs}`.");
            Err(Diagnostic::error("reference-out-of-place", "Reference out of place", detail).at(span))
        };
        let Some(module) = &self.module else { return Ok(Value::unknown(Type::Any)) };
        match reference {
            Reference::Variable(name) => self.world.variable(module, name, span),
            Reference::Local(name) => self.world.local(module, name, span),
            Reference::Resource { mode, type_name, name } => {
                Ok(self.world.resource(module, &resource_key(*mode, type_name, name)))
            }
            Reference::Module { name, output } => self.world.call_value(module, name, output.as_ref(), span),
            Reference::EachKey => match &self.key {
                Some(Key::Name(name)) => Ok(Value::from(name.as_ref())),
                _ => outside("each.key", "for_each"),
            },
            Reference::EachValue => match &self.each_value {
                Some(value) => Ok(value.clone()),
                None => outside("each.value", "for_each"),
            },
            Reference::CountIndex => match self.key {
                Some(Key::Index(i)) => Ok(Value::number(i64::try_from(i).unwrap_or(i64::MAX))),
                _ => outside("count.index", "count"),
            },
            Reference::SelfObject => match &self.this {
                Some(value) => Ok(value.clone()),
                None => outside("self", "postcondition"),
            },
            // Relative paths are taken from the stack's folder.
            Reference::PathRoot => Ok(Value::from(".")),
            Reference::PathModule => Ok(Value::from(module.module.folder.as_ref())),
            Reference::PathCwd => Ok(Value::from(self.world.functions.base.to_string_lossy().as_ref())),
            Reference::Workspace => Ok(Value::from(self.world.workspace.as_ref())),
        }
    }

    fn resolve_instance(
        &self,
        reference: &Reference,
        key: &Key,
        _: Span,
    ) -> Option<Result<Value, Diagnostic>> {
        let Reference::Resource { mode, type_name, name } = reference else { return None };
        let resources = self.module.as_ref()?.resources.borrow();
        let resource = resources.get(&resource_key(*mode, type_name, name))?;
        resource.get(Some(key)).cloned().map(Ok)
    }

    fn functions(&self) -> &FunctionContext {
        &self.world.functions
    }
}

fn resource_key(mode: Mode, type_name: &Arc<str>, name: &Arc<str>) -> ResourceKey {
    ResourceKey { mode, type_name: type_name.clone(), name: name.clone() }
}

/// Evaluates an expression of an instance.
///
/// # Errors
/// Whatever the expression fails with.
pub fn evaluate_in(scope: &InstanceScope<'_, '_>, expr: &Expr) -> Result<Value, Diagnostics> {
    evaluate(expr, scope)
}

/// The key of a resource in its module.
pub fn key_of(resource: &ResourceAddress) -> ResourceKey {
    resource_key(resource.mode, &resource.type_name, &resource.name)
}
