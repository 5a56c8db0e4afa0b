//! `[[moved]]`: objects that get another address, before anything is planned.
//!
//! The entries of the spec are applied to the snapshot, each after those whose results it takes up; then `count` that came
//! or went is followed: an object without a key becomes that of index 0, and the other way round. What comes of it is a
//! snapshot under new addresses, and the memory of the old ones. It is all or nothing: a move that can't be made is an error,
//! and the plan that would carry on from half of them never comes to be.

mod pattern;
mod statement;

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::{Address, Diagnostic, Diagnostics, Key, Mode, ModulePath, ResourceAddress};
use terrane_spec::Spec;
use terrane_spec::statement::Endpoint;
use terrane_state::{Object, Snapshot};

use crate::graph::node_of;
use statement::{Statement, statements};

/// A snapshot with every object where the spec says that it is now.
#[derive(Clone, Debug)]
pub struct Moves {
    /// The snapshot under the new addresses.
    pub snapshot: Snapshot,
    /// The old address of each instance that moved, by the new one.
    pub previous: BTreeMap<Address, Address>,
    /// The new address by the old one.
    now: BTreeMap<Address, Address>,
}

impl Moves {
    /// Where an instance of the snapshot as it was read is now.
    pub fn now<'a>(&'a self, address: &'a Address) -> &'a Address {
        self.now.get(address).unwrap_or(address)
    }
}

/// What is wrong with the moves of a spec, whatever the state.
pub fn check(spec: &Spec) -> Diagnostics {
    statements(spec).err().unwrap_or_default()
}

/// Applies the moves of a spec to a snapshot.
///
/// # Errors
/// Moves that contradict each other, go in a circle, or lead to where another object is.
pub fn moves(spec: &Spec, snapshot: &Snapshot) -> Result<Moves, Diagnostics> {
    let statements = statements(spec)?;
    let mut walk = Walk { snapshot: snapshot.clone(), previous: BTreeMap::new() };
    let mut found = Diagnostics::new();
    for statement in &statements {
        walk.carry_out(statement, &mut found);
    }
    if !found.is_empty() {
        return Err(found);
    }
    walk.follow_count(spec, &statements);
    let Walk { snapshot: mut moved, mut previous } = walk;
    previous.retain(|now, before| now != before);
    if !previous.is_empty() {
        rewrite_dependencies(&mut moved, &previous);
    }
    let now = previous.iter().map(|(now, before)| (before.clone(), now.clone())).collect();
    Ok(Moves { snapshot: moved, previous, now })
}

struct Walk {
    snapshot: Snapshot,
    previous: BTreeMap<Address, Address>,
}

impl Walk {
    fn carry_out(&mut self, statement: &Statement, found: &mut Diagnostics) {
        let pairs: Vec<(Address, Address)> = managed(&self.snapshot)
            .filter_map(|address| Some((statement.from.carry(&statement.to, &address)?, address)))
            .map(|(to, from)| (from, to))
            .filter(|(from, to)| from != to)
            .collect();
        for (from, to) in pairs {
            if self.snapshot.instance(&to).is_some() {
                found.push(occupied(&from, &to, statement));
            } else {
                self.rename(from, to);
            }
        }
    }

    /// An object without key where there is `count` now, and one of index 0 where there is no `count` any more. Resources
    /// that an entry speaks of are left to it.
    fn follow_count(&mut self, spec: &Spec, statements: &[Statement]) {
        let resources: Vec<ResourceAddress> =
            self.snapshot.resources.keys().filter(|r| r.mode == Mode::Managed).cloned().collect();
        for resource in resources {
            let Some(declared) = spec.resource(&resource) else { continue };
            let zero = Some(Key::Index(0));
            let (from, to) = match (&declared.count, &declared.for_each) {
                (Some(_), _) => (resource.instance(None), resource.instance(zero)),
                (None, None) => (resource.instance(zero), resource.instance(None)),
                (None, Some(_)) => continue,
            };
            let free = self.snapshot.instance(&from).is_some() && self.snapshot.instance(&to).is_none();
            let spoken_of =
                || statements.iter().any(|s| s.from.selects(&resource) || s.to.selects(&resource));
            if free && !spoken_of() {
                self.rename(from, to);
            }
        }
    }

    fn rename(&mut self, from: Address, to: Address) {
        if self.snapshot.rename(&from, &to) {
            let origin = self.previous.remove(&from).unwrap_or(from);
            self.previous.insert(to, origin);
        }
    }
}

fn managed(snapshot: &Snapshot) -> impl Iterator<Item = Address> {
    snapshot.instances().map(|(address, _, _)| address).filter(|a| a.resource.mode == Mode::Managed)
}

fn occupied(from: &Address, to: &Address, statement: &Statement) -> Diagnostic {
    let detail = format!("`{from}` can't move to `{to}`: the state has another object there.");
    Diagnostic::error("move-occupied", "Move onto another object", detail).at(statement.to_span).about(from).hint(
        format!(
            "`terrane state mv '{to}' ADDRESS` gives the object that is there another address, and `terrane state rm \
             '{to}'` lets go of it. If nothing is to be moved, take the `[[moved]]` out."
        ),
    )
}

