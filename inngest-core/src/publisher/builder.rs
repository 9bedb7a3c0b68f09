//! `PublisherBuilder`: the limits of a publisher, and its start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::limits::QueueLimits;
use super::queue::Queue;
use super::report::{Undelivered, UndeliveredHook};
use super::{Handle, Publisher, driver};
use crate::client::Client;

/// Configures a [`Publisher`]. Created by [`Client::publisher`]; [`start`](PublisherBuilder::start)
/// starts the publisher.
///
/// The waits between attempts follow the client's [`RetryPolicy`](crate::RetryPolicy). Its limits on
/// attempts and time do not apply: transient failures are retried until the publisher is closed.
///
/// See [publisher](crate::guide::publisher) in the guide.
#[must_use = "a builder does nothing until `start` is called"]
pub struct PublisherBuilder {
    client: Client,
    limits: QueueLimits,
    hook: Option<UndeliveredHook>,
}

impl Client {
    /// Returns a builder for a [`Publisher`], which sends events in the background.
    pub fn publisher(&self) -> PublisherBuilder {
        PublisherBuilder {
            client: self.clone(),
            limits: QueueLimits {
                batch_events: 100,
                batch_bytes: 512 * 1024,
                linger: Duration::from_millis(5),
                in_flight: 4,
                request_bytes: usize::MAX,
                queued_events: 10_000,
                queued_bytes: 16 * 1024 * 1024,
            },
            hook: None,
        }
    }
}

impl PublisherBuilder {
    /// Sets the maximum number of events in a batch, limited by the client's `max_request_events`.
    /// 0 counts as 1.
    ///
    /// Default: 100.
    pub fn max_batch_events(mut self, events: usize) -> PublisherBuilder {
        self.limits.batch_events = events.max(1);
        self
    }

    /// Sets the maximum size of the events in a batch, in bytes. A larger event is sent alone.
    ///
    /// Default: 512 KiB.
    pub fn max_batch_bytes(mut self, bytes: usize) -> PublisherBuilder {
        self.limits.batch_bytes = bytes;
        self
    }

    /// Sets how long a batch that is not full waits for more events while other batches are in flight.
    /// An event that is published to an idle publisher does not wait.
    ///
    /// Default: 5 ms.
    pub fn linger(mut self, linger: Duration) -> PublisherBuilder {
        self.limits.linger = linger;
        self
    }

    /// Sets the maximum number of batches in flight. With more than 1, or after a failure, the
    /// order of the batches is undefined. 0 counts as 1.
    ///
    /// Default: 4.
    pub fn max_in_flight(mut self, batches: usize) -> PublisherBuilder {
        self.limits.in_flight = batches.max(1);
        self
    }

    /// Sets the maximum number of events that are queued or in flight. 0 counts as 1.
    ///
    /// Default: 10,000.
    pub fn max_queued_events(mut self, events: usize) -> PublisherBuilder {
        self.limits.queued_events = events.max(1);
        self
    }

    /// Sets the maximum size of the events that are queued or in flight, in bytes. An event that is
    /// larger than this is queued when the queue is empty. 0 counts as 1.
    ///
    /// Default: 16 MiB.
    pub fn max_queued_bytes(mut self, bytes: usize) -> PublisherBuilder {
        self.limits.queued_bytes = bytes.max(1);
        self
    }

    /// Sets a hook that is called with events that the publisher no longer tries to send, so that
    /// they can be stored or inspected.
    ///
    /// These are rejected events, events that failed with an error that is not transient, and events
    /// that are left when the publisher is dropped without being [closed](Publisher::close). Rejected
    /// and unsent events are passed in separate calls. Without a hook, the events are only counted and
    /// logged. Invalid events are not passed to the hook, since `publish` returns their errors.
    ///
    /// The hook is called by the background task, by a thread that [`close`](Publisher::close) starts,
    /// or when the last clone is dropped. It must not block. A panic in it is caught and logged.
    pub fn on_undelivered(
        mut self,
        hook: impl Fn(Undelivered) + Send + Sync + 'static,
    ) -> PublisherBuilder {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Starts the publisher in a task of the current tokio runtime.
    ///
    /// # Panics
    ///
    /// Panics if called outside of a tokio runtime.
    #[must_use]
    pub fn start(self) -> Publisher {
        let policy = self.client.retry_policy();
        let request = self.client.request_limits();
        // Each batch is one request, so that the publisher controls the number of requests in
        // flight.
        let limits = QueueLimits {
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
