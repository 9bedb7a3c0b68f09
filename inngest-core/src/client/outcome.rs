//! The outcome of each event of a call, and the result that is returned to the caller.

use std::sync::Arc;

use super::error::{BatchError, Rejection, RequestError};
use super::hooks::SendOutcome;
use crate::batch::{Batch, CallSite};
use crate::event::{EventError, EventId};

/// The outcome of one event. It is small, since a call can have thousands of outcomes, nearly all
/// of them accepted.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Accepted(EventId),
    Rejected(Box<Rejection>),
    /// The cause is shared with the other events of the request.
    Unsent(Arc<RequestError>),
}

impl Outcome {
    pub(crate) fn as_send_outcome(&self) -> SendOutcome<'_> {
        match self {
            Outcome::Accepted(id) => SendOutcome::Accepted(id),
            Outcome::Rejected(reason) => SendOutcome::Rejected(reason),
            Outcome::Unsent(cause) => SendOutcome::Unsent(Some(cause)),
        }
    }
}

/// An event of a call that could not be pushed on the call's batch.
pub(super) struct InvalidEvent {
    /// Its index in the call.
    pub(super) index: usize,
    pub(super) name: &'static str,
    pub(super) call_site: CallSite,
    pub(super) reason: Rejection,
}

impl InvalidEvent {
    pub(super) fn new(
        index: usize,
        name: &'static str,
        call_site: CallSite,
        error: EventError,
    ) -> InvalidEvent {
        InvalidEvent { index, name, call_site, reason: error.into() }
    }
}

/// Returns the ids of a call's events in order, if all were accepted.
///
/// # Errors
///
/// A [`BatchError`] in which every event of the call is in exactly one of accepted, rejected and
/// unsent. `outcomes` has one entry per event of `batch`, and `invalid` lists the events that are
/// not in the batch, by ascending index.
#[allow(clippy::result_large_err, reason = "the error returns the events")]
pub(super) fn call_result(
    batch: &Batch,
    outcomes: Vec<Outcome>,
    invalid: Vec<InvalidEvent>,
) -> Result<Vec<EventId>, BatchError> {
    if invalid.is_empty() && outcomes.iter().all(|it| matches!(it, Outcome::Accepted(_))) {
        let ids = outcomes.into_iter().filter_map(|outcome| match outcome {
            Outcome::Accepted(id) => Some(id),
            Outcome::Rejected(_) | Outcome::Unsent(_) => None,
        });
        return Ok(ids.collect());
    }
    Err(batch_error(batch, outcomes, invalid))
}

/// Returns the error of a call in which not all events were accepted.
fn batch_error(batch: &Batch, outcomes: Vec<Outcome>, invalid: Vec<InvalidEvent>) -> BatchError {
    let (mut accepted, mut rejected, mut unsent, mut causes) = (vec![], vec![], vec![], vec![]);
    let (mut rejected_in_batch, mut unsent_in_batch) = (vec![], vec![]);
    let mut invalid = invalid.into_iter().peekable();
    // `index` counts all events of the call, `batch_index` only the events in the batch.
    let mut index = 0;
    for (batch_index, outcome) in outcomes.into_iter().enumerate() {
        while let Some(InvalidEvent { reason, .. }) = invalid.next_if(|it| it.index == index) {
            rejected.push((index, reason));
            index += 1;
        }
        match outcome {
            Outcome::Accepted(id) => accepted.push((index, id)),
            Outcome::Rejected(reason) => {
                rejected.push((index, *reason));
                rejected_in_batch.push(batch_index);
            }
            Outcome::Unsent(cause) => {
                unsent.push(index);
                causes.push(cause);
                unsent_in_batch.push(batch_index);
            }
        }
        index += 1;
    }
    rejected.extend(invalid.map(|InvalidEvent { index, reason, .. }| (index, reason)));
    BatchError {
        accepted,
        rejected,
        unsent,
        causes,
        rejected_events: batch.pick(rejected_in_batch),
        unsent_events: batch.pick(unsent_in_batch),
    }
}
