//! Scripts: files and commands with the output that they must have. `TERRANE_UPDATE=1` writes the output that they have.
//!
//! A script begins with what it shows. `=== NAME` begins a file's text. `$ terrane ...` is a command, and behind it stands
//! its output: standard output, then standard error behind `[stderr]`, then `[exit N]` where that is not 0. `#: ` begins a
//! remark. `| brief` leaves out what stands before the last line that begins with `Plan:`; `| field NAME` shows one field of a JSON
//! object; `| line WORD` shows the lines with a word in them, sorted. Besides `terrane` there are `edit FILE OLD => NEW`,
//! `rm FILE`, `cp FROM TO`, `cat FILE`, `example NAME`, `delete-table NAME`, `schedule-key-deletions`, `cancel-key-deletions` and
//! `let-days-pass N`. `serve` offers a sandbox over HTTP, which all commands behind it work in as its administrator; `as FOLDER`
//! lets them call with the access key that the outputs `id` and `secret` of the stack there are, and `as administrator` takes
//! that back.
//! `VAR=value` before `terrane` sets a variable of the environment.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::{Captures, Regex};

use crate::stack::{Ran, Served, Stack};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts")
}

/// The names of all scripts.
pub fn all() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> =
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Runs a script and compares.
pub fn check(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let wanted = fs::read_to_string(&path).unwrap();
    let got = run(&wanted);
    if std::env::var_os("TERRANE_UPDATE").is_some() {
        fs::write(&path, got).unwrap();
        return;
    }
    if got != wanted {
        let diff = similar::TextDiff::from_lines(&wanted, &got);
        let shown = diff.unified_diff().context_radius(4).header("wanted", "got").to_string();
        panic!("{name}: the output is another one; TERRANE_UPDATE=1 takes it over\n{shown}");
    }
}

/// Where the commands of a script run.
struct Scene {
    stack: Stack,
    served: Option<Served>,
    /// Id and secret of the access key that commands call with.
    keys: (String, String),
}

impl Scene {
    fn new() -> Scene {
        Scene { stack: Stack::empty(), served: None, keys: administrator() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.stack.command(arguments);
        if let Some(served) = &self.served {
            command
                .env("AWS_ENDPOINT_URL", &served.url)
                .env("AWS_ACCESS_KEY_ID", &self.keys.0)
                .env("AWS_SECRET_ACCESS_KEY", &self.keys.1);
        }
        command
    }

    fn output(&self, folder: &str, name: &str) -> String {
        let ran = Ran::of(self.command(&["-C", folder, "output", "-raw", name]).output().unwrap());
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.out
    }
}

fn administrator() -> (String, String) {
    ("test".to_owned(), "test".to_owned())
}

/// The script with the output that its commands have now.
fn run(script: &str) -> String {
    let mut scene = Scene::new();
    let mut out = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(out, "{line}").unwrap();
        let mut behind = Vec::new();
        let begins = |next: &&str| ["$ ", "=== ", "#: "].iter().any(|mark| next.starts_with(mark));
        while let Some(next) = lines.next_if(|next| !begins(next)) {
            behind.push(next);
        }
        if let Some(command) = line.strip_prefix("$ ") {
            let output = carry_out(command, &mut scene);
            write!(out, "{output}").unwrap();
            if lines.peek().is_some() {
                out.push('\n');
            }
            continue;
        }
        if let Some(name) = line.strip_prefix("=== ") {
            let text = behind.join("\n");
            scene.stack.write(name.trim(), &format!("{}\n", text.trim_end_matches('\n')));
        }
        for line in behind {
            writeln!(out, "{line}").unwrap();
        }
    }
    out
}

fn carry_out(command: &str, scene: &mut Scene) -> String {
    let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
    match (verb, rest) {
        ("serve", "") => scene.served = Some(Served::new()),
        ("as", "administrator") => scene.keys = administrator(),
        ("as", folder) => scene.keys = (scene.output(folder, "id"), scene.output(folder, "secret")),
        _ => return carried_out(command, verb, rest, scene),
    }
    String::new()
}

