//! Condition operators, set operators, missing and unknown keys, policy variables.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use terrane_iam::*;

/// The answer for one allowing statement with this condition, in this context.
fn ask(condition: &str, context: Context) -> Answer {
    ask_on("2012-10-17", "*", condition, context)
}

fn ask_on(version: &str, resource: &str, condition: &str, context: Context) -> Answer {
    let text = format!(
        r#"{{"Version":"{version}","Statement":{{"Effect":"Allow","Action":"*","Resource":"{resource}","Condition":{{{condition}}}}}}}"#
    );
    let policy = Document::parse(&text).expect(&text);
    let caller = Caller::User { arn: "arn:aws:iam::111111111111:user/p/ann".into(), user_id: None };
    let request =
        Request { caller: &caller, action: "s3:GetObject", resource: "arn:aws:s3:::b/home/ann/x", context };
    let sources =
        PolicySources { identity: vec![NamedPolicy::new("own", &policy)], ..PolicySources::default() };
    decide(&request, &sources).answer
}

fn one(operator: &str, wanted: &str, given: &str) -> bool {
    let context = Context::complete().with("x:Key", given);
    match ask(&format!(r#""{operator}":{{"x:key":{wanted}}}"#), context) {
        Answer::Allowed => true,
        Answer::Denied(Layer::NoIdentityStatement) => false,
        other => panic!("{operator} {wanted} {given}: {other:?}"),
    }
}

#[test]
fn each_operator_on_one_value() {
    for (operator, wanted, given, holds) in [
        ("StringEquals", r#""a""#, "a", true),
        ("StringEquals", r#""a""#, "A", false),
        ("StringEquals", r#""a*""#, "ab", false),
        ("StringEquals", r#"["b","a"]"#, "a", true),
        ("stringequals", r#""a""#, "a", true),
        ("StringNotEquals", r#"["a","b"]"#, "c", true),
        ("StringNotEquals", r#"["a","b"]"#, "b", false),
        ("StringEqualsIgnoreCase", r#""ÄB""#, "äb", true),
        ("StringNotEqualsIgnoreCase", r#""AB""#, "ab", false),
        ("StringLike", r#""a*c?""#, "abbcd", true),
        ("StringLike", r#""A*""#, "abc", false),
        ("StringLike", r#""?""#, "é", true),
        ("StringNotLike", r#""a*""#, "abc", false),
        ("StringLike", r#""${*}""#, "*", true),
        ("StringLike", r#""${*}""#, "a", false),
        ("StringLike", r#""${$}${?}""#, "$?", true),
        ("NumericEquals", "5", "5.0", true),
        ("NumericEquals", r#""5""#, "6", false),
        ("NumericNotEquals", "5", "6", true),
        ("NumericLessThan", "5", "4.9", true),
        ("NumericLessThan", "5", "5", false),
        ("NumericLessThanEquals", "5", "5", true),
        ("NumericGreaterThan", "-1", "0", true),
        ("NumericGreaterThanEquals", "10", "9", false),
        ("NumericEquals", "5", "five", false),
        ("DateEquals", r#""2019-07-16T12:00:00Z""#, "1563278400", true),
        ("DateNotEquals", r#""2019-07-16T12:00:00Z""#, "2019-07-16T14:00:00+02:00", false),
        ("DateLessThan", r#""2020-01-01T00:00:00Z""#, "2019-12-31T23:59:59Z", true),
        ("DateLessThanEquals", r#""2020-01-01""#, "2020-01-01T00:00:00Z", true),
        ("DateGreaterThan", r#""2020-01-01T00:00:00Z""#, "2020-01-01T00:00:00.5Z", true),
        ("DateGreaterThanEquals", r#""2020-01-01T00:00:00Z""#, "2019", false),
        ("Bool", "true", "true", true),
        ("Bool", r#""True""#, "true", true),
        ("Bool", "false", "true", false),
        ("BinaryEquals", r#""QmluYXJ5""#, "QmluYXJ5", true),
        ("BinaryEquals", r#""QmluYXJ5""#, "qmluYXJ5", false),
        ("IpAddress", r#"["10.0.0.0/8","2001:DB8::/32"]"#, "2001:db8:9::1", true),
        ("IpAddress", r#""10.0.0.0/8""#, "11.0.0.1", false),
        ("NotIpAddress", r#""10.0.0.0/8""#, "11.0.0.1", true),
        ("ArnEquals", r#""arn:aws:iam::*:role/a*""#, "arn:aws:iam::1:role/ab", true),
        ("ArnLike", r#""arn:*:role/ab""#, "arn:aws:iam::1:role/ab", false),
        ("ArnLike", r#""arn:aws:iam::*:role/${aws:username}""#, "arn:aws:iam::1:role/ann", true),
        ("ArnLike", r#""arn:*:role/${aws:username}""#, "arn:aws:iam::1:role/ann", false),
        ("ArnNotEquals", r#""arn:aws:iam::1:role/ab""#, "arn:aws:iam::1:role/ab", false),
        ("ArnNotLike", r#""arn:aws:iam::1:role/c*""#, "arn:aws:iam::1:role/ab", true),
        ("Null", r#""false""#, "", true),
        ("Null", "true", "a", false),
    ] {
        assert_eq!(one(operator, wanted, given), holds, "{operator} {wanted} {given}");
    }
}

#[test]
fn a_missing_key_fails_all_but_a_few_operators() {
    for (condition, holds) in [
        (r#""StringEquals":{"x:k":"a"}"#, false),
        (r#""StringLike":{"x:k":"*"}"#, false),
        (r#""StringEqualsIfExists":{"x:k":"a"}"#, true),
        (r#""StringNotEquals":{"x:k":"a"}"#, true),
        (r#""NotIpAddress":{"x:k":"10.0.0.0/8"}"#, true),
        (r#""Bool":{"x:k":"false"}"#, false),
        (r#""BoolIfExists":{"x:k":"true"}"#, true),
        (r#""Null":{"x:k":"true"}"#, true),
        (r#""Null":{"x:k":"false"}"#, false),
        (r#""ForAllValues:StringEquals":{"x:k":"a"}"#, true),
        (r#""ForAnyValue:StringEquals":{"x:k":"a"}"#, false),
        (r#""ForAnyValue:StringNotEquals":{"x:k":"a"}"#, false),
        (r#""ForAnyValue:StringEqualsIfExists":{"x:k":"a"}"#, true),
    ] {
        let answer = ask(condition, Context::complete());
        assert_eq!(answer == Answer::Allowed, holds, "{condition}");
        let answer = ask(condition, Context::partial().with_value("X:K", ContextValue::Absent));
        assert_eq!(answer == Answer::Allowed, holds, "{condition}");
        assert_eq!(ask(condition, Context::partial()), Answer::Depends(vec!["x:k".into()]), "{condition}");
    }
}

#[test]
fn several_values_of_a_request() {
    let tags = |values: &[&str]| Context::complete().with_all("aws:TagKeys", values.iter().copied());
    for (operator, given, holds) in [
        ("ForAllValues:StringEquals", ["a", "b"], true),
        ("ForAllValues:StringEquals", ["a", "c"], false),
        ("ForAnyValue:StringEquals", ["a", "c"], true),
        ("ForAnyValue:StringEquals", ["c", "d"], false),
        ("ForAllValues:StringNotEquals", ["c", "d"], true),
        ("ForAllValues:StringNotEquals", ["a", "d"], false),
        ("ForAnyValue:StringNotEquals", ["a", "d"], true),
        ("ForAnyValue:StringNotEquals", ["a", "b"], false),
        ("StringNotEquals", ["a", "d"], false),
    ] {
        let answer = ask(&format!(r#""{operator}":{{"aws:TagKeys":["a","b"]}}"#), tags(&given));
        assert_eq!(answer == Answer::Allowed, holds, "{operator} {given:?}");
    }
    assert_eq!(ask(r#""ForAllValues:StringEquals":{"aws:TagKeys":["a"]}"#, tags(&[])), Answer::Allowed);
}

#[test]
fn all_conditions_must_hold_and_no_value_matches_nothing() {
    let context = || Context::complete().with("x:a", "1").with("x:b", "2");
    assert_eq!(ask(r#""StringEquals":{"x:a":"1","x:b":"2"}"#, context()), Answer::Allowed);
    assert_ne!(ask(r#""StringEquals":{"x:a":"1","x:b":"1"}"#, context()), Answer::Allowed);
    assert_ne!(ask(r#""StringEquals":{"x:a":[]}"#, context()), Answer::Allowed);
    assert_eq!(ask(r#""StringNotEquals":{"x:a":[]}"#, context()), Answer::Allowed);
    let open = ask(
        r#""StringEquals":{"x:a":"1"},"Bool":{"x:open":"true"},"StringLike":{"x:b":"3"}"#,
        Context::partial().with("x:a", "1").with("x:b", "2"),
    );
    assert_eq!(open, Answer::Denied(Layer::NoIdentityStatement), "one sure failure settles it");
}

#[test]
fn an_operator_that_does_not_exist_leaves_it_open() {
    assert!(matches!(ask(r#""StringIs":{"x:a":"1"}"#, Context::complete()), Answer::Depends(_)));
}

#[test]
fn keys_that_follow_from_the_request() {
    for (condition, holds) in [
        (r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:user/p/ann"}"#, true),
        (r#""StringEquals":{"aws:PrincipalAccount":"111111111111"}"#, true),
        (r#""StringEquals":{"aws:PrincipalType":"User"}"#, true),
        (r#""StringEquals":{"aws:username":"ann"}"#, true),
        (r#""Bool":{"aws:PrincipalIsAWSService":"false"}"#, true),
        (r#""Null":{"kms:ViaService":"true"}"#, true),
        (r#""StringEquals":{"aws:PrincipalAccount":"222222222222"}"#, false),
    ] {
        assert_eq!(ask(condition, Context::partial()) == Answer::Allowed, holds, "{condition}");
    }
    assert_eq!(
        ask(r#""StringLike":{"aws:userid":"AIDA*"}"#, Context::complete()),
        Answer::Depends(vec!["aws:userid".into()])
    );
}

#[test]
fn variables_take_the_requests_values() {
    let any = r#""Null":{"x:none":"true"}"#;
    let on = |resource: &str, context| ask_on("2012-10-17", resource, any, context);
    assert_eq!(on("arn:aws:s3:::b/home/${aws:username}/*", Context::complete()), Answer::Allowed);
    assert_eq!(on("arn:aws:s3:::b/home/${AWS:UserName}/x", Context::complete()), Answer::Allowed);
    assert_ne!(
        ask_on("2008-10-17", "arn:aws:s3:::b/home/${aws:username}/*", any, Context::complete()),
        Answer::Allowed,
        "variables came with version 2012-10-17"
    );
    let tagged = "arn:aws:s3:::b/${aws:PrincipalTag/dir}/ann/x";
    assert_eq!(on(tagged, Context::complete().with("aws:PrincipalTag/dir", "home")), Answer::Allowed);
    assert_ne!(
        on(tagged, Context::complete().with("aws:PrincipalTag/dir", "*")),
        Answer::Allowed,
        "a value is no pattern"
    );
    assert_ne!(on(tagged, Context::complete()), Answer::Allowed);
    assert_eq!(
        on("arn:aws:s3:::b/${aws:PrincipalTag/dir, 'home'}/ann/x", Context::complete()),
        Answer::Allowed
    );
    let closed = Context::partial().with_value("x:none", ContextValue::Absent);
    assert_eq!(on(tagged, closed.clone()), Answer::Depends(vec!["aws:PrincipalTag/dir".into()]));
    assert_eq!(
        on("arn:aws:s3:::c/${aws:PrincipalTag/dir}", closed),
        Answer::Denied(Layer::NoIdentityStatement)
    );
    assert!(one("StringEquals", r#""${aws:username}""#, "ann"));
    assert!(one("StringLike", r#""home/${aws:username}/*""#, "home/ann/x"));
}

#[test]
fn a_value_known_in_part_is_judged_by_that_part() {
    let context = || Context::complete().with("x:k", "table/\u{FFFF}");
    assert_eq!(ask(r#""StringLike":{"x:k":"table/*"}"#, context()), Answer::Allowed);
    assert_eq!(
        ask(r#""StringLike":{"x:k":"index/*"}"#, context()),
        Answer::Denied(Layer::NoIdentityStatement)
    );
    assert_eq!(ask(r#""StringEquals":{"x:k":"table/Post"}"#, context()), Answer::Depends(vec!["x:k".into()]));
    assert_eq!(ask(r#""StringNotEquals":{"x:k":"index/Post"}"#, context()), Answer::Allowed);
}
