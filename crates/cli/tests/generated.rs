//! `plan --generate-config-out`: objects that exist become resources of the spec, and nothing changes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value as Json;
use terrane_model::Mode;
use terrane_model::schema::Schemas;

use crate::stack::Stack;

const PROVIDER: &str = r#"
[provider.aws]
region       = "eu-west-3"
sandbox      = true
default_tags = { tags = { Team = "storage" } }
"#;

/// One object of every type, with what can be set beyond what must be.
const OBJECTS: &str = r#"
[resource.aws_kms_key.key]
description             = 'A key with a "name" of its own, 100%%{ } and $${x}'
deletion_window_in_days = 7
enable_key_rotation     = true
tags                    = { Use = "tables" }

[resource.aws_kms_alias.alias]
name          = "alias/it"
target_key_id = "${aws_kms_key.key.key_id}"

[resource.aws_kms_grant.grant]
name              = "grant"
key_id            = "${aws_kms_key.key.key_id}"
grantee_principal = "${aws_iam_role.role.arn}"
operations        = ["Encrypt", "Decrypt"]
constraints       = { encryption_context_subset = { Department = "it" } }

[resource.aws_dynamodb_table.plain]
name         = "plain"
billing_mode = "PAY_PER_REQUEST"
hash_key     = "Id"
attribute    = { name = "Id", type = "S" }

[resource.aws_dynamodb_table.full]
name                        = "full"
read_capacity               = 3
write_capacity              = 2
hash_key                    = "Id"
range_key                   = "At"
deletion_protection_enabled = false
stream_enabled              = true
stream_view_type            = "NEW_AND_OLD_IMAGES"
table_class                 = "STANDARD_INFREQUENT_ACCESS"
attribute                   = [
  { name = "Id", type = "S" },
  { name = "At", type = "N" },
  { name = "By", type = "S" },
]
server_side_encryption = { enabled = true, kms_key_arn = "${aws_kms_key.key.arn}" }
point_in_time_recovery = { enabled = true }
ttl                    = { attribute_name = "Until", enabled = true }
global_secondary_index = { name = "ByBy", hash_key = "By", projection_type = "INCLUDE", non_key_attributes = ["a", "b"], read_capacity = 1, write_capacity = 1 }
local_secondary_index  = { name = "Local", range_key = "By", projection_type = "KEYS_ONLY" }
tags                   = { "a b" = "c" }

[resource.aws_dynamodb_resource_policy.policy]
resource_arn = "${aws_dynamodb_table.plain.arn}"
policy       = '''
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "${aws_iam_role.role.arn}"}, "Action": "dynamodb:GetItem", "Resource": "${aws_dynamodb_table.plain.arn}"}]}'''

[resource.aws_kms_key.other]

[resource.aws_kms_key_policy.policy]
key_id = "${aws_kms_key.other.key_id}"
policy = '''
{"Version": "2012-10-17", "Statement": [{"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}]}'''

[resource.aws_iam_user.user]
name = "user"
path = "/team/"
tags = { Use = "x" }

[resource.aws_iam_access_key.key]
user   = "${aws_iam_user.user.name}"
status = "Inactive"

[resource.aws_iam_group.group]
name = "group"

[resource.aws_iam_user_group_membership.membership]
user   = "${aws_iam_user.user.name}"
groups = ["${aws_iam_group.group.name}"]

[resource.aws_iam_policy.policy]
name        = "policy"
description = "Own items"
policy      = '''
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/$${aws:username}"}]}'''

[resource.aws_iam_role.role]
name                 = "role"
max_session_duration = 7200
assume_role_policy   = '''
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}'''

[resource.aws_iam_user_policy.inline]
name   = "inline"
user   = "${aws_iam_user.user.name}"
policy = "${aws_iam_policy.policy.policy}"

[resource.aws_iam_role_policy.inline]
name   = "inline"
role   = "${aws_iam_role.role.name}"
policy = "${aws_iam_policy.policy.policy}"

[resource.aws_iam_group_policy.inline]
name   = "inline"
group  = "${aws_iam_group.group.name}"
policy = "${aws_iam_policy.policy.policy}"

[resource.aws_iam_user_policy_attachment.attachment]
user       = "${aws_iam_user.user.name}"
policy_arn = "${aws_iam_policy.policy.arn}"

[resource.aws_iam_role_policy_attachment.attachment]
role       = "${aws_iam_role.role.name}"
policy_arn = "${aws_iam_policy.policy.arn}"

[resource.aws_iam_group_policy_attachment.attachment]
group      = "${aws_iam_group.group.name}"
policy_arn = "${aws_iam_policy.policy.arn}"
"#;

/// Types that can't be imported, and one that has no object.
const NOT_IMPORTED: [&str; 3] = ["aws_dynamodb_table_item", "aws_iam_group_membership", "terraform_data"];

/// The import id of an object of the state.
fn import_id(type_name: &str, attributes: &Json) -> String {
    let text = |name: &str| attributes[name].as_str().unwrap().to_owned();
    match type_name {
        "aws_iam_user_policy_attachment" => format!("{}/{}", text("user"), text("policy_arn")),
        "aws_iam_role_policy_attachment" => format!("{}/{}", text("role"), text("policy_arn")),
        "aws_iam_group_policy_attachment" => format!("{}/{}", text("group"), text("policy_arn")),
        "aws_iam_user_group_membership" => format!("{}/group", text("user")),
        _ => text("id"),
    }
}

