//! The hooks of a client: before and after sending, and the trace context of its requests.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use reqwest::header::HeaderValue;

use super::error::{Rejection, RequestError};
use super::log;
use crate::event::{BeforeSend, EventId};

/// The outcome of one event, passed to the hooks of
/// [`ClientBuilder::after_send`](crate::ClientBuilder::after_send).
///
/// See [observability](crate::guide::observability) in the guide.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SendReport<'a> {
    /// The event's name.
    pub name: &'static str,
    /// Its outcome.
    pub outcome: SendOutcome<'a>,
}

/// The outcome of an event.
///
/// See [observability](crate::guide::observability) in the guide.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SendOutcome<'a> {
    /// Inngest accepted the event and gave it this id.
    Accepted(&'a EventId),
    /// The event is invalid, or the server rejected it.
    Rejected(&'a Rejection),
    /// The event is not known to be accepted. The cause is `None` if a publisher was closed or
    /// dropped before the event had an outcome.
    Unsent(Option<&'a RequestError>),
    /// An outbox relay stopped sending the event, because its first attempt with an unknown outcome
    /// is so long ago that sending the event again could start its functions twice. The event is now
    /// a [dead event](crate::guide::outbox) of the outbox.
    Expired,
}

impl SendOutcome<'_> {
    /// Returns a short name of the failure, for metrics, or `None` for an accepted event. The name is
    /// [`RequestError::kind`] or `closed` for an unsent event, `rejected` if the server rejected the
    /// event, `invalid` if it was rejected before it was sent, and `expired` for
    /// [`Expired`](SendOutcome::Expired).
    #[must_use]
    pub fn error_type(&self) -> Option<&'static str> {
        match self {
            SendOutcome::Accepted(_) => None,
            SendOutcome::Rejected(Rejection::Event(_)) => Some("invalid"),
            SendOutcome::Rejected(Rejection::Server { .. }) => Some("rejected"),
            SendOutcome::Unsent(Some(cause)) => Some(cause.kind()),
            SendOutcome::Unsent(None) => Some("closed"),
            SendOutcome::Expired => Some("expired"),
        }
    }
}

/// Supplies the trace context of a call, for
/// [`ClientBuilder::trace_context`](crate::ClientBuilder::trace_context).
///
/// Implemented by any `Fn() -> Option<String>` that returns a `traceparent`.
///
/// See [observability](crate::guide::observability) in the guide.
pub trait TraceContext: Send + Sync + 'static {
    /// Returns the header `traceparent` of [W3C Trace
    /// Context](https://www.w3.org/TR/trace-context/), such as
    /// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`, or `None` to send none.
    fn traceparent(&self) -> Option<String>;

    /// Returns the header `tracestate` of the same context, or `None`, the default, to send none.
    fn tracestate(&self) -> Option<String> {
        None
    }
}

impl<F: Fn() -> Option<String> + Send + Sync + 'static> TraceContext for F {
    fn traceparent(&self) -> Option<String> {
        self()
    }
}

/// The trace context of one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TraceHeaders {
    pub(super) traceparent: Option<HeaderValue>,
    pub(super) tracestate: Option<HeaderValue>,
}

#[cfg(feature = "outbox")]
impl TraceHeaders {
    /// Returns the header `traceparent`, if the context has one.
    pub(crate) fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_ref()?.to_str().ok()
    }

    /// Creates the context of a stored `traceparent`. An invalid one is ignored.
    pub(crate) fn from_traceparent(text: &str) -> TraceHeaders {
        let traceparent = is_traceparent(text).then(|| HeaderValue::from_str(text).ok());
        TraceHeaders { traceparent: traceparent.flatten(), tracestate: None }
    }
}

type AfterSend = dyn Fn(&SendReport<'_>) + Send + Sync;

/// A client's hooks, in the order they were added.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    pub(super) before: Vec<BeforeSend>,
    pub(super) after: Vec<Arc<AfterSend>>,
    pub(super) trace_context: Option<Arc<dyn TraceContext>>,
}

impl Hooks {
    /// Calls every `after_send` hook with the outcome of one event. A panic in a hook is caught: it
    /// must end neither the call, which has more outcomes to report, nor a publisher's task.
    pub(super) fn after_send(&self, name: &'static str, outcome: SendOutcome<'_>) {
        let report = SendReport { name, outcome };
        for hook in &self.after {
            if catch_unwind(AssertUnwindSafe(|| hook(&report))).is_err() {
                log::hook_panicked("after_send");
            }
        }
    }

    /// Returns the current trace context, without invalid headers.
    pub(super) fn trace_headers(&self) -> TraceHeaders {
        let Some(context) = &self.trace_context else {
            return TraceHeaders::default();
        };
        let headers =
            catch_unwind(AssertUnwindSafe(|| (context.traceparent(), context.tracestate())));
        let Ok((parent, state)) = headers else {
            log::hook_panicked("trace_context");
            return TraceHeaders::default();
        };
        let Some(parent) = parent else {
            return TraceHeaders::default();
        };
        if !is_traceparent(&parent) {
            log::invalid_trace_header("traceparent");
            return TraceHeaders::default();
        }
        let tracestate = state.filter(|state| !state.is_empty()).and_then(|state| {
            let value = HeaderValue::try_from(state);
            value.inspect_err(|_| log::invalid_trace_header("tracestate")).ok()
        });
        TraceHeaders { traceparent: HeaderValue::try_from(parent).ok(), tracestate }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("before_send", &self.before.len())
            .field("after_send", &self.after.len())
            .field("trace_context", &self.trace_context.is_some())
            .finish()
    }
}

/// Returns whether `text` consists of a version, a trace id, a span id and flags, as W3C Trace
/// Context defines them.
fn is_traceparent(text: &str) -> bool {
    let is_hex = |part: &str, len| {
        let digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        part.len() == len && part.bytes().all(digit)
    };
    let is_id = |part: &str, len| is_hex(part, len) && part.bytes().any(|byte| byte != b'0');
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, span, flags] = *parts else {
        return false;
    };
    is_hex(version, 2) && version != "ff" && is_id(trace, 32) && is_id(span, 16) && is_hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use super::is_traceparent;

    #[test]
    fn only_w3c_traceparents_are_accepted() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        const SPAN: &str = "b7ad6b7169203331";
        assert!(is_traceparent(&format!("00-{TRACE}-{SPAN}-01")));
        let bad = [
            String::new(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01\r\nx-more: 1"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
        ];
        for text in bad {
            assert!(!is_traceparent(&text), "{text}");
        }
    }
}
