//! Arguments and attributes of a grant.

use std::sync::LazyLock;

use terrane_model::schema::{
    Attribute, Check, Nesting, block, computed, nested, optional, optional_computed, required,
};
use terrane_model::{Mode, Schema, Type};

/// The block of constraints and what is in it.
pub const CONSTRAINTS: &str = "constraints";
pub const EQUALS: &str = "encryption_context_equals";
pub const SUBSET: &str = "encryption_context_subset";

pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let pairs = |name| optional(name, Type::map(Type::String)).force_new();
    let constraints = block(
        [
            pairs(EQUALS).conflicts_with(&[SUBSET]).doc("Pairs that the encryption context must consist of."),
            pairs(SUBSET).conflicts_with(&[EQUALS]).doc("Pairs that the encryption context must contain."),
        ],
        [],
    );
    let constraints = nested(CONSTRAINTS, Nesting::Set, constraints)
        .force_new()
        .doc("When the grant holds, by the encryption context of a request.");
    Schema::new(
        "aws_kms_grant",
        Mode::Managed,
        "A permission on a key that is given to one principal.",
        block(attributes(), [constraints]),
    )
});

const PRINCIPAL: Check = Check::Pattern(
    r"^$|^arn:aws(-[a-z]+)*:[^:]+:[^:]*:[^:]*:.+$|^([0-9a-z-]+\.){1,4}(amazonaws|amazon)\.com$",
    "be an ARN or the name of an AWS service such as `dynamodb.amazonaws.com`",
);

fn attributes() -> Vec<Attribute> {
    vec![
        optional("grant_creation_tokens", Type::set(Type::String))
            .force_new()
            .doc("Tokens of grants that permit making this one and may not be known everywhere yet."),
        computed("grant_id", Type::String).doc("Id of the grant."),
        computed("grant_token", Type::String)
            .sensitive()
            .doc("Token by which the grant can be used at once; known only from its making."),
        required("grantee_principal", Type::String)
            .force_new()
            .check(PRINCIPAL)
            .doc("Who is given the permission."),
        optional_computed("id", Type::String).doc("Key and grant id, with a colon between them."),
        required("key_id", Type::String).force_new().doc("The key, by id or ARN."),
        optional("name", Type::String)
            .force_new()
            .check(Check::Length(0, 256))
            .check(Check::Pattern(r"^[0-9A-Za-z_:/-]+$", "consist of letters, digits and `_:/-`"))
            .doc("Name of the grant. KMS makes a second one with the same name and content only once."),
        required("operations", Type::set(Type::String))
            .force_new()
            .check(Check::OneOf(OPERATIONS))
            .doc("What the grantee may do with the key."),
        optional("retire_on_delete", Type::Bool)
            .force_new()
            .default(false)
            .doc("Retire the grant instead of revoking it."),
        optional("retiring_principal", Type::String)
            .force_new()
            .check(PRINCIPAL)
            .doc("Who may end the grant."),
    ]
}

const OPERATIONS: &[&str] = &[
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
];

/// The type of the block.
pub fn constraint_type() -> Type {
    SCHEMA.block.nested(CONSTRAINTS).map_or(Type::Any, |nested| nested.block.ty())
}
