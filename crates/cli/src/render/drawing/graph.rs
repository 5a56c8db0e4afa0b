//! What is drawn: a box per resource, whatever the number of its instances, and who needs whom.

use std::collections::{BTreeMap, BTreeSet};

use terrane_model::{Action, Mode, ResourceAddress};
use terrane_plan::Plan;
use terrane_plan::graph::node_of;
use terrane_plan::order::Needs;

use crate::render::review::document::{rank, word};

/// Boxes, sorted by address, and the lines between them.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// Who needs whom, by index: the one that needs, then the one that is needed.
    pub edges: Vec<(usize, usize)>,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The whole address.
    pub address: String,
    /// What stands above the name: the module and the type.
    pub kind: String,
    /// The name in the spec, with the number of instances where there are several.
    pub name: String,
    /// What becomes of it: of its instances' actions the one that matters most. Nothing without a plan.
    pub action: Option<Action>,
    /// Every action of its instances with their number, such as `2 create, 1 destroy`.
    pub actions: BTreeMap<&'static str, usize>,
    /// The address of the instance that tells most, where a plan knows one.
    pub told_by: Option<usize>,
}

impl Node {
    fn of(address: &ResourceAddress) -> Node {
        let module = if address.module.is_root() { String::new() } else { format!("{} · ", address.module) };
        let data = if address.mode == Mode::Data { "data " } else { "" };
        Node {
            address: address.to_string(),
            kind: format!("{module}{data}{}", address.type_name),
            name: address.name.to_string(),
            action: None,
            actions: BTreeMap::new(),
            told_by: None,
        }
    }

    /// The actions in words.
    pub fn words(&self) -> String {
        let all: Vec<String> = self.actions.iter().map(|(word, count)| format!("{count} {word}")).collect();
        all.join(", ")
    }
}

impl Graph {
    /// Who needs whom: the one that needs, then the one that is needed.
    pub fn lines(&self) -> impl Iterator<Item = (&Node, &Node)> {
        self.edges.iter().filter_map(|(from, to)| Some((self.nodes.get(*from)?, self.nodes.get(*to)?)))
    }

    /// The graph of a spec.
    pub fn of_needs(needs: &Needs) -> Graph {
        let all: BTreeSet<&ResourceAddress> = needs.keys().chain(needs.values().flatten()).collect();
        let nodes = all.iter().map(|address| Node::of(address)).collect();
        Graph {
            nodes,
            edges: edges(&all, needs.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to)))),
        }
    }

    /// The graph of a plan: every object that it knows of, and the resources that these need.
    pub fn of_plan(plan: &Plan) -> Graph {
        let owned: Vec<ResourceAddress> = plan.changes.iter().map(|c| node_of(&c.address.resource)).collect();
        let needed = plan.changes.iter().flat_map(|change| &change.dependencies);
        let all: BTreeSet<&ResourceAddress> = owned.iter().chain(needed).collect();
        let places: BTreeMap<&ResourceAddress, usize> =
            all.iter().enumerate().map(|(i, address)| (*address, i)).collect();
        let mut nodes: Vec<Node> = all.iter().map(|address| Node::of(address)).collect();
        for (i, (change, address)) in plan.changes.iter().zip(&owned).enumerate() {
            let Some(node) = places.get(address).and_then(|place| nodes.get_mut(*place)) else { continue };
            let stays = change.action == Action::NoOp && change.previous_address.is_none();
            let word = if stays { "no change" } else { word(change.action) };
            *node.actions.entry(word).or_default() += 1;
            if node.action.is_none_or(|action| weight(change.action) > weight(action)) {
                node.action = Some(change.action);
                node.told_by = Some(i);
            }
        }
        for node in &mut nodes {
            let instances: usize = node.actions.values().sum();
            if instances > 1 {
                node.name = format!("{} ×{instances}", node.name);
            }
        }
        let lines = plan.changes.iter().zip(&owned);
        let lines = lines.flat_map(|(change, from)| change.dependencies.iter().map(move |to| (from, to)));
        Graph { edges: edges(&all, lines), nodes }
    }
}

fn weight(action: Action) -> u8 {
    if action == Action::NoOp { 0 } else { rank(Some(action)) + 1 }
}

fn edges<'a>(
    all: &BTreeSet<&'a ResourceAddress>,
    lines: impl Iterator<Item = (&'a ResourceAddress, &'a ResourceAddress)>,
) -> Vec<(usize, usize)> {
    let places: BTreeMap<&ResourceAddress, usize> =
        all.iter().enumerate().map(|(i, address)| (*address, i)).collect();
    let found: BTreeSet<(usize, usize)> = lines
        .filter_map(|(from, to)| Some((*places.get(from)?, *places.get(to)?)))
        .filter(|(from, to)| from != to)
        .collect();
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::plan_text::tests::{change, planned};
    use terrane_plan::Change;
    use terrane_plan::plan::Mode as PlanMode;

    #[test]
    fn instances_are_one_box_that_says_what_matters_most() {
        let needs = |change: Change| Change {
            dependencies: [ResourceAddress::managed("aws_key", "k")].into(),
            ..change
        };
        let plan = planned(
            PlanMode::Normal,
            vec![
                change("aws_key.k", Action::NoOp, None, None),
                needs(change("aws_thing.a[0]", Action::Create, None, None)),
                needs(change("aws_thing.a[1]", Action::Delete, None, None)),
                change("module.m[\"x\"].aws_thing.b", Action::Update, None, None),
            ],
        );
        let graph = Graph::of_plan(&plan);
        let shown: Vec<(&str, &str, Option<Action>, String)> =
            graph.nodes.iter().map(|n| (n.kind.as_str(), n.name.as_str(), n.action, n.words())).collect();
        assert_eq!(
            shown,
            [
                ("aws_key", "k", Some(Action::NoOp), "1 no change".to_owned()),
                ("aws_thing", "a ×2", Some(Action::Delete), "1 create, 1 destroy".to_owned()),
                ("module.m · aws_thing", "b", Some(Action::Update), "1 update".to_owned()),
            ]
        );
        assert_eq!(graph.edges, [(1, 0)]);
        assert_eq!(graph.nodes[1].told_by, Some(2));
    }
}
