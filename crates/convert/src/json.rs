//! Files of Terraform's JSON syntax. Their shape is that of a spec already.

use serde_json::{Map, Value as Json};
use terrane_model::{Diagnostic, Diagnostics, FileId, Span};

use crate::Draft;
use crate::document::{Document, Element, Entry, Sub, Table, Value};
use crate::position::labels;
use crate::text::string;

/// The key of a comment.
const COMMENT: &str = "//";

/// Reads a file.
pub(crate) fn parse(file: FileId, text: &str) -> Result<Json, Diagnostics> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        let line = error.line().saturating_sub(1);
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let at = start + error.column().saturating_sub(1);
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let length = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let detail = format!("This is not JSON: {error}.");
        vec![Diagnostic::error("invalid-json", "Invalid file", detail).at(Span::new(file, at, at + length))]
    })
}

/// Converts a file.
pub(crate) fn convert(file: FileId, text: &str) -> Result<Draft, Diagnostics> {
    let root = parse(file, text)?;
    let mut reader = Reader { file, found: Diagnostics::new(), modules: Vec::new(), has_backend: false };
    let mut table = Table::default();
    for object in reader.objects(&root, "the file") {
        for (kind, value) in object {
            if kind == COMMENT {
                table.tail.extend(comment(value));
                continue;
            }
            let levels = labels(&[], kind).unwrap_or(0);
            reader.blocks(std::slice::from_ref(kind), levels, value, &mut table.tables);
        }
    }
    // A comment of the file stands at its top.
    let mut before = std::mem::take(&mut table.tail);
    match table.tables.first_mut() {
        Some(first) if !before.is_empty() => {
            before.push(String::new());
            first.before.splice(0..0, before);
        }
        _ => table.tail = before,
    }
    match reader.found.is_empty() {
        true => Ok(Draft {
            document: Document { table },
            modules: reader.modules,
            has_backend: reader.has_backend,
            warnings: Diagnostics::new(),
        }),
        false => Err(reader.found),
    }
}

struct Reader {
    file: FileId,
    found: Diagnostics,
    modules: Vec<(String, Span)>,
    has_backend: bool,
}

impl Reader {
    /// A value as one or several objects.
    fn objects<'j>(&mut self, value: &'j Json, what: &str) -> Vec<&'j Map<String, Json>> {
        let all = match value {
            Json::Array(elements) => elements.iter().collect(),
            other => vec![other],
        };
        let objects: Vec<_> = all.iter().filter_map(|value| value.as_object()).collect();
        if objects.len() != all.len() {
            let detail = format!("An object, or an array of objects, is expected as {what}.");
            let error = Diagnostic::error("invalid-json", "Wrong shape", detail);
            self.found.push(error.at(Span::new(self.file, 0, 0)));
        }
        objects
    }

    /// The blocks below a path, of which `levels` labels are still to come.
    fn blocks(&mut self, path: &[String], levels: usize, value: &Json, tables: &mut Vec<Sub>) {
        let objects = self.objects(value, &format!("`{}`", path.join(".")));
        if let Some(levels) = levels.checked_sub(1) {
            for (name, inside) in objects.into_iter().flatten().filter(|(name, _)| *name != COMMENT) {
                let path = [path, std::slice::from_ref(name)].concat();
                self.blocks(&path, levels, inside, tables);
            }
            return;
        }
        let is_listed = path.first().is_some_and(|kind| crate::hcl::LISTED.contains(&kind.as_str()));
        let repeated = objects.len() > 1 || is_listed;
        for object in objects {
            let table = table(object);
            match path {
                [kind, _] if kind == "module" => {
                    let source = object.get("source").and_then(Json::as_str);
                    self.modules.extend(source.map(|text| (text.to_owned(), Span::new(self.file, 0, 0))));
                }
                [kind] if kind == "terraform" => {
                    self.has_backend |= object.contains_key("backend") || object.contains_key("cloud");
                }
                _ => {}
            }
            let before = object.get(COMMENT).map(comment).unwrap_or_default();
            tables.push(Sub { before, path: path.to_vec(), repeated, small: false, table });
        }
    }
}

/// The lines of a comment.
fn comment(value: &Json) -> Vec<String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.lines().map(str::to_owned).collect()
}

/// The table of an object.
pub(crate) fn table(object: &Map<String, Json>) -> Table {
    let entries = object.iter().filter(|(name, _)| *name != COMMENT).map(|(name, value)| {
        let before = value.get(COMMENT).map(comment).unwrap_or_default();
        Entry { before, name: name.clone(), value: of(value), after: None }
    });
    Table { entries: entries.collect(), ..Table::default() }
}

fn of(value: &Json) -> Value {
    match value {
        Json::Null => Value::Scalar(string("${null}")),
        Json::Bool(flag) => Value::Scalar(flag.to_string()),
        Json::Number(number) => {
            let text = number.to_string();
            Value::Scalar(if fits(&text) { text } else { string(&format!("${{{text}}}")) })
        }
        Json::String(text) => Value::Scalar(string(text)),
        Json::Array(elements) => {
            let element = |value| Element { before: Vec::new(), value: of(value), after: None };
            Value::Array(elements.iter().map(element).collect(), Vec::new())
        }
        Json::Object(object) => Value::Table(table(object)),
    }
}

/// Whether a number is one of TOML's, which are 64 bits long, with all of its digits.
pub(crate) fn fits(text: &str) -> bool {
    let digits = text.trim_start_matches('-');
    let is_whole = text.parse::<i64>().is_ok_and(|whole| whole.to_string() == text);
    let is_decimal = digits.len() <= 15
        && digits.split_once('.').is_some_and(|(whole, rest)| {
            let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            are_digits(whole) && are_digits(rest) && (whole == "0" || !whole.starts_with('0'))
        });
    is_whole || is_decimal
}
