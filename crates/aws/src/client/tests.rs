use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use terrane_model::Value;
use terrane_provider::{Error, ErrorKind, Session};

use super::{Clients, Options, Sandbox, configure};
use crate::config::schema;
use crate::testing::{Cloud, configured};

const WHO: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn>\
    <UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

const ASSUMED: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>\
    <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
    </Credentials></AssumeRoleResult></AssumeRoleResponse>";

/// An HTTP server on loopback that answers by the request's `Action` and keeps the requests.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

fn serve(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let kept = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            while let Some(request) = take_request(&stream) {
                let (status, body) = answer(&request);
                kept.lock().unwrap().push(request);
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if (&stream).write_all((head + &body).as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    Server { url, requests }
}

fn take_request(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        let end = line == "\r\n";
        text.push_str(&line);
        if end {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    text.push_str(&String::from_utf8_lossy(&body));
    Some(text)
}

fn action(request: &str) -> &str {
    request.split(['&', '\n']).find_map(|field| field.strip_prefix("Action=")).unwrap_or("?")
}

async fn with(fields: &[(&str, Value)], options: Options) -> Result<Session, Error> {
    configure(&configured(Value::object(fields.iter().cloned()), &schema()), options).await
}

/// Settings that say where to work and as whom, so that nothing of this machine counts.
fn at(url: &str) -> Vec<(&'static str, Value)> {
    let endpoints = ["dynamodb", "iam", "kms", "sts"].map(|name| (name, Value::from(url)));
    vec![
        ("region", "eu-west-3".into()),
        ("access_key", "AKIA1".into()),
        ("secret_key", "secret".into()),
        ("endpoints", Value::object(endpoints)),
        ("max_retries", 1.into()),
    ]
}

fn sandbox(cloud: &Cloud) -> Options {
    let credentials = Credentials::new("AKIASANDBOX", "secret", None, None, "test");
    let sandbox =
        Sandbox { http_client: SharedHttpClient::new(cloud.clone()), credentials, region: "us-east-1" };
    Options { sandbox: Some(sandbox), user_agent: Some("terrane") }
}

#[tokio::test]
async fn facts_come_from_sts_and_the_spec() {
    let server = serve(|_| (200, WHO.to_owned()));
    let mut fields = at(&server.url);
    fields.push(("default_tags", Value::object([("tags", Value::object([("team", Value::from("a"))]))])));
    fields.push((
        "ignore_tags",
        Value::object([("keys", Value::tuple(["x".into()])), ("key_prefixes", Value::tuple(["k:".into()]))]),
    ));
    let session = with(&fields, Options::default()).await.unwrap();
    let facts = &session.facts;
    assert_eq!(
        (facts.account.as_deref(), facts.caller.as_deref()),
        (Some("123456789012"), Some("arn:aws:iam::123456789012:user/ann"))
    );
    assert_eq!(
        (&*facts.partition, &*facts.region, &*facts.dns_suffix),
        ("aws", "eu-west-3", "amazonaws.com")
    );
    assert_eq!(facts.default_tags.get("team").map(|v| &**v), Some("a"));
    assert!(facts.ignored_tags.contains("x") && facts.ignored_tag_prefixes.contains("k:"));
    let clients: &Clients = session.clients().unwrap();
    clients.caller().await.unwrap();
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 1, "asked for once");
    assert!(
        requests[0].contains("Credential=AKIA1/") && requests[0].contains("/eu-west-3/sts/"),
        "{}",
        requests[0]
    );
}

#[tokio::test]
async fn the_sandbox_takes_its_own_identity_and_needs_no_region() {
    let cloud = Cloud::default().answer("GetCallerIdentity", WHO);
    let fields = [
        ("profile", Value::from("of nobody")),
        ("assume_role", Value::object([("role_arn", Value::from("arn:aws:iam::999999999999:role/deploy"))])),
        ("allowed_account_ids", Value::tuple([Value::from("999999999999")])),
        ("region", "eu-west-1".into()),
    ];
    let session = with(&fields, sandbox(&cloud)).await.unwrap();
    assert_eq!(
        (&*session.facts.region, session.facts.account.as_deref()),
        ("eu-west-1", Some("123456789012"))
    );
    assert_eq!(cloud.calls(), ["GetCallerIdentity"]);
}

#[tokio::test]
async fn roles_are_assumed_one_after_the_other() {
    let server = serve(|request| match action(request) {
        "AssumeRole" => (200, ASSUMED.to_owned()),
        _ => (200, WHO.to_owned()),
    });
    let role = |name: &str| {
        Value::object([
            ("role_arn", Value::from(format!("arn:aws:iam::123456789012:role/{name}"))),
            ("session_name", "ci".into()),
            ("duration", "1h".into()),
            ("tags", Value::object([("k", Value::from("v"))])),
        ])
    };
    let mut fields = at(&server.url);
    fields.push(("assume_role", Value::tuple([role("first"), role("second")])));
    with(&fields, Options::default()).await.unwrap();
    let requests = server.requests.lock().unwrap();
    let actions: Vec<_> = requests.iter().map(|request| action(request)).collect();
    assert_eq!(actions, ["AssumeRole", "AssumeRole", "GetCallerIdentity"]);
    assert!(requests[0].contains("role%2Ffirst") && requests[0].contains("Credential=AKIA1/"));
    assert!(requests[0].contains("DurationSeconds=3600") && requests[0].contains("Tags.member.1.Key=k"));
    assert!(requests[1].contains("role%2Fsecond") && requests[1].contains("Credential=ASIA1/"));
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_named() {
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>ann is not authorized to assume</Message></Error></ErrorResponse>";
    let server = serve(move |_| (403, denied.to_owned()));
    let mut fields = at(&server.url);
    fields.push((
        "assume_role",
        Value::object([("role_arn", Value::from("arn:aws:iam::123456789012:role/deploy"))]),
    ));
    let error = with(&fields, Options::default()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Credentials);
    assert!(
        error.message.contains("role/deploy") && error.message.contains("not authorized"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn profiles_come_from_the_named_files() {
    let server = serve(|_| (200, WHO.to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Value::tuple([Value::from(path.to_str().unwrap())])
    };
    let config = path("config", "[profile work]\nregion = eu-central-1\n");
    let keys = path("credentials", "[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = s\n");
    let mut fields = at(&server.url);
    fields.retain(|(name, _)| !["region", "access_key", "secret_key"].contains(name));
    fields.extend([
        ("profile", "work".into()),
        ("shared_config_files", config),
        ("shared_credentials_files", keys),
    ]);
    let session = with(&fields, Options::default()).await.unwrap();
    assert_eq!(&*session.facts.region, "eu-central-1");
    assert!(server.requests.lock().unwrap()[0].contains("Credential=AKIAWORK/"));

    fields.retain(|(name, _)| *name != "profile");
    fields.extend([("profile", "absent".into()), ("region", "eu-west-3".into())]);
    let error = with(&fields, Options::default()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Credentials);
    assert!(error.message.contains("absent"), "{}", error.message);
}

#[tokio::test]
async fn a_region_that_does_not_exist_is_refused_with_the_nearest_one() {
    let mut fields = at("http://127.0.0.1:9");
    fields.retain(|(name, _)| *name != "region");
    fields.push(("region", "eu-wset-3".into()));
    let error = with(&fields, Options::default()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.hints.iter().any(|hint| hint.contains("`eu-west-3`")), "{error:?}");
    let cloud = Cloud::default().answer("GetCallerIdentity", WHO);
    let new = [("region", Value::from("eu-new-1")), ("skip_region_validation", true.into())];
    assert_eq!(&*with(&new, sandbox(&cloud)).await.unwrap().facts.region, "eu-new-1");
}

#[tokio::test]
async fn nobody_there_and_no_credentials_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = with(&at(&format!("http://{closed}")), Options::default()).await.err().unwrap();
    assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Unavailable, "sts:GetCallerIdentity"));
    assert!(error.message.contains("refused"), "{}", error.message);

    let refused = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token is invalid</Message></Error></ErrorResponse>";
    let server = serve(move |_| (403, refused.to_owned()));
    let error = with(&at(&server.url), Options::default()).await.err().unwrap();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Credentials, Some("InvalidClientTokenId")));
    assert!(!error.hints.is_empty());
}

#[tokio::test]
async fn the_account_may_be_left_out_or_learnt_from_iam() {
    let failing = "<ErrorResponse><Error><Code>InternalFailure</Code><Message>no STS here</Message></Error></ErrorResponse>";
    let user = "<GetUserResponse><GetUserResult><User><Path>/</Path><UserName>ann</UserName><UserId>AIDA</UserId>\
        <Arn>arn:aws:iam::210987654321:user/ann</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></User></GetUserResult></GetUserResponse>";
    let server = serve(move |request| match action(request) {
        "GetUser" => (200, user.to_owned()),
        _ => (500, failing.to_owned()),
    });
    let mut fields = at(&server.url);
    fields.push(("skip_credentials_validation", true.into()));
    let session = with(&fields, Options::default()).await.unwrap();
    assert_eq!(session.facts.account.as_deref(), Some("210987654321"));
    fields.push(("skip_requesting_account_id", true.into()));
    let before = server.requests.lock().unwrap().len();
    assert_eq!(with(&fields, Options::default()).await.unwrap().facts.account, None);
    assert_eq!(server.requests.lock().unwrap().len(), before, "nobody is asked");
    fields.push(("allowed_account_ids", Value::tuple([Value::from("210987654321")])));
    assert_eq!(with(&fields, Options::default()).await.err().unwrap().kind, ErrorKind::Denied);
}

#[tokio::test]
async fn accounts_are_allowed_and_forbidden() {
    let server = serve(|_| (200, WHO.to_owned()));
    for (name, account, allowed) in [
        ("allowed_account_ids", "123456789012", true),
        ("allowed_account_ids", "999999999999", false),
        ("forbidden_account_ids", "123456789012", false),
        ("forbidden_account_ids", "999999999999", true),
    ] {
        let mut fields = at(&server.url);
        fields.push((name, Value::tuple([Value::from(account)])));
        match with(&fields, Options::default()).await {
            Ok(_) => assert!(allowed, "{name} {account}"),
            Err(error) => {
                assert!(!allowed && error.message.contains("123456789012"), "{name} {account}: {error}")
            }
        }
    }
}

#[tokio::test]
async fn a_throttled_first_call_is_tried_again() {
    let throttled = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>";
    let left = Mutex::new(2);
    let server = serve(move |_| {
        let mut left = left.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return (400, throttled.to_owned());
        }
        (200, WHO.to_owned())
    });
    let mut fields = at(&server.url);
    fields.retain(|(name, _)| *name != "max_retries");
    with(&fields, Options::default()).await.unwrap();
    assert_eq!(server.requests.lock().unwrap().len(), 3);
}
