//! Objects that were there before: imported by the spec, or noticed where others of the same name would be made.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::collections::BTreeSet;

use terrane_model::{Action, Diagnostics, Value};
use terrane_plan::file::{Envelope, read, write};
use terrane_plan::plan::Totals;
use terrane_plan::{Draft, Plan};
use terrane_testkit::Stack;

const IMPORT: &str = r#"
[resource.fake_thing.a]
name  = "a"
value = "one"

[[import]]
to = "fake_thing.a"
id = "a"
"#;

fn codes(errors: &Diagnostics) -> Vec<&str> {
    errors.iter().map(|error| error.code).collect()
}

async fn refused(stack: &Stack, text: &str) -> Diagnostics {
    let spec = stack.spec(text).unwrap();
    stack.plan(&spec).await.unwrap_err()
}

fn importing(plan: &Plan) -> Vec<(String, Action, Option<&str>)> {
    let all = plan.changes.iter();
    all.map(|change| (change.address.to_string(), change.action, change.importing.as_deref())).collect()
}

#[tokio::test]
async fn what_is_as_the_spec_says_is_taken_over_and_left_alone() {
    let mut stack = Stack::default();
    stack.cloud.conjure("a", "one");
    let (plan, report) = stack.up(IMPORT).await.unwrap();
    assert_eq!(importing(&plan), [("fake_thing.a".to_owned(), Action::NoOp, Some("a"))]);
    assert_eq!(plan.totals(), Totals { import: 1, ..Totals::default() });
    assert!(plan.has_changes());
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert_eq!(report.done, Totals { import: 1, ..Totals::default() });
    assert_eq!(stack.cloud.take_calls(), [("import", "a".to_owned())]);
    let address = "fake_thing.a".parse().unwrap();
    assert_eq!(stack.snapshot.get(&address).unwrap().id(), Some("thing-1"));

    // The entry may stay: from now on it says nothing new.
    let spec = stack.spec(IMPORT).unwrap();
    let again = stack.plan(&spec).await.unwrap();
    assert!(!again.has_changes());
    assert_eq!(stack.cloud.take_calls(), [("read", "a".to_owned())]);
}

#[tokio::test]
async fn what_differs_is_taken_over_and_changed() {
    let mut stack = Stack::default();
    stack.cloud.conjure("a", "other");
    let (plan, report) = stack.up(IMPORT).await.unwrap();
    assert_eq!(importing(&plan), [("fake_thing.a".to_owned(), Action::Update, Some("a"))]);
    assert_eq!(report.done, Totals { import: 1, change: 1, ..Totals::default() });
    assert_eq!(stack.cloud.attribute("a", "value"), Some(Value::from("one")));
}

#[tokio::test]
async fn a_plan_with_imports_survives_its_file() {
    let mut stack = Stack::default();
    stack.cloud.conjure("a", "one");
    let spec = stack.spec(IMPORT).unwrap();
    let plan = stack.plan(&spec).await.unwrap();
    let envelope = Envelope {
        program_version: "0".into(),
        created: String::new(),
        spec_files: vec![],
        warnings: vec![],
    };
    let (kept, _) = read(&write(&plan, &envelope)).unwrap();
    assert_eq!(kept.changes, plan.changes);
    let report = stack.apply(&spec, &kept).await;
    assert_eq!(report.done.import, 1);
    assert!(stack.snapshot.get(&"fake_thing.a".parse().unwrap()).is_some());
}

#[tokio::test]
async fn many_at_once_by_key_and_identity() {
    let mut stack = Stack::default();
    for name in ["x", "y"] {
        stack.cloud.conjure(name, "v");
    }
    let text = r#"
[resource.fake_thing.t]
for_each = '${toset(["x", "y"])}'
name     = "${each.key}"
value    = "v"

[[import]]
for_each = { x = "x", y = "y" }
to       = "fake_thing.t[each.key]"
identity = { name = "${each.value}" }
"#;
    let (plan, report) = stack.up(text).await.unwrap();
    assert_eq!(plan.totals(), Totals { import: 2, ..Totals::default() });
    assert!(report.is_success());
    assert_eq!(stack.snapshot.current().count(), 2);
}

#[tokio::test]
async fn an_id_may_come_from_what_is_known_while_planning() {
    let mut stack = Stack::default();
    stack.cloud.conjure("known", "a");
    stack.cloud.conjure("a", "one");
    let text = format!(
        "{}\n[data.fake_lookup.known]\nname = \"known\"\n\n[resource.fake_thing.after]\nfor_each = '${{toset([fake_thing.a.value])}}'\nname = \"${{each.key}}\"\n",
        IMPORT.replace("id = \"a\"", "id = \"${data.fake_lookup.known.value}\"")
    );
    let (plan, _) = stack.up(&text).await.unwrap();
    assert_eq!(plan.totals(), Totals { import: 1, add: 1, ..Totals::default() });
}

