//! Sending.

mod call;
mod config;
mod error;
mod hooks;
pub(crate) mod log;
#[cfg_attr(not(feature = "metrics"), path = "no_metrics.rs")]
mod metrics;
mod pace;
mod request;
mod response;
mod retry;
#[cfg_attr(not(feature = "tracing"), path = "no_span.rs")]
mod span;
#[cfg(feature = "testing")]
pub(crate) mod test_transport;
mod transport;

use std::fmt;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::batch::{Batch, CallSite, Limits};
use crate::event::{BeforeSend, EventError, EventId, IntoEvent};
use crate::publisher::PublisherBuilder;

pub(crate) use call::Outcome;
pub use config::{ClientBuilder, EventKey};
pub use error::{BatchError, ConfigError, Rejection, RequestError, SendError};
use hooks::{Hooks, TraceHeaders};
pub use hooks::{SendOutcome, SendReport, TraceContext};
pub(crate) use metrics::Gauges;
use metrics::Tally;
pub(crate) use pace::Pace;
pub use retry::RetryPolicy;
use span::Span;
use transport::Transport;

/// Sends events to Inngest. Cheap to clone: clones share their connections.
///
/// It needs a tokio runtime with time and I/O enabled.
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
/// Dropping a future it returned cancels the call: requests under way are broken off, and nobody
/// knows what became of their events. To be able to send them again without duplicates, keep the
/// [`Batch`] and use [`send_batch`](Client::send_batch).
#[derive(Clone)]
pub struct Client(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    transport: Transport,
    endpoint: Url,
    headers: HeaderMap,
    key: EventKey,
    base: Url,
    timeout: Duration,
    retry: RetryPolicy,
    max_event_bytes: usize,
    limits: Limits,
    max_in_flight: usize,
    hooks: Hooks,
}

/// An event of a call that could not be pushed on its batch.
struct Refused {
    /// Where it stands in the call.
    index: usize,
    name: &'static str,
    reason: Rejection,
}

impl Client {
    /// A client configured by the environment alone: `INNGEST_EVENT_KEY`, `INNGEST_DEV` and the
    /// others that [`ClientBuilder`] names.
    pub fn from_env() -> Result<Client, ConfigError> {
        Client::builder().build()
    }

