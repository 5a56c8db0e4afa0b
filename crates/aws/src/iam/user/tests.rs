use terrane_model::Value;
use terrane_provider::{ErrorKind, ResourceType};

use super::User;
use crate::object::{absent, filled, text};
use crate::testing::{Cloud, facts, misfit, plan_with};

fn body(name: &str) -> Value {
    Value::object([("name", Value::from(name))])
}

fn got(name: &str, path: &str, more: &str) -> String {
    format!(
        "<GetUserResponse><GetUserResult><User><Path>{path}</Path><UserName>{name}</UserName><UserId>AIDA</UserId>\
         <Arn>arn:aws:iam::123456789012:user{path}{name}</Arn><CreateDate>2099-01-01T00:00:00Z</CreateDate>{more}</User>\
         </GetUserResult></GetUserResponse>"
    )
}

fn empty(operation: &str, list: &str) -> String {
    format!(
        "<{operation}Response><{operation}Result><{list}></{list}><IsTruncated>false</IsTruncated></{operation}Result>\
         </{operation}Response>"
    )
}

const CREATED: &str = "<CreateUserResponse><CreateUserResult/></CreateUserResponse>";

fn made() -> Cloud {
    Cloud::default().answer("CreateUser", CREATED).answer("GetUser", &got("ann", "/", ""))
}

