//! What the rules find in policies.

use terrane_iam::{Document, Effect, Principal, Statement, UNKNOWN};

use super::place::Within;
use super::rule::{
    ADMIN_AND_USE, ALLOW_ALL_BUT, ALLOW_NOT_PRINCIPAL, ANY_ACTION, ANY_RESOURCE, NO_ROOT, OPEN_ROLE, PUBLIC,
    Rule,
};

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It says what somebody may do.
    Identity,
    /// It says who may do what with a key.
    Key,
    /// It says who may do what with another resource.
    Resource,
    /// It says who may take on a role.
    Trust,
}

/// Actions that know no resource: their statements can say nothing but `*`.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>
const WITHOUT_RESOURCE: &[&str] = &[
    "cloudtrail:lookupevents",
    "dynamodb:describelimits",
    "dynamodb:describereservedcapacity",
    "dynamodb:describereservedcapacityofferings",
    "dynamodb:listbackups",
    "dynamodb:listcontributorinsights",
    "dynamodb:listexports",
    "dynamodb:listglobaltables",
    "dynamodb:listimports",
    "dynamodb:liststreams",
    "dynamodb:listtables",
    "ec2:describe*",
    "iam:getaccountauthorizationdetails",
    "iam:getaccountpasswordpolicy",
    "iam:getaccountsummary",
    "iam:listaccountaliases",
    "iam:listgroups",
    "iam:listpolicies",
    "iam:listroles",
    "iam:listusers",
    "iam:listvirtualmfadevices",
    "kms:createkey",
    "kms:generaterandom",
    "kms:listaliases",
    "kms:listkeys",
    "logs:describeloggroups",
    "s3:listallmybuckets",
    "sts:decodeauthorizationmessage",
    "sts:getcalleridentity",
];

/// Actions that manage a key, and such that use it. A statement that matches one of each is for both.
const ADMINISTRATION: &[&str] = &["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey"];
const USE: &[&str] = &["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"];

/// Condition keys that say who asks.
const WHO: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:userid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "kms:calleraccount",
    "sts:externalid",
];

