//! The data source's rendering, against documents that the AWS provider rendered (`data/policy_documents.json`).
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::Value;
use terrane_iam::*;

const CASES: &str = include_str!("data/policy_documents.json");
/// Documents drawn at random and rendered by the provider.
const RANDOM_CASES: &str = include_str!("data/policy_documents_random.json");

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn list(value: &Value, name: &str) -> Vec<String> {
    let items = value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item.as_str().expect("text").to_owned()).collect()
}

fn blocks<T>(value: &Value, name: &str, read: impl Fn(&Value) -> T) -> Vec<T> {
    value
        .get(name)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(read)
        .collect()
}

fn principal(block: &Value) -> PrincipalInput {
    PrincipalInput { kind: text(block, "type").expect("a type"), identifiers: list(block, "identifiers") }
}

fn condition(block: &Value) -> ConditionInput {
    ConditionInput {
        test: text(block, "test").expect("a test"),
        variable: text(block, "variable").expect("a variable"),
        values: list(block, "values"),
    }
}

fn statement(block: &Value) -> StatementInput {
    StatementInput {
        sid: text(block, "sid"),
        effect: text(block, "effect"),
        actions: list(block, "actions"),
        not_actions: list(block, "not_actions"),
        resources: list(block, "resources"),
        not_resources: list(block, "not_resources"),
        principals: blocks(block, "principals", principal),
        not_principals: blocks(block, "not_principals", principal),
        conditions: blocks(block, "condition", condition),
    }
}

fn input(value: &Value) -> PolicyInput {
    let documents = |name| blocks(value, name, |item| item.as_str().map(str::to_owned));
    PolicyInput {
        version: text(value, "version"),
        policy_id: text(value, "policy_id"),
        statements: blocks(value, "statement", statement),
        source_policy_documents: documents("source_policy_documents"),
        override_policy_documents: documents("override_policy_documents"),
    }
}

fn check(cases: &str) {
    let cases: Value = serde_json::from_str(cases).expect("cases");
    for case in cases.as_array().expect("a list") {
        let name = text(case, "name").expect("a name");
        let rendered = render(&input(&case["input"]));
        match (text(case, "error"), rendered) {
            (None, Ok(rendered)) => {
                for (attribute, is) in
                    [("minified", rendered.minified_json), ("json", rendered.json), ("id", rendered.id)]
                {
                    if let Some(expected) = text(case, attribute) {
                        assert_eq!(is, expected, "{name}: {attribute}");
                    }
                }
            }
            (Some(expected), Err(error)) => {
                let debug = format!("{error:?}");
                assert!(debug.starts_with(&expected), "{name}: {debug} is no {expected}");
            }
            (expected, rendered) => panic!("{name}: expected {expected:?}, got {rendered:?}"),
        }
    }
}

#[test]
fn documents_render_byte_for_byte() {
    check(CASES);
}

#[test]
fn random_documents_render_byte_for_byte() {
    check(RANDOM_CASES);
}

#[test]
fn errors_read_well() {
    let twice = |sid: &str| StatementInput { sid: Some(sid.into()), ..StatementInput::default() };
    let input = PolicyInput { statements: vec![twice("A"), twice("A")], ..PolicyInput::default() };
    assert_eq!(render(&input).expect_err("a duplicate").to_string(), "two statements have the Sid `A`");
    let input = PolicyInput {
        override_policy_documents: vec![None, Some(r#"{"Statement":{}}"#.into())],
        ..PolicyInput::default()
    };
    let error = render(&input).expect_err("an object");
    assert_eq!(error.to_string(), "override document 2 cannot be read");
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("Statement must be a list of objects (at /Statement)"));
}
