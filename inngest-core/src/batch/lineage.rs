//! The places of one seed, and whether its events may have been accepted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::Seed;

/// A seed and its next free place, shared by a batch and the batches returned from it: no two of their events
/// may have the same place.
#[derive(Debug)]
pub(super) struct Lineage {
    pub(super) seed: Seed,
    next_place: AtomicU32,
    /// Whether an attempt ended without it being known what the server did. One mark for all events of the seed
    /// is enough: it only turns a rejection into an unsent event.
    in_doubt: AtomicBool,
}

impl Lineage {
    pub(super) fn new() -> Arc<Lineage> {
        Lineage::stored(Seed::new(), false)
    }

    /// Returns the lineage of events that were stored. It assigns no places, since other copies of the stored
    /// batch, and the original, may exist.
    pub(super) fn stored(seed: Seed, in_doubt: bool) -> Arc<Lineage> {
        let (next_place, in_doubt) = (AtomicU32::new(0), AtomicBool::new(in_doubt));
        Arc::new(Lineage { seed, next_place, in_doubt })
    }

    pub(super) fn take_place(&self) -> u32 {
        self.next_place.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn mark_in_doubt(&self) {
        self.in_doubt.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::Relaxed)
    }
}

/// Returns the index of `wanted` among a batch's lineages, after adding it if it is missing.
pub(super) fn lineage_index(
    own: &Arc<Lineage>,
    appended: &mut Vec<Arc<Lineage>>,
    wanted: &Arc<Lineage>,
) -> u32 {
    if Arc::ptr_eq(own, wanted) {
        return 0;
    }
    let known = appended.iter().position(|lineage| Arc::ptr_eq(lineage, wanted));
    let index = known.unwrap_or_else(|| {
        appended.push(Arc::clone(wanted));
        appended.len() - 1
    });
    u32::try_from(index + 1).expect("each lineage has an event, and memory holds fewer than 2^32")
}
