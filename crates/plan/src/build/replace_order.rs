//! `create_before_destroy` reaches down: what a resource needs that is made first must be made first too, or the two
//! orders would wait for each other.

use std::collections::BTreeSet;

use terrane_model::{Action, Reason, ResourceAddress};

use super::{Builder, prior_needs};
use crate::graph::node_of;

impl Builder<'_, '_> {
    pub(super) fn replacements_in_order(&mut self) {
        let declared_first = self.graph.sorted.iter().filter(|resource| {
            self.input.spec.resource(resource).is_some_and(|spec| spec.lifecycle.create_before_destroy)
        });
        let mut open: Vec<ResourceAddress> = declared_first.cloned().collect();
        let mut first = BTreeSet::new();
        while let Some(resource) = open.pop() {
            if first.insert(resource.clone()) {
                open.extend(self.graph.needs.get(&resource).into_iter().flatten().cloned());
            }
        }
        let needed: BTreeSet<ResourceAddress> =
            prior_needs(&self.refreshed).into_values().flatten().collect();
        let refreshed = &self.refreshed;
        for change in &mut self.changes {
            let node = node_of(&change.address.resource);
            // What was made only in part is used by nobody, and may hold the very name that the new one needs.
            let instance = refreshed.instance(&change.address);
            change.left_over = change.reason == Reason::ReplaceBecauseTainted
                && (!needed.contains(&node) || instance.is_some_and(|i| !i.deposed.is_empty()));
            if first.contains(&node) {
                change.create_before_destroy = true;
            }
            match change.action {
                Action::CreateThenDelete if change.left_over => change.action = Action::DeleteThenCreate,
                Action::DeleteThenCreate if change.create_before_destroy && !change.left_over => {
                    change.action = Action::CreateThenDelete;
                }
                _ => {}
            }
        }
    }
}
