//! What the engine promises, shown on a fake cloud: every action, in the right order, with failures at every point.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use terrane_model::value::Marks;
use terrane_model::{Action, Address, Reason, Value};
use terrane_plan::Plan;
use terrane_plan::plan::{Mode, Totals};
use terrane_testkit::{Fault, Stack};

const CHAIN: &str = r#"
[resource.fake_thing.a]
name  = "a"
value = "one"

[resource.fake_thing.b]
name  = "b"
value = "${fake_thing.a.id}"

[resource.fake_thing.c]
for_each = '${toset(["x", "y"])}'
name     = "c-${each.key}"
value    = "${fake_thing.b.value}"

[output.all]
value = "${[for t in fake_thing.c : t.id]}"
"#;

fn action(plan: &Plan, address: &str) -> (Action, Reason) {
    let address: Address = address.parse().unwrap();
    let change = plan.changes.iter().find(|c| c.address == address).unwrap();
    (change.action, change.reason)
}

fn position(log: &[String], line: &str) -> usize {
    log.iter().position(|l| l == line).unwrap_or_else(|| unreachable!("no line {line:?} in {log:#?}"))
}

#[tokio::test]
async fn everything_is_made_in_order_and_then_nothing_is_to_be_done() {
    let mut stack = Stack::default();
    let (plan, report) = stack.up(CHAIN).await.unwrap();
    assert_eq!(plan.totals(), Totals { add: 4, ..Totals::default() });
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert_eq!(report.done.add, 4);
    let log = stack.log.take();
    assert!(position(&log, "fake_thing.a: Create done") < position(&log, "fake_thing.b: Create started"));
    assert!(
        position(&log, "fake_thing.b: Create done") < position(&log, "fake_thing.c[\"x\"]: Create started")
    );
    assert_eq!(stack.cloud.attribute("c-x", "value"), Some(Value::from("thing-1")));
    assert_eq!(stack.snapshot.outputs["all"].value.elements().len(), 2);

    let spec = stack.spec(CHAIN).unwrap();
    let again = stack.plan(&spec).await.unwrap();
    assert!(!again.has_changes(), "{:#?}", again.changes);
}

#[tokio::test]
async fn an_intent_is_safe_before_each_action_and_the_outcome_after() {
    let mut stack = Stack::default();
    stack.up(CHAIN).await.unwrap();
    let log = stack.log.take();
    let of_a: Vec<&str> = log.iter().filter_map(|l| l.strip_prefix("fake_thing.a: ")).collect();
    assert_eq!(of_a, ["Create intended", "Create started", "recorded as there", "Create done"]);
}

#[tokio::test]
async fn a_change_in_place_reaches_what_depends_on_it() {
    let mut stack = Stack::default();
    stack.up(CHAIN).await.unwrap();
    let changed = CHAIN.replace("\"${fake_thing.a.id}\"", "\"fixed\"");
    let (plan, report) = stack.up(&changed).await.unwrap();
    assert_eq!(action(&plan, "fake_thing.a").0, Action::NoOp);
    assert_eq!(action(&plan, "fake_thing.b").0, Action::Update);
    assert_eq!(action(&plan, "fake_thing.c[\"x\"]").0, Action::Update);
    assert!(report.is_success());
    assert_eq!(stack.cloud.attribute("c-y", "value"), Some(Value::from("fixed")));
}

#[tokio::test]
async fn what_a_verb_notes_is_kept_in_the_state() {
    let mut stack = Stack::default();
    stack.up(CHAIN).await.unwrap();
    let address: Address = "fake_thing.a".parse().unwrap();
    let note = |stack: &Stack| stack.snapshot.get(&address).unwrap().note();
    assert_eq!(note(&stack).as_deref(), Some("one"));
    let changed = CHAIN.replace("\"one\"", "\"two\"");
    stack.up(&changed).await.unwrap();
    assert_eq!(note(&stack).as_deref(), Some("two"));

    // As another tool would leave it.
    let mut object = stack.snapshot.get(&address).unwrap().clone();
    object.remember(None);
    let provider = stack.snapshot.resource(&address.resource).unwrap().provider.clone();
    stack.snapshot.put(&address, &provider, object);
    stack.up(&changed).await.unwrap();
    assert_eq!(note(&stack).as_deref(), Some("two"), "a refresh notes it too");
}

