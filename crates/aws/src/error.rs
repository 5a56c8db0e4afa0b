//! From the SDK's errors to the engine's: one function for every operation.
//!
//! Which kind an error code has is decided here, for all services; when an operation is tried again is declared beside
//! each service.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use terrane_provider::{Error, ErrorKind};

/// Makes the engine's error of a failed call of this operation, named as `kms:CreateKey`.
pub fn failed<E>(operation: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    move |error| {
        let stage = Stage::of(&error);
        let answer = Answer {
            status: error.raw_response().map(|response| response.status().as_u16()),
            code: error.meta().code().map(str::to_owned),
            message: error.meta().message().map(str::to_owned),
            request_id: error.meta().request_id().or_else(|| error.request_id()).map(str::to_owned),
        };
        translate(operation, stage, answer, Box::new(error))
    }
}

/// Turns "not found" from an error into an answer.
///
/// # Errors
/// Every other error.
pub fn present<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// How far a call got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The request could not be made.
    Construction,
    /// No answer came in time.
    Timeout,
    /// The request did not get through.
    Dispatch,
    /// The answer could not be read.
    Response,
    /// The service answered with an error.
    Service,
}

impl Stage {
    fn of<E, R>(error: &SdkError<E, R>) -> Stage {
        match error {
            SdkError::ConstructionFailure(_) => Stage::Construction,
            SdkError::TimeoutError(_) => Stage::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Stage::Timeout,
            SdkError::DispatchFailure(_) => Stage::Dispatch,
            SdkError::ResponseError(_) => Stage::Response,
            _ => Stage::Service,
        }
    }
}

struct Answer {
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

fn translate(
    operation: &'static str,
    stage: Stage,
    answer: Answer,
    source: Box<dyn StdError + Send + Sync + 'static>,
) -> Error {
    let mut error = match find::<CredentialsError>(source.as_ref()) {
        Some(credentials) => no_credentials(operation, credentials),
        None => without_credentials_trouble(operation, stage, &answer, source.as_ref()),
    };
    error.status = answer.status;
    error.code = answer.code;
    error.request_id = answer.request_id;
    if error.kind == ErrorKind::Bug {
        error.source = Some(source);
    }
    error
}

fn without_credentials_trouble(
    operation: &'static str,
    stage: Stage,
    answer: &Answer,
    source: &(dyn StdError + 'static),
) -> Error {
    match stage {
        Stage::Service => {
            let kind = kind_of(answer.code.as_deref(), answer.status);
            let said = answer.message.as_deref().map(str::trim).filter(|message| !message.is_empty());
            let message = match (said, answer.status) {
                (Some(message), _) => message.to_owned(),
                (None, Some(status)) => format!("The service answered with status {status} and no explanation."),
                (None, None) => "The service answered with an error and no explanation.".to_owned(),
            };
            let hint = hint_for(kind, &message);
            let error = Error::new(kind, operation, message);
            match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        }
        Stage::Timeout => {
            Error::new(ErrorKind::Unavailable, operation, "The service did not answer in time.").hint(REACHABLE)
        }
        Stage::Dispatch => Error::new(
            ErrorKind::Unavailable,
            operation,
            format!("The service could not be reached: {}.", innermost(source)),
        )
        .hint(REACHABLE),
        Stage::Construction => Error::new(
            ErrorKind::Invalid,
            operation,
            format!("The request could not be made: {}.", innermost(source)),
        ),
        Stage::Response if answer.status.is_some_and(|status| status >= 500) => {
            Error::new(ErrorKind::Unavailable, operation, "The service failed and its answer could not be read.")
        }
        Stage::Response => Error::new(
            ErrorKind::Bug,
            operation,
            format!("The answer is not what the service's protocol says: {}.", innermost(source)),
        )
        .hint("Something between here and AWS may have answered instead: check proxies and the endpoint settings."),
    }
}

const REACHABLE: &str =
    "Check the network, the proxy settings, the region's name and the `endpoints` of the provider.";

fn no_credentials(operation: &'static str, error: &CredentialsError) -> Error {
    let message = match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            format!("There are no AWS credentials: {}.", innermost(error))
        }
        CredentialsError::ProviderTimedOut(_) => {
            "The source of the AWS credentials did not answer in time.".to_owned()
        }
        other if chain(other).any(|error| error.to_string().contains("IMDS")) => {
            "There are no AWS credentials: none in the environment, none in the profile, and this is no EC2 instance that has some.".to_owned()
        }
        other => format!("The AWS credentials could not be loaded: {}.", innermost(other)),
    };
    Error::new(ErrorKind::Credentials, operation, message)
        .hint("Set `profile` in the provider or AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for SSO run `aws sso login`.")
        .hint("`--sandbox` works without any AWS account.")
}

