//! What IAM accepts: names, paths, tags, and policy documents.

use terrane_iam::{Document, Statement};

use super::records::Tag;
use crate::visit::lower_first;
use crate::wire::{Form, Refusal};

/// Characters of all text of one identity's inline policies, or of one managed policy, that AWS counts (no white space).
pub(super) const MANAGED_POLICY_SIZE: usize = 6144;

/// A `ValidationError`.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationError", message)
}

fn constraint(value: &str, field: &str, rule: &str) -> Refusal {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: Member must {rule}",
        lower_first(field)
    ))
}

/// Checks a name of at most `longest` characters.
pub(super) fn name(field: &str, value: &str, longest: usize) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(constraint(value, field, "have length greater than or equal to 1"));
    }
    if value.chars().count() > longest {
        return Err(constraint(value, field, &format!("have length less than or equal to {longest}")));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if value.bytes().all(fits) {
        return Ok(());
    }
    Err(invalid(format!(
        "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        lower_first(field)
    )))
}

/// Checks a path: `/` or `/a/b/`.
pub(super) fn path(field: &str, value: &str) -> Result<(), Refusal> {
    let fits = value.len() <= 512
        && value.starts_with('/')
        && value.ends_with('/')
        && !value.contains("//")
        && value.bytes().all(|byte| (0x21..=0x7f).contains(&byte));
    if fits {
        return Ok(());
    }
    Err(invalid(format!(
        "The specified value for {} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        lower_first(field)
    )))
}

/// The tags of a call, checked.
pub(super) fn tags(form: &Form) -> Result<Vec<Tag>, Refusal> {
    let mut tags: Vec<Tag> = Vec::new();
    for (position, member) in form.members("Tags").into_iter().enumerate() {
        let key = member.text("Key").unwrap_or_default().to_owned();
        let value = member.text("Value").unwrap_or_default().to_owned();
        tag_text(&key, &format!("tags.{}.member.key", position + 1), 1, 128)?;
        tag_text(&value, &format!("tags.{}.member.value", position + 1), 0, 256)?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Refusal::new(
                "InvalidInput",
                "System tags cannot be added/updated by requesters: aws: prefixed tag key names are not allowed for external use.",
            ));
        }
        if tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(&key)) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Refusal::new("InvalidInput", message));
        }
        tags.push(Tag { key, value });
    }
    too_many(&tags)?;
    Ok(tags)
}

/// Refuses more tags than an object can have.
pub(super) fn too_many(tags: &[Tag]) -> Result<(), Refusal> {
    if tags.len() <= 50 {
        return Ok(());
    }
    Err(Refusal::with_status(409, "LimitExceeded", "The number of tags has reached the maximum limit."))
}

fn tag_text(value: &str, field: &str, shortest: usize, longest: usize) -> Result<(), Refusal> {
    let length = value.chars().count();
    if length < shortest {
        return Err(constraint(value, field, &format!("have length greater than or equal to {shortest}")));
    }
    if length > longest {
        return Err(constraint(value, field, &format!("have length less than or equal to {longest}")));
    }
    let fits = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    if value.chars().all(fits) {
        return Ok(());
    }
    Err(constraint(value, field, "satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"))
}

pub(super) fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new("MalformedPolicyDocument", message)
}

/// The characters of a policy that count against quotas: all but white space.
pub(super) fn policy_size(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

/// Reads a policy that can be attached to users, roles and groups, and refuses what IAM refuses.
pub(super) fn identity_policy(text: &str) -> Result<Document, Refusal> {
    let document = readable(text)?;
    for statement in &document.statements {
        if statement.principals.is_some() || statement.not_principals.is_some() {
            return Err(malformed("Policy document should not specify a principal."));
        }
        actions(statement)?;
        let resources = match (&statement.resources, &statement.not_resources) {
            (Some(_), Some(_)) => return Err(malformed("Syntax errors in policy.")),
            (Some(list), None) | (None, Some(list)) if !list.is_empty() => list,
            _ => return Err(malformed("Policy statement must contain resources.")),
        };
        for resource in resources {
            if resource != "*" && resource.splitn(6, ':').count() < 6 && !resource.starts_with("arn:*") {
                return Err(malformed(format!("Resource {resource} must be in ARN format or \"*\".")));
            }
        }
    }
    Ok(document)
}

/// Reads a trust policy and refuses what IAM refuses; the principals are checked by whoever can look them up.
pub(super) fn trust_policy(text: &str) -> Result<Document, Refusal> {
    let document = readable(text)?;
    for statement in &document.statements {
        if statement.resources.is_some() || statement.not_resources.is_some() {
            return Err(malformed("Has prohibited field Resource"));
        }
        if statement.principals.as_ref().or(statement.not_principals.as_ref()).is_none_or(Vec::is_empty) {
            return Err(malformed("Missing required field Principal"));
        }
        actions(statement)?;
        let named = statement.actions.iter().chain(&statement.not_actions).flatten();
        if named.into_iter().any(|action| !action.to_ascii_lowercase().starts_with("sts:")) {
            return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
        }
    }
    Ok(document)
}

/// What holds for every kind of policy.
fn readable(text: &str) -> Result<Document, Refusal> {
    let document = Document::parse(text).map_err(|_| malformed("Syntax errors in policy."))?;
    if document.statements.is_empty() {
        return Err(malformed("Syntax errors in policy."));
    }
    if document.version.as_deref().is_some_and(|version| version != "2012-10-17" && version != "2008-10-17") {
        return Err(malformed("The policy contains an invalid version."));
    }
    let mut sids: Vec<&str> = document.statements.iter().filter_map(|one| one.sid.as_deref()).collect();
    if sids.iter().any(|sid| !sid.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err(malformed(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        ));
    }
    sids.sort_unstable();
    if sids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
    }
    Ok(document)
}

