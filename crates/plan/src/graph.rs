//! Which resource needs which, by the references in the spec.
//!
//! A node is a resource of a module, whatever the number of instances of either. A reference leads to resources through
//! local values, through the inputs of module calls and through the outputs of modules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::algo::{kosaraju_scc, tarjan_scc};
use petgraph::graph::{DiGraph, NodeIndex};
use terrane_expr::{Expr, Reference};
use terrane_model::address::ModuleStep;
use terrane_model::{Diagnostic, Diagnostics, Mode, ModulePath, ResourceAddress, Span};
use terrane_spec::{ResourceKey, Spec};

use crate::order::Needs;

/// Names of the calls that lead to a module.
type Names = Arc<[Arc<str>]>;

/// The resources of a spec in an order in which each comes after all that it needs.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Managed resources and data sources; module paths have no keys.
    pub sorted: Vec<ResourceAddress>,
    /// For each resource, the resources that it refers to, directly or not.
    pub needs: Needs,
}

impl Graph {
    /// What the state says a resource depends on: what it refers to, and the resources that it refers to through data
    /// sources. The state forgets data sources before anything is deleted, and the order of deleting must not depend on them.
    pub fn lasting_needs(&self, resource: &ResourceAddress) -> BTreeSet<ResourceAddress> {
        let Some(direct) = self.needs.get(&node_of(resource)) else { return BTreeSet::new() };
        let mut open: Vec<&ResourceAddress> = direct.iter().filter(|need| need.mode == Mode::Data).collect();
        let mut passed = BTreeSet::new();
        let mut lasting = direct.clone();
        while let Some(data) = open.pop() {
            if !passed.insert(data) {
                continue;
            }
            for need in self.needs.get(data).into_iter().flatten() {
                match need.mode {
                    Mode::Data => open.push(need),
                    Mode::Managed => {
                        lasting.insert(need.clone());
                    }
                }
            }
        }
        lasting
    }
}

/// Builds the graph.
///
/// # Errors
/// One message per cycle, with its members and where each refers to the next.
pub fn graph(spec: &Spec) -> Result<Graph, Diagnostics> {
    let mut ways = Ways::new(spec);
    let mut drawing: DiGraph<ResourceAddress, Span> = DiGraph::new();
    let mut nodes: BTreeMap<ResourceAddress, NodeIndex> = BTreeMap::new();
    for (names, module) in spec.all_modules() {
        for key in module.resources.keys() {
            let address = address(names, key);
            nodes.insert(address.clone(), drawing.add_node(address));
        }
    }
    let mut needs = Needs::new();
    for (names, module) in spec.all_modules() {
        let names: Names = names.into();
        let from_calls = ways.of_calls(&names);
        for (key, resource) in &module.resources {
            let own = address(&names, key);
            let mut found: Vec<(Span, ResourceAddress)> =
                from_calls.iter().map(|target| (resource.span, target.clone())).collect();
            for (reference, span) in resource.references() {
                found.extend(ways.targets(&names, &reference).into_iter().map(|target| (span, target)));
            }
            let needed = needs.entry(own.clone()).or_default();
            for (span, target) in found {
                let (Some(from), Some(to)) = (nodes.get(&target), nodes.get(&own)) else { continue };
                if needed.insert(target) {
                    drawing.add_edge(*from, *to, span);
                }
            }
        }
    }
    // What an import is found by must be known before the resource is planned. Nothing of it is kept as a dependency.
    let root: Names = Vec::new().into();
    for import in &spec.root.imports {
        let Some(to) = nodes.get(&node_of(&import.address.resource)).copied() else { continue };
        for (reference, span) in import.references() {
            for target in ways.targets(&root, reference) {
                if let Some(from) = nodes.get(&target) {
                    drawing.add_edge(*from, to, span);
                }
            }
        }
    }
    let mut sorted = Vec::new();
    let mut errors = Diagnostics::new();
    // Components come out in reverse topological order.
    for component in tarjan_scc(&drawing).into_iter().rev() {
        let itself = component.first().is_some_and(|n| drawing.contains_edge(*n, *n));
        if component.len() > 1 || itself {
            errors.push(cycle(&drawing, &component));
        }
        sorted.extend(component.iter().filter_map(|n| drawing.node_weight(*n)).cloned());
    }
    if errors.is_empty() { Ok(Graph { sorted, needs }) } else { Err(errors) }
}

