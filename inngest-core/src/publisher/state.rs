//! The batches of a queue and their transitions, as pure functions: they send nothing, wait for nothing and
//! call no hook.
//!
//! # Protocol
//!
//! - An event is in the open batch, in a waiting batch, or in a batch in flight, until it has an outcome.
//! - An event with an outcome counts as unfinished until hooks and receipts have been notified. `settle` adds it to
//!   `notifying`, and `notified` removes it afterwards. `flush` and `close` therefore return only after every
//!   hook and receipt of an event they waited for.
//! - The lock of the state is held by one method of the queue at a time. No other lock is taken, no hook is
//!   called and no permit is awaited while it is held: a hook may publish.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::classify::Classified;
use super::entry::Entry;
use super::error::{DeliveryError, PublishError};
use super::receipt::{Deliveries, Receipt};
use super::report::PublisherStats;
use crate::batch::Batch;
use crate::client::RequestError;
use crate::event::EventId;

/// The limits of a publisher's batches and of its queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueLimits {
    pub(super) batch_events: usize,
    pub(super) batch_bytes: usize,
    pub(super) linger: std::time::Duration,
    pub(super) in_flight: usize,
    /// The client's limit on the body of one request.
    pub(super) request_bytes: usize,
    pub(super) queued_events: usize,
    pub(super) queued_bytes: usize,
}

impl QueueLimits {
    /// Returns whether `batch` has no room for another event of `bytes` bytes. A batch is one request, with
    /// a comma or a bracket per event.
    fn is_full(&self, batch: &Batch, bytes: usize) -> bool {
        batch.len() >= self.batch_events
            || batch.bytes() + bytes > self.batch_bytes
            || batch.bytes() + batch.len() + bytes + 1 >= self.request_bytes
    }
}

#[derive(Default)]
pub(super) struct State {
    open: Option<OpenBatch>,
    waiting: VecDeque<SealedBatch>,
    /// By the number of the send.
    in_flight: BTreeMap<u64, SealedBatch>,
    notifying: Vec<Notification>,
    /// The driver has ended, with its runtime or by a panic in a user's transport.
    pub(super) driver_ended: bool,
    next_batch: u64,
    next_send: u64,
    /// The size of the buffer of the last batch, and the initial capacity of the next one.
    buffer_bytes: usize,
    pub(super) key_error: Option<Arc<RequestError>>,
    pub(super) closed: bool,
    pub(super) stats: PublisherStats,
}

/// The batch that events are added to.
struct OpenBatch {
    batch: Batch,
    deliveries: Arc<Deliveries>,
    opened: Instant,
    number: u64,
}

/// A batch that accepts no more events. Its bytes and its seed stay the same, however often it is sent.
pub(super) struct SealedBatch {
    pub(super) batch: Arc<Batch>,
    pub(super) deliveries: Arc<Deliveries>,
    /// The indexes in `deliveries` of the events of `batch`.
    pub(super) indexes: Vec<usize>,
    opened: Instant,
    /// The order in which batches were opened.
    number: u64,
    sent_before: bool,
}

/// Events with an outcome of which hooks and receipts have not been notified yet.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Notification {
    batch: u64,
    events: usize,
}

/// The next step of the driver.
pub(super) enum NextStep {
    Send(u64, Arc<Batch>),
    Wait(Option<Instant>),
}

/// The events of a batch that `settle` completed.
pub(super) struct Settled {
    pub(super) batch: SealedBatch,
    /// The outcomes, by the event's index in the batch.
    pub(super) completed: Vec<(usize, Result<EventId, DeliveryError>)>,
    pub(super) notification: Notification,
}

/// What adding an event to the open batch did.
pub(super) struct Added {
    pub(super) receipt: Receipt,
    /// Whether the driver has to be woken.
    pub(super) wakes: bool,
}

/// Why the publisher accepts no event.
pub(super) enum Refusal {
    Closed,
    Key(Arc<RequestError>),
}

impl Refusal {
    pub(super) fn into_error(self, entry: &Entry) -> PublishError {
        let event = entry.to_batch();
        match self {
            Refusal::Closed => PublishError::Closed { event },
            Refusal::Key(cause) => PublishError::KeyRefused { cause, event },
        }
    }
}

impl State {
    pub(super) fn refusal(&self) -> Option<Refusal> {
        if self.closed {
            return Some(Refusal::Closed);
        }
        self.key_error.clone().map(Refusal::Key)
    }

