//! The event names that the server refuses for the publisher's key, and the events that are kept
//! because of them.
//!
//! A 403 can be about the key or about a name. Until an event with another name is accepted, events
//! with a refused name are kept; then they are rejected.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::limits::QueueLimits;
use super::sealed::SealedBatch;
use crate::client::RequestError;

#[derive(Default)]
pub(super) struct RefusedNames {
    names: BTreeMap<&'static str, Arc<RequestError>>,
    /// Batches with events of refused names only.
    kept: Vec<SealedBatch>,
    /// The number of the first send after the last refusal.
    refused_before: u64,
}

impl RefusedNames {
    /// Returns the server's response if `name` is refused.
    pub(super) fn cause(&self, name: &str) -> Option<&Arc<RequestError>> {
        self.names.get(name)
    }

    /// Records that the server refused `name`. `next_send` is the number of the next send.
    pub(super) fn refuse(&mut self, name: &'static str, cause: Arc<RequestError>, next_send: u64) {
        self.names.entry(name).or_insert(cause);
        self.refused_before = next_send;
    }

    /// Keeps the events of `sealed` that have a refused name. Returns a batch of the others, if
    /// there are any.
    pub(super) fn keep_refused(&mut self, sealed: SealedBatch) -> Option<SealedBatch> {
        if self.names.is_empty() {
            return Some(sealed);
        }
        let slots = sealed.batch.slots();
        let refused = |index: &usize| self.names.contains_key(slots[*index].name);
        let (refused, allowed): (Vec<usize>, Vec<usize>) = (0..slots.len()).partition(refused);
        self.kept.extend(sealed.part(&refused));
        sealed.part(&allowed)
    }

    /// Returns the kept batches, to be rejected, if an acceptance by send number `send` shows that the
    /// server refuses the names and not the key. A send that started before the last refusal does not
    /// show this.
    pub(super) fn take_rejected(&mut self, send: u64) -> Vec<SealedBatch> {
        if send < self.refused_before { Vec::new() } else { std::mem::take(&mut self.kept) }
    }

    /// Releases the capacity of kept batches, up to the limits of the queue. Returns the released events and bytes.
    pub(super) fn release_capacity(&mut self, limits: &QueueLimits) -> (usize, usize) {
        let capacity = |sealed: &SealedBatch| (sealed.len(), limits.batch_capacity(&sealed.batch));
        let without_capacity = self.kept.iter().filter(|sealed| !sealed.has_capacity).map(capacity);
        let (mut events, mut bytes) =
            without_capacity.fold((0, 0), |sum, capacity| (sum.0 + capacity.0, sum.1 + capacity.1));
        let mut released = (0, 0);
        for sealed in self.kept.iter_mut().filter(|sealed| sealed.has_capacity) {
            let (more_events, more_bytes) = capacity(sealed);
            events += more_events;
            bytes += more_bytes;
            if events > limits.queued_events || bytes > limits.queued_bytes {
                break;
            }
            sealed.has_capacity = false;
            released = (released.0 + more_events, released.1 + more_bytes);
        }
        released
    }

    pub(super) fn is_any_refused(&self) -> bool {
        !self.names.is_empty()
    }

    pub(super) fn kept(&self) -> &[SealedBatch] {
        &self.kept
    }

    pub(super) fn take_kept(&mut self) -> Vec<SealedBatch> {
        std::mem::take(&mut self.kept)
    }

    /// Clears all refusals and returns the kept batches.
    pub(super) fn reset(&mut self) -> Vec<SealedBatch> {
        self.names.clear();
        self.take_kept()
    }
}
