//! Runs that are interrupted or killed: nothing is lost, nothing is made twice, and the next run goes on.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::hostile::Server;
use crate::stack::{Ran, Stack};

/// Long enough that a signal comes while something is under way.
const SLOWLY: &str = "latency=40ms";

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// Starts a run in a slow sandbox, and gives it back once standard output has a line with this text.
fn until(
    stack: &Stack,
    arguments: &[&str],
    text: &str,
) -> (Child, Vec<String>, BufReader<std::process::ChildStdout>) {
    let mut command = stack.command(arguments);
    command.env("TERRANE_SANDBOX", "1").env("TERRANE_SANDBOX_FAULTS", SLOWLY);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut seen: Vec<String> = Vec::new();
    while !seen.last().is_some_and(|line| line.contains(text)) {
        let mut line = String::new();
        if out.read_line(&mut line).unwrap() == 0 {
            break;
        }
        seen.push(line);
    }
    (child, seen, out)
}

fn ended((child, seen, mut out): (Child, Vec<String>, BufReader<std::process::ChildStdout>)) -> Ran {
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut out, &mut rest).unwrap();
    let mut ran = Ran::of(child.wait_with_output().unwrap());
    ran.out = seen.concat() + &rest;
    ran
}

/// The whole example is there, once.
fn is_whole(stack: &Stack) {
    assert_eq!(stack.cloud().tables(), ["Comment", "ContentCatalog", "Forum", "Post"]);
    assert_eq!(stack.cloud().keys(), 1);
    assert_eq!(stack.addresses().len(), 10);
    assert!(stack.sandboxed(&["plan"]).contains("No changes."));
    assert!(!stack.path().join("state/.default.tfstate.journal").exists());
    assert!(!stack.path().join("state/.default.tfstate.lock.info").exists());
}

#[test]
fn ctrl_c_finishes_what_is_under_way_and_begins_nothing_new() {
    let stack = Stack::example("encrypted-tables");
    let running = until(&stack, &["apply", "-auto-approve"], "aws_kms_key.db_key: Creating...");
    signal(&running.0, "-INT");
    let ran = ended(running);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("aws_kms_key.db_key: Creation complete"), "{}", ran.out);
    assert!(!ran.out.contains("aws_dynamodb_table.tables[\"Post\"]: Creating"), "{}", ran.out);
    assert!(
        ran.out.contains("Not begun:") && ran.out.contains("To go on, run: terrane apply"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("Interrupt received"), "{}", ran.err);
    assert!(stack.addresses().contains(&"aws_kms_key.db_key".to_owned()));
    stack.sandboxed(&["apply", "-auto-approve"]);
    is_whole(&stack);
}

#[test]
fn sigterm_is_the_same_for_destroy() {
    let stack = Stack::example("encrypted-tables");
    stack.sandboxed(&["apply", "-auto-approve"]);
    let running = until(&stack, &["destroy", "-auto-approve"], "Destroying...");
    signal(&running.0, "-TERM");
    let ran = ended(running);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("To go on, run: terrane destroy"), "{}", ran.out);
    stack.sandboxed(&["destroy", "-auto-approve"]);
    assert_eq!(stack.addresses(), Vec::<String>::new());
    assert_eq!((stack.cloud().tables().len(), stack.cloud().keys()), (0, 0));
}

#[test]
fn a_second_ctrl_c_stops_at_once_and_the_next_run_looks_what_became_of_it() {
    let stack = Stack::example("encrypted-tables");
    let running = until(&stack, &["apply", "-auto-approve"], "aws_kms_key.db_key: Creating...");
    signal(&running.0, "-INT");
    std::thread::sleep(Duration::from_millis(20));
    signal(&running.0, "-INT");
    let ran = ended(running);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    stack.sandboxed(&["apply", "-auto-approve"]);
    is_whole(&stack);
}

/// Kills an apply after so many milliseconds, and applies again.
fn killed_after(milliseconds: u64) {
    let stack = Stack::example("encrypted-tables");
    // The sandbox is there already: it is the run that is killed here, not the making of the sandbox's files.
    assert_eq!(stack.cloud().tables(), Vec::<String>::new());
    let mut command = stack.command(&["apply", "-auto-approve"]);
    command.env("TERRANE_SANDBOX", "1").env("TERRANE_SANDBOX_FAULTS", SLOWLY);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(milliseconds));
    let _ = child.kill();
    child.wait().unwrap();
    stack.sandboxed(&["apply", "-auto-approve"]);
    is_whole(&stack);
}

