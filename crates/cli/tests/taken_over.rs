//! A stack that Terraform made, taken over as it is.

use crate::stack::Stack;

/// Made by Terraform 1.11.4.
const STATE: &str = r#"{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": 4,
  "lineage": "4639d485-230c-01d7-7fb5-450e3b2aeb65",
  "outputs": {},
  "resources": [
    {
      "mode": "managed",
      "type": "terraform_data",
      "name": "a",
      "provider": "provider[\"terraform.io/builtin/terraform\"]",
      "instances": [
        {
          "schema_version": 0,
          "attributes": {
            "id": "b910110d-5c20-3bcd-c6e6-6c084c514b83",
            "input": {
              "value": "a",
              "type": "string"
            },
            "output": {
              "value": "a",
              "type": "string"
            },
            "triggers_replace": null
          },
          "sensitive_attributes": []
        }
      ]
    },
    {
      "mode": "managed",
      "type": "terraform_data",
      "name": "b",
      "provider": "provider[\"terraform.io/builtin/terraform\"]",
      "instances": [
        {
          "schema_version": 0,
          "attributes": {
            "id": "70b3e1c1-0512-303c-fb70-d55b58d766be",
            "input": {
              "value": "a",
              "type": "string"
            },
            "output": {
              "value": "a",
              "type": "string"
            },
            "triggers_replace": null
          },
          "sensitive_attributes": [],
          "dependencies": [
            "terraform_data.a"
          ]
        }
      ]
    },
    {
      "mode": "managed",
      "type": "terraform_data",
      "name": "c",
      "provider": "provider[\"terraform.io/builtin/terraform\"]",
      "instances": [
        {
          "schema_version": 0,
          "attributes": {
            "id": "c49e0c80-ca17-63c0-8417-4dabe5fc2ccb",
            "input": {
              "value": "a",
              "type": "string"
            },
            "output": {
              "value": "a",
              "type": "string"
            },
            "triggers_replace": null
          },
          "sensitive_attributes": [],
          "dependencies": [
            "terraform_data.a",
            "terraform_data.b"
          ]
        }
      ]
    }
  ],
  "check_results": null
}
"#;

const SPEC: &str = r#"
[terrane.backend.local]
path = "terraform.tfstate"

[resource.terraform_data.a]
input = "a"

[resource.terraform_data.b]
input = "${terraform_data.a.output}"

[resource.terraform_data.c]
input = "${terraform_data.b.output}"
"#;

#[test]
fn an_apply_without_changes_leaves_terraforms_state_as_it_is() {
    let stack = Stack::of(SPEC);
    stack.write("terraform.tfstate", STATE);
    let ran = stack.run(&["apply", "--auto-approve"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("No changes."), "{}", ran.out);
    assert_eq!(stack.read("terraform.tfstate"), STATE);
    // A change writes it, and goes on from where Terraform was.
    stack.write("terrane.toml", &SPEC.replace("\"a\"\n", "\"b\"\n"));
    let ran = stack.run(&["apply", "--auto-approve"]);
    assert!(ran.out.contains("0 added, 3 changed, 0 destroyed."), "{}{}", ran.out, ran.err);
    let state: serde_json::Value = serde_json::from_str(&stack.read("terraform.tfstate")).unwrap();
    let before: serde_json::Value = serde_json::from_str(STATE).unwrap();
    assert_eq!(state["lineage"], before["lineage"]);
    assert!(state["serial"].as_u64() > before["serial"].as_u64());
    assert_eq!(stack.read("terraform.tfstate.backup"), STATE);
}
