//! Whether a value keeps what was planned: what was known stays, what was unknown is filled in.

use terrane_model::schema::{Block, NestedBlock, Schema};
use terrane_model::value::Kind;
use terrane_model::{Path, Step, Value};
use terrane_plan::diff::{is_zero, same};

/// Where two values disagree, and how.
#[derive(Debug)]
pub(super) struct Disagreement {
    pub path: Path,
    pub detail: String,
}

/// Checks `actual` against `planned`, both of a schema's shape.
pub(super) fn fits(schema: &Schema, planned: &Value, actual: &Value) -> Result<(), Disagreement> {
    block_fits(&schema.block, planned, actual, &Path::default())
}

fn block_fits(block: &Block, planned: &Value, actual: &Value, path: &Path) -> Result<(), Disagreement> {
    if planned.is_unknown() {
        return Ok(());
    }
    for attribute in &block.attributes {
        let (Some(old), Some(new)) = (planned.get(attribute.name), actual.get(attribute.name)) else {
            continue;
        };
        let agrees = value_fits(old, new) || (old.is_wholly_known() && same(attribute.form, old, new));
        if !agrees {
            let hidden = attribute.sensitive || old.marks_deep().any() || new.marks_deep().any();
            let detail = match hidden {
                true => "the two differ (the values are sensitive)".to_owned(),
                false => format!("planned was {old:?}, and it is {new:?}"),
            };
            return Err(Disagreement { path: path.child(Step::Attribute(attribute.name.into())), detail });
        }
    }
    for nested in &block.blocks {
        let (Some(old), Some(new)) = (planned.get(nested.name), actual.get(nested.name)) else { continue };
        nested_fits(nested, old, new, &path.child(Step::Attribute(nested.name.into())))?;
    }
    Ok(())
}

fn nested_fits(
    nested: &NestedBlock,
    planned: &Value,
    actual: &Value,
    path: &Path,
) -> Result<(), Disagreement> {
    use terrane_model::schema::Nesting;
    if planned.is_unknown() || (is_zero(planned) && is_zero(actual)) {
        return Ok(());
    }
    match nested.nesting {
        Nesting::Single => Ok(()),
        _ if planned.elements().len() != actual.elements().len() => {
            let (planned, actual) = (planned.elements().len(), actual.elements().len());
            Err(Disagreement {
                path: path.clone(),
                detail: format!("planned were {planned} blocks, and there are {actual}"),
            })
        }
        Nesting::List => {
            let pairs = planned.elements().iter().zip(actual.elements()).enumerate();
            for (i, (old, new)) in pairs {
                block_fits(&nested.block, old, new, &path.child(Step::Index(i)))?;
            }
            Ok(())
        }
        Nesting::Set => {
            for old in planned.elements() {
                let kept =
                    actual.elements().iter().any(|new| block_fits(&nested.block, old, new, path).is_ok());
                if !kept {
                    let detail = "a planned block is not there".to_owned();
                    return Err(Disagreement { path: path.clone(), detail });
                }
            }
            Ok(())
        }
    }
}

/// Whether a value keeps what was planned, without a schema.
fn value_fits(planned: &Value, actual: &Value) -> bool {
    match (planned.kind(), actual.kind()) {
        (Kind::Unknown(known), _) => {
            let prefix = actual.as_str().is_none_or(|text| text.starts_with(known.prefix.as_ref()));
            prefix && !(known.not_null && actual.is_null())
        }
        (_, Kind::Unknown(_)) => false,
        (Kind::Map(_, old), Kind::Map(_, new)) | (Kind::Object(old), Kind::Object(new)) => {
            old.len() == new.len() && old.iter().all(|(k, v)| new.get(k).is_some_and(|n| value_fits(v, n)))
        }
        (Kind::List(_, old), Kind::List(_, new)) | (Kind::Tuple(old), Kind::Tuple(new)) => {
            old.len() == new.len() && old.iter().zip(new.iter()).all(|(o, n)| value_fits(o, n))
        }
        (Kind::Set(_, old), Kind::Set(_, new)) => {
            // Elements that were unknown may turn out to be the same.
            new.len() <= old.len() && old.iter().all(|o| new.iter().any(|n| value_fits(o, n)))
        }
        _ => same(None, planned, actual) || (is_zero(planned) && is_zero(actual)),
    }
}
