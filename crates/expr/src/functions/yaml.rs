//! `yamlencode` and `yamldecode`.

mod read;
mod write;

use terrane_model::Value;

use super::{Fault, Given, Outcome};

/// Block YAML with quoted keys and text.
pub(super) fn encode(given: &Given<'_>) -> Outcome {
    Ok(Value::from(write::document(given.value(0)?)))
}

/// One YAML document.
pub(super) fn decode(given: &Given<'_>) -> Outcome {
    read::document(given.text(0)?).map_err(Fault::new)
}
