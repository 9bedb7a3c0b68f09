//! How the server misbehaves when a test asks for it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use super::answer::HTML_PAGE;
use super::lock;
use super::request::ReceivedRequest;
use super::store::StoredEvent;

/// Something that goes wrong with a request: what [`EventApi::fail_next`],
/// [`EventApi::fault_when`] and [`EventApi::fault_when_event`] take, and those
/// of [`Recorder`](super::Recorder).
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
/// [`EventApi::fail_next`]: super::EventApi::fail_next
/// [`EventApi::fault_when`]: super::EventApi::fault_when
/// [`EventApi::fault_when_event`]: super::EventApi::fault_when_event
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) delay: Duration,
    /// Whether the events are accepted although something else comes in place of the answer.
    pub(super) accepts: bool,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    DropBeforeReading,
    /// The events are accepted and answered, but not as they should be.
    Distorted(Distortion),
    /// This comes in place of the answer.
    Instead(Instead),
}

#[derive(Clone, Debug)]
pub(super) enum Distortion {
    /// Nothing is wrong but the delay.
    Late,
    FailAt {
        index: usize,
        error: String,
    },
    MissingIds(usize),
    EmptyIds,
    Cut,
}

#[derive(Clone, Debug)]
pub(super) enum Instead {
    Hang,
    Drop,
    Spaces(u64),
    Answer { status: StatusCode, headers: HeaderMap, body: Option<String> },
}

impl Distortion {
    /// What becomes of the ids in the answer.
    pub(super) fn distort(&self, ids: &mut Vec<String>) {
        match self {
            Distortion::MissingIds(count) => ids.truncate(ids.len().saturating_sub(*count)),
            Distortion::EmptyIds => ids.iter_mut().for_each(String::clear),
            Distortion::Late | Distortion::FailAt { .. } | Distortion::Cut => {}
        }
    }
}

impl Fault {
    fn new(kind: Kind) -> Fault {
        Fault { delay: Duration::ZERO, accepts: false, kind }
    }

    fn distorted(distortion: Distortion) -> Fault {
        Fault::new(Kind::Distorted(distortion))
    }

    fn instead(instead: Instead) -> Fault {
        Fault::new(Kind::Instead(instead))
    }

    /// Answers with a status, and an error text in the shape the Event API has; the events are not
    /// accepted.
    ///
    /// # Panics
    ///
    /// `status` is not from 200 to 999.
    #[must_use]
    #[track_caller]
    pub fn status(status: u16) -> Fault {
        let status = StatusCode::from_u16(status).ok().filter(|it| !it.is_informational());
        let status = status.expect("a status is from 200 to 999");
        Fault::instead(Instead::Answer { status, headers: HeaderMap::new(), body: None })
    }

    /// Answers 303 with a `Location`; the events are not accepted.
    ///
    /// # Panics
    ///
    /// `location` cannot stand in a header.
    #[must_use]
    #[track_caller]
    pub fn redirect(location: &str) -> Fault {
        Fault::status(303).header(LOCATION.as_str(), location).body("")
    }

    /// Answers 200 with an HTML page, as a server does that is none of Inngest's; the events are not
    /// accepted.
    #[must_use]
    #[track_caller]
    pub fn html() -> Fault {
        Fault::status(200).header("content-type", "text/html; charset=utf-8").body(HTML_PAGE)
    }

    /// Answers 200 with a body of so many spaces, its length not announced; the events are not
    /// accepted.
    #[must_use]
    pub fn answer_of_bytes(bytes: u64) -> Fault {
        Fault::instead(Instead::Spaces(bytes))
    }

    /// Closes the connection without reading the body.
    #[must_use]
    pub fn drop_before_reading() -> Fault {
        Fault::new(Kind::DropBeforeReading)
    }

    /// Accepts the events, then closes the connection without an answer.
    #[must_use]
    pub fn drop_before_answer() -> Fault {
        Fault::instead(Instead::Drop).after_accepting()
    }

    /// Accepts the events, then closes the connection in the middle of the answer's body.
    #[must_use]
    pub fn drop_within_answer() -> Fault {
        Fault::distorted(Distortion::Cut)
    }

    /// Never answers; the events are not accepted.
    #[must_use]
    pub fn hang() -> Fault {
        Fault::instead(Instead::Hang)
    }

    /// Answers rightly, but late: the events are accepted when the time has passed.
    #[must_use]
    pub fn delay(delay: Duration) -> Fault {
        Fault::distorted(Distortion::Late).delayed(delay)
    }

