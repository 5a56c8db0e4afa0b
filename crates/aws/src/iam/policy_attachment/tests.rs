use terrane_model::{Path, Value};
use terrane_provider::{ErrorKind, ResourceType};

use super::{Holder, PolicyAttachment};
use crate::object::{filled, text};
use crate::testing::{Cloud, facts, misfit, plan_with};

const USER: PolicyAttachment = PolicyAttachment(Holder::User);
const ARN: &str = "arn:aws:iam::123456789012:policy/app";

fn body(user: &str, policy: &str) -> Value {
    Value::object([("user", Value::from(user)), ("policy_arn", Value::from(policy))])
}

fn listed(arns: &[&str]) -> String {
    let members: String = arns
        .iter()
        .map(|arn| format!("<member><PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn></member>"))
        .collect();
    format!(
        "<ListAttachedUserPoliciesResponse><ListAttachedUserPoliciesResult><AttachedPolicies>{members}</AttachedPolicies>\
         <IsTruncated>false</IsTruncated></ListAttachedUserPoliciesResult></ListAttachedUserPoliciesResponse>"
    )
}

async fn create(cloud: &Cloud) -> Result<Value, terrane_provider::Failure> {
    let planned = cloud.plan(&USER, None, body("ann", ARN)).unwrap();
    let object = cloud.with(async |cx| USER.create(cx, &planned).await).await?;
    assert_eq!(misfit(&planned, &object), None);
    Ok(object)
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let cloud = Cloud::default()
        .answer("AttachUserPolicy", "<R/>")
        .answer("ListAttachedUserPolicies", &listed(&[]))
        .answer("ListAttachedUserPolicies", &listed(&["arn:other", ARN]))
        .answer("DetachUserPolicy", "<R/>");
    let object = create(&cloud).await.unwrap();
    assert!(filled(&object, "id").unwrap().starts_with("ann-20"));
    for _ in 0..3 {
        assert_eq!(cloud.with(async |cx| USER.read(cx, &object).await).await.unwrap(), Some(object.clone()));
    }
    assert_eq!(cloud.calls().len(), 3, "the user's policies are listed once per run");
    cloud.with(async |cx| USER.delete(cx, &object).await).await.unwrap();
}

#[tokio::test]
async fn vanished() {
    let object = body("ann", ARN).with("id", "x".into());
    let detached = Cloud::default().answer("ListAttachedUserPolicies", &listed(&[]));
    let no_user = Cloud::default().fail("ListAttachedUserPolicies", 404, "NoSuchEntity", "no user").fail(
        "DetachUserPolicy",
        404,
        "NoSuchEntity",
        "no user",
    );
    for cloud in [&detached, &no_user] {
        assert_eq!(cloud.with(async |cx| USER.read(cx, &object).await).await.unwrap(), None);
    }
    no_user.with(async |cx| USER.delete(cx, &object).await).await.unwrap();
}

#[test]
fn replaced() {
    let object = body("ann", ARN).with("id", "x".into());
    let other = "arn:aws:iam::123456789012:policy/other";
    assert_eq!(
        plan_with(&USER, Some(&object), body("eve", ARN), &facts()).unwrap().1,
        [Path::attribute("user")]
    );
    let (planned, replace) = plan_with(&USER, Some(&object), body("ann", other), &facts()).unwrap();
    assert_eq!((replace, text(&planned, "id")), (vec![Path::attribute("policy_arn")], Some("x")));
}

#[tokio::test(start_paused = true)]
async fn throttled_and_not_yet_known() {
    let cloud = Cloud::default()
        .fail("AttachUserPolicy", 400, "Throttling", "Rate exceeded")
        .fail("AttachUserPolicy", 404, "NoSuchEntity", "The user with name ann cannot be found.")
        .answer("AttachUserPolicy", "<R/>")
        .answer("ListAttachedUserPolicies", &listed(&[ARN]));
    create(&cloud).await.unwrap();
    assert_eq!(cloud.requests("AttachUserPolicy").len(), 3);
    let mistyped = Cloud::default().fail("AttachUserPolicy", 404, "NoSuchEntity", "Policy does not exist.");
    let error = create(&mistyped).await.unwrap_err().error;
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.hints.iter().any(|hint| hint.contains("Waited")), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn partial_create() {
    let cloud = Cloud::default().answer("AttachUserPolicy", "<R/>").fail(
        "ListAttachedUserPolicies",
        403,
        "AccessDenied",
        "no",
    );
    let partial = create(&cloud).await.unwrap_err().partial.unwrap();
    assert!(partial.is_wholly_known() && filled(&partial, "id").is_some());
}

#[tokio::test]
async fn import_takes_user_and_arn() {
    let cloud = Cloud::default().answer("ListAttachedUserPolicies", &listed(&[ARN]));
    let object = cloud.with(async |cx| USER.import(cx, &format!("ann/{ARN}")).await).await.unwrap().unwrap();
    assert_eq!(filled(&object, "id"), Some(format!("ann-{ARN}").as_str()));
    assert!(cloud.with(async |cx| USER.import(cx, "ann").await).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn roles_and_groups_likewise() {
    for (holder, word) in [(Holder::Role, "Role"), (Holder::Group, "Group")] {
        let attachment = PolicyAttachment(holder);
        let cloud = Cloud::default()
            .answer(&format!("Attach{word}Policy"), "<R/>")
            .answer(&format!("ListAttached{word}Policies"), &listed(&[ARN]).replace("User", word))
            .fail(&format!("Detach{word}Policy"), 404, "NoSuchEntity", "no such attachment");
        let body =
            Value::object([(holder.attribute(), Value::from("ops")), ("policy_arn", Value::from(ARN))]);
        let planned = cloud.plan(&attachment, None, body).unwrap();
        let object = cloud.with(async |cx| attachment.create(cx, &planned).await).await.unwrap();
        assert_eq!(misfit(&planned, &object), None);
        assert!(cloud.requests(&format!("Attach{word}Policy"))[0].contains(&format!("{word}Name=ops")));
        let id = format!("ops/{ARN}");
        let imported = cloud.with(async |cx| attachment.import(cx, &id).await).await.unwrap().unwrap();
        assert_eq!(filled(&imported, holder.attribute()), Some("ops"));
        cloud.with(async |cx| attachment.delete(cx, &object).await).await.unwrap();
    }
}
