//! Trees as text: how a value before and after looks, by way of the writer.

use terrane_model::schema::{Block, Nesting, block, nested, optional};
use terrane_model::{Action, Path, Step, Type, Unknown, Value};

use super::block::compare_block;
use super::{Forced, compare};
use crate::render::paint::Paint;
use crate::render::tree_text::{Style, write, write_attribute};

fn shown(before: Option<Value>, after: Option<Value>) -> String {
    let tree = compare(before.as_ref(), after.as_ref(), &Forced::default());
    let mut out = String::new();
    write_attribute(&mut out, "x", 1, &tree, 0, Style::changes(Paint::default()));
    out
}

fn unknown() -> Value {
    Value::unknown_with(Unknown::not_null(Type::String))
}

fn texts<const N: usize>(texts: [&str; N]) -> Value {
    Value::list(Type::String, texts.map(Value::from))
}

#[test]
fn scalars() {
    assert_eq!(shown(None, Some(Value::from("a"))), "  + x = \"a\"\n");
    assert_eq!(shown(Some(Value::from("a")), None), "  - x = \"a\" -> null\n");
    assert_eq!(shown(Some(Value::from(1)), Some(Value::from(2))), "  ~ x = 1 -> 2\n");
    assert_eq!(shown(Some(Value::from("a")), Some(Value::from("a"))), "    x = \"a\"\n");
    assert_eq!(shown(Some(Value::from("a")), Some(unknown())), "  ~ x = \"a\" -> (known after apply)\n");
    assert_eq!(shown(None, Some(unknown())), "  + x = (known after apply)\n");
    let null = Value::null(Type::String);
    assert_eq!(shown(Some(Value::from("a")), Some(null)), "  ~ x = \"a\" -> null\n");
}

#[test]
fn secrets_are_never_shown() {
    let secret = |text: &str| Value::from(text).sensitive();
    assert_eq!(shown(None, Some(secret("hunter2"))), "  + x = (sensitive value)\n");
    assert_eq!(shown(Some(secret("a")), Some(secret("b"))), "  ~ x = (sensitive value)\n");
    assert_eq!(shown(Some(secret("a")), None), "  - x = (sensitive value) -> null\n");
    let marked = shown(Some(Value::from("hunter2")), Some(secret("hunter2")));
    assert!(!marked.contains("hunter2") && marked.contains("becomes sensitive"), "{marked}");
    assert!(marked.contains("stays as it is"), "{marked}");
    let inside = Value::object([("a", secret("hunter2")), ("b", Value::from(1))]);
    assert_eq!(shown(None, Some(inside)), "  + x = {\n      + a = (sensitive value)\n      + b = 1\n    }\n");
}

#[test]
fn a_list_shows_the_neighbours_of_what_changes() {
    let before = texts(["a", "b", "c", "d", "e", "f", "g"]);
    let after = texts(["a", "b", "c", "d", "E", "f", "g", "h"]);
    let text = r#"  ~ x = [
        # (3 unchanged elements hidden)
        "d",
      - "e",
      + "E",
        "f",
        "g",
      + "h",
    ]
"#;
    assert_eq!(shown(Some(before), Some(after)), text);
    let text = "  - x = [\n      - \"a\",\n    ] -> null\n";
    assert_eq!(shown(Some(texts(["a"])), None), text);
    assert_eq!(shown(Some(texts([])), None), "  - x = [] -> null\n");
}

#[test]
fn an_element_that_is_not_known_yet_takes_the_place_of_the_old_one() {
    let before = Value::tuple([Value::from("a"), Value::from("b")]);
    let after = Value::tuple([Value::from("a"), unknown()]);
    let text = "  ~ x = [\n        \"a\",\n      ~ \"b\" -> (known after apply),\n    ]\n";
    assert_eq!(shown(Some(before), Some(after)), text);
}

