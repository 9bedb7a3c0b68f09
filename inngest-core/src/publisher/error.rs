//! The errors of publishing, of a queued event and of flushing.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::batch::Batch;
use crate::client::{Rejection, RequestError};
use crate::event::EventError;

/// Why an event was not queued. Every variant except [`Event`](PublishError::Event) returns the event.
///
/// See [errors](crate::guide::errors) in the guide.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The event is invalid. It was not queued.
    #[error(transparent)]
    Event(#[from] EventError),

    /// The queue has no capacity for the event now. Returned only by
    /// [`try_publish`](super::Publisher::try_publish).
    #[error("the publisher's queue is full")]
    Full {
        /// The event, serialized.
        event: Batch,
    },

    /// The server refuses the event key or the event's name, so that the event would not be sent
    /// until [`Publisher::resume`](super::Publisher::resume) is called.
    #[error("the event was not queued: {cause}")]
    KeyRefused {
        /// The server's response.
        cause: Arc<RequestError>,
        /// The event, serialized, or the whole batch given to
        /// [`publish_batch`](super::Publisher::publish_batch).
        event: Batch,
    },

    /// The publisher is closed, or the runtime it was started on has shut down.
    #[error("the publisher is closed")]
    Closed {
        /// The event, serialized, or the whole batch given to
        /// [`publish_batch`](super::Publisher::publish_batch).
        event: Batch,
    },
}

/// Why a queued event was not delivered.
///
/// See [errors](crate::guide::errors) in the guide.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The server rejected the event. The event itself is the cause.
    #[error("the event was rejected: {0}")]
    Rejected(Arc<Rejection>),

    /// The request failed with an error that is not transient. With
    /// [`InDoubt`](RequestError::InDoubt) and [`InvalidResponse`](RequestError::InvalidResponse), the
    /// server may have accepted the event.
    #[error("sending the event failed: {0}")]
    Failed(Arc<RequestError>),

    /// The publisher was closed or dropped while the server refused the event key or the event's
    /// name.
    #[error("the publisher was closed before the event was delivered: {0}")]
    KeyRefused(Arc<RequestError>),

    /// The publisher was closed or dropped before the event was delivered.
    #[error("the publisher was closed before the event was delivered")]
    Closed,
}

impl PublishError {
    /// Returns the event, or the batch given to [`publish_batch`](super::Publisher::publish_batch),
    /// unless the event is invalid.
    #[must_use]
    pub fn into_event(self) -> Option<Batch> {
        match self {
            PublishError::Event(_) => None,
            PublishError::Full { event }
            | PublishError::KeyRefused { event, .. }
            | PublishError::Closed { event } => Some(event),
        }
    }
}

impl DeliveryError {
    /// Returns the key under which the event is counted in
    /// [`PublisherStats::failed`](super::PublisherStats::failed).
    pub(super) fn kind(&self) -> &'static str {
        match self {
            DeliveryError::Rejected(_) => "rejected",
            DeliveryError::Failed(cause) | DeliveryError::KeyRefused(cause) => cause.kind(),
            DeliveryError::Closed => "closed",
        }
    }
}

/// The error of [`Publisher::flush`](super::Publisher::flush): it ended before every event had an
/// outcome.
///
/// See [publisher](crate::guide::publisher) in the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushError {
    /// The number of events accepted before the call that have no outcome yet.
    pub events: usize,
    /// Whether the event key is refused, or the names of the remaining events, so that waiting
    /// longer does not help.
    pub key_refused: bool,
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.events == 1 { "event has" } else { "events have" };
        write!(f, "{} {noun} no outcome yet", self.events)?;
        f.write_str(if self.key_refused {
            ", because the event key or an event name is refused"
        } else {
            ""
        })
    }
}

impl Error for FlushError {}
