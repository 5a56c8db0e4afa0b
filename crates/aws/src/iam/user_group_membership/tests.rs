use terrane_model::{Path, Type, Value};
use terrane_provider::{Failure, ResourceType};

use super::UserGroupMembership;
use crate::object::{filled, texts};
use crate::testing::{Cloud, facts, misfit, plan_with};

fn body(user: &str, groups: &[&str]) -> Value {
    Value::object([
        ("groups", Value::set(Type::String, groups.iter().map(|group| Value::from(*group)))),
        ("user", Value::from(user)),
    ])
}

fn got(groups: &[&str]) -> String {
    let groups: String = groups
        .iter()
        .map(|group| {
            format!(
                "<member><Path>/</Path><GroupName>{group}</GroupName><GroupId>AGPA</GroupId>\
                 <Arn>arn:aws:iam::123456789012:group/{group}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
            )
        })
        .collect();
    format!(
        "<ListGroupsForUserResponse><ListGroupsForUserResult><Groups>{groups}</Groups><IsTruncated>false</IsTruncated>\
         </ListGroupsForUserResult></ListGroupsForUserResponse>"
    )
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&UserGroupMembership, None, body).unwrap();
    let object = cloud.with(async |cx| UserGroupMembership.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

fn made() -> Cloud {
    Cloud::default()
        .answer("AddUserToGroup", "<R/>")
        .answer("ListGroupsForUser", &got(&["dev", "ops", "other"]))
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = made().answer("RemoveUserFromGroup", "<R/>");
    let object = create(&cloud, body("ann", &["dev", "ops"])).await.unwrap();
    assert!(filled(&object, "id").unwrap().starts_with("terraform-20"));
    let read = cloud.with(async |cx| UserGroupMembership.read(cx, &object).await).await.unwrap();
    assert_eq!(read, Some(object.clone()), "other groups of the user are left alone");
    cloud.with(async |cx| UserGroupMembership.delete(cx, &object).await).await.unwrap();
    assert_eq!(cloud.requests("RemoveUserFromGroup").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn vanished() {
    let object = create(&made(), body("ann", &["dev", "ops"])).await.unwrap();
    let left = Cloud::default().answer("ListGroupsForUser", &got(&["ops"]));
    let read = left.with(async |cx| UserGroupMembership.read(cx, &object).await).await.unwrap().unwrap();
    assert_eq!(texts(&read, "groups"), ["ops"]);
    let gone = Cloud::default().fail("ListGroupsForUser", 404, "NoSuchEntity", "no user").fail(
        "RemoveUserFromGroup",
        404,
        "NoSuchEntity",
        "no user",
    );
    assert_eq!(gone.with(async |cx| UserGroupMembership.read(cx, &object).await).await.unwrap(), None);
    gone.with(async |cx| UserGroupMembership.delete(cx, &object).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn groups_come_and_go_in_place() {
    let object = create(&made(), body("ann", &["dev", "ops"])).await.unwrap();
    let (_, replace) =
        plan_with(&UserGroupMembership, Some(&object), body("eve", &["dev", "ops"]), &facts()).unwrap();
    assert_eq!(replace, [Path::attribute("user")]);
    let (planned, replace) =
        plan_with(&UserGroupMembership, Some(&object), body("ann", &["new", "ops"]), &facts()).unwrap();
    assert_eq!(replace, []);
    let cloud = Cloud::default()
        .answer("RemoveUserFromGroup", "<R/>")
        .answer("AddUserToGroup", "<R/>")
        .answer("ListGroupsForUser", &got(&["new", "ops", "other"]));
    let changed =
        cloud.with(async |cx| UserGroupMembership.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &changed), None);
    assert!(cloud.requests("RemoveUserFromGroup")[0].contains("GroupName=dev"));
}

#[tokio::test(start_paused = true)]
async fn throttled_and_not_yet_known() {
    let cloud = Cloud::default()
        .fail("AddUserToGroup", 400, "Throttling", "Rate exceeded")
        .fail("AddUserToGroup", 404, "NoSuchEntity", "The group with name ops cannot be found.")
        .answer("AddUserToGroup", "<R/>")
        .answer("ListGroupsForUser", &got(&["ops"]));
    create(&cloud, body("ann", &["ops"])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = Cloud::default()
        .answer("AddUserToGroup", "<R/>")
        .fail("AddUserToGroup", 403, "AccessDenied", "no")
        .answer("ListGroupsForUser", &got(&["dev"]));
    let partial = create(&cloud, body("ann", &["dev", "ops"])).await.unwrap_err().partial.unwrap();
    assert_eq!(texts(&partial, "groups"), ["dev"]);
}

#[tokio::test]
async fn import_takes_a_user_and_groups() {
    let cloud = made();
    let object =
        cloud.with(async |cx| UserGroupMembership.import(cx, "ann/ops/dev").await).await.unwrap().unwrap();
    assert_eq!(
        (filled(&object, "user"), texts(&object, "groups")),
        (Some("ann"), vec!["dev".into(), "ops".into()])
    );
    for wrong in ["ann", "ann/", "/ops", "ann/nobodys"] {
        assert!(cloud.with(async |cx| UserGroupMembership.import(cx, wrong).await).await.is_err());
    }
}
