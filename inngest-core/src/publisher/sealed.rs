//! A batch that accepts no more events, and the history of its attempts.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::receipt::Deliveries;
use crate::batch::Batch;
use crate::client::TraceHeaders;

/// After this many consecutive failures, a batch is suspected to be their cause.
const SUSPICIOUS_FAILURES: u32 = 3;

/// A sealed batch. Its bytes and its seed are the same in each attempt to send it.
pub(super) struct SealedBatch {
    pub(super) batch: Arc<Batch>,
    pub(super) deliveries: Arc<Deliveries>,
    /// The indexes in `deliveries` of the events of `batch`.
    pub(super) indexes: Vec<usize>,
    pub(super) opened: Instant,
    /// The order in which batches were opened.
    pub(super) number: u64,
    /// The trace context that all events have in common.
    pub(super) trace: Arc<TraceHeaders>,
    pub(super) history: History,
    /// Whether the events use capacity of the queue.
    pub(super) has_capacity: bool,
}

/// The results of previous attempts to send a batch.
#[derive(Clone, Default)]
pub(super) struct History {
    pub(super) sent_before: bool,
    /// The number of consecutive transient failures that the batch itself may have caused.
    pub(super) failures: u32,
    /// The number of batches that had succeeded at the first of these failures.
    successes_before: u64,
    /// Whether the batch has its own backoff, because it is suspected to be the cause of its
    /// failures.
    pub(super) isolated: bool,
    /// The number of times that the server responded with 400 to the event, which is alone in its
    /// batch.
    pub(super) refusals: u32,
    /// The number of consecutive 400s that accepted none of the events.
    pub(super) stalls: u32,
    /// When the batch is sent again, if it has its own backoff.
    pub(super) due: Option<Instant>,
}

impl History {
    /// Records a failure. Returns whether the batch is suspected to be the cause: it failed several
    /// times, and another batch succeeded since the first failure, or there is no other batch.
    pub(super) fn fail(&mut self, successes: u64, is_only_batch: bool) -> bool {
        if self.failures == 0 {
            self.successes_before = successes;
        }
        self.failures += 1;
        self.failures >= SUSPICIOUS_FAILURES && (self.others_succeeded(successes) || is_only_batch)
    }

    /// Returns whether another batch succeeded since the first failure.
    pub(super) fn others_succeeded(&self, successes: u64) -> bool {
        successes > self.successes_before
    }
}

impl SealedBatch {
    pub(super) fn len(&self) -> usize {
        self.batch.len()
    }

    /// Marks all events as possibly accepted.
    pub(super) fn mark_in_doubt(&self) {
        self.batch.mark_all_in_doubt();
    }

    /// Returns the events at `indexes` as a batch of their own, or `None` if there are none.
    pub(super) fn part(&self, indexes: &[usize]) -> Option<SealedBatch> {
        if indexes.is_empty() {
            return None;
        }
        let whole = indexes.len() == self.len();
        Some(SealedBatch {
            batch: if whole {
                Arc::clone(&self.batch)
            } else {
                Arc::new(self.batch.pick(indexes.iter().copied()))
            },
            deliveries: Arc::clone(&self.deliveries),
            indexes: indexes.iter().map(|index| self.indexes[*index]).collect(),
            opened: self.opened,
            number: self.number,
            trace: Arc::clone(&self.trace),
            history: self.history.clone(),
            has_capacity: self.has_capacity,
        })
    }

    /// Returns the two halves of a batch, or the batch itself if it has a single event.
    pub(super) fn halves(&self) -> impl DoubleEndedIterator<Item = SealedBatch> {
        let indexes: Vec<usize> = (0..self.len()).collect();
        let (first, second) = indexes.split_at(indexes.len().div_ceil(2));
        [self.part(first), self.part(second)].into_iter().flatten()
    }

    /// Brings the next attempt forward to at most `delay` from now.
    pub(super) fn bring_forward(&mut self, now: Instant, delay: Duration) {
        if let (Some(due), Some(earliest)) = (self.history.due, now.checked_add(delay)) {
            self.history.due = Some(due.min(earliest));
        }
    }
}
