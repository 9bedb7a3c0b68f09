//! Sends one request of a call: attempts, retries, and marking the events that may have been
//! accepted.

use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

use super::error::RequestError;
use super::hooks::TraceHeaders;
use super::log;
use super::metrics::AttemptTimer;
use super::request::{build_request, timeout};
use super::response::{ParsedResponse, parse};
use super::retry::{Decision, decide};
use super::settings::Settings;
use super::transport::{Request, TransportError};
use crate::batch::Batch;

/// Who retries events that were set aside, and who logs failures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CallMode {
    /// The call itself retries events that were set aside, and logs failures as warnings.
    Foreground,
    /// A background sender, which retries events that were set aside and logs failures itself.
    Background {
        /// The number of consecutive 400s to earlier requests that accepted none of the events.
        stalls: u32,
    },
    /// An outbox relay. As in the foreground, the call retries events that were set aside. The relay
    /// logs failures itself.
    #[cfg(feature = "outbox")]
    Relay,
}

/// What all requests of a call have in common.
pub(super) struct Exchange<'a> {
    pub(super) settings: &'a Settings,
    pub(super) batch: &'a Batch,
    trace: &'a TraceHeaders,
    mode: CallMode,
    /// `None` if the deadline overflows `Instant`.
    deadline: Option<Instant>,
    /// Set by the first response that refuses the key. No request is started after it.
    key_refused: OnceLock<RequestError>,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        batch: &'a Batch,
        trace: &'a TraceHeaders,
        mode: CallMode,
    ) -> Exchange<'a> {
        let deadline = Instant::now().checked_add(settings.retry.total_timeout);
        Exchange { settings, batch, trace, mode, deadline, key_refused: OnceLock::new() }
    }

    /// Sends `events`, whose places are consecutive, in one request. Retries transient failures as
    /// the retry policy and the deadline allow.
    pub(super) async fn request(
        &self,
        events: Range<usize>,
    ) -> Result<ParsedResponse, RequestError> {
        let count = events.len();
        let mut remaining = self.time_for_request()?;
        let request = build_request(self.settings, self.batch, self.trace, events.clone());
        let mut attempt = 1;
        loop {
            let error = match self.attempt(&request, events.clone(), remaining).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if error.refuses_every_name() {
                // Fails if a concurrent request has set it already.
                drop(self.key_refused.set(error.clone()));
            }
            if !error.is_retryable() {
                self.log_failure(&error, count, attempt);
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
                    self.log_failure(&error, count, attempt);
                    return Err(error);
                }
                Decision::RetryAfterExceedsDeadline => {
                    let wait = retry_after.unwrap_or_default();
                    let cause = error.into();
                    let error = RequestError::RetryAfterTooLong { wait, left: remaining, cause };
                    self.log_failure(&error, count, attempt);
                    return Err(error);
                }
            }
        }
    }

    fn log_failure(&self, error: &RequestError, events: usize, attempts: u32) {
        if self.mode == CallMode::Foreground {
            log::failed(error, events, attempts);
        } else {
            log::failed_in_background(error, events);
        }
    }

    /// Sends the request once, and marks the events that the server may have accepted.
    async fn attempt(
        &self,
        request: &Request,
        events: Range<usize>,
        remaining: Duration,
    ) -> Result<ParsedResponse, RequestError> {
        let slots = &self.batch.slots()[events.clone()];
        let count = events.len();
        let timer = AttemptTimer::start();
        let mut doubt = DoubtGuard { batch: self.batch, events: events.clone() };
        let after = timeout(self.settings.timeout, count).min(remaining);
        let sent = tokio::time::timeout(after, self.settings.transport.send(request)).await;
        let response = match sent {
            Err(_) => Err(RequestError::Timeout { after }),
            Ok(Err(TransportError::Connect(source))) => Err(RequestError::Connect { source }),
            Ok(Err(TransportError::Interrupted(source))) => {
                Err(RequestError::Interrupted { source })
            }
            Ok(Ok(response)) => parse(&response, count, &self.settings.key),
        };
        doubt.events.end = events.start + possibly_accepted(&response, count);
        timer.record(slots, error_type(&response));
        response
    }

    /// Waits before the next request. Fails at once if the wait would exceed the deadline.
    pub(super) async fn wait(&self, duration: Duration) -> Result<(), RequestError> {
        if duration >= self.remaining() {
            return Err(RequestError::DeadlineExceeded);
        }
        tokio::time::sleep(duration).await;
        Ok(())
    }

    /// Returns the remaining time of the call, or an error if no further request may start.
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

/// Marks the events of an attempt as in doubt when it is dropped: the server accepted them, or may
/// have. A guard also covers an attempt that is canceled.
struct DoubtGuard<'a> {
    batch: &'a Batch,
    events: Range<usize>,
}

impl Drop for DoubtGuard<'_> {
    fn drop(&mut self) {
        self.batch.mark_in_doubt(self.events.clone());
    }
}

/// Returns how many events of an attempt with `events` events, counted from the first, the server
/// may have accepted.
fn possibly_accepted(response: &Result<ParsedResponse, RequestError>, events: usize) -> usize {
    match response {
        Ok(ParsedResponse::Partial { accepted, .. }) => accepted.len(),
        Err(error) if !error.is_ambiguous() => 0,
        // Accepted events count too, since a caller can send a batch again after it was accepted.
        Ok(ParsedResponse::Accepted(_)) | Err(_) => events,
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
