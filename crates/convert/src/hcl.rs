//! Files of Terraform's language.

use std::collections::BTreeMap;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Block, Body, Structure};
use terrane_model::{Diagnostic, Diagnostics, FileId, Span};

use crate::Draft;
use crate::comments::Gap;
use crate::document::{Document, Entry, Sub, Table, Value};
use crate::expression::keep;
use crate::position::{labels, reading};
use crate::text::string;

/// The text of a file, and what was found in it.
pub(crate) struct Source<'t> {
    pub(crate) file: FileId,
    pub(crate) text: &'t str,
}

/// Reads a file.
pub(crate) fn parse(file: FileId, text: &str) -> Result<Body, Diagnostics> {
    hcl_edit::parser::parse_body(text).map_err(|error| {
        let at = error.location().offset().min(text.len());
        let start = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let length = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let detail = format!("This is not Terraform's language: {}.", error.message().trim_end_matches('.'));
        vec![Diagnostic::error("invalid-hcl", "Invalid file", detail).at(Span::new(
            file,
            start,
            start + length,
        ))]
    })
}

/// Converts a file.
pub(crate) fn convert(file: FileId, text: &str) -> Result<Draft, Diagnostics> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = parse(file, text)?;
    let source = Source { file, text };
    let mut reader =
        Reader { source: &source, found: Diagnostics::new(), modules: Vec::new(), has_backend: false };
    let table = reader.top(&root);
    if reader.found.iter().any(Diagnostic::is_error) {
        return Err(reader.found);
    }
    Ok(Draft {
        document: Document { table },
        modules: reader.modules,
        has_backend: reader.has_backend,
        warnings: reader.found,
    })
}

impl Source<'_> {
    /// An expression as it was written.
    pub(crate) fn written(&self, expression: &Expression) -> &str {
        expression.span().and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range.start, range.end)
    }
}

struct Reader<'s, 't> {
    source: &'s Source<'t>,
    found: Diagnostics,
    modules: Vec<(String, Span)>,
    has_backend: bool,
}

/// The tables that Terraform allows several times and TOML once: what they hold is put together.
const MERGED: [&str; 2] = ["locals", "terraform"];

/// The tables that are written as a list, also where there is one.
pub(crate) const LISTED: [&str; 3] = ["moved", "removed", "import"];

impl Reader<'_, '_> {
    /// The blocks of a file.
    fn top(&mut self, root: &Body) -> Table {
        let mut table = self.body(root, &[], 0..self.source.text.len());
        for entry in std::mem::take(&mut table.entries) {
            let detail = format!("`{}` stands outside of any block. A file has blocks only.", entry.name);
            let place =
                root.get_attribute(&entry.name).and_then(|attribute| attribute.span()).unwrap_or(0..0);
            let error = Diagnostic::error("unexpected-argument", "Unexpected argument", detail);
            self.found.push(error.at(self.source.span(place)));
        }
        let mut merged: Vec<Sub> = Vec::new();
        for mut sub in std::mem::take(&mut table.tables) {
            let same = |earlier: &&mut Sub| earlier.path == sub.path && sub.path.len() == 1;
            let can_merge = sub.path.first().is_some_and(|name| MERGED.contains(&name.as_str()));
            sub.repeated &= !can_merge;
            match merged.iter_mut().find(same).filter(|_| can_merge) {
                Some(earlier) => {
                    // Comments stay before what they stood before.
                    let mut before = std::mem::take(&mut earlier.table.tail);
                    before.append(&mut sub.before);
                    before.extend(sub.table.opening.take());
                    let first = match (sub.table.entries.first_mut(), sub.table.tables.first_mut()) {
                        (Some(entry), _) => &mut entry.before,
                        (None, Some(table)) => &mut table.before,
                        (None, None) => &mut sub.table.tail,
                    };
                    first.splice(0..0, before);
                    earlier.table.entries.append(&mut sub.table.entries);
                    earlier.table.tables.append(&mut sub.table.tables);
                    earlier.table.tail.append(&mut sub.table.tail);
                }
                None => merged.push(sub),
            }
        }
        self.unique(&merged, root);
        table.tables = merged;
        table
    }

    /// Refuses what is declared twice.
    fn unique(&mut self, tables: &[Sub], root: &Body) {
        let may_repeat = |kind: &String| kind == "provider" || LISTED.contains(&kind.as_str());
        let repeated = tables.iter().filter(|sub| sub.repeated && !sub.path.first().is_some_and(may_repeat));
        for sub in repeated {
            let blocks = root.blocks().filter(|block| path_of(block) == sub.path);
            let mut spans = blocks.filter_map(|block| Some(self.source.span(block.ident.span()?)));
            let first = spans.next();
            for span in spans {
                let detail = format!("`{}` is declared twice.", sub.path.join("."));
                let error = Diagnostic::error("duplicate-name", "Duplicate name", detail).at(span);
                let error = match first {
                    Some(first) => error.with_related(first, "first declared here"),
                    None => error,
                };
                if !self.found.contains(&error) {
                    self.found.push(error);
                }
            }
        }
    }

