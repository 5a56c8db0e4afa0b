//! Which resource an IAM operation is on, and what conditions can ask about the call.

use terrane_iam::Context;

use super::records::{Entity, EntityKind, InstanceProfile, ManagedPolicy, Tag};
use crate::identity::Identity;
use crate::visit::Visit;
use crate::wire::Refusal;

/// The ARN that a policy must name for the call, and the call's own condition keys.
pub(super) fn target(visit: &Visit<'_>) -> Result<(String, Context), Refusal> {
    let (arn, tags) = resource(visit)?;
    let form = visit.form();
    let mut context = Context::complete();
    for tag in &tags {
        context = context
            .with(&format!("aws:ResourceTag/{}", tag.key), &tag.value)
            .with(&format!("iam:ResourceTag/{}", tag.key), &tag.value);
    }
    let mut keys = form.texts("TagKeys");
    for member in form.members("Tags") {
        if let (Some(key), Some(value)) = (member.text("Key"), member.text("Value")) {
            context = context.with(&format!("aws:RequestTag/{key}"), value);
            keys.push(key.to_owned());
        }
    }
    if !keys.is_empty() {
        context = context.with_all("aws:TagKeys", keys);
    }
    let operation = visit.call.operation.as_str();
    let attaches = operation.starts_with("Attach") || operation.starts_with("Detach");
    if let (true, Some(policy)) = (attaches, form.text("PolicyArn")) {
        context = context.with("iam:PolicyARN", policy);
    }
    if let Some(boundary) = form.text("PermissionsBoundary") {
        context = context.with("iam:PermissionsBoundary", boundary);
    }
    Ok((arn, context))
}

/// The action that making something with tags takes besides.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html>
pub(super) fn tagging(visit: &Visit<'_>) -> Option<&'static str> {
    visit.form().members("Tags").into_iter().next()?;
    match visit.call.operation.as_str() {
        "CreateUser" => Some("iam:TagUser"),
        "CreateRole" => Some("iam:TagRole"),
        "CreatePolicy" => Some("iam:TagPolicy"),
        "CreateInstanceProfile" => Some("iam:TagInstanceProfile"),
        _ => None,
    }
}

/// The ARN that a user or group gets by the call, which takes the permission on both.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html>
pub(super) fn renamed(visit: &Visit<'_>, arn: &str) -> Option<String> {
    let form = visit.form();
    let (kind, name) = match visit.call.operation.as_str() {
        "UpdateUser" => ("user", form.text("NewUserName")),
        "UpdateGroup" => ("group", form.text("NewGroupName")),
        _ => return None,
    };
    let (_, rest) = arn.split_once(&format!(":{kind}/"))?;
    let (path, old) = rest.rsplit_once('/').map_or(("", rest), |(path, name)| (path, name));
    let old_path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
    let path = form.text("NewPath").unwrap_or(&old_path);
    let new = visit.iam_arn(&format!("{kind}{path}{}", name.unwrap_or(old)));
    (new != arn).then_some(new)
}

fn resource(visit: &Visit<'_>) -> Result<(String, Vec<Tag>), Refusal> {
    let form = visit.form();
    let operation = visit.call.operation.as_str();
    if let (Some(arn), "SimulatePrincipalPolicy") = (form.text("PolicySourceArn"), operation) {
        // An entity of another account is refused for that, whoever asks.
        let is_ours = arn.split(':').nth(4) == Some(visit.account());
        return Ok((if is_ours { arn } else { "*" }.to_owned(), Vec::new()));
    }
    if let Some(name) = form.text("InstanceProfileName") {
        let found = visit.store.get::<InstanceProfile>(&name.to_ascii_lowercase())?;
        let path = found.as_ref().map(|profile| profile.path.clone());
        let path = path.or_else(|| form.text("Path").map(str::to_owned)).unwrap_or_else(|| "/".to_owned());
        let tags = found.map(|profile| profile.tags).unwrap_or_default();
        return Ok((visit.iam_arn(&format!("instance-profile{path}{name}")), tags));
    }
    // Adding a user to a group is on the group; else the entity comes before the policy that is attached to it.
    for (kind, field) in
        [(EntityKind::Group, "GroupName"), (EntityKind::Role, "RoleName"), (EntityKind::User, "UserName")]
    {
        if let Some(name) = form.text(field) {
            return entity(visit, kind, name);
        }
    }
    if let Some(arn) = form.text("PolicyArn") {
        let name = arn.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let tags = visit.store.get::<ManagedPolicy>(&name)?.map(|policy| policy.tags).unwrap_or_default();
        return Ok((arn.to_owned(), tags));
    }
    if let (Some(name), "CreatePolicy") = (form.text("PolicyName"), operation) {
        let path = form.text("Path").unwrap_or("/");
        return Ok((visit.iam_arn(&format!("policy{path}{name}")), Vec::new()));
    }
    Ok(match operation {
        "ListUsers" => (visit.iam_arn("user/"), Vec::new()),
        "ListGroups" => (visit.iam_arn("group/"), Vec::new()),
        "ListRoles" => (visit.iam_arn("role/"), Vec::new()),
        "ListInstanceProfiles" => (visit.iam_arn("instance-profile/"), Vec::new()),
        "GetUser" | "CreateAccessKey" | "ListAccessKeys" | "UpdateAccessKey" | "DeleteAccessKey" => {
            match visit.caller {
                Identity::User(user) => (user.arn(visit.account()), user.tags.clone()),
                Identity::Root | Identity::Session { .. } => (visit.iam_arn("user/"), Vec::new()),
            }
        }
        _ => ("*".to_owned(), Vec::new()),
    })
}

fn entity(visit: &Visit<'_>, kind: EntityKind, name: &str) -> Result<(String, Vec<Tag>), Refusal> {
    if let Some(found) = visit.store.get::<Entity>(&Entity::key_of(kind, name))? {
        return Ok((found.arn(visit.account()), found.tags));
    }
    let path = visit.form().text("Path").unwrap_or("/");
    Ok((visit.iam_arn(&format!("{}{path}{name}", kind.word())), Vec::new()))
}
