//! The tables of an outbox in memory, and the transactions of a store on them. The clock is passed
//! in.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::{BatchRow, Defect};
use crate::outbox::store::{
    ClaimRequest, ClaimedBatch, Counts, Lease, MAX_CRASHES, MAX_WAIT, Settled, Settlement,
    StoredEvent,
};
use crate::outbox::{DeadEvent, Ids};

/// A batch with a longer wait is due, since the clock must have been set back.
const LONGEST_WAIT: Duration = MAX_WAIT.saturating_add(Duration::from_secs(60));
/// Pending events are counted up to this number.
const MAX_COUNTED: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Tables {
    pending: Vec<PendingRow>,
    batches: BTreeMap<i64, Batch>,
    dead: BTreeMap<i64, DeadRow>,
    last_batch: i64,
    last_dead: i64,
    /// The invalid operations of relays.
    pub(super) violations: Vec<String>,
    pub(super) defect: Option<Defect>,
}

#[derive(Clone, Debug)]
pub(super) struct PendingRow {
    pub(super) name: String,
    pub(super) body: Vec<u8>,
    pub(super) traceparent: Option<String>,
    pub(super) created_at: SystemTime,
}

#[derive(Clone, Debug)]
struct Batch {
    seed: [u8; 16],
    token: Option<[u8; 16]>,
    /// The end of the lease, or the time of the next attempt.
    due_at: SystemTime,
    attempts: u32,
    crashes: u32,
    ambiguous_at: Option<SystemTime>,
    last_error: Option<String>,
    events: Vec<(u32, PendingRow)>,
}

#[derive(Clone, Debug)]
struct DeadRow {
    row: PendingRow,
    seed: [u8; 16],
    place: u32,
    reason: String,
    ambiguous_at: Option<SystemTime>,
    died_at: SystemTime,
}

impl Tables {
    pub(super) fn insert(&mut self, row: PendingRow) {
        self.pending.push(row);
    }

    pub(super) fn claim(
        &mut self,
        request: &ClaimRequest,
        now: SystemTime,
    ) -> Option<ClaimedBatch> {
        let due = self.due(now);
        let seals = due.is_none() || request.pending_first;
        if seals && !self.pending.is_empty() {
            return Some(self.seal(request, now));
        }
        let id = due?;
        let batch = self.batches.get_mut(&id)?;
        let lease_expired = batch.token.is_some();
        batch.attempts += 1;
        batch.crashes += u32::from(lease_expired);
        if self.defect == Some(Defect::NewSeedForEachClaim) {
            batch.seed = request.seed;
        }
        let since = batch.ambiguous_at.filter(|_| self.defect != Some(Defect::ForgetsAmbiguity));
        batch.ambiguous_at = Some(since.unwrap_or(now));
        batch.token = Some(request.token);
        batch.due_at = now + request.lease;
        let ambiguous_for = since.map(|since| age(since, now));
        Some(claimed(id, batch, lease_expired, ambiguous_for))
    }

    /// Returns the batch that has been due for the longest time. If the clock was set back, a batch
    /// with a time far ahead comes first, since it would be the last one for hours.
    fn due(&self, now: SystemTime) -> Option<i64> {
        let is_due = |batch: &&Batch| batch.due_at <= now || batch.due_at > now + LONGEST_WAIT;
        let due = self.batches.iter().filter(|(_, batch)| is_due(batch));
        due.min_by_key(|(_, batch)| (batch.due_at <= now, batch.due_at)).map(|(id, _)| *id)
    }

    fn seal(&mut self, request: &ClaimRequest, now: SystemTime) -> ClaimedBatch {
        let mut bytes = 1;
        let fits = self.pending.iter().take(request.max_events).take_while(|row| {
            bytes += row.body.len() + 1;
            bytes <= request.max_bytes
        });
        let count = fits.count().max(1);
        let events = (0..).zip(self.pending.drain(..count)).collect();
        self.last_batch += 1;
        let batch = Batch {
            seed: request.seed,
            token: Some(request.token),
            due_at: now + request.lease,
            attempts: 1,
            crashes: 0,
            ambiguous_at: Some(now),
            last_error: None,
            events,
        };
        let claimed = claimed(self.last_batch, &batch, false, None);
        self.batches.insert(self.last_batch, batch);
        claimed
    }

