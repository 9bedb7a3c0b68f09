//! One call: sends the requests of a batch concurrently, until the outcome of each event is known.
//!
//! The outcome does not follow from a 400 or a 403 alone. A 400 can have its cause in an event or in
//! the server: the event at which the server stopped is set aside, the events after it are sent, and
//! then each event that was set aside is retried alone. A 403 can be about the key or about the name
//! of one event: one event of each name is probed, sent alone.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::sync::Semaphore;

use super::error::{Rejection, RequestError};
use super::exchange::{CallMode, Exchange};
use super::hooks::TraceHeaders;
use super::log;
use super::name_filter::{NameFilter, NameStatus};
use super::outcome::Outcome;
use super::response::ParsedResponse;
use super::retry::backoff_delay;
use super::settings::Settings;
use crate::batch::{Batch, Slot, split};
use crate::event::{EventError, is_shared_name};

/// The number of times that an event that was set aside is retried, alone, before it is rejected.
pub(crate) const SET_ASIDE_ATTEMPTS: u32 = 3;

/// The outcome of each event of a batch, in order.
pub(crate) struct CallOutcomes {
    pub(crate) outcomes: Vec<Outcome>,
    /// The indexes of the events that were set aside and not retried, ascending. Their outcomes are
    /// unsent.
    pub(crate) set_aside: Vec<usize>,
    /// The indexes of the events that a background sender sends after a backoff. Their outcomes
    /// are unsent.
    pub(crate) deferred: Vec<usize>,
}

/// Sends `batch` until the outcome of each event is known.
pub(super) async fn run(
    settings: &Settings,
    batch: &Batch,
    trace: &TraceHeaders,
    mode: CallMode,
) -> CallOutcomes {
    let exchange = Exchange::new(settings, batch, trace, mode);
    let call = Call { exchange, names: NameFilter::default(), pending: Mutex::default(), mode };
    let is_oversized = |slot: &Slot| slot.len() > settings.max_event_bytes;
    let slots = batch.slots();
    let mut chunks = split(slots, settings.limits, |index| !is_oversized(&slots[index]));
    let outcomes = match chunks.pop() {
        Some(only) if only.len() == slots.len() => call.send_chunk(only).await,
        last => call.send_chunks(chunks.into_iter().chain(last)).await,
    };
    call.finish(outcomes).await
}

struct Call<'a> {
    exchange: Exchange<'a>,
    names: NameFilter,
    pending: Mutex<Pending>,
    mode: CallMode,
}

/// The indexes of the events whose outcomes may still change.
#[derive(Default)]
struct Pending {
    /// The server stopped at these events with a 400. Until they are retried, they are unsent.
    set_aside: Vec<usize>,
    /// A background sender sends these events after a backoff.
    deferred: Vec<usize>,
    /// The server refuses the names of these events. Until another name is accepted, they are
    /// unsent.
    name_refused: Vec<usize>,
    /// The names of events that were accepted by a request after a 403.
    accepted_names: HashSet<&'static str>,
    /// The server rejected these events.
    rejected: Vec<usize>,
}

