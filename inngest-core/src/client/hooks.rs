//! What a user hangs into a client: hooks before and after sending, and the trace that a request
//! belongs to.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use reqwest::header::HeaderValue;

use super::error::{Rejection, RequestError};
use super::{ClientBuilder, log};
use crate::event::{BeforeSend, Envelope, EventId};

/// The end of one event's sending: what [`ClientBuilder::after_send`](crate::ClientBuilder::after_send)
/// sees.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SendReport<'a> {
    /// The event's name.
    pub name: &'static str,
    /// What became of it.
    pub outcome: SendOutcome<'a>,
}

/// What became of an event.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SendOutcome<'a> {
    /// Inngest accepted it under this id.
    Accepted(&'a EventId),
    /// The event itself is at fault: found here before it was sent, or by the server.
    Rejected(&'a Rejection),
    /// It is not known to be accepted. There is no cause where a publisher was closed or dropped before
    /// the event's end.
    Unsent(Option<&'a RequestError>),
}

impl SendOutcome<'_> {
    /// A short name of what went wrong, for counting: [`RequestError::kind`], `rejected` by the server,
    /// `invalid` found here, or `closed`. `None` for an event that was accepted.
    #[must_use]
    pub fn error_type(&self) -> Option<&'static str> {
        match self {
            SendOutcome::Accepted(_) => None,
            SendOutcome::Rejected(Rejection::Event(_)) => Some("invalid"),
            SendOutcome::Rejected(Rejection::Server { .. }) => Some("rejected"),
            SendOutcome::Unsent(Some(cause)) => Some(cause.kind()),
            SendOutcome::Unsent(None) => Some("closed"),
        }
    }
}

/// Says which trace a call belongs to, for Inngest to go on with:
/// [`ClientBuilder::trace_context`](crate::ClientBuilder::trace_context). Any
/// `Fn() -> Option<String>` is one.
pub trait TraceContext: Send + Sync + 'static {
    /// The header `traceparent` of the [W3C's Trace Context](https://www.w3.org/TR/trace-context/), such
    /// as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`; `None` sends none.
    fn traceparent(&self) -> Option<String>;

    /// The header `tracestate` that goes with it.
    fn tracestate(&self) -> Option<String> {
        None
    }
}

impl<F: Fn() -> Option<String> + Send + Sync + 'static> TraceContext for F {
    fn traceparent(&self) -> Option<String> {
        self()
    }
}

impl ClientBuilder {
    /// Calls `hook` with each event's name and envelope before the event is serialized, so that it may
    /// change the envelope. Several hooks run in the order they were added.
    ///
    /// It is called by [`Client::send`](crate::Client::send), [`Client::send_all`](crate::Client::send_all) and a
    /// [`Publisher`](crate::publisher::Publisher)'s `publish`, where they are called. Not for a
    /// [`Batch`](crate::Batch) given to [`Client::send_batch`](crate::Client::send_batch): its events are serialized as they are
    /// pushed, before a client sees them.
    ///
    /// A hook that panics panics in the caller of `send`, and nothing of that call is sent.
    ///
    /// ```
    /// # use inngest_core::Client;
    /// let builder = Client::builder().before_send(|name, envelope| {
    ///     if name.starts_with("storefront/") {
    ///         envelope.session("region", "eu-west-1");
    ///     }
    /// });
    /// ```
    pub fn before_send(
        mut self,
        hook: impl Fn(&'static str, &mut Envelope) + Send + Sync + 'static,
    ) -> ClientBuilder {
        self.hooks.before.push(BeforeSend(Arc::new(hook)));
        self
    }

    /// Calls `hook` with the end of each event, once: not for each attempt. Several hooks run in the
    /// order they were added.
    ///
    /// It is called before the call's future returns, or before a publisher's receipt says what became of
    /// the event: where it was delivered, has failed, or was left over when the publisher was closed or
    /// dropped. An event of a call that is canceled has no end, nor has one that `publish` gives back
    /// since it has no room or takes no more.
    ///
    /// It must not block. A panic in it is caught and logged, and changes nothing else.
    ///
    /// ```
    /// # use inngest_core::Client;
    /// let builder = Client::builder().after_send(|sent| {
    ///     if let Some(error) = sent.outcome.error_type() {
    ///         eprintln!("{} was not accepted: {error}", sent.name);
    ///     }
    /// });
    /// ```
    pub fn after_send(
        mut self,
        hook: impl Fn(&SendReport<'_>) + Send + Sync + 'static,
    ) -> ClientBuilder {
        self.hooks.after.push(Arc::new(hook));
        self
    }

    /// Sends the headers `traceparent` and `tracestate` that `context` gives, so that the functions' runs
    /// belong to the caller's trace.
    ///
    /// It is asked where `send`, `send_all` or `send_batch` is called, within the call's span, and its
    /// answer goes with every request of the call. A publisher's batch has events of many callers: there
    /// it is asked each time a batch is sent, in the background. What is no such header is left out and
    /// logged, and so is a panic.
    ///
    /// ```
    /// # use inngest_core::Client;
    /// # fn current_traceparent() -> Option<String> { None }
    /// let builder = Client::builder().trace_context(|| current_traceparent());
    /// ```
    pub fn trace_context(mut self, context: impl TraceContext) -> ClientBuilder {
        self.hooks.trace_context = Some(Arc::new(context));
        self
    }
}

/// The headers of one call that say which trace it belongs to.
#[derive(Clone, Debug, Default)]
pub(super) struct TraceHeaders {
    pub(super) traceparent: Option<HeaderValue>,
    pub(super) tracestate: Option<HeaderValue>,
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
    /// Tells every hook of an event's end. One that panics must not take down the call, whose other
    /// events have ended too, or a publisher's task.
    pub(super) fn sent(&self, name: &'static str, outcome: SendOutcome<'_>) {
        for hook in &self.after {
            let told = catch_unwind(AssertUnwindSafe(|| hook(&SendReport { name, outcome })));
            if told.is_err() {
                log::panicked("after_send");
            }
        }
    }

    /// Asks which trace the call belongs to that is made now.
    pub(super) fn trace_headers(&self) -> TraceHeaders {
        let Some(context) = &self.trace_context else {
            return TraceHeaders::default();
        };
        let asked =
            catch_unwind(AssertUnwindSafe(|| (context.traceparent(), context.tracestate())));
        let Ok((parent, state)) = asked else {
            log::panicked("trace_context");
            return TraceHeaders::default();
        };
        let Some(parent) = parent else {
            return TraceHeaders::default();
        };
        if !is_traceparent(&parent) {
            log::no_trace_header("traceparent");
            return TraceHeaders::default();
        }
        let tracestate = state.filter(|state| !state.is_empty());
        let tracestate = tracestate.and_then(|state| {
            let value = HeaderValue::try_from(state);
            value.inspect_err(|_| log::no_trace_header("tracestate")).ok()
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

/// Whether it is a version, a trace's id, a span's id and flags, as the W3C writes them.
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
    fn a_traceparent_is_what_the_w3c_says() {
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
