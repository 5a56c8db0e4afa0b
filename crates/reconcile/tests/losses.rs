//! Objects that others use and that a plan deletes: who uses them, what is refused, and what is looked at again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use terrane_plan::Plan;
use terrane_plan::file::{Envelope, read, write};
use terrane_plan::loss::{Loss, Outcome};
use terrane_plan::plan::Mode;
use terrane_provider::Holds;
use terrane_testkit::Stack;

/// `lock` opens what `a` and `b` hold.
const SPEC: &str = r#"
[resource.fake_thing.lock]
name = "lock"

[resource.fake_thing.a]
name  = "a"
value = "${fake_thing.lock.id}"

[resource.fake_thing.b]
name  = "b"
value = "${fake_thing.lock.id}"
"#;

async fn made() -> Stack {
    let mut stack = Stack::default();
    let (_, report) = stack.up(SPEC).await.unwrap();
    assert!(report.is_success(), "{:?}", report.diagnostics);
    stack.cloud.take_calls();
    stack
}

fn id(stack: &Stack) -> String {
    stack.cloud.attribute("lock", "id").unwrap().as_str().unwrap().to_owned()
}

fn fates(loss: &Loss) -> Vec<(&str, Outcome, bool)> {
    loss.fates.iter().map(|fate| (fate.user.name.as_str(), fate.outcome, fate.address.is_some())).collect()
}

async fn destroy(stack: &mut Stack) -> Result<Plan, Vec<&'static str>> {
    stack.options.mode = Mode::Destroy;
    let spec = stack.spec(SPEC).unwrap();
    stack.plan(&spec).await.map_err(|errors| errors.iter().map(|e| e.code).collect())
}

#[tokio::test(start_paused = true)]
async fn what_uses_a_deleted_object_is_listed_with_its_fate() {
    let mut stack = made().await;
    let plan = destroy(&mut stack).await.unwrap();
    assert_eq!(plan.losses.len(), 1);
    assert_eq!(plan.losses[0].days, 30);
    assert_eq!(fates(&plan.losses[0]), [("a", Outcome::Deleted, true), ("b", Outcome::Deleted, true)]);
    let envelope = Envelope {
        program_version: "0".into(),
        created: "2026-11-24T00:00:00Z".into(),
        spec_files: vec![],
        warnings: vec![],
    };
    assert_eq!(read(&write(&plan, &envelope)).unwrap().0.losses, plan.losses);
    let spec = stack.spec(SPEC).unwrap();
    let report = stack.apply(&spec, &plan).await;
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert!(stack.cloud.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_deletes_no_such_object_asks_nobody() {
    let mut stack = made().await;
    let (plan, _) = stack.up(&SPEC.replace("name = \"lock\"", "name = \"lock\"\nsize = 9")).await.unwrap();
    assert!(plan.losses.is_empty());
    stack.up(SPEC.split("[resource.fake_thing.b]").next().unwrap()).await.unwrap();
    assert!(stack.cloud.take_calls().iter().all(|(operation, _)| *operation != "users"));
}

#[tokio::test(start_paused = true)]
async fn data_that_the_plan_does_not_delete_is_not_lost() {
    let mut stack = made().await;
    stack.cloud.conjure("other", &id(&stack));
    assert_eq!(destroy(&mut stack).await.unwrap_err(), ["still-in-use"]);
    // Another flag's address does not count; the resource's does for all of its instances.
    stack.options.allow_key_deletion = ["fake_thing.a".parse().unwrap()].into();
    assert_eq!(destroy(&mut stack).await.unwrap_err(), ["still-in-use"]);
    stack.options.allow_key_deletion = ["fake_thing.lock".parse().unwrap()].into();
    let plan = destroy(&mut stack).await.unwrap();
    assert_eq!(fates(&plan.losses[0])[0], ("other", Outcome::Outside, false));
    assert!(plan.losses[0].fates[0].loses_data());
    let spec = stack.spec(SPEC).unwrap();
    let report = stack.apply(&spec, &plan).await;
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert_eq!(stack.cloud.names(), ["other".to_owned()].into());
}

#[tokio::test(start_paused = true)]
async fn users_that_stay_and_those_that_are_let_go_of_lose_their_data_too() {
    let stack = made().await;
    // `a` keeps the id of the old one as a text; `b` is let go of.
    let spec = format!(
        "[resource.fake_thing.a]\nname = \"a\"\nvalue = \"{}\"\n[[removed]]\nfrom = \"fake_thing.b\"\nlifecycle = {{ destroy = false }}\n",
        id(&stack)
    );
    let spec = stack.spec(&spec).unwrap();
    let errors = stack.plan(&spec).await.unwrap_err();
    let error = errors.iter().find(|e| e.code == "still-in-use").unwrap();
    for part in [
        "`a` (`fake_thing.a`): can't be read",
        "`b` (`fake_thing.b`), let go of by this plan",
        "30 days later",
    ] {
        assert!(error.detail.contains(part), "{}", error.detail);
    }
}

#[tokio::test(start_paused = true)]
async fn a_successor_that_is_made_too_late_is_warned_of() {
    let mut stack = made().await;
    let renamed = SPEC.replace("name = \"lock\"", "name = \"lock2\"");
    let spec = stack.spec(&renamed).unwrap();
    let plan = stack.plan(&spec).await.unwrap();
    assert_eq!(fates(&plan.losses[0]), [("a", Outcome::Changes, true), ("b", Outcome::Changes, true)]);
    assert!(plan.warnings.iter().any(|w| w.code == "successor-too-late"), "{:?}", plan.warnings);
    let first =
        renamed.replace("name = \"lock2\"", "name = \"lock2\"\nlifecycle = { create_before_destroy = true }");
    let (plan, report) = stack.up(&first).await.unwrap();
    assert!(plan.warnings.iter().all(|w| w.code != "successor-too-late"), "{:?}", plan.warnings);
    assert!(report.is_success(), "{:?}", report.diagnostics);
    assert_eq!(stack.cloud.names(), ["a", "b", "lock2"].map(str::to_owned).into());
}

#[tokio::test(start_paused = true)]
async fn what_came_to_use_it_since_the_plan_stops_the_deletion() {
    let mut stack = made().await;
    let plan = destroy(&mut stack).await.unwrap();
    stack.cloud.conjure("late", &id(&stack));
    let spec = stack.spec(SPEC).unwrap();
    let report = stack.apply(&spec, &plan).await;
    assert_eq!(report.failed.len(), 1);
    assert!(report.diagnostics[0].detail.contains("thing `late`"), "{:?}", report.diagnostics);
    assert_eq!(stack.cloud.names(), ["late", "lock"].map(str::to_owned).into());
    assert!(stack.snapshot.get(&"fake_thing.lock".parse().unwrap()).is_some());
    assert_eq!(destroy(&mut stack).await.unwrap_err(), ["still-in-use"]);
    assert!(plan.losses[0].fates.iter().all(|fate| fate.user.holds == Holds::Data));
}
