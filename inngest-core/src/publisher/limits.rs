//! The limits of a publisher's batches and of its queue.

use std::time::Duration;

use crate::batch::Batch;

#[derive(Clone, Copy, Debug)]
pub(super) struct QueueLimits {
    pub(super) batch_events: usize,
    pub(super) batch_bytes: usize,
    pub(super) linger: Duration,
    pub(super) in_flight: usize,
    /// The client's limit on the body of one request.
    pub(super) request_bytes: usize,
    pub(super) queued_events: usize,
    pub(super) queued_bytes: usize,
}

impl QueueLimits {
    /// Returns whether `batch` has no capacity for another event of `bytes` bytes. A batch is sent in
    /// one request, in which each event takes one more byte for a comma or a bracket.
    pub(super) fn is_full(&self, batch: &Batch, bytes: usize) -> bool {
        batch.len() >= self.batch_events
            || batch.bytes() + bytes > self.batch_bytes
            || batch.bytes() + batch.len() + bytes + 1 >= self.request_bytes
    }

    /// Returns how many bytes of the queue's capacity an event of `bytes` bytes takes. An event that is
    /// larger than the queue takes all of the capacity.
    pub(super) fn queue_bytes(&self, bytes: usize) -> usize {
        bytes.min(self.queued_bytes)
    }

    /// Returns how many bytes of the queue the events of `batch` take.
    pub(super) fn batch_capacity(&self, batch: &Batch) -> usize {
        batch.slots().iter().map(|slot| self.queue_bytes(slot.len())).sum()
    }
}
