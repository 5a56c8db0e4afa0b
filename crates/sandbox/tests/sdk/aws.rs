//! Clients of the SDK on a sandbox.

use std::time::{Duration, SystemTime};

use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_iam::error::ProvideErrorMetadata;
use terrane_sandbox::{Clock, Options, Sandbox};

pub const REGION: &str = "eu-west-3";
pub const ACCOUNT: &str = "123456789012";
pub const ADMIN: &str = "arn:aws:iam::123456789012:user/terrane-admin";

/// One caller's clients.
pub struct Aws {
    pub iam: aws_sdk_iam::Client,
    pub kms: aws_sdk_kms::Client,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub sts: aws_sdk_sts::Client,
}

macro_rules! client {
    ($sdk:ident, $sandbox:expr, $credentials:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(REGION))
                .credentials_provider($credentials.clone())
                .retry_config(RetryConfig::disabled())
                .http_client($sandbox.http_client())
                .build(),
        )
    };
}

impl Aws {
    pub fn with(sandbox: &Sandbox, id: &str, secret: &str, token: Option<&str>) -> Aws {
        let credentials = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
        Aws {
            iam: client!(aws_sdk_iam, sandbox, credentials),
            kms: client!(aws_sdk_kms, sandbox, credentials),
            dynamodb: client!(aws_sdk_dynamodb, sandbox, credentials),
            sts: client!(aws_sdk_sts, sandbox, credentials),
        }
    }

    pub fn admin(sandbox: &Sandbox) -> Aws {
        let key = sandbox.admin_credentials();
        Aws::with(sandbox, &key.access_key_id, &key.secret_access_key, None)
    }

    pub fn root(sandbox: &Sandbox) -> Aws {
        let key = sandbox.root_credentials();
        Aws::with(sandbox, &key.access_key_id, &key.secret_access_key, None)
    }

    /// Makes a user and gives the clients that it has with its own access key.
    pub async fn new_user(&self, sandbox: &Sandbox, name: &str) -> Aws {
        self.iam.create_user().user_name(name).send().await.unwrap();
        self.user(sandbox, name).await
    }

    /// Makes an access key of a user.
    pub async fn user(&self, sandbox: &Sandbox, name: &str) -> Aws {
        let key = self.iam.create_access_key().user_name(name).send().await.unwrap().access_key.unwrap();
        Aws::with(sandbox, &key.access_key_id, &key.secret_access_key, None)
    }

    /// Puts an inline policy of one statement on a user.
    pub async fn allow(&self, user: &str, name: &str, action: &str, resource: &str) {
        let policy = statement("Allow", action, resource);
        self.iam
            .put_user_policy()
            .user_name(user)
            .policy_name(name)
            .policy_document(policy)
            .send()
            .await
            .unwrap();
    }
}

/// A policy of one statement.
pub fn statement(effect: &str, action: &str, resource: &str) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": effect, "Action": action, "Resource": resource }],
    })
    .to_string()
}

/// A sandbox in memory whose clock stands still.
pub fn sandbox() -> Sandbox {
    sandbox_with(|_| {})
}

pub fn sandbox_with(change: impl FnOnce(&mut Options)) -> Sandbox {
    let mut options = Options { in_memory: true, clock: fixed(), ..Options::default() };
    change(&mut options);
    Sandbox::open("unused".as_ref(), options).unwrap()
}

pub fn fixed() -> Clock {
    Clock::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_463_923))
}

/// Code and message of a refusal.
pub fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata>(outcome: Result<T, E>) -> (String, String) {
    let error = outcome.expect_err("expected a refusal");
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}
