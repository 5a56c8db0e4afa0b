//! The workflow of `examples/ci`: what it may do, and its shell steps at work on a stack in the sandbox, with a `gh` of our
//! own that keeps comments in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value as Json};

use crate::stack::{Ran, Stack};

/// The workflow as data. It has no anchors and no tags.
fn workflow() -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/ci/terrane.yml");
    let text = fs::read_to_string(path).unwrap();
    let mut stack: Vec<(Json, Option<String>)> = vec![];
    let mut done = None;
    for event in Parser::new_from_str(&text) {
        let finished = match event.unwrap().0 {
            Event::Scalar(text, ..) => Json::String(text.into_owned()),
            Event::SequenceStart(..) => {
                stack.push((Json::Array(vec![]), None));
                continue;
            }
            Event::MappingStart(..) => {
                stack.push((Json::Object(Map::new()), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => stack.pop().unwrap().0,
            _ => continue,
        };
        match stack.last_mut() {
            None => done = Some(finished),
            Some((Json::Array(all), _)) => all.push(finished),
            Some((Json::Object(all), key)) => match key.take() {
                None => *key = Some(finished.as_str().unwrap().to_owned()),
                Some(name) => {
                    all.insert(name, finished);
                }
            },
            Some(_) => unreachable!(),
        }
    }
    done.unwrap()
}

fn steps(job: &str) -> Vec<Json> {
    workflow()["jobs"][job]["steps"].as_array().unwrap().clone()
}

/// A runner: folders, a fake `gh`, and what `${{ ... }}` stands for.
struct Runner {
    stack: Stack,
    values: BTreeMap<&'static str, String>,
}

const GH: &str = r#"#!/bin/sh
# Keeps comments as files; knows only the calls of the workflow.
[ "$1" = api ] || { echo "gh $*" >&2; exit 64; }
echo "$@" >> "$GH_STORE/calls"
shift
method=GET; path=; body=
while [ $# -gt 0 ]; do
  case "$1" in
    --paginate|--silent) ;;
    --method) method=$2; shift ;;
    --jq) shift ;;
    -F) body=${2#body=@}; shift ;;
    *) path=$1 ;;
  esac
  shift
done
case "$method $path" in
  "GET repos/o/r/issues/7/comments?per_page=100")
    for file in "$GH_STORE"/comment-*; do
      [ -f "$file" ] || continue
      if [ "$(head -n 1 "$file")" = "$MARKER" ]; then echo "${file##*-}"; fi
    done ;;
  "POST repos/o/r/issues/7/comments") cp "$body" "$GH_STORE/comment-$(($(ls "$GH_STORE" | wc -l) + 1))" ;;
  "PATCH repos/o/r/issues/comments/"*) cp "$body" "$GH_STORE/comment-${path##*/}" ;;
  *) echo "gh: $method $path" >&2; exit 64 ;;
esac
"#;

const SPEC: &str = "[provider.aws]\nregion = \"eu-west-3\"\n\n[resource.aws_iam_user.u]\nname = \"somebody\"\n\n\
                    [resource.terraform_data.d]\ninput = \"one ``` ::error::x @octocat\"\n\
                    triggers_replace = \"${var.word}\"\n\n[variable.word]\ndefault = \"hunter2\"\nsensitive = true\n";

