//! `replace_triggered_by`, `ignore_changes` and what the state keeps of objects that do not change, on a fake cloud.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use terrane_model::{Action, Address, Reason, Value};
use terrane_plan::Plan;
use terrane_plan::plan::Mode;
use terrane_testkit::Stack;

fn thing(name: &str, more: &str) -> String {
    format!("[resource.fake_thing.{name}]\nname = \"{name}\"\n{more}\n")
}

fn by(trigger: &str) -> String {
    format!("lifecycle = {{ replace_triggered_by = ['fake_thing.{trigger}'] }}\n")
}

fn action(plan: &Plan, address: &str) -> (Action, Reason) {
    let address: Address = format!("fake_thing.{address}").parse().unwrap();
    let change = plan.changes.iter().find(|c| c.address == address).unwrap();
    (change.action, change.reason)
}

const TRIGGERED: (Action, Reason) = (Action::DeleteThenCreate, Reason::ReplaceByTriggers);
const NOTHING: (Action, Reason) = (Action::NoOp, Reason::Plain);

async fn second(before: &str, after: &str) -> Plan {
    let mut stack = Stack::default();
    assert!(stack.up(before).await.unwrap().1.is_success());
    let (plan, report) = stack.up(after).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    let spec = stack.spec(after).unwrap();
    let again = stack.plan(&spec).await.unwrap();
    assert!(!again.has_changes(), "{:#?}", again.changes);
    plan
}

#[tokio::test]
async fn only_what_changes_or_is_replaced_fires() {
    let a = |value: &str| thing("a", &format!("value = \"{value}\""));
    let b = |trigger: &str| thing("b", &by(trigger));
    for (trigger, wanted) in
        [("a", TRIGGERED), ("a.value", TRIGGERED), ("a.name", NOTHING), ("a.id", NOTHING)]
    {
        let plan = second(&(a("1") + &b(trigger)), &(a("2") + &b(trigger))).await;
        assert_eq!(action(&plan, "b"), wanted, "{trigger}");
    }
    // The one that fires is new, or the one that would is gone.
    let plan = second(&thing("b", ""), &(a("1") + &b("a"))).await;
    assert_eq!(action(&plan, "b"), NOTHING);
    let counted =
        |count: u8| format!("[resource.fake_thing.a]\ncount = {count}\nname = \"a${{count.index}}\"\n");
    for (before, after) in [(1, 2), (2, 1)] {
        let plan = second(&(counted(before) + &b("a")), &(counted(after) + &b("a"))).await;
        assert_eq!(action(&plan, "b"), NOTHING, "{before} {after}");
    }
    // A reason of its own does not hide the trigger.
    let plan = second(&(a("1") + &b("a")), &(a("2") + &b("a").replace("\"b\"", "\"c\""))).await;
    assert_eq!(action(&plan, "b"), TRIGGERED);
}

#[tokio::test]
async fn an_instance_follows_the_one_of_its_own_key() {
    let each = |last: u8| {
        format!(
            "[resource.fake_thing.a]\nfor_each = {{ k = 1, l = {last} }}\nname = \"a-${{each.key}}\"\nvalue = \"${{each.value}}\"\n"
        )
    };
    for trigger in ["a[each.key]", "a[ each.key ].value"] {
        let b = "[resource.fake_thing.b]\nfor_each = { k = 1, l = 1 }\nname = \"b-${each.key}\"\n".to_owned()
            + &by(trigger);
        let plan = second(&(each(1) + &b), &(each(2) + &b)).await;
        assert_eq!(action(&plan, "b[\"k\"]"), NOTHING);
        assert_eq!(action(&plan, "b[\"l\"]"), TRIGGERED);
    }
    let counted = |times: u8| {
        format!(
            "[resource.fake_thing.a]\ncount = 2\nname = \"a-${{count.index}}\"\nvalue = \"${{count.index * {times}}}\"\n"
        )
    };
    let b = "[resource.fake_thing.b]\ncount = 2\nname = \"b-${count.index}\"\n".to_owned()
        + &by("a[count.index]");
    let plan = second(&(counted(1) + &b), &(counted(2) + &b)).await;
    assert_eq!((action(&plan, "b[0]"), action(&plan, "b[1]")), (NOTHING, TRIGGERED));
    let stack = Stack::default();
    for trigger in ["a[each.key]", "a[count.index]", "a[each.value]", "a[each.key]x", "x[each.key]"] {
        assert!(stack.spec(&(thing("a", "") + &thing("b", &by(trigger)))).is_err(), "{trigger}");
    }
}

