//! Whom and what the policies of an organization bind.
//!
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>,
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>

use crate::caller::Caller;

/// The services whose resources a resource control policy can speak of.
///
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>,
/// <https://aws.amazon.com/about-aws/whats-new/2026/02/aws-expands-resource-control-policies-amazon/>
const RESOURCE_CONTROL_SERVICES: [&str; 11] = [
    "aoss",
    "cognito-identity",
    "cognito-idp",
    "dynamodb",
    "ecr",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "sqs",
    "sts",
];

/// Actions of these services that no resource control policy takes away.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html>
const BEYOND_RESOURCE_CONTROL: [&str; 1] = ["kms:RetireGrant"];

impl Caller {
    /// Whether the service control policies of the caller's account bind it: users, roles and the root user, but no role
    /// that is linked to a service.
    pub fn is_bound_by_service_control(&self) -> bool {
        match self {
            Caller::Root { .. } | Caller::User { .. } => true,
            Caller::AssumedRole { .. } => !self.is_service_linked(),
            Caller::Service { .. } | Caller::Anonymous => false,
        }
    }

    /// Whether the resource control policies of the resource's account bind the caller's request: everybody's, but for
    /// roles that are linked to a service, and for what only some services know.
    pub fn is_bound_by_resource_control(&self, action: &str) -> bool {
        let service = action.split(':').next().unwrap_or_default();
        let is = |one: &&str, other: &str| one.eq_ignore_ascii_case(other);
        RESOURCE_CONTROL_SERVICES.iter().any(|known| is(known, service))
            && !BEYOND_RESOURCE_CONTROL.iter().any(|spared| is(spared, action))
            && !self.is_service_linked()
    }

    /// Whether it is a role that a service made for itself.
    fn is_service_linked(&self) -> bool {
        matches!(self, Caller::AssumedRole { role_arn, .. } if role_arn.contains(":role/aws-service-role/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(path: &str) -> Caller {
        Caller::AssumedRole {
            role_arn: format!("arn:aws:iam::123456789012:role/{path}"),
            session_arn: "arn:aws:sts::123456789012:assumed-role/r/s".to_owned(),
            role_id: None,
            session_name: "s".to_owned(),
        }
    }

    #[test]
    fn service_control_policies_bind_who_is_of_the_account_but_service_linked_roles() {
        let root = Caller::Root { account: "123456789012".to_owned(), partition: "aws".to_owned() };
        let service = Caller::Service { name: "dynamodb.amazonaws.com".to_owned() };
        let linked = role("aws-service-role/dynamodb.amazonaws.com/AWSServiceRoleForX");
        assert!(root.is_bound_by_service_control() && role("deploy").is_bound_by_service_control());
        assert!(!service.is_bound_by_service_control() && !linked.is_bound_by_service_control());
    }

    #[test]
    fn resource_control_policies_bind_everybody_where_a_service_knows_them() {
        let service = Caller::Service { name: "dynamodb.amazonaws.com".to_owned() };
        for caller in [role("deploy"), service, Caller::Anonymous] {
            assert!(caller.is_bound_by_resource_control("kms:Decrypt"));
            assert!(caller.is_bound_by_resource_control("DynamoDB:GetItem"));
            assert!(!caller.is_bound_by_resource_control("iam:GetUser"));
            assert!(!caller.is_bound_by_resource_control("kms:RetireGrant"));
        }
        assert!(!role("aws-service-role/x.amazonaws.com/r").is_bound_by_resource_control("kms:Decrypt"));
    }
}
