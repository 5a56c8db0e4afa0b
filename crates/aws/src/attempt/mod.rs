//! One action tried for real, with parameters that do no harm.
//!
//! Reads ask for a key that no item has, or for one item. Writes carry a condition that no item fulfils, or delete an item that
//! is not there: a right to write shows itself, and nothing is written. KMS has `DryRun` for what would use or share a key. What
//! could change or destroy something is not tried at all.

mod circumstances;
mod dynamodb;
mod identities;
mod kms;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use terrane_provider::{Error, ErrorKind};

use crate::client::Clients;
use crate::error::failed;

pub use circumstances::{Asked, Circumstances};
pub use dynamodb::{Reserved, reserved};
pub use identities::assume;
pub use kms::{Kind, depends_on_kind, kind};

/// What kind of call an action is tried by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It reads, or says that it is only a trial.
    Read,
    /// It is a write, of nothing.
    Write,
}

/// Why an action is not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untried {
    /// It could change or destroy something.
    CouldChange,
    /// No harmless call is known by which exactly this action shows itself on this resource.
    NoCall,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The caller may: the service answered, or refused for a reason that comes after that decision.
    Allowed {
        /// The error code by which it showed, where it was one.
        code: Option<String>,
    },
    /// The caller may not.
    Refused {
        /// The error code.
        code: String,
        /// What the service said.
        message: String,
    },
    /// Neither showed.
    Failed {
        /// The error code, where the service answered.
        code: Option<String>,
        /// What the service said, or what happened.
        message: String,
    },
}

/// Error codes that come only after the caller was let in.
const LET_IN: [&str; 6] = [
    "DryRunOperationException",
    "ConditionalCheckFailedException",
    "KMSInvalidMacException",
    "KMSInvalidSignatureException",
    "TransactionCanceledException",
    "PolicyNotFoundException",
];

/// Error codes of an access key that a service has not heard of yet.
const NOT_YET: [&str; 3] = ["InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"];

/// Whether an error code is that of an access key which the service has not heard of.
pub fn is_of_a_new_key(code: Option<&str>) -> bool {
    code.is_some_and(|code| NOT_YET.contains(&code))
}

impl Happened {
    /// Whether the service does not know the access key: a new one takes a moment to get around.
    pub fn key_is_unknown(&self) -> bool {
        matches!(self, Happened::Failed { code, .. } if is_of_a_new_key(code.as_deref()))
    }

    fn of<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> Happened
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let error = match answer.map_err(failed("attempt")) {
            Ok(_) => return Happened::Allowed { code: None },
            Err(error) => error,
        };
        let Error { kind, code, message, .. } = error;
        match code {
            Some(code) if LET_IN.contains(&code.as_str()) => Happened::Allowed { code: Some(code) },
            Some(code) if kind == ErrorKind::Denied => Happened::Refused { code, message },
            code => Happened::Failed { code, message },
        }
    }
}

/// How an action on a resource is tried.
///
/// # Errors
/// Why it is not.
pub fn manner(action: &str, resource: &str) -> Result<Manner, Untried> {
    let (service, name) = action.split_once(':').unwrap_or_default();
    match service {
        "dynamodb" => dynamodb::manner(name, resource),
        "kms" => kms::manner(name, resource),
        "iam" | "sts" => identities::manner(name, resource),
        _ => Err(Untried::NoCall),
    }
}

/// One try.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The action, of which [`manner`] says how it is tried.
    pub action: &'a str,
    /// The ARN of the resource.
    pub resource: &'a str,
    /// The ARN of whoever tries.
    pub caller: &'a str,
    /// The key that no item has, for a table.
    pub reserved: Option<&'a Reserved>,
    /// What kind of key it is, for what [`depends_on_kind`].
    pub kind: Option<&'a Kind>,
    /// What the call is to bring about.
    pub circumstances: &'a Circumstances,
}

impl Attempt<'_> {
    /// Makes the call, with clients in the region of the resource.
    pub async fn make(&self, clients: &Clients) -> Happened {
        let (service, name) = self.action.split_once(':').unwrap_or_default();
        let made = match service {
            "dynamodb" => match self.reserved {
                Some(reserved) => dynamodb::make(clients, self, name, reserved).await,
                None => None,
            },
            "kms" => kms::make(clients, self, name).await,
            _ => identities::make(clients, self, name).await,
        };
        made.unwrap_or_else(|| Happened::Failed {
            code: None,
            message: format!("There is no call for {} on {}.", self.action, self.resource),
        })
    }

    /// The last part of the resource's ARN: the name of a user or role, the id of a key.
    fn name(&self) -> &str {
        self.resource.rsplit(['/', ':']).next().unwrap_or_default()
    }
}

/// The account of an ARN.
pub(crate) fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_change_something_is_not_tried() {
        let table = "arn:aws:dynamodb:eu-west-3:123456789012:table/Post";
        let key = "arn:aws:kms:eu-west-3:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let user = "arn:aws:iam::123456789012:user/ann";
        for (action, resource) in [
            ("dynamodb:DeleteTable", table),
            ("dynamodb:UpdateTable", table),
            ("dynamodb:PutResourcePolicy", table),
            ("dynamodb:PartiQLInsert", table),
            ("kms:PutKeyPolicy", key),
            ("kms:ScheduleKeyDeletion", key),
            ("kms:DisableKey", key),
            ("kms:RevokeGrant", key),
            ("iam:CreateAccessKey", user),
            ("iam:AttachUserPolicy", user),
        ] {
            assert_eq!(manner(action, resource), Err(Untried::CouldChange), "{action}");
        }
        for (action, resource) in [("dynamodb:GetItem", key), ("kms:Decrypt", table), ("s3:GetObject", table)]
        {
            assert_eq!(manner(action, resource), Err(Untried::NoCall), "{action}");
        }
    }

    #[test]
    fn reads_and_writes_are_told_apart() {
        let table = "arn:aws:dynamodb:eu-west-3:123456789012:table/Post";
        let index = "arn:aws:dynamodb:eu-west-3:123456789012:table/Post/index/ByDate";
        for action in ["GetItem", "BatchGetItem", "Query", "Scan", "DescribeTable", "ConditionCheckItem"] {
            assert_eq!(manner(&format!("dynamodb:{action}"), table), Ok(Manner::Read), "{action}");
        }
        for action in ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"] {
            assert_eq!(manner(&format!("dynamodb:{action}"), table), Ok(Manner::Write), "{action}");
        }
        assert_eq!(manner("dynamodb:Query", index), Ok(Manner::Read));
        assert_eq!(manner("dynamodb:GetItem", index), Err(Untried::NoCall));
    }
}