#[test]
fn objects_of_every_type_become_resources_that_change_nothing() {
    let stack = Stack::of(&format!("{PROVIDER}{OBJECTS}"));
    stack.sandboxed(&["apply", "--auto-approve"]);
    let state: Json = serde_json::from_str(&stack.sandboxed(&["state", "pull"])).unwrap();
    let mut imports = String::new();
    let mut types = BTreeSet::new();
    for resource in state["resources"].as_array().unwrap() {
        let (type_name, name) = (resource["type"].as_str().unwrap(), resource["name"].as_str().unwrap());
        let id = import_id(type_name, &resource["instances"][0]["attributes"]);
        writeln!(imports, "[[import]]\nto = \"{type_name}.{name}\"\nid = \"{id}\"\n").unwrap();
        types.insert(type_name.to_owned());
    }
    let mut catalog = terrane_provider::Catalog::default();
    terrane_aws::catalog(&mut catalog);
    for type_name in catalog.names(Mode::Managed) {
        let covered = types.contains(type_name) || NOT_IMPORTED.contains(&type_name);
        assert!(covered, "an object of `{type_name}` belongs into this test");
    }
    for address in stack.addresses() {
        stack.sandboxed(&["state", "rm", &address]);
    }
    stack.write("terrane.toml", PROVIDER);
    stack.write("imports.terrane.toml", &imports);

    let wanted = format!("Plan: {} to import, 0 to add, 0 to change, 0 to destroy.", stack_size(&state));
    let streamed = stack.run(&["plan", "--json-stream", "--generate-config-out", "new.terrane.toml"]);
    let lines: Vec<Json> = streamed.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let written = |change: &Json| change["generated_config"].as_str().map(str::to_owned);
    let in_stream: Vec<String> = lines.iter().filter_map(|line| written(&line["change"])).collect();
    assert_eq!(in_stream.len(), stack_size(&state));
    std::fs::remove_file(stack.path().join("new.terrane.toml")).unwrap();

    let shown = stack.run(&["plan", "--generate-config-out", "new.terrane.toml", "--out", "saved.plan"]);
    assert_eq!(shown.code, Some(0), "{}{}", shown.out, shown.err);
    assert!(shown.out.contains(&wanted), "{}", shown.out);
    assert!(shown.err.contains("Terrane has generated configuration and written it to new.terrane.toml."));
    let text = stack.read("new.terrane.toml");
    let plan: Json = serde_json::from_str(&stack.sandboxed(&["show", "--json", "saved.plan"])).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap();
    let in_plan: Vec<String> = changes.iter().filter_map(|change| written(&change["change"])).collect();
    assert_eq!(in_plan, in_stream);
    for resource in in_plan {
        assert!(resource.starts_with("[resource.") && text.contains(&resource), "{resource}");
    }
    stack.sandboxed(&["fmt", "--check", "new.terrane.toml"]);
    stack.sandboxed(&["validate"]);
    assert!(!text.contains("Team"), "default tags are the provider's: {text}");
    assert!(
        !text.contains("tags_all") && !text.contains("arn  ") && !text.contains("inline_policy"),
        "{text}"
    );

    let done = stack.sandboxed(&["apply", "--auto-approve"]);
    assert!(
        done.contains(&format!("{} imported, 0 added, 0 changed, 0 destroyed.", stack_size(&state))),
        "{done}"
    );
    let again = stack.sandboxed(&["plan"]);
    assert!(again.contains("No changes."), "{again}");
}

fn stack_size(state: &Json) -> usize {
    state["resources"].as_array().unwrap().len()
}

#[test]
fn nothing_is_written_for_an_object_that_would_change() {
    let key = "[resource.aws_kms_key.key]\ndescription = \"k\"\n";
    let stack = Stack::of(&format!("{PROVIDER}{key}"));
    stack.sandboxed(&["apply", "--auto-approve"]);
    let state: Json = serde_json::from_str(&stack.sandboxed(&["state", "pull"])).unwrap();
    let id = state["resources"][0]["instances"][0]["attributes"]["id"].as_str().unwrap();
    stack.sandboxed(&["state", "rm", "aws_kms_key.key"]);
    stack.cloud().schedule_key_deletions();
    stack
        .write("terrane.toml", &format!("{PROVIDER}\n[[import]]\nto = \"aws_kms_key.key\"\nid = \"{id}\"\n"));
    let before = stack.read("state/default.tfstate");
    let ran = stack.run(&["plan", "--generate-config-out", "new.terrane.toml", "--out", "saved.plan"]);
    ran.failed_with("Configuration not generated");
    assert!(
        ran.err.contains("`aws_kms_key.key`") && ran.err.contains("`is_enabled` would change"),
        "{}",
        ran.err
    );
    let files: BTreeSet<_> =
        std::fs::read_dir(stack.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!files.iter().any(|name| name.to_string_lossy().contains("new")), "{files:?}");
    assert!(!files.contains(std::ffi::OsStr::new("saved.plan")), "{files:?}");
    assert_eq!(stack.read("state/default.tfstate"), before);
}