    /// Returns the batch if the lease is still held. A lease whose time has passed is held until
    /// another relay claims the batch.
    fn leased(&mut self, lease: Lease) -> Option<&mut Batch> {
        let batch = self.batches.get_mut(&lease.batch);
        batch.filter(|batch| batch.token == Some(lease.token))
    }

    pub(super) fn renew(&mut self, lease: Lease, length: Duration, now: SystemTime) -> bool {
        let batch = self.leased(lease);
        batch.map(|batch| batch.due_at = now + length).is_some()
    }

    pub(super) fn settle(&mut self, settlement: &Settlement, now: SystemTime) -> Settled {
        let id = settlement.lease.batch;
        if self.leased(settlement.lease).is_none() {
            return Settled::LeaseLost;
        }
        let Some(mut batch) = self.batches.remove(&id) else { return Settled::LeaseLost };
        self.violations.extend(problem(settlement, &batch));
        if settlement.unambiguous {
            batch.ambiguous_at = None;
        }
        batch.token = None;
        batch.last_error.clone_from(&settlement.last_error);
        let died = self.bury(&batch, &settlement.dead, now);
        if self.defect == Some(Defect::LosesKeptEvents) {
            return Settled::Recorded(died);
        }
        for (index, part) in settlement.parts.iter().enumerate() {
            let events = batch.events.iter().filter(|(place, _)| part.places.contains(place));
            let half = Batch {
                due_at: now + part.due_in,
                attempts: part.attempts,
                crashes: part.crashes,
                events: events.cloned().collect(),
                ..batch.clone()
            };
            // The first part keeps the batch's id.
            let id = if index == 0 { id } else { self.last_batch + 1 };
            self.last_batch = self.last_batch.max(id);
            self.batches.insert(id, half);
        }
        Settled::Recorded(died)
    }

    /// Moves events of `batch` to the dead events.
    fn bury(&mut self, batch: &Batch, dead: &[(u32, String)], now: SystemTime) -> Vec<DeadEvent> {
        let mut died = Vec::new();
        for (place, reason) in dead {
            let Some((_, row)) = batch.events.iter().find(|(it, _)| it == place) else { continue };
            let row = DeadRow {
                row: row.clone(),
                seed: batch.seed,
                place: *place,
                reason: reason.clone(),
                ambiguous_at: batch.ambiguous_at,
                died_at: now,
            };
            self.last_dead += 1;
            died.push(dead_event(self.last_dead, &row));
            self.dead.insert(self.last_dead, row);
        }
        died
    }

    pub(super) fn counts(&self, now: SystemTime) -> Counts {
        let batches = || self.batches.values();
        let sealed = batches().flat_map(|batch| &batch.events).map(|(_, row)| row);
        let is_leased = |batch: &&Batch| batch.token.is_some() && batch.due_at > now;
        let is_isolated = |it: &&Batch| it.events.len() == 1 && it.crashes >= MAX_CRASHES;
        Counts {
            pending: count(self.pending.len().min(MAX_COUNTED)),
            oldest: self.pending.iter().chain(sealed.clone()).map(|row| row.created_at).min(),
            sealed: count(sealed.count()),
            in_flight: count(batches().filter(is_leased).count()),
            isolated: count(batches().filter(is_isolated).count()),
            dead: count(self.dead.len()),
        }
    }

    pub(super) fn dead_events(&self, after: i64, limit: usize) -> Vec<DeadEvent> {
        let later = self.dead.iter().filter(|(id, _)| **id > after);
        later.take(limit).map(|(id, row)| dead_event(*id, row)).collect()
    }

    pub(super) fn requeue(
        &mut self,
        dead: &[i64],
        ids: Ids,
        max_age: Duration,
        now: SystemTime,
    ) -> u64 {
        let mut requeued = 0;
        for id in dead {
            let expired =
                |row: &DeadRow| row.ambiguous_at.is_some_and(|at| age(at, now) >= max_age);
            let keeps_ids = ids == Ids::Keep;
            let stays = self.dead.get(id).is_none_or(|row| keeps_ids && expired(row));
            let Some(dead) = (if stays { None } else { self.dead.remove(id) }) else { continue };
            requeued += 1;
            if !keeps_ids {
                self.pending.push(dead.row);
                continue;
            }
            self.last_batch += 1;
            let batch = Batch {
                seed: dead.seed,
                token: None,
                due_at: now,
                attempts: 0,
                crashes: 0,
                ambiguous_at: dead.ambiguous_at,
                last_error: None,
                events: vec![(dead.place, dead.row)],
            };
            self.batches.insert(self.last_batch, batch);
        }
        requeued
    }

