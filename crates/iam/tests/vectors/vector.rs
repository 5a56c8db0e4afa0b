//! Reads vectors from TOML.

use std::path::Path;

use serde_json::{Map, Value, json};
use toml_edit::{DocumentMut, Item};

/// One request with its policies, and the answer.
#[derive(Debug)]
pub struct Vector {
    /// The name of the file, without its ending.
    pub file: String,
    /// The rule in words.
    pub name: String,
    /// The page that states it.
    pub page: String,
    /// The answer.
    pub expect: String,
    /// The action that settles it.
    pub at: Option<String>,
    /// Some policy is one that AWS would not take.
    pub lax: bool,
    /// Everything else.
    pub given: Map<String, Value>,
}

impl Vector {
    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).and_then(Value::as_str)
    }

    /// The elements of a list; none if it is not there.
    pub fn list(&self, name: &str) -> &[Value] {
        self.given.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }
}

/// All that a vector may say.
const KNOWN: [&str; 20] = [
    "absent",
    "action",
    "boundary",
    "caller",
    "condition",
    "context",
    "grants",
    "groups",
    "identity",
    "key",
    "key_tags",
    "partial",
    "rcp",
    "resource",
    "resource_policy",
    "scp",
    "session",
    "trust",
    "version",
    "page",
];

/// Reads the vectors of a file.
pub fn read(path: &Path) -> Vec<Vector> {
    let text = std::fs::read_to_string(path).expect("a file of vectors");
    let document: DocumentMut = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json = table(document.as_item());
    let file = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
    let defaults = json.get("defaults").and_then(Value::as_object).cloned().unwrap_or_default();
    let vectors = json.get("vector").and_then(Value::as_array).cloned().unwrap_or_default();
    vectors.into_iter().map(|vector| one(&file, &defaults, vector)).collect()
}

fn one(file: &str, defaults: &Map<String, Value>, vector: Value) -> Vector {
    let mut given = defaults.clone();
    given.extend(vector.as_object().cloned().expect("a table"));
    let mut take = |name: &str| given.shift_remove(name);
    let name = take("name").and_then(|name| Some(name.as_str()?.to_owned())).expect("a name");
    let mut text = |wanted: &str| take(wanted).and_then(|text| Some(text.as_str()?.to_owned()));
    let (expect, at) = (text("expect").unwrap_or_else(|| panic!("{name}: no `expect`")), text("at"));
    let lax = take("lax") == Some(Value::Bool(true));
    for key in given.keys() {
        assert!(KNOWN.contains(&key.as_str()), "{file}: {name}: `{key}` means nothing");
    }
    let page = given.get("page").and_then(Value::as_str).unwrap_or_default().to_owned();
    Vector { file: file.to_owned(), name, page, expect, at, lax, given }
}

/// TOML as JSON.
fn table(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => scalar(value),
        Item::Table(table) => {
            Value::Object(table.iter().map(|(key, item)| (key.to_owned(), self::table(item))).collect())
        }
        Item::ArrayOfTables(tables) => {
            let one = |table: &toml_edit::Table| self::table(&Item::Table(table.clone()));
            Value::Array(tables.iter().map(one).collect())
        }
    }
}

fn scalar(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => json!(text.value()),
        toml_edit::Value::Integer(number) => json!(number.value()),
        toml_edit::Value::Float(number) => json!(number.value()),
        toml_edit::Value::Boolean(flag) => json!(flag.value()),
        toml_edit::Value::Datetime(time) => json!(time.to_string()),
        toml_edit::Value::Array(array) => Value::Array(array.iter().map(scalar).collect()),
        toml_edit::Value::InlineTable(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.to_owned(), scalar(value))).collect())
        }
    }
}
