//! Files of variables. Their values are constants, written as everywhere.

use hcl_edit::Span as _;
use hcl_edit::structure::Structure;
use serde_json::Value as Json;
use terrane_model::{Diagnostic, Diagnostics, FileId, Span};

use crate::Draft;
use crate::comments::Gap;
use crate::document::{Document, Entry, Table};
use crate::expression::keep;
use crate::hcl::{Source, parse};
use crate::position::Reading;

/// Converts a file of Terraform's language.
pub(crate) fn convert(file: FileId, text: &str) -> Result<Draft, Diagnostics> {
    let root = parse(file, text)?;
    let source = Source { file, text };
    let mut found = Diagnostics::new();
    let mut table = Table::default();
    let mut at = 0;
    for structure in root.iter() {
        let Some(place) = structure.span() else { continue };
        match structure {
            Structure::Attribute(attribute) => {
                let gap = Gap::read(text.get(at..place.start).unwrap_or_default(), at == 0);
                let before = match table.entries.is_empty() {
                    true => gap.before,
                    false => keep(gap, &mut table.entries, |entry| &mut entry.after),
                };
                let value = source.value(&attribute.value, Reading::Expression);
                table.entries.push(Entry {
                    before,
                    name: attribute.key.as_str().to_owned(),
                    value,
                    after: None,
                });
            }
            Structure::Block(block) => {
                let detail =
                    format!("`{}` is a block. A file of variables has values only.", block.ident.as_str());
                let error = Diagnostic::error("unexpected-block", "Unexpected block", detail);
                found.push(error.at(source.span(place.clone())));
            }
        }
        at = place.end;
    }
    let gap = Gap::read(text.get(at..).unwrap_or_default(), at == 0);
    table.tail = keep(gap, &mut table.entries, |entry| &mut entry.after);
    finish(table, found)
}

/// Converts a file in JSON.
pub(crate) fn convert_json(file: FileId, text: &str) -> Result<Draft, Diagnostics> {
    match crate::json::parse(file, text)? {
        Json::Object(root) => finish(crate::json::table(&root), Diagnostics::new()),
        _ => {
            let error = Diagnostic::error("invalid-json", "Wrong shape", "A file of variables is an object.");
            Err(vec![error.at(Span::new(file, 0, 0))])
        }
    }
}

fn finish(table: Table, found: Diagnostics) -> Result<Draft, Diagnostics> {
    match found.is_empty() {
        true => Ok(Draft {
            document: Document { table },
            modules: Vec::new(),
            has_backend: false,
            warnings: found,
        }),
        false => Err(found),
    }
}
