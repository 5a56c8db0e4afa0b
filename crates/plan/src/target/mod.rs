//! What a plan is limited to: `--target`, `--target-dependents` and `--exclude`.
//!
//! A target brings everything along that it depends on, and where objects are destroyed everything that depends on it. An
//! exclusion takes everything out that depends on it, and where objects are destroyed everything that it depends on.
//! Dependencies are those between resources, as everywhere in a plan; so an instance that is brought along brings all
//! instances of its resource.

mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_expr::{FunctionContext, Reference};
use terrane_model::{Address, Diagnostic, Diagnostics, ResourceAddress, Selector, Severity, Value};
use terrane_provider::Catalog;
use terrane_spec::Spec;
use terrane_spec::condition::Condition;
use terrane_spec::module::Output;
use terrane_spec::statement::Check;
use terrane_state::Snapshot;

use crate::codec::decode;
use crate::expand::Repetition;
use crate::graph::{Graph, Ways, graph, node_of};
use crate::moves::{Moves, moves};
use crate::order::Needs;
use crate::plan::Mode;
use crate::world::World;
use known::Known;

pub(crate) use known::no_match;

/// What the user limits a plan to. Nothing in it: the plan covers everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targeting {
    /// What is planned, with all that it depends on.
    pub targets: Vec<Selector>,
    /// Whether what depends on the targets is planned, too.
    pub dependents: bool,
    /// What is left out, with all that depends on it. Not together with targets.
    pub excludes: Vec<Selector>,
}

impl Targeting {
    /// Whether anything may be left out.
    pub fn is_limited(&self) -> bool {
        !self.targets.is_empty() || !self.excludes.is_empty()
    }

    fn selectors(&self) -> &[Selector] {
        if self.targets.is_empty() { &self.excludes } else { &self.targets }
    }
}

/// What a selection is made from.
pub struct Scene<'a> {
    /// The checked spec.
    pub spec: &'a Spec,
    /// Values of the root module's variables.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// The workspace.
    pub workspace: Arc<str>,
    /// Paths, files and times for functions.
    pub functions: FunctionContext,
    /// The state as it was read.
    pub snapshot: &'a Snapshot,
    /// What the plan is for.
    pub mode: Mode,
}

/// The part of the spec and the state that a plan covers.
#[derive(Clone, Debug)]
pub struct Selection {
    targeting: Targeting,
    /// Resources that are covered; module paths have no keys. Of no account while nothing is limited.
    covered: BTreeMap<ResourceAddress, Part>,
    open: Vec<Selector>,
    /// The new address of each instance of the state that moved, by the old one.
    moved: BTreeMap<Address, Address>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// All instances.
    Whole,
    /// The instances that the selectors say.
    Some,
}

impl Selection {
    /// Everything.
    pub fn everything() -> Selection {
        Selection {
            targeting: Targeting::default(),
            covered: BTreeMap::new(),
            open: vec![],
            moved: BTreeMap::new(),
        }
    }

    /// Finds out what is covered.
    ///
    /// # Errors
    /// A cycle in the spec, moves that can't be made or that are left out, and selectors that select nothing.
    pub fn of(targeting: &Targeting, scene: &Scene<'_>) -> Result<Selection, Diagnostics> {
        if !targeting.is_limited() {
            return Ok(Selection::everything());
        }
        let moved = moves(scene.spec, scene.snapshot)?;
        Selection::within(targeting, scene, &graph(scene.spec)?, &moved)
    }

    pub(crate) fn within(
        targeting: &Targeting,
        scene: &Scene<'_>,
        graph: &Graph,
        moved: &Moves,
    ) -> Result<Selection, Diagnostics> {
        if !targeting.is_limited() {
            return Ok(Selection::everything());
        }
        let known = Known::new(scene, graph, &moved.snapshot);
        let selectors = targeting.selectors();
        let missing: Diagnostics =
            selectors.iter().filter(|s| !known.has(s)).map(|s| no_match(s, &known.names())).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let named: BTreeMap<&ResourceAddress, Part> =
            known.nodes.keys().filter_map(|node| Some((node, known.part(node, selectors)?))).collect();
        let links = Links::new(scene, graph, &moved.snapshot);
        let covered = match targeting.targets.is_empty() {
            false => targeted(&named, &links, targeting.dependents),
            true => {
                let out = reach(&links.excluded_with, named.keys().copied());
                let left = known.nodes.keys().filter_map(|node| match named.get(node) {
                    Some(Part::Some) if !out.contains(node) => Some((node.clone(), Part::Some)),
                    Some(_) => None,
                    None => (!out.contains(node)).then(|| (node.clone(), Part::Whole)),
                });
                left.collect()
            }
        };
        let open = selectors.iter().filter(|selector| !known.surely_has(selector)).cloned().collect();
        let moved = moved.previous.iter().map(|(now, before)| (before.clone(), now.clone())).collect();
        let selection = Selection { targeting: targeting.clone(), covered, open, moved };
        match selection.moves_left_out() {
            Some(error) => Err(vec![error]),
            None => Ok(selection),
        }
    }

