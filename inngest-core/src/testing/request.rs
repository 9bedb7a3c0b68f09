//! The requests that a server received, kept for tests.

use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderMap, request::Parts};
use serde_json::Value;

use super::lock::lock;

/// A request that an [`EventApi`](super::EventApi) or a [`Recorder`](super::Recorder) received, with any response.
///
/// Nothing is redacted: the path contains the event key.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The method, such as `POST`.
    pub method: String,
    /// The path and the query as received, such as `/e/test`.
    pub path: String,
    /// The body as received; empty if it was not read, was too large or was not received in time.
    pub body: Bytes,
    headers: HeaderMap,
}

impl ReceivedRequest {
    pub(super) fn new(parts: &Parts, body: Bytes) -> ReceivedRequest {
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
        ReceivedRequest {
            method: parts.method.to_string(),
            path: path.to_owned(),
            body,
            headers: parts.headers.clone(),
        }
    }

    /// Returns the first value of a header. Names are case-insensitive.
    ///
    /// Returns `None` if there is no such header, or if its value is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns all headers, with names in lower case. Headers whose values are not text are left out.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// Parses the body as JSON: one event, or an array of events.
    ///
    /// # Errors
    ///
    /// Returns an error if the body is not JSON.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

/// The requests, in order of arrival.
#[derive(Default)]
pub(super) struct Requests(Mutex<Vec<ReceivedRequest>>);

impl Requests {
    pub(super) fn push(&self, request: ReceivedRequest) {
        lock(&self.0).push(request);
    }

    pub(super) fn all(&self) -> Vec<ReceivedRequest> {
        lock(&self.0).clone()
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }
}
