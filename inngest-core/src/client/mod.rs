//! Sending: the client, its configuration, and one call from a batch to the outcome of each event.

mod base_url;
mod call;
mod config;
mod config_error;
mod connection_error;
mod environment;
mod error;
mod event_key;
mod exchange;
mod hooks;
#[cfg_attr(not(feature = "tracing"), path = "no_log.rs")]
pub(crate) mod log;
#[cfg_attr(not(feature = "metrics"), path = "no_metrics.rs")]
mod metrics;
mod name_filter;
mod outage;
mod outcome;
mod pace;
mod redaction;
mod request;
mod response;
mod retry;
mod retry_after;
mod sending;
mod settings;
mod source;
#[cfg_attr(not(feature = "tracing"), path = "no_span.rs")]
mod span;
#[cfg(feature = "testing")]
pub(crate) mod test_transport;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::batch::{Batch, CallSite, RequestLimits};
use crate::event::{BeforeSend, EventError, EventId, IntoEvent};

pub(crate) use call::{CallOutcomes, SET_ASIDE_ATTEMPTS, reject};
pub use config::ClientBuilder;
#[cfg(feature = "outbox")]
pub(crate) use config::DEFAULT_MAX_EVENT_BYTES;
pub use config_error::ConfigError;
pub use error::{BatchError, Rejection, RequestError, SendError};
pub use event_key::EventKey;
use exchange::CallMode;
pub(crate) use hooks::TraceHeaders;
pub use hooks::{SendOutcome, SendReport, TraceContext};
#[cfg(feature = "outbox")]
pub(crate) use metrics::OutboxGauges;
use metrics::OutcomeCounter;
pub(crate) use metrics::QueueGauges;
pub(crate) use outage::Outage;
pub(crate) use outcome::Outcome;
use outcome::{InvalidEvent, call_result};
pub(crate) use pace::Pace;
pub use retry::RetryPolicy;
pub use sending::Sending;
use settings::Settings;
use span::Span;

/// Sends events to Inngest. Cheap to clone: clones share their connections.
///
/// It needs a tokio runtime with time and I/O enabled. A connection belongs to the runtime in which
/// it was opened, and works only while that runtime runs. With several runtimes, create a client in
/// each. If one of them is not driven (a current-thread runtime between two `block_on` calls),
/// requests of the others that reuse its connections wait until they time out. After `fork`, create
/// the client in the child process.
///
/// ```no_run
/// # async fn run(event: impl inngest_core::InngestEvent) -> Result<(), Box<dyn std::error::Error>> {
/// use inngest_core::Client;
///
/// let client = Client::from_env()?;
/// let id = client.send(&event).await?;
/// # Ok(())
/// # }
/// ```
///
/// Dropping a returned future cancels the call: requests in flight are aborted, and the outcome of
/// their events is unknown. To be able to send them again without duplicates, keep the [`Batch`]
/// and use [`send_batch`](Client::send_batch).
///
/// See [sending](crate::guide::sending) in the guide.
#[derive(Clone)]
pub struct Client(Arc<Settings>);

/// The initial capacity for a single event. Most events need no more.
const TYPICAL_EVENT_BYTES: usize = 256;

/// The span and the trace context of a call, created when the call is made.
struct CallContext {
    span: Span,
    trace: TraceHeaders,
}

impl Client {
    /// Builds a client from environment variables only: `INNGEST_EVENT_KEY`, `INNGEST_DEV` and the
    /// other variables listed by the methods of [`ClientBuilder`]. If `INNGEST_DEV` selects a Dev
    /// Server, events are sent there, also if an event key is set.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError`] if neither a key nor dev mode is set, or if a variable is invalid.
    pub fn from_env() -> Result<Client, ConfigError> {
        Client::builder().build()
    }

    /// Returns a builder to configure a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Sends one event: a payload, a reference to one, an [`Event`](crate::Event) envelope around
    /// either, or an enum of events.
    ///
    /// The event is serialized before `send` returns, and the future borrows nothing.
    ///
    /// # Errors
    ///
    /// Returns [`SendError`] if the event was rejected or is unsent. The error returns the serialized
    /// event.
    #[track_caller]
    pub fn send<E: IntoEvent>(&self, event: E) -> Sending<Result<EventId, SendError>> {
        let mut batch = Batch::with_capacity(1, TYPICAL_EVENT_BYTES);
        let (name, pushed) = batch.push_with_hooks(self.before_send(), event);
        self.send_pushed(name, batch, pushed, CallSite::caller())
    }

