//! `access verify` leaves nothing behind: when it ends, when it is interrupted, and after it was killed.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::stack::{Ran, Served, Stack};

const NOTES: &str = "state/.default.tfstate.temporary";

/// The example with an assertion of which the outcome differs by the right on the key.
fn applied() -> Stack {
    let stack = Stack::example("encrypted-tables");
    stack.sandboxed(&["apply", "-auto-approve"]);
    stack
}

/// A verification in a sandbox of these faults, under way.
fn begun(stack: &Stack, faults: &str) -> Child {
    let mut command = stack.command(&["access", "verify", "--write"]);
    command.env("TERRANE_SANDBOX", "1").env("TERRANE_SANDBOX_FAULTS", faults);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until the notes say something.
fn until_noted(stack: &Stack, text: &str) {
    let patience = Instant::now() + Duration::from_secs(60);
    let noted = || std::fs::read_to_string(stack.path().join(NOTES)).is_ok_and(|notes| notes.contains(text));
    while !noted() {
        assert!(Instant::now() < patience, "no `{text}` in {NOTES}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// What somebody can see of the account: keys of users, items, grants, policies.
fn left(stack: &Stack) -> String {
    stack.cloud().everything()
}

#[test]
fn what_was_there_is_there_afterwards_and_nothing_else() {
    let stack = applied();
    let before = left(&stack);
    let out = stack.sandboxed(&["access", "verify", "--write"]);
    assert!(out.contains("all as asserted, and all as proved"), "{out}");
    assert_eq!(left(&stack), before);
    assert!(!stack.path().join(NOTES).exists());
    assert!(stack.sandboxed(&["plan"]).contains("No changes."));
}

#[test]
fn ctrl_c_and_sigterm_remove_the_key() {
    for name in ["-INT", "-TERM"] {
        let stack = applied();
        let before = left(&stack);
        let child = begun(&stack, "latency=60ms");
        until_noted(&stack, "made");
        signal(&child, name);
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(130), "{name} {}{}", ran.out, ran.err);
        assert!(!stack.path().join(NOTES).exists());
        assert_eq!(left(&stack), before);
    }
}

/// Whether the next command removes the key that one before it left over, so that no more is there than before.
fn is_tidied_by(stack: &Stack, next: &[&str], before: &str) {
    let ran = stack.run(&[&["--sandbox"], next].concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("was left over from a command that died. It is removed."), "{}", ran.err);
    assert_eq!(left(stack), before);
    assert!(!stack.path().join(NOTES).exists());
}

/// Interrupts a verification of calls that take two seconds each, and once more so much later.
fn interrupted_twice(second: Duration, next: &[&str]) {
    let stack = applied();
    let before = left(&stack);
    let child = begun(&stack, "latency=2s");
    until_noted(&stack, "made");
    signal(&child, "-INT");
    std::thread::sleep(second);
    signal(&child, "-INT");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    let told = "of the user `test-dynamodb-user` may still be there. It is noted beside the state";
    assert!(ran.err.contains("Stopping at once") && ran.err.contains(told), "{}", ran.err);
    assert!(!ran.err.contains("journal"), "{}", ran.err);
    assert!(stack.path().join(NOTES).exists());
    assert_ne!(left(&stack), before, "the key is there");
    // Nothing is locked, and what is left is removed.
    is_tidied_by(&stack, next, &before);
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_the_call_under_way() {
    interrupted_twice(Duration::from_millis(300), &["access", "verify"]);
}

#[test]
fn a_second_ctrl_c_cuts_the_clean_up_short() {
    // STS is asked about the new key for two seconds; then the removing takes two more.
    interrupted_twice(Duration::from_secs(3), &["apply", "-auto-approve"]);
}

#[test]
fn a_key_that_a_killed_command_left_over_is_removed_by_the_next_one() {
    for next in [&["access", "verify"][..], &["apply", "-auto-approve"]] {
        let stack = applied();
        let before = left(&stack);
        let mut child = begun(&stack, "latency=60ms");
        until_noted(&stack, "made");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_ne!(left(&stack), before, "the key is there");
        is_tidied_by(&stack, next, &before);
    }
}

#[test]
fn killed_while_the_key_is_made() {
    let stack = applied();
    let before = left(&stack);
    let mut child = begun(&stack, "latency=150ms");
    until_noted(&stack, "begun");
    child.kill().unwrap();
    child.wait().unwrap();
    stack.sandboxed(&["access", "verify"]);
    assert_eq!(left(&stack), before);
}

#[test]
fn a_new_key_is_waited_for_and_bad_weather_leaves_nothing() {
    let stack = applied();
    let before = left(&stack);
    for faults in ["consistency=1s", "seed=3,throttled=0.1,failed=0.05,lost=0.1"] {
        let ran = Ran::of(begun(&stack, faults).wait_with_output().unwrap());
        assert_eq!(ran.code, Some(0), "{faults} {}{}", ran.out, ran.err);
        assert_eq!(left(&stack), before, "{faults}");
    }
}

const ROLES: &str = r#"
[data.aws_caller_identity.me]

[resource.aws_kms_key.k]
deletion_window_in_days = 7

[resource.aws_dynamodb_table.t]
name         = "things"
billing_mode = "PAY_PER_REQUEST"
hash_key     = "id"
attribute    = [{ name = "id", type = "N" }]
server_side_encryption = { enabled = true, kms_key_arn = "${aws_kms_key.k.arn}" }

[resource.aws_iam_role.reader]
name = "reader"
assume_role_policy = """${jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole",
  Principal = { AWS = data.aws_caller_identity.me.arn } }] })}"""

[resource.aws_iam_role.machine]
name = "machine"
assume_role_policy = """${jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole",
  Principal = { Service = "ec2.amazonaws.com" } }] })}"""

[resource.aws_iam_role_policy.reader]
name   = "read"
role   = "${aws_iam_role.reader.name}"
policy = """${jsonencode({ Version = "2012-10-17", Statement = [
  { Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:Scan"], Resource = aws_dynamodb_table.t.arn },
  { Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.k.arn },
  { Effect = "Deny", Action = "dynamodb:Scan", Resource = "*" },
] })}"""

[access.reads]
principal = "${aws_iam_role.reader.arn}"
actions   = ["dynamodb:GetItem", "kms:Decrypt"]
resources = ["${aws_dynamodb_table.t.arn}", "${aws_kms_key.k.arn}"]
expect    = "allowed"

[access.never_scans]
principal = "${aws_iam_role.reader.arn}"
actions   = "dynamodb:Scan"
resources = "${aws_dynamodb_table.t.arn}"
expect    = "denied"
by        = "explicit-deny"

[access.machines_do_not]
principals = ["${aws_iam_role.machine.arn}", "*", "ec2.amazonaws.com"]
actions    = "dynamodb:GetItem"
resources  = "${aws_dynamodb_table.t.arn}"
expect     = "denied"

[access.the_deployer_manages]
principal = "${data.aws_caller_identity.me.arn}"
actions   = ["kms:CreateGrant", "kms:GetKeyPolicy"]
resources = "${aws_kms_key.k.arn}"
expect    = "allowed"
accept_depends = true
"#;

#[test]
fn roles_are_assumed_and_whom_nobody_can_be_is_named() {
    // `reads` asks for GetItem on the table and Decrypt on the key; the other two pairs have no meaning.
    let spec = ROLES.replace(
        "actions   = [\"dynamodb:GetItem\", \"kms:Decrypt\"]\nresources = [\"${aws_dynamodb_table.t.arn}\", \"${aws_kms_key.k.arn}\"]",
        "actions   = \"dynamodb:GetItem\"\nresources = \"${aws_dynamodb_table.t.arn}\"",
    );
    let stack = Stack::of(&spec);
    stack.sandboxed(&["apply", "-auto-approve"]);
    let before = left(&stack);
    let ran = stack.run(&["--sandbox", "access", "verify", "--json", "--detailed-exitcode"]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["ok"], &report["tried"], &report["not_tried"]), (&true.into(), &4.into(), &3.into()));
    let of = |name: &str| {
        let all = report["trials"].as_array().unwrap().iter();
        all.filter(|trial| trial["assertion"] == name).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of("reads")[0]["really"]["answer"], "ALLOWED");
    assert_eq!(of("never_scans")[0]["really"]["layer"], "explicit-deny");
    let manages = of("the_deployer_manages");
    assert_eq!(manages[0]["really"]["code"], "DryRunOperationException");
    let why: Vec<String> =
        of("machines_do_not").iter().map(|trial| trial["not_tried"].as_str().unwrap().to_owned()).collect();
    assert!(why[0].starts_with("the role can't be assumed: AccessDenied: User: "), "{why:?}");
    assert_eq!(why[1], "`*` stands for anybody");
    assert_eq!(why[2], "it is a service of AWS");
    assert_eq!(left(&stack), before);
}

#[test]
fn a_refusal_by_the_wrong_layer_does_not_agree() {
    let stack = applied();
    let text = stack.read("terrane.toml");
    let by_iam = "actions     = [\"dynamodb:DeleteItem\", \"dynamodb:DescribeTable\"]";
    assert!(text.contains(by_iam));
    let (front, back) = text.split_once(by_iam).unwrap();
    let back = back.replacen("by          = \"iam\"", "by          = \"kms\"", 1);
    stack.write("terrane.toml", &format!("{front}{by_iam}{back}"));
    let ran = stack.run(&["--sandbox", "access", "verify"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("4 not as asserted; all as the proof says"), "{}", ran.out);
}

#[test]
fn the_audit_trail_has_the_very_refusals() {
    let stack = applied();
    stack.sandboxed(&["access", "verify"]);
    let of_user = ["access", "log", "--errors", "--principal", "aws_iam_user.test_user"];
    let out = stack.sandboxed(&[&of_user[..], &["--json"]].concat());
    let log: serde_json::Value = serde_json::from_str(&out).unwrap();
    let events = log["events"].as_array().unwrap();
    let of = |action: &str| events.iter().filter(|event| event["action"] == action).collect::<Vec<_>>();
    let decrypts = of("kms:Decrypt");
    assert_eq!(decrypts.len(), 12, "GetItem, Query and Scan on four tables: {out}");
    for event in &decrypts {
        assert_eq!(
            (&event["through"], &event["error"]["code"]),
            (&"dynamodb".into(), &"AccessDenied".into())
        );
        assert_eq!(event["principal"]["address"], "aws_iam_user.test_user");
        assert_eq!(event["resources"][0]["address"], "aws_kms_key.db_key");
        assert!(event["table"]["address"].as_str().unwrap().starts_with("aws_dynamodb_table.tables["));
        assert!(event["error"]["message"].as_str().unwrap().contains("kms:Decrypt"));
    }
    assert_eq!((of("dynamodb:DescribeTable").len(), of("kms:CreateGrant").len()), (4, 1));
    assert_eq!(of("dynamodb:GetItem").len(), 0, "data events are not looked up");
    let text = stack.sandboxed(&of_user);
    let row = "aws_iam_user.test_user  kms:Decrypt through dynamodb  aws_kms_key.db_key of aws_dynamodb_table.tables[\"Post\"]";
    assert!(text.contains(row) && text.contains("management events only"), "{text}");
    let later = stack.sandboxed(&["access", "log", "--since", "2999-01-01T00:00:00Z"]);
    assert!(later.starts_with("The audit trail has no such event."), "{later}");
    let elsewhere = stack.run(&["access", "log"]);
    elsewhere.failed_with("State of another AWS");
}

#[test]
fn a_stack_without_assertions_has_nothing_to_verify() {
    let stack = Stack::of("[resource.aws_iam_user.u]\nname = \"u\"\n");
    let ran = stack.run(&["--sandbox", "access", "verify"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("The stack asserts nothing about access"), "{}", ran.out);
}

#[test]
fn outside_of_the_sandbox_it_asks_before_it_makes_a_key() {
    let served = Served::new();
    let stack = Stack::example("encrypted-tables");
    let url = &served.url;
    let provider = format!(
        "[provider.aws]\naccess_key = \"test\"\nsecret_key = \"test\"\nendpoints = {{ cloudtrail = \"{url}\", dynamodb = \"{url}\", \
         iam = \"{url}\", kms = \"{url}\", sts = \"{url}\" }}"
    );
    stack.write("terrane.toml", &stack.read("terrane.toml").replace("[provider.aws]", &provider));
    let done = |arguments: &[&str]| {
        let ran = stack.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?} {}{}", ran.out, ran.err);
        ran.out
    };
    done(&["apply", "-auto-approve"]);
    let ran = stack.run(&["access", "verify"]);
    ran.failed_with("Nobody to ask");
    assert!(ran.err.contains("the user `test-dynamodb-user` (aws_iam_user.test_user)"), "{}", ran.err);
    assert!(ran.err.contains("`--auto-approve` makes them"), "{}", ran.err);
    let out = done(&["access", "verify", "-auto-approve", "--write"]);
    assert!(out.contains("29 tried: all as asserted, and all as proved. 3 not tried"), "{out}");
    let out = done(&["access", "log", "--errors", "--principal", "aws_iam_user.test_user"]);
    assert!(out.contains("kms:Decrypt through dynamodb") && out.contains("15 minutes"), "{out}");
}
