//! IAM: users, groups, roles and policies, their limits and conflicts, and that they decide.

use aws_sdk_iam::types::Tag;
use serde_json::json;

use crate::aws::{ACCOUNT, Aws, refused, sandbox, statement};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

#[tokio::test]
async fn a_user_is_made_described_renamed_and_deleted() {
    let sandbox = sandbox();
    let iam = Aws::admin(&sandbox).iam;
    let made = iam
        .create_user()
        .user_name("ann")
        .path("/a/")
        .tags(tag("k", "v"))
        .send()
        .await
        .unwrap()
        .user
        .unwrap();
    assert_eq!(made.arn, format!("arn:aws:iam::{ACCOUNT}:user/a/ann"));
    assert!(made.user_id.starts_with("AIDA") && made.user_id.len() == 21);
    for again in ["ann", "ANN"] {
        assert_eq!(refused(iam.create_user().user_name(again).send().await).0, "EntityAlreadyExists");
    }
    let (code, message) = refused(iam.get_user().user_name("bob").send().await);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("NoSuchEntity", "The user with name bob cannot be found.")
    );
    let inline = iam
        .put_user_policy()
        .user_name("ann")
        .policy_name("p")
        .policy_document(statement("Allow", "kms:*", "*"));
    inline.send().await.unwrap();
    iam.update_user().user_name("ann").new_user_name("anna").new_path("/b/").send().await.unwrap();
    let renamed = iam.get_user().user_name("anna").send().await.unwrap().user.unwrap();
    assert_eq!((renamed.user_id, renamed.arn), (made.user_id, format!("arn:aws:iam::{ACCOUNT}:user/b/anna")));
    assert_eq!(renamed.tags.unwrap(), [tag("k", "v")]);
    let names = iam.list_user_policies().user_name("anna").send().await.unwrap().policy_names;
    assert_eq!(names, ["p"]);
    assert_eq!(refused(iam.get_user().user_name("ann").send().await).0, "NoSuchEntity");
    assert_eq!(refused(iam.delete_user().user_name("anna").send().await).0, "DeleteConflict");
    iam.delete_user_policy().user_name("anna").policy_name("p").send().await.unwrap();
    iam.delete_user().user_name("anna").send().await.unwrap();
    assert_eq!(refused(iam.delete_user().user_name("anna").send().await).0, "NoSuchEntity");
}

#[tokio::test]
async fn what_belongs_to_a_user_keeps_it_from_being_deleted() {
    let sandbox = sandbox();
    let iam = Aws::admin(&sandbox).iam;
    iam.create_user().user_name("ann").send().await.unwrap();
    iam.create_group().group_name("g").send().await.unwrap();
    let blocked = || async { refused(iam.delete_user().user_name("ann").send().await).0 };
    let key =
        iam.create_access_key().user_name("ann").send().await.unwrap().access_key.unwrap().access_key_id;
    assert_eq!(blocked().await, "DeleteConflict");
    iam.delete_access_key().user_name("ann").access_key_id(key).send().await.unwrap();
    iam.add_user_to_group().user_name("ann").group_name("g").send().await.unwrap();
    assert_eq!(blocked().await, "DeleteConflict");
    assert_eq!(refused(iam.delete_group().group_name("g").send().await).0, "DeleteConflict");
    iam.remove_user_from_group().user_name("ann").group_name("g").send().await.unwrap();
    iam.attach_user_policy().user_name("ann").policy_arn(READ_ONLY).send().await.unwrap();
    assert_eq!(blocked().await, "DeleteConflict");
    iam.detach_user_policy().user_name("ann").policy_arn(READ_ONLY).send().await.unwrap();
    let twice = iam.detach_user_policy().user_name("ann").policy_arn(READ_ONLY).send().await;
    assert_eq!(refused(twice).0, "NoSuchEntity");
    iam.delete_user().user_name("ann").send().await.unwrap();
    iam.delete_group().group_name("g").send().await.unwrap();
}

