//! Keys that AWS manages for a service, named `alias/aws/SERVICE`, made when they are first asked for.

use std::collections::BTreeMap;

use super::key;
use super::records::{Alias, Key, Rotation};
use crate::iam::PrincipalPolicy;
use crate::ids;
use crate::visit::Visit;
use crate::wire::Refusal;

const SERVICES: [&str; 8] = ["acm", "dynamodb", "ebs", "lambda", "rds", "s3", "secretsmanager", "sqs"];

/// The service that has a key of its own.
pub(super) fn service(name: &str) -> Option<&'static str> {
    SERVICES.into_iter().find(|service| *service == name)
}

/// Makes the key and its alias.
pub(super) fn make(visit: &Visit<'_>, service: &'static str) -> Result<Alias, Refusal> {
    let managed = Key {
        region: visit.region().to_owned(),
        id: ids::uuid(),
        created: visit.now,
        description: format!("Default key that protects my {service} data when no other key is defined"),
        enabled: true,
        deletion: None,
        usage: "ENCRYPT_DECRYPT".to_owned(),
        spec: "SYMMETRIC_DEFAULT".to_owned(),
        origin: "AWS_KMS".to_owned(),
        multi_region: false,
        managed_by: Some(service.to_owned()),
        policy: PrincipalPolicy { text: policy(visit, service), principals: Vec::new() },
        tags: Vec::new(),
        rotation: Some(Rotation { period_days: 365, next: visit.now.plus_days(365) }),
        rotated_on_demand: None,
        materials: vec![key::new_material(visit, 32, None)?],
    };
    visit.store.put(&managed)?;
    let alias = Alias {
        region: visit.region().to_owned(),
        name: format!("alias/aws/{service}"),
        target: managed.id,
        created: visit.now,
        updated: visit.now,
    };
    super::alias::store(visit, &alias)?;
    Ok(alias)
}

/// The key of a service in the call's region.
pub(crate) fn of_service(visit: &Visit<'_>, service: &'static str) -> Result<Key, Refusal> {
    Ok(super::find::by_any_name(visit, &format!("alias/aws/{service}"))?.key)
}

/// Everybody in the account, through the service alone.
fn policy(visit: &Visit<'_>, service: &str) -> String {
    let condition = BTreeMap::from([
        ("kms:CallerAccount", visit.account().to_owned()),
        ("kms:ViaService", format!("{service}.{}.amazonaws.com", visit.region())),
    ]);
    serde_json::json!({
        "Version": "2012-10-17",
        "Id": format!("auto-{service}-1"),
        "Statement": [
            {
                "Sid": format!("Allow access through {service} for all principals in the account that are authorized to use it"),
                "Effect": "Allow",
                "Principal": { "AWS": "*" },
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"],
                "Resource": "*",
                "Condition": { "StringEquals": condition }
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": { "AWS": visit.iam_arn("root") },
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                "Resource": "*"
            }
        ]
    })
    .to_string()
}
