//! The batches of a queue and their transitions. They send nothing, wait for nothing and call no
//! hook.
//!
//! # Protocol
//!
//! - Until it has an outcome, an event is in an open, waiting, delayed or kept batch, or in flight.
//! - An event with an outcome counts as unfinished until hooks and receipts have been notified.
//!   `settle` adds it to `notifying`, and `notified` removes it afterwards. `flush` therefore
//!   returns only after every hook and receipt of an event it waited for, and so does `close`
//!   unless its deadline has elapsed.
//! - The lock of the state is held by one method of the queue at a time. No other lock is taken, no
//!   hook is called and no permit is awaited while it is held: a hook may publish.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::entry::Entry;
use super::error::{DeliveryError, PublishError};
use super::limits::QueueLimits;
use super::receipt::{Deliveries, Receipt};
use super::refused_names::RefusedNames;
use super::report::PublisherStats;
use super::sealed::{History, SealedBatch};
use crate::batch::Batch;
use crate::client::{RequestError, TraceHeaders};

#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(super) struct State {
    open: Option<OpenBatch>,
    /// The batches that are sent as soon as the pace allows it.
    pub(super) waiting: VecDeque<SealedBatch>,
    /// The batches with a backoff of their own, which must have elapsed, too.
    pub(super) delayed: Vec<SealedBatch>,
    pub(super) names: RefusedNames,
    /// Whether the last batch that was sent is a delayed one.
    sent_delayed: bool,
    /// Whether the last batch that was sent had been sent before.
    sent_retry: bool,
    /// The batches in flight, by the number of the send.
    pub(super) in_flight: BTreeMap<u64, SealedBatch>,
    pub(super) notifying: Vec<Notification>,
    /// Whether the driver has ended, with its runtime or by a panic in a user's transport.
    pub(super) driver_ended: bool,
    next_batch: u64,
    pub(super) next_send: u64,
    /// The number of batches of which an event was accepted.
    pub(super) successes: u64,
    /// The size of the buffer of the last batch, and the initial capacity of the next one.
    buffer_bytes: usize,
    pub(super) key_error: Option<Arc<RequestError>>,
    pub(super) closed: bool,
    /// The number of callers that wait in `flush` or `close`.
    flushing: usize,
    /// Whether the driver has to restart its backoff, for the first of these callers.
    restart_backoff: bool,
    /// The capacity that batches larger than the queue did not take, but whose events will release it.
    debt_events: usize,
    debt_bytes: usize,
    pub(super) stats: PublisherStats,
}

/// The batch that events are added to.
struct OpenBatch {
    batch: Batch,
    deliveries: Arc<Deliveries>,
    opened: Instant,
    number: u64,
    /// The trace context of the first event, and whether all events have the same.
    trace: Option<Arc<TraceHeaders>>,
    has_one_trace: bool,
}

/// Events with an outcome of which hooks and receipts have not been notified yet.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Notification {
    pub(super) batch: u64,
    pub(super) events: usize,
}

/// The next step of the driver.
pub(super) enum NextStep {
    Send { send: u64, batch: Arc<Batch>, trace: Arc<TraceHeaders>, stalls: u32 },
    Wait(Option<Instant>),
}

/// The result of adding an event to the open batch.
pub(super) struct Added {
    pub(super) receipt: Receipt,
    /// Whether the driver has to be woken.
    pub(super) wakes: bool,
}

/// Why the publisher does not accept an event.
pub(super) enum Refusal {
    Closed,
    Key(Arc<RequestError>),
}

impl Refusal {
    pub(super) fn into_error(self, event: Batch) -> PublishError {
        match self {
            Refusal::Closed => PublishError::Closed { event },
            Refusal::Key(cause) => PublishError::KeyRefused { cause, event },
        }
    }
}

impl State {
    /// Returns why an event named `name` is not accepted, or `None` if it is accepted.
    pub(super) fn refusal(&self, name: &str) -> Option<Refusal> {
        if self.closed {
            return Some(Refusal::Closed);
        }
        self.key_error.as_ref().or_else(|| self.names.cause(name)).cloned().map(Refusal::Key)
    }

