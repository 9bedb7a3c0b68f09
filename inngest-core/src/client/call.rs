//! One call: sends the requests of a batch concurrently, until the outcome of each event is known.
//!
//! Two responses are no outcome yet. A 400 can be about an event or about the server: the event at which the server
//! stopped is set aside, the rest goes on, and the events that were set aside are sent again alone. A 403 can be
//! about the key or about the name of one event: one event of each name is probed alone.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

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
use crate::event::EventError;

/// How often an event that was set aside is sent again, alone, before it is rejected.
pub(crate) const SET_ASIDE_ATTEMPTS: u32 = 3;

/// The outcome of each event of a batch, in order.
pub(crate) struct CallOutcomes {
    pub(crate) outcomes: Vec<Outcome>,
    /// The indexes of the events that were set aside. Their outcomes are unsent.
    pub(crate) set_aside: Vec<usize>,
}

/// Sends `batch` until the outcome of each event is known.
pub(super) async fn run(
    settings: &Settings,
    batch: &Batch,
    trace: &TraceHeaders,
    mode: CallMode,
) -> CallOutcomes {
    let exchange = Exchange::new(settings, batch, trace, mode);
    let call = Call { exchange, names: NameFilter::default(), mode };
    let mut states: Vec<Option<EventState>> =
        batch.slots().iter().map(|slot| reject_oversized(settings, slot)).collect();
    let chunks = split(batch.slots(), settings.limits, |index| states[index].is_none());
    let requests = chunks.into_iter().map(|chunk| async {
        let start = chunk.start;
        (start, call.send_chunk(chunk).await)
    });
    let mut requests = stream::iter(requests).buffer_unordered(settings.max_in_flight);
    while let Some((start, chunk_states)) = requests.next().await {
        for (state, chunk_state) in states[start..].iter_mut().zip(chunk_states) {
            *state = Some(chunk_state);
        }
    }
    drop(requests);
    // Every event is either oversized or in exactly one chunk.
    call.finish(states.into_iter().flatten().collect()).await
}

/// What a call knows about an event.
#[derive(Clone)]
enum EventState {
    Done(Outcome),
    /// The server stopped at the event and answered 400 with this message.
    SetAside(Arc<str>),
    /// The server refuses the event's name.
    NameRefused(Arc<RequestError>),
}

impl EventState {
    fn unsent(cause: &Arc<RequestError>) -> EventState {
        EventState::Done(Outcome::Unsent(Arc::clone(cause)))
    }
}

/// Returns the outcome of an event that is larger than the client sends.
fn reject_oversized(settings: &Settings, slot: &Slot) -> Option<EventState> {
    let (event, bytes, max) = (slot.name, slot.len(), settings.max_event_bytes);
    if bytes <= max {
        return None;
    }
    let error = EventError::TooLarge { event, bytes, max };
    settings.transport.on_invalid_event(&error, slot.call_site);
    Some(EventState::Done(Outcome::Rejected(Box::new(error.into()))))
}

struct Call<'a> {
    exchange: Exchange<'a>,
    names: NameFilter,
    mode: CallMode,
}