fn actions(statement: &Statement) -> Result<(), Refusal> {
    let actions = match (&statement.actions, &statement.not_actions) {
        (Some(_), Some(_)) => return Err(malformed("Syntax errors in policy.")),
        (Some(list), None) | (None, Some(list)) if !list.is_empty() => list,
        _ => return Err(malformed("Policy statement must contain actions.")),
    };
    for action in actions {
        let named = action == "*"
            || action.split_once(':').is_some_and(|(vendor, name)| {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                !vendor.is_empty() && vendor.bytes().all(fits) && !name.is_empty()
            });
        if !named {
            return Err(malformed(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(statement: &str) -> Result<Document, String> {
        identity_policy(&format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}")).map_err(
            |refusal| {
                assert_eq!(refusal.code, "MalformedPolicyDocument");
                refusal.message
            },
        )
    }

    #[test]
    fn good_identity_policies_pass() {
        for statement in [
            r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
            r#"{"Sid":"A1","Effect":"Deny","NotAction":["iam:*"],"NotResource":["arn:aws:s3:::b/*"]}"#,
            r#"{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":["arn:aws:dynamodb:*:*:table/x"],"Condition":{"Bool":{"aws:SecureTransport":true}}}"#,
        ] {
            identity(statement).unwrap();
        }
    }

    #[test]
    fn bad_identity_policies_are_refused_with_awss_words() {
        for (statement, words) in [
            (
                r#"{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}"#,
                "should not specify a principal",
            ),
            (r#"{"Effect":"Allow","Action":"*"}"#, "must contain resources"),
            (r#"{"Effect":"Allow","Resource":"*"}"#, "must contain actions"),
            (r#"{"Effect":"Allow","Action":"GetItem","Resource":"*"}"#, "prefaced by a vendor"),
            (r#"{"Effect":"Allow","Action":"a:b","Resource":"table/x"}"#, "must be in ARN format"),
            (r#"{"Effect":"Maybe","Action":"a:b","Resource":"*"}"#, "Syntax errors"),
            (r#"{"Sid":"a b","Effect":"Allow","Action":"a:b","Resource":"*"}"#, "alpha-numeric"),
            ("", "Syntax errors"),
        ] {
            let message = identity(statement).unwrap_err();
            assert!(message.contains(words), "{statement}: {message}");
        }
        assert!(identity_policy("{").is_err());
        assert!(identity_policy(r#"{"Version":"2020-01-01","Statement":[]}"#).is_err());
    }

    #[test]
    fn trust_policies_need_principals_and_sts_actions() {
        let trust = |statement: &str| trust_policy(&format!("{{\"Statement\":[{statement}]}}"));
        trust(
            r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#,
        )
        .unwrap();
        for statement in [
            r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#,
            r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}"#,
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}"#,
        ] {
            assert!(trust(statement).is_err(), "{statement}");
        }
    }

    #[test]
    fn names_paths_and_tags() {
        name("UserName", "a.b+c=d,e@f_g-h", 64).unwrap();
        assert!(name("UserName", "", 64).unwrap_err().message.contains("at 'userName'"));
        assert!(name("UserName", "a/b", 64).is_err());
        assert!(name("UserName", &"a".repeat(65), 64).is_err());
        path("Path", "/").unwrap();
        path("Path", "/a/b/").unwrap();
        for bad in ["", "a", "/a", "a/", "/a//b/", "/ä/"] {
            assert!(path("Path", bad).is_err(), "{bad}");
        }
        let read = |text: &str| tags(&Form::parse(text));
        assert_eq!(read("Tags.member.1.Key=a&Tags.member.1.Value=").unwrap().len(), 1);
        assert!(read("Tags.member.1.Key=&Tags.member.1.Value=x").is_err());
        assert!(read("Tags.member.1.Key=a&Tags.member.2.Key=A").is_err());
        assert!(read("Tags.member.1.Key=aws:x").is_err());
        assert!(read("Tags.member.1.Key=a%3C").is_err());
    }
}
