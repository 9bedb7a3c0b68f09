//! The errors of sending.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::connection_error::explain;
use super::source::Source;
use crate::batch::Batch;
use crate::event::{EventError, EventId};

/// Why the events of a request are unsent, that is, not known to be accepted. With some errors, the
/// server may have accepted them.
///
/// Sending the returned [`Batch`] again keeps the events' ids, for which Inngest starts no function
/// twice within 24 hours. Calling `send` again creates another id.
///
/// See [errors](crate::guide::errors) in the guide.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No connection could be established. Retried. The message includes the root cause.
    #[error("no connection to Inngest: {}", explain(.source.as_ref()))]
    Connect {
        /// The HTTP client's error.
        source: Source,
    },

    /// The connection broke before the whole response was received. Retried. The message includes
    /// the root cause.
    #[error("the connection broke before the response was received: {}", explain(.source.as_ref()))]
    Interrupted {
        /// The HTTP client's error.
        source: Source,
    },

    /// The response was not received in time. Retried.
    #[error("no response within {after:?}")]
    Timeout {
        /// The timeout that applied.
        after: Duration,
    },

    /// Inngest, or a proxy in front of it, is temporarily unavailable: 408, 425, 429 or 5xx.
    /// Retried.
    #[error("the server is temporarily unavailable ({status}): {message}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// The server's message.
        message: String,
        /// The minimum wait, from the header `Retry-After`.
        retry_after: Option<Duration>,
    },

    /// The `Retry-After` of a response exceeds the remaining time of the call, so the request is not
    /// retried.
    #[error(
        "the server asks to wait {} s, but the call has {} s left: {cause}",
        wait.as_secs(),
        left.as_secs()
    )]
    RetryAfterTooLong {
        /// The wait, from the header `Retry-After`.
        wait: Duration,
        /// The remaining time of the call.
        left: Duration,
        /// The error of the response with this header.
        cause: Box<RequestError>,
    },

    /// The call's [`total_timeout`](crate::RetryPolicy::total_timeout) elapsed before the request
    /// started.
    #[error("the call's total timeout elapsed before the request was sent")]
    DeadlineExceeded,

    /// The server refuses the event key (401 or 404), or the key or the event's name (403). A 404 can
    /// also come from a wrong base URL. After a 401 or 404, the call sends nothing more.
    #[error("the event key is refused ({status}): {message}")]
    KeyRefused {
        /// The HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },

    /// The request is too large for the server: 413. Lower
    /// [`max_request_bytes`](crate::ClientBuilder::max_request_bytes). A single event that is too
    /// large is a [`Rejection`] instead.
    #[error("the request is too large for the server (413): {message}")]
    TooLarge {
        /// The server's message.
        message: String,
    },

    /// The server refuses the request as a whole: a 400 without a list of ids, or a status that no
    /// other variant covers.
    #[error("the server refuses the request ({status}): {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },

    /// The server rejects the event, but may have accepted an earlier attempt, which ended without
    /// a response or with an ambiguous one. Sending the returned batch again within 24 hours starts
    /// no function twice, but the event will probably be rejected again.
    #[error(
        "the server rejects the event ({status}): {message}; an earlier attempt may have been accepted"
    )]
    InDoubt {
        /// The HTTP status: 400, 403 or 413.
        status: u16,
        /// The server's message.
        message: String,
    },

    /// The response is not a valid response of Inngest: an HTML page from a wrong URL, a redirect,
    /// or ids that do not match the events.
    #[error("the response ({status}) is invalid: {problem}")]
    InvalidResponse {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        problem: String,
    },
}

impl RequestError {
    /// Returns whether the same request may succeed later, without any change by the caller.
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
            | RequestError::InDoubt { .. }
            | RequestError::InvalidResponse { .. } => false,
        }
    }

    /// Returns the minimum wait before the next request, if the response had a `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            RequestError::Unavailable { retry_after, .. } => *retry_after,
            RequestError::RetryAfterTooLong { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    /// Returns a short name of the variant, such as `timeout`, for metrics.
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
            RequestError::InDoubt { .. } => "in_doubt",
            RequestError::InvalidResponse { .. } => "invalid_response",
        }
    }

    /// Returns whether the timeout of a request or the total timeout of the call elapsed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, RequestError::Timeout { .. } | RequestError::DeadlineExceeded)
    }

    /// Returns the HTTP status of the response, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            RequestError::Unavailable { status, .. }
            | RequestError::KeyRefused { status, .. }
            | RequestError::Refused { status, .. }
            | RequestError::InDoubt { status, .. }
            | RequestError::InvalidResponse { status, .. } => Some(*status),
            RequestError::TooLarge { .. } => Some(413),
            RequestError::RetryAfterTooLong { cause, .. } => cause.status(),
            RequestError::Connect { .. }
            | RequestError::Interrupted { .. }
            | RequestError::Timeout { .. }
            | RequestError::DeadlineExceeded => None,
        }
    }

    /// Returns the server's message, if there was one.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            RequestError::Unavailable { message, .. }
            | RequestError::KeyRefused { message, .. }
            | RequestError::TooLarge { message }
            | RequestError::Refused { message, .. }
            | RequestError::InDoubt { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Returns whether the server may have accepted the events of the attempt that failed with this
    /// error.
    pub(crate) fn is_ambiguous(&self) -> bool {
        !matches!(
            self,
            RequestError::Connect { .. }
                | RequestError::KeyRefused { .. }
                | RequestError::TooLarge { .. }
                | RequestError::Unavailable { status: 429, .. }
        )
    }

    /// Returns whether the server refuses the key for all events. A 403 does not count, since it
    /// can be about one event's name.
    pub(crate) fn refuses_every_name(&self) -> bool {
        matches!(self, RequestError::KeyRefused { status, .. } if *status != 403)
    }

    /// Returns whether the error is [`KeyRefused`](RequestError::KeyRefused).
    #[must_use]
    pub fn is_key_refused(&self) -> bool {
        matches!(self, RequestError::KeyRefused { .. })
    }
}

