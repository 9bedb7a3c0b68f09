//! A chunk of a batch -> an HTTP request.

use std::ops::Range;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};

use super::Inner;
use super::hooks::TraceHeaders;
use super::transport::Request;
use crate::batch::Batch;

const SEED: HeaderName = HeaderName::from_static("x-inngest-event-id-seed");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The request of the events `range` of `batch`. The same events are the same request every time, the
/// seed included: that is what makes trying again safe.
pub(super) fn request(
    client: &Inner,
    batch: &Batch,
    trace: &TraceHeaders,
    range: Range<usize>,
) -> Request {
    let mut headers = client.headers.clone();
    if let Ok(seed) = HeaderValue::try_from(batch.seed_at(range.start).header()) {
        headers.insert(SEED, seed);
    }
    if let Some(traceparent) = &trace.traceparent {
        headers.insert(TRACEPARENT, traceparent.clone());
    }
    if let Some(tracestate) = &trace.tracestate {
        headers.insert(TRACESTATE, tracestate.clone());
    }
    Request {
        url: client.endpoint.clone(),
        headers,
        max_answer_bytes: max_answer_bytes(range.len()),
        #[cfg(feature = "testing")]
        callers: callers(&batch.slots()[range.clone()]),
        body: batch.body(range),
    }
}

/// Who gave the events, for a transport of a test's own.
#[cfg(feature = "testing")]
fn callers(slots: &[crate::batch::Slot]) -> super::test_transport::Callers {
    super::test_transport::Callers(slots.iter().map(|slot| slot.call_site.location).collect())
}

/// An answer has 29 bytes an event; a server may have longer ids, and more to say.
fn max_answer_bytes(events: usize) -> usize {
    64 * 1024 + 64 * events
}

/// The server works longer on more events: 160 to 300 ms for a thousand.
pub(super) fn timeout(base: Duration, events: usize) -> Duration {
    base.saturating_add(Duration::from_millis(u64::try_from(events).unwrap_or(u64::MAX)))
}
