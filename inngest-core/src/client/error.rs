//! What can go wrong with sending.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::batch::Batch;
use crate::event::{EventError, EventId};

/// An error of another crate's, kept.
pub(crate) type Source = Arc<dyn Error + Send + Sync>;

/// Why a client could not be built.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Cloud mode without an event key.
    #[error(
        "no event key: set INNGEST_EVENT_KEY or call `event_key`, or set INNGEST_DEV=1 to send to a \
         Dev Server"
    )]
    MissingKey,

    /// The event key has something in it that no key has.
    #[error("the event key cannot be one: {problem}")]
    InvalidKey {
        /// What, without the key.
        problem: String,
    },

    /// The base URL leads nowhere.
    #[error("{origin} is no base URL: {problem}")]
    InvalidBaseUrl {
        /// Where it was given: an option or an environment variable.
        origin: &'static str,
        /// What is wrong with it. The URL itself may hold a secret, and is not shown.
        problem: String,
    },

    /// `INNGEST_DEV` says neither yes nor no nor where.
    #[error(
        "INNGEST_DEV is `{value}`; use 1, true, yes or on for a Dev Server, its URL, or 0, false, no \
         or off for Inngest Cloud"
    )]
    InvalidDev {
        /// Its value.
        value: String,
    },

    /// An environment variable is not Unicode.
    #[error("{variable} is not valid Unicode")]
    NotUnicode {
        /// The variable.
        variable: &'static str,
    },

    /// An option is out of its range.
    #[error("`{option}`: {problem}")]
    InvalidOption {
        /// The builder's method.
        option: &'static str,
        /// What is wrong.
        problem: String,
    },

    /// The URL is https, and neither of the features `rustls` and `native-tls` is on.
    #[error("an https URL needs the feature `rustls` or `native-tls` of inngest-core")]
    NoTls,

    /// The HTTP client could not be built, as on a machine without CA certificates.
    #[error("the HTTP client could not be built; are CA certificates installed (ca-certificates)?")]
    HttpClient {
        /// What the HTTP client says.
        source: Source,
    },

    /// The thread of a blocking client could not be started.
    #[error("the thread of the blocking client could not be started")]
    Thread {
        /// What the operating system says.
        source: Source,
    },
}

/// Why a request did not say what became of its events. They are unsent: perhaps they were accepted,
/// perhaps not, and sending them again is safe.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There was no connection to send on. Retried.
    #[error("no connection to Inngest")]
    Connect {
        /// What the HTTP client says.
        source: Source,
    },

    /// The connection broke before the whole answer came. Retried.
    #[error("the connection broke before the answer came")]
    Interrupted {
        /// What the HTTP client says.
        source: Source,
    },

    /// No whole answer came in time. Retried.
    #[error("no answer within {after:?}")]
    Timeout {
        /// How long it was waited for.
        after: Duration,
    },

    /// Inngest, or what stands before it, cannot answer now: 408, 425, 429 or 5xx. Retried.
    #[error("the server cannot answer now ({status}): {message}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// What the server says.
        message: String,
        /// The least wait it asks for.
        retry_after: Option<Duration>,
    },

    /// The server asks for a longer wait than the call had left.
    #[error(
        "the server asks to wait {} s, but the call has {} s left: {cause}",
        wait.as_secs(),
        left.as_secs()
    )]
    RetryAfterTooLong {
        /// What it asks for.
        wait: Duration,
        /// What was left of the call's time.
        left: Duration,
        /// The answer that asks.
        cause: Box<RequestError>,
    },

    /// The call's time was over before the request was begun: see
    /// [`RetryPolicy::total_timeout`](crate::RetryPolicy::total_timeout).
    #[error("the call's time was over before it was sent")]
    DeadlineExceeded,

    /// The server refuses the event key: 401, 403 or 404. Nothing more is sent in this call.
    #[error("the event key is refused ({status}): {message}")]
    KeyRefused {
        /// The HTTP status.
        status: u16,
        /// What the server says.
        message: String,
    },

    /// The request is too large for the server: 413. A smaller `max_request_bytes` helps.
    #[error("the request is too large for the server (413): {message}")]
    TooLarge {
        /// What the server says.
        message: String,
    },

    /// The server refuses the request as a whole.
    #[error("the server refuses the request ({status}): {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the server says.
        message: String,
    },

    /// An answer that does not say what an answer of Inngest's must: a page of HTML from a wrong URL,
    /// a redirect, ids that do not match the events.
    #[error("the answer ({status}) cannot be believed: {problem}")]
    InvalidResponse {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        problem: String,
    },
}

