//! The sandbox over HTTP.

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use terrane_sandbox::{Faults, Sandbox, serve};

use crate::aws::{ADMIN, REGION, sandbox, sandbox_with};

async fn served(
    sandbox: &Sandbox,
) -> (String, oneshot::Sender<()>, tokio::task::JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        let _ = stopped.await;
    };
    (address, stop, tokio::spawn(serve(sandbox.clone(), listener, shutdown)))
}

async fn spoken(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn the_sdk_reaches_it_by_its_endpoint() {
    let sandbox = sandbox();
    let (address, stop, server) = served(&sandbox).await;
    let key = sandbox.admin_credentials();
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(Credentials::new(key.access_key_id, key.secret_access_key, None, None, "test"))
        .build();
    let answer = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await.unwrap();
    assert_eq!(answer.arn.as_deref(), Some(ADMIN));
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_is_no_call_is_refused_and_not_fatal() {
    let sandbox = sandbox();
    let (address, _stop, _server) = served(&sandbox).await;
    let get = spoken(&address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(get.starts_with("HTTP/1.1 400") && get.contains("UnknownOperationException"), "{get}");
    let broken = spoken(&address, "\x16\x03\x01 nonsense\r\n\r\n").await;
    assert!(broken.starts_with("HTTP/1.1 400"), "{broken}");
    let long = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99999999\r\n\r\n";
    let long = spoken(&address, long).await;
    assert!(long.starts_with("HTTP/1.1 413"), "{long}");
    let unsigned = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-amz-target: TrentService.ListKeys\r\ncontent-length: 2\r\n\r\n{}";
    let unsigned = spoken(&address, unsigned).await;
    assert!(unsigned.contains("MissingAuthenticationTokenException"), "{unsigned}");
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection() {
    let sandbox = sandbox_with(|options| options.faults = Faults { lost: 1.0, ..Faults::default() });
    let (address, _stop, _server) = served(&sandbox).await;
    let request =
        "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: TrentService.ListKeys\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(spoken(&address, request).await, "");
}

#[tokio::test]
async fn only_loopback_is_served() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = serve(sandbox(), listener, std::future::pending()).await.unwrap_err();
    assert!(refused.to_string().contains("not a loopback address"), "{refused}");
}
