//! The permissions that a plan takes: those to read what there is, and those to carry it out.
//!
//! Which calls a verb makes is said by its resource type; here it is found out which verbs a plan leads to, for which
//! objects.

pub mod lacking;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_model::{Action, Address, Mode, Value};
use terrane_provider::permission::{Certainty, pattern};
use terrane_provider::{Catalog, Doing, Facts, Ground, Permission, Permissions};

use crate::codec::decode;
use crate::plan::{Plan, ProviderKey};

pub use statements::{Statement, statements};

/// What a permission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Reading and writing the state.
    State,
    /// Looking at what there is, as every plan does.
    Read,
    /// Carrying out what is planned.
    Change,
    /// Finding out, after a run was killed, what it made.
    Recover,
}

/// A permission, what it is for, and for which objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// What it is for.
    pub part: Part,
    /// The permission.
    pub permission: Permission,
    /// The objects whose calls need it; empty for the state.
    pub addresses: BTreeSet<String>,
}

/// Everything that a plan takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Each permission once, sorted.
    pub needed: Vec<Needed>,
    /// Types of which it is not known what they need.
    pub unknown: BTreeSet<String>,
}

impl Needs {
    /// Adds what the state takes.
    pub fn add_for_state(&mut self, permissions: Permissions) {
        let state = permissions.into_list().into_iter().map(|permission| Needed {
            part: Part::State,
            permission,
            addresses: BTreeSet::new(),
        });
        let all: Vec<Needed> = state.chain(std::mem::take(&mut self.needed)).collect();
        self.needed = all;
    }
}

/// Where the default configuration of AWS works: as its facts have it, or as the ARNs of the plan tell.
pub fn home(plan: &Plan, facts: &BTreeMap<ProviderKey, Arc<Facts>>) -> Arc<Facts> {
    let key = ProviderKey::default_of("aws");
    let given = facts.get(&key).filter(|facts| !facts.partition.is_empty()).cloned();
    given.unwrap_or_else(|| Arc::new(told_by(plan, &key)))
}

/// Works out what a plan takes. Without the facts of a provider, account and region are told by the ARNs of the plan.
pub fn needs(plan: &Plan, catalog: &Catalog, facts: &BTreeMap<ProviderKey, Arc<Facts>>) -> Needs {
    let mut gathering = Gathering {
        catalog,
        facts: BTreeMap::new(),
        names: names(plan),
        found: BTreeMap::new(),
        unknown: BTreeSet::new(),
    };
    for change in &plan.changes {
        let known = gathering.facts.contains_key(&change.provider);
        if !known {
            let given = facts.get(&change.provider).filter(|facts| !facts.partition.is_empty()).cloned();
            let told = given.unwrap_or_else(|| Arc::new(told_by(plan, &change.provider)));
            gathering.facts.insert(change.provider.clone(), told);
        }
    }
    reads(plan, &mut gathering);
    changes(plan, &mut gathering);
    recoveries(plan, &mut gathering);
    // What is allowed without a condition already needs no statement with one.
    let plain: BTreeMap<_, Part> = gathering
        .found
        .keys()
        .rev()
        .filter(|(_, _, _, condition)| condition.is_none())
        .map(|(part, action, resource, _)| ((action.clone(), resource.clone()), *part))
        .collect();
    gathering.found.retain(|(part, action, resource, condition), _| {
        let first = plain.get(&(action.clone(), resource.clone()));
        condition.is_none() || first.is_none_or(|first| first > part)
    });
    // Recovering needs nothing said of what is there in any case.
    let before: BTreeSet<_> = gathering
        .found
        .keys()
        .filter(|(part, ..)| *part != Part::Recover)
        .map(|(_, action, resource, condition)| (action.clone(), resource.clone(), condition.clone()))
        .collect();
    gathering.found.retain(|(part, action, resource, condition), _| {
        *part != Part::Recover || !before.contains(&(action.clone(), resource.clone(), condition.clone()))
    });
    let needed =
        gathering.found.into_iter().map(|((part, action, resource, condition), (certainty, addresses))| {
            Needed { part, permission: Permission { action, resource, condition, certainty }, addresses }
        });
    Needs { needed: needed.collect(), unknown: gathering.unknown }
}

