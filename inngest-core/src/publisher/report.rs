//! What a publisher says of itself and of its events.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::batch::Batch;
use crate::client::RequestError;
use crate::event::EventError;

/// Why an event was not queued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The event cannot be sent as it is.
    #[error(transparent)]
    Event(#[from] EventError),

    /// There is no room for it now.
    #[error("the publisher's queue is full")]
    Full {
        /// The event, serialized.
        event: Batch,
    },

    /// The event key is refused, so nothing is sent until [`Publisher::resume`](super::Publisher::resume).
    #[error("the publisher has stopped: {cause}")]
    KeyRefused {
        /// What the server said.
        cause: Arc<RequestError>,
        /// The event, serialized.
        event: Batch,
    },

    /// The publisher is closed, or the runtime it ran on is gone.
    #[error("the publisher is closed")]
    Closed {
        /// The event, serialized.
        event: Batch,
    },
}

/// Not everything ended in the time given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushError {
    /// How many events that were accepted before the call.
    pub events: usize,
    /// Whether the event key is refused, so that waiting does not help.
    pub key_refused: bool,
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.events == 1 { "event has" } else { "events have" };
        write!(f, "{} {noun} not ended yet", self.events)?;
        f.write_str(if self.key_refused { ", since the event key is refused" } else { "" })
    }
}

impl Error for FlushError {}

/// Events that will not be sent any more.
#[derive(Debug)]
#[non_exhaustive]
pub struct Undelivered {
    /// The events. Sending them again with [`Client::send_batch`](crate::Client::send_batch) duplicates
    /// none.
    pub events: Batch,
    /// What the server said; nothing if the publisher was dropped while the server said nothing wrong.
    pub cause: Option<Arc<RequestError>>,
}

/// What became of every event that a publisher accepted: in all as many as it accepted, less what an
/// earlier `close` has handed back already.
#[derive(Debug)]
#[non_exhaustive]
pub struct CloseReport {
    /// Accepted by Inngest.
    pub delivered: u64,
    /// Rejected, or refused in a way that does not pass.
    pub failed: u64,
    /// Neither. Sending them again with [`Client::send_batch`](crate::Client::send_batch) duplicates
    /// none.
    pub undelivered: Batch,
}

/// How a publisher stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublisherStats {
    /// Events queued or under way.
    pub queued_events: usize,
    /// Their bytes as JSON.
    pub queued_bytes: usize,
    /// Batches under way.
    pub in_flight: usize,
    /// Events accepted by `publish` since the start.
    pub accepted: u64,
    /// Events delivered since the start.
    pub delivered: u64,
    /// Events failed since the start, by [`RequestError::kind`] or `rejected`.
    pub failed: BTreeMap<&'static str, u64>,
    /// Batches sent again since the start.
    pub retries: u64,
    /// How long the oldest batch not yet delivered has been there.
    pub oldest: Option<Duration>,
    /// Whether the event key is refused and nothing is sent.
    pub key_refused: bool,
}
