use serde_json::json;
use terrane_model::{Path, Type, Value};
use terrane_provider::{ErrorKind, ResourceType};

use super::Alias;
use crate::object::{filled, text};
use crate::testing::{Cloud, facts, misfit, plan_with};

const NAME: &str = "alias/app";
const ARN: &str = "arn:aws:kms:eu-west-3:123456789012:alias/app";

fn body(target: &str) -> Value {
    Value::object([("name", Value::from(NAME)), ("target_key_id", Value::from(target))])
}

fn listed(target: &str) -> String {
    json!({ "Aliases": [
        { "AliasName": "alias/aws/dynamodb", "AliasArn": "arn:aws:kms:eu-west-3:123456789012:alias/aws/dynamodb" },
        { "AliasName": NAME, "AliasArn": ARN, "TargetKeyId": target },
    ], "Truncated": false })
    .to_string()
}

fn none() -> String {
    json!({ "Aliases": [], "Truncated": false }).to_string()
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, terrane_provider::Failure> {
    let planned = cloud.plan(&Alias, None, body).unwrap();
    let object = cloud.with(async |cx| Alias.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = Cloud::default()
        .answer("CreateAlias", "")
        .answer("ListAliases", &none())
        .answer("ListAliases", &listed("k1"))
        .answer("DeleteAlias", "");
    let object = create(&cloud, body("k1")).await.unwrap();
    assert_eq!((filled(&object, "arn"), filled(&object, "id")), (Some(ARN), Some(NAME)));
    assert_eq!(filled(&object, "target_key_arn"), Some("arn:aws:kms:eu-west-3:123456789012:key/k1"));
    assert_eq!(cloud.calls(), ["CreateAlias", "ListAliases", "ListAliases"]);
    assert_eq!(cloud.with(async |cx| Alias.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    assert_eq!(cloud.calls().len(), 3, "the list is asked for once");
    cloud.with(async |cx| Alias.delete(cx, &object).await).await.unwrap();
}

#[tokio::test]
async fn vanished() {
    let cloud =
        Cloud::default().answer("ListAliases", &none()).fail("DeleteAlias", 400, "NotFoundException", "gone");
    let prior = body("k1").with("id", Value::from(NAME));
    assert_eq!(cloud.with(async |cx| Alias.read(cx, &prior).await).await.unwrap(), None);
    cloud.with(async |cx| Alias.delete(cx, &prior).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn replaced_by_name_and_changed_in_place_by_key() {
    let cloud = Cloud::default().answer("CreateAlias", "").answer("ListAliases", &listed("k1"));
    let object = create(&cloud, body("k1")).await.unwrap();
    let renamed = body("k1").with("name", "alias/other".into());
    assert_eq!(plan_with(&Alias, Some(&object), renamed, &facts()).unwrap().1, [Path::attribute("name")]);

    let (planned, replace) = plan_with(&Alias, Some(&object), body("k2"), &facts()).unwrap();
    assert_eq!(
        (replace, filled(&planned, "target_key_arn")),
        (vec![], Some("arn:aws:kms:eu-west-3:123456789012:key/k2"))
    );
    let cloud = Cloud::default().answer("UpdateAlias", "").answer("ListAliases", &listed("k2"));
    let changed = cloud.with(async |cx| Alias.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &changed), None);
    assert_eq!(cloud.calls(), ["UpdateAlias", "ListAliases"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_by_arn_is_the_key_by_id() {
    let arn = "arn:aws:kms:eu-west-3:123456789012:key/k1";
    let cloud = Cloud::default().answer("CreateAlias", "").answer("ListAliases", &listed("k1"));
    let object = create(&cloud, body(arn)).await.unwrap();
    assert_eq!(text(&object, "target_key_id"), Some(arn));
    assert_eq!(plan_with(&Alias, Some(&object), body("k1"), &facts()).unwrap().0, object);
}

#[tokio::test(start_paused = true)]
async fn lost_and_taken_names() {
    let lost = Cloud::default().lose("CreateAlias").answer("ListAliases", &listed("k1"));
    create(&lost, body("k1")).await.unwrap();
    assert_eq!(lost.requests("CreateAlias").len(), 1);
    let taken = Cloud::default()
        .fail("CreateAlias", 400, "AlreadyExistsException", "An alias with that name exists")
        .answer("ListAliases", &listed("k9"));
    let failure = create(&taken, body("k1")).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.partial.is_none()), (ErrorKind::Conflict, true));
}

#[test]
fn unknown_names_and_keys_keep_what_is_known_of_them() {
    let body = Value::object([
        ("name_prefix", Value::from("alias/x-")),
        ("target_key_id", Value::unknown(Type::String)),
    ]);
    let (planned, _) = plan_with(&Alias, None, body, &facts()).unwrap();
    let terrane_model::Kind::Unknown(arn) = planned.get("target_key_arn").unwrap().kind() else {
        panic!("known")
    };
    assert_eq!(&*arn.prefix, "arn:aws:kms:eu-west-3:123456789012:key/");
    assert!(planned.get("id").unwrap().is_unknown());
}

#[tokio::test]
async fn import_takes_a_name() {
    let cloud = Cloud::default().answer("ListAliases", &listed("k1"));
    let object = cloud.with(async |cx| Alias.import(cx, NAME).await).await.unwrap().unwrap();
    assert_eq!(text(&object, "target_key_id"), Some("k1"));
    assert!(cloud.with(async |cx| Alias.import(cx, "app").await).await.is_err());
}