/// The kind of an error code; codes that are not listed go by the status.
fn kind_of(code: Option<&str>, status: Option<u16>) -> ErrorKind {
    let by_status = match status {
        Some(429) => ErrorKind::Throttled,
        Some(500..) => ErrorKind::Unavailable,
        Some(401) => ErrorKind::Credentials,
        Some(403) => ErrorKind::Denied,
        Some(404) if code.is_none() => ErrorKind::Invalid,
        _ => ErrorKind::Invalid,
    };
    let Some(code) = code else { return by_status };
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" => {
            ErrorKind::Denied
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidAccessKeyId"
        | "AuthFailure" => ErrorKind::Credentials,
        "NotFoundException"
        | "NoSuchEntity"
        | "NoSuchEntityException"
        | "ResourceNotFoundException"
        | "TableNotFoundException"
        | "PolicyNotFoundException" => ErrorKind::NotFound,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "SlowDown"
        | "PriorRequestNotComplete" => ErrorKind::Throttled,
        "LimitExceeded" | "LimitExceededException" | "ServiceQuotaExceededException" => ErrorKind::Quota,
        "DeleteConflict"
        | "EntityAlreadyExists"
        | "AlreadyExistsException"
        | "ResourceInUseException"
        | "TableAlreadyExistsException"
        | "TableInUseException"
        | "ConcurrentModification"
        | "EntityTemporarilyUnmodifiable"
        | "ContinuousBackupsUnavailableException"
        | "KMSInvalidStateException"
        | "DisabledException" => ErrorKind::Conflict,
        "DependencyTimeoutException"
        | "KMSInternalException"
        | "ServiceFailure"
        | "ServiceUnavailable"
        | "InternalServerError"
        | "InternalFailure" => ErrorKind::Unavailable,
        _ => by_status,
    }
}

fn hint_for(kind: ErrorKind, message: &str) -> Option<&'static str> {
    match kind {
        ErrorKind::Denied => Some(denied(message)),
        ErrorKind::Credentials => Some(
            "AWS does not accept the credentials: they may have expired (for SSO run `aws sso login`) or be mistyped.",
        ),
        ErrorKind::Throttled => Some("Run the command again, or with a smaller `--parallelism`."),
        ErrorKind::Quota => Some(
            "A quota of the account is used up. Raise it in the Service Quotas console, or remove something.",
        ),
        ErrorKind::Unavailable => Some("Run the command again: it goes on from here."),
        _ => None,
    }
}

/// What helps against a refusal, by the kind of policy that AWS names in its message.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
fn denied(message: &str) -> &'static str {
    let says = |words: &str| message.contains(words);
    match () {
        () if says("service control policy") || says("resource control policy") => {
            "The organization of the account forbids it: its service and resource control policies have to change, or the account."
        }
        () if says("with an explicit deny") => {
            "A statement denies it, and no other policy lifts that: the policy whose kind the message names has to change."
        }
        () if says("no permissions boundary allows") => {
            "The caller's permissions boundary does not allow it, whatever its other policies say: the boundary has to."
        }
        () if says("no session policy allows") => {
            "The session was begun with policies that do not allow it: begin it with others, or with none."
        }
        () if says("no resource-based policy allows") => {
            "The resource's own policy does not let the caller in: the key's, table's or role's policy has to name it."
        }
        () => {
            "The caller needs a permission that it does not have: add the action that the message names to one of its policies."
        }
    }
}

/// An error and its causes, from the outside in.
fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