type Key = (Part, std::borrow::Cow<'static, str>, String, Option<terrane_provider::permission::Condition>);
type Names = BTreeMap<(ProviderKey, String, String), BTreeSet<String>>;

struct Gathering<'c> {
    catalog: &'c Catalog,
    facts: BTreeMap<ProviderKey, Arc<Facts>>,
    /// ARNs by provider, type and name.
    names: Names,
    found: BTreeMap<Key, (Certainty, BTreeSet<String>)>,
    unknown: BTreeSet<String>,
}

impl Gathering<'_> {
    /// Notes what doing something with an object takes.
    fn add(&mut self, part: Part, provider: &ProviderKey, address: &Address, doing: Doing<'_>) {
        let type_name = &address.resource.type_name;
        let Some(kind) = self.catalog.resource(type_name) else { return };
        let found = self.on_ground(provider, |ground| kind.permissions(doing, ground));
        match found {
            Some(permissions) => self.note(part, address, permissions),
            None => drop(self.unknown.insert(type_name.to_string())),
        }
    }

    fn add_data(&mut self, part: Part, provider: &ProviderKey, address: &Address, config: &Value) {
        let Some(kind) = self.catalog.data(&address.resource.type_name) else { return };
        let permissions = self.on_ground(provider, |ground| kind.permissions(config, ground));
        self.note(part, address, permissions);
    }

    fn on_ground<T>(&self, provider: &ProviderKey, ask: impl FnOnce(&Ground<'_>) -> T) -> T {
        let nothing = Facts::default();
        let facts = self.facts.get(provider).map_or(&nothing, AsRef::as_ref);
        let arns_of = |type_name: &str, name: &str| -> Vec<String> {
            let key = (provider.clone(), type_name.to_owned(), name.to_owned());
            self.names.get(&key).into_iter().flatten().cloned().collect()
        };
        ask(&Ground { facts, arns_of: &arns_of })
    }

    fn note(&mut self, part: Part, address: &Address, permissions: Permissions) {
        for Permission { action, resource, condition, certainty } in permissions.into_list() {
            let entry = self.found.entry((part, action, resource, condition));
            let (known, addresses) = entry.or_insert_with(|| (certainty, BTreeSet::new()));
            *known = (*known).min(certainty);
            addresses.insert(address.to_string());
        }
    }
}

/// What the refresh takes, and what else is read for the plan.
fn reads(plan: &Plan, gathering: &mut Gathering<'_>) {
    let spoken_of: BTreeSet<&Address> = plan
        .changes
        .iter()
        .flat_map(|change| std::iter::once(&change.address).chain(&change.previous_address))
        .collect();
    for snapshot in [&plan.prior, &plan.refreshed] {
        for (address, resource, instance) in snapshot.instances() {
            if plan.targeting.is_limited() && !spoken_of.contains(&address) {
                continue;
            }
            let Some(provider) = ProviderKey::from_state_name(&resource.provider) else { continue };
            if !gathering.facts.contains_key(&provider) {
                gathering.facts.insert(provider.clone(), Arc::new(told_by(plan, &provider)));
            }
            let is_data = address.resource.mode == Mode::Data;
            let type_name = &address.resource.type_name;
            let schema = match is_data {
                true => gathering.catalog.data(type_name).map(|kind| kind.schema()),
                false => gathering.catalog.resource(type_name).map(|kind| kind.schema()),
            };
            let Some(schema) = schema else { continue };
            for object in instance.current.iter().chain(instance.deposed.values()) {
                let Ok(value) = decode(schema, &object.attributes, &object.sensitive) else { continue };
                let value = value.unmark_deep().0;
                match is_data {
                    true => gathering.add_data(Part::Read, &provider, &address, &value),
                    false => gathering.add(Part::Read, &provider, &address, Doing::Read(&value)),
                }
            }
        }
    }
    for change in &plan.changes {
        let (provider, address) = (&change.provider, &change.address);
        if let Some(id) = &change.importing {
            gathering.add(Part::Read, provider, address, Doing::Import(id));
            if let Some(before) = &change.before {
                gathering.add(Part::Read, provider, address, Doing::Read(&before.clone().unmark_deep().0));
            }
        }
        let is_named = gathering
            .catalog
            .resource(&address.resource.type_name)
            .is_some_and(|kind| kind.identity().is_chosen);
        if let (Action::Create, Some(after), true) = (change.action, &change.after, is_named) {
            gathering.add(Part::Read, provider, address, Doing::LookFor(&after.clone().unmark_deep().0));
        }
    }
}

