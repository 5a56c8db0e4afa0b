//! What moves where, for states that are only addresses.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use terrane_expr::FunctionContext;
use terrane_provider::Catalog;
use terrane_provider::terraform_data::TerraformData;
use terrane_spec::{Loaded, Modules};

use super::*;

struct Files<'a>(&'a [(&'a str, &'a str)]);

impl Modules for Files<'_> {
    fn load(&mut self, source: &str, _: &str) -> Result<Loaded, String> {
        let (_, text) = self.0.iter().find(|(name, _)| *name == source).ok_or("no such module")?;
        let files = vec![("terrane.toml".to_owned(), text.as_bytes().to_vec())];
        Ok(Loaded { folder: source.to_owned(), files })
    }
}

fn spec(text: &str, modules: &[(&str, &str)]) -> Spec {
    let mut catalog = Catalog::default();
    catalog.add_resource(Arc::new(TerraformData));
    let parsed = terrane_spec::parse(vec![("terrane.toml".to_owned(), text.as_bytes().to_vec())])
        .with_modules(&mut Files(modules));
    terrane_spec::check(parsed, &catalog, &FunctionContext::closed())
        .unwrap_or_else(|failure| unreachable!("{:#?}", failure.diagnostics))
}

/// `a=>b` is an entry; every name without a dot is a `terraform_data`.
fn entries(moves: &[&str]) -> String {
    let entry = |text: &&str| {
        let (from, to) = text.split_once("=>").unwrap();
        format!("[[moved]]\nfrom = '{}'\nto = '{}'\n", long(from), long(to))
    };
    moves.iter().map(entry).collect()
}

fn long(name: &str) -> String {
    match name.rsplit_once('.') {
        None if name.starts_with("module") => name.to_owned(),
        None => format!("terraform_data.{name}"),
        Some((module, last)) if module.starts_with("module") && !module.ends_with("module") => {
            format!("{module}.terraform_data.{last}")
        }
        Some(_) => name.to_owned(),
    }
}

fn short(address: &Address) -> String {
    address.to_string().replace("terraform_data.", "")
}

fn snapshot(names: &[&str]) -> Snapshot {
    let mut snapshot = Snapshot::empty("l");
    for name in names {
        let address: Address = long(name).parse().unwrap();
        let attributes = [("id".to_owned(), (*name).into())].into_iter().collect();
        snapshot.put(&address, "p", Object { attributes, ..Object::default() });
    }
    snapshot
}

/// Each instance after the moves, with the one that it was.
fn outcome(state: &[&str], spec: &Spec) -> Result<Vec<String>, Vec<&'static str>> {
    let snapshot = snapshot(state);
    let moved = moves(spec, &snapshot).map_err(|errors| errors.iter().map(|e| e.code).collect::<Vec<_>>())?;
    let told: BTreeMap<String, String> =
        moved.previous.iter().map(|(now, before)| (short(now), short(before))).collect();
    let all = moved.snapshot.current().map(|(address, _, object)| {
        let (name, id) = (short(&address), object.id().unwrap_or_default().to_owned());
        assert_eq!(
            told.get(&name).map_or(name.as_str(), String::as_str),
            id,
            "what is told is what happened"
        );
        if name == id { name } else { format!("{id}=>{name}") }
    });
    Ok(all.collect())
}

fn check_moves(state: &[&str], moves: &[&str], wanted: &[&str]) {
    let spec = spec(&entries(moves), &[]);
    assert_eq!(
        outcome(state, &spec),
        Ok(wanted.iter().map(|s| (*s).to_owned()).collect()),
        "{state:?} {moves:?}"
    );
}

#[test]
fn resources_and_instances() {
    check_moves(&["a", "x"], &["a=>b"], &["a=>b", "x"]);
    check_moves(&["a[0]", "a[1]"], &["a=>b"], &["a[0]=>b[0]", "a[1]=>b[1]"]);
    check_moves(&["a[0]", "a[1]"], &["a[1]=>b"], &["a[0]", "a[1]=>b"]);
    check_moves(&["a"], &["a=>a[\"k\"]"], &["a=>a[\"k\"]"]);
    check_moves(
        &["a[0]", "a[1]"],
        &["a[0]=>a[\"x\"]", "a[1]=>a[\"y\"]"],
        &["a[0]=>a[\"x\"]", "a[1]=>a[\"y\"]"],
    );
    // A key on one side makes the other one the instance without key.
    check_moves(&["a[0]"], &["a=>b[1]"], &["a[0]"]);
    check_moves(&["b"], &["a=>b"], &["b"]);
}

