//! No-op version of the `Span` in `span.rs`, for builds without the feature `tracing`.
#![allow(clippy::unused_self, reason = "the same methods as in `span.rs`")]

use super::hooks::SendOutcome;
use crate::batch::Batch;

#[derive(Clone)]
pub(super) struct Span;

impl Span {
    pub(super) fn for_event(_: &'static str) -> Span {
        Span
    }

    pub(super) fn for_batch(_: &Batch) -> Span {
        Span
    }

    pub(super) fn in_scope<T>(&self, function: impl FnOnce() -> T) -> T {
        function()
    }

    pub(super) fn instrument<F: Future>(&self, future: F) -> F {
        future
    }

    pub(super) fn record_outcomes<'a>(&self, _: impl Iterator<Item = SendOutcome<'a>>) {}

    pub(super) fn record_id(&self, _: &str) {}
}
