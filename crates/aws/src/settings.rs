//! What the provider's configuration says, as typed settings.

use std::collections::BTreeMap;
use std::time::Duration;

use terrane_model::Value;
use terrane_model::conform::parse_duration;
use terrane_provider::{Error, ErrorKind};

use crate::config::SERVICES;
use crate::object::{elements, filled, first, flag, text_map, texts, whole};

/// The configuration as typed settings. Empty texts count as absent.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub static_keys: Option<StaticKeys>,
    pub allowed_accounts: Vec<String>,
    pub forbidden_accounts: Vec<String>,
    pub assume_roles: Vec<Role>,
    pub web_identity: Option<(Role, TokenSource)>,
    pub ca_bundle: Option<String>,
    pub metadata_endpoint: Option<String>,
    pub metadata_mode: Option<String>,
    pub skip_metadata: bool,
    pub http_proxy: Option<String>,
    pub https_proxy: Option<String>,
    pub no_proxy: Option<String>,
    pub max_attempts: Option<u32>,
    pub adaptive: Option<bool>,
    pub retry_capacity: Option<usize>,
    pub profile: Option<String>,
    pub region: Option<String>,
    pub sts_region: Option<String>,
    pub config_files: Vec<String>,
    pub credentials_files: Vec<String>,
    pub skip_credentials_validation: bool,
    pub skip_region_validation: bool,
    pub skip_account: bool,
    pub dual_stack: Option<bool>,
    pub fips: Option<bool>,
    pub default_tags: BTreeMap<String, String>,
    pub ignored_tags: Vec<String>,
    pub ignored_tag_prefixes: Vec<String>,
    pub endpoints: BTreeMap<&'static str, String>,
}

/// Keys written into the spec.
#[derive(Clone)]
pub struct StaticKeys {
    pub access_key: String,
    pub secret_key: String,
    pub token: Option<String>,
}

impl std::fmt::Debug for StaticKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticKeys").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// A role to assume.
#[derive(Clone, Debug, Default)]
pub struct Role {
    pub arn: String,
    pub duration: Option<Duration>,
    pub external_id: Option<String>,
    pub policy: Option<String>,
    pub policy_arns: Vec<String>,
    pub session_name: Option<String>,
    pub source_identity: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub transitive_tag_keys: Vec<String>,
}

/// Where a web identity token comes from.
#[derive(Clone)]
pub enum TokenSource {
    /// Given as it is.
    Text(String),
    /// Read from a file each time.
    File(String),
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TokenSource::Text(_) => f.write_str("Text(hidden)"),
            TokenSource::File(path) => write!(f, "File({path:?})"),
        }
    }
}

const OPERATION: &str = "provider.aws";

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, OPERATION, message)
}

impl Settings {
    /// Reads a configuration that has the shape of the schema.
    ///
    /// # Errors
    /// Unknown values, arguments that need one another, what cannot be done.
    pub fn read(config: &Value) -> Result<Settings, Error> {
        if !config.is_wholly_known() {
            return Err(invalid(
                "The provider's configuration depends on values that are known only after apply.",
            )
            .hint("Take them from variables or data sources instead of resources."));
        }
        if flag(config, "insecure") {
            return Err(invalid("`insecure = true` is not supported: certificates are always checked.")
                .hint("Give the certificate to trust with `custom_ca_bundle`."));
        }
        let owned = |name: &str| filled(config, name).map(str::to_owned);
        let truth = |name: &str| config.get(name).and_then(Value::as_bool);
        let tags = first(config, "default_tags").and_then(|block| block.get("tags"));
        let ignore =
            |name: &str| first(config, "ignore_tags").map(|block| texts(block, name)).unwrap_or_default();
        Ok(Settings {
            static_keys: static_keys(config)?,
            allowed_accounts: texts(config, "allowed_account_ids"),
            forbidden_accounts: texts(config, "forbidden_account_ids"),
            assume_roles: elements(config, "assume_role")
                .iter()
                .filter(|block| filled(block, "role_arn").is_some())
                .map(role)
                .collect::<Result<_, _>>()?,
            web_identity: elements(config, "assume_role_with_web_identity")
                .first()
                .map(web_role)
                .transpose()?,
            ca_bundle: owned("custom_ca_bundle"),
            metadata_endpoint: owned("ec2_metadata_service_endpoint"),
            metadata_mode: owned("ec2_metadata_service_endpoint_mode"),
            skip_metadata: matches!(filled(config, "skip_metadata_api_check"), Some("true" | "1")),
            http_proxy: owned("http_proxy"),
            https_proxy: owned("https_proxy"),
            no_proxy: owned("no_proxy"),
            max_attempts: whole(config, "max_retries").map(|n| u32::try_from(n).unwrap_or(0).max(1)),
            adaptive: match filled(config, "retry_mode") {
                None => None,
                Some("standard") => Some(false),
                Some("adaptive") => Some(true),
                Some(other) => {
                    return Err(invalid(format!(
                        "`retry_mode` must be `standard` or `adaptive`, not `{other}`."
                    )));
                }
            },
            retry_capacity: whole(config, "token_bucket_rate_limiter_capacity")
                .and_then(|n| usize::try_from(n).ok())
                .filter(|n| *n > 0),
            profile: owned("profile"),
            region: owned("region"),
            sts_region: owned("sts_region"),
            config_files: texts(config, "shared_config_files"),
            credentials_files: texts(config, "shared_credentials_files"),
            skip_credentials_validation: flag(config, "skip_credentials_validation"),
            skip_region_validation: flag(config, "skip_region_validation"),
            skip_account: flag(config, "skip_requesting_account_id"),
            dual_stack: truth("use_dualstack_endpoint"),
            fips: truth("use_fips_endpoint"),
            default_tags: text_map(tags),
            ignored_tags: ignore("keys"),
            ignored_tag_prefixes: ignore("key_prefixes"),
            endpoints: SERVICES
                .iter()
                .filter_map(|name| {
                    let url = elements(config, "endpoints").iter().find_map(|block| filled(block, name))?;
                    Some((*name, url.to_owned()))
                })
                .collect(),
        })
    }
}