#[tokio::test]
async fn a_forced_replacement_deletes_from_the_top_and_makes_from_the_bottom() {
    let mut stack = Stack::default();
    stack.up(CHAIN).await.unwrap();
    stack.log.take();
    let renamed = CHAIN.replace("name  = \"a\"", "name  = \"a2\"").replace("name  = \"b\"", "name  = \"b2\"");
    let (plan, report) = stack.up(&renamed).await.unwrap();
    let replaced = (Action::DeleteThenCreate, Reason::ReplaceBecauseCannotUpdate);
    assert_eq!(action(&plan, "fake_thing.a"), replaced);
    assert!(report.is_success(), "{:?}", report.diagnostics);
    let log = stack.log.take();
    let order = ["fake_thing.b: Delete done", "fake_thing.a: Delete started", "fake_thing.a: Delete done"];
    let then = ["fake_thing.a: Create started", "fake_thing.a: Create done", "fake_thing.b: Create started"];
    let places: Vec<usize> = order.iter().chain(&then).map(|line| position(&log, line)).collect();
    assert!(places.is_sorted(), "{log:#?}");
    assert!(stack.cloud.names().contains("a2"));
}

#[tokio::test]
async fn create_before_destroy_keeps_the_old_one_until_the_new_one_is_used() {
    let spec = |name: &str| {
        format!(
            "[resource.fake_thing.a]\nname = \"{name}\"\nlifecycle = {{ create_before_destroy = true }}\n\
             [resource.fake_thing.b]\nname = \"b\"\nvalue = \"${{fake_thing.a.id}}\"\n"
        )
    };
    let mut stack = Stack::default();
    stack.up(&spec("a")).await.unwrap();
    stack.log.take();
    let (plan, report) = stack.up(&spec("a2")).await.unwrap();
    assert_eq!(action(&plan, "fake_thing.a").0, Action::CreateThenDelete);
    assert!(report.is_success(), "{:?}", report.diagnostics);
    let log = stack.log.take();
    assert!(position(&log, "fake_thing.a: Create done") < position(&log, "fake_thing.b: Update started"));
    assert!(position(&log, "fake_thing.b: Update done") < position(&log, "fake_thing.a: Delete started"));
    assert_eq!(stack.cloud.names().len(), 2);
    assert!(stack.snapshot.instances().all(|(_, _, instance)| instance.deposed.is_empty()));
}

#[tokio::test]
async fn a_failed_replacement_leaves_the_old_object_in_its_place() {
    let spec = |name: &str| {
        format!(
            "[resource.fake_thing.a]\nname = \"{name}\"\nlifecycle = {{ create_before_destroy = true }}\n"
        )
    };
    let mut stack = Stack::default();
    stack.up(&spec("a")).await.unwrap();
    stack.cloud.fail("create", "a2", Fault::Refused);
    let (_, report) = stack.up(&spec("a2")).await.unwrap();
    assert_eq!(report.failed.len(), 1);
    let address: Address = "fake_thing.a".parse().unwrap();
    assert_eq!(stack.snapshot.get(&address).unwrap().id(), Some("thing-1"));
    let (_, report) = stack.up(&spec("a2")).await.unwrap();
    assert!(report.is_success());
    assert_eq!(stack.cloud.names().into_iter().collect::<Vec<_>>(), ["a2"]);
}

#[tokio::test]
async fn a_failure_stops_only_what_depends_on_it_and_running_again_goes_on() {
    let mut stack = Stack::default();
    let with_other = format!("{CHAIN}\n[resource.fake_thing.alone]\nname = \"alone\"\n");
    stack.cloud.fail("create", "b", Fault::Refused);
    let (_, report) = stack.up(&with_other).await.unwrap();
    assert_eq!(report.failed, [("fake_thing.b".parse().unwrap(), Action::Create)]);
    assert_eq!(report.skipped.len(), 2, "{:?}", report.skipped);
    assert_eq!(report.done.add, 2);
    assert!(report.diagnostics[0].span.is_some(), "points into the spec");
    let (_, report) = stack.up(&with_other).await.unwrap();
    assert!(report.is_success());
    assert_eq!(report.done.add, 3);
    assert_eq!(stack.cloud.names().len(), 5);
}

