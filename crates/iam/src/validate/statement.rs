//! The rules for one statement.

use serde_json::{Map, Value};

use super::{PolicyUse, Rule, Violation, unknown_element};
use crate::operator::Operator;
use crate::parse::pointer_step;
use crate::pattern::UNKNOWN;

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
];

pub(super) fn check(
    object: &Map<String, Value>,
    at: &str,
    policy_use: PolicyUse,
    violations: &mut Vec<Violation>,
) {
    let check = Check { object, at, policy_use };
    violations.extend(
        object.keys().filter(|name| !ELEMENTS.contains(&name.as_str())).map(|name| unknown_element(name, at)),
    );
    violations.extend(check.sid());
    violations.extend(check.effect());
    violations.extend(check.actions());
    violations.extend(check.resources());
    violations.extend(check.principals());
    violations.extend(check.conditions());
}

struct Check<'o> {
    object: &'o Map<String, Value>,
    at: &'o str,
    policy_use: PolicyUse,
}

impl Check<'_> {
    fn violation(&self, rule: Rule, name: &str, message: impl Into<String>) -> Violation {
        let pointer = if name.is_empty() { self.at.to_owned() } else { format!("{}/{name}", self.at) };
        Violation::at(rule, pointer, message)
    }

    fn sid(&self) -> Option<Violation> {
        let sid = match self.object.get("Sid")? {
            Value::String(sid) => sid,
            _ => {
                return Some(self.violation(
                    Rule::Syntax,
                    "Sid",
                    "Syntax errors in policy: Sid must be text.",
                ));
            }
        };
        // KMS and DynamoDB let a Sid have spaces and more, IAM does not.
        let allowed = matches!(self.policy_use, PolicyUse::Key | PolicyUse::Table)
            || sid.chars().all(|character| character.is_ascii_alphanumeric() || character == UNKNOWN);
        (!allowed).then(|| {
            self.violation(
                Rule::SidCharacters,
                "Sid",
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
            )
        })
    }

    fn effect(&self) -> Option<Violation> {
        match self.object.get("Effect") {
            None => Some(self.violation(Rule::Effect, "", "Missing required field Effect")),
            // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
            Some(Value::String(effect))
                if effect == "Allow" && self.policy_use == PolicyUse::ResourceControl =>
            {
                let message = "A resource control policy can only deny: AWS's own RCPFullAWSAccess allows.";
                Some(self.violation(Rule::Effect, "Effect", message))
            }
            Some(Value::String(effect)) if matches!(effect.as_str(), "Allow" | "Deny") => None,
            Some(Value::String(effect)) => {
                Some(self.violation(Rule::Effect, "Effect", format!("Invalid effect: {effect}")))
            }
            Some(_) => Some(self.violation(Rule::Effect, "Effect", "Invalid effect: it must be text")),
        }
    }

    fn actions(&self) -> Vec<Violation> {
        let mut violations = self.one_of("Action", "NotAction", Rule::Actions, "actions");
        for (name, action) in self.texts(&["Action", "NotAction"], &mut violations) {
            if !is_action(action) {
                violations.push(self.violation(
                    Rule::ActionVendor,
                    name,
                    format!("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: `{action}`"),
                ));
            } else if self.policy_use == PolicyUse::Trust && !is_of_sts(action) {
                let message = "AssumeRole policy may only specify STS AssumeRole actions.";
                violations.push(self.violation(Rule::TrustAction, name, message));
            }
        }
        violations
    }

    fn resources(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        match self.policy_use {
            PolicyUse::Trust => {
                for name in
                    ["Resource", "NotResource"].into_iter().filter(|name| self.object.contains_key(*name))
                {
                    let message = format!("Has prohibited field {name}");
                    violations.push(self.violation(Rule::ResourceProhibited, name, message));
                }
                return violations;
            }
            // KMS takes a statement without a resource, though it has no effect.
            PolicyUse::Key
                if !self.object.contains_key("Resource") && !self.object.contains_key("NotResource") => {}
            _ => violations = self.one_of("Resource", "NotResource", Rule::Resources, "resources"),
        }
        for (name, resource) in self.texts(&["Resource", "NotResource"], &mut violations) {
            if !is_resource(resource) {
                let message = format!("Resource {resource} must be in ARN format or \"*\".");
                violations.push(self.violation(Rule::ResourceFormat, name, message));
            }
        }
        violations
    }

    fn principals(&self) -> Vec<Violation> {
        let present: Vec<(&str, &Value)> = ["Principal", "NotPrincipal"]
            .into_iter()
            .filter_map(|name| self.object.get(name).map(|value| (name, value)))
            .collect();
        if !self.policy_use.names_principals() {
            let message = "Policy document should not specify a principal.";
            return present
                .into_iter()
                .map(|(name, _)| self.violation(Rule::PrincipalProhibited, name, message))
                .collect();
        }
        let mut violations = Vec::new();
        match present.len() {
            0 => violations.push(self.violation(Rule::Principals, "", "Missing required field Principal")),
            1 => {}
            _ => violations.push(self.violation(
                Rule::Principals,
                "",
                "Syntax errors in policy: a statement has Principal or NotPrincipal, not both.",
            )),
        }
        for (name, value) in present {
            if self.policy_use == PolicyUse::ResourceControl && value != "*" {
                let message = "A resource control policy is for everybody: its Principal is \"*\".";
                violations.push(self.violation(Rule::PrincipalFormat, name, message));
                continue;
            }
            self.principal(name, value, &mut violations);
        }
        violations
    }

    fn principal(&self, name: &str, value: &Value, violations: &mut Vec<Violation>) {
        let kinds = match value {
            Value::String(text) if text == "*" => return,
            Value::String(text) => {
                let message = format!("Invalid principal in policy: \"{text}\"");
                violations.push(self.violation(Rule::PrincipalFormat, name, message));
                return;
            }
            Value::Object(kinds) if !kinds.is_empty() => kinds,
            _ => {
                let message = format!("Syntax errors in policy: {name} must be \"*\" or an object.");
                violations.push(self.violation(Rule::Syntax, name, message));
                return;
            }
        };
        for (kind, value) in kinds {
            let place = format!("{name}/{}", pointer_step(kind));
            let identifiers = list(value).unwrap_or_default();
            if identifiers.is_empty() {
                let message = "Syntax errors in policy: a principal must be text or a list of texts.";
                violations.push(self.violation(Rule::Syntax, &place, message));
            }
            for identifier in identifiers {
                if !is_principal(kind, identifier) {
                    let message = format!("Invalid principal in policy: \"{kind}\":\"{identifier}\"");
                    violations.push(self.violation(Rule::PrincipalFormat, &place, message));
                }
            }
        }
    }

    fn conditions(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        let wrong = |place: &str, message: &str| {
            self.violation(Rule::Syntax, place, format!("Syntax errors in policy: {message}"))
        };
        let operators = match self.object.get("Condition") {
            None => return violations,
            Some(Value::Object(operators)) => operators,
            Some(_) => return vec![wrong("Condition", "Condition must be an object.")],
        };
        for (operator, keys) in operators {
            let place = format!("Condition/{}", pointer_step(operator));
            if Operator::parse(operator).is_none() {
                let message = format!("Invalid Condition type : {operator}.");
                violations.push(self.violation(Rule::ConditionOperator, &place, message));
            }
            let Value::Object(keys) = keys else {
                violations.push(wrong(&place, "an operator must hold an object of condition keys."));
                continue;
            };
            for (key, value) in keys {
                let scalar =
                    |value: &Value| matches!(value, Value::String(_) | Value::Bool(_) | Value::Number(_));
                let fits = match value {
                    Value::Array(values) => values.iter().all(scalar),
                    single => scalar(single),
                };
                if !fits {
                    let place = format!("{place}/{}", pointer_step(key));
                    violations.push(wrong(&place, "a condition value must be text or a list of texts."));
                }
            }
        }
        violations
    }

    /// One of two elements must be there, and not both.
    fn one_of(&self, name: &str, other: &str, rule: Rule, what: &str) -> Vec<Violation> {
        let message = match (self.object.contains_key(name), self.object.contains_key(other)) {
            (false, false) => format!("Policy statement must contain {what}."),
            (true, true) => {
                format!("Syntax errors in policy: a statement has {name} or {other}, not both.")
            }
            _ => return Vec::new(),
        };
        vec![self.violation(rule, "", message)]
    }

    /// The texts of the elements, and a violation for each element that has none.
    fn texts<'n>(&self, names: &[&'n str], violations: &mut Vec<Violation>) -> Vec<(&'n str, &str)> {
        let mut texts = Vec::new();
        for name in names {
            let Some(value) = self.object.get(*name) else { continue };
            match list(value) {
                Some(list) if !list.is_empty() => texts.extend(list.into_iter().map(|text| (*name, text))),
                _ => {
                    let message = format!("Syntax errors in policy: {name} must be text or a list of texts.");
                    violations.push(self.violation(Rule::Syntax, name, message));
                }
            }
        }
        texts
    }
}

