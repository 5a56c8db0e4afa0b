//! IAM: users, groups, roles, policies and access keys, with the checks and the words of the real one.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>

mod access_key;
mod account;
mod attachment;
mod boundary;
mod check;
mod entity;
mod group;
mod inline;
mod instance_profile;
mod managed;
mod paging;
mod records;
mod role;
mod simulate;
mod tagging;
mod target;
mod user;
mod version;

pub(crate) use records::{
    ATTACHMENT, AccessKey, Entity, EntityKind, InlinePolicy, LastUse, MEMBERSHIP, ManagedPolicy,
    PrincipalPolicy, Tag, USER_KEY, UniqueId,
};
pub(crate) use terrane_iam::managed::aws_managed;

use EntityKind::{Group, Role, User};
use tagging::Tagged;

use crate::authorize;
use crate::visit::Visit;
use crate::wire::{Refusal, Reply};

/// Serves one call.
pub(crate) fn serve(visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let operation = operation(&visit.call.operation).ok_or_else(|| {
        Refusal::new(
            "InvalidAction",
            format!("Could not find operation {} for version 2010-05-08", visit.call.operation),
        )
    })?;
    let (resource, context) = target::target(visit)?;
    let action = format!("iam:{}", visit.call.operation);
    authorize::identity(visit, &action, &resource, context.clone())?;
    if let Some(renamed) = target::renamed(visit, &resource) {
        authorize::identity(visit, &action, &renamed, context.clone())?;
    }
    if let Some(tagging) = target::tagging(visit) {
        authorize::identity(visit, tagging, &resource, context)?;
    }
    operation(visit)
}

