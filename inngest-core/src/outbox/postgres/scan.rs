//! The rows that a claim scans. Pure functions.
//!
//! Deleted rows stay in a table and its index until vacuum removes them, and vacuum cannot remove
//! them while an older transaction is open. A claim therefore skips the rows below a hint, which
//! earlier claims found to be deleted. Rows are not committed in the order of their numbers, so a
//! row below the hint can appear later. Therefore one claim per second scans all rows, or one in a
//! longer time if a scan of all rows is slow.

use std::time::{Duration, Instant};

/// The limits of the interval between two scans of all rows.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
const MAX_INTERVAL: Duration = Duration::from_secs(30);

/// The interval between two scans of all rows is at least this many times the duration of a scan.
const RELATIVE_INTERVAL: u32 = 20;

/// The rows that a claim scans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// Pending events with a greater `seq`.
    pub(super) after_seq: i64,
    /// Batches with this or a greater id.
    pub(super) from_batch: i64,
}

/// The result of a claim's scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The first batch in the scanned rows.
    pub(super) first_batch: Option<i64>,
    /// The duration of the scan.
    pub(super) took: Duration,
    /// The batch that the claim sealed, and the last `seq` of its events.
    pub(super) sealed: Option<(i64, i64)>,
}

/// The hints of a store.
#[derive(Debug, Default)]
pub(super) struct Hints {
    scan: Scan,
    last_batch: i64,
    /// Whether the last scan of all rows found no batch, and no batch was sealed since then.
    is_empty: bool,
    next_full_scan: Option<Instant>,
}

impl Hints {
    /// Returns the rows that the next claim scans.
    pub(super) fn next(&self, now: Instant) -> Scan {
        let is_later = self.next_full_scan.is_some_and(|next| now < next);
        if is_later { self.scan } else { Scan::default() }
    }

    /// Records the result of a claim that scanned `scan` and began at `now`.
    pub(super) fn record(&mut self, scan: Scan, found: Found, now: Instant) {
        if let Some((batch, seq)) = found.sealed {
            // Also if `seq` is lower than before: events with higher numbers are then still pending.
            self.scan.after_seq = seq;
            self.last_batch = self.last_batch.max(batch);
        }
        let sealed = found.sealed.map(|(batch, _)| batch);
        if scan == Scan::default() {
            let interval = found.took.saturating_mul(RELATIVE_INTERVAL);
            self.next_full_scan = Some(now + interval.clamp(MIN_INTERVAL, MAX_INTERVAL));
            let first = found.first_batch.or(sealed);
            self.is_empty = first.is_none();
            self.scan.from_batch = first.unwrap_or(self.last_batch.saturating_add(1));
        } else if let Some(batch) = sealed.filter(|_| self.is_empty) {
            // Other relays may have sealed batches after the last batch of this relay.
            self.is_empty = false;
            self.scan.from_batch = batch;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    fn found(first_batch: Option<i64>, sealed: Option<(i64, i64)>) -> Found {
        Found { first_batch, sealed, took: Duration::ZERO }
    }

    #[test]
    fn all_rows_are_looked_at_first_and_once_a_second() {
        let (start, mut hints) = (Instant::now(), Hints::default());
        assert_eq!(hints.next(start), Scan::default());
        hints.record(Scan::default(), found(Some(7), Some((9, 500))), start);
        let hinted = Scan { after_seq: 500, from_batch: 7 };
        assert_eq!(hints.next(after(start, 999)), hinted);
        assert_eq!(hints.next(after(start, 1000)), Scan::default());
        hints.record(Scan::default(), found(None, None), after(start, 1000));
        let hinted = Scan { after_seq: 500, from_batch: 10 };
        assert_eq!(hints.next(after(start, 1999)), hinted);
        assert_eq!(hints.next(after(start, 2000)), Scan::default());
    }

    #[test]
    fn all_rows_are_looked_at_less_often_if_that_takes_long() {
        for (took, interval) in [(10, 1_000), (200, 4_000), (60_000, 30_000)] {
            let (start, mut hints) = (Instant::now(), Hints::default());
            let took = Duration::from_millis(took);
            hints.record(Scan::default(), Found { took, ..found(Some(7), None) }, start);
            assert_ne!(hints.next(after(start, interval - 1)), Scan::default());
            assert_eq!(hints.next(after(start, interval)), Scan::default());
        }
    }

    #[test]
    fn events_that_were_committed_late_are_followed_by_their_successors() {
        let (start, mut hints) = (Instant::now(), Hints::default());
        hints.record(Scan::default(), found(None, Some((1, 9_000))), start);
        hints.record(Scan::default(), found(None, Some((2, 500))), after(start, 1000));
        assert_eq!(hints.next(after(start, 1100)), Scan { after_seq: 500, from_batch: 2 });
    }

    #[test]
    fn a_batch_that_is_sealed_by_a_full_scan_is_found_again() {
        let (start, mut hints) = (Instant::now(), Hints::default());
        hints.record(Scan::default(), found(None, Some((5, 40))), start);
        let hinted = hints.next(after(start, 10));
        assert_eq!(hinted.from_batch, 5);
        hints.record(hinted, found(None, Some((6, 40))), after(start, 20));
        assert_eq!(hints.next(after(start, 30)).from_batch, 5);
    }

    #[test]
    fn a_store_that_saw_no_batch_looks_from_the_first_one_that_it_seals() {
        let (start, mut hints) = (Instant::now(), Hints::default());
        hints.record(Scan::default(), found(None, None), start);
        for batch in [900, 901] {
            hints.record(hints.next(after(start, 10)), found(None, Some((batch, 1))), start);
            assert_eq!(hints.next(after(start, 20)).from_batch, 900);
        }
    }

    #[test]
    fn a_batch_of_a_hinted_claim_does_not_move_the_hint_past_older_batches() {
        let (start, mut hints) = (Instant::now(), Hints::default());
        hints.record(Scan::default(), found(Some(3), None), start);
        let hinted = hints.next(after(start, 10));
        hints.record(hinted, found(Some(5), Some((8, 20))), start);
        assert_eq!(hints.next(after(start, 20)), Scan { after_seq: 20, from_batch: 3 });
    }
}