/// The address of a resource in the module that the calls lead to; the module path has no keys.
pub fn address(names: &[Arc<str>], key: &ResourceKey) -> ResourceAddress {
    let steps = names.iter().map(|name| ModuleStep { name: name.clone(), key: None });
    key.address(&ModulePath(steps.collect()))
}

/// The address with the keys of the modules taken out: that of the node in the graph.
pub fn node_of(address: &ResourceAddress) -> ResourceAddress {
    if address.module.0.iter().all(|step| step.key.is_none()) {
        return address.clone();
    }
    let steps = address.module.0.iter().map(|step| ModuleStep { name: step.name.clone(), key: None });
    ResourceAddress { module: ModulePath(steps.collect()), ..address.clone() }
}

/// The names of the calls that lead to a module path.
pub fn names_of(path: &ModulePath) -> Names {
    path.0.iter().map(|step| step.name.clone()).collect()
}

/// The nodes of a graph that lie on cycles, each with a number that it shares with those on the same ones. Given are the
/// followers of each node.
pub(crate) fn on_a_cycle(followers: &[Vec<usize>]) -> BTreeMap<usize, usize> {
    let edges =
        followers.iter().enumerate().flat_map(|(node, then)| then.iter().map(move |then| (node, *then)));
    let mut drawing: DiGraph<(), (), usize> = DiGraph::with_capacity(followers.len(), 0);
    for _ in followers {
        drawing.add_node(());
    }
    drawing.extend_with_edges(edges);
    let components = kosaraju_scc(&drawing).into_iter().filter(|component| component.len() > 1);
    let numbered = components.enumerate();
    numbered.flat_map(|(number, nodes)| nodes.into_iter().map(move |node| (node.index(), number))).collect()
}

fn cycle(drawing: &DiGraph<ResourceAddress, Span>, component: &[NodeIndex]) -> Diagnostic {
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
    let names: Vec<String> =
        walk.iter().filter_map(|n| drawing.node_weight(*n)).map(|address| format!("`{address}`")).collect();
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

/// A value on the way from a reference to resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    Local(Names, Arc<str>),
    Variable(Names, Arc<str>),
    Output(Names, Arc<str>),
    /// `count`, `for_each` and `depends_on` of a call, and of all calls around it.
    Call(Names),
}

/// Finds the resources behind references. What a value leads to is found once.
pub struct Ways<'s> {
    spec: &'s Spec,
    found: BTreeMap<Stop, BTreeSet<ResourceAddress>>,
}

