//! The queue that a publisher's handles and its driver share: the state behind its lock, the room for events,
//! and the notifications between them. `state.rs` has the protocol.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::{AcquireError, Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::classify::Classified;
use super::entry::Entry;
use super::error::{DeliveryError, FlushError, PublishError};
use super::receipt::Receipt;
use super::report::{CloseReport, PublisherStats, Undelivered, UndeliveredHook};
use super::state::{NextStep, QueueLimits, Refusal, Settled, State};
use crate::batch::Batch;
use crate::client::{Client, SendOutcome, log};
use crate::event::EventId;

/// Room for one event, and for its bytes.
type Room<'a> = (SemaphorePermit<'a>, SemaphorePermit<'a>);

pub(super) struct Queue {
    pub(super) client: Client,
    limits: QueueLimits,
    hook: Option<UndeliveredHook>,
    room_events: Semaphore,
    room_bytes: Semaphore,
    state: Mutex<State>,
    /// Wakes the driver.
    pub(super) wake: Notify,
    /// Wakes `flush` and `close` when events were completed and everybody was notified.
    completed: Notify,
    /// Wakes those who wait for room when there will be none.
    stopped: Notify,
}

impl Queue {
    pub(super) fn new(client: Client, limits: QueueLimits, hook: Option<UndeliveredHook>) -> Queue {
        let permits = |room: usize| room.min(u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        let limits = QueueLimits {
            queued_events: permits(limits.queued_events),
            queued_bytes: permits(limits.queued_bytes),
            ..limits
        };
        Queue {
            client,
            limits,
            hook,
            room_events: Semaphore::new(limits.queued_events),
            room_bytes: Semaphore::new(limits.queued_bytes),
            state: Mutex::default(),
            wake: Notify::new(),
            completed: Notify::new(),
            stopped: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how much of the room an event of `bytes` bytes takes. A larger event takes all of it.
    fn room_for(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.min(self.limits.queued_bytes)).unwrap_or(u32::MAX)
    }

    pub(super) async fn push_when_there_is_room(
        &self,
        entry: Entry,
    ) -> Result<Receipt, PublishError> {
        let bytes = self.room_for(entry.len());
        if let Some(room) = self.try_room(bytes) {
            return self.push(&entry, room);
        }
        let mut stopped = std::pin::pin!(self.stopped.notified());
        stopped.as_mut().enable();
        if let Some(refusal) = self.state().refusal() {
            return Err(refusal.into_error(&entry));
        }
        let room = async {
            let events = self.room_events.acquire().await?;
            Ok::<_, AcquireError>((events, self.room_bytes.acquire_many(bytes).await?))
        };
        match select(std::pin::pin!(room), stopped).await {
            Either::Left((Ok(room), _)) => self.push(&entry, room),
            Either::Left((Err(_), _)) | Either::Right(_) => {
                let refusal = self.state().refusal().unwrap_or(Refusal::Closed);
                Err(refusal.into_error(&entry))
            }
        }
    }

    pub(super) fn try_push(&self, entry: &Entry) -> Result<Receipt, PublishError> {
        if let Some(room) = self.try_room(self.room_for(entry.len())) {
            return self.push(entry, room);
        }
        match self.state().refusal() {
            Some(refusal) => Err(refusal.into_error(entry)),
            None => Err(PublishError::Full { event: entry.to_batch() }),
        }
    }

    fn try_room(&self, bytes: u32) -> Option<Room<'_>> {
        let events = self.room_events.try_acquire().ok()?;
        Some((events, self.room_bytes.try_acquire_many(bytes).ok()?))
    }

    /// Adds an event that has its room to the open batch.
    fn push(&self, entry: &Entry, (events, bytes): Room<'_>) -> Result<Receipt, PublishError> {
        let mut state = self.state();
        if let Some(refusal) = state.refusal() {
            drop(state);
            return Err(refusal.into_error(entry));
        }
        // Released when the event is completed.
        events.forget();
        bytes.forget();
        let added = state.add(entry, &self.limits, Instant::now());
        drop(state);
        if added.wakes {
            self.wake.notify_one();
        }
        Ok(added.receipt)
    }

    /// Returns the next step of the driver. `max_in_flight` limits the publisher's own option.
    pub(super) fn next_step(
        &self,
        max_in_flight: impl FnOnce(usize) -> usize,
        paused_until: Option<Instant>,
        now: Instant,
    ) -> NextStep {
        let max_in_flight = max_in_flight(self.limits.in_flight);
        self.state().next_batch(&self.limits, max_in_flight, paused_until, now)
    }

    /// Completes the events of a batch that have a final outcome, and notifies hooks and receipts of them.
    pub(super) fn settle(&self, send: u64, mut classified: Classified) {
        let failed = classified.failed.take();
        let Some(settled) = self.state().settle(send, classified) else {
            return;
        };
        let Settled { batch, completed, notification } = settled;
        let slots = batch.batch.slots();
        let room = completed.iter().map(|(index, _)| self.room_for(slots[*index].len()) as usize);
        self.room_events.add_permits(completed.len());
        self.room_bytes.add_permits(room.sum());
        let outcomes = completed.iter().map(|(index, it)| (slots[*index].name, send_outcome(it)));
        self.client.report_outcomes(outcomes);
        let outcomes = completed.into_iter().map(|(index, it)| (batch.indexes[index], it));
        batch.deliveries.complete(outcomes);
        if let Some((indexes, cause)) = failed {
            let events = batch.batch.pick(indexes);
            self.hand_over(Undelivered { events, cause: Some(cause) });
        }
        let mut state = self.state();
        state.notified(notification);
        let key_refused = state.key_error.is_some();
        drop(state);
        self.completed.notify_waiters();
        if key_refused {
            self.stopped.notify_waiters();
        }
    }

    /// Calls the `on_undelivered` hook. A panic in it must not end the driver, nor the process if the publisher
    /// is being dropped.
    fn hand_over(&self, undelivered: Undelivered) {
        if let Some(hook) = &self.hook {
            if catch_unwind(AssertUnwindSafe(|| hook(undelivered))).is_err() {
                log::hook_panicked("on_undelivered");
            }
        }
    }

    pub(super) async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        let number = self.state().next_batch_number();
        self.wake.notify_one();
        let finished = self.wait_until(|state| {
            let stopped = state.key_error.is_some() || state.driver_ended;
            state.unfinished_before(number) == 0 || (stopped && !state.is_notifying())
        });
        drop(tokio::time::timeout(within, finished).await);
        let state = self.state();
        match state.unfinished_before(number) {
            0 => Ok(()),
            events => Err(FlushError { events, key_refused: state.key_error.is_some() }),
        }
    }