    /// What stands in a block, or in the file. `range` is where.
    fn body(&mut self, body: &Body, path: &[&str], range: Range<usize>) -> Table {
        let mut table = Table::default();
        let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for block in body.blocks() {
            *counts.entry(path_of(block)).or_default() += 1;
        }
        // In the order of the file, so that comments find what they belong to.
        let mut last = Last::Nothing;
        let mut at = range.start;
        for structure in body.iter() {
            let Some(place) = structure.span() else { continue };
            let text = self.source.text.get(at..place.start).unwrap_or_default();
            let before = last.take(Gap::read(text, at == 0 && path.is_empty()), &mut table);
            at = place.end;
            match structure {
                Structure::Attribute(attribute) => {
                    table.entries.push(self.attribute(attribute, path, before));
                    last = Last::Entry;
                }
                Structure::Block(block) => {
                    let is_listed = path.is_empty() && LISTED.contains(&block.ident.as_str());
                    let repeated = is_listed || counts.get(&path_of(block)).is_some_and(|count| *count > 1);
                    let sub = self.block(block, path, before, repeated);
                    table.tables.push(sub);
                    last = Last::Table;
                }
            }
        }
        let text = self.source.text.get(at..range.end).unwrap_or_default();
        table.tail = last.take(Gap::read(text, false), &mut table);
        table
    }

    fn attribute(&mut self, attribute: &Attribute, path: &[&str], before: Vec<String>) -> Entry {
        let name = attribute.key.as_str();
        if (path, name) == (&["module"], "source")
            && let Expression::String(text) = &attribute.value
            && let Some(range) = attribute.value.span()
        {
            self.modules.push((text.as_str().to_owned(), self.source.span(range)));
            // A plain text, and not a template.
            let value = Value::Scalar(string(text.as_str()));
            return Entry { before, name: name.to_owned(), value, after: None };
        }
        let value = self.source.value(&attribute.value, reading(path, name));
        Entry { before, name: name.to_owned(), value, after: None }
    }

    fn block(&mut self, block: &Block, path: &[&str], before: Vec<String>, repeated: bool) -> Sub {
        let kind = block.ident.as_str();
        let names = path_of(block);
        if let Some(expected) = labels(path, kind)
            && expected != block.labels.len()
        {
            let detail =
                format!("A `{kind}` block has {expected} labels, and this one {}.", block.labels.len());
            let place = self.source.span(block.ident.span().unwrap_or(0..0));
            self.found.push(Diagnostic::error("invalid-labels", "Wrong number of labels", detail).at(place));
        }
        self.has_backend |= path == ["terraform"] && matches!(kind, "backend" | "cloud");
        let inside: Vec<&str> = path.iter().copied().chain([kind]).collect();
        let range = self.inside(block);
        let mut table = self.body(&block.body, &inside, range);
        // What stands behind the opening brace.
        if let Some(first) = table.entries.first_mut().map(|entry| &mut entry.before)
            && first.first().is_some_and(String::is_empty)
        {
            first.remove(0);
        }
        Sub { before, path: names, repeated, small: !path.is_empty(), table }
    }

    /// Where the body of a block stands, between the braces.
    fn inside(&self, block: &Block) -> Range<usize> {
        let Some(span) = block.span() else { return 0..0 };
        let head = block.labels.iter().filter_map(|label| label.span().map(|range| range.end)).max();
        let head = head.or_else(|| block.ident.span().map(|range| range.end)).unwrap_or(span.start);
        let rest = self.source.text.get(head..span.end).unwrap_or_default();
        let open = head + rest.find('{').map_or(0, |at| at + 1);
        open..span.end.saturating_sub(1).max(open)
    }
}

/// The kind of a block with its labels.
fn path_of(block: &Block) -> Vec<String> {
    let labels = block.labels.iter().map(|label| label.as_str().to_owned());
    [block.ident.as_str().to_owned()].into_iter().chain(labels).collect()
}

/// What a comment on the same line belongs to.
enum Last {
    Nothing,
    Entry,
    Table,
}

impl Last {
    /// Hands what stands behind the last thing to it, and gives the lines above the next one.
    fn take(&self, gap: Gap, table: &mut Table) -> Vec<String> {
        match self {
            Last::Nothing => {
                table.opening = gap.after;
                gap.before
            }
            Last::Entry => keep(gap, &mut table.entries, |entry| &mut entry.after),
            Last::Table => {
                let mut before = gap.before;
                if let (Some(after), Some(last)) = (gap.after, table.tables.last_mut()) {
                    // Behind the closing brace, which has no line here.
                    match last.table.opening.is_none() {
                        true => last.table.opening = Some(after),
                        false => before.insert(0, after),
                    }
                }
                before
            }
        }
    }
}
