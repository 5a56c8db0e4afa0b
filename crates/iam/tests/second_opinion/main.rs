//! A second opinion: the `iam-rs` crate, written by others from the same pages, must say the same as this one.
//!
//! It knows flat sets of policies (any denial, else any allowance), so it is asked about the identity policies of a user,
//! drawn at random. Where it differs from AWS's pages is known, each difference with the page in [`differences`]; the
//! generator in [`drawn`] leaves out exactly these.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod differences;
mod drawn;

use std::collections::BTreeMap;

use iam_rs::{Arn, IAMPolicy, IAMRequest, PolicyEvaluator, PrincipalId};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use terrane_iam::{Answer, Caller, Context, Document, Layer, NamedPolicy, PolicySources, Request, decide};

const ANN: &str = "arn:aws:iam::111122223333:user/ann";

/// A question about the user, as both can read it.
#[derive(Debug, Clone)]
struct Asked {
    /// Policy documents.
    policies: Vec<String>,
    action: String,
    resource: String,
    /// Condition keys; one value for a single-valued key, written as text.
    single: BTreeMap<String, String>,
    /// Condition keys with several values.
    several: BTreeMap<String, Vec<String>>,
}

/// What comes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allowed,
    /// No statement applies.
    Silent,
    /// A statement denies.
    Denied,
    /// The question can't be answered.
    Refused,
}

fn ours(asked: &Asked) -> Verdict {
    let documents: Vec<Document> =
        asked.policies.iter().map(|text| Document::parse(text).expect(text)).collect();
    let mut context = Context::complete();
    for (key, value) in &asked.single {
        context = context.with(key, value.as_str());
    }
    for (key, values) in &asked.several {
        context = context.with_all(key, values.iter().map(String::as_str));
    }
    let caller = Caller::User { arn: ANN.into(), user_id: None };
    let request = Request { caller: &caller, action: &asked.action, resource: &asked.resource, context };
    let identity = documents.iter().map(|document| NamedPolicy::new("own", document)).collect();
    let sources = PolicySources { identity, ..PolicySources::default() };
    match decide(&request, &sources).answer {
        Answer::Allowed => Verdict::Allowed,
        Answer::Denied(Layer::ExplicitDeny { .. }) => Verdict::Denied,
        Answer::Denied(_) => Verdict::Silent,
        Answer::Depends(_) => Verdict::Refused,
    }
}

fn theirs(asked: &Asked) -> Verdict {
    let policies: Vec<IAMPolicy> =
        asked.policies.iter().map(|text| IAMPolicy::from_json(text).expect(text)).collect();
    let mut context = iam_rs::Context::new();
    for (key, value) in &asked.single {
        let value = match value.as_str() {
            "true" => iam_rs::ContextValue::Boolean(true),
            "false" => iam_rs::ContextValue::Boolean(false),
            text => iam_rs::ContextValue::String(text.to_owned()),
        };
        context.insert(key.clone(), value);
    }
    for (key, values) in &asked.several {
        context.insert(key.clone(), iam_rs::ContextValue::StringList(values.clone()));
    }
    let principal = iam_rs::Principal::Aws(PrincipalId::String(ANN.to_owned()));
    let resource = Arn::parse(&asked.resource).expect("an ARN");
    let request = IAMRequest::new_with_context(principal, asked.action.as_str(), resource, context);
    match PolicyEvaluator::with_policies(policies).evaluate(&request).map(|result| result.decision) {
        Ok(iam_rs::Decision::Allow) => Verdict::Allowed,
        Ok(iam_rs::Decision::Deny) => Verdict::Denied,
        Ok(iam_rs::Decision::NotApplicable) => Verdict::Silent,
        Err(_) => Verdict::Refused,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_say_the_same(asked in drawn::asked()) {
        prop_assert_eq!(ours(&asked), theirs(&asked));
    }
}

/// The questions are worth asking: each verdict comes out often.
#[test]
fn the_questions_are_about_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..1000 {
        let asked = drawn::asked().new_tree(&mut runner).expect("a question").current();
        let name = match ours(&asked) {
            Verdict::Allowed => "allowed",
            Verdict::Silent => "silent",
            Verdict::Denied => "denied",
            Verdict::Refused => "refused",
        };
        *counts.entry(name).or_default() += 1;
    }
    for name in ["allowed", "silent", "denied"] {
        assert!(counts.get(name).copied().unwrap_or_default() >= 100, "{counts:?}");
    }
    assert_eq!(counts.get("refused"), None, "{counts:?}");
}
