//! Who asks, and which principals of a policy stand for them.

use crate::document::Principal;
use crate::pattern::{Match, could_be_equal};
use crate::truth::Truth;

/// The identity that makes a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Caller {
    /// The root user of an account.
    Root {
        /// The account's twelve digits.
        account: String,
        /// The partition, such as `aws`.
        partition: String,
    },
    /// An IAM user.
    User {
        /// The user's ARN.
        arn: String,
        /// The unique id (`AIDA...`), if it is known already.
        user_id: Option<String>,
    },
    /// A session of a role.
    AssumedRole {
        /// The role's ARN, with its path.
        role_arn: String,
        /// The session's ARN (`arn:aws:sts::...:assumed-role/NAME/SESSION`).
        session_arn: String,
        /// The role's unique id (`AROA...`), if it is known already.
        role_id: Option<String>,
        /// The session's name.
        session_name: String,
    },
    /// An AWS service that acts for itself.
    Service {
        /// The service's principal name, such as `dynamodb.amazonaws.com`.
        name: String,
    },
    /// Somebody who has not signed the request.
    Anonymous,
}

/// By which of its identities a caller is meant, which decides what else limits the permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// By `*`.
    Everyone,
    /// By the account of the caller, who is not its root user.
    Account,
    /// By the root user's own ARN or account.
    Root,
    /// By the user itself.
    User,
    /// By the role of the session.
    Role,
    /// By the one session.
    Session,
    /// By the service's name.
    Service,
}

impl Caller {
    /// The ARN under which the caller is named in messages; the name for a service, `*` for anonymous.
    pub fn arn(&self) -> String {
        match self {
            Caller::Root { account, partition } => format!("arn:{partition}:iam::{account}:root"),
            Caller::User { arn, .. } => arn.clone(),
            Caller::AssumedRole { session_arn, .. } => session_arn.clone(),
            Caller::Service { name } => name.clone(),
            Caller::Anonymous => "*".to_owned(),
        }
    }

    /// The account the caller belongs to; `None` for a service and for anonymous.
    pub fn account(&self) -> Option<&str> {
        match self {
            Caller::Root { account, .. } => Some(account),
            Caller::User { arn, .. } => arn_account(arn),
            Caller::AssumedRole { role_arn, .. } => arn_account(role_arn),
            Caller::Service { .. } | Caller::Anonymous => None,
        }
    }

    /// The ARN that `aws:PrincipalArn` holds: for a session its role's.
    pub fn principal_arn(&self) -> Option<String> {
        match self {
            Caller::Root { .. } | Caller::User { .. } => Some(self.arn()),
            Caller::AssumedRole { role_arn, .. } => Some(role_arn.clone()),
            Caller::Service { .. } | Caller::Anonymous => None,
        }
    }

    /// Says whether a principal of a policy stands for this caller, and by which identity.
    ///
    /// `None` is a sure no. The truth is `Yes`, or `Depends` where a text is not known yet.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
    pub fn matches(&self, principal: &Principal) -> Option<(Via, Truth)> {
        let value = principal.value.as_str();
        match principal.kind.as_str() {
            "*" | "AWS" if value == "*" => Some((Via::Everyone, Truth::Yes)),
            "AWS" => self.matches_aws(value),
            "Service" => match self {
                Caller::Service { name } => equal(Via::Service, value, name),
                _ => None,
            },
            _ => None,
        }
    }

    fn matches_aws(&self, value: &str) -> Option<(Via, Truth)> {
        let own = match self {
            Caller::Root { .. } => None,
            Caller::User { arn, user_id } => equal(Via::User, value, arn)
                .or_else(|| unique_id(Via::User, value, user_id.as_deref(), "AIDA")),
            Caller::AssumedRole { role_arn, session_arn, role_id, session_name } => {
                equal(Via::Session, value, session_arn).or_else(|| equal(Via::Role, value, role_arn)).or_else(
                    || match value.split_once(':') {
                        Some((id, name)) if name == session_name => {
                            unique_id(Via::Session, id, role_id.as_deref(), "AROA")
                        }
                        Some(_) => None,
                        None => unique_id(Via::Role, value, role_id.as_deref(), "AROA"),
                    },
                )
            }
            Caller::Service { .. } | Caller::Anonymous => return None,
        };
        if own.is_some() {
            return own;
        }
        let account = self.account()?;
        let via = if matches!(self, Caller::Root { .. }) { Via::Root } else { Via::Account };
        let named = value
            .strip_prefix("arn:")
            .and_then(|rest| rest.split_once(":iam::"))
            .and_then(|(_, rest)| rest.strip_suffix(":root"))
            .unwrap_or(value);
        equal(via, named, account)
    }
}

