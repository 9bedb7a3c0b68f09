//! Faults: the failures that a test causes in the Event API.

use std::time::Duration;

use http::header::{HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use super::response::HTML_PAGE;

/// A failure of the Event API at one request.
///
/// It is an argument of [`EventApi::fail_next`], [`EventApi::fault_when`] and
/// [`EventApi::fault_when_event`], and of the same methods of [`Recorder`](super::Recorder).
///
/// ```
/// use std::time::Duration;
/// use inngest_core::testing::Fault;
///
/// Fault::status(503);
/// Fault::status(429).retry_after("2");
/// Fault::status(502).body("<h1>Bad Gateway</h1>").after_accepting();
/// Fault::hang().after_accepting();
/// Fault::fail_at(3).delayed(Duration::from_millis(20));
/// Fault::refuse("the cart is empty");
/// ```
///
/// The failures of a real server, each as a fault:
///
/// | failure | fault |
/// |---|---|
/// | a failure of the server itself, although every event is valid | `fail_at(0)` |
/// | an invalid event | `refuse` in a rule by event |
/// | a 400 of a gateway, without ids | `status(400)` |
/// | a 403 for some event names | [`EventApi::accept_only_events`], or `status(403)` in a rule by event |
/// | a 5xx for every request that contains a certain event | `status(500)` in a rule by event |
/// | a response that is lost after the events were accepted | `drop_before_answer` |
///
/// [`EventApi::accept_only_events`]: super::EventApi::accept_only_events
/// [`EventApi::fail_next`]: super::EventApi::fail_next
/// [`EventApi::fault_when`]: super::EventApi::fault_when
/// [`EventApi::fault_when_event`]: super::EventApi::fault_when_event
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) delay: Duration,
    /// Whether the events are accepted.
    pub(super) accepts: bool,
    pub(super) kind: FaultKind,
}

#[derive(Clone, Debug)]
pub(super) enum FaultKind {
    /// The request is only delayed.
    DelayOnly,
    /// The event at `index` is not accepted, and the events after it are not read.
    FailAt {
        index: usize,
        error: String,
    },
    MissingIds(usize),
    EmptyIds,
    TruncatedResponse,
    CloseBeforeReading,
    CloseBeforeResponse,
    Hang,
    Spaces(u64),
    CustomResponse {
        status: StatusCode,
        headers: HeaderMap,
        body: Option<String>,
    },
}

impl Fault {
    /// Returns the fault of a request that is handled as usual.
    pub(super) fn none() -> Fault {
        Fault::accepting(FaultKind::DelayOnly)
    }

    pub(super) fn closes_before_reading(&self) -> bool {
        matches!(self.kind, FaultKind::CloseBeforeReading)
    }

    /// Counts the index of [`fail_at`](Fault::fail_at) and [`refuse`](Fault::refuse) from the event at
    /// `start`.
    pub(super) fn counted_from(mut self, start: usize) -> Fault {
        if let FaultKind::FailAt { index, .. } = &mut self.kind {
            *index = index.saturating_add(start);
        }
        self
    }
}

impl Fault {
    fn new(kind: FaultKind) -> Fault {
        Fault { delay: Duration::ZERO, accepts: false, kind }
    }

    fn accepting(kind: FaultKind) -> Fault {
        Fault { accepts: true, ..Fault::new(kind) }
    }

    /// Responds with `status` and an error text in the Event API's format. The events are not accepted.
    ///
    /// # Panics
    ///
    /// Panics if `status` is not in the range 200 to 999.
    #[must_use]
    #[track_caller]
    pub fn status(status: u16) -> Fault {
        let status = StatusCode::from_u16(status).ok().filter(|it| !it.is_informational());
        let status = status.expect("the status must be from 200 to 999");
        let headers = HeaderMap::new();
        Fault::new(FaultKind::CustomResponse { status, headers, body: None })
    }

    /// Responds with 303 and a `Location`. The events are not accepted.
    ///
    /// # Panics
    ///
    /// Panics if `location` is not a valid header value.
    #[must_use]
    #[track_caller]
    pub fn redirect(location: &str) -> Fault {
        Fault::status(303).header(LOCATION.as_str(), location).body("")
    }

    /// Responds with 200 and an HTML page, as a server other than Inngest does. The events are not
    /// accepted.
    #[must_use]
    #[track_caller]
    pub fn html() -> Fault {
        Fault::status(200).header("content-type", "text/html; charset=utf-8").body(HTML_PAGE)
    }

