//! Buffered background sending, with an outcome for every event.

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
/// [`Client::send`](crate::Client::send) waits for Inngest, which a web handler often must not.
/// [`publish`](Publisher::publish) waits only for room in the queue. Every event it accepts ends as
/// exactly one of *delivered*, *failed* and *undelivered*, as its [`Receipt`], [`stats`](Publisher::stats)
/// and the report of [`close`](Publisher::close) show.
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
/// # Outages
///
/// Transient failures are retried without limit, one request at a time with growing waits, until a request
/// succeeds or the publisher is closed. The queue fills up meanwhile; then `publish` waits, and
/// [`try_publish`](Publisher::try_publish) returns events in its error. A `Retry-After` pauses all sending, for
/// at most an hour. The first caller that waits in [`flush`](Publisher::flush) or
/// [`close`](Publisher::close) restarts the publisher's own waits at the initial backoff.
///
/// A refused key stops the sending and keeps the queue: `publish` returns an error at once, until
/// [`resume`](Publisher::resume) is called. A key can also refuse single event names (403): the events of
/// these names are kept until another name is accepted, and are then rejected.
///
/// # Bad events
///
/// A batch that keeps failing while others succeed is halved until the event that makes it fail is alone;
/// [`isolated_events`](PublisherStats::isolated_events) shows it. An event at which the server stops with a
/// 400 is sent again alone, up to three times, and is then rejected and passed to
/// [`on_undelivered`](PublisherBuilder::on_undelivered). An event of which an earlier attempt may have been
/// accepted is not rejected, but failed.
///
/// Room in the queue is given in the order it was requested: while a large event waits, small events wait
/// too.
///
/// # Dropping
///
/// Dropping the last clone does not wait or block: queued events are undelivered, counted, logged and passed
/// to [`on_undelivered`](PublisherBuilder::on_undelivered). Call [`close`](Publisher::close) first.
#[derive(Clone)]
pub struct Publisher(Arc<Handle>);

/// Shared by the clones, and dropped with the last of them.
struct Handle {
    queue: Arc<Queue>,
    driver: AbortHandle,
}

impl Publisher {
    /// Queues one event as soon as there is room for it.
    ///
    /// The event is serialized in the call itself, and the future borrows nothing. The event is queued when
    /// the future completes; dropping the future before discards the event.
    ///
    /// # Errors
    ///
    /// [`PublishError`] if the event is invalid, or the publisher no longer sends.
    #[track_caller]
    pub fn publish<E: IntoEvent>(&self, event: E) -> Publishing {
        self.publishing(event, CallSite::caller())
    }

    /// Queues one event if there is room for it now.
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`] if there is no room. Every error except
    /// [`PublishError::Event`] contains the event.
    #[track_caller]
    pub fn try_publish<E: IntoEvent>(&self, event: E) -> Result<Receipt, PublishError> {
        let entry = Entry::serialize(self.0.queue.client(), event, CallSite::caller())?;
        self.0.queue.try_push(&entry)
    }

    /// Queues many events in order, each as soon as there is room for it, and returns for each what
    /// [`publish`](Publisher::publish) would return.
    ///
    /// The events are serialized in the call itself, and the future borrows nothing: until it completes, it
    /// holds all of them in addition to the queue. An invalid event does not stop the others. Dropping the
    /// future discards the events that are not queued yet, and the receipts of those that are.
    #[track_caller]
    pub fn publish_all<I>(&self, events: I) -> PublishingAll
    where
        I: IntoIterator<Item: IntoEvent>,
    {
        let call_site = CallSite::caller();
        let events = events.into_iter().map(|event| self.publishing(event, call_site));
        PublishingAll::new(events.collect())
    }

    fn publishing<E: IntoEvent>(&self, event: E, call_site: CallSite) -> Publishing {
        let queue = Arc::clone(&self.0.queue);
        let entry = Entry::serialize(queue.client(), event, call_site);
        Publishing::new(queue, entry.map_err(PublishError::from))
    }

    /// Queues all events of a batch as soon as there is room for all of them, and returns a receipt per event, in
    /// order. The events keep the ids they have in the batch, so a batch that an error returned can be
    /// published without duplicates.
    ///
    /// A batch that is larger than the queue waits for all of the queue's room. The hooks of
    /// [`ClientBuilder::before_send`](crate::ClientBuilder::before_send) are not called.
    ///
    /// # Errors
    ///
    /// [`PublishError`] if the publisher no longer sends, or an event has a refused name. No event is queued
    /// then, and the error contains the whole batch.
    pub async fn publish_batch(&self, batch: Batch) -> Result<Vec<Receipt>, PublishError> {
        self.0.queue.push_batch(batch).await
    }

    /// Waits until every event that was accepted before the call has an outcome. Their batches do not linger.
    ///
    /// # Errors
    ///
    /// [`FlushError`]: how many events have no outcome when `within` is over, the event key is refused, or
    /// the runtime that the publisher was started on has shut down.
    ///
    /// # Panics
    ///
    /// If polled outside of a tokio runtime, because of tokio's timers. The same holds for `close`.
    pub async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        self.0.queue.flush(within).await
    }

    /// Stops accepting events, flushes, stops the background task, and reports the outcome of every event.
    ///
    /// Events that are not delivered when `within` is over are returned in the report, including those in
    /// flight. Sending them with [`Client::send_batch`](crate::Client::send_batch) duplicates none.
    ///
    /// It returns by the end of `within`, plus at most the one hook call that is running then. Hooks and
    /// receipts of further events are notified on a thread of their own.
    pub async fn close(&self, within: Duration) -> CloseReport {
        // Real time, since hooks are synchronous code. An hour is as good as forever.
        let deadline = Instant::now() + within.min(Duration::from_secs(3_600));
        self.0.queue.stop_accepting();
        // The report contains the unfinished events.
        drop(self.0.queue.flush(within).await);
        self.0.queue.set_hook_deadline(deadline);
        self.0.driver.abort();
        loop {
            self.0.queue.wait_until_notified().await;
            if let Some(report) = self.0.queue.close_if_notified() {
                return report;
            }
        }
    }

    /// Resumes sending after the event key or names were refused.
    pub fn resume(&self) {
        self.0.queue.resume();
    }

    /// Returns the current state and the counts since the start.
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
