//! `aws_iam_user`, the data source: a user of the account.
//!
//! Call and permission: `iam:GetUser`. Read anew in every run.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::schema::{block, computed, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{Context, DataSource, Error, Ground, Permissions};

use crate::client::Clients;
use crate::error::failed;
use crate::iam::permissions::arns_of;
use crate::iam::tag_map;
use crate::object::{needed, or_empty};
use crate::tags;

/// The data source.
pub struct UserLookup;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_user",
        Mode::Data,
        "A user that is there already.",
        block(
            [
                computed("arn", Type::String).doc("ARN of the user."),
                optional_computed("id", Type::String).doc("Unique id of the user."),
                computed("path", Type::String).doc("Path of the user, such as `/team/`."),
                computed("permissions_boundary", Type::String).doc("ARN of the permissions boundary."),
                optional_computed("tags", Type::map(Type::String)).doc("Tags."),
                computed("user_id", Type::String).doc("Unique id of the user."),
                required("user_name", Type::String).doc("Name of the user."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl DataSource for UserLookup {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn permissions(&self, config: &Value, ground: &Ground<'_>) -> Permissions {
        let known = config.get("arn").and_then(Value::as_str).map(str::to_owned);
        let arns = known.map_or_else(|| arns_of(ground, "user", config.get("user_name")), |arn| vec![arn]);
        arns.iter().fold(Permissions::none(), |all, arn| all.on(arn, &["iam:GetUser"]))
    }

    async fn read(&self, cx: &Context<'_>, config: &Value) -> Result<Value, Error> {
        let clients: &Clients = cx.session.clients()?;
        let call = clients.iam().get_user().user_name(needed(config, "user_name", "iam:GetUser")?);
        let user = call.send().await.map_err(failed("iam:GetUser"))?.user;
        let user = user.ok_or_else(|| Error::bug("iam:GetUser", "The answer names no user."))?;
        let boundary = user.permissions_boundary.as_ref();
        Ok(config
            .clone()
            .with("arn", Value::from(user.arn.as_str()))
            .with("id", Value::from(user.user_id.as_str()))
            .with("path", Value::from(user.path.as_str()))
            .with(
                "permissions_boundary",
                or_empty(boundary.and_then(|b| b.permissions_boundary_arn.as_deref())),
            )
            .with("tags", tags::seen(tag_map(user.tags()), &cx.session.facts))
            .with("user_id", Value::from(user.user_id.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{filled, text, text_map};
    use crate::testing::Cloud;

    fn body() -> Value {
        Value::object([("user_name", Value::from("ann"))])
    }

    #[tokio::test]
    async fn a_user_is_found_by_name() {
        let user = "<GetUserResponse><GetUserResult><User><Path>/t/</Path><UserName>ann</UserName><UserId>AIDA1</UserId>\
            <Arn>arn:aws:iam::123456789012:user/t/ann</Arn><CreateDate>2026-11-24T00:00:00Z</CreateDate><Tags><member><Key>a</Key>\
            <Value>b</Value></member><member><Key>aws:x</Key><Value>y</Value></member></Tags></User></GetUserResult></GetUserResponse>";
        let cloud = Cloud::default().answer("GetUser", user);
        let found = cloud.read_data(&UserLookup, body()).await.unwrap();
        assert_eq!((filled(&found, "id"), text(&found, "permissions_boundary")), (Some("AIDA1"), Some("")));
        assert_eq!(text_map(found.get("tags")), [("a".to_owned(), "b".to_owned())].into());
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_an_error() {
        let cloud =
            Cloud::default().fail("GetUser", 404, "NoSuchEntity", "The user with name ann cannot be found.");
        assert!(cloud.read_data(&UserLookup, body()).await.unwrap_err().is_not_found());
    }
}