    /// Adds an event to the open batch. The batch is sealed before that if it has no capacity for the
    /// event, and after that if it is full. `now` is called only if a batch is opened.
    pub(super) fn add(
        &mut self,
        entry: &Entry,
        limits: &QueueLimits,
        now: impl FnOnce() -> Instant,
    ) -> Added {
        if self.open.as_ref().is_some_and(|open| limits.is_full(&open.batch, entry.len())) {
            self.seal_open();
        }
        let opens = self.open.is_none();
        let open = self.open_batch(limits.batch_events, now);
        let index = open.batch.len();
        if index == 0 {
            open.trace = entry.trace().cloned();
        }
        open.has_one_trace &= open.trace.as_ref() == entry.trace();
        entry.push_to(&mut open.batch);
        let receipt = Receipt { deliveries: Arc::clone(&open.deliveries), index };
        let fills = open.batch.len() >= limits.batch_events;
        if fills {
            self.seal_open();
        }
        self.stats.accepted += 1;
        self.stats.queued_events += 1;
        self.stats.queued_bytes += entry.len();
        Added { receipt, wakes: opens || fills }
    }

    /// Queues the parts of a batch, each of consecutive places, and returns a receipt per event.
    pub(super) fn add_batch(
        &mut self,
        parts: impl Iterator<Item = (Vec<usize>, Batch)>,
        trace: &Arc<TraceHeaders>,
        now: Instant,
    ) -> Vec<Receipt> {
        self.seal_open();
        let deliveries = Arc::<Deliveries>::default();
        let mut receipts = Vec::new();
        for (indexes, batch) in parts {
            let new_receipts = indexes.iter().map(|index| (Arc::clone(&deliveries), *index));
            receipts.extend(new_receipts.map(|(deliveries, index)| Receipt { deliveries, index }));
            self.stats.accepted += batch.len() as u64;
            self.stats.queued_events += batch.len();
            self.stats.queued_bytes += batch.bytes();
            self.waiting.push_back(SealedBatch {
                batch: Arc::new(batch),
                deliveries: Arc::clone(&deliveries),
                indexes,
                opened: now,
                number: self.next_batch,
                trace: Arc::clone(trace),
                history: History::default(),
                has_capacity: true,
            });
            self.next_batch += 1;
        }
        receipts
    }

    /// Returns the open batch, after opening one if there is none.
    fn open_batch(&mut self, max_events: usize, now: impl FnOnce() -> Instant) -> &mut OpenBatch {
        let buffer_bytes = self.buffer_bytes;
        let next_batch = &mut self.next_batch;
        self.open.get_or_insert_with(|| {
            let number = *next_batch;
            *next_batch += 1;
            OpenBatch {
                // No capacity is reserved for the first batch, whose `buffer_bytes` is 0.
                batch: Batch::with_capacity(max_events.min(buffer_bytes), buffer_bytes),
                deliveries: Arc::default(),
                opened: now(),
                number,
                trace: None,
                has_one_trace: true,
            }
        })
    }

    /// Moves the open batch to the waiting ones, if there is one.
    pub(super) fn seal_open(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        self.buffer_bytes = open.batch.bytes() + open.batch.len() + 1;
        open.batch.shrink();
        let trace = open.trace.filter(|_| open.has_one_trace);
        self.waiting.push_back(SealedBatch {
            indexes: (0..open.batch.len()).collect(),
            batch: Arc::new(open.batch),
            deliveries: open.deliveries,
            opened: open.opened,
            number: open.number,
            trace: trace.unwrap_or_default(),
            history: History::default(),
            has_capacity: true,
        });
    }

    /// Returns the next batch to send, or how long to wait for one.
    pub(super) fn next_batch(
        &mut self,
        limits: &QueueLimits,
        max_in_flight: usize,
        paused_until: Option<Instant>,
        now: Instant,
    ) -> NextStep {
        if self.key_error.is_some() || self.in_flight.len() >= max_in_flight {
            return NextStep::Wait(None);
        }
        if paused_until.is_some() {
            return NextStep::Wait(paused_until);
        }
        if let Some(sealed) = self.next_sealed(max_in_flight, now) {
            return self.send(sealed);
        }
        let next_due = self.delayed.iter().filter_map(|sealed| sealed.history.due);
        let next_due = next_due.filter(|due| *due > now).min();
        let Some(open) = &self.open else {
            return NextStep::Wait(next_due);
        };
        // `None` if the time overflows `Instant`.
        let linger_until = open.opened.checked_add(limits.linger);
        if !self.in_flight.is_empty() && linger_until.is_none_or(|until| now < until) {
            return NextStep::Wait(linger_until.into_iter().chain(next_due).min());
        }
        self.seal_open();
        match self.waiting.pop_front() {
            Some(sealed) => self.send(sealed),
            None => NextStep::Wait(next_due),
        }
    }

