//! Permissions as the statements of a policy, as few as say exactly the same.

use std::collections::{BTreeMap, BTreeSet};

use terrane_provider::Permission;
use terrane_provider::permission::Condition;

use super::{Needed, Part};

/// A statement that allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The Sid.
    pub sid: String,
    /// Actions of one service, sorted.
    pub actions: Vec<String>,
    /// ARNs, sorted.
    pub resources: Vec<String>,
    /// Operator, key and values.
    pub condition: Option<(&'static str, &'static str, Vec<String>)>,
}

/// What tells statements apart besides their actions: part, service, condition and resources.
type Scope = (Part, String, Option<(&'static str, &'static str, BTreeSet<String>)>, BTreeSet<String>);

/// Puts permissions together: first those of one part in statements of their own, then by service. No statement allows an
/// action on a resource, or under a condition, that was not asked for.
pub fn statements<'n>(needed: impl IntoIterator<Item = &'n Needed>) -> Vec<Statement> {
    type Said = (&'static str, &'static str);
    let mut values: BTreeMap<(Part, &str, &str, Option<Said>), BTreeSet<String>> = BTreeMap::new();
    for Needed { part, permission: Permission { action, resource, condition, .. }, .. } in needed {
        let said = condition.as_ref().map(|Condition { operator, key, .. }| (*operator, *key));
        let entry = values.entry((*part, action, resource, said)).or_default();
        entry.extend(condition.iter().map(|condition| condition.value.clone()));
    }
    let mut resources: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for ((part, action, resource, said), values) in values {
        let condition = said.map(|(operator, key)| (operator, key, values));
        resources.entry((part, action, condition)).or_default().insert(resource.to_owned());
    }
    let mut scopes: BTreeMap<Scope, BTreeSet<String>> = BTreeMap::new();
    for ((part, action, condition), resources) in resources {
        let service = action.split(':').next().unwrap_or_default().to_owned();
        scopes.entry((part, service, condition, resources)).or_default().insert(action.to_owned());
    }
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    scopes
        .into_iter()
        .map(|((part, service, condition, resources), actions)| {
            let name = format!("{}{}", part_name(part), service_name(&service));
            let number = numbers.entry(name.clone()).or_default();
            *number += 1;
            let sid = if *number == 1 { name } else { format!("{name}{number}") };
            Statement {
                sid,
                actions: actions.into_iter().collect(),
                resources: resources.into_iter().collect(),
                condition: condition
                    .map(|(operator, key, values)| (operator, key, values.into_iter().collect())),
            }
        })
        .collect()
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::State => "State",
        Part::Read => "Read",
        Part::Change => "Change",
        Part::Recover => "Recover",
    }
}

fn service_name(service: &str) -> String {
    match service {
        "dynamodb" => "DynamoDB".to_owned(),
        other => other.to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use terrane_provider::Certainty;

    use super::*;

    fn needed(part: Part, action: &'static str, resource: &str, policy: Option<&str>) -> Needed {
        let condition = policy.map(|policy| Condition {
            operator: "ArnEquals",
            key: "iam:PolicyARN",
            value: policy.to_owned(),
        });
        let certainty = Certainty::Sure;
        let permission =
            Permission { action: action.into(), resource: resource.to_owned(), condition, certainty };
        Needed { part, permission, addresses: BTreeSet::new() }
    }

    fn shown(all: &[Needed]) -> Vec<String> {
        let line = |s: Statement| {
            let condition =
                s.condition.map(|(_, _, values)| format!(" if {}", values.join(","))).unwrap_or_default();
            format!("{}: {} on {}{condition}", s.sid, s.actions.join(","), s.resources.join(","))
        };
        statements(all).into_iter().map(line).collect()
    }

    #[test]
    fn actions_on_the_same_resources_are_one_statement() {
        let all = [
            needed(Part::Change, "iam:CreateUser", "u", None),
            needed(Part::Read, "kms:DescribeKey", "a", None),
            needed(Part::Read, "kms:DescribeKey", "b", None),
            needed(Part::Read, "kms:GetKeyPolicy", "b", None),
            needed(Part::Read, "kms:ListAliases", "*", None),
            needed(Part::Read, "kms:GetKeyPolicy", "a", None),
        ];
        assert_eq!(
            shown(&all),
            [
                "ReadKMS: kms:ListAliases on *",
                "ReadKMS2: kms:DescribeKey,kms:GetKeyPolicy on a,b",
                "ChangeIAM: iam:CreateUser on u"
            ]
        );
    }

    #[test]
    fn conditions_are_not_mixed_up() {
        let attach = |user, policy| needed(Part::Change, "iam:AttachUserPolicy", user, Some(policy));
        let all = [attach("u", "p"), attach("u", "q"), attach("v", "p"), attach("w", "p")];
        assert_eq!(
            shown(&all),
            ["ChangeIAM: iam:AttachUserPolicy on v,w if p", "ChangeIAM2: iam:AttachUserPolicy on u if p,q"]
        );
    }
}
