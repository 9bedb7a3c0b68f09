//! One call: sends the requests of a batch concurrently, each until the outcome of its events is known.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use super::error::{Rejection, RequestError};
use super::hooks::TraceHeaders;
use super::log;
use super::metrics::AttemptTimer;
use super::outcome::Outcome;
use super::request::{build_request, timeout};
use super::response::{ParsedResponse, parse};
use super::retry::{Decision, decide};
use super::settings::Settings;
use super::transport::{Request, TransportError};
use crate::batch::{Batch, Slot, split};
use crate::event::EventError;

/// Sends `batch` and returns the outcome of each event, in order.
pub(super) async fn run(settings: &Settings, batch: &Batch, trace: &TraceHeaders) -> Vec<Outcome> {
    let call = Call::new(settings, batch, trace);
    let mut outcomes: Vec<Option<Outcome>> =
        batch.slots().iter().map(|slot| reject_oversized(settings, slot)).collect();
    let chunks = split(batch.slots(), settings.limits, |index| outcomes[index].is_none());
    let requests = chunks.into_iter().map(|chunk| async {
        let start = chunk.start;
        (start, call.send_chunk(chunk).await)
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

/// Returns the outcome of an event that is larger than the client sends.
fn reject_oversized(settings: &Settings, slot: &Slot) -> Option<Outcome> {
    let (event, bytes, max) = (slot.name, slot.len(), settings.max_event_bytes);
    if bytes <= max {
        return None;
    }
    let error = EventError::TooLarge { event, bytes, max };
    settings.transport.on_invalid_event(&error, slot.call_site);
    Some(Outcome::Rejected(Box::new(error.into())))
}

struct Call<'a> {
    settings: &'a Settings,
    batch: &'a Batch,
    trace: &'a TraceHeaders,
    /// `None` if the deadline overflows `Instant`.
    deadline: Option<Instant>,
    /// Set by the first response that refuses the key. No request is started after it.
    key_refused: OnceLock<RequestError>,
}

impl<'a> Call<'a> {
    fn new(settings: &'a Settings, batch: &'a Batch, trace: &'a TraceHeaders) -> Call<'a> {
        let deadline = Instant::now().checked_add(settings.retry.total_timeout);
        Call { settings, batch, trace, deadline, key_refused: OnceLock::new() }
    }

    /// Sends the events of `chunk`, in one request unless the server stops at an event.
    async fn send_chunk(&self, chunk: Range<usize>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(chunk.len());
        // Whether the server stopped at the next event. That event is sent once more, alone, since the
        // server reports its own failures like a bad event; only a second 400 rejects the event.
        let mut suspect = false;
        while outcomes.len() < chunk.len() {
            let start = chunk.start + outcomes.len();
            let end = if suspect { start + 1 } else { chunk.end };
            let response = self.request(start..end).await;
            let was_suspect = std::mem::take(&mut suspect);
            match response {
                Ok(ParsedResponse::Accepted(ids)) => {
                    outcomes.extend(ids.into_iter().map(Outcome::Accepted));
                }
                Ok(ParsedResponse::Partial { message, .. }) if was_suspect => {
                    outcomes.push(self.reject(start, 400, message));
                }
                Ok(ParsedResponse::Partial { accepted, .. }) => {
                    outcomes.extend(accepted.into_iter().map(Outcome::Accepted));
                    suspect = true;
                }
                Err(RequestError::TooLarge { message }) if end - start == 1 => {
                    outcomes.push(self.reject(start, 413, message));
                }
                Err(error) => {
                    outcomes.resize(end - chunk.start, Outcome::Unsent(Arc::new(error)));
                }
            }
        }
        outcomes
    }

    fn reject(&self, index: usize, status: u16, message: String) -> Outcome {
        let event = self.batch.slots()[index].name;
        log::rejected(event, status, &message);
        Outcome::Rejected(Box::new(Rejection::Server { event, status, message }))
    }

    /// Sends one request, and retries it while it fails with a transient error and there is time.
    async fn request(&self, events: Range<usize>) -> Result<ParsedResponse, RequestError> {
        let slots = &self.batch.slots()[events.clone()];
        let count = events.len();
        let mut remaining = self.time_for_request()?;
        let request = build_request(self.settings, self.batch, self.trace, events);
        let mut attempt = 1;
        loop {
            let timer = AttemptTimer::start();
            let response = self.attempt(&request, count, remaining).await;
            timer.record(slots, error_type(&response));
            let error = match response {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if error.is_key_refused() {
                // A concurrent request may have set it.
                drop(self.key_refused.set(error.clone()));
            }
            if !error.is_retryable() {
                log::failed(&error, count, attempt);
                return Err(error);
            }
            remaining = self.remaining();
            let retry_after = error.retry_after();
            match decide(self.settings.retry, attempt, retry_after, remaining, fastrand::f64()) {
                Decision::Wait(wait) => {
                    log::retrying(&error, count, attempt, wait);
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                    remaining = self.time_for_request()?;
                }
                Decision::Stop => {
                    log::failed(&error, count, attempt);
                    return Err(error);
                }
                Decision::RetryAfterExceedsDeadline => {
                    let wait = retry_after.unwrap_or_default();
                    let cause = error.into();
                    let error = RequestError::RetryAfterTooLong { wait, left: remaining, cause };
                    log::failed(&error, count, attempt);
                    return Err(error);
                }
            }
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        events: usize,
        remaining: Duration,
    ) -> Result<ParsedResponse, RequestError> {
        let after = timeout(self.settings.timeout, events).min(remaining);
        let sent = tokio::time::timeout(after, self.settings.transport.send(request)).await;
        match sent {
            Err(_) => Err(RequestError::Timeout { after }),
            Ok(Err(TransportError::Connect(source))) => Err(RequestError::Connect { source }),
            Ok(Err(TransportError::Interrupted(source))) => {
                Err(RequestError::Interrupted { source })
            }
            Ok(Ok(response)) => parse(&response, events, &self.settings.key),
        }
    }

    /// Returns the remaining time of the call, or why no further request may start.
    fn time_for_request(&self) -> Result<Duration, RequestError> {
        if let Some(error) = self.key_refused.get() {
            return Err(error.clone());
        }
        let remaining = self.remaining();
        if remaining.is_zero() { Err(RequestError::DeadlineExceeded) } else { Ok(remaining) }
    }

    fn remaining(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline - Instant::now())
    }
}

/// Returns the `error.type` of an attempt, for metrics.
fn error_type(response: &Result<ParsedResponse, RequestError>) -> Option<&'static str> {
    match response {
        Ok(ParsedResponse::Accepted(_)) => None,
        Ok(ParsedResponse::Partial { .. }) => Some("rejected"),
        Err(error) => Some(error.kind()),
    }
}