#[tokio::test]
async fn a_new_object_has_no_changes_to_ignore() {
    let spec = |name: &str, value: &str, ignored: &str| {
        format!(
            "[resource.fake_thing.a]\nname = \"{name}\"\nvalue = \"{value}\"\nlifecycle = {{ ignore_changes = {ignored} }}\n"
        )
    };
    let mut stack = Stack::default();
    stack.up(&spec("a", "one", "[\"value\"]")).await.unwrap();
    let (plan, report) = stack.up(&spec("b", "two", "[\"value\"]")).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert_eq!(action(&plan, "a").1, Reason::ReplaceBecauseCannotUpdate);
    assert_eq!(stack.cloud.attribute("b", "value"), Some(Value::from("two")));
    // Asked for, while everything is ignored.
    stack.options.replace = ["fake_thing.a".parse().unwrap()].into();
    let (_, report) = stack.up(&spec("c", "three", "\"all\"")).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert_eq!(stack.cloud.attribute("c", "value"), Some(Value::from("three")));
}

#[tokio::test]
async fn what_does_not_change_is_deleted_in_the_order_of_the_present_spec() {
    let mut stack = Stack::default();
    let first = "lifecycle = { create_before_destroy = true }\n";
    stack.up(&(thing("a", "") + &thing("b", first))).await.unwrap();
    let needs = "depends_on = [\"fake_thing.a\"]\n";
    let (plan, _) = stack.up(&(thing("a", "") + &thing("b", &(needs.to_owned() + first)))).await.unwrap();
    assert!(!plan.has_changes());
    let object = |stack: &Stack, name: &str| {
        stack.snapshot.get(&format!("fake_thing.{name}").parse().unwrap()).unwrap().clone()
    };
    let needed: Vec<String> = object(&stack, "b").dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(needed, ["fake_thing.a"]);
    assert!(object(&stack, "a").create_before_destroy, "it is inherited");
    let (plan, _) = stack.up(&(thing("a", "") + &thing("b", needs))).await.unwrap();
    assert!(!plan.has_changes());
    assert!(!object(&stack, "a").create_before_destroy && !object(&stack, "b").create_before_destroy);
    stack.options.mode = Mode::Destroy;
    stack.log.take();
    stack.up("").await.unwrap();
    let log = stack.log.take();
    let place = |line: &str| log.iter().position(|l| l == line).unwrap();
    assert!(place("fake_thing.b: Delete done") < place("fake_thing.a: Delete started"), "{log:#?}");
}

#[tokio::test]
async fn what_is_needed_through_a_data_source_is_deleted_after_what_needs_it() {
    let through = "[data.fake_lookup.between]\nname = \"a\"\ndepends_on = [\"fake_thing.a\"]\n\
                   [data.fake_lookup.again]\nname = \"${data.fake_lookup.between.value}\"\n";
    let b = "[resource.fake_thing.b]\nname = \"b\"\nvalue = \"${data.fake_lookup.again.value}\"\n";
    let mut stack = Stack::default();
    let (_, report) = stack.up(&(thing("a", "value = \"a\"\n") + through + b)).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    stack.options.mode = Mode::Destroy;
    stack.log.take();
    stack.up("").await.unwrap();
    let log = stack.log.take();
    let place = |line: &str| log.iter().position(|l| l == line).unwrap();
    assert!(place("fake_thing.b: Delete done") < place("fake_thing.a: Delete started"), "{log:#?}");
}

#[tokio::test]
async fn needs_of_needs_that_terraform_writes_down_stay() {
    let needs = |names: &str| format!("depends_on = [{names}]\n");
    let text = thing("a", "")
        + &thing("b", &needs("\"fake_thing.a\""))
        + &thing("c", &needs("\"fake_thing.b\""))
        + &thing("d", "");
    let mut stack = Stack::default();
    stack.up(&text).await.unwrap();
    let c: Address = "fake_thing.c".parse().unwrap();
    let provider = stack.snapshot.resource(&c.resource).unwrap().provider.clone();
    for (more, kept) in [("a", true), ("d", false)] {
        let mut object = stack.snapshot.get(&c).unwrap().clone();
        let more: Address = format!("fake_thing.{more}").parse().unwrap();
        object.dependencies.insert(more.resource);
        stack.snapshot.put(&c, &provider, object.clone());
        stack.up(&text).await.unwrap();
        assert_eq!(stack.snapshot.get(&c).unwrap().dependencies == object.dependencies, kept);
    }
}
