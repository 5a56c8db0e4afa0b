//! Builds the plan: walks the resources in the order of the graph, plans each instance, and collects what is left over.

mod data;
mod destroy;
pub mod existing;
pub mod import;
pub mod instance;
mod leftover;
pub mod limits;
mod losses;
mod moved;
pub mod outputs;
mod predecessor;
mod principals;
mod protection;
mod refresh;
mod renamed;
mod replace_order;
mod unchanged;
mod undeclared;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_expr::FunctionContext;
use terrane_model::diagnostic::has_errors;
use terrane_model::{Address, Diagnostic, Diagnostics, Mode as ResourceMode, ResourceAddress, Value};
use terrane_provider::{Catalog, Facts, Users};
use terrane_spec::Spec;
use terrane_state::Snapshot;

use crate::access::{AccessReport, doubled};
use crate::conditions::judge_all;
use crate::expand::{Repetition, Wanted, instances};
use crate::generate::Undeclared;
use crate::graph::{Graph, graph, names_of, node_of};
use crate::moves::{Moves, moves};
use crate::order::Needs;
use crate::plan::{Change, Mode, Options, Plan, PossibleMove, ProviderKey};
use crate::removals;
use crate::target::Selection;
use crate::verify::verify;
use crate::world::World;

use import::{Importing, entries};

/// What was found in AWS before planning.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Current objects as they were found; `None`: gone. An instance that is missing here was not looked at.
    pub objects: BTreeMap<(Address, Option<String>), Option<Value>>,
    /// What is to be remembered of them besides.
    pub notes: BTreeMap<(Address, Option<String>), String>,
    /// Results of data sources, with the arguments that they were read with.
    pub data: BTreeMap<Address, (Value, Value)>,
    /// Objects to import, with the ids that they were looked for by; `None`: there is none.
    pub imports: BTreeMap<Address, (String, Option<Value>)>,
    /// Whether there is an object already where one would be made, with the id that was looked for. What could not be told
    /// is taken for not there.
    pub existing: BTreeMap<Address, (String, bool)>,
    /// Objects that may be pending deletion, by the address that they would have and their import ids; `None`: there is none.
    /// Why one may not be looked at, where it is so.
    pub recoverable: BTreeMap<(Address, String), Result<Option<Value>, Diagnostic>>,
    /// Who uses an object that is to be deleted.
    pub users: BTreeMap<(Address, Option<String>), Users>,
    /// Users and roles that policies name, by ARN, and whether there are such; nothing where that can't be told.
    pub principals: BTreeMap<String, Option<bool>>,
    /// Data sources of checks that could not be read.
    pub failed: BTreeMap<Address, Diagnostic>,
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

/// Something that must be looked at before planning can go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// The instance.
    pub address: Address,
    /// The provider configuration to look with.
    pub provider: ProviderKey,
    /// What is asked for.
    pub what: Wish,
}

/// What a plan may ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// The result of a data source.
    Data {
        /// Its arguments, all known.
        config: Value,
        /// What a failure means.
        weight: Weight,
    },
    /// An object to import.
    Import {
        /// The import id.
        id: String,
    },
    /// An object that may be pending deletion, so that it can be brought back.
    Recoverable {
        /// Its import id.
        id: String,
    },
    /// Whether there is an object already.
    Existing {
        /// Its import id.
        id: String,
    },
    /// Who uses an object that is to be deleted.
    Users {
        /// The object.
        object: Value,
        /// The key under which it was put aside.
        deposed: Option<String>,
    },
    /// Whether there is a user or role that a policy names.
    Principal {
        /// The ARN in the policy.
        arn: String,
        /// Its name.
        name: String,
    },
}

/// What it means when a data source can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// There is no plan.
    Full,
    /// Only a check reads it: it is a warning.
    OfCheck,
}

/// What building gives: a plan, or what is missing for one.
#[derive(Debug)]
pub enum Draft {
    /// These must be read first, then built again.
    Needs(Vec<Need>),
    /// Resources for these are to be added to the spec first, then built again. Only where [`Options::generate`] asks.
    Undeclared(Vec<Undeclared>),
    /// Done.
    Plan(Box<Plan>),
}