/// What carrying the plan out takes.
fn changes(plan: &Plan, gathering: &mut Gathering<'_>) {
    for change in &plan.changes {
        let (provider, address) = (&change.provider, &change.address);
        let plain = |value: &Option<Value>| value.clone().map(|value| value.unmark_deep().0);
        let (before, after) = (plain(&change.before), plain(&change.after));
        let mut add = |doing| gathering.add(Part::Change, provider, address, doing);
        match (change.action, &before, &after) {
            (Action::Create, _, Some(after)) => add(Doing::Create(after)),
            (Action::Update, Some(prior), Some(planned)) => add(Doing::Update { prior, planned }),
            (Action::Delete, Some(before), _) => add(Doing::Delete(before)),
            (Action::DeleteThenCreate | Action::CreateThenDelete, before, after) => {
                before.iter().for_each(|before| add(Doing::Delete(before)));
                after.iter().for_each(|after| add(Doing::Create(after)));
            }
            (Action::Read, _, Some(after)) => gathering.add_data(Part::Change, provider, address, after),
            _ => {}
        }
    }
}

/// What the next run takes if this one is killed: everything that it was about to make is looked for.
fn recoveries(plan: &Plan, gathering: &mut Gathering<'_>) {
    for change in &plan.changes {
        let makes = [Action::Create, Action::CreateThenDelete, Action::DeleteThenCreate];
        let (Some(after), true) = (&change.after, makes.contains(&change.action)) else { continue };
        let Some(kind) = gathering.catalog.resource(&change.address.resource.type_name) else { continue };
        let after = after.clone().unmark_deep().0;
        let found = gathering.on_ground(&change.provider, |ground| {
            let read = kind.permissions(Doing::Read(&after), ground).unwrap_or_default();
            read.and(kind.recovery(&after, ground))
        });
        gathering.note(Part::Recover, &change.address, found.perhaps());
    }
}

/// ARNs of everything in the plan that has a name.
fn names(plan: &Plan) -> Names {
    let mut names = Names::new();
    for change in &plan.changes {
        let text = |value: &Option<Value>, attribute: &str| {
            value.as_ref().and_then(|value| value.get(attribute)?.as_str().map(str::to_owned))
        };
        for value in [&change.before, &change.after] {
            let (Some(name), Some(arn)) = (text(value, "name"), text(value, "arn")) else { continue };
            let key = (change.provider.clone(), change.address.resource.type_name.to_string(), name.clone());
            let arns = names.entry(key).or_default();
            // A name that is given up has no path any more when it is still named.
            let given_up = text(&change.after, "name").is_some_and(|after| after != name);
            if given_up
                && let Some((start, rest)) = arn.split_once('/')
                && rest != name
            {
                arns.insert(format!("{start}/{name}"));
            }
            arns.insert(arn);
        }
    }
    names
}

/// Account, region and partition as the ARNs of a provider's objects tell them.
fn told_by(plan: &Plan, provider: &ProviderKey) -> Facts {
    let of_provider = plan.changes.iter().filter(|change| change.provider == *provider);
    let values = of_provider.flat_map(|change| change.before.iter().chain(&change.after));
    let arns: Vec<String> = values.filter_map(|value| pattern(value.get("arn"))).collect();
    let field = |number: usize| {
        let fields = arns.iter().filter_map(|arn| arn.split(':').nth(number));
        fields.into_iter().find(|field| !field.is_empty() && !field.contains('*')).map(Arc::<str>::from)
    };
    Facts {
        account: field(4),
        partition: field(1).unwrap_or_else(|| "aws".into()),
        region: field(3).unwrap_or_else(|| "*".into()),
        ..Facts::default()
    }
}
