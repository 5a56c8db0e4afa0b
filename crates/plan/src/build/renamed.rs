//! Points out what looks like a rename: an object that would be deleted under one address, and made just the same under
//! another. Without a `[[moved]]` the plan is right, and hardly meant.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::value::Kind;
use terrane_model::{Action, Address, Diagnostic, ModulePath, ResourceAddress, Schema, Value};
use terrane_spec::Spec;
use terrane_state::Snapshot;

use super::Builder;
use crate::diff::changed_paths;
use crate::graph::names_of;
use crate::plan::{Change, Mode, PossibleMove};
use crate::removals::removal;

/// Up to how many pairs of one type are compared attribute by attribute where AWS chooses the identity.
const MANY: usize = 10_000;

/// From which address to which.
type Pair = (Address, Address);

impl Builder<'_, '_> {
    /// Warns of what looks like a rename, with the entries to paste.
    pub(super) fn point_out_renames(&mut self) {
        // What is protected may just be called otherwise; other errors come first.
        let others = self.diagnostics.iter().any(|d| d.is_error() && d.code != "prevent-destroy");
        if self.input.options.mode != Mode::Normal || others {
            return;
        }
        let pairs = self.renames();
        if pairs.is_empty() {
            return;
        }
        let plural = if pairs.len() == 1 { "this object" } else { "these objects" };
        let list: String = pairs.iter().map(|(from, to)| format!("\n - {from}, as {to}")).collect();
        let entries = entries(pairs, &self.refreshed, self.input.spec);
        self.possible_moves = entries.into_iter().map(|(from, to)| PossibleMove { from, to }).collect();
        let entries: String = self.possible_moves.iter().map(|one| format!("\n\n{}", one.entry())).collect();
        let detail = format!(
            "The plan deletes {plural} and makes the same anew under another address:{list}\n\nWhere only the name in the \
             spec is another one, say so in the spec, and nothing is deleted:{entries}"
        );
        self.diagnostics.push(Diagnostic::warning("looks-like-a-move", "Looks like a rename", detail));
    }

    /// What is deleted and made, where each has one counterpart only.
    fn renames(&self) -> Vec<Pair> {
        let mut gone: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        let mut made: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for change in self.changes.iter().filter(|change| change.deposed.is_none()) {
            let type_name = change.address.resource.type_name.as_ref();
            match change.action {
                Action::Delete if removal(self.input.spec, &change.address).is_none() => {
                    gone.entry(type_name).or_default().push(change);
                }
                Action::Create => made.entry(type_name).or_default().push(change),
                _ => {}
            }
        }
        let mut pairs: Vec<(&Change, &Change)> = Vec::new();
        for (type_name, made) in &made {
            let (Some(gone), Some(resource)) = (gone.get(type_name), self.input.catalog.resource(type_name))
            else {
                continue;
            };
            let many = made.len().saturating_mul(gone.len()) > MANY;
            pairs.extend(matched(gone, made, resource.schema(), many));
        }
        let mut pairs: Vec<Pair> =
            pairs.into_iter().map(|(from, to)| (from.address.clone(), to.address.clone())).collect();
        pairs.sort();
        pairs
    }
}

fn matched<'c>(
    gone: &[&'c Change],
    made: &[&'c Change],
    schema: &Schema,
    many: bool,
) -> Vec<(&'c Change, &'c Change)> {
    let mut by_id: BTreeMap<&str, Vec<&'c Change>> = BTreeMap::new();
    for change in gone {
        if let Some(id) = change.before.as_ref().and_then(id) {
            by_id.entry(id).or_default().push(change);
        }
    }
    let mut found: BTreeMap<&Address, Vec<(&'c Change, &'c Change)>> = BTreeMap::new();
    for new in made {
        let Some(after) = &new.after else { continue };
        let candidates: Vec<&'c Change> = match id(after) {
            Some(id) => by_id.get(id).cloned().unwrap_or_default(),
            None if many => vec![],
            None => {
                let alike = |old: &Change| old.before.as_ref().is_some_and(|old| alike(schema, old, after));
                gone.iter().copied().filter(|old| alike(old)).collect()
            }
        };
        let same_provider = candidates.into_iter().filter(|old| old.provider == new.provider).collect();
        if let Some(old) = the_one(same_provider, &new.address) {
            found.entry(&old.address).or_default().push((old, new));
        }
    }
    found.into_values().filter(|pairs| pairs.len() == 1).flatten().collect()
}

