//! `RelayBuilder`: the options of a relay, and its start.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Relay;
use super::database::in_time;
use super::options::{Mode, RelayOptions};
use super::worker::Workers;
use crate::client::Client;
use crate::outbox::dead::DeadEvent;
use crate::outbox::error::RelayError;
use crate::outbox::report::RelayReport;
use crate::outbox::sql;
use crate::outbox::store::Store;

/// Configures a [`Relay`]. Created by [`Outbox::relay`](super::super::Outbox::relay);
/// [`start`](RelayBuilder::start) starts the relay.
///
/// The waits between attempts follow the client's [`RetryPolicy`](crate::RetryPolicy). Its maximum
/// number of attempts does not apply: transient failures are retried until the event expires
/// ([`dead_letter_after`](RelayBuilder::dead_letter_after)).
///
/// See [outbox](crate::guide::outbox) in the guide.
#[must_use = "a builder does nothing until `start` or `drain` is called"]
pub struct RelayBuilder<S> {
    client: Client,
    store: S,
    wake: watch::Receiver<u64>,
    options: RelayOptions,
}

impl<S: Store> RelayBuilder<S> {
    pub(in crate::outbox) fn new(
        client: &Client,
        store: S,
        wake: watch::Receiver<u64>,
    ) -> RelayBuilder<S> {
        RelayBuilder { client: client.clone(), store, wake, options: RelayOptions::default() }
    }

    /// Sets the maximum number of events in a batch, limited by the client's
    /// [`max_request_events`](crate::ClientBuilder::max_request_events). A batch is also limited by
    /// the client's [`max_request_bytes`](crate::ClientBuilder::max_request_bytes). 0 counts as 1.
    ///
    /// Default: 500.
    pub fn batch_events(mut self, events: usize) -> RelayBuilder<S> {
        self.options.batch_events = events.max(1);
        self
    }

    /// Sets the maximum number of batches in flight. With more than 1, or after a failure, the order
    /// of the batches is undefined. 0 counts as 1.
    ///
    /// Default: 4. At most 1,000.
    pub fn in_flight(mut self, batches: usize) -> RelayBuilder<S> {
        self.options.in_flight = batches.max(1);
        self
    }

    /// Sets the lease: how long a batch is reserved for the relay that sends it. The relay extends the
    /// lease while it sends. If the relay is killed, another one sends the batch after the lease has
    /// ended.
    ///
    /// Default: 60 s. From 1 s to 1 h.
    pub fn lease(mut self, lease: Duration) -> RelayBuilder<S> {
        self.options.lease = lease;
        self
    }

    /// Sets how often an idle relay looks for events: each wait is a random time in the range.
    /// [`Outbox::wake`](super::super::Outbox::wake) ends the wait early.
    ///
    /// Default: 20 ms to 50 ms.
    pub fn poll(mut self, interval: RangeInclusive<Duration>) -> RelayBuilder<S> {
        self.options.poll = interval;
        self
    }

    /// Sets the time after which an event expires and becomes [dead](DeadEvent), counted from the first
    /// attempt whose outcome is unknown. Inngest deduplicates by an id for 24 hours only, so sending the
    /// event later could start its functions twice. Attempts without a connection do not count.
    ///
    /// Default: 23 h. Less than 24 h.
    pub fn dead_letter_after(mut self, time: Duration) -> RelayBuilder<S> {
        self.options.dead_letter_after = time;
        self
    }

    /// Sets a hook that is called at most once for each event that becomes dead, after this is recorded
    /// in the database. The hook is not called if the relay is killed in between, or if the response of
    /// the database is lost. It must not block. A panic in it is caught and logged.
    pub fn on_dead(mut self, hook: impl Fn(&DeadEvent) + Send + Sync + 'static) -> RelayBuilder<S> {
        self.options.on_dead = Some(Arc::new(hook));
        self
    }

    /// Starts the relay in tasks of the current tokio runtime. It runs until it is
    /// [closed](Relay::close) or dropped. If the database fails later, the relay retries.
    ///
    /// # Errors
    ///
    /// Returns [`RelayError`] if an option is invalid, if the database cannot be read, or if the
    /// version of its tables is not the one that this release needs.
    ///
    /// # Panics
    ///
    /// Panics if called outside of a tokio runtime.
    pub async fn start(self) -> Result<Relay<S>, RelayError> {
        let workers = self.workers(Mode::Run).await?;
        Ok(Relay::new(workers))
    }

    /// Sends all events that are due, in one pass, and returns. Use it in tests, and in processes that
    /// are run periodically.
    ///
    /// It tries each batch once, and waits neither for a backoff nor for the lease of another relay. It
    /// ends early after a refused key, a `Retry-After` or three consecutive failures. Events that were
    /// not delivered stay in the outbox. [`RelayReport::left`] counts the ones that it tried to send.
    ///
    /// # Errors
    ///
    /// Returns [`RelayError`] if an option is invalid, if the database fails, or if the version of its
    /// tables is not the one that this release needs. A failed request is not an error.
    ///
    /// # Panics
    ///
    /// Panics if called outside of a tokio runtime.
    pub async fn drain(self) -> Result<RelayReport, RelayError> {
        let mut workers = self.workers(Mode::Drain).await?;
        workers.join().await;
        workers.drained()
    }

    async fn workers(mut self, mode: Mode) -> Result<Workers<S>, RelayError> {
        self.options.check()?;
        let found = in_time(self.store.schema_version()).await?;
        if found != sql::VERSION {
            return Err(RelayError::Schema { found, needed: sql::VERSION });
        }
        let limits = self.client.request_limits();
        self.options.batch_events = self.options.batch_events.min(limits.events);
        self.options.batch_bytes = limits.bytes;
        Ok(Workers::spawn(&self.client, self.store, self.wake, self.options, mode))
    }
}

impl<S> fmt::Debug for RelayBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayBuilder").field("client", &self.client).finish_non_exhaustive()
    }
}