    pub(super) fn purge_dead(
        &mut self,
        older_than: Duration,
        limit: usize,
        now: SystemTime,
    ) -> u64 {
        let is_old = |row: &DeadRow| age(row.died_at, now) >= older_than;
        let old = self.dead.iter().filter(|(_, row)| is_old(row));
        let mut old: Vec<_> = old.map(|(id, row)| (row.died_at, *id)).collect();
        old.sort_unstable();
        old.truncate(limit);
        for (_, id) in &old {
            self.dead.remove(id);
        }
        count(old.len())
    }

    pub(super) fn pending_names(&self) -> Vec<String> {
        self.pending.iter().map(|row| row.name.clone()).collect()
    }

    pub(super) fn batch_rows(&self, now: SystemTime) -> Vec<BatchRow> {
        let row = |(id, batch): (&i64, &Batch)| BatchRow {
            id: *id,
            seed: batch.seed,
            is_leased: batch.token.is_some(),
            due_in: batch.due_at.duration_since(now).unwrap_or_default(),
            attempts: batch.attempts,
            crashes: batch.crashes,
            ambiguous_for: batch.ambiguous_at.map(|since| age(since, now)),
            last_error: batch.last_error.clone(),
            places: batch.events.iter().map(|(place, _)| *place).collect(),
            bodies: batch.events.iter().map(|(_, row)| row.body.clone()).collect(),
        };
        self.batches.iter().map(row).collect()
    }

    /// Changes the row of a sealed batch as another program could.
    pub(super) fn set_seed(&mut self, id: i64, seed: [u8; 16]) {
        if let Some(batch) = self.batches.get_mut(&id) {
            batch.seed = seed;
        }
    }
}

/// Returns what is wrong with a settlement of `batch`.
fn problem(settlement: &Settlement, batch: &Batch) -> Option<String> {
    let parts = settlement.parts.iter().map(|part| &part.places);
    let dead = settlement.dead.iter().map(|(place, _)| *place);
    let lists = parts.clone().cloned().chain([settlement.delivered.clone(), dead.collect()]);
    let lists: Vec<Vec<u32>> = lists.collect();
    let mut settled: Vec<u32> = lists.concat();
    settled.sort_unstable();
    let places: Vec<u32> = batch.events.iter().map(|(place, _)| *place).collect();
    let parts_ascend = parts.flatten().is_sorted_by(|one, next| one < next);
    let problem = if settled != places {
        "is not about each event once"
    } else if !parts_ascend || lists.iter().any(|list| !list.is_sorted()) {
        "has places that do not ascend"
    } else if settlement.parts.len() > 2 || settlement.parts.iter().any(|it| it.places.is_empty()) {
        "has more than two parts, or an empty one"
    } else if settlement.parts.iter().any(|part| part.due_in > MAX_WAIT) {
        "waits for more than an hour"
    } else {
        return None;
    };
    Some(format!("{settlement:?} {problem}: {places:?}"))
}

fn claimed(
    id: i64,
    batch: &Batch,
    lease_expired: bool,
    ambiguous_for: Option<Duration>,
) -> ClaimedBatch {
    let event = |(place, row): &(u32, PendingRow)| StoredEvent {
        place: *place,
        name: row.name.clone(),
        body: row.body.clone(),
        traceparent: row.traceparent.clone(),
    };
    ClaimedBatch {
        lease: Lease { batch: id, token: batch.token.unwrap_or_default() },
        seed: batch.seed,
        events: batch.events.iter().map(event).collect(),
        attempts: batch.attempts,
        crashes: batch.crashes,
        lease_expired,
        ambiguous_for,
    }
}

fn dead_event(id: i64, dead: &DeadRow) -> DeadEvent {
    DeadEvent {
        id,
        name: dead.row.name.clone(),
        body: dead.row.body.clone(),
        traceparent: dead.row.traceparent.clone(),
        created_at: dead.row.created_at,
        died_at: dead.died_at,
        reason: dead.reason.clone(),
        may_be_delivered: dead.ambiguous_at.is_some(),
    }
}

/// Returns the time from `since` to `now`, or zero if the clock was set back.
fn age(since: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(since).unwrap_or_default()
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