#[test]
fn sets_and_maps() {
    let set = |elements: Vec<&str>| Value::set(Type::String, elements.into_iter().map(Value::from));
    let text = "  ~ x = [\n      - \"b\",\n      + \"c\",\n        # (1 unchanged element hidden)\n    ]\n";
    assert_eq!(shown(Some(set(vec!["a", "b"])), Some(set(vec!["a", "c"]))), text);
    let map = |entries: Vec<(&str, &str)>| {
        Value::map(Type::String, entries.into_iter().map(|(k, v)| (k, Value::from(v))))
    };
    let text = "  ~ x = {\n      ~ \"Name\"  = \"a\" -> \"b\"\n      + \"Stage\" = \"test\"\n        \
                # (1 unchanged element hidden)\n    }\n";
    let before = map(vec![("Name", "a"), ("Team", "t")]);
    assert_eq!(shown(Some(before), Some(map(vec![("Name", "b"), ("Team", "t"), ("Stage", "test")]))), text);
}

#[test]
fn texts_of_several_lines_change_line_by_line() {
    let text = "  ~ x = <<-EOT\n        a\n      - b\n      + c\n    EOT\n";
    assert_eq!(shown(Some(Value::from("a\nb\n")), Some(Value::from("a\nc\n"))), text);
    assert_eq!(shown(None, Some(Value::from("a\nb"))), "  + x = <<-EOT\n        a\n        b\n    EOT\n");
}

