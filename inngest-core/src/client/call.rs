//! One call: a batch's chunks sent side by side, each until what became of its events is known.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use super::error::{Rejection, RequestError};
use super::hooks::{SendOutcome, TraceHeaders};
use super::metrics::Attempt;
use super::request::{request as request_of, timeout};
use super::response::{self, Answer};
use super::retry::{Decision, decide};
use super::transport::{Request, TransportError};
use super::{Inner, log};
use crate::batch::{Batch, split};
use crate::event::{EventError, EventId};

/// What became of one event. Small, since there are thousands and nearly all are accepted.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Accepted(EventId),
    Rejected(Box<Rejection>),
    /// Shared with the other events of its request.
    Unsent(Arc<RequestError>),
}

impl Outcome {
    pub(super) fn seen(&self) -> SendOutcome<'_> {
        match self {
            Outcome::Accepted(id) => SendOutcome::Accepted(id),
            Outcome::Rejected(reason) => SendOutcome::Rejected(reason),
            Outcome::Unsent(cause) => SendOutcome::Unsent(Some(cause)),
        }
    }
}

/// Sends `batch` and says what became of each event, in order.
pub(super) async fn run(client: &Inner, batch: &Batch, trace: &TraceHeaders) -> Vec<Outcome> {
    let too_large = |bytes| bytes > client.max_event_bytes;
    let chunks = split(batch.slots(), client.limits, |slot| too_large(slot.len()));
    let call = Call::new(client, batch, trace);

    if let [chunk] = &*chunks {
        if chunk.len() == batch.len() {
            return call.chunk(chunk.clone()).await;
        }
    }
    let mut outcomes: Vec<Option<Outcome>> = vec![None; batch.len()];
    let sending = chunks.into_iter().map(|chunk| async {
        let start = chunk.start;
        (start, call.chunk(chunk).await)
    });
    let mut sent = stream::iter(sending).buffer_unordered(client.max_in_flight);
    while let Some((start, settled)) = sent.next().await {
        for (outcome, settled) in outcomes[start..].iter_mut().zip(settled) {
            *outcome = Some(settled);
        }
    }

    let rejected_here = |index: usize| {
        let slot = batch.slots()[index];
        let (event, bytes, max) = (slot.name, slot.len(), client.max_event_bytes);
        let error = EventError::TooLarge { event, bytes, max };
        client.transport.refused(&error, slot.call_site);
        Outcome::Rejected(Box::new(error.into()))
    };
    let settled = outcomes.into_iter().enumerate();
    settled.map(|(index, outcome)| outcome.unwrap_or_else(|| rejected_here(index))).collect()
}

struct Call<'a> {
    client: &'a Inner,
    batch: &'a Batch,
    trace: &'a TraceHeaders,
    /// None is further off than a clock can tell.
    deadline: Option<Instant>,
    /// Set by the first request whose key is refused; none is begun after it.
    refused: OnceLock<RequestError>,
}

impl<'a> Call<'a> {
    fn new(client: &'a Inner, batch: &'a Batch, trace: &'a TraceHeaders) -> Call<'a> {
        let deadline = Instant::now().checked_add(client.retry.total_timeout);
        Call { client, batch, trace, deadline, refused: OnceLock::new() }
    }

    /// Sends the events of `chunk`, as one request if all goes well.
    async fn chunk(&self, chunk: Range<usize>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(chunk.len());
        // Whether the next event is one that a request broke at. It goes once more, alone: the server
        // answers its own failures as it answers a bad event, and only a second refusal tells.
        let mut suspect = false;
        while outcomes.len() < chunk.len() {
            let start = chunk.start + outcomes.len();
            let end = if suspect { start + 1 } else { chunk.end };
            let answer = self.request(start..end).await;
            let was_suspect = std::mem::take(&mut suspect);
            match answer {
                Ok(Answer::Accepted(ids)) => {
                    outcomes.extend(ids.into_iter().map(Outcome::Accepted));
                }
                Ok(Answer::Partial { message, .. }) if was_suspect => {
                    outcomes.push(self.rejected(start, 400, message));
                }
                Ok(Answer::Partial { accepted, .. }) => {
                    outcomes.extend(accepted.into_iter().map(Outcome::Accepted));
                    suspect = true;
                }
                Err(RequestError::TooLarge { message }) if end - start == 1 => {
                    outcomes.push(self.rejected(start, 413, message));
                }
                Err(error) => {
                    outcomes.resize(end - chunk.start, Outcome::Unsent(Arc::new(error)));
                }
            }
        }
        outcomes
    }

    fn rejected(&self, index: usize, status: u16, message: String) -> Outcome {
        let event = self.batch.slots()[index].name;
        log::rejected(event, status, &message);
        Outcome::Rejected(Box::new(Rejection::Server { event, status, message }))
    }

    /// Sends one request, and again while it fails in a way that may pass and there is time.
    async fn request(&self, events: Range<usize>) -> Result<Answer, RequestError> {
        let slots = &self.batch.slots()[events.clone()];
        let count = events.len();
        let mut left = self.time_to_begin()?;
        let request = request_of(self.client, self.batch, self.trace, events);
        let mut attempt = 1;
        loop {
            let begun = Attempt::begin();
            let answer = self.attempt(&request, count, left).await;
            begun.end(slots, &answer);
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if matches!(error, RequestError::KeyRefused { .. }) {
                // Another request may have been the first to be refused.
                drop(self.refused.set(error.clone()));
            }
            if !error.is_retryable() {
                log::failed(&error, count, attempt);
                return Err(error);
            }
            left = self.left();
            let retry_after = error.retry_after();
            match decide(self.client.retry, attempt, retry_after, left, fastrand::f64()) {
                Decision::Wait(wait) => {
                    log::retrying(&error, count, attempt, wait);
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                    left = self.time_to_begin()?;
                }
                Decision::Stop => {
                    log::failed(&error, count, attempt);
                    return Err(error);
                }
                Decision::RetryAfterExceedsDeadline => {
                    let wait = retry_after.unwrap_or_default();
                    let error = RequestError::RetryAfterTooLong { wait, left, cause: error.into() };
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
        left: Duration,
    ) -> Result<Answer, RequestError> {
        let after = timeout(self.client.timeout, events).min(left);
        let sent = tokio::time::timeout(after, self.client.transport.send(request)).await;
        match sent {
            Err(_) => Err(RequestError::Timeout { after }),
            Ok(Err(TransportError::Connect(source))) => Err(RequestError::Connect { source }),
            Ok(Err(TransportError::Interrupted(source))) => {
                Err(RequestError::Interrupted { source })
            }
            Ok(Ok(response)) => response::read(&response, events, &self.client.key),
        }
    }

    /// What the call has left for another request, if one may begin.
    fn time_to_begin(&self) -> Result<Duration, RequestError> {
        if let Some(refused) = self.refused.get() {
            return Err(refused.clone());
        }
        let left = self.left();
        if left.is_zero() { Err(RequestError::DeadlineExceeded) } else { Ok(left) }
    }

    fn left(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline - Instant::now())
    }
}