impl RequestError {
    /// Whether the same request may succeed later, with nothing changed on this side.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            RequestError::Connect { .. }
            | RequestError::Interrupted { .. }
            | RequestError::Timeout { .. }
            | RequestError::Unavailable { .. }
            | RequestError::RetryAfterTooLong { .. }
            | RequestError::DeadlineExceeded => true,
            RequestError::KeyRefused { .. }
            | RequestError::TooLarge { .. }
            | RequestError::Refused { .. }
            | RequestError::InvalidResponse { .. } => false,
        }
    }

    /// The least wait that the server asks for before another request.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            RequestError::Unavailable { retry_after, .. } => *retry_after,
            RequestError::RetryAfterTooLong { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    /// A short name of what went wrong, for counting.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            RequestError::Connect { .. } => "connect",
            RequestError::Interrupted { .. } => "interrupted",
            RequestError::Timeout { .. } => "timeout",
            RequestError::Unavailable { .. } => "unavailable",
            RequestError::RetryAfterTooLong { .. } => "retry_after_too_long",
            RequestError::DeadlineExceeded => "deadline_exceeded",
            RequestError::KeyRefused { .. } => "key_refused",
            RequestError::TooLarge { .. } => "too_large",
            RequestError::Refused { .. } => "refused",
            RequestError::InvalidResponse { .. } => "invalid_response",
        }
    }

    /// Whether no answer came in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, RequestError::Timeout { .. } | RequestError::DeadlineExceeded)
    }

    /// Whether the server refuses the event key.
    #[must_use]
    pub fn is_key_refused(&self) -> bool {
        matches!(self, RequestError::KeyRefused { .. })
    }
}

/// Why an event is at fault itself. Sending it again as it is fails again.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// Found here, before anything was sent.
    #[error(transparent)]
    Event(#[from] EventError),

    /// Found by the server, twice.
    #[error("Inngest rejects `{event}` ({status}): {message}")]
    Server {
        /// The event's name.
        event: &'static str,
        /// The HTTP status: 400 or 413.
        status: u16,
        /// What the server says.
        message: String,
    },
}

/// Why an event was not sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The event cannot be sent as it is; nothing went out.
    Event(EventError),

    /// The server rejects the event.
    Rejected {
        /// What the server says.
        reason: Rejection,
        /// The event, serialized.
        rejected: Batch,
    },

    /// It is not known to be accepted. [`Client::send_batch`](crate::Client::send_batch) sends
    /// `unsent` again without duplicating it.
    Unsent {
        /// What went wrong.
        cause: RequestError,
        /// The event, in its place.
        unsent: Batch,
    },
}

impl SendError {
    pub(crate) fn rejected(reason: Rejection, rejected: Batch) -> SendError {
        match reason {
            Rejection::Event(error) => SendError::Event(error),
            reason @ Rejection::Server { .. } => SendError::Rejected { reason, rejected },
        }
    }