    /// Whether anything may be left out.
    pub fn is_limited(&self) -> bool {
        self.targeting.is_limited()
    }

    /// Whether the instance is covered.
    pub fn covers(&self, address: &Address) -> bool {
        if !self.is_limited() {
            return true;
        }
        match self.covered.get(&node_of(&address.resource)) {
            None => false,
            Some(Part::Whole) => true,
            Some(Part::Some) => {
                let named = self.targeting.selectors().iter().any(|selector| selector.covers(address));
                named != self.targeting.targets.is_empty()
            }
        }
    }

    /// Whether some instance of the resource is covered, or would be if there were one.
    pub fn touches(&self, resource: &ResourceAddress) -> bool {
        !self.is_limited() || self.covered.contains_key(&node_of(resource))
    }

    /// Objects get new addresses all at once, or a later plan would not know which is which.
    fn moves_left_out(&self) -> Option<Diagnostic> {
        let out: Vec<(&Address, &Address)> = self.moved.iter().filter(|(_, now)| !self.covers(now)).collect();
        if out.is_empty() {
            return None;
        }
        let list: String =
            out.iter().map(|(before, now)| format!("\n - {now}, which was {before}")).collect();
        let detail = format!(
            "Objects of the state have new addresses in the spec. A plan must cover all of them, and {} leaves out:{list}",
            named(&self.targeting)
        );
        let error =
            Diagnostic::error("moves-left-out", "Moved resource instances excluded by targeting", detail);
        Some(match self.is_narrow() {
            true => {
                let more: Vec<String> = out.iter().map(|(_, now)| format!("--target='{now}'")).collect();
                error.hint(format!("Take the option away, or add `{}`.", more.join(" ")))
            }
            false => error.hint("Apply without the option first."),
        })
    }

    /// The part of a state that is covered: what is to be read. The state is under its own addresses.
    pub fn of_state(&self, snapshot: &Snapshot) -> Snapshot {
        let mut part = snapshot.clone();
        if self.is_limited() {
            let resources = Arc::make_mut(&mut part.resources);
            for (address, resource) in &mut *resources {
                resource.instances.retain(|key, _| {
                    let address = address.instance(key.clone());
                    self.covers(self.moved.get(&address).unwrap_or(&address))
                });
            }
            resources.retain(|_, resource| !resource.instances.is_empty());
        }
        part
    }

    /// A message about access as the plan takes it: what can't be decided, since something is left out, is no error.
    pub fn weighed(&self, error: Diagnostic) -> Diagnostic {
        match self.is_limited() && !matches!(error.code, "access-violated" | "key-lockout") {
            true => Diagnostic { severity: Severity::Warning, ..error },
            false => error,
        }
    }

    /// Whether an output of a module can be told: everything that it needs is covered as a whole. With targets, it must
    /// need something.
    pub fn gives(&self, spec: &Spec, module: &[Arc<str>], output: &Output) -> bool {
        if !self.is_limited() {
            return true;
        }
        let value = output.value.references().map(|(reference, _, _)| reference);
        let depends = output.depends_on.iter().map(|(reference, _)| reference);
        let conditions = output.preconditions.iter().flat_map(Condition::references).map(|(r, _, _)| r);
        let needed = needed(spec, module, value.chain(depends).chain(conditions));
        self.covers_all(&needed) && !(needed.is_empty() && self.is_narrow())
    }

    /// Whether a check of a module is judged: all that it needs is covered, and there are no targets.
    pub fn judges(&self, spec: &Spec, module: &[Arc<str>], check: &Check) -> bool {
        if !self.is_limited() || self.is_narrow() {
            return !self.is_limited();
        }
        let assertions = check.assertions.iter().flat_map(Condition::references).map(|(r, _, _)| r.clone());
        let data = check.data.iter().flat_map(|data| data.references()).map(|(reference, _)| reference);
        let all: Vec<Reference> = assertions.chain(data).collect();
        self.covers_all(&needed(spec, module, &all))
    }

    fn covers_all(&self, nodes: &BTreeSet<ResourceAddress>) -> bool {
        nodes.iter().all(|node| self.covered.get(node) == Some(&Part::Whole))
    }

    /// Whether only what is named is covered, not all but that.
    fn is_narrow(&self) -> bool {
        !self.targeting.targets.is_empty()
    }

    /// Selectors of which it can be told only when the instances of some resource are known whether they select anything.
    pub(crate) fn open(&self) -> &[Selector] {
        &self.open
    }

    /// That a plan is limited.
    pub(crate) fn warning(&self) -> Option<Diagnostic> {
        self.is_limited().then(|| {
            let detail = format!(
                "The plan covers only a part of the stack, because of {}. It may leave out changes that the spec asks for.",
                named(&self.targeting)
            );
            Diagnostic::warning("targeting", "Resource targeting is in effect", detail)
                .hint("This is for exceptional situations, such as recovering from a mistake; not for every day.")
        })
    }
}

