//! Whatever comes in, it is converted or refused: nothing panics, and what comes out is a laid out spec.

use proptest::prelude::*;
use terrane_model::FileId;
use terrane_spec::format::{Strings, format};

const PIECES: [&str; 44] = [
    "resource",
    "\"a\"",
    "b",
    "{",
    "}",
    "\n",
    "=",
    "\"",
    "${",
    "%{",
    "}",
    "$${",
    "<<-E\n",
    "E\n",
    "if",
    "~",
    "#",
    "//",
    "/*",
    "*/",
    "[",
    "]",
    "(",
    ")",
    ",",
    "1",
    "1.5",
    "-",
    "null",
    "true",
    ".",
    "?",
    ":",
    "for",
    "in",
    "=>",
    "...",
    "locals {\n",
    "  x = ",
    "}\n",
    "é",
    "\\n",
    "'''",
    "\"\"\"",
];

/// Files that are right, with everything that may stand in them.
fn right() -> impl Strategy<Value = String> {
    let name = "[a-c]{1,2}";
    let scalar = prop_oneof![
        Just("1".to_owned()),
        Just("-2.5".to_owned()),
        Just("null".to_owned()),
        Just("\"x\"".to_owned()),
        Just("\"a ${b.c} \\\"q\\\" '\"".to_owned()),
        Just("d.e[0]".to_owned()),
        Just("f(\"x\", [1])".to_owned()),
        Just("<<-E\n    a\n      ${b.c}\n  E\n".to_owned()),
        Just("{ for k, v in b.c : k => v }".to_owned()),
    ];
    let value = scalar.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|all| {
                let all: Vec<_> = all.into_iter().filter(|v| !v.starts_with("<<")).collect();
                format!("[\n  # c\n  {}]", all.iter().map(|v| format!("{v}, // d\n")).collect::<String>())
            }),
            prop::collection::btree_map("[a-d]{1,2}|\"[x ]{1,2}\"|\\(e\\)", inner, 0..4).prop_map(|all| {
                let items = all.iter().map(|(k, v)| format!("  # {k}\n  {k} = {v}\n"));
                format!("{{\n{}}}", items.collect::<String>())
            }),
        ]
    });
    let attributes = prop::collection::btree_map("[g-k]", value, 0..5).prop_map(|all| {
        let lines =
            all.iter().map(|(k, v)| format!("  {k} = {v}{}", if v.ends_with('\n') { "" } else { " # z\n" }));
        lines.collect::<String>()
    });
    let inner = (name, attributes.clone()).prop_map(|(name, body)| format!("  {name} {{\n{body}  }}\n"));
    let block = (name, prop::collection::vec(inner, 0..3), attributes).prop_map(|(name, inner, body)| {
        format!("# about\nmodule \"{name}\" {{ # open\n{body}{}  # last\n}}\n", inner.concat())
    });
    prop::collection::vec(block, 0..4).prop_map(|blocks| blocks.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40)) {
        let text = pieces.concat();
        for convert in [terrane_convert::hcl, terrane_convert::json, terrane_convert::variables, terrane_convert::variables_json] {
            if let Ok(converted) = convert(FileId(0), &text) {
                prop_assert!(!converted.text.contains('\r'));
            }
        }
    }

    #[test]
    fn what_is_right_is_converted_and_keeps_its_comments(text in right()) {
        let Ok(converted) = terrane_convert::hcl(FileId(0), &text) else {
            // The same module twice.
            let names: Vec<_> = text.lines().filter(|line| line.starts_with("module")).collect();
            let once: std::collections::BTreeSet<_> = names.iter().collect();
            prop_assert!(once.len() < names.len(), "{text}\n{:?}", terrane_convert::hcl(FileId(0), &text));
            return Ok(());
        };
        prop_assert_eq!(&format(FileId(0), &converted.text, Strings::Templates).unwrap(), &converted.text);
        for comment in ["about", "open", "last"] {
            prop_assert_eq!(
                converted.text.matches(&format!("# {comment}")).count(),
                text.matches(&format!("# {comment}")).count(),
                "{}\n{}", text, converted.text
            );
        }
    }
}
