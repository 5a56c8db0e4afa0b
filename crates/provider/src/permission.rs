//! The permissions that the calls of a resource type take, as data: who carries a plan out needs these.

use std::borrow::Cow;

use terrane_model::{Kind, Value};

use crate::facts::Facts;

/// What is done with an object.
#[derive(Clone, Copy, Debug)]
pub enum Doing<'a> {
    /// It is looked whether there is one already that this planned object would collide with.
    LookFor(&'a Value),
    /// It is found by an import id; reading it comes on top.
    Import(&'a str),
    /// It is read.
    Read(&'a Value),
    /// It is made as planned.
    Create(&'a Value),
    /// It is brought from what it is to what is planned.
    Update {
        /// As it is.
        prior: &'a Value,
        /// As it will be.
        planned: &'a Value,
    },
    /// It is deleted.
    Delete(&'a Value),
}

/// How sure it is that a permission is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// A call is made that needs it.
    Sure,
    /// The call is made only where something is found that nobody knows of while planning, or AWS names the permission
    /// without saying for which calls.
    Perhaps,
}

/// A condition of a statement: operator, key and value, as policies have them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// Such as `StringEquals`.
    pub operator: &'static str,
    /// Such as `kms:ViaService`.
    pub key: &'static str,
    /// The value that the request has.
    pub value: String,
}

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The action as policies name it, which is not always the name of the call: `kms:CreateKey`.
    pub action: Cow<'static, str>,
    /// The ARN, with `*` for what is not known; `*` alone for actions without a resource.
    pub resource: String,
    /// What can be said about the request beyond that.
    pub condition: Option<Condition>,
    /// Whether it is needed for sure.
    pub certainty: Certainty,
}

/// What permissions are worked out from, besides the values of an object.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Facts of the provider.
    pub facts: &'a Facts,
    /// The ARNs, before and after, of the object of a type that has this `name`, where the stack has it: names alone do not
    /// tell the path.
    pub arns_of: &'a dyn Fn(&str, &str) -> Vec<String>,
}

impl Ground<'_> {
    /// An ARN in the region: `arn:aws:SERVICE:REGION:ACCOUNT:REST`.
    pub fn regional(&self, service: &str, rest: &str) -> String {
        let Facts { partition, region, .. } = self.facts;
        format!("arn:{partition}:{service}:{region}:{}:{rest}", self.account())
    }

    /// An ARN of a service that has no regions: `arn:aws:SERVICE::ACCOUNT:REST`.
    pub fn global(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}::{}:{rest}", self.facts.partition, self.account())
    }

    fn account(&self) -> &str {
        self.facts.account.as_deref().unwrap_or("*")
    }
}

/// The text of a value with `*` for what is not known of it; nothing when nothing is known, or when it is null or empty.
pub fn pattern(value: Option<&Value>) -> Option<String> {
    let value = value?;
    match value.kind() {
        Kind::Unknown(unknown) if !unknown.prefix.is_empty() => Some(format!("{}*", unknown.prefix)),
        _ => value.as_str().filter(|text| !text.is_empty()).map(str::to_owned),
    }
}

/// What the policies of who deploys say about a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// They allow it.
    Allowed,
    /// None of them allows it.
    NotAllowed,
    /// A statement denies it.
    Denied,
    /// It hangs on something that nobody knows of while planning, or could not be asked.
    Open,
}

/// Permissions as they are gathered.
#[derive(Clone, Debug, Default)]
pub struct Permissions(Vec<Permission>);

impl Permissions {
    /// None.
    pub fn none() -> Permissions {
        Permissions::default()
    }

    /// These actions, each on the resource.
    #[must_use]
    pub fn on(self, resource: &str, actions: &[&'static str]) -> Permissions {
        self.with(resource, actions, None, Certainty::Sure)
    }

    /// The same where it can't be told yet whether they are needed.
    #[must_use]
    pub fn perhaps_on(self, resource: &str, actions: &[&'static str]) -> Permissions {
        self.with(resource, actions, None, Certainty::Perhaps)
    }

    /// The same with a condition.
    #[must_use]
    pub fn with(
        mut self,
        resource: &str,
        actions: &[&'static str],
        condition: Option<Condition>,
        certainty: Certainty,
    ) -> Permissions {
        self.0.extend(actions.iter().map(|action| Permission {
            action: Cow::Borrowed(action),
            resource: resource.to_owned(),
            condition: condition.clone(),
            certainty,
        }));
        self
    }

    /// These as well.
    #[must_use]
    pub fn and(mut self, others: Permissions) -> Permissions {
        self.0.extend(others.0);
        self
    }

    /// The same where it can't be told yet whether any of them is needed.
    #[must_use]
    pub fn perhaps(mut self) -> Permissions {
        self.0.iter_mut().for_each(|permission| permission.certainty = Certainty::Perhaps);
        self
    }

    /// The list.
    pub fn into_list(self) -> Vec<Permission> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use terrane_model::{Type, Unknown};

    use super::*;

    #[test]
    fn what_is_known_of_a_text_makes_a_pattern() {
        let beginning =
            Value::unknown_with(Unknown { prefix: "arn:aws:kms:".into(), ..Unknown::of(Type::String) });
        assert_eq!(pattern(Some(&beginning)).as_deref(), Some("arn:aws:kms:*"));
        assert_eq!(pattern(Some(&Value::from("arn:x"))).as_deref(), Some("arn:x"));
        for nothing in [Value::unknown(Type::String), Value::null(Type::String), Value::from("")] {
            assert_eq!(pattern(Some(&nothing)), None);
        }
        assert_eq!(pattern(None), None);
    }

    #[test]
    fn arns_say_where() {
        let facts = Facts { partition: "aws".into(), region: "eu-west-3".into(), ..Facts::default() };
        let ground = Ground { facts: &facts, arns_of: &|_, _| vec![] };
        assert_eq!(ground.regional("kms", "key/*"), "arn:aws:kms:eu-west-3:*:key/*");
        let facts = Facts { account: Some("123456789012".into()), ..facts };
        let ground = Ground { facts: &facts, arns_of: &|_, _| vec![] };
        assert_eq!(ground.global("iam", "user/u"), "arn:aws:iam::123456789012:user/u");
    }
}