    /// Configures a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Sends one event: a payload, a reference to one, an [`Event`](crate::Event) envelope around
    /// either, or an enum of events.
    ///
    /// The event is serialized in the call itself, and the future borrows nothing.
    ///
    /// # Errors
    ///
    /// [`SendError`]: the event was rejected, or it is unsent and handed back.
    #[track_caller]
    pub fn send<E: IntoEvent>(
        &self,
        event: E,
    ) -> impl Future<Output = Result<EventId, SendError>> + Send + 'static + use<E> {
        let mut batch = Batch::with_capacity(1, 0);
        let (name, pushed) = batch.push_with_hooks(&self.0.hooks.before, event);
        let (client, call_site) = (self.clone(), CallSite::caller());
        let span = Span::one(name);
        let trace = span.enter(|| self.0.hooks.trace_headers());
        span.clone().around(async move {
            let outcome = match pushed {
                Ok(()) => call::run(&client.0, &batch, &trace).await.pop(),
                Err(error) => {
                    client.refused(&error, call_site);
                    Some(Outcome::Rejected(Box::new(error.into())))
                }
            };
            let Some(outcome) = outcome else { unreachable!("a batch of one has one outcome") };
            client.ended(iter::once((name, outcome.seen())));
            span.ended(iter::once(outcome.seen()));
            match outcome {
                Outcome::Accepted(id) => {
                    span.accepted(&id);
                    Ok(id)
                }
                Outcome::Rejected(reason) => Err(SendError::rejected(*reason, batch)),
                Outcome::Unsent(cause) => {
                    let cause = Arc::unwrap_or_clone(cause);
                    Err(SendError::Unsent { cause, unsent: batch })
                }
            }
        })
    }

    /// Sends many events, split into requests as the limits ask, and returns their ids in order.
    ///
    /// The events are serialized in the call itself, and the future borrows nothing. An event that
    /// cannot be sent does not stop the others.
    ///
    /// # Errors
    ///
    /// [`BatchError`]: what became of each event, by its index in `events`.
    #[track_caller]
    pub fn send_all<I>(
        &self,
        events: I,
    ) -> impl Future<Output = Result<Vec<EventId>, BatchError>> + Send + 'static + use<I>
    where
        I: IntoIterator,
        I::Item: IntoEvent,
    {
        let events = events.into_iter();
        let mut batch = Batch::with_capacity(events.size_hint().0, 0);
        let mut refused = Vec::new();
        for (index, event) in events.enumerate() {
            let (name, pushed) = batch.push_with_hooks(&self.0.hooks.before, event);
            if let Err(error) = pushed {
                batch.skip();
                refused.push(Refused { index, name, reason: error.into() });
            }
        }
        let (client, call_site) = (self.clone(), CallSite::caller());
        let span = Span::many(&batch);
        let trace = span.enter(|| self.0.hooks.trace_headers());
        span.clone().around(async move {
            for event in &refused {
                if let Rejection::Event(error) = &event.reason {
                    client.refused(error, call_site);
                }
            }
            client.settle(&batch, refused, &span, &trace).await
        })
    }

    /// Sends a batch, split into requests as the limits ask, and returns its ids in order.
    ///
    /// The same batch may be sent again, after an error or a canceled call: every event keeps its
    /// id, and Inngest starts no function twice for it. An empty batch sends no request.
    ///
    /// # Errors
    ///
    /// [`BatchError`]: what became of each event, by its index in the batch.
    pub fn send_batch(
        &self,
        batch: &Batch,
    ) -> impl Future<Output = Result<Vec<EventId>, BatchError>> + Send {
        let span = Span::many(batch);
        let trace = span.enter(|| self.0.hooks.trace_headers());
        span.clone().around(async move { self.settle(batch, Vec::new(), &span, &trace).await })
    }

    /// Sends events in the background.
    pub fn publisher(&self) -> PublisherBuilder {
        PublisherBuilder::new(self.clone())
    }

    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        self.0.retry
    }

    /// What fits into one request.
    pub(crate) fn request_limits(&self) -> Limits {
        self.0.limits
    }

    /// The same client without retries and without a bound on a call's time, for one who retries
    /// himself.
    pub(crate) fn without_retries(&self) -> Client {
        let retry = RetryPolicy::none().total_timeout(Duration::MAX);
        Client(Arc::new(Inner { retry, ..(*self.0).clone() }))
    }

    /// The same client without any time: every event of a call is unsent at once. No hook is told, since
    /// it is a hook that calls.
    #[cfg(feature = "blocking")]
    pub(crate) fn with_expired_deadline(&self) -> Client {
        let retry = RetryPolicy::none().total_timeout(Duration::ZERO);
        let hooks = Hooks { after: Vec::new(), ..self.0.hooks.clone() };
        Client(Arc::new(Inner { retry, hooks, ..(*self.0).clone() }))
    }

    /// Refuses an event that is larger than this client sends.
    pub(crate) fn check_size(&self, event: &'static str, bytes: usize) -> Result<(), EventError> {
        let max = self.0.max_event_bytes;
        if bytes > max { Err(EventError::TooLarge { event, bytes, max }) } else { Ok(()) }
    }

    /// Sends `batch` and says what became of each event, in order.
    pub(crate) async fn outcomes(&self, batch: &Batch) -> Vec<Outcome> {
        let span = Span::many(batch);
        let trace = span.enter(|| self.0.hooks.trace_headers());
        let outcomes = span.around(call::run(&self.0, batch, &trace)).await;
        span.ended(outcomes.iter().map(Outcome::seen));
        outcomes
    }

    /// What sees an event's envelope before it is written.
    pub(crate) fn before_send(&self) -> &[BeforeSend] {
        &self.0.hooks.before
    }

    /// Tells hooks and metrics how events ended, each by its name.
    pub(crate) fn ended<'a>(
        &self,
        events: impl IntoIterator<Item = (&'static str, SendOutcome<'a>)>,
    ) {
        if self.0.hooks.after.is_empty() && !cfg!(feature = "metrics") {
            return;
        }
        let mut tally = Tally::default();
        for (name, outcome) in events {
            tally.add(name, outcome.error_type());
            self.0.hooks.sent(name, outcome);
        }
        tally.count();
    }

    /// Tells a test's transport of an event that it will not see.
    pub(crate) fn refused(&self, error: &EventError, call_site: CallSite) {
        self.0.transport.refused(error, call_site);
    }

    /// Sends `batch`; `refused` are the events that are not in it.
    async fn settle(
        &self,
        batch: &Batch,
        refused: Vec<Refused>,
        span: &Span,
        trace: &TraceHeaders,
    ) -> Result<Vec<EventId>, BatchError> {
        let outcomes = call::run(&self.0, batch, trace).await;
        let here = || refused.iter().map(|it| (it.name, SendOutcome::Rejected(&it.reason)));
        let names = batch.slots().iter().map(|slot| slot.name);
        self.ended(here().chain(names.zip(outcomes.iter().map(Outcome::seen))));
        if refused.is_empty() && outcomes.iter().all(|it| matches!(it, Outcome::Accepted(_))) {
            let ids = outcomes.into_iter().filter_map(|outcome| match outcome {
                Outcome::Accepted(id) => Some(id),
                Outcome::Rejected(_) | Outcome::Unsent(_) => None,
            });
            return Ok(ids.collect());
        }
        span.ended(outcomes.iter().map(Outcome::seen).chain(here().map(|(_, it)| it)));
        Err(account(batch, outcomes, refused))
    }
}

/// Every event of a call in exactly one of accepted, rejected and unsent.
fn account(batch: &Batch, outcomes: Vec<Outcome>, refused: Vec<Refused>) -> BatchError {
    let (mut accepted, mut rejected, mut unsent, mut causes) = (vec![], vec![], vec![], vec![]);
    let (mut rejected_here, mut unsent_here) = (vec![], vec![]);
    let mut refused = refused.into_iter().peekable();
    // `index` counts the call's events, `at` those that are in the batch.
    let mut index = 0;
    for (at, outcome) in outcomes.into_iter().enumerate() {
        while let Some(Refused { reason, .. }) = refused.next_if(|it| it.index == index) {
            rejected.push((index, reason));
            index += 1;
        }
        match outcome {
            Outcome::Accepted(id) => accepted.push((index, id)),
            Outcome::Rejected(reason) => {
                rejected.push((index, *reason));
                rejected_here.push(at);
            }
            Outcome::Unsent(cause) => {
                unsent.push(index);
                causes.push(cause);
                unsent_here.push(at);
            }
        }
        index += 1;
    }
    rejected.extend(refused.map(|Refused { index, reason, .. }| (index, reason)));
    BatchError {
        accepted,
        rejected,
        unsent,
        causes,
        rejected_events: batch.pick(rejected_here),
        unsent_events: batch.pick(unsent_here),
    }
}

impl fmt::Debug for Client {
    /// Without the key, which the URL has in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.base.as_str())
            .field("event_key", &self.0.key)
            .finish_non_exhaustive()
    }
}
