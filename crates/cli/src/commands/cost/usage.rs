//! The file of `--usage`: TOML, a table for each address or pattern of addresses.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use terrane_cost::usage::{Amount, Entry, Figure};
use terrane_cost::{Item, Usage};
use terrane_model::{Address, Diagnostic, Diagnostics, Mode, Number, Sources};
use terrane_spec::toml::{self, Content};

use crate::exit::Problem;

/// Reads the file and finds for each table the objects that it is about. The second half of the answer are warnings.
///
/// # Errors
/// Everything that is wrong in the file, each at its place.
pub fn read(file: &Path, items: &[Item], sources: &mut Sources) -> Result<(Usage, Diagnostics), Problem> {
    let text = fs::read(file)
        .map_err(|error| error.to_string())
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned()));
    let text = text.map_err(|why| {
        let detail = format!("The file of usage figures `{}` can't be read: {why}.", file.display());
        Problem::from(Diagnostic::error("unreadable-file", "File not readable", detail))
    })?;
    let id = sources.add(file.display().to_string(), Arc::<str>::from(text.as_str()));
    let (root, mut wrong) = toml::read(id, &text);
    let mut entries = Vec::new();
    for (pattern, entry) in &root.entries {
        match &entry.node.content {
            Content::Table(table) => {
                // What could not be read has its message already.
                let read = table
                    .entries
                    .iter()
                    .filter(|(_, figure)| !matches!(figure.node.content, Content::Broken));
                let figures = read.map(|(name, figure)| Figure {
                    name: name.to_string(),
                    key: figure.key,
                    amount: amount(&figure.node.content),
                    span: figure.node.span,
                });
                entries.push(Entry {
                    pattern: pattern.to_string(),
                    span: entry.key,
                    figures: figures.collect(),
                });
            }
            Content::Broken => {}
            other => wrong.push(no_table(pattern, other, entry.key)),
        }
    }
    // Which of two patterns comes later, their places say.
    entries.sort_by_key(|entry| entry.span.start);
    let managed = items.iter().filter(|item| item.address.resource.mode == Mode::Managed);
    let objects: Vec<Address> = managed.map(|item| item.address.clone()).collect();
    match Usage::resolve(&entries, &objects) {
        Ok(resolved) if wrong.is_empty() => Ok(resolved),
        Ok(_) => Err(Problem::new(wrong, sources)),
        Err(errors) => {
            wrong.extend(errors);
            wrong.sort_by_key(|error| error.span.map(|span| span.start));
            Err(Problem::new(wrong, sources))
        }
    }
}

fn no_table(pattern: &str, found: &Content, key: terrane_model::Span) -> Diagnostic {
    let detail = format!("`{pattern}` is {}, and a table of figures is needed.", found.describe());
    let error = Diagnostic::error("invalid-usage", "Invalid usage figure", detail).at(key);
    error.hint("Such as `[\"aws_dynamodb_table.*\"]`, and below it `storage_gb = 10`.")
}

fn amount(content: &Content) -> Amount {
    match content {
        Content::Number(number) => Amount::One(decimal(number)),
        Content::Array(elements) => match elements.as_slice() {
            [from, to] => match (&from.content, &to.content) {
                (Content::Number(from), Content::Number(to)) => Amount::Range(decimal(from), decimal(to)),
                _ => Amount::Other("an array"),
            },
            _ => Amount::Other("an array"),
        },
        other => Amount::Other(other.describe()),
    }
}

fn decimal(number: &Number) -> String {
    number.to_string()
}
