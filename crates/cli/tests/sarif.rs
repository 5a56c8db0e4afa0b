//! `--sarif` of `lint`, `plan` and `validate` keeps to SARIF 2.1.0, and what refers to something refers to what is there.

use serde_json::{Value as Json, json};

use crate::stack::Stack;

/// A stack with findings, one of which is silenced, and an assertion that does not hold.
const SPEC: &str = r#"
[[terrane.lint.ignore]]
id      = "TRN-DDB-002"
address = "aws_dynamodb_table.*"
reason  = "Nothing of worth is in it."

[[terrane.lint.ignore]]
id      = "TRN-KMS-001"
address = "aws_kms_key.none"
reason  = "It silences nothing, which is told of."

[provider.aws]
region  = "eu-west-3"
sandbox = true

[resource.aws_dynamodb_table.t]
name         = "été"
billing_mode = "PAY_PER_REQUEST"
hash_key     = "id"
attribute    = [{ name = "id", type = "S" }]

[resource.aws_kms_key.k]
deletion_window_in_days = 7

[resource.aws_iam_user.u]
count = 25
name  = "u${count.index}"

[resource.aws_iam_user_policy_attachment.u]
count      = 25
user       = "${aws_iam_user.u[count.index].name}"
policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"

[access.nobody_reads]
principal = "${aws_iam_user.u[0].arn}"
actions   = "dynamodb:GetItem"
resources = "${aws_dynamodb_table.t.arn}"
expect    = "denied"
"#;

fn validator() -> jsonschema::Validator {
    let schema: Json = serde_json::from_str(include_str!("sarif.schema.json")).unwrap();
    jsonschema::draft7::options().should_validate_formats(true).build(&schema).unwrap()
}

/// What a command wrote.
fn written(stack: &Stack, arguments: &[&str]) -> Json {
    stack.run(&[arguments, &["--sarif", "found.sarif"]].concat());
    serde_json::from_str(&stack.read("found.sarif")).unwrap()
}

fn results(document: &Json) -> &Vec<Json> {
    document["runs"][0]["results"].as_array().unwrap()
}

/// Whether each result names the rule that stands at its index, and no rule stands there for nothing.
fn refers_to_its_rules(document: &Json) {
    let rules = document["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results(document) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    for rule in rules {
        assert!(results(document).iter().any(|result| result["ruleId"] == rule["id"]), "{rule}");
    }
}

fn is_valid(document: &Json) {
    let validator = validator();
    let wrong: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{} at {}", error, error.instance_path))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{document:#}");
    refers_to_its_rules(document);
}

#[test]
fn findings_assertions_and_errors_keep_to_the_standard() {
    let stack = Stack::of(SPEC);
    let rules = |document: &Json| -> Vec<String> {
        results(document).iter().map(|result| result["ruleId"].as_str().unwrap().to_owned()).collect()
    };
    let lint = written(&stack, &["lint"]);
    is_valid(&lint);
    assert!(rules(&lint).contains(&"TRN-KMS-001".to_owned()), "{lint:#}");
    assert!(results(&lint).iter().any(|result| result.get("suppressions").is_some()), "{lint:#}");
    let plan = written(&stack, &["plan"]);
    is_valid(&plan);
    let broken = results(&plan).iter().find(|result| result["ruleId"] == "access-violated");
    let broken = broken.unwrap_or_else(|| panic!("no violated assertion: {plan:#}"));
    assert_eq!(broken["level"], "error");
    let place = &broken["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "terrane.toml");
    is_valid(&written(&stack, &["validate"]));

    stack.write(
        "terrane.toml",
        &SPEC.replace("hash_key     =", "hsah_key     =").replace("[access", "[acess"),
    );
    let wrong = written(&stack, &["validate"]);
    is_valid(&wrong);
    assert!(rules(&wrong).len() >= 2, "{wrong:#}");
    stack.write("terrane.toml", "[resource.terraform_data.quiet]\n");
    let quiet = written(&stack, &["validate"]);
    is_valid(&quiet);
    assert!(results(&quiet).is_empty());
}

#[test]
fn the_schema_of_what_is_written_refuses_what_the_standard_does() {
    let document = json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "Terrane", "rules": [{ "id": "a" }] } },
            "results": [{
                "ruleId": "a", "ruleIndex": 0, "level": "note", "message": { "text": "t" },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "a/b.toml" }, "region": { "startLine": 1 },
                } }],
                "suppressions": [{ "kind": "inSource" }],
            }],
        }],
    });
    let validator = validator();
    assert!(validator.is_valid(&document));
    for (place, wrong) in [
        ("/version", json!("2.0.0")),
        ("/runs/0/tool/driver", json!({})),
        ("/runs/0/tool/driver/rules", json!([{ "id": "a" }, { "id": "a" }])),
        ("/runs/0/results/0/level", json!("fatal")),
        ("/runs/0/results/0/message", json!("t")),
        ("/runs/0/results/0/ruleIndex", json!(-2)),
        ("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri", json!("a b\\c.toml")),
        ("/runs/0/results/0/locations/0/physicalLocation/region/startLine", json!(0)),
        ("/runs/0/results/0/suppressions/0/kind", json!("inMind")),
    ] {
        let mut broken = document.clone();
        *broken.pointer_mut(place).unwrap() = wrong;
        assert!(!validator.is_valid(&broken), "{place}");
    }
}
