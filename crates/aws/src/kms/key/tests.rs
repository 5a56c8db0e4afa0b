use serde_json::json;
use terrane_model::{Path, Value};
use terrane_provider::{ErrorKind, Facts, ResourceType};

use super::Key;
use crate::object::{absent, filled, text, whole};
use crate::tags::MARKER;
use crate::testing::{Cloud, facts, misfit, plan_with};

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const POLICY: &str = r#"{"Statement":[{"Action":"kms:*","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Resource":"*"}],"Version":"2012-10-17"}"#;

fn body<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::object(fields)
}

fn full() -> Value {
    body([
        ("description", "tables".into()),
        ("deletion_window_in_days", 7.into()),
        ("enable_key_rotation", true.into()),
        ("policy", POLICY.into()),
        ("tags", Value::object([("team", Value::from("a"))])),
    ])
}

fn described(more: serde_json::Value) -> String {
    let mut metadata = json!({
        "KeyId": ID, "Arn": format!("arn:aws:kms:eu-west-3:123456789012:key/{ID}"), "Enabled": true,
        "Description": "tables", "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "MultiRegion": false,
    });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "KeyMetadata": metadata }).to_string()
}

fn tags_answer(tags: &[(&str, &str)]) -> String {
    let tags: Vec<_> = tags.iter().map(|(k, v)| json!({ "TagKey": k, "TagValue": v })).collect();
    json!({ "Tags": tags, "Truncated": false }).to_string()
}