/// The options as they were given, for messages.
pub fn named(targeting: &Targeting) -> String {
    let targets = targeting.targets.iter().map(|s| format!("`--target={s}`"));
    let dependents = targeting.dependents.then(|| "`--target-dependents`".to_owned());
    let excludes = targeting.excludes.iter().map(|s| format!("`--exclude={s}`"));
    let all: Vec<String> = targets.chain(dependents).chain(excludes).collect();
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => all.concat(),
    }
}

fn targeted(
    named: &BTreeMap<&ResourceAddress, Part>,
    links: &Links,
    dependents: bool,
) -> BTreeMap<ResourceAddress, Part> {
    let mut start: BTreeSet<&ResourceAddress> = named.keys().copied().collect();
    let above = if dependents { reach(&links.needed_by, start.iter().copied()) } else { BTreeSet::new() };
    start.extend(&above);
    // What is brought along is so as a whole, even where only some of it is named.
    let along = reach(&links.targeted_with, start.iter().copied());
    let named = named.iter().map(|(node, part)| ((*node).clone(), *part));
    let mut covered: BTreeMap<ResourceAddress, Part> = named.collect();
    covered.extend(above.into_iter().chain(along).map(|node| (node.clone(), Part::Whole)));
    covered
}

/// Which resources come along with which.
struct Links {
    targeted_with: Needs,
    excluded_with: Needs,
    needed_by: Needs,
}

impl Links {
    fn new(scene: &Scene<'_>, graph: &Graph, snapshot: &Snapshot) -> Links {
        let mut prior = Needs::new();
        for (address, _, instance) in snapshot.instances() {
            let objects = instance.current.iter().chain(instance.deposed.values());
            let needed = objects.flat_map(|object| object.dependencies.iter().cloned());
            prior.entry(node_of(&address.resource)).or_default().extend(needed);
        }
        let needs = match scene.mode {
            Mode::Destroy => prior.clone(),
            // What is not in the spec any more needs what it needed when it was made.
            Mode::Normal | Mode::RefreshOnly => prior
                .iter()
                .chain(&graph.needs)
                .map(|(node, needed)| (node.clone(), needed.clone()))
                .collect(),
        };
        let needed_by = reversed(&needs);
        match scene.mode {
            Mode::Destroy => Links { targeted_with: needed_by.clone(), excluded_with: needs, needed_by },
            Mode::Normal | Mode::RefreshOnly => {
                let gone = |node: &ResourceAddress| scene.spec.resource(node).is_none();
                let mut targeted_with = needs.clone();
                let mut excluded_with = needed_by.clone();
                // An object that is deleted goes after those that use it, and stays while one that uses it does.
                for (node, needed) in &prior {
                    for need in needed.iter().filter(|need| gone(need)) {
                        if gone(node) {
                            targeted_with.entry(need.clone()).or_default().insert(node.clone());
                        }
                        excluded_with.entry(node.clone()).or_default().insert(need.clone());
                    }
                }
                Links { targeted_with, excluded_with, needed_by }
            }
        }
    }
}

/// Gives a world the objects of the state that a plan does not cover, as far as the spec has them: for what looks at the
/// whole stack, whatever the plan is limited to.
pub fn bring_uncovered(world: &mut World<'_>, selection: &Selection, snapshot: &Snapshot, catalog: &Catalog) {
    let mut declared = BTreeSet::new();
    for (about, _, object) in snapshot.current().filter(|(about, ..)| !selection.covers(about)) {
        let Some(spec) = world.spec().resource(&about.resource) else { continue };
        let Some(resource) = catalog.resource(&about.resource.type_name) else { continue };
        let Ok(value) = decode(resource.schema(), &object.attributes, &object.sensitive) else { continue };
        if !selection.touches(&about.resource) && declared.insert(about.resource.clone()) {
            world.declare(&about.resource, Repetition::of(spec.count.as_ref(), spec.for_each.as_ref()));
        }
        world.set(&about, value);
    }
}

/// What links lead to from some resources; of these only those that others lead to.
fn reach<'n>(
    links: &'n Needs,
    start: impl Iterator<Item = &'n ResourceAddress>,
) -> BTreeSet<&'n ResourceAddress> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&ResourceAddress> = start.collect();
    while let Some(node) = open.pop() {
        for next in links.get(node).into_iter().flatten() {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}

fn reversed(needs: &Needs) -> Needs {
    let mut reversed = Needs::new();
    for (node, needed) in needs {
        for need in needed {
            reversed.entry(need.clone()).or_default().insert(node.clone());
        }
    }
    reversed
}

/// The resources behind references of a module.
fn needed<'r>(
    spec: &Spec,
    module: &[Arc<str>],
    references: impl IntoIterator<Item = &'r Reference>,
) -> BTreeSet<ResourceAddress> {
    let mut ways = Ways::new(spec);
    let names: Arc<[Arc<str>]> = module.into();
    references.into_iter().flat_map(|reference| ways.targets(&names, reference)).collect()
}