    /// Responds with 200 and a body of `bytes` spaces, without a `Content-Length`. The events are not
    /// accepted.
    #[must_use]
    pub fn answer_of_bytes(bytes: u64) -> Fault {
        Fault::new(FaultKind::Spaces(bytes))
    }

    /// Closes the connection without reading the body. The events are not accepted.
    #[must_use]
    pub fn drop_before_reading() -> Fault {
        Fault::new(FaultKind::CloseBeforeReading)
    }

    /// Accepts the events, then closes the connection without a response.
    #[must_use]
    pub fn drop_before_answer() -> Fault {
        Fault::accepting(FaultKind::CloseBeforeResponse)
    }

    /// Accepts the events, then closes the connection in the middle of the response's body.
    #[must_use]
    pub fn drop_within_answer() -> Fault {
        Fault::accepting(FaultKind::TruncatedResponse)
    }

    /// Never responds. The events are not accepted.
    #[must_use]
    pub fn hang() -> Fault {
        Fault::new(FaultKind::Hang)
    }

    /// Accepts the events and responds as usual, but only after `delay`.
    #[must_use]
    pub fn delay(delay: Duration) -> Fault {
        Fault::none().delayed(delay)
    }

    /// Fails at the event at `index` with an internal error: responds with 400, and accepts only the
    /// events before it.
    ///
    /// A request with `index` events or fewer is accepted as usual. For a rule set by
    /// [`fault_when_event`](super::EventApi::fault_when_event), `index` counts from the event passed to
    /// the rule.
    #[must_use]
    pub fn fail_at(index: usize) -> Fault {
        let error = "the event could not be stored".to_owned();
        Fault::accepting(FaultKind::FailAt { index, error })
    }

    /// Refuses one event as invalid: responds with 400 and `error`, and accepts only the events before
    /// it.
    ///
    /// The event is the first of the request or, for a rule set by
    /// [`fault_when_event`](super::EventApi::fault_when_event), the event passed to the rule.
    #[must_use]
    pub fn refuse(error: impl Into<String>) -> Fault {
        Fault::accepting(FaultKind::FailAt { index: 0, error: error.into() })
    }

    /// Accepts the events, but leaves the last `count` ids out of the response.
    #[must_use]
    pub fn missing_ids(count: usize) -> Fault {
        Fault::accepting(FaultKind::MissingIds(count))
    }

    /// Accepts the events, but makes every id in the response empty.
    #[must_use]
    pub fn empty_ids() -> Fault {
        Fault::accepting(FaultKind::EmptyIds)
    }

    /// Sets the `Retry-After` header: seconds, a date, or invalid text.
    ///
    /// It has an effect only on faults that respond with a status of their own.
    ///
    /// # Panics
    ///
    /// Panics if `value` is not a valid header value.
    #[must_use]
    #[track_caller]
    pub fn retry_after(self, value: &str) -> Fault {
        self.header(RETRY_AFTER.as_str(), value)
    }

    /// Sets a header of the response.
    ///
    /// It has an effect only on faults that respond with a status of their own.
    ///
    /// # Panics
    ///
    /// Panics if `name` is not a valid header name, or `value` not a valid header value.
    #[must_use]
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Fault {
        let name: HeaderName = name.parse().expect("a valid header name");
        let value: HeaderValue = value.parse().expect("a valid header value");
        if let FaultKind::CustomResponse { headers, .. } = &mut self.kind {
            headers.insert(name, value);
        }
        self
    }

    /// Sets the body of the response.
    ///
    /// It has an effect only on faults that respond with a status of their own.
    #[must_use]
    pub fn body(mut self, text: impl Into<String>) -> Fault {
        if let FaultKind::CustomResponse { body, .. } = &mut self.kind {
            *body = Some(text.into());
        }
        self
    }

    /// Changes the fault so that the events are accepted before it happens, whatever the response is.
    ///
    /// It has no effect on [`drop_before_reading`](Fault::drop_before_reading), which never reads the
    /// events.
    #[must_use]
    pub fn after_accepting(mut self) -> Fault {
        self.accepts = !self.closes_before_reading();
        self
    }

    /// Sets how long the server waits after it has read the request, before it accepts events or
    /// responds.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Fault {
        self.delay = delay;
        self
    }
}
