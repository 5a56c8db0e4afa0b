//! Which resource needs which, by the references in the spec.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use terrane_expr::Reference;
use terrane_model::{Diagnostic, Diagnostics, Mode, ModulePath, ResourceAddress, Span};
use terrane_spec::{ResourceKey, Spec};

use crate::order::Needs;

/// The resources of a spec in an order in which each comes after all that it needs.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Managed resources and data sources.
    pub sorted: Vec<ResourceKey>,
    /// For each resource, the resources that it refers to, directly or through local values.
    pub needs: Needs,
}

/// Builds the graph.
///
/// # Errors
/// One message per cycle, with its members and where each refers to the next.
pub fn graph(spec: &Spec) -> Result<Graph, Diagnostics> {
    let locals = LocalNeeds::new(spec);
    let mut drawing: DiGraph<&ResourceKey, Span> = DiGraph::new();
    let nodes: BTreeMap<&ResourceKey, NodeIndex> =
        spec.root.resources.keys().map(|key| (key, drawing.add_node(key))).collect();
    let mut needs = Needs::new();
    let mut errors = Diagnostics::new();
    for (key, resource) in &spec.root.resources {
        let needed = needs.entry(address(key)).or_default();
        for (reference, span) in resource.references() {
            for target in locals.resources_of(&reference) {
                let (Some(from), Some(to)) = (nodes.get(&target), nodes.get(key)) else { continue };
                drawing.update_edge(*from, *to, span);
                needed.insert(address(&target));
            }
        }
    }
    let mut sorted = Vec::new();
    // Components come out in reverse topological order.
    for component in tarjan_scc(&drawing).into_iter().rev() {
        let itself = component.first().is_some_and(|n| drawing.contains_edge(*n, *n));
        if component.len() > 1 || itself {
            errors.push(cycle(&drawing, &component));
        }
        sorted.extend(component.iter().filter_map(|n| drawing.node_weight(*n)).map(|key| (*key).clone()));
    }
    if errors.is_empty() { Ok(Graph { sorted, needs }) } else { Err(errors) }
}

/// The address of a resource of the root module.
pub fn address(key: &ResourceKey) -> ResourceAddress {
    ResourceAddress {
        module: ModulePath::root(),
        mode: key.mode,
        type_name: key.type_name.clone(),
        name: key.name.clone(),
    }
}

fn cycle(drawing: &DiGraph<&ResourceKey, Span>, component: &[NodeIndex]) -> Diagnostic {
    let members: BTreeSet<NodeIndex> = component.iter().copied().collect();
    let start = component.iter().min_by_key(|n| drawing.node_weight(**n)).copied();
    // Walk from member to needed member until one comes again: that is a cycle to show.
    let mut walk: Vec<NodeIndex> = start.into_iter().collect();
    let mut spans = Vec::new();
    while let Some(last) = walk.last().copied() {
        let next = drawing
            .neighbors_directed(last, petgraph::Direction::Incoming)
            .filter(|n| members.contains(n))
            .min_by_key(|n| drawing.node_weight(*n));
        let Some(next) = next else { break };
        if let Some(edge) = drawing.find_edge(next, last).and_then(|e| drawing.edge_weight(e)) {
            spans.push(*edge);
        }
        if let Some(begin) = walk.iter().position(|n| *n == next) {
            walk.drain(..begin);
            spans.drain(..begin);
            walk.push(next);
            break;
        }
        walk.push(next);
    }
    let names: Vec<String> = walk
        .iter()
        .filter_map(|n| drawing.node_weight(*n))
        .map(|key| format!("`{}`", address(key)))
        .collect();
    let mut diagnostic = Diagnostic::error(
        "reference-cycle",
        "Reference cycle",
        format!("These need each other, so none of them can be first: {}.", names.join(" needs ")),
    )
    .hint("Take one of the references out, or split one of the resources.");
    let mut spans = spans.into_iter();
    diagnostic.span = spans.next();
    for span in spans {
        diagnostic = diagnostic.with_related(span, "and here");
    }
    diagnostic
}

/// The resources behind local values and variables, found once per local value.
struct LocalNeeds<'s> {
    spec: &'s Spec,
    found: BTreeMap<Arc<str>, BTreeSet<ResourceKey>>,
}

impl<'s> LocalNeeds<'s> {
    fn new(spec: &'s Spec) -> LocalNeeds<'s> {
        let direct: BTreeMap<&Arc<str>, Vec<Reference>> = spec
            .root
            .locals
            .iter()
            .map(|(name, local)| {
                (name, local.expr.references().map(|(reference, _, _)| reference.clone()).collect())
            })
            .collect();
        let mut needs = LocalNeeds { spec, found: BTreeMap::new() };
        for name in spec.root.locals.keys() {
            // An explicit stack: chains of local values can be long.
            let mut open = vec![name];
            let mut seen = BTreeSet::new();
            let mut resources = BTreeSet::new();
            while let Some(name) = open.pop() {
                if !seen.insert(name) {
                    continue;
                }
                if let Some(known) = needs.found.get(name) {
                    resources.extend(known.iter().cloned());
                    continue;
                }
                for reference in direct.get(name).into_iter().flatten() {
                    match reference {
                        Reference::Local(other) => {
                            open.extend(direct.get_key_value(other).map(|(name, _)| *name))
                        }
                        other => resources.extend(needs.direct(other)),
                    }
                }
            }
            needs.found.insert(name.clone(), resources);
        }
        needs
    }

    fn direct(&self, reference: &Reference) -> Option<ResourceKey> {
        let Reference::Resource { mode, type_name, name } = reference else { return None };
        let key = ResourceKey { mode: *mode, type_name: type_name.clone(), name: name.clone() };
        self.spec.root.resources.contains_key(&key).then_some(key)
    }

    fn resources_of(&self, reference: &Reference) -> Vec<ResourceKey> {
        match reference {
            Reference::Local(name) => self.found.get(name).into_iter().flatten().cloned().collect(),
            other => self.direct(other).into_iter().collect(),
        }
    }
}

/// The resources that a reference leads to, directly or through local values.
pub fn targets(spec: &Spec, references: impl IntoIterator<Item = Reference>) -> BTreeSet<ResourceKey> {
    let locals = LocalNeeds::new(spec);
    references.into_iter().flat_map(|reference| locals.resources_of(&reference)).collect()
}

/// Whether a resource is only read.
pub fn is_data(key: &ResourceKey) -> bool {
    key.mode == Mode::Data
}