/// Builds the plan.
///
/// # Errors
/// Everything that is wrong, not only the first thing.
pub fn build(input: &Input<'_>) -> Result<Draft, Diagnostics> {
    let graph = graph(input.spec)?;
    let moved = both(moves(input.spec, input.snapshot), removals::check(input.spec))?;
    let selection = Selection::within(&input.options.targeting, &input.scene(), &graph, &moved)?;
    let world =
        World::new(input.spec, input.variables.clone(), input.workspace.clone(), input.functions.clone());
    let mut builder = Builder {
        input,
        world,
        graph: &graph,
        selection,
        refreshed: moved.snapshot.clone(),
        moved: &moved,
        changes: vec![],
        pending: BTreeSet::new(),
        planned: BTreeSet::new(),
        wanted: BTreeSet::new(),
        needs: vec![],
        asked_at: None,
        entries: entries(input.spec),
        importing: BTreeMap::new(),
        notes: predecessor::notes(input.spec, input.snapshot),
        undeclared: vec![],
        possible_moves: vec![],
        diagnostics: vec![],
    };
    builder.warn_of_limits();
    let drift = builder.refresh();
    match input.options.mode {
        Mode::Normal => builder.walk(),
        Mode::RefreshOnly => builder.keep_all(),
        Mode::Destroy => builder.destroy_all(),
    }
    builder.refuse_replacing();
    if builder.needs.is_empty() && !has_errors(&builder.diagnostics) {
        builder.check_allowed();
    }
    if builder.needs.is_empty() && only_imports_fail(&builder.diagnostics) {
        if !builder.undeclared.is_empty() && !has_errors(&builder.diagnostics) {
            return Ok(Draft::Undeclared(builder.undeclared));
        }
        builder.look_for_existing();
        builder.look_for_principals();
    }
    let before =
        builder.asked_at.and_then(|at| builder.diagnostics.get(..at)).unwrap_or(&builder.diagnostics);
    if !only_imports_fail(before) {
        // Whether there is an object to import depends on nothing else, and is told together with what is wrong.
        builder.needs.retain(|need| matches!(need.what, Wish::Import { .. }));
    }
    if !builder.needs.is_empty() {
        return Ok(Draft::Needs(builder.needs));
    }
    let outputs = builder.outputs();
    let verdicts = match input.options.mode {
        Mode::Normal => judge_all(&builder.world, &builder.selection, &mut builder.diagnostics),
        Mode::Destroy | Mode::RefreshOnly => vec![],
    };
    builder.replacements_in_order();
    let losses = match has_errors(&builder.diagnostics) {
        true => vec![],
        false => builder.losses(),
    };
    if !builder.needs.is_empty() && !has_errors(&builder.diagnostics) {
        return Ok(Draft::Needs(builder.needs));
    }
    builder.tell_of_moves();
    if input.options.mode == Mode::Normal {
        builder.diagnostics.extend(doubled(input.spec, &builder.changes));
    }
    let access = match input.options.mode {
        Mode::Normal if !has_errors(&builder.diagnostics) => builder.access(),
        _ => AccessReport::default(),
    };
    let Builder { mut changes, refreshed, possible_moves, notes, diagnostics, .. } = builder;
    if has_errors(&diagnostics) {
        return Err(deduplicated(diagnostics));
    }
    changes.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
    let (mut refreshed, order) = unchanged::brought_up_to_date(refreshed, &changes, &graph);
    predecessor::note(&mut refreshed, notes, &changes, input.catalog, input.functions.plan_time.as_deref());
    let plan = Plan {
        mode: input.options.mode,
        targeting: input.options.targeting.clone(),
        prior: input.snapshot.clone(),
        refreshed,
        digest: input.spec.digest.clone(),
        workspace: input.workspace.clone(),
        variables: input.variables.clone(),
        changes,
        drift,
        outputs,
        order,
        verdicts,
        access,
        possible_moves,
        generated: BTreeMap::new(),
        losses,
        warnings: deduplicated(diagnostics),
    };
    verify(&plan)?;
    Ok(Draft::Plan(Box::new(plan)))
}

struct Builder<'a, 's> {
    input: &'a Input<'s>,
    world: World<'s>,
    graph: &'a Graph,
    /// What of spec and state is looked at.
    selection: Selection,
    refreshed: Snapshot,
    /// Which instances of the state are under other addresses now.
    moved: &'a Moves,
    changes: Vec<Change>,
    /// Resources of which something changes: data sources that depend on them wait.
    pending: BTreeSet<ResourceAddress>,
    /// Resources, in each instance of their module, that were looked at.
    planned: BTreeSet<ResourceAddress>,
    /// The instances that the spec wants, covered or not; noted while it is open whether a selector selects anything.
    wanted: BTreeSet<Address>,
    needs: Vec<Need>,
    /// How many messages there were when something was first asked for: later ones may come of its absence.
    asked_at: Option<usize>,
    /// The imports of the spec by resource.
    entries: BTreeMap<ResourceAddress, Vec<usize>>,
    /// Imports of the spec by the instance that each object becomes.
    importing: BTreeMap<Address, Importing>,
    /// What this state deleted and can perhaps be brought back.
    notes: Vec<predecessor::Note>,
    /// Objects to import that a resource is to be written for.
    undeclared: Vec<Undeclared>,
    /// What looks like renames.
    possible_moves: Vec<PossibleMove>,
    diagnostics: Diagnostics,
}

