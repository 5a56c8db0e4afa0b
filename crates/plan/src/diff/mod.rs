//! One instance: what the spec says and what is, to what will be.
//!
//! The rules are those of Terraform's provider SDK, since specs and states come from there: an argument left out keeps a
//! value that the provider may set, falls back to its default, or becomes null; values that mean the same (a policy in
//! another order, null and an empty text) are no change; sets compare without order.

mod attribute;
mod block;
mod changes;
mod marks;

pub use changes::{changed_paths, is_zero, same};
pub use marks::carry_marks;

use terrane_model::conform::Problem;
use terrane_model::schema::Schema;
use terrane_model::{Path, Value};
use terrane_provider::{Facts, PlanRequest, ResourceType};

/// What becomes of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The object after apply, as far as it is known.
    pub after: Value,
    /// The paths whose change needs a new object. Empty: none is needed.
    pub replace: Vec<Path>,
    /// Whether anything changes.
    pub changed: bool,
}

/// Plans one object. `prior` is absent for a new one; `config` has the shape of the schema.
///
/// Where a new object is needed, `after` is what the new object will be.
///
/// # Errors
/// What the resource type refuses.
pub fn plan_object(
    resource: &dyn ResourceType,
    prior: Option<&Value>,
    config: &Value,
    facts: &Facts,
) -> Result<Planned, Vec<Problem>> {
    let (after, keep, mut replace) = refine(resource, prior, None, config, facts)?;
    let Some(prior) = prior else {
        return Ok(Planned { after, replace: vec![], changed: true });
    };
    let schema = resource.schema();
    let changed = changed_paths(schema, prior, &after);
    replace.extend(changed.iter().filter(|path| forces_new(schema, path)).cloned());
    replace.retain(|path| !keep.contains(path));
    replace.sort();
    replace.dedup();
    if replace.is_empty() {
        // To be brought back is a change, also where every argument is as the spec says.
        let changed = !changed.is_empty() || resource.is_pending_deletion(prior);
        // What does not change keeps its value; what the spec says of its secrecy counts all the same.
        let after = if changed { after } else { carry_marks(&after, prior.clone()) };
        return Ok(Planned { after, replace, changed });
    }
    let after = plan_new(resource, Some(prior), config, facts)?;
    Ok(Planned { after, replace, changed: true })
}

/// Plans one object as a new one. `replaces` is the one whose place it takes, if it does.
///
/// # Errors
/// What the resource type refuses.
pub fn plan_new(
    resource: &dyn ResourceType,
    replaces: Option<&Value>,
    config: &Value,
    facts: &Facts,
) -> Result<Value, Vec<Problem>> {
    refine(resource, None, replaces, config, facts).map(|(after, _, _)| after)
}

type Refined = (Value, Vec<Path>, Vec<Path>);

fn refine(
    resource: &dyn ResourceType,
    prior: Option<&Value>,
    replaces: Option<&Value>,
    config: &Value,
    facts: &Facts,
) -> Result<Refined, Vec<Problem>> {
    let planned = block::plan_block(&resource.schema().block, config, prior);
    let mut request = PlanRequest { prior, replaces, config, planned, replace: vec![], keep: vec![], facts };
    resource.plan(&mut request)?;
    // A type that plans a secret itself has no word in whether it is one.
    let planned = marks::declared_marks(&resource.schema().block, request.planned);
    Ok((planned, request.keep, request.replace))
}

fn forces_new(schema: &Schema, path: &Path) -> bool {
    let mut block = &schema.block;
    for step in &path.0 {
        let terrane_model::Step::Attribute(name) = step else { continue };
        if let Some(attribute) = block.attribute(name) {
            return attribute.force_new;
        }
        let Some(nested) = block.nested(name) else { return false };
        if nested.force_new {
            return true;
        }
        block = &nested.block;
    }
    false
}

#[cfg(test)]
mod tests;
