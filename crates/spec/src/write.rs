//! Writes a resource as the text of a spec: the way back from values to TOML.

use std::fmt::Write as _;

use terrane_model::schema::{Attribute, Block, FormKind, NestedBlock};
use terrane_model::{Diagnostics, FileId, Kind, Schema, Value};

use crate::format::{Strings, format};

/// The text of a resource with these arguments, laid out as `fmt` does. `provider` is the configuration that it names, if
/// it names one. What says nothing is expected to be left out already; nulls and unknown values are. In place of a
/// sensitive value stands a comment.
///
/// # Errors
/// When a bug in here made something that is no TOML.
pub fn resource(
    schema: &Schema,
    name: &str,
    provider: Option<&str>,
    arguments: &Value,
) -> Result<String, Diagnostics> {
    let header = format!("resource.{}.{}", key(schema.type_name), key(name));
    let mut out = format!("[{header}]\n");
    if let Some(provider) = provider {
        // Writing into a text cannot fail, here and below.
        let _ = writeln!(out, "provider = {}", quoted(provider));
    }
    body(&mut out, &schema.block, arguments, &header);
    format(FileId(0), &out, Strings::Templates)
}

fn body(out: &mut String, block: &Block, arguments: &Value, header: &str) {
    for attribute in &block.attributes {
        let name = key(attribute.name);
        match arguments.get(attribute.name) {
            Some(value) if value.marks_deep().sensitive && !value.is_null() => {
                let _ = writeln!(out, "# {name} = (sensitive value, not written)");
            }
            Some(value) if is_written(value) => {
                let _ = writeln!(out, "{name} = {}", of_attribute(attribute, value));
            }
            _ => {}
        }
    }
    for nested in &block.blocks {
        let Some(value) = arguments.get(nested.name) else { continue };
        for element in value.elements() {
            table(out, nested, element, &format!("{header}.{}", key(nested.name)));
        }
    }
}

fn table(out: &mut String, nested: &NestedBlock, element: &Value, header: &str) {
    let _ = match nested.max {
        Some(1) => writeln!(out, "\n[{header}]"),
        _ => writeln!(out, "\n[[{header}]]"),
    };
    body(out, &nested.block, element, header);
}

fn is_written(value: &Value) -> bool {
    !value.is_null() && value.is_wholly_known()
}

fn of_attribute(attribute: &Attribute, value: &Value) -> String {
    let is_json = attribute.form.is_some_and(|form| matches!(form.kind, FormKind::Json | FormKind::Policy));
    let text = value.as_str().filter(|_| is_json);
    text.and_then(document).unwrap_or_else(|| inline(value))
}

/// A JSON document over several lines, where it can be written so.
fn document(text: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    let pretty = template(&serde_json::to_string_pretty(&json).ok()?);
    let fits = !pretty.contains("'''") && pretty.chars().all(|c| c == '\n' || !c.is_control());
    let is_large = json.is_object() || json.is_array();
    (fits && is_large).then(|| format!("'''\n{pretty}'''"))
}

fn inline(value: &Value) -> String {
    match value.kind() {
        Kind::Bool(flag) => flag.to_string(),
        Kind::Number(number) => match number.to_i64() {
            Some(whole) => whole.to_string(),
            // TOML's numbers are not as precise as ours.
            None => quoted(&number.to_string()),
        },
        Kind::String(text) => quoted(&template(text)),
        Kind::List(_, elements) | Kind::Set(_, elements) | Kind::Tuple(elements) => list(elements),
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| is_written(value));
            let entries: Vec<String> = entries
                .map(|(name, value)| format!("{} = {}", key(&template(name)), inline(value)))
                .collect();
            if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
        }
        Kind::Null(_) | Kind::Unknown(_) => quoted("${null}"),
    }
}

/// A list, over several lines where one would be long.
fn list(elements: &[Value]) -> String {
    const LONG: usize = 80;
    let elements: Vec<String> = elements.iter().map(inline).collect();
    let line = format!("[{}]", elements.join(", "));
    match line.len() > LONG && elements.len() > 1 {
        true => format!("[\n{},\n]", elements.join(",\n")),
        false => line,
    }
}

/// The template of a text of which nothing is evaluated.
pub fn template(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// A key, bare where it may be.
pub fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { quoted(name) }
}

/// A basic string.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
