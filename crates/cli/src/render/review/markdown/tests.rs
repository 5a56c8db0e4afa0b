//! Comments of plans made by hand and at random: they fit, hide what is secret, and let nothing break out.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use terrane_model::{Address, Key, ResourceAddress, Value};
use terrane_plan::plan::Mode;
use terrane_plan::{Change, Drift, OutputChange, Plan};

use super::*;
use crate::render::plan_text::tests::{change, planned};
use crate::render::review::contents::{About, document};
use crate::session;

/// What must never be seen.
pub const SECRET: &str = "hunter2-is-no-password";

fn written(plan: &Plan, about: &About, room: usize) -> String {
    render(&document(plan, about, vec![], &session::catalog()), room)
}

fn data(input: Value) -> Value {
    let id = Value::from("00000000-0000-0000-0000-000000000000");
    Value::object([
        ("id", id),
        ("input", input.clone()),
        ("output", input),
        ("triggers_replace", Value::null(terrane_model::Type::Any)),
    ])
}

fn instance(key: &str) -> Address {
    ResourceAddress::managed("terraform_data", "a").instance(Some(Key::Name(key.into())))
}

fn one(key: &str, action: Action, before: Option<Value>, after: Option<Value>) -> Change {
    Change { address: instance(key), ..change("terraform_data.a", action, before.map(data), after.map(data)) }
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// The text outside of fences. Fails when a fence stays open, or when what is folded is not closed.
fn outside_of_fences(text: &str) -> Result<String, TestCaseError> {
    let mut fence: Option<usize> = None;
    let mut outside = String::new();
    for line in text.lines() {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            None => outside.push_str(&format!("{line}\n")),
            Some(open) if ticks >= open && line.chars().all(|c| c == '`') => fence = None,
            Some(_) => {}
        }
    }
    prop_assert_eq!(fence, None, "a fence stays open");
    prop_assert_eq!(count(&outside, "<details>"), count(&outside, "</details>"));
    Ok(outside)
}

/// As a renderer reads it: no links, no pictures, no headings and no HTML but ours.
fn nothing_breaks_out(text: &str, headings: usize) -> Result<(), TestCaseError> {
    let outside = outside_of_fences(text)?;
    let tags = regex::Regex::new(r"<[^>]*>").unwrap();
    for tag in tags.find_iter(&outside) {
        let ours = [
            "<details>",
            "</details>",
            "<summary>",
            "</summary>",
            "<code>",
            "</code>",
            "<b>",
            "</b>",
            "<sub>",
            "</sub>",
            "<br>",
            "<!-- -->",
        ];
        let known = ours.contains(&tag.as_str()) || tag.as_str().starts_with("<!-- terrane-plan");
        prop_assert!(known, "{}", tag.as_str());
    }
    let mut found = 0;
    let mut in_code = false;
    for event in
        Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM)
    {
        match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => {
                return Err(TestCaseError::fail(format!("a link: {event:?}")));
            }
            Event::Start(Tag::Heading { .. }) => found += 1,
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code => {
                let bytes = text.as_bytes();
                let mention =
                    bytes.windows(2).any(|w| matches!(w[0], b'@' | b'#') && w[1].is_ascii_alphanumeric());
                prop_assert!(!mention, "a mention: {text}");
                prop_assert!(!text.contains("://"), "a link: {text}");
            }
            _ => {}
        }
    }
    prop_assert_eq!(found, headings, "{}", text);
    Ok(())
}

