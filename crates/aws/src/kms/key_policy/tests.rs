use terrane_model::{Path, Value};
use terrane_provider::{Failure, ResourceType};

use super::KeyPolicy;
use crate::object::filled;
use crate::testing::{Cloud, facts, misfit, plan_with};

fn document(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::123456789012:root"}},"Action":"{action}","Resource":"*"}}]}}"#
    )
}

fn body(key: &str, action: &str) -> Value {
    Value::object([("key_id", Value::from(key)), ("policy", Value::from(document(action)))])
}

fn has(policy: &str) -> String {
    format!(r#"{{"Policy":"{}","PolicyName":"default"}}"#, policy.replace('"', "\\\""))
}

fn key(state: &str) -> String {
    format!(r#"{{"KeyMetadata":{{"KeyId":"k1","KeyState":"{state}"}}}}"#)
}

fn enabled() -> Cloud {
    Cloud::default().answer("DescribeKey", &key("Enabled")).answer("PutKeyPolicy", "{}")
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&KeyPolicy, None, body).unwrap();
    let object = cloud.with(async |cx| KeyPolicy.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let root = r#"{"Id":"default","Statement":[{"Action":"kms:*","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Resource":"*","Sid":"Enable IAM User Permissions"}],"Version":"2012-10-17"}"#;
    let cloud = enabled()
        .answer("GetKeyPolicy", &has(&document("kms:*")))
        .answer("GetKeyPolicy", &has(&document("kms:Decrypt")))
        .answer("GetKeyPolicy", &has(&document("kms:Decrypt")))
        .answer("GetKeyPolicy", &has(&document("kms:Decrypt")))
        .answer("GetKeyPolicy", &has(root));
    let object = create(&cloud, body("k1", "kms:Decrypt")).await.unwrap();
    assert_eq!(filled(&object, "id"), Some("k1"));
    assert_eq!(cloud.with(async |cx| KeyPolicy.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    let deleted = cloud.with(async |cx| KeyPolicy.delete(cx, &object).await).await.unwrap();
    assert!(deleted.note.unwrap().contains("from the start"));
    let last: serde_json::Value =
        serde_json::from_str(cloud.requests("PutKeyPolicy").last().unwrap()).unwrap();
    assert_eq!(last["Policy"].as_str(), Some(root));
}

#[tokio::test(start_paused = true)]
async fn vanished() {
    let object = create(&enabled().answer("GetKeyPolicy", &has(&document("kms:*"))), body("k1", "kms:*"))
        .await
        .unwrap();
    let gone = Cloud::default().fail("DescribeKey", 400, "NotFoundException", "no key").fail(
        "GetKeyPolicy",
        400,
        "NotFoundException",
        "no key",
    );
    let ending = Cloud::default()
        .answer("DescribeKey", &key("PendingDeletion"))
        .answer("GetKeyPolicy", &has(&document("kms:*")));
    for cloud in [gone, ending] {
        assert_eq!(cloud.with(async |cx| KeyPolicy.read(cx, &object).await).await.unwrap(), None);
        cloud.with(async |cx| KeyPolicy.delete(cx, &object).await).await.unwrap();
        assert!(cloud.requests("PutKeyPolicy").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn replaced_by_another_key_and_changed_by_the_text() {
    let object = create(&enabled().answer("GetKeyPolicy", &has(&document("kms:*"))), body("k1", "kms:*"))
        .await
        .unwrap();
    let (_, replace) = plan_with(&KeyPolicy, Some(&object), body("k2", "kms:*"), &facts()).unwrap();
    assert_eq!(replace, [Path::attribute("key_id")]);
    let arn = "arn:aws:kms:eu-west-3:123456789012:key/k1";
    let (planned, replace) =
        plan_with(&KeyPolicy, Some(&object), body(arn, "kms:Decrypt"), &facts()).unwrap();
    assert_eq!(replace, []);
    let cloud = enabled().answer("GetKeyPolicy", &has(&document("kms:Decrypt")));
    let changed = cloud.with(async |cx| KeyPolicy.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &changed), None);
}

#[tokio::test(start_paused = true)]
async fn throttled_and_waiting_for_principals() {
    let cloud = Cloud::default()
        .fail("PutKeyPolicy", 400, "ThrottlingException", "Rate exceeded")
        .fail(
            "PutKeyPolicy",
            400,
            "MalformedPolicyDocumentException",
            "Policy contains a statement with one or more invalid principals.",
        )
        .answer("PutKeyPolicy", "{}")
        .answer("DescribeKey", &key("Enabled"))
        .answer("GetKeyPolicy", &has(&document("kms:*")));
    create(&cloud, body("k1", "kms:*")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = enabled().fail("GetKeyPolicy", 400, "AccessDeniedException", "no");
    let partial = create(&cloud, body("k1", "kms:*")).await.unwrap_err().partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some("k1"), true));
}

#[tokio::test(start_paused = true)]
async fn a_bypassed_lockout_check_leaves_the_policy() {
    let cloud = enabled().answer("GetKeyPolicy", &has(&document("kms:*")));
    let bold = body("k1", "kms:*").with("bypass_policy_lockout_safety_check", true.into());
    let object = create(&cloud, bold).await.unwrap();
    let deleted = cloud.with(async |cx| KeyPolicy.delete(cx, &object).await).await.unwrap();
    assert_eq!(deleted.note.as_deref(), Some("The key k1 keeps its policy."));
    assert_eq!(cloud.requests("PutKeyPolicy").len(), 1);
}

#[tokio::test]
async fn found_by_its_text_and_imported_by_key() {
    let cloud = enabled().answer("GetKeyPolicy", &has(&document("kms:*")));
    let object = cloud.with(async |cx| KeyPolicy.import(cx, "k1").await).await.unwrap().unwrap();
    assert_eq!(filled(&object, "key_id"), Some("k1"));
    for (action, is_found) in [("kms:*", true), ("kms:Decrypt", false)] {
        let planned = cloud.plan(&KeyPolicy, None, body("k1", action)).unwrap();
        let found = cloud.with(async |cx| KeyPolicy.find(cx, &planned).await).await.unwrap();
        assert_eq!(found.is_some(), is_found);
    }
}
