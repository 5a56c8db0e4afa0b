//! What must wait for what during apply: the action graph, explicit and testable.
//!
//! Making follows the references: what a resource needs is made before it. Deleting goes the other way: what needs a
//! resource is deleted before it. Per resource there is a *gate* for each direction, so that a thousand instances that
//! need a thousand others make two thousand edges and not a million.
//!
//! A deleted object outlives the update of what used to need it, so that nothing points at a deleted object; except where
//! something below it is deleted before it is made anew, since the two orders would wait for each other.
//!
//! An object that is deleted lets go of what it needs before that is updated: by the update, such as another name, it might
//! not be found any more. Except where the deletion itself waits for that update.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::{Action, ResourceAddress};

use crate::graph::{node_of, on_a_cycle};
use crate::plan::Change;

/// What a node of the action graph does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Makes, changes or reads the object of a change (index into `Plan::changes`).
    Apply(usize),
    /// Deletes the prior object of a change.
    Delete(usize),
    /// Drops the object of a change from the state.
    Forget(usize),
    /// Does nothing: everything of a resource is made.
    Made,
    /// Does nothing: everything that needs a resource is deleted.
    Unneeded,
}

/// The action graph. Nodes are numbered; edges go from what comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// What each node does.
    pub steps: Vec<Step>,
    /// For each node, the nodes that wait for it.
    pub followers: Vec<Vec<usize>>,
}

impl Order {
    /// How many nodes each node waits for.
    pub fn waits(&self) -> Vec<usize> {
        let mut waits = vec![0; self.steps.len()];
        for follower in self.followers.iter().flatten() {
            if let Some(count) = waits.get_mut(*follower) {
                *count += 1;
            }
        }
        waits
    }

    /// The nodes in an order in which each comes after all it waits for, or nothing when some wait for each other.
    pub fn sorted(&self) -> Option<Vec<usize>> {
        let mut waits = self.waits();
        let mut ready: Vec<usize> =
            waits.iter().enumerate().filter(|(_, n)| **n == 0).map(|(i, _)| i).collect();
        let mut sorted = Vec::with_capacity(self.steps.len());
        while let Some(node) = ready.pop() {
            sorted.push(node);
            for follower in self.followers.get(node).into_iter().flatten() {
                if let Some(count) = waits.get_mut(*follower) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(*follower);
                    }
                }
            }
        }
        (sorted.len() == self.steps.len()).then_some(sorted)
    }
}

/// Which resources each resource needs. Module paths have no keys here.
pub type Needs = BTreeMap<ResourceAddress, BTreeSet<ResourceAddress>>;

/// Orders the changes. `wanted` are the needs by the spec: they order what is made; `prior` those by the state: they order
/// what is deleted.
pub fn order(changes: &[Change], wanted: &Needs, prior: &Needs) -> Order {
    let mut draft = Draft::default();
    let mut resources: BTreeMap<&ResourceAddress, Gates> = BTreeMap::new();
    let nodes: Vec<ResourceAddress> = changes.iter().map(|c| node_of(&c.address.resource)).collect();
    let all = wanted.keys().chain(prior.keys()).chain(&nodes);
    for resource in all {
        resources.entry(resource).or_insert_with(|| Gates {
            made: draft.node(Step::Made),
            applied: draft.node(Step::Made),
            unneeded: draft.node(Step::Unneeded),
            delete_first: false,
            pure_deletes: vec![],
            applies: vec![],
            updates: vec![],
            late_deletes: vec![],
            early_deletes: vec![],
            free_deletes: vec![],
        });
    }
    for (i, (change, node)) in changes.iter().zip(&nodes).enumerate() {
        let Some(gates) = resources.get_mut(node) else { continue };
        match change.action {
            Action::NoOp => {}
            Action::Create | Action::Read => gates.applies.push(draft.node(Step::Apply(i))),
            Action::Update => {
                let apply = draft.node(Step::Apply(i));
                gates.applies.push(apply);
                gates.updates.push(apply);
            }
            Action::Delete => gates.pure_deletes.push(draft.node(Step::Delete(i))),
            Action::Forget => {
                draft.node(Step::Forget(i));
            }
            Action::DeleteThenCreate => {
                let delete = draft.node(Step::Delete(i));
                let make = draft.node(Step::Apply(i));
                draft.edge(delete, make);
                gates.applies.push(make);
                if change.left_over {
                    gates.free_deletes.push(delete);
                } else {
                    gates.early_deletes.push(delete);
                    gates.delete_first = true;
                }
            }
            Action::CreateThenDelete => {
                let make = draft.node(Step::Apply(i));
                let delete = draft.node(Step::Delete(i));
                draft.edge(make, delete);
                gates.applies.push(make);
                gates.late_deletes.push(delete);
            }
        }
    }
    let replaced_below = delete_first_below(prior, &resources);
    for (resource, gates) in &resources {
        for apply in &gates.applies {
            draft.edge(*apply, gates.made);
            draft.edge(*apply, gates.applied);
        }
        let deletes = || gates.pure_deletes.iter().chain(&gates.early_deletes).chain(&gates.late_deletes);
        for delete in deletes() {
            draft.edge(gates.unneeded, *delete);
        }
        for needed in wanted.get(*resource).into_iter().flatten().filter_map(|need| resources.get(need)) {
            draft.edge(needed.made, gates.made);
            for apply in &gates.applies {
                draft.edge(needed.made, *apply);
            }
        }
        for needed in prior.get(*resource).into_iter().flatten().filter_map(|need| resources.get(need)) {
            draft.edge(gates.unneeded, needed.unneeded);
            for delete in deletes().chain(&gates.free_deletes) {
                draft.edge(*delete, needed.unneeded);
            }
        }
        // What used to need an old object has let go of it before it is deleted.
        for need in prior.get(*resource).into_iter().flatten() {
            let Some(needed) = resources.get(need).filter(|_| !replaced_below.contains(need)) else {
                continue;
            };
            for delete in needed.late_deletes.iter().chain(&needed.pure_deletes) {
                draft.edge(gates.applied, *delete);
            }
        }
    }
    let releases = releases(&mut draft, prior, &resources);
    draft.unless_in_circles(&releases);
    draft.finish()
}

