//! A secret is planted wherever one can enter, and every output is searched for it.

use crate::stack::{Ran, Stack};

/// By environment, by variables file, on the command line.
const SECRETS: [&str; 3] = ["hemlock-and-honey", "quince-by-moonlight", "walnut-under-glass"];

const SPEC: &str = r#"
[variable.by_environment]
type      = "string"
sensitive = true

[variable.by_file]
type      = "object({ password = string, plain = string })"
sensitive = true

[variable.on_the_line]
type      = "string"
sensitive = true

[locals]
joined = "user:${var.by_environment}@host"

[provider.aws]
region     = "eu-west-3"
access_key = "AKIAIOSFODNN7EXAMPLE"
secret_key = "${var.on_the_line}"
sandbox    = true

[data.aws_iam_policy_document.d]
statement = [{ sid = "Read", actions = ["dynamodb:GetItem"], resources = ["*"], condition = [
  { test = "StringEquals", variable = "aws:PrincipalTag/token", values = ["${var.by_file.password}"] },
] }]

[resource.aws_iam_policy.p]
name   = "readers"
policy = "${data.aws_iam_policy_document.d.json}"

[resource.aws_iam_user.u]
name = "ann"
tags = { token = "${var.by_environment}" }

[resource.aws_iam_user_policy_attachment.a]
user       = "${aws_iam_user.u.name}"
policy_arn = "${aws_iam_policy.p.arn}"

[resource.aws_kms_key.k]
description = "${var.on_the_line}"

[resource.terraform_data.t]
input            = { login = "${local.joined}", list = ["${var.by_file.password}"] }
triggers_replace = "${sha256(var.on_the_line)}${var.on_the_line}"

[resource.terraform_data.each]
for_each = { a = "${nonsensitive(sha256(var.by_environment))}" }
input    = "${base64encode(var.by_environment)}"

[output.login]
value     = "${terraform_data.t.output}"
sensitive = true

[output.policy]
value     = "${aws_iam_policy.p.policy}"
sensitive = true

[check.health]
assert = [{ condition = '${var.by_environment == "other"}', error_message = "the token is not the expected one" }]
"#;

fn run(stack: &Stack, arguments: &[&str], line: &str) -> Ran {
    let mut all = arguments.to_vec();
    let takes_variables = ["plan", "apply", "destroy", "cost"].contains(&arguments[0])
        && !arguments.iter().any(|argument| argument.ends_with(".plan") && arguments[0] == "apply");
    let on_the_line = format!("on_the_line={line}");
    if takes_variables {
        all.extend(["--var", &on_the_line, "--var-file", "secret.tfvars.toml"]);
    }
    let mut command = stack.command(&all);
    command.env("TERRANE_VAR_by_environment", SECRETS[0]);
    for log in ["RUST_LOG", "TERRANE_LOG", "TF_LOG"] {
        command.env(log, "trace");
    }
    Ran::of(command.output().unwrap())
}

/// What a secret looks like in an output: as it is, in base64, and with the escapes of an address.
fn leaks(ran: &Ran, arguments: &[&str]) -> Vec<String> {
    let text = format!("{}{}", ran.out, ran.err);
    let lines = text.lines().filter(|line| {
        SECRETS.iter().any(|secret| {
            let words: Vec<&str> = secret.split('-').collect();
            line.contains(secret)
                || line.contains(&words.join("%2D"))
                || line.contains(&words.join("\\u002d"))
        }) || line.contains("aGVtbG9jay1hbmQtaG9uZX")
    });
    lines
        .map(|line| format!("{}: {}", arguments.join(" "), line.chars().take(400).collect::<String>()))
        .collect()
}

fn planted() -> Stack {
    let stack = Stack::of(SPEC);
    let by_file = format!("by_file = {{ password = \"{}\", plain = \"x\" }}\n", SECRETS[1]);
    stack.write("secret.tfvars.toml", &by_file);
    stack
}

