use terrane_model::{Path, Type, Value};
use terrane_provider::{ErrorKind, Failure, ResourceType};

use super::{Holder, InlinePolicy};
use crate::object::{filled, text};
use crate::testing::{Cloud, facts, misfit, plan_with};

const USER: InlinePolicy = InlinePolicy(Holder::User);

fn document(action: &str) -> String {
    format!(
        r#"{{"Statement":[{{"Action":["{action}"],"Effect":"Allow","Resource":"*"}}],"Version":"2012-10-17"}}"#
    )
}

fn body(action: &str) -> Value {
    Value::object([
        ("user", Value::from("ann")),
        ("name", Value::from("read")),
        ("policy", Value::from(document(action))),
    ])
}

fn got(word: &str, action: &str) -> String {
    let encoded = document(action).replace('"', "%22").replace('{', "%7B").replace(' ', "+");
    format!(
        "<Get{word}PolicyResponse><Get{word}PolicyResult><{word}Name>ann</{word}Name><PolicyName>read</PolicyName>\
         <PolicyDocument>{encoded}</PolicyDocument></Get{word}PolicyResult></Get{word}PolicyResponse>"
    )
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&USER, None, body).unwrap();
    let object = cloud.with(async |cx| USER.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

fn made() -> Cloud {
    Cloud::default().answer("PutUserPolicy", "<R/>").answer("GetUserPolicy", &got("User", "a:b"))
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = Cloud::default()
        .answer("PutUserPolicy", "<R/>")
        .fail("GetUserPolicy", 404, "NoSuchEntity", "not yet")
        .answer("GetUserPolicy", &got("User", "a:b"))
        .answer("DeleteUserPolicy", "<R/>");
    let object = create(&cloud, body("a:b")).await.unwrap();
    assert_eq!((filled(&object, "id"), text(&object, "name_prefix")), (Some("ann:read"), Some("")));
    assert!(filled(&object, "policy").unwrap().starts_with(r#"{"Version":"2012-10-17","Statement""#));
    assert_eq!(cloud.with(async |cx| USER.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    cloud.with(async |cx| USER.delete(cx, &object).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn vanished() {
    let object = create(&made(), body("a:b")).await.unwrap();
    let cloud = Cloud::default().fail("GetUserPolicy", 404, "NoSuchEntity", "no user").fail(
        "DeleteUserPolicy",
        404,
        "NoSuchEntity",
        "no user",
    );
    assert_eq!(cloud.with(async |cx| USER.read(cx, &object).await).await.unwrap(), None);
    cloud.with(async |cx| USER.delete(cx, &object).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn replaced_by_owner_and_name_changed_by_document() {
    let object = create(&made(), body("a:b")).await.unwrap();
    let same = body("a:b").with("policy", document("a:b").replace(r#"["a:b"]"#, r#""a:b""#).into());
    assert_eq!(plan_with(&USER, Some(&object), same, &facts()).unwrap(), (object.clone(), vec![]));
    for (attribute, value) in [("user", "eve"), ("name", "write")] {
        let (_, replace) =
            plan_with(&USER, Some(&object), body("a:b").with(attribute, value.into()), &facts()).unwrap();
        assert_eq!(replace, [Path::attribute(attribute)]);
    }
    let (planned, replace) = plan_with(&USER, Some(&object), body("c:d"), &facts()).unwrap();
    assert_eq!(replace, []);
    let cloud = Cloud::default()
        .answer("PutUserPolicy", "<R/>")
        .answer("GetUserPolicy", &got("User", "a:b"))
        .answer("GetUserPolicy", &got("User", "c:d"));
    let changed = cloud.with(async |cx| USER.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &changed), None);
}

#[tokio::test(start_paused = true)]
async fn throttled_and_not_yet_known() {
    let cloud = Cloud::default()
        .fail("PutUserPolicy", 400, "Throttling", "Rate exceeded")
        .fail("PutUserPolicy", 404, "NoSuchEntity", "The user with name ann cannot be found.")
        .answer("PutUserPolicy", "<R/>")
        .answer("GetUserPolicy", &got("User", "a:b"));
    create(&cloud, body("a:b")).await.unwrap();
    let malformed = Cloud::default().fail("PutUserPolicy", 400, "MalformedPolicyDocument", "Syntax errors.");
    assert_eq!(create(&malformed, body("a:b")).await.unwrap_err().error.kind, ErrorKind::Invalid);
    assert_eq!(malformed.calls().len(), 1, "a wrong document stays wrong");
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud =
        Cloud::default().answer("PutUserPolicy", "<R/>").fail("GetUserPolicy", 403, "AccessDenied", "no");
    let partial = create(&cloud, body("a:b")).await.unwrap_err().partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some("ann:read"), true));
}

#[tokio::test(start_paused = true)]
async fn names_are_made_up_and_owners_may_be_unknown() {
    let unnamed = Value::object([("user", Value::from("ann")), ("policy", Value::from(document("a:b")))]);
    let object = create(&made(), unnamed.clone()).await.unwrap();
    assert!(filled(&object, "name").unwrap().starts_with("terraform-20"));
    assert_eq!(text(&object, "name_prefix"), Some("terraform-"));
    let (planned, _) =
        plan_with(&USER, None, unnamed.with("user", Value::unknown(Type::String)), &facts()).unwrap();
    assert!(planned.get("id").unwrap().is_unknown());
}

#[tokio::test]
async fn import_takes_owner_and_name() {
    let cloud = made();
    let object = cloud.with(async |cx| USER.import(cx, "ann:read").await).await.unwrap().unwrap();
    assert_eq!((filled(&object, "user"), filled(&object, "name")), (Some("ann"), Some("read")));
    for wrong in ["ann", "ann:", ":read", "a:b:c"] {
        let error = cloud.with(async |cx| USER.import(cx, wrong).await).await.unwrap_err();
        assert!(error.message.contains("`USER:NAME`"), "{}", error.message);
    }
}

#[tokio::test(start_paused = true)]
async fn roles_and_groups_likewise() {
    for (holder, word) in [(Holder::Role, "Role"), (Holder::Group, "Group")] {
        let policy = InlinePolicy(holder);
        let cloud = Cloud::default()
            .answer(&format!("Put{word}Policy"), "<R/>")
            .answer(&format!("Get{word}Policy"), &got(word, "a:b"))
            .answer(&format!("Delete{word}Policy"), "<R/>");
        let body = Value::object([
            (holder.attribute(), Value::from("ops")),
            ("name", Value::from("read")),
            ("policy", Value::from(document("a:b"))),
        ]);
        let planned = cloud.plan(&policy, None, body).unwrap();
        let object = cloud.with(async |cx| policy.create(cx, &planned).await).await.unwrap();
        assert_eq!((misfit(&planned, &object), filled(&object, "id")), (None, Some("ops:read")));
        assert_eq!(
            cloud.with(async |cx| policy.find(cx, &planned).await).await.unwrap(),
            Some(object.clone())
        );
        cloud.with(async |cx| policy.delete(cx, &object).await).await.unwrap();
    }
}
