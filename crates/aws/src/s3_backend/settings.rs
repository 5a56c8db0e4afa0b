//! What `[terrane.backend.s3]` says: the arguments of Terraform's S3 backend.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use terrane_model::Value;
use terrane_model::conform::{Problem, check, conform};
use terrane_model::schema::{Attribute, Block, Check, Nesting, block, nested, optional, required};
use terrane_model::{Path, Type};

use crate::object::{filled, first, flag};
use crate::settings::Settings;

/// Arguments that mean the same here and in the provider's configuration.
pub(crate) const SHARED: &[&str] = &[
    "access_key",
    "allowed_account_ids",
    "custom_ca_bundle",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "forbidden_account_ids",
    "http_proxy",
    "https_proxy",
    "insecure",
    "max_retries",
    "no_proxy",
    "profile",
    "region",
    "retry_mode",
    "secret_key",
    "shared_config_files",
    "shared_credentials_files",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
    "sts_region",
    "token",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
];

/// How often a call is tried when the spec does not say.
const ATTEMPTS: u32 = 7;

/// The schema.
pub fn schema() -> Block {
    let text = |name, doc| optional(name, Type::String).doc(doc);
    let truth = |name, doc| optional(name, Type::Bool).doc(doc);
    let provider = crate::config::schema();
    let shared = provider.attributes.iter().filter(|attribute| SHARED.contains(&attribute.name)).cloned();
    let own = [
        text("acl", "Canned ACL of the objects."),
        required("bucket", Type::String).check(Check::Length(1, 255)).doc("The bucket."),
        text("dynamodb_endpoint", "Address of DynamoDB; `endpoints.dynamodb` comes before it."),
        text("dynamodb_table", "Table to lock the state in, as Terraform does."),
        truth("encrypt", "Let S3 encrypt the objects."),
        text("endpoint", "Address of S3; `endpoints.s3` comes before it."),
        truth("force_path_style", "As `use_path_style`."),
        required("key", Type::String).check(Check::Length(1, 1000)).doc("Where in the bucket the state is."),
        text("kms_key_id", "KMS key that S3 encrypts the objects with.")
            .conflicts_with(&["sse_customer_key"]),
        truth("skip_s3_checksum", "Send no checksums that an S3-like service may not know."),
        text("sse_customer_key", "Key of 32 bytes, as base64, that S3 encrypts the objects with.")
            .sensitive(),
        text("sts_endpoint", "Address of STS; `endpoints.sts` comes before it."),
        truth(
            "use_lockfile",
            "Lock the state by an object beside it. So it is unless there is a `dynamodb_table`.",
        ),
        truth("use_path_style", "Name the bucket in the path instead of the host."),
        text("workspace_key_prefix", "Where the states of other workspaces are; `env:` unless said."),
    ];
    let addresses = ["dynamodb", "iam", "s3", "sso", "sts"].map(|name| text(name, "Address of the service."));
    let roles = provider.blocks.into_iter().filter(|block| block.name.starts_with("assume_role"));
    let endpoints =
        nested("endpoints", Nesting::List, block(addresses, [])).max(1).doc("Addresses of services.");
    let mut attributes: Vec<Attribute> = shared.chain(own).collect();
    attributes.sort_by_key(|attribute| attribute.name);
    block(attributes, roles.chain([endpoints]).collect::<Vec<_>>())
}

/// How S3 keeps objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Protection {
    pub(super) encrypt: bool,
    pub(super) kms_key: Option<String>,
    pub(super) customer_key: Option<CustomerKey>,
    pub(super) acl: Option<String>,
}

/// A key that the user has and S3 does not keep.
#[derive(Clone)]
pub(super) struct CustomerKey {
    /// As base64.
    pub(super) key: String,
    /// The MD5 of its bytes, as base64.
    pub(super) md5: String,
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(hidden)")
    }
}

/// The arguments, checked.
#[derive(Clone, Debug)]
pub struct BackendSettings {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) prefix: String,
    pub(super) lockfile: bool,
    pub(super) table: Option<String>,
    pub(super) protection: Protection,
    pub(super) path_style: bool,
    pub(super) checksums: bool,
    pub(super) s3_endpoint: Option<String>,
    pub(super) dynamodb_endpoint: Option<String>,
    pub(super) shared: Settings,
}

