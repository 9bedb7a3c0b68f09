//! Splits a batch into requests.

use std::ops::Range;

use super::Slot;

/// The limits of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLimits {
    pub(crate) events: usize,
    /// The maximum size of the body. A larger event is sent alone.
    pub(crate) bytes: usize,
}

/// Splits the events of `slots` for which `include` returns true into the fewest requests that keep
/// their order and respect `limits`. The places in one request are consecutive, since Inngest
/// derives all its ids from one seed.
pub(crate) fn split(
    slots: &[Slot],
    limits: RequestLimits,
    include: impl Fn(usize) -> bool,
) -> Vec<Range<usize>> {
    let mut chunks: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, slot) in slots.iter().enumerate() {
        if !include(index) {
            continue;
        }
        // The event, and the comma or the opening bracket before it.
        let size = slot.len() + 1;
        if let Some(chunk) = chunks.last_mut() {
            let fits = chunk.end == index
                && slot.follows(&slots[index - 1])
                && chunk.len() < limits.events
                && bytes + size < limits.bytes;
            if fits {
                chunk.end += 1;
                bytes += size;
                continue;
            }
        }
        chunks.push(index..index + 1);
        bytes = size;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::super::CallSite;
    use super::{RequestLimits, Slot, split};

    fn slots(events: &[(u32, usize)]) -> Vec<Slot> {
        let mut start = 1;
        let slot = |&(place, len): &(u32, usize)| {
            let (name, call_site) = ("test/split", CallSite::caller());
            let slot = Slot { place, lineage: 0, name, call_site, start, end: start + len };
            start = slot.end + 1;
            slot
        };
        events.iter().map(slot).collect()
    }

    #[test]
    fn requests_are_filled_to_the_byte() {
        // `[` + 10 + `,` + 10 + `]` is 23 bytes.
        let slots = slots(&[(0, 10), (1, 10), (2, 10), (3, 10)]);
        let split_at = |bytes| split(&slots, RequestLimits { events: 5_000, bytes }, |_| true);
        let whole = 0..4;
        assert_eq!(split_at(23), [0..2, 2..4]);
        assert_eq!(split_at(22), [0..1, 1..2, 2..3, 3..4]);
        assert_eq!(split_at(34), [0..3, 3..4]);
        assert_eq!(split_at(45), [whole]);
        assert_eq!(split_at(44), [0..3, 3..4]);
        assert_eq!(split_at(1), [0..1, 1..2, 2..3, 3..4]);
    }

    #[test]
    fn gaps_and_counts_split() {
        let limits = RequestLimits { events: 2, bytes: 1_000 };
        let gap = slots(&[(0, 1), (1, 1), (2, 1), (4, 1), (5, 1)]);
        assert_eq!(split(&gap, limits, |_| true), [0..2, 2..3, 3..5]);
        assert_eq!(split(&gap, limits, |index| index != 1), [0..1, 2..3, 3..5]);
        assert_eq!(split(&[], limits, |_| true), []);
        let wrapped = slots(&[(u32::MAX, 1), (0, 1)]);
        assert_eq!(split(&wrapped, limits, |_| true), [0..1, 1..2]);
    }
}
