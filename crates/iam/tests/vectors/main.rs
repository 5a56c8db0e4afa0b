//! Decisions as AWS's pages describe them: each vector is a request with its policies, the answer, and the page whose
//! rule it states. The data stands beside this file, a file for each subject.
//!
//! A vector has a `name` (the rule), a `page`, a `caller`, an `action` and a `resource`; condition keys in `context`
//! (with `partial`: others are not known; `absent`: these are not there); policies as lists of statements, or
//! `"unknown"`: `identity`, `groups`, `boundary`, `session`, `resource_policy`, `scp` (a list for each level), `rcp`,
//! `key`, `trust`; `grants` and `key_tags`; and `expect`: `allowed`, `denied LAYER`, `depends FACT; FACT`. `condition` is
//! short for an identity policy that allows everything under it. `at` is the action that settled it. `lax` lets through a
//! policy that AWS would not take.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod policies;
mod vector;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use terrane_iam::{Answer, Decision, Layer, PolicyKind};

use vector::{Vector, read};

fn files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let entries = std::fs::read_dir(folder).expect("the folder of vectors");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    files.sort();
    files
}

fn vectors() -> Vec<Vector> {
    files().iter().flat_map(|path| read(path)).collect()
}

/// An answer as vectors write it.
fn written(answer: &Answer) -> String {
    match answer {
        Answer::Allowed => "allowed".to_owned(),
        Answer::Depends(facts) => format!("depends {}", facts.join("; ")),
        Answer::Denied(layer) => format!("denied {}", layer_name(layer)),
    }
}

fn layer_name(layer: &Layer) -> String {
    let name = match layer {
        Layer::ExplicitDeny { kind, .. } => return format!("explicit-deny {}", kind_name(*kind)),
        Layer::ServiceControlPolicy => "service-control-policy",
        Layer::ResourcePolicy => "resource-policy",
        Layer::NoIdentityStatement => "identity-policy",
        Layer::Boundary => "permissions-boundary",
        Layer::SessionPolicy => "session-policy",
        Layer::KeyPolicy => "key-policy",
        Layer::KeyIam => "key-iam",
        Layer::TrustPolicy => "trust-policy",
    };
    name.to_owned()
}

fn kind_name(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Identity => "identity",
        PolicyKind::Boundary => "boundary",
        PolicyKind::Session => "session",
        PolicyKind::Resource => "resource",
        PolicyKind::ServiceControl => "service-control",
        PolicyKind::ResourceControl => "resource-control",
        PolicyKind::Key => "key",
        PolicyKind::Trust => "trust",
        PolicyKind::Grant => "grant",
    }
}

/// What is wrong with a vector's decision, if something is.
fn fault(vector: &Vector) -> Option<String> {
    let (Decision { answer, action, chain, .. }, quick) = policies::decided(vector);
    let found = written(&answer);
    if found != vector.expect {
        let chain: Vec<String> = chain.iter().map(|reason| format!("    {reason}")).collect();
        return Some(format!("expected {}, found {found}\n{}", vector.expect, chain.join("\n")));
    }
    if quick.is_some_and(|quick| quick != answer) {
        return Some("with the chain and without it the answers differ".to_owned());
    }
    let at = vector.at.as_ref().filter(|at| **at != action)?;
    Some(format!("expected to be settled at {at}, was at {action}"))
}

#[test]
fn every_vector_comes_out_as_its_page_says() {
    let all = vectors();
    let faults: Vec<String> = all
        .iter()
        .filter_map(|vector| Some(format!("{}: {}\n  {}", vector.file, vector.name, fault(vector)?)))
        .collect();
    assert!(faults.is_empty(), "{} of {} vectors:\n{}", faults.len(), all.len(), faults.join("\n"));
}

#[test]
fn there_are_many_and_each_cites_a_page() {
    let all = vectors();
    assert!(all.len() >= 500, "{} vectors", all.len());
    let pages: BTreeSet<&str> = all.iter().map(|vector| vector.page.as_str()).collect();
    assert!(pages.len() >= 25, "{} pages", pages.len());
    for vector in &all {
        assert!(
            vector.page.starts_with("https://docs.aws.amazon.com/") && vector.page.contains(".html"),
            "{}: {} cites no page of AWS's documentation: {}",
            vector.file,
            vector.name,
            vector.page
        );
    }
    let mut names: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for vector in &all {
        *names.entry((&vector.file, &vector.name)).or_default() += 1;
    }
    names.retain(|_, count| *count > 1);
    assert!(names.is_empty(), "names that are there twice: {names:?}");
}

#[test]
fn every_layer_and_every_kind_of_answer_is_among_them() {
    let found: BTreeSet<String> = vectors()
        .into_iter()
        .map(|vector| match vector.expect.starts_with("depends") {
            true => "depends".to_owned(),
            false => vector.expect,
        })
        .collect();
    for wanted in [
        "allowed",
        "depends",
        "denied service-control-policy",
        "denied resource-policy",
        "denied identity-policy",
        "denied permissions-boundary",
        "denied session-policy",
        "denied key-policy",
        "denied key-iam",
        "denied trust-policy",
        "denied explicit-deny identity",
        "denied explicit-deny boundary",
        "denied explicit-deny session",
        "denied explicit-deny resource",
        "denied explicit-deny service-control",
        "denied explicit-deny resource-control",
        "denied explicit-deny key",
        "denied explicit-deny trust",
    ] {
        assert!(found.contains(wanted), "no vector is {wanted}");
    }
}

#[test]
fn the_policies_of_vectors_are_such_as_aws_takes() {
    let faults: Vec<String> = vectors()
        .iter()
        .filter(|vector| !vector.lax)
        .flat_map(|vector| {
            let of = |fault| format!("{}: {}: {fault}", vector.file, vector.name);
            policies::violations(vector).into_iter().map(of).collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
