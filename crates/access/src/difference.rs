//! Who gains and who loses what, from one estate to another.

use std::collections::BTreeMap;

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
}

/// The resources and actions of one principal's changes in one direction.
type Group = BTreeMap<(bool, String), (Vec<String>, Vec<String>)>;

/// The differences, the gravest first: of the public, of other accounts, then of the stack's own principals; gains before
/// losses.
pub fn difference(before: &Estate, after: &Estate) -> Vec<Change> {
    let (old, new) = (levels(before), levels(after));
    let mut by_principal: BTreeMap<(Origin, String, bool), Group> = BTreeMap::new();
    let all: std::collections::BTreeSet<&Slot> = old.keys().chain(new.keys()).collect();
    for slot in all {
        let (was, is) = (old.get(slot), new.get(slot));
        let (a, b) = (was.map_or(Level::No, |right| right.0), is.map_or(Level::No, |right| right.0));
        if a == b {
            continue;
        }
        let gains = b > a;
        let estate = if gains { after } else { before };
        let resource = estate.label_of(&slot.resource).to_owned();
        let sure = a.max(b) == Level::Yes;
        let depends = if gains { is } else { was }.map(|right| right.1.depends.clone()).unwrap_or_default();
        let group = by_principal.entry((slot.origin, slot.label.clone(), !gains)).or_default();
        let entry = group.entry((!sure, resource)).or_default();
        entry.0.push(slot.action.clone());
        entry.1.extend(depends.into_iter().filter(|fact| !entry.1.contains(fact)).collect::<Vec<_>>());
    }
    let mut changes = Vec::new();
    for ((origin, principal, loses), group) in by_principal {
        for ((unsure, resource), (mut actions, depends)) in group {
            actions.sort_by_key(|action| (severity(action), action.clone()));
            let worst = actions.first().map_or(Severity::Look, |action| severity(action));
            let same = |change: &&mut Change| {
                change.principal == principal
                    && change.gains != loses
                    && change.sure != unsure
                    && change.actions == actions
                    && change.depends == depends
            };
            if let Some(change) = changes.iter_mut().rev().find(same) {
                change.resources.push(resource);
                continue;
            }
            changes.push(Change {
                gains: !loses,
                sure: !unsure,
                principal: principal.clone(),
                origin,
                resources: vec![resource],
                actions,
                severity: worst,
                depends,
            });
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
