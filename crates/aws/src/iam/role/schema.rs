//! Arguments and attributes of a role.

use std::sync::LazyLock;

use terrane_model::schema::{
    Attribute, Check, NestedBlock, Nesting, block, computed, nested, optional, optional_computed, required,
};
use terrane_model::{Mode, Schema, Type};

use crate::iam::{INLINE_POLICY, POLICY};

pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_iam_role", Mode::Managed, "A role of the account.", block(attributes(), [inline()]))
});

const NAME: Check = Check::Pattern(r"^[\w+=,.@-]*$", "consist of letters, digits and `+=,.@_-`");

fn attributes() -> Vec<Attribute> {
    vec![
        computed("arn", Type::String).doc("ARN of the role."),
        required("assume_role_policy", Type::String)
            .check(Check::PolicyJson)
            .form(&POLICY)
            .doc("The trust policy: who may take on the role."),
        computed("create_date", Type::String).doc("When the role was made."),
        optional("description", Type::String)
            .check(Check::Length(0, 1000))
            .check(Check::Pattern(
                "^[^\u{2018}\u{201c}]*$",
                "have no opening quotation marks of typography, which IAM does not take",
            ))
            .doc("What the role is for."),
        optional("force_detach_policies", Type::Bool)
            .default(false)
            .doc("On deletion take away policies that others gave the role."),
        optional_computed("id", Type::String).doc("Name of the role."),
        optional_computed("managed_policy_arns", Type::set(Type::String))
            .check(Check::Arn)
            .deprecated("Use `aws_iam_role_policy_attachment`, one for each policy.")
            .doc("All managed policies that are attached; absent, others attach them."),
        optional("max_session_duration", Type::Number)
            .default(3600)
            .check(Check::Whole)
            .check(Check::Range(3600, 43200))
            .doc("Seconds that a session lasts at most."),
        optional_computed("name", Type::String)
            .force_new()
            .check(Check::Length(1, 64))
            .check(NAME)
            .conflicts_with(&["name_prefix"])
            .doc("Name of the role."),
        optional_computed("name_prefix", Type::String)
            .force_new()
            .check(Check::Length(1, 38))
            .check(NAME)
            .conflicts_with(&["name"])
            .doc("Beginning of a name that is made up."),
        optional("path", Type::String)
            .force_new()
            .default("/")
            .check(Check::Length(0, 512))
            .doc("Path of the role, such as `/team/`."),
        optional("permissions_boundary", Type::String)
            .check(Check::Arn)
            .doc("ARN of the policy that limits the role's permissions."),
        optional("tags", Type::map(Type::String)).doc("Tags."),
        optional_computed("tags_all", Type::map(Type::String))
            .doc("Tags including the provider's default tags."),
        computed("unique_id", Type::String).doc("Unique id of the role."),
    ]
}

/// The block's name.
pub const INLINE: &str = "inline_policy";

fn inline() -> NestedBlock {
    let attributes = [
        optional("name", Type::String).check(Check::Length(1, 128)).doc("Name of the policy."),
        optional("policy", Type::String).check(Check::PolicyJson).form(&INLINE_POLICY).doc("The document."),
    ];
    nested(INLINE, Nesting::Set, block(attributes, []))
        .computed()
        .doc("All policies that are part of the role, an empty one for none at all; absent, others put them. Better: `aws_iam_role_policy`.")
}

/// The type of one inline policy.
pub fn inline_type() -> Type {
    SCHEMA.block.nested(INLINE).map_or(Type::Any, |nested| nested.block.ty())
}