#[tokio::test]
async fn a_policy_has_at_most_five_versions_and_one_in_force() {
    let sandbox = sandbox();
    let iam = Aws::admin(&sandbox).iam;
    let document = statement("Allow", "dynamodb:GetItem", "*");
    let made =
        iam.create_policy().policy_name("p").path("/x/").policy_document(&document).send().await.unwrap();
    let arn = made.policy.unwrap().arn.unwrap();
    assert_eq!(arn, format!("arn:aws:iam::{ACCOUNT}:policy/x/p"));
    let new = |is_default: bool| {
        iam.create_policy_version()
            .policy_arn(&arn)
            .policy_document(&document)
            .set_as_default(is_default)
            .send()
    };
    for _ in 2..=5 {
        new(true).await.unwrap();
    }
    assert_eq!(refused(new(true).await).0, "LimitExceeded");
    let versions = iam.list_policy_versions().policy_arn(&arn).send().await.unwrap().versions.unwrap();
    let shown: Vec<_> =
        versions.iter().map(|one| (one.version_id().unwrap(), one.is_default_version)).collect();
    assert_eq!(shown, [("v5", true), ("v4", false), ("v3", false), ("v2", false), ("v1", false)]);
    let delete = |id: &str| iam.delete_policy_version().policy_arn(&arn).version_id(id).send();
    assert_eq!(refused(delete("v5").await).0, "DeleteConflict");
    delete("v1").await.unwrap();
    assert_eq!(refused(delete("v1").await).0, "NoSuchEntity");
    new(false).await.unwrap();
    let policy = iam.get_policy().policy_arn(&arn).send().await.unwrap().policy.unwrap();
    assert_eq!(policy.default_version_id.as_deref(), Some("v5"));
    let text = iam.get_policy_version().policy_arn(&arn).version_id("v6").send().await.unwrap();
    let text = text.policy_version.unwrap().document.unwrap();
    assert!(text.starts_with("%7B%22Version%22%3A%222012-10-17%22"), "{text}");
    assert_eq!(refused(iam.delete_policy().policy_arn(&arn).send().await).0, "DeleteConflict");
}

#[tokio::test]
async fn an_attached_policy_stays_and_shows_to_whom_it_is_attached() {
    let sandbox = sandbox();
    let iam = Aws::admin(&sandbox).iam;
    iam.create_user().user_name("ann").send().await.unwrap();
    let made = iam.create_policy().policy_name("p").policy_document(statement("Allow", "kms:*", "*"));
    let arn = made.send().await.unwrap().policy.unwrap().arn.unwrap();
    iam.attach_user_policy().user_name("ann").policy_arn(&arn).send().await.unwrap();
    iam.attach_user_policy().user_name("ann").policy_arn(&arn).send().await.unwrap();
    assert_eq!(refused(iam.delete_policy().policy_arn(&arn).send().await).0, "DeleteConflict");
    let shown = iam.list_entities_for_policy().policy_arn(&arn).send().await.unwrap();
    assert_eq!(shown.policy_users.unwrap()[0].user_name.as_deref(), Some("ann"));
    assert_eq!(
        iam.get_policy().policy_arn(&arn).send().await.unwrap().policy.unwrap().attachment_count,
        Some(1)
    );
    let absent = format!("arn:aws:iam::{ACCOUNT}:policy/absent");
    let attach = iam.attach_user_policy().user_name("ann").policy_arn(absent).send().await;
    assert_eq!(refused(attach).0, "NoSuchEntity");
    let bad = iam.create_policy().policy_name("q").policy_document("{}").send().await;
    assert_eq!(refused(bad).0, "MalformedPolicyDocument");
}

#[tokio::test]
async fn policies_of_aws_are_read_by_whom_iam_lets_read() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let policy = admin.iam.get_policy().policy_arn(READ_ONLY).send().await.unwrap().policy.unwrap();
    assert_eq!(policy.policy_name.as_deref(), Some("ReadOnlyAccess"));
    let listed =
        admin.iam.list_policies().path_prefix("/job-function/").send().await.unwrap().policies.unwrap();
    assert_eq!(listed[0].arn.as_deref(), Some("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"));
    let user = admin.new_user(&sandbox, "ann").await;
    let (_, message) = refused(user.iam.get_policy().policy_arn(READ_ONLY).send().await);
    assert!(message.contains("no identity-based policy allows the iam:GetPolicy action"), "{message}");
    let change = admin.iam.delete_policy().policy_arn(READ_ONLY).send().await;
    assert_eq!(refused(change).0, "AccessDenied");
}