fn carried_out(command: &str, verb: &str, rest: &str, scene: &Scene) -> String {
    let stack = &scene.stack;
    let at = |name: &str| stack.path().join(name);
    match verb {
        "edit" => {
            let (name, change) = rest.split_once(' ').unwrap();
            let (old, new) = change.split_once(" => ").unwrap();
            let (old, new) = (old.replace("\\n", "\n"), new.replace("\\n", "\n"));
            let text = stack.read(name);
            assert_eq!(text.matches(&old).count(), 1, "{command}\n{text}");
            stack.write(name, &text.replace(&old, &new));
            String::new()
        }
        "rm" if at(rest).is_dir() => fs::remove_dir_all(at(rest)).map(|()| String::new()).unwrap(),
        "rm" => fs::remove_file(at(rest)).map(|()| String::new()).unwrap(),
        "cp" => {
            let (from, to) = rest.split_once(' ').unwrap();
            fs::copy(at(from), at(to)).unwrap();
            String::new()
        }
        "cat" => normal(&stack.read(rest), stack),
        "example" => {
            stack.take_example(rest);
            String::new()
        }
        "schedule-key-deletions" => {
            stack.cloud().schedule_key_deletions();
            String::new()
        }
        "cancel-key-deletions" => {
            stack.cloud().cancel_key_deletions();
            String::new()
        }
        "let-days-pass" => {
            stack.cloud().let_days_pass(rest.parse().unwrap());
            String::new()
        }
        "delete-table" => {
            stack.cloud().delete_table(rest);
            String::new()
        }
        _ => match command.split_once(" | ") {
            Some((command, "brief")) => brief(&shown(&terrane(command, scene), stack)),
            Some((command, filter)) if filter.starts_with("line ") => {
                let word = filter.trim_start_matches("line ");
                let out = shown(&terrane(command, scene), stack);
                let mut lines: Vec<&str> = out.lines().filter(|line| line.contains(word)).collect();
                lines.sort_unstable();
                lines.into_iter().map(|line| format!("{line}\n")).collect()
            }
            Some((command, filter)) => {
                let name = filter.strip_prefix("field ").unwrap();
                let ran = terrane(command, scene);
                let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
                normal(&format!("{:#}\n", document[name]), stack)
            }
            None => shown(&terrane(command, scene), stack),
        },
    }
}

fn terrane(command: &str, scene: &Scene) -> Ran {
    let words = words(command);
    let set = words.iter().take_while(|word| *word != "terrane").count();
    assert!(set < words.len(), "no such command: {command}");
    let arguments: Vec<&str> = words[set + 1..].iter().map(String::as_str).collect();
    let mut run = scene.command(&arguments);
    for variable in &words[..set] {
        let (name, value) = variable.split_once('=').unwrap();
        run.env(name, value);
    }
    Ran::of(run.output().unwrap())
}

/// What stands from the last sum of a plan on.
fn brief(output: &str) -> String {
    match output.match_indices("\nPlan:").last() {
        Some((at, _)) => output[at + 1..].to_owned(),
        None => output.to_owned(),
    }
}

/// Words as a shell splits them, with single quotes alone.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in command.chars() {
        match (c, quoted, words.last_mut()) {
            ('\'', ..) => quoted = !quoted,
            (' ', false, _) => words.push(String::new()),
            (c, _, Some(word)) => word.push(c),
            _ => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn shown(ran: &Ran, stack: &Stack) -> String {
    let mut out = normal(&ran.out, stack);
    if !ran.err.is_empty() {
        write!(out, "[stderr]\n{}", normal(&ran.err, stack)).unwrap();
    }
    match ran.code {
        Some(0) => {}
        Some(code) => writeln!(out, "[exit {code}]").unwrap(),
        None => out.push_str("[killed]\n"),
    }
    out
}

/// The text without what differs from run to run.
fn normal(text: &str, stack: &Stack) -> String {
    let folder = stack.path().canonicalize().unwrap();
    let mut text =
        text.replace(folder.to_str().unwrap(), "<dir>").replace(stack.path().to_str().unwrap(), "<dir>");
    for (pattern, instead) in [
        (r"\b[0-9a-f]{64}\b", "<sha256>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
        (r"\bmrk-[0-9a-f]{32}\b", "mrk-<id>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"\b(AGPA|AIDA|AKIA|ANPA|AROA)[A-Z0-9]{10,}", "${1}<id>"),
        (r"-20\d{24}\b", "-<stamp>"),
        (r"\b1\d{17}\b", "<revision>"),
        (r"(after|elapsed_seconds.:) ?\d+s?", "$1 <n>"),
        // The number of a policy document, where it holds what is made up.
        (r"(aws_iam_policy_document\.\S+ Read complete .*\[id)=\d+\]", "$1=<number>]"),
        (r"\(process \d+\)", "(process <pid>)"),
        (r"tester@[^ \n]+", "tester@<host>"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, instead).into_owned();
    }
    let date = |found: &Captures<'_>| match &found[0] {
        version @ ("2012-10-17" | "2008-10-17") => version.to_owned(),
        _ => "<date>".to_owned(),
    };
    let text = Regex::new(r"\b20\d\d-\d\d-\d\d\b").unwrap().replace_all(&text, date);
    let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
    let whole = trimmed.join("\n");
    let whole = whole.trim_end_matches('\n');
    if whole.is_empty() { String::new() } else { format!("{whole}\n") }
}
