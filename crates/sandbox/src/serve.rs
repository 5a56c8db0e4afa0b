//! The sandbox over HTTP/1.1 on a loopback port, for the AWS CLI, boto3 and Terraform.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::pipeline::{AnswerLost, Sandbox};

/// DynamoDB takes up to 16 MB in one call.
const LONGEST_BODY: u64 = 16 << 20;
/// How long a client may take over the headers, and over the body, of a request.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves the sandbox on a listener until `shutdown` completes; calls under way are finished first.
///
/// # Errors
/// When the listener is not on a loopback address, since whoever reaches it is the account's owner.
pub async fn serve(
    sandbox: Sandbox,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        let message = format!("{address} is not a loopback address, and the sandbox serves no other");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let (ending, ended) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(sandbox.clone(), stream, ended.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    // Out of file handles, most likely: others will be closed soon.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    // Nobody is listening if there are no connections.
    let _ = ending.send(true);
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn converse(sandbox: Sandbox, stream: TcpStream, mut ended: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(sandbox.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        _ = ended.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Answers one request. An error closes the connection without an answer, which is what a lost answer is.
async fn answer(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, AnswerLost> {
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > LONGEST_BODY {
        return Ok(unreadable());
    }
    let body = Limited::new(body, usize::try_from(LONGEST_BODY).unwrap_or(usize::MAX)).collect();
    let body = match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) | Err(_) => return Ok(unreadable()),
    };
    let answer = sandbox.exchange(Request::from_parts(parts, body)).await?;
    Ok(answer.map(Full::new))
}

fn unreadable() -> Response<Full<Bytes>> {
    let mut response =
        Response::new(Full::new(Bytes::from_static(b"The request's body is too long or broken off.")));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}
