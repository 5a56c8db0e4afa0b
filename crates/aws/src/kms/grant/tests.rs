use terrane_model::{Path, Type, Value};
use terrane_provider::{Failure, ResourceType};

use super::Grant;
use crate::object::{filled, flag};
use crate::testing::{Cloud, facts, misfit, plan_with};

const ANN: &str = "arn:aws:iam::123456789012:user/ann";

fn body() -> Value {
    let pairs = Value::object([("tenant", Value::from("a"))]);
    Value::object([
        ("key_id", Value::from("k1")),
        ("grantee_principal", Value::from(ANN)),
        ("operations", Value::set(Type::String, [Value::from("Decrypt"), Value::from("Encrypt")])),
        ("constraints", Value::object([("encryption_context_equals", pairs)])),
    ])
}

fn entry(id: &str, more: &str) -> String {
    format!(
        r#"{{"KeyId":"arn:aws:kms:eu-west-3:123456789012:key/k1","GrantId":"{id}","GranteePrincipal":"{ANN}","CreationDate":1,
        "Operations":["Encrypt","Decrypt"],"Constraints":{{"EncryptionContextEquals":{{"tenant":"a"}}}}{more}}}"#
    )
}

fn listed(grants: &[String]) -> String {
    format!(r#"{{"Grants":[{}],"Truncated":false}}"#, grants.join(","))
}

const MADE: &str = r#"{"GrantId":"g1","GrantToken":"token"}"#;

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&Grant, None, body).unwrap();
    let object = cloud.with(async |cx| Grant.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

fn made() -> Cloud {
    Cloud::default()
        .answer("ListGrants", &listed(&[]))
        .answer("CreateGrant", MADE)
        .answer("ListGrants", &listed(&[entry("g0", ""), entry("g1", "")]))
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = made()
        .answer("ListGrants", &listed(&[entry("g1", "")]))
        .answer("ListGrants", &listed(&[entry("g1", "")]))
        .answer("ListGrants", &listed(&[]))
        .answer("RevokeGrant", "{}");
    let object = create(&cloud, body()).await.unwrap();
    assert_eq!((filled(&object, "id"), filled(&object, "grant_token")), (Some("k1:g1"), Some("token")));
    let sent = cloud.sent("CreateGrant");
    assert_eq!(sent["Constraints"]["EncryptionContextEquals"]["tenant"], "a");
    assert_eq!(cloud.with(async |cx| Grant.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    assert!(!flag(&object, "retire_on_delete"));
    cloud.with(async |cx| Grant.delete(cx, &object).await).await.unwrap();
    assert_eq!(cloud.sent("RevokeGrant")["GrantId"], "g1");
}

#[tokio::test(start_paused = true)]
async fn vanished() {
    let object = create(&made(), body()).await.unwrap();
    let cloud = Cloud::default()
        .answer("ListGrants", &listed(&[entry("g0", "")]))
        .fail("ListGrants", 400, "NotFoundException", "no key")
        .fail("RevokeGrant", 400, "NotFoundException", "no grant");
    for _ in 0..2 {
        assert_eq!(cloud.with(async |cx| Grant.read(cx, &object).await).await.unwrap(), None);
    }
    cloud.with(async |cx| Grant.delete(cx, &object).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn replaced_by_everything() {
    let object = create(&made(), body()).await.unwrap();
    assert_eq!(plan_with(&Grant, Some(&object), body(), &facts()).unwrap(), (object.clone(), vec![]));
    for (attribute, value) in [
        ("key_id", Value::from("k2")),
        ("name", Value::from("n")),
        ("retire_on_delete", Value::from(true)),
        ("operations", Value::set(Type::String, [Value::from("Decrypt")])),
    ] {
        let (_, replace) = plan_with(&Grant, Some(&object), body().with(attribute, value), &facts()).unwrap();
        assert_eq!(replace, [Path::attribute(attribute)]);
    }
}

#[tokio::test(start_paused = true)]
async fn retired_by_the_arn_of_its_key() {
    let cloud = made().answer("RetireGrant", "{}");
    let object = create(&cloud, body().with("retire_on_delete", true.into())).await.unwrap();
    let gone = Cloud::default().answer("RetireGrant", "{}").answer("ListGrants", &listed(&[]));
    gone.with(async |cx| Grant.delete(cx, &object).await).await.unwrap();
    assert_eq!(gone.sent("RetireGrant")["KeyId"], "arn:aws:kms:eu-west-3:123456789012:key/k1");
}

#[tokio::test(start_paused = true)]
async fn one_whose_answer_got_lost_is_taken_back_and_made_again() {
    let cloud = Cloud::default()
        .answer("ListGrants", &listed(&[entry("old", "")]))
        .lose("CreateGrant")
        .answer(
            "ListGrants",
            &listed(&[entry("old", ""), entry("lost", ""), entry("other", r#","Name":"n""#)]),
        )
        .answer("RevokeGrant", "{}")
        .answer("CreateGrant", MADE)
        .answer("ListGrants", &listed(&[entry("g1", "")]));
    let object = create(&cloud, body()).await.unwrap();
    assert_eq!(filled(&object, "grant_token"), Some("token"));
    assert_eq!(cloud.sent("RevokeGrant")["GrantId"], "lost");
}

#[tokio::test(start_paused = true)]
async fn a_name_makes_it_once_and_new_principals_are_waited_for() {
    let cloud = Cloud::default()
        .fail("CreateGrant", 400, "InvalidArnException", "no such principal")
        .fail("CreateGrant", 400, "ThrottlingException", "Rate exceeded")
        .answer("CreateGrant", MADE)
        .answer("ListGrants", &listed(&[entry("g1", r#","Name":"n""#)]));
    create(&cloud, body().with("name", "n".into())).await.unwrap();
    assert_eq!(cloud.calls(), ["CreateGrant", "CreateGrant", "CreateGrant", "ListGrants"]);
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = Cloud::default().answer("ListGrants", &listed(&[])).answer("CreateGrant", MADE).fail(
        "ListGrants",
        400,
        "AccessDeniedException",
        "no",
    );
    let partial = create(&cloud, body()).await.unwrap_err().partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some("k1:g1"), true));
}

#[tokio::test]
async fn found_by_what_it_says_without_its_token() {
    let newer = entry("new", "").replace(r#""CreationDate":1"#, r#""CreationDate":2"#);
    let grants = [newer, entry("old", ""), entry("other", r#","Name":"n""#)];
    let cloud = Cloud::default().answer("ListGrants", &listed(&grants));
    let planned = cloud.plan(&Grant, None, body()).unwrap();
    let found = cloud.with(async |cx| Grant.find(cx, &planned).await).await.unwrap().unwrap();
    assert_eq!((filled(&found, "grant_id"), found.is_wholly_known()), (Some("new"), true));
    assert!(found.get("grant_token").unwrap().is_null());
}

#[tokio::test]
async fn import_takes_key_and_grant() {
    let cloud = Cloud::default().answer("ListGrants", &listed(&[entry("g1", "")]));
    let arn = "arn:aws:kms:eu-west-3:123456789012:key/k1";
    for key in ["k1", arn] {
        let id = format!("{key}:g1");
        let object = cloud.with(async |cx| Grant.import(cx, &id).await).await.unwrap().unwrap();
        assert_eq!((filled(&object, "key_id"), filled(&object, "id")), (Some(key), Some(id.as_str())));
    }
    assert!(cloud.with(async |cx| Grant.import(cx, "g1").await).await.is_err());
}
