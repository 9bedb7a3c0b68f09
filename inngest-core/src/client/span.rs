//! A call's span, with the names of OpenTelemetry's conventions for messaging: never a body, never a URL.

use std::fmt;

use tracing::field::Empty;
use tracing::{Instrument as _, info_span};

use super::hooks::SendOutcome;
use crate::batch::{Batch, one_name};
use crate::event::EventId;

#[derive(Clone)]
pub(super) struct Span(tracing::Span);

impl Span {
    /// The span of one event's call.
    pub(super) fn one(name: &'static str) -> Span {
        Span::new(|| Some(name), None)
    }

    /// The span of a batch's call.
    pub(super) fn many(batch: &Batch) -> Span {
        Span::new(|| one_name(batch.slots()), Some(batch.len()))
    }

    /// The macro asks for a name only where somebody listens.
    fn new(name: impl Fn() -> Option<&'static str>, count: Option<usize>) -> Span {
        Span(info_span!(
            "send",
            otel.name = %OtelName(name()),
            otel.kind = "producer",
            messaging.system = "inngest",
            messaging.operation.name = "send",
            messaging.operation.type = "send",
            messaging.destination.name = name(),
            messaging.batch.message_count = count,
            messaging.message.id = Empty,
            error.type = Empty,
        ))
    }

    /// Does something inside of it.
    pub(super) fn enter<T>(&self, inside: impl FnOnce() -> T) -> T {
        self.0.in_scope(inside)
    }

    /// `future`, inside of it.
    pub(super) fn around<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(self.0.clone())
    }

    pub(super) fn accepted(&self, id: &EventId) {
        self.0.record("messaging.message.id", id.as_str());
    }

    /// Says what kept events from being sent, or else what is wrong with one of them.
    pub(super) fn ended<'a>(&self, outcomes: impl Iterator<Item = SendOutcome<'a>>) {
        let mut error_type = None;
        for outcome in outcomes {
            let unsent = matches!(outcome, SendOutcome::Unsent(_));
            if unsent || error_type.is_none() {
                error_type = outcome.error_type();
            }
            if unsent {
                break;
            }
        }
        if let Some(error_type) = error_type {
            self.0.record("error.type", error_type);
        }
    }
}

/// What OpenTelemetry calls the span: `send storefront/order.placed`.
struct OtelName(Option<&'static str>);

impl fmt::Display for OtelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("send")?;
        self.0.map_or(Ok(()), |name| write!(f, " {name}"))
    }
}
