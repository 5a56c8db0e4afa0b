use terrane_model::{Path, Type, Value};
use terrane_provider::{Failure, ResourceType};

use super::GroupMembership;
use crate::object::{filled, texts};
use crate::testing::{Cloud, facts, misfit, plan_with};

fn body(users: &[&str]) -> Value {
    Value::object([
        ("group", Value::from("ops")),
        ("name", Value::from("all")),
        ("users", Value::set(Type::String, users.iter().map(|user| Value::from(*user)))),
    ])
}

fn got(users: &[&str], next: &str) -> String {
    let users: String = users
        .iter()
        .map(|user| {
            format!(
                "<member><Path>/</Path><UserName>{user}</UserName><UserId>AIDA</UserId>\
                 <Arn>arn:aws:iam::123456789012:user/{user}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
            )
        })
        .collect();
    let more = match next {
        "" => "<IsTruncated>false</IsTruncated>".to_owned(),
        next => format!("<IsTruncated>true</IsTruncated><Marker>{next}</Marker>"),
    };
    format!(
        "<GetGroupResponse><GetGroupResult><Group><Path>/</Path><GroupName>ops</GroupName><GroupId>AGPA</GroupId>\
         <Arn>arn:aws:iam::123456789012:group/ops</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Group>\
         <Users>{users}</Users>{more}</GetGroupResult></GetGroupResponse>"
    )
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, Failure> {
    let planned = cloud.plan(&GroupMembership, None, body).unwrap();
    let object = cloud.with(async |cx| GroupMembership.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

fn made() -> Cloud {
    Cloud::default().answer("AddUserToGroup", "<R/>").answer("GetGroup", &got(&["ann", "eve"], ""))
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = Cloud::default()
        .answer("AddUserToGroup", "<R/>")
        .answer("GetGroup", &got(&["ann"], ""))
        .answer("GetGroup", &got(&["ann"], "more"))
        .answer("GetGroup", &got(&["eve"], ""))
        .answer("GetGroup", &got(&["ann", "bob", "eve"], ""))
        .answer("RemoveUserFromGroup", "<R/>");
    let object = create(&cloud, body(&["ann", "eve"])).await.unwrap();
    assert_eq!(filled(&object, "id"), Some("all"));
    let read = cloud.with(async |cx| GroupMembership.read(cx, &object).await).await.unwrap().unwrap();
    assert_eq!(texts(&read, "users"), ["ann", "bob", "eve"], "members put in by others are a difference");
    cloud.with(async |cx| GroupMembership.delete(cx, &object).await).await.unwrap();
    assert_eq!(cloud.requests("RemoveUserFromGroup").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn vanished() {
    let object = create(&made(), body(&["ann", "eve"])).await.unwrap();
    let cloud = Cloud::default().fail("GetGroup", 404, "NoSuchEntity", "no group").fail(
        "RemoveUserFromGroup",
        404,
        "NoSuchEntity",
        "no group",
    );
    assert_eq!(cloud.with(async |cx| GroupMembership.read(cx, &object).await).await.unwrap(), None);
    cloud.with(async |cx| GroupMembership.delete(cx, &object).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn users_come_and_go_in_place() {
    let object = create(&made(), body(&["ann", "eve"])).await.unwrap();
    for attribute in ["group", "name"] {
        let other = body(&["ann", "eve"]).with(attribute, "other".into());
        let (_, replace) = plan_with(&GroupMembership, Some(&object), other, &facts()).unwrap();
        assert_eq!(replace, [Path::attribute(attribute)]);
    }
    let (planned, replace) =
        plan_with(&GroupMembership, Some(&object), body(&["ann", "bob"]), &facts()).unwrap();
    assert_eq!(replace, []);
    let cloud = Cloud::default()
        .answer("RemoveUserFromGroup", "<R/>")
        .answer("AddUserToGroup", "<R/>")
        .answer("GetGroup", &got(&["ann", "bob"], ""));
    let changed = cloud.with(async |cx| GroupMembership.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &changed), None);
    assert!(cloud.requests("RemoveUserFromGroup")[0].contains("UserName=eve"));
    assert!(cloud.requests("AddUserToGroup")[0].contains("UserName=bob"));
}

#[tokio::test(start_paused = true)]
async fn throttled_and_not_yet_known() {
    let cloud = Cloud::default()
        .fail("AddUserToGroup", 400, "Throttling", "Rate exceeded")
        .fail("AddUserToGroup", 404, "NoSuchEntity", "The user with name ann cannot be found.")
        .answer("AddUserToGroup", "<R/>")
        .answer("GetGroup", &got(&["ann"], ""));
    create(&cloud, body(&["ann"])).await.unwrap();
    assert_eq!(cloud.requests("AddUserToGroup").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = Cloud::default()
        .answer("AddUserToGroup", "<R/>")
        .fail("AddUserToGroup", 403, "AccessDenied", "no")
        .answer("GetGroup", &got(&["ann"], ""));
    let partial = create(&cloud, body(&["ann", "eve"])).await.unwrap_err().partial.unwrap();
    assert_eq!(texts(&partial, "users"), ["ann"]);
}

#[tokio::test]
async fn found_once_it_was_begun_and_never_imported() {
    let planned = Cloud::default().plan(&GroupMembership, None, body(&["ann", "eve"])).unwrap();
    for (members, is_found) in [(&["bob"][..], false), (&["eve"][..], true)] {
        let cloud = Cloud::default().answer("GetGroup", &got(members, ""));
        let found = cloud.with(async |cx| GroupMembership.find(cx, &planned).await).await.unwrap();
        assert_eq!(found.is_some(), is_found);
    }
    assert!(Cloud::default().with(async |cx| GroupMembership.import(cx, "all").await).await.is_err());
}