#[tokio::test]
async fn a_partly_made_object_is_kept_tainted_and_replaced() {
    let mut stack = Stack::default();
    stack.cloud.fail("create", "a", Fault::Partial);
    let (_, report) = stack.up(CHAIN).await.unwrap();
    assert_eq!(report.failed.len(), 1);
    assert!(stack.snapshot.get(&"fake_thing.a".parse().unwrap()).is_some());
    let (plan, report) = stack.up(CHAIN).await.unwrap();
    assert_eq!(action(&plan, "fake_thing.a"), (Action::DeleteThenCreate, Reason::ReplaceBecauseTainted));
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert_eq!(stack.cloud.names().len(), 4);
}

#[tokio::test]
async fn what_vanished_is_made_again_and_what_drifted_is_brought_back() {
    let mut stack = Stack::default();
    stack.up(CHAIN).await.unwrap();
    stack.cloud.vanish("c-x");
    stack.cloud.meddle("a", "value", Value::from("meddled"));
    let (plan, report) = stack.up(CHAIN).await.unwrap();
    assert_eq!(action(&plan, "fake_thing.c[\"x\"]").0, Action::Create);
    assert_eq!(action(&plan, "fake_thing.a").0, Action::Update);
    let drifted: Vec<String> = plan.drift.iter().map(|d| d.address.to_string()).collect();
    assert_eq!(drifted, ["fake_thing.a", "fake_thing.c[\"x\"]"]);
    assert!(plan.drift[1].after.is_none());
    assert!(report.is_success());
}

#[tokio::test]
async fn what_the_spec_does_not_want_any_more_is_deleted_with_the_reason() {
    let mut stack = Stack::default();
    stack.up(CHAIN).await.unwrap();
    let fewer = CHAIN.replace("[\"x\", \"y\"]", "[\"y\"]");
    let (plan, _) = stack.up(&fewer).await.unwrap();
    assert_eq!(action(&plan, "fake_thing.c[\"x\"]"), (Action::Delete, Reason::DeleteBecauseEachKey));
    let (plan, report) = stack.up("").await.unwrap();
    assert_eq!(action(&plan, "fake_thing.a"), (Action::Delete, Reason::DeleteBecauseNoResourceConfig));
    assert!(report.is_success());
    assert!(stack.cloud.names().is_empty());
    assert!(stack.snapshot.is_empty(), "{:?}", stack.snapshot);
}

#[tokio::test]
async fn destroy_deletes_what_depends_first() {
    let mut stack = Stack::default();
    stack.up(CHAIN).await.unwrap();
    stack.log.take();
    stack.options.mode = Mode::Destroy;
    let (plan, report) = stack.up(CHAIN).await.unwrap();
    assert_eq!(plan.totals().destroy, 4);
    assert!(report.is_success());
    let log = stack.log.take();
    assert!(
        position(&log, "fake_thing.c[\"y\"]: Delete done") < position(&log, "fake_thing.b: Delete started")
    );
    assert!(position(&log, "fake_thing.b: Delete done") < position(&log, "fake_thing.a: Delete started"));
    assert!(stack.snapshot.is_empty());
}

#[tokio::test]
async fn a_data_source_is_read_at_plan_or_when_its_arguments_are_known() {
    let spec = r#"
[resource.fake_thing.a]
name  = "a"
value = "deep"

[data.fake_lookup.early]
name = "a"

[data.fake_lookup.late]
name       = "a"
depends_on = ["fake_thing.b"]

[resource.fake_thing.b]
name  = "b"
value = "${data.fake_lookup.early.value}"

[resource.fake_thing.c]
name  = "c"
value = "${data.fake_lookup.late.value}"
"#;
    let mut stack = Stack::default();
    stack.up("[resource.fake_thing.a]\nname = \"a\"\nvalue = \"deep\"\n").await.unwrap();
    let (plan, report) = stack.up(spec).await.unwrap();
    assert_eq!(action(&plan, "data.fake_lookup.late"), (Action::Read, Reason::ReadBecauseDependencyPending));
    assert!(plan.changes.iter().all(|c| c.address.to_string() != "data.fake_lookup.early"));
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert_eq!(stack.cloud.attribute("c", "value"), Some(Value::from("deep")));
    let spec = stack.spec(spec).unwrap();
    let again = stack.plan(&spec).await.unwrap();
    assert!(!again.has_changes(), "{:#?}", again.changes);
}

