//! The reader against its own rules, and against another reader of the same format.

use proptest::prelude::*;
use terrane_model::{FileId, Sources};

use super::{Content, Node, Table, Text, read};

fn file() -> FileId {
    let mut sources = Sources::default();
    sources.add("a.toml", "")
}

/// The messages of a text, each as `underlined text: detail`.
fn errors(text: &str) -> Vec<String> {
    let (_, found) = read(file(), text);
    found
        .iter()
        .map(|d| {
            let span = d.span.unwrap();
            format!("{}: {}", &text[span.start as usize..span.end as usize], d.detail)
        })
        .collect()
}

fn only_text(text: &str) -> Text {
    let (table, found) = read(file(), text);
    assert_eq!(found, []);
    match &table.get("a").unwrap().node.content {
        Content::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_error_of_a_file_is_found() {
    let text = "a = \nb = 1 2\nz = var.x\n[c\n[d]\nx = 'open\ny = \"\\q\"\n[d]\n";
    assert_eq!(
        errors(text),
        [
            ": The value is missing.",
            "1 2: `1 2` is no number. A text needs quotes.",
            "var.x: `var.x` needs quotes: `\"var.x\"` as a text, `\"${var.x}\"` as an expression.",
            ": Unclosed table; expected `]`.",
            ": Invalid literal string; expected `'`.",
            ": Missing escaped value; expected `b`, `e`, `f`, `n`, `r`, `\\`, `\"`, `x`, `u` or `U`.",
            "d: `d` is already defined, as a table. TOML allows each key once.",
        ]
    );
}

#[test]
fn a_clash_names_both_places() {
    let text = "[a]\nb.c = 1\n[a.b]\n";
    let (_, found) = read(file(), text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, "duplicate-key");
    assert_eq!(found[0].related[0].0.start, 4, "b of line 2");
}

#[test]
fn tables_are_extended_by_the_rules() {
    for good in [
        "[a.b]\nx=1\n[a]\ny=1\n",
        "[a.b.c]\n[a.b]\n",
        "a.b=1\na.c=2\n[a.d]\n",
        "[[a]]\n[a.b]\n[[a]]\n[a.b]\n",
        "a = {b.c = 1, b.d = 2}\n",
        "a = {\n b = 1, # comment\n c = [1,\n],\n}\n",
    ] {
        assert_eq!(errors(good), [] as [&str; 0], "{good}");
    }
    for bad in [
        "[a]\n[a]\n",
        "a.b=1\n[a]\n",
        "a={}\n[a.b]\n",
        "a={}\na.b=1\n",
        "a=[]\n[[a]]\n",
        "a=[{}]\n[a.b]\n",
        "[a.b]\n[a]\nb.c=1\n",
        "[[a]]\n[a]\n",
        "[a]\n[[a]]\n",
        "a={b={}, b.c=1}\n",
        "a=1\na=2\n",
    ] {
        assert_ne!(errors(bad), [] as [&str; 0], "{bad}");
    }
}

#[test]
fn numbers_are_exact_or_refused() {
    let show = |text: &str| match read(file(), &format!("a = {text}")) {
        (table, found) if found.is_empty() => match &table.get("a").unwrap().node.content {
            Content::Number(n) => n.to_string(),
            other => other.describe().to_owned(),
        },
        (_, found) => format!("error: {}", found[0].detail),
    };
    assert_eq!(show("0.1"), "0.1");
    assert_eq!(show("1_000"), "1000");
    assert_eq!(show("+7"), "7");
    assert_eq!(show("0xff"), "255");
    assert_eq!(show("123456789012345678901234567890"), "123456789012345678901234567890");
    assert_eq!(show("1e3"), "1000");
    assert_eq!(show("-0.0"), "0");
    assert_eq!(show("1e999999999"), "error: Floating-point number out of range.");
    assert_eq!(show("1e-999999999"), "error: Floating-point number out of range.");
    assert_eq!(show("inf"), "error: `inf` and `nan` have no meaning in a spec.");
    assert_eq!(show(&"9".repeat(100_000)), "error: Number too long.");
    assert_eq!(show("2026-02-30"), "error: No such date or time.");
    assert_eq!(show("2026-02-28T10:00:00Z"), "a date or time");
}

#[test]
fn deep_nesting_is_refused_everywhere() {
    let cases = [
        format!("a = {}", "[".repeat(200_000)),
        format!("a = {}{}", "[".repeat(5000), "]".repeat(5000)),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("a{} = 1", ".a".repeat(100_000)),
        format!("[a{}]\n", ".a".repeat(100_000)),
        format!("a = {}1{}", "{a.a.a.a.a.a.a.a = ".repeat(20), "}".repeat(20)),
    ];
    for text in cases {
        let (_, found) = read(file(), &text);
        assert!(found.iter().any(|d| d.code == "nested-too-deeply"), "{}", &text[..20]);
        assert!(found.len() <= 150);
    }
}

#[test]
fn a_place_in_a_string_leads_back_to_the_file() {
    let text = r#"a = "tab\t-é\u00e9\\ ${x}""#;
    let value = only_text(text);
    assert_eq!(&*value.decoded, "tab\t-éé\\ ${x}");
    let at = value.decoded.find("${x}").unwrap();
    let place = value.origin().span(at, at + 4);
    assert_eq!(&text[place.start as usize..place.end as usize], "${x}");

    let text = "a = \"\"\"\nfirst \\\n   second ${x}\n\"\"\"";
    let value = only_text(text);
    assert_eq!(&*value.decoded, "first second ${x}\n");
    let place = value.origin().span(6, 12);
    assert_eq!(&text[place.start as usize..place.end as usize], "second");

    let text = "a = '''\r\n${x}'''";
    let value = only_text(text);
    let place = value.origin().span(2, 3);
    assert_eq!(&text[place.start as usize..place.end as usize], "x");
}

#[test]
fn reading_takes_linear_time() {
    let line = "[resource.t.n0000]\nx = { a = [1, 2], b = \"${c}\" }\n[[resource.t.n0000.b]]\n";
    let text: String = (0..20_000).map(|i| line.replace("0000", &i.to_string())).collect();
    let start = std::time::Instant::now();
    let (table, found) = read(file(), &text);
    assert_eq!(found, []);
    assert_eq!(table.entries.len(), 1);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

/// A value in one notation for both readers.
fn ours(node: &Node) -> String {
    match &node.content {
        Content::Text(text) => format!("{:?}", text.decoded),
        Content::Number(n) => n.to_string(),
        Content::Bool(b) => b.to_string(),
        Content::Datetime(text) => text.to_string(),
        Content::Array(all) | Content::Tables(all) => {
            format!("[{}]", all.iter().map(ours).collect::<Vec<_>>().join(", "))
        }
        Content::Table(table) => our_table(table),
        Content::Broken => "broken".into(),
    }
}

fn our_table(table: &Table) -> String {
    let all: Vec<String> = table.entries.iter().map(|(k, e)| format!("{k:?}={}", ours(&e.node))).collect();
    format!("{{{}}}", all.join(", "))
}

fn theirs(item: &toml_edit::Item) -> String {
    use toml_edit::{Item, Value};
    let table = |entries: Vec<(&str, String)>| {
        let mut all: Vec<String> = entries.into_iter().map(|(k, v)| format!("{k:?}={v}")).collect();
        all.sort();
        format!("{{{}}}", all.join(", "))
    };
    match item {
        Item::None => "none".into(),
        Item::Value(Value::String(s)) => format!("{:?}", s.value()),
        Item::Value(Value::Integer(n)) => n.value().to_string(),
        Item::Value(Value::Float(n)) => n.value().to_string(),
        Item::Value(Value::Boolean(b)) => b.value().to_string(),
        Item::Value(Value::Datetime(d)) => d.value().to_string(),
        Item::Value(Value::Array(all)) => {
            let all: Vec<String> = all.iter().map(|v| theirs(&Item::Value(v.clone()))).collect();
            format!("[{}]", all.join(", "))
        }
        Item::Value(Value::InlineTable(t)) => {
            table(t.iter().map(|(k, v)| (k, theirs(&Item::Value(v.clone())))).collect())
        }
        Item::Table(t) => table(t.iter().map(|(k, v)| (k, theirs(v))).collect()),
        Item::ArrayOfTables(all) => {
            let all: Vec<String> = all.iter().map(|t| theirs(&Item::Table(t.clone()))).collect();
            format!("[{}]", all.join(", "))
        }
    }
}

fn piece() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec!["a", "b", "c", "a.b", "b.a", "a.b.c", "\"a\"", "'b'", "c.a"]);
    let value = prop::sample::select(vec![
        "1",
        "true",
        "\"s\"",
        "'s'",
        "{}",
        "{ a = 1 }",
        "{ a.b = 1, a.c = 2 }",
        "{ a = {}, a.b = 1 }",
        "[]",
        "[1, [2]]",
        "[{ b = 1 }]",
        "\"\\u00e9\\t\"",
        "\"\"\"\n x \\\n  y\"\"\"",
        "'''z'''",
        "2026-01-01",
        "0.5",
        "\"\\x41\"",
        "[1,\n 2,\n]",
        "{\n a = 1,\n}",
        "[1 2]",
        "{ a = 1 b = 2 }",
        "\"open",
    ]);
    prop_oneof![
        4 => (key.clone(), value).prop_map(|(k, v)| format!("{k} = {v}\n")),
        2 => key.clone().prop_map(|k| format!("[{k}]\n")),
        1 => key.prop_map(|k| format!("[[{k}]]\n")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn agrees_with_the_editing_reader(pieces in prop::collection::vec(piece(), 0..7)) {
        let text = pieces.concat();
        let (table, found) = read(file(), &text);
        match toml_edit::Document::parse(text.as_str()) {
            // It lets a dotted key go on in an array of tables, which the format forbids.
            Ok(_) if found.iter().any(|d| d.detail.contains("as an array of tables")) => {}
            Ok(document) => {
                prop_assert_eq!(&found, &[], "{}", text);
                prop_assert_eq!(our_table(&table), theirs(document.as_item()), "{}", text);
            }
            Err(error) => prop_assert!(!found.is_empty(), "{}\n{}", text, error),
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,80}") {
        let _ = read(file(), &text);
    }

    #[test]
    fn no_soup_makes_it_panic(parts in prop::collection::vec(
        prop::sample::select(vec!["[", "]", "{", "}", "=", ".", ",", "\n", "\r\n", "\"", "'", "\"\"\"", "'''", "\\", "a", "1", "é", "#", " ", "\\u"]), 0..40)) {
        let text = parts.concat();
        let (_, found) = read(file(), &text);
        for diagnostic in found {
            let span = diagnostic.span.unwrap();
            prop_assert!(span.end as usize <= text.len());
        }
    }

    #[test]
    fn each_character_of_a_string_is_found_again(plain in "[a-zé]{0,6}", rest in prop::collection::vec(
        prop::sample::select(vec!["x", "\\n", "\\u00e9", "\\U0001F600", "é", "\\\\", "\\\n  ", "\n", "\\x41", "${"]), 0..12)) {
        let text = format!("a = \"\"\"{plain}{}\"\"\"", rest.concat());
        let value = only_text(&text);
        for (i, c) in value.decoded.char_indices() {
            let place = value.origin().span(i, i + c.len_utf8());
            let raw = &text[place.start as usize..place.end as usize];
            prop_assert!(raw.contains(c) || raw.contains('\\'), "{:?} at {} of {:?}", c, i, text);
        }
    }
}
