//! Objects of the bucket: conditional writes, reads, lists, and what their errors mean.

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption};
use terrane_model::Diagnostic;
use terrane_provider::{Error, ErrorKind};
use terrane_state::StateError;

use super::settings::Protection;
use crate::error::failed;

/// The objects of a bucket.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) client: aws_sdk_s3::Client,
    pub(super) name: String,
    pub(super) protection: Protection,
}

/// An object as it was read.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) bytes: Vec<u8>,
    pub(super) etag: String,
}

/// What must be there for a write to take place.
#[derive(Clone, Debug)]
pub(super) enum Only {
    /// Nothing.
    Absent,
    /// The object with this tag.
    Unchanged(String),
}

/// What became of a conditional write.
#[derive(Clone, Debug)]
pub(super) enum Put {
    /// It took place; this is the tag now.
    Done(String),
    /// Something else is there.
    Refused,
}

/// How often a write is tried anew that S3 refused since another one was under way.
const CONFLICTS: usize = 5;

impl Bucket {
    /// The object; nothing when there is none.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Found>, StateError> {
        let mut call = self.client.get_object().bucket(&self.name).key(key);
        if let Some(own) = &self.protection.customer_key {
            call = call
                .sse_customer_algorithm("AES256")
                .sse_customer_key(own.key.as_str())
                .sse_customer_key_md5(&own.md5);
        }
        let answer = match call.send().await.map_err(failed("s3:GetObject")) {
            Ok(answer) => answer,
            Err(error) if error.is_code("NoSuchKey") => return Ok(None),
            Err(error) => return Err(self.problem(key, error)),
        };
        let etag = answer.e_tag.clone().unwrap_or_default();
        let body = answer.body.collect().await.map_err(|error| {
            let message = format!("The answer broke off: {error}.");
            self.problem(key, Error::new(ErrorKind::Unavailable, "s3:GetObject", message))
        })?;
        Ok(Some(Found { bytes: body.to_vec(), etag }))
    }

    /// Writes an object under a condition.
    ///
    /// A lost answer may be that of a write that took place; then a repetition by the client finds its own object, and
    /// this says `Done`.
    pub(super) async fn put(&self, key: &str, bytes: Vec<u8>, only: &Only) -> Result<Put, StateError> {
        let mut conflicts = 0;
        loop {
            let call = self.prepared(key, bytes.clone());
            let call = match only {
                Only::Absent => call.if_none_match("*"),
                Only::Unchanged(etag) => call.if_match(etag),
            };
            let error = match call.send().await.map_err(failed("s3:PutObject")) {
                Ok(answer) => return Ok(Put::Done(answer.e_tag.unwrap_or_default())),
                Err(error) => error,
            };
            match error.code.as_deref() {
                Some("ConditionalRequestConflict") if conflicts < CONFLICTS => conflicts += 1,
                Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey") => {
                    return Ok(match self.get(key).await? {
                        Some(found) if found.bytes == bytes => Put::Done(found.etag),
                        _ => Put::Refused,
                    });
                }
                _ if error.status == Some(412) => return Ok(Put::Refused),
                _ => return Err(self.problem(key, error)),
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    fn prepared(&self, key: &str, bytes: Vec<u8>) -> PutObjectFluentBuilder {
        let mut call = self.client.put_object().bucket(&self.name).key(key).content_type("application/json");
        call = call.body(ByteStream::from(bytes));
        if let Some(acl) = &self.protection.acl {
            call = call.acl(ObjectCannedAcl::from(acl.as_str()));
        }
        match (&self.protection.kms_key, &self.protection.customer_key) {
            (Some(kms_key), _) => {
                call.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(kms_key)
            }
            (None, Some(own)) => call
                .sse_customer_algorithm("AES256")
                .sse_customer_key(own.key.as_str())
                .sse_customer_key_md5(&own.md5),
            (None, None) if self.protection.encrypt => {
                call.server_side_encryption(ServerSideEncryption::Aes256)
            }
            (None, None) => call,
        }
    }

    /// Removes an object; that there is none is fine.
    pub(super) async fn delete(&self, key: &str) -> Result<(), StateError> {
        let call = self.client.delete_object().bucket(&self.name).key(key);
        match call.send().await.map_err(failed("s3:DeleteObject")) {
            Ok(_) => Ok(()),
            Err(error) if error.is_code("NoSuchKey") => Ok(()),
            Err(error) => Err(self.problem(key, error)),
        }
    }

    /// The keys that begin so, sorted.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>, StateError> {
        let mut keys = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let call = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
            let call = call.set_continuation_token(next.take());
            let answer = call.send().await.map_err(failed("s3:ListObjectsV2"));
            let answer = answer.map_err(|error| self.problem(prefix, error))?;
            keys.extend(answer.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
            next = answer.next_continuation_token;
            if next.is_none() {
                break;
            }
        }
        keys.sort();
        Ok(keys)
    }

    /// The address of an object, as other programs write it too.
    pub(super) fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// What is wrong with a call, as a message.
    pub(super) fn problem(&self, key: &str, error: Error) -> StateError {
        problem(&self.url(key), &error)
    }
}

/// What is wrong with a call about a place, as a message.
pub(super) fn problem(place: &str, error: &Error) -> StateError {
    let (code, summary) = match error.kind {
        ErrorKind::Credentials => ("aws-credentials", "Credentials not accepted"),
        ErrorKind::Denied => ("aws-denied", "Permission denied"),
        ErrorKind::Unavailable | ErrorKind::TimedOut => {
            ("aws-unavailable", "Service not reachable or failing")
        }
        ErrorKind::Throttled => ("aws-throttled", "Too many requests"),
        _ => ("state-s3", "State not accessible"),
    };
    let detail = format!("`{place}` is not accessible. {error}.").replace("..", ".");
    let mut diagnostic = Diagnostic::error(code, summary, detail);
    diagnostic.hints.extend(error.hints.iter().map(|hint| in_backend(hint)));
    diagnostic.hints.extend(hint(error).map(str::to_owned));
    StateError::Backend(Box::new(diagnostic))
}

/// A hint about the provider's configuration, said of the backend's.
pub(crate) fn in_backend(hint: &str) -> String {
    hint.replace("[provider.aws]", "[terrane.backend.s3]").replace("of the provider", "of the backend")
}

fn hint(error: &Error) -> Option<&'static str> {
    match error.code.as_deref()? {
        "NoSuchBucket" => Some(
            "The bucket must be there before a state is kept in it: `aws s3api create-bucket`. Switch versioning on, so that \
             older states can be had back.",
        ),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            Some("The bucket is in another region. Set `region` in `[terrane.backend.s3]`.")
        }
        "NotImplemented" => Some(
            "The endpoint does not know conditional writes, which keep two runs from writing over each other. It \
             can't keep a state.",
        ),
        "ResourceNotFoundException" => {
            Some("The table must be there, with `LockID` (a string) as its partition key.")
        }
        _ => None,
    }
}
