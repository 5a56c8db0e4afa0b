//! `aws_kms_key`, the data source: any key that may be looked at, by id, ARN or alias.
//!
//! Call and permission: `kms:DescribeKey`. Read anew in every run.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>

use std::sync::LazyLock;

use async_trait::async_trait;
use aws_sdk_kms::types::{KeyMetadata, MultiRegionConfiguration, MultiRegionKey};
use aws_smithy_types::DateTime;
use terrane_model::schema::{Attribute, Check, block, computed, optional, optional_computed, required};
use terrane_model::{Mode, Schema, Type, Value};
use terrane_provider::{Certainty, Context, DataSource, Error, Ground, Permissions};

use crate::client::Clients;
use crate::error::failed;
use crate::kms::named_key;
use crate::object::{needed, or_empty, texts, time};

/// The data source.
pub struct KeyLookup;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_kms_key", Mode::Data, "A KMS key that is there already.", block(attributes(), []))
});

const KEY: Check = Check::Pattern(
    r"^$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^mrk-[0-9a-f-]+$|^arn:[^:]+:kms:[^:]*:[^:]*:(key|alias)/.+$|^alias/[0-9A-Za-z_/-]+$",
    "be the id or ARN of a key, or an alias by name or ARN",
);

fn attributes() -> Vec<Attribute> {
    let text = |name, doc| computed(name, Type::String).doc(doc);
    vec![
        text("arn", "ARN of the key."),
        text("aws_account_id", "The account that the key is in."),
        text("cloud_hsm_cluster_id", "The CloudHSM cluster that holds the key's material."),
        text("creation_date", "When the key was made."),
        text("custom_key_store_id", "The custom key store that the key is in."),
        text("customer_master_key_spec", "What kind of key it is."),
        text("deletion_date", "When KMS deletes the key, if it is pending deletion."),
        text("description", "What the key is for."),
        computed("enabled", Type::Bool).doc("Whether the key can be used."),
        text("expiration_model", "Whether imported material expires."),
        optional("grant_tokens", Type::list(Type::String))
            .doc("Tokens of grants that permit looking at the key and may not be known everywhere yet."),
        optional_computed("id", Type::String).doc("Id of the key."),
        required("key_id", Type::String).check(KEY).doc("Id or ARN of the key, or an alias by name or ARN."),
        text("key_manager", "`CUSTOMER`, or `AWS` for the keys that AWS manages."),
        text("key_spec", "What kind of key it is."),
        text("key_state", "The key's state, such as `Enabled`."),
        text("key_usage", "What the key can be used for."),
        computed("multi_region", Type::Bool).doc("Whether the key can be in several regions."),
        computed("multi_region_configuration", Type::list(regions_type()))
            .doc("The keys of other regions that are the same one."),
        text("origin", "Where the key's material comes from."),
        computed("pending_deletion_window_in_days", Type::Number)
            .doc("How long the last replica has to be gone before the key is deleted."),
        text("valid_to", "When imported material expires."),
        computed("xks_key_configuration", Type::list(external_type())).doc("The key outside of AWS."),
    ]
}

fn region_type() -> Type {
    Type::object([("arn", Type::String), ("region", Type::String)])
}

fn regions_type() -> Type {
    Type::object([
        ("multi_region_key_type", Type::String),
        ("primary_key", Type::list(region_type())),
        ("replica_keys", Type::list(region_type())),
    ])
}

fn external_type() -> Type {
    Type::object([("id", Type::String)])
}

#[async_trait]
impl DataSource for KeyLookup {
    fn schema(&self) -> &Schema {
        &SCHEMA
    }

    fn permissions(&self, config: &Value, ground: &Ground<'_>) -> Permissions {
        let (named, condition) =
            named_key(ground, crate::object::filled(config, "key_id").unwrap_or_default());
        let key = crate::object::filled(config, "arn").map_or(named, str::to_owned);
        Permissions::none().with(&key, &["kms:DescribeKey"], condition, Certainty::Sure)
    }

    async fn read(&self, cx: &Context<'_>, config: &Value) -> Result<Value, Error> {
        let clients: &Clients = cx.session.clients()?;
        let tokens = texts(config, "grant_tokens");
        let call = clients.kms().describe_key().key_id(needed(config, "key_id", "kms:DescribeKey")?);
        let call = call.set_grant_tokens((!tokens.is_empty()).then_some(tokens));
        let answer = call.send().await.map_err(failed("kms:DescribeKey"))?;
        let key = answer.key_metadata;
        let key = key.ok_or_else(|| Error::bug("kms:DescribeKey", "The answer names no key."))?;
        Ok(into_state(&key, config))
    }
}