#[test]
fn what_cannot_be_undone_comes_first() {
    let plan = planned(
        Mode::Normal,
        vec![
            one("a", Action::Create, None, Some(Value::from(1))),
            one("b", Action::Update, Some(Value::from(1)), Some(Value::from(2))),
            one("c", Action::Delete, Some(Value::from(1)), None),
            one("d", Action::NoOp, Some(Value::from(1)), Some(Value::from(1))),
        ],
    );
    let text = written(&plan, &About::default(), ROOM);
    assert!(
        text.starts_with(
            "<!-- terrane-plan -->\n### Terrane plan\n\n**Plan: 1 to add, 1 to change, 1 to destroy.**\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("> [!CAUTION]\n> <b>1 </b>object is destroyed: `terraform_data.a[\"c\"]`\n"),
        "{text}"
    );
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| 🔴") || line.starts_with("| 🟡") || line.starts_with("| 🟢"))
        .collect();
    assert_eq!(
        rows,
        [
            "| 🔴 **destroy** | `terraform_data.a[\"c\"]` |  |",
            "| 🟡 update | `terraform_data.a[\"b\"]` | `input`, `output` |",
            "| 🟢 create | `terraform_data.a[\"a\"]` |  |",
        ]
    );
    assert!(text.contains("\n!   input  = 1 -> 2\n"), "{text}");
    assert_eq!(count(&text, "a[\"d\"]"), 0);
}

#[test]
fn what_goes_with_an_object_is_said() {
    let gone = change("aws_kms_key.k", Action::Delete, None, None);
    let replaced = change("aws_dynamodb_table.t", Action::DeleteThenCreate, None, None);
    let text = written(&planned(Mode::Normal, vec![replaced, gone]), &About::default(), ROOM);
    assert!(text.contains("The items of a table go with it."), "{text}");
    assert!(text.contains("What a key has encrypted can't be read any more"), "{text}");
}

#[test]
fn what_does_not_fit_is_left_out_whole_and_named() {
    let text_of = |size: usize| Value::from("x".repeat(size));
    let mut changes: Vec<Change> =
        (0..400).map(|i| one(&format!("new-{i}"), Action::Create, None, Some(text_of(300)))).collect();
    changes.push(one("gone", Action::Delete, Some(text_of(300)), None));
    changes.push(one("huge", Action::Update, Some(text_of(10)), Some(text_of(70_000))));
    let plan = planned(Mode::Normal, changes);
    let about = About { file: Some("plan.tfplan".into()), ..About::default() };
    let text = written(&plan, &about, ROOM);
    assert!(size(&text) <= ROOM, "{}", size(&text));
    assert!(size(&text) > ROOM * 9 / 10, "{}", size(&text));
    assert!(text.contains("> **Shortened:** "), "{text}");
    assert!(text.contains("`terrane show plan.tfplan` shows it."), "{text}");
    assert!(text.contains("are left out here: `terraform_data.a[\"huge\"] (update)`, "), "{text}");
    // The deletion is there with its details, though it is the last of them all by name.
    let gone = format!("{}</summary>", html_code("terraform_data.a[\"gone\"]"));
    assert_eq!(count(&text, &gone), 1);
    let outside = outside_of_fences(&text).unwrap();
    assert!(count(&outside, "<details>") < 400);
}

#[test]
fn a_move_says_where_the_object_was() {
    let moved = Change {
        previous_address: Some("terraform_data.was".parse().unwrap()),
        ..one("now", Action::NoOp, Some(Value::from("x")), Some(Value::from("x")))
    };
    let stays = one("stays", Action::NoOp, None, None);
    let text = written(&planned(Mode::Normal, vec![moved, stays]), &About::default(), ROOM);
    assert!(text.contains("| ⚪ move | `terraform_data.a[\"now\"]` | from `terraform_data.was` |"), "{text}");
    assert!(!text.contains("stays"), "{text}");
}

#[test]
fn with_hardly_any_room_the_head_is_left() {
    let all = (0..50).map(|i| one(&format!("{i}"), Action::Create, None, Some(Value::from("x")))).collect();
    let text = written(&planned(Mode::Normal, all), &About::default(), 0);
    assert!(text.contains("**Plan: 50 to add, 0 to change, 0 to destroy.**"), "{text}");
    assert!(!text.contains("| 🟢"), "{text}");
}

#[test]
fn secrets_are_hidden_wherever_they_are() {
    let secret = || Value::tuple([Value::from(SECRET).sensitive(), Value::from("seen")]);
    let mut plan = planned(
        Mode::Normal,
        vec![
            one("a", Action::Create, None, Some(secret())),
            one("b", Action::Update, Some(secret()), Some(Value::from(SECRET).sensitive())),
            one("c", Action::Delete, Some(secret()), None),
        ],
    );
    plan.drift.push(Drift {
        previous_address: None,
        address: instance("b"),
        before: data(Value::from(1)),
        after: Some(data(secret())),
    });
    let output = OutputChange { before: None, after: Some(Value::from(SECRET)), sensitive: true };
    plan.outputs.insert("o".into(), output);
    let text = written(&plan, &About::default(), ROOM);
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("(sensitive value)") && text.contains("seen"), "{text}");
}

