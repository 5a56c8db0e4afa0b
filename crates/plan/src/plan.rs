//! The plan: immutable, complete, explicit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use terrane_model::{Action, Address, Diagnostics, Path, Reason, ResourceAddress, Value};
use terrane_state::Snapshot;

use crate::access::AccessReport;
use crate::conditions::Verdict;
use crate::loss::Loss;
use crate::order::Order;
use crate::target::Targeting;

/// One provider configuration: its name and alias.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderKey {
    /// Such as `aws`.
    pub name: Arc<str>,
    /// The alias, where it is not the default configuration.
    pub alias: Option<Arc<str>>,
}

impl ProviderKey {
    /// The default configuration of a provider.
    pub fn default_of(name: impl Into<Arc<str>>) -> ProviderKey {
        ProviderKey { name: name.into(), alias: None }
    }

    /// As a state file names it: `provider["registry.terraform.io/hashicorp/aws"].paris`.
    pub fn state_name(&self) -> String {
        let source = match self.name.as_ref() {
            "terraform" => "terraform.io/builtin/terraform".to_owned(),
            name => format!("registry.terraform.io/hashicorp/{name}"),
        };
        match &self.alias {
            Some(alias) => format!("provider[\"{source}\"].{alias}"),
            None => format!("provider[\"{source}\"]"),
        }
    }

    /// Reads what a state file names a provider; the module prefix is left aside.
    pub fn from_state_name(text: &str) -> Option<ProviderKey> {
        let (_, rest) = text.split_once("provider[\"")?;
        let (source, alias) = rest.split_once("\"]")?;
        let name = source.rsplit('/').next()?;
        let alias = alias.strip_prefix('.').map(Arc::from);
        Some(ProviderKey { name: name.into(), alias })
    }
}

impl fmt::Display for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.alias.as_ref().map_or(Ok(()), |alias| write!(f, ".{alias}"))
    }
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Bring everything to what the spec says.
    #[default]
    Normal,
    /// Delete everything.
    Destroy,
    /// Only bring the state to what is there.
    RefreshOnly,
}

/// What the user asked for besides the spec.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the plan is for.
    pub mode: Mode,
    /// Instances to replace though nothing forces it.
    pub replace: BTreeSet<Address>,
    /// Instances that may be deleted though they are protected; one without key stands for all of its resource.
    pub allow_destroy: BTreeSet<Address>,
    /// Keys that nobody may be able to manage after this plan, though that can't be undone.
    pub allow_lockout: BTreeSet<Address>,
    /// Keys that may be deleted though data outside of the plan is lost with them; one without key of an instance stands for
    /// all of its resource.
    pub allow_key_deletion: BTreeSet<Address>,
    /// Whether an assertion about access that does not hold is only a warning: for looking at a plan, not for carrying
    /// it out.
    pub only_look: bool,
    /// What the plan is limited to.
    pub targeting: Targeting,
    /// Whether to look for objects that are there already where others of the same name would be made.
    pub look_for_existing: bool,
    /// Whether resources are to be written for imports that lead to none.
    pub generate: bool,
}

/// What happens to one instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The instance.
    pub address: Address,
    /// The address that it had in the state, where it moved.
    pub previous_address: Option<Address>,
    /// The key under which the object was put aside, when it is a left-over of a replacement.
    pub deposed: Option<String>,
    /// The provider configuration that carries it out.
    pub provider: ProviderKey,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The object as it is.
    pub before: Option<Value>,
    /// The object as it will be; unknown where AWS decides.
    pub after: Option<Value>,
    /// The paths that force a new object.
    pub replace_paths: Vec<Path>,
    /// The resources that it depends on, as they are stored in the state.
    pub dependencies: BTreeSet<ResourceAddress>,
    /// Whether the object is made before its predecessor is deleted when it is replaced.
    pub create_before_destroy: bool,
    /// Whether the object to be replaced was made only in part, so that nothing uses it and nothing waits for its end.
    pub left_over: bool,
    /// The import id of an object that this plan takes into the state; `before` is the object as it was found.
    pub importing: Option<String>,
}

impl Change {
    /// Whether carrying it out changes something in AWS, or what the state has at which address.
    pub fn has_effect(&self) -> bool {
        self.action.is_change() || self.importing.is_some() || self.previous_address.is_some()
    }
}

/// A difference between the state and what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The instance.
    pub address: Address,
    /// The address that it had in the state, where it moved.
    pub previous_address: Option<Address>,
    /// As the state had it.
    pub before: Value,
    /// As it was found; absent: it is gone.
    pub after: Option<Value>,
}

/// What happens to an output of the root module.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputChange {
    /// The value in the state.
    pub before: Option<Value>,
    /// The value after apply; absent: the output is removed.
    pub after: Option<Value>,
    /// Whether it is declared sensitive.
    pub sensitive: bool,
}