fn find<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// The cause at the bottom of the chain, without a full stop.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let text = chain(error).last().map(ToString::to_string).unwrap_or_default();
    let text = if text.is_empty() { DisplayErrorContext(error).to_string() } else { text };
    text.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use aws_sdk_kms::error::ErrorMetadata;
    use aws_sdk_kms::operation::describe_key::DescribeKeyError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answered(status: u16, code: &str, message: &str) -> Error {
        let meta =
            ErrorMetadata::builder().code(code).message(message).custom("aws_request_id", "r-1").build();
        let status = status.try_into().expect("a status");
        let raw = HttpResponse::new(status, SdkBody::empty());
        failed("kms:DescribeKey")(SdkError::service_error(DescribeKeyError::generic(meta), raw))
    }

    #[test]
    fn an_answer_keeps_operation_code_status_and_request_id() {
        let error = answered(400, "NotFoundException", "Key 'x' does not exist");
        assert!(error.is_not_found());
        assert_eq!(
            error.to_string(),
            "kms:DescribeKey: NotFoundException: Key 'x' does not exist (status 400, request r-1)"
        );
        assert!(error.source.is_none(), "the message already says it");
    }

    #[test]
    fn what_helps_against_a_refusal_follows_who_refused() {
        let hint = |clause: &str| {
            let message =
                format!("User: arn is not authorized to perform: kms:Decrypt on resource: key {clause}");
            answered(400, "AccessDeniedException", &message).hints.remove(0)
        };
        for (clause, said) in [
            ("with an explicit deny in a service control policy", "organization"),
            ("because no service control policy allows the kms:Decrypt action", "organization"),
            ("with an explicit deny in an identity-based policy", "A statement denies it"),
            ("because no permissions boundary allows the kms:Decrypt action", "boundary"),
            ("because no session policy allows the kms:Decrypt action", "session"),
            ("because no resource-based policy allows the kms:Decrypt action", "resource's own policy"),
            ("because no identity-based policy allows the kms:Decrypt action", "one of its policies"),
            ("", "one of its policies"),
        ] {
            assert!(hint(clause).contains(said), "{clause}");
        }
    }

    #[test]
    fn the_kind_follows_the_code_and_then_the_status() {
        for (status, code, kind) in [
            (400, "AccessDeniedException", ErrorKind::Denied),
            (403, "AccessDenied", ErrorKind::Denied),
            (403, "InvalidClientTokenId", ErrorKind::Credentials),
            (400, "ExpiredTokenException", ErrorKind::Credentials),
            (400, "ThrottlingException", ErrorKind::Throttled),
            (400, "LimitExceededException", ErrorKind::Quota),
            (409, "DeleteConflict", ErrorKind::Conflict),
            (400, "MalformedPolicyDocumentException", ErrorKind::Invalid),
            (500, "SomethingNew", ErrorKind::Unavailable),
            (503, "", ErrorKind::Unavailable),
        ] {
            assert_eq!(answered(status, code, "").kind, kind, "{status} {code}");
        }
        assert!(!answered(503, "", "").message.is_empty());
    }

    #[test]
    fn what_does_not_get_through_is_unavailable_and_says_why() {
        let refused = ConnectorError::io(Box::new(std::io::Error::other("connection refused")));
        let error =
            failed("sts:GetCallerIdentity")(SdkError::<DescribeKeyError, _>::dispatch_failure(refused));
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.message.contains("connection refused"), "{}", error.message);
        let error = failed("sts:GetCallerIdentity")(SdkError::<DescribeKeyError, _>::timeout_error("late"));
        assert_eq!((error.kind, error.status), (ErrorKind::Unavailable, None));
    }

    #[test]
    fn missing_credentials_are_told_apart_from_a_broken_connection() {
        let inner = CredentialsError::not_loaded("nothing in the chain");
        let failure = ConnectorError::other(Box::new(inner), None);
        let error = failed("kms:ListKeys")(SdkError::<DescribeKeyError, _>::dispatch_failure(failure));
        assert_eq!(error.kind, ErrorKind::Credentials);
        assert_eq!(error.message, "There are no AWS credentials: nothing in the chain.");
        assert!(error.hints.iter().any(|hint| hint.contains("AWS_PROFILE")));
    }

    #[test]
    fn the_metadata_service_as_the_last_resort_is_no_cause_of_its_own() {
        let inner = CredentialsError::provider_error("request forbidden: IMDS is disabled");
        let failure = ConnectorError::other(Box::new(inner), None);
        let error = failed("kms:ListKeys")(SdkError::<DescribeKeyError, _>::dispatch_failure(failure));
        assert!(error.message.starts_with("There are no AWS credentials"), "{}", error.message);
    }

    #[test]
    fn an_unreadable_answer_is_reported_with_its_cause() {
        let raw = HttpResponse::new(200.try_into().expect("a status"), SdkBody::empty());
        let error = failed("kms:ListKeys")(SdkError::<DescribeKeyError, _>::response_error("not JSON", raw));
        assert_eq!((error.kind, error.status), (ErrorKind::Bug, Some(200)));
        assert!(error.source.is_some());
    }
}
