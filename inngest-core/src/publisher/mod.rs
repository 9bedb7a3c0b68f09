//! Buffered background sending: events at memory speed, sent in batches, every one accounted for.

mod builder;
mod classify;
mod driver;
mod queue;
mod receipt;
mod report;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;

use crate::batch::CallSite;
use crate::event::IntoEvent;

pub use builder::PublisherBuilder;
use queue::Queue;
pub use receipt::{DeliveryError, Receipt};
pub use report::{CloseReport, FlushError, PublishError, PublisherStats, Undelivered};

/// Sends events in the background, in batches. Cheap to clone: clones share one queue.
///
/// [`Client::send`](crate::Client::send) waits for Inngest; a web handler often must not.
/// [`publish`](Publisher::publish) waits only for room in the queue. Every event it accepts ends in
/// exactly one of *delivered*, *failed* and *undelivered*: its [`Receipt`] says which, and so do
/// [`stats`](Publisher::stats) and the report of [`close`](Publisher::close).
///
/// ```no_run
/// # async fn run(event: impl inngest_core::InngestEvent) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
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
/// # In an outage
///
/// What may pass is retried without end, one request at a time with growing waits, until it passes or
/// the publisher is closed; the queue fills up meanwhile, and then `publish` waits and
/// [`try_publish`](Publisher::try_publish) gives events back. A refused key stops the sending and keeps
/// the queue: `publish` says so at once, and [`resume`](Publisher::resume) goes on. A `Retry-After` pauses
/// all of it, for an hour at most.
///
/// Room is given in the order it was asked for: while a large event waits, small ones wait behind it.
///
/// # When it is dropped
///
/// Dropping the last clone does not wait and does not block: what is queued is undelivered, counted,
/// logged and handed to [`on_undelivered`](PublisherBuilder::on_undelivered). Close it first.
#[derive(Clone)]
pub struct Publisher(Arc<Handle>);

/// What the clones share; dropped with the last of them.
struct Handle {
    queue: Arc<Queue>,
    driver: AbortHandle,
}

impl Publisher {
    /// Queues one event, as soon as there is room for it.
    ///
    /// The event is serialized in the call itself, and the future borrows nothing. Until the future is
    /// done the event is not queued; dropping the future takes it back.
    ///
    /// # Errors
    ///
    /// [`PublishError`]: the event cannot be sent, or the publisher sends no more.
    #[track_caller]
    pub fn publish<E: IntoEvent>(
        &self,
        event: E,
    ) -> impl Future<Output = Result<Receipt, PublishError>> + Send + 'static + use<E> {
        let queue = Arc::clone(&self.0.queue);
        let entry = queue.serialize(event, CallSite::caller());
        async move { queue.push_when_there_is_room(entry?).await }
    }

    /// Queues one event if there is room for it now.
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`] if there is none; the event is given back with every error but one of
    /// its own.
    #[track_caller]
    pub fn try_publish<E: IntoEvent>(&self, event: E) -> Result<Receipt, PublishError> {
        let entry = self.0.queue.serialize(event, CallSite::caller())?;
        self.0.queue.try_push(entry)
    }

    /// Queues many events in order, each as soon as there is room for it, and says of each what
    /// [`publish`](Publisher::publish) would.
    ///
    /// The events are serialized in the call itself, and the future borrows nothing: until it is done it
    /// holds all of them, beside what the queue holds. An event that cannot be sent does not stop the
    /// others. Dropping the future takes back the events that have found no room yet, and drops the
    /// receipts of those that have.
    #[track_caller]
    pub fn publish_all<I>(
        &self,
        events: I,
    ) -> impl Future<Output = Vec<Result<Receipt, PublishError>>> + Send + 'static + use<I>
    where
        I: IntoIterator<Item: IntoEvent>,
    {
        let queue = Arc::clone(&self.0.queue);
        let call_site = CallSite::caller();
        let entries: Vec<_> =
            events.into_iter().map(|event| queue.serialize(event, call_site)).collect();
        async move {
            let mut receipts = Vec::with_capacity(entries.len());
            for entry in entries {
                receipts.push(match entry {
                    Ok(entry) => queue.push_when_there_is_room(entry).await,
                    Err(error) => Err(error),
                });
            }
            receipts
        }
    }

    /// Waits until every event that was accepted before the call has ended one way or another, and
    /// sends them without lingering.
    ///
    /// # Errors
    ///
    /// [`FlushError`]: how many have not, when `within` is over, the event key is refused or the runtime
    /// that the publisher was started on is gone.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, as tokio's timers do; `close` too.
    pub async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        self.0.queue.flush(within).await
    }

    /// Accepts no more events, flushes, stops, and accounts for every event.
    ///
    /// What is not delivered when `within` is over is handed back, with what was in flight: send it with
    /// [`Client::send_batch`](crate::Client::send_batch), now or from another process's memory of it, and
    /// no event is duplicated.
    pub async fn close(&self, within: Duration) -> CloseReport {
        self.0.queue.stop_accepting();
        // What is unfinished is in the report.
        drop(self.0.queue.flush(within).await);
        self.0.driver.abort();
        loop {
            self.0.queue.told().await;
            if let Some(report) = self.0.queue.close_if_told() {
                return report;
            }
        }
    }

    /// Sends again after the event key was refused.
    pub fn resume(&self) {
        self.0.queue.resume();
    }

    /// How it stands, now and since its start.
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