impl Call<'_> {
    fn slots(&self) -> &[Slot] {
        self.exchange.batch.slots()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends `chunks` concurrently. Events that are in no chunk are oversized.
    async fn send_chunks(&self, chunks: impl Iterator<Item = Range<usize>>) -> Vec<Outcome> {
        let settings = self.exchange.settings;
        let mut outcomes: Vec<Option<Outcome>> =
            self.slots().iter().map(|slot| reject_oversized(settings, slot)).collect();
        let requests = chunks.map(|chunk| async {
            let start = chunk.start;
            (start, self.send_chunk(chunk).await)
        });
        let mut requests = stream::iter(requests).buffer_unordered(settings.max_in_flight);
        while let Some((start, chunk_outcomes)) = requests.next().await {
            for (outcome, chunk_outcome) in outcomes[start..].iter_mut().zip(chunk_outcomes) {
                *outcome = Some(chunk_outcome);
            }
        }
        // Every event is either oversized or in exactly one chunk.
        outcomes.into_iter().flatten().collect()
    }

    /// Sends the events of `chunk`, in one request unless the server stops at an event or refuses a
    /// name.
    async fn send_chunk(&self, chunk: Range<usize>) -> Vec<Outcome> {
        if self.names.is_active() && !self.names.allows_all(&self.slots()[chunk.clone()]) {
            return self.send_by_name(chunk).await;
        }
        let mut outcomes = Vec::new();
        // The number of consecutive requests that accepted no event.
        let mut stalls = if let CallMode::Background { stalls } = self.mode { stalls } else { 0 };
        while outcomes.len() < chunk.len() {
            let events = chunk.start + outcomes.len()..chunk.end;
            let after_refusal = self.names.is_active();
            let response = self.exchange.request(events.clone()).await;
            if let (true, Ok(response)) = (after_refusal, &response) {
                self.note_accepted(events.start, response);
            }
            match response {
                Ok(ParsedResponse::Accepted(ids)) if events == chunk => {
                    return ids.into_iter().map(Outcome::Accepted).collect();
                }
                Ok(ParsedResponse::Accepted(ids)) => {
                    outcomes.extend(ids.into_iter().map(Outcome::Accepted));
                }
                Ok(ParsedResponse::Partial { accepted, message }) => {
                    stalls = if accepted.is_empty() { stalls + 1 } else { 0 };
                    let stopped_at = events.start + accepted.len();
                    outcomes.extend(accepted.into_iter().map(Outcome::Accepted));
                    outcomes.push(self.set_aside(stopped_at, message));
                    let rest = stopped_at + 1..chunk.end;
                    // The server itself may be failing, so the call waits before it sends the other events.
                    // After a few waits, invalid events are the more likely cause, and the call no longer waits.
                    if !rest.is_empty() && (1..=SET_ASIDE_ATTEMPTS).contains(&stalls) {
                        outcomes.extend(self.wait_after_stall(stalls, rest).await);
                    }
                }
                Err(RequestError::TooLarge { message }) if events.len() == 1 => {
                    outcomes.push(self.reject(events.start, 413, message));
                }
                Err(error) if error.status() == Some(403) => {
                    outcomes.extend(self.on_forbidden(events, error).await);
                }
                Err(error) => {
                    let cause = Arc::new(error);
                    outcomes.extend(events.map(|_| Outcome::Unsent(Arc::clone(&cause))));
                }
            }
        }
        outcomes
    }

    /// Records the names of the events, counted from `start`, that were accepted by a request after a 403.
    fn note_accepted(&self, start: usize, response: &ParsedResponse) {
        let (ParsedResponse::Accepted(ids) | ParsedResponse::Partial { accepted: ids, .. }) =
            response;
        let accepted = &self.slots()[start..start + ids.len()];
        self.pending().accepted_names.extend(accepted.iter().map(|slot| slot.name));
    }

    /// Sets aside the event at `index`, at which the server stopped with a 400.
    fn set_aside(&self, index: usize, message: String) -> Outcome {
        self.pending().set_aside.push(index);
        Outcome::Unsent(Arc::new(RequestError::Refused { status: 400, message }))
    }

    /// Waits after `stalls` consecutive requests that accepted no event. For a background sender, which does its own
    /// waits, defers the events `rest` instead and returns their outcomes.
    async fn wait_after_stall(&self, stalls: u32, rest: Range<usize>) -> Vec<Outcome> {
        if let CallMode::Background { .. } = self.mode {
            self.pending().deferred.extend(rest.clone());
            let message = "the server accepted no event".to_owned();
            let cause = Arc::new(RequestError::Refused { status: 400, message });
            return rest.map(|_| Outcome::Unsent(Arc::clone(&cause))).collect();
        }
        // If the deadline is too near for a wait, the next request is sent at once.
        drop(self.exchange.wait(self.backoff(stalls)).await);
        Vec::new()
    }

    /// Handles a 403 to a request with `events`.
    fn on_forbidden(
        &self,
        events: Range<usize>,
        error: RequestError,
    ) -> BoxFuture<'_, Vec<Outcome>> {
        self.names.activate();
        let slots = &self.slots()[events.clone()];
        let error = Arc::new(error);
        let first = slots[0].name;
        if is_shared_name(first) && slots.len() == 1 {
            self.pending().name_refused.push(events.start);
            return std::future::ready(vec![Outcome::Unsent(error)]).boxed();
        }
        if !is_shared_name(first) && slots.iter().all(|slot| slot.name == first) {
            self.names.set(first, NameStatus::Refused(Arc::clone(&error)));
        } else if self.names.allows_all(slots) {
            // Every name was accepted before, so the 403 has another reason.
            let outcomes = events.map(|_| Outcome::Unsent(Arc::clone(&error))).collect();
            return std::future::ready(outcomes).boxed();
        }
        self.send_by_name(events).boxed()
    }

    /// Probes one event of each name that was not probed yet, alone. Then sends the events of the
    /// allowed names, in chunks of consecutive places.
    async fn send_by_name(&self, events: Range<usize>) -> Vec<Outcome> {
        let slots = self.slots();
        let start = events.start;
        let mut outcomes: Vec<Option<Outcome>> = vec![None; events.len()];
        let probing = self.names.probing.lock().await;
        for index in events.clone() {
            // Events with a shared name can have different names on the wire (see `intern.rs`), so each is probed.
            if self.names.status(slots[index].name).is_none() {
                outcomes[index - start] = self.probe(index).await;
            }
        }
        drop(probing);
        for index in events.clone() {
            let outcome = &mut outcomes[index - start];
            if outcome.is_none() {
                *outcome = match self.names.status(slots[index].name) {
                    Some(NameStatus::Refused(error)) => {
                        self.pending().name_refused.push(index);
                        Some(Outcome::Unsent(error))
                    }
                    Some(NameStatus::Unknown(error)) => Some(Outcome::Unsent(error)),
                    Some(NameStatus::Allowed) | None => None,
                };
            }
        }
        let include = |index: usize| events.contains(&index) && outcomes[index - start].is_none();
        for chunk in split(slots, self.exchange.settings.limits, include) {
            let first = chunk.start - start;
            let chunk_outcomes = Box::pin(self.send_chunk(chunk)).await;
            for (outcome, chunk_outcome) in outcomes[first..].iter_mut().zip(chunk_outcomes) {
                *outcome = Some(chunk_outcome);
            }
        }
        // Every event was probed, has a refused or unknown name, or was in exactly one chunk.
        outcomes.into_iter().flatten().collect()
    }

    /// Sends the event at `index` alone to find out whether its name is allowed. Returns its
    /// outcome, or `None` if the outcome follows from the name's status.
    async fn probe(&self, index: usize) -> Option<Outcome> {
        let response = self.exchange.request(index..index + 1).await;
        if let Ok(response) = &response {
            self.note_accepted(index, response);
        }
        let name = self.slots()[index].name;
        let (status, outcome) = match response {
            Ok(ParsedResponse::Accepted(ids)) => {
                (NameStatus::Allowed, ids.into_iter().next().map(Outcome::Accepted))
            }
            Ok(ParsedResponse::Partial { message, .. }) => {
                (NameStatus::Allowed, Some(self.set_aside(index, message)))
            }
            Err(RequestError::TooLarge { message }) => {
                (NameStatus::Allowed, Some(self.reject(index, 413, message)))
            }
            Err(error) if error.status() == Some(403) => (NameStatus::Refused(error.into()), None),
            Err(error) => (NameStatus::Unknown(error.into()), None),
        };
        if !is_shared_name(name) {
            self.names.set(name, status);
            return outcome;
        }
        match status {
            NameStatus::Refused(error) => {
                self.pending().name_refused.push(index);
                Some(Outcome::Unsent(error))
            }
            NameStatus::Unknown(error) => Some(Outcome::Unsent(error)),
            NameStatus::Allowed => outcome,
        }
    }

    /// Retries the events that were set aside, and then makes the outcomes final.
    async fn finish(&self, mut outcomes: Vec<Outcome>) -> CallOutcomes {
        let mut set_aside = std::mem::take(&mut self.pending().set_aside);
        let is_background = matches!(self.mode, CallMode::Background { .. });
        if !is_background && !set_aside.is_empty() {
            self.retry_set_aside(&mut outcomes, std::mem::take(&mut set_aside)).await;
        }
        self.reject_refused_names(&mut outcomes);
        self.recheck_rejected(&mut outcomes);
        // Concurrent chunks add to the list in any order.
        set_aside.sort_unstable();
        let mut deferred = std::mem::take(&mut self.pending().deferred);
        deferred.sort_unstable();
        CallOutcomes { outcomes, set_aside, deferred }
    }

    /// Rejects the events whose names are refused, if events of other names were accepted. Without
    /// any accepted event, the 403 may be about the key, and the events stay unsent.
    fn reject_refused_names(&self, outcomes: &mut [Outcome]) {
        let name_refused = std::mem::take(&mut self.pending().name_refused);
        if name_refused.is_empty() {
            return;
        }
        let events = self.slots().iter().zip(&*outcomes);
        let accepted = events.filter(|(_, outcome)| matches!(outcome, Outcome::Accepted(_)));
        let accepted: HashSet<&'static str> = accepted.map(|(slot, _)| slot.name).collect();
        // A request before the 403 does not show that the key is still valid.
        if std::mem::take(&mut self.pending().accepted_names).is_empty() {
            return;
        }
        for index in name_refused {
            if let Outcome::Unsent(error) = &outcomes[index] {
                let name = self.slots()[index].name;
                if is_shared_name(name) || !accepted.contains(name) {
                    let message = error.message().unwrap_or_default().to_owned();
                    outcomes[index] = self.reject(index, 403, message);
                }
            }
        }
    }

    /// Makes rejected events unsent if they were accepted in the meantime. That is possible because
    /// a batch can contain an event twice, if a part of the batch was appended to it.
    fn recheck_rejected(&self, outcomes: &mut [Outcome]) {
        for index in std::mem::take(&mut self.pending().rejected) {
            let outcome = &mut outcomes[index];
            let Outcome::Rejected(reason) = &*outcome else { continue };
            if let Rejection::Server { status, message, .. } = &**reason {
                *outcome = reject(self.exchange.batch, index, *status, message.clone());
            }
        }
    }

    /// Retries the events that were set aside concurrently, and updates their outcomes.
    async fn retry_set_aside(&self, outcomes: &mut [Outcome], set_aside: Vec<usize>) {
        let permits = Semaphore::new(self.exchange.settings.max_in_flight);
        let retries = set_aside.into_iter().map(|index| self.retry_alone(index, &permits));
        let mut retries: FuturesUnordered<_> = retries.collect();
        while let Some((index, outcome)) = retries.next().await {
            outcomes[index] = outcome;
        }
    }

    /// Retries an event that was set aside, alone and with backoff. If the server still responds
    /// with 400, the event is rejected.
    async fn retry_alone(&self, index: usize, permits: &Semaphore) -> (usize, Outcome) {
        let mut failures = 1;
        let outcome = loop {
            if let Err(error) = self.exchange.wait(self.backoff(failures)).await {
                break Outcome::Unsent(error.into());
            }
            // The semaphore is never closed.
            let permit = permits.acquire().await;
            let response = self.exchange.request(index..index + 1).await;
            drop(permit);
            let last = failures >= SET_ASIDE_ATTEMPTS;
            failures += 1;
            break match response {
                Ok(ParsedResponse::Accepted(ids)) => match ids.into_iter().next() {
                    Some(id) => Outcome::Accepted(id),
                    None => continue,
                },
                Ok(ParsedResponse::Partial { .. }) if !last => continue,
                Ok(ParsedResponse::Partial { message, .. }) => self.reject(index, 400, message),
                Err(RequestError::TooLarge { message }) => self.reject(index, 413, message),
                Err(error) if error.is_retryable() && !last => continue,
                Err(error) => Outcome::Unsent(error.into()),
            };
        };
        (index, outcome)
    }

    /// Returns the wait after `failures` consecutive failures, with jitter.
    fn backoff(&self, failures: u32) -> Duration {
        backoff_delay(self.exchange.settings.retry, failures, None, fastrand::f64())
    }

    /// Returns the outcome of an event that the server rejects, as [`reject`] does, and logs a
    /// rejection. A background sender logs rejections itself.
    fn reject(&self, index: usize, status: u16, message: String) -> Outcome {
        let outcome = reject(self.exchange.batch, index, status, message);
        if let Outcome::Rejected(reason) = &outcome {
            self.pending().rejected.push(index);
            if self.mode == CallMode::Foreground {
                log::server_rejected(reason);
            }
        }
        outcome
    }
}

/// Returns the outcome of an event that is larger than `max_event_bytes`, or `None` for other
/// events.
fn reject_oversized(settings: &Settings, slot: &Slot) -> Option<Outcome> {
    let (event, bytes, max) = (slot.name, slot.len(), settings.max_event_bytes);
    if bytes <= max {
        return None;
    }
    let error = EventError::TooLarge { event, bytes, max };
    settings.transport.on_invalid_event(&error, slot.call_site);
    Some(Outcome::Rejected(Box::new(error.into())))
}

/// Returns the outcome of an event that the server rejects. If an earlier attempt may have been
/// accepted, the event is unsent instead.
pub(crate) fn reject(batch: &Batch, index: usize, status: u16, message: String) -> Outcome {
    if batch.is_in_doubt(index) {
        return Outcome::Unsent(Arc::new(RequestError::InDoubt { status, message }));
    }
    let event = batch.slots()[index].name;
    Outcome::Rejected(Box::new(Rejection::Server { event, status, message }))
}
