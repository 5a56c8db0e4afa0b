//! Configures the provider: credentials, region and facts, and the clients of the services.
//!
//! All clients share one HTTP client and one cache of credentials. A service's client is made when it is first used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::{AppName, BehaviorVersion};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_kms::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use terrane_model::Value;
use terrane_model::nearest::nearest;
use terrane_provider::{Error, ErrorKind, Facts, Session};
use tokio::sync::OnceCell;

use crate::error::failed;
use crate::quota::QuotaIsFinal;
use crate::settings::Settings;
use crate::{credentials, http, regions};

/// What does not stand in the spec.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Work in an AWS inside this process instead of the real one.
    pub sandbox: Option<Sandbox>,
    /// Name of the program in the user agent.
    pub user_agent: Option<&'static str>,
}

/// The embedded AWS. Credentials, roles, endpoints and account checks of the spec do not count there.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// Carries requests to it.
    pub http_client: SharedHttpClient,
    /// Credentials of the identity that deploys.
    pub credentials: Credentials,
    /// The region to work in when neither spec nor environment name one.
    pub region: &'static str,
}

/// The clients, and what is asked for once per run.
#[derive(Debug)]
pub struct Clients {
    sdk: SdkConfig,
    endpoints: BTreeMap<&'static str, String>,
    retry_partition: Option<RetryPartition>,
    kms: OnceLock<aws_sdk_kms::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
    cloudtrail: OnceLock<aws_sdk_cloudtrail::Client>,
    caller: OnceCell<Caller>,
    /// What KMS aliases there are, and the key behind DynamoDB's own.
    pub(crate) kms_cache: crate::kms::Cache,
    /// Which policies users have.
    pub(crate) iam_cache: crate::iam::Cache,
}

/// Who calls, as STS sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: String,
    /// The ARN.
    pub arn: String,
    /// The unique id.
    pub user_id: String,
}

macro_rules! client {
    ($name:ident, $sdk:ident, $doc:literal) => {
        #[doc = $doc]
        pub fn $name(&self) -> &$sdk::Client {
            self.$name.get_or_init(|| {
                let mut builder = $sdk::config::Builder::from(&self.sdk).retry_classifier(QuotaIsFinal);
                if let Some(url) = self.endpoints.get(stringify!($name)) {
                    builder = builder.endpoint_url(url);
                }
                if let Some(partition) = &self.retry_partition {
                    builder = builder.retry_partition(partition.clone());
                }
                $sdk::Client::from_conf(builder.build())
            })
        }
    };
}

impl Clients {
    /// Clients of this configuration; an endpoint given here comes before the configuration's.
    pub fn new(sdk: SdkConfig, endpoints: BTreeMap<&'static str, String>) -> Clients {
        Clients {
            sdk,
            endpoints,
            retry_partition: None,
            kms: OnceLock::new(),
            dynamodb: OnceLock::new(),
            iam: OnceLock::new(),
            sts: OnceLock::new(),
            cloudtrail: OnceLock::new(),
            caller: OnceCell::new(),
            kms_cache: crate::kms::Cache::default(),
            iam_cache: crate::iam::Cache::default(),
        }
    }

    /// The same clients in a region; with credentials, as whoever they belong to.
    pub fn elsewhere(&self, region: Option<&str>, credentials: Option<Credentials>) -> Clients {
        let mut sdk = self.sdk.to_builder();
        if let Some(region) = region {
            sdk = sdk.region(Region::new(region.to_owned()));
        }
        if let Some(credentials) = credentials {
            // Their own cache: the other one holds the credentials of the identity that deploys.
            sdk = sdk
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .identity_cache(IdentityCache::lazy().build());
        }
        Clients {
            retry_partition: self.retry_partition.clone(),
            ..Clients::new(sdk.build(), self.endpoints.clone())
        }
    }

    client!(kms, aws_sdk_kms, "KMS.");
    client!(dynamodb, aws_sdk_dynamodb, "DynamoDB.");
    client!(iam, aws_sdk_iam, "IAM.");
    client!(sts, aws_sdk_sts, "STS.");
    client!(cloudtrail, aws_sdk_cloudtrail, "CloudTrail.");

    /// Who calls. Asked for once.
    ///
    /// # Errors
    /// What STS answers.
    pub async fn caller(&self) -> Result<&Caller, Error> {
        let attempts =
            self.sdk.retry_config().map_or(ATTEMPTS, RetryConfig::max_attempts).min(FIRST_CALL_ATTEMPTS);
        self.caller.get_or_try_init(|| ask_sts(self.sts(), attempts)).await
    }
}

