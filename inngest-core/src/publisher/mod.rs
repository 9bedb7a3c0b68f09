//! Sending in the background, from a queue in memory, with an outcome for every event.

mod builder;
mod classify;
mod driver;
mod entry;
mod error;
mod limits;
mod notify;
mod publishing;
mod queue;
mod receipt;
mod refused_names;
mod report;
mod sealed;
mod settle;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use crate::batch::{Batch, CallSite};
use crate::event::IntoEvent;

pub use builder::PublisherBuilder;
use entry::Entry;
pub use error::{DeliveryError, FlushError, PublishError};
pub use publishing::{Published, Publishing, PublishingAll};
use queue::Queue;
pub use receipt::Receipt;
pub use report::{CloseReport, PublisherStats, Undelivered};

/// Sends events in the background, in batches. Cheap to clone: clones share one queue.
///
/// [`Client::send`](crate::Client::send) waits for Inngest's response, which is often too slow for
/// a web handler. [`publish`](Publisher::publish) waits only for capacity in the queue. Each queued
/// event gets exactly one outcome: *delivered*; *failed*, if it was rejected or its request failed with
/// an error that is not transient; or *undelivered*, if the publisher was closed or dropped before. The
/// outcomes are reported by the event's [`Receipt`], by [`stats`](Publisher::stats) and by the report
/// of [`close`](Publisher::close).
///
/// ```no_run
/// # async fn run(event: impl inngest_core::InngestEvent) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::{Duration, Instant};
/// use inngest_core::Client;
///
/// let publisher = Client::from_env()?.publisher().start();
/// publisher.publish(&event).await?;
///
/// let report = publisher.close(Duration::from_secs(10)).await;
/// println!("{} delivered, {} left", report.delivered, report.undelivered.len());
/// # Ok(())
/// # }
/// ```
///
/// Capacity in the queue is assigned in the order in which it was requested: while a large event waits
/// for capacity, small events wait too.
///
/// # Outages
///
/// Transient failures are retried without limit, one request at a time with growing waits, until a
/// request succeeds or the publisher is closed. During an outage, the queue fills up. When it is full,
/// `publish` waits, and [`try_publish`](Publisher::try_publish) returns the event in its error. A
/// `Retry-After` pauses all sending, for at most an hour. The first call of
/// [`flush`](Publisher::flush) or [`close`](Publisher::close) during an outage resets the publisher's
/// own backoff to the initial one.
///
/// If the server refuses the key, the publisher stops sending and keeps the queue, and `publish`
/// returns an error at once, until [`resume`](Publisher::resume) is called. The server can also
/// refuse single event names for a key (403): events with these names are kept until an event with
/// another name is accepted, and are then rejected.
///
/// # Bad events
///
/// A batch that fails repeatedly while others succeed is halved until the event that causes the
/// failure is alone. [`isolated_events`](PublisherStats::isolated_events) counts the events of such
/// batches.
/// An event at which the server stops with a 400 is retried alone, up to three times, and is then
/// rejected and passed to [`on_undelivered`](PublisherBuilder::on_undelivered). If the server may
/// have accepted an earlier attempt, the event is reported as failed, not as rejected.
///
/// # Dropping
///
/// Call [`close`](Publisher::close) before you drop the last clone. Dropping it does not wait: the
/// queued events are undelivered. Their number is logged, and they are passed to
/// [`on_undelivered`](PublisherBuilder::on_undelivered).
///
/// See [publisher](crate::guide::publisher) in the guide.
#[derive(Clone)]
pub struct Publisher(Arc<Handle>);

/// Shared by the clones of a publisher, and dropped with the last clone.
struct Handle {
    queue: Arc<Queue>,
    driver: AbortHandle,
}

impl Publisher {
    /// Queues one event as soon as there is capacity for it.
    ///
    /// The event is serialized before `publish` returns, and the future borrows nothing. The event
    /// is queued when the future completes. Dropping the future earlier discards the event.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError`] if the event is invalid, if the publisher is closed, or if the server
    /// refuses the event key or the event's name.
    #[track_caller]
    pub fn publish<E: IntoEvent>(&self, event: E) -> Publishing {
        self.publishing(event, CallSite::caller())
    }

