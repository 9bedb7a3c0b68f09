//! Builds HTTP requests: the headers that all requests share, and the request for a range of a
//! batch.

use std::ops::Range;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use super::config_error::ConfigError;
use super::hooks::TraceHeaders;
use super::settings::Settings;
use super::transport::Request;
use crate::batch::Batch;

const SEED: HeaderName = HeaderName::from_static("x-inngest-event-id-seed");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

const SDK: &str = concat!("inngest-rust-events:v", env!("CARGO_PKG_VERSION"));

/// Returns the headers that every request of a client has.
pub(super) fn common_headers(
    app_name: Option<&str>,
    env: Option<&str>,
) -> Result<HeaderMap, ConfigError> {
    let header = |value: &str, option: &'static str| {
        HeaderValue::from_str(value).map_err(|_| ConfigError::InvalidOption {
            option,
            problem: "it has a character that is not allowed in an HTTP header".to_owned(),
        })
    };
    let user_agent = match app_name {
        Some(app) => header(&format!("{SDK} ({app})"), "app_name")?,
        None => HeaderValue::from_static(SDK),
    };
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, user_agent);
    headers.insert(HeaderName::from_static("x-inngest-sdk"), HeaderValue::from_static(SDK));
    if let Some(env) = env {
        headers.insert(HeaderName::from_static("x-inngest-env"), header(env, "env")?);
    }
    Ok(headers)
}

/// Builds the request that sends the events `range` of `batch`. The same range always results in
/// the same request, including the seed, which makes retries safe.
pub(super) fn build_request(
    settings: &Settings,
    batch: &Batch,
    trace: &TraceHeaders,
    range: Range<usize>,
) -> Request {
    let mut headers = settings.headers.clone();
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
        url: settings.endpoint.clone(),
        headers,
        max_response_bytes: max_response_bytes(range.len()),
        #[cfg(feature = "testing")]
        call_sites: call_sites(&batch.slots()[range.clone()]),
        body: batch.body(range),
    }
}

/// Returns the source locations at which the events were passed to the client, for a test's
/// transport.
#[cfg(feature = "testing")]
fn call_sites(slots: &[crate::batch::Slot]) -> super::test_transport::CallSites {
    super::test_transport::CallSites(slots.iter().map(|slot| slot.call_site.location).collect())
}

/// Returns the maximum size of a response's body. A response has 29 bytes per event; the rest
/// allows for longer ids and an error message.
fn max_response_bytes(events: usize) -> usize {
    64 * 1024 + 64 * events
}

/// Returns the timeout of a request: `base`, plus 1 ms per event. The server takes 160 to 300 ms
/// for a thousand events.
pub(super) fn timeout(base: Duration, events: usize) -> Duration {
    base.saturating_add(Duration::from_millis(u64::try_from(events).unwrap_or(u64::MAX)))
}