#[tokio::test]
async fn protected_objects_stop_the_plan() {
    let spec = |name: &str| {
        format!("[resource.fake_thing.a]\nname = \"{name}\"\nlifecycle = {{ prevent_destroy = true }}\n")
    };
    let mut stack = Stack::default();
    stack.up(&spec("a")).await.unwrap();
    let errors = stack.up(&spec("b")).await.unwrap_err();
    assert_eq!(errors[0].code, "prevent-destroy");
    stack.options.mode = Mode::Destroy;
    assert_eq!(stack.up(&spec("a")).await.unwrap_err()[0].code, "prevent-destroy");
}

#[tokio::test]
async fn ignored_changes_are_left_alone() {
    let spec = "[resource.fake_thing.a]\nname = \"a\"\nvalue = \"mine\"\nlifecycle = { ignore_changes = [\"value\"] }\n";
    let mut stack = Stack::default();
    stack.up(spec).await.unwrap();
    stack.cloud.meddle("a", "value", Value::from("theirs"));
    let (plan, _) = stack.up(spec).await.unwrap();
    assert_eq!(action(&plan, "fake_thing.a").0, Action::NoOp);
    assert_eq!(stack.cloud.attribute("a", "value"), Some(Value::from("theirs")));
}

#[tokio::test]
async fn a_cycle_is_named_member_by_member() {
    let spec = "[resource.fake_thing.a]\nname = \"${fake_thing.b.id}\"\n[resource.fake_thing.b]\nname = \"${local.l}\"\n\
                [locals]\nl = \"${fake_thing.a.id}\"\n";
    let mut stack = Stack::default();
    let errors = stack.up(spec).await.unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].code, "reference-cycle");
    assert!(
        errors[0].detail.contains("`fake_thing.a` needs `fake_thing.b` needs `fake_thing.a`"),
        "{}",
        errors[0].detail
    );
    assert!(errors[0].span.is_some() && !errors[0].related.is_empty());
}

#[tokio::test]
async fn all_errors_of_a_plan_are_reported_together() {
    let spec = "[resource.fake_thing.a]\nname = \"a\"\nvalue = \"forbidden\"\n\
                [resource.fake_thing.b]\nname = \"b\"\nvalue = '${lower(\"FORBIDDEN\")}'\n";
    let mut stack = Stack::default();
    let errors = stack.up(spec).await.unwrap_err();
    let codes: Vec<_> = errors.iter().map(|e| e.code).collect();
    assert_eq!(codes, ["invalid-value", "invalid-value"]);
    assert!(errors.iter().all(|e| e.span.is_some()));
}

#[tokio::test]
async fn no_more_at_once_than_allowed() {
    let mut stack = Stack { parallelism: 3, ..Stack::default() };
    stack.cloud.latency(std::time::Duration::from_millis(2));
    let (_, report) =
        stack.up("[resource.fake_thing.a]\ncount = 12\nname = \"a-${count.index}\"\n").await.unwrap();
    assert!(report.is_success());
    assert_eq!(stack.cloud.most_at_once(), 3);
}

#[tokio::test]
async fn asked_to_stop_it_finishes_what_is_under_way_and_no_more() {
    let mut stack = Stack { refresh: false, ..Stack::default() };
    stack.stop.ask();
    let (_, report) = stack.up(CHAIN).await.unwrap();
    assert!(report.interrupted);
    assert!(report.skipped.len() == 4 && stack.cloud.names().is_empty());
}

#[tokio::test]
async fn secrets_stay_marked_on_their_way_into_the_state() {
    let spec = "[resource.fake_thing.a]\nname = \"a\"\nvalue = '${sensitive(\"hush\")}'\nsecret = \"hush\"\n";
    let mut stack = Stack::default();
    let (plan, _) = stack.up(spec).await.unwrap();
    assert!(!format!("{plan:?}").contains("hush"), "debug output of a plan shows a secret");
    let object = stack.snapshot.get(&"fake_thing.a".parse().unwrap()).unwrap();
    assert_eq!(object.sensitive, [terrane_model::Path::attribute("value")]);
    let spec = stack.spec(spec).unwrap();
    assert!(!stack.plan(&spec).await.unwrap().has_changes());
}

