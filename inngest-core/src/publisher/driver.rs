//! The background task. It takes batches from the queue, sends them, and adapts the pace to their
//! outcomes.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use super::classify::Classified;
use super::queue::Queue;
use super::settle::PaceEffect;
use super::state::NextStep;
use crate::client::{Outage, Pace, QueueGauges, RetryPolicy, log};

/// Notifies the queue when the task ends for any reason.
struct DriverGuard(Arc<Queue>);

impl Drop for DriverGuard {
    fn drop(&mut self) {
        self.0.driver_ended();
    }
}

/// Runs the background task until it is aborted.
pub(super) fn drive(queue: Arc<Queue>, policy: RetryPolicy) -> impl Future<Output = ()> {
    // The guard is created outside of the async block, since a runtime that shuts down can drop the
    // task before it is polled.
    let guard = DriverGuard(queue);
    async move { run(&guard.0, policy).await }
}

async fn run(queue: &Queue, policy: RetryPolicy) {
    let mut pace = Pace::new(policy);
    let mut outage = Outage::default();
    let mut in_flight = FuturesUnordered::new();
    let mut gauges = QueueGauges::default();
    loop {
        let until = loop {
            match queue.next_step(&mut pace, Instant::now()) {
                NextStep::Wait(until) => break until,
                NextStep::Send { send, batch, trace, stalls } => {
                    let client = queue.client().clone();
                    in_flight.push(async move {
                        let started = Instant::now();
                        (send, started, client.send_in_background(&batch, &trace, stalls).await)
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
        if let Some((send, started, result)) = sent.await {
            let backoff = |failures| pace.backoff(failures, fastrand::f64());
            let (completions, effect) = queue.settle(send, Classified::new(result), backoff);
            adapt(&mut pace, &mut outage, effect, started);
            queue.notify(completions);
        }
    }
}

/// Adapts the pace and the log of outages to the outcome of a batch whose request started at
/// `started`.
fn adapt(pace: &mut Pace, outage: &mut Outage, effect: PaceEffect, started: Instant) {
    match effect {
        PaceEffect::None => {}
        PaceEffect::Isolated(events, error) => log::batch_isolated(events, &error),
        PaceEffect::Success => {
            pace.succeeded(started);
            if !pace.is_failing() {
                outage.end();
            }
        }
        PaceEffect::Failure(error) => {
            let now = Instant::now();
            pace.failed(started, now, error.retry_after(), fastrand::f64());
            let next_attempt = pace.paused_until(now).map_or(Duration::ZERO, |until| until - now);
            outage.failed(&error, next_attempt);
        }
    }
}