#[tokio::test]
async fn what_is_not_there_to_import_is_said_with_all_else() {
    let mut stack = Stack::default();
    stack.options.look_for_existing = true;
    stack.cloud.conjure("taken", "x");
    let taken = format!("{IMPORT}\n[resource.fake_thing.b]\nname = \"taken\"\n");
    assert_eq!(codes(&refused(&stack, &taken).await), ["import-not-found", "exists-already"]);
    // Whatever comes first in the order of the plan.
    for other in ["a", "z"] {
        let import = IMPORT.replace("fake_thing.a", "fake_thing.m");
        let wrong = format!("{import}\n[resource.fake_thing.{other}]\nname = \"w\"\nvalue = \"forbidden\"\n");
        let errors = refused(&stack, &wrong).await;
        let found: BTreeSet<&str> = codes(&errors).into_iter().collect();
        assert_eq!(found, BTreeSet::from(["import-not-found", "invalid-value"]));
        assert_eq!(errors.len(), 2);
    }
}

#[tokio::test]
async fn what_can_not_be_imported_is_said() {
    let mut stack = Stack::default();
    assert_eq!(codes(&refused(&stack, IMPORT).await), ["import-not-found"]);
    stack.cloud.conjure("a", "one");
    for (from, to, code) in [
        ("id = \"a\"", "id = \"${fake_thing.b.id}\"", "unknown-import-id"),
        ("id = \"a\"", "id = \"\"", "invalid-import"),
        ("id = \"a\"", "identity = { nome = \"a\" }", "invalid-import"),
        ("to = \"fake_thing.a\"", "to = \"fake_thing.aa\"", "undeclared-resource"),
        ("to = \"fake_thing.a\"", "to = \"fake_thing.a[0]\"", "undeclared-instance"),
        ("to = \"fake_thing.a\"", "to = \"module.m.fake_thing.a\"", "undeclared-resource"),
        ("id = \"a\"", "id = \"a\"\nprovider = \"terraform\"", "invalid-import"),
    ] {
        let text = format!("{}\n[resource.fake_thing.b]\nname = \"b\"\n", IMPORT.replace(from, to));
        let errors = refused(&stack, &text).await;
        assert_eq!(codes(&errors), [code], "{errors:#?}");
        assert!(errors[0].span.is_some());
    }
    let own = IMPORT.replace("id = \"a\"", "id = \"${fake_thing.a.id}\"");
    assert_eq!(codes(&refused(&stack, &own).await), ["reference-cycle"]);

    stack.up("[resource.fake_thing.first]\nname = \"f\"\nvalue = \"one\"").await.unwrap();
    let second = format!(
        "[resource.fake_thing.first]\nname = \"f\"\nvalue = \"one\"\n{}",
        IMPORT.replace("\"a\"", "\"f\"")
    );
    let errors = refused(&stack, &second).await;
    assert_eq!(codes(&errors), ["already-managed"]);
    assert!(errors[0].detail.contains("`fake_thing.first`"));
}

#[tokio::test]
async fn an_object_that_is_there_already_is_found_while_planning() {
    let mut stack = Stack::default();
    stack.options.look_for_existing = true;
    stack.cloud.conjure("a", "one");
    let text = "[resource.fake_thing.a]\nname = \"a\"\n[resource.fake_thing.b]\nname = \"b\"\n";
    let errors = refused(&stack, text).await;
    assert_eq!(codes(&errors), ["exists-already"]);
    assert!(
        errors[0].detail.contains("[[import]]\nto = \"fake_thing.a\"\nid = \"a\""),
        "{}",
        errors[0].detail
    );
    assert_eq!(stack.cloud.take_calls().len(), 2);
    // Pasted, it is imported.
    let (plan, report) =
        stack.up(&format!("{text}{}", "[[import]]\nto = \"fake_thing.a\"\nid = \"a\"")).await.unwrap();
    assert_eq!((plan.totals().import, plan.totals().add), (1, 1));
    assert!(report.is_success());
    stack.cloud.take_calls();
    let spec = stack.spec(text).unwrap();
    assert!(!stack.plan(&spec).await.unwrap().has_changes());
    assert!(
        stack.cloud.take_calls().iter().all(|(call, _)| *call == "read"),
        "a plan without creations asks no more"
    );
}

