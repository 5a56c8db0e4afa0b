//! The functions that the AWS provider adds: `provider::aws::arn_build` and its like.

use terrane_model::Value;

use super::{Fault, Given, Outcome};

const PARTS: [&str; 5] = ["partition", "service", "region", "account_id", "resource"];

pub(super) fn arn_build(given: &Given<'_>) -> Outcome {
    let parts: Result<Vec<&str>, Fault> = (0..PARTS.len()).map(|i| given.text(i)).collect();
    Ok(Value::from(format!("arn:{}", parts?.join(":"))))
}

pub(super) fn arn_parse(given: &Given<'_>) -> Outcome {
    let text = given.text(0)?;
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.split_first() {
        Some((&"arn", rest)) if rest.len() == PARTS.len() => {
            Ok(Value::object(PARTS.into_iter().zip(rest.iter().map(|part| Value::from(*part)))))
        }
        _ => Err(Fault::at(0, "it must be an ARN: `arn:partition:service:region:account:resource`")),
    }
}

pub(super) fn arn_type(_: &[Value]) -> terrane_model::Type {
    terrane_model::Type::object(PARTS.map(|name| (name, terrane_model::Type::String)))
}

/// Takes the path out of a role's ARN: `role/a/b/name` becomes `role/name`.
pub(super) fn trim_iam_role_path(given: &Given<'_>) -> Outcome {
    let text = given.text(0)?;
    let refused = || Fault::at(0, "it must be the ARN of an IAM role");
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return Err(refused());
    };
    let path = resource.strip_prefix("role/").ok_or_else(refused)?;
    if *arn != "arn" || *service != "iam" || !region.is_empty() {
        return Err(refused());
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    Ok(Value::from(format!("{arn}:{partition}:{service}:{region}:{account}:role/{name}")))
}