impl OutputChange {
    /// Whether anything changes.
    pub fn action(&self) -> Action {
        match (&self.before, &self.after) {
            (None, Some(_)) => Action::Create,
            (Some(_), None) => Action::Delete,
            (Some(before), Some(after)) if !crate::diff::same(None, before, after) => Action::Update,
            _ => Action::NoOp,
        }
    }
}

/// What a `[[moved]]` entry would have to say for something that looks like a rename: a module, a resource or an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PossibleMove {
    /// The address in the state.
    pub from: String,
    /// The address in the spec.
    pub to: String,
}

impl PossibleMove {
    /// The entry, ready to be pasted into the spec.
    pub fn entry(&self) -> String {
        format!("[[moved]]\nfrom = {}\nto   = {}", quoted(&self.from), quoted(&self.to))
    }
}

/// As TOML writes it, without escapes where that is possible.
fn quoted(text: &str) -> String {
    match text.contains('\'') {
        false => format!("'{text}'"),
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// Everything that will be done, and everything that it was decided from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is for.
    pub mode: Mode,
    /// What it is limited to.
    pub targeting: Targeting,
    /// The state that it starts from, as it was read.
    pub prior: Snapshot,
    /// The state brought up to date: what apply starts from.
    pub refreshed: Snapshot,
    /// Digest of the spec.
    pub digest: String,
    /// The workspace.
    pub workspace: Arc<str>,
    /// Values of the root module's variables.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// One per instance, sorted by address; no-ops included.
    pub changes: Vec<Change>,
    /// What was found to differ from the state.
    pub drift: Vec<Drift>,
    /// Outputs of the root module.
    pub outputs: BTreeMap<Arc<str>, OutputChange>,
    /// What must wait for what.
    pub order: Order,
    /// How conditions and checks came out, as far as their values are known.
    pub verdicts: Vec<Verdict>,
    /// What it does to access.
    pub access: AccessReport,
    /// What looks like renames that the spec does not tell of.
    pub possible_moves: Vec<PossibleMove>,
    /// Resources that were written for objects that it imports, as they stand in the spec now.
    pub generated: BTreeMap<Address, String>,
    /// What is lost with the objects that it deletes.
    pub losses: Vec<Loss>,
    /// Warnings.
    pub warnings: Diagnostics,
}

/// Totals as the summary line gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Objects taken into the state that were there before.
    pub import: usize,
    /// Objects made, also for a replacement.
    pub add: usize,
    /// Objects changed in place.
    pub change: usize,
    /// Objects deleted, also for a replacement.
    pub destroy: usize,
    /// Objects dropped from the state.
    pub forget: usize,
}

impl Plan {
    /// Whether a sensitive value is in it, of the objects, the variables or the outputs.
    pub fn holds_secrets(&self) -> bool {
        let secret = |value: &Value| value.marks_deep().sensitive;
        let in_snapshot = |snapshot: &Snapshot| {
            let mut objects = snapshot
                .instances()
                .flat_map(|(_, _, instance)| instance.current.iter().chain(instance.deposed.values()));
            snapshot.outputs.values().any(|output| output.sensitive)
                || objects.any(|object| !object.sensitive.is_empty())
        };
        let changes = self.changes.iter().flat_map(|change| change.before.iter().chain(&change.after));
        let drift = self.drift.iter().flat_map(|drift| std::iter::once(&drift.before).chain(&drift.after));
        self.variables.values().any(secret)
            || changes.chain(drift).any(secret)
            || self.outputs.values().any(|output| output.sensitive)
            || in_snapshot(&self.prior)
            || in_snapshot(&self.refreshed)
    }

    /// Counts the actions.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for change in &self.changes {
            totals.import += usize::from(change.importing.is_some());
            match change.action {
                Action::Create => totals.add += 1,
                Action::Update => totals.change += 1,
                Action::DeleteThenCreate | Action::CreateThenDelete => {
                    totals.add += 1;
                    totals.destroy += 1;
                }
                Action::Delete => totals.destroy += 1,
                Action::Forget => totals.forget += 1,
                Action::NoOp | Action::Read => {}
            }
        }
        totals
    }

    /// Whether apply would change an object, an address, an output or, when only refreshing, the state.
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(Change::has_effect)
            || self.outputs.values().any(|o| o.action() != Action::NoOp)
            || (self.mode == Mode::RefreshOnly && !self.drift.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_names_of_state_files() {
        let text = r#"module.a.provider["registry.terraform.io/hashicorp/aws"].paris"#;
        let key = ProviderKey::from_state_name(text).unwrap();
        assert_eq!(key.to_string(), "aws.paris");
        assert_eq!(key.state_name(), r#"provider["registry.terraform.io/hashicorp/aws"].paris"#);
        let builtin = ProviderKey::default_of("terraform");
        assert_eq!(ProviderKey::from_state_name(&builtin.state_name()), Some(builtin));
        assert_eq!(ProviderKey::from_state_name("aws"), None);
    }
}
