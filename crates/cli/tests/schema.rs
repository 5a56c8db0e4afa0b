//! The JSON Schema: the one that is checked in is that of the program, the examples keep to it, and mistakes do not.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};
use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::stack::Stack;

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn generated() -> String {
    Stack::empty().run(&["schema"]).out
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft7::new(&serde_json::from_str(&generated()).unwrap()).unwrap()
}

fn value(value: &Value) -> Json {
    match value {
        Value::String(text) => json!(text.value()),
        Value::Integer(number) => json!(number.value()),
        Value::Float(number) => json!(number.value()),
        Value::Boolean(truth) => json!(truth.value()),
        Value::Datetime(time) => json!(time.value().to_string()),
        Value::Array(elements) => elements.iter().map(self::value).collect(),
        Value::InlineTable(inside) => table(inside),
    }
}

fn table(inside: &dyn TableLike) -> Json {
    let item = |item: &Item| match item {
        Item::None => Json::Null,
        Item::Value(inner) => value(inner),
        Item::Table(inner) => table(inner),
        Item::ArrayOfTables(all) => all.iter().map(|inner| table(inner)).collect(),
    };
    Json::Object(inside.iter().map(|(name, inner)| (name.to_owned(), item(inner))).collect::<Map<_, _>>())
}

fn read(text: &str) -> Json {
    table(text.parse::<DocumentMut>().unwrap().as_table())
}

#[test]
fn the_schema_that_is_checked_in_is_up_to_date() {
    let path = home().join("schema/terrane.schema.json");
    let wanted = generated();
    if std::env::var_os("TERRANE_UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &wanted).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap();
    assert!(there == wanted, "`terrane schema > schema/terrane.schema.json` writes it anew");
}

#[test]
fn the_schema_is_a_schema() {
    let schema: Json = serde_json::from_str(&generated()).unwrap();
    assert!(jsonschema::draft7::meta::is_valid(&schema));
}

#[test]
fn examples_name_the_schema_and_keep_to_it() {
    let validator = validator();
    let mut seen = 0;
    for example in fs::read_dir(home().join("examples")).unwrap().map(|entry| entry.unwrap().path()) {
        let spec = example.join("terrane.toml");
        let Ok(text) = fs::read_to_string(&spec) else { continue };
        seen += 1;
        let first = text.lines().next().unwrap_or_default();
        let named =
            first.strip_prefix("#:schema ").unwrap_or_else(|| panic!("{}: no schema", spec.display()));
        assert!(example.join(named).is_file(), "{named}");
        let errors: Vec<String> = validator
            .iter_errors(&read(&text))
            .map(|error| format!("{}: {error}", error.instance_path))
            .collect();
        assert!(errors.is_empty(), "{}\n{}", spec.display(), errors.join("\n"));
    }
    assert!(seen > 0);
}

#[test]
fn what_is_right_and_wrong_by_the_schema() {
    let validator = validator();
    let table = |arguments: &str| format!("[resource.aws_dynamodb_table.t]\nname = 'abc'\n{arguments}\n");
    for right in [
        table("hash_key = 'a'\nbilling_mode = 'PAY_PER_REQUEST'\nattribute = [{ name = 'a', type = 'S' }]"),
        table("hash_key = 'a'\nattribute = { name = 'a', type = 'S' }"),
        table("hash_key = 'a'\nattribute = '${local.all}'\nread_capacity = '${var.n}'\ncount = '${var.n}'"),
        table("billing_mode = '${var.mode}'\nread_capacity = '5'"),
        "[locals]\na = 1\n[output.a]\nvalue = '${local.a}'\n".to_owned(),
        "[module.m]\nsource = './m'\nanything = 1\n".to_owned(),
        "[provider.aws]\nregion = 'eu-west-3'\n".to_owned(),
        "[[provider.aws]]\nalias = 'b'\n[[provider.aws]]\n".to_owned(),
        "[resource.terraform_data.x]\ninput = { any = [1, 'x'] }\n".to_owned(),
    ] {
        assert!(validator.is_valid(&read(&right)), "{right}");
    }
    for wrong in [
        table("billing_mode = 'FREE'"),
        table("arn = 'x'"),
        table("read_capacty = 1"),
        table("attribute = [{ name = 'a' }]"),
        table("read_capacity = true"),
        "[resource.aws_dynamodb_table.t]\nhash_key = 'a'\n".to_owned(),
        "[resource.aws_kms_key.t]\ndeletion_window_in_days = 3\n".to_owned(),
        "[resource.aws_nothing.t]\n".to_owned(),
        "[outputs.x]\nvalue = 1\n".to_owned(),
        "[output.x]\n".to_owned(),
        "[module.m]\n".to_owned(),
        "[[moved]]\nfrom = 'a.b'\n".to_owned(),
        "[resource.terraform_data.x.lifecycle]\nprevent_destroy = 'maybe'\n".to_owned(),
    ] {
        assert!(!validator.is_valid(&read(&wrong)), "{wrong}");
    }
}