    /// Waits until hooks and receipts have been notified of all outcomes.
    pub(super) async fn wait_until_notified(&self) {
        self.wait_until(|state| !state.is_notifying()).await;
    }

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

    pub(super) fn stop_accepting(&self) {
        self.state().closed = true;
        self.room_events.close();
        self.room_bytes.close();
        self.stopped.notify_waiters();
    }

    /// Called when the driver has ended. The events without an outcome are kept for `close`; their receipts
    /// resolve now.
    pub(super) fn driver_ended(&self) {
        self.stop_accepting();
        let mut state = self.state();
        let unfinished: Vec<_> = state
            .end_driver()
            .map(|sealed| (Arc::clone(&sealed.deliveries), sealed.indexes.clone()))
            .collect();
        drop(state);
        for (deliveries, indexes) in unfinished {
            let closed = indexes.into_iter().map(|index| (index, Err(DeliveryError::Closed)));
            deliveries.complete(closed);
        }
        self.completed.notify_waiters();
    }

    /// Completes all events that have no outcome and returns the report, unless hooks or receipts have still to be
    /// notified of an outcome.
    pub(super) fn close_if_notified(&self) -> Option<CloseReport> {
        let state = self.state();
        (!state.is_notifying()).then(|| self.close(state))
    }

    fn close(&self, mut state: MutexGuard<'_, State>) -> CloseReport {
        let unfinished = state.take_all();
        let delivered = state.stats.delivered;
        let failed = state.stats.failed.values().sum();
        drop(state);

        let mut undelivered = Batch::new();
        for sealed in unfinished {
            let names = sealed.batch.slots().iter().map(|slot| slot.name);
            self.client.report_outcomes(names.map(|name| (name, SendOutcome::Unsent(None))));
            let closed = sealed.indexes.iter().map(|index| (*index, Err(DeliveryError::Closed)));
            sealed.deliveries.complete(closed);
            undelivered.append_shared(&sealed.batch);
        }
        self.completed.notify_waiters();
        CloseReport { delivered, failed, undelivered }
    }

    /// Called when the last handle is dropped.
    pub(super) fn abandon(&self) {
        self.stop_accepting();
        let events = self.close(self.state()).undelivered;
        if events.is_empty() {
            return;
        }
        log::abandoned(events.len());
        let cause = self.state().key_error.clone();
        self.hand_over(Undelivered { events, cause });
    }

    pub(super) fn resume(&self) {
        self.state().key_error = None;
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

/// Returns an event's outcome as hooks and metrics get it.
fn send_outcome(outcome: &Result<EventId, DeliveryError>) -> SendOutcome<'_> {
    match outcome {
        Ok(id) => SendOutcome::Accepted(id),
        Err(DeliveryError::Rejected(reason)) => SendOutcome::Rejected(reason),
        Err(DeliveryError::Failed(cause)) => SendOutcome::Unsent(Some(cause)),
        Err(DeliveryError::Closed) => SendOutcome::Unsent(None),
    }
}
