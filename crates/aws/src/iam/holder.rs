//! Whom a policy belongs to: a user, a role or a group. The calls for each, under one name.

use terrane_provider::Error;

use crate::client::Clients;
use crate::error::{failed, present};

/// A kind of object that policies are attached to or are part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A group of users.
    Group,
    /// A role.
    Role,
    /// A user.
    User,
}

impl Holder {
    /// The attribute that names it in the resource types of policies.
    pub const fn attribute(self) -> &'static str {
        match self {
            Holder::Group => "group",
            Holder::Role => "role",
            Holder::User => "user",
        }
    }

    /// Attaches a managed policy.
    pub async fn attach(self, clients: &Clients, name: &str, policy: &str) -> Result<(), Error> {
        let iam = clients.iam();
        match self {
            Holder::Group => {
                let call = iam.attach_group_policy().group_name(name).policy_arn(policy);
                call.send().await.map(drop).map_err(failed("iam:AttachGroupPolicy"))
            }
            Holder::Role => {
                let call = iam.attach_role_policy().role_name(name).policy_arn(policy);
                call.send().await.map(drop).map_err(failed("iam:AttachRolePolicy"))
            }
            Holder::User => {
                let call = iam.attach_user_policy().user_name(name).policy_arn(policy);
                call.send().await.map(drop).map_err(failed("iam:AttachUserPolicy"))
            }
        }
    }

    /// Detaches a managed policy. That it is not attached is no error.
    pub async fn detach(self, clients: &Clients, name: &str, policy: &str) -> Result<(), Error> {
        let iam = clients.iam();
        let answer = match self {
            Holder::Group => {
                let call = iam.detach_group_policy().group_name(name).policy_arn(policy);
                call.send().await.map(drop).map_err(failed("iam:DetachGroupPolicy"))
            }
            Holder::Role => {
                let call = iam.detach_role_policy().role_name(name).policy_arn(policy);
                call.send().await.map(drop).map_err(failed("iam:DetachRolePolicy"))
            }
            Holder::User => {
                let call = iam.detach_user_policy().user_name(name).policy_arn(policy);
                call.send().await.map(drop).map_err(failed("iam:DetachUserPolicy"))
            }
        };
        present(answer).map(drop)
    }

    /// The operation that lists attached policies.
    pub const fn list_attached_operation(self) -> &'static str {
        match self {
            Holder::Group => "iam:ListAttachedGroupPolicies",
            Holder::Role => "iam:ListAttachedRolePolicies",
            Holder::User => "iam:ListAttachedUserPolicies",
        }
    }

    /// ARNs of the attached policies.
    pub async fn attached(self, clients: &Clients, name: &str) -> Result<Vec<String>, Error> {
        let iam = clients.iam();
        let operation = self.list_attached_operation();
        let listed: Vec<_> = match self {
            Holder::Group => {
                let pages = iam.list_attached_group_policies().group_name(name).into_paginator().items();
                pages.send().collect::<Result<_, _>>().await.map_err(failed(operation))?
            }
            Holder::Role => {
                let pages = iam.list_attached_role_policies().role_name(name).into_paginator().items();
                pages.send().collect::<Result<_, _>>().await.map_err(failed(operation))?
            }
            Holder::User => {
                let pages = iam.list_attached_user_policies().user_name(name).into_paginator().items();
                pages.send().collect::<Result<_, _>>().await.map_err(failed(operation))?
            }
        };
        Ok(listed.into_iter().filter_map(|policy| policy.policy_arn).collect())
    }

    /// Makes or overwrites a policy that is part of the object.
    pub async fn put(self, clients: &Clients, name: &str, policy: &str, document: &str) -> Result<(), Error> {
        let iam = clients.iam();
        match self {
            Holder::Group => {
                let call = iam.put_group_policy().group_name(name).policy_name(policy);
                call.policy_document(document).send().await.map(drop).map_err(failed("iam:PutGroupPolicy"))
            }
            Holder::Role => {
                let call = iam.put_role_policy().role_name(name).policy_name(policy);
                call.policy_document(document).send().await.map(drop).map_err(failed("iam:PutRolePolicy"))
            }
            Holder::User => {
                let call = iam.put_user_policy().user_name(name).policy_name(policy);
                call.policy_document(document).send().await.map(drop).map_err(failed("iam:PutUserPolicy"))
            }
        }
    }

    /// The operation that gets a policy that is part of the object.
    pub const fn get_operation(self) -> &'static str {
        match self {
            Holder::Group => "iam:GetGroupPolicy",
            Holder::Role => "iam:GetRolePolicy",
            Holder::User => "iam:GetUserPolicy",
        }
    }

    /// The document of a policy that is part of the object; nothing when there is none.
    pub async fn get(self, clients: &Clients, name: &str, policy: &str) -> Result<Option<String>, Error> {
        let iam = clients.iam();
        let document = match self {
            Holder::Group => {
                let answer = iam.get_group_policy().group_name(name).policy_name(policy).send().await;
                answer.map(|answer| answer.policy_document).map_err(failed(self.get_operation()))
            }
            Holder::Role => {
                let answer = iam.get_role_policy().role_name(name).policy_name(policy).send().await;
                answer.map(|answer| answer.policy_document).map_err(failed(self.get_operation()))
            }
            Holder::User => {
                let answer = iam.get_user_policy().user_name(name).policy_name(policy).send().await;
                answer.map(|answer| answer.policy_document).map_err(failed(self.get_operation()))
            }
        };
        Ok(present(document)?.map(|document| super::decoded(&document)))
    }

    /// Deletes a policy that is part of the object. That there is none is no error.
    pub async fn delete(self, clients: &Clients, name: &str, policy: &str) -> Result<(), Error> {
        let iam = clients.iam();
        let answer = match self {
            Holder::Group => {
                let call = iam.delete_group_policy().group_name(name).policy_name(policy);
                call.send().await.map(drop).map_err(failed("iam:DeleteGroupPolicy"))
            }
            Holder::Role => {
                let call = iam.delete_role_policy().role_name(name).policy_name(policy);
                call.send().await.map(drop).map_err(failed("iam:DeleteRolePolicy"))
            }
            Holder::User => {
                let call = iam.delete_user_policy().user_name(name).policy_name(policy);
                call.send().await.map(drop).map_err(failed("iam:DeleteUserPolicy"))
            }
        };
        present(answer).map(drop)
    }
}