async fn create(cloud: &Cloud, body: Value) -> Result<Value, terrane_provider::Failure> {
    let planned = cloud.plan(&User, None, body).unwrap();
    let object = cloud.with(async |cx| User.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = Cloud::default()
        .answer("CreateUser", CREATED)
        .fail("GetUser", 404, "NoSuchEntity", "not yet")
        .answer("GetUser", &got("ann", "/", ""))
        .answer("ListGroupsForUser", &empty("ListGroupsForUser", "Groups"))
        .answer("DeleteUser", "<DeleteUserResponse/>");
    let object = create(&cloud, body("ann")).await.unwrap();
    assert_eq!(
        (filled(&object, "unique_id"), text(&object, "permissions_boundary")),
        (Some("AIDA"), Some(""))
    );
    assert_eq!(cloud.with(async |cx| User.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    cloud.with(async |cx| User.delete(cx, &object).await).await.unwrap();
    assert_eq!(cloud.calls()[4..], ["ListGroupsForUser", "DeleteUser"]);
}

#[tokio::test]
async fn vanished() {
    let cloud = Cloud::default().fail("GetUser", 404, "NoSuchEntity", "no user").fail(
        "ListGroupsForUser",
        404,
        "NoSuchEntity",
        "no user",
    );
    let prior = absent(User.schema()).with("id", "ann".into());
    assert_eq!(cloud.with(async |cx| User.read(cx, &prior).await).await.unwrap(), None);
    cloud.with(async |cx| User.delete(cx, &prior).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn never_replaced_and_renamed_after_its_tags() {
    let object = create(&made(), body("ann")).await.unwrap();
    let tags = Value::object([("t", Value::from("1"))]);
    let new = body("eve").with("path", "/team/".into()).with("tags", tags);
    let (planned, replace) = plan_with(&User, Some(&object), new, &facts()).unwrap();
    assert_eq!(replace, []);
    assert_eq!(filled(&planned, "arn"), Some("arn:aws:iam::123456789012:user/team/eve"));
    let tagged = "<Tags><member><Key>t</Key><Value>1</Value></member></Tags>";
    let cloud = Cloud::default()
        .answer("TagUser", "<TagUserResponse/>")
        .answer("UpdateUser", "<UpdateUserResponse/>")
        .answer("GetUser", &got("eve", "/team/", tagged));
    let changed = cloud.with(async |cx| User.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(misfit(&planned, &changed), None);
    assert_eq!(cloud.calls(), ["TagUser", "UpdateUser", "GetUser"]);
    assert!(cloud.requests("TagUser")[0].contains("UserName=ann"), "the name that the user still has");
}

#[tokio::test(start_paused = true)]
async fn boundary_set_and_cleared() {
    let arn = "arn:aws:iam::123456789012:policy/limit";
    let object = create(&made(), body("ann")).await.unwrap();
    let bounded = body("ann").with("permissions_boundary", arn.into());
    let (planned, _) = plan_with(&User, Some(&object), bounded, &facts()).unwrap();
    let more = format!(
        "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
         <PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>"
    );
    let cloud = Cloud::default()
        .answer("PutUserPermissionsBoundary", "<R/>")
        .answer("GetUser", &got("ann", "/", &more));
    let limited = cloud.with(async |cx| User.update(cx, &object, &planned).await).await.unwrap();
    assert_eq!(filled(&limited, "permissions_boundary"), Some(arn));
    let (planned, _) = plan_with(&User, Some(&limited), body("ann"), &facts()).unwrap();
    let cloud = Cloud::default()
        .answer("DeleteUserPermissionsBoundary", "<R/>")
        .answer("GetUser", &got("ann", "/", &more))
        .answer("GetUser", &got("ann", "/", ""));
    let free = cloud.with(async |cx| User.update(cx, &limited, &planned).await).await.unwrap();
    assert_eq!(text(&free, "permissions_boundary"), Some(""));
}

#[tokio::test]
async fn what_hangs_on_the_user_is_taken_away_only_when_asked_for() {
    let prior = absent(User.schema()).with("id", "ann".into());
    let groups = "<ListGroupsForUserResponse><ListGroupsForUserResult><Groups><member><Path>/</Path><GroupName>g</GroupName>\
        <GroupId>AGPA</GroupId><Arn>arn:aws:iam::123456789012:group/g</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
        </member></Groups><IsTruncated>false</IsTruncated></ListGroupsForUserResult></ListGroupsForUserResponse>";
    let refusing = Cloud::default()
        .answer("ListGroupsForUser", groups)
        .answer("RemoveUserFromGroup", "<R/>")
        .fail("DeleteUser", 409, "DeleteConflict", "Cannot delete entity, must detach all policies first.");
    let error = refusing.with(async |cx| User.delete(cx, &prior).await).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.hints.iter().any(|hint| hint.contains("force_destroy")));
    assert_eq!(refusing.calls(), ["ListGroupsForUser", "RemoveUserFromGroup", "DeleteUser"]);

    let keys = "<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata><member><UserName>ann</UserName>\
        <AccessKeyId>AKIA1</AccessKeyId><Status>Active</Status></member></AccessKeyMetadata>\
        <IsTruncated>false</IsTruncated></ListAccessKeysResult></ListAccessKeysResponse>";
    let cloud = Cloud::default()
        .answer("ListGroupsForUser", &empty("ListGroupsForUser", "Groups"))
        .answer("ListUserPolicies", &empty("ListUserPolicies", "PolicyNames"))
        .answer("ListAttachedUserPolicies", &empty("ListAttachedUserPolicies", "AttachedPolicies"))
        .answer("ListAccessKeys", keys)
        .answer("DeleteAccessKey", "<R/>")
        .answer("ListSSHPublicKeys", &empty("ListSSHPublicKeys", "SSHPublicKeys"))
        .answer("ListVirtualMFADevices", &empty("ListVirtualMFADevices", "VirtualMFADevices"))
        .answer("ListMFADevices", &empty("ListMFADevices", "MFADevices"))
        .fail("DeleteLoginProfile", 404, "NoSuchEntity", "no password")
        .answer("ListSigningCertificates", &empty("ListSigningCertificates", "Certificates"))
        .answer(
            "ListServiceSpecificCredentials",
            &empty("ListServiceSpecificCredentials", "ServiceSpecificCredentials"),
        )
        .answer("DeleteUser", "<R/>");
    let prior = prior.with("force_destroy", true.into());
    cloud.with(async |cx| User.delete(cx, &prior).await).await.unwrap();
    assert!(cloud.requests("DeleteAccessKey")[0].contains("AccessKeyId=AKIA1"));
    assert_eq!(cloud.calls().last().map(String::as_str), Some("DeleteUser"));
}

#[tokio::test(start_paused = true)]
async fn throttled_lost_and_taken() {
    let cloud = Cloud::default()
        .fail("CreateUser", 400, "Throttling", "Rate exceeded")
        .fail("CreateUser", 409, "ConcurrentModification", "other changes")
        .lose("CreateUser")
        .fail("GetUser", 404, "NoSuchEntity", "not yet")
        .answer("GetUser", &got("ann", "/", ""))
        .fail("CreateUser", 409, "EntityAlreadyExists", "User with name ann already exists.");
    create(&cloud, body("ann")).await.unwrap();
    assert_eq!(cloud.requests("CreateUser").len(), 4);
    let taken =
        Cloud::default().fail("CreateUser", 409, "EntityAlreadyExists", "User with name ann already exists.");
    assert_eq!(create(&taken, body("ann")).await.unwrap_err().error.kind, ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_user_is_not_taken_over_after_a_failure() {
    let old = got("ann", "/", "").replace("2099", "2020");
    let cloud = Cloud::default()
        .fail("CreateUser", 500, "ServiceFailure", "try again")
        .fail("CreateUser", 409, "EntityAlreadyExists", "User with name ann already exists.")
        .answer("GetUser", &old);
    assert_eq!(create(&cloud, body("ann")).await.unwrap_err().error.kind, ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = Cloud::default().answer("CreateUser", CREATED).fail("GetUser", 403, "AccessDenied", "no");
    let partial = create(&cloud, body("ann")).await.unwrap_err().partial.unwrap();
    assert_eq!((filled(&partial, "id"), partial.is_wholly_known()), (Some("ann"), true));
}

#[tokio::test]
async fn import_takes_a_name() {
    let cloud = made();
    let object = cloud.with(async |cx| User.import(cx, "ann").await).await.unwrap().unwrap();
    assert!(object.get("force_destroy").unwrap().is_null());
    assert!(cloud.with(async |cx| User.import(cx, "/team/ann").await).await.is_err());
}