    /// Removes the next sealed batch: a delayed one that is due, or a waiting one. Delayed batches take turns with
    /// the others and use a quarter of the slots, since their requests may be slow.
    fn next_sealed(&mut self, max_in_flight: usize, now: Instant) -> Option<SealedBatch> {
        let has_others = !self.waiting.is_empty() || self.open.is_some();
        let their_turn = !(has_others && std::mem::take(&mut self.sent_delayed));
        let in_flight = self.in_flight.values().filter(|sealed| sealed.history.due.is_some());
        let has_slot = in_flight.count() < max_in_flight.div_ceil(4);
        let due = self.delayed.iter().enumerate().filter(|(_, sealed)| {
            their_turn && has_slot && sealed.history.due.is_none_or(|due| due <= now)
        });
        let first = due.min_by_key(|(_, sealed)| (sealed.history.isolated, sealed.history.due));
        match first.map(|(index, _)| index) {
            Some(index) => {
                self.sent_delayed = true;
                Some(self.delayed.remove(index))
            }
            None => self.next_waiting(),
        }
    }

    /// Removes the next waiting batch. After a retry it is one that was never sent, if there is one: its success
    /// shows that the server is available.
    fn next_waiting(&mut self) -> Option<SealedBatch> {
        let is_new = |sealed: &SealedBatch| !sealed.history.sent_before;
        let new = if self.sent_retry { self.waiting.iter().position(is_new) } else { None };
        self.waiting.remove(new.unwrap_or(0))
    }

    fn send(&mut self, mut sealed: SealedBatch) -> NextStep {
        self.sent_retry = std::mem::replace(&mut sealed.history.sent_before, true);
        self.stats.retries += u64::from(self.sent_retry);
        let send = self.next_send;
        self.next_send += 1;
        let (batch, trace) = (Arc::clone(&sealed.batch), Arc::clone(&sealed.trace));
        let stalls = sealed.history.stalls;
        self.in_flight.insert(send, sealed);
        NextStep::Send { send, batch, trace, stalls }
    }

    /// Records that hooks and receipts have been notified of the outcomes of `notification`.
    pub(super) fn notified(&mut self, notification: Notification) {
        if let Some(index) = self.notifying.iter().position(|known| *known == notification) {
            self.notifying.swap_remove(index);
        }
    }

    /// Returns whether hooks or receipts have still to be notified of an outcome.
    pub(super) fn is_notifying(&self) -> bool {
        !self.notifying.is_empty()
    }

    /// Registers a caller that waits for all batches, and returns the number of the next batch.
    pub(super) fn start_flush(&mut self) -> u64 {
        self.seal_open();
        // `close` always restarts the backoff, since it is the last attempt to send the events.
        self.restart_backoff |= self.flushing == 0 || self.closed;
        self.flushing += 1;
        self.next_batch
    }

    pub(super) fn end_flush(&mut self) {
        self.flushing -= 1;
    }

    /// Returns whether the backoff has to be restarted, since a caller started to wait. If so,
    /// brings the delayed batches forward to at most `delay` from now.
    pub(super) fn take_backoff_restart(&mut self, now: Instant, delay: Duration) -> bool {
        let restart = std::mem::take(&mut self.restart_backoff);
        if restart {
            self.delayed.iter_mut().for_each(|sealed| sealed.bring_forward(now, delay));
        }
        restart
    }

    /// Puts the batches in flight back into the queue, since their driver has ended.
    pub(super) fn end_driver(&mut self) -> impl Iterator<Item = (&SealedBatch, DeliveryError)> {
        self.driver_ended = true;
        self.seal_open();
        let in_flight = self.take_in_flight();
        self.waiting.extend(in_flight);
        let state = &*self;
        state.queued().map(|sealed| (sealed, state.leftover_error(sealed)))
    }

    /// Removes all batches, in the order in which they were opened, and returns their outcomes.
    pub(super) fn take_all(&mut self) -> Vec<(SealedBatch, DeliveryError)> {
        self.seal_open();
        let mut all: Vec<SealedBatch> = std::mem::take(&mut self.waiting).into();
        all.append(&mut self.delayed);
        all.extend(self.names.take_kept());
        all.extend(self.take_in_flight());
        all.sort_by_key(|sealed| (sealed.number, sealed.indexes.first().copied()));
        self.stats.queued_events = 0;
        self.stats.queued_bytes = 0;
        let with_outcome = |sealed| {
            let error = self.leftover_error(&sealed);
            (sealed, error)
        };
        all.into_iter().map(with_outcome).collect()
    }

