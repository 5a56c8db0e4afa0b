//! A graph as SVG: on its own, or within a page that brings colours and movement.

use std::fmt::Write as _;

use terrane_model::Action;

use super::graph::{Graph, Node};
use super::layout::{Layout, Point, Size, layout};
use crate::render::review::document::{shortened, word};
use crate::render::review::escape::html;

/// The width of a letter of the names, about.
const LETTER: f64 = 7.3;
/// The height of a box.
const HEIGHT: f64 = 48.0;
/// What a box is wider than its text.
const PADDING: f64 = 46.0;
/// The longest line of text in a box.
const LONGEST: usize = 34;

/// Colours for a picture that stands alone, light and dark.
const STYLE: &str = include_str!("graph.css");

/// A picture of its own.
pub fn picture(graph: &Graph) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&drawn(graph, Some(STYLE), |_| None));
    out
}

/// A picture for a page. `link` says what a box leads to.
pub fn within_a_page(graph: &Graph, link: impl Fn(&Node) -> Option<String>) -> String {
    drawn(graph, None, link)
}

fn drawn(graph: &Graph, style: Option<&str>, link: impl Fn(&Node) -> Option<String>) -> String {
    let sizes: Vec<Size> = graph.nodes.iter().map(size).collect();
    let Layout { boxes, lines, width, height } = layout(&sizes, &graph.edges);
    let (width, height) = (width.max(1.0).ceil(), height.max(1.0).ceil());
    let alone =
        if style.is_some() { format!(" width=\"{width}\" height=\"{height}\"") } else { String::new() };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graph\" viewBox=\"0 0 {width} {height}\"{alone} \
         role=\"group\" aria-label=\"Graph of {} resources\">\n",
        graph.nodes.len()
    );
    if let Some(style) = style {
        out.push_str(&format!(
            "<style>\n{style}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n"
        ));
    }
    out.push_str("<g class=\"view\">\n<g class=\"lines\">\n");
    for ((needing, needed), points) in graph.edges.iter().zip(&lines) {
        if let Some(path) = path(points) {
            out.push_str(&format!("<path data-from=\"{needed}\" data-to=\"{needing}\" d=\"{path}\"/>\n"));
        }
    }
    out.push_str("</g>\n<g class=\"boxes\">\n");
    for (i, ((node, at), size)) in graph.nodes.iter().zip(&boxes).zip(&sizes).enumerate() {
        out.push_str(&boxed(i, node, *at, *size, link(node)));
    }
    out.push_str("</g>\n</g>\n</svg>\n");
    out
}

fn size(node: &Node) -> Size {
    let longest = [&node.kind, &node.name].map(|text| text.chars().count().min(LONGEST)).into_iter().max();
    Size { width: (longest.unwrap_or(0) as f64 * LETTER + PADDING).ceil(), height: HEIGHT }
}

/// A line that leaves and arrives level.
fn path(points: &[Point]) -> Option<String> {
    let (first, rest) = points.split_first()?;
    let mut out = format!("M{:.0} {:.0}", first.x, first.y);
    let mut last = *first;
    for point in rest {
        let middle = (last.x + point.x) / 2.0;
        // Writing into a text cannot fail.
        let _ = match (last.y - point.y).abs() < 0.5 {
            true => write!(out, "H{:.0}", point.x),
            false => write!(
                out,
                "C{middle:.0} {:.0} {middle:.0} {:.0} {:.0} {:.0}",
                last.y, point.y, point.x, point.y
            ),
        };
        last = *point;
    }
    Some(out)
}

fn boxed(i: usize, node: &Node, at: Point, size: Size, link: Option<String>) -> String {
    let class = node.action.map_or("plain", class);
    let actions: Vec<&str> = node.actions.keys().copied().collect();
    let words = if node.actions.is_empty() { String::new() } else { format!(": {}", node.words()) };
    let title = format!("{}{words}", node.address);
    let (open, close) = match &link {
        Some(to) => (format!("<a href=\"#{}\">", html(to)), "</a>"),
        None => (String::new(), ""),
    };
    format!(
        "<g class=\"box {class}\" data-node=\"{i}\" data-actions=\"{}\" data-name=\"{}\" transform=\"translate({:.0} {:.0})\">\
         <title>{}</title>{open}<rect width=\"{:.0}\" height=\"{:.0}\" rx=\"8\"/>\
         <text class=\"sign\" x=\"17\" y=\"29\" text-anchor=\"middle\">{}</text>\
         <text class=\"kind\" x=\"34\" y=\"19\">{}</text><text class=\"name\" x=\"34\" y=\"36\">{}</text>{close}</g>\n",
        html(&actions.join("|")),
        html(&node.address),
        at.x,
        at.y,
        html(&title),
        size.width,
        size.height,
        html(node.action.map_or("·", sign)),
        html(&shortened(&node.kind, LONGEST)),
        html(&shortened(&node.name, LONGEST)),
    )
}

/// The class of an action in pictures and pages.
pub fn class(action: Action) -> &'static str {
    match action {
        Action::NoOp => "same",
        other => word(other),
    }
}

/// An action as a sign, for who sees no colours.
pub fn sign(action: Action) -> &'static str {
    match action {
        Action::NoOp => "=",
        Action::Create => "+",
        Action::Read => "<=",
        Action::Update => "~",
        Action::DeleteThenCreate => "-/+",
        Action::CreateThenDelete => "+/-",
        Action::Delete => "-",
        Action::Forget => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrane_model::ResourceAddress;
    use terrane_plan::order::Needs;

    #[test]
    fn a_picture_has_every_box_and_every_line() {
        let (a, b) = (ResourceAddress::managed("aws_a", "x"), ResourceAddress::data("aws_b", "y"));
        let graph = Graph::of_needs(&Needs::from([(a, [b.clone()].into()), (b, [].into())]));
        let text = picture(&graph);
        assert!(text.starts_with("<?xml") && text.ends_with("</svg>\n"), "{text}");
        assert_eq!((text.matches("class=\"box ").count(), text.matches("<path").count()), (2, 1));
        assert!(text.contains(">data aws_b</text>") && text.contains("data-name=\"aws_a.x\""), "{text}");
        assert!(!text.contains("&lt;="), "{text}");
    }

    #[test]
    fn names_do_no_harm() {
        let node = Node {
            address: "a<b>\"'&".into(),
            kind: "<script>".into(),
            name: "]]>".into(),
            action: Some(Action::Read),
            actions: [("read", 1)].into(),
            told_by: None,
        };
        let text = within_a_page(&Graph { nodes: vec![node], edges: vec![] }, |_| Some("x\"y".into()));
        assert!(
            !text.contains("<script") && !text.contains("<b>") && text.contains("href=\"#x&quot;y\""),
            "{text}"
        );
        assert!(text.contains(">&lt;=</text>"), "{text}");
    }
}
