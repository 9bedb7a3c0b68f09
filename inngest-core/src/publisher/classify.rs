//! Classifies the outcomes of a batch by what the publisher does next.

use std::sync::Arc;

use super::error::DeliveryError;
use crate::client::{Outcome, RequestError};
use crate::event::EventId;

/// The outcomes of a batch. Events are identified by their index in the batch.
#[derive(Default)]
pub(super) struct Classified {
    /// The events with a final outcome.
    pub(super) completed: Vec<(usize, Result<EventId, DeliveryError>)>,
    /// The completed events that failed without being rejected, and the first cause.
    pub(super) failed: Option<(Vec<usize>, Arc<RequestError>)>,
    /// The events to be retried, and the transient error with the longest `Retry-After`.
    pub(super) retry: Vec<usize>,
    pub(super) transient_error: Option<Arc<RequestError>>,
    /// The events of a request that was too large for the server.
    pub(super) too_large: Vec<usize>,
    /// The events that are kept because the key is refused, and the server's response.
    pub(super) key_refused: Vec<usize>,
    pub(super) key_error: Option<Arc<RequestError>>,
}

impl Classified {
    pub(super) fn new(outcomes: Vec<Outcome>) -> Classified {
        let mut classified = Classified::default();
        for (index, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Outcome::Accepted(id) => classified.completed.push((index, Ok(id))),
                Outcome::Rejected(reason) => {
                    let error = DeliveryError::Rejected(Arc::from(reason));
                    classified.completed.push((index, Err(error)));
                }
                Outcome::Unsent(cause) => classified.add_unsent(index, cause),
            }
        }
        classified
    }

    fn add_unsent(&mut self, index: usize, cause: Arc<RequestError>) {
        match &*cause {
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
            _ => {
                self.completed.push((index, Err(DeliveryError::Failed(Arc::clone(&cause)))));
                self.failed.get_or_insert_with(|| (Vec::new(), cause)).0.push(index);
            }
        }
    }
}
