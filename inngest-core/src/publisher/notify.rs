//! Notifies the `after_send` hooks, metrics, receipts and the `on_undelivered` hook of outcomes.
//!
//! Hooks are the user's code. A panic in a hook is caught. A slow hook does not delay `close`:
//! after its deadline, `close` waits at most for the hook call that is running, and a separate
//! thread makes the remaining notifications.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{mem, thread};

use super::error::DeliveryError;
use super::report::{Undelivered, UndeliveredHook};
use super::sealed::SealedBatch;
use crate::batch::Batch;
use crate::client::{Client, Rejection, RequestError, SendOutcome, log};
use crate::event::EventId;

/// How long `close` still calls hooks itself if its deadline has elapsed before. This is enough for fast
/// hooks.
const GRACE: Duration = Duration::from_millis(10);

/// The receivers of notifications. The queue shares them with the thread that makes the remaining
/// notifications after `close`.
pub(super) struct Receivers {
    pub(super) client: Client,
    pub(super) hook: Option<UndeliveredHook>,
    /// When `close` stops waiting for hooks.
    deadline: OnceLock<Instant>,
}

/// The outcomes of a batch that the receivers have to be notified of.
pub(super) struct BatchOutcomes {
    batch: SealedBatch,
    /// The outcomes, each with the event's index in the batch. Empty when hooks, metrics and
    /// receipts have been notified.
    by_index: Vec<(usize, Result<EventId, DeliveryError>)>,
    /// The number of outcomes that hooks and metrics have been notified of.
    reported: usize,
    /// Whether events that were not delivered are passed to the `on_undelivered` hook.
    reports_undelivered: bool,
    /// The events that have still to be passed to the `on_undelivered` hook.
    undelivered: Vec<Undelivered>,
}

impl Receivers {
    pub(super) fn new(client: Client, hook: Option<UndeliveredHook>) -> Receivers {
        Receivers { client, hook, deadline: OnceLock::new() }
    }

    /// Sets the time after which hooks are called on a separate thread.
    pub(super) fn set_deadline(&self, deadline: Instant) {
        self.deadline.get_or_init(|| deadline.max(Instant::now() + GRACE));
    }

    fn is_over_deadline(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| Instant::now() >= *deadline)
    }

    /// Notifies the receivers of `all`. When the deadline of `close` has elapsed, a separate thread
    /// makes the remaining notifications.
    pub(super) fn notify(self: &Arc<Self>, all: impl IntoIterator<Item = BatchOutcomes>) {
        let mut all = all.into_iter();
        while let Some(mut outcomes) = all.next() {
            if self.is_over_deadline() || !outcomes.notify(self, || self.is_over_deadline()) {
                let rest: Vec<BatchOutcomes> = std::iter::once(outcomes).chain(all).collect();
                self.finish_on_thread(rest);
                return;
            }
        }
    }

    /// Makes the notifications `rest` on a separate thread, or here if no thread can be started.
    fn finish_on_thread(self: &Arc<Self>, rest: Vec<BatchOutcomes>) {
        let receivers = Arc::clone(self);
        let rest = Arc::new(Mutex::new(rest));
        let finish = {
            let rest = Arc::clone(&rest);
            move || finish_all(&receivers, &rest)
        };
        // A thread is used, since a runtime that shuts down can drop a blocking task before it starts.
        if thread::Builder::new().name("inngest-hooks".to_owned()).spawn(finish).is_err() {
            finish_all(self, &rest);
        }
    }

    /// Calls the `on_undelivered` hook. A panic in it must not end the driver, nor the process if
    /// the publisher is being dropped.
    pub(super) fn report_undelivered(&self, undelivered: Undelivered) {
        if let Some(hook) = &self.hook {
            if catch_unwind(AssertUnwindSafe(|| hook(undelivered))).is_err() {
                log::hook_panicked("on_undelivered");
            }
        }
    }
}

/// Notifies the receivers of `rest` without a deadline.
fn finish_all(receivers: &Receivers, rest: &Mutex<Vec<BatchOutcomes>>) {
    let rest = mem::take(&mut *rest.lock().unwrap_or_else(PoisonError::into_inner));
    for mut outcomes in rest {
        outcomes.notify(receivers, || false);
    }
}