    /// Sends `batch`, which contains the event if it could be pushed.
    fn send_pushed(
        &self,
        name: &'static str,
        batch: Batch,
        pushed: Result<(), EventError>,
        call_site: CallSite,
    ) -> Sending<Result<EventId, SendError>> {
        let invalid = pushed.err().map(|error| InvalidEvent::new(0, name, call_site, error));
        let client = self.clone();
        let context = self.context(Span::for_event(name));
        let span = context.span.clone();
        Sending::new(span.instrument(async move {
            let outcome = client.run(&context, &batch, invalid.as_slice()).await.pop();
            match (outcome, invalid) {
                (Some(Outcome::Accepted(id)), _) => {
                    context.span.record_id(id.as_str());
                    Ok(id)
                }
                (Some(Outcome::Rejected(reason)), _) => Err(SendError::rejected(*reason, batch)),
                (Some(Outcome::Unsent(cause)), _) => {
                    let cause = Arc::unwrap_or_clone(cause);
                    Err(SendError::Unsent { cause, unsent: batch })
                }
                (None, Some(invalid)) => Err(SendError::rejected(invalid.reason, batch)),
                (None, None) => unreachable!("the event is either in the batch or invalid"),
            }
        }))
    }

    /// Sends many events, split into requests according to the client's limits, and returns their
    /// ids in order.
    ///
    /// The events are serialized before `send_all` returns, and the future borrows nothing. An
    /// invalid event does not stop the others.
    ///
    /// # Errors
    ///
    /// Returns [`BatchError`], with the outcome of each event by its index in `events`, unless all
    /// were accepted.
    #[track_caller]
    pub fn send_all<I>(&self, events: I) -> Sending<Result<Vec<EventId>, BatchError>>
    where
        I: IntoIterator,
        I::Item: IntoEvent,
    {
        let events = events.into_iter();
        let call_site = CallSite::caller();
        let mut batch = Batch::with_capacity(events.size_hint().0, 0);
        let mut invalid = Vec::new();
        for (index, event) in events.enumerate() {
            let (name, pushed) = batch.push_with_hooks(self.before_send(), event);
            if let Err(error) = pushed {
                batch.skip_place();
                invalid.push(InvalidEvent::new(index, name, call_site, error));
            }
        }
        self.send_all_pushed(batch, invalid)
    }

    /// Sends `batch`. `invalid` are the events that could not be pushed on it.
    fn send_all_pushed(
        &self,
        batch: Batch,
        invalid: Vec<InvalidEvent>,
    ) -> Sending<Result<Vec<EventId>, BatchError>> {
        let client = self.clone();
        let context = self.context(Span::for_batch(&batch));
        let span = context.span.clone();
        Sending::new(span.instrument(async move {
            let outcomes = client.run(&context, &batch, &invalid).await;
            call_result(&batch, outcomes, invalid)
        }))
    }

    /// Sends a batch, split into requests according to the client's limits, and returns the events'
    /// ids in order.
    ///
    /// The same batch may be sent again after an error or a canceled call: every event keeps its id,
    /// and Inngest starts no function twice for it within 24 hours. For an empty batch, no request is
    /// sent.
    ///
    /// # Errors
    ///
    /// Returns [`BatchError`], with the outcome of each event by its index in the batch, unless all
    /// were accepted.
    pub fn send_batch(
        &self,
        batch: &Batch,
    ) -> impl Future<Output = Result<Vec<EventId>, BatchError>> + Send {
        let context = self.context(Span::for_batch(batch));
        let span = context.span.clone();
        span.instrument(async move {
            let outcomes = self.run(&context, batch, &[]).await;
            call_result(batch, outcomes, Vec::new())
        })
    }

    /// Sends `batch` for a background sender, which itself reports the outcomes and retries events
    /// that were set aside. `trace` is the trace context that all events have in common.
    pub(crate) async fn send_in_background(
        &self,
        batch: &Batch,
        trace: &TraceHeaders,
        stalls: u32,
    ) -> CallOutcomes {
        self.run_for_sender(batch, trace, CallMode::Background { stalls }).await
    }

    /// Sends `batch` for an outbox relay, which itself reports the outcomes.
    #[cfg(feature = "outbox")]
    pub(crate) async fn send_for_relay(&self, batch: &Batch, trace: &TraceHeaders) -> Vec<Outcome> {
        self.run_for_sender(batch, trace, CallMode::Relay).await.outcomes
    }

    async fn run_for_sender(
        &self,
        batch: &Batch,
        trace: &TraceHeaders,
        mode: CallMode,
    ) -> CallOutcomes {
        let span = Span::for_batch(batch);
        let result = span.instrument(call::run(&self.0, batch, trace, mode)).await;
        span.record_outcomes(result.outcomes.iter().map(Outcome::as_send_outcome));
        result
    }

    /// Returns the trace context of the caller, if the client has one configured.
    pub(crate) fn caller_trace(&self) -> Option<Arc<TraceHeaders>> {
        let has_context = self.0.hooks.trace_context.is_some();
        has_context.then(|| Arc::new(self.0.hooks.trace_headers()))
    }

