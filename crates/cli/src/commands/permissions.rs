//! The policy that a plan takes, for `plan --permissions` and `show FILE --permissions`.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::{Diagnostic, Diagnostics};
use terrane_plan::permissions::{Needs, home, needs};
use terrane_plan::{Plan, ProviderKey};
use terrane_provider::{Catalog, Facts, Ground};
use terrane_spec::Module;

use crate::backends::{self, in_sandbox};
use crate::encryption;
use crate::render::permissions;

/// The largest managed policy, in characters without white space.
const LARGEST: usize = 6_144;

/// The policy as JSON, and what is to be said about it.
pub fn policy(
    plan: &Plan,
    root: &Module,
    catalog: &Catalog,
    facts: &BTreeMap<ProviderKey, Arc<Facts>>,
) -> (String, Diagnostics) {
    let mut all = needs(plan, catalog, facts);
    of_state(plan, root, &home(plan, facts), &mut all);
    let policy = permissions::policy(&all.needed);
    let text = format!("{policy:#}\n");
    let mut warnings = Diagnostics::new();
    for type_name in &all.unknown {
        let detail = format!(
            "Which permissions calls for `{type_name}` take is not known: they are not in the policy."
        );
        warnings.push(Diagnostic::warning("permissions-unknown", "Permissions not known", detail));
    }
    let size = text.chars().filter(|character| !character.is_whitespace()).count();
    if size > LARGEST {
        let detail = format!(
            "The policy has {size} characters without white space, and a managed policy takes {LARGEST}. Its statements can be \
             divided among several policies."
        );
        warnings.push(Diagnostic::warning(
            "policy-size",
            "Policy larger than a managed policy may be",
            detail,
        ));
    }
    (text, warnings)
}

/// Adds what the place of the state and its encryption take.
fn of_state(plan: &Plan, root: &Module, facts: &Facts, all: &mut Needs) {
    let ground = Ground { facts, arns_of: &|_, _| vec![] };
    if let Some(permissions) = encryption::permissions(root, &ground) {
        all.add_for_state(permissions);
    }
    // In the sandbox such a state is kept in a file.
    if let (Ok(Some(settings)), false) = (backends::s3(root), in_sandbox()) {
        all.add_for_state(terrane_aws::s3_backend::permissions(&settings, &plan.workspace, &ground));
    }
}