#[test]
fn modules_and_their_instances() {
    check_moves(
        &["module.m.a", "module.m.module.n.b"],
        &["module.m=>module.o"],
        &["module.m.a=>module.o.a", "module.m.module.n.b=>module.o.module.n.b"],
    );
    check_moves(
        &["module.m[0].a", "module.m[1].a"],
        &["module.m=>module.o"],
        &["module.m[0].a=>module.o[0].a", "module.m[1].a=>module.o[1].a"],
    );
    check_moves(&["module.m.a"], &["module.m=>module.m[\"k\"]"], &["module.m.a=>module.m[\"k\"].a"]);
    check_moves(
        &["module.m[0].a", "module.m[1].a"],
        &["module.m[0]=>module.o"],
        &["module.m[1].a", "module.m[0].a=>module.o.a"],
    );
    check_moves(&["a"], &["a=>module.m.a"], &["a=>module.m.a"]);
    check_moves(&["module.m.a"], &["module.m.a=>b"], &["module.m.a=>b"]);
    check_moves(&["module.m[\"k\"].a[0]"], &["module.m[\"k\"].a[0]=>b"], &["module.m[\"k\"].a[0]=>b"]);
}

#[test]
fn chains_in_whatever_order_they_are_written() {
    for moves in [["a=>b", "b=>c", "c=>d"], ["c=>d", "b=>c", "a=>b"], ["b=>c", "a=>b", "c=>d"]] {
        check_moves(&["a"], &moves, &["a=>d"]);
        check_moves(&["b"], &moves, &["b=>d"]);
    }
    check_moves(&["module.m.a"], &["module.n.a=>b", "module.m=>module.n"], &["module.m.a=>b"]);
    check_moves(&["a"], &["module.m=>module.n", "a=>module.m.a"], &["a=>module.n.a"]);
}

#[test]
fn a_module_moves_its_own_in_each_of_its_instances() {
    let module = entries(&["a=>b"]) + "[resource.terraform_data.b]\n";
    let text = "[module.m]\nsource = './m'\ncount = 2\n";
    let own = spec(text, &[("./m", &module)]);
    let wanted = vec!["module.m[0].a=>module.m[0].b".to_owned(), "module.m[1].a=>module.m[1].b".to_owned()];
    assert_eq!(outcome(&["module.m[0].a", "module.m[1].a"], &own), Ok(wanted));
    // The call itself moves, too: first that, then what is inside.
    let text = text.to_owned() + &entries(&["module.old=>module.m[0]"]);
    let both = spec(&text, &[("./m", &module)]);
    assert_eq!(outcome(&["module.old.a"], &both), Ok(vec!["module.old.a=>module.m[0].b".to_owned()]));
    let text = "[module.m]\nsource = './m'\ncount = 2\n".to_owned() + &entries(&["module.m=>module.m[0]"]);
    let keyed = spec(&text, &[("./m", &module)]);
    assert_eq!(outcome(&["module.m.a"], &keyed), Ok(vec!["module.m.a=>module.m[0].b".to_owned()]));
}

#[test]
fn count_that_comes_and_goes_is_followed() {
    let text = "[resource.terraform_data.a]\ncount = 2\n[resource.terraform_data.b]\n\
                [resource.terraform_data.c]\nfor_each = \"${toset(['x'])}\"\n"
        .replace("['x']", "[\\\"x\\\"]");
    let plain = spec(&text, &[]);
    let wanted = ["a=>a[0]", "b[0]=>b", "b[1]", "c[0]"].map(str::to_owned).to_vec();
    let mut wanted_sorted = wanted.clone();
    wanted_sorted.sort();
    let mut got = outcome(&["a", "b[0]", "b[1]", "c[0]"], &plain).unwrap();
    got.sort();
    assert_eq!(got, wanted_sorted);
    // Where both are there, nothing can be told.
    assert_eq!(outcome(&["b", "b[0]"], &plain), Ok(vec!["b".to_owned(), "b[0]".to_owned()]));
    // What an entry speaks of is left to it.
    let spoken = spec(&(text.clone() + &entries(&["x=>a[1]"])), &[]);
    assert_eq!(outcome(&["a"], &spoken), Ok(vec!["a".to_owned()]));
}

