//! The examples of the documentation are run.
//!
//! A block of `toml` is a spec that must have a plan, in a folder of its own; one that begins with `# NAME.toml` is another
//! file, for the spec that follows. A block of `text` is about the spec before it: behind each line that begins with `> `
//! stands what the console answers, or, where it begins with `Error: `, what `terrane validate` says of the spec, which
//! then has no plan. `TERRANE_UPDATE=1` writes what is answered.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::stack::{Ran, Stack};

fn console(stack: &Stack, expression: &str) -> String {
    let mut command = stack.command(&["console", "--no-color"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(expression.as_bytes()).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    match ran.code {
        Some(0) => ran.out,
        _ => ran.err,
    }
}

/// The page with the answers that there are now, and how many blocks were run.
fn run(page: &str, text: &str) -> (String, usize) {
    let mut out = String::new();
    let mut files: Vec<(String, String)> = Vec::new();
    let mut stack = Stack::empty();
    let mut ran_blocks = 0;
    let mut planned = true;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        writeln!(out, "{line}").unwrap();
        let Some(kind @ ("toml" | "text")) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        ran_blocks += 1;
        if kind == "toml" {
            assert!(planned || plans(&stack), "{page}: no plan before\n{}", block.join("\n"));
            let whole = format!("{}\n", block.join("\n"));
            writeln!(out, "{whole}```").unwrap();
            let named = block[0].strip_prefix("# ").filter(|name| name.ends_with(".toml"));
            if let Some(name) = named {
                files.push((name.to_owned(), whole));
                continue;
            }
            stack = Stack::of(&whole);
            for (name, text) in files.drain(..) {
                stack.write(&name, &text);
            }
            planned = false;
            continue;
        }
        if block[0].starts_with("Error: ") {
            let ran = stack.run(&["validate"]);
            assert_eq!(ran.code, Some(1), "{page}: {}", block.join("\n"));
            writeln!(out, "{}\n```", ran.err.trim_end()).unwrap();
            planned = true;
            continue;
        }
        for expression in block.iter().filter_map(|line| line.strip_prefix("> ")) {
            write!(out, "> {expression}\n{}", console(&stack, expression)).unwrap();
        }
        writeln!(out, "```").unwrap();
    }
    assert!(planned || plans(&stack), "{page}: the last spec has no plan");
    assert!(files.is_empty(), "{page}: files without a spec");
    (out, ran_blocks)
}

fn plans(stack: &Stack) -> bool {
    let ran = stack.run(&["plan", "--sandbox"]);
    if ran.code != Some(0) {
        eprintln!("{}", ran.err);
    }
    ran.code == Some(0)
}

fn check(page: &str, at_least: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let wanted = fs::read_to_string(&path).unwrap();
    let (got, blocks) = run(page, &wanted);
    assert!(blocks >= at_least, "{page}: {blocks} blocks were found");
    if std::env::var_os("TERRANE_UPDATE").is_some() {
        fs::write(&path, got).unwrap();
        return;
    }
    if got != wanted {
        let diff = similar::TextDiff::from_lines(&wanted, &got);
        panic!("{page}: TERRANE_UPDATE=1 takes it over\n{}", diff.unified_diff().context_radius(3));
    }
}

#[test]
fn language() {
    check("language.md", 20);
}

#[test]
fn modules() {
    check("modules.md", 5);
}

/// Every test that `reliability.md` names is in the sources.
#[test]
fn promises_are_kept() {
    fn sources(folder: &Path, out: &mut String) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                sources(&path, out);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                out.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut text = String::new();
    sources(&root.join("crates"), &mut text);
    let page = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let kept_by = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(1));
    let named =
        kept_by.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|name| !name.contains(' '));
    let mut count = 0;
    for name in named {
        count += 1;
        // A script and a death are tests by a macro.
        let forms = [format!("fn {name}("), format!("    {name},\n"), format!("    {name}: ")];
        assert!(forms.iter().any(|form| text.contains(form)), "no test is called {name}");
    }
    assert!(count > 40, "{count} tests were found");
    assert!(page.contains("<!-- chaos: begin -->") && page.contains("<!-- chaos: end -->"));
}
