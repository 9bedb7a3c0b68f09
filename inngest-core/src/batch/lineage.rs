//! The seed of a batch, the numbers (places) of its events, and which of the events may have been accepted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Seed;

/// A seed and its next free place. A batch shares it with the batches that errors return from it,
/// so that no two of their events get the same place.
#[derive(Debug)]
pub(super) struct Lineage {
    pub(super) seed: Seed,
    next_place: AtomicU32,
    /// The places of the events that the server accepted or may have accepted. Such an event is
    /// never reported as rejected.
    in_doubt: Mutex<Places>,
}

impl Lineage {
    /// Creates a lineage with a new seed.
    pub(super) fn new() -> Arc<Lineage> {
        Lineage::from_seed(Seed::new())
    }

    /// Creates a lineage with an existing seed. For a stored batch,
    /// [`take_place`](Lineage::take_place) must not be called: the original and other copies may
    /// have taken the same places.
    pub(super) fn from_seed(seed: Seed) -> Arc<Lineage> {
        Arc::new(Lineage { seed, next_place: AtomicU32::new(0), in_doubt: Mutex::default() })
    }

    /// Returns the next free place, which no other event of this lineage gets.
    pub(super) fn take_place(&self) -> u32 {
        self.next_place.fetch_add(1, Ordering::Relaxed)
    }

    /// Marks the places from `first` to `last` as in doubt.
    pub(super) fn mark_in_doubt(&self, first: u32, last: u32) {
        self.places_in_doubt().insert(first, last);
    }

    pub(super) fn is_in_doubt(&self, place: u32) -> bool {
        self.places_in_doubt().contains(place)
    }

    fn places_in_doubt(&self) -> MutexGuard<'_, Places> {
        self.in_doubt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A set of places, as ranges: the first place of each, with the last. No two ranges overlap or
/// touch.
#[derive(Debug, Default)]
struct Places(BTreeMap<u32, u32>);

impl Places {
    /// Adds the places from `first` to `last`.
    fn insert(&mut self, mut first: u32, mut last: u32) {
        // Merges the ranges that overlap or touch the new one.
        while let Some((&start, &end)) = self.0.range(..=last.saturating_add(1)).next_back() {
            if end.saturating_add(1) < first {
                break;
            }
            (first, last) = (first.min(start), last.max(end));
            self.0.remove(&start);
        }
        self.0.insert(first, last);
    }

    fn contains(&self, place: u32) -> bool {
        self.0.range(..=place).next_back().is_some_and(|(_, last)| place <= *last)
    }
}

/// Returns the index of `wanted` among a batch's lineages, as in [`Slot`](super::Slot). Adds it to
/// `appended` if it is missing.
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

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn ranges_of_places_are_merged() {
        let mut places = Places::default();
        for (first, last) in [(10, 12), (0, 1), (20, 20), (13, 14), (u32::MAX, u32::MAX), (2, 2)] {
            places.insert(first, last);
        }
        let ranges = |places: &Places| places.0.clone().into_iter().collect::<Vec<_>>();
        assert_eq!(ranges(&places), [(0, 2), (10, 14), (20, 20), (u32::MAX, u32::MAX)]);
        for (place, expected) in [(0, true), (2, true), (3, false), (9, false), (14, true)] {
            assert_eq!(places.contains(place), expected, "{place}");
        }
        places.insert(1, 19);
        assert_eq!(ranges(&places), [(0, 20), (u32::MAX, u32::MAX)]);
        places.insert(0, u32::MAX - 1);
        assert_eq!(ranges(&places), [(0, u32::MAX)]);
    }
}
