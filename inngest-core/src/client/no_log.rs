//! No log: the feature `tracing` is off.

use std::time::Duration;

use super::error::RequestError;

pub(super) fn retrying(_: &RequestError, _: usize, _: u32, _: Duration) {}

pub(super) fn failed(_: &RequestError, _: usize, _: u32) {}

pub(super) fn rejected(_: &str, _: u16, _: &str) {}

pub(crate) fn abandoned(_: usize) {}

pub(crate) fn hook_panicked(_: &str) {}

pub(super) fn invalid_trace_header(_: &str) {}

#[cfg(feature = "blocking")]
pub(crate) fn blocking_in_task() {}