#[test]
fn moves_that_cannot_be_meant() {
    let codes = |state: &[&str], moves: &[&str]| outcome(state, &spec(&entries(moves), &[])).unwrap_err();
    assert_eq!(codes(&["a", "b"], &["a=>b"]), ["move-occupied"]);
    assert_eq!(codes(&["module.m.a", "module.n.a"], &["module.m=>module.n"]), ["move-occupied"]);
    assert_eq!(codes(&["a"], &["a=>b", "b=>a"]), ["cyclic-moves"]);
    assert_eq!(codes(&[], &["a=>b", "b=>c", "c=>a", "x=>a"]), ["ambiguous-move"]);
    assert_eq!(codes(&[], &["a=>b", "b=>c", "c=>a", "c[0]=>x"]), ["cyclic-moves"]);
    assert_eq!(codes(&[], &["module.m=>module.n", "module.n=>module.m"]), ["cyclic-moves"]);
    assert_eq!(codes(&[], &["module.m.a=>b", "b=>module.m.a"]), ["cyclic-moves"]);
    assert_eq!(codes(&[], &["a=>b", "a=>c"]), ["ambiguous-move"]);
    assert_eq!(codes(&[], &["a=>c", "b=>c"]), ["ambiguous-move"]);
    assert_eq!(codes(&[], &["a=>a"]), ["redundant-move"]);
    let inside = spec(
        &("[module.m]\nsource = './m'\n".to_owned() + &entries(&["module.m.a=>b"])),
        &[("./m", &entries(&["a=>c"]))],
    );
    assert_eq!(outcome(&["module.m.a"], &inside), Ok(vec!["module.m.a=>b".to_owned()]));
}

#[test]
fn a_cycle_is_told_member_by_member() {
    let errors = check(&spec(&entries(&["a=>b", "b=>a", "b[0]=>x", "y=>z"]), &[]));
    let detail = &errors[0].detail;
    assert!(detail.contains("`terraform_data.a` to `terraform_data.b`"), "{detail}");
    assert!(!detail.contains(".x") && !detail.contains(".y"), "{detail}");
    assert_eq!(errors[0].related.len(), 1);
}

#[test]
fn what_depends_on_something_that_moved_knows_its_new_name() {
    let spec = spec(&entries(&["a=>b", "c[0]=>d"]), &[]);
    let mut snapshot = snapshot(&["a", "c[0]", "c[1]", "user"]);
    let user: Address = long("user").parse().unwrap();
    let need = |name: &str| long(name).parse::<Address>().unwrap().resource;
    let object =
        Object { dependencies: [need("a"), need("c")].into(), ..snapshot.get(&user).unwrap().clone() };
    snapshot.put(&user, "p", object.clone());
    snapshot.put_deposed(&user, "p", "00000001", object);
    let moved = moves(&spec, &snapshot).unwrap().snapshot;
    for deposed in [None, Some("00000001")] {
        let object = moved.object(&user, deposed).unwrap();
        assert_eq!(object.dependencies, [need("b"), need("c"), need("d")].into());
    }
}

/// Names of few letters, so that moves meet.
fn name() -> impl Strategy<Value = String> {
    "(module\\.[mn](\\[[01]\\])?\\.)?[ab](\\[[01]\\])?"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_moves_nothing_is_lost(
        state in proptest::collection::btree_set(name(), 0..6),
        moves in proptest::collection::vec((name(), name()), 0..5),
        modules in proptest::collection::vec(("module\\.[mno](\\[[01]\\])?", "module\\.[mno](\\[[01]\\])?"), 0..2),
    ) {
        let moves: Vec<String> = moves.iter().chain(&modules).map(|(from, to)| format!("{from}=>{to}")).collect();
        let moves: Vec<&str> = moves.iter().map(String::as_str).collect();
        let state: Vec<&str> = state.iter().map(String::as_str).collect();
        let spec = spec(&entries(&moves), &[]);
        let Ok(after) = outcome(&state, &spec) else { return Ok(()) };
        prop_assert_eq!(after.len(), state.len());
        let mut ids: Vec<&str> = after.iter().map(|text| text.split("=>").next().unwrap()).collect();
        ids.sort_unstable();
        prop_assert_eq!(ids, state, "each is there once");
        // What is written once is done once: the moves have nothing left to do.
        let now: Vec<&str> = after.iter().map(|text| text.rsplit("=>").next().unwrap()).collect();
        if let Ok(again) = outcome(&now, &spec) {
            prop_assert!(again.iter().all(|text| !text.contains("=>")), "{:?} {:?}", now, again);
        }
    }
}
