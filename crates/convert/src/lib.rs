//! Terraform's configuration (`*.tf`, `*.tf.json`, `*.tfvars`) to the text of a spec.
//!
//! The shape of a spec is that of Terraform's JSON configuration, so that this is a walk over the blocks: a block becomes a
//! table, an expression a template, and what Terraform reads as an address stays one. Expressions are not looked into:
//! their text is taken over as it was written. Comments come along.
//!
//! INVARIANT: nothing here reads a file. Names and texts are given; the messages point into the given texts.

use terrane_model::{Diagnostic, Diagnostics, FileId, Span};
use terrane_spec::format::{Strings, format};

mod comments;
mod document;
mod expression;
mod hcl;
mod json;
mod position;
mod template;
mod text;
mod variables;

/// What became of one file.
#[derive(Debug)]
pub struct Converted {
    /// The text of the spec or of the file of variables, laid out as `fmt` does.
    pub text: String,
    /// The sources of the modules that are called, as they were written, and where.
    pub modules: Vec<(String, Span)>,
    /// Whether the file says where the state is.
    pub has_backend: bool,
    /// What was not converted, or not as one might expect.
    pub warnings: Diagnostics,
}

/// Converts a file of Terraform's language.
///
/// # Errors
/// What is wrong with the file, with its place.
pub fn hcl(file: FileId, text: &str) -> Result<Converted, Diagnostics> {
    finish(hcl::convert(file, text)?)
}

/// Converts a file of Terraform's JSON syntax.
///
/// # Errors
/// What is wrong with the file.
pub fn json(file: FileId, text: &str) -> Result<Converted, Diagnostics> {
    finish(json::convert(file, text)?)
}

/// Converts a file of variables (`*.tfvars`).
///
/// # Errors
/// What is wrong with the file, with its place.
pub fn variables(file: FileId, text: &str) -> Result<Converted, Diagnostics> {
    finish(variables::convert(file, text)?)
}

/// Converts a file of variables in JSON (`*.tfvars.json`).
///
/// # Errors
/// What is wrong with the file.
pub fn variables_json(file: FileId, text: &str) -> Result<Converted, Diagnostics> {
    finish(variables::convert_json(file, text)?)
}

/// What was read of a file, before it is laid out.
struct Draft {
    document: document::Document,
    modules: Vec<(String, Span)>,
    has_backend: bool,
    warnings: Diagnostics,
}

fn finish(draft: Draft) -> Result<Converted, Diagnostics> {
    let text = draft.document.print();
    let Draft { modules, has_backend, warnings, .. } = draft;
    match format(FileId(0), &text, Strings::Templates) {
        Ok(text) => Ok(Converted { text, modules, has_backend, warnings }),
        // The places are those of a text that nobody has seen.
        Err(found) => Err(found
            .into_iter()
            .map(|error| {
                let detail =
                    format!("What was made of this file is no TOML: {} Please report it.", error.detail);
                Diagnostic::error("not-converted", "File not converted", detail)
            })
            .collect()),
    }
}

#[cfg(test)]
mod tests;
