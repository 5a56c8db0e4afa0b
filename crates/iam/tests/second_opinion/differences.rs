//! Where `iam-rs` 0.8 reads policies otherwise than AWS's pages say. Each difference is left out of the random questions,
//! and stands here with the page; if a later version of the crate agrees, the test says so.

use std::collections::BTreeMap;

use crate::{Asked, Verdict, ours, theirs};

struct Difference {
    /// What AWS does.
    rule: &'static str,
    /// The page that says so.
    page: &'static str,
    version: &'static str,
    statement: &'static str,
    single: &'static [(&'static str, &'static str)],
    several: &'static [(&'static str, &'static [&'static str])],
    resource: &'static str,
    aws: Verdict,
    iam_rs: Verdict,
}

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/Post";
const OPERATORS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html";
const VARIABLES: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html";
const SETS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html";
const RESOURCE: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html";
const VERSION: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html";

const PLAIN: Difference = Difference {
    rule: "",
    page: OPERATORS,
    version: "2012-10-17",
    statement: "",
    single: &[],
    several: &[],
    resource: TABLE,
    aws: Verdict::Silent,
    iam_rs: Verdict::Allowed,
};

const DIFFERENCES: [Difference; 13] = [
    Difference {
        rule: "a variable without a value makes the statement mean nothing; it is not an empty text",
        page: VARIABLES,
        statement: r#""Action":"*","Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/Post${x:none}""#,
        ..PLAIN
    },
    Difference {
        rule: "a wildcard in the value of a variable is no wildcard",
        page: VARIABLES,
        statement: r#""Action":"*","Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/${x:any}""#,
        single: &[("x:any", "*")],
        ..PLAIN
    },
    Difference {
        rule: "before version 2012-10-17 a variable is plain text",
        page: VERSION,
        version: "2008-10-17",
        statement: r#""Action":"*","Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/${x:table}""#,
        single: &[("x:table", "Post")],
        ..PLAIN
    },
    Difference {
        rule: "a variable stands in conditions on text too",
        page: VARIABLES,
        statement: r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"x:owner":"${x:me}"}}"#,
        single: &[("x:owner", "ann"), ("x:me", "ann")],
        aws: Verdict::Allowed,
        iam_rs: Verdict::Silent,
        ..PLAIN
    },
    Difference {
        rule: "`${*}` is an asterisk",
        page: VARIABLES,
        statement: r#""Action":"*","Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/${*}""#,
        resource: "arn:aws:dynamodb:eu-west-1:111122223333:table/*",
        aws: Verdict::Allowed,
        iam_rs: Verdict::Silent,
        ..PLAIN
    },
    Difference {
        rule: "ArnEquals takes wildcards as ArnLike does",
        statement: r#""Action":"*","Resource":"*","Condition":{"ArnEquals":{"x:arn":"arn:aws:iam::*:role/a*"}}"#,
        single: &[("x:arn", "arn:aws:iam::111122223333:role/ab")],
        aws: Verdict::Allowed,
        iam_rs: Verdict::Silent,
        ..PLAIN
    },
    Difference {
        rule: "ArnLike compares field by field, so a wildcard stays within its field",
        statement: r#""Action":"*","Resource":"*","Condition":{"ArnLike":{"x:arn":"arn:aws:some:*:111122223333:finance/*"}}"#,
        single: &[("x:arn", "arn:aws:some:us-east-2:999999999999:store/abc:111122223333:finance/x")],
        ..PLAIN
    },
    Difference {
        rule: "BinaryEquals compares byte for byte",
        statement: r#""Action":"*","Resource":"*","Condition":{"BinaryEquals":{"x:bytes":"QmluYXJ5"}}"#,
        single: &[("x:bytes", "qmluYXJ5")],
        ..PLAIN
    },
    Difference {
        rule: "ForAnyValue fails where all values are empty texts",
        page: SETS,
        statement: r#""Action":"*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"x:set":"*"}}"#,
        several: &[("x:set", &[""])],
        ..PLAIN
    },
    Difference {
        rule: "ForAllValues holds where all values are empty texts",
        page: SETS,
        statement: r#""Action":"*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"x:set":"a"}}"#,
        several: &[("x:set", &[""])],
        aws: Verdict::Allowed,
        iam_rs: Verdict::Silent,
        ..PLAIN
    },
    Difference {
        rule: "a wildcard may stand in any part of a resource's ARN, the service too",
        page: RESOURCE,
        statement: r#""Action":"*","Resource":"arn:aws:*:eu-west-1:111122223333:table/Post""#,
        aws: Verdict::Allowed,
        iam_rs: Verdict::Silent,
        ..PLAIN
    },
    Difference {
        rule: "a date without a time is a date, as W3C's profile of ISO 8601 has it",
        statement: r#""Action":"*","Resource":"*","Condition":{"DateGreaterThan":{"x:date":"2020-01-01"}}"#,
        single: &[("x:date", "2020-06-01T00:00:00Z")],
        aws: Verdict::Allowed,
        iam_rs: Verdict::Refused,
        ..PLAIN
    },
    Difference {
        rule: "a value that is no number fails the condition, and does not end the evaluation",
        statement: r#""Action":"*","Resource":"*","Condition":{"NumericEquals":{"x:number":"five"}}"#,
        single: &[("x:number", "5")],
        iam_rs: Verdict::Refused,
        ..PLAIN
    },
];

#[test]
fn each_known_difference_is_still_one_and_ours_is_as_the_page_says() {
    for difference in DIFFERENCES {
        let Difference { rule, page, version, statement, single, several, resource, aws, iam_rs } =
            difference;
        assert!(page.starts_with("https://docs.aws.amazon.com/"), "{rule}");
        let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let asked = Asked {
            policies: vec![format!(
                r#"{{"Version":"{version}","Statement":[{{"Effect":"Allow",{statement}}}]}}"#
            )],
            action: "dynamodb:GetItem".to_owned(),
            resource: resource.to_owned(),
            single: single.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            several: several
                .iter()
                .map(|(key, values)| ((*key).to_owned(), texts(values)))
                .collect::<BTreeMap<_, _>>(),
        };
        assert_eq!(ours(&asked), aws, "{rule}");
        assert_eq!(theirs(&asked), iam_rs, "iam-rs reads this otherwise now: {rule}");
    }
}
