//! Which policies AWS takes, by their text.

use terrane_iam::{Location, PolicyUse, Rule, validate};

fn rules(text: &str, policy_use: PolicyUse) -> Vec<Rule> {
    validate(text, policy_use).into_iter().map(|violation| violation.rule).collect()
}

fn statement(rest: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{rest}}}]}}"#)
}

const IDENTITY: &str = r#""Sid":"A1","Effect":"Allow","Action":["s3:Get*"],"Resource":"*""#;
const KEY: &str = r#""Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"kms:*","Resource":"*""#;

#[test]
fn good_policies_of_each_use() {
    for (text, policy_use) in [
        (statement(IDENTITY), PolicyUse::Managed),
        (format!(r#"{{"Statement":{{{IDENTITY}}}}}"#), PolicyUse::UserInline),
        (
            statement(r#""Effect":"Deny","NotAction":"*","NotResource":["arn:aws:s3:::b/${aws:username}"]"#),
            PolicyUse::RoleInline,
        ),
        (statement(KEY), PolicyUse::Key),
        (statement(&KEY.replace(r#","Resource":"*""#, "")), PolicyUse::Key),
        (
            statement(
                r#""Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com"],"AWS":["arn:aws:iam::111111111111:role/p/r","AROAEXAMPLEEXAMPLE","*"]},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":["x",1,true]}}"#,
            ),
            PolicyUse::Trust,
        ),
        (
            statement(r#""Effect":"Allow","Principal":"*","Action":"dynamodb:GetItem","Resource":"*""#),
            PolicyUse::Table,
        ),
    ] {
        assert_eq!(rules(&text, policy_use), [], "{text}");
    }
}

#[test]
fn each_rule_is_found() {
    let identity = |from: &str, to: &str| statement(&IDENTITY.replace(from, to));
    let key = |from: &str, to: &str| statement(&KEY.replace(from, to));
    for (text, policy_use, rule) in [
        ("{".to_owned(), PolicyUse::Managed, Rule::Syntax),
        ("[]".to_owned(), PolicyUse::Managed, Rule::Syntax),
        ("{}".to_owned(), PolicyUse::Key, Rule::NoStatement),
        (r#"{"Statement":[]}"#.to_owned(), PolicyUse::Key, Rule::NoStatement),
        (r#"{"Statement":["x"]}"#.to_owned(), PolicyUse::Key, Rule::Syntax),
        (statement(IDENTITY).replace("2012", "2011"), PolicyUse::Managed, Rule::Version),
        (
            statement(IDENTITY).replace(r#"{"Version""#, r#"{"Note":1,"Version""#),
            PolicyUse::Managed,
            Rule::UnknownElement,
        ),
        (identity(r#""Sid""#, r#""sid""#), PolicyUse::Managed, Rule::UnknownElement),
        (identity(r#""Effect":"Allow","#, ""), PolicyUse::Managed, Rule::Effect),
        (identity("Allow", "allow"), PolicyUse::Managed, Rule::Effect),
        (identity("A1", "A 1"), PolicyUse::Managed, Rule::SidCharacters),
        (identity(r#""Action":["s3:Get*"],"#, ""), PolicyUse::Managed, Rule::Actions),
        (identity(r#""Action""#, r#""NotAction":"a:b","Action""#), PolicyUse::Managed, Rule::Actions),
        (identity(r#"["s3:Get*"]"#, "[]"), PolicyUse::Managed, Rule::Syntax),
        (identity("s3:Get*", "GetObject"), PolicyUse::Managed, Rule::ActionVendor),
        (identity("s3:Get*", "s3:"), PolicyUse::Managed, Rule::ActionVendor),
        (identity(r#","Resource":"*""#, ""), PolicyUse::Managed, Rule::Resources),
        (identity(r#""Resource":"*""#, r#""Resource":"bucket""#), PolicyUse::Managed, Rule::ResourceFormat),
        (
            identity(r#""Resource""#, r#""Principal":"*","Resource""#),
            PolicyUse::Managed,
            Rule::PrincipalProhibited,
        ),
        (identity(r#""Effect""#, r#""Effect":"Deny","Effect""#), PolicyUse::Managed, Rule::DuplicateKey),
        (
            identity(r#""Resource""#, r#""Condition":{"StringIs":{"a":"b"}},"Resource""#),
            PolicyUse::Managed,
            Rule::ConditionOperator,
        ),
        (
            identity(r#""Resource""#, r#""Condition":{"StringLike":{"a":{}}},"Resource""#),
            PolicyUse::Managed,
            Rule::Syntax,
        ),
        (
            format!(r#"{{"Statement":[{{{IDENTITY}}},{{{IDENTITY}}}]}}"#),
            PolicyUse::Managed,
            Rule::DuplicateSid,
        ),
        (identity("A1", &"A".repeat(6200)), PolicyUse::Managed, Rule::Size),
        (key(r#""Principal":{"AWS":"111111111111"},"#, ""), PolicyUse::Key, Rule::Principals),
        (key("111111111111", "arn:aws:iam::111111111111:user/*"), PolicyUse::Key, Rule::PrincipalFormat),
        (key("111111111111", "ann"), PolicyUse::Key, Rule::PrincipalFormat),
        (key(r#""AWS""#, r#""User""#), PolicyUse::Key, Rule::PrincipalFormat),
        (key(r#"{"AWS":"111111111111"}"#, r#""111111111111""#), PolicyUse::Key, Rule::PrincipalFormat),
        (key(r#"{"AWS":"111111111111"}"#, "{}"), PolicyUse::Key, Rule::Syntax),
        (
            statement(r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*""#),
            PolicyUse::Trust,
            Rule::ResourceProhibited,
        ),
        (
            statement(r#""Effect":"Allow","Principal":"*","Action":"s3:*""#),
            PolicyUse::Trust,
            Rule::TrustAction,
        ),
    ] {
        assert_eq!(rules(&text, policy_use), [rule], "{text}");
    }
}

#[test]
fn policies_of_an_organization() {
    let deny = r#""Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*""#;
    assert_eq!(rules(&statement(deny), PolicyUse::ResourceControl), []);
    assert_eq!(rules(&statement(IDENTITY), PolicyUse::ServiceControl), []);
    for (text, policy_use, rule) in [
        (deny.to_owned(), PolicyUse::ServiceControl, Rule::PrincipalProhibited),
        (deny.replace("Deny", "Allow"), PolicyUse::ResourceControl, Rule::Effect),
        (
            deny.replace(r#""*","Action""#, r#"{"AWS":"111111111111"},"Action""#),
            PolicyUse::ResourceControl,
            Rule::PrincipalFormat,
        ),
        (deny.replace(r#""Principal":"*","#, ""), PolicyUse::ResourceControl, Rule::Principals),
    ] {
        assert_eq!(rules(&statement(&text), policy_use), [rule], "{text}");
    }
}

#[test]
fn all_violations_come_with_their_places() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get","Resource":"*"},{"Action":"x"}]}"#;
    let found: Vec<String> = validate(text, PolicyUse::Managed).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "Missing required field Effect (at /Statement/1)",
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: `x` (at /Statement/1/Action)",
            "Policy statement must contain resources. (at /Statement/1)",
        ]
    );
    assert_eq!(
        validate("{\n\"a\" 1}", PolicyUse::Key).first().map(|one| one.location.clone()),
        Some(Location::Byte(6))
    );
}

#[test]
fn white_space_counts_for_keys_only() {
    let padded = |text: String| format!("{}{text}", " ".repeat(40_000));
    assert_eq!(rules(&padded(statement(IDENTITY)), PolicyUse::Managed), []);
    assert_eq!(rules(&padded(statement(KEY)), PolicyUse::Key), [Rule::Size]);
}

#[test]
fn what_is_not_known_yet_is_not_held_against_a_policy() {
    let text = statement(
        "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"\u{FFFF}\"},\"Action\":\"kms:*\",\"Resource\":\"\u{FFFF}\"",
    );
    assert_eq!(rules(&text, PolicyUse::Key), []);
}
