//! Sends an HTTP request and reads its whole response. The only file that calls reqwest.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};
use tokio::runtime;

use super::base_url::is_loopback;
use super::config_error::ConfigError;
use super::connection_error::ConnectionError;
use super::source::Source;
use crate::batch::CallSite;
use crate::event::EventError;

/// How requests are sent.
#[derive(Clone, Debug)]
pub(super) enum Transport {
    Http(HttpTransport),
    #[cfg(feature = "testing")]
    Scripted(Arc<dyn super::test_transport::Transport>),
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    #[cfg(feature = "testing")]
    pub(super) call_sites: super::test_transport::CallSites,
    /// The maximum number of bytes that are read from the response's body.
    pub(super) max_response_bytes: usize,
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether the body is longer than a valid response can be and was not read to its end.
    pub(super) truncated: bool,
    /// Whether the response came from another URL, because the user's HTTP client followed a
    /// redirect.
    pub(super) redirected: bool,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum TransportError {
    Connect(Source),
    Interrupted(Source),
}

impl Transport {
    /// Sends `request` and reads the response.
    ///
    /// # Panics
    ///
    /// Panics without a tokio runtime. It panics when it is called, not when the future is polled:
    /// otherwise the caller's timeout would panic first, with a less helpful message of tokio.
    pub(super) fn send(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<Response, TransportError>> {
        assert!(
            runtime::Handle::try_current().is_ok(),
            "inngest_core::Client needs a tokio runtime with time and I/O enabled; without one, use \
             inngest_core::blocking::Client"
        );
        async move {
            match self {
                Transport::Http(http) => http.send(request).await,
                #[cfg(feature = "testing")]
                Transport::Scripted(transport) => send_scripted(&**transport, request).await,
            }
        }
    }

    /// Reports an event that is not sent because it is invalid. Only a test's transport uses it.
    pub(super) fn on_invalid_event(&self, error: &EventError, call_site: CallSite) {
        match self {
            Transport::Http(_) => _ = (error, call_site),
            #[cfg(feature = "testing")]
            Transport::Scripted(transport) => transport.on_invalid_event(error, call_site.location),
        }
    }
}

/// Sends over the network.
#[derive(Clone, Debug)]
pub(super) struct HttpTransport {
    pub(super) client: reqwest::Client,
}

impl HttpTransport {
    pub(super) fn new(
        endpoint: &Url,
        connect_timeout: Duration,
        proxies: bool,
    ) -> Result<HttpTransport, ConfigError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout)
            // Shorter than the time after which servers close idle connections, since a POST on a
            // connection that is being closed could be lost.
            .pool_idle_timeout(Duration::from_secs(20))
            .tcp_nodelay(true);
        let https = endpoint.scheme() == "https";
        // Over http, a proxy could read the key.
        if !https || !proxies || is_loopback(endpoint) {
            builder = builder.no_proxy();
        }
        // The scheme is fixed and redirects are not followed, so certificates are never needed over
        // http, and the client also works on a machine without any.
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        if !https {
            builder = builder.tls_certs_only([]);
        }
        #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
        if https {
            return Err(ConfigError::NoTls);
        }
        let client = builder.build();
        let client = client.map_err(|error| ConfigError::HttpClient { source: Arc::new(error) })?;
        Ok(HttpTransport { client })
    }

    async fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let mut post = reqwest::Request::new(Method::POST, request.url.clone());
        post.headers_mut().clone_from(&request.headers);
        *post.body_mut() = Some(request.body.clone().into());
        let failed = |error| transport_error(&request.url, error);
        let mut response = self.client.execute(post).await.map_err(failed)?;
        let redirected = *response.url() != request.url;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let (body, truncated) =
            read_body(response, request.max_response_bytes).await.map_err(failed)?;
        Ok(Response { status, headers, body, truncated, redirected })
    }
}

/// Converts an error of reqwest. The URL, which contains the key, is replaced with the server's
/// name.
fn transport_error(url: &Url, error: reqwest::Error) -> TransportError {
    let connect = error.is_connect();
    let source: Source = Arc::new(ConnectionError::new(url, error.without_url()));
    if connect { TransportError::Connect(source) } else { TransportError::Interrupted(source) }
}

/// Returns the body, and whether it was truncated to `max` bytes.
async fn read_body(
    mut response: reqwest::Response,
    max: usize,
) -> Result<(Bytes, bool), reqwest::Error> {
    let mut body = response.chunk().await?.unwrap_or_default();
    // Most responses arrive in one piece, which is not copied.
    let mut joined = BytesMut::new();
    while let Some(more) = response.chunk().await? {
        if joined.is_empty() {
            joined.extend_from_slice(&body);
        }
        joined.extend_from_slice(&more);
        if joined.len() > max {
            break;
        }
    }
    if !joined.is_empty() {
        body = joined.freeze();
    }
    let truncated = body.len() > max;
    body.truncate(max);
    Ok((body, truncated))
}

/// Sends `request` through a test's transport.
#[cfg(feature = "testing")]
async fn send_scripted(
    transport: &dyn super::test_transport::Transport,
    request: &Request,
) -> Result<Response, TransportError> {
    use super::test_transport::TransportFault;

    let mut post = http::Request::new(request.body.clone());
    *post.method_mut() = Method::POST;
    post.headers_mut().clone_from(&request.headers);
    post.extensions_mut().insert(request.call_sites.clone());
    *post.uri_mut() = request
        .url
        .as_str()
        .parse()
        .map_err(|error: http::uri::InvalidUri| TransportError::Connect(Arc::new(error)))?;
    match transport.send(post).await {
        Ok(response) => {
            let (parts, mut body) = response.into_parts();
            let truncated = body.len() > request.max_response_bytes;
            body.truncate(request.max_response_bytes);
            let (status, headers) = (parts.status, parts.headers);
            Ok(Response { status, headers, body, truncated, redirected: false })
        }
        Err(fault @ TransportFault::Connect) => Err(TransportError::Connect(Arc::new(fault))),
        Err(fault) => Err(TransportError::Interrupted(Arc::new(fault))),
    }
}
