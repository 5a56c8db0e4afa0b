//! `terrane graph`: draws what needs what, of the spec or of a saved plan.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use terrane_plan::graph::graph;

use crate::cli::GraphFormat;
use crate::commands::apply::load;
use crate::exit::{Ended, Exit, Problem};
use crate::functions;
use crate::render::drawing::graph::Graph;
use crate::render::drawing::{svg, text};
use crate::session;
use crate::stack::{read, spec_files};
use crate::terminal::Terminal;
use crate::work::{current_folder, now};

/// Runs the command.
pub fn run(format: GraphFormat, plan: Option<&Path>, terminal: &Terminal) -> Ended {
    let drawn = match plan {
        Some(file) => Graph::of_plan(&load(file)?.0),
        None => of_spec()?,
    };
    terminal.say(&match (terminal.json, format) {
        (true, _) => {
            let mut needs: BTreeMap<&str, Vec<&str>> =
                drawn.nodes.iter().map(|node| (node.address.as_str(), vec![])).collect();
            for (from, to) in drawn.lines() {
                needs.entry(&from.address).or_default().push(&to.address);
            }
            format!("{:#}\n", json!(needs))
        }
        (false, GraphFormat::Dot) => text::dot(&drawn),
        (false, GraphFormat::Mermaid) => text::mermaid(&drawn),
        (false, GraphFormat::Svg) => svg::picture(&drawn),
    });
    Ok(Exit::Done)
}

fn of_spec() -> Result<Graph, Problem> {
    let functions = functions::planning(&current_folder()?, &now());
    let spec = read(spec_files()?, &session::catalog(), &functions)?;
    let needs = graph(&spec).map_err(|errors| Problem::new(errors, &spec.sources))?.needs;
    Ok(Graph::of_needs(&needs))
}
