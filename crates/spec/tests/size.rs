//! Large specs take time in proportion to their size, and no text makes the reading panic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at what it does not expect"
)]

mod support;

use std::fmt::Write;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use support::{Catalogue, render};
use terrane_expr::FunctionContext;
use terrane_spec::{check, parse};

/// Resources of which each refers to the one before it.
fn chain(resources: usize) -> String {
    let mut text = String::from("[variable.prefix]\ndefault = \"p\"\n[locals]\nl0 = \"${var.prefix}\"\n");
    for i in 1..resources / 10 {
        writeln!(text, "l{i} = \"${{local.l{}}}-{i}\"", i - 1).unwrap();
    }
    text.push_str("[resource.aws_kms_key.k0]\n");
    for i in 1..resources {
        let local = i % (resources / 10).max(1);
        write!(
            text,
            "[resource.aws_kms_key.k{i}]\ndescription = \"${{local.l{local}}} after ${{aws_kms_key.k{}.arn}}\"\n\
             deletion_window_in_days = 7\nenable_key_rotation = true\ntags = {{ Name = \"key-{i}\", Of = \"${{var.prefix}}\" }}\n",
            i - 1
        )
        .unwrap();
    }
    text
}

fn time(resources: usize) -> Duration {
    let text = chain(resources);
    let start = Instant::now();
    let parsed = parse(vec![("terrane.toml".into(), text.into_bytes())]);
    let parse_time = start.elapsed();
    let spec = check(parsed, &Catalogue::new(), &FunctionContext::closed())
        .unwrap_or_else(|f| panic!("{}", render(&f.diagnostics[..1], &f.sources)));
    assert_eq!(spec.root.resources.len(), resources);
    let references: usize = spec.root.resources.values().map(|r| r.references().len()).sum();
    assert_eq!(references, (resources - 1) * 3);
    println!("{resources} resources: parse {parse_time:?}, together {:?}", start.elapsed());
    start.elapsed()
}

#[test]
fn the_time_is_linear() {
    let small = time(1000);
    let large = time(10_000);
    assert!(large < small * 40 + Duration::from_secs(1), "{small:?} for 1,000, {large:?} for 10,000");
}

#[test]
fn errors_take_linear_time_too() {
    let mut text = String::new();
    for i in 0..5000 {
        writeln!(
            text,
            "[resource.aws_kms_key.k{i}]\ndescripton = \"${{aws_kms_key.x{i}.arn}} ${{var.v{i}}}\""
        )
        .unwrap();
    }
    let start = Instant::now();
    let parsed = parse(vec![("terrane.toml".into(), text.into_bytes())]);
    let failure = check(parsed, &Catalogue::new(), &FunctionContext::closed()).unwrap_err();
    assert_eq!(failure.diagnostics.len(), 15_000);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

fn fragment() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "[resource.aws_kms_key.a]\n",
        "[data.aws_region.a]\n",
        "[variable.v]\n",
        "[locals]\n",
        "[output.o]\n",
        "[resource.terraform_data.a.lifecycle]\n",
        "[module.m]\n",
        "[[moved]]\n",
        "[[import]]\n",
        "[[removed]]\n",
        "[check.c]\n",
        "[access.a]\n",
        "[terrane]\n",
        "[terraform]\n",
        "[provider.aws]\n",
        "[[provider.aws]]\n",
        "[resource.aws_dynamodb_table.t.dynamic.attribute]\n",
        "[resource]\n",
        "variable = 1\n",
        "resource = []\n",
        "count = 2\n",
        "count = \"${var.v}\"\n",
        "for_each = \"${toset([\"a\"])}\"\n",
        "for_each = { a = 1 }\n",
        "for_each = '${toset([\"a\", local.a])}'\n",
        "a = \"${local.b}\"\n",
        "b = \"${local.a}\"\n",
        "content = { name = \"${attribute.value}\" }\n",
        "content = { dynamic = { x = { for_each = [], content = {} } } }\n",
        "depends_on = [\"aws_kms_key.a\", \"\"]\n",
        "provider = \"aws.b\"\n",
        "provider = \"..\"\n",
        "lifecycle = []\n",
        "lifecycle = { ignore_changes = [\"tags[\"] }\n",
        "description = \"${each.value}\"\n",
        "type = \"list(\"\n",
        "type = \"object({ a = optional(string, 1) })\"\n",
        "default = {}\n",
        "default = \"${null}\"\n",
        "from = \"a.b\"\n",
        "to = \"a[\"\n",
        "to = \"${a.b[each.key]}\"\n",
        "id = 1\n",
        "assert = 3\n",
        "data = { a = { b = {} } }\n",
        "principal = \"%{ if true }x\"\n",
        "expect = \"denied\"\n",
        "required_version = \"~>\"\n",
        "backend = { s3 = 1 }\n",
        "backend = { local = { path = \"${x}\" } }\n",
        "name = \"\"\"\\\n   ${\n\"\"\"\n",
        "validation = {}\n",
        "value = 1\n",
        "tags.x.y = 1\n",
        "\"é\\u0000\" = \"${self}\"\n",
        "= 1\n",
        "[",
        "]\n",
        "\"",
        "{",
        "}",
        "${",
        "\u{feff}",
        "\0",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_spec_makes_it_panic(first in prop::collection::vec(fragment(), 0..14), second in prop::collection::vec(fragment(), 0..6)) {
        let files = vec![
            ("terrane.toml".to_owned(), first.concat().into_bytes()),
            ("b.terrane.toml".to_owned(), second.concat().into_bytes()),
        ];
        if let Err(failure) = check(parse(files), &Catalogue::new(), &FunctionContext::closed()) {
            prop_assert!(failure.diagnostics.iter().any(|d| d.is_error()));
            for diagnostic in &failure.diagnostics {
                let span = diagnostic.span.unwrap();
                let text = &failure.sources.get(span.file).unwrap().text;
                prop_assert!(span.end as usize <= text.len(), "{:?}", diagnostic);
            }
            render(&failure.diagnostics, &failure.sources);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = check(parse(vec![("terrane.toml".into(), bytes)]), &Catalogue::new(), &FunctionContext::closed());
    }
}
