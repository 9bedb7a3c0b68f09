//! The log events of the client and the publisher. They never contain an event's data or a URL.

use std::time::Duration;

use super::error::RequestError;

pub(super) fn retrying(error: &RequestError, events: usize, attempt: u32, wait: Duration) {
    tracing::debug!(events, attempt, ?wait, %error, "sending to Inngest failed, retrying");
}

pub(super) fn failed(error: &RequestError, events: usize, attempts: u32) {
    tracing::warn!(events, attempts, %error, "sending to Inngest failed");
}

pub(super) fn rejected(event: &str, status: u16, message: &str) {
    tracing::warn!(event, status, message, "Inngest rejected an event");
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

#[cfg(feature = "blocking")]
pub(crate) fn blocking_in_task() {
    tracing::warn!(
        "a blocking client was called in async code, where it blocks the runtime's thread; use \
         inngest_core::Client, or call it in tokio::task::spawn_blocking"
    );
}
