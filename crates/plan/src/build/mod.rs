//! Builds the plan: walks the resources in the order of the graph, plans each instance, and collects what is left over.

mod data;
mod destroy;
pub mod instance;
mod leftover;
pub mod outputs;
mod refresh;
mod replace_order;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_expr::FunctionContext;
use terrane_model::diagnostic::has_errors;
use terrane_model::{Address, Diagnostic, Diagnostics, Mode as ResourceMode, Value};
use terrane_provider::{Catalog, Facts};
use terrane_spec::{ResourceKey, Spec};
use terrane_state::Snapshot;

use crate::expand::{Wanted, expand};
use crate::graph::{Graph, address, graph};
use crate::order::{Needs, order};
use crate::plan::{Change, Mode, Options, Plan, ProviderKey};
use crate::verify::verify;
use crate::world::World;

/// What was found in AWS before planning.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Current objects as they were found; `None`: gone. An instance that is missing here was not looked at.
    pub objects: BTreeMap<(Address, Option<String>), Option<Value>>,
    /// Results of data sources, with the arguments that they were read with.
    pub data: BTreeMap<Address, (Value, Value)>,
}

/// Everything that a plan is made from.
pub struct Input<'a> {
    /// The checked spec.
    pub spec: &'a Spec,
    /// Values of the root module's variables.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// The workspace.
    pub workspace: Arc<str>,
    /// Paths, files and times for functions.
    pub functions: FunctionContext,
    /// Resource types and data sources.
    pub catalog: &'a Catalog,
    /// The state as it was read.
    pub snapshot: &'a Snapshot,
    /// What was found.
    pub observed: &'a Observed,
    /// Facts of each provider configuration.
    pub facts: &'a BTreeMap<ProviderKey, Arc<Facts>>,
    /// What the user asked for.
    pub options: &'a Options,
}

/// A data source that must be read before planning can go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// The instance.
    pub address: Address,
    /// The provider configuration to read it with.
    pub provider: ProviderKey,
    /// Its arguments, all known.
    pub config: Value,
}

/// What building gives: a plan, or what is missing for one.
#[derive(Debug)]
pub enum Draft {
    /// These must be read first, then built again.
    Needs(Vec<Need>),
    /// Done.
    Plan(Box<Plan>),
}

/// Builds the plan.
///
/// # Errors
/// Everything that is wrong, not only the first thing.
pub fn build(input: &Input<'_>) -> Result<Draft, Diagnostics> {
    let graph = graph(input.spec)?;
    let world =
        World::new(input.spec, input.variables.clone(), input.workspace.clone(), input.functions.clone());
    let mut builder = Builder {
        input,
        world,
        graph: &graph,
        refreshed: input.snapshot.clone(),
        changes: vec![],
        pending: BTreeSet::new(),
        needs: vec![],
        diagnostics: vec![],
    };
    let drift = builder.refresh();
    match input.options.mode {
        Mode::Normal => builder.walk(),
        Mode::RefreshOnly => builder.keep_all(),
        Mode::Destroy => builder.destroy_all(),
    }
    if !builder.needs.is_empty() && !has_errors(&builder.diagnostics) {
        return Ok(Draft::Needs(builder.needs));
    }
    let outputs = builder.outputs();
    builder.replacements_in_order();
    let Builder { mut changes, refreshed, diagnostics, .. } = builder;
    if has_errors(&diagnostics) {
        return Err(deduplicated(diagnostics));
    }
    changes.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
    let order = order(&changes, &graph.needs, &prior_needs(&refreshed));
    let plan = Plan {
        mode: input.options.mode,
        prior: input.snapshot.clone(),
        refreshed,
        digest: input.spec.digest.clone(),
        workspace: input.workspace.clone(),
        variables: input.variables.clone(),
        changes,
        drift,
        outputs,
        order,
        warnings: deduplicated(diagnostics),
    };
    verify(&plan)?;
    Ok(Draft::Plan(Box::new(plan)))
}

struct Builder<'a, 's> {
    input: &'a Input<'s>,
    world: World<'s>,
    graph: &'a Graph,
    refreshed: Snapshot,
    changes: Vec<Change>,
    /// Resources of which something changes: data sources that depend on them wait.
    pending: BTreeSet<ResourceKey>,
    needs: Vec<Need>,
    diagnostics: Diagnostics,
}

impl Builder<'_, '_> {
    fn walk(&mut self) {
        for key in &self.graph.sorted {
            let Some(wanted) = self.expand(key) else { continue };
            match key.mode {
                ResourceMode::Managed => {
                    for instance in &wanted {
                        self.plan_instance(key, instance);
                    }
                    self.delete_unwanted(key, &wanted);
                }
                ResourceMode::Data => {
                    for instance in &wanted {
                        self.plan_data(key, instance);
                    }
                }
            }
        }
        self.delete_undeclared();
    }

    /// The instances that the spec wants of a resource. Nothing when that can't be told; then an error is noted.
    fn expand(&mut self, key: &ResourceKey) -> Option<Vec<Wanted>> {
        match expand(&self.world, key) {
            Ok((repetition, wanted)) => {
                self.world.declare(key.clone(), repetition);
                Some(wanted)
            }
            Err(errors) => {
                let about = address(key).instance(None);
                self.diagnostics.extend(errors.into_iter().map(|e| e.about(&about)));
                None
            }
        }
    }

    /// The provider configuration that a resource of the spec uses.
    fn provider_of(&self, key: &ResourceKey) -> ProviderKey {
        provider_of(self.input.spec, key)
    }

    fn facts(&self, provider: &ProviderKey) -> Arc<Facts> {
        self.input.facts.get(provider).cloned().unwrap_or_default()
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// The provider configuration that a resource of the spec uses: the one it names, or its type's default one.
pub fn provider_of(spec: &Spec, key: &ResourceKey) -> ProviderKey {
    match spec.root.resources.get(key).and_then(|r| r.provider.as_ref()) {
        Some(named) => ProviderKey { name: named.name.clone(), alias: named.alias.clone() },
        None => ProviderKey::default_of(terrane_provider::catalog::provider_of(&key.type_name)),
    }
}

fn prior_needs(snapshot: &Snapshot) -> Needs {
    let mut needs = Needs::new();
    for (address, _, instance) in snapshot.instances() {
        let objects = instance.current.iter().chain(instance.deposed.values());
        let dependencies = objects.flat_map(|object| object.dependencies.iter().cloned());
        needs.entry(address.resource).or_default().extend(dependencies);
    }
    needs
}

fn deduplicated(diagnostics: Diagnostics) -> Diagnostics {
    let mut unique: Diagnostics = Vec::with_capacity(diagnostics.len());
    let mut seen = BTreeSet::new();
    for diagnostic in diagnostics {
        let about = diagnostic.span.is_none().then(|| diagnostic.address.clone());
        if seen.insert((diagnostic.code, diagnostic.span, about, diagnostic.detail.clone())) {
            unique.push(diagnostic);
        }
    }
    unique
}
