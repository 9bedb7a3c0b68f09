//! The queue that a publisher's handles and its driver share: the state and its lock, the capacity for
//! events, and the notifications between them. `state.rs` has the protocol.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::{AcquireError, Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::classify::Classified;
use super::entry::Entry;
use super::error::{FlushError, PublishError};
use super::limits::QueueLimits;
use super::notify::{BatchOutcomes, Receivers};
use super::receipt::Receipt;
use super::report::{CloseReport, PublisherStats, Undelivered, UndeliveredHook};
use super::settle::{Completion, PaceEffect};
use super::state::{NextStep, Refusal, State};
use crate::batch::{Batch, RequestLimits, split};
use crate::client::{Client, Pace, log};

/// Capacity in the queue: for a number of events, and for their bytes.
type Capacity<'a> = (SemaphorePermit<'a>, SemaphorePermit<'a>);

pub(super) struct Queue {
    receivers: Arc<Receivers>,
    limits: QueueLimits,
    capacity_events: Semaphore,
    capacity_bytes: Semaphore,
    state: Mutex<State>,
    /// Wakes the driver.
    pub(super) wake: Notify,
    /// Wakes `flush` and `close` when events have an outcome and all receivers have been notified.
    completed: Notify,
    /// Wakes callers that wait for capacity when the publisher stops accepting some or all events.
    stopped: Notify,
}

