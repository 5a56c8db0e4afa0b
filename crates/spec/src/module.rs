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
    /// SHA-256 over the names and texts of all files, in hexadecimal. It moves when any of them does.
    pub digest: String,
    /// What is allowed and yet worth saying.
    pub warnings: Diagnostics,
}

/// One module: the root module, or one that is called.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// The names of the calls that lead here; empty for the root module.
    pub path: Arc<[Arc<str>]>,
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