type Found = (&'static Rule, Within, String);

/// Judges a policy.
pub fn judge(document: &Document, kind: Use) -> Vec<Found> {
    let mut found = Vec::new();
    if kind == Use::Key && !document.statements.iter().any(gives_root_everything) {
        let detail = "No statement gives the account's root `kms:*`.".to_owned();
        found.push((&NO_ROOT, Within { statement: None, element: None }, detail));
    }
    let allowing = document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    for statement in allowing {
        match kind {
            Use::Identity => identity(statement, &mut found),
            Use::Key | Use::Resource | Use::Trust => resource(statement, kind, &mut found),
        }
    }
    found
}

fn at(statement: &Statement, element: &'static str) -> Within {
    Within { statement: Some(statement.index), element: Some(element) }
}

/// How people know a statement.
fn named(statement: &Statement) -> String {
    match &statement.sid {
        Some(sid) => format!("The statement `{sid}`"),
        None => format!("Statement {}", statement.index.saturating_add(1)),
    }
}

fn identity(statement: &Statement, found: &mut Vec<Found>) {
    let texts = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let (actions, resources) = (texts(&statement.actions), texts(&statement.resources));
    if actions.iter().any(|action| is_everything(action)) {
        found.push((&ANY_ACTION, at(statement, "Action"), format!("{} allows `*`.", named(statement))));
    }
    let has_none = |action: &String| {
        let action = action.to_ascii_lowercase();
        WITHOUT_RESOURCE.iter().any(|known| {
            *known == action || known.strip_suffix('*').is_some_and(|beginning| action.starts_with(beginning))
        })
    };
    let everywhere = resources.iter().any(|resource| resource == "*");
    let narrowed = statement.conditions.iter().any(|condition| {
        let key = condition.key.to_ascii_lowercase();
        key.starts_with("aws:resourcetag/")
            || key.starts_with("aws:resourceaccount")
            || key == "kms:viaservice"
    });
    if everywhere && !narrowed && (actions.is_empty() || !actions.iter().all(has_none)) {
        let shown: Vec<String> =
            actions.iter().filter(|action| !has_none(action)).take(3).map(|a| format!("`{a}`")).collect();
        let what = if shown.is_empty() { "its actions".to_owned() } else { shown.join(", ") };
        let detail = format!("{} allows {what} on every resource.", named(statement));
        found.push((&ANY_RESOURCE, at(statement, "Resource"), detail));
    }
    for (element, is_there) in
        [("NotAction", statement.not_actions.is_some()), ("NotResource", statement.not_resources.is_some())]
    {
        if is_there {
            let detail = format!("{} allows by `{element}`.", named(statement));
            found.push((&ALLOW_ALL_BUT, at(statement, element), detail));
        }
    }
}

fn resource(statement: &Statement, kind: Use, found: &mut Vec<Found>) {
    if statement.not_principals.is_some() {
        let detail = format!("{} allows by `NotPrincipal`.", named(statement));
        found.push((&ALLOW_NOT_PRINCIPAL, at(statement, "NotPrincipal"), detail));
    }
    let principals = statement.principals.as_deref().unwrap_or_default();
    let says_who = statement.conditions.iter().any(|condition| {
        let key = condition.key.to_ascii_lowercase();
        let negated = condition.operator.to_ascii_lowercase().contains("not");
        !negated && (WHO.contains(&key.as_str()) || key.starts_with("aws:principaltag/"))
    });
    if principals.iter().any(is_anybody) && !says_who {
        let rule = if kind == Use::Trust { &OPEN_ROLE } else { &PUBLIC };
        found.push((rule, at(statement, "Principal"), format!("{} lets in `*`.", named(statement))));
    }
    let others = principals.iter().any(|principal| !is_root(principal) && principal.kind != "Service");
    if kind == Use::Key && others {
        let actions = statement.actions.as_deref().unwrap_or_default();
        let has = |wanted: &[&'static str]| -> Option<&'static str> {
            let given = |wanted: &&'static str| actions.iter().any(|action| matches(action, wanted));
            wanted.iter().copied().find(given)
        };
        if let (Some(managing), Some(using)) = (has(ADMINISTRATION), has(USE)) {
            let detail = format!("{} gives both `{managing}` and `{using}`.", named(statement));
            found.push((&ADMIN_AND_USE, at(statement, "Action"), detail));
        }
    }
}

fn is_everything(action: &str) -> bool {
    action == "*" || action == "*:*"
}

fn is_anybody(principal: &Principal) -> bool {
    principal.value == "*" && matches!(principal.kind.as_str(), "*" | "AWS")
}

/// Whether it is the root of some account. A principal that is not known may be.
fn is_root(principal: &Principal) -> bool {
    let id = &principal.value;
    let is_account = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    principal.kind == "AWS" && (is_account || id.ends_with(":root") || id.contains(UNKNOWN))
}

/// Whether a statement leaves the key to the account's IAM policies.
fn gives_root_everything(statement: &Statement) -> bool {
    let all = |action: &String| matches(action, "kms:PutKeyPolicy");
    statement.effect == Effect::Allow
        && statement.principals.iter().flatten().any(is_root)
        && statement.actions.iter().flatten().any(all)
}

/// Whether an action of a policy, with its wildcards, stands for a known one.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut rest = action.as_str();
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str, kind: Use) -> Vec<&'static str> {
        let document = Document::parse(text).unwrap();
        judge(&document, kind).into_iter().map(|(rule, ..)| rule.id).collect()
    }

    fn statement(body: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{body}}}]}}"#)
    }

    #[test]
    fn identity_policies() {
        let of = |body: &str| ids(&statement(body), Use::Identity);
        assert_eq!(of(r#""Action":"*","Resource":"arn:aws:s3:::b""#), ["TRN-IAM-003"]);
        assert_eq!(of(r#""Action":"*","Resource":"*""#), ["TRN-IAM-003", "TRN-IAM-002"]);
        assert_eq!(of(r#""Action":["kms:Decrypt"],"Resource":["*"]"#), ["TRN-IAM-002"]);
        assert_eq!(of(r#""Action":["kms:ListKeys","sts:GetCallerIdentity"],"Resource":"*""#), [""; 0]);
        assert_eq!(of(r#""NotAction":"iam:*","Resource":"*""#), ["TRN-IAM-002", "TRN-IAM-004"]);
        assert_eq!(of(r#""Action":"s3:GetObject","NotResource":"arn:aws:s3:::b""#), ["TRN-IAM-004"]);
        let tagged = r#""Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Team":"a"}}"#;
        assert_eq!(of(tagged), [""; 0]);
        let deny = r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        assert_eq!(ids(deny, Use::Identity), [""; 0]);
    }

    #[test]
    fn key_policies() {
        let root =
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"kms:*","Resource":"*"}"#;
        let with_root = |more: &str| ids(&format!(r#"{{"Statement":[{root}{more}]}}"#), Use::Key);
        assert_eq!(with_root(""), [""; 0]);
        let other = |action: &str, more: &str| {
            format!(
                r#",{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::1:role/r"}},"Action":{action},"Resource":"*"{more}}}"#
            )
        };
        assert_eq!(with_root(&other(r#""kms:*""#, "")), ["TRN-KMS-003"]);
        assert_eq!(with_root(&other(r#"["kms:Put*","kms:ScheduleKeyDeletion"]"#, "")), [""; 0]);
        assert_eq!(with_root(&other(r#"["kms:Encrypt","kms:Decrypt","kms:DescribeKey"]"#, "")), [""; 0]);
        let anybody = r#",{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*""#;
        assert_eq!(with_root(&format!("{anybody}}}")), ["TRN-POL-001"]);
        let ours = r#","Condition":{"StringEquals":{"kms:CallerAccount":"1"}}}"#;
        assert_eq!(with_root(&format!("{anybody}{ours}")), [""; 0]);
        let not_them = r#","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"1"}}}"#;
        assert_eq!(with_root(&format!("{anybody}{not_them}")), ["TRN-POL-001"]);
        let no_root =
            statement(r#""Principal":{"AWS":"arn:aws:iam::1:user/u"},"Action":"kms:Put*","Resource":"*""#);
        assert_eq!(ids(&no_root, Use::Key), ["TRN-KMS-002"]);
        let all_but =
            statement(r#""NotPrincipal":{"AWS":"arn:aws:iam::1:user/u"},"Action":"kms:Put*","Resource":"*""#);
        assert_eq!(ids(&all_but, Use::Key), ["TRN-KMS-002", "TRN-POL-002"]);
    }

    #[test]
    fn trust_policies() {
        let of = |principal: &str, more: &str| {
            ids(
                &statement(&format!(r#""Principal":{principal},"Action":"sts:AssumeRole"{more}"#)),
                Use::Trust,
            )
        };
        assert_eq!(of(r#"{"AWS":"*"}"#, ""), ["TRN-IAM-006"]);
        assert_eq!(
            of(r#"{"AWS":"*"}"#, r#","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#),
            [""; 0]
        );
        assert_eq!(of(r#"{"Service":"lambda.amazonaws.com"}"#, ""), [""; 0]);
    }

    #[test]
    fn wildcards_of_actions() {
        assert!(
            matches("kms:*", "kms:Decrypt")
                && matches("*", "kms:Decrypt")
                && matches("kms:Put*Policy", "kms:PutKeyPolicy")
        );
        assert!(!matches("kms:Enc*", "kms:Decrypt") && !matches("kms:Decrypt", "kms:DecryptX"));
    }
}
