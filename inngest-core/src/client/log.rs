//! What a client tells `tracing`: never a body, never a URL.

use std::time::Duration;

use super::error::RequestError;

#[cfg(feature = "tracing")]
pub(super) fn retrying(error: &RequestError, events: usize, attempt: u32, wait: Duration) {
    tracing::debug!(events, attempt, ?wait, %error, "sending to Inngest failed, trying again");
}

#[cfg(feature = "tracing")]
pub(super) fn failed(error: &RequestError, events: usize, attempts: u32) {
    tracing::warn!(events, attempts, %error, "sending to Inngest failed");
}

#[cfg(feature = "tracing")]
pub(super) fn rejected(event: &str, status: u16, message: &str) {
    tracing::warn!(event, status, message, "Inngest rejected an event");
}

#[cfg(feature = "tracing")]
pub(crate) fn abandoned(events: usize) {
    tracing::error!(events, "a publisher was dropped with events undelivered; close it first");
}

#[cfg(feature = "tracing")]
pub(crate) fn panicked(hook: &str) {
    tracing::error!(hook, "a hook panicked");
}

#[cfg(feature = "tracing")]
pub(super) fn no_trace_header(header: &str) {
    tracing::warn!(header, "a trace context gives what is no such header; it is not sent");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn abandoned(_: usize) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn panicked(_: &str) {}

#[cfg(not(feature = "tracing"))]
pub(super) fn no_trace_header(_: &str) {}

#[cfg(not(feature = "tracing"))]
pub(super) fn retrying(_: &RequestError, _: usize, _: u32, _: Duration) {}

#[cfg(not(feature = "tracing"))]
pub(super) fn failed(_: &RequestError, _: usize, _: u32) {}

#[cfg(not(feature = "tracing"))]
pub(super) fn rejected(_: &str, _: u16, _: &str) {}
