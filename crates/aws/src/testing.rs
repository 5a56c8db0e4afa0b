//! For tests: the real SDK clients in front of answers that a test wrote down.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use terrane_model::conform::Problem;
use terrane_model::conform::{check, conform};
use terrane_model::schema::{Block, Nesting, Presence};
use terrane_model::{Address, Kind, Path, ResourceAddress, Value};
use terrane_provider::{
    Context, DataSource, Error, Facts, Note, PlanRequest, Progress, ResourceType, Session,
};

use crate::client::Clients;
use crate::object::is_zero;

/// One answer of the cloud.
#[derive(Clone, Debug)]
enum Answer {
    Text(u16, String),
    Lost,
}

/// A cloud that answers each operation with what was written down for it; the last answer of an operation repeats.
/// It keeps the requests.
#[derive(Clone, Default)]
pub struct Cloud(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    answers: BTreeMap<String, VecDeque<Answer>>,
    requests: Vec<(String, String)>,
    session: Option<Session>,
    facts: Option<Facts>,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cloud")
    }
}

/// Account 123456789012 in eu-west-3.
pub fn facts() -> Facts {
    Facts {
        account: Some("123456789012".into()),
        partition: "aws".into(),
        region: "eu-west-3".into(),
        dns_suffix: "amazonaws.com".into(),
        ..Facts::default()
    }
}

/// The address that verbs are called for.
pub fn address() -> Address {
    ResourceAddress::managed("aws_test", "x").instance(None)
}

/// Says nothing about waits.
pub struct Quiet;

impl Progress for Quiet {
    fn waiting_for(&self, _: &Address, _: &str) {}
}

impl Cloud {
    fn add(self, operation: &str, answer: Answer) -> Cloud {
        self.0.lock().unwrap().answers.entry(operation.to_owned()).or_default().push_back(answer);
        self
    }

    /// Adds a success.
    pub fn answer(self, operation: &str, body: &str) -> Cloud {
        self.add(operation, Answer::Text(200, body.to_owned()))
    }

    /// Adds a failure, in the form of the operation's protocol.
    pub fn fail(self, operation: &str, status: u16, code: &str, message: &str) -> Cloud {
        let json = serde_json::json!({ "__type": code, "message": message }).to_string();
        let xml = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>r-1</RequestId></ErrorResponse>"
        );
        let body = if is_xml(operation) { xml } else { json };
        self.add(operation, Answer::Text(status, body))
    }

    /// Adds a connection that breaks before the answer.
    pub fn lose(self, operation: &str) -> Cloud {
        self.add(operation, Answer::Lost)
    }

    /// Names of the operations called so far.
    pub fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().requests.iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// Bodies of the requests of an operation: JSON, or a form with its escapes.
    pub fn requests(&self, operation: &str) -> Vec<String> {
        let inner = self.0.lock().unwrap();
        inner.requests.iter().filter(|(name, _)| name == operation).map(|(_, body)| body.clone()).collect()
    }

    /// The only request of an operation, as JSON.
    pub fn sent(&self, operation: &str) -> serde_json::Value {
        let requests = self.requests(operation);
        assert_eq!(requests.len(), 1, "{operation} was called {} times: {:?}", requests.len(), self.calls());
        serde_json::from_str(&requests[0]).unwrap()
    }

    /// The session; made once.
    pub fn session(&self) -> Session {
        let mut inner = self.0.lock().unwrap();
        if let Some(session) = &inner.session {
            return session.clone();
        }
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(SharedHttpClient::new(self.clone()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKIA", "secret", None, None, "test",
            )))
            .region(Region::from_static("eu-west-3"))
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
            .build();
        let facts = inner.facts.clone().unwrap_or_else(facts);
        let session = Session::new(facts, Arc::new(Clients::new(sdk, BTreeMap::new())));
        inner.session = Some(session.clone());
        session
    }

    /// Calls `verb` with a context for this cloud, with the marker `m-1`.
    pub async fn with<T>(&self, verb: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        self.noting(&Note::default(), verb).await
    }

    /// The same with a note that the verb finds and may change.
    pub async fn noting<T>(&self, note: &Note, verb: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let session = self.session();
        let address = address();
        let cx = Context {
            session: &session,
            address: &address,
            timeout: Duration::from_secs(120),
            marker: Some("m-1"),
            note: Some(note),
            progress: &Quiet,
        };
        verb(&cx).await
    }

    /// Reads a data source with these arguments.
    pub async fn read_data(&self, data: &dyn DataSource, body: Value) -> Result<Value, Error> {
        let config = configured(body, &data.schema().block);
        self.with(async |cx| data.read(cx, &config).await).await
    }

    /// Plans a resource with these arguments.
    pub fn plan(
        &self,
        resource: &dyn ResourceType,
        prior: Option<&Value>,
        body: Value,
    ) -> Result<Value, Vec<Problem>> {
        let facts = self.session().facts;
        plan_with(resource, prior, body, &facts).map(|(planned, _)| planned)
    }
}

/// Brings arguments into the shape of the schema; they must be free of problems.
pub fn configured(body: Value, block: &Block) -> Value {
    let (config, problems) = conform(&body, block);
    assert_eq!(problems, []);
    assert_eq!(check(&config, block), []);
    config
}