fn details(cloud: Cloud) -> Cloud {
    cloud
        .answer("GetKeyPolicy", &json!({ "Policy": POLICY, "PolicyName": "default" }).to_string())
        .answer("GetKeyRotationStatus", r#"{"KeyRotationEnabled":true,"RotationPeriodInDays":365}"#)
        .answer("ListResourceTags", &tags_answer(&[("team", "a"), (MARKER, "m-1")]))
}

/// A cloud in which the key is as the full body says.
fn there() -> Cloud {
    details(Cloud::default()).answer("DescribeKey", &described(json!({})))
}

fn made() -> Cloud {
    there().answer("CreateKey", &described(json!({}))).answer("EnableKeyRotation", "{}")
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, terrane_provider::Failure> {
    let planned = cloud.plan(&Key, None, body).unwrap();
    let object = cloud.with(async |cx| Key.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

async fn update(cloud: &Cloud, prior: &Value, body: Value) -> Result<Value, terrane_provider::Failure> {
    let planned = cloud.plan(&Key, Some(prior), body).unwrap();
    cloud.with(async |cx| Key.update(cx, prior, &planned).await).await
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = made()
        .answer("ScheduleKeyDeletion", &json!({ "KeyId": ID, "DeletionDate": 1_796_083_200.0 }).to_string())
        .answer("UntagResource", "{}");
    let object = create(&cloud, full()).await.unwrap();
    assert_eq!(filled(&object, "id"), Some(ID));
    assert_eq!(
        (whole(&object, "rotation_period_in_days"), text(&object, "xks_key_id")),
        (Some(365), Some(""))
    );
    assert!(object.get("tags_all").unwrap().get(MARKER).is_none());
    let sent = cloud.sent("CreateKey");
    assert_eq!(sent["Policy"], POLICY);
    assert_eq!(sent["Description"], "tables");
    assert_eq!(
        sent["Tags"],
        json!([{ "TagKey": "team", "TagValue": "a" }, { "TagKey": MARKER, "TagValue": "m-1" }])
    );
    let before = cloud.calls().len();
    assert_eq!(cloud.with(async |cx| Key.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    assert_eq!(cloud.calls().len() - before, 4);

    cloud.with(async |cx| Key.settle(cx, &object).await).await.unwrap();
    assert_eq!(cloud.sent("UntagResource")["TagKeys"], json!([MARKER]));
    let note = cloud.with(async |cx| Key.delete(cx, &object).await).await.unwrap().note.unwrap();
    assert!(note.contains("pending deletion until 2026-12-01"), "{note}");
    assert_eq!(cloud.sent("ScheduleKeyDeletion")["PendingWindowInDays"], 7);
}

#[tokio::test]
async fn vanished() {
    let gone =
        details(Cloud::default()).fail("DescribeKey", 400, "NotFoundException", "Key 'x' does not exist");
    let prior = absent(Key.schema()).with("id", Value::from(ID));
    assert_eq!(gone.with(async |cx| Key.read(cx, &prior).await).await.unwrap(), None);
    let deleted = Cloud::default().fail("ScheduleKeyDeletion", 400, "NotFoundException", "no key");
    assert_eq!(deleted.with(async |cx| Key.delete(cx, &prior).await).await.unwrap().note, None);
}

/// What KMS says of a key that is pending deletion: it is disabled, and its rotation off.
fn pending() -> serde_json::Value {
    json!({ "KeyState": "PendingDeletion", "Enabled": false, "DeletionDate": 1_796_083_200.0 })
}

/// A cloud in which the key is brought back between two looks at it.
fn brought_back(back: serde_json::Value) -> Cloud {
    Cloud::default()
        .answer("DescribeKey", &described(pending()))
        .answer("DescribeKey", &described(back))
        .answer("GetKeyPolicy", &json!({ "Policy": POLICY, "PolicyName": "default" }).to_string())
        .fail("GetKeyRotationStatus", 400, "KMSInvalidStateException", "arn is pending deletion.")
        .answer("GetKeyRotationStatus", r#"{"KeyRotationEnabled":true,"RotationPeriodInDays":365}"#)
        .answer("ListResourceTags", &tags_answer(&[("team", "a")]))
        .answer("CancelKeyDeletion", &json!({ "KeyId": ID }).to_string())
        .answer("EnableKey", "{}")
}

#[tokio::test(start_paused = true)]
async fn a_key_pending_deletion_is_brought_back_whatever_the_spec_wants_of_it() {
    let made = create(&made(), full()).await.unwrap();
    for enabled in [true, false] {
        let cloud = brought_back(json!({})).answer("DisableKey", "{}");
        let cloud = if enabled {
            cloud
        } else {
            cloud.answer("DescribeKey", &described(json!({ "Enabled": false })))
        };
        let prior = cloud.with(async |cx| Key.read(cx, &made).await).await.unwrap().expect("it is there");
        assert!(prior.get("is_enabled").unwrap().is_null());
        assert!(Key.is_pending_deletion(&prior) && !Key.is_pending_deletion(&made));
        let (planned, replace) =
            plan_with(&Key, Some(&prior), full().with("is_enabled", enabled.into()), &facts()).unwrap();
        assert_eq!((replace, planned.get("is_enabled")), (vec![], Some(&enabled.into())));
        let before = cloud.calls().len();
        let object = cloud.with(async |cx| Key.update(cx, &prior, &planned).await).await.unwrap();
        assert_eq!(misfit(&planned, &object), None);
        assert_eq!(object.get("is_enabled"), Some(&enabled.into()));
        let calls = cloud.calls();
        assert_eq!(calls[before..before + 2], ["CancelKeyDeletion", "EnableKey"]);
        assert_eq!(calls.iter().any(|call| call == "DisableKey"), !enabled);
        // Its rotation came back with it.
        assert!(
            !calls.iter().any(|call| call.contains("KeyRotation") && !call.starts_with("Get")),
            "{calls:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_somebody_brought_back_meanwhile_is_enabled_all_the_same() {
    let made = create(&made(), full()).await.unwrap();
    let prior = made.clone().with("is_enabled", Value::null(terrane_model::Type::Bool));
    let cloud = there()
        .fail("CancelKeyDeletion", 400, "KMSInvalidStateException", "arn is not pending deletion.")
        .answer("EnableKey", "{}");
    let object = update(&cloud, &prior, full()).await.unwrap();
    assert_eq!(object.get("is_enabled"), Some(&true.into()));
    let late = details(Cloud::default()).fail("CancelKeyDeletion", 400, "NotFoundException", "no key").fail(
        "DescribeKey",
        400,
        "NotFoundException",
        "no key",
    );
    let error = update(&late, &prior, full()).await.unwrap_err().error;
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_key_pending_deletion_can_be_imported_and_is_not_taken_for_one_just_made() {
    let cloud = details(Cloud::default()).answer("DescribeKey", &described(pending()));
    let object = cloud.with(async |cx| Key.import(cx, ID).await).await.unwrap().expect("it is there");
    assert!(Key.is_pending_deletion(&object));
    let keys = json!({ "Keys": [{ "KeyId": ID }], "Truncated": false }).to_string();
    let planned = plan_with(&Key, None, full(), &facts()).unwrap().0;
    let cloud = cloud.answer("ListKeys", &keys);
    assert_eq!(cloud.with(async |cx| Key.find(cx, &planned).await).await.unwrap(), None);
}

#[tokio::test]
async fn deleting_a_key_that_is_pending_deletion_tells_until_when() {
    let cloud = Cloud::default()
        .fail("ScheduleKeyDeletion", 400, "KMSInvalidStateException", "arn is pending deletion.")
        .answer(
            "DescribeKey",
            &described(json!({ "KeyState": "PendingDeletion", "DeletionDate": 1_796_083_200.0 })),
        );
    let prior = absent(Key.schema()).with("id", Value::from(ID));
    let note = cloud.with(async |cx| Key.delete(cx, &prior).await).await.unwrap().note.unwrap();
    assert!(note.contains("2026-12-01"), "{note}");
}

#[tokio::test(start_paused = true)]
async fn replaced() {
    let object = create(&made(), full()).await.unwrap();
    let replace = |name: &'static str, value: Value| {
        let body = full().with(name, value);
        plan_with(&Key, Some(&object), body, &facts()).unwrap().1
    };
    assert_eq!(replace("key_usage", "SIGN_VERIFY".into()), [Path::attribute("key_usage")]);
    assert_eq!(replace("multi_region", true.into()), [Path::attribute("multi_region")]);
    assert_eq!(replace("description", "other".into()), []);
}

#[test]
fn plan_predicts_what_is_certain() {
    let (planned, _) = plan_with(&Key, None, full(), &facts()).unwrap();
    let unknown: Vec<_> =
        planned.entries().unwrap().iter().filter(|(_, v)| v.is_unknown()).map(|(k, _)| &**k).collect();
    assert_eq!(unknown, ["arn", "id", "key_id", "rotation_period_in_days"]);
    let (planned, _) = plan_with(&Key, None, body([]), &facts()).unwrap();
    assert_eq!(text(&planned, "description"), Some(""));
    let (planned, _) = plan_with(&Key, None, body([]), &Facts::default()).unwrap();
    assert!(planned.get("arn").unwrap().is_unknown());
}

#[tokio::test(start_paused = true)]
async fn arguments_set_changed_and_cleared() {
    let object = create(&made(), full()).await.unwrap();
    let mut cases = vec![
        ("description", Value::from("other"), json!({ "Description": "other" }), "UpdateKeyDescription"),
        ("is_enabled", false.into(), json!({ "Enabled": false }), "DisableKey"),
    ];
    for (name, value, state, operation) in cases.drain(..) {
        let cloud =
            details(Cloud::default()).answer("DescribeKey", &described(state)).answer(operation, "{}");
        let changed = update(&cloud, &object, full().with(name, value.clone())).await.unwrap();
        assert_eq!(changed.get(name), Some(&value));
        assert_eq!(cloud.calls()[0], operation);
    }
    // Cleared: what the provider may set stays.
    let (planned, _) =
        plan_with(&Key, Some(&object), body([("enable_key_rotation", true.into())]), &facts()).unwrap();
    assert_eq!((text(&planned, "description"), text(&planned, "policy")), (Some("tables"), Some(POLICY)));

    let cloud = Cloud::default()
        .answer("GetKeyPolicy", &json!({ "Policy": POLICY }).to_string())
        .answer("GetKeyRotationStatus", r#"{"KeyRotationEnabled":false}"#)
        .answer("DisableKeyRotation", "{}")
        .answer("UntagResource", "{}")
        .answer("TagResource", "{}")
        .answer("ListResourceTags", &tags_answer(&[("env", "x")]))
        .answer("DescribeKey", &described(json!({})));
    let tags = Value::object([("env", Value::from("x"))]);
    let changed =
        update(&cloud, &object, full().with("enable_key_rotation", false.into()).with("tags", tags))
            .await
            .unwrap();
    assert_eq!(whole(&changed, "rotation_period_in_days"), Some(0));
    assert_eq!(cloud.calls()[..3], ["UntagResource", "TagResource", "DisableKeyRotation"]);
    assert_eq!(cloud.sent("UntagResource")["TagKeys"], json!(["team"]));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_means_the_same_is_no_change_and_another_is_put_until_it_holds() {
    let object = create(&made(), full()).await.unwrap();
    let same = POLICY.replace(r#""kms:*""#, r#"["kms:*"]"#);
    let (planned, _) = plan_with(&Key, Some(&object), full().with("policy", same.into()), &facts()).unwrap();
    assert_eq!(misfit(&object, &planned), None);
    let other = POLICY.replace("kms:*", "kms:List*");
    let cloud = Cloud::default()
        .answer("DescribeKey", &described(json!({})))
        .answer("GetKeyPolicy", &json!({ "Policy": POLICY }).to_string())
        .answer("GetKeyPolicy", &json!({ "Policy": other }).to_string())
        .answer("GetKeyRotationStatus", r#"{"KeyRotationEnabled":true,"RotationPeriodInDays":365}"#)
        .answer("ListResourceTags", &tags_answer(&[("team", "a")]))
        .fail("PutKeyPolicy", 400, "MalformedPolicyDocumentException", "invalid principals")
        .answer("PutKeyPolicy", "{}");
    let changed = update(&cloud, &object, full().with("policy", other.clone().into())).await.unwrap();
    assert_eq!(text(&changed, "policy"), Some(other.as_str()));
    assert_eq!(cloud.requests("PutKeyPolicy").len(), 2);
    assert_eq!(cloud.requests("GetKeyPolicy").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn throttled() {
    let cloud = there()
        .fail("CreateKey", 400, "ThrottlingException", "Rate exceeded")
        .answer("CreateKey", &described(json!({})))
        .answer("EnableKeyRotation", "{}");
    create(&cloud, full()).await.unwrap();
    assert_eq!(cloud.requests("CreateKey").len(), 2);
    let quota = Cloud::default().fail("CreateKey", 400, "LimitExceededException", "You have too many keys");
    let error = create(&quota, full()).await.unwrap_err().error;
    assert_eq!((error.kind, quota.requests("CreateKey").len()), (ErrorKind::Quota, 1));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_no_second_key() {
    let cloud = there()
        .lose("CreateKey")
        .answer(
            "ListKeys",
            &json!({ "Keys": [{ "KeyId": "other" }, { "KeyId": ID }], "Truncated": false }).to_string(),
        )
        .answer("EnableKeyRotation", "{}");
    create(&cloud, full()).await.unwrap();
    assert_eq!(cloud.requests("CreateKey").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn find_looks_for_the_marker() {
    let keys = json!({ "Keys": [{ "KeyId": ID }], "Truncated": false }).to_string();
    let planned = plan_with(&Key, None, full(), &facts()).unwrap().0;
    let found = there().answer("ListKeys", &keys);
    let object = found.with(async |cx| Key.find(cx, &planned).await).await.unwrap().expect("it is found");
    assert_eq!(filled(&object, "key_id"), Some(ID));
    let other = Cloud::default()
        .answer("ListKeys", &keys)
        .answer("ListResourceTags", &tags_answer(&[(MARKER, "m-2")]));
    assert_eq!(other.with(async |cx| Key.find(cx, &planned).await).await.unwrap(), None);
    let closed = Cloud::default().answer("ListKeys", &keys).fail(
        "ListResourceTags",
        400,
        "AccessDeniedException",
        "no",
    );
    assert_eq!(closed.with(async |cx| Key.find(cx, &planned).await).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = there().answer("CreateKey", &described(json!({}))).fail(
        "EnableKeyRotation",
        400,
        "AccessDeniedException",
        "not allowed",
    );
    let failure = create(&cloud, full()).await.unwrap_err();
    assert_eq!(failure.error.kind, ErrorKind::Denied);
    let partial = failure.partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some(ID), true));
}

#[tokio::test]
async fn import_takes_a_key_id() {
    let object = there().with(async |cx| Key.import(cx, ID).await).await.unwrap().unwrap();
    assert_eq!(
        (filled(&object, "id"), object.get("deletion_window_in_days").unwrap().is_null()),
        (Some(ID), true)
    );
    let replica =
        json!({ "MultiRegion": true, "MultiRegionConfiguration": { "MultiRegionKeyType": "REPLICA" } });
    let cloud = details(Cloud::default()).answer("DescribeKey", &described(replica));
    let error = cloud.with(async |cx| Key.import(cx, ID).await).await.unwrap_err();
    assert!(error.message.contains("replica"), "{}", error.message);
}