#[test]
fn the_marker_is_a_comment_whatever_the_title_is() {
    assert_eq!(marker(""), "<!-- terrane-plan -->");
    assert_eq!(marker("prod/eu"), "<!-- terrane-plan prod/eu -->");
    assert_eq!(marker("a --> <b> --"), "<!-- terrane-plan a-b -->");
}

/// Text that tries to break out of something.
pub fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "```",
        "````````",
        "`",
        "|",
        "\n",
        "\r\n",
        "<b>",
        "</details>",
        "<!--",
        "-->",
        "@octocat",
        "#1",
        "https://evil.example",
        "www.evil.example",
        "[x](http://y)",
        "![i](j)",
        "# h",
        "- ",
        "1. ",
        "\\",
        "&lt;",
        "    ",
        "\u{202e}",
        "\u{1b}[2J",
        "é",
        "🦀",
        "*",
        "_",
        "~~",
        "$x$",
        "{",
        "}",
        "\"",
        "'",
        "x",
        "<https://a.b>",
        "a@b.c",
        "=====",
        "---",
        "\t",
        "<script>alert(1)</script>",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        hostile().prop_map(Value::from),
        Just(Value::from(SECRET).sensitive()),
        any::<i64>().prop_map(Value::number),
        Just(Value::unknown(terrane_model::Type::String)),
        hostile().prop_map(|text| Value::from(serde_json::json!({ text.clone(): [text] }).to_string())),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
            proptest::collection::vec((hostile(), inner), 0..4).prop_map(Value::object),
        ]
    })
}

/// Changes of every kind, with such texts wherever users can write.
pub fn changes() -> impl Strategy<Value = Vec<Change>> {
    let action = proptest::sample::select(vec![
        Action::Create,
        Action::Update,
        Action::Delete,
        Action::DeleteThenCreate,
        Action::CreateThenDelete,
        Action::Forget,
    ]);
    let change = (hostile(), action, value(), value()).prop_map(|(key, action, before, after)| {
        let before = (action != Action::Create).then_some(before);
        let after = (!matches!(action, Action::Delete | Action::Forget)).then_some(after);
        one(&key, action, before, after)
    });
    proptest::collection::vec(change, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn nothing_that_users_write_breaks_out(
        changes in changes(),
        texts in proptest::collection::vec(hostile(), 4),
        output in value(),
        room in prop_oneof![Just(ROOM), 6_000usize..20_000],
    ) {
        let mut plan = planned(Mode::Normal, changes);
        plan.workspace = texts[0].clone().into();
        let output = OutputChange { before: None, after: Some(output), sensitive: false };
        plan.outputs.insert(texts[1].clone().into(), output);
        let about = About {
            title: Some(texts[0].clone()),
            file: Some(texts[1].clone()),
            digest: Some("0".repeat(64)),
            program: texts[2].clone(),
            created: texts[3].clone(),
            warnings: vec![texts[2].clone(), texts[3].clone()],
        };
        let document = document(&plan, &about, vec![], &session::catalog());
        let text = render(&document, room);
        prop_assert!(size(&text) <= room, "{} of {}", size(&text), room);
        prop_assert!(!text.contains(SECRET));
        nothing_breaks_out(&text, document.sections.len() + 1)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn huge_plans_fit(count in 500usize..1_500, length in 1usize..1_000, text in hostile()) {
        let text = format!("{text}{}", "é".repeat(length));
        let changes = (0..count)
            .map(|i| one(&format!("{text}{i}"), Action::Create, None, (i % 50 == 0).then(|| Value::from(text.as_str()))))
            .collect();
        let written = written(&planned(Mode::Normal, changes), &About::default(), ROOM);
        prop_assert!(size(&written) <= ROOM);
        nothing_breaks_out(&written, 3)?;
    }
}
