//! The HTTP client that all services share. It reads the system's certificates only when the first `https` call is made,
//! and goes through proxies except to this machine itself.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use terrane_provider::{Error, ErrorKind};

use crate::settings::Settings;

/// Makes the client.
///
/// # Errors
/// A proxy's address or a file of certificates that cannot be used.
pub fn client(settings: &Settings) -> Result<SharedHttpClient, Error> {
    let plain = proxy("http_proxy", settings.http_proxy.as_deref(), settings.no_proxy.as_deref())?;
    let (name, url) = match &settings.https_proxy {
        Some(url) => ("https_proxy", Some(url)),
        None => ("http_proxy", settings.http_proxy.as_ref()),
    };
    let secure = proxy(name, url.map(String::as_str), settings.no_proxy.as_deref())?;
    let trust = settings.ca_bundle.as_deref().map(trust_store).transpose()?.unwrap_or_default();
    let lanes = Lanes { plain, secure, trust, connectors: Default::default() };
    Ok(SharedHttpClient::new(Client(Arc::new(lanes))))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, "provider.aws", message)
}

fn proxy(name: &str, url: Option<&str>, except: Option<&str>) -> Result<ProxyConfig, Error> {
    let Some(url) = url else { return Ok(ProxyConfig::from_env()) };
    let config = ProxyConfig::all(url)
        .map_err(|error| invalid(format!("`{name}` is not the address of a proxy: {error}.")))?;
    Ok(match except {
        Some(except) => config.no_proxy(except),
        None => config,
    })
}

fn trust_store(path: &str) -> Result<TlsContext, Error> {
    let pem = std::fs::read(path).map_err(|error| {
        invalid(format!("The file `{path}` of `custom_ca_bundle` could not be read: {error}."))
    })?;
    if !pem.windows(10).any(|window| window == b"-----BEGIN") {
        return Err(invalid(format!(
            "The file `{path}` of `custom_ca_bundle` holds no certificate in PEM form."
        )));
    }
    TlsContext::builder()
        .with_trust_store(TrustStore::default().with_native_roots(true).with_pem_certificate(pem))
        .build()
        .map_err(|error| invalid(format!("The file `{path}` of `custom_ca_bundle` cannot be used: {error}.")))
}

#[derive(Clone)]
struct Client(Arc<Lanes>);

/// How a request leaves, by its address.
struct Lanes {
    plain: ProxyConfig,
    secure: ProxyConfig,
    trust: TlsContext,
    connectors: [OnceLock<SharedHttpConnector>; 4],
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Chooser { lanes: self.0.clone(), settings: settings.clone() })
    }
}

struct Chooser {
    lanes: Arc<Lanes>,
    settings: HttpConnectorSettings,
}

impl fmt::Debug for Chooser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chooser")
    }
}

impl HttpConnector for Chooser {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let address = request.uri();
        let secure = address.starts_with("https:");
        let near = is_this_machine(address);
        let lane = usize::from(secure) * 2 + usize::from(near);
        let make = || self.make(secure, near);
        match self.lanes.connectors.get(lane) {
            Some(slot) => slot.get_or_init(make).call(request),
            None => make().call(request),
        }
    }
}

impl Chooser {
    fn make(&self, secure: bool, near: bool) -> SharedHttpConnector {
        let proxy = match (secure, near) {
            (_, true) => ProxyConfig::disabled(),
            (true, false) => self.lanes.secure.clone(),
            (false, false) => self.lanes.plain.clone(),
        };
        let builder = Connector::builder().connector_settings(self.settings.clone()).proxy_config(proxy);
        SharedHttpConnector::new(match secure {
            true => builder
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(self.lanes.trust.clone())
                .build(),
            false => builder.build_http(),
        })
    }
}

/// Whether an address names this machine, to which no proxy leads.
fn is_this_machine(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.split(':').next().unwrap_or(host),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_are_this_machine() {
        for address in
            ["http://127.0.0.1:5000/", "http://[::1]:5000/x", "https://localhost/", "http://127.8.0.1"]
        {
            assert!(is_this_machine(address), "{address}");
        }
        for address in [
            "https://kms.eu-west-3.amazonaws.com/",
            "http://localhost.example.com",
            "127.0.0.1",
            "http://[::2]",
        ] {
            assert!(!is_this_machine(address), "{address}");
        }
    }

    #[test]
    fn a_bad_proxy_or_certificate_file_is_told() {
        let bad_proxy = Settings { http_proxy: Some("::not a url::".to_owned()), ..Settings::default() };
        assert!(client(&bad_proxy).expect_err("no url").message.contains("http_proxy"));
        let absent = Settings { ca_bundle: Some("/nonexistent/ca.pem".to_owned()), ..Settings::default() };
        assert!(client(&absent).expect_err("no file").message.contains("/nonexistent/ca.pem"));
        let file = tempfile::NamedTempFile::new().expect("a file");
        let empty = Settings { ca_bundle: file.path().to_str().map(str::to_owned), ..Settings::default() };
        assert!(client(&empty).expect_err("no certificate").message.contains("PEM"));
    }
}
