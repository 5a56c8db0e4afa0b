//! The permissions that the calls for a user take.

use terrane_model::Value;
use terrane_provider::{Doing, Ground, Permissions};

use crate::iam::permissions::{arns_of, own_arn};
use crate::object::{filled, flag};
use crate::tags::{self, TagCalls};

const READ: &[&str] = &["iam:GetUser"];
const TAGGING: TagCalls = TagCalls { put: "iam:TagUser", remove: "iam:UntagUser" };

/// Called for every user that may be deleted with what hangs on it.
const LOOK_ROUND: &[&str] = &[
    "iam:DeleteLoginProfile",
    "iam:ListAccessKeys",
    "iam:ListAttachedUserPolicies",
    "iam:ListMFADevices",
    "iam:ListSSHPublicKeys",
    "iam:ListServiceSpecificCredentials",
    "iam:ListSigningCertificates",
    "iam:ListUserPolicies",
];

/// Called for what is found then.
const TAKE_AWAY: &[&str] = &[
    "iam:DeactivateMFADevice",
    "iam:DeleteAccessKey",
    "iam:DeleteSSHPublicKey",
    "iam:DeleteServiceSpecificCredential",
    "iam:DeleteSigningCertificate",
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
];

pub fn permissions(doing: Doing<'_>, ground: &Ground<'_>) -> Permissions {
    let arn = |object: &Value| own_arn(ground, "user", object);
    let none = Permissions::none();
    match doing {
        Doing::LookFor(object) | Doing::Read(object) => none.on(&arn(object), READ),
        Doing::Import(name) => {
            let arns = arns_of(ground, "user", Some(&Value::from(name)));
            arns.iter().fold(none, |all, arn| all.on(arn, READ))
        }
        Doing::Create(planned) => none
            .on(&arn(planned), &["iam:CreateUser"])
            .on(&arn(planned), READ)
            .and(tags::permissions(&TAGGING, &arn(planned), None, planned)),
        Doing::Update { prior, planned } => update(&arn(prior), &arn(planned), prior, planned),
        Doing::Delete(prior) => delete(&arn(prior), flag(prior, "force_destroy"), ground),
    }
}

fn update(before: &str, after: &str, prior: &Value, planned: &Value) -> Permissions {
    let mut all =
        Permissions::none().on(after, READ).and(tags::permissions(&TAGGING, before, Some(prior), planned));
    if before != after {
        // Who renames needs it on both.
        all = all.on(before, &["iam:UpdateUser"]).on(after, &["iam:UpdateUser"]);
    }
    let open = planned.get("permissions_boundary").is_some_and(Value::is_unknown);
    match (filled(prior, "permissions_boundary"), filled(planned, "permissions_boundary")) {
        _ if open => all.on(after, &["iam:PutUserPermissionsBoundary"]),
        (before, Some(boundary)) if before != Some(boundary) => {
            all.on(after, &["iam:PutUserPermissionsBoundary"])
        }
        (Some(_), None) => all.on(after, &["iam:DeleteUserPermissionsBoundary"]),
        _ => all,
    }
}

fn delete(arn: &str, with_belongings: bool, ground: &Ground<'_>) -> Permissions {
    let all = Permissions::none().on(arn, &["iam:DeleteUser", "iam:ListGroupsForUser"]);
    if !with_belongings {
        return all;
    }
    all.on(arn, LOOK_ROUND)
        .on("*", &["iam:ListVirtualMFADevices"])
        .perhaps_on(arn, TAKE_AWAY)
        .perhaps_on(&ground.global("iam", "group/*"), &["iam:RemoveUserFromGroup"])
        .perhaps_on(&ground.global("iam", "mfa/*"), &["iam:DeleteVirtualMFADevice"])
}
