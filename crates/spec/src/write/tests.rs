use std::collections::BTreeMap;

use proptest::prelude::*;
use terrane_model::schema::{Nesting, NormalForm, block, nested, optional};
use terrane_model::{Diagnostics, Mode, Type};

use super::*;
use crate::constant::constant;

static DOCUMENT: NormalForm =
    NormalForm { kind: FormKind::Policy, equivalent: |a, b| a == b, normalise: str::to_owned };

fn schema() -> Schema {
    let inner = || block([optional("enabled", Type::Bool), optional("size", Type::Number)], []);
    let deep = block([optional("name", Type::String)], [nested("inner", Nesting::List, inner()).max(1)]);
    let attributes = [
        optional("names", Type::set(Type::String)),
        optional("policy", Type::String).form(&DOCUMENT),
        optional("secret", Type::String),
        optional("size", Type::Number),
        optional("tags", Type::map(Type::String)),
        optional("text", Type::String),
    ];
    let blocks = [nested("many", Nesting::Set, deep), nested("one", Nesting::List, inner()).max(1)];
    Schema::new("fake_thing", Mode::Managed, "", block(attributes, blocks))
}

/// What a text says of the arguments of the one resource in it.
fn read_back(text: &str) -> Value {
    let parsed = crate::parse(vec![("terrane.toml".to_owned(), text.as_bytes().to_vec())]);
    assert_eq!(parsed.diagnostics(), [], "{text}");
    let resource = parsed.module().resources.values().next().unwrap();
    let mut found = Diagnostics::new();
    let value = constant(&resource.body, &mut found).unwrap();
    assert_eq!(found, [], "{text}");
    value
}

#[test]
fn a_resource_as_text() {
    let element = |name: &str| {
        let inner = Value::object([("enabled", Value::from(true)), ("size", Value::null(Type::Number))]);
        Value::object([("name", Value::from(name)), ("inner", Value::tuple([inner]))])
    };
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Resource":"arn:*:user/${aws:username}"}]}"#;
    let long = ["a", "b", "c"].map(|letter| Value::from(letter.repeat(30)));
    let arguments = Value::object([
        ("many", Value::tuple([element("x"), element("y")])),
        ("names", Value::tuple(long)),
        ("one", Value::tuple([Value::object([("enabled", Value::from(false))])])),
        ("policy", Value::from(policy)),
        ("secret", Value::from("hunter2").sensitive()),
        ("size", Value::from(7)),
        ("tags", Value::object([("a b", Value::from("100%{x}")), ("c", Value::from("\"\n'''"))])),
        ("text", Value::null(Type::String)),
    ]);
    let text = resource(&schema(), "it", Some("aws.paris"), &arguments).unwrap();
    let wanted = r#"[resource.fake_thing.it]
provider = "aws.paris"
names    = [
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
  "cccccccccccccccccccccccccccccc",
]
policy = '''
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Resource": "arn:*:user/$${aws:username}"
    }
  ]
}'''
# secret = (sensitive value, not written)
size = 7
tags = { "a b" = "100%%{x}", c = "\"\n'''" }

[[resource.fake_thing.it.many]]
name = "x"

[resource.fake_thing.it.many.inner]
enabled = true

[[resource.fake_thing.it.many]]
name = "y"

[resource.fake_thing.it.many.inner]
enabled = true

[resource.fake_thing.it.one]
enabled = false
"#;
    assert_eq!(text, wanted);
    let said = read_back(&text);
    assert_eq!(said.get("tags"), arguments.get("tags"));
    assert_eq!(said.get("size"), Some(&Value::from(7)));
    assert!(said.get("policy").unwrap().as_str().unwrap().ends_with("user/${aws:username}\"\n    }\n  ]\n}"));
}

#[test]
fn a_document_that_a_literal_cannot_hold_is_one_line() {
    let policy = Value::from("{\"a\":\"'''\"}");
    let arguments = Value::object([("policy", policy.clone())]);
    let text = resource(&schema(), "it", None, &arguments).unwrap();
    assert_eq!(text, "[resource.fake_thing.it]\npolicy = \"{\\\"a\\\":\\\"'''\\\"}\"\n");
    assert_eq!(read_back(&text).get("policy"), Some(&policy));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        text in any::<String>(),
        tags in proptest::collection::btree_map(any::<String>(), "[ -~\\$\\{\\}%\n]{0,12}", 0..4),
        size in any::<i64>(),
    ) {
        // All text is normalised, keys as well.
        let normal = |key: &str| Value::from(key).as_str().unwrap().to_owned();
        let entries: BTreeMap<String, Value> =
            tags.into_iter().map(|(k, v)| (normal(&k), Value::from(v))).collect();
        let tags = Value::object(entries.iter().map(|(k, v)| (k.as_str(), v.clone())));
        let arguments = Value::object([
            ("size", Value::from(size)),
            ("tags", tags.clone()),
            ("text", Value::from(text.as_str())),
        ]);
        let written = resource(&schema(), "it", None, &arguments).unwrap();
        let again = format(FileId(0), &written, Strings::Templates).unwrap();
        prop_assert_eq!(&again, &written);
        let said = read_back(&written);
        prop_assert_eq!(said.get("text"), arguments.get("text"));
        prop_assert_eq!(said.get("size"), arguments.get("size"));
        if !entries.is_empty() {
            prop_assert_eq!(said.get("tags"), Some(&tags));
        }
    }
}
