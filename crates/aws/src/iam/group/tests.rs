use terrane_model::Value;
use terrane_provider::{ErrorKind, Failure, ResourceType};

use super::Group;
use crate::object::{absent, filled};
use crate::testing::{Cloud, facts, misfit, plan_with};

fn body(name: &str) -> Value {
    Value::object([("name", Value::from(name))])
}

fn got(name: &str, path: &str) -> String {
    format!(
        "<GetGroupResponse><GetGroupResult><Group><Path>{path}</Path><GroupName>{name}</GroupName><GroupId>AGPA</GroupId>\
         <Arn>arn:aws:iam::123456789012:group{path}{name}</Arn><CreateDate>2099-01-01T00:00:00Z</CreateDate></Group>\
         <Users/><IsTruncated>false</IsTruncated></GetGroupResult></GetGroupResponse>"
    )
}

const CREATED: &str = "<CreateGroupResponse><CreateGroupResult/></CreateGroupResponse>";

fn made() -> Cloud {
    Cloud::default().answer("CreateGroup", CREATED).answer("GetGroup", &got("ops", "/"))
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&Group, None, body).unwrap();
    let object = cloud.with(async |cx| Group.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = Cloud::default()
        .answer("CreateGroup", CREATED)
        .fail("GetGroup", 404, "NoSuchEntity", "not yet")
        .answer("GetGroup", &got("ops", "/"))
        .answer("DeleteGroup", "<R/>");
    let object = create(&cloud, body("ops")).await.unwrap();
    assert_eq!(filled(&object, "arn"), Some("arn:aws:iam::123456789012:group/ops"));
    assert_eq!(cloud.with(async |cx| Group.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    cloud.with(async |cx| Group.delete(cx, &object).await).await.unwrap();
}

#[tokio::test]
async fn vanished() {
    let cloud = Cloud::default().fail("GetGroup", 404, "NoSuchEntity", "no group").fail(
        "DeleteGroup",
        404,
        "NoSuchEntity",
        "no group",
    );
    let prior = absent(Group.schema()).with("id", "ops".into());
    assert_eq!(cloud.with(async |cx| Group.read(cx, &prior).await).await.unwrap(), None);
    cloud.with(async |cx| Group.delete(cx, &prior).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn never_replaced_but_renamed() {
    let object = create(&made(), body("ops")).await.unwrap();
    let new = body("dev").with("path", "/team/".into());
    let (planned, replace) = plan_with(&Group, Some(&object), new, &facts()).unwrap();
    assert_eq!(replace, []);
    let cloud = Cloud::default().answer("UpdateGroup", "<R/>").answer("GetGroup", &got("dev", "/team/"));
    let changed = cloud.with(async |cx| Group.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &changed), None);
    assert_eq!(filled(&changed, "id"), Some("dev"));
    assert!(cloud.requests("UpdateGroup")[0].contains("NewGroupName=dev"));
}

#[tokio::test(start_paused = true)]
async fn throttled_lost_taken_and_in_use() {
    let cloud = Cloud::default()
        .fail("CreateGroup", 400, "Throttling", "Rate exceeded")
        .lose("CreateGroup")
        .fail("CreateGroup", 409, "EntityAlreadyExists", "Group with name ops already exists.")
        .fail("GetGroup", 404, "NoSuchEntity", "not yet")
        .answer("GetGroup", &got("ops", "/"))
        .fail(
            "DeleteGroup",
            409,
            "DeleteConflict",
            "Cannot delete entity, must remove users from group first.",
        );
    let object = create(&cloud, body("ops")).await.unwrap();
    let error = cloud.with(async |cx| Group.delete(cx, &object).await).await.unwrap_err();
    assert_eq!((error.kind, error.hints.len()), (ErrorKind::Conflict, 1));
    let taken = Cloud::default().fail("CreateGroup", 409, "EntityAlreadyExists", "Group exists.");
    assert_eq!(create(&taken, body("ops")).await.unwrap_err().error.kind, ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = Cloud::default().answer("CreateGroup", CREATED).fail("GetGroup", 403, "AccessDenied", "no");
    let partial = create(&cloud, body("ops")).await.unwrap_err().partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some("ops"), true));
}

#[tokio::test]
async fn import_takes_a_name() {
    let cloud = made();
    let object = cloud.with(async |cx| Group.import(cx, "ops").await).await.unwrap().unwrap();
    assert_eq!(filled(&object, "name"), Some("ops"));
    assert!(cloud.with(async |cx| Group.import(cx, "/team/ops").await).await.is_err());
}