/// Why an event was rejected. The event itself is the cause, so sending it again unchanged fails
/// again.
///
/// See [errors](crate::guide::errors) in the guide.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The event is invalid. It was not sent.
    #[error(transparent)]
    Event(#[from] EventError),

    /// The server rejected the event.
    #[error("Inngest rejected `{event}` ({status}): {message}")]
    Server {
        /// The event's name.
        event: &'static str,
        /// The HTTP status: 400, 403 or 413.
        status: u16,
        /// The server's message.
        message: String,
    },
}

/// Why [`Client::send`](crate::Client::send) failed: the event was rejected, or is not known to be
/// accepted.
///
/// See [errors](crate::guide::errors) in the guide.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The event is invalid. It was not sent.
    Event(EventError),

    /// The server rejected the event.
    Rejected {
        /// Why it was rejected.
        reason: Rejection,
        /// The event, serialized.
        rejected: Batch,
    },

    /// The event is not known to be accepted. Passing `unsent` to
    /// [`Client::send_batch`](crate::Client::send_batch) sends it again without a duplicate.
    Unsent {
        /// Why the last request failed.
        cause: RequestError,
        /// The event, serialized, with the seed of its id.
        unsent: Batch,
    },
}

impl SendError {
    /// Creates the error for an event that was rejected, which `rejected` contains if it was
    /// serialized.
    pub(crate) fn rejected(reason: Rejection, rejected: Batch) -> SendError {
        match reason {
            Rejection::Event(error) => SendError::Event(error),
            reason @ Rejection::Server { .. } => SendError::Rejected { reason, rejected },
        }
    }

    /// Returns whether sending the event again may succeed, without any change by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, SendError::Unsent { cause, .. } if cause.is_retryable())
    }

    /// Returns why the last request failed, if the event is unsent.
    #[must_use]
    pub fn cause(&self) -> Option<&RequestError> {
        match self {
            SendError::Unsent { cause, .. } => Some(cause),
            SendError::Event(_) | SendError::Rejected { .. } => None,
        }
    }

    /// Returns the event if it is unsent, otherwise an empty batch.
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
                write!(f, "sending `{name}` failed: {cause}")
            }
        }
    }
}

impl Error for SendError {
    /// Returns the source below the errors that [`Display`](fmt::Display) includes.
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

/// The outcome of each event of a call in which not all were accepted. Each event is in exactly one
/// of [`accepted`](BatchError::accepted), [`rejected`](BatchError::rejected) and
/// [`unsent`](BatchError::unsent).
///
/// See [errors](crate::guide::errors) in the guide.
#[derive(Debug)]
pub struct BatchError {
    pub(crate) accepted: Vec<(usize, EventId)>,
    pub(crate) rejected: Vec<(usize, Rejection)>,
    pub(crate) unsent: Vec<usize>,
    /// One cause per entry of `unsent`.
    pub(crate) causes: Vec<Arc<RequestError>>,
    pub(crate) rejected_events: Batch,
    pub(crate) unsent_events: Batch,
}

impl BatchError {
    /// Returns the accepted events: their indexes in the call, ascending, and their ids.
    #[must_use]
    pub fn accepted(&self) -> &[(usize, EventId)] {
        &self.accepted
    }

    /// Returns the rejected events: their indexes in the call, ascending, and the reasons.
    #[must_use]
    pub fn rejected(&self) -> &[(usize, Rejection)] {
        &self.rejected
    }

    /// Returns the indexes in the call, ascending, of the events that are not known to be accepted.
    /// Sending [`into_unsent`](BatchError::into_unsent) again does not duplicate them.
    #[must_use]
    pub fn unsent(&self) -> &[usize] {
        &self.unsent
    }

    /// Returns why events are unsent: one cause per entry of [`unsent`](BatchError::unsent), in
    /// order.
    #[must_use]
    pub fn causes(&self) -> impl ExactSizeIterator<Item = &RequestError> {
        self.causes.iter().map(|cause| &**cause)
    }

    /// Returns whether sending the unsent events again may succeed, for at least some of them,
    /// without any change by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.causes().any(RequestError::is_retryable)
    }

    /// Returns the unsent events. Sending them again with
    /// [`Client::send_batch`](crate::Client::send_batch) does not duplicate them: each keeps its id.
    #[must_use]
    pub fn into_unsent(self) -> Batch {
        self.unsent_events
    }

    /// Returns the rejected events, to be stored or inspected. Events that could not be serialized
    /// are not included.
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
            write!(f, ", {} unsent (event {index}: {cause})", self.unsent.len())?;
        }
        Ok(())
    }
}

impl Error for BatchError {
    /// Returns the source below the cause that [`Display`](fmt::Display) includes: of the first
    /// unsent event, or else of the first rejected one.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match (self.causes.first(), self.rejected.first()) {
            (Some(cause), _) => cause.source(),
            (None, Some((_, reason))) => reason.source(),
            (None, None) => None,
        }
    }
}
