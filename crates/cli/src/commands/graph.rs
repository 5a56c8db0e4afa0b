//! `terrane graph`: draws what needs what.

use std::collections::BTreeMap;

use serde_json::json;
use terrane_model::ResourceAddress;
use terrane_plan::graph::graph;
use terrane_plan::order::Needs;

use crate::cli::GraphFormat;
use crate::exit::{Ended, Exit, Problem};
use crate::functions;
use crate::render::value_text::quoted;
use crate::session;
use crate::stack::{read, spec_files};
use crate::terminal::Terminal;
use crate::work::{current_folder, now};

/// Runs the command.
pub fn run(format: GraphFormat, terminal: &Terminal) -> Ended {
    let functions = functions::planning(&current_folder()?, &now());
    let spec = read(spec_files()?, &session::catalog(), &functions)?;
    let needs = graph(&spec).map_err(|errors| Problem::new(errors, &spec.sources))?.needs;
    terminal.say(&match (terminal.json, format) {
        (true, _) => {
            let named = |(from, to): (&ResourceAddress, &std::collections::BTreeSet<ResourceAddress>)| {
                (from.to_string(), to.iter().map(ToString::to_string).collect::<Vec<_>>())
            };
            format!("{:#}\n", json!(needs.iter().map(named).collect::<BTreeMap<_, _>>()))
        }
        (false, GraphFormat::Dot) => dot(&needs),
        (false, GraphFormat::Mermaid) => mermaid(&needs),
    });
    Ok(Exit::Done)
}

fn dot(needs: &Needs) -> String {
    let mut out =
        "digraph {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n".to_owned();
    for resource in needs.keys() {
        out.push_str(&format!("  {};\n", quoted(&resource.to_string())));
    }
    for (resource, needed) in needs {
        for need in needed {
            out.push_str(&format!("  {} -> {};\n", quoted(&resource.to_string()), quoted(&need.to_string())));
        }
    }
    out.push_str("}\n");
    out
}

fn mermaid(needs: &Needs) -> String {
    let ids: BTreeMap<&ResourceAddress, String> =
        needs.keys().enumerate().map(|(i, resource)| (resource, format!("r{i}"))).collect();
    let mut out = "flowchart RL\n".to_owned();
    for (resource, id) in &ids {
        out.push_str(&format!("  {id}[\"{resource}\"]\n"));
    }
    for (resource, needed) in needs {
        for need in needed {
            if let (Some(from), Some(to)) = (ids.get(resource), ids.get(need)) {
                out.push_str(&format!("  {from} --> {to}\n"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_have_every_resource_and_every_edge() {
        let (a, b) = (ResourceAddress::managed("aws_a", "x"), ResourceAddress::data("aws_b", "y"));
        let needs = Needs::from([(a, [b.clone()].into()), (b, [].into())]);
        let text = dot(&needs);
        assert!(text.contains("\"aws_a.x\" -> \"data.aws_b.y\";"), "{text}");
        let text = mermaid(&needs);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("r0 --> r1"), "{text}");
    }
}
