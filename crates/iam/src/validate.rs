//! Would AWS take this policy? Grammar and size, for each use of a policy.
//!
//! Only what the text itself shows is judged; whether principals exist, or whether a key policy locks its author out, needs
//! an account. Texts that hold [`crate::UNKNOWN`] are judged by what is known.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>,
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>

mod keys;
mod statement;

use serde_json::Value;

use crate::parse::{self, Location, PolicyError};

/// What a policy is for, which decides what it must and must not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyUse {
    /// A managed policy.
    Managed,
    /// Inline in a user.
    UserInline,
    /// Inline in a group.
    GroupInline,
    /// Inline in a role.
    RoleInline,
    /// A role's trust policy.
    Trust,
    /// A key policy.
    Key,
    /// A DynamoDB resource policy.
    Table,
    /// A service control policy of an organization.
    ServiceControl,
    /// A resource control policy of an organization: it denies, and to everybody.
    ResourceControl,
}

/// The rule that a policy breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The text is not JSON, or a value has the wrong type.
    Syntax,
    /// A name stands twice in one object.
    DuplicateKey,
    /// An element is not part of the policy language; names are taken by case.
    UnknownElement,
    /// The version is none of the two that exist.
    Version,
    /// There is no statement.
    NoStatement,
    /// A statement has no effect, or one that is neither `Allow` nor `Deny`.
    Effect,
    /// A Sid has characters that it may not have.
    SidCharacters,
    /// Two statements have one Sid.
    DuplicateSid,
    /// A statement has neither or both of `Action` and `NotAction`.
    Actions,
    /// An action has no service in front.
    ActionVendor,
    /// A trust policy names an action that is not of STS.
    TrustAction,
    /// A statement has neither or both of `Resource` and `NotResource`.
    Resources,
    /// A resource is neither `*` nor an ARN.
    ResourceFormat,
    /// A trust policy names a resource.
    ResourceProhibited,
    /// A statement of a resource policy has neither or both of `Principal` and `NotPrincipal`.
    Principals,
    /// A principal is of no form that AWS knows.
    PrincipalFormat,
    /// An identity policy names a principal.
    PrincipalProhibited,
    /// A condition's operator does not exist.
    ConditionOperator,
    /// The policy is larger than its use allows.
    Size,
}

/// One rule that a policy breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({location})")]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What is wrong, in AWS's words where they are known.
    pub message: String,
    /// Where it is wrong.
    pub location: Location,
}

impl PolicyUse {
    /// The largest size that AWS takes: for policies of IAM in characters without white space, for others in bytes. For
    /// inline policies the limit is on all of one user, group or role together.
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>,
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html>,
    /// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
    pub fn size_limit(self) -> usize {
        match self {
            PolicyUse::Managed => 6_144,
            PolicyUse::UserInline | PolicyUse::Trust => 2_048,
            PolicyUse::GroupInline => 5_120,
            PolicyUse::RoleInline => 10_240,
            PolicyUse::Key => 32_768,
            PolicyUse::Table => 20_480,
            // AWS counts these without white space too when they come through the console.
            PolicyUse::ServiceControl | PolicyUse::ResourceControl => 10_240,
        }
    }

    /// The size of a text as AWS counts it for this use.
    pub fn size_of(self, text: &str) -> usize {
        match self {
            PolicyUse::Key | PolicyUse::Table => text.len(),
            _ => text.chars().filter(|character| !character.is_whitespace()).count(),
        }
    }

    fn names_principals(self) -> bool {
        matches!(self, PolicyUse::Trust | PolicyUse::Key | PolicyUse::Table | PolicyUse::ResourceControl)
    }
}

impl Violation {
    fn at(rule: Rule, pointer: impl Into<String>, message: impl Into<String>) -> Violation {
        Violation { rule, message: message.into(), location: Location::Pointer(pointer.into()) }
    }
}

impl From<PolicyError> for Violation {
    fn from(error: PolicyError) -> Violation {
        Violation { rule: Rule::Syntax, message: error.message, location: error.location }
    }
}

/// Judges a policy's text. Gives every violation in the order of the text, none for a policy that AWS takes.
pub fn validate(text: &str, policy_use: PolicyUse) -> Vec<Violation> {
    let value = match parse::json(text) {
        Ok(value) => value,
        Err(error) => return vec![error.into()],
    };
    let Value::Object(object) = &value else {
        return vec![Violation::at(Rule::Syntax, "", "Syntax errors in policy: it must be a JSON object.")];
    };
    let mut violations: Vec<Violation> = keys::duplicates(text)
        .into_iter()
        .map(|(pointer, name)| {
            Violation::at(
                Rule::DuplicateKey,
                pointer,
                format!("Syntax errors in policy: `{name}` is there twice."),
            )
        })
        .collect();
    let size = policy_use.size_of(text);
    let limit = policy_use.size_limit();
    if size > limit {
        let quota = if policy_use == PolicyUse::Trust { "ACLSizePerRole" } else { "PolicySize" };
        let message = format!("Cannot exceed quota for {quota}: {limit} (it is {size})");
        violations.push(Violation::at(Rule::Size, "", message));
    }
    for (name, value) in object {
        match (name.as_str(), value) {
            ("Statement", _) | ("Id", Value::String(_)) => {}
            ("Version", Value::String(version))
                if matches!(version.as_str(), "2012-10-17" | "2008-10-17") => {}
            ("Version", _) => violations.push(Violation::at(
                Rule::Version,
                "/Version",
                "The policy must contain a valid version string.",
            )),
            ("Id", _) => {
                violations.push(Violation::at(
                    Rule::Syntax,
                    "/Id",
                    "Syntax errors in policy: Id must be text.",
                ));
            }
            _ => violations.push(unknown_element(name, "")),
        }
    }
    violations.extend(statements(object.get("Statement"), policy_use));
    violations
}

fn statements(value: Option<&Value>, policy_use: PolicyUse) -> Vec<Violation> {
    let missing = || vec![Violation::at(Rule::NoStatement, "", "Missing required field Statement")];
    let mut violations = Vec::new();
    let mut sids: Vec<&str> = Vec::new();
    let statements: Vec<(String, &Value)> = match value {
        None => return missing(),
        Some(Value::Array(items)) if items.is_empty() => return missing(),
        Some(Value::Array(items)) => {
            items.iter().enumerate().map(|(index, item)| (format!("/Statement/{index}"), item)).collect()
        }
        Some(single) => vec![("/Statement".to_owned(), single)],
    };
    for (at, value) in statements {
        let Value::Object(object) = value else {
            let message = "Syntax errors in policy: a statement must be an object.";
            violations.push(Violation::at(Rule::Syntax, at, message));
            continue;
        };
        statement::check(object, &at, policy_use, &mut violations);
        if let Some(sid) = object.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty()) {
            if sids.contains(&sid) {
                let message = "Statement IDs (SID) in a single policy must be unique.";
                violations.push(Violation::at(Rule::DuplicateSid, format!("{at}/Sid"), message));
            }
            sids.push(sid);
        }
    }
    violations
}

fn unknown_element(name: &str, at: &str) -> Violation {
    let pointer = format!("{at}/{}", parse::pointer_step(name));
    Violation::at(
        Rule::UnknownElement,
        pointer,
        format!("Syntax errors in policy: `{name}` is no policy element."),
    )
}
