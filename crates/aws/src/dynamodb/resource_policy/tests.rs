use terrane_model::{Path, Value};
use terrane_provider::{Failure, ResourceType};

use super::ResourcePolicy;
use crate::object::filled;
use crate::testing::{Cloud, facts, misfit, plan_with};

const ARN: &str = "arn:aws:dynamodb:eu-west-3:123456789012:table/notes";

fn document(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::210987654321:root"}},
        "Action":"{action}","Resource":"{ARN}"}}]}}"#
    )
}

fn body(action: &str) -> Value {
    Value::object([("resource_arn", Value::from(ARN)), ("policy", Value::from(document(action)))])
}

fn got(action: &str, revision: &str) -> String {
    let policy = document(action).replace('\n', "").replace('"', "\\\"");
    format!(r#"{{"Policy":"{policy}","RevisionId":"{revision}"}}"#)
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&ResourcePolicy, None, body).unwrap();
    let object = cloud.with(async |cx| ResourcePolicy.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

fn made() -> Cloud {
    Cloud::default()
        .answer("PutResourcePolicy", r#"{"RevisionId":"1"}"#)
        .answer("GetResourcePolicy", &got("dynamodb:GetItem", "1"))
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = Cloud::default()
        .answer("PutResourcePolicy", r#"{"RevisionId":"1"}"#)
        .fail("GetResourcePolicy", 400, "PolicyNotFoundException", "not yet")
        .answer("GetResourcePolicy", &got("dynamodb:GetItem", "1"))
        .answer("DeleteResourcePolicy", "{}");
    let object = create(&cloud, body("dynamodb:GetItem")).await.unwrap();
    assert_eq!((filled(&object, "id"), filled(&object, "revision_id")), (Some(ARN), Some("1")));
    assert_eq!(
        filled(&object, "policy"),
        Some(document("dynamodb:GetItem").as_str()),
        "the text as it was given"
    );
    let read = cloud.with(async |cx| ResourcePolicy.read(cx, &object).await).await.unwrap();
    assert_eq!(read, Some(object.clone()));
    cloud.with(async |cx| ResourcePolicy.delete(cx, &object).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn vanished() {
    let object = create(&made(), body("dynamodb:GetItem")).await.unwrap();
    let cloud = Cloud::default()
        .fail("GetResourcePolicy", 400, "PolicyNotFoundException", "no policy")
        .fail("GetResourcePolicy", 400, "ResourceNotFoundException", "no table")
        .fail("DeleteResourcePolicy", 400, "ResourceNotFoundException", "no table");
    for _ in 0..2 {
        assert_eq!(cloud.with(async |cx| ResourcePolicy.read(cx, &object).await).await.unwrap(), None);
    }
    cloud.with(async |cx| ResourcePolicy.delete(cx, &object).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn replaced_by_the_table_and_changed_by_the_text() {
    let object = create(&made(), body("dynamodb:GetItem")).await.unwrap();
    let other = body("dynamodb:GetItem").with("resource_arn", format!("{ARN}2").into());
    let (_, replace) = plan_with(&ResourcePolicy, Some(&object), other, &facts()).unwrap();
    assert_eq!(replace, [Path::attribute("resource_arn")]);
    let (planned, replace) =
        plan_with(&ResourcePolicy, Some(&object), body("dynamodb:Query"), &facts()).unwrap();
    assert_eq!((replace, planned.get("revision_id").unwrap().is_unknown()), (vec![], true));
    let cloud = Cloud::default()
        .answer("PutResourcePolicy", r#"{"RevisionId":"2"}"#)
        .answer("GetResourcePolicy", &got("dynamodb:GetItem", "1"))
        .answer("GetResourcePolicy", &got("dynamodb:Query", "2"));
    let changed = cloud.with(async |cx| ResourcePolicy.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!((misfit(&planned, &changed), filled(&changed, "revision_id")), (None, Some("2")));
}

#[tokio::test(start_paused = true)]
async fn throttled_and_waiting_for_table_and_principals() {
    let cloud = Cloud::default()
        .fail("PutResourcePolicy", 400, "ThrottlingException", "Rate exceeded")
        .fail("PutResourcePolicy", 400, "ResourceInUseException", "Table is being updated")
        .fail(
            "PutResourcePolicy",
            400,
            "ValidationException",
            "Invalid policy document: Invalid principal in policy",
        )
        .answer("PutResourcePolicy", r#"{"RevisionId":"1"}"#)
        .answer("GetResourcePolicy", &got("dynamodb:GetItem", "1"));
    create(&cloud, body("dynamodb:GetItem")).await.unwrap();
    let wrong =
        Cloud::default().fail("PutResourcePolicy", 400, "ValidationException", "Invalid policy document: no");
    create(&wrong, body("dynamodb:GetItem")).await.unwrap_err();
    assert_eq!(wrong.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = Cloud::default().answer("PutResourcePolicy", r#"{"RevisionId":"1"}"#).fail(
        "GetResourcePolicy",
        400,
        "AccessDeniedException",
        "no",
    );
    let partial = create(&cloud, body("dynamodb:GetItem")).await.unwrap_err().partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some(ARN), true));
}

#[tokio::test]
async fn found_when_it_says_what_was_planned() {
    let planned = Cloud::default().plan(&ResourcePolicy, None, body("dynamodb:GetItem")).unwrap();
    for (action, is_found) in [("dynamodb:GetItem", true), ("dynamodb:Scan", false)] {
        let cloud = Cloud::default().answer("GetResourcePolicy", &got(action, "1"));
        let found = cloud.with(async |cx| ResourcePolicy.find(cx, &planned).await).await.unwrap();
        assert_eq!(found.is_some(), is_found);
    }
}

#[tokio::test]
async fn import_takes_an_arn() {
    let cloud = made();
    let object = cloud.with(async |cx| ResourcePolicy.import(cx, ARN).await).await.unwrap().unwrap();
    assert_eq!(filled(&object, "resource_arn"), Some(ARN));
    assert!(cloud.with(async |cx| ResourcePolicy.import(cx, "notes").await).await.is_err());
}