#[tokio::test]
async fn terraform_data_keeps_values_and_triggers() {
    let spec = |input: &str, trigger: &str| {
        format!(
            "[resource.terraform_data.a]\ninput = \"{input}\"\ntriggers_replace = [\"{trigger}\"]\n\
             [output.o]\nvalue = \"${{terraform_data.a.output}}\"\n"
        )
    };
    let mut stack = Stack::default();
    stack.up(&spec("1", "x")).await.unwrap();
    assert_eq!(stack.snapshot.outputs["o"].value, Value::from("1"));
    let (plan, _) = stack.up(&spec("2", "x")).await.unwrap();
    assert_eq!(action(&plan, "terraform_data.a").0, Action::Update);
    assert_eq!(stack.snapshot.outputs["o"].value, Value::from("2"));
    let (plan, report) = stack.up(&spec("2", "y")).await.unwrap();
    assert_eq!(action(&plan, "terraform_data.a").0, Action::DeleteThenCreate);
    assert!(report.is_success(), "{:?}", report.diagnostics);
}

#[tokio::test]
async fn a_partly_made_replacement_makes_room_for_the_next_try() {
    let spec = |name: &str| {
        format!(
            "[resource.fake_thing.a]\nname = \"{name}\"\n\
             [resource.fake_thing.b]\nname = \"b\"\nvalue = \"${{fake_thing.a.id}}\"\n\
             lifecycle = {{ create_before_destroy = true }}\n"
        )
    };
    let mut stack = Stack::default();
    stack.up(&spec("a")).await.unwrap();
    stack.cloud.fail("create", "a2", Fault::Partial);
    let (_, report) = stack.up(&spec("a2")).await.unwrap();
    assert_eq!(report.failed.len(), 1);
    let (plan, report) = stack.up(&spec("a2")).await.unwrap();
    let actions: Vec<_> =
        plan.changes.iter().map(|c| (c.address.to_string(), c.deposed.is_some(), c.action)).collect();
    assert!(report.is_success(), "{actions:?}: {:?}", report.diagnostics);
    assert_eq!(stack.cloud.names().into_iter().collect::<Vec<_>>(), ["a2", "b"]);
}

#[tokio::test]
async fn conditions_stop_what_they_guard_and_are_kept_in_the_state() {
    let spec = |value: &str| {
        format!(
            "[variable.v]\ndefault = \"{value}\"\n\
             [[variable.v.validation]]\ncondition = '${{var.v != \"bad\"}}'\nerror_message = \"not bad\"\n\
             [resource.fake_thing.a]\nname = \"a\"\nvalue = \"${{var.v}}\"\n\
             [[resource.fake_thing.a.lifecycle.precondition]]\ncondition = '${{var.v != \"early\"}}'\n\
             error_message = \"too early\"\n\
             [[resource.fake_thing.a.lifecycle.postcondition]]\ncondition = \"${{self.size < 7}}\"\n\
             error_message = \"size ${{self.size}}\"\n\
             [resource.fake_thing.b]\nname = \"b\"\nvalue = \"${{fake_thing.a.id}}\"\n\
             [check.c]\n[[check.c.assert]]\ncondition = '${{var.v == \"x\"}}'\nerror_message = \"no x\"\n"
        )
    };
    let mut stack = Stack::default();
    assert_eq!(stack.up(&spec("bad")).await.unwrap_err()[0].detail, "not bad");
    assert_eq!(stack.up(&spec("early")).await.unwrap_err()[0].detail, "too early");
    let (plan, report) = stack.up(&spec("y")).await.unwrap();
    assert_eq!(plan.warnings[0].detail, "no x");
    assert_eq!(report.diagnostics[0].detail, "size 7");
    assert_eq!(report.skipped, [("fake_thing.b".parse().unwrap(), Action::Create)]);
    assert!(stack.cloud.names().contains("a"), "made and kept");
    let text = stack.snapshot.check_results.to_string();
    assert!(text.contains("\"config_addr\":\"check.c\",\"status\":\"fail\""), "{text}");
    assert!(text.contains("\"object_addr\":\"fake_thing.a\",\"status\":\"fail\""), "{text}");
}

