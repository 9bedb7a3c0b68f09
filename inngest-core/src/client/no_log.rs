//! No-op versions of the functions in `log.rs`, for builds without the feature `tracing`.

use std::time::Duration;

use super::error::{Rejection, RequestError};

pub(super) fn retrying(_: &RequestError, _: usize, _: u32, _: Duration) {}

pub(super) fn failed(_: &RequestError, _: usize, _: u32) {}

pub(super) fn failed_in_background(_: &RequestError, _: usize) {}

pub(crate) fn publisher_failed(_: usize, _: &RequestError) {}

pub(crate) fn publisher_refused(_: &RequestError) {}

pub(crate) fn abandoned(_: usize) {}

pub(crate) fn hook_panicked(_: &str) {}

pub(super) fn invalid_trace_header(_: &str) {}

pub(super) fn background_failing(_: &RequestError, _: Duration) {}

pub(super) fn background_still_failing(_: &RequestError, _: Duration) {}

pub(super) fn background_recovered(_: Duration) {}

pub(crate) fn batch_isolated(_: usize, _: &RequestError) {}

pub(crate) fn server_rejected(_: &Rejection) {}

#[cfg(feature = "metrics")]
pub(super) fn metrics_panicked() {}

#[cfg(feature = "blocking")]
pub(crate) fn blocking_in_task() {}
