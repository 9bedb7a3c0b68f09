//! The background task: takes batches from the queue, sends them, and adapts the pace to their outcomes.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use super::classify::Classified;
use super::queue::Queue;
use super::state::NextStep;
use crate::client::{Pace, QueueGauges, RetryPolicy};

/// Notifies the queue when the task ends for any reason.
struct DriverGuard(Arc<Queue>);

impl Drop for DriverGuard {
    fn drop(&mut self) {
        self.0.driver_ended();
    }
}

/// Runs until it is aborted.
pub(super) fn drive(queue: Arc<Queue>, policy: RetryPolicy) -> impl Future<Output = ()> {
    // Created here, since a runtime that shuts down may drop the task before it is polled.
    let guard = DriverGuard(queue);
    async move { run(&guard.0, policy).await }
}

async fn run(queue: &Queue, policy: RetryPolicy) {
    let mut pace = Pace::new(policy);
    let mut in_flight = FuturesUnordered::new();
    let mut gauges = QueueGauges::default();
    loop {
        let until = loop {
            let now = Instant::now();
            match queue.next_step(|max| pace.max_in_flight(max), pace.paused_until(now), now) {
                NextStep::Wait(until) => break until,
                NextStep::Send(send, batch) => {
                    let client = queue.client.clone();
                    in_flight.push(async move {
                        let started = Instant::now();
                        (send, started, client.send_in_background(&batch).await.outcomes)
                    });
                }
            }
        };
        if cfg!(feature = "metrics") {
            let (events, bytes, in_flight) = queue.load();
            gauges.set(events, bytes, in_flight);
        }
        let mut woken = pin!(queue.wake.notified());
        let mut timer = pin!(until.map(sleep_until));
        let sent = poll_fn(|context| {
            if let Poll::Ready(Some(sent)) = in_flight.poll_next_unpin(context) {
                return Poll::Ready(Some(sent));
            }
            let elapsed = timer.as_mut().as_pin_mut().map(|timer| timer.poll(context).is_ready());
            if elapsed == Some(true) || woken.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            Poll::Pending
        });
        if let Some((send, started, outcomes)) = sent.await {
            let classified = Classified::new(outcomes);
            adapt(&mut pace, &classified, started);
            queue.settle(send, classified);
        }
    }
}

/// Records the outcomes of a batch whose request started at `started`.
fn adapt(pace: &mut Pace, classified: &Classified, started: Instant) {
    match &classified.transient_error {
        Some(error) => pace.failed(started, Instant::now(), error.retry_after(), fastrand::f64()),
        None if !classified.completed.is_empty() => pace.succeeded(started),
        None => {}
    }
}