fn static_keys(config: &Value) -> Result<Option<StaticKeys>, Error> {
    let owned = |name: &str| filled(config, name).map(str::to_owned);
    match (owned("access_key"), owned("secret_key")) {
        (Some(access_key), Some(secret_key)) => {
            Ok(Some(StaticKeys { access_key, secret_key, token: owned("token") }))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(invalid("`access_key` needs `secret_key` beside it.")),
        (None, Some(_)) => Err(invalid("`secret_key` needs `access_key` beside it.")),
    }
}

fn role(block: &Value) -> Result<Role, Error> {
    let owned = |name: &str| filled(block, name).map(str::to_owned);
    let duration = match filled(block, "duration") {
        None => None,
        Some(text) => {
            let bounds = Duration::from_secs(15 * 60)..=Duration::from_secs(12 * 3600);
            let duration = parse_duration(text).filter(|duration| bounds.contains(duration));
            Some(duration.ok_or_else(|| {
                invalid(format!(
                    "The `duration` of a role's session must lie between `15m` and `12h`; `{text}` does not."
                ))
            })?)
        }
    };
    Ok(Role {
        arn: owned("role_arn").unwrap_or_default(),
        duration,
        external_id: owned("external_id"),
        policy: owned("policy"),
        policy_arns: texts(block, "policy_arns"),
        session_name: owned("session_name"),
        source_identity: owned("source_identity"),
        tags: text_map(block.get("tags")),
        transitive_tag_keys: texts(block, "transitive_tag_keys"),
    })
}

fn web_role(block: &Value) -> Result<(Role, TokenSource), Error> {
    let role = role(block)?;
    if role.arn.is_empty() {
        return Err(invalid("`assume_role_with_web_identity` needs `role_arn`."));
    }
    let token = match (filled(block, "web_identity_token"), filled(block, "web_identity_token_file")) {
        (Some(token), _) => TokenSource::Text(token.to_owned()),
        (None, Some(file)) => TokenSource::File(file.to_owned()),
        (None, None) => {
            return Err(invalid(
                "`assume_role_with_web_identity` needs `web_identity_token` or `web_identity_token_file`.",
            ));
        }
    };
    Ok((role, token))
}

#[cfg(test)]
mod tests {
    use terrane_model::Type;
    use terrane_model::conform::conform;

    use super::*;
    use crate::config::schema;

    fn read(body: Value) -> Result<Settings, Error> {
        let (config, problems) = conform(&body, &schema());
        assert_eq!(problems, []);
        Settings::read(&config)
    }

    #[test]
    fn an_empty_configuration_leaves_everything_to_the_environment() {
        let settings = read(Value::object::<&str>([])).expect("settings");
        assert!(settings.static_keys.is_none() && settings.region.is_none() && settings.endpoints.is_empty());
        assert_eq!((settings.max_attempts, settings.adaptive, settings.skip_metadata), (None, None, false));
    }

    #[test]
    fn endpoints_tags_and_roles_are_read() {
        let endpoints =
            Value::object([("kms", Value::from("http://127.0.0.1:1")), ("s3", Value::from("http://x"))]);
        let tags = Value::object([("tags", Value::object([("team", Value::from("a"))]))]);
        let role =
            |arn: &str| Value::object([("role_arn", Value::from(arn)), ("duration", Value::from("1h"))]);
        let settings = read(Value::object([
            ("endpoints", endpoints),
            ("default_tags", tags),
            (
                "assume_role",
                Value::tuple([
                    role("arn:aws:iam::123456789012:role/a"),
                    role("arn:aws:iam::123456789012:role/b"),
                ]),
            ),
            ("max_retries", Value::from(3)),
        ]))
        .expect("settings");
        assert_eq!(settings.endpoints.get("kms").map(String::as_str), Some("http://127.0.0.1:1"));
        assert_eq!(settings.endpoints.len(), 1);
        assert_eq!(settings.default_tags.get("team").map(String::as_str), Some("a"));
        assert_eq!(settings.assume_roles.iter().map(|r| r.arn.as_str()).collect::<Vec<_>>().len(), 2);
        assert_eq!(settings.assume_roles[0].duration, Some(Duration::from_secs(3600)));
        assert_eq!(settings.max_attempts, Some(3));
    }

    #[test]
    fn what_cannot_be_done_is_refused_with_a_reason() {
        for (name, value, says) in [
            ("insecure", Value::from(true), "custom_ca_bundle"),
            ("access_key", Value::from("AKIA"), "secret_key"),
            ("retry_mode", Value::from("legacy"), "adaptive"),
            ("region", Value::unknown(Type::String), "known only after apply"),
        ] {
            let error = read(Value::object([(name, value)])).expect_err(name);
            let text = format!("{error} {}", error.hints.join(" "));
            assert!(text.contains(says), "{text}");
            assert_eq!(error.kind, ErrorKind::Invalid);
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let settings = read(Value::object([
            ("access_key", Value::from("AKIA")),
            ("secret_key", Value::from("hunter2")),
        ]));
        assert!(!format!("{:?}", settings.expect("settings")).contains("hunter2"));
    }
}
