//! The background task: takes batches from the queue and sends them.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use super::queue::{Next, Queue};
use crate::client::{Gauges, Pace, RetryPolicy};

/// Tells the queue when the task ends, in whatever way it does.
struct Driver(Arc<Queue>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.driver_ended();
    }
}

/// Runs until it is aborted.
pub(super) fn drive(queue: Arc<Queue>, policy: RetryPolicy) -> impl Future<Output = ()> {
    // Made here, since a runtime that shuts down may drop the task before it ever runs.
    let driver = Driver(queue);
    async move { run(&driver.0, policy).await }
}

async fn run(queue: &Queue, policy: RetryPolicy) {
    let mut pace = Pace::new(policy);
    let mut under_way = FuturesUnordered::new();
    let mut gauges = Gauges::default();
    loop {
        let until = loop {
            match queue.next(Instant::now(), under_way.len(), &pace) {
                Next::Wait(until) => break until,
                Next::Send(send, batch) => {
                    let client = queue.client.clone();
                    under_way.push(async move {
                        let began = Instant::now();
                        (send, began, client.outcomes(&batch).await)
                    });
                }
            }
        };
        if cfg!(feature = "metrics") {
            let (events, bytes, in_flight) = queue.load();
            gauges.set(events, bytes, in_flight);
        }
        let mut woken = pin!(queue.wake.notified());
        let mut due = pin!(until.map(sleep_until));
        let sent = poll_fn(|context| {
            if let Poll::Ready(Some(sent)) = under_way.poll_next_unpin(context) {
                return Poll::Ready(Some(sent));
            }
            let due = due.as_mut().as_pin_mut().map(|due| due.poll(context).is_ready());
            if due == Some(true) || woken.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            Poll::Pending
        });
        if let Some((send, began, outcomes)) = sent.await {
            queue.sent(send, outcomes, began, &mut pace);
        }
    }
}
