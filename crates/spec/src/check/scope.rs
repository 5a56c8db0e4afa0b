//! The scope of a check: every reference is an unknown of the type that it will have.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use terrane_expr::{FunctionContext, Reference, Scope};
use terrane_model::schema::Schemas;
use terrane_model::value::Marks;
use terrane_model::{Diagnostic, Key, Mode, Span, Type, Unknown, Value};

use crate::module::{Module, ResourceKey};
use crate::repetition::Elements;
use crate::resource::Resource;

/// More instances than this are taken together as "any number of them".
const MOST_INSTANCES: u64 = 1000;

/// What the check knows about the instances of a resource.
#[derive(Clone, Debug)]
pub(super) enum Instances {
    /// There is one, without a key.
    One,
    /// `count`, perhaps known.
    Count(Option<u64>),
    /// `for_each`, perhaps with known keys.
    ForEach(Option<Elements>),
}

/// The values that do not depend on the place.
pub(super) struct StaticScope<'c> {
    module: &'c Module,
    schemas: &'c dyn Schemas,
    functions: &'c FunctionContext,
    /// Local values; what is not in it has no value that could be told.
    pub(super) locals: HashMap<Arc<str>, Value>,
    /// The instances of those resources that have `count` or `for_each`.
    pub(super) instances: HashMap<ResourceKey, Instances>,
    /// The instances of those calls of modules that have `count` or `for_each`.
    pub(super) calls: HashMap<Arc<str>, Instances>,
    /// The outputs behind calls of modules; calls whose module could not be read are missing.
    outputs: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Value>>,
    objects: RefCell<HashMap<(Mode, Arc<str>), Value>>,
}

/// The values of one place over those of the module.
pub(super) struct Place<'s, 'c> {
    pub(super) base: &'s StaticScope<'c>,
    /// `each.key` and `each.value`.
    pub(super) each: Option<(Value, Value)>,
    /// `self`.
    pub(super) itself: Option<Value>,
    /// The data source of a check.
    pub(super) data: Option<&'c Resource>,
}

impl<'c> StaticScope<'c> {
    pub(super) fn new(
        module: &'c Module,
        schemas: &'c dyn Schemas,
        functions: &'c FunctionContext,
        outputs: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Value>>,
    ) -> StaticScope<'c> {
        StaticScope {
            module,
            schemas,
            functions,
            locals: HashMap::new(),
            instances: HashMap::new(),
            calls: HashMap::new(),
            outputs,
            objects: RefCell::default(),
        }
    }

    /// A place outside of any object.
    pub(super) fn outside(&self) -> Place<'_, 'c> {
        Place { base: self, each: None, itself: None, data: None }
    }

    /// The places inside a resource: one for each instance that is known, or one for any.
    pub(super) fn inside(&self, resource: &Resource) -> Vec<Place<'_, 'c>> {
        self.places(self.instances.get(&resource.key()))
    }

    /// The places inside a call of a module, likewise.
    pub(super) fn inside_call(&self, name: &str) -> Vec<Place<'_, 'c>> {
        self.places(self.calls.get(name))
    }

    fn places(&self, instances: Option<&Instances>) -> Vec<Place<'_, 'c>> {
        /// More than this many are like each other.
        const MOST_PLACES: usize = 50;
        let any = || (unknown(Type::String), Value::unknown(Type::Any));
        match instances {
            Some(Instances::ForEach(Some(elements))) if !elements.is_empty() => elements
                .iter()
                .take(MOST_PLACES)
                .map(|(key, value)| (Value::string(key.clone()), value.clone()))
                .map(|each| Place { each: Some(each), ..self.outside() })
                .collect(),
            _ => vec![Place { each: Some(any()), ..self.outside() }],
        }
    }

    /// One instance of a resource type, nothing known about it but its type.
    pub(super) fn object(&self, mode: Mode, type_name: &Arc<str>) -> Value {
        let key = (mode, type_name.clone());
        let build = || match self.schemas.schema(mode, type_name) {
            Some(schema) => unknown(schema.ty().clone()),
            None => Value::unknown(Type::Any),
        };
        self.objects.borrow_mut().entry(key).or_insert_with(build).clone()
    }

    fn resource(&self, key: &ResourceKey) -> Value {
        let object = || self.object(key.mode, &key.type_name);
        match self.instances.get(key) {
            None | Some(Instances::One) => object(),
            // With none, a guarded reference to one of them would be an error.
            Some(Instances::Count(Some(count))) if (1..=MOST_INSTANCES).contains(count) => {
                Value::tuple((0..*count).map(|_| object()))
            }
            Some(Instances::Count(_)) => unknown(Type::list(object().ty())),
            Some(Instances::ForEach(Some(elements))) => Value::object(
                elements.iter().map(|(key, _)| (key.clone(), object())).collect::<BTreeMap<_, _>>(),
            ),
            Some(Instances::ForEach(_)) => unknown(Type::map(object().ty())),
        }
    }
}