impl Runner {
    fn new(pull_request: &str) -> Runner {
        let stack = Stack::empty();
        stack.write("repo/stacks/prod/terrane.toml", SPEC);
        stack.write("bin/gh", GH);
        fs::set_permissions(stack.path().join("bin/gh"), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["store", "temp"] {
            fs::create_dir_all(stack.path().join(folder)).unwrap();
        }
        let temp = stack.path().canonicalize().unwrap().join("temp").display().to_string();
        let values = [
            ("github.token", "t".to_owned()),
            ("github.event.pull_request.number", pull_request.to_owned()),
            ("github.server_url", "https://github.example".to_owned()),
            ("github.repository", "o/r".to_owned()),
            ("github.run_id", "1".to_owned()),
            ("secrets.PLAN_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
            ("runner.temp", temp),
        ];
        Runner { stack, values: values.into() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.stack.path().canonicalize().unwrap().join(name)
    }

    fn given(&self, text: &str) -> String {
        let mut out = text.to_owned();
        while let Some((before, rest)) = out.split_once("${{ ") {
            let (name, behind) = rest.split_once(" }}").unwrap();
            let value = self.values.get(name).unwrap_or_else(|| panic!("no value of {name}"));
            out = format!("{before}{value}{behind}");
        }
        out
    }

    /// Runs a step by its name, as the runner runs bash.
    fn step(&mut self, job: &str, name: &str) -> Ran {
        let step = steps(job).into_iter().find(|step| step["name"] == name).unwrap();
        let run = step["run"].as_str().unwrap();
        assert!(!run.contains("${{"), "texts of others reach no shell: {run}");
        let path = std::env::var("PATH").unwrap();
        let terrane = Path::new(env!("CARGO_BIN_EXE_terrane")).parent().unwrap();
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", run])
            .current_dir(self.at("repo"))
            .env_clear()
            .env("PATH", format!("{}:{}:{path}", self.at("bin").display(), terrane.display()))
            .env("HOME", self.at("temp"))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "o/r")
            .env("GITHUB_WORKSPACE", self.at("repo"))
            .env("GITHUB_OUTPUT", self.at("output"))
            .env("GITHUB_STEP_SUMMARY", self.at("summary"))
            .env("RUNNER_TEMP", self.at("temp"))
            .env("GH_STORE", self.at("store"))
            .env("TERRANE_SANDBOX", "true");
        for place in [&workflow()["env"], &step["env"]] {
            for (name, value) in place.as_object().into_iter().flatten() {
                bash.env(name, self.given(value.as_str().unwrap()));
            }
        }
        let ran = Ran::of(bash.output().unwrap());
        if name == "Plan" {
            let outcome = if ran.code == Some(0) { "success" } else { "failure" };
            self.values.insert("steps.plan.outcome", outcome.to_owned());
            for line in fs::read_to_string(self.at("output")).unwrap_or_default().lines() {
                match line.split_once('=').unwrap() {
                    ("digest", digest) => self.values.insert("needs.plan.outputs.digest", digest.to_owned()),
                    ("findings", findings) => self.values.insert("findings", findings.to_owned()),
                    ("changes", changes) => self.values.insert("changes", changes.to_owned()),
                    other => panic!("{other:?}"),
                };
            }
        }
        ran
    }

    #[track_caller]
    fn done(&mut self, job: &str, name: &str) -> Ran {
        let ran = self.step(job, name);
        assert_eq!(ran.code, Some(0), "{name}\n{}{}", ran.out, ran.err);
        ran
    }

    fn comments(&self) -> Vec<String> {
        let entries = fs::read_dir(self.at("store")).unwrap().map(|entry| entry.unwrap().path());
        let comments = entries.filter(|path| path.display().to_string().contains("comment-"));
        comments.map(|path| fs::read_to_string(path).unwrap()).collect()
    }
}

#[test]
fn the_workflow_may_do_what_it_must_and_no_more() {
    let workflow = workflow();
    assert_eq!(workflow["permissions"], Json::Object(Map::new()));
    let permissions = |job: &str| workflow["jobs"][job]["permissions"].to_string();
    assert_eq!(
        permissions("plan"),
        r#"{"contents":"read","id-token":"write","pull-requests":"write","security-events":"write"}"#
    );
    assert_eq!(permissions("apply"), r#"{"contents":"read","id-token":"write"}"#);
    assert!(workflow["on"].get("pull_request_target").is_none());
    let forks = workflow["jobs"]["plan"]["if"].as_str().unwrap();
    assert!(forks.contains("head.repo.full_name == github.repository"), "{forks}");
    assert_eq!(workflow["jobs"]["apply"]["environment"], "production");
    for step in [steps("plan"), steps("apply")].concat() {
        if let Some(action) = step["uses"].as_str() {
            let (_, commit) = action.split_once('@').unwrap();
            assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{action}");
        }
    }
}

#[test]
fn a_pull_request_has_one_comment_that_is_kept_up_to_date() {
    let mut runner = Runner::new("7");
    for _ in 0..2 {
        runner.done("plan", "Validate");
        runner.done("plan", "Plan");
        runner.done("plan", "Encrypt the plan");
        runner.done("plan", "Say what would change");
        let comments = runner.comments();
        assert_eq!(comments.len(), 1);
        assert!(
            comments[0]
                .starts_with("<!-- terrane-plan prod -->\n### Terrane plan · prod\n\n**Plan: 2 to add")
        );
        assert!(comments[0].contains(&runner.values["needs.plan.outputs.digest"]), "{}", comments[0]);
    }
    assert_eq!((runner.values["changes"].as_str(), runner.values["findings"].as_str()), ("true", "true"));
    let upload = steps("plan").into_iter().find(|step| step["name"] == "Show the findings").unwrap();
    let sarif = runner.given(upload["with"]["sarif_file"].as_str().unwrap());
    let sarif: Json = serde_json::from_str(&fs::read_to_string(sarif).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let summary = fs::read_to_string(runner.at("summary")).unwrap();
    assert!(summary.contains("### Terrane plan · prod"), "{summary}");
    assert!(!runner.at("temp/plan/plan.tfplan").exists());
    assert!(fs::read_to_string(runner.at("temp/plan/plan.html")).unwrap().starts_with("<!doctype html>"));

    // An error of the spec stands on its line, and the comment no longer tells of the older plan.
    runner.stack.write("repo/stacks/prod/terrane.toml", &SPEC.replace("name =", "nane ="));
    for step in ["Validate", "Plan"] {
        let ran = runner.step("plan", step);
        assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
        let annotation = "::error file=stacks/prod/terrane.toml,line=5,endLine=5,col=1,endColumn=5,title=";
        assert!(ran.err.contains(annotation), "{}", ran.err);
    }
    runner.done("plan", "Say what would change");
    let comments = runner.comments();
    assert_eq!(comments.len(), 1);
    assert!(comments[0].contains("**There is no plan:** it failed"), "{}", comments[0]);
}

#[test]
fn the_very_plan_that_was_approved_is_applied_once() {
    let mut runner = Runner::new("");
    runner.done("plan", "Plan");
    runner.done("plan", "Encrypt the plan");
    runner.done("plan", "Say what would change");
    assert!(runner.comments().is_empty());
    // It is sealed with the secret of both jobs, not with a key that stays on this machine.
    assert!(!runner.at("repo/stacks/prod/.terrane/plan.key").exists());
    let check = "Check that it is the plan that was approved";

    // Another plan than the approved one is refused.
    let digest = runner.values["needs.plan.outputs.digest"].clone();
    runner.values.insert("needs.plan.outputs.digest", "0".repeat(64));
    assert_ne!(runner.step("apply", check).code, Some(0));
    runner.values.insert("needs.plan.outputs.digest", digest);
    runner.done("apply", check);
    assert!(!fs::read_to_string(runner.at("temp/plan/plan.tfplan")).unwrap().contains("hunter2"));
    let applied = runner.done("apply", "Apply");
    assert!(applied.out.contains("Apply complete! Resources: 2 added"), "{}", applied.out);
    runner.done("apply", "Say how it went");
    let summary = fs::read_to_string(runner.at("summary")).unwrap();
    assert!(summary.contains("Apply complete!"), "{summary}");

    // The state has moved: the same plan is not applied again.
    let again = runner.step("apply", "Apply");
    assert_eq!(again.code, Some(1), "{}", again.out);
    assert!(again.err.contains("Saved plan is stale"), "{}", again.err);

    // And there is nothing to change any more.
    fs::remove_file(runner.at("output")).unwrap();
    runner.done("plan", "Plan");
    assert_eq!(runner.values["changes"], "false");
}
