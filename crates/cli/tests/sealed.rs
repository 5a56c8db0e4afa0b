//! Secrets on disk: with encryption no file of a stack holds one in the clear, and without it no saved plan does.

use std::fs;
use std::path::{Path, PathBuf};

use crate::stack::{Ran, Stack};

const SECRET: &str = "correct-horse-and-a-staple";

const SPEC: &str = r#"
[variable.password]
type      = "string"
sensitive = true

[resource.terraform_data.a]
triggers_replace = "${var.password}"
input            = "${var.password}"

[output.password]
value     = "${var.password}"
sensitive = true
"#;

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn in_the_clear(stack: &Stack) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap()).contains(SECRET);
    files(stack.path()).into_iter().filter(holds).collect()
}

fn run(stack: &Stack, arguments: &[&str]) -> Ran {
    let mut command = stack.command(arguments);
    command.env("TERRANE_VAR_password", SECRET).env("TERRANE_STATE_PASSPHRASE", "sixteen characters");
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{arguments:?}\n{}{}", ran.out, ran.err);
    ran
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

#[test]
fn an_encrypted_stack_has_no_secret_on_disk() {
    let stack = Stack::of(&format!("{SPEC}\n[terrane.encryption.passphrase]\n"));
    run(&stack, &["apply", "-auto-approve"]);
    run(&stack, &["plan", "-out", "p.plan", "-replace", "terraform_data.a"]);
    run(&stack, &["apply", "p.plan"]);
    let names: Vec<_> = files(stack.path()).iter().map(|p| p.file_name().unwrap().to_owned()).collect();
    for name in ["default.tfstate", "default.tfstate.backup", "p.plan"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    assert_eq!(in_the_clear(&stack), Vec::<PathBuf>::new());
    assert_eq!(run(&stack, &["output", "-raw", "password"]).out, SECRET);
}

#[test]
fn a_saved_plan_with_a_secret_opens_in_its_folder_alone() {
    let stack = Stack::of(SPEC);
    let planned = run(&stack, &["plan", "-out", "p.plan"]);
    assert!(planned.err.contains("TERRANE_PLAN_KEY"), "{}", planned.err);
    assert_eq!(in_the_clear(&stack), Vec::<PathBuf>::new());
    #[cfg(unix)]
    assert_eq!(
        [mode(&stack.path().join("p.plan")), mode(&stack.path().join(".terrane/plan.key"))],
        [0o600; 2]
    );
    assert!(run(&stack, &["show", "p.plan"]).out.contains("1 to add"));

    let elsewhere = Stack::of(SPEC);
    fs::copy(stack.path().join("p.plan"), elsewhere.path().join("p.plan")).unwrap();
    let refused = Ran::of(elsewhere.command(&["apply", "p.plan"]).output().unwrap());
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("No key for the plan"), "{}", refused.err);
    // The key may travel by another way.
    let key = stack.read(".terrane/plan.key");
    let mut command = elsewhere.command(&["apply", "p.plan"]);
    let applied = Ran::of(command.env("TERRANE_PLAN_KEY", key.trim()).output().unwrap());
    assert_eq!(applied.code, Some(0), "{}{}", applied.out, applied.err);
    run(&stack, &["apply", "p.plan"]);
}

#[test]
fn a_plan_without_a_secret_is_as_it_was() {
    let stack = Stack::of("[resource.terraform_data.a]\ninput = 1\n");
    run(&stack, &["plan", "-out", "p.plan"]);
    assert!(stack.read("p.plan").starts_with("{\"format\":\"terrane-plan\""));
    assert!(!stack.path().join(".terrane/plan.key").exists());
}
