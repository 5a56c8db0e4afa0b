//! The permissions that a state in a bucket takes, for plans and applies of one workspace.

use terrane_provider::permission::Condition;
use terrane_provider::{Certainty, Ground, Permissions};

use super::settings::BackendSettings;
use crate::kms::named_key;

/// Lists what reading, locking and writing the state of a workspace takes.
pub fn permissions(settings: &BackendSettings, workspace: &str, ground: &Ground<'_>) -> Permissions {
    let bucket = format!("arn:{}:s3:::{}", ground.facts.partition, settings.bucket);
    let object = format!("{bucket}/{}", settings.object(workspace));
    let mut all = Permissions::none()
        // Without it, S3 does not say of an object that it is not there.
        .on(&bucket, &["s3:ListBucket"])
        .on(&object, &["s3:GetObject", "s3:PutObject"])
        .on(&format!("{object}.terrane-journal/*"), OBJECTS);
    if settings.lockfile {
        all = all.on(&format!("{object}.tflock"), OBJECTS);
    }
    if let Some(table) = &settings.table {
        all = all.on(&ground.regional("dynamodb", &format!("table/{table}")), ITEMS);
    }
    if let Some(key) = &settings.protection.kms_key {
        let (arn, _) = named_key(ground, key);
        let through = Condition {
            operator: "StringEquals",
            key: "kms:ViaService",
            value: format!("s3.{}.amazonaws.com", ground.facts.region),
        };
        all = all.with(&arn, &["kms:Decrypt", "kms:GenerateDataKey"], Some(through), Certainty::Sure);
    }
    all
}

const OBJECTS: &[&str] = &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"];
const ITEMS: &[&str] =
    &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];

#[cfg(test)]
mod tests {
    use terrane_model::Value;
    use terrane_provider::Facts;

    use super::*;

    #[test]
    fn a_state_in_a_bucket_takes_its_own_objects() {
        let body = Value::object([
            ("bucket", Value::from("states")),
            ("key", Value::from("a/b.tfstate")),
            ("region", Value::from("eu-west-3")),
            ("dynamodb_table", Value::from("locks")),
            ("kms_key_id", Value::from("alias/states")),
        ]);
        let settings = BackendSettings::read(&body).unwrap();
        let facts = Facts {
            account: Some("123456789012".into()),
            partition: "aws".into(),
            region: "eu-west-3".into(),
            ..Facts::default()
        };
        let ground = Ground { facts: &facts, arns_of: &|_, _| vec![] };
        let told: Vec<String> = permissions(&settings, "try", &ground)
            .into_list()
            .into_iter()
            .map(|one| format!("{} {}", one.action, one.resource))
            .collect();
        assert!(told.contains(&"s3:ListBucket arn:aws:s3:::states".to_owned()), "{told:?}");
        assert!(told.contains(&"s3:PutObject arn:aws:s3:::states/env:/try/a/b.tfstate".to_owned()));
        assert!(
            told.contains(&"dynamodb:PutItem arn:aws:dynamodb:eu-west-3:123456789012:table/locks".to_owned())
        );
        assert!(told.contains(&"kms:Decrypt arn:aws:kms:eu-west-3:123456789012:key/*".to_owned()));
        assert!(!told.iter().any(|one| one.contains("tflock")), "{told:?}");
        assert!(!told.contains(&"s3:DeleteObject arn:aws:s3:::states/env:/try/a/b.tfstate".to_owned()));
    }
}