/// What depends on something that moved depends on it under its new name: `previous` has the old address of each new one.
/// Dependencies have no keys: where a part of a
/// resource stayed, both names are kept.
pub fn rewrite_dependencies(snapshot: &mut Snapshot, previous: &BTreeMap<Address, Address>) {
    let mut names: BTreeMap<ResourceAddress, BTreeSet<ResourceAddress>> = BTreeMap::new();
    for (now, before) in previous {
        let (now, before) = (node_of(&now.resource), node_of(&before.resource));
        if now != before {
            names.entry(before).or_default().insert(now);
        }
    }
    let still: BTreeSet<ResourceAddress> = snapshot.resources.keys().map(node_of).collect();
    for (before, now) in &mut names {
        if still.contains(before) {
            now.insert(before.clone());
        }
    }
    let renamed = |object: &Object| -> Option<BTreeSet<ResourceAddress>> {
        if !object.dependencies.iter().any(|need| names.contains_key(need)) {
            return None;
        }
        let new = |need: &ResourceAddress| names.get(need).cloned().unwrap_or_else(|| [need.clone()].into());
        Some(object.dependencies.iter().flat_map(new).collect())
    };
    let mut changed = Vec::new();
    for (address, resource, instance) in snapshot.instances() {
        let objects = instance.current.iter().map(|object| (None, object));
        let deposed = instance.deposed.iter().map(|(key, object)| (Some(key.clone()), object));
        for (key, object) in objects.chain(deposed) {
            if let Some(dependencies) = renamed(object) {
                let object = Object { dependencies, ..object.clone() };
                changed.push((address.clone(), resource.provider.clone(), key, object));
            }
        }
    }
    for (address, provider, deposed, object) in changed {
        match deposed {
            None => snapshot.put(&address, &provider, object),
            Some(key) => snapshot.put_deposed(&address, &provider, &key, object),
        }
    }
}

/// What the spec declares in the end, for [`still_declared`].
pub struct Declared<'a> {
    /// The instances of a module, by the names of the calls.
    pub modules: &'a dyn Fn(&[std::sync::Arc<str>]) -> Vec<ModulePath>,
    /// Whether there is the resource in this module instance.
    pub resource: &'a dyn Fn(&ResourceAddress) -> bool,
    /// Whether there is the instance.
    pub instance: &'a dyn Fn(&Address) -> bool,
}

/// Moves from addresses that the spec declares all the same.
pub fn still_declared(spec: &Spec, declared: &Declared<'_>) -> Diagnostics {
    let mut found = Diagnostics::new();
    for (names, module) in spec.all_modules().filter(|(_, module)| !module.moved.is_empty()) {
        for path in (declared.modules)(names) {
            for moved in &module.moved {
                let key_of_to = match &moved.to.0 {
                    Endpoint::Resource(address) => address.key.is_some(),
                    Endpoint::Module(path) => path.0.last().is_some_and(|step| step.key.is_some()),
                };
                let (there, what) = match &moved.from.0 {
                    Endpoint::Resource(address) => {
                        let resource = below(&path, &address.resource);
                        let instance = resource.instance(address.key.clone());
                        let whole = address.key.is_none() && !key_of_to;
                        match whole {
                            true => ((declared.resource)(&resource), resource.to_string()),
                            false => ((declared.instance)(&instance), instance.to_string()),
                        }
                    }
                    Endpoint::Module(call) => {
                        let whole = ModulePath(path.0.iter().chain(call.0.iter()).cloned().collect());
                        let names: Vec<_> = whole.0.iter().map(|step| step.name.clone()).collect();
                        let all = (declared.modules)(&names);
                        let any = call.0.last().is_some_and(|step| step.key.is_none()) && !key_of_to;
                        let siblings = |other: &ModulePath| {
                            let parents = whole.0.len().saturating_sub(1);
                            other.0.iter().take(parents).eq(whole.0.iter().take(parents))
                        };
                        let there = all.iter().any(|other| *other == whole || (any && siblings(other)));
                        (there, whole.to_string())
                    }
                };
                if there {
                    let detail = format!(
                        "`{what}` is still declared, so it can't have been moved to `{}`.",
                        moved.to.0
                    );
                    let error =
                        Diagnostic::error("moved-still-declared", "Moved resource still declared", detail);
                    found.push(error.at(moved.from.1).hint("Take the declaration out, or the `[[moved]]`."));
                }
            }
        }
    }
    found
}

fn below(path: &ModulePath, resource: &ResourceAddress) -> ResourceAddress {
    let module = ModulePath(path.0.iter().chain(resource.module.0.iter()).cloned().collect());
    ResourceAddress { module, ..resource.clone() }
}

#[cfg(test)]
mod tests;