/// Plans as the engine does: defaults, kept computed values, normal forms; then the resource type's own refinement.
/// Gives the planned value and the names of the attributes that force replacement.
pub fn plan_with(
    resource: &dyn ResourceType,
    prior: Option<&Value>,
    body: Value,
    facts: &Facts,
) -> Result<(Value, Vec<Path>), Vec<Problem>> {
    let schema = resource.schema();
    let config = configured(body, &schema.block);
    let planned = proposed(&schema.block, prior, &config);
    let mut request =
        PlanRequest { prior, replaces: None, config: &config, planned, replace: vec![], keep: vec![], facts };
    resource.plan(&mut request)?;
    let changed = schema.block.attributes.iter().filter(|a| a.force_new).map(|a| a.name);
    let changed = changed.filter(|name| prior.is_some() && request.changes(name)).map(Path::attribute);
    let mut replace: Vec<Path> = changed.filter(|path| !request.keep.contains(path)).collect();
    replace.extend(request.replace);
    Ok((request.planned, replace))
}

fn proposed(block: &Block, prior: Option<&Value>, config: &Value) -> Value {
    let mut planned = config.clone();
    for attribute in &block.attributes {
        let given = config.get(attribute.name).cloned().unwrap();
        let before = prior.and_then(|prior| prior.get(attribute.name)).cloned();
        let wanted = if given.is_null() {
            attribute.default.clone().unwrap_or_else(|| given.clone())
        } else {
            given.clone()
        };
        let keeps_zero = before.as_ref().is_some_and(|before| is_zero(before) && is_zero(&wanted));
        let value = match (given.is_null(), attribute.presence) {
            _ if keeps_zero => before.unwrap_or(wanted),
            (true, Presence::Computed | Presence::OptionalComputed) if attribute.default.is_none() => {
                before.unwrap_or_else(|| Value::unknown(attribute.ty.clone()))
            }
            (true, _) => attribute.default.clone().unwrap_or(given),
            (false, _) => match (attribute.form, before.as_ref().and_then(Value::as_str), given.as_str()) {
                (Some(form), Some(before), Some(after)) if (form.equivalent)(before, after) => {
                    Value::from(before)
                }
                (Some(form), _, Some(after)) => Value::from((form.normalise)(after)),
                _ => given,
            },
        };
        planned = planned.with(attribute.name, value);
    }
    for nested in &block.blocks {
        let given = config.get(nested.name).cloned().unwrap();
        let before = prior.and_then(|prior| prior.get(nested.name));
        let value = match nested.nesting {
            Nesting::Single => given,
            _ if nested.computed && given.elements().is_empty() && !given.is_unknown() => {
                before.cloned().unwrap_or_else(|| Value::unknown(nested.ty()))
            }
            Nesting::List => {
                let mut at = 0;
                given.map_elements(&mut |element| {
                    let before = before.and_then(|list| list.index(at));
                    at += 1;
                    proposed(&nested.block, before, &element)
                })
            }
            Nesting::Set => given.map_elements(&mut |element| {
                let same = |other: &&Value| {
                    nested.block.attribute("name").is_some() && other.get("name") == element.get("name")
                };
                let before = before.and_then(|set| set.elements().iter().find(same));
                proposed(&nested.block, before, &element)
            }),
        };
        planned = planned.with(nested.name, value);
    }
    planned
}

impl HttpClient for Cloud {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let form = body.split('&').find_map(|field| field.strip_prefix("Action="));
        let operation = target.or(form).unwrap_or("?").to_owned();
        let mut inner = self.0.lock().unwrap();
        inner.requests.push((operation.clone(), body));
        let answers = inner.answers.get_mut(&operation);
        let answer = answers.and_then(|answers| match answers.len() {
            0 | 1 => answers.front().cloned(),
            _ => answers.pop_front(),
        });
        HttpConnectorFuture::ready(match answer {
            Some(Answer::Text(status, body)) => {
                let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                let kind = if is_xml(&operation) { "text/xml" } else { "application/x-amz-json-1.1" };
                response.headers_mut().insert("content-type", kind);
                Ok(response)
            }
            Some(Answer::Lost) => Err(ConnectorError::io("connection reset".into())),
            None => panic!("no answer was written down for {operation}"),
        })
    }
}

/// Whether the operation is one of IAM or STS.
fn is_xml(operation: &str) -> bool {
    const WORDS: &[&str] = &[
        "User",
        "Polic",
        "Caller",
        "Group",
        "AccessKey",
        "SSH",
        "MFA",
        "Login",
        "Signing",
        "Credential",
        "Role",
    ];
    !operation.contains("KeyPolicy")
        && !operation.contains("ResourcePolicy")
        && WORDS.iter().any(|word| operation.contains(word))
}

/// Whether an object keeps what was planned; else where it does not.
pub fn misfit(planned: &Value, actual: &Value) -> Option<String> {
    if let Kind::Unknown(unknown) = planned.kind() {
        let missing = actual.is_unknown() || unknown.not_null && actual.is_null();
        let begins = actual.as_str().is_none_or(|text| text.starts_with(unknown.prefix.as_ref()));
        return (missing || !begins).then(|| format!("{planned:?} became {actual:?}"));
    }
    if planned == actual || is_zero(planned) && is_zero(actual) {
        return None;
    }
    match (planned.entries(), actual.entries()) {
        (Some(before), Some(after)) if before.len() == after.len() => {
            before.iter().find_map(|(name, before)| {
                misfit(before, after.get(name)?).map(|what| format!("{name}: {what}"))
            })
        }
        _ if matches!(planned.kind(), Kind::Set(..))
            && planned.elements().len() == actual.elements().len() =>
        {
            planned.elements().iter().find_map(|before| {
                let misfits: Vec<_> = actual.elements().iter().map(|after| misfit(before, after)).collect();
                misfits.iter().all(Option::is_some).then(|| format!("{before:?} is not among {actual:?}"))
            })
        }
        _ if !planned.elements().is_empty() && planned.elements().len() == actual.elements().len() => {
            planned.elements().iter().zip(actual.elements()).find_map(|(before, after)| misfit(before, after))
        }
        _ => Some(format!("{planned:?} became {actual:?}")),
    }
}