impl BackendSettings {
    /// Reads the arguments.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(body: &Value) -> Result<BackendSettings, Vec<Problem>> {
        let block = schema();
        // A service's address may stand beside others that a later version knows: these are for Terraform.
        let (config, mut problems) = conform(body, &block);
        problems.extend(check(&config, &block));
        let own = |name: &'static str, detail: String| Problem {
            path: Path::attribute(name),
            code: "invalid-value",
            summary: "Invalid value",
            detail,
        };
        let owned = |name: &str| filled(&config, name).map(str::to_owned);
        let key = owned("key").unwrap_or_default();
        if key.starts_with('/') || key.ends_with('/') || key.contains("//") {
            let detail = format!(
                "`key` names an object: `{key}` begins or ends with `/`, or has two of them in a row."
            );
            problems.push(own("key", detail));
        }
        let prefix = owned("workspace_key_prefix").unwrap_or_else(|| "env:".to_owned());
        if prefix.starts_with('/') || prefix.ends_with('/') {
            let detail = "`workspace_key_prefix` must not begin or end with `/`.".to_owned();
            problems.push(own("workspace_key_prefix", detail));
        }
        let customer_key = match owned("sse_customer_key").map(CustomerKey::read) {
            Some(Some(key)) => Some(key),
            None => None,
            Some(None) => {
                problems.push(own(
                    "sse_customer_key",
                    "`sse_customer_key` must be 32 bytes as base64.".to_owned(),
                ));
                None
            }
        };
        let shared = match Settings::read(&config) {
            Ok(settings) => Some(settings),
            Err(error) => {
                let detail = [&[error.message][..], &error.hints].concat().join(" ");
                problems.push(Problem { path: Path::default(), ..own("key", detail) });
                None
            }
        };
        let table = owned("dynamodb_table");
        let lockfile = match config.get("use_lockfile").and_then(Value::as_bool) {
            Some(lockfile) => lockfile,
            None => table.is_none(),
        };
        let endpoints = first(&config, "endpoints");
        let endpoint = |name: &str, old: &str| {
            endpoints.and_then(|block| filled(block, name)).map(str::to_owned).or_else(|| owned(old))
        };
        let (Some(mut shared), []) = (shared, problems.as_slice()) else { return Err(problems) };
        // The state is written again and again; what can't be reached for several seconds is told.
        shared.max_attempts.get_or_insert(ATTEMPTS);
        shared.endpoints.extend(endpoint("sts", "sts_endpoint").map(|url| ("sts", url)));
        Ok(BackendSettings {
            bucket: owned("bucket").unwrap_or_default(),
            key,
            prefix,
            lockfile,
            table,
            protection: Protection {
                encrypt: flag(&config, "encrypt"),
                kms_key: owned("kms_key_id"),
                customer_key,
                acl: owned("acl"),
            },
            path_style: flag(&config, "use_path_style") || flag(&config, "force_path_style"),
            checksums: !flag(&config, "skip_s3_checksum"),
            s3_endpoint: endpoint("s3", "endpoint"),
            dynamodb_endpoint: endpoint("dynamodb", "dynamodb_endpoint"),
            shared,
        })
    }

    /// The object that a workspace's state is in.
    pub(super) fn object(&self, workspace: &str) -> String {
        match workspace {
            terrane_state::DEFAULT_WORKSPACE => self.key.clone(),
            other => format!("{}/{other}/{}", self.prefix, self.key),
        }
    }

    /// The workspace whose state an object is, if it is one.
    pub(super) fn workspace(&self, object: &str) -> Option<String> {
        let rest = object.strip_prefix(&self.prefix)?.strip_prefix('/')?;
        let name = rest.strip_suffix(&self.key)?.strip_suffix('/')?;
        (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
    }
}

impl CustomerKey {
    fn read(text: String) -> Option<CustomerKey> {
        let bytes = BASE64.decode(&text).ok().filter(|bytes| bytes.len() == 32)?;
        Some(CustomerKey { key: text, md5: BASE64.encode(Md5::digest(bytes)) })
    }
}