impl StaticScope<'_> {
    /// A call as a value: the outputs, or the outputs of each instance.
    fn call(&self, name: &str, output: Option<&Arc<str>>) -> Value {
        let Some(outputs) = self.outputs.get(name) else { return Value::unknown(Type::Any) };
        let object = || Value::object(outputs.iter().map(|(name, value)| (name.clone(), value.clone())));
        match (self.calls.get(name), output) {
            (None | Some(Instances::One), Some(output)) => {
                outputs.get(output).cloned().unwrap_or_else(|| Value::unknown(Type::Any))
            }
            (None | Some(Instances::One), None) => object(),
            (_, Some(_)) => Value::unknown(Type::Any),
            (Some(Instances::Count(Some(count))), None) if (1..=MOST_INSTANCES).contains(count) => {
                Value::tuple((0..*count).map(|_| object()))
            }
            (Some(Instances::ForEach(Some(elements))), None) => {
                Value::object(elements.iter().map(|(key, _)| (key.clone(), object())))
            }
            (Some(Instances::Count(_) | Instances::ForEach(_)), None) => Value::unknown(Type::Any),
        }
    }
}

impl Place<'_, '_> {
    /// The key of the instance, where it is known.
    pub(super) fn key(&self) -> Option<Key> {
        let (key, _) = self.each.as_ref()?;
        key.as_str().map(|name| Key::Name(name.into()))
    }
}

impl Scope for Place<'_, '_> {
    fn resolve(&self, reference: &Reference, _: Span) -> Result<Value, Diagnostic> {
        // Undeclared names are reported where all references are looked at.
        let undeclared = || Value::unknown(Type::Any);
        Ok(match reference {
            Reference::Variable(name) => match self.base.module.variables.get(name) {
                Some(variable) => {
                    let kind = Unknown { not_null: !variable.nullable, ..Unknown::of(variable.ty.clone()) };
                    Value::unknown_with(kind)
                        .with_marks(Marks { sensitive: variable.sensitive, ephemeral: variable.ephemeral })
                }
                None => undeclared(),
            },
            Reference::Local(name) => self.base.locals.get(name).cloned().unwrap_or_else(undeclared),
            Reference::Resource { mode, type_name, name } => {
                let scoped = |r: &&Resource| r.mode == *mode && r.type_name == *type_name && r.name == *name;
                let key = ResourceKey { mode: *mode, type_name: type_name.clone(), name: name.clone() };
                if self.data.filter(scoped).is_some() {
                    self.base.object(*mode, type_name)
                } else if self.base.module.resources.contains_key(&key) {
                    self.base.resource(&key)
                } else {
                    undeclared()
                }
            }
            Reference::Module { name, output } => self.base.call(name, output.as_ref()),
            Reference::EachKey => self.each.as_ref().map_or_else(undeclared, |(key, _)| key.clone()),
            Reference::EachValue => self.each.as_ref().map_or_else(undeclared, |(_, value)| value.clone()),
            Reference::CountIndex => unknown(Type::Number),
            Reference::SelfObject => self.itself.clone().unwrap_or_else(undeclared),
            Reference::PathModule => Value::from(&*self.base.module.folder),
            Reference::PathRoot => Value::from("."),
            Reference::PathCwd | Reference::Workspace => unknown(Type::String),
        })
    }

    fn functions(&self) -> &FunctionContext {
        self.base.functions
    }
}

/// An unknown that is not null.
pub(super) fn unknown(ty: Type) -> Value {
    Value::unknown_with(Unknown::not_null(ty))
}
