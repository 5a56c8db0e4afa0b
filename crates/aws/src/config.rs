//! The schema of the provider's configuration, `[provider.aws]`.

use terrane_model::Type;
use terrane_model::schema::{Attribute, Block, Check, NestedBlock, Nesting, block, nested, optional};

mod endpoints;

/// The schema.
pub fn schema() -> Block {
    let text = |name, doc| optional(name, Type::String).doc(doc);
    let truth = |name, doc| optional(name, Type::Bool).doc(doc);
    let set = |name, doc| optional(name, Type::set(Type::String)).doc(doc);
    block(
        [
            text("access_key", "Access key id; `secret_key` goes with it."),
            set("allowed_account_ids", "Accounts that may be worked in; any other is refused.")
                .conflicts_with(&["forbidden_account_ids"]),
            text("custom_ca_bundle", "File of certificates (PEM) to trust besides the system's."),
            text("ec2_metadata_service_endpoint", "Address of the EC2 metadata service."),
            text("ec2_metadata_service_endpoint_mode", "`IPv4` or `IPv6`."),
            set("forbidden_account_ids", "Accounts that must not be worked in.")
                .conflicts_with(&["allowed_account_ids"]),
            text("http_proxy", "Proxy for `http` and, without `https_proxy`, for `https`."),
            text("https_proxy", "Proxy for `https`."),
            truth("insecure", "Not supported: certificates are always checked."),
            optional("max_retries", Type::Number)
                .doc("How often a call is tried at most, the first time included."),
            text("no_proxy", "Hosts that are reached without a proxy, separated by commas."),
            text("profile", "Profile of the AWS configuration files."),
            text("region", "Region to work in."),
            text("retry_mode", "`standard` or `adaptive`."),
            text("s3_us_east_1_regional_endpoint", "Accepted and not used."),
            truth("s3_use_path_style", "Accepted and not used."),
            text("secret_key", "Secret access key.").sensitive(),
            optional("shared_config_files", Type::list(Type::String))
                .doc("AWS configuration files instead of `~/.aws/config`."),
            optional("shared_credentials_files", Type::list(Type::String))
                .doc("AWS credentials files instead of `~/.aws/credentials`."),
            truth("skip_credentials_validation", "Go on when STS does not know the credentials."),
            text("skip_metadata_api_check", "`true`: never ask the EC2 metadata service for credentials.")
                .check(Check::OneOf(&["", "true", "false", "1", "0"])),
            truth("skip_region_validation", "Take a region that is in no table."),
            truth(
                "skip_requesting_account_id",
                "Do without the account's number; ARNs are then unknown until apply.",
            ),
            text("sts_region", "Region in which STS is called."),
            text("token", "Session token of temporary credentials.").sensitive(),
            optional("token_bucket_rate_limiter_capacity", Type::Number)
                .doc("Retries that all calls together may have outstanding."),
            truth("use_dualstack_endpoint", "Use endpoints that answer on IPv6 as well."),
            truth("use_fips_endpoint", "Use FIPS endpoints."),
        ],
        [
            nested("assume_role", Nesting::List, assume_role())
                .doc("A role to assume; several are assumed one after the other."),
            nested("assume_role_with_web_identity", Nesting::List, web_identity())
                .doc("A role to assume with a web identity token."),
            tag_block("default_tags", [optional("tags", Type::map(Type::String)).doc("The tags.")])
                .doc("Tags that every object gets."),
            tag_block("ignore_tags", [set("key_prefixes", "Beginnings of keys."), set("keys", "Keys.")])
                .doc("Tags that are left alone."),
            nested("endpoints", Nesting::Set, endpoints()).doc("Addresses of services instead of AWS's own."),
        ],
    )
}

fn tag_block<const N: usize>(name: &'static str, attributes: [Attribute; N]) -> NestedBlock {
    nested(name, Nesting::List, block(attributes, [])).max(1)
}

fn endpoints() -> Block {
    let used = SERVICES.iter().map(|name| optional(name, Type::String).doc("Address of the service."));
    let other =
        endpoints::OTHER.iter().map(|name| optional(name, Type::String).doc("Accepted and not used."));
    block(used.chain(other).collect::<Vec<_>>(), [])
}

/// Services that resource types here talk to.
pub(crate) const SERVICES: &[&str] = &["cloudtrail", "dynamodb", "iam", "kms", "sts"];

fn session_attributes() -> Vec<Attribute> {
    vec![
        optional("duration", Type::String)
            .check(Check::Duration)
            .doc("How long the session may last, 15 minutes to 12 hours."),
        optional("policy", Type::String)
            .check(Check::Json)
            .doc("Policy that narrows the session's permissions."),
        optional("policy_arns", Type::set(Type::String))
            .check(Check::Arn)
            .doc("Managed policies that narrow them."),
        optional("role_arn", Type::String).check(Check::Arn).doc("The role."),
        optional("session_name", Type::String).check(Check::Length(2, 64)).doc("Name of the session."),
    ]
}

fn assume_role() -> Block {
    let mut attributes = session_attributes();
    attributes.extend([
        optional("external_id", Type::String)
            .check(Check::Length(2, 1224))
            .doc("Text agreed upon with the role's owner."),
        optional("source_identity", Type::String)
            .check(Check::Length(2, 64))
            .doc("Who acts, kept through further roles."),
        optional("tags", Type::map(Type::String)).doc("Tags of the session."),
        optional("transitive_tag_keys", Type::set(Type::String)).doc("Tags that further roles keep."),
    ]);
    block(attributes, [])
}

fn web_identity() -> Block {
    let mut attributes = session_attributes();
    attributes.extend([
        optional("web_identity_token", Type::String)
            .check(Check::Length(4, 20000))
            .conflicts_with(&["web_identity_token_file"])
            .sensitive()
            .doc("The token."),
        optional("web_identity_token_file", Type::String)
            .conflicts_with(&["web_identity_token"])
            .doc("File that holds the token."),
    ]);
    block(attributes, [])
}
