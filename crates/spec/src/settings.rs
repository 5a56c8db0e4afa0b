//! `[terrane]`, and what a converted spec says in `[terraform]`.

use std::sync::Arc;

use terrane_expr::Expr;
use terrane_model::{Diagnostic, Diagnostics, Selector, Span};

use crate::place::Places;
use crate::version::{Requirement, Version};

/// What the spec says about the engine itself.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Which versions may work with the spec.
    pub required_versions: Vec<RequiredVersion>,
    /// Where the state is kept; absent: in the default place.
    pub backend: Option<Backend>,
    /// How state, journal and plans are encrypted; absent: they are in the clear.
    pub encryption: Option<Encryption>,
    /// What the organization of the account lets it do.
    pub organization: Option<Organization>,
    /// Whether a plan is held against what its caller may do, as far as the spec says.
    pub check_deployer: Option<bool>,
    /// Findings of the lint that are known and meant to be so.
    pub lint_ignores: Vec<LintIgnore>,
    /// The table that a version may be required in, for messages.
    pub span: Option<Span>,
}

/// One `required_version`.
#[derive(Clone, Debug)]
pub struct RequiredVersion {
    /// The versions that it allows.
    pub requirement: Requirement,
    /// Whose version it speaks of.
    pub engine: Engine,
    /// Where it stands.
    pub span: Span,
}

/// Whose version a requirement speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// This program's: in `[terrane]`.
    Terrane,
    /// Terraform's, with which this program says to be compatible: in `[terraform]`.
    Terraform,
}

/// Where the state is kept.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Which kind.
    pub kind: BackendKind,
    /// The header in the file.
    pub span: Span,
}

/// The kinds of backend.
#[derive(Clone, Debug)]
pub enum BackendKind {
    /// In files of this machine.
    Local {
        /// The file of the default workspace.
        path: Option<(Arc<str>, Span)>,
        /// The folder of the other workspaces.
        workspace_dir: Option<(Arc<str>, Span)>,
    },
    /// In a bucket. The arguments are literals; the backend reads them.
    S3 {
        /// An object of all arguments.
        body: Expr,
        /// Where each of them stands.
        places: Places,
    },
}

/// How state, journal and plans are encrypted. The arguments are literals; who encrypts reads them.
#[derive(Clone, Debug)]
pub struct Encryption {
    /// An object of all arguments.
    pub body: Expr,
    /// Where each of them stands.
    pub places: Places,
    /// The header in the file.
    pub span: Span,
}

/// The organization that the account is in, as `[terrane.access]` says it. Files are named relative to the stack's folder,
/// with `*` and `?` in the last part.
#[derive(Clone, Debug)]
pub struct Organization {
    /// The organization's id, as `aws:PrincipalOrgID` has it.
    pub id: Option<Arc<str>>,
    /// What limits the account that the provider's default configuration works in.
    pub own: Limits,
    /// What limits accounts by their twelve digits.
    pub accounts: Vec<(Arc<str>, Limits)>,
    /// The header in the file.
    pub span: Span,
}

/// What limits one account of an organization.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Files of service control policies, a list for each level from the organization's root to the account.
    pub service_control: Vec<Vec<(Arc<str>, Span)>>,
    /// Files of resource control policies, of all levels.
    pub resource_control: Vec<(Arc<str>, Span)>,
    /// Whether the account is the organization's management account, which no such policy binds.
    pub management_account: bool,
    /// The header in the file.
    pub span: Span,
}

/// A finding, or several, that are known and meant to be so: an element of `ignore` in `[terrane.lint]`.
#[derive(Clone, Debug)]
pub struct LintIgnore {
    /// The rule, such as `TRN-KMS-001`.
    pub id: (Arc<str>, Span),
    /// Which objects it is about.
    pub address: (Selector, Span),
    /// Why.
    pub reason: Arc<str>,
    /// The table in the file.
    pub span: Span,
}

impl Settings {
    /// Refuses versions that the spec does not allow: this program's own, and the version of Terraform that it is
    /// compatible with.
    pub fn verify(&self, terrane: &Version, terraform: &Version) -> Diagnostics {
        let breach = |required: &&RequiredVersion| {
            let version = match required.engine {
                Engine::Terrane => terrane,
                Engine::Terraform => terraform,
            };
            !required.requirement.allows(version)
        };
        let message = |required: &RequiredVersion| {
            let detail = match required.engine {
                Engine::Terrane => format!(
                    "The spec asks for Terrane `{}`, and this is {terrane}. Use a version that the spec allows.",
                    required.requirement
                ),
                Engine::Terraform => format!(
                    "The spec asks for Terraform `{}`; this program is compatible with {terraform}. Widen the \
                     requirement, or move it to `[terrane]`.",
                    required.requirement
                ),
            };
            Diagnostic::error("version-not-allowed", "Version not allowed", detail).at(required.span)
        };
        self.required_versions.iter().filter(breach).map(message).collect()
    }
}
