//! The direction of dependencies, read from cargo's metadata: which crate may know which, and what each must never know.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The arrows that exist, without those of tests. The absence of all others is the point.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("model", &[]),
    ("expr", &["model"]),
    ("spec", &["expr", "model"]),
    ("convert", &["model", "spec"]),
    ("state", &["model"]),
    ("provider", &["model"]),
    ("iam", &[]),
    ("access", &["iam", "model"]),
    ("cost", &["model"]),
    ("plan", &["access", "expr", "iam", "model", "provider", "spec", "state"]),
    ("reconcile", &["expr", "model", "plan", "provider", "spec", "state"]),
    ("aws", &["iam", "model", "provider", "state"]),
    ("sandbox", &["iam"]),
    (
        "cli",
        &[
            "access",
            "aws",
            "convert",
            "cost",
            "expr",
            "iam",
            "model",
            "plan",
            "provider",
            "reconcile",
            "sandbox",
            "spec",
            "state",
        ],
    ),
    ("testkit", &["expr", "model", "plan", "provider", "reconcile", "spec", "state"]),
];

/// What all crates but three must not reach, not even through others. A name stands for all that begin with it.
/// (`aws-lc-rs` is cryptography and no client of AWS.)
const AWS: [&str; 4] = ["aws-sdk-", "aws-config", "aws-smithy-", "aws-types"];

/// What a crate must not reach beside [`AWS`].
const NEVER: [(&str, &[&str]); 12] = [
    ("model", &["tokio", "petgraph", "toml"]),
    ("expr", &["tokio", "petgraph", "toml"]),
    ("spec", &["tokio", "petgraph"]),
    ("convert", &["tokio", "petgraph"]),
    // `age` reads the catalogue of its own messages from TOML.
    ("state", &["tokio", "petgraph"]),
    ("provider", &["petgraph", "toml"]),
    ("iam", &["tokio", "petgraph", "toml"]),
    ("access", &["tokio", "petgraph", "toml"]),
    ("cost", &["tokio", "petgraph", "toml"]),
    ("plan", &[]),
    ("reconcile", &[]),
    ("testkit", &[]),
];

struct Workspace {
    direct: BTreeMap<String, BTreeSet<String>>,
    resolved: BTreeMap<String, BTreeSet<String>>,
}

/// The platform that cargo builds for, such as `x86_64-unknown-linux-gnu`.
fn host() -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let about = std::process::Command::new(cargo).arg("-vV").output().unwrap();
    let about = String::from_utf8(about.stdout).unwrap();
    about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn workspace() -> Workspace {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    // Only what this platform builds is sure to be on the machine.
    let options = ["--locked", "--offline", "--filter-platform", &host()].map(str::to_owned).to_vec();
    let metadata = MetadataCommand::new().manifest_path(manifest).other_options(options).exec().unwrap();
    let ours = |name: &str| name.strip_prefix("terrane-").map(str::to_owned);
    let mut direct = BTreeMap::new();
    for package in metadata.workspace_packages() {
        let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
        direct.insert(ours(&package.name).unwrap(), normal.filter_map(|d| ours(&d.name)).collect());
    }
    let resolve = metadata.resolve.as_ref().unwrap();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut resolved = BTreeMap::new();
    for package in metadata.workspace_packages() {
        let (mut open, mut seen, mut names) = (vec![&package.id], BTreeSet::new(), BTreeSet::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            names.insert(metadata[id].name.to_string());
            let normal =
                |d: &&cargo_metadata::NodeDep| d.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal);
            open.extend(nodes[id].deps.iter().filter(normal).map(|d| &d.pkg));
        }
        resolved.insert(ours(&package.name).unwrap(), names);
    }
    Workspace { direct, resolved }
}

#[test]
fn every_arrow_is_one_that_may_be() {
    let workspace = workspace();
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    let there: BTreeSet<&str> = workspace.direct.keys().map(String::as_str).collect();
    assert_eq!(there, known, "a crate without a line in this test, or a line without its crate");
    for (name, allowed) in MAY_USE {
        let used: BTreeSet<&str> = workspace.direct[name].iter().map(String::as_str).collect();
        let wrong: Vec<_> = used.difference(&allowed.iter().copied().collect()).copied().collect();
        assert!(wrong.is_empty(), "{name} uses {wrong:?}");
    }
}

#[test]
fn no_crate_reaches_what_it_must_never_know() {
    let workspace = workspace();
    for (name, never) in NEVER {
        for reached in &workspace.resolved[name] {
            let bad = never.iter().chain(&AWS).find(|prefix| reached.starts_with(**prefix));
            assert!(bad.is_none(), "{name} reaches {reached}");
        }
    }
}