fn list(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn is_action(action: &str) -> bool {
    if action == "*" || action.contains(UNKNOWN) {
        return true;
    }
    let letters = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one))
    };
    action
        .split_once(':')
        .is_some_and(|(vendor, name)| (vendor == "*" || letters(vendor, "-")) && letters(name, "*?-_."))
}

fn is_of_sts(action: &str) -> bool {
    action.contains(UNKNOWN)
        || action.split_once(':').is_some_and(|(vendor, _)| vendor.eq_ignore_ascii_case("sts"))
}

fn is_resource(resource: &str) -> bool {
    resource == "*"
        || resource.contains(UNKNOWN)
        || (resource.starts_with("arn:") && (resource.matches(':').count() >= 5 || resource.contains('*')))
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
fn is_principal(kind: &str, identifier: &str) -> bool {
    if identifier.contains(UNKNOWN) {
        return true;
    }
    match kind {
        "AWS" => {
            let account = identifier.len() == 12 && identifier.bytes().all(|byte| byte.is_ascii_digit());
            let fields: Vec<&str> = identifier.splitn(6, ':').collect();
            let arn = matches!(
                fields.as_slice(),
                ["arn", partition, "iam" | "sts", "", account, rest]
                    if !partition.is_empty()
                        && account.len() == 12
                        && !rest.is_empty()
                        && !rest.contains(['*', '?'])
            );
            let unique_id = identifier.len() >= 16
                && identifier.starts_with('A')
                && identifier.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            identifier == "*" || account || arn || unique_id
        }
        "Service" => {
            identifier.contains('.')
                && identifier.chars().all(|one| one.is_ascii_alphanumeric() || "-._".contains(one))
        }
        "Federated" | "CanonicalUser" => !identifier.is_empty(),
        "*" => identifier == "*",
        _ => false,
    }
}