#[tokio::test]
async fn lists_come_in_pages_and_by_path() {
    let sandbox = sandbox();
    let iam = Aws::admin(&sandbox).iam;
    for number in 0..25 {
        let path = if number % 5 == 0 { "/fifth/" } else { "/" };
        iam.create_user().user_name(format!("u{number:02}")).path(path).send().await.unwrap();
    }
    let mut names = Vec::new();
    let mut marker = None;
    loop {
        let page = iam.list_users().max_items(10).set_marker(marker).send().await.unwrap();
        assert!(page.users.len() <= 10);
        names.extend(page.users.into_iter().map(|user| user.user_name));
        if !page.is_truncated {
            break;
        }
        marker = page.marker;
    }
    let expected =
        std::iter::once("terrane-admin".to_owned()).chain((0..25).map(|number| format!("u{number:02}")));
    assert_eq!(names, expected.collect::<Vec<_>>());
    let fifth = iam.list_users().path_prefix("/fifth/").max_items(4).send().await.unwrap();
    assert_eq!((fifth.users.len(), fifth.is_truncated), (4, true));
    assert_eq!(refused(iam.list_users().marker("%%%").send().await).0, "ValidationError");
}

#[tokio::test]
async fn a_user_has_at_most_two_access_keys_and_their_use_is_noted() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    admin.user(&sandbox, "ann").await;
    let third = admin.iam.create_access_key().user_name("ann").send().await;
    assert_eq!(refused(third).0, "LimitExceeded");
    let _ = user.kms.list_keys().send().await;
    user.sts.get_caller_identity().send().await.unwrap();
    let keys = admin.iam.list_access_keys().user_name("ann").send().await.unwrap().access_key_metadata;
    assert_eq!(keys.len(), 2);
    let mut used = Vec::new();
    for key in keys {
        let id = key.access_key_id.unwrap();
        let answer = admin.iam.get_access_key_last_used().access_key_id(id).send().await.unwrap();
        assert_eq!(answer.user_name.as_deref(), Some("ann"));
        used.push(answer.access_key_last_used.unwrap().service_name);
    }
    used.sort();
    assert_eq!(used, ["N/A", "sts"]);
}

#[tokio::test]
async fn groups_and_boundaries_decide() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let iam = &admin.iam;
    let user = admin.new_user(&sandbox, "ann").await;
    assert_eq!(refused(user.iam.list_users().send().await).0, "AccessDenied");
    iam.create_group().group_name("readers").send().await.unwrap();
    iam.attach_group_policy().group_name("readers").policy_arn(READ_ONLY).send().await.unwrap();
    iam.add_user_to_group().group_name("readers").user_name("ann").send().await.unwrap();
    user.iam.list_users().send().await.unwrap();
    let members = iam.get_group().group_name("readers").send().await.unwrap().users;
    assert_eq!(members[0].user_name, "ann");
    let limit = iam.create_policy().policy_name("limit").policy_document(statement("Allow", "kms:*", "*"));
    let limit = limit.send().await.unwrap().policy.unwrap().arn.unwrap();
    iam.put_user_permissions_boundary().user_name("ann").permissions_boundary(&limit).send().await.unwrap();
    let (_, message) = refused(user.iam.list_users().send().await);
    assert!(message.contains("no permissions boundary allows the iam:ListUsers action"), "{message}");
    user.kms.list_keys().send().await.unwrap();
    assert_eq!(refused(iam.delete_policy().policy_arn(&limit).send().await).0, "DeleteConflict");
    let shown = iam.get_user().user_name("ann").send().await.unwrap().user.unwrap();
    assert_eq!(shown.permissions_boundary.unwrap().permissions_boundary_arn, Some(limit));
    iam.delete_user_permissions_boundary().user_name("ann").send().await.unwrap();
    user.iam.list_users().send().await.unwrap();
    let deny = statement("Deny", "iam:ListUsers", "*");
    iam.put_group_policy()
        .group_name("readers")
        .policy_name("no")
        .policy_document(deny)
        .send()
        .await
        .unwrap();
    let (_, message) = refused(user.iam.list_users().send().await);
    assert!(message.contains("with an explicit deny in an identity-based policy"), "{message}");
}

#[tokio::test]
async fn users_see_themselves_without_a_name() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let user = admin.new_user(&sandbox, "ann").await;
    assert_eq!(refused(user.iam.get_user().send().await).0, "AccessDenied");
    admin.allow("ann", "self", "iam:*", &format!("arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")).await;
    assert_eq!(user.iam.get_user().send().await.unwrap().user.unwrap().user_name, "ann");
    let other = user.iam.get_user().user_name("terrane-admin").send().await;
    assert_eq!(refused(other).0, "AccessDenied");
    let root = Aws::root(&sandbox).iam.get_user().send().await.unwrap().user.unwrap();
    assert_eq!(root.arn, format!("arn:aws:iam::{ACCOUNT}:root"));
}