    /// Adds an event to the open batch, which is sealed before if it is full and after if the event fills it.
    pub(super) fn add(&mut self, entry: &Entry, limits: &QueueLimits, now: Instant) -> Added {
        if self.open.as_ref().is_some_and(|open| limits.is_full(&open.batch, entry.len())) {
            self.seal_open();
        }
        let opens = self.open.is_none();
        let open = self.open_batch(limits.batch_events, now);
        let index = open.batch.len();
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

    /// Returns the open batch, after opening one if there is none.
    fn open_batch(&mut self, events: usize, now: Instant) -> &mut OpenBatch {
        let buffer_bytes = self.buffer_bytes;
        let next_batch = &mut self.next_batch;
        self.open.get_or_insert_with(|| {
            let number = *next_batch;
            *next_batch += 1;
            let batch = Batch::with_capacity(events.min(buffer_bytes), buffer_bytes);
            OpenBatch { batch, deliveries: Arc::default(), opened: now, number }
        })
    }

    pub(super) fn seal_open(&mut self) {
        let Some(OpenBatch { mut batch, deliveries, opened, number }) = self.open.take() else {
            return;
        };
        self.buffer_bytes = batch.bytes() + batch.len() + 1;
        batch.shrink();
        let indexes = (0..batch.len()).collect();
        let batch = Arc::new(batch);
        let sent_before = false;
        self.waiting.push_back(SealedBatch {
            batch,
            deliveries,
            indexes,
            opened,
            number,
            sent_before,
        });
    }

    /// Returns the next batch to send, or when to ask again. At most `max_in_flight` batches are in flight.
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
        if self.waiting.is_empty() {
            let Some(open) = &self.open else {
                return NextStep::Wait(None);
            };
            // `None` if the time overflows `Instant`.
            let due = open.opened.checked_add(limits.linger);
            if !self.in_flight.is_empty() && due.is_none_or(|due| now < due) {
                return NextStep::Wait(due);
            }
            self.seal_open();
        }
        let Some(mut sealed) = self.waiting.pop_front() else {
            return NextStep::Wait(None);
        };
        if std::mem::replace(&mut sealed.sent_before, true) {
            self.stats.retries += 1;
        }
        let send = self.next_send;
        self.next_send += 1;
        let batch = Arc::clone(&sealed.batch);
        self.in_flight.insert(send, sealed);
        NextStep::Send(send, batch)
    }

    /// Takes the batch of a send out of flight, completes its events that have a final outcome, and queues the
    /// others again. Returns `None` if the batch was closed in the meantime.
    pub(super) fn settle(&mut self, send: u64, classified: Classified) -> Option<Settled> {
        let sealed = self.in_flight.remove(&send)?;
        for (index, outcome) in &classified.completed {
            match outcome {
                Ok(_) => self.stats.delivered += 1,
                Err(error) => *self.stats.failed.entry(error.kind()).or_default() += 1,
            }
            self.stats.queued_bytes -= sealed.batch.slots()[*index].len();
        }
        self.stats.queued_events -= classified.completed.len();

        // Retries follow the batches that were not sent yet. Events whose request was too large for the
        // server, and events that are kept because of the key, come first.
        if let Some(retry) = sealed.part(&classified.retry) {
            self.waiting.push_back(retry);
        }
        let (first, second) = classified.too_large.split_at(classified.too_large.len() / 2);
        for indexes in [second, first, &classified.key_refused] {
            if let Some(part) = sealed.part(indexes) {
                self.waiting.push_front(part);
            }
        }
        if classified.key_error.is_some() {
            self.key_error = classified.key_error;
        }
        let notification =
            Notification { batch: sealed.number, events: classified.completed.len() };
        self.notifying.push(notification);
        Some(Settled { batch: sealed, completed: classified.completed, notification })
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

    /// Puts the batches in flight back into the queue, since their driver has ended.
    pub(super) fn end_driver(&mut self) -> impl Iterator<Item = &SealedBatch> {
        self.driver_ended = true;
        self.seal_open();
        self.waiting.extend(std::mem::take(&mut self.in_flight).into_values());
        self.waiting.iter()
    }

    /// Removes all batches, in the order in which they were opened.
    pub(super) fn take_all(&mut self) -> Vec<SealedBatch> {
        self.seal_open();
        let mut all: Vec<SealedBatch> = std::mem::take(&mut self.waiting).into();
        all.extend(std::mem::take(&mut self.in_flight).into_values());
        all.sort_by_key(|sealed| sealed.number);
        self.stats.queued_events = 0;
        self.stats.queued_bytes = 0;
        all
    }

    /// Returns a number that is larger than those of all batches with an event.
    pub(super) fn next_batch_number(&mut self) -> u64 {
        self.seal_open();
        self.next_batch
    }

    /// Returns how many events of batches numbered below `number` are unfinished.
    pub(super) fn unfinished_before(&self, number: u64) -> usize {
        let batches = self.sealed().map(|sealed| (sealed.number, sealed.batch.len()));
        let notifying = self.notifying.iter().map(|it| (it.batch, it.events));
        batches
            .chain(notifying)
            .filter(|(batch, _)| *batch < number)
            .map(|(_, events)| events)
            .sum()
    }

    fn sealed(&self) -> impl Iterator<Item = &SealedBatch> {
        self.waiting.iter().chain(self.in_flight.values())
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(super) fn stats(&self) -> PublisherStats {
        let opened = self.sealed().map(|sealed| sealed.opened);
        let oldest = opened.chain(self.open.as_ref().map(|open| open.opened)).min();
        PublisherStats {
            in_flight: self.in_flight.len(),
            oldest: oldest.map(|opened| opened.elapsed()),
            key_refused: self.key_error.is_some(),
            ..self.stats.clone()
        }
    }
}

impl SealedBatch {
    /// Returns the events at `indexes` as a batch of their own, or `None` if there are none.
    fn part(&self, indexes: &[usize]) -> Option<SealedBatch> {
        if indexes.is_empty() {
            return None;
        }
        let whole = indexes.len() == self.batch.len();
        Some(SealedBatch {
            batch: if whole {
                Arc::clone(&self.batch)
            } else {
                Arc::new(self.batch.pick(indexes.iter().copied()))
            },
            deliveries: Arc::clone(&self.deliveries),
            indexes: indexes.iter().map(|index| self.indexes[*index]).collect(),
            opened: self.opened,
            number: self.number,
            sent_before: true,
        })
    }
}
