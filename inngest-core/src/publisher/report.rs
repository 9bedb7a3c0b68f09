//! The reports of a publisher: its state, its end, and the events that it does not deliver.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::batch::Batch;
use crate::client::{Rejection, RequestError};

/// The hook of [`PublisherBuilder::on_undelivered`](super::PublisherBuilder::on_undelivered).
pub(super) type UndeliveredHook = Box<dyn Fn(Undelivered) + Send + Sync>;

/// Events that the publisher no longer tries to send: all of them unsent, or all of them rejected.
///
/// See [publisher](crate::guide::publisher) in the guide.
#[must_use = "it contains the events"]
#[derive(Debug)]
#[non_exhaustive]
pub struct Undelivered {
    /// The events. Sending unsent ones again with [`Client::send_batch`](crate::Client::send_batch)
    /// duplicates none.
    pub events: Batch,
    /// Why the events are unsent. `None` if they were rejected, or if the publisher was dropped while
    /// the server refused neither the key nor a name.
    pub cause: Option<Arc<RequestError>>,
    /// Why the events were rejected: the index in `events` and the reason of each. Empty if they
    /// are unsent.
    pub rejections: Vec<(usize, Arc<Rejection>)>,
}

/// The outcomes of the events that a publisher queued. The counts add up to the number of queued
/// events, minus the events that an earlier `close` returned.
///
/// See [publisher](crate::guide::publisher) in the guide.
#[must_use = "it contains the events that were not delivered"]
#[derive(Debug)]
#[non_exhaustive]
pub struct CloseReport {
    /// The number of events accepted by Inngest.
    pub delivered: u64,
    /// The number of events that were rejected, or failed with an error that is not transient.
    pub failed: u64,
    /// All other events. Sending them again with [`Client::send_batch`](crate::Client::send_batch)
    /// duplicates none.
    pub undelivered: Batch,
}

/// The state of a publisher.
///
/// See [publisher](crate::guide::publisher) in the guide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublisherStats {
    /// The number of events that are queued or in flight.
    pub queued_events: usize,
    /// The size of these events as JSON, in bytes.
    pub queued_bytes: usize,
    /// The number of batches in flight.
    pub in_flight: usize,
    /// The number of events queued since the start.
    pub accepted: u64,
    /// The number of events delivered since the start.
    pub delivered: u64,
    /// The number of events that failed since the start, by [`RequestError::kind`] or `rejected`.
    pub failed: BTreeMap<&'static str, u64>,
    /// The number of batches retried since the start.
    pub retries: u64,
    /// The age of the oldest batch without an outcome, or `None` if there is no such batch.
    pub oldest: Option<Duration>,
    /// The number of events that are retried separately, because their batch failed repeatedly while
    /// others succeeded.
    pub isolated_events: usize,
    /// Whether the server refuses the event key, so that nothing is sent, or the names of events that
    /// are kept.
    pub key_refused: bool,
}