async fn ask_sts(sts: &aws_sdk_sts::Client, attempts: u32) -> Result<Caller, Error> {
    let answer = sts
        .get_caller_identity()
        .customize()
        .config_override(aws_sdk_sts::config::Builder::new().retry_config(retries(attempts, false)))
        .send()
        .await
        .map_err(failed("sts:GetCallerIdentity"))?;
    Ok(Caller {
        account: answer.account.unwrap_or_default(),
        arn: answer.arn.unwrap_or_default(),
        user_id: answer.user_id.unwrap_or_default(),
    })
}

/// How often a call is tried when neither spec nor environment say.
const ATTEMPTS: u32 = 10;
/// The first call of a run finds out whether AWS can be reached at all, and must not take long for it.
const FIRST_CALL_ATTEMPTS: u32 = 6;
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

fn retries(attempts: u32, adaptive: bool) -> RetryConfig {
    let base = if adaptive { RetryConfig::adaptive() } else { RetryConfig::standard() };
    base.with_max_attempts(attempts)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(20))
}

/// Configures the provider from a configuration in the shape of [`config::schema`](crate::config::schema).
///
/// # Errors
/// What is wrong with the configuration, the credentials, the region or the account; AWS out of reach.
pub async fn configure(config: &Value, options: Options) -> Result<Session, Error> {
    let mut settings = Settings::read(config)?;
    if options.sandbox.is_some() {
        settings = in_sandbox(settings);
    }
    let sdk = load(&settings, &options).await?;
    let region = sdk.region().map(ToString::to_string).unwrap_or_default();
    let mut clients = Clients::new(sdk, settings.endpoints.clone());
    clients.retry_partition = settings.retry_capacity.map(|capacity| {
        RetryPartition::custom("terrane")
            .token_bucket(TokenBucket::builder().capacity(capacity).build())
            .build()
    });
    let (account, caller) = identify(&settings, &clients).await?;
    check_account(&settings, account.as_deref())?;
    let partition = regions::partition_of(&region);
    let facts = Facts {
        account: account.map(Arc::from),
        partition: partition.name.into(),
        region: region.into(),
        dns_suffix: partition.dns_suffix.into(),
        caller: caller.map(Arc::from),
        default_tags: settings
            .default_tags
            .iter()
            .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
            .collect(),
        ignored_tags: set(&settings.ignored_tags),
        ignored_tag_prefixes: set(&settings.ignored_tag_prefixes),
    };
    Ok(Session::new(facts, Arc::new(clients)))
}

/// Refuses credentials of an account that the settings do not allow. Asks only when they say something about it.
///
/// # Errors
/// What STS answers, and that it is the wrong account.
pub(crate) async fn check_identity(settings: &Settings, sdk: &SdkConfig) -> Result<(), Error> {
    if settings.allowed_accounts.is_empty() && settings.forbidden_accounts.is_empty() {
        return Ok(());
    }
    let clients = Clients::new(sdk.clone(), settings.endpoints.clone());
    check_account(settings, Some(&clients.caller().await?.account))
}

fn set(texts: &[String]) -> BTreeSet<Arc<str>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

/// The settings as far as they mean something in the sandbox.
pub(crate) fn in_sandbox(settings: Settings) -> Settings {
    Settings {
        region: settings.region,
        max_attempts: settings.max_attempts,
        adaptive: settings.adaptive,
        retry_capacity: settings.retry_capacity,
        skip_region_validation: settings.skip_region_validation,
        default_tags: settings.default_tags,
        ignored_tags: settings.ignored_tags,
        ignored_tag_prefixes: settings.ignored_tag_prefixes,
        ..Settings::default()
    }
}

