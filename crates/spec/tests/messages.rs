//! What a spec is told: each file of `messages/` holds the files of a spec and the messages that they give.
//!
//! A file begins with a sentence about it. `=== NAME` begins a file of the spec; files that hold variables and the parts
//! `=== --var` (arguments, one a line) and `=== env` (`NAME=VALUE`, one a line) make the case go on to the variables.
//! `=== messages` is what comes out. With `UPDATE_EXPECT=1` the test writes that part anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at what it does not expect"
)]

mod support;

use std::path::Path;

use support::{Catalogue, Given, render};
use terrane_expr::FunctionContext;
use terrane_spec::inputs::Argument;
use terrane_spec::{Inputs, check, is_variable_file, parse, variables};

/// The parts of a case but the last, and what is expected.
fn parts(text: &str) -> (Vec<(String, String)>, String) {
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(name) => parts.push((name.trim().to_owned(), String::new())),
            None => {
                if let Some((_, text)) = parts.last_mut() {
                    text.push_str(line);
                }
            }
        }
    }
    match parts.pop() {
        Some((name, expected)) if name == "messages" => (parts, expected),
        other => {
            parts.extend(other);
            (parts, String::new())
        }
    }
}

fn run(parts: &[(String, String)]) -> String {
    let mut files = Vec::new();
    let mut inputs = Inputs::default();
    let mut with_variables = false;
    for (name, text) in parts {
        match name.as_str() {
            "--var" => {
                with_variables = true;
                inputs.arguments.extend(text.lines().map(|l| Argument::Value(l.to_owned())));
            }
            "env" => {
                with_variables = true;
                let pairs = text.lines().filter_map(|l| l.split_once('='));
                inputs.environment.extend(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())));
            }
            name if is_variable_file(name) => {
                with_variables = true;
                inputs.files.push((name.to_owned(), text.clone().into_bytes()));
            }
            name => files.push((name.to_owned(), text.clone().into_bytes())),
        }
    }
    let (modules, files) = files.into_iter().partition(|(name, _)| name.contains('/'));
    let parsed = parse(files).with_modules(&mut Given(modules));
    let spec = match check(parsed, &Catalogue::new(), &FunctionContext::closed()) {
        Ok(spec) => spec,
        Err(failure) => return render(&failure.diagnostics, &failure.sources),
    };
    let mut out = render(&spec.warnings, &spec.sources);
    if with_variables {
        let mut sources = spec.sources.clone();
        match variables(&spec.root, &inputs, &mut sources) {
            Ok(values) => {
                out.push_str(&render(&values.warnings, &sources));
                for (name, value) in &values.values {
                    out.push_str(&format!("{name} = {value:?}\n"));
                }
                for name in &values.missing {
                    out.push_str(&format!("{name} is missing\n"));
                }
            }
            Err(found) => out.push_str(&render(&found, &sources)),
        }
    }
    if out.is_empty() { "nothing to say\n".into() } else { out }
}

#[test]
fn every_case_says_what_it_should() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let mut cases: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 10);
    let mut wrong = Vec::new();
    for case in cases {
        let text = std::fs::read_to_string(&case).unwrap();
        let (parts, expected) = parts(&text);
        let got = run(&parts);
        if got.trim_end() == expected.trim_end() {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            let head = text.split("=== messages\n").next().unwrap().trim_end().to_owned();
            std::fs::write(&case, format!("{head}\n=== messages\n{}\n", got.trim_end())).unwrap();
        } else {
            wrong.push(format!("{}\n{got}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_EXPECT=1 accepts these:\n{}", wrong.join("\n"));
}