#[tokio::test]
async fn a_name_of_this_state_is_not_taken_for_somebody_elses() {
    let mut stack = Stack::default();
    stack.options.look_for_existing = true;
    stack.up("[resource.fake_thing.a]\nname = \"a\"").await.unwrap();
    stack.cloud.take_calls();
    // Deleted at one address, made at another.
    let spec = stack.spec("[resource.fake_thing.b]\nname = \"a\"").unwrap();
    let plan = stack.plan(&spec).await.unwrap();
    assert_eq!((plan.totals().add, plan.totals().destroy), (1, 1));
    // Gone and made again.
    stack.cloud.vanish("a");
    let spec = stack.spec("[resource.fake_thing.a]\nname = \"a\"").unwrap();
    assert_eq!(stack.plan(&spec).await.unwrap().totals().add, 1);
    assert!(stack.cloud.take_calls().iter().all(|(call, _)| *call == "read"));
}

#[tokio::test]
async fn a_replacement_under_a_taken_name_is_found_and_a_failed_look_is_passed_over() {
    let mut stack = Stack::default();
    stack.options.look_for_existing = true;
    stack.up("[resource.fake_thing.a]\nname = \"a\"").await.unwrap();
    stack.cloud.conjure("taken", "x");
    let renamed = "[resource.fake_thing.a]\nname = \"taken\"";
    assert_eq!(codes(&refused(&stack, renamed).await), ["exists-already"]);
    stack.cloud.fail("exists", "taken", terrane_testkit::Fault::Refused);
    let spec = stack.spec(renamed).unwrap();
    assert_eq!(stack.plan(&spec).await.unwrap().totals().add, 1);
}

const UNDECLARED: &str = "[[import]]\nto = \"fake_thing.a\"\nid = \"a\"\n";

#[tokio::test]
async fn a_resource_that_keeps_the_object_is_written_where_that_is_asked_for() {
    let mut stack = Stack::default();
    stack.cloud.conjure("a", "one");
    let spec = stack.spec(UNDECLARED).unwrap();
    let errors = stack.plan(&spec).await.unwrap_err();
    assert_eq!(codes(&errors), ["undeclared-resource"]);
    assert!(errors[0].hints[0].contains("--generate-config-out"), "{errors:#?}");

    stack.options.generate = true;
    let Draft::Undeclared(undeclared) = stack.draft(&spec).await.unwrap() else { panic!() };
    let [one] = undeclared.as_slice() else { panic!("{undeclared:#?}") };
    assert_eq!((one.address.to_string().as_str(), one.id.as_str()), ("fake_thing.a", "a"));
    let said = [("name", Value::from("a")), ("size", Value::from(7)), ("value", Value::from("one"))];
    assert_eq!(one.arguments, Value::object(said));
    // With the resource nothing is left to be written.
    let text = format!("{UNDECLARED}[resource.fake_thing.a]\nname = \"a\"\nsize = 7\nvalue = \"one\"\n");
    let (plan, _) = stack.up(&text).await.unwrap();
    assert_eq!(importing(&plan), [("fake_thing.a".to_owned(), Action::NoOp, Some("a"))]);
}

#[tokio::test]
async fn what_no_resource_can_be_written_for_is_said() {
    let mut stack = Stack::default();
    stack.options.generate = true;
    let draft = async |stack: &Stack, text: &str| {
        let spec = stack.spec(text).unwrap();
        stack.draft(&spec).await.unwrap_err()
    };
    assert_eq!(codes(&draft(&stack, UNDECLARED).await), ["import-not-found"]);
    stack.cloud.conjure("a", "one");
    for (from, to, code) in [
        ("fake_thing.a", "fake_thing.a[0]", "undeclared-resource"),
        ("fake_thing.a", "module.m.fake_thing.a", "undeclared-resource"),
        ("\"fake_thing.a\"", "\"fake_thing.a[each.key]\"\nfor_each = { x = \"a\" }", "undeclared-resource"),
        ("fake_thing.a", "fake_thin.a", "unknown-type"),
        ("id = \"a\"", "id = \"\"", "invalid-import"),
        ("id = \"a\"", "identity = { nome = \"a\" }", "invalid-import"),
    ] {
        let errors = draft(&stack, &UNDECLARED.replace(from, to)).await;
        assert_eq!(codes(&errors), [code], "{errors:#?}");
        assert!(errors[0].span.is_some());
    }
    stack.up("[resource.fake_thing.b]\nname = \"b\"\n").await.unwrap();
    let held = format!("{}[resource.fake_thing.b]\nname = \"b\"\n", UNDECLARED.replace("\"a\"", "\"b\""));
    assert_eq!(codes(&draft(&stack, &held).await), ["already-managed"]);
    // What the state has already is not to be imported.
    stack.up("[resource.fake_thing.a]\nname = \"new\"\n").await.unwrap();
    assert_eq!(codes(&draft(&stack, UNDECLARED).await), ["already-managed"]);
}
