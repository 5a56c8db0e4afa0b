//! The outputs of the root module.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_model::{Diagnostic, Value};
use terrane_spec::module::Output;

use super::Builder;
use crate::plan::{Mode, OutputChange};
use crate::world::{World, evaluate_in};

impl Builder<'_, '_> {
    pub(super) fn outputs(&mut self) -> BTreeMap<Arc<str>, OutputChange> {
        let mut outputs: BTreeMap<Arc<str>, OutputChange> = BTreeMap::new();
        for (name, output) in &self.input.snapshot.outputs {
            let before =
                if output.sensitive { output.value.clone().sensitive() } else { output.value.clone() };
            let change = OutputChange { before: Some(before), after: None, sensitive: output.sensitive };
            outputs.insert(name.clone(), change);
        }
        match self.input.options.mode {
            // What is left may still be given out.
            Mode::Destroy if self.selection.is_limited() => return BTreeMap::new(),
            Mode::Destroy => return outputs,
            Mode::RefreshOnly => {
                for change in outputs.values_mut() {
                    change.after = change.before.clone();
                }
                return outputs;
            }
            Mode::Normal => {}
        }
        let (spec, selection) = (self.input.spec, &self.selection);
        let given = spec.root.outputs.iter().filter(|(_, output)| selection.gives(spec, &[], output));
        let given: BTreeMap<&Arc<str>, &Output> = given.collect();
        if selection.is_limited() {
            outputs.retain(|name, _| given.contains_key(name));
        }
        for (name, output) in given {
            match output_value(&self.world, name) {
                Ok(value) => {
                    let change = outputs.entry(name.clone()).or_insert(OutputChange {
                        before: None,
                        after: None,
                        sensitive: output.sensitive,
                    });
                    change.sensitive = output.sensitive;
                    change.after = Some(value);
                }
                Err(errors) => self.diagnostics.extend(errors),
            }
        }
        outputs
    }
}

/// The value of an output; planning and applying both call this. A null is a value like any other, but is not stored.
///
/// # Errors
/// What the expression fails with, and a sensitive value in an output that is not declared sensitive.
pub fn output_value(world: &World<'_>, name: &str) -> Result<Value, Vec<Diagnostic>> {
    let Some(output) = world.spec().root.outputs.get(name) else {
        return Err(vec![Diagnostic::error(
            "unknown-output",
            "Unknown output",
            format!("No output `{name}`."),
        )]);
    };
    let value = evaluate_in(&world.scope(), &output.value)?;
    if value.marks_deep().sensitive && !output.sensitive {
        let detail =
            format!("The value of the output `{name}` is sensitive, and the output is not declared so.");
        let error = Diagnostic::error("sensitive-output", "Sensitive value in a plain output", detail)
            .at(output.value.span())
            .hint("Set `sensitive = true` in the output.");
        return Err(vec![error]);
    }
    if value.marks_deep().ephemeral {
        let detail = format!(
            "The value of the output `{name}` is ephemeral: it must not be kept, and outputs of the root module are kept in \
             the state."
        );
        let error = Diagnostic::error("ephemeral-output", "Ephemeral value in an output", detail)
            .at(output.value.span())
            .hint("`ephemeralasnull(...)` gives a null in its place.");
        return Err(vec![error]);
    }
    Ok(if output.sensitive { value.sensitive() } else { value })
}
