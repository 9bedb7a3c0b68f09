//! Classifies the outcomes of a batch by what the publisher does next.

use std::sync::Arc;

use super::error::DeliveryError;
use crate::client::{CallOutcomes, Outcome, Rejection, RequestError};
use crate::event::EventId;

/// The outcomes of a batch. Events are identified by their index in the batch.
#[derive(Default)]
pub(super) struct Classified {
    /// The events with a final outcome.
    pub(super) completed: Vec<(usize, Result<EventId, DeliveryError>)>,
    /// The events to be retried, and the transient error with the longest `Retry-After`.
    pub(super) retry: Vec<usize>,
    pub(super) transient_error: Option<Arc<RequestError>>,
    /// The events at which the server stopped, with its response. Each is retried alone.
    pub(super) set_aside: Vec<(usize, Arc<RequestError>)>,
    /// The events after the last set-aside event, if the server accepted no event. They are sent after a backoff.
    pub(super) deferred: Vec<usize>,
    /// The events of a request that was too large for the server.
    pub(super) too_large: Vec<usize>,
    /// The events that are kept because the key is refused, and the server's response.
    pub(super) key_refused: Vec<usize>,
    pub(super) key_error: Option<Arc<RequestError>>,
    /// The events that are kept because the server may refuse their names, and its response.
    pub(super) name_refused: Vec<(usize, Arc<RequestError>)>,
}

impl Classified {
    pub(super) fn new(result: CallOutcomes) -> Classified {
        let mut classified = Classified::default();
        let mut set_aside = result.set_aside.into_iter().peekable();
        let mut deferred = result.deferred.into_iter().peekable();
        for (index, outcome) in result.outcomes.into_iter().enumerate() {
            let is_set_aside = set_aside.next_if_eq(&index).is_some();
            if deferred.next_if_eq(&index).is_some() {
                classified.deferred.push(index);
                continue;
            }
            match outcome {
                Outcome::Accepted(id) => classified.completed.push((index, Ok(id))),
                Outcome::Rejected(reason) => classified.reject(index, *reason),
                Outcome::Unsent(cause) if is_set_aside => classified.set_aside.push((index, cause)),
                Outcome::Unsent(cause) => classified.add_unsent(index, cause),
            }
        }
        classified
    }

    /// Returns whether an event was accepted.
    pub(super) fn has_accepted(&self) -> bool {
        self.completed.iter().any(|(_, outcome)| outcome.is_ok())
    }

    /// Returns whether the whole batch failed with a transient error.
    pub(super) fn failed_as_a_whole(&self, events: usize) -> bool {
        self.retry.len() == events
    }

    fn reject(&mut self, index: usize, reason: Rejection) {
        self.completed.push((index, Err(DeliveryError::Rejected(Arc::new(reason)))));
    }

    fn add_unsent(&mut self, index: usize, cause: Arc<RequestError>) {
        match &*cause {
            RequestError::KeyRefused { status: 403, .. } => self.name_refused.push((index, cause)),
            RequestError::KeyRefused { .. } => {
                self.key_refused.push(index);
                self.key_error.get_or_insert(cause);
            }
            RequestError::TooLarge { .. } => self.too_large.push(index),
            error if error.is_retryable() => {
                self.retry.push(index);
                let longest = self.transient_error.as_ref().and_then(|known| known.retry_after());
                if self.transient_error.is_none() || cause.retry_after() > longest {
                    self.transient_error = Some(cause);
                }
            }
            _ => self.completed.push((index, Err(DeliveryError::Failed(cause)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Arc, Classified, RequestError};

    #[test]
    fn the_longest_wait_that_the_server_asks_for_counts() {
        let mut classified = Classified::default();
        for (index, seconds) in [None, Some(5), Some(9), Some(1)].into_iter().enumerate() {
            let retry_after = seconds.map(Duration::from_secs);
            let message = "busy".to_owned();
            let cause = RequestError::Unavailable { status: 503, message, retry_after };
            classified.add_unsent(index, Arc::new(cause));
        }
        assert!(classified.failed_as_a_whole(4));
        let error = classified.transient_error.expect("a transient error");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(9)));
    }
}
