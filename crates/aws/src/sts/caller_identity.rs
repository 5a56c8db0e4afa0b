//! `aws_caller_identity`: the identity that the provider works as.
//!
//! Call: `sts:GetCallerIdentity`, which needs no permission, and which is made once per run. Read anew in every run.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::schema::{block, computed, optional_computed};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{Context, DataSource, Error};

use crate::client::Clients;

/// The data source.
pub struct CallerIdentity;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_caller_identity",
        Mode::Data,
        "The identity that the provider works as.",
        block(
            [
                computed("account_id", Type::String).doc("Number of the account."),
                computed("arn", Type::String).doc("ARN of the identity."),
                optional_computed("id", Type::String).doc("Number of the account."),
                computed("user_id", Type::String).doc("Unique id of the identity."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl DataSource for CallerIdentity {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Context<'_>, _config: &Value) -> Result<Value, Error> {
        let caller = cx.session.clients::<Clients>()?.caller().await?;
        Ok(Value::object([
            ("account_id", Value::from(caller.account.as_str())),
            ("arn", Value::from(caller.arn.as_str())),
            ("id", Value::from(caller.account.as_str())),
            ("user_id", Value::from(caller.user_id.as_str())),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Cloud;

    const ANSWER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn>\
        <UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

    #[tokio::test]
    async fn it_is_asked_for_once_per_run() {
        let cloud = Cloud::default().answer("GetCallerIdentity", ANSWER);
        for _ in 0..2 {
            let value =
                cloud.read_data(&CallerIdentity, Value::object::<&str>([])).await.expect("an identity");
            assert_eq!(value.get("id"), Some(&Value::from("123456789012")));
            assert_eq!(value.get("arn"), Some(&Value::from("arn:aws:iam::123456789012:user/a")));
        }
        assert_eq!(cloud.calls(), ["GetCallerIdentity"]);
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_of_the_operation() {
        let cloud = Cloud::default().fail("GetCallerIdentity", 403, "ExpiredToken", "The token has expired");
        let error = cloud.read_data(&CallerIdentity, Value::object::<&str>([])).await.expect_err("expired");
        assert_eq!(error.operation, "sts:GetCallerIdentity");
        assert_eq!(error.kind, terrane_provider::ErrorKind::Credentials);
    }
}
