//! Reads an HTTP request: which service and operation, in which region, by which access key, with which arguments.

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde::de::DeserializeOwned;

use super::answer::Refusal;
use super::form::Form;

/// The services that the sandbox has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Kms,
    DynamoDb,
    DynamoDbStreams,
    Iam,
    Sts,
    CloudTrail,
}

impl Service {
    /// The prefix of the service's actions in policies.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Service::Kms => "kms",
            Service::DynamoDb | Service::DynamoDbStreams => "dynamodb",
            Service::Iam => "iam",
            Service::Sts => "sts",
            Service::CloudTrail => "cloudtrail",
        }
    }

    /// The name before `.amazonaws.com`, by which the audit trail knows the service.
    pub(crate) fn source(self) -> &'static str {
        self.prefix()
    }

    /// Whether the service answers in XML.
    pub(crate) fn speaks_xml(self) -> bool {
        matches!(self, Service::Iam | Service::Sts)
    }
}

/// So much of what a client says of itself is kept.
const LONGEST_AGENT: usize = 256;

/// One request, read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) region: String,
    pub(crate) access_key: Option<String>,
    pub(crate) session_token: Option<String>,
    /// What the client says of itself.
    pub(crate) user_agent: String,
    /// The body as it came; JSON for KMS and DynamoDB.
    pub(crate) body: String,
    /// The arguments of IAM and STS.
    pub(crate) form: Form,
}

impl Call {
    /// Reads a request.
    ///
    /// # Errors
    /// The service, as far as it is known, and the refusal to answer with.
    pub(crate) fn read(request: &Request<Bytes>) -> Result<Call, (Option<Service>, Refusal)> {
        let headers = request.headers();
        let scope = Scope::of(headers);
        let text = String::from_utf8(request.body().to_vec());
        let target = header(headers, "x-amz-target");
        if let Some(target) = target {
            let (prefix, operation) = target.rsplit_once('.').unwrap_or_default();
            let service = match prefix {
                "TrentService" => Service::Kms,
                "DynamoDB_20120810" => Service::DynamoDb,
                "DynamoDBStreams_20120810" => Service::DynamoDbStreams,
                // Some clients put the name of the interface's package in front.
                _ if prefix.ends_with("CloudTrail_20131101") => Service::CloudTrail,
                _ => return Err((None, Refusal::unknown_operation())),
            };
            let body = text.map_err(|_| (Some(service), Refusal::not_json()))?;
            return Ok(Call::new(service, operation.to_owned(), scope, headers, body, Form::default()));
        }
        let no_service = || (None, Refusal::unknown_operation());
        let text = text.map_err(|_| no_service())?;
        let form =
            Form::parse(if text.is_empty() { request.uri().query().unwrap_or_default() } else { &text });
        let operation = form.text("Action").ok_or_else(no_service)?.to_owned();
        let service = match (scope.service.as_deref(), form.text("Version")) {
            (Some("iam"), _) | (None, Some("2010-05-08")) => Service::Iam,
            (Some("sts"), _) | (None, Some("2011-06-15")) => Service::Sts,
            _ => return Err(no_service()),
        };
        Ok(Call::new(service, operation, scope, headers, String::new(), form))
    }

    fn new(
        service: Service,
        operation: String,
        scope: Scope,
        headers: &HeaderMap,
        body: String,
        form: Form,
    ) -> Call {
        Call {
            service,
            operation,
            region: scope.region.unwrap_or_else(|| "us-east-1".to_owned()),
            access_key: scope.access_key,
            session_token: header(headers, "x-amz-security-token").map(str::to_owned),
            user_agent: header(headers, "user-agent")
                .unwrap_or_default()
                .chars()
                .take(LONGEST_AGENT)
                .collect(),
            body,
            form,
        }
    }

    /// The body as the operation's input.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let body = if self.body.is_empty() { "{}" } else { &self.body };
        serde_json::from_str(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Refusal::serialization(&error.to_string()),
            _ => Refusal::not_json(),
        })
    }
}

/// What the signature says it is for.
#[derive(Debug, Default)]
struct Scope {
    access_key: Option<String>,
    region: Option<String>,
    service: Option<String>,
}

impl Scope {
    /// Reads `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ...`.
    fn of(headers: &HeaderMap) -> Scope {
        let parts = header(headers, "authorization")
            .and_then(|value| value.split_once("Credential="))
            .map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default())
            .map(|credential| credential.rsplit('/').collect::<Vec<_>>());
        match parts.as_deref() {
            // A key id may hold a slash in theory; the four last parts are fixed.
            Some([_, service, region, _, key]) => Scope {
                access_key: Some((*key).to_owned()),
                region: Some((*region).to_owned()).filter(|region| region_like(region)),
                service: Some((*service).to_owned()),
            },
            _ => Scope::default(),
        }
    }
}

/// Whether a text can be a region's name; it becomes part of ARNs and of a file's name.
fn region_like(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=AKIAX/20261123/eu-west-3/SERVICE/aws4_request, SignedHeaders=host, Signature=00";

    fn request(service: &str, target: Option<&str>, body: &'static str) -> Request<Bytes> {
        let mut builder =
            Request::post("http://127.0.0.1/").header("authorization", SIGNATURE.replace("SERVICE", service));
        if let Some(target) = target {
            builder = builder.header("x-amz-target", target);
        }
        builder.body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn json_calls_are_known_by_their_target() {
        let call = Call::read(&request("kms", Some("TrentService.DescribeKey"), "{}")).unwrap();
        assert_eq!((call.service, call.operation.as_str()), (Service::Kms, "DescribeKey"));
        assert_eq!((call.region.as_str(), call.access_key.as_deref()), ("eu-west-3", Some("AKIAX")));
    }

    #[test]
    fn form_calls_are_known_by_their_scope_or_version() {
        let call = Call::read(&request("sts", None, "Action=GetCallerIdentity&Version=2011-06-15")).unwrap();
        assert_eq!((call.service, call.operation.as_str()), (Service::Sts, "GetCallerIdentity"));
        let unsigned =
            Request::post("/").body(Bytes::from_static(b"Action=ListUsers&Version=2010-05-08")).unwrap();
        let call = Call::read(&unsigned).unwrap();
        assert_eq!((call.service, call.access_key), (Service::Iam, None));
    }

    #[test]
    fn what_no_service_knows_is_refused() {
        for (target, body) in
            [(Some("Other.Thing"), "{}"), (Some("x"), ""), (None, ""), (None, "Version=2010-05-08")]
        {
            assert!(Call::read(&request("s3", target, body)).is_err(), "{target:?} {body}");
        }
    }

    #[test]
    fn a_region_that_cannot_be_one_is_not_used() {
        let request = Request::post("/")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=A/1/..%2Fx/kms/aws4_request")
            .header("x-amz-target", "TrentService.ListKeys")
            .body(Bytes::new())
            .unwrap();
        assert_eq!(Call::read(&request).unwrap().region, "us-east-1");
    }

    #[test]
    fn bodies_that_are_not_the_input_are_refused_as_serialization_errors() {
        #[derive(Debug, serde::Deserialize)]
        struct Input {
            #[expect(dead_code, reason = "only read by the parser")]
            name: String,
        }
        for body in ["{", "[]", "{\"name\":1}", "\u{0}"] {
            let call = Call::read(&request("kms", Some("TrentService.X"), body)).unwrap();
            assert_eq!(call.json::<Input>().unwrap_err().code, "SerializationException", "{body}");
        }
    }
}
