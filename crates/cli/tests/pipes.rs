//! A reader that goes away is no error: what is under way ends as it would, and nothing is complained of.

use std::process::Stdio;

use crate::stack::{Ran, Stack};

const SPEC: &str = "[resource.terraform_data.a]\ncount = 40\ninput = \"${count.index}\"\n\n[output.o]\nvalue = \"${terraform_data.a}\"\n";

#[test]
fn a_closed_pipe_ends_quietly() {
    let stack = Stack::of(SPEC);
    for arguments in [
        &["plan", "--out=p"][..],
        &["plan", "--json"],
        &["plan", "--json-stream"],
        &["plan", "--format=markdown"],
        &["plan", "--format=html"],
        &["apply", "p"],
        &["show"],
        &["show", "p", "--json"],
        &["output"],
        &["state", "list"],
        &["state", "pull"],
        &["state", "show", "terraform_data.a[0]"],
        &["workspace", "list"],
        &["graph"],
        &["schema"],
        &["validate"],
        &["version"],
        &["completions", "bash"],
        &["--help"],
        &["plan", "--help"],
        &["destroy", "--auto-approve"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = stack.command(arguments);
        let ran = Ran::of(command.stdout(writer).stderr(Stdio::piped()).output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}");
    }
    // What was begun was done nevertheless.
    assert_eq!(stack.run(&["state", "list"]).out, "");
}

#[test]
fn nobody_reads_the_errors_either() {
    let stack = Stack::of("nonsense = ");
    for arguments in [&["plan"][..], &["validate"], &["frobnicate"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = stack.command(arguments).stderr(writer).stdout(Stdio::piped()).output().unwrap();
        assert!(matches!(ran.status.code(), Some(1 | 2)), "{arguments:?}");
    }
}
