//! The transitions of the state after a batch was sent. Like the transitions in `state.rs`, they do no
//! I/O.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::classify::Classified;
use super::error::DeliveryError;
use super::sealed::SealedBatch;
use super::state::{Notification, State};
use crate::batch::Batch;
use crate::client::{Outcome, Rejection, RequestError, SET_ASIDE_ATTEMPTS, reject};
use crate::event::EventId;

/// Events of a batch that have an outcome now.
pub(super) struct Completion {
    pub(super) batch: SealedBatch,
    /// The outcomes, by the event's index in the batch.
    pub(super) completed: Vec<(usize, Result<EventId, DeliveryError>)>,
    pub(super) notification: Notification,
}

/// The effect of a batch's outcome on the pace.
pub(super) enum PaceEffect {
    None,
    Success,
    Failure(Arc<RequestError>),
    /// No effect. From now on, these events, given by their number, have their own backoff.
    Isolated(usize, Arc<RequestError>),
}

impl State {
    /// Takes the batch of a send out of flight, completes its events that have a final outcome, and
    /// queues the others again. `backoff` returns the wait after a number of failures.
    pub(super) fn settle(
        &mut self,
        send: u64,
        mut classified: Classified,
        now: Instant,
        backoff: impl Fn(u32) -> Duration,
    ) -> (Vec<Completion>, PaceEffect) {
        // The batch is missing if the publisher was closed in the meantime.
        let Some(sealed) = self.in_flight.remove(&send) else {
            return (Vec::new(), PaceEffect::None);
        };
        let accepted = classified.has_accepted();
        self.successes += u64::from(accepted);
        self.set_aside(&sealed, &mut classified, |refusals| now + backoff(refusals));
        let effect = self.retry(&sealed, &classified, |failures| now + backoff(failures));
        if let Some(part) = sealed.part(&classified.too_large) {
            part.halves().rev().for_each(|half| self.waiting.push_front(half));
        }
        if let Some(kept) = sealed.part(&classified.key_refused) {
            self.waiting.push_front(kept);
        }
        self.key_error = self.key_error.take().or(classified.key_error.take());
        if let Some(mut rest) = sealed.part(&classified.deferred) {
            rest.history.stalls = if accepted { 1 } else { rest.history.stalls + 1 };
            rest.history.due = Some(now + backoff(rest.history.stalls));
            self.delayed.push(rest);
        }
        self.refuse_names(&sealed, &classified);
        let mut completions = vec![self.complete(sealed, classified.completed)];
        if accepted {
            completions.extend(self.reject_refused_names(send));
        }
        (completions, effect)
    }

    /// Delays the events at which the server stopped with a 400. After several such responses, an
    /// event is rejected.
    fn set_aside(
        &mut self,
        sealed: &SealedBatch,
        classified: &mut Classified,
        due: impl Fn(u32) -> Instant,
    ) {
        for (index, response) in std::mem::take(&mut classified.set_aside) {
            let Some(mut part) = sealed.part(&[index]) else {
                continue;
            };
            part.history.refusals += 1;
            if part.history.refusals > SET_ASIDE_ATTEMPTS {
                let outcome = rejected(&sealed.batch, index, &response);
                classified.completed.push((index, outcome));
            } else {
                part.history.due = Some(due(part.history.refusals));
                self.delayed.push(part);
            }
        }
    }

    /// Queues the events that failed with a transient error. A batch that is suspected to be the
    /// cause gets its own backoff, so that it does not slow down the others.
    fn retry(
        &mut self,
        sealed: &SealedBatch,
        classified: &Classified,
        due: impl Fn(u32) -> Instant,
    ) -> PaceEffect {
        let Some((error, mut part)) =
            classified.transient_error.clone().zip(sealed.part(&classified.retry))
        else {
            let progress = !classified.completed.is_empty();
            return if progress { PaceEffect::Success } else { PaceEffect::None };
        };
        part.history.due = None;
        // A server that sends `Retry-After` reports its own state.
        let may_be_cause = error.is_ambiguous()
            && error.retry_after().is_none()
            && classified.failed_as_a_whole(sealed.len());
        let suspected = may_be_cause && part.history.fail(self.successes, self.is_empty());
        if suspected || (may_be_cause && part.history.isolated) {
            let due = due(part.history.failures);
            return self.isolate(part, suspected, due, error);
        }
        if may_be_cause {
            // The open batch is sent first, to find out whether the server accepts other events.
            self.seal_open();
        }
        self.waiting.push_back(part);
        PaceEffect::Failure(error)
    }

