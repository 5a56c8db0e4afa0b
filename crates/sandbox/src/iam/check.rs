//! What IAM accepts: names, paths, tags, and policy documents.

use terrane_iam::{Document, PolicyUse, Rule};

use super::entity;
use super::records::Tag;
use crate::grammar;
use crate::visit::lower_first;
use crate::wire::{Form, Refusal};

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

/// Checks the length of a text.
pub(super) fn length(field: &str, value: &str, shortest: usize, longest: usize) -> Result<(), Refusal> {
    let length = value.chars().count();
    if length < shortest {
        return Err(constraint(value, field, &format!("have length greater than or equal to {shortest}")));
    }
    if length > longest {
        return Err(constraint(value, field, &format!("have length less than or equal to {longest}")));
    }
    Ok(())
}

/// Checks a name of at most `longest` characters.
pub(super) fn name(field: &str, value: &str, longest: usize) -> Result<(), Refusal> {
    length(field, value, 1, longest)?;
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
    length(field, value, shortest, longest)?;
    let fits = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    if value.chars().all(fits) {
        return Ok(());
    }
    Err(constraint(value, field, "satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"))
}

pub(super) fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new("MalformedPolicyDocument", message)
}

/// Reads a policy for a use in IAM and refuses what IAM refuses; whether principals exist is for whoever can look them up.
pub(super) fn policy(text: &str, policy_use: PolicyUse) -> Result<Document, Refusal> {
    grammar::accepted(text, policy_use).map_err(|violation| match violation.rule {
        Rule::Size => too_large(policy_use),
        Rule::Syntax => malformed("Syntax errors in policy."),
        _ => malformed(violation.message),
    })
}

/// The refusal of a policy that is larger than its use allows.
pub(super) fn too_large(policy_use: PolicyUse) -> Refusal {
    let quota = match policy_use {
        PolicyUse::UserInline => "UserPolicySize",
        PolicyUse::GroupInline => "GroupPolicySize",
        PolicyUse::RoleInline => "RolePolicySize",
        PolicyUse::Trust => "ACLSizePerRole",
        PolicyUse::Managed
        | PolicyUse::Key
        | PolicyUse::Table
        | PolicyUse::ServiceControl
        | PolicyUse::ResourceControl => "PolicySize",
    };
    entity::limit(format!("Cannot exceed quota for {quota}: {}", policy_use.size_limit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(statement: &str) -> Result<Document, String> {
        policy(&format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}"), PolicyUse::Managed)
            .map_err(|refusal| {
                assert_eq!(refusal.code, "MalformedPolicyDocument");
                refusal.message
            })
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
            (r#"{"Effect":"Maybe","Action":"a:b","Resource":"*"}"#, "Invalid effect"),
            (r#"{"Sid":"a b","Effect":"Allow","Action":"a:b","Resource":"*"}"#, "alpha-numeric"),
            ("", "required field Statement"),
        ] {
            let message = identity(statement).unwrap_err();
            assert!(message.contains(words), "{statement}: {message}");
        }
        let long = format!("arn:aws:s3:::{}", "a".repeat(6200));
        let long = format!(r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"{long}"}}}}"#);
        assert_eq!(policy(&long, PolicyUse::Managed).unwrap_err().code, "LimitExceeded");
    }

    #[test]
    fn trust_policies_need_principals_and_sts_actions() {
        let trust = |statement: &str| policy(&format!("{{\"Statement\":[{statement}]}}"), PolicyUse::Trust);
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