#[test]
fn killed_early() {
    [60, 110, 160, 210].into_iter().for_each(killed_after);
}

#[test]
fn killed_in_the_middle() {
    [260, 310, 360, 410].into_iter().for_each(killed_after);
}

#[test]
fn killed_late() {
    [460, 510, 560, 610].into_iter().for_each(killed_after);
}

/// Kills an apply that gives objects other addresses and changes them, and applies again.
fn moved_and_killed_after(milliseconds: u64) {
    let stack = Stack::example("encrypted-tables");
    stack.sandboxed(&["apply", "-auto-approve"]);
    let text = stack.read("terrane.toml").replace("aws_kms_key.db_key", "aws_kms_key.main");
    let text = text.replace("aws_dynamodb_table.tables", "aws_dynamodb_table.all");
    let text = text.replace("KMS key for database encryption", "It has another name now");
    let entries = "\n[[moved]]\nfrom = \"aws_kms_key.db_key\"\nto = \"aws_kms_key.main\"\n\
                   [[moved]]\nfrom = \"aws_dynamodb_table.tables\"\nto = \"aws_dynamodb_table.all\"\n";
    stack.write("terrane.toml", &(text + entries));
    let mut command = stack.command(&["apply", "-auto-approve"]);
    command.env("TERRANE_SANDBOX", "1").env("TERRANE_SANDBOX_FAULTS", SLOWLY);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(milliseconds));
    let _ = child.kill();
    child.wait().unwrap();
    // All of them moved, or none.
    let old = |address: &&String| address.contains(".tables[") || address.contains(".db_key");
    assert!([0, 5].contains(&stack.addresses().iter().filter(old).count()), "{:?}", stack.addresses());
    stack.sandboxed(&["apply", "-auto-approve"]);
    assert_eq!(stack.addresses().iter().filter(old).count(), 0, "{:?}", stack.addresses());
    is_whole(&stack);
}

#[test]
fn killed_while_objects_move() {
    [150, 250, 300, 350, 400, 500].into_iter().for_each(moved_and_killed_after);
}

#[test]
fn throttled_failing_and_lossy_calls_are_got_through() {
    let stack = Stack::example("encrypted-tables");
    let mut command = stack.command(&["apply", "-auto-approve"]);
    let faults = "seed=11,throttled=0.2,failed=0.05,lost=0.05";
    command.env("TERRANE_SANDBOX", "1").env("TERRANE_SANDBOX_FAULTS", faults);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    is_whole(&stack);
}

#[test]
fn ctrl_c_while_aws_does_not_answer_ends_the_plan_at_once() {
    let server = Server::silent();
    let stack =
        Stack::of("[provider.aws]\nregion = \"eu-west-3\"\n[resource.aws_iam_user.a]\nname = \"a\"\n");
    let mut command = stack.command(&["plan"]);
    command
        .env("AWS_ENDPOINT_URL", &server.url)
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("AWS_SECRET_ACCESS_KEY", "x");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    server.wait_for_a_caller();
    let begun = Instant::now();
    signal(&child, "-INT");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{}", ran.err);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(!stack.path().join("state/.default.tfstate.lock.info").exists());
}

#[test]
fn of_two_at_once_one_is_told_who_is_at_work_and_one_waits() {
    let stack = Stack::example("encrypted-tables");
    let running = until(&stack, &["apply", "-auto-approve"], "aws_kms_key.db_key: Creating...");
    let sandboxed = |arguments: &[&str]| {
        let mut command = stack.command(arguments);
        Ran::of(command.env("TERRANE_SANDBOX", "1").output().unwrap())
    };
    // Both begin while the first one is at work, however busy the machine is.
    let mut waiting = stack.command(&["apply", "-auto-approve", "-lock-timeout=120s"]);
    waiting.env("TERRANE_SANDBOX", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    let waiting = waiting.spawn().unwrap();
    let refused = sandboxed(&["apply", "-auto-approve"]);
    assert_eq!(refused.code, Some(1), "{}{}", refused.out, refused.err);
    for text in ["State locked", "OperationTypeApply", "Who:", "Created:", "force-unlock"] {
        assert!(refused.err.contains(text), "{text} is not in {}", refused.err);
    }
    let waited = Ran::of(waiting.wait_with_output().unwrap());
    assert_eq!(waited.code, Some(0), "{}{}", waited.out, waited.err);
    assert!(waited.err.contains("Waiting for it..."), "{}", waited.err);
    assert!(waited.out.contains("0 added, 0 changed, 0 destroyed"), "{}", waited.out);
    assert_eq!(ended(running).code, Some(0));
    is_whole(&stack);
}
