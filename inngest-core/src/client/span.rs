//! The span of a call, with the fields of OpenTelemetry's messaging conventions. It never contains
//! an event's data or a URL.

use std::fmt;

use tracing::field::Empty;
use tracing::{Instrument as _, info_span};

use super::hooks::SendOutcome;
use crate::batch::{Batch, common_name};

#[derive(Clone)]
pub(super) struct Span(tracing::Span);

impl Span {
    /// Returns the span of a call with one event.
    pub(super) fn for_event(name: &'static str) -> Span {
        Span::new(|| Some(name), None)
    }

    /// Returns the span of a call with a batch.
    pub(super) fn for_batch(batch: &Batch) -> Span {
        Span::new(|| common_name(batch.slots()), Some(batch.len()))
    }

    /// Creates the span. The macro calls `name` only if the span is enabled. The count is signed,
    /// as OpenTelemetry's integers are: an unsigned one is exported as text.
    fn new(name: impl Fn() -> Option<&'static str>, count: Option<usize>) -> Span {
        Span(info_span!(
            "send",
            otel.name = %SpanName(name()),
            otel.kind = "producer",
            messaging.system = "inngest",
            messaging.operation.name = "send",
            messaging.operation.type = "send",
            messaging.destination.name = name(),
            messaging.batch.message_count = count.and_then(|count| i64::try_from(count).ok()),
            messaging.message.id = Empty,
            error.type = Empty,
        ))
    }

    pub(super) fn in_scope<T>(&self, function: impl FnOnce() -> T) -> T {
        self.0.in_scope(function)
    }

    pub(super) fn instrument<F: Future>(
        &self,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(self.0.clone())
    }

    /// Records the error type of the first unsent event, or of the first rejected one if no event
    /// is unsent.
    pub(super) fn record_outcomes<'a>(&self, outcomes: impl Iterator<Item = SendOutcome<'a>>) {
        if self.0.is_disabled() {
            return;
        }
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

    /// Records the id of the event of a call with one event.
    pub(super) fn record_id(&self, id: &str) {
        self.0.record("messaging.message.id", id);
    }
}

/// The span's name, in the format of OpenTelemetry: `send storefront/order.placed`.
struct SpanName(Option<&'static str>);

impl fmt::Display for SpanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("send")?;
        self.0.map_or(Ok(()), |name| write!(f, " {name}"))
    }
}