    /// Whether sending the event again may succeed, with nothing changed on this side.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, SendError::Unsent { cause, .. } if cause.is_retryable())
    }

    /// What the request failed with, if the event is unsent.
    #[must_use]
    pub fn cause(&self) -> Option<&RequestError> {
        match self {
            SendError::Unsent { cause, .. } => Some(cause),
            SendError::Event(_) | SendError::Rejected { .. } => None,
        }
    }

    /// The event, if it is unsent; otherwise an empty batch.
    #[must_use]
    pub fn into_unsent(self) -> Batch {
        match self {
            SendError::Unsent { unsent, .. } => unsent,
            SendError::Event(_) | SendError::Rejected { .. } => Batch::new(),
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Event(error) => error.fmt(f),
            SendError::Rejected { reason, .. } => reason.fmt(f),
            SendError::Unsent { cause, unsent } => {
                let name = unsent.slots().first().map_or("", |slot| slot.name);
                write!(f, "`{name}` was not sent: {cause}")
            }
        }
    }
}

impl Error for SendError {
    /// What lies below what [`Display`](fmt::Display) has said.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SendError::Event(error) => error.source(),
            SendError::Rejected { reason, .. } => reason.source(),
            SendError::Unsent { cause, .. } => cause.source(),
        }
    }
}

impl From<EventError> for SendError {
    fn from(error: EventError) -> SendError {
        SendError::Event(error)
    }
}

/// What became of each event of a call in which not all were accepted. Each is in exactly one of
/// [`accepted`](BatchError::accepted), [`rejected`](BatchError::rejected) and
/// [`unsent`](BatchError::unsent).
#[derive(Debug)]
pub struct BatchError {
    pub(crate) accepted: Vec<(usize, EventId)>,
    pub(crate) rejected: Vec<(usize, Rejection)>,
    pub(crate) unsent: Vec<usize>,
    /// One for each of `unsent`.
    pub(crate) causes: Vec<Arc<RequestError>>,
    pub(crate) rejected_events: Batch,
    pub(crate) unsent_events: Batch,
}

impl BatchError {
    /// The events that were accepted: their indexes in the call, ascending, and their ids.
    #[must_use]
    pub fn accepted(&self) -> &[(usize, EventId)] {
        &self.accepted
    }

    /// The events that are at fault themselves: their indexes in the call, ascending, and why.
    #[must_use]
    pub fn rejected(&self) -> &[(usize, Rejection)] {
        &self.rejected
    }

    /// The events that are not known to be accepted: their indexes in the call, ascending. Sending
    /// [`into_unsent`](BatchError::into_unsent) again does not duplicate them.
    #[must_use]
    pub fn unsent(&self) -> &[usize] {
        &self.unsent
    }

    /// Why the unsent events are: one cause for each of [`unsent`](BatchError::unsent), in order.
    #[must_use]
    pub fn causes(&self) -> impl ExactSizeIterator<Item = &RequestError> {
        self.causes.iter().map(|cause| &**cause)
    }

    /// Whether sending the unsent events again may succeed, for some of them at least, with nothing
    /// changed on this side.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.causes().any(RequestError::is_retryable)
    }

    /// The unsent events, in their places: send them again with
    /// [`Client::send_batch`](crate::Client::send_batch), and none is duplicated.
    #[must_use]
    pub fn into_unsent(self) -> Batch {
        self.unsent_events
    }

    /// The rejected events, in their places, to be kept for a look. Those that could not be serialized
    /// are not among them.
    #[must_use]
    pub fn into_rejected(self) -> Batch {
        self.rejected_events
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.accepted.len() + self.rejected.len() + self.unsent.len();
        write!(f, "of {total} events, {} were accepted", self.accepted.len())?;
        if let Some((index, reason)) = self.rejected.first() {
            write!(f, ", {} rejected (event {index}: {reason})", self.rejected.len())?;
        }
        if let (Some(index), Some(cause)) = (self.unsent.first(), self.causes.first()) {
            write!(f, ", {} not sent (event {index}: {cause})", self.unsent.len())?;
        }
        Ok(())
    }
}

impl Error for BatchError {
    /// What lies below what [`Display`](fmt::Display) has said of the unsent events, or else of the
    /// rejected.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match (self.causes.first(), self.rejected.first()) {
            (Some(cause), _) => cause.source(),
            (None, Some((_, reason))) => reason.source(),
            (None, None) => None,
        }
    }
}
