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

/// What a run does: what was brought about before it, and what it is to bring about.
struct Scenario {
    before: Vec<Wanted>,
    wanted: Wanted,
    /// How many keys there are in the end, those that are pending deletion included: none is made twice.
    keys: usize,
}

impl Scenario {
    async fn prepared(&self) -> Machine {
        let machine = Machine::new();
        for before in &self.before {
            let end = machine.run(before, &Fate::none()).await;
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
        assert_eq!(machine.keys_ever().await, self.keys, "{when}");
    }
}

fn first_apply() -> Scenario {
    Scenario { before: vec![], wanted: Wanted::Spec(EXAMPLE.to_owned()), keys: 1 }
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
    Scenario { before: vec![], wanted: Wanted::Spec(ACCESS_KEYS.to_owned()), keys: 0 }
}

fn no_access_keys() -> Scenario {
    let (before, wanted) = (Wanted::Spec(ACCESS_KEYS.to_owned()), Wanted::Nothing(ACCESS_KEYS.to_owned()));
    Scenario { before: vec![before], wanted, keys: 0 }
}

fn change() -> Scenario {
    Scenario { before: vec![Wanted::Spec(EXAMPLE.to_owned())], wanted: Wanted::Spec(changed()), keys: 1 }
}

fn destroy() -> Scenario {
    let (before, wanted) = (Wanted::Spec(EXAMPLE.to_owned()), Wanted::Nothing(EXAMPLE.to_owned()));
    Scenario { before: vec![before], wanted, keys: 1 }
}

/// The example, deleted and wanted again with other settings of the key: the key is brought back.
fn recover() -> Scenario {
    let before = vec![Wanted::Spec(EXAMPLE.to_owned()), Wanted::Nothing(EXAMPLE.to_owned())];
    Scenario { before, wanted: Wanted::Spec(other_key()), keys: 1 }
}

fn other_key() -> String {
    let key = "[resource.aws_kms_key.db_key]\n";
    assert!(EXAMPLE.contains(key));
    EXAMPLE.replace(key, &format!("{key}tags = {{ again = \"yes\" }}\n"))
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
    recover_before_each_call: recover, |(calls, _)| (0..calls).map(Moment::BeforeCall).collect();
    recover_after_each_call: recover, |(calls, _)| (0..calls).map(Moment::AfterCall).collect();
    recover_before_each_file_operation: recover, |(_, files)| (0..files).map(Moment::BeforeFile).collect();
    destroy_before_each_call: destroy, |(calls, _)| (0..calls).map(Moment::BeforeCall).collect();
    destroy_after_each_call: destroy, |(calls, _)| (0..calls).map(Moment::AfterCall).collect();
    destroy_before_each_file_operation: destroy, |(_, files)| (0..files).map(Moment::BeforeFile).collect();
}

/// Whether the key's deletion was begun or not when the destroy died: what was its key is the key again.
#[tokio::test(start_paused = true)]
async fn a_stack_is_wanted_again_after_a_destroy_that_died() {
    let (calls, _) = destroy().size().await;
    for call in 0..calls {
        for moment in [Moment::BeforeCall(call), Moment::AfterCall(call)] {
            let machine = destroy().prepared().await;
            let end = machine.run(&destroy().wanted, &Fate::at(moment)).await;
            assert!(matches!(end, End::Died), "{moment:?}: {end:?}");
            recover().finishes(&machine, &format!("{moment:?}")).await;
        }
    }
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