impl<'s> Ways<'s> {
    /// Nothing found yet.
    pub fn new(spec: &'s Spec) -> Ways<'s> {
        Ways { spec, found: BTreeMap::new() }
    }

    /// The resources that a reference in a module leads to.
    pub fn targets(&mut self, names: &Names, reference: &Reference) -> BTreeSet<ResourceAddress> {
        let mut targets = BTreeSet::new();
        let mut stops = Vec::new();
        self.step(names, reference, &mut stops, &mut targets);
        for stop in stops {
            targets.extend(self.behind(stop));
        }
        targets
    }

    /// The resources that every resource of a module needs, since the calls that lead to it do.
    fn of_calls(&mut self, names: &Names) -> BTreeSet<ResourceAddress> {
        if names.is_empty() { BTreeSet::new() } else { self.behind(Stop::Call(names.clone())) }
    }

    /// Everything behind a stop. An explicit stack: chains of values can be long.
    fn behind(&mut self, stop: Stop) -> BTreeSet<ResourceAddress> {
        if let Some(known) = self.found.get(&stop) {
            return known.clone();
        }
        let mut targets = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![stop.clone()];
        while let Some(at) = open.pop() {
            if !seen.insert(at.clone()) {
                continue;
            }
            if let Some(known) = self.found.get(&at) {
                targets.extend(known.iter().cloned());
                continue;
            }
            for (names, reference) in self.references(&at, &mut open) {
                self.step(&names, &reference, &mut open, &mut targets);
            }
        }
        self.found.insert(stop, targets.clone());
        targets
    }

    /// What a stop refers to; stops that lie behind it without a reference are added to `open`.
    fn references(&self, stop: &Stop, open: &mut Vec<Stop>) -> Vec<(Names, Reference)> {
        let in_expr = |names: &Names, expr: &Expr| -> Vec<(Names, Reference)> {
            expr.references().map(|(reference, _, _)| (names.clone(), reference.clone())).collect()
        };
        match stop {
            Stop::Local(names, name) => {
                let local = self.spec.module(names).and_then(|module| module.locals.get(name));
                local.map(|local| in_expr(names, &local.expr)).unwrap_or_default()
            }
            Stop::Output(names, name) => {
                let output = self.spec.module(names).and_then(|module| module.outputs.get(name));
                let Some(output) = output else { return vec![] };
                let mut found = in_expr(names, &output.value);
                found.extend(
                    output.depends_on.iter().map(|(reference, _)| (names.clone(), reference.clone())),
                );
                found
            }
            Stop::Variable(names, name) => {
                let Some((parent, call)) = self.caller(names) else { return vec![] };
                let input = self.spec.module(&parent).and_then(|m| m.modules.get(&call)?.input(name));
                input.map(|expr| in_expr(&parent, expr)).unwrap_or_default()
            }
            Stop::Call(names) => {
                let Some((parent, name)) = self.caller(names) else { return vec![] };
                if !parent.is_empty() {
                    open.push(Stop::Call(parent.clone()));
                }
                let call = self.spec.module(&parent).and_then(|module| module.modules.get(&name));
                let Some(call) = call else { return vec![] };
                let mut found: Vec<(Names, Reference)> =
                    call.count.iter().chain(&call.for_each).flat_map(|expr| in_expr(&parent, expr)).collect();
                found
                    .extend(call.depends_on.iter().map(|(reference, _)| (parent.clone(), reference.clone())));
                found
            }
        }
    }

    /// One reference: a resource, or a stop on the way to some.
    fn step(
        &self,
        names: &Names,
        reference: &Reference,
        open: &mut Vec<Stop>,
        targets: &mut BTreeSet<ResourceAddress>,
    ) {
        match reference {
            Reference::Local(name) => open.push(Stop::Local(names.clone(), name.clone())),
            Reference::Variable(name) if !names.is_empty() => {
                open.push(Stop::Variable(names.clone(), name.clone()));
            }
            Reference::Module { name, output } => {
                let inner: Names = names.iter().cloned().chain([name.clone()]).collect();
                open.push(Stop::Call(inner.clone()));
                let Some(module) = self.spec.module(&inner) else { return };
                if output.is_none() {
                    // The whole module, as in `depends_on`: everything in it.
                    for (deeper, module) in self.spec.all_modules().filter(|(n, _)| n.starts_with(&inner)) {
                        targets.extend(module.resources.keys().map(|key| address(deeper, key)));
                    }
                }
                let all = module.outputs.keys();
                let wanted = all.filter(|known| output.as_ref().is_none_or(|wanted| wanted == *known));
                open.extend(wanted.map(|output| Stop::Output(inner.clone(), output.clone())));
            }
            Reference::Resource { mode, type_name, name } => {
                let key = ResourceKey { mode: *mode, type_name: type_name.clone(), name: name.clone() };
                if self.spec.module(names).is_some_and(|module| module.resources.contains_key(&key)) {
                    targets.insert(address(names, &key));
                }
            }
            _ => {}
        }
    }

    fn caller(&self, names: &Names) -> Option<(Names, Arc<str>)> {
        let (last, parents) = names.split_last()?;
        Some((parents.into(), last.clone()))
    }
}
