//! The log events of the client and the publisher. They never contain an event's data or a URL.

use std::time::Duration;

use super::error::{Rejection, RequestError};

pub(super) fn retrying(error: &RequestError, events: usize, attempt: u32, wait: Duration) {
    tracing::debug!(events, attempt, ?wait, %error, "sending to Inngest failed, retrying");
}

pub(super) fn failed(error: &RequestError, events: usize, attempts: u32) {
    tracing::warn!(events, attempts, %error, "sending to Inngest failed");
}

pub(super) fn failed_in_background(error: &RequestError, events: usize) {
    tracing::debug!(events, %error, "sending to Inngest failed");
}

pub(crate) fn publisher_failed(events: usize, error: &RequestError) {
    tracing::error!(events, %error, "sending to Inngest failed; the events are not retried");
}

pub(crate) fn publisher_refused(error: &RequestError) {
    tracing::error!(%error, "Inngest refuses the event key; the publisher keeps the events");
}

pub(crate) fn abandoned(events: usize) {
    tracing::error!(events, "a publisher was dropped with undelivered events; call `close` first");
}

pub(crate) fn hook_panicked(hook: &str) {
    tracing::error!(hook, "a hook panicked");
}

pub(super) fn invalid_trace_header(header: &str) {
    tracing::warn!(header, "the trace context returned an invalid header, which is not sent");
}

pub(super) fn background_failing(error: &RequestError, next_attempt_in: Duration) {
    tracing::warn!(?next_attempt_in, %error, "sending to Inngest fails; events are kept and retried");
}

pub(super) fn background_still_failing(error: &RequestError, next_attempt_in: Duration) {
    tracing::debug!(?next_attempt_in, %error, "sending to Inngest still fails");
}

pub(super) fn background_recovered(after: Duration) {
    tracing::info!(?after, "sending to Inngest recovered");
}

pub(crate) fn batch_isolated(events: usize, error: &RequestError) {
    tracing::warn!(events, %error, "a batch keeps failing while others succeed; it is retried separately");
}

pub(crate) fn server_rejected(reason: &Rejection) {
    if let Rejection::Server { event, status, message } = reason {
        tracing::warn!(event, status, message, "Inngest rejected an event");
    }
}

#[cfg(feature = "metrics")]
pub(super) fn metrics_panicked() {
    tracing::error!("the metrics recorder panicked");
}

#[cfg(feature = "blocking")]
pub(crate) fn blocking_in_task() {
    tracing::warn!(
        "a blocking client was called in async code, where it blocks the runtime's thread; use \
         inngest_core::Client, or call it in tokio::task::spawn_blocking"
    );
}