impl Queue {
    pub(super) fn new(client: Client, limits: QueueLimits, hook: Option<UndeliveredHook>) -> Queue {
        let clamp = |capacity: usize| capacity.min(u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        let limits = QueueLimits {
            queued_events: clamp(limits.queued_events),
            queued_bytes: clamp(limits.queued_bytes),
            ..limits
        };
        Queue {
            receivers: Arc::new(Receivers::new(client, hook)),
            limits,
            capacity_events: Semaphore::new(limits.queued_events),
            capacity_bytes: Semaphore::new(limits.queued_bytes),
            state: Mutex::default(),
            wake: Notify::new(),
            completed: Notify::new(),
            stopped: Notify::new(),
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.receivers.client
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an event if there is capacity for it now. Returns `None` if the queue is full.
    pub(super) fn push_now(&self, entry: &Entry) -> Option<Result<Receipt, PublishError>> {
        if let Some(capacity) = self.try_capacity(1, self.limits.queue_bytes(entry.len())) {
            return Some(self.push(entry, capacity));
        }
        let refusal = self.state().refusal(entry.name())?;
        Some(Err(refusal.into_error(entry.to_batch())))
    }

    /// Queues an event when there is capacity for it.
    pub(super) async fn push_when_there_is_capacity(
        &self,
        entry: Entry,
    ) -> Result<Receipt, PublishError> {
        let bytes = self.limits.queue_bytes(entry.len());
        let refusal = |state: &State| state.refusal(entry.name());
        match self.wait_for_capacity(1, bytes, refusal).await {
            Ok(capacity) => self.push(&entry, capacity),
            Err(refusal) => Err(refusal.into_error(entry.to_batch())),
        }
    }

    /// Queues all events of a batch when there is capacity for all of them. A batch that is larger than
    /// the queue waits for all of the queue's capacity.
    pub(super) async fn push_batch(&self, batch: Batch) -> Result<Vec<Receipt>, PublishError> {
        let refusal = |state: &State| {
            let mut slots = batch.slots().iter();
            let refused = slots.find_map(|slot| state.refusal(slot.name));
            // An empty batch is refused, too, if the publisher is closed or the key is refused.
            refused.or_else(|| state.refusal(""))
        };
        let needed = self.limits.batch_capacity(&batch);
        let events = batch.len().min(self.limits.queued_events);
        let bytes = self.limits.queue_bytes(needed);
        let (capacity_events, capacity_bytes) =
            match self.wait_for_capacity(events, bytes, refusal).await {
                Ok(capacity) => capacity,
                Err(refusal) => return Err(refusal.into_error(batch)),
            };
        // The lock is not held here: splitting copies events, and the trace context is the user's code.
        let limits = RequestLimits {
            events: self.limits.batch_events,
            bytes: self.limits.batch_bytes.min(self.limits.request_bytes),
        };
        let parts = split(batch.slots(), limits, |_| true).into_iter();
        let parts = parts.map(|range| (range.clone().collect(), batch.pick(range)));
        let parts: Vec<_> = parts.collect();
        let trace = self.client().caller_trace().unwrap_or_default();
        let mut state = self.state();
        if let Some(refusal) = refusal(&state) {
            drop(state);
            return Err(refusal.into_error(batch));
        }
        capacity_events.forget();
        capacity_bytes.forget();
        state.add_debt(batch.len() - events, needed - bytes);
        let receipts = state.add_batch(parts.into_iter(), &trace, Instant::now());
        drop(state);
        self.wake.notify_one();
        Ok(receipts)
    }

    /// Waits for capacity. Fails if `refusal` returns a refusal in the meantime.
    async fn wait_for_capacity(
        &self,
        events: usize,
        bytes: usize,
        refusal: impl Fn(&State) -> Option<Refusal>,
    ) -> Result<Capacity<'_>, Refusal> {
        if let Some(capacity) = self.try_capacity(events, bytes) {
            return Ok(capacity);
        }
        let mut capacity = std::pin::pin!(async {
            let events = self.capacity_events.acquire_many(permits(events)).await?;
            Ok::<_, AcquireError>((events, self.capacity_bytes.acquire_many(permits(bytes)).await?))
        });
        loop {
            let mut stopped = std::pin::pin!(self.stopped.notified());
            stopped.as_mut().enable();
            if let Some(refusal) = refusal(&self.state()) {
                return Err(refusal);
            }
            match select(capacity.as_mut(), stopped).await {
                Either::Left((Ok(capacity), _)) => return Ok(capacity),
                Either::Left((Err(_), _)) => return Err(Refusal::Closed),
                // The publisher stopped accepting some events, but not necessarily these.
                Either::Right(_) => {}
            }
        }
    }

    /// Returns the capacity if it is free now.
    fn try_capacity(&self, events: usize, bytes: usize) -> Option<Capacity<'_>> {
        let events = self.capacity_events.try_acquire_many(permits(events)).ok()?;
        Some((events, self.capacity_bytes.try_acquire_many(permits(bytes)).ok()?))
    }

    /// Adds an event to the open batch. It keeps its capacity until it has an outcome.
    fn push(&self, entry: &Entry, (events, bytes): Capacity<'_>) -> Result<Receipt, PublishError> {
        let mut state = self.state();
        if let Some(refusal) = state.refusal(entry.name()) {
            drop(state);
            return Err(refusal.into_error(entry.to_batch()));
        }
        // Released when the event is completed.
        events.forget();
        bytes.forget();
        let added = state.add(entry, &self.limits, Instant::now);
        drop(state);
        if added.wakes {
            self.wake.notify_one();
        }
        Ok(added.receipt)
    }

    /// Returns the next step of the driver.
    pub(super) fn next_step(&self, pace: &mut Pace, now: Instant) -> NextStep {
        let mut state = self.state();
        if state.take_backoff_restart(now, pace.first_backoff()) {
            pace.restart_backoff();
        }
        let max_in_flight = pace.max_in_flight(self.limits.in_flight);
        state.next_batch(&self.limits, max_in_flight, pace.paused_until(now), now)
    }

    /// Completes the events of a batch that have a final outcome, and queues the others again.
    /// `backoff` returns the wait after a number of failures.
    pub(super) fn settle(
        &self,
        send: u64,
        classified: Classified,
        backoff: impl Fn(u32) -> Duration,
    ) -> (Vec<Completion>, PaceEffect) {
        let mut state = self.state();
        let known = state.refusal_cause();
        let settled = state.settle(send, classified, Instant::now(), backoff);
        let cause = state.refusal_cause();
        drop(state);
        if let Some(cause) =
            cause.filter(|cause| known.is_none_or(|known| !Arc::ptr_eq(cause, &known)))
        {
            log::publisher_refused(&cause);
        }
        settled
    }

    /// Releases the capacity of completed events, and notifies hooks, metrics and receipts.
    pub(super) fn notify(&self, completions: Vec<Completion>) {
        let released = self.state().release_kept_capacity(&self.limits);
        self.capacity_events.add_permits(released.0);
        self.capacity_bytes.add_permits(released.1);
        let mut notifications = Vec::with_capacity(completions.len());
        let mut all = Vec::with_capacity(completions.len());
        for Completion { batch, completed, notification } in completions {
            let slots = batch.batch.slots();
            let bytes = completed.iter().map(|(index, _)| slots[*index].len());
            let bytes = bytes.map(|len| self.limits.queue_bytes(len)).sum();
            if batch.has_capacity {
                let (events, bytes) = self.state().pay_debt(completed.len(), bytes);
                self.capacity_events.add_permits(events);
                self.capacity_bytes.add_permits(bytes);
            }
            notifications.push(notification);
            all.push(BatchOutcomes::new(batch, completed));
        }
        self.receivers.notify(all);
        let mut state = self.state();
        for notification in notifications {
            state.notified(notification);
        }
        let refuses = state.refuses_any();
        drop(state);
        self.completed.notify_waiters();
        if refuses {
            self.stopped.notify_waiters();
        }
    }

    /// Waits until the events that are queued now have an outcome.
    pub(super) async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        let flushing = Flushing::start(self);
        let number = flushing.number;
        self.wake.notify_one();
        let finished = self.wait_until(|state| {
            let (unfinished, refused) = state.unfinished_before(number);
            unfinished == refused || (state.driver_ended && !state.is_notifying())
        });
        drop(tokio::time::timeout(within, finished).await);
        let (events, refused) = self.state().unfinished_before(number);
        if events == 0 { Ok(()) } else { Err(FlushError { events, key_refused: refused > 0 }) }
    }