impl Call<'_> {
    fn slots(&self) -> &[Slot] {
        self.exchange.batch.slots()
    }

    /// Sends the events of `chunk`, in one request unless the server stops at an event or refuses a name.
    async fn send_chunk(&self, chunk: Range<usize>) -> Vec<EventState> {
        if self.names.is_active() && !self.names.allows_all(&self.slots()[chunk.clone()]) {
            return self.send_by_name(chunk).await;
        }
        let mut states = Vec::with_capacity(chunk.len());
        // Requests in a row that accepted nothing.
        let mut stalls = 0;
        while states.len() < chunk.len() {
            let events = chunk.start + states.len()..chunk.end;
            match self.exchange.request(events.clone()).await {
                Ok(ParsedResponse::Accepted(ids)) => {
                    states
                        .extend(ids.into_iter().map(|id| EventState::Done(Outcome::Accepted(id))));
                }
                Ok(ParsedResponse::Partial { accepted, message }) => {
                    stalls = if accepted.is_empty() { stalls + 1 } else { 0 };
                    let accepted = accepted.into_iter().map(Outcome::Accepted);
                    states.extend(accepted.map(EventState::Done));
                    states.push(EventState::SetAside(message.into()));
                    if states.len() < chunk.len() {
                        self.pause_after_stall(stalls).await;
                    }
                }
                Err(RequestError::TooLarge { message }) if events.len() == 1 => {
                    states.push(EventState::Done(self.reject(events.start, 413, message)));
                }
                Err(error) if error.status() == Some(403) => {
                    states.extend(self.on_forbidden(events, error).await);
                }
                Err(error) => {
                    let cause = Arc::new(error);
                    states.extend(events.map(|_| EventState::unsent(&cause)));
                }
            }
        }
        states
    }

    /// Waits after requests that accepted nothing, since the server may have a problem of its own. After a few
    /// waits the events themselves are the likely reason.
    async fn pause_after_stall(&self, stalls: u32) {
        if self.mode == CallMode::Foreground && (1..=SET_ASIDE_ATTEMPTS).contains(&stalls) {
            // If the call's time is over, the next request fails.
            drop(self.exchange.wait(self.backoff(stalls)).await);
        }
    }

    /// Handles a 403 to a request with `events`.
    fn on_forbidden(
        &self,
        events: Range<usize>,
        error: RequestError,
    ) -> BoxFuture<'_, Vec<EventState>> {
        self.names.activate();
        let slots = &self.slots()[events.clone()];
        let error = Arc::new(error);
        let first = slots[0].name;
        if slots.iter().all(|slot| slot.name == first) {
            self.names.set(first, NameStatus::Refused(Arc::clone(&error)));
        } else if self.names.allows_all(slots) {
            // All names were accepted before, so the reason is another one.
            let states = events.map(|_| EventState::unsent(&error)).collect();
            return std::future::ready(states).boxed();
        }
        self.send_by_name(events).boxed()
    }

    /// Probes one event of each name that was not probed yet, alone. Then sends the events of the allowed names
    /// in runs of consecutive places.
    async fn send_by_name(&self, events: Range<usize>) -> Vec<EventState> {
        let slots = self.slots();
        let start = events.start;
        let mut states: Vec<Option<EventState>> = vec![None; events.len()];
        let probing = self.names.probing.lock().await;
        for index in events.clone() {
            if self.names.status(slots[index].name).is_none() {
                states[index - start] = self.probe(index).await;
            }
        }
        drop(probing);
        for index in events.clone() {
            let state = &mut states[index - start];
            if state.is_none() {
                *state = match self.names.status(slots[index].name) {
                    Some(NameStatus::Refused(error)) => Some(EventState::NameRefused(error)),
                    Some(NameStatus::Unknown(error)) => Some(EventState::unsent(&error)),
                    Some(NameStatus::Allowed) | None => None,
                };
            }
        }
        let include = |index: usize| events.contains(&index) && states[index - start].is_none();
        for run in split(slots, self.exchange.settings.limits, include) {
            let run_states = Box::pin(self.send_chunk(run.clone())).await;
            for (state, run_state) in states[run.start - start..].iter_mut().zip(run_states) {
                *state = Some(run_state);
            }
        }
        // Every event was probed, has a refused or unknown name, or was in exactly one run.
        states.into_iter().flatten().collect()
    }

    /// Sends the event at `index` alone to learn whether its name is allowed. Returns its state, unless it follows
    /// from the name's.
    async fn probe(&self, index: usize) -> Option<EventState> {
        let response = self.exchange.request(index..index + 1).await;
        let (status, state) = match response {
            Ok(ParsedResponse::Accepted(ids)) => {
                let accepted = ids.into_iter().next().map(Outcome::Accepted);
                (NameStatus::Allowed, accepted.map(EventState::Done))
            }
            Ok(ParsedResponse::Partial { message, .. }) => {
                (NameStatus::Allowed, Some(EventState::SetAside(message.into())))
            }
            Err(RequestError::TooLarge { message }) => {
                let rejected = self.reject(index, 413, message);
                (NameStatus::Allowed, Some(EventState::Done(rejected)))
            }
            Err(error) if error.status() == Some(403) => (NameStatus::Refused(error.into()), None),
            Err(error) => (NameStatus::Unknown(error.into()), None),
        };
        self.names.set(self.slots()[index].name, status);
        state
    }

    /// Turns the states into outcomes, after sending the events that were set aside again.
    async fn finish(&self, mut states: Vec<EventState>) -> CallOutcomes {
        if self.mode == CallMode::Foreground {
            self.retry_set_aside(&mut states).await;
        }
        let accepted_names = self.accepted_names(&states);
        let mut set_aside = Vec::new();
        let outcomes = states.into_iter().enumerate().map(|(index, state)| match state {
            EventState::Done(outcome) => outcome,
            EventState::SetAside(message) => {
                set_aside.push(index);
                let message = message.as_ref().to_owned();
                Outcome::Unsent(Arc::new(RequestError::Refused { status: 400, message }))
            }
            EventState::NameRefused(error) => {
                let name = self.slots()[index].name;
                // If only other names were accepted, the 403 concerns this name. Otherwise it concerns the key.
                if accepted_names.is_empty() || accepted_names.contains(name) {
                    Outcome::Unsent(error)
                } else {
                    self.reject(index, 403, error.message().unwrap_or_default().to_owned())
                }
            }
        });
        CallOutcomes { outcomes: outcomes.collect(), set_aside }
    }

    /// Returns the names of the accepted events, if there was a 403.
    fn accepted_names(&self, states: &[EventState]) -> HashSet<&'static str> {
        if !self.names.is_active() {
            return HashSet::new();
        }
        let accepted = |state: &EventState| matches!(state, EventState::Done(Outcome::Accepted(_)));
        let events = self.slots().iter().zip(states);
        events.filter(|(_, state)| accepted(state)).map(|(slot, _)| slot.name).collect()
    }

    async fn retry_set_aside(&self, states: &mut [EventState]) {
        let permits = Semaphore::new(self.exchange.settings.max_in_flight);
        let retries = states.iter().enumerate().filter_map(|(index, state)| match state {
            EventState::SetAside(_) => Some(self.retry_alone(index, &permits)),
            EventState::Done(_) | EventState::NameRefused(_) => None,
        });
        let mut retries: FuturesUnordered<_> = retries.collect();
        while let Some((index, outcome)) = retries.next().await {
            states[index] = EventState::Done(outcome);
        }
    }

    /// Sends an event that was set aside again, alone and with backoff. If the server still answers 400, the
    /// event is rejected.
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

    fn backoff(&self, failures: u32) -> std::time::Duration {
        backoff_delay(self.exchange.settings.retry, failures, None, fastrand::f64())
    }

    /// Rejects an event, unless an earlier attempt may have been accepted. A background sender logs the rejections
    /// itself.
    fn reject(&self, index: usize, status: u16, message: String) -> Outcome {
        let outcome = reject(self.exchange.batch, index, status, message);
        if let (CallMode::Foreground, Outcome::Rejected(reason)) = (self.mode, &outcome) {
            log::server_rejected(reason);
        }
        outcome
    }
}

/// Returns the outcome of an event that the server rejects. If an earlier attempt may have been accepted, the event
/// is unsent instead.
pub(crate) fn reject(batch: &Batch, index: usize, status: u16, message: String) -> Outcome {
    if batch.is_in_doubt(index) {
        return Outcome::Unsent(Arc::new(RequestError::InDoubt { status, message }));
    }
    let event = batch.slots()[index].name;
    Outcome::Rejected(Box::new(Rejection::Server { event, status, message }))
}