/// The one candidate, or of several alike the one whose address is most like it.
fn the_one<'c>(candidates: Vec<&'c Change>, new: &Address) -> Option<&'c Change> {
    let same_name = |old: &Address| old.resource.name == new.resource.name && old.key == new.key;
    let same_key = |old: &Address| old.key == new.key;
    let narrower: [&dyn Fn(&Address) -> bool; 3] = [&|_| true, &same_name, &same_key];
    narrower.into_iter().find_map(|fits| {
        let mut fitting = candidates.iter().filter(|old| fits(&old.address));
        fitting.next().filter(|_| fitting.next().is_none()).copied()
    })
}

/// The identity, where it is known.
fn id(value: &Value) -> Option<&str> {
    value.get("id").and_then(Value::as_str)
}

/// Whether everything that is known of the new object holds of the old one.
fn alike(schema: &Schema, before: &Value, after: &Value) -> bool {
    changed_paths(schema, before, &filled(after, before)).is_empty()
}

/// The value with what is unknown in it taken from the other one.
fn filled(value: &Value, other: &Value) -> Value {
    match (value.kind(), other.kind()) {
        (Kind::Unknown(_), _) => other.clone(),
        (Kind::Object(attributes), Kind::Object(others)) => {
            Value::object(attributes.iter().map(|(name, value)| {
                let other = others.get(name);
                (name.clone(), other.map_or_else(|| value.clone(), |other| filled(value, other)))
            }))
        }
        (Kind::List(ty, elements), Kind::List(_, others)) if elements.len() == others.len() => {
            let pairs = elements.iter().zip(others.iter());
            Value::list(ty.clone(), pairs.map(|(value, other)| filled(value, other)))
        }
        _ => value.clone(),
    }
}

/// As few entries as say it: about modules and whole resources, where all of their objects go the same way.
fn entries(pairs: Vec<Pair>, state: &Snapshot, spec: &Spec) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut modules: BTreeMap<(ModulePath, ModulePath), Vec<Pair>> = BTreeMap::new();
    let mut resources: BTreeMap<(ResourceAddress, ResourceAddress), Vec<Pair>> = BTreeMap::new();
    let mut sort_in = |pair: Pair| {
        let whole = (pair.0.resource.clone(), pair.1.resource.clone());
        resources.entry(whole).or_default().push(pair);
    };
    for pair in pairs {
        match modules_of(&pair) {
            Some(both) => modules.entry(both).or_default().push(pair),
            None => sort_in(pair),
        }
    }
    for ((from, to), pairs) in modules {
        let all = state.current().filter(|(address, ..)| address.resource.module.0.starts_with(&from.0));
        let going: BTreeSet<&Address> = pairs.iter().map(|(from, _)| from).collect();
        let whole = all.into_iter().all(|(address, ..)| going.contains(&address));
        let keyed = |path: &ModulePath| path.0.last().is_some_and(|step| step.key.is_some());
        let declared = !keyed(&from) && !keyed(&to) && spec.module(&names_of(&from)).is_some();
        match whole && !declared {
            true => out.push((from.to_string(), to.to_string())),
            false => pairs.into_iter().for_each(&mut sort_in),
        }
    }
    for ((from, to), pairs) in resources {
        let all = state.resource(&from).map_or(0, |resource| resource.instances.len());
        let same_keys = pairs.iter().all(|(from, to)| from.key == to.key);
        match same_keys && pairs.len() == all && spec.resource(&from).is_none() {
            true => out.push((from.to_string(), to.to_string())),
            false => out.extend(pairs.iter().map(|(from, to)| (from.to_string(), to.to_string()))),
        }
    }
    out
}

/// The modules that a pair differs in, when it differs in nothing else.
fn modules_of((from, to): &Pair) -> Option<(ModulePath, ModulePath)> {
    if from.resource.name != to.resource.name || from.key != to.key {
        return None;
    }
    let (mut from, mut to) = (&*from.resource.module.0, &*to.resource.module.0);
    while let (Some((x, before)), Some((y, behind))) = (from.split_last(), to.split_last()) {
        if x != y {
            return Some((ModulePath(from.into()), ModulePath(to.into())));
        }
        (from, to) = (before, behind);
    }
    None
}
