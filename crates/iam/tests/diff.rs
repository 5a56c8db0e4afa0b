//! Semantic differences between policies, as text.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use terrane_iam::{Document, diff};

fn check(before: &str, after: &str, expected: &[&str]) {
    let read = |statements: &str| {
        Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#))
            .expect(statements)
    };
    let lines: Vec<String> = diff(&read(before), &read(after)).iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected, "{before}\n{after}");
}

const USERS: &str = r#"{"Sid":"AllowKeyUsers","Effect":"Allow","Principal":{"AWS":["a","b"]},"Action":["kms:Encrypt","kms:Decrypt"],"Resource":"*"}"#;
const ROOT: &str =
    r#"{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"kms:*","Resource":"*"}"#;

#[test]
fn other_spellings_are_no_change() {
    let root_arn = ROOT.replace("111111111111", "arn:aws:iam::111111111111:root");
    let users = USERS.replace(r#""kms:Encrypt","kms:Decrypt""#, r#""KMS:decrypt","kms:Encrypt""#);
    check(&format!("{USERS},{ROOT}"), &format!("{root_arn},{users}"), &[]);
}

#[test]
fn a_changed_statement_shows_what_came_and_went() {
    check(
        USERS,
        &USERS.replace(r#""kms:Decrypt""#, r#""kms:Decrypt","kms:CreateGrant""#),
        &["AllowKeyUsers: + kms:CreateGrant"],
    );
    check(
        USERS,
        &USERS
            .replace(r#""a","b""#, r#""a","c""#)
            .replace(r#""*"}"#, r#""arn:x"}"#)
            .replace("Allow\"", "Deny\""),
        &[
            "AllowKeyUsers: - effect Allow, + effect Deny, - principal AWS b, + principal AWS c, - resource *, + resource arn:x",
        ],
    );
    let conditional = |value: &str| {
        USERS.replace(
            r#""*"}"#,
            &format!(r#""*","Condition":{{"StringEquals":{{"kms:ViaService":{value}}}}}}}"#),
        )
    };
    check(USERS, &conditional(r#""x""#), &["AllowKeyUsers: + condition StringEquals kms:ViaService = x"]);
    check(
        &conditional(r#"["x","y"]"#),
        &conditional(r#"["y"]"#),
        &["AllowKeyUsers: - condition StringEquals kms:ViaService = x"],
    );
}

#[test]
fn statements_come_and_go() {
    check(
        USERS,
        ROOT,
        &[
            "+ Root: Allow kms:* on * to AWS 111111111111",
            "- AllowKeyUsers: Allow kms:Decrypt, kms:Encrypt on * to AWS a, AWS b",
        ],
    );
    check(
        "",
        r#"{"Effect":"Deny","NotAction":"iam:*","NotResource":"x","Condition":{"Bool":{"aws:SecureTransport":false}}}"#,
        &["+ statement 1: Deny all but iam:* on all but x if Bool aws:SecureTransport = false"],
    );
}

#[test]
fn without_a_sid_the_content_finds_the_partner() {
    let (first, second) = (
        r#"{"Effect":"Allow","Action":["a:x","a:y","a:z"],"Resource":"arn:1"}"#,
        r#"{"Effect":"Allow","Action":["b:x","b:y","b:z"],"Resource":"arn:2"}"#,
    );
    let more = first.replace(r#""a:z""#, r#""a:z","a:w""#);
    check(&format!("{first},{second}"), &format!("{second},{more}"), &["statement 2: + a:w"]);
    check(
        first,
        second,
        &["+ statement 1: Allow b:x, b:y, b:z on arn:2", "- statement 1: Allow a:x, a:y, a:z on arn:1"],
    );
    let named = first.replace(r#"{"Effect""#, r#"{"Sid":"S","Effect""#);
    check(first, &named, &["S: + Sid S"]);
    check(&named, &named.replace("\"S\"", "\"T\""), &["T: - Sid S, + Sid T"]);
}

#[test]
fn an_empty_list_is_not_a_missing_one() {
    let missing = r#"{"Sid":"S","Effect":"Allow","Resource":"*"}"#;
    let empty = r#"{"Sid":"S","Effect":"Allow","Resource":"*","NotAction":[]}"#;
    check(missing, empty, &["S: + not-action (nothing)"]);
}

#[test]
fn the_version_is_told() {
    let before = Document::parse(r#"{"Version":"2012-10-17","Id":"x"}"#).expect("a document");
    let after = Document::parse(r#"{"Id":"y"}"#).expect("a document");
    let lines: Vec<String> = diff(&before, &after).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["Version: 2012-10-17 -> none", "Id: x -> y"]);
}