    /// Removes the batches in flight. Their requests are canceled, so the server may have accepted them.
    fn take_in_flight(&mut self) -> Vec<SealedBatch> {
        let in_flight: Vec<_> = std::mem::take(&mut self.in_flight).into_values().collect();
        in_flight.iter().for_each(SealedBatch::mark_in_doubt);
        in_flight
    }

    /// Returns the outcome of the events of a batch that is unfinished when the publisher ends.
    fn leftover_error(&self, sealed: &SealedBatch) -> DeliveryError {
        let name = sealed.batch.slots().first().map_or("", |slot| slot.name);
        let cause = self.key_error.as_ref().or_else(|| self.names.cause(name));
        cause.cloned().map_or(DeliveryError::Closed, DeliveryError::KeyRefused)
    }

    /// Returns whether the key or some names are refused.
    pub(super) fn refuses_any(&self) -> bool {
        self.key_error.is_some() || self.names.is_any_refused()
    }

    /// Returns the response that refused the key, or the names of kept events.
    pub(super) fn refusal_cause(&self) -> Option<Arc<RequestError>> {
        let kept = self.names.kept().iter().flat_map(|sealed| sealed.batch.slots());
        let kept_cause = || kept.into_iter().find_map(|slot| self.names.cause(slot.name));
        self.key_error.as_ref().or_else(kept_cause).cloned()
    }

    /// Records that a batch took less capacity than its events will release.
    pub(super) fn add_debt(&mut self, events: usize, bytes: usize) {
        self.debt_events += events;
        self.debt_bytes += bytes;
    }

    /// Releases the capacity of kept events, so that events with other names can be queued. This applies to as many
    /// kept events as fit into the queue's limits; any others keep their capacity. Returns the released events and
    /// bytes.
    pub(super) fn release_kept_capacity(&mut self, limits: &QueueLimits) -> (usize, usize) {
        self.names.release_capacity(limits)
    }

    /// Returns how much of the capacity of completed events is released, after subtracting the debt.
    pub(super) fn pay_debt(&mut self, events: usize, bytes: usize) -> (usize, usize) {
        let pay = |debt: &mut usize, capacity: usize| {
            let paid = capacity.min(*debt);
            *debt -= paid;
            capacity - paid
        };
        (pay(&mut self.debt_events, events), pay(&mut self.debt_bytes, bytes))
    }

    /// Clears the refused key and the refused names.
    pub(super) fn resume(&mut self) {
        self.key_error = None;
        self.waiting.extend(self.names.reset());
    }

    /// Returns the unfinished events of batches below `number`, and how many of them are refused.
    pub(super) fn unfinished_before(&self, number: u64) -> (usize, usize) {
        let count = |batches: &mut dyn Iterator<Item = &SealedBatch>| -> usize {
            batches.filter(|sealed| sealed.number < number).map(SealedBatch::len).sum()
        };
        let notifying = self.notifying.iter().filter(|it| it.batch < number).map(|it| it.events);
        let queued = count(&mut self.queued());
        let kept = count(&mut self.names.kept().iter());
        let refused = if self.key_error.is_some() { queued } else { kept };
        (queued + count(&mut self.in_flight.values()) + notifying.sum::<usize>(), refused)
    }

    /// Returns the batches that are neither open nor in flight.
    fn queued(&self) -> impl Iterator<Item = &SealedBatch> {
        self.waiting.iter().chain(&self.delayed).chain(self.names.kept())
    }

    /// Returns whether there is no batch, except for a batch whose outcome is being processed.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_none() && self.in_flight.is_empty() && self.queued().next().is_none()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(super) fn stats(&self) -> PublisherStats {
        let sealed = || self.queued().chain(self.in_flight.values());
        let opened = sealed().map(|sealed| sealed.opened);
        let oldest = opened.chain(self.open.as_ref().map(|open| open.opened)).min();
        let isolated = sealed().filter(|sealed| sealed.history.isolated);
        PublisherStats {
            in_flight: self.in_flight.len(),
            oldest: oldest.map(|opened| opened.elapsed()),
            key_refused: self.key_error.is_some() || !self.names.kept().is_empty(),
            isolated_events: isolated.map(SealedBatch::len).sum(),
            ..self.stats.clone()
        }
    }
}
