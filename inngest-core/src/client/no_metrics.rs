//! No-op versions of the items in `metrics.rs`, for builds without the feature `metrics`.
#![allow(clippy::unused_self, reason = "the same methods as in `metrics.rs`")]

use crate::batch::Slot;

pub(super) fn describe() {}

#[derive(Default)]
pub(super) struct OutcomeCounter {}

impl OutcomeCounter {
    pub(super) fn add(&mut self, _: &'static str, _: Option<&'static str>) {}

    pub(super) fn flush(&mut self) {}
}

pub(super) struct AttemptTimer;

impl AttemptTimer {
    pub(super) fn start() -> AttemptTimer {
        AttemptTimer
    }

    pub(super) fn record(&self, _: &[Slot], _: Option<&'static str>) {}
}

#[derive(Default)]
pub(crate) struct QueueGauges {}

impl QueueGauges {
    pub(crate) fn set(&mut self, _: usize, _: usize, _: usize) {}
}

#[cfg(feature = "outbox")]
pub(crate) struct OutboxGauges;

#[cfg(feature = "outbox")]
impl OutboxGauges {
    pub(crate) fn set(_: u64, _: std::time::Duration, _: u64) {}
}