#[tokio::test]
async fn roles_are_made_changed_and_deleted() {
    let sandbox = sandbox();
    let iam = Aws::admin(&sandbox).iam;
    let trust = |principal: &str| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" }],
        })
        .to_string()
    };
    let ghost = trust(&format!("arn:aws:iam::{ACCOUNT}:user/ghost"));
    let (code, message) =
        refused(iam.create_role().role_name("r").assume_role_policy_document(ghost).send().await);
    assert_eq!(code, "MalformedPolicyDocument");
    assert!(message.starts_with("Invalid principal in policy"), "{message}");
    let call = iam.create_role().role_name("r").assume_role_policy_document(trust(ACCOUNT)).description("d");
    let made = call.max_session_duration(7200).send().await.unwrap().role.unwrap();
    assert_eq!((made.max_session_duration, made.description.as_deref()), (Some(7200), Some("d")));
    iam.update_role().role_name("r").max_session_duration(3600).send().await.unwrap();
    iam.update_role_description().role_name("r").description("e").send().await.unwrap();
    iam.update_assume_role_policy().role_name("r").policy_document(trust("*")).send().await.unwrap();
    iam.tag_role().role_name("r").tags(tag("a", "1")).send().await.unwrap();
    let role = iam.get_role().role_name("r").send().await.unwrap().role.unwrap();
    assert_eq!((role.max_session_duration, role.description.as_deref()), (Some(3600), Some("e")));
    assert!(role.assume_role_policy_document.unwrap().contains("%22AWS%22%3A%22%2A%22"));
    assert_eq!(role.tags.unwrap(), [tag("a", "1")]);
    iam.create_instance_profile().instance_profile_name("ip").send().await.unwrap();
    iam.add_role_to_instance_profile().instance_profile_name("ip").role_name("r").send().await.unwrap();
    assert_eq!(refused(iam.delete_role().role_name("r").send().await).0, "DeleteConflict");
    let profiles =
        iam.list_instance_profiles_for_role().role_name("r").send().await.unwrap().instance_profiles;
    assert_eq!(profiles[0].roles[0].role_name, "r");
    iam.remove_role_from_instance_profile().instance_profile_name("ip").role_name("r").send().await.unwrap();
    iam.delete_role().role_name("r").send().await.unwrap();
}

#[tokio::test]
async fn the_whole_account_comes_in_one_answer() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    let iam = &admin.iam;
    iam.create_user().user_name("ann").send().await.unwrap();
    admin.allow("ann", "p", "kms:*", "*").await;
    iam.create_group().group_name("g").send().await.unwrap();
    iam.add_user_to_group().group_name("g").user_name("ann").send().await.unwrap();
    iam.create_policy()
        .policy_name("p")
        .policy_document(statement("Allow", "kms:*", "*"))
        .send()
        .await
        .unwrap();
    let details = iam.get_account_authorization_details().send().await.unwrap();
    let users = details.user_detail_list.unwrap();
    let ann = users.iter().find(|user| user.user_name.as_deref() == Some("ann")).unwrap();
    assert_eq!(ann.group_list.as_ref().unwrap(), &["g"]);
    assert_eq!(ann.user_policy_list.as_ref().unwrap()[0].policy_name.as_deref(), Some("p"));
    let of_admin = users.iter().find(|user| user.user_name.as_deref() == Some("terrane-admin")).unwrap();
    let attached = &of_admin.attached_managed_policies.as_ref().unwrap()[0];
    assert_eq!(attached.policy_arn.as_deref(), Some(ADMINISTRATOR));
    assert_eq!(details.policies.unwrap().len(), 2);
    assert_eq!(details.group_detail_list.unwrap().len(), 1);
    let summary = iam.get_account_summary().send().await.unwrap().summary_map.unwrap();
    assert_eq!(summary[&"Users".into()], 2);
}

#[tokio::test]
async fn operations_that_do_not_exist_are_told() {
    let sandbox = sandbox();
    let admin = Aws::admin(&sandbox);
    assert_eq!(refused(admin.iam.generate_credential_report().send().await).0, "InvalidAction");
    assert_eq!(
        refused(admin.kms.connect_custom_key_store().custom_key_store_id("x").send().await).0,
        "UnknownOperationException"
    );
    assert_eq!(
        refused(admin.dynamodb.create_backup().table_name("abc").backup_name("abc").send().await).0,
        "UnknownOperationException"
    );
}
