//! What a spec becomes: the parts of the module, references, places, settings.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at what it does not expect"
)]

mod support;

use support::{Catalogue, render};
use terrane_expr::{FunctionContext, Reference, Scope, evaluate};
use terrane_model::{Diagnostic, Kind, Mode, Path, Span, Step, Type, Value};
use terrane_spec::resource::IgnoreChanges;
use terrane_spec::settings::BackendKind;
use terrane_spec::statement::{Endpoint, Expectation};
use terrane_spec::{Outcome, Purpose, Resource, Spec, check, inputs, is_spec_file, is_variable_file, parse};

fn spec(files: &[(&str, &str)]) -> Spec {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    check(parse(files), &Catalogue::new(), &FunctionContext::closed())
        .unwrap_or_else(|f| panic!("{}", render(&f.diagnostics, &f.sources)))
}

fn one(text: &str) -> Spec {
    spec(&[("terrane.toml", text)])
}

fn resource<'s>(spec: &'s Spec, type_name: &str, name: &str) -> &'s Resource {
    spec.root.resource(Mode::Managed, type_name, name).unwrap()
}

fn text(spec: &Spec, span: Span) -> String {
    spec.sources.text(span).to_owned()
}

#[test]
fn the_digest_moves_with_names_and_texts_and_not_with_order() {
    let a = ("a.terrane.toml", "[locals]\nx = 1\n");
    let b = ("b.terrane.toml", "[locals]\ny = 1\n");
    let digest = spec(&[a, b]).digest;
    assert_eq!(digest.len(), 64);
    assert_eq!(spec(&[b, a]).digest, digest);
    assert_ne!(spec(&[a, ("c.terrane.toml", b.1)]).digest, digest);
    assert_ne!(spec(&[a, (b.0, "[locals]\ny = 2\n")]).digest, digest);
}

