//! The example stack in the embedded AWS, killed at every call and at every file operation: whatever the moment, the next
//! run finds what was made, makes nothing twice, and finishes.
//!
//! A death is simulated in this process: from its moment on no call is carried out, no byte reaches the disk, and the run
//! is dropped where it stands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod fate;
mod machine;

use fate::{Fate, Moment};
use machine::{End, Machine, Wanted};

const EXAMPLE: &str = include_str!("../../../../examples/encrypted-tables/terrane.toml");

/// The example as somebody might change it: one table replaced, one changed in place, the user under another name.
fn changed() -> String {
    let text = EXAMPLE.replace("pk = \"ForumName\"", "pk = \"ForumTitle\"");
    assert!(text.contains("ForumTitle") && text.contains("\"${var.test_user_name}\""));
    text.replace("\"${var.test_user_name}\"", "\"OtherUser\"")
        .replace("read_capacity  = 1", "read_capacity  = 2")
}

/// What a run does: the spec that was applied before it, if any, and what it is to bring about.
struct Scenario {
    before: Option<String>,
    wanted: Wanted,
}

impl Scenario {
    async fn prepared(&self) -> Machine {
        let machine = Machine::new();
        if let Some(before) = &self.before {
            let end = machine.run(&Wanted::Spec(before.clone()), &Fate::none()).await;
            assert!(matches!(end, End::Done), "{end:?}");
        }
        machine
    }

    /// How many calls and file operations an undisturbed run makes.
    async fn size(&self) -> (usize, usize) {
        let machine = self.prepared().await;
        let fate = Fate::none();
        let end = machine.run(&self.wanted, &fate).await;
        assert!(matches!(end, End::Done), "{end:?}");
        machine.is_whole(&self.wanted, "undisturbed").await;
        fate.counted()
    }

    /// Dies once at each moment in turn; the second run must finish.
    async fn dies_once(&self, moments: impl IntoIterator<Item = Moment>) {
        for moment in moments {
            let machine = self.prepared().await;
            let end = machine.run(&self.wanted, &Fate::at(moment)).await;
            assert!(matches!(end, End::Died), "{moment:?}: {end:?}");
            self.finishes(&machine, &format!("{moment:?}")).await;
        }
    }

    async fn finishes(&self, machine: &Machine, when: &str) {
        let end = machine.run(&self.wanted, &Fate::none()).await;
        assert!(matches!(end, End::Done), "after {when}: {end:?}");
        machine.is_whole(&self.wanted, when).await;
    }
}

fn first_apply() -> Scenario {
    Scenario { before: None, wanted: Wanted::Spec(EXAMPLE.to_owned()) }
}

/// Two keys of one user, and one of another.
const ACCESS_KEYS: &str = r#"
[resource.aws_iam_user.u]
for_each = '${toset(["ann", "eve"])}'
name     = "${each.key}"

[resource.aws_iam_access_key.k]
for_each = { first = "ann", second = "ann", third = "eve" }
user     = "${aws_iam_user.u[each.value].name}"
"#;

fn access_keys() -> Scenario {
    Scenario { before: None, wanted: Wanted::Spec(ACCESS_KEYS.to_owned()) }
}

fn no_access_keys() -> Scenario {
    Scenario { before: Some(ACCESS_KEYS.to_owned()), wanted: Wanted::Nothing(ACCESS_KEYS.to_owned()) }
}

fn change() -> Scenario {
    Scenario { before: Some(EXAMPLE.to_owned()), wanted: Wanted::Spec(changed()) }
}

fn destroy() -> Scenario {
    Scenario { before: Some(EXAMPLE.to_owned()), wanted: Wanted::Nothing(EXAMPLE.to_owned()) }
}

macro_rules! every_death {
    ($($name:ident: $scenario:ident, $moments:expr;)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            let scenario = $scenario();
            let size = scenario.size().await;
            assert!(size.0 > 10 && size.1 > 10, "{size:?}");
            let moments: fn((usize, usize)) -> Vec<Moment> = $moments;
            scenario.dies_once(moments(size)).await;
        })*
    };
}

every_death! {
    apply_before_each_call: first_apply, |(calls, _)| (0..calls).map(Moment::BeforeCall).collect();
    apply_after_each_call: first_apply, |(calls, _)| (0..calls).map(Moment::AfterCall).collect();
    apply_before_each_file_operation: first_apply, |(_, files)| (0..files).map(Moment::BeforeFile).collect();
    apply_in_the_middle_of_each_write: first_apply, |(_, files)| (0..files).map(Moment::HalfFile).collect();
    access_keys_before_each_call: access_keys, |(calls, _)| (0..calls).map(Moment::BeforeCall).collect();
    access_keys_after_each_call: access_keys, |(calls, _)| (0..calls).map(Moment::AfterCall).collect();
    access_keys_before_each_file_operation: access_keys, |(_, files)| (0..files).map(Moment::BeforeFile).collect();
    no_access_keys_after_each_call: no_access_keys, |(calls, _)| (0..calls).map(Moment::AfterCall).collect();
    change_before_each_call: change, |(calls, _)| (0..calls).map(Moment::BeforeCall).collect();
    change_after_each_call: change, |(calls, _)| (0..calls).map(Moment::AfterCall).collect();
    change_before_each_file_operation: change, |(_, files)| (0..files).map(Moment::BeforeFile).collect();
    destroy_before_each_call: destroy, |(calls, _)| (0..calls).map(Moment::BeforeCall).collect();
    destroy_after_each_call: destroy, |(calls, _)| (0..calls).map(Moment::AfterCall).collect();
    destroy_before_each_file_operation: destroy, |(_, files)| (0..files).map(Moment::BeforeFile).collect();
}

#[tokio::test(start_paused = true)]
async fn the_run_that_recovers_may_die_as_well() {
    let scenario = first_apply();
    let (calls, files) = scenario.size().await;
    for (first, second) in (3..calls).step_by(5).zip((1..).step_by(3)) {
        for again in [Moment::AfterCall(second % calls), Moment::BeforeFile(second * 2 % files)] {
            let machine = scenario.prepared().await;
            let end = machine.run(&scenario.wanted, &Fate::at(Moment::AfterCall(first))).await;
            assert!(matches!(end, End::Died), "{first}: {end:?}");
            // The second run may be done before its moment comes.
            let _ = machine.run(&scenario.wanted, &Fate::at(again)).await;
            scenario.finishes(&machine, &format!("{first}, then {again:?}")).await;
        }
    }
}
