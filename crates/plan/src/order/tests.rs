//! Orders of hand-made and of random changes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use terrane_model::{Key, Reason, Value};

use super::*;
use crate::plan::ProviderKey;

fn resource(i: usize) -> ResourceAddress {
    ResourceAddress::managed("fake_thing", format!("r{i}"))
}

fn change(i: usize, key: u64, action: Action) -> Change {
    Change {
        address: resource(i).instance(Some(Key::Index(key))),
        previous_address: None,
        deposed: None,
        provider: ProviderKey::default_of("fake"),
        action,
        reason: Reason::Plain,
        before: None,
        after: Some(Value::from("x")),
        replace_paths: vec![],
        dependencies: BTreeSet::new(),
        create_before_destroy: false,
        left_over: false,
        importing: None,
    }
}

fn needs(pairs: &[(usize, usize)]) -> Needs {
    let mut needs = Needs::new();
    for (who, what) in pairs {
        needs.entry(resource(*who)).or_default().insert(resource(*what));
    }
    needs
}

/// The places of the steps in one valid order.
fn places(order: &Order) -> BTreeMap<Step, usize> {
    let sorted = order.sorted().expect("no two steps wait for each other");
    let steps = sorted.iter().enumerate().map(|(place, node)| (order.steps[*node], place));
    steps.filter(|(step, _)| !matches!(step, Step::Made | Step::Unneeded)).collect()
}

/// Whether `first` comes before `then` in every order that the graph allows.
fn always_before(order: &Order, first: Step, then: Step) -> bool {
    let node = |step| order.steps.iter().position(|s| *s == step).unwrap();
    let (mut open, goal, mut seen) = (vec![node(first)], node(then), BTreeSet::new());
    while let Some(at) = open.pop() {
        if at == goal {
            return true;
        }
        if seen.insert(at) {
            open.extend(&order.followers[at]);
        }
    }
    false
}

#[test]
fn a_chain_is_replaced_from_both_ends() {
    let replaced = [change(0, 0, Action::DeleteThenCreate), change(1, 0, Action::DeleteThenCreate)];
    let graph = needs(&[(1, 0)]);
    let order = order(&replaced, &graph, &graph);
    let expected = [Step::Delete(1), Step::Delete(0), Step::Apply(0), Step::Apply(1)];
    for pair in expected.windows(2) {
        assert!(always_before(&order, pair[0], pair[1]), "{pair:?}");
    }
}

#[test]
fn made_first_the_old_one_outlives_what_needed_it() {
    let changes = [change(0, 0, Action::CreateThenDelete), change(1, 0, Action::Update)];
    let graph = needs(&[(1, 0)]);
    let order = order(&changes, &graph, &graph);
    assert!(always_before(&order, Step::Apply(0), Step::Apply(1)));
    assert!(always_before(&order, Step::Apply(1), Step::Delete(0)));
}

#[test]
fn a_table_taken_out_of_the_map_outlives_the_policy_that_names_it() {
    let changes = [change(0, 0, Action::Delete), change(1, 0, Action::Update)];
    let graph = needs(&[(1, 0)]);
    assert!(always_before(&order(&changes, &graph, &graph), Step::Apply(1), Step::Delete(0)));
}

#[test]
fn unless_something_below_is_replaced_at_the_same_time() {
    // 2 needs 1 needs 0; 0 is deleted first, so the instance of 1 must go before 2 can be updated.
    let changes =
        [change(0, 0, Action::DeleteThenCreate), change(1, 0, Action::Delete), change(2, 0, Action::Update)];
    let graph = needs(&[(2, 1), (1, 0)]);
    let order = order(&changes, &graph, &graph);
    assert!(order.sorted().is_some());
    assert!(always_before(&order, Step::Delete(1), Step::Delete(0)));
}

#[test]
fn what_is_deleted_lets_go_before_what_it_needs_is_updated() {
    let graph = needs(&[(1, 0), (2, 0)]);
    let changes =
        [change(0, 0, Action::Update), change(1, 0, Action::Delete), change(2, 0, Action::DeleteThenCreate)];
    let order = order(&changes, &graph, &graph);
    assert!(always_before(&order, Step::Delete(1), Step::Apply(0)));
    assert!(always_before(&order, Step::Delete(2), Step::Apply(0)));
    assert!(always_before(&order, Step::Apply(0), Step::Apply(2)));
}

#[test]
fn unless_its_deletion_waits_for_that_update() {
    // 2 used to need 1, which used to need 0; 2 goes over to 0 itself, so 1 can't go before 0 is updated.
    let changes = [change(0, 0, Action::Update), change(1, 0, Action::Delete), change(2, 0, Action::Update)];
    let order = order(&changes, &needs(&[(2, 0)]), &needs(&[(2, 1), (1, 0)]));
    assert!(order.sorted().is_some());
    assert!(always_before(&order, Step::Apply(0), Step::Apply(2)));
    assert!(always_before(&order, Step::Apply(2), Step::Delete(1)));
}