#[test]
fn references_of_every_part_of_a_resource() {
    let spec = one(r#"
[variable.v]
[locals]
l = 1
[resource.terraform_data.first]
[resource.terraform_data.second]
[resource.terraform_data.third]
[data.aws_region.here]
[resource.aws_kms_key.k]
count       = "${local.l}"
description = "${var.v} ${data.aws_region.here.name} ${path.module}"
depends_on  = ["terraform_data.first"]
[resource.aws_kms_key.k.lifecycle]
replace_triggered_by = ["terraform_data.second"]
precondition         = { condition = "${terraform_data.third.id != null}", error_message = "${var.v}" }
postcondition        = { condition = '${self.arn != "" && aws_kms_key.k != null}', error_message = "no" }
"#);
    let references: Vec<String> =
        resource(&spec, "aws_kms_key", "k").references().iter().map(|(r, _)| r.to_string()).collect();
    assert_eq!(
        references,
        [
            "var.v",
            "data.aws_region.here",
            "path.module",
            "local.l",
            "terraform_data.first",
            "terraform_data.second",
            "terraform_data.third",
            "var.v",
            "self",
        ]
    );
}

#[test]
fn a_path_leads_to_its_place_or_to_the_next_around_it() {
    let spec = one(r#"
[resource.aws_dynamodb_table.t]
name = "table"
tags = { Name = "n", "a.b" = "c" }
server_side_encryption = { enabled = true, kms_key_arn = "" }
[[resource.aws_dynamodb_table.t.attribute]]
name = "Id"
type = "S"
[[resource.aws_dynamodb_table.t.attribute]]
name = "${upper("x")}"
type = "N"
"#
    .replace("\"${upper(\"x\")}\"", "'${upper(\"x\")}'")
    .as_str());
    let table = resource(&spec, "aws_dynamodb_table", "t");
    let attribute = |name: &str| Step::Attribute(name.into());
    let at = |steps: Vec<Step>| text(&spec, table.span_of(&Path(steps)));
    assert_eq!(at(vec![attribute("name")]), "\"table\"");
    assert_eq!(at(vec![attribute("tags"), Step::Key("a.b".into())]), "\"c\"");
    assert_eq!(at(vec![attribute("tags"), Step::Key("gone".into())]), r#"{ Name = "n", "a.b" = "c" }"#);
    assert_eq!(at(vec![attribute("attribute"), Step::Index(1), attribute("type")]), "\"N\"");
    assert_eq!(at(vec![attribute("server_side_encryption"), Step::Index(0), attribute("enabled")]), "true");
    assert_eq!(at(vec![attribute("billing_mode")]), "[resource.aws_dynamodb_table.t]");
    assert_eq!(at(vec![]), "[resource.aws_dynamodb_table.t]");
    let key = table.key_span_of(&Path(vec![attribute("attribute"), Step::Index(1), attribute("type")]));
    assert_eq!(text(&spec, key), "type");
}

#[test]
fn lifecycle_and_meta_arguments() {
    let spec = one(r#"
[[provider.aws]]
[[provider.aws]]
alias = "paris"
[resource.aws_iam_user.all]
name = "u"
lifecycle = { ignore_changes = "all" }
[resource.aws_iam_user.u]
name     = "u"
provider = "${aws.paris}"
[resource.aws_iam_user.u.lifecycle]
create_before_destroy = "true"
prevent_destroy       = true
ignore_changes        = ["tags.Name", 'tags["x"]', "path"]
replace_triggered_by  = ["${aws_iam_user.all.name}"]
"#);
    let user = resource(&spec, "aws_iam_user", "u");
    let lifecycle = &user.lifecycle;
    assert!(lifecycle.create_before_destroy);
    assert_eq!(text(&spec, lifecycle.prevent_destroy.unwrap()), "true");
    assert_eq!(user.provider.as_ref().unwrap().to_string(), "aws.paris");
    assert_eq!(lifecycle.replace_triggered_by[0].steps, [Step::Attribute("name".into())]);
    let IgnoreChanges::Paths(paths) = &lifecycle.ignore_changes else { panic!() };
    let paths: Vec<String> = paths.iter().map(|(p, _)| p.to_string()).collect();
    assert_eq!(paths, [r#"tags["Name"]"#, r#"tags["x"]"#, "path"]);
    let name = Path(vec![Step::Attribute("tags".into()), Step::Key("Name".into())]);
    assert!(lifecycle.ignore_changes.covers(&name));
    assert!(!lifecycle.ignore_changes.covers(&Path::attribute("name")));
    assert!(resource(&spec, "aws_iam_user", "all").lifecycle.ignore_changes.covers(&name));
    assert_eq!(
        spec.root.providers.iter().map(|p| p.alias.as_deref()).collect::<Vec<_>>(),
        [None, Some("paris")]
    );
}

#[test]
fn settings_of_both_tables() {
    let spec = one(r#"
[terrane]
required_version = ">= 0.1.0"
[terrane.backend.local]
path = "elsewhere/x.tfstate"
[terraform]
required_version = "~> 1.5"
required_providers = { aws = { source = "hashicorp/aws" } }
"#);
    let settings = &spec.root.settings;
    let BackendKind::Local { path: Some((path, _)), workspace_dir: None } =
        &settings.backend.as_ref().unwrap().kind
    else {
        panic!()
    };
    assert_eq!(&**path, "elsewhere/x.tfstate");
    let version = |text: &str| text.parse().unwrap();
    assert_eq!(settings.verify(&version("0.1.0"), &version("1.11.4")), []);
    let refused = settings.verify(&version("0.0.9"), &version("2.0.0"));
    assert_eq!(refused.len(), 2);
    assert!(refused[1].detail.contains("Terrane `>= 0.1.0`, and this is 0.0.9"), "{}", refused[1].detail);

    let spec = one("[terraform.backend.s3]\nbucket = \"b\"\nkey = \"k\"\n");
    let BackendKind::S3 { body, .. } = &spec.root.settings.backend.as_ref().unwrap().kind else { panic!() };
    assert_eq!(body.as_literal().unwrap().get("bucket").unwrap().as_str(), Some("b"));
}

#[test]
fn statements_are_typed() {
    let spec = one(r#"
[[moved]]
from = "terraform_data.old"
to   = 'terraform_data.new["a"]'
[[moved]]
from = "module.a"
to   = 'module.b[0]'
[[removed]]
from = "aws_kms_key.gone"
lifecycle = { destroy = false }
[[import]]
to = 'terraform_data.new["a"]'
id = "x"
[[import]]
for_each = { a = "1" }
to = "terraform_data.new[each.key]"
id = "${each.value}"
[resource.terraform_data.new]
for_each = { a = 1 }
[check.up.data.aws_region.r]
[[check.up.assert]]
condition = '${data.aws_region.r.name != ""}'
error_message = "No name."
[access.a]
principal = "p"
actions = "kms:Decrypt"
resources = ["*"]
expect = "allowed"
"#);
    let root = &spec.root;
    assert_eq!(root.moved[0].to.0.to_string(), r#"terraform_data.new["a"]"#);
    assert!(matches!(&root.moved[1].from.0, Endpoint::Module(path) if path.to_string() == "module.a"));
    assert!(!root.removed[0].destroy);
    assert_eq!(root.imports[0].address.to_string(), r#"terraform_data.new["a"]"#);
    let key = root.imports[1].key.as_ref().unwrap();
    assert_eq!(key.references().next().unwrap().0, &Reference::EachKey);
    assert_eq!(text(&spec, key.span()), "each.key");
    assert_eq!(root.checks["up"].assertions.len(), 1);
    assert!(root.checks["up"].data.is_some());
    assert_eq!(root.access["a"].expect.0, Expectation::Allowed);
}

#[test]
fn files_that_can_not_be_read_at_all() {
    let run = |files: Vec<(String, Vec<u8>)>| {
        let failure = check(parse(files), &Catalogue::new(), &FunctionContext::closed()).unwrap_err();
        failure.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>()
    };
    assert_eq!(run(vec![]), ["no-spec"]);
    assert_eq!(run(vec![("terrane.toml".into(), b"[locals]\na = \"\xff\"\n".to_vec())]), ["not-utf-8"]);
    assert_eq!(run(vec![("terrane.toml".into(), vec![b'#'; 50_000_000])]), ["spec-too-large"]);
    let deep = format!("[locals]\na = {}1{}\n", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(run(vec![("terrane.toml".into(), deep.into_bytes())]), ["nested-too-deeply"]);
    let template = format!("[locals]\na = \"${{{}1{}}}\"\n", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(run(vec![("terrane.toml".into(), template.into_bytes())]).len(), 1);
}

#[test]
fn an_empty_file_is_a_spec() {
    let spec = one("");
    assert_eq!(spec.root.resources.len(), 0);
    assert_eq!(spec.warnings, []);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_not_matter() {
    let spec = one("\u{feff}[locals]\r\nx = \"a\"\r\n");
    assert_eq!(spec.root.locals["x"].expr.as_literal().unwrap().as_str(), Some("a"));
    assert_eq!(text(&spec, spec.root.locals["x"].span), "x");
}

/// Variables of the tests, and nothing else.
struct Given(FunctionContext);

impl Scope for Given {
    fn resolve(&self, reference: &Reference, span: Span) -> Result<Value, Diagnostic> {
        match reference {
            Reference::Variable(name) if &**name == "word" => Ok(Value::from("w\"o")),
            Reference::Variable(name) if &**name == "words" => {
                Ok(Value::map(Type::String, [("a", Value::from("1")), ("b", Value::from("2"))]))
            }
            Reference::Variable(name) if &**name == "secret" => Ok(Value::from("s").sensitive()),
            Reference::Variable(name) if &**name == "unknown" => Ok(Value::unknown(Type::String)),
            _ => Err(Diagnostic::error("none", "None", reference.to_string()).at(span)),
        }
    }

    fn functions(&self) -> &FunctionContext {
        &self.0
    }
}

#[test]
fn a_dynamic_block_gives_what_a_list_of_blocks_gives() {
    let spec = one(r##"
[variable.word]
[variable.words]
type = "map(string)"
[data.aws_iam_policy_document.d]
statement = { sid = "fixed" }
[[data.aws_iam_policy_document.d.dynamic.statement]]
for_each = "${var.words}"
content  = { sid = "${statement.key}-${statement.value}", effect = "Allow" }
[[data.aws_iam_policy_document.d.dynamic.statement]]
for_each = ["$${x}", 'a\b"c', 7]
iterator = "it"
[data.aws_iam_policy_document.d.dynamic.statement.content]
sid       = "${it.key}: ${it.value} ${upper(var.word)} %%{ \\ \" \t\u00e9"
actions   = ["${it.value}", "plain \" \\ $${y} \n", """
two
lines ${it.key}
"""]
resources = [ """${
  # which
  it.value
}""" ]
[data.aws_iam_policy_document.d.dynamic.statement.content.dynamic.principals]
for_each = { x = ["${it.key}"] }
content  = { type = "${principals.key}", identifiers = "${principals.value}" }
"##);
    let document = spec.root.resource(Mode::Data, "aws_iam_policy_document", "d").unwrap();
    let value = evaluate(&document.body, &Given(FunctionContext::closed())).unwrap();
    let statements = value.get("statement").unwrap().elements();
    let sid = |i: usize| statements[i].get("sid").unwrap().as_str().unwrap().to_owned();
    assert_eq!(statements.len(), 6);
    assert_eq!([sid(0), sid(1), sid(2)], ["fixed", "a-1", "b-2"]);
    assert_eq!(sid(3), "0: ${x} W\"O %{ \\ \" \té");
    assert_eq!(sid(4), "1: a\\b\"c W\"O %{ \\ \" \té");
    let actions = statements[5].get("actions").unwrap().elements();
    assert_eq!(actions[0], Value::from(7));
    assert_eq!(actions[1], Value::from("plain \" \\ ${y} \n"));
    assert_eq!(actions[2], Value::from("two\nlines 2\n"));
    assert_eq!(statements[5].get("resources").unwrap().elements(), [Value::from(7)]);
    let principals = &statements[4].get("principals").unwrap().elements()[0];
    assert_eq!(principals.get("type").unwrap().as_str(), Some("x"));
    assert_eq!(principals.get("identifiers").unwrap().elements(), [Value::from(1)]);
}

#[test]
fn keys_of_objects_are_templates() {
    let spec = one(r##"
[variable.word]
[locals]
map = { "${upper(var.word)}-k" = 1, "$${plain}" = 2, 'a"b' = 3 }
[locals.deep.x]
"%{ if true }y%{ endif }" = "z"
[resource.terraform_data.d]
input = { "${var.word}" = { "k-${var.word}" = [{ "${1 + 1}" = true }] } }
[data.aws_iam_policy_document.d.dynamic.statement]
for_each = { "${var.word}-\"" = 1 }
content  = { sid = "${statement.key}" }
"##);
    let scope = Given(FunctionContext::closed());
    let names = |value: &Value| -> Vec<String> {
        let Kind::Object(entries) = value.kind() else { panic!("{value:?}") };
        entries.keys().map(|name| name.to_string()).collect()
    };
    let local = |name: &str| evaluate(&spec.root.locals.get(name).unwrap().expr, &scope).unwrap();
    assert_eq!(names(&local("map")), ["${plain}", "W\"O-k", "a\"b"]);
    // As Terraform does with every text.
    let decomposed = one("[locals]\nx = { \"e\u{301}\" = 1 }\ny = { \"${1}e\u{301}\" = 1 }\n");
    for (local, name) in [("x", "\u{e9}"), ("y", "1\u{e9}")] {
        assert_eq!(
            names(&evaluate(&decomposed.root.locals.get(local).unwrap().expr, &scope).unwrap()),
            [name]
        );
    }
    assert_eq!(names(local("deep").get("x").unwrap()), ["y"]);
    let input = evaluate(&resource(&spec, "terraform_data", "d").body, &scope).unwrap();
    let inside = input.get("input").unwrap().get("w\"o").unwrap().get("k-w\"o").unwrap();
    assert_eq!(names(&inside.elements()[0]), ["2"]);
    let document = spec.root.resource(Mode::Data, "aws_iam_policy_document", "d").unwrap();
    let value = evaluate(&document.body, &scope).unwrap();
    let statement = &value.get("statement").unwrap().elements()[0];
    assert_eq!(statement.get("sid").unwrap().as_str(), Some("w\"o-\""));
}

#[test]
fn an_argument_named_dynamic_is_no_block() {
    let spec = one("[resource.terraform_data.d]\ninput = { dynamic = { a = 1 }, b = { dynamic = \"x\" } }\n");
    let body = resource(&spec, "terraform_data", "d").body.as_literal().unwrap().clone();
    assert_eq!(body.get("input").unwrap().get("dynamic").unwrap().get("a"), Some(&Value::from(1)));
}

#[test]
fn arrays_of_one_and_comments_come_from_converters() {
    let spec = one(r#"
"//" = "converted"
[[resource.terraform_data.d]]
"//"  = "a comment"
input = 1
lifecycle = [{ create_before_destroy = true }]
[[variable.v]]
[[locals]]
a = 1
[[locals]]
b = 1
[[terraform]]
required_version = ">= 1.0"
"#);
    assert!(resource(&spec, "terraform_data", "d").lifecycle.create_before_destroy);
    assert_eq!(spec.root.locals.len(), 2);
    assert!(spec.root.variables.contains_key("v"));
}

#[test]
fn conditions_are_judged_in_the_words_of_the_spec() {
    let spec = one(r#"
[variable.word]
[variable.secret]
sensitive = true
[variable.unknown]
[[variable.word.validation]]
condition     = '${length(var.word) == 3}'
error_message = "Never said."
[[variable.word.validation]]
condition     = '${var.word == "other"}'
error_message = "Not ${var.word}."
[[variable.word.validation]]
condition     = '${var.word == "other"}'
error_message = "Not ${var.secret}."
[[variable.word.validation]]
condition     = '${var.word == var.unknown}'
error_message = "Never said."
[[variable.word.validation]]
condition     = '${var.word}'
error_message = "Never said."
"#);
    let scope = Given(FunctionContext::closed());
    let judge = |i: usize| spec.root.variables["word"].validations[i].judge(&scope, Purpose::Validation);
    assert_eq!(judge(0), Ok(Outcome::Holds));
    let Ok(Outcome::Fails(said)) = judge(1) else { panic!() };
    assert_eq!((said.code, said.detail.as_str()), ("invalid-variable", "Not w\"o."));
    let Ok(Outcome::Fails(said)) = judge(2) else { panic!() };
    assert!(said.detail.contains("not shown"), "{}", said.detail);
    assert_eq!(judge(3), Ok(Outcome::Unknown));
    assert_eq!(judge(4).unwrap_err()[0].code, "wrong-type");
}

#[test]
fn files_are_known_by_their_names() {
    for name in ["terrane.toml", "network.terrane.toml"] {
        assert!(is_spec_file(name) && !is_variable_file(name), "{name}");
    }
    for name in ["terrane.vars.toml", "b.auto.vars.toml"] {
        assert!(is_variable_file(name) && !is_spec_file(name), "{name}");
    }
    for name in
        ["other.toml", "terrane.toml~", ".#terrane.toml", ".x.terrane.toml", "x.vars.toml", "myterrane.toml"]
    {
        assert!(!is_spec_file(name) && !is_variable_file(name), "{name}");
    }
}

#[test]
fn an_answer_is_taken_as_a_value_of_the_command_line() {
    let spec = one("[variable.text]\n[variable.list]\ntype = \"list(number)\"\nsensitive = true\n");
    let mut sources = spec.sources.clone();
    let mut answer = |name: &str, text: &str| inputs::answer(&spec.root, name, text, &mut sources);
    assert_eq!(answer("text", "[1"), Ok(Value::from("[1")));
    let list = answer("list", "[1, \"2\"]").unwrap();
    assert!(list.marks().sensitive);
    assert_eq!(list.unmark().0, Value::list(Type::Number, [Value::from(1), Value::from(2)]));
    assert_eq!(answer("list", "[1").unwrap_err()[0].code, "invalid-expression");
    assert_eq!(answer("list", "[\"x\"]").unwrap_err()[0].code, "wrong-type");
}
