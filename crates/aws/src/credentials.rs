//! Where credentials come from when the spec says more than the environment: keys, a profile, roles to assume.

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use aws_types::SdkConfig;
use aws_types::region::Region;
use terrane_provider::{Error, ErrorKind};

use crate::settings::{Role, Settings, TokenSource};

/// The files that profiles are read from, where the spec names some.
pub fn profile_files(settings: &Settings) -> Option<EnvConfigFiles> {
    if settings.config_files.is_empty() && settings.credentials_files.is_empty() {
        return None;
    }
    let mut files = EnvConfigFiles::builder();
    files = match settings.config_files.as_slice() {
        [] => files.include_default_config_file(true),
        paths => paths.iter().fold(files, |files, path| files.with_file(EnvConfigFileKind::Config, path)),
    };
    files = match settings.credentials_files.as_slice() {
        [] => files.include_default_credentials_file(true),
        paths => {
            paths.iter().fold(files, |files, path| files.with_file(EnvConfigFileKind::Credentials, path))
        }
    };
    Some(files.build())
}

/// The source of credentials before any role is assumed, where it is not simply the SDK's default chain.
///
/// A profile named in the spec comes before keys in the environment.
///
/// # Errors
/// An address of the metadata service that is none.
pub fn source(settings: &Settings, sdk: &SdkConfig) -> Result<Option<SharedCredentialsProvider>, Error> {
    if let Some(keys) = &settings.static_keys {
        let keys =
            Credentials::new(&keys.access_key, &keys.secret_key, keys.token.clone(), None, "provider.aws");
        return Ok(Some(SharedCredentialsProvider::new(keys)));
    }
    let mut base = ProviderConfig::without_region().with_region(sdk.region().cloned());
    if let Some(client) = sdk.http_client() {
        base = base.with_http_client(client);
    }
    let mut profile = ProfileFileCredentialsProvider::builder().configure(&base);
    if let Some(files) = profile_files(settings) {
        profile = profile.profile_files(files);
    }
    if let Some(name) = &settings.profile {
        return Ok(Some(SharedCredentialsProvider::new(profile.profile_name(name).build())));
    }
    if !settings.skip_metadata && settings.metadata_endpoint.is_none() && settings.metadata_mode.is_none() {
        return Ok(None);
    }
    let chain =
        CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
            .or_else("Profile", profile.build())
            .or_else(
                "WebIdentityToken",
                WebIdentityTokenCredentialsProvider::builder().configure(&base).build(),
            )
            .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&base).build());
    if settings.skip_metadata {
        return Ok(Some(SharedCredentialsProvider::new(chain)));
    }
    let invalid = |message: String| Error::new(ErrorKind::Invalid, "provider.aws", message);
    let mut client = imds::Client::builder().configure(&base);
    if let Some(endpoint) = &settings.metadata_endpoint {
        client = client.endpoint(endpoint).map_err(|error| {
            invalid(format!("`ec2_metadata_service_endpoint` is not an address: {error}."))
        })?;
    }
    if let Some(mode) = &settings.metadata_mode {
        client = client.endpoint_mode(mode.parse().map_err(|_| {
            invalid(format!("`ec2_metadata_service_endpoint_mode` must be `IPv4` or `IPv6`, not `{mode}`."))
        })?);
    }
    let metadata = imds::credentials::ImdsCredentialsProvider::builder().imds_client(client.build()).build();
    Ok(Some(SharedCredentialsProvider::new(chain.or_else("Ec2InstanceMetadata", metadata))))
}

