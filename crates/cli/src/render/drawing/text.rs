//! A graph as text for other programs that draw: Graphviz and Mermaid.

use std::collections::BTreeMap;

use super::graph::{Graph, Node};
use super::svg::class;
use crate::render::value_text::quoted;

/// Colours of the rim and of the inside, light enough to be read on either ground.
const COLOURS: [(&str, &str, &str); 6] = [
    ("create", "#1a7f45", "#e9f6ee"),
    ("destroy", "#c0262d", "#fdecec"),
    ("forget", "#7a4bb0", "#f3ecfb"),
    ("read", "#1f63b5", "#e8f1fc"),
    ("replace", "#c0262d", "#fdecec"),
    ("update", "#9a6200", "#fdf3dd"),
];

/// For Graphviz.
pub fn dot(graph: &Graph) -> String {
    let mut out =
        "digraph {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n".to_owned();
    for node in &graph.nodes {
        let name = quoted(&node.address);
        let look = COLOURS.iter().find(|(action, ..)| Some(*action) == node.action.map(class));
        match look {
            None => out.push_str(&format!("  {name};\n")),
            Some((_, rim, inside)) => {
                let label = quoted(&format!("{}\n{}", node.address, node.words()));
                out.push_str(&format!(
                    "  {name} [label = {label}, style = filled, color = \"{rim}\", fillcolor = \"{inside}\"];\n"
                ));
            }
        }
    }
    for (from, to) in graph.lines() {
        out.push_str(&format!("  {} -> {};\n", quoted(&from.address), quoted(&to.address)));
    }
    out.push_str("}\n");
    out
}

/// For Mermaid.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = "flowchart RL\n".to_owned();
    let mut classes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        out.push_str(&format!("  r{i}[\"{}\"]\n", label(node)));
        if let Some(action) = node.action {
            classes.entry(class(action)).or_default().push(format!("r{i}"));
        }
    }
    for (from, to) in &graph.edges {
        out.push_str(&format!("  r{from} --> r{to}\n"));
    }
    for (action, rim, inside) in COLOURS {
        if let Some(all) = classes.get(action) {
            out.push_str(&format!("  classDef {action} fill:{inside},stroke:{rim},color:#1c2430\n"));
            out.push_str(&format!("  class {} {action}\n", all.join(",")));
        }
    }
    out
}

fn label(node: &Node) -> String {
    match node.actions.is_empty() {
        true => node.address.clone(),
        false => format!("{}<br>{}", node.address, node.words()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::plan_text::tests::{change, planned};
    use terrane_model::{Action, ResourceAddress};
    use terrane_plan::order::Needs;
    use terrane_plan::plan::Mode;

    #[test]
    fn both_formats_have_every_resource_and_every_edge() {
        let (a, b) = (ResourceAddress::managed("aws_a", "x"), ResourceAddress::data("aws_b", "y"));
        let graph = Graph::of_needs(&Needs::from([(a, [b.clone()].into()), (b, [].into())]));
        let text = dot(&graph);
        assert!(text.contains("\"aws_a.x\" -> \"data.aws_b.y\";"), "{text}");
        let text = mermaid(&graph);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("r0 --> r1"), "{text}");
    }

    #[test]
    fn a_plan_has_colours() {
        let changes =
            vec![change("aws_a.x", Action::Delete, None, None), change("aws_b.y", Action::NoOp, None, None)];
        let graph = Graph::of_plan(&planned(Mode::Normal, changes));
        let text = dot(&graph);
        assert!(
            text.contains("\"aws_a.x\" [label = \"aws_a.x\\n1 destroy\", style = filled, color"),
            "{text}"
        );
        assert!(text.contains("\"aws_b.y\";"), "{text}");
        let text = mermaid(&graph);
        assert!(
            text.contains("r0[\"aws_a.x<br>1 destroy\"]") && text.contains("class r0 destroy\n"),
            "{text}"
        );
    }
}