#[tokio::test]
async fn a_check_reads_data_of_its_own_and_never_stops_anything() {
    let spec = "[resource.fake_thing.a]\nname = \"a\"\n\
                [check.c]\n[check.c.data.fake_lookup.other]\nname = \"other\"\n\
                [[check.c.assert]]\ncondition = '${data.fake_lookup.other.value == \"good\"}'\n\
                error_message = \"other is ${data.fake_lookup.other.value}\"\n";
    let mut stack = Stack::default();
    let (plan, report) = stack.up(spec).await.unwrap();
    assert!(report.failed.is_empty(), "{:?}", report.diagnostics);
    assert!(plan.warnings.iter().any(|w| w.detail.contains("fake_lookup.other")), "{:?}", plan.warnings);
    stack.up("[resource.fake_thing.o]\nname = \"other\"\nvalue = \"bad\"\n").await.unwrap();
    let both = format!("{spec}[resource.fake_thing.o]\nname = \"other\"\nvalue = \"bad\"\n");
    let (plan, _) = stack.up(&both).await.unwrap();
    assert!(plan.warnings.iter().any(|w| w.detail == "other is bad"), "{:?}", plan.warnings);
    assert!(stack.snapshot.check_results.to_string().contains("other is bad"));
    assert!(stack.snapshot.resources.keys().all(|r| r.mode == terrane_model::Mode::Managed), "not kept");
}

#[tokio::test]
async fn a_secret_input_of_terraform_data_stays_secret_in_its_output() {
    let spec = "[resource.terraform_data.a]\ninput = { plain = \"p\", hidden = '${sensitive(\"hush\")}' }\n\
                [resource.fake_thing.b]\nname = \"b\"\nvalue = \"${terraform_data.a.output.hidden}\"\n";
    let mut stack = Stack::default();
    let (plan, report) = stack.up(spec).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert!(!format!("{plan:?}").contains("hush"));
    let object = stack.snapshot.get(&"fake_thing.b".parse().unwrap()).unwrap();
    assert_eq!(object.sensitive, [terrane_model::Path::attribute("value")]);
    let spec = stack.spec(spec).unwrap();
    let again = stack.plan(&spec).await.unwrap();
    assert!(!again.has_changes() && !format!("{again:?}").contains("hush"), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_action_is_told_of_every_ten_seconds() {
    let mut stack = Stack::default();
    stack.cloud.latency(std::time::Duration::from_secs(25));
    stack.up("[resource.fake_thing.a]\nname = \"a\"\n").await.unwrap();
    let log = stack.log.take();
    let told: Vec<&String> = log.iter().filter(|line| line.contains("still")).collect();
    assert_eq!(told, ["fake_thing.a: still Create after 10 s", "fake_thing.a: still Create after 20 s"]);
}

#[tokio::test]
async fn a_replacement_of_what_is_not_there_is_an_error() {
    let spec = "[resource.fake_thing.abc]\nname = \"a\"\n";
    let mut stack = Stack::default();
    stack.up(spec).await.unwrap();
    stack.options.replace.insert("fake_thing.abd".parse().unwrap());
    let errors = stack.up(spec).await.unwrap_err();
    assert!(errors[0].detail.contains("Did you mean `fake_thing.abc`?"), "{}", errors[0].detail);
    stack.options.replace = ["fake_thing.abc".parse().unwrap()].into();
    let (plan, _) = stack.up(spec).await.unwrap();
    assert_eq!(action(&plan, "fake_thing.abc"), (Action::DeleteThenCreate, Reason::ReplaceByRequest));
}

#[tokio::test]
async fn ephemeral_values_are_kept_nowhere() {
    let spec = |rest: &str| format!("[variable.e]\ndefault = \"fleeting\"\nephemeral = true\n{rest}");
    let mut stack = Stack::default();
    let argument = "[resource.fake_thing.a]\nname = \"a\"\nvalue = \"x-${var.e}\"\n";
    assert_eq!(stack.up(&spec(argument)).await.unwrap_err()[0].code, "ephemeral-argument");
    let output = "[output.o]\nvalue = \"${var.e}\"\n";
    assert_eq!(stack.up(&spec(output)).await.unwrap_err()[0].code, "ephemeral-output");
    let text = spec("[output.o]\nvalue = '${ephemeralasnull(var.e) == null}'\n");
    let (mut plan, report) = stack.up(&text).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    plan.variables.insert(
        "e".into(),
        Value::from("fleeting").with_marks(Marks { ephemeral: true, ..Marks::default() }),
    );
    let envelope = terrane_plan::file::Envelope {
        program_version: "test".into(),
        created: "now".into(),
        spec_files: vec![],
        warnings: vec![],
    };
    let bytes = terrane_plan::file::write(&plan, &envelope);
    assert!(!String::from_utf8(bytes).unwrap().contains("fleeting"));
}
