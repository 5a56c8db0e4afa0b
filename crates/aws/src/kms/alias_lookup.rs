//! `aws_kms_alias`, the data source: an alias of the account with the key that it stands for.
//!
//! Calls and permissions: `kms:ListAliases`, `kms:DescribeKey`. Read anew in every run.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use terrane_model::nearest::nearest;
use terrane_model::schema::{Check, block, computed, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{Certainty, Context, DataSource, Error, ErrorKind, Ground, Permissions};

use crate::client::Clients;
use crate::error::failed;
use crate::kms::aliases;
use crate::kms::named_key;
use crate::object::{needed, or_empty};

/// The data source.
pub struct AliasLookup;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    const NAME: Check = Check::Pattern(
        r"^alias/[0-9A-Za-z_/-]+$",
        "begin with `alias/` and consist of letters, digits and `_/-`",
    );
    Schema::new(
        "aws_kms_alias",
        Mode::Data,
        "An alias that is there already, with its key.",
        block(
            [
                computed("arn", Type::String).doc("ARN of the alias."),
                optional_computed("id", Type::String).doc("ARN of the alias."),
                required("name", Type::String).check(NAME).doc("Name of the alias, with `alias/`."),
                computed("target_key_arn", Type::String).doc("ARN of the key."),
                computed("target_key_id", Type::String).doc("Id of the key."),
            ],
            [],
        ),
    )
});

#[async_trait]
impl DataSource for AliasLookup {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn permissions(&self, config: &Value, ground: &Ground<'_>) -> Permissions {
        let (any, condition) = named_key(ground, crate::object::filled(config, "name").unwrap_or("alias/"));
        let key = crate::object::filled(config, "target_key_arn").map_or(any, str::to_owned);
        let all = Permissions::none().on("*", &["kms:ListAliases"]);
        all.with(&key, &["kms:DescribeKey"], condition, Certainty::Sure)
    }

    async fn read(&self, cx: &Context<'_>, config: &Value) -> Result<Value, Error> {
        let clients: &Clients = cx.session.clients()?;
        let name = needed(config, "name", "kms:ListAliases")?;
        let all = aliases(clients).await?;
        let Some(alias) = all.iter().find(|alias| alias.alias_name.as_deref() == Some(name)) else {
            let message = format!("There is no alias `{name}` in {}.", cx.session.facts.region);
            let error = Error::new(ErrorKind::NotFound, "kms:ListAliases", message);
            return Err(match nearest(name, all.iter().filter_map(|alias| alias.alias_name.as_deref())) {
                Some(near) => error.hint(format!("Did you mean `{near}`?")),
                None => error,
            });
        };
        // An alias of AWS stands for no key until somebody asks for it by the alias.
        let answer = clients.kms().describe_key().key_id(name).send().await;
        let key = answer.map_err(failed("kms:DescribeKey"))?.key_metadata;
        let key = key.ok_or_else(|| Error::bug("kms:DescribeKey", "The answer names no key."))?;
        let arn = or_empty(alias.alias_arn.as_deref());
        Ok(config
            .clone()
            .with("arn", arn.clone())
            .with("id", arn)
            .with("target_key_arn", or_empty(key.arn.as_deref()))
            .with("target_key_id", Value::from(key.key_id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::filled;
    use crate::testing::Cloud;

    const LISTED: &str = r#"{"Aliases":[{"AliasName":"alias/notes","AliasArn":"arn:aws:kms:eu-west-3:123456789012:alias/notes"}]}"#;
    const KEY: &str = r#"{"KeyMetadata":{"KeyId":"k1","Arn":"arn:aws:kms:eu-west-3:123456789012:key/k1"}}"#;

    #[tokio::test]
    async fn an_alias_is_found_with_its_key() {
        let cloud = Cloud::default().answer("ListAliases", LISTED).answer("DescribeKey", KEY);
        let body = Value::object([("name", Value::from("alias/notes"))]);
        let alias = cloud.read_data(&AliasLookup, body).await.unwrap();
        assert_eq!(filled(&alias, "id"), Some("arn:aws:kms:eu-west-3:123456789012:alias/notes"));
        assert_eq!(filled(&alias, "target_key_id"), Some("k1"));
        assert_eq!(cloud.sent("DescribeKey")["KeyId"], "alias/notes");
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_an_error_with_the_nearest_name() {
        let cloud = Cloud::default().answer("ListAliases", LISTED);
        let body = Value::object([("name", Value::from("alias/note"))]);
        let error = cloud.read_data(&AliasLookup, body).await.unwrap_err();
        assert!(error.is_not_found() && error.hints == ["Did you mean `alias/notes`?"], "{error:?}");
    }
}