fn equal(via: Via, value: &str, own: &str) -> Option<(Via, Truth)> {
    match could_be_equal(value, own) {
        Match::Yes => Some((via, Truth::Yes)),
        Match::Maybe => Some((via, Truth::depends_on("a principal that is not known yet"))),
        Match::No => None,
    }
}

fn unique_id(via: Via, value: &str, own: Option<&str>, prefix: &str) -> Option<(Via, Truth)> {
    match own {
        Some(own) => equal(via, value, own),
        None if value.starts_with(prefix) && !value.contains(':') => {
            Some((via, Truth::depends_on(format!("whose unique id {value} is"))))
        }
        None => None,
    }
}

/// The account field of an ARN, if it has one that is not empty.
pub(crate) fn arn_account(arn: &str) -> Option<&str> {
    arn_field(arn, 4)
}

/// A field of an ARN counted from 0, if the text is an ARN and the field is not empty.
pub(crate) fn arn_field(arn: &str, number: usize) -> Option<&str> {
    let mut fields = arn.splitn(6, ':');
    if fields.clone().count() != 6 || fields.clone().next() != Some("arn") {
        return None;
    }
    fields.nth(number).filter(|field| !field.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(value: &str) -> Principal {
        Principal { kind: "AWS".into(), value: value.into() }
    }

    fn session() -> Caller {
        Caller::AssumedRole {
            role_arn: "arn:aws:iam::111111111111:role/path/reader".into(),
            session_arn: "arn:aws:sts::111111111111:assumed-role/reader/ann".into(),
            role_id: Some("AROAREADER".into()),
            session_name: "ann".into(),
        }
    }

    fn via(caller: &Caller, value: &str) -> Option<Via> {
        caller.matches(&aws(value)).map(|(via, _)| via)
    }

    #[test]
    fn a_session_is_its_role_its_account_and_itself() {
        let caller = session();
        assert_eq!(via(&caller, "arn:aws:iam::111111111111:role/path/reader"), Some(Via::Role));
        assert_eq!(via(&caller, "arn:aws:sts::111111111111:assumed-role/reader/ann"), Some(Via::Session));
        assert_eq!(via(&caller, "arn:aws:iam::111111111111:root"), Some(Via::Account));
        assert_eq!(via(&caller, "111111111111"), Some(Via::Account));
        assert_eq!(via(&caller, "AROAREADER"), Some(Via::Role));
        assert_eq!(via(&caller, "AROAREADER:ann"), Some(Via::Session));
        assert_eq!(via(&caller, "AROAREADER:bob"), None);
        assert_eq!(via(&caller, "arn:aws:iam::111111111111:role/reader"), None);
        assert_eq!(via(&caller, "arn:aws:iam::222222222222:root"), None);
        assert_eq!(via(&caller, "*"), Some(Via::Everyone));
    }

    #[test]
    fn wildcards_inside_a_principal_mean_nothing() {
        assert_eq!(via(&session(), "arn:aws:iam::111111111111:role/*"), None);
    }

    #[test]
    fn a_principal_not_known_yet_leaves_it_open() {
        let user = Caller::User { arn: "arn:aws:iam::111111111111:user/ann".into(), user_id: None };
        let open = user.matches(&aws("arn:aws:iam::111111111111:user/\u{FFFF}"));
        assert!(matches!(open, Some((Via::User, Truth::Depends(_)))));
        assert!(matches!(user.matches(&aws("AIDAX")), Some((Via::User, Truth::Depends(_)))));
        assert_eq!(user.matches(&aws("AROAX")), None);
    }

    #[test]
    fn services_and_strangers() {
        let service = Caller::Service { name: "lambda.amazonaws.com".into() };
        let principal = Principal { kind: "Service".into(), value: "lambda.amazonaws.com".into() };
        assert_eq!(service.matches(&principal), Some((Via::Service, Truth::Yes)));
        assert_eq!(session().matches(&principal), None);
        assert_eq!(Caller::Anonymous.matches(&aws("111111111111")), None);
        assert_eq!(via(&Caller::Anonymous, "*"), Some(Via::Everyone));
    }
}