    /// Returns the context of a call. The trace context is read inside of its span.
    fn context(&self, span: Span) -> CallContext {
        let trace = span.in_scope(|| self.0.hooks.trace_headers());
        CallContext { span, trace }
    }

    /// Sends `batch` and reports the outcome of every event of the call to the span, the hooks and
    /// the metrics. `invalid` are the events of the call that are not in the batch.
    async fn run(
        &self,
        context: &CallContext,
        batch: &Batch,
        invalid: &[InvalidEvent],
    ) -> Vec<Outcome> {
        for event in invalid {
            if let Rejection::Event(error) = &event.reason {
                self.on_invalid_event(error, event.call_site);
            }
        }
        let call = call::run(&self.0, batch, &context.trace, CallMode::Foreground);
        let outcomes = call.await.outcomes;
        let rejected = invalid.iter().map(|it| (it.name, SendOutcome::Rejected(&it.reason)));
        let names = batch.slots().iter().map(|slot| slot.name);
        let sent = names.zip(outcomes.iter().map(Outcome::as_send_outcome));
        self.report_outcomes(rejected.clone().chain(sent.clone()));
        context.span.record_outcomes(sent.chain(rejected).map(|(_, outcome)| outcome));
        outcomes
    }

    /// Returns a client with the same connections and configuration, but with another retry policy,
    /// for example for a single call.
    ///
    /// ```no_run
    /// # async fn run(event: impl inngest_core::InngestEvent) -> Result<(), Box<dyn std::error::Error>> {
    /// # let client = inngest_core::Client::from_env()?;
    /// use inngest_core::RetryPolicy;
    ///
    /// let id = client.with_retry(RetryPolicy::none()).send(&event).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_retry(&self, policy: RetryPolicy) -> Client {
        Client(Arc::new(Settings { retry: policy, ..(*self.0).clone() }))
    }

    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        self.0.retry
    }

    /// Returns the limits of one request.
    pub(crate) fn request_limits(&self) -> RequestLimits {
        self.0.limits
    }

    /// Returns the same client without retries and without a total timeout, for callers that do
    /// their own retries.
    pub(crate) fn without_retries(&self) -> Client {
        let policy = self.0.retry.max_attempts(1).total_timeout(Duration::MAX);
        self.with_retry(policy)
    }

    /// Returns the same client without any time to send: every event of a call is unsent at once. No
    /// `after_send` hook is called, since the caller is such a hook.
    #[cfg(feature = "blocking")]
    pub(crate) fn with_expired_deadline(&self) -> Client {
        let retry = RetryPolicy::none().total_timeout(Duration::ZERO);
        let hooks = hooks::Hooks { after: Vec::new(), ..self.0.hooks.clone() };
        Client(Arc::new(Settings { retry, hooks, ..(*self.0).clone() }))
    }

    /// Returns an error if an event is larger than `max_event_bytes`.
    pub(crate) fn check_size(&self, event: &'static str, bytes: usize) -> Result<(), EventError> {
        let max = self.0.max_event_bytes;
        if bytes > max { Err(EventError::TooLarge { event, bytes, max }) } else { Ok(()) }
    }

    /// Returns the `before_send` hooks.
    pub(crate) fn before_send(&self) -> &[BeforeSend] {
        &self.0.hooks.before
    }

    /// Reports the outcomes of events, each with the event's name, to hooks and metrics.
    pub(crate) fn report_outcomes<'a>(
        &self,
        events: impl IntoIterator<Item = (&'static str, SendOutcome<'a>)>,
    ) {
        self.report_outcomes_until(events, || false);
    }

    /// Reports the outcomes of events, and stops if `stop` returns true after the hooks of an event
    /// were called. Returns the number of reported events.
    pub(crate) fn report_outcomes_until<'a>(
        &self,
        events: impl IntoIterator<Item = (&'static str, SendOutcome<'a>)>,
        stop: impl Fn() -> bool,
    ) -> usize {
        let has_hooks = !self.0.hooks.after.is_empty();
        let events = events.into_iter();
        if !has_hooks && !cfg!(feature = "metrics") {
            return events.count();
        }
        let mut counter = OutcomeCounter::default();
        let mut reported = 0;
        for (name, outcome) in events {
            counter.add(name, outcome.error_type());
            self.0.hooks.after_send(name, outcome);
            reported += 1;
            if has_hooks && stop() {
                break;
            }
        }
        counter.flush();
        reported
    }

    /// Reports an invalid event to a test's transport, since it is not sent.
    pub(crate) fn on_invalid_event(&self, error: &EventError, call_site: CallSite) {
        self.0.transport.on_invalid_event(error, call_site);
    }
}

impl fmt::Debug for Client {
    /// Omits the endpoint, whose URL contains the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.base.as_str())
            .field("event_key", &self.0.key)
            .finish_non_exhaustive()
    }
}
