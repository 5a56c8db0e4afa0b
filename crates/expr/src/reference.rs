//! What an expression can refer to outside itself.

use std::fmt;
use std::sync::Arc;

use terrane_model::Mode;

/// Something that the scope of an expression gives a value for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// `var.NAME`
    Variable(Arc<str>),
    /// `local.NAME`
    Local(Arc<str>),
    /// `TYPE.NAME` or `data.TYPE.NAME`
    Resource {
        /// Managed or data.
        mode: Mode,
        /// The resource type.
        type_name: Arc<str>,
        /// The name in the spec.
        name: Arc<str>,
    },
    /// `module.NAME` or `module.NAME.OUTPUT`
    Module {
        /// The name of the call.
        name: Arc<str>,
        /// The output, where it follows the name at once. Behind an index it is among the steps.
        output: Option<Arc<str>>,
    },
    /// `each.key`
    EachKey,
    /// `each.value`
    EachValue,
    /// `count.index`
    CountIndex,
    /// `self`
    SelfObject,
    /// `path.module`
    PathModule,
    /// `path.root`
    PathRoot,
    /// `path.cwd`
    PathCwd,
    /// `terraform.workspace` or `terrane.workspace`
    Workspace,
}

/// As it is written in an expression.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Variable(name) => write!(f, "var.{name}"),
            Reference::Local(name) => write!(f, "local.{name}"),
            Reference::Resource { mode: Mode::Managed, type_name, name } => write!(f, "{type_name}.{name}"),
            Reference::Resource { mode: Mode::Data, type_name, name } => write!(f, "data.{type_name}.{name}"),
            Reference::Module { name, output: None } => write!(f, "module.{name}"),
            Reference::Module { name, output: Some(output) } => write!(f, "module.{name}.{output}"),
            Reference::EachKey => f.write_str("each.key"),
            Reference::EachValue => f.write_str("each.value"),
            Reference::CountIndex => f.write_str("count.index"),
            Reference::SelfObject => f.write_str("self"),
            Reference::PathModule => f.write_str("path.module"),
            Reference::PathRoot => f.write_str("path.root"),
            Reference::PathCwd => f.write_str("path.cwd"),
            Reference::Workspace => f.write_str("terraform.workspace"),
        }
    }
}
