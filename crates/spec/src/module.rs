//! What a spec says, as data: the root module with everything that is declared in it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use terrane_expr::{Expr, Reference};
use terrane_model::{Diagnostics, Mode, ModulePath, ResourceAddress, Sources, Span};

use crate::condition::Condition;
use crate::place::Places;
use crate::resource::{ProviderRef, Resource};
use crate::settings::Settings;
use crate::statement::{Access, Check, Import, Moved, Removed};
use crate::variable::Variable;

/// A spec that was checked against the schemas. The stages after this one rely on what the check has proved: names are
/// declared, arguments exist, meta-arguments are well-formed.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The files, for messages that point into them.
    pub sources: Sources,
    /// The root module.
    pub root: Module,
    /// The modules that are called, by the names of the calls that lead to them.
    pub modules: BTreeMap<Arc<[Arc<str>]>, Module>,
    /// SHA-256 over the names and texts of all files, in hexadecimal. It moves when any of them does.
    pub digest: String,
    /// What is allowed and yet worth saying.
    pub warnings: Diagnostics,
}

impl Spec {
    /// The module that the calls of these names lead to; no name: the root module.
    pub fn module(&self, names: &[Arc<str>]) -> Option<&Module> {
        if names.is_empty() { Some(&self.root) } else { self.modules.get(names) }
    }

    /// The resource or data source of an address.
    pub fn resource(&self, address: &ResourceAddress) -> Option<&Resource> {
        let names: Vec<Arc<str>> = address.module.0.iter().map(|step| step.name.clone()).collect();
        self.module(&names)?.resource(address.mode, &address.type_name, &address.name)
    }

    /// All modules with the names of the calls that lead to them, the root module first.
    pub fn all_modules(&self) -> impl Iterator<Item = (&[Arc<str>], &Module)> {
        let called = self.modules.iter().map(|(names, module)| (names.as_ref(), module));
        std::iter::once((&[][..], &self.root)).chain(called)
    }
}

/// One module: the root module, or one that is called.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// The names of the calls that lead here; empty for the root module.
    pub path: Arc<[Arc<str>]>,
    /// The folder that its files are in, relative to the root module's: what `path.module` gives.
    pub folder: Arc<str>,
    /// `[terrane]` and `[terraform]`.
    pub settings: Settings,
    /// `[variable.N]`.
    pub variables: BTreeMap<Arc<str>, Variable>,
    /// `[locals]`.
    pub locals: BTreeMap<Arc<str>, Local>,
    /// `[provider.N]`, the one without alias first.
    pub providers: Vec<Provider>,
    /// `[resource.T.N]` and `[data.T.N]`.
    pub resources: BTreeMap<ResourceKey, Resource>,
    /// `[output.N]`.
    pub outputs: BTreeMap<Arc<str>, Output>,
    /// `[module.N]`.
    pub modules: BTreeMap<Arc<str>, ModuleCall>,
    /// `[[moved]]`.
    pub moved: Vec<Moved>,
    /// `[[import]]`.
    pub imports: Vec<Import>,
    /// `[[removed]]`.
    pub removed: Vec<Removed>,
    /// `[check.N]`.
    pub checks: BTreeMap<Arc<str>, Check>,
    /// `[access.N]`.
    pub access: BTreeMap<Arc<str>, Access>,
}

impl Module {
    /// A resource or data source by its names.
    pub fn resource(&self, mode: Mode, type_name: &str, name: &str) -> Option<&Resource> {
        self.resources.get(&ResourceKey { mode, type_name: type_name.into(), name: name.into() })
    }
}

/// What tells resources of a module apart. Ordered as addresses are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// Managed or data.
    pub mode: Mode,
    /// The resource type.
    pub type_name: Arc<str>,
    /// The name in the spec.
    pub name: Arc<str>,
}

impl ResourceKey {
    /// The address in an instance of the module.
    pub fn address(&self, module: &ModulePath) -> ResourceAddress {
        ResourceAddress {
            module: module.clone(),
            mode: self.mode,
            type_name: self.type_name.clone(),
            name: self.name.clone(),
        }
    }
}

/// As a reference is written: `data.aws_region.here`.
impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = if self.mode == Mode::Data { "data." } else { "" };
        write!(f, "{data}{}.{}", self.type_name, self.name)
    }
}

/// One name of `[locals]`.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its value.
    pub expr: Expr,
    /// The name in the file.
    pub span: Span,
}

/// A provider's configuration.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The provider's name, such as `aws`.
    pub name: Arc<str>,
    /// What tells it from others of the name; absent for the default one.
    pub alias: Option<Arc<str>>,
    /// An object of all arguments.
    pub body: Expr,
    /// Where the parts of the body stand.
    pub places: Places,
    /// The header in the file.
    pub span: Span,
}

/// A value that the module gives out.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its value.
    pub value: Expr,
    /// What it is.
    pub description: Option<Arc<str>>,
    /// Never shown.
    pub sensitive: bool,
    /// Never stored.
    pub ephemeral: bool,
    /// What must be done before it is given out.
    pub depends_on: Vec<(Reference, Span)>,
    /// What must hold.
    pub preconditions: Vec<Condition>,
    /// The name in the file.
    pub span: Span,
}

/// A call of another module.
#[derive(Clone, Debug)]
pub struct ModuleCall {
    /// Its name.
    pub name: Arc<str>,
    /// Where the module's files are.
    pub source: (Arc<str>, Span),
    /// Which versions are wanted of a registry's module.
    pub version: Option<(Arc<str>, Span)>,
    /// An object of the called module's variables.
    pub inputs: Expr,
    /// The same one by one.
    pub named_inputs: BTreeMap<Arc<str>, Expr>,
    /// Where the parts of the inputs stand.
    pub places: Places,
    /// The called module's provider by name, and ours.
    pub providers: BTreeMap<Arc<str>, ProviderRef>,
    /// How many instances.
    pub count: Option<Expr>,
    /// An instance per element.
    pub for_each: Option<Expr>,
    /// What must be done before it.
    pub depends_on: Vec<(Reference, Span)>,
    /// The header in the file.
    pub span: Span,
}

impl ModuleCall {
    /// What the call gives for a variable of the module.
    pub fn input(&self, name: &str) -> Option<&Expr> {
        self.named_inputs.get(name)
    }
}