#[test]
fn made_first_the_new_one_waits_for_the_update() {
    let changes = [change(0, 0, Action::Update), change(1, 0, Action::CreateThenDelete)];
    let graph = needs(&[(1, 0)]);
    let order = order(&changes, &graph, &graph);
    assert!(always_before(&order, Step::Apply(0), Step::Apply(1)));
    assert!(always_before(&order, Step::Apply(1), Step::Delete(1)));
}

#[test]
fn needs_reach_through_what_does_not_change() {
    let changes = [change(0, 0, Action::Create), change(1, 0, Action::NoOp), change(2, 0, Action::Create)];
    let graph = needs(&[(2, 1), (1, 0)]);
    assert!(always_before(&order(&changes, &graph, &graph), Step::Apply(0), Step::Apply(2)));
    let deleted = [change(0, 0, Action::Delete), change(2, 0, Action::Delete)];
    assert!(always_before(&order(&deleted, &Needs::new(), &graph), Step::Delete(1), Step::Delete(0)));
}

#[test]
fn edges_grow_with_the_instances_and_not_with_their_product() {
    let many = |i: usize| (0..500).map(move |key| change(i, key, Action::Create));
    let changes: Vec<Change> = many(0).chain(many(1)).collect();
    let graph = needs(&[(1, 0)]);
    let edges: usize = order(&changes, &graph, &graph).followers.iter().map(Vec::len).sum();
    assert!(edges < 6 * changes.len(), "{edges} edges");
}

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::NoOp),
        Just(Action::Create),
        Just(Action::Update),
        Just(Action::Delete),
        Just(Action::DeleteThenCreate),
        Just(Action::CreateThenDelete),
    ]
}

proptest! {
    /// On random graphs: nothing waits for itself, what is needed is made first, what needs is deleted first.
    #[test]
    fn random_changes_can_be_ordered(
        edges in proptest::collection::vec((0usize..8, 0usize..8), 0..20),
        picked in proptest::collection::vec((0usize..8, 0u64..3, actions()), 0..16),
    ) {
        // A resource needs only resources of smaller numbers.
        let pairs: Vec<_> = edges.into_iter().filter(|(who, what)| who > what).collect();
        let graph = needs(&pairs);
        let mut unique = BTreeMap::new();
        for (i, key, action) in picked {
            unique.entry((i, key)).or_insert(action);
        }
        let first = made_first(&pairs, &unique);
        let changes: Vec<Change> = unique
            .into_iter()
            .map(|((i, key), action)| match action {
                Action::DeleteThenCreate if first.contains(&i) => change(i, key, Action::CreateThenDelete),
                action => change(i, key, action),
            })
            .collect();
        let order = order(&changes, &graph, &graph);
        let places = places(&order);
        for (a, one) in changes.iter().enumerate() {
            for (b, other) in changes.iter().enumerate() {
                let needed = graph.get(&other.address.resource);
                if !needed.is_some_and(|n| n.contains(&one.address.resource)) {
                    continue;
                }
                if let (Some(made), Some(maker)) = (places.get(&Step::Apply(a)), places.get(&Step::Apply(b))) {
                    prop_assert!(made < maker, "{} is made after what needs it", one.address);
                }
                if let (Some(needed), Some(user)) = (places.get(&Step::Delete(a)), places.get(&Step::Delete(b))) {
                    prop_assert!(user < needed, "{} is deleted before what needs it", one.address);
                }
                let free = one.action == Action::Update && other.action == Action::Delete;
                if free && !always_before(&order, Step::Delete(b), Step::Apply(a)) {
                    prop_assert!(held_up(&graph, &changes, a, b), "{} goes after an update", other.address);
                }
            }
        }
    }
}

/// Whether the deletion of `b` may have to wait for the update of `a`, which it needs: something that needs what is deleted is
/// made or changed after that update.
fn held_up(graph: &Needs, changes: &[Change], a: usize, b: usize) -> bool {
    let above = |of: usize, reached: &mut BTreeSet<ResourceAddress>| {
        let mut open = vec![changes[of].address.resource.clone()];
        while let Some(at) = open.pop() {
            for (who, _) in graph.iter().filter(|(_, needed)| needed.contains(&at)) {
                if reached.insert(who.clone()) {
                    open.push(who.clone());
                }
            }
        }
    };
    let (mut over_a, mut over_b) = (BTreeSet::new(), BTreeSet::new());
    above(a, &mut over_a);
    above(b, &mut over_b);
    let applied = |change: &Change| !matches!(change.action, Action::NoOp | Action::Delete);
    changes.iter().any(|change| {
        let resource = &change.address.resource;
        applied(change)
            && over_a.contains(resource)
            && (over_b.contains(resource) || *resource == changes[b].address.resource)
    })
}

/// What must be made first, since something that needs it is (the builder of plans sees to this).
fn made_first(pairs: &[(usize, usize)], changes: &BTreeMap<(usize, u64), Action>) -> BTreeSet<usize> {
    let mut open: Vec<usize> =
        changes.iter().filter(|(_, a)| **a == Action::CreateThenDelete).map(|((i, _), _)| *i).collect();
    let mut first = BTreeSet::new();
    while let Some(i) = open.pop() {
        if first.insert(i) {
            open.extend(pairs.iter().filter(|(who, _)| *who == i).map(|(_, what)| *what));
        }
    }
    first
}
