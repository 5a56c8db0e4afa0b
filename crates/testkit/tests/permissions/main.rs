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

use account::{Account, Step};
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
async fn prepared(steps: &[Step], number: usize) -> Account {
    let account = Account::new().await;
    for step in &steps[..number] {
        account.carry_out(step).await.unwrap();
    }
    account
}

/// An action on a resource under a condition, whatever it is for. The resource is named by its address where AWS made its
/// ARN up, so that it is the same in every account.
type Single = (String, String, Option<String>);

fn single(needed: &Needed, account: &Account) -> Single {
    let permission = &needed.permission;
    let condition = permission.condition.as_ref().map(|condition| condition.value.clone());
    (permission.action.to_string(), account.named(&permission.resource), condition)
}

/// Carries the step out in a new account with exactly the permissions that a plan there names, but for one.
async fn carried_out(steps: &[Step], number: usize, without: Option<&Single>) -> Result<(), String> {
    let account = prepared(steps, number).await;
    let mut needed = account.needs(&steps[number]).await.needed;
    let all = needed.len();
    // What a plan has in case something is found may stand for the same, with a wildcard.
    let perhaps = |one: &Needed| one.permission.certainty == Certainty::Perhaps;
    needed.retain(|one| {
        let instead = perhaps(one) && without.is_some_and(|(action, ..)| *action == one.permission.action);
        Some(&single(one, &account)) != without && !instead
    });
    assert_eq!(needed.len() < all, without.is_some(), "{without:?} is not among them");
    account.limit_to(&needed).await;
    account.carry_out(&steps[number]).await
}

async fn suffices(steps: &[Step], number: usize) {
    if let Err(why) = carried_out(steps, number, None).await {
        panic!("step {number}: {why}");
    }
    // The plan alone does with the part that reads.
    let account = prepared(steps, number).await;
    let needs = account.needs(&steps[number]).await;
    assert!(needs.unknown.is_empty(), "{:?}", needs.unknown);
    let reading: Vec<Needed> = needs.needed.iter().filter(|one| one.part == Part::Read).cloned().collect();
    account.limit_to(&reading).await;
    assert_eq!(account.needs(&steps[number]).await, needs, "step {number}: another plan");
}

/// Carries the step out without each single permission in turn, but for those that `spare` names; each time it must fail.
async fn is_smallest(steps: &[Step], number: usize, spare: impl Fn(&Single) -> bool) {
    let account = prepared(steps, number).await;
    let needed = account.needs(&steps[number]).await.needed;
    let sure = needed.iter().filter(|one| one.permission.certainty == Certainty::Sure);
    let singles: BTreeSet<Single> =
        sure.map(|one| single(one, &account)).filter(|single| !spare(single)).collect();
    assert!(singles.len() > 8, "{singles:?}");
    let mut too_many = Vec::new();
    for without in singles {
        if carried_out(steps, number, Some(&without)).await.is_ok() {
            too_many.push(without);
        }
    }
    assert!(too_many.is_empty(), "step {number} does without {too_many:#?}");
}

/// The key's policy gives these to the caller directly, so that no IAM policy has to.
fn by_key_policy((action, resource, _): &Single) -> bool {
    action.starts_with("kms:") && (resource.contains(":key/") || resource.starts_with("aws_kms_key."))
}

/// A plan by somebody who has what it takes warns of nothing; by somebody who lacks one of them it names that one. What the
/// `given` policies of the step's own keys give is not lacking.
async fn is_missed(steps: &[Step], given: impl Fn(&Single) -> bool) {
    let account = Account::new().await;
    account.let_ask().await;
    for step in steps {
        let needed = account.needs(step).await.needed;
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
                .filter(|one| one.permission.action == action && !given(&single(one, &account)))
                .map(|one| one.permission.resource.as_str())
                .filter(|resource| !has(resource))
                .collect();
            account.limit_to(&rest).await;
            let told = account.lacking(step).await;
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
async fn the_example_does_with_what_its_plans_name() {
    let steps = example();
    for number in 0..3 {
        suffices(&steps, number).await;
    }
}

#[tokio::test]
async fn making_the_example_takes_each_of_them() {
    is_smallest(&example(), 0, by_key_policy).await;
}

#[tokio::test]
async fn changing_the_example_takes_each_of_them() {
    is_smallest(&example(), 1, by_key_policy).await;
}

#[tokio::test]
async fn deleting_the_example_takes_each_of_them() {
    is_smallest(&example(), 2, by_key_policy).await;
}

#[tokio::test]
async fn all_types_do_with_what_their_plans_name() {
    let steps = everything();
    for number in 0..3 {
        suffices(&steps, number).await;
    }
}

#[tokio::test]
async fn making_all_types_takes_each_of_them() {
    // Without this one a key is made all the same: it keeps its marker, and a warning says so.
    let marker = |(action, ..): &Single| action == "kms:UntagResource";
    is_smallest(&everything(), 0, marker).await;
}

#[tokio::test]
async fn changing_all_types_takes_each_of_them() {
    is_smallest(&everything(), 1, |_| false).await;
}

#[tokio::test]
async fn deleting_all_types_takes_each_of_them() {
    is_smallest(&everything(), 2, |_| false).await;
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
