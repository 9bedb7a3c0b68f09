//! The relay: claims events from a store, sends them, and records the outcomes.
//!
//! Each of its workers sends one batch at a time: claim, request, settlement. Only one worker claims
//! at a time. No database transaction is open during a request.

mod attempt;
mod builder;
mod database;
mod options;
mod settlement;
mod state;
mod worker;

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

pub use builder::RelayBuilder;
use worker::Workers;

use super::dead::{DeadEvent, Ids};
use super::error::StoreError;
use super::report::{OutboxStats, RelayReport};
use super::store::Store;

/// Sends the events of an outbox in the background. Created by [`RelayBuilder::start`].
///
/// Any number of relays, in any number of processes, can send the events of one outbox.
///
/// Dropping a relay cancels its requests. Its batches stay reserved until their leases end. Then
/// another relay can send them, with the same ids. [`close`](Relay::close) releases them at once.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[must_use = "a relay that is dropped stops"]
pub struct Relay<S: Store> {
    workers: Workers<S>,
}

impl<S: Store> Relay<S> {
    fn new(workers: Workers<S>) -> Relay<S> {
        Relay { workers }
    }

    /// Stops the relay: it claims no more events, waits for its requests, and releases the batches
    /// that it did not send. Requests that are still in flight shortly before `within` has elapsed are
    /// canceled. Their events stay in the outbox and can be sent again at once.
    ///
    /// Returns when everything is released, at the latest when `within` has elapsed, or when the hook
    /// call that is running then returns. Call it when the process shuts down.
    pub async fn close(mut self, within: Duration) -> RelayReport {
        // The time that is reserved for the database, after the requests have been canceled.
        let reserve = (within / 4).min(Duration::from_secs(1));
        let now = Instant::now();
        let cancel_at = now.checked_add(within.saturating_sub(reserve));
        let deadline = now.checked_add(within);
        self.workers.stop_claiming();
        if !join_until(&mut self.workers, cancel_at).await {
            self.workers.cancel_requests();
            join_until(&mut self.workers, deadline).await;
        }
        self.workers.report()
    }

    /// Counts the events in the outbox.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails.
    pub async fn stats(&self) -> Result<OutboxStats, StoreError> {
        let counts = self.workers.store().counts().await?;
        Ok(OutboxStats {
            pending: counts.pending,
            oldest: counts.oldest,
            sealed: counts.sealed,
            in_flight: counts.in_flight,
            isolated: counts.isolated,
            dead: counts.dead,
            stalled: self.workers.stall_reason(),
        })
    }

    /// Returns up to `limit` dead events with an id greater than `after`, by ascending id. Start with
    /// 0. For the next page, pass the id of the last event.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails.
    pub async fn dead_events(&self, after: i64, limit: u32) -> Result<Vec<DeadEvent>, StoreError> {
        self.workers.store().dead_events(after, limit).await
    }

    /// Puts dead events back into the outbox. `dead` are the [ids of the dead events](DeadEvent::id),
    /// and `ids` selects the Inngest ids with which they are sent. Returns how many were put back:
    /// events that no longer exist are skipped, and with [`Ids::Keep`] also events that are too old to
    /// be sent with the same id.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails. All of the events then stay dead, unless only the
    /// response to the commit was lost.
    pub async fn requeue(
        &self,
        dead: impl IntoIterator<Item = i64>,
        ids: Ids,
    ) -> Result<u64, StoreError> {
        let dead: Vec<i64> = dead.into_iter().collect();
        let max_age = self.workers.dead_letter_after();
        let requeued = self.workers.store().requeue(&dead, ids, max_age).await?;
        self.workers.look_now();
        Ok(requeued)
    }

    /// Deletes up to `limit` dead events that became dead at least `older_than` ago, the oldest first.
    /// Returns how many were deleted.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails.
    pub async fn purge_dead(&self, older_than: Duration, limit: u32) -> Result<u64, StoreError> {
        self.workers.store().purge_dead(older_than, limit).await
    }
}

/// Waits for the workers to end. Returns whether they ended before `deadline`, or `true` without one.
async fn join_until<S: Store>(workers: &mut Workers<S>, deadline: Option<Instant>) -> bool {
    if let Some(deadline) = deadline {
        return timeout_at(deadline, workers.join()).await.is_ok();
    }
    workers.join().await;
    true
}

impl<S: Store> fmt::Debug for Relay<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").finish_non_exhaustive()
    }
}