    /// Waits until hooks and receipts have been notified of all outcomes.
    pub(super) async fn wait_until_notified(&self) {
        self.wait_until(|state| !state.is_notifying()).await;
    }

    /// Waits until `condition` is true. It is checked when events are completed.
    async fn wait_until(&self, condition: impl Fn(&State) -> bool) {
        loop {
            let mut completed = std::pin::pin!(self.completed.notified());
            completed.as_mut().enable();
            if condition(&self.state()) {
                return;
            }
            completed.await;
        }
    }

    /// Stops accepting events.
    pub(super) fn stop_accepting(&self) {
        self.state().closed = true;
        self.capacity_events.close();
        self.capacity_bytes.close();
        self.stopped.notify_waiters();
    }

    /// Limits how long `close` waits for hooks.
    pub(super) fn set_hook_deadline(&self, deadline: std::time::Instant) {
        self.receivers.set_deadline(deadline);
    }

    /// Stops accepting events, since the driver has ended. The events without an outcome are kept
    /// for `close`; their receipts resolve now.
    pub(super) fn driver_ended(&self) {
        self.stop_accepting();
        let mut state = self.state();
        let unfinished: Vec<_> = state
            .end_driver()
            .map(|(sealed, error)| (Arc::clone(&sealed.deliveries), sealed.indexes.clone(), error))
            .collect();
        drop(state);
        for (deliveries, indexes, error) in unfinished {
            let outcomes = indexes.into_iter().map(|index| (index, Err(error.clone())));
            deliveries.complete(outcomes);
        }
        self.completed.notify_waiters();
    }

    /// Completes all events that have no outcome and returns the report, unless hooks or receipts
    /// have still to be notified of an outcome.
    pub(super) fn close_if_notified(&self) -> Option<CloseReport> {
        let state = self.state();
        (!state.is_notifying()).then(|| self.close(state))
    }

    /// Removes all events that have no outcome, and notifies the receivers.
    fn close(&self, mut state: MutexGuard<'_, State>) -> CloseReport {
        let unfinished = state.take_all();
        let delivered = state.stats.delivered;
        let failed = state.stats.failed.values().sum();
        drop(state);

        let mut undelivered = Batch::new();
        let mut all = Vec::with_capacity(unfinished.len());
        for (sealed, error) in unfinished {
            undelivered.append_shared(&sealed.batch);
            all.push(BatchOutcomes::left_over(sealed, &error));
        }
        self.receivers.notify(all);
        self.completed.notify_waiters();
        CloseReport { delivered, failed, undelivered }
    }

    /// Closes the publisher when its last handle is dropped, and passes the events without an
    /// outcome to the `on_undelivered` hook.
    pub(super) fn abandon(&self) {
        self.stop_accepting();
        let state = self.state();
        let cause = state.refusal_cause();
        let events = self.close(state).undelivered;
        if events.is_empty() {
            return;
        }
        log::abandoned(events.len());
        self.receivers.report_undelivered(Undelivered { events, cause, rejections: Vec::new() });
    }

    pub(super) fn resume(&self) {
        self.state().resume();
        self.wake.notify_one();
    }

    /// Returns the queued events, their bytes, and the batches in flight, for the gauges.
    pub(super) fn load(&self) -> (usize, usize, usize) {
        let state = self.state();
        (state.stats.queued_events, state.stats.queued_bytes, state.in_flight())
    }

    pub(super) fn stats(&self) -> PublisherStats {
        self.state().stats()
    }
}

/// A caller that waits in `flush` or `close`.
struct Flushing<'a> {
    queue: &'a Queue,
    /// The caller waits for the batches with a lower number.
    number: u64,
}

impl Flushing<'_> {
    fn start(queue: &Queue) -> Flushing<'_> {
        Flushing { queue, number: queue.state().start_flush() }
    }
}

impl Drop for Flushing<'_> {
    fn drop(&mut self) {
        self.queue.state().end_flush();
    }
}

/// Converts a number of permits. It fits, since the limits of the queue are at most `u32::MAX`.
fn permits(capacity: usize) -> u32 {
    u32::try_from(capacity).unwrap_or(u32::MAX)
}
