//! What the state says of objects that do not change, and that the spec may say otherwise now: what they depend on, and
//! whether their successor is made first. It orders later deletions, so it is brought up to date although nothing happens.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::{Action, Address, Mode as ResourceMode, ResourceAddress};
use terrane_state::{Object, Snapshot};

use super::prior_needs;
use crate::graph::Graph;
use crate::order::{Order, order};
use crate::plan::Change;

/// The snapshot with the unchanged objects up to date, and the order of the changes.
///
/// Old needs of objects that change may lead in a circle with new ones of those that do not; then the state keeps what it
/// says until the changes are made.
pub(super) fn brought_up_to_date(
    refreshed: Snapshot,
    changes: &[Change],
    graph: &Graph,
) -> (Snapshot, Order) {
    let stale: BTreeMap<&Address, Object> = changes
        .iter()
        .filter(|change| {
            change.action == Action::NoOp && change.address.resource.mode == ResourceMode::Managed
        })
        .filter_map(|change| {
            let object = refreshed.get(&change.address)?;
            let first = change.create_before_destroy;
            let said = says_the_same(&object.dependencies, &change.dependencies, graph);
            let same = said && object.create_before_destroy == first;
            let dependencies = match said {
                true => object.dependencies.clone(),
                false => change.dependencies.clone(),
            };
            let now = || Object { dependencies, create_before_destroy: first, ..object.clone() };
            (!same).then(|| (&change.address, now()))
        })
        .collect();
    if !stale.is_empty() {
        let mut current = refreshed.clone();
        for (address, object) in stale {
            let provider = current.resource(&address.resource).map(|resource| resource.provider.clone());
            current.put(address, &provider.unwrap_or_default(), object);
        }
        let order = order(changes, &graph.needs, &prior_needs(&current));
        if order.sorted().is_some() {
            return (current, order);
        }
    }
    let order = order(changes, &graph.needs, &prior_needs(&refreshed));
    (refreshed, order)
}

/// Whether the needs that the state has are the present ones: these, and none but what they need themselves. Terraform writes
/// down all of them.
fn says_the_same(
    stated: &BTreeSet<ResourceAddress>,
    wanted: &BTreeSet<ResourceAddress>,
    graph: &Graph,
) -> bool {
    if stated == wanted {
        return true;
    }
    let mut reached: BTreeSet<&ResourceAddress> = BTreeSet::new();
    let mut open: Vec<&ResourceAddress> = wanted.iter().collect();
    while let Some(need) = open.pop() {
        if reached.insert(need) {
            open.extend(graph.needs.get(need).into_iter().flatten());
        }
    }
    wanted.is_subset(stated) && stated.iter().all(|need| reached.contains(need))
}