    /// Queues one event if there is capacity for it now.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError::Full`] if there is no capacity, and otherwise the errors of
    /// [`publish`](Publisher::publish). Every error except [`PublishError::Event`] contains the event.
    #[track_caller]
    pub fn try_publish<E: IntoEvent>(&self, event: E) -> Result<Receipt, PublishError> {
        let entry = Entry::serialize(self.0.queue.client(), event, CallSite::caller())?;
        let full = || Err(PublishError::Full { event: entry.to_batch() });
        self.0.queue.push_now(&entry).unwrap_or_else(full)
    }

    /// Queues many events in order, each as soon as there is capacity for it, and returns a receipt or
    /// an error for each, as [`publish`](Publisher::publish) does.
    ///
    /// The events are serialized before `publish_all` returns, and the future borrows nothing.
    /// Until it completes, it holds the events that are not queued yet in memory, in addition to
    /// the queue. An invalid event does not stop the others. Dropping the future discards the
    /// events that are not queued yet, and the receipts of the queued events.
    #[track_caller]
    pub fn publish_all<I>(&self, events: I) -> PublishingAll
    where
        I: IntoIterator<Item: IntoEvent>,
    {
        let call_site = CallSite::caller();
        let events = events.into_iter().map(|event| self.publishing(event, call_site));
        PublishingAll::new(events.collect())
    }

    /// Serializes `event` and returns the future that queues it.
    fn publishing<E: IntoEvent>(&self, event: E, call_site: CallSite) -> Publishing {
        let queue = Arc::clone(&self.0.queue);
        let entry = Entry::serialize(queue.client(), event, call_site);
        Publishing::new(queue, entry.map_err(PublishError::from))
    }

    /// Queues all events of a batch as soon as there is capacity for all of them, and returns a receipt
    /// for each event, in order. The events keep their ids, so a batch that was returned by an error can
    /// be published without duplicates.
    ///
    /// A batch that is larger than the queue waits until the queue is empty. The hooks of
    /// [`ClientBuilder::before_send`](crate::ClientBuilder::before_send) are not called.
    ///
    /// # Errors
    ///
    /// Returns [`PublishError`] if the publisher is closed, or if the server refuses the event key or the
    /// name of one of the events. No event is queued then, and the error contains the whole batch.
    pub async fn publish_batch(&self, batch: Batch) -> Result<Vec<Receipt>, PublishError> {
        self.0.queue.push_batch(batch).await
    }

    /// Waits until every event that was accepted before the call has an outcome. Their batches are
    /// sent without lingering.
    ///
    /// # Errors
    ///
    /// Returns [`FlushError`] with the number of events without an outcome, if `within` elapses, the event
    /// key is refused, or the runtime that the publisher was started on shuts down.
    ///
    /// # Panics
    ///
    /// Panics if polled outside of a tokio runtime, because of tokio's timers.
    pub async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        self.0.queue.flush(within).await
    }

    /// Stops accepting events, flushes, stops the background task, and reports the outcome of every
    /// event.
    ///
    /// Events without an outcome when `within` has elapsed are returned in the report, including
    /// events in flight. Sending them with [`Client::send_batch`](crate::Client::send_batch)
    /// duplicates none.
    ///
    /// Returns at the latest when `within` has elapsed, or when the hook call that is running then
    /// returns. Hooks and receipts of the remaining events are notified on a separate thread.
    ///
    /// # Panics
    ///
    /// Panics if polled outside of a tokio runtime, because of tokio's timers.
    pub async fn close(&self, within: Duration) -> CloseReport {
        // The deadline for hooks is in real time, since hooks are synchronous code. It is limited to
        // an hour, since a longer time could overflow `Instant`.
        let deadline = Instant::now() + within.min(Duration::from_secs(3_600));
        self.0.queue.stop_accepting();
        self.0.queue.set_hook_deadline(deadline);
        // The report contains the unfinished events.
        drop(self.0.queue.flush(within).await);
        self.0.driver.abort();
        loop {
            self.0.queue.wait_until_notified().await;
            if let Some(report) = self.0.queue.close_if_notified() {
                return report;
            }
        }
    }

    /// Resumes sending after the server refused the event key or event names. Call it when the key or
    /// its settings were corrected at Inngest.
    pub fn resume(&self) {
        self.0.queue.resume();
    }

    /// Returns the current state of the publisher, and the counts since its start.
    #[must_use]
    pub fn stats(&self) -> PublisherStats {
        self.0.queue.stats()
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.driver.abort();
        self.queue.abandon();
    }
}
