//! Plans that cover only a part of the stack: what comes along, what is left out, what is remembered.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::collections::BTreeSet;

use terrane_model::{Action, Diagnostics, Selector, Value};
use terrane_plan::file::{Envelope, read, write};
use terrane_plan::plan::Mode;
use terrane_plan::{Plan, Targeting};
use terrane_testkit::Stack;

/// `b` needs `a`, both `c` need `b`, `d` needs nothing.
const SPEC: &str = r#"
[resource.fake_thing.a]
name  = "a"
value = "one"

[resource.fake_thing.b]
name  = "b"
value = "${fake_thing.a.id}"

[resource.fake_thing.c]
for_each = '${toset(["x", "y"])}'
name     = "c-${each.key}"
value    = "${fake_thing.b.id}"

[resource.fake_thing.d]
name = "d"

[output.b]
value = "${fake_thing.b.id}"

[output.c]
value = "${[for t in fake_thing.c : t.id]}"

[output.fixed]
value = "fixed"

[check.a]
assert = { condition = "${fake_thing.a.value == \"two\"}", error_message = "Is not two." }
"#;

fn all(texts: &[&str]) -> Vec<Selector> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn targets(texts: &[&str]) -> Targeting {
    Targeting { targets: all(texts), ..Targeting::default() }
}

fn excludes(texts: &[&str]) -> Targeting {
    Targeting { excludes: all(texts), ..Targeting::default() }
}

/// The addresses of what changes.
fn changed(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().filter(|c| c.action.is_change());
    changes.map(|c| c.address.to_string().replace("fake_thing.", "")).collect()
}

async fn plan(stack: &mut Stack, spec: &str, mode: Mode, targeting: Targeting) -> Result<Plan, Diagnostics> {
    stack.options.targeting = targeting;
    stack.options.mode = mode;
    let spec = stack.spec(spec)?;
    stack.plan(&spec).await
}

async fn apply(stack: &mut Stack, spec: &str, plan: &Plan) {
    let spec = stack.spec(spec).unwrap();
    let report = stack.apply(&spec, plan).await;
    assert!(report.is_success(), "{:?}", report.diagnostics);
    let told = report.warnings.iter().any(|w| w.summary == "Applied changes may be incomplete");
    assert_eq!(told, plan.targeting.is_limited());
}

fn codes(diagnostics: &Diagnostics) -> Vec<&str> {
    diagnostics.iter().map(|d| d.code).collect()
}

#[tokio::test]
async fn a_target_comes_with_what_it_depends_on_and_an_exclusion_takes_what_depends_on_it() {
    let mut stack = Stack::default();
    for (targeting, wanted) in [
        (targets(&["fake_thing.b"]), &["a", "b"][..]),
        (targets(&["fake_thing.c[\"x\"]"]), &["a", "b", "c[\"x\"]"]),
        (targets(&["fake_thing.c"]), &["a", "b", "c[\"x\"]", "c[\"y\"]"]),
        (targets(&["*[\"y\"]", "fake_thing.d"]), &["a", "b", "c[\"y\"]", "d"]),
        (targets(&["fake_thing.?"]), &["a", "b", "c[\"x\"]", "c[\"y\"]", "d"]),
        (Targeting { dependents: true, ..targets(&["fake_thing.b"]) }, &["a", "b", "c[\"x\"]", "c[\"y\"]"]),
        (Targeting { dependents: true, ..targets(&["fake_thing.d"]) }, &["d"]),
        (excludes(&["fake_thing.b"]), &["a", "d"]),
        (excludes(&["fake_thing.c[\"x\"]"]), &["a", "b", "c[\"y\"]", "d"]),
        (excludes(&["fake_thing.a"]), &["d"]),
        (excludes(&["*[\"x\"]", "fake_thing.d"]), &["a", "b", "c[\"y\"]"]),
    ] {
        let made = plan(&mut stack, SPEC, Mode::Normal, targeting.clone()).await.unwrap();
        assert_eq!(changed(&made), wanted, "{targeting:?}");
        assert_eq!(codes(&made.warnings)[0], "targeting");
    }
}