#[test]
fn no_output_shows_a_secret() {
    let stack = planted();
    let mut found = Vec::new();
    let mut go = |code: i32, arguments: &[&str], line: &str| {
        let ran = run(&stack, arguments, line);
        assert_eq!(ran.code, Some(code), "{arguments:?}\n{}{}", ran.out, ran.err);
        found.extend(leaks(&ran, arguments));
        ran
    };
    let first = SECRETS[2];
    let plans: &[&[&str]] = &[
        &["show", "p.plan"],
        &["show", "-json", "p.plan"],
        &["show", "p.plan", "--format", "markdown"],
        &["show", "p.plan", "--format", "html"],
    ];
    go(0, &["validate"], first);
    go(0, &["validate", "-json"], first);
    go(0, &["graph"], first);
    go(0, &["plan"], first);
    go(0, &["plan", "--json"], first);
    go(0, &["cost"], first);
    go(0, &["plan", "-out", "p.plan"], first);
    for plan in plans {
        go(0, plan, first);
    }
    let applied = go(0, &["apply", "p.plan"], first);
    assert!(applied.out.contains("Apply complete!"), "{}", applied.out);
    go(2, &["plan", "-detailed-exitcode", "-replace", "terraform_data.t"], first);
    let states: &[&[&str]] = &[
        &["show"],
        &["show", "-json"],
        &["output"],
        &["output", "-json"],
        &["output", "login"],
        &["state", "list"],
        &["state", "show", "aws_iam_policy.p"],
        &["state", "show", "aws_iam_user.u"],
        &["state", "show", "aws_kms_key.k"],
        &["state", "show", "terraform_data.t"],
        &["state", "show", "terraform_data.each[\"a\"]"],
        &["plan", "-refresh-only"],
        &["plan", "-destroy"],
    ];
    for state in states {
        go(0, state, first);
    }
    // Another secret in its place: both are in the difference.
    let second = "walnut-under-glass-2";
    go(0, &["plan", "-out", "p.plan"], second);
    for plan in plans {
        go(0, plan, second);
    }
    go(0, &["apply", "-auto-approve", "--json"], second);
    go(0, &["destroy", "-auto-approve"], second);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn no_error_shows_a_secret() {
    let breaks = [
        // What the schema, the type and the service refuse, and what fails on the way there.
        (
            "description = \"${var.on_the_line}\"",
            "description = \"${var.on_the_line}\"\nkey_usage = \"${var.by_environment}\"",
        ),
        ("description = \"${var.on_the_line}\"", "is_enabled = \"${var.by_environment}\""),
        ("name = \"ann\"", "name = \"${var.by_environment} is no name\""),
        ("name = \"ann\"", "name = \"ann\"\npermissions_boundary = \"${var.by_environment}\""),
        (
            "name = \"ann\"",
            "name = \"ann\"\npermissions_boundary = \"arn:aws:iam::123456789012:policy/${var.by_environment}\"",
        ),
        ("policy = \"${data.aws_iam_policy_document.d.json}\"", "policy = \"${var.by_environment}\""),
        (
            "policy = \"${data.aws_iam_policy_document.d.json}\"",
            "policy = '${jsonencode({ Statement = var.by_environment })}'",
        ),
        ("name   = \"readers\"", "name   = '${jsondecode(var.by_environment).x}'"),
        ("name   = \"readers\"", "name   = '${file(var.by_environment)}'"),
        ("name   = \"readers\"", "name   = '${tonumber(var.by_environment) + 1}'"),
        ("name   = \"readers\"", "name   = '${{ a = 1 }[var.by_environment]}'"),
        ("for_each = { a = ", "for_each = { \"${var.by_environment}\" = "),
        (
            "[output.login]\nvalue     = \"${terraform_data.t.output}\"\nsensitive = true",
            "[output.login]\nvalue = \"${terraform_data.t.output}\"",
        ),
        ("region     = \"eu-west-3\"", "region     = \"${var.by_environment}\""),
        ("the token is not the expected one", "${var.by_environment} is not the expected one"),
    ];
    let mut found = Vec::new();
    // A variables file that can't be read, or has what does not fit.
    for broken in [
        "by_file = { password = \"SECRET\", }}",
        "by_file = { password = [\"SECRET\"] }",
        "by_file = \"SECRET\"",
    ] {
        let stack = planted();
        stack.write("secret.tfvars.toml", &format!("{}\n", broken.replace("SECRET", SECRETS[1])));
        for arguments in [&["plan"][..], &["plan", "--json"]] {
            let ran = run(&stack, arguments, SECRETS[2]);
            assert_eq!(ran.code, Some(1), "{broken}: {}{}", ran.out, ran.err);
            found.extend(leaks(&ran, arguments).into_iter().map(|leak| format!("{broken}\n    {leak}")));
        }
    }
    for (old, new) in breaks {
        let stack = planted();
        assert!(SPEC.contains(old), "{old}");
        stack.write("terrane.toml", &SPEC.replace(old, new));
        for arguments in [
            &["plan"][..],
            &["plan", "--json"],
            &["apply", "-auto-approve"],
            &["apply", "-auto-approve", "--json"],
        ] {
            let ran = run(&stack, arguments, SECRETS[2]);
            found.extend(leaks(&ran, arguments).into_iter().map(|leak| format!("{new}\n    {leak}")));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// A user and a table whose names are secrets, and so are their ARNs.
const NAMED: &str = r#"
[variable.by_environment]
type      = "string"
sensitive = true

[variable.on_the_line]
type      = "string"
sensitive = true

[provider.aws]
region  = "eu-west-3"
sandbox = true

[resource.aws_iam_user.u]
name = "${var.by_environment}"

[resource.aws_dynamodb_table.t]
name         = "${var.on_the_line}"
billing_mode = "PAY_PER_REQUEST"
hash_key     = "Id"
attribute    = { name = "Id", type = "S" }

[resource.aws_iam_user_policy.p]
name   = "read"
user   = "${aws_iam_user.u.name}"
policy = '${jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "dynamodb:GetItem", Resource = aws_dynamodb_table.t.arn }] })}'
"#;

/// Runs a command with both variables: one from the environment, and the other one on the line where it takes any.
fn given(stack: &Stack, arguments: &[&str], takes_variables: bool, code: i32) -> Ran {
    let on_the_line = format!("on_the_line={}", SECRETS[2]);
    let variable: &[&str] = if takes_variables { &["--var", &on_the_line] } else { &[] };
    let mut command = stack.command(&[arguments, variable].concat());
    command.env("TERRANE_VAR_by_environment", SECRETS[0]);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(code), "{arguments:?}\n{}{}", ran.out, ran.err);
    ran
}

#[test]
fn access_shows_no_secret() {
    let stack = Stack::of(NAMED);
    let mut found = Vec::new();
    let mut ask = |arguments: &[&str]| {
        let takes_variables = !arguments.iter().any(|argument| ["--state", "--plan"].contains(argument));
        let ran = given(&stack, arguments, takes_variables, 0);
        if arguments[0] == "access" {
            assert!(
                ran.out.contains("aws_iam_user.u") || ran.out.contains("(sensitive value)"),
                "{}",
                ran.out
            );
            found.extend(leaks(&ran, arguments));
        }
    };
    let questions: [&[&str]; 7] = [
        &["access", "who-can", "dynamodb:GetItem", "aws_dynamodb_table.t"],
        &["access", "can", "aws_iam_user.u", "dynamodb:GetItem", "aws_dynamodb_table.t"],
        &["access", "explain", "aws_iam_user.u", "dynamodb:GetItem", "aws_dynamodb_table.t"],
        &["access", "matrix"],
        &["access", "matrix", "--format", "markdown"],
        &["access", "explain", "aws_iam_user.u", "dynamodb:GetItem", "aws_dynamodb_table.t", "--json"],
        &["access", "matrix", "--json"],
    ];
    let all = |ask: &mut dyn FnMut(&[&str]), side: &[&str]| {
        for question in questions {
            ask(&[question, side].concat());
        }
    };
    all(&mut ask, &[]);
    ask(&["access", "diff"]);
    ask(&["access", "diff", "--json"]);
    ask(&["plan", "-out", "p.plan"]);
    all(&mut ask, &["--plan", "p.plan"]);
    ask(&["apply", "-auto-approve"]);
    all(&mut ask, &["--state"]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A key, and what uses it under names that are secrets.
const USED: &str = r#"
[variable.by_environment]
type      = "string"
sensitive = true

[variable.on_the_line]
type      = "string"
sensitive = true

[provider.aws]
region  = "eu-west-3"
sandbox = true

[resource.aws_kms_key.k]

[resource.aws_kms_alias.a]
name          = "alias/${var.by_environment}"
target_key_id = "${aws_kms_key.k.key_id}"

[resource.aws_dynamodb_table.t]
name                   = "${var.on_the_line}"
billing_mode           = "PAY_PER_REQUEST"
hash_key               = "Id"
attribute              = { name = "Id", type = "S" }
server_side_encryption = { enabled = true, kms_key_arn = "${aws_kms_key.k.arn}" }
"#;

/// What a key takes with it, and what is there already and can be brought back. The ids of objects with such names are shown
/// elsewhere, so only these parts are searched.
#[test]
fn what_uses_a_key_and_what_can_be_brought_back_is_told_without_secrets() {
    let stack = Stack::of(USED);
    let run = |code: i32, arguments: &[&str]| {
        given(&stack, arguments, ["plan", "apply"].contains(&arguments[0]), code)
    };
    let mut found = Vec::new();
    let mut search = |what: &str, wanted: &str, out: String, err: String| {
        assert!(format!("{out}{err}").contains(wanted), "{what}: {out}{err}");
        found.extend(leaks(&Ran { out, err, code: None }, &[what]));
    };
    let part = |text: &str, from: &str, to: &str| {
        let rest = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}")).1;
        rest.split(to).next().unwrap().to_owned()
    };
    run(0, &["apply", "-auto-approve"]);

    let text = run(0, &["plan", "-destroy", "-out", "gone.plan"]).out;
    search("text", "used by alias", part(&text, "Deleted While in Use", "───"), String::new());
    let markdown = run(0, &["show", "-format=markdown", "gone.plan"]).out;
    search("markdown", "alias", part(&markdown, "#### Deleted while in use", "####"), String::new());
    let json: serde_json::Value = serde_json::from_str(&run(0, &["show", "-json", "gone.plan"]).out).unwrap();
    search("json", "alias", json["losses"].to_string(), String::new());

    // Of nobody's state, and still under the name that the spec has.
    run(0, &["state", "rm", "aws_dynamodb_table.t"]);
    let refused = run(1, &["plan", "-destroy"]);
    search("refused", "data would be lost", String::new(), refused.err);
    stack.cloud().schedule_key_deletions();
    std::fs::remove_dir_all(stack.path().join("state")).unwrap();
    let exists = run(1, &["plan"]);
    search("exists", "is pending deletion", exists.out, exists.err);
    assert_eq!(found, Vec::<String>::new());
}