type Operation = fn(&Visit<'_>) -> Result<Reply, Refusal>;

fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "CreateUser" => user::create,
        "GetUser" => user::get,
        "ListUsers" => user::list,
        "UpdateUser" => user::update,
        "DeleteUser" => user::delete,

        "CreateGroup" => group::create,
        "GetGroup" => group::get,
        "ListGroups" => group::list,
        "UpdateGroup" => group::update,
        "DeleteGroup" => group::delete,
        "AddUserToGroup" => group::add_user,
        "RemoveUserFromGroup" => group::remove_user,
        "ListGroupsForUser" => group::list_of_user,

        "CreateRole" => role::create,
        "GetRole" => role::get,
        "ListRoles" => role::list,
        "UpdateRole" => role::update,
        "UpdateRoleDescription" => role::update_description,
        "UpdateAssumeRolePolicy" => role::update_trust,
        "DeleteRole" => role::delete,

        "CreatePolicy" => managed::create,
        "GetPolicy" => managed::get,
        "ListPolicies" => managed::list,
        "DeletePolicy" => managed::delete,
        "CreatePolicyVersion" => version::create,
        "GetPolicyVersion" => version::get,
        "ListPolicyVersions" => version::list,
        "DeletePolicyVersion" => version::delete,
        "SetDefaultPolicyVersion" => version::set_default,
        "ListEntitiesForPolicy" => attachment::list_entities,

        "AttachUserPolicy" => |visit| attachment::attach(visit, User),
        "AttachRolePolicy" => |visit| attachment::attach(visit, Role),
        "AttachGroupPolicy" => |visit| attachment::attach(visit, Group),
        "DetachUserPolicy" => |visit| attachment::detach(visit, User),
        "DetachRolePolicy" => |visit| attachment::detach(visit, Role),
        "DetachGroupPolicy" => |visit| attachment::detach(visit, Group),
        "ListAttachedUserPolicies" => |visit| attachment::list(visit, User),
        "ListAttachedRolePolicies" => |visit| attachment::list(visit, Role),
        "ListAttachedGroupPolicies" => |visit| attachment::list(visit, Group),

        "PutUserPolicy" => |visit| inline::put(visit, User),
        "PutRolePolicy" => |visit| inline::put(visit, Role),
        "PutGroupPolicy" => |visit| inline::put(visit, Group),
        "GetUserPolicy" => |visit| inline::get(visit, User),
        "GetRolePolicy" => |visit| inline::get(visit, Role),
        "GetGroupPolicy" => |visit| inline::get(visit, Group),
        "DeleteUserPolicy" => |visit| inline::delete(visit, User),
        "DeleteRolePolicy" => |visit| inline::delete(visit, Role),
        "DeleteGroupPolicy" => |visit| inline::delete(visit, Group),
        "ListUserPolicies" => |visit| inline::list(visit, User),
        "ListRolePolicies" => |visit| inline::list(visit, Role),
        "ListGroupPolicies" => |visit| inline::list(visit, Group),

        "PutUserPermissionsBoundary" => |visit| boundary::put(visit, User),
        "PutRolePermissionsBoundary" => |visit| boundary::put(visit, Role),
        "DeleteUserPermissionsBoundary" => |visit| boundary::delete(visit, User),
        "DeleteRolePermissionsBoundary" => |visit| boundary::delete(visit, Role),

        "TagUser" => |visit| tagging::tag(visit, Tagged::Entity(User)),
        "TagRole" => |visit| tagging::tag(visit, Tagged::Entity(Role)),
        "TagPolicy" => |visit| tagging::tag(visit, Tagged::Policy),
        "TagInstanceProfile" => |visit| tagging::tag(visit, Tagged::Profile),
        "UntagUser" => |visit| tagging::untag(visit, Tagged::Entity(User)),
        "UntagRole" => |visit| tagging::untag(visit, Tagged::Entity(Role)),
        "UntagPolicy" => |visit| tagging::untag(visit, Tagged::Policy),
        "UntagInstanceProfile" => |visit| tagging::untag(visit, Tagged::Profile),
        "ListUserTags" => |visit| tagging::list(visit, Tagged::Entity(User)),
        "ListRoleTags" => |visit| tagging::list(visit, Tagged::Entity(Role)),
        "ListPolicyTags" => |visit| tagging::list(visit, Tagged::Policy),
        "ListInstanceProfileTags" => |visit| tagging::list(visit, Tagged::Profile),

        "CreateAccessKey" => access_key::create,
        "ListAccessKeys" => access_key::list,
        "UpdateAccessKey" => access_key::update,
        "DeleteAccessKey" => access_key::delete,
        "GetAccessKeyLastUsed" => access_key::last_used,

        "CreateInstanceProfile" => instance_profile::create,
        "GetInstanceProfile" => instance_profile::get,
        "ListInstanceProfiles" => instance_profile::list,
        "ListInstanceProfilesForRole" => instance_profile::list_of_role,
        "AddRoleToInstanceProfile" => instance_profile::add_role,
        "RemoveRoleFromInstanceProfile" => instance_profile::remove_role,
        "DeleteInstanceProfile" => instance_profile::delete,

        "CreateAccountAlias" => account::create_alias,
        "DeleteAccountAlias" => account::delete_alias,
        "ListAccountAliases" => account::list_aliases,
        "GetAccountSummary" => account::summary,
        "GetAccountAuthorizationDetails" => account::details,

        "SimulatePrincipalPolicy" => simulate::principal_policy,

        "ListSSHPublicKeys" => |visit| account::none_of_user(visit, "SSHPublicKeys"),
        "ListMFADevices" => |visit| account::none_of_user(visit, "MFADevices"),
        "ListSigningCertificates" => |visit| account::none_of_user(visit, "Certificates"),
        "ListServiceSpecificCredentials" => {
            |visit| account::none_of_user(visit, "ServiceSpecificCredentials")
        }
        "ListVirtualMFADevices" => |_| account::none("VirtualMFADevices"),
        "GetLoginProfile" | "DeleteLoginProfile" => account::no_login_profile,
        _ => return None,
    })
}