impl BatchOutcomes {
    pub(super) fn new(
        batch: SealedBatch,
        outcomes: Vec<(usize, Result<EventId, DeliveryError>)>,
    ) -> BatchOutcomes {
        BatchOutcomes {
            batch,
            by_index: outcomes,
            reported: 0,
            reports_undelivered: true,
            undelivered: Vec::new(),
        }
    }

    /// Creates the outcomes of a batch that is unfinished when the publisher ends. Its events are
    /// returned by `close`, and not passed to the `on_undelivered` hook.
    pub(super) fn left_over(batch: SealedBatch, error: &DeliveryError) -> BatchOutcomes {
        let outcomes = (0..batch.len()).map(|index| (index, Err(error.clone()))).collect();
        BatchOutcomes {
            batch,
            by_index: outcomes,
            reported: 0,
            reports_undelivered: false,
            undelivered: Vec::new(),
        }
    }

    /// Notifies all receivers: hooks and metrics, then receipts, then the `on_undelivered` hook.
    /// Stops after a hook call when `stop` returns true. Returns whether all have been notified.
    fn notify(&mut self, receivers: &Receivers, stop: impl Fn() -> bool) -> bool {
        let slots = self.batch.batch.slots();
        let outcomes = self.by_index[self.reported..].iter();
        let reports = outcomes.map(|(index, it)| (slots[*index].name, send_outcome(it)));
        self.reported += receivers.client.report_outcomes_until(reports, &stop);
        if self.reported < self.by_index.len() {
            return false;
        }
        if self.reports_undelivered {
            self.undelivered.extend(undelivered(&self.batch.batch, &self.by_index));
        }
        let outcomes = mem::take(&mut self.by_index).into_iter();
        self.reported = 0;
        self.batch.deliveries.complete(outcomes.map(|(index, it)| (self.batch.indexes[index], it)));
        while let Some(next) = self.undelivered.pop() {
            receivers.report_undelivered(next);
            if !self.undelivered.is_empty() && stop() {
                return false;
            }
        }
        true
    }
}

/// Returns the events for the `on_undelivered` hook: the rejected events, and the failed events by
/// cause.
fn undelivered(
    batch: &Batch,
    outcomes: &[(usize, Result<EventId, DeliveryError>)],
) -> Vec<Undelivered> {
    let mut rejected: (Vec<usize>, Vec<Arc<Rejection>>) = Default::default();
    let mut failed: Vec<(Arc<RequestError>, Vec<usize>)> = Vec::new();
    for (index, outcome) in outcomes {
        match outcome {
            Ok(_) | Err(DeliveryError::Closed) => {}
            Err(DeliveryError::Rejected(reason)) => {
                log::server_rejected(reason);
                rejected.0.push(*index);
                rejected.1.push(Arc::clone(reason));
            }
            Err(DeliveryError::Failed(cause) | DeliveryError::KeyRefused(cause)) => {
                match failed.iter_mut().find(|(known, _)| Arc::ptr_eq(known, cause)) {
                    Some((_, indexes)) => indexes.push(*index),
                    None => failed.push((Arc::clone(cause), vec![*index])),
                }
            }
        }
    }
    let mut undelivered = Vec::new();
    if !rejected.0.is_empty() {
        let rejections = rejected.1.into_iter().enumerate().collect();
        undelivered.push(Undelivered { events: batch.pick(rejected.0), cause: None, rejections });
    }
    undelivered.extend(failed.into_iter().map(|(cause, indexes)| {
        log::publisher_failed(indexes.len(), &cause);
        Undelivered { events: batch.pick(indexes), cause: Some(cause), rejections: Vec::new() }
    }));
    undelivered
}

/// Converts an event's outcome for hooks and metrics.
fn send_outcome(outcome: &Result<EventId, DeliveryError>) -> SendOutcome<'_> {
    match outcome {
        Ok(id) => SendOutcome::Accepted(id),
        Err(DeliveryError::Rejected(reason)) => SendOutcome::Rejected(reason),
        Err(DeliveryError::Failed(cause) | DeliveryError::KeyRefused(cause)) => {
            SendOutcome::Unsent(Some(cause))
        }
        Err(DeliveryError::Closed) => SendOutcome::Unsent(None),
    }
}
