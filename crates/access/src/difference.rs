//! Who gains and who loses what, from one estate to another.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::actions::{Severity, severity};
use crate::estate::{Estate, Origin};
use crate::reach::{Right, reach};

/// How sure somebody's right is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Denied.
    No,
    /// It depends on something.
    Maybe,
    /// Allowed.
    Yes,
}

/// One change of access: of one principal on some resources, for some actions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whether the principal gains; else they lose.
    pub gains: bool,
    /// How sure it is: a right that is gained, or was lost, for sure, or one that may be.
    pub sure: bool,
    /// Who, as people know them.
    pub principal: String,
    /// Where they come from.
    pub origin: Origin,
    /// The resources, as people know them.
    pub resources: Vec<String>,
    /// The actions.
    pub actions: Vec<String>,
    /// The worst that they can do.
    pub severity: Severity,
    /// On what it depends, where it is not sure.
    pub depends: Vec<String>,
    /// On what it depended before, where the right neither comes nor goes and depends on something else now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depended: Option<Vec<String>>,
}

impl Change {
    /// Whether the right stays, and only what it depends on is another.
    pub fn is_of_condition(&self) -> bool {
        self.depended.is_some()
    }
}

/// Which way a right goes, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Gains,
    Loses,
    /// It stays, and depends on something else.
    Otherwise,
}

/// The resources and actions of one principal's changes in one direction: what they depend on, and depended on.
type Group = BTreeMap<(bool, String), (Vec<String>, BTreeSet<String>, BTreeSet<String>)>;

/// The differences, the gravest first: of the public, of other accounts, then of the stack's own principals; gains before
/// losses, then rights that stay and depend on something else.
pub fn difference(before: &Estate, after: &Estate) -> Vec<Change> {
    let (old, new) = (levels(before), levels(after));
    let before_estate = before;
    let mut by_principal: BTreeMap<(Origin, String, Way), Group> = BTreeMap::new();
    let all: BTreeSet<&Slot> = old.keys().chain(new.keys()).collect();
    for slot in all {
        let (was, is) = (old.get(slot), new.get(slot));
        let (a, b) = (was.map_or(Level::No, |right| right.0), is.map_or(Level::No, |right| right.0));
        let facts =
            |right: Option<&(Level, Right)>| right.map(|right| right.1.depends.clone()).unwrap_or_default();
        let (before, now) = (facts(was), facts(is));
        let way = match a.cmp(&b) {
            Ordering::Less => Way::Gains,
            Ordering::Greater => Way::Loses,
            Ordering::Equal if before != now => Way::Otherwise,
            Ordering::Equal => continue,
        };
        let estate = if way == Way::Loses { before_estate } else { after };
        let resource = estate.label_of(&slot.resource).to_owned();
        let sure = a.max(b) == Level::Yes;
        let group = by_principal.entry((slot.origin, slot.label.clone(), way)).or_default();
        let entry = group.entry((!sure, resource)).or_default();
        entry.0.push(slot.action.clone());
        match way {
            Way::Gains => entry.1.extend(now),
            Way::Loses => entry.1.extend(before),
            Way::Otherwise => {
                entry.1.extend(now);
                entry.2.extend(before);
            }
        }
    }
    let mut changes: Vec<Change> = Vec::new();
    for ((origin, principal, way), group) in by_principal {
        for ((unsure, resource), (mut actions, depends, depended)) in group {
            actions.sort_by_key(|action| (severity(action), action.clone()));
            let worst = actions.first().map_or(Severity::Look, |action| severity(action));
            let change = Change {
                gains: way == Way::Gains,
                sure: !unsure,
                principal: principal.clone(),
                origin,
                resources: vec![],
                actions,
                severity: worst,
                depends: depends.into_iter().collect(),
                depended: (way == Way::Otherwise).then(|| depended.into_iter().collect()),
            };
            let same = |other: &&mut Change| Change { resources: vec![], ..(*other).clone() } == change;
            match changes.iter_mut().rev().find(same) {
                Some(found) => found.resources.push(resource),
                None => changes.push(Change { resources: vec![resource], ..change }),
            }
        }
    }
    changes
}

/// One right's place, the same in both estates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    origin: Origin,
    /// The address, so that a user under another name is the same one; else the ARN.
    label: String,
    resource: String,
    action: String,
}

fn levels(estate: &Estate) -> BTreeMap<Slot, (Level, Right)> {
    let slot = |right: Right| {
        let principal = estate.principals.get(right.principal)?;
        let level = if right.depends.is_empty() { Level::Yes } else { Level::Maybe };
        let slot = Slot {
            origin: principal.origin,
            label: principal.label().to_owned(),
            resource: right.resource.clone(),
            action: right.action.clone(),
        };
        Some((slot, (level, right)))
    };
    reach(estate).into_iter().filter_map(slot).collect()
}
