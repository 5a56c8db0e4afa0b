//! What the types of IAM share about permissions: ARNs of users, roles, groups and policies, also where only a name or a
//! part of it is known.

use terrane_model::Value;
use terrane_provider::Ground;
use terrane_provider::permission::{Condition, pattern};

use crate::object::filled;

/// The ARN of an object of IAM as far as it is known: `kind` is `user`, `role`, `group` or `policy`.
pub fn own_arn(ground: &Ground<'_>, kind: &str, object: &Value) -> String {
    if let Some(arn) = filled(object, "arn") {
        return arn.to_owned();
    }
    let path = match object.get("path") {
        Some(path) if path.is_unknown() => return ground.global("iam", &format!("{kind}/*")),
        path => path.and_then(Value::as_str).unwrap_or("/"),
    };
    let name = pattern(object.get("name")).unwrap_or_else(|| match object.get("name_prefix") {
        Some(prefix) if !prefix.is_unknown() => {
            let prefix = prefix.as_str().filter(|prefix| !prefix.is_empty());
            format!("{}*", prefix.unwrap_or("terraform-"))
        }
        _ => "*".to_owned(),
    });
    ground.global("iam", &format!("{kind}{path}{name}"))
}

/// The ARNs that a user, role or group of this name may have. Its path is known only where the stack has it.
pub fn arns_of(ground: &Ground<'_>, kind: &str, name: Option<&Value>) -> Vec<String> {
    let Some(name) = pattern(name) else { return vec![ground.global("iam", &format!("{kind}/*"))] };
    let known = (ground.arns_of)(&format!("aws_iam_{kind}"), &name);
    if !known.is_empty() {
        return known;
    }
    let end = |rest: String| ground.global("iam", &format!("{kind}/{rest}"));
    vec![end(name.clone()), end(format!("*/{name}"))]
}

/// That only this policy is attached or detached.
pub fn only_policy(arn: Option<&Value>) -> Option<Condition> {
    let value = pattern(arn)?;
    let operator = if value.contains('*') { "ArnLike" } else { "ArnEquals" };
    Some(Condition { operator, key: "iam:PolicyARN", value })
}
