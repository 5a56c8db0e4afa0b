//! A bucket inside the test: objects, conditional writes, lists, and connections that break.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::retry::RetryConfig;
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

/// A bucket named `states`.
#[derive(Clone, Default)]
pub struct Double(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    objects: BTreeMap<String, (Vec<u8>, u64)>,
    /// Counts up with every write; what tags are made from.
    writes: u64,
    requests: usize,
    lose: Option<&'static str>,
    /// From this request on no connection works, and whether this one is still carried out.
    dies: Option<(usize, bool)>,
}

impl fmt::Debug for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Double")
    }
}

impl Double {
    pub fn sdk(&self) -> SdkConfig {
        let keys = Credentials::new("AKIA", "secret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(SharedHttpClient::new(self.clone()))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .region(Region::from_static("eu-west-3"))
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
            .build()
    }

    pub fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().objects.keys().cloned().collect()
    }

    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().objects.get(key).map(|(bytes, _)| bytes.clone())
    }

    pub fn insert(&self, key: &str, bytes: &[u8]) {
        let mut inner = self.0.lock().unwrap();
        inner.writes += 1;
        let tag = inner.writes;
        inner.objects.insert(key.to_owned(), (bytes.to_vec(), tag));
    }

    /// The next request of this method is carried out, and its answer does not arrive.
    pub fn lose_answer_of(&self, method: &'static str) {
        self.0.lock().unwrap().lose = Some(method);
    }

    /// From the request with this number on nothing gets through; the first of them is carried out, or is not.
    pub fn dies_at(&self, request: usize, carried_out: bool) {
        self.0.lock().unwrap().dies = Some((request, carried_out));
    }

    /// Everything gets through again.
    pub fn recovers(&self) {
        self.0.lock().unwrap().dies = None;
    }

    pub fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }
}

impl Inner {
    fn answer(&mut self, request: &HttpRequest) -> (u16, Option<u64>, Vec<u8>) {
        let (path, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
        let (_, path) = path.split_once("/states").unwrap();
        let key = path.trim_start_matches('/').replace("%3A", ":");
        let body = request.body().bytes().unwrap_or_default();
        let error = |status, code: &str| {
            (status, None, format!("<Error><Code>{code}</Code><Message>m</Message></Error>").into_bytes())
        };
        let there = self.objects.get(&key).cloned();
        match request.method() {
            "GET" if query.contains("list-type") => {
                let prefix = query.split('&').find_map(|field| field.strip_prefix("prefix=")).unwrap();
                let prefix = prefix.replace("%2F", "/").replace("%3A", ":");
                let keys = self.objects.keys().filter(|key| key.starts_with(&prefix));
                let contents: String =
                    keys.map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
                (200, None, format!("<ListBucketResult>{contents}</ListBucketResult>").into_bytes())
            }
            "GET" => match there {
                Some((bytes, tag)) => (200, Some(tag), bytes),
                None => error(404, "NoSuchKey"),
            },
            "PUT" => {
                let tag = there.map(|(_, tag)| format!("\"{tag}\""));
                let headers = request.headers();
                let absent = headers.get("if-none-match").is_none() || tag.is_none();
                let same = headers.get("if-match").is_none_or(|wanted| tag.as_deref() == Some(wanted));
                if !absent || !same {
                    return error(412, "PreconditionFailed");
                }
                self.writes += 1;
                self.objects.insert(key, (body.to_vec(), self.writes));
                (200, Some(self.writes), vec![])
            }
            "DELETE" => {
                self.objects.remove(&key);
                (204, None, vec![])
            }
            other => panic!("{other}"),
        }
    }
}

impl HttpClient for Double {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Double {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut inner = self.0.lock().unwrap();
        let number = inner.requests;
        inner.requests += 1;
        let broken = || HttpConnectorFuture::ready(Err(ConnectorError::io("the connection broke".into())));
        let dead = inner.dies.filter(|(at, _)| number >= *at);
        if dead.is_some_and(|(at, carried_out)| number > at || !carried_out) {
            return broken();
        }
        let (status, tag, body) = inner.answer(&request);
        if dead.is_some() {
            return broken();
        }
        if inner.lose.is_some_and(|method| method == request.method()) {
            inner.lose = None;
            return broken();
        }
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        if let Some(tag) = tag {
            response.headers_mut().insert("etag", format!("\"{tag}\""));
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}