fn into_state(key: &KeyMetadata, config: &Value) -> Value {
    let moment = |date: Option<&DateTime>| match date {
        Some(date) => time(Some(date)),
        None => Value::null(Type::String),
    };
    let spec = or_empty(key.key_spec.as_ref().map(|spec| spec.as_str()));
    let external = key.xks_key_configuration.as_ref();
    let external = external.map(|key| Value::object([("id", or_empty(key.id.as_deref()))]));
    let regions = key.multi_region_configuration.as_ref().map(regions);
    config
        .clone()
        .with("arn", or_empty(key.arn.as_deref()))
        .with("aws_account_id", or_empty(key.aws_account_id.as_deref()))
        .with("cloud_hsm_cluster_id", or_empty(key.cloud_hsm_cluster_id.as_deref()))
        .with("creation_date", moment(key.creation_date.as_ref()))
        .with("custom_key_store_id", or_empty(key.custom_key_store_id.as_deref()))
        .with("customer_master_key_spec", spec.clone())
        .with("deletion_date", moment(key.deletion_date.as_ref()))
        .with("description", or_empty(key.description.as_deref()))
        .with("enabled", Value::bool(key.enabled))
        .with("expiration_model", or_empty(key.expiration_model.as_ref().map(|model| model.as_str())))
        .with("id", Value::from(key.key_id.as_str()))
        .with("key_manager", or_empty(key.key_manager.as_ref().map(|manager| manager.as_str())))
        .with("key_spec", spec)
        .with("key_state", or_empty(key.key_state.as_ref().map(|state| state.as_str())))
        .with("key_usage", or_empty(key.key_usage.as_ref().map(|usage| usage.as_str())))
        .with("multi_region", Value::bool(key.multi_region.unwrap_or(false)))
        .with("multi_region_configuration", Value::list(regions_type(), regions))
        .with("origin", or_empty(key.origin.as_ref().map(|origin| origin.as_str())))
        .with(
            "pending_deletion_window_in_days",
            Value::from(i64::from(key.pending_deletion_window_in_days.unwrap_or(0))),
        )
        .with("valid_to", moment(key.valid_to.as_ref()))
        .with("xks_key_configuration", Value::list(external_type(), external))
}

fn regions(regions: &MultiRegionConfiguration) -> Value {
    let one = |key: &MultiRegionKey| {
        Value::object([("arn", or_empty(key.arn.as_deref())), ("region", or_empty(key.region.as_deref()))])
    };
    let kind = regions.multi_region_key_type.as_ref().map(|kind| kind.as_str());
    Value::object([
        ("multi_region_key_type", or_empty(kind)),
        ("primary_key", Value::list(region_type(), regions.primary_key.as_ref().map(one))),
        ("replica_keys", Value::list(region_type(), regions.replica_keys().iter().map(one))),
    ])
}

#[cfg(test)]
mod tests {
    use terrane_model::conform::{check, conform};

    use super::*;
    use crate::object::{elements, filled};
    use crate::testing::Cloud;

    const ARN: &str = "arn:aws:kms:eu-west-3:123456789012:key/mrk-1";

    fn named(key: &str) -> Value {
        Value::object([("key_id", Value::from(key))])
    }

    #[tokio::test]
    async fn a_key_is_found_with_everything_about_it() {
        let regions = r#"{"MultiRegionKeyType":"PRIMARY","PrimaryKey":{"Arn":"a","Region":"eu-west-3"},"ReplicaKeys":[{"Arn":"b","Region":"eu-west-1"}]}"#;
        let cloud = Cloud::default().answer(
            "DescribeKey",
            &format!(
                r#"{{"KeyMetadata":{{"KeyId":"mrk-1","Arn":"{ARN}","AWSAccountId":"123456789012","CreationDate":1795463926.7,"Enabled":true,
                "Description":"d","KeyManager":"CUSTOMER","KeySpec":"SYMMETRIC_DEFAULT","KeyState":"Enabled","KeyUsage":"ENCRYPT_DECRYPT",
                "Origin":"AWS_KMS","MultiRegion":true,"MultiRegionConfiguration":{regions}}}}}"#
            ),
        );
        let tokens = Value::tuple([Value::from("t")]);
        let key = cloud.read_data(&KeyLookup, named("alias/x").with("grant_tokens", tokens)).await.unwrap();
        assert_eq!(
            cloud.sent("DescribeKey"),
            serde_json::json!({ "KeyId": "alias/x", "GrantTokens": ["t"] })
        );
        assert_eq!((filled(&key, "id"), filled(&key, "key_id")), (Some("mrk-1"), Some("alias/x")));
        assert_eq!(
            (filled(&key, "arn"), filled(&key, "creation_date")),
            (Some(ARN), Some("2026-11-23T19:58:46Z"))
        );
        let regions = elements(&key, "multi_region_configuration").first().unwrap();
        assert_eq!(elements(regions, "replica_keys").len(), 1);
        assert!(key.get("deletion_date").unwrap().is_null() && key.is_wholly_known());
        assert_eq!(key.ty(), SCHEMA.block.ty(), "it has the shape of the schema");
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_an_error() {
        let cloud =
            Cloud::default().fail("DescribeKey", 400, "NotFoundException", "Alias alias/x is not found.");
        let error = cloud.read_data(&KeyLookup, named("alias/x")).await.unwrap_err();
        assert!(error.is_not_found() && error.message.contains("alias/x"), "{error:?}");
    }

    #[test]
    fn keys_are_named_in_any_way() {
        let problems = |key: &str| check(&conform(&named(key), &SCHEMA.block).0, &SCHEMA.block);
        for good in ["11111111-2222-3333-4444-555555555555", ARN, "alias/aws/dynamodb", "mrk-1", ""] {
            assert_eq!(problems(good), [], "{good}");
        }
        for bad in ["x", "arn:aws:iam::1:user/a", "alias/", "key/1"] {
            assert_eq!(problems(bad).len(), 1, "{bad}");
        }
    }
}