    /// Gives a batch its own backoff, and halves it if it is suspected to be the cause.
    fn isolate(
        &mut self,
        mut part: SealedBatch,
        suspected: bool,
        due: Instant,
        error: Arc<RequestError>,
    ) -> PaceEffect {
        // If no other batch has succeeded, this may be an outage, which is logged elsewhere.
        let is_reported = !part.history.isolated && part.history.others_succeeded(self.successes);
        let effect =
            if is_reported { PaceEffect::Isolated(part.len(), error) } else { PaceEffect::None };
        part.history.isolated = true;
        part.history.due = Some(due);
        if suspected && part.len() > 1 {
            part.history.failures = 0;
            self.delayed.extend(part.halves());
        } else {
            self.delayed.push(part);
        }
        effect
    }

    /// Records the names that the server refuses, and keeps their events.
    fn refuse_names(&mut self, sealed: &SealedBatch, classified: &Classified) {
        let slots = sealed.batch.slots();
        let kept = classified.name_refused.iter().map(|(index, cause)| (*index, Arc::clone(cause)));
        let rejected = classified.completed.iter().filter_map(|(index, outcome)| match outcome {
            Err(DeliveryError::Rejected(reason)) => Some((*index, key_refused(reason)?)),
            _ => None,
        });
        let refused: Vec<_> = kept.chain(rejected).collect();
        if refused.is_empty() {
            return;
        }
        for (index, cause) in refused {
            self.names.refuse(slots[index].name, cause, self.next_send);
        }
        self.seal_open();
        let indexes: Vec<usize> = classified.name_refused.iter().map(|(index, _)| *index).collect();
        self.waiting.extend(sealed.part(&indexes));
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting = waiting.into_iter().filter_map(|it| self.names.keep_refused(it)).collect();
        let delayed = std::mem::take(&mut self.delayed);
        self.delayed = delayed.into_iter().filter_map(|it| self.names.keep_refused(it)).collect();
    }

    /// Rejects the events that were kept because of their names, if the acceptance of send number
    /// `send` shows that the server refuses the names.
    fn reject_refused_names(&mut self, send: u64) -> Vec<Completion> {
        let rejected_batches = self.names.take_rejected(send);
        let reject_all = |sealed: SealedBatch| {
            let completed = sealed.batch.slots().iter().enumerate().filter_map(|(index, slot)| {
                let cause = self.names.cause(slot.name)?;
                Some((index, rejected(&sealed.batch, index, cause)))
            });
            let completed = completed.collect();
            (sealed, completed)
        };
        let rejected_batches: Vec<_> = rejected_batches.into_iter().map(reject_all).collect();
        rejected_batches.into_iter().map(|(sealed, all)| self.complete(sealed, all)).collect()
    }

    /// Counts the outcomes of events, and registers their notification.
    fn complete(
        &mut self,
        batch: SealedBatch,
        completed: Vec<(usize, Result<EventId, DeliveryError>)>,
    ) -> Completion {
        for (index, outcome) in &completed {
            match outcome {
                Ok(_) => self.stats.delivered += 1,
                Err(error) => *self.stats.failed.entry(error.kind()).or_default() += 1,
            }
            self.stats.queued_bytes -= batch.batch.slots()[*index].len();
        }
        self.stats.queued_events -= completed.len();
        let notification = Notification { batch: batch.number, events: completed.len() };
        self.notifying.push(notification);
        Completion { batch, completed, notification }
    }
}

/// Returns the outcome of an event that the server rejects with `response`.
fn rejected(
    batch: &Batch,
    index: usize,
    response: &RequestError,
) -> Result<EventId, DeliveryError> {
    let status = response.status().unwrap_or_default();
    let message = response.message().unwrap_or_default().to_owned();
    match reject(batch, index, status, message) {
        Outcome::Accepted(id) => Ok(id),
        Outcome::Rejected(reason) => Err(DeliveryError::Rejected(Arc::from(reason))),
        Outcome::Unsent(cause) => Err(DeliveryError::Failed(cause)),
    }
}

/// Returns the server's response, if an event was rejected because of its name.
fn key_refused(reason: &Rejection) -> Option<Arc<RequestError>> {
    match reason {
        Rejection::Server { status: 403, message, .. } => {
            Some(Arc::new(RequestError::KeyRefused { status: 403, message: message.clone() }))
        }
        _ => None,
    }
}
