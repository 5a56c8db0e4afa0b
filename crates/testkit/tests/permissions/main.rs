//! The permissions that a plan names, held against the embedded AWS: who has exactly these can carry it out, and who lacks
//! one of them can't.
//!
//! Every stack goes through three steps: it is made, changed and deleted. Of each step it is found out what it takes, by
//! somebody who may do everything; then it is carried out anew, by somebody who has these permissions and no others, and
//! once more for each of them without that one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod account;

use std::collections::BTreeSet;

use account::{Account, Rested, Step};
use terrane_plan::permissions::{Needed, Part};
use terrane_provider::Certainty;

const EXAMPLE: &str = include_str!("../../../../examples/encrypted-tables/terrane.toml");
const EVERYTHING: &str = include_str!("everything.toml");
const CHANGED: &str = include_str!("changed.toml");

fn example() -> [Step; 3] {
    let changed = EXAMPLE
        .replace("read_capacity  = 1", "read_capacity  = 2")
        .replace("deletion_window_in_days = 7", "deletion_window_in_days = 8")
        .replace("\"KMS key for database encryption\"", "\"KMS key for tables\"")
        .replace("pk = \"ForumName\"", "pk = \"ForumTitle\"");
    [Step::Up(EXAMPLE.to_owned()), Step::Up(changed.clone()), Step::Down(changed)]
}

fn everything() -> [Step; 3] {
    [Step::Up(EVERYTHING.to_owned()), Step::Up(CHANGED.to_owned()), Step::Down(CHANGED.to_owned())]
}

/// An account on which the steps before this one were carried out.
async fn prepared(steps: &[Step], number: usize) -> Rested {
    let account = Account::new().await;
    for step in &steps[..number] {
        account.carry_out(step).await.unwrap();
    }
    account.rest()
}

/// An action on a resource under a condition, whatever it is for.
type Single = (String, String, Option<String>);

fn single(needed: &Needed) -> Single {
    let permission = &needed.permission;
    let condition = permission.condition.as_ref().map(|condition| condition.value.clone());
    (permission.action.to_string(), permission.resource.clone(), condition)
}

async fn suffices(steps: &[Step], number: usize) {
    let (prepared, step) = (prepared(steps, number).await, &steps[number]);
    let account = prepared.copy();
    let needs = account.needs(step).await;
    assert!(needs.unknown.is_empty(), "{:?}", needs.unknown);
    account.limit_to(&needs.needed).await;
    if let Err(why) = account.carry_out(step).await {
        panic!("step {number}: {why}");
    }
    // The plan alone does with the part that reads.
    let account = prepared.copy();
    let reading: Vec<Needed> = needs.needed.iter().filter(|one| one.part == Part::Read).cloned().collect();
    account.limit_to(&reading).await;
    assert_eq!(account.needs(step).await, needs, "step {number}: another plan");
}

/// Carries the step out without each single permission in turn, but for those that `spare` names, each time in a new copy of the
/// account; each time it must fail.
async fn is_smallest(steps: &[Step], number: usize, spare: impl Fn(&Single) -> bool) {
    let (prepared, step) = (prepared(steps, number).await, &steps[number]);
    let account = prepared.copy();
    let (plan, needed) = (account.plan(step).await.unwrap(), account.needs(step).await.needed);
    let sure = needed.iter().filter(|one| one.permission.certainty == Certainty::Sure);
    let singles: BTreeSet<Single> = sure.map(single).filter(|single| !spare(single)).collect();
    assert!(singles.len() > 8, "{singles:?}");
    let mut too_many = Vec::new();
    for without in singles {
        // What a plan has in case something is found may stand for the same, with a wildcard.
        let perhaps = |one: &Needed| one.permission.certainty == Certainty::Perhaps;
        let goes =
            |one: &&Needed| single(one) == without || (perhaps(one) && one.permission.action == without.0);
        let rest: Vec<Needed> = needed.iter().filter(|one| !goes(one)).cloned().collect();
        // A plan takes the part that reads and nothing else, which another test shows: while that is whole, it is this plan.
        let is_same = needed.iter().filter(goes).all(|one| one.part != Part::Read);
        let account = prepared.copy();
        account.limit_to(&rest).await;
        match account.carry_out_as(step, is_same.then_some(&plan)).await {
            Ok(()) => too_many.push(without),
            // KMS looks by itself whether who puts a policy could put another one.
            Err(why) => {
                let for_lack =
                    why.contains("not authorized to perform") || why.contains("MalformedPolicyDocument");
                assert!(for_lack, "without {without:?}: {why}");
            }
        }
    }
    assert!(too_many.is_empty(), "step {number} does without {too_many:#?}");
}