impl Builder<'_, '_> {
    fn walk(&mut self) {
        for node in &self.graph.sorted {
            if !self.selection.touches(node) {
                continue;
            }
            let modules = match self.world.module_instances(&names_of(&node.module)) {
                Ok(modules) => modules,
                Err(errors) => {
                    self.diagnostics.extend(errors);
                    continue;
                }
            };
            for module in modules {
                let resource = ResourceAddress { module, ..node.clone() };
                let Some(wanted) = self.expand(&resource) else { continue };
                self.imports_of(&resource, &wanted);
                for instance in &wanted {
                    if !self.covers(resource.instance(instance.key.clone())) {
                        continue;
                    }
                    match node.mode {
                        ResourceMode::Managed => self.plan_instance(&resource, instance),
                        ResourceMode::Data => self.plan_data(&resource, instance),
                    }
                }
                if node.mode == ResourceMode::Managed {
                    self.delete_unwanted(&resource, &wanted);
                }
                self.planned.insert(resource);
            }
        }
        self.imports_of_undeclared();
        self.delete_undeclared();
        self.refuse_moves_from_declared();
        self.point_out_renames();
        self.plan_check_data();
        self.check_requests();
    }

    fn plan_check_data(&mut self) {
        let spec = self.input.spec;
        for (names, module) in spec.all_modules() {
            for path in self.world.module_instances(names).unwrap_or_default() {
                for check in module.checks.values() {
                    if let Some(data) = check.data.as_ref().filter(|_| self.judges(names, check)) {
                        self.plan_scoped_data(data, &path);
                    }
                }
            }
        }
    }

    /// The instances that the spec wants of a resource. Nothing when that can't be told; then an error is noted.
    fn expand(&mut self, resource: &ResourceAddress) -> Option<Vec<Wanted>> {
        let spec = self.input.spec.resource(resource)?;
        let scope = self.world.module_scope(&resource.module);
        let wanted = instances(spec.count.as_ref(), spec.for_each.as_ref(), &scope);
        match wanted {
            Ok(wanted) => {
                let repetition = Repetition::of(spec.count.as_ref(), spec.for_each.as_ref());
                self.world.declare(resource, repetition);
                Some(wanted)
            }
            Err(errors) => {
                let about = resource.instance(None);
                self.diagnostics.extend(errors.into_iter().map(|e| e.about(&about)));
                None
            }
        }
    }

    fn facts(&self, provider: &ProviderKey) -> Arc<Facts> {
        self.input.facts.get(provider).cloned().unwrap_or_default()
    }

    fn ask(&mut self, need: Need) {
        self.asked_at.get_or_insert(self.diagnostics.len());
        self.needs.push(need);
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// The provider configuration that a resource of the spec uses: the one it names, or its type's default one; in a module,
/// the one that its calls hand down under that name.
pub fn provider_of(spec: &Spec, resource: &ResourceAddress) -> ProviderKey {
    let named = spec.resource(resource).and_then(|r| r.provider.as_ref());
    let mut key = match named {
        Some(named) => ProviderKey { name: named.name.clone(), alias: named.alias.clone() },
        None => ProviderKey::default_of(terrane_provider::catalog::provider_of(&resource.type_name)),
    };
    let mut names: &[Arc<str>] = &names_of(&resource.module);
    while let Some((call, parents)) = names.split_last() {
        let call = spec.module(parents).and_then(|module| module.modules.get(call));
        if let Some(handed) = call.and_then(|call| call.providers.get(key.to_string().as_str())) {
            key = ProviderKey { name: handed.name.clone(), alias: handed.alias.clone() };
        }
        names = parents;
    }
    key
}

/// Whether nothing is wrong but that objects to import are not there: that stands in the way of nothing else.
fn only_imports_fail(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().all(|diagnostic| !diagnostic.is_error() || diagnostic.code == import::NOT_FOUND)
}

fn prior_needs(snapshot: &Snapshot) -> Needs {
    let mut needs = Needs::new();
    for (address, _, instance) in snapshot.instances() {
        let objects = instance.current.iter().chain(instance.deposed.values());
        let dependencies = objects.flat_map(|object| object.dependencies.iter().cloned());
        needs.entry(node_of(&address.resource)).or_default().extend(dependencies);
    }
    needs
}

fn both<T>(result: Result<T, Diagnostics>, more: Diagnostics) -> Result<T, Diagnostics> {
    match result {
        Ok(value) if more.is_empty() => Ok(value),
        Ok(_) => Err(more),
        Err(found) => Err([found, more].concat()),
    }
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
