//! Answers: what a service replied or why it refused, and the HTTP response that says so in the service's protocol.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::call::{Call, Service};
use super::xml::{Xml, escape};
use crate::ids::{self, RandomnessMissing};
use crate::store::StoreError;

/// What an operation returned.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A JSON document.
    Json(String),
    /// The inside of the result element.
    Xml(Xml),
    /// Nothing beyond success.
    Empty,
}

impl From<serde_json::Value> for Reply {
    fn from(value: serde_json::Value) -> Reply {
        Reply::Json(value.to_string())
    }
}

impl From<Xml> for Reply {
    fn from(xml: Xml) -> Reply {
        Reply::Xml(xml)
    }
}

/// Why an operation was refused, as AWS names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    /// The whole JSON body, where it holds more than code and message.
    pub(crate) body: Option<String>,
}

impl Refusal {
    /// A client's mistake: status 400.
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Refusal {
        Refusal::with_status(400, code, message)
    }

    pub(crate) fn with_status(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Refusal {
        Refusal { status, code: code.into(), message: message.into(), body: None }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Refusal {
        Refusal::new("ValidationException", message)
    }

    pub(crate) fn serialization(message: &str) -> Refusal {
        Refusal::new("SerializationException", message)
    }

    pub(crate) fn not_json() -> Refusal {
        Refusal::serialization("The request body is not a JSON document.")
    }

    pub(crate) fn unknown_operation() -> Refusal {
        Refusal::new("UnknownOperationException", "The sandbox does not have this operation.")
    }

    /// A failure of the sandbox itself, as the SDKs expect a service's own failures.
    pub(crate) fn internal(message: impl Into<String>) -> Refusal {
        Refusal::with_status(500, "InternalFailure", message)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Refusal::internal(error.to_string())
    }
}

impl From<RandomnessMissing> for Refusal {
    fn from(error: RandomnessMissing) -> Refusal {
        Refusal::internal(error.to_string())
    }
}

/// The response that carries a reply.
pub(crate) fn replied(call: &Call, reply: Reply) -> Response<Bytes> {
    match reply {
        Reply::Json(body) => json(call.service, 200, body),
        Reply::Empty if !call.service.speaks_xml() => json(call.service, 200, "{}".to_owned()),
        Reply::Xml(xml) => xml_reply(call, Some(xml)),
        Reply::Empty => xml_reply(call, None),
    }
}

/// The response that carries a refusal; `service` is `None` where the request did not say.
pub(crate) fn refused(service: Option<Service>, refusal: &Refusal) -> Response<Bytes> {
    match service {
        Some(service) if service.speaks_xml() => {
            let mut body = format!("<ErrorResponse xmlns=\"{}\"><Error><Type>", namespace(service));
            body.push_str(if refusal.status < 500 { "Sender" } else { "Receiver" });
            body.push_str("</Type><Code>");
            escape(&refusal.code, &mut body);
            body.push_str("</Code><Message>");
            escape(&refusal.message, &mut body);
            let id = ids::uuid();
            body.push_str(&format!("</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"));
            response(refusal.status, "text/xml", &id, body)
        }
        _ => {
            let service = service.unwrap_or(Service::Kms);
            let body = refusal.body.clone().unwrap_or_else(|| {
                serde_json::json!({ "__type": refusal.code, "message": refusal.message }).to_string()
            });
            json(service, refusal.status, body)
        }
    }
}

fn json(service: Service, status: u16, body: String) -> Response<Bytes> {
    let kind = match service {
        Service::Kms | Service::CloudTrail => "application/x-amz-json-1.1",
        _ => "application/x-amz-json-1.0",
    };
    response(status, kind, &ids::uuid(), body)
}

fn xml_reply(call: &Call, result: Option<Xml>) -> Response<Bytes> {
    let (id, operation) = (ids::uuid(), &call.operation);
    let result = result
        .map(|xml| format!("<{operation}Result>{}</{operation}Result>", xml.into_text()))
        .unwrap_or_default();
    let body = format!(
        "<{operation}Response xmlns=\"{}\">{result}<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>",
        namespace(call.service)
    );
    response(200, "text/xml", &id, body)
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "https://iam.amazonaws.com/doc/2010-05-08/",
    }
}

fn response(status: u16, kind: &'static str, id: &str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(response: Response<Bytes>) -> String {
        String::from_utf8(response.into_body().to_vec()).unwrap()
    }

    #[test]
    fn refusals_are_written_in_the_services_protocol() {
        let refusal = Refusal::with_status(404, "NoSuchEntity", "The user with name <x> cannot be found.");
        let response = refused(Some(Service::Iam), &refusal);
        assert_eq!(response.status(), 404);
        let text = body(response);
        assert!(text.contains(
            "<Code>NoSuchEntity</Code><Message>The user with name &lt;x&gt; cannot be found.</Message>"
        ));
        let text = body(refused(Some(Service::Kms), &refusal));
        assert_eq!(
            text,
            "{\"__type\":\"NoSuchEntity\",\"message\":\"The user with name <x> cannot be found.\"}"
        );
    }
}