    /// Fails at the event of this index for reasons of the server's own: 400, with the events before it
    /// accepted. A request with fewer events meets no fault. A rule by event counts from the event it
    /// was asked about.
    #[must_use]
    pub fn fail_at(index: usize) -> Fault {
        Fault::distorted(Distortion::FailAt {
            index,
            error: "the event could not be stored".to_owned(),
        })
    }

    /// Refuses an event, as one that breaks a rule: 400 with this error, and with the events before it
    /// accepted. It is the first of the request, or the one that a rule by event was asked about.
    #[must_use]
    pub fn refuse(error: impl Into<String>) -> Fault {
        Fault::distorted(Distortion::FailAt { index: 0, error: error.into() })
    }

    /// Accepts the events, but leaves the last `count` ids out of the answer.
    #[must_use]
    pub fn missing_ids(count: usize) -> Fault {
        Fault::distorted(Distortion::MissingIds(count))
    }

    /// Accepts the events, but every id in the answer is empty.
    #[must_use]
    pub fn empty_ids() -> Fault {
        Fault::distorted(Distortion::EmptyIds)
    }

    /// Sets the text of `Retry-After`: seconds, a date, or nonsense. Only for faults that answer with
    /// a status of their own.
    ///
    /// # Panics
    ///
    /// `value` cannot stand in a header.
    #[must_use]
    #[track_caller]
    pub fn retry_after(self, value: &str) -> Fault {
        self.header(RETRY_AFTER.as_str(), value)
    }

    /// Sets a header. Only for faults that answer with a status of their own.
    ///
    /// # Panics
    ///
    /// `name` or `value` cannot stand in a header.
    #[must_use]
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Fault {
        let name: HeaderName = name.parse().expect("a header's name");
        let value: HeaderValue = value.parse().expect("a header's value");
        if let Kind::Instead(Instead::Answer { headers, .. }) = &mut self.kind {
            headers.insert(name, value);
        }
        self
    }

    /// Sets the body. Only for faults that answer with a status of their own.
    #[must_use]
    pub fn body(mut self, text: impl Into<String>) -> Fault {
        if let Kind::Instead(Instead::Answer { body, .. }) = &mut self.kind {
            *body = Some(text.into());
        }
        self
    }

    /// Accepts the events before it misbehaves, whatever it then answers. Only
    /// [`drop_before_reading`](Fault::drop_before_reading) cannot.
    #[must_use]
    pub fn after_accepting(mut self) -> Fault {
        self.accepts = true;
        self
    }

    /// Waits before it does anything, the reading of the body excepted.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Fault {
        self.delay = delay;
        self
    }
}

type RequestRule = Box<dyn FnMut(&ReceivedRequest) -> Option<Fault> + Send>;
type EventRule = Box<dyn FnMut(&StoredEvent) -> Option<Fault> + Send>;

/// The faults to come.
#[derive(Default)]
pub(super) struct Faults {
    queue: Mutex<VecDeque<Fault>>,
    request_rule: Mutex<Option<RequestRule>>,
    event_rule: Mutex<Option<EventRule>>,
}

impl Faults {
    pub(super) fn queue(&self, times: usize, fault: &Fault) {
        lock(&self.queue).extend(std::iter::repeat_n(fault, times).cloned());
    }

    pub(super) fn set_request_rule(&self, rule: RequestRule) {
        *lock(&self.request_rule) = Some(rule);
    }

    pub(super) fn set_event_rule(&self, rule: EventRule) {
        *lock(&self.event_rule) = Some(rule);
    }

    pub(super) fn clear(&self) {
        lock(&self.queue).clear();
        *lock(&self.request_rule) = None;
        *lock(&self.event_rule) = None;
    }

    pub(super) fn next(&self) -> Option<Fault> {
        lock(&self.queue).pop_front()
    }

    pub(super) fn by_request(&self, request: &ReceivedRequest) -> Option<Fault> {
        lock(&self.request_rule).as_mut().and_then(|rule| rule(request))
    }

    /// That of the first event that has one.
    pub(super) fn by_event(&self, events: &[StoredEvent]) -> Option<Fault> {
        let mut rule = lock(&self.event_rule);
        let rule = rule.as_mut()?;
        let (at, mut fault) =
            events.iter().enumerate().find_map(|(at, event)| Some((at, rule(event)?)))?;
        if let Kind::Distorted(Distortion::FailAt { index, .. }) = &mut fault.kind {
            *index = index.saturating_add(at);
        }
        Some(fault)
    }
}
