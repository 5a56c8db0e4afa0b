//! Called modules as data: who is called by which names, what the digest covers, and where it ends.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

mod support;

use std::sync::Arc;

use proptest::prelude::*;
use support::{Catalogue, Given};
use terrane_expr::FunctionContext;
use terrane_spec::parse::Failure;
use terrane_spec::resource::IgnoreChanges;
use terrane_spec::{Spec, check, parse};

fn spec(files: &[(&str, &str)]) -> Result<Spec, Failure> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let (modules, root) = files.partition(|(name, _)| name.contains('/'));
    let parsed = parse(root).with_modules(&mut Given(modules));
    check(parsed, &Catalogue::new(), &FunctionContext::closed())
}

fn codes(failure: &Failure) -> Vec<&'static str> {
    failure.diagnostics.iter().map(|d| d.code).collect()
}

const ROOT: &str = "[module.a]\nsource = './m'\n[module.b]\nsource = './m'\n";
const MIDDLE: &str =
    "[module.inner]\nsource = '../inner'\nword = 'x'\n[output.word]\nvalue = '${module.inner.word}'\n";
const INNER: &str = "[variable.word]\ntype = 'string'\n[output.word]\nvalue = '${var.word}'\n\
    [resource.aws_iam_user.u]\nname = 'abc'\nlifecycle = { ignore_changes = ['tags.Name'] }\n";

#[test]
fn modules_are_found_by_the_names_of_their_calls() {
    let spec =
        spec(&[("terrane.toml", ROOT), ("m/terrane.toml", MIDDLE), ("inner/terrane.toml", INNER)]).unwrap();
    let names: Vec<String> = spec.modules.keys().map(|names| names.join(".")).collect();
    assert_eq!(names, ["a", "a.inner", "b", "b.inner"]);
    let path: [Arc<str>; 2] = ["b".into(), "inner".into()];
    let module = spec.module(&path).unwrap();
    assert_eq!((&*module.folder, &*module.path), ("inner", &path[..]));
    assert_eq!(&*spec.root.folder, ".");
    assert!(spec.modules[&path[..1]].modules["inner"].input("word").is_some(), "a fixed input is one too");
    let user = module.resources.values().next().unwrap();
    let IgnoreChanges::Paths(paths) = &user.lifecycle.ignore_changes else { panic!() };
    assert_eq!(paths[0].0.to_string(), "tags[\"Name\"]", "paths are settled in modules too");
}

#[test]
fn the_digest_moves_with_every_module() {
    let files = [("terrane.toml", ROOT), ("m/terrane.toml", MIDDLE), ("inner/terrane.toml", INNER)];
    let before = spec(&files).unwrap().digest;
    assert_eq!(spec(&files).unwrap().digest, before);
    for at in 0..files.len() {
        let text = format!("{}# changed\n", files[at].1);
        let mut changed = files;
        changed[at].1 = &text;
        assert_ne!(spec(&changed).unwrap().digest, before, "{}", files[at].0);
    }
}

#[test]
fn sensitive_values_stay_so_through_modules() {
    let inner = "[variable.word]\ntype = 'string'\nsensitive = true\n[output.word]\nvalue = '${var.word}'\n";
    let root = "[module.a]\nsource = './m'\n[output.o]\nvalue = '${module.a.word}'\n";
    let failure = spec(&[("terrane.toml", root), ("m/terrane.toml", MIDDLE), ("inner/terrane.toml", inner)])
        .unwrap_err();
    assert_eq!(codes(&failure), ["sensitive-output"], "only the root module's output is told");
}

#[test]
fn ten_modules_that_call_each_next_one_twice_are_many_and_thirty_too_many() {
    let stack = |levels: usize| {
        let call = |level: usize, up: &str| {
            format!("[module.x]\nsource = '{up}/m{level}'\n[module.y]\nsource = '{up}/m{level}'\n")
        };
        let mut files = vec![("terrane.toml".to_owned(), call(1, "."))];
        for level in 1..levels {
            files.push((format!("m{level}/terrane.toml"), call(level + 1, "..")));
        }
        files.push((format!("m{levels}/terrane.toml"), "[locals]\n".to_owned()));
        files
    };
    let run = |files: Vec<(String, String)>| {
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
        spec(&files)
    };
    assert_eq!(run(stack(10)).unwrap().modules.len(), 2046);
    assert_eq!(codes(&run(stack(30)).unwrap_err()), ["too-many-modules"]);
    let mut deep = vec![("terrane.toml".to_owned(), "[module.x]\nsource = './m0'\n".to_owned())];
    for level in 0..60 {
        deep.push((format!("m{level}/terrane.toml"), format!("[module.x]\nsource = '../m{}'\n", level + 1)));
    }
    assert_eq!(codes(&run(deep).unwrap_err()), ["modules-too-deep"]);
}

#[test]
fn a_module_that_can_not_be_read_is_one_message() {
    let root = "[module.a]\nsource = './m'\nanything = 1\n[output.o]\nvalue = '${module.a.word.x[0]}'\n";
    let failure = spec(&[("terrane.toml", root), ("m/terrane.toml", "[broken\n")]).unwrap_err();
    assert_eq!(failure.diagnostics.len(), 1, "{:?}", codes(&failure));
    assert_eq!(
        &*failure.sources.get(failure.diagnostics[0].span.unwrap().file).unwrap().name,
        "m/terrane.toml"
    );
}

#[test]
fn modules_that_nobody_looked_for() {
    let parsed = parse(vec![("terrane.toml".to_owned(), ROOT.as_bytes().to_vec())]);
    let failure = check(parsed, &Catalogue::new(), &FunctionContext::closed()).unwrap_err();
    assert_eq!(codes(&failure), ["module-not-read", "module-not-read"]);
}

/// Lines that modules are made of, right and wrong.
const LINES: [&str; 20] = [
    "[module.a]",
    "[module.b]",
    "source = './m'",
    "source = '../n'",
    "source = './n'",
    "source = '..'",
    "count = 2",
    "count = '${var.x}'",
    "for_each = { k = 1 }",
    "for_each = '${module.b}'",
    "x = '${each.key}'",
    "x = '${module.a.o}'",
    "x = '${module.b[0].o}'",
    "depends_on = ['module.a']",
    "providers = { aws = 'aws', 'aws.far' = 'aws.near' }",
    "[variable.x]",
    "[output.o]",
    "value = '${module.a}'",
    "value = '${[for m in module.b : m.o][*].z}'",
    "[resource.aws_iam_user.u]\nname = '${var.x}'\nprovider = 'aws.far'",
];

proptest! {
    #[test]
    fn no_modules_make_it_panic(lines in proptest::collection::vec((0usize..3, 0usize..LINES.len()), 0..40)) {
        let mut texts = [String::new(), String::new(), String::new()];
        for (file, line) in lines {
            texts[file].push_str(LINES[line]);
            texts[file].push('\n');
        }
        let [root, m, n] = &texts;
        let _ = spec(&[("terrane.toml", root), ("m/terrane.toml", m), ("n/terrane.toml", n)]);
    }
}
