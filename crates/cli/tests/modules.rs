//! Modules from git repositories: locked, cached, and never asked for twice.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::stack::{Ran, Stack};

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn run(stack: &Stack, arguments: &[&str]) -> Ran {
    let mut command = stack.command(arguments);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    Ran::of(command.output().unwrap())
}

/// A repository with a module in a folder, which calls one beside it.
fn repository(folder: &Path) -> String {
    fs::create_dir_all(folder.join("a")).unwrap();
    fs::create_dir_all(folder.join("b")).unwrap();
    let a = "[module.b]\nsource = '../b'\n[output.path]\nvalue = '${path.module} ${module.b.word}'\n";
    fs::write(folder.join("a/terrane.toml"), a).unwrap();
    fs::write(folder.join("b/terrane.toml"), "[output.word]\nvalue = 'first'\n").unwrap();
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "-m", "one"]);
    git(folder, &["tag", "-a", "v1", "-m", "v1"]);
    git(folder, &["rev-parse", "HEAD"])
}

#[test]
fn a_repository_is_asked_once_and_its_commit_is_locked() {
    let away = tempfile::tempdir().unwrap();
    let origin = away.path().join("origin");
    let commit = repository(&origin);
    let stack = Stack::empty();
    let url = format!("git::file://{}", origin.display());
    let spec = |reference: &str| {
        format!("[module.m]\nsource = '{url}//a?ref={reference}'\n[output.o]\nvalue = '${{module.m.path}}'\n")
    };
    stack.write("terrane.toml", &spec("v1"));
    let ran = run(&stack, &["apply", "--auto-approve"]);
    let expected = format!("o = \".terrane/modules/{commit}/a first\"");
    assert!(ran.out.contains(&expected), "{}{}", ran.out, ran.err);
    let lock = stack.read(".terrane.modules.lock");
    assert!(lock.contains(&format!("{commit} {url}?ref=v1\n")), "{lock}");

    // A tag that moves changes nothing while the lock says which commit it was.
    fs::write(origin.join("b/terrane.toml"), "[output.word]\nvalue = 'second'\n").unwrap();
    git(&origin, &["commit", "--quiet", "-a", "-m", "two"]);
    git(&origin, &["tag", "-f", "-a", "v1", "-m", "v1"]);
    fs::remove_dir_all(stack.path().join(".terrane/modules")).unwrap();
    let ran = run(&stack, &["plan"]);
    assert!(ran.out.contains("No changes."), "{}{}", ran.out, ran.err);

    // The cache answers without the repository; a saved plan needs not even the cache.
    fs::rename(&origin, away.path().join("moved")).unwrap();
    let ran = run(&stack, &["plan", "--out", "p"]);
    assert!(ran.out.contains("No changes."), "{}{}", ran.out, ran.err);
    fs::remove_dir_all(stack.path().join(".terrane/modules")).unwrap();
    let ran = run(&stack, &["apply", "p"]);
    assert!(ran.out.contains("0 added, 0 changed"), "{}{}", ran.out, ran.err);
    let ran = run(&stack, &["validate"]);
    assert!(ran.err.contains("Module not found"), "{}", ran.err);

    // Another reference is another module.
    fs::rename(away.path().join("moved"), &origin).unwrap();
    stack.write("terrane.toml", &spec("main"));
    let ran = run(&stack, &["plan"]);
    assert!(ran.out.contains("second"), "{}{}", ran.out, ran.err);
    stack.write("terrane.toml", &spec("gone"));
    let ran = run(&stack, &["validate"]);
    assert!(ran.err.contains("has no branch and no tag `gone`"), "{}", ran.err);
}