/// The key's policy gives these to the caller directly, so that no IAM policy has to.
fn by_key_policy((action, resource, _): &Single) -> bool {
    action.starts_with("kms:") && resource.contains(":key/")
}

/// A plan by somebody who has what it takes warns of nothing; by somebody who lacks one of them it names that one. What the
/// `given` policies of the step's own keys give is not lacking.
async fn is_missed(steps: &[Step], given: impl Fn(&Single) -> bool) {
    let account = Account::new().await;
    account.let_ask().await;
    for step in steps {
        let (plan, needed) = (account.plan(step).await.unwrap(), account.needs(step).await.needed);
        account.limit_to(&needed).await;
        assert_eq!(account.lacking(step).await, None);
        let sure = |one: &&Needed| one.part == Part::Change && one.permission.certainty == Certainty::Sure;
        let actions: BTreeSet<&str> =
            needed.iter().filter(sure).map(|one| one.permission.action.as_ref()).collect();
        for action in actions {
            let keeps = |one: &&Needed| one.part == Part::Read || one.permission.action != action;
            let rest: Vec<Needed> = needed.iter().filter(keeps).cloned().collect();
            let has = |resource: &str| {
                rest.iter().any(|one| one.permission.action == action && one.permission.resource == resource)
            };
            let missed: BTreeSet<&str> = needed
                .iter()
                .filter(sure)
                .filter(|one| one.permission.action == action && !given(&single(one)))
                .map(|one| one.permission.resource.as_str())
                .filter(|resource| !has(resource))
                .collect();
            account.limit_to(&rest).await;
            let told = account.lacking_for(step, &plan).await;
            assert_eq!(told.is_some(), !missed.is_empty(), "{action} on {missed:?}: {told:?}");
            let told = told.unwrap_or_default();
            assert!(told.lines().skip(1).all(|line| line.starts_with(action)), "{told}");
            // At most three are named.
            let on = |resource: &&&str| **resource == "*" || told.contains(**resource);
            assert_eq!(
                missed.iter().filter(on).count(),
                missed.len().min(3),
                "{action} on {missed:?}: {told}"
            );
        }
        account.limit_to(&needed).await;
        account.carry_out(step).await.unwrap();
        account.unlimit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn plans_of_the_example_tell_what_is_lacking() {
    // What the key's administrators may by its policy.
    let verbs =
        ["Create", "Describe", "Enable", "List", "Put", "Update", "Disable", "Get", "ScheduleKeyDeletion"];
    let by_policy = |single: &Single| {
        let verb = single.0.trim_start_matches("kms:");
        by_key_policy(single) && verbs.iter().any(|beginning| verb.starts_with(beginning))
    };
    is_missed(&example(), by_policy).await;
}

#[tokio::test(start_paused = true)]
async fn plans_of_all_types_tell_what_is_lacking() {
    is_missed(&everything(), |_| false).await;
}

/// A key that lets the deployer look and no more, whatever IAM policies say.
const CLOSED: &str = r#"
[resource.aws_kms_key.k]
description                        = "one"
bypass_policy_lockout_safety_check = true
policy                             = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/terrane-admin"},"Action":"kms:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/deployer"},"Action":["kms:Describe*","kms:Get*","kms:List*","kms:UntagResource"],"Resource":"*"}]}'
"#;

#[tokio::test(start_paused = true)]
async fn what_a_key_keeps_back_is_lacking_whatever_policies_allow() {
    let account = Account::new().await;
    let made = Step::Up(CLOSED.to_owned());
    assert_eq!(account.lacking(&made).await, None);
    account.carry_out(&made).await.unwrap();
    let changed = Step::Up(CLOSED.replace("\"one\"", "\"two\""));
    let told = account.lacking(&changed).await.unwrap();
    let lines: Vec<&str> = told.lines().skip(1).collect();
    assert_eq!(lines.len(), 1, "{told}");
    assert!(
        lines[0].starts_with("kms:UpdateKeyDescription on arn:aws:kms:eu-west-3:123456789012:key/"),
        "{told}"
    );
    assert!(lines[0].ends_with(": kept back by the key's policy; for aws_kms_key.k."), "{told}");
    account.carry_out(&changed).await.unwrap_err();
    // A new key is held against the policy that it is going to have.
    let rotating = CLOSED.replace("aws_kms_key.k]", "aws_kms_key.l]\nenable_key_rotation = true");
    let told = account.lacking(&Step::Up(rotating)).await.unwrap();
    assert!(
        told.contains("kms:EnableKeyRotation on arn:aws:kms:eu-west-3:123456789012:key/*: kept back"),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_example_does_with_what_its_plans_name() {
    let steps = example();
    for number in 0..3 {
        suffices(&steps, number).await;
    }
}

#[tokio::test(start_paused = true)]
async fn making_the_example_takes_each_of_them() {
    is_smallest(&example(), 0, by_key_policy).await;
}

#[tokio::test(start_paused = true)]
async fn changing_the_example_takes_each_of_them() {
    is_smallest(&example(), 1, by_key_policy).await;
}

#[tokio::test(start_paused = true)]
async fn deleting_the_example_takes_each_of_them() {
    is_smallest(&example(), 2, by_key_policy).await;
}

#[tokio::test(start_paused = true)]
async fn all_types_do_with_what_their_plans_name() {
    let steps = everything();
    for number in 0..3 {
        suffices(&steps, number).await;
    }
}

#[tokio::test(start_paused = true)]
async fn making_all_types_takes_each_of_them() {
    // Without this one a key is made all the same: it keeps its marker, and a warning says so.
    let marker = |(action, ..): &Single| action == "kms:UntagResource";
    is_smallest(&everything(), 0, marker).await;
}

#[tokio::test(start_paused = true)]
async fn changing_all_types_takes_each_of_them() {
    is_smallest(&everything(), 1, |_| false).await;
}

#[tokio::test(start_paused = true)]
async fn deleting_all_types_takes_each_of_them() {
    is_smallest(&everything(), 2, |_| false).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_recovered_with_what_its_plan_names() {
    let (steps, mut looked_for) = (everything(), 0);
    let (prepared, step) = (prepared(&steps, 0).await, &steps[0]);
    let needed = prepared.copy().needs(step).await.needed;
    for calls in (3..).step_by(14) {
        let account = prepared.copy();
        account.limit_to(&needed).await;
        if !account.die_when(step, |made| made.values().sum::<u64>() >= calls).await {
            break;
        }
        looked_for += account.recover().await.unwrap_or_else(|why| panic!("after {calls} calls: {why}"));
        account.unlimit().await;
        if account.plan(step).await.unwrap().has_changes() {
            account.carry_out(step).await.unwrap();
        }
    }
    assert!(looked_for > 10, "{looked_for}");
    // These are the permissions for it: without them it is not known what was made.
    let account = prepared.copy();
    let rest: Vec<Needed> = needed.iter().filter(|one| one.part != Part::Recover).cloned().collect();
    assert!(rest.len() < needed.len());
    account.limit_to(&rest).await;
    assert!(account.die_when(step, |made| made.get("kms:CreateKey").is_some_and(|n| *n > 0)).await);
    let why = account.recover().await.unwrap_err();
    assert!(why.contains("kms:ListKeys"), "{why}");
}

#[test]
fn the_stack_with_everything_has_every_type() {
    let mut catalog = terrane_provider::Catalog::default();
    terrane_aws::catalog(&mut catalog);
    let names = terrane_model::schema::Schemas::names(&catalog, terrane_model::Mode::Managed);
    let missing: Vec<_> =
        names.into_iter().filter(|name| !EVERYTHING.contains(&format!("[resource.{name}."))).collect();
    assert!(missing.is_empty(), "not in everything.toml: {missing:?}");
}
