//! What the changes of a plan depend on, for tools that read plans: the attributes of resources that changed objects and
//! outputs refer to, through local values, inputs of modules and outputs of modules.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use terrane_expr::{Expr, Reference};
use terrane_model::{Action, Address, Key, Mode, ModulePath, ResourceAddress, Step};
use terrane_plan::Plan;
use terrane_spec::Spec;

/// Names of the calls that lead to a module.
type Names = Vec<Arc<str>>;

/// The list, each attribute once; empty where nothing changes.
pub fn relevant_attributes(plan: &Plan, spec: &Spec) -> Vec<Json> {
    let mut walk = Walk { spec, seen: BTreeSet::new(), found: Vec::new() };
    let mut resources: Vec<&ResourceAddress> = Vec::new();
    for change in plan.changes.iter().filter(|change| change.action != Action::NoOp) {
        // Instances are sorted, so those of a resource stand together.
        if resources.last() != Some(&&change.address.resource) {
            resources.push(&change.address.resource);
        }
    }
    for address in resources {
        if let Some(resource) = spec.resource(address) {
            let names: Names = address.module.0.iter().map(|step| step.name.clone()).collect();
            for expr in [Some(&resource.body), resource.count.as_ref(), resource.for_each.as_ref()]
                .into_iter()
                .flatten()
            {
                walk.expression(&names, expr);
            }
        }
    }
    for (name, change) in &plan.outputs {
        if change.action() != Action::NoOp
            && let Some(output) = spec.root.outputs.get(name)
        {
            walk.expression(&Vec::new(), &output.value);
        }
    }
    walk.found
}

struct Walk<'s> {
    spec: &'s Spec,
    /// References that were followed, and attributes that were found.
    seen: BTreeSet<String>,
    found: Vec<Json>,
}

impl Walk<'_> {
    fn expression(&mut self, names: &Names, expr: &Expr) {
        for (reference, _, steps) in expr.references() {
            self.reference(names, reference, &steps);
        }
    }

    fn reference(&mut self, names: &Names, reference: &Reference, steps: &[Step]) {
        if let Reference::Resource { mode, type_name, name } = reference {
            let (mode, type_name, name) = (*mode, type_name.clone(), name.clone());
            return self.attribute(names, mode, type_name, name, steps);
        }
        // What is followed leads on as a whole, so it is followed once.
        let output = match steps {
            [Step::Index(_) | Step::Key(_), Step::Attribute(output), ..] | [Step::Attribute(output), ..] => {
                Some(output)
            }
            _ => None,
        };
        let (module, spec) = (names.join("."), self.spec);
        let way = match reference {
            Reference::Module { output: None, .. } => format!("{module} {reference} {output:?}"),
            _ => format!("{module} {reference}"),
        };
        if !self.seen.insert(way) {
            return;
        }
        match reference {
            Reference::Local(name) => {
                if let Some(local) = spec.module(names).and_then(|module| module.locals.get(name)) {
                    self.expression(names, &local.expr);
                }
            }
            Reference::Variable(name) => {
                let Some((call, parent)) = names.split_last() else { return };
                let parent = parent.to_vec();
                let call = spec.module(&parent).and_then(|module| module.modules.get(call));
                if let Some(input) = call.and_then(|call| call.input(name)) {
                    self.expression(&parent, input);
                }
            }
            Reference::Module { name, output: named } => {
                let called: Names = names.iter().chain([name]).cloned().collect();
                let Some(module) = spec.module(&called) else { return };
                let wanted = named.as_ref().or(output);
                for (_, output) in
                    module.outputs.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name))
                {
                    self.expression(&called, &output.value);
                }
            }
            _ => {}
        }
    }

    fn attribute(&mut self, names: &Names, mode: Mode, type_name: Arc<str>, name: Arc<str>, steps: &[Step]) {
        let module = names.iter().fold(ModulePath::root(), |path, name| path.child(name.clone(), None));
        let resource = ResourceAddress { module, mode, type_name, name };
        let (key, rest) = match steps {
            [Step::Index(index), rest @ ..] => (u64::try_from(*index).ok().map(Key::Index), rest),
            [Step::Key(key), rest @ ..] => (Some(Key::Name(key.clone())), rest),
            rest => (None, rest),
        };
        let address: Address = resource.instance(key);
        let path: Vec<Json> = rest
            .iter()
            .map_while(|step| match step {
                Step::Attribute(name) | Step::Key(name) => Some(json!(name.as_ref())),
                Step::Index(index) => Some(json!(index)),
                Step::Element(_) => None,
            })
            .collect();
        let entry = json!({ "resource": address.to_string(), "attribute": path });
        if self.seen.insert(entry.to_string()) {
            self.found.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use terrane_expr::FunctionContext;

    use super::*;

    const SPEC: &str = r#"
[locals]
keys  = "${[for key in aws_kms_key.k : key.arn]}"
again = "${concat(local.keys, [aws_kms_key.k[0].arn, local.again2])}"
again2 = "${data.aws_region.here.name}"

[data.aws_region.here]

[resource.aws_kms_key.k]
count       = 2
description = "${data.aws_region.here.name}"

[resource.aws_kms_alias.a]
name          = 'alias/${join("-", local.again)}'
target_key_id = "${aws_kms_key.k[1].key_id}"
"#;

    #[test]
    fn references_lead_through_local_values_to_attributes() {
        let catalog = crate::session::catalog();
        let parsed = terrane_spec::parse(vec![("terrane.toml".to_owned(), SPEC.into())]);
        let spec = terrane_spec::check(parsed, &catalog, &FunctionContext::closed()).unwrap();
        let mut walk = Walk { spec: &spec, seen: BTreeSet::new(), found: Vec::new() };
        walk.expression(&Vec::new(), &spec.root.resource(Mode::Managed, "aws_kms_alias", "a").unwrap().body);
        let told: Vec<String> =
            walk.found.iter().map(|entry| format!("{} {}", entry["resource"], entry["attribute"])).collect();
        assert_eq!(
            told,
            [
                r#""aws_kms_key.k" []"#,
                r#""aws_kms_key.k[0]" ["arn"]"#,
                r#""data.aws_region.here" ["name"]"#,
                r#""aws_kms_key.k[1]" ["key_id"]"#,
            ]
        );
    }
}
