//! From a request to a whole answer, or to why there is none. The only file that calls reqwest.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};

use super::error::Source;
use crate::batch::CallSite;
use crate::event::EventError;

/// The ways a request goes.
#[derive(Clone, Debug)]
pub(super) enum Transport {
    Http(Http),
    #[cfg(feature = "testing")]
    Scripted(Arc<dyn super::test_transport::Transport>),
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    #[cfg(feature = "testing")]
    pub(super) callers: super::test_transport::Callers,
    /// No more than this is read of an answer's body.
    pub(super) max_answer_bytes: usize,
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether the body went on, longer than an answer can be, and was not read to its end.
    pub(super) truncated: bool,
    /// Whether it came from another URL: the user's HTTP client followed a redirect.
    pub(super) redirected: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum TransportError {
    Connect(Source),
    Interrupted(Source),
}

impl Transport {
    pub(super) async fn send(&self, request: &Request) -> Result<Response, TransportError> {
        match self {
            Transport::Http(http) => http.send(request).await,
            #[cfg(feature = "testing")]
            Transport::Scripted(transport) => test_transport(&**transport, request).await,
        }
    }

    /// Hears of an event that is not sent, for a fault of its own.
    pub(super) fn refused(&self, error: &EventError, call_site: CallSite) {
        match self {
            Transport::Http(_) => _ = (error, call_site),
            #[cfg(feature = "testing")]
            Transport::Scripted(transport) => transport.refused(error, call_site.location),
        }
    }
}

/// Over the network.
#[derive(Clone, Debug)]
pub(super) struct Http {
    pub(super) client: reqwest::Client,
}

impl Http {
    async fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let mut post = reqwest::Request::new(Method::POST, request.url.clone());
        post.headers_mut().clone_from(&request.headers);
        *post.body_mut() = Some(request.body.clone().into());
        let mut response = self.client.execute(post).await.map_err(failed)?;
        let redirected = *response.url() != request.url;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let (body, truncated) = read(response, request.max_answer_bytes).await?;
        Ok(Response { status, headers, body, truncated, redirected })
    }
}

/// reqwest's errors name the URL, and the key is in it.
fn failed(error: reqwest::Error) -> TransportError {
    let connect = error.is_connect();
    let source: Source = Arc::new(error.without_url());
    if connect { TransportError::Connect(source) } else { TransportError::Interrupted(source) }
}

/// The body, and whether it was cut short at `max` bytes.
async fn read(
    mut response: reqwest::Response,
    max: usize,
) -> Result<(Bytes, bool), TransportError> {
    let mut body = response.chunk().await.map_err(failed)?.unwrap_or_default();
    // Most answers come in one piece, which then is not copied.
    let mut joined = BytesMut::new();
    while let Some(more) = response.chunk().await.map_err(failed)? {
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

#[cfg(feature = "testing")]
async fn test_transport(
    transport: &dyn super::test_transport::Transport,
    request: &Request,
) -> Result<Response, TransportError> {
    use super::test_transport::TransportFault;

    let mut post = http::Request::new(request.body.clone());
    *post.method_mut() = Method::POST;
    post.headers_mut().clone_from(&request.headers);
    post.extensions_mut().insert(request.callers.clone());
    *post.uri_mut() = request
        .url
        .as_str()
        .parse()
        .map_err(|error: http::uri::InvalidUri| TransportError::Connect(Arc::new(error)))?;
    match transport.send(post).await {
        Ok(response) => {
            let (parts, mut body) = response.into_parts();
            let truncated = body.len() > request.max_answer_bytes;
            body.truncate(request.max_answer_bytes);
            let (status, headers) = (parts.status, parts.headers);
            Ok(Response { status, headers, body, truncated, redirected: false })
        }
        Err(fault @ TransportFault::Connect) => Err(TransportError::Connect(Arc::new(fault))),
        Err(fault) => Err(TransportError::Interrupted(Arc::new(fault))),
    }
}