#[tokio::test]
async fn outputs_and_checks_only_of_what_is_covered_as_a_whole() {
    let mut stack = Stack::default();
    for (targeting, outputs, checks) in [
        (targets(&["fake_thing.a"]), &[][..], 0),
        (targets(&["fake_thing.b"]), &["b"], 0),
        (targets(&["fake_thing.c[\"x\"]"]), &["b"], 0),
        (targets(&["fake_thing.c"]), &["b", "c"], 0),
        (excludes(&["fake_thing.c[\"x\"]"]), &["b", "fixed"], 1),
        (excludes(&["fake_thing.b"]), &["fixed"], 1),
        (excludes(&["fake_thing.a"]), &["fixed"], 0),
    ] {
        let made = plan(&mut stack, SPEC, Mode::Normal, targeting.clone()).await.unwrap();
        assert_eq!(made.outputs.keys().map(AsRef::as_ref).collect::<Vec<_>>(), outputs, "{targeting:?}");
        assert_eq!(made.verdicts.len(), checks, "{targeting:?}");
    }
}

#[tokio::test]
async fn only_what_is_covered_is_read() {
    let mut stack = Stack::default();
    stack.up(SPEC).await.unwrap();
    stack.cloud.take_calls();
    for (targeting, wanted) in [
        (targets(&["fake_thing.b"]), &["a", "b"][..]),
        (targets(&["fake_thing.c[\"x\"]"]), &["a", "b", "c-x"]),
        (excludes(&["fake_thing.b"]), &["a", "d"]),
    ] {
        plan(&mut stack, SPEC, Mode::Normal, targeting).await.unwrap();
        let read: BTreeSet<String> = stack.cloud.take_calls().into_iter().map(|(_, name)| name).collect();
        assert_eq!(read.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
    }
    let only = targets(&["fake_thing.d"]);
    stack.cloud.meddle("d", "value", Value::from("odd"));
    stack.cloud.meddle("a", "value", Value::from("odd"));
    let made = plan(&mut stack, SPEC, Mode::RefreshOnly, only).await.unwrap();
    assert_eq!(made.drift.iter().map(|d| d.address.to_string()).collect::<Vec<_>>(), ["fake_thing.d"]);
    apply(&mut stack, SPEC, &made).await;
    assert_eq!(stack.snapshot.instances().count(), 5, "nothing is lost");
}

#[tokio::test]
async fn where_objects_are_destroyed_it_is_the_other_way_round() {
    let mut stack = Stack::default();
    stack.up(SPEC).await.unwrap();
    let before = stack.snapshot.outputs.clone();
    for (targeting, wanted) in [
        (targets(&["fake_thing.d"]), &["d"][..]),
        (targets(&["fake_thing.b"]), &["b", "c[\"x\"]", "c[\"y\"]"]),
        (targets(&["fake_thing.c[\"x\"]"]), &["c[\"x\"]"]),
        (excludes(&["fake_thing.b"]), &["c[\"x\"]", "c[\"y\"]", "d"]),
        (excludes(&["fake_thing.c[\"x\"]"]), &["c[\"y\"]", "d"]),
        (excludes(&["fake_thing.d"]), &["a", "b", "c[\"x\"]", "c[\"y\"]"]),
    ] {
        let made = plan(&mut stack, SPEC, Mode::Destroy, targeting.clone()).await.unwrap();
        assert_eq!(changed(&made), wanted, "{targeting:?}");
        assert!(made.outputs.is_empty());
    }
    let made = plan(&mut stack, SPEC, Mode::Destroy, targets(&["fake_thing.b"])).await.unwrap();
    apply(&mut stack, SPEC, &made).await;
    assert_eq!(stack.cloud.names(), BTreeSet::from(["a".to_owned(), "d".to_owned()]));
    assert_eq!(stack.snapshot.outputs.len(), before.len(), "outputs stay until they can be told again");
}

#[tokio::test]
async fn what_is_not_covered_stays_though_the_spec_does_not_have_it_any_more() {
    let mut stack = Stack::default();
    stack.up(SPEC).await.unwrap();
    let less = r#"
[resource.fake_thing.d]
name  = "d"
value = "new"
"#;
    let made = plan(&mut stack, less, Mode::Normal, targets(&["fake_thing.d"])).await.unwrap();
    assert_eq!(changed(&made), ["d"]);
    apply(&mut stack, less, &made).await;
    assert_eq!(stack.snapshot.instances().count(), 5);
    // What used it is deleted with it; what it used stays.
    let made = plan(&mut stack, less, Mode::Normal, targets(&["fake_thing.b"])).await.unwrap();
    assert_eq!(changed(&made), ["a", "b", "c[\"x\"]", "c[\"y\"]"]);
    assert!(made.changes.iter().all(|c| c.action == Action::Delete));
    // What an excluded object still uses is not deleted from under it.
    let made = plan(&mut stack, less, Mode::Normal, excludes(&["fake_thing.c"])).await.unwrap();
    assert_eq!(changed(&made), Vec::<String>::new());
}

#[tokio::test]
async fn targets_that_match_nothing() {
    let mut stack = Stack::default();
    stack.up(SPEC).await.unwrap();
    stack.cloud.take_calls();
    for (text, near) in [
        ("fake_thing.aa", "Did you mean `fake_thing.a`?"),
        ("fake_thing.c[\"z\"]", "Did you mean `fake_thing.c[\"x\"]`?"),
        ("fake_thing.d[0]", ""),
        ("module.m", ""),
        ("*[\"z\"]", ""),
        ("data.fake_thing.a", ""),
    ] {
        for targeting in [targets(&[text]), excludes(&[text])] {
            let errors = plan(&mut stack, SPEC, Mode::Normal, targeting).await.unwrap_err();
            assert_eq!(codes(&errors), ["unknown-target"], "{text}");
            assert!(errors[0].detail.contains(near), "{}", errors[0].detail);
        }
    }
    assert_eq!(stack.cloud.take_calls(), [], "nothing is read for nothing");
    stack.options.replace = BTreeSet::from(["fake_thing.d".parse().unwrap()]);
    let errors = plan(&mut stack, SPEC, Mode::Normal, targets(&["fake_thing.a"])).await.unwrap_err();
    assert_eq!(codes(&errors.into_iter().filter(|d| d.is_error()).collect()), ["not-targeted"]);
}

#[tokio::test]
async fn instances_whose_keys_hang_on_other_resources() {
    let spec = r#"
[resource.fake_thing.a]
count = 3
name  = "a${count.index}"

[resource.fake_thing.b]
for_each = '${toset([for t in fake_thing.a : t.name])}'
name     = "b-${each.key}"
"#;
    let mut stack = Stack::default();
    // The keys of `b` hang on `a`, whose names are known.
    for (targeting, wanted) in [
        (targets(&["fake_thing.a[1]"]), &["a[1]"][..]),
        (targets(&["fake_thing.b[\"a1\"]"]), &["a[0]", "a[1]", "a[2]", "b[\"a1\"]"]),
        (excludes(&["fake_thing.b[\"a1\"]"]), &["a[0]", "a[1]", "a[2]", "b[\"a0\"]", "b[\"a2\"]"]),
    ] {
        let made = plan(&mut stack, spec, Mode::Normal, targeting.clone()).await.unwrap();
        assert_eq!(changed(&made), wanted, "{targeting:?}");
    }
    let errors = plan(&mut stack, spec, Mode::Normal, targets(&["fake_thing.b[\"a9\"]"])).await.unwrap_err();
    let errors: Diagnostics = errors.into_iter().filter(|d| d.is_error()).collect();
    assert_eq!(codes(&errors), ["unknown-target"], "found once the keys are known");
    assert!(errors[0].detail.contains("Did you mean"), "{}", errors[0].detail);
}

#[tokio::test]
async fn a_limited_apply_is_remembered_until_everything_is_applied() {
    let mut stack = Stack::default();
    let limited = targets(&["fake_thing.a"]);
    let made = plan(&mut stack, SPEC, Mode::Normal, limited.clone()).await.unwrap();
    assert_eq!(codes(&made.warnings), ["targeting"]);
    apply(&mut stack, SPEC, &made).await;
    assert_eq!(stack.snapshot.terrane["partial"]["targets"][0], "fake_thing.a");

    let made = plan(&mut stack, SPEC, Mode::Normal, limited.clone()).await.unwrap();
    assert_eq!(codes(&made.warnings), ["targeting", "partial-apply"]);
    assert!(!made.has_changes());
    let made = plan(&mut stack, SPEC, Mode::RefreshOnly, Targeting::default()).await.unwrap();
    assert_eq!(codes(&made.warnings), ["partial-apply"]);
    apply(&mut stack, SPEC, &made).await;
    let full = plan(&mut stack, SPEC, Mode::Normal, Targeting::default()).await.unwrap();
    assert_eq!(codes(&full.warnings)[0], "partial-apply", "refreshing applies nothing");
    assert!(full.warnings[0].detail.contains("`--target=fake_thing.a`"), "{}", full.warnings[0].detail);
    apply(&mut stack, SPEC, &full).await;
    assert!(stack.snapshot.terrane.is_empty());
    let again = plan(&mut stack, SPEC, Mode::Normal, Targeting::default()).await.unwrap();
    assert!(!again.has_changes() && !codes(&again.warnings).contains(&"partial-apply"));
}

#[tokio::test]
async fn a_saved_plan_keeps_what_it_is_limited_to() {
    let mut stack = Stack::default();
    let limited = Targeting { dependents: true, ..targets(&["fake_thing.c[\"x\"]", "*.d"]) };
    let made = plan(&mut stack, SPEC, Mode::Normal, limited.clone()).await.unwrap();
    let envelope = Envelope {
        program_version: "test".into(),
        created: "now".into(),
        spec_files: vec![],
        warnings: vec![],
    };
    let (again, _) = read(&write(&made, &envelope)).unwrap();
    assert_eq!(again.targeting, limited);
    apply(&mut stack, SPEC, &again).await;
    assert_eq!(stack.cloud.names().len(), 4);
}

#[tokio::test]
async fn what_moves_must_be_covered() {
    let mut stack = Stack::default();
    stack.up(SPEC).await.unwrap();
    let moved = format!(
        "{}\n[[moved]]\nfrom = \"fake_thing.d\"\nto = \"fake_thing.e\"\n",
        SPEC.replace("fake_thing.d]", "fake_thing.e]")
    );
    stack.cloud.take_calls();
    for targeting in [targets(&["fake_thing.a"]), excludes(&["fake_thing.e"])] {
        for mode in [Mode::Normal, Mode::RefreshOnly, Mode::Destroy] {
            let errors = plan(&mut stack, &moved, mode, targeting.clone()).await.unwrap_err();
            assert_eq!(errors[0].summary, "Moved resource instances excluded by targeting");
            assert!(errors[0].detail.contains("\n - fake_thing.e, which was fake_thing.d"));
        }
    }
    assert_eq!(stack.cloud.take_calls(), []);
    let made = plan(&mut stack, &moved, Mode::Normal, targets(&["fake_thing.e"])).await.unwrap();
    assert_eq!(stack.cloud.take_calls(), [("read", "d".to_owned())], "read under its old address");
    assert_eq!(changed(&made), Vec::<String>::new());
    assert!(made.has_changes());
    apply(&mut stack, &moved, &made).await;
    assert!(stack.snapshot.get(&"fake_thing.e".parse().unwrap()).is_some());
}