#[test]
fn json_changes_by_what_it_says() {
    let before = Value::from(r#"{"Version":"1","Statement":[{"Action":["a","b"],"Sid":"s"}]}"#);
    let after = Value::from(r#"{"Version":"1","Statement":[{"Action":["a","b","c"],"Sid":"s"}]}"#);
    let text = r#"  ~ x = jsonencode(
      ~ {
          ~ Statement = [
              ~ {
                  ~ Action = [
                        # (1 unchanged element hidden)
                        "b",
                      + "c",
                    ]
                    # (1 unchanged attribute hidden)
                },
            ]
            # (1 unchanged attribute hidden)
        }
    )
"#;
    assert_eq!(shown(Some(before), Some(after)), text);
    let loose = shown(Some(Value::from(r#"{"a":1}"#)), Some(Value::from(r#"{ "a": 1 }"#)));
    assert!(loose.contains("# only the layout changes"), "{loose}");
    let text = "  + x = jsonencode(\n        {\n          + \"a:b\" = 1\n        }\n    )\n";
    assert_eq!(shown(None, Some(Value::from(r#"{"a:b":1}"#))), text);
    assert_eq!(shown(None, Some(Value::from("{no json"))), "  + x = \"{no json\"\n");
}

fn table() -> Block {
    let index = block([optional("name", Type::String), optional("size", Type::Number)], []);
    let sse = block([optional("enabled", Type::Bool), optional("kms_key_arn", Type::String)], []);
    block(
        [
            optional("arn", Type::String),
            optional("hash_key", Type::String),
            optional("id", Type::String),
            optional("label", Type::String),
            optional("tags", Type::map(Type::String)),
        ],
        [nested("index", Nesting::Set, index).identity(&["name"]), nested("sse", Nesting::List, sse).max(1)],
    )
}

fn object(fields: Vec<(&'static str, Value)>) -> Value {
    let Type::Object(types) = table().ty() else { unreachable!() };
    let nothing = types.iter().map(|(name, field)| {
        let absent = match &field.ty {
            Type::List(e) => Value::list(e.as_ref().clone(), []),
            Type::Set(e) => Value::set(e.as_ref().clone(), []),
            ty => Value::null(ty.clone()),
        };
        (name.clone(), absent)
    });
    fields.into_iter().fold(Value::object(nothing), |value, (name, field)| value.with(name, field))
}

fn index(name: &str, size: i64) -> Value {
    Value::object([("name", Value::from(name)), ("size", Value::number(size))])
}

fn indexes(elements: Vec<Value>) -> Value {
    Value::set(table().nested("index").unwrap().block.ty(), elements)
}

fn block_shown(before: Option<Value>, after: Option<Value>, forced: &[Path]) -> String {
    let tree = compare_block(&table(), before.as_ref(), after.as_ref(), &Forced::new(forced));
    let mut out = String::new();
    write(&mut out, &tree, 0, Style::changes(Paint::default()));
    out
}

#[test]
fn a_block_aligns_hides_and_counts() {
    let before = object(vec![
        ("arn", Value::from("arn")),
        ("hash_key", Value::from("Id")),
        ("id", Value::from("t")),
        ("label", Value::from("")),
        ("index", indexes(vec![index("a", 1), index("b", 2), index("c", 3)])),
    ]);
    let after = before
        .clone()
        .with("hash_key", Value::from("Key"))
        .with("index", indexes(vec![index("a", 1), index("b", 20), index("d", 4)]));
    let text = r#"{
      ~ hash_key = "Id" -> "Key" # forces replacement
        id       = "t"
        # (2 unchanged attributes hidden)

      ~ index {
            name = "b"
          ~ size = 2 -> 20
        }
      - index {
          - name = "c" -> null
          - size = 3 -> null
        }
      + index {
          + name = "d"
          + size = 4
        }

        # (1 unchanged block hidden)
    }"#;
    let text = text.replace("            name = \"b\"\n          ~ size = 2 -> 20\n", {
        "          ~ size = 2 -> 20\n            # (1 unchanged attribute hidden)\n"
    });
    assert_eq!(block_shown(Some(before), Some(after), &[Path::attribute("hash_key")]), text);
}

#[test]
fn an_empty_text_is_as_good_as_none() {
    let before = object(vec![("id", Value::from("t")), ("label", Value::from(""))]);
    let after = before.clone().with("label", Value::from("x")).with("arn", unknown());
    let text = "{\n      + arn   = (known after apply)\n        id    = \"t\"\n      + label = \"x\"\n    }";
    assert_eq!(block_shown(Some(before), Some(after), &[]), text);
}

#[test]
fn blocks_that_are_not_known_yet_and_blocks_that_force() {
    let sse = table().nested("sse").unwrap().ty();
    let after = object(vec![("id", unknown()), ("sse", Value::unknown(sse))]);
    let text = "{\n      + id = (known after apply)\n\n      + sse (known after apply)\n    }";
    assert_eq!(block_shown(None, Some(after), &[]), text);

    let old = index("a", 1);
    let before = object(vec![("index", indexes(vec![old.clone()]))]);
    let after = object(vec![("index", indexes(vec![index("a", 2)]))]);
    let whole = block_shown(Some(before.clone()), Some(after.clone()), &[Path::attribute("index")]);
    assert!(whole.contains("~ index { # forces replacement"), "{whole}");
    let path =
        Path::attribute("index").child(Step::Element(Box::new(old))).child(Step::Attribute("size".into()));
    let part = block_shown(Some(before), Some(after), &[path]);
    assert!(part.contains("~ size = 1 -> 2 # forces replacement"), "{part}");
}

#[test]
fn tags_are_shown_whole() {
    let tags = |entries: Vec<(&'static str, &'static str)>| {
        Value::map(Type::String, entries.into_iter().map(|(k, v)| (k, Value::from(v))))
    };
    let before = object(vec![("tags", tags(vec![("A", "1")]))]);
    let after = object(vec![("tags", tags(vec![("A", "1"), ("B", "2")]))]);
    let text = "{\n      ~ tags = {\n            \"A\" = \"1\"\n          + \"B\" = \"2\"\n        }\n    }";
    assert_eq!(block_shown(Some(before), Some(after), &[]), text);
}

#[test]
fn a_value_that_was_never_known_ends() {
    let unknown = Value::unknown(Type::String);
    let gone = compare(Some(&unknown), None, &Forced::default());
    assert_eq!(gone.action, Action::Delete);
    assert_eq!(compare(Some(&unknown), Some(&unknown), &Forced::default()).action, Action::Update);
}