/// What is deleted, before the updates of what it needs.
fn releases(
    draft: &mut Draft,
    prior: &Needs,
    resources: &BTreeMap<&ResourceAddress, Gates>,
) -> Vec<(usize, usize)> {
    let mut released: BTreeMap<&ResourceAddress, usize> = BTreeMap::new();
    let mut releases = Vec::new();
    for (resource, gates) in resources {
        let deletes = || gates.pure_deletes.iter().chain(&gates.early_deletes).chain(&gates.free_deletes);
        if deletes().next().is_none() {
            continue;
        }
        for need in prior.get(*resource).into_iter().flatten() {
            let Some(needed) = resources.get(need).filter(|needed| !needed.updates.is_empty()) else {
                continue;
            };
            let gate = *released.entry(need).or_insert_with(|| {
                let gate = draft.node(Step::Unneeded);
                needed.updates.iter().for_each(|update| draft.edge(gate, *update));
                gate
            });
            releases.extend(deletes().map(|delete| (*delete, gate)));
        }
    }
    releases
}

struct Gates {
    made: usize,
    /// Everything of this resource itself is made; unlike `made` it says nothing about what it needs.
    applied: usize,
    unneeded: usize,
    delete_first: bool,
    pure_deletes: Vec<usize>,
    applies: Vec<usize>,
    /// Those of the applies that change an object in place.
    updates: Vec<usize>,
    late_deletes: Vec<usize>,
    early_deletes: Vec<usize>,
    /// Deletions of objects that nothing uses.
    free_deletes: Vec<usize>,
}

/// The resources that need, directly or not, one that is deleted before it is made anew.
fn delete_first_below<'a>(
    needs: &'a Needs,
    resources: &BTreeMap<&'a ResourceAddress, Gates>,
) -> BTreeSet<&'a ResourceAddress> {
    let mut needed_by: BTreeMap<&ResourceAddress, Vec<&ResourceAddress>> = BTreeMap::new();
    for (resource, needed) in needs {
        for need in needed {
            needed_by.entry(need).or_default().push(resource);
        }
    }
    let mut open: Vec<&ResourceAddress> =
        resources.iter().filter(|(_, gates)| gates.delete_first).map(|(r, _)| *r).collect();
    let mut found = BTreeSet::new();
    while let Some(resource) = open.pop() {
        if found.insert(resource) {
            open.extend(needed_by.get(resource).into_iter().flatten());
        }
    }
    found
}

#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    /// For each node, the nodes that wait for it, as they come; one may be named twice.
    followers: Vec<Vec<usize>>,
}

impl Draft {
    fn node(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.followers.push(vec![]);
        self.steps.len() - 1
    }

    fn edge(&mut self, first: usize, then: usize) {
        if let Some(followers) = self.followers.get_mut(first) {
            followers.push(then);
        }
    }

    /// Adds edges, but for those through which nodes would wait for each other.
    fn unless_in_circles(&mut self, edges: &[(usize, usize)]) {
        if edges.is_empty() {
            return;
        }
        let mut with_all = self.followers.clone();
        for (first, then) in edges {
            if let Some(followers) = with_all.get_mut(*first) {
                followers.push(*then);
            }
        }
        let circles = on_a_cycle(&with_all);
        for (first, then) in edges {
            let circle = circles.get(first);
            if circle.is_none() || circle != circles.get(then) {
                self.edge(*first, *then);
            }
        }
    }

    fn finish(mut self) -> Order {
        for followers in &mut self.followers {
            followers.sort_unstable();
            followers.dedup();
            followers.shrink_to_fit();
        }
        Order { steps: self.steps, followers: self.followers }
    }
}

#[cfg(test)]
mod tests;
