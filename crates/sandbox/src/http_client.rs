//! The sandbox as the HTTP client of AWS's SDK: requests are answered in the process.

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use crate::pipeline::Sandbox;

impl Sandbox {
    /// An HTTP client for the configuration of any of the SDK's clients.
    ///
    /// Region, endpoint and credentials stay the configuration's own: any endpoint will do, and the credentials say who calls.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(InProcess(self.clone()))
    }
}

#[derive(Clone, Debug)]
struct InProcess(Sandbox);

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("terrane-sandbox", None))
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&sandbox, request).await })
    }
}

async fn exchange(sandbox: &Sandbox, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let broken = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(error);
    let (parts, body) = request.try_into_http1x().map_err(|error| broken(error.into()))?.into_parts();
    // A body may be a stream, whose end must be awaited.
    let body = ByteStream::new(body).collect().await.map_err(|error| broken(error.into()))?.into_bytes();
    let answer = sandbox.exchange(http::Request::from_parts(parts, body)).await;
    let answer = answer.map_err(|lost| ConnectorError::io(lost.into()))?;
    HttpResponse::try_from(answer.map(SdkBody::from))
        .map_err(|error| ConnectorError::other(error.into(), None))
}
