//! A batch's outcomes, by what follows from them.

use std::sync::Arc;

use super::receipt::DeliveryError;
use crate::client::Outcome;
use crate::client::RequestError;
use crate::event::EventId;

/// Events are told by where they stand in the batch.
#[derive(Default)]
pub(super) struct Classified {
    pub(super) ends: Vec<(usize, Result<EventId, DeliveryError>)>,
    /// Those among the ends that were not rejected themselves, and the first cause.
    pub(super) failed: Option<(Vec<usize>, Arc<RequestError>)>,
    /// To be sent again, and why.
    pub(super) again: Vec<usize>,
    pub(super) passing: Option<Arc<RequestError>>,
    pub(super) too_large: Vec<usize>,
    pub(super) refused: Vec<usize>,
    pub(super) refusal: Option<Arc<RequestError>>,
}

impl Classified {
    pub(super) fn new(outcomes: Vec<Outcome>) -> Classified {
        let mut sorted = Classified::default();
        for (at, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Outcome::Accepted(id) => sorted.ends.push((at, Ok(id))),
                Outcome::Rejected(reason) => {
                    let error = DeliveryError::Rejected(Arc::from(reason));
                    sorted.ends.push((at, Err(error)));
                }
                Outcome::Unsent(cause) => sorted.unsent(at, cause),
            }
        }
        sorted
    }

    fn unsent(&mut self, at: usize, cause: Arc<RequestError>) {
        match &*cause {
            RequestError::KeyRefused { .. } => {
                self.refused.push(at);
                self.refusal.get_or_insert(cause);
            }
            RequestError::TooLarge { .. } => self.too_large.push(at),
            passing if passing.is_retryable() => {
                self.again.push(at);
                // The one that asks for the longest pause.
                let known = self.passing.as_ref().and_then(|known| known.retry_after());
                if self.passing.is_none() || cause.retry_after() > known {
                    self.passing = Some(cause);
                }
            }
            _ => {
                self.ends.push((at, Err(DeliveryError::Failed(Arc::clone(&cause)))));
                self.failed.get_or_insert_with(|| (Vec::new(), cause)).0.push(at);
            }
        }
    }
}
