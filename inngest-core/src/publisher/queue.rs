//! The events that were accepted and have not ended: in the open batch, in closed ones that wait, and
//! in those under way.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::{AcquireError, Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::builder::Hook;
use super::classify::Classified;
use super::receipt::{DeliveryError, Receipt};
use super::report::{CloseReport, FlushError, PublishError, PublisherStats, Undelivered};
use super::state::{Closed, Open, Refusal, State};
use crate::batch::{Batch, CallSite};
use crate::client::Rejection;
use crate::client::{Client, Outcome, Pace, SendOutcome, log};
use crate::event::{EventId, EventWriter, IntoEvent};

/// What fits where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) batch_events: usize,
    pub(super) batch_bytes: usize,
    pub(super) linger: Duration,
    pub(super) in_flight: usize,
    /// What the client sends in one request.
    pub(super) request_bytes: usize,
    pub(super) queued_events: usize,
    pub(super) queued_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            batch_events: 100,
            batch_bytes: 512 * 1024,
            linger: Duration::from_millis(5),
            in_flight: 4,
            request_bytes: usize::MAX,
            queued_events: 10_000,
            queued_bytes: 16 * 1024 * 1024,
        }
    }
}

thread_local! {
    /// Grown once, for all events of a thread.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// One event, serialized, on its way into the queue.
pub(super) struct Entry {
    name: &'static str,
    /// The thread's scratch, which goes back to it when the event is in the queue.
    json: Vec<u8>,
    call_site: CallSite,
}

impl Entry {
    pub(super) fn into_batch(self) -> Batch {
        let mut batch = Batch::new();
        batch.push_serialized(self.name, &self.json, self.call_site);
        batch
    }
}

/// Room for one event, and for its bytes.
type Room<'a> = (SemaphorePermit<'a>, SemaphorePermit<'a>);

pub(super) struct Queue {
    pub(super) client: Client,
    pub(super) limits: Limits,
    hook: Option<Hook>,
    room_events: Semaphore,
    room_bytes: Semaphore,
    state: Mutex<State>,
    /// Wakes the driver.
    pub(super) wake: Notify,
    /// Tells those who flush that something ended.
    ended: Notify,
    /// Tells those who wait for room that there will be none.
    stopped: Notify,
}

/// What the driver does next.
pub(super) enum Next {
    Send(u64, Arc<Batch>),
    Wait(Option<Instant>),
}

impl Queue {
    pub(super) fn new(client: Client, limits: Limits, hook: Option<Hook>) -> Queue {
        let permits = |room: usize| room.min(u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        let limits = Limits {
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
            ended: Notify::new(),
            stopped: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `bytes` take of the room: one larger event takes all of it.
    fn room_for(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.min(self.limits.queued_bytes)).unwrap_or(u32::MAX)
    }

    pub(super) fn serialize<E: IntoEvent>(
        &self,
        event: E,
        call_site: CallSite,
    ) -> Result<Entry, PublishError> {
        // Taken, since an event's own `Serialize` may publish too.
        let mut json = SCRATCH.take();
        json.clear();
        let mut writer = EventWriter::new(&mut json, self.client.before_send());
        let written = event.write_event(&mut writer);
        let name = writer.name();
        match written.and_then(|()| self.client.check_size(name, json.len())) {
            Ok(()) => Ok(Entry { name, json, call_site }),
            Err(error) => {
                SCRATCH.set(json);
                self.client.refused(&error, call_site);
                let reason = Rejection::Event(error.clone());
                self.client.ended([(name, SendOutcome::Rejected(&reason))]);
                Err(error.into())
            }
        }
    }

    pub(super) async fn push_when_there_is_room(
        &self,
        entry: Entry,
    ) -> Result<Receipt, PublishError> {
        let bytes = self.room_for(entry.json.len());
        if let Some(room) = self.try_room(bytes) {
            return self.push(entry, room);
        }
        let stopped = self.stopped.notified();
        let mut stopped = std::pin::pin!(stopped);
        stopped.as_mut().enable();
        if let Some(refusal) = self.state().refusal() {
            return Err(refusal.of(entry));
        }
        let room = async {
            let events = self.room_events.acquire().await?;
            Ok::<_, AcquireError>((events, self.room_bytes.acquire_many(bytes).await?))
        };
        match select(std::pin::pin!(room), stopped).await {
            Either::Left((Ok(room), _)) => self.push(entry, room),
            Either::Left((Err(_), _)) | Either::Right(_) => {
                let refusal = self.state().refusal().unwrap_or(Refusal::Closed);
                Err(refusal.of(entry))
            }
        }
    }

    pub(super) fn try_push(&self, entry: Entry) -> Result<Receipt, PublishError> {
        if let Some(room) = self.try_room(self.room_for(entry.json.len())) {
            return self.push(entry, room);
        }
        match self.state().refusal() {
            Some(refusal) => Err(refusal.of(entry)),
            None => Err(PublishError::Full { event: entry.into_batch() }),
        }
    }

    fn try_room(&self, bytes: u32) -> Option<Room<'_>> {
        let events = self.room_events.try_acquire().ok()?;
        Some((events, self.room_bytes.try_acquire_many(bytes).ok()?))
    }

    /// Puts an event that has its room into the open batch.
    fn push(&self, entry: Entry, (events, bytes): Room<'_>) -> Result<Receipt, PublishError> {
        let mut state = self.state();
        if let Some(refusal) = state.refusal() {
            drop(state);
            return Err(refusal.of(entry));
        }
        // Given back when the event ends.
        events.forget();
        bytes.forget();
        let len = entry.json.len();
        let full = |open: &Open| {
            open.batch.len() >= self.limits.batch_events
                || open.batch.bytes() + len > self.limits.batch_bytes
                // One request each, with a comma or a bracket for every event.
                || open.batch.bytes() + open.batch.len() + len + 1 >= self.limits.request_bytes
        };
        let closes = state.open.as_ref().is_some_and(full);
        if closes {
            state.close_open();
        }
        let opens = state.open.is_none();
        let open = state.open(self.limits.batch_events);
        let index = open.batch.len();
        open.batch.push_serialized(entry.name, &entry.json, entry.call_site);
        let deliveries = Arc::clone(&open.deliveries);
        let fills = open.batch.len() >= self.limits.batch_events;
        if fills {
            state.close_open();
        }
        state.stats.accepted += 1;
        state.stats.queued_events += 1;
        state.stats.queued_bytes += len;
        drop(state);
        SCRATCH.set(entry.json);
        if opens || fills {
            self.wake.notify_one();
        }
        Ok(Receipt { deliveries, index })
    }

    /// What the driver does next, with `under_way` requests of at most `allowed` under way.
    pub(super) fn next(&self, now: Instant, under_way: usize, pace: &Pace) -> Next {
        let mut state = self.state();
        if state.refused.is_some() || under_way >= pace.in_flight(self.limits.in_flight) {
            return Next::Wait(None);
        }
        if let Some(until) = pace.paused_until(now) {
            return Next::Wait(Some(until));
        }
        if state.waiting.is_empty() {
            let Some(open) = &state.open else {
                return Next::Wait(None);
            };
            // None is further off than a clock can tell.
            let due = open.opened.checked_add(self.limits.linger);
            if under_way > 0 && due.is_none_or(|due| now < due) {
                return Next::Wait(due);
            }
            state.close_open();
        }
        let Some(mut closed) = state.waiting.pop_front() else {
            return Next::Wait(None);
        };
        if std::mem::replace(&mut closed.sent_before, true) {
            state.stats.retries += 1;
        }
        let send = state.next_send;
        state.next_send += 1;
        let batch = Arc::clone(&closed.batch);
        state.under_way.insert(send, closed);
        Next::Send(send, batch)
    }

    /// Takes in what became of a batch that was sent.
    pub(super) fn sent(&self, send: u64, outcomes: Vec<Outcome>, began: Instant, pace: &mut Pace) {
        let mut state = self.state();
        let Some(closed) = state.under_way.remove(&send) else {
            return;
        };
        let sorted = Classified::new(outcomes);
        let mut ended = Ended::default();
        for (at, end) in sorted.ends {
            match &end {
                Ok(_) => state.stats.delivered += 1,
                Err(error) => *state.stats.failed.entry(error.kind()).or_default() += 1,
            }
            ended.add(self, closed.batch.slots()[at].len());
            ended.ends.push((at, end));
        }
        state.stats.queued_events -= ended.events;
        state.stats.queued_bytes -= ended.bytes;

        match &sorted.passing {
            Some(cause) => {
                pace.failed(began, Instant::now(), cause.retry_after(), fastrand::f64());
            }
            None if ended.events > 0 => pace.succeeded(began),
            None => {}
        }
        let undelivered = sorted
            .failed
            .map(|(ats, cause)| Undelivered { events: closed.batch.pick(ats), cause: Some(cause) });
        // What failed goes behind what has not been tried; what the key or the size stopped goes first.
        if let Some(again) = closed.part(&sorted.again) {
            state.waiting.push_back(again);
        }
        let (first, second) = sorted.too_large.split_at(sorted.too_large.len() / 2);
        let halves = [closed.part(second), closed.part(first)];
        let kept = closed.part(&sorted.refused);
        halves.into_iter().chain([kept]).flatten().for_each(|it| state.waiting.push_front(it));
        let refused = sorted.refusal.is_some();
        if refused {
            state.refused = sorted.refusal;
        }
        let notifying = (closed.number, ended.events);
        state.notifying.push(notifying);
        drop(state);

        self.room_events.add_permits(ended.events);
        self.room_bytes.add_permits(ended.room);
        // Without the lock: a hook may publish.
        let slots = closed.batch.slots();
        self.client.ended(ended.ends.iter().map(|(at, end)| (slots[*at].name, seen(end))));
        let ends = ended.ends.into_iter().map(|(at, end)| (closed.indexes[at], end));
        closed.deliveries.end(ends);
        if let Some(undelivered) = undelivered {
            self.hand_over(undelivered);
        }
        let mut state = self.state();
        if let Some(at) = state.notifying.iter().position(|told| *told == notifying) {
            state.notifying.swap_remove(at);
        }
        drop(state);
        if refused {
            self.stopped.notify_waiters();
        }
        self.ended.notify_waiters();
    }

    /// Hands events to the hook. A panic in it must end neither the background task nor, from a drop, the
    /// process.
    fn hand_over(&self, undelivered: Undelivered) {
        if let Some(hook) = &self.hook {
            if catch_unwind(AssertUnwindSafe(|| hook(undelivered))).is_err() {
                log::panicked("on_undelivered");
            }
        }
    }

    pub(super) async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        let before = {
            let mut state = self.state();
            state.close_open();
            state.next_number
        };
        self.wake.notify_one();
        let all_ended = self.until(|state| {
            let stopped = state.refused.is_some() || state.abandoned;
            state.events_before(before) == 0 || (stopped && state.notifying.is_empty())
        });
        drop(tokio::time::timeout(within, all_ended).await);
        let state = self.state();
        match state.events_before(before) {
            0 => Ok(()),
            events => Err(FlushError { events, key_refused: state.refused.is_some() }),
        }
    }

    /// Waits until no hook and no receipt has still to be told of an end.
    pub(super) async fn told(&self) {
        self.until(|state| state.notifying.is_empty()).await;
    }

    async fn until(&self, done: impl Fn(&State) -> bool) {
        loop {
            let ended = self.ended.notified();
            let mut ended = std::pin::pin!(ended);
            ended.as_mut().enable();
            if done(&self.state()) {
                return;
            }
            ended.await;
        }
    }

    pub(super) fn stop_accepting(&self) {
        self.state().closed = true;
        self.room_events.close();
        self.room_bytes.close();
        self.stopped.notify_waiters();
    }

    /// The background task is gone. What has not ended waits for whoever closes, and its receipts wait for
    /// nothing.
    pub(super) fn driver_ended(&self) {
        self.stop_accepting();
        let mut state = self.state();
        state.abandoned = true;
        state.close_open();
        let under_way: Vec<Closed> = std::mem::take(&mut state.under_way).into_values().collect();
        state.waiting.extend(under_way);
        let left: Vec<_> = state
            .waiting
            .iter()
            .map(|closed| (Arc::clone(&closed.deliveries), closed.indexes.clone()))
            .collect();
        drop(state);
        for (deliveries, indexes) in left {
            deliveries.end(indexes.into_iter().map(|index| (index, Err(DeliveryError::Closed))));
        }
        self.ended.notify_waiters();
    }

    /// Ends everything that has not ended, and accounts for all, unless a hook or a receipt has still to be
    /// told of an end.
    pub(super) fn close_if_told(&self) -> Option<CloseReport> {
        let state = self.state();
        state.notifying.is_empty().then(|| self.close(state))
    }

    fn close(&self, mut state: MutexGuard<'_, State>) -> CloseReport {
        state.close_open();
        let mut left: Vec<Closed> = std::mem::take(&mut state.waiting).into();
        left.extend(std::mem::take(&mut state.under_way).into_values());
        left.sort_by_key(|closed| closed.number);
        state.stats.queued_events = 0;
        state.stats.queued_bytes = 0;
        let delivered = state.stats.delivered;
        let failed = state.stats.failed.values().sum();
        drop(state);

        let mut undelivered = Batch::new();
        for closed in left {
            let names = closed.batch.slots().iter().map(|slot| slot.name);
            self.client.ended(names.map(|name| (name, SendOutcome::Unsent(None))));
            let ends = closed.indexes.iter().map(|index| (*index, Err(DeliveryError::Closed)));
            closed.deliveries.end(ends);
            undelivered.append_shared(&closed.batch);
        }
        self.ended.notify_waiters();
        CloseReport { delivered, failed, undelivered }
    }

    /// The last handle is gone.
    pub(super) fn abandon(&self) {
        self.stop_accepting();
        let events = self.close(self.state()).undelivered;
        if events.is_empty() {
            return;
        }
        log::abandoned(events.len());
        let cause = self.state().refused.clone();
        self.hand_over(Undelivered { events, cause });
    }

    pub(super) fn resume(&self) {
        self.state().refused = None;
        self.wake.notify_one();
    }

    /// What the gauges show.
    pub(super) fn load(&self) -> (usize, usize, usize) {
        let state = self.state();
        (state.stats.queued_events, state.stats.queued_bytes, state.under_way.len())
    }

    pub(super) fn stats(&self) -> PublisherStats {
        let state = self.state();
        let opened = state.unended().map(|closed| closed.opened);
        let oldest = opened.chain(state.open.as_ref().map(|open| open.opened)).min();
        PublisherStats {
            in_flight: state.under_way.len(),
            oldest: oldest.map(|opened| opened.elapsed()),
            key_refused: state.refused.is_some(),
            ..state.stats.clone()
        }
    }
}

/// An event's end, as hooks and metrics are told of it.
fn seen(end: &Result<EventId, DeliveryError>) -> SendOutcome<'_> {
    match end {
        Ok(id) => SendOutcome::Accepted(id),
        Err(DeliveryError::Rejected(reason)) => SendOutcome::Rejected(reason),
        Err(DeliveryError::Failed(cause)) => SendOutcome::Unsent(Some(cause)),
        Err(DeliveryError::Closed) => SendOutcome::Unsent(None),
    }
}

/// What a batch's ended events give back.
#[derive(Default)]
struct Ended {
    /// Told by where they stand in the batch.
    ends: Vec<(usize, Result<EventId, DeliveryError>)>,
    events: usize,
    bytes: usize,
    room: usize,
}

impl Ended {
    fn add(&mut self, queue: &Queue, bytes: usize) {
        self.events += 1;
        self.bytes += bytes;
        self.room += queue.room_for(bytes) as usize;
    }
}
