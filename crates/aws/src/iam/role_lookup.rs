//! `aws_iam_role`, the data source: a role of the account.
//!
//! Call and permission: `iam:GetRole`. Read anew in every run.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::schema::{block, computed, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{Context, DataSource, Error, Ground, Permissions};

use crate::client::Clients;
use crate::error::failed;
use crate::iam::permissions::arns_of;
use crate::iam::{decoded, tag_map};
use crate::object::{needed, or_empty, time};
use crate::tags;

/// The data source.
pub struct RoleLookup;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new(
        "aws_iam_role",
        Mode::Data,
        "A role that is there already.",
        block(
            [
                computed("arn", Type::String).doc("ARN of the role."),
                computed("assume_role_policy", Type::String).doc("The trust policy."),
                computed("create_date", Type::String).doc("When the role was made."),
                computed("description", Type::String).doc("What the role is for."),
                optional_computed("id", Type::String).doc("Name of the role."),
                computed("max_session_duration", Type::Number).doc("How many seconds a session may last."),
                required("name", Type::String).doc("Name of the role."),
                computed("path", Type::String).doc("Path of the role, such as `/team/`."),
                computed("permissions_boundary", Type::String).doc("ARN of the permissions boundary."),
                computed("role_last_used", Type::list(use_type())).doc("When and where it was used last."),
                optional_computed("tags", Type::map(Type::String)).doc("Tags."),
                computed("unique_id", Type::String).doc("Unique id of the role."),
            ],
            [],
        ),
    )
});

fn use_type() -> Type {
    Type::object([("last_used_date", Type::String), ("region", Type::String)])
}

#[async_trait]
impl DataSource for RoleLookup {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn permissions(&self, config: &Value, ground: &Ground<'_>) -> Permissions {
        let known = config.get("arn").and_then(Value::as_str).map(str::to_owned);
        let arns = known.map_or_else(|| arns_of(ground, "role", config.get("name")), |arn| vec![arn]);
        arns.iter().fold(Permissions::none(), |all, arn| all.on(arn, &["iam:GetRole"]))
    }

    async fn read(&self, cx: &Context<'_>, config: &Value) -> Result<Value, Error> {
        let clients: &Clients = cx.session.clients()?;
        let call = clients.iam().get_role().role_name(needed(config, "name", "iam:GetRole")?);
        let role = call.send().await.map_err(failed("iam:GetRole"))?.role;
        let role = role.ok_or_else(|| Error::bug("iam:GetRole", "The answer names no role."))?;
        let trust = decoded(role.assume_role_policy_document.as_deref().unwrap_or_default());
        let boundary = role.permissions_boundary.as_ref();
        let last = role.role_last_used.as_ref().map(|last| {
            let region = or_empty(last.region.as_deref());
            Value::object([("last_used_date", time(last.last_used_date.as_ref())), ("region", region)])
        });
        Ok(config
            .clone()
            .with("arn", Value::from(role.arn.as_str()))
            .with("assume_role_policy", Value::from(trust))
            .with("create_date", time(Some(&role.create_date)))
            .with("description", or_empty(role.description.as_deref()))
            .with("id", Value::from(role.role_name.as_str()))
            .with("max_session_duration", Value::from(i64::from(role.max_session_duration.unwrap_or(3600))))
            .with("path", Value::from(role.path.as_str()))
            .with(
                "permissions_boundary",
                or_empty(boundary.and_then(|b| b.permissions_boundary_arn.as_deref())),
            )
            .with("role_last_used", Value::list(use_type(), last))
            .with("tags", tags::seen(tag_map(role.tags()), &cx.session.facts))
            .with("unique_id", Value::from(role.role_id.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{elements, filled};
    use crate::testing::Cloud;

    fn body() -> Value {
        Value::object([("name", Value::from("r"))])
    }

    #[tokio::test]
    async fn a_role_is_found_by_name() {
        let role = "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>r</RoleName><RoleId>AROA1</RoleId>\
            <Arn>arn:aws:iam::123456789012:role/r</Arn><CreateDate>2026-11-24T00:00:00Z</CreateDate>\
            <AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%7D</AssumeRolePolicyDocument>\
            <RoleLastUsed><Region>eu-west-3</Region></RoleLastUsed></Role></GetRoleResult></GetRoleResponse>";
        let cloud = Cloud::default().answer("GetRole", role);
        let found = cloud.read_data(&RoleLookup, body()).await.unwrap();
        assert_eq!((filled(&found, "unique_id"), filled(&found, "id")), (Some("AROA1"), Some("r")));
        assert_eq!(filled(&found, "assume_role_policy"), Some(r#"{"Version":"2012-10-17"}"#));
        assert_eq!(filled(&elements(&found, "role_last_used")[0], "region"), Some("eu-west-3"));
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_an_error() {
        let cloud =
            Cloud::default().fail("GetRole", 404, "NoSuchEntity", "The role with name r cannot be found.");
        assert!(cloud.read_data(&RoleLookup, body()).await.unwrap_err().is_not_found());
    }
}