/// Puts the roles that the spec names on top of the credentials of `sdk`, one after the other.
pub fn with_roles(settings: &Settings, sdk: SdkConfig) -> SdkConfig {
    let sts = |sdk: &SdkConfig| {
        let mut builder = aws_sdk_sts::config::Builder::from(sdk);
        if let Some(region) = &settings.sts_region {
            builder = builder.region(Region::new(region.clone()));
        }
        if let Some(url) = settings.endpoints.get("sts") {
            builder = builder.endpoint_url(url);
        }
        aws_sdk_sts::Client::from_conf(builder.build())
    };
    let mut sdk = sdk;
    if let Some((role, token)) = &settings.web_identity {
        let assumed = WebIdentity { client: sts(&sdk), role: role.clone(), token: token.clone() };
        sdk = sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(assumed)).build();
    }
    for role in &settings.assume_roles {
        let assumed = AssumedRole { client: sts(&sdk), role: role.clone() };
        sdk = sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(assumed)).build();
    }
    sdk
}

/// Credentials of a role, got with other credentials.
#[derive(Debug)]
struct AssumedRole {
    client: aws_sdk_sts::Client,
    role: Role,
}

impl AssumedRole {
    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        let role = &self.role;
        let tags = role.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags.collect::<Result<Vec<_>, _>>().map_err(CredentialsError::invalid_configuration)?;
        let answer = self
            .client
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(session_name(role))
            .set_duration_seconds(seconds(role))
            .set_external_id(role.external_id.clone())
            .set_policy(role.policy.clone())
            .set_policy_arns(policy_arns(role))
            .set_source_identity(role.source_identity.clone())
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys(
                (!role.transitive_tag_keys.is_empty()).then(|| role.transitive_tag_keys.clone()),
            )
            .send()
            .await
            .map_err(|error| {
                refused("sts:AssumeRole", &role.arn, crate::error::failed("sts:AssumeRole")(error))
            })?;
        credentials(answer.credentials)
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

/// Credentials of a role, got with a token of an identity provider.
#[derive(Debug)]
struct WebIdentity {
    client: aws_sdk_sts::Client,
    role: Role,
    token: TokenSource,
}

impl WebIdentity {
    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        let token = match &self.token {
            TokenSource::Text(text) => text.clone(),
            TokenSource::File(path) => std::fs::read_to_string(path).map_err(|error| {
                CredentialsError::invalid_configuration(format!(
                    "the token file `{path}` could not be read: {error}"
                ))
            })?,
        };
        let role = &self.role;
        let operation = "sts:AssumeRoleWithWebIdentity";
        let answer = self
            .client
            .assume_role_with_web_identity()
            .role_arn(&role.arn)
            .role_session_name(session_name(role))
            .web_identity_token(token.trim())
            .set_duration_seconds(seconds(role))
            .set_policy(role.policy.clone())
            .set_policy_arns(policy_arns(role))
            .send()
            .await
            .map_err(|error| refused(operation, &role.arn, crate::error::failed(operation)(error)))?;
        credentials(answer.credentials)
    }
}

impl ProvideCredentials for WebIdentity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

fn refused(operation: &str, arn: &str, error: Error) -> CredentialsError {
    CredentialsError::provider_error(format!(
        "{operation} of `{arn}` failed: {}",
        error.message.trim_end_matches('.')
    ))
}

fn session_name(role: &Role) -> String {
    role.session_name.clone().unwrap_or_else(|| format!("terrane-{}", std::process::id()))
}

fn seconds(role: &Role) -> Option<i32> {
    role.duration.and_then(|duration| i32::try_from(duration.as_secs()).ok())
}

fn policy_arns(role: &Role) -> Option<Vec<PolicyDescriptorType>> {
    let arns = role.policy_arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build());
    (!role.policy_arns.is_empty()).then(|| arns.collect())
}

fn credentials(answer: Option<aws_sdk_sts::types::Credentials>) -> Result<Credentials, CredentialsError> {
    let answer = answer.ok_or_else(|| CredentialsError::unhandled("the answer of STS has no credentials"))?;
    let expiry = std::time::SystemTime::try_from(answer.expiration).ok();
    Ok(Credentials::new(
        answer.access_key_id,
        answer.secret_access_key,
        Some(answer.session_token),
        expiry,
        "sts",
    ))
}
