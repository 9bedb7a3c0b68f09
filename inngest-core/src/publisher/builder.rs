//! What a publisher is told before it starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::queue::{Limits, Queue};
use super::report::Undelivered;
use super::{Handle, Publisher, driver};
use crate::client::Client;

/// What is called with events that will not be sent.
pub(super) type Hook = Box<dyn Fn(Undelivered) + Send + Sync>;

/// Configures a [`Publisher`]: made by [`Client::publisher`], ended by
/// [`start`](PublisherBuilder::start).
///
/// Waits between attempts follow the client's [`RetryPolicy`](crate::RetryPolicy), without its bounds on
/// attempts and time.
#[must_use = "a builder does nothing until it is started"]
pub struct PublisherBuilder {
    client: Client,
    limits: Limits,
    hook: Option<Hook>,
}

impl PublisherBuilder {
    pub(crate) fn new(client: Client) -> PublisherBuilder {
        PublisherBuilder { client, limits: Limits::default(), hook: None }
    }

    /// The most events in a batch, at most as many as the client sends in one request. Default: 100; 0
    /// counts as 1.
    pub fn max_batch_events(mut self, events: usize) -> PublisherBuilder {
        self.limits.batch_events = events.max(1);
        self
    }

    /// The most bytes of events in a batch; one larger event goes alone. Default: 512 KiB.
    pub fn max_batch_bytes(mut self, bytes: usize) -> PublisherBuilder {
        self.limits.batch_bytes = bytes;
        self
    }

    /// How long a batch that is not full waits for more events while others are under way. Default: 5 ms.
    /// An event on an idle publisher does not wait.
    pub fn linger(mut self, linger: Duration) -> PublisherBuilder {
        self.limits.linger = linger;
        self
    }

    /// The most batches under way at once. They keep no order among them; with 1 they do, as long as
    /// nothing fails. Default: 4; 0 counts as 1.
    pub fn max_in_flight(mut self, batches: usize) -> PublisherBuilder {
        self.limits.in_flight = batches.max(1);
        self
    }

    /// The most events that are queued or under way. Default: 10,000; 0 counts as 1.
    pub fn max_queued_events(mut self, events: usize) -> PublisherBuilder {
        self.limits.queued_events = events.max(1);
        self
    }

    /// The most bytes of events that are queued or under way; one larger event is queued alone. Default:
    /// 16 MiB; 0 counts as 1.
    pub fn max_queued_bytes(mut self, bytes: usize) -> PublisherBuilder {
        self.limits.queued_bytes = bytes.max(1);
        self
    }

    /// Is called with events that will not be sent any more, so that they can be kept: those the server
    /// refuses in a way that does not pass, and those left when the publisher is dropped without being
    /// [closed](Publisher::close). Without it they are only counted and logged. An event that is itself at
    /// fault is not among them; its [`Receipt`](super::Receipt) tells. It is called from the background
    /// task or from the drop, and must not block. A panic in it is caught and logged.
    pub fn on_undelivered(
        mut self,
        hook: impl Fn(Undelivered) + Send + Sync + 'static,
    ) -> PublisherBuilder {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Starts it, in a task of the current tokio runtime.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(self) -> Publisher {
        let policy = self.client.retry_policy();
        let request = self.client.request_limits();
        // A batch is a request: only so does the publisher know what it has under way.
        let limits = Limits {
            batch_events: self.limits.batch_events.min(request.events),
            request_bytes: request.bytes,
            ..self.limits
        };
        let client = self.client.without_retries();
        let queue = Arc::new(Queue::new(client, limits, self.hook));
        let driver = tokio::spawn(driver::drive(Arc::clone(&queue), policy)).abort_handle();
        Publisher(Arc::new(Handle { queue, driver }))
    }
}

impl fmt::Debug for PublisherBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublisherBuilder")
            .field("client", &self.client)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
