//! Where a batch is cut into requests.

use std::ops::Range;

use super::Slot;

/// What fits into one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) events: usize,
    /// Of the request's body. One larger event travels alone.
    pub(crate) bytes: usize,
}

/// Cuts `slots` into the fewest requests that keep the order and the limits. A request holds places
/// that follow each other, since their ids count up from one seed; the events for which `left_out`
/// says so are in none.
pub(crate) fn split(
    slots: &[Slot],
    limits: Limits,
    left_out: impl Fn(&Slot) -> bool,
) -> Vec<Range<usize>> {
    let mut chunks: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, slot) in slots.iter().enumerate() {
        if left_out(slot) {
            continue;
        }
        // With the comma before it, or the bracket that opens.
        let size = slot.len() + 1;
        if let Some(chunk) = chunks.last_mut() {
            let follows = chunk.end == index
                && slot.follows(&slots[index - 1])
                && chunk.len() < limits.events
                && bytes + size < limits.bytes;
            if follows {
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
    use super::{Limits, Slot, split};

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
    fn a_request_is_filled_to_the_byte() {
        // `[` + 10 + `,` + 10 + `]` is 23 bytes.
        let slots = slots(&[(0, 10), (1, 10), (2, 10), (3, 10)]);
        let cut = |bytes| split(&slots, Limits { events: 5_000, bytes }, |_| false);
        let whole = 0..4;
        assert_eq!(cut(23), [0..2, 2..4]);
        assert_eq!(cut(22), [0..1, 1..2, 2..3, 3..4]);
        assert_eq!(cut(34), [0..3, 3..4]);
        assert_eq!(cut(45), [whole]);
        assert_eq!(cut(44), [0..3, 3..4]);
        assert_eq!(cut(1), [0..1, 1..2, 2..3, 3..4]);
    }

    #[test]
    fn gaps_and_counts_cut() {
        let limits = Limits { events: 2, bytes: 1_000 };
        let gap = slots(&[(0, 1), (1, 1), (2, 1), (4, 1), (5, 1)]);
        assert_eq!(split(&gap, limits, |_| false), [0..2, 2..3, 3..5]);
        assert_eq!(split(&gap, limits, |slot| slot.place == 1), [0..1, 2..3, 3..5]);
        assert_eq!(split(&[], limits, |_| false), []);
        let wrapped = slots(&[(u32::MAX, 1), (0, 1)]);
        let both = 0..2;
        assert_eq!(split(&wrapped, limits, |_| false), [both]);
    }
}
