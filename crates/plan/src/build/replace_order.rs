//! `create_before_destroy` reaches down: what a resource needs that is made first must be made first too, or the two
//! orders would wait for each other. Where both objects would have one name, that can't be done, and the plan says so.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::{Action, Diagnostic, Reason, ResourceAddress, Schema};
use terrane_provider::Identity;

use super::{Builder, prior_needs};
use crate::graph::node_of;
use crate::plan::Change;

impl Builder<'_, '_> {
    pub(super) fn replacements_in_order(&mut self) {
        let declared_first = self.graph.sorted.iter().filter(|resource| {
            self.input.spec.resource(resource).is_some_and(|spec| spec.lifecycle.create_before_destroy)
        });
        let mut open: Vec<(&ResourceAddress, &ResourceAddress)> =
            declared_first.map(|one| (one, one)).collect();
        // What is made first, and for which resource's sake.
        let mut first: BTreeMap<&ResourceAddress, &ResourceAddress> = BTreeMap::new();
        while let Some((resource, cause)) = open.pop() {
            if resource != cause && first.contains_key(resource) {
                continue;
            }
            if first.insert(resource, cause) != Some(cause) {
                open.extend(self.graph.needs.get(resource).into_iter().flatten().map(|need| (need, cause)));
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
            if first.contains_key(&node) {
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
        let clashes: Vec<Diagnostic> = self
            .changes
            .iter()
            .filter_map(|change| {
                self.name_clash(change, first.get(&node_of(&change.address.resource)).copied())
            })
            .collect();
        self.diagnostics.extend(clashes);
    }

    /// That an object is to be made first under the very name that the old one still has.
    fn name_clash(&self, change: &Change, cause: Option<&ResourceAddress>) -> Option<Diagnostic> {
        if change.action != Action::CreateThenDelete || change.deposed.is_some() {
            return None;
        }
        let resource = &change.address.resource;
        let kind = self.input.catalog.resource(&resource.type_name)?;
        let identity = kind.identity();
        let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
        let id = identity
            .name(after)
            .filter(|name| identity.is_chosen && identity.name(before).as_ref() == Some(name))?;
        let spec = self.input.spec.resource(resource);
        let error = clash(change, identity, &id, kind.schema(), cause.filter(|cause| *cause != resource));
        Some(error.at(spec.map(|spec| spec.span)).about(&change.address))
    }
}

fn clash(
    change: &Change,
    identity: Identity,
    id: &str,
    schema: &Schema,
    heir_of: Option<&ResourceAddress>,
) -> Diagnostic {
    let address = &change.address;
    let names: Vec<String> = change.replace_paths.iter().map(|path| format!("`{path}`")).collect();
    let why = match (change.reason, names.as_slice()) {
        (Reason::ReplaceBecauseTainted, _) => "it is tainted".to_owned(),
        (Reason::ReplaceByRequest, _) => "`--replace` names it".to_owned(),
        (Reason::ReplaceByTriggers, _) => "`replace_triggered_by` asks for it".to_owned(),
        (_, [one]) => format!("{one} changes, which can't be changed in place"),
        (_, many) => format!("{} change, which can't be changed in place", many.join(" and ")),
    };
    let who = match heir_of {
        Some(other) => format!("`{other}`, which needs it, says `create_before_destroy`, so"),
        None => "its lifecycle says `create_before_destroy`, so".to_owned(),
    };
    let names: Vec<String> = identity.unique().iter().map(|name| format!("`{name}`")).collect();
    let detail = format!(
        "`{address}` is to be replaced, since {why}; and {who} the new object is made while the old one is still there. \
         Both would have the {} `{id}`, and only one object can.",
        names.join(" and ")
    );
    let error = Diagnostic::error("name-clash", "New object under the name of the old one", detail);
    let error = match schema.block.attribute("name_prefix") {
        Some(_) => error.hint(
            "Give it another `name` in the same change, or use `name_prefix`, which makes up a new name each time.",
        ),
        None => error.hint("Give it another name in the same change."),
    };
    error.hint(match heir_of {
        Some(other) => {
            format!("Or take `create_before_destroy` out of `{other}`: then the old one goes first.")
        }
        None => "Or take `create_before_destroy` out: then the old one goes first.".to_owned(),
    })
}
