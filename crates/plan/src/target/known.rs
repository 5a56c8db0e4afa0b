//! What a selector can name: the resources of spec and state, and their instances as far as they can be told before anything
//! is read.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::nearest::nearest;
use terrane_model::{Address, Diagnostic, ModulePath, ResourceAddress, Selector};
use terrane_spec::Spec;
use terrane_state::Snapshot;

use super::{Part, Scene};
use crate::expand::instances;
use crate::graph::{Graph, names_of, node_of};
use crate::world::World;

/// Everything that can be named.
pub(super) struct Known {
    /// The resources of spec and state with their instances. Nothing: those that the spec wants can't be told yet.
    pub(super) nodes: BTreeMap<ResourceAddress, (BTreeSet<Address>, Certainty)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// These are all instances.
    All,
    /// There may be more.
    Open,
}

impl Known {
    pub(super) fn new(scene: &Scene<'_>, graph: &Graph, snapshot: &Snapshot) -> Known {
        let world =
            World::new(scene.spec, scene.variables.clone(), scene.workspace.clone(), scene.functions.clone());
        let mut nodes: BTreeMap<ResourceAddress, (BTreeSet<Address>, Certainty)> = BTreeMap::new();
        for node in &graph.sorted {
            let wanted = wanted(&world, scene.spec, node);
            let certainty = if wanted.is_some() { Certainty::All } else { Certainty::Open };
            nodes.insert(node.clone(), (wanted.unwrap_or_default(), certainty));
        }
        for (address, _, _) in snapshot.instances() {
            let entry = nodes.entry(node_of(&address.resource));
            entry.or_insert_with(|| (BTreeSet::new(), Certainty::All)).0.insert(address);
        }
        Known { nodes }
    }

    /// Which part of a resource is named. Nothing: none of it.
    pub(super) fn part(&self, node: &ResourceAddress, selectors: &[Selector]) -> Option<Part> {
        if selectors.iter().any(|selector| selector.covers_whole(node)) {
            return Some(Part::Whole);
        }
        let (instances, certainty) = self.nodes.get(node)?;
        let open = *certainty == Certainty::Open;
        let mut candidates = selectors.iter().filter(|selector| selector.may_cover(node));
        let named = candidates.any(|selector| open || instances.iter().any(|i| selector.covers(i)));
        named.then_some(Part::Some)
    }

    pub(super) fn surely_has(&self, selector: &Selector) -> bool {
        self.nodes.iter().any(|(node, (instances, _))| {
            selector.covers_whole(node) || instances.iter().any(|address| selector.covers(address))
        })
    }

    pub(super) fn has(&self, selector: &Selector) -> bool {
        self.nodes.keys().any(|node| self.part(node, std::slice::from_ref(selector)).is_some())
    }

    pub(super) fn names(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        for (node, (instances, _)) in &self.nodes {
            names.insert(node.to_string());
            for address in instances {
                names.insert(address.to_string());
                let steps = &address.resource.module.0;
                let around = (1..=steps.len()).map(|n| steps.iter().take(n).cloned().collect());
                names.extend(around.map(|path| ModulePath(path).to_string()));
            }
        }
        names
    }
}

/// That a selector selects nothing. `names` are those that could have been meant.
pub(crate) fn no_match(selector: &Selector, names: &BTreeSet<String>) -> Diagnostic {
    let text = selector.to_string();
    let near = nearest(&text, names.iter().map(String::as_str)).filter(|_| !selector.is_glob());
    let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    let detail = format!("Neither the spec nor the state has anything that is named by `{text}`.{near}");
    Diagnostic::error("unknown-target", "Target that matches nothing", detail).hint(
        "Name a resource, an instance or a module, or write a glob such as `aws_dynamodb_table.*`. `terrane state list` \
         names what is in the state.",
    )
}

/// The instances that the spec wants of a resource. Nothing while that hangs on something that is not known.
fn wanted(world: &World<'_>, spec: &Spec, node: &ResourceAddress) -> Option<BTreeSet<Address>> {
    let resource = spec.resource(node)?;
    let mut found = BTreeSet::new();
    for module in world.module_instances(&names_of(&node.module)).ok()? {
        let wanted =
            instances(resource.count.as_ref(), resource.for_each.as_ref(), &world.module_scope(&module));
        let here = ResourceAddress { module, ..node.clone() };
        found.extend(wanted.ok()?.into_iter().map(|wanted| here.instance(wanted.key)));
    }
    Some(found)
}
