//! `create_before_destroy` reaches down: what a resource needs that is made first must be made first too, or the two
//! orders would wait for each other.

use std::collections::BTreeSet;

use terrane_model::{Action, ResourceAddress};

use super::Builder;

impl Builder<'_, '_> {
    pub(super) fn replacements_in_order(&mut self) {
        let declared_first = self
            .input
            .spec
            .root
            .resources
            .iter()
            .filter(|(_, resource)| resource.lifecycle.create_before_destroy)
            .map(|(key, _)| crate::graph::address(key));
        let mut open: Vec<ResourceAddress> = declared_first.collect();
        let mut first = BTreeSet::new();
        while let Some(resource) = open.pop() {
            if first.insert(resource.clone()) {
                open.extend(self.graph.needs.get(&resource).into_iter().flatten().cloned());
            }
        }
        for change in self.changes.iter_mut().filter(|c| first.contains(&c.address.resource)) {
            change.create_before_destroy = true;
            if change.action == Action::DeleteThenCreate {
                change.action = Action::CreateThenDelete;
            }
        }
    }
}
