//! What the server answers, and its bytes.

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

pub(super) type Body = BoxBody<Bytes, io::Error>;

/// The page the Dev Server has for people at every path that is not its API's.
pub(super) const HTML_PAGE: &str = "<!DOCTYPE html>\n<html>\n<head><title>Inngest</title></head>\n\
     <body><div id=\"app\"></div></body>\n</html>\n";

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What the Event API says to a request.
pub(super) enum Answer {
    /// To events: the ids of those accepted, and the error that ended it.
    Ids { ids: Vec<String>, error: Option<String> },
    /// To a key it does not know.
    UnknownKey,
    /// To an event of a name that the key is not for.
    Filtered { event: String },
    /// To another method than POST.
    WrongMethod,
    /// To a path without a key.
    NoKey,
    /// To any other path.
    Page,
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

impl Answer {
    pub(super) fn into_response(self) -> Response<Body> {
        match self {
            Answer::Ids { ids, error } => {
                let status = if error.is_none() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
                let error = error.as_deref();
                json(status, &IdsJson { ids: &ids, status: status.as_u16(), error })
            }
            Answer::UnknownKey => error(StatusCode::UNAUTHORIZED, "Event key not found"),
            Answer::Filtered { event } => {
                let text = format!("The event key does not allow events named {event}");
                error(StatusCode::FORBIDDEN, &text)
            }
            Answer::WrongMethod => {
                let mut response = text(StatusCode::METHOD_NOT_ALLOWED, String::new());
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                response
            }
            Answer::NoKey => {
                let mut response = text(StatusCode::SEE_OTHER, String::new());
                response.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
                response
            }
            Answer::Page => {
                let mut response = text(StatusCode::OK, HTML_PAGE.to_owned());
                response.headers_mut().insert(CONTENT_TYPE, HTML);
                response
            }
        }
    }
}

/// An error without ids, as the Event API words it.
fn error(status: StatusCode, error: &str) -> Response<Body> {
    json(status, &ErrorJson { status: status.as_u16(), message: "", error })
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let mut body = serde_json::to_string(value).expect("strings and numbers serialize");
    body.push('\n');
    text(status, body)
}

fn text(status: StatusCode, text: String) -> Response<Body> {
    response(
        status,
        Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {}).boxed(),
    )
}

fn response(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, PLAIN);
    headers.insert("x-inngest-server-kind", HeaderValue::from_static("dev"));
    response
}

/// The answer of a fault that has a status of its own.
pub(super) fn of_fault(
    status: StatusCode,
    headers: HeaderMap,
    body: Option<String>,
) -> Response<Body> {
    let mut response = match body {
        Some(body) => text(status, body),
        None => error(status, status.canonical_reason().unwrap_or("Error")),
    };
    response.headers_mut().extend(headers);
    response
}

/// A body of so many spaces, made while it is sent, so that it may have any length.
pub(super) fn spaces(bytes: u64) -> Response<Body> {
    const CHUNK: &[u8] = &[b' '; 64 * 1024];
    let chunks = stream::unfold(bytes, |left| async move {
        let length = usize::try_from(left).map_or(CHUNK.len(), |left| left.min(CHUNK.len()));
        let chunk = Frame::data(Bytes::from_static(&CHUNK[..length]));
        (length > 0).then(|| (Ok(chunk), left - length as u64))
    });
    response(StatusCode::OK, BodyExt::boxed(StreamBody::new(chunks)))
}

/// The same answer, broken off in the middle of its body.
pub(super) async fn cut(answer: Response<Body>) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let half = body.slice(..body.len() / 2);
    let frames = stream::unfold(Some(half), |half| async {
        if let Some(half) = half {
            return Some((Ok(Frame::data(half)), None));
        }
        // hyper sends what it has only when there is nothing more for the moment.
        tokio::task::yield_now().await;
        Some((Err(io::ErrorKind::ConnectionAborted.into()), None))
    });
    let mut response = Response::from_parts(parts, BodyExt::boxed(StreamBody::new(frames)));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}