pub(crate) async fn load(settings: &Settings, options: &Options) -> Result<SdkConfig, Error> {
    let client = match &options.sandbox {
        Some(sandbox) => sandbox.http_client.clone(),
        None => http::client(settings)?,
    };
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_LIMIT).read_timeout(ANSWER_LIMIT).build();
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).http_client(client).timeout_config(timeouts);
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(name) = options.user_agent.and_then(|name| AppName::new(name).ok()) {
        loader = loader.app_name(name);
    }
    if let Some(name) = &settings.profile {
        loader = loader.profile_name(name);
    }
    if let Some(files) = credentials::profile_files(settings) {
        loader = loader.profile_files(files);
    }
    if let Some(fips) = settings.fips {
        loader = loader.use_fips(fips);
    }
    if let Some(dual_stack) = settings.dual_stack {
        loader = loader.use_dual_stack(dual_stack);
    }
    if let Some(sandbox) = &options.sandbox {
        loader = loader.credentials_provider(sandbox.credentials.clone());
    }
    let mut sdk = loader.load().await;
    let mut builder = sdk.to_builder();
    if let Some(sandbox) = &options.sandbox {
        builder.set_endpoint_url(None);
        if sdk.region().is_none() {
            builder.set_region(Region::from_static(sandbox.region));
        }
    }
    let chosen = sdk.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    let from_outside =
        (chosen.max_attempts() != RetryConfig::standard().max_attempts()).then(|| chosen.max_attempts());
    let attempts = settings.max_attempts.or(from_outside).unwrap_or(ATTEMPTS);
    let adaptive = settings.adaptive.unwrap_or(chosen.mode() == RetryConfig::adaptive().mode());
    builder.set_retry_config(Some(retries(attempts, adaptive)));
    sdk = builder.build();
    check_region(settings, sdk.region())?;
    if options.sandbox.is_none() {
        if let Some(source) = credentials::source(settings, &sdk)? {
            sdk = sdk.into_builder().credentials_provider(source).build();
        }
        sdk = credentials::with_roles(settings, sdk);
    }
    Ok(sdk.into_builder().identity_cache(IdentityCache::lazy().build()).build())
}

fn check_region(settings: &Settings, region: Option<&Region>) -> Result<(), Error> {
    let invalid = |message: String| Error::new(ErrorKind::Invalid, "provider.aws", message);
    let Some(region) = region.map(AsRef::as_ref).filter(|region: &&str| !region.is_empty()) else {
        return Err(invalid("No region is set.".to_owned()).hint(
            "Set `region` in `[provider.aws]`, AWS_REGION, or `region` of the profile in ~/.aws/config.",
        ));
    };
    if settings.skip_region_validation || regions::find(region).is_some() {
        return Ok(());
    }
    let error = invalid(format!("`{region}` is not a region of AWS."));
    let error = match nearest(region, regions::names()) {
        Some(near) => error.hint(format!("Did you mean `{near}`?")),
        None => error,
    };
    Err(error.hint("For a region newer than this program set `skip_region_validation = true`."))
}

/// The account and the caller's ARN, as far as they are to be asked for.
async fn identify(settings: &Settings, clients: &Clients) -> Result<(Option<String>, Option<String>), Error> {
    if settings.skip_account && settings.skip_credentials_validation {
        return Ok((None, None));
    }
    let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    match clients.caller().await {
        Ok(_) if settings.skip_account => Ok((None, None)),
        Ok(caller) => Ok((filled(&caller.account), filled(&caller.arn))),
        Err(error) if settings.skip_credentials_validation && error.kind != ErrorKind::Credentials => {
            match account_by_iam(clients).await {
                Some(found) => Ok(found),
                None => {
                    Err(error.hint("`skip_requesting_account_id = true` does without the account's number."))
                }
            }
        }
        Err(error) => Err(error),
    }
}

/// The account as the caller's own IAM user tells it, for endpoints that have IAM but no STS.
async fn account_by_iam(clients: &Clients) -> Option<(Option<String>, Option<String>)> {
    let user = clients.iam().get_user().send().await.ok()?.user?;
    let account = user.arn.split(':').nth(4).filter(|account| account.len() == 12)?.to_owned();
    Some((Some(account), Some(user.arn)))
}

fn check_account(settings: &Settings, account: Option<&str>) -> Result<(), Error> {
    if settings.allowed_accounts.is_empty() && settings.forbidden_accounts.is_empty() {
        return Ok(());
    }
    let refused = |message: String| Error::new(ErrorKind::Denied, "provider.aws", message);
    let Some(account) = account else {
        return Err(refused(
            "The account is limited by the provider's configuration, and it is not known.".to_owned(),
        )
        .hint("Take `skip_requesting_account_id` out."));
    };
    let is_in = |accounts: &[String]| accounts.iter().any(|candidate| candidate == account);
    if !settings.allowed_accounts.is_empty() && !is_in(&settings.allowed_accounts) {
        return Err(refused(format!("The account {account} is not among `allowed_account_ids`."))
            .hint("Use another profile, or add the account."));
    }
    if is_in(&settings.forbidden_accounts) {
        return Err(refused(format!("The account {account} is among `forbidden_account_ids`."))
            .hint("Use another profile."));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
