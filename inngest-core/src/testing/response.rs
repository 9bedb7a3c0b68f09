//! The responses of the Event API, and their bytes.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use futures_util::stream;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use serde::Serialize;

pub(super) type ResponseBody = BoxBody<Bytes, io::Error>;

/// The page that the Dev Server serves at every path outside its API.
pub(super) const HTML_PAGE: &str = "<!DOCTYPE html>\n<html>\n<head><title>Inngest</title></head>\n\
     <body><div id=\"app\"></div></body>\n</html>\n";

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// A response of the Event API.
#[derive(Debug, PartialEq)]
pub(super) enum ApiResponse {
    /// To a request with events: the ids of the accepted ones, and the error at which reading
    /// stopped.
    Events { ids: Vec<String>, error: Option<String> },
    /// The event key is unknown.
    UnknownKey,
    /// The event key does not allow events of this name.
    EventNotAllowed { name: String },
    /// The method is not POST.
    MethodNotAllowed,
    /// The path has no event key.
    MissingKey,
    /// The path is outside the API.
    HtmlPage,
    /// The response of a fault that sets its own status; without a body, the body is an error text
    /// in the Event API's format.
    Custom { status: StatusCode, headers: HeaderMap, body: Option<String> },
}

#[derive(Serialize)]
struct IdsJson<'a> {
    ids: &'a [String],
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    status: u16,
    message: &'a str,
    error: &'a str,
}

impl ApiResponse {
    pub(super) fn into_http(self) -> Response<ResponseBody> {
        match self {
            ApiResponse::Events { ids, error } => {
                let status = if error.is_none() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
                let error = error.as_deref();
                json_response(status, &IdsJson { ids: &ids, status: status.as_u16(), error })
            }
            ApiResponse::UnknownKey => {
                error_response(StatusCode::UNAUTHORIZED, "Event key not found")
            }
            ApiResponse::EventNotAllowed { name } => {
                let text = format!("The event key does not allow events named {name}");
                error_response(StatusCode::FORBIDDEN, &text)
            }
            ApiResponse::MethodNotAllowed => {
                let mut response = text_response(StatusCode::METHOD_NOT_ALLOWED, String::new());
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                response
            }
            ApiResponse::MissingKey => {
                let mut response = text_response(StatusCode::SEE_OTHER, String::new());
                response.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
                response
            }
            ApiResponse::HtmlPage => {
                let mut response = text_response(StatusCode::OK, HTML_PAGE.to_owned());
                response.headers_mut().insert(CONTENT_TYPE, HTML);
                response
            }
            ApiResponse::Custom { status, headers, body } => {
                let mut response = match body {
                    Some(body) => text_response(status, body),
                    None => error_response(status, status.canonical_reason().unwrap_or("Error")),
                };
                response.headers_mut().extend(headers);
                response
            }
        }
    }
}

/// Returns an error without ids, in the Event API's format.
fn error_response(status: StatusCode, error: &str) -> Response<ResponseBody> {
    json_response(status, &ErrorJson { status: status.as_u16(), message: "", error })
}

/// Returns a response with `value` as JSON. Its content type is plain text, as the Dev Server's is.
fn json_response(status: StatusCode, value: &impl Serialize) -> Response<ResponseBody> {
    let mut body = serde_json::to_string(value).expect("strings and numbers serialize");
    body.push('\n');
    text_response(status, body)
}

/// Returns a plain-text response.
fn text_response(status: StatusCode, text: String) -> Response<ResponseBody> {
    let body = Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {});
    with_headers(status, body.boxed())
}

/// Returns a plain-text response with the Dev Server's headers.
fn with_headers(status: StatusCode, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, PLAIN);
    headers.insert("x-inngest-server-kind", HeaderValue::from_static("dev"));
    response
}

/// Returns a 200 whose body is `bytes` spaces, generated while it is sent, so that any length fits
/// in memory.
pub(super) fn spaces(bytes: u64) -> Response<ResponseBody> {
    const CHUNK: &[u8] = &[b' '; 64 * 1024];
    let chunks = stream::unfold(bytes, |remaining| async move {
        let length = usize::try_from(remaining).map_or(CHUNK.len(), |bytes| bytes.min(CHUNK.len()));
        let chunk = Frame::data(Bytes::from_static(&CHUNK[..length]));
        (length > 0).then(|| (Ok(chunk), remaining - length as u64))
    });
    with_headers(StatusCode::OK, BodyExt::boxed(StreamBody::new(chunks)))
}

/// Returns the response with a body that fails after its first half.
pub(super) async fn truncated(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let (parts, body) = response.into_parts();
    let body = read_to_end(body).await;
    let half = body.slice(..body.len() / 2);
    let frames = stream::unfold(Some(half), |half| async {
        if let Some(half) = half {
            return Some((Ok(Frame::data(half)), None));
        }
        // hyper flushes its buffer only when the body is pending.
        tokio::task::yield_now().await;
        Some((Err(io::ErrorKind::ConnectionAborted.into()), None))
    });
    let mut response = Response::from_parts(parts, BodyExt::boxed(StreamBody::new(frames)));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}

pub(super) async fn read_to_end(body: ResponseBody) -> Bytes {
    body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}
