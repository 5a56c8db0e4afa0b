//! Laws of texts: reading, equivalence, normal form, difference, rendering. No text makes anything panic.

use proptest::prelude::*;
use serde_json::{Value, json};
use terrane_iam::*;

use crate::world::{document, statement};

/// A document as JSON text.
fn written(document: &Document, single_as_text: bool) -> String {
    let list = |list: &Vec<String>| match list.as_slice() {
        [single] if single_as_text => json!(single),
        list => json!(list),
    };
    let principals = |principals: &Vec<Principal>| {
        let mut kinds = serde_json::Map::new();
        for principal in principals {
            let kind = if principal.kind == "*" { "AWS" } else { &principal.kind };
            let values = kinds.entry(kind).or_insert_with(|| json!([]));
            values.as_array_mut().expect("a list").push(json!(principal.value));
        }
        Value::Object(kinds)
    };
    let statements: Vec<Value> = document
        .statements
        .iter()
        .map(|statement| {
            let mut object = serde_json::Map::new();
            object.insert("Effect".into(), json!(statement.effect.as_str()));
            for (name, texts) in [
                ("Action", &statement.actions),
                ("NotAction", &statement.not_actions),
                ("Resource", &statement.resources),
                ("NotResource", &statement.not_resources),
            ] {
                object.extend(texts.iter().map(|texts| (name.to_owned(), list(texts))));
            }
            for (name, of) in
                [("Principal", &statement.principals), ("NotPrincipal", &statement.not_principals)]
            {
                object.extend(of.iter().map(|of| (name.to_owned(), principals(of))));
            }
            if !statement.conditions.is_empty() {
                let mut operators = serde_json::Map::new();
                for condition in &statement.conditions {
                    let keys = operators.entry(&condition.operator).or_insert_with(|| json!({}));
                    keys.as_object_mut()
                        .expect("an object")
                        .insert(condition.key.clone(), list(&condition.values));
                }
                object.insert("Condition".into(), Value::Object(operators));
            }
            Value::Object(object)
        })
        .collect();
    json!({"Version": document.version, "Statement": statements}).to_string()
}

fn shuffled(document: &Document, by: usize) -> Document {
    let mut other = document.clone();
    if !other.statements.is_empty() {
        let by = by % other.statements.len();
        other.statements.rotate_left(by);
    }
    for statement in &mut other.statements {
        for list in [&mut statement.actions, &mut statement.resources, &mut statement.not_actions] {
            list.iter_mut().for_each(|list| list.reverse());
        }
        statement.principals.iter_mut().for_each(|list| list.reverse());
        statement.conditions.reverse();
    }
    other
}

/// JSON that looks like a policy here and there, and nonsense besides.
fn nearly_policy() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(|number| json!(number)),
        prop::sample::select(&[
            "*",
            "Allow",
            "Deny",
            "2012-10-17",
            "${",
            "${aws:x, 'y'}",
            "arn:::::",
            "\u{FFFF}"
        ])
        .prop_map(|text| json!(text)),
        any::<String>().prop_map(|text| json!(text)),
    ];
    let name = prop::sample::select(&[
        "Version",
        "Statement",
        "statement",
        "Effect",
        "Sid",
        "Action",
        "NotAction",
        "Resource",
        "Principal",
        "NotPrincipal",
        "Condition",
        "AWS",
        "StringLike",
        "Bool",
        "aws:x",
        "Id",
        "~/",
    ]);
    let value = scalar.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    });
    value.prop_map(|value| value.to_string())
}

/// Puts a text through everything that reads one.
fn read_by_all(text: &str) {
    let _ = validate(text, PolicyUse::Key);
    let _ = validate(text, PolicyUse::Managed);
    let _ = (canonical_json(text), version_first(text));
    assert_eq!(equivalent(text, text), equivalent(text, text));
    let input =
        PolicyInput { source_policy_documents: vec![Some(text.to_owned())], ..PolicyInput::default() };
    let _ = render(&input);
    if let Ok(document) = Document::parse(text) {
        assert_eq!(diff(&document, &document), []);
        let caller = Caller::User { arn: "arn:aws:iam::111111111111:user/ann".into(), user_id: None };
        let request = Request {
            caller: &caller,
            action: "s3:GetObject",
            resource: "arn:aws:s3:::b/k",
            context: Context::partial(),
        };
        let sources = PolicySources {
            identity: vec![NamedPolicy::new("own", &document)],
            resource: Some(NamedPolicy::new("bucket", &document)),
            ..PolicySources::default()
        };
        let _ = decide(&request, &sources).message();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_anything_panic(text in any::<String>()) {
        read_by_all(&text);
    }

    #[test]
    fn no_near_policy_makes_anything_panic(text in nearly_policy()) {
        read_by_all(&text);
    }

    #[test]
    fn no_cut_policy_makes_anything_panic(document in document(), at in 0_usize..400) {
        let text = written(&document, true);
        read_by_all(&text.chars().take(at).collect::<String>());
    }

    #[test]
    fn equivalence_is_reflexive_and_blind_to_order_and_shape(document in document(), by in 0_usize..4) {
        let text = written(&document, false);
        let other = written(&shuffled(&document, by), true);
        prop_assert!(equivalent(&text, &text));
        prop_assert!(equivalent(&text, &other), "{}\n{}", text, other);
        prop_assert!(equivalent(&other, &text));
        let canonical = canonical_json(&text).expect("canonical");
        prop_assert!(equivalent(&text, &canonical));
    }

    #[test]
    fn the_normal_forms_are_fixed_points(text in nearly_policy()) {
        let canonical = canonical_json(&text).expect("canonical");
        prop_assert_eq!(canonical_json(&canonical), Ok(canonical.clone()));
        let first = version_first(&text).expect("version first");
        prop_assert_eq!(version_first(&first), Ok(first.clone()));
        prop_assert_eq!(canonical_json(&first), Ok(canonical));
    }

    #[test]
    fn the_difference_is_what_was_done(document in document(), by in 0_usize..4, more in statement(Effect::Allow)) {
        let other = shuffled(&document, by);
        prop_assert_eq!(diff(&document, &other), []);
        let added = Statement { sid: Some("New".into()), index: other.statements.len(), ..more };
        let mut longer = other;
        longer.statements.push(added.clone());
        let known = document.statements.iter().any(|old| {
            let alone = |statement: &Statement| Document {
                statements: vec![Statement { sid: None, index: 0, ..statement.clone() }],
                ..Document::default()
            };
            !matches!(diff(&alone(old), &alone(&added)).as_slice(), [_, _])
        });
        // A statement that mostly says what another does may be taken for it.
        if !known {
            prop_assert_eq!(diff(&document, &longer), [StatementChange::Added(added.clone())]);
            prop_assert_eq!(diff(&longer, &document), [StatementChange::Removed(added)]);
        }
    }
}
