//! The claim: a batch that is due, or pending events, which are sealed.

use rusqlite::{Row, Transaction};

use super::connection::{Database, Durability, Idle, latest_due, millis, now_millis};
use super::error::Failure;
use crate::outbox::store::{ClaimRequest, ClaimedBatch, Lease, StoredEvent};

/// Whether there are pending events, and when the next batch is due.
const OUTLOOK: &str = "\
SELECT
  EXISTS (SELECT 1 FROM inngest_outbox WHERE seq >
    (SELECT coalesce(max(last_seq), -9223372036854775808) FROM inngest_outbox_batch)),
  (SELECT min(iif(due_at > ?2, ?1, due_at)) FROM inngest_outbox_batch)";

/// Returns the next batch that is due. Batches whose `due_at` is too far ahead come first: the clock was set
/// back, so they have been waiting the longest.
const DUE_BATCH: &str = "\
SELECT id, base_seq, first_seq, last_seq, seed, token IS NOT NULL, attempts, crashes, ambiguous_at
FROM inngest_outbox_batch WHERE due_at <= ?1 OR due_at > ?2
ORDER BY due_at <= ?1, due_at, id LIMIT 1";

const EVENTS: &str = "\
SELECT seq, name, body, traceparent FROM inngest_outbox WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq";

const LEASE: &str = "\
UPDATE inngest_outbox_batch SET token = ?2, due_at = ?3, attempts = ?4, crashes = ?5,
  ambiguous_at = coalesce(ambiguous_at, ?6) WHERE id = ?1";

/// Postpones a damaged batch, so that the batches after it are claimed. Its lease, if it has one, is kept.
const POSTPONE: &str = "UPDATE inngest_outbox_batch SET due_at = ?2 WHERE id = ?1";

const DELETE_BATCH: &str = "DELETE FROM inngest_outbox_batch WHERE id = ?1";

const PENDING: &str = "\
SELECT seq, name, body, traceparent FROM inngest_outbox WHERE seq >
  (SELECT coalesce(max(last_seq), -9223372036854775808) FROM inngest_outbox_batch)
ORDER BY seq LIMIT ?1";

const SEAL: &str = "\
INSERT INTO inngest_outbox_batch
  (base_seq, first_seq, last_seq, seed, token, due_at, attempts, crashes, sealed_at, ambiguous_at)
VALUES (?1, ?1, ?2, ?3, ?4, ?5, 1, 0, ?6, ?6)";

pub(super) fn claim(
    database: &mut Database,
    request: &ClaimRequest,
) -> Result<Option<ClaimedBatch>, Failure> {
    let now = now_millis();
    // The version is read before the tables, so that the next claim detects a change between the two.
    let data_version = database.data_version()?;
    if database.is_still_idle(data_version, now) {
        return Ok(None);
    }
    let mut outlook = database.connection().prepare_cached(OUTLOOK)?;
    let (has_pending, next_due) = outlook.query_row((now, latest_due(now)), |row| {
        Ok((row.get::<_, bool>(0)?, row.get::<_, Option<i64>>(1)?))
    })?;
    drop(outlook);
    if !has_pending && next_due.is_none_or(|due| due > now) {
        // No transaction was begun, since its lock would block the application's writers.
        database.set_idle(Idle { data_version, checked_at: now, next_due });
        return Ok(None);
    }
    let claimed = database.write(Durability::Full, |tx| {
        // The time is read again, since the transaction may have waited for its lock.
        let now = now_millis();
        if request.pending_first {
            return match seal(tx, request, now)? {
                None => lease_due(tx, request, now),
                sealed => Ok(sealed.map(Ok)),
            };
        }
        match lease_due(tx, request, now)? {
            None => Ok(seal(tx, request, now)?.map(Ok)),
            leased => Ok(leased),
        }
    })?;
    claimed.transpose()
}

/// A row of `inngest_outbox_batch`.
struct BatchRow {
    id: i64,
    base_seq: i64,
    first_seq: i64,
    last_seq: i64,
    seed: [u8; 16],
    lease_expired: bool,
    attempts: u32,
    crashes: u32,
    ambiguous_at: Option<i64>,
}

impl BatchRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<BatchRow> {
        Ok(BatchRow {
            id: row.get(0)?,
            base_seq: row.get(1)?,
            first_seq: row.get(2)?,
            last_seq: row.get(3)?,
            seed: row.get(4)?,
            lease_expired: row.get(5)?,
            attempts: counter(row, 6)?,
            crashes: counter(row, 7)?,
            ambiguous_at: row.get(8)?,
        })
    }
}

/// Reads a number of attempts or crashes. A number out of range, which no relay writes, is limited: a
/// row that cannot be read would stop all events.
fn counter(row: &Row<'_>, column: usize) -> rusqlite::Result<u32> {
    let number = row.get::<_, i64>(column)?.clamp(0, i64::from(i32::MAX));
    Ok(u32::try_from(number).unwrap_or_default())
}

/// Leases the batch that has been due for the longest time. If it is damaged, postpones it and
/// returns its failure within `Ok`, so that the transaction is committed.
fn lease_due(
    tx: &Transaction<'_>,
    request: &ClaimRequest,
    now: i64,
) -> Result<Option<Result<ClaimedBatch, Failure>>, Failure> {
    let due_at = now.saturating_add(millis(request.lease));
    loop {
        let mut due = tx.prepare_cached(DUE_BATCH)?;
        let mut rows = due.query((now, latest_due(now)))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let batch = BatchRow::read(row)?;
        drop(rows);
        let events = match events_of(tx, &batch) {
            Err(damage @ Failure::Store(_)) => {
                tx.prepare_cached(POSTPONE)?.execute((batch.id, due_at))?;
                return Ok(Some(Err(damage)));
            }
            events => events?,
        };
        if events.is_empty() {
            // Another program has deleted the events of the batch.
            tx.prepare_cached(DELETE_BATCH)?.execute([batch.id])?;
            continue;
        }
        let attempts = batch.attempts.saturating_add(1);
        let crashes = batch.crashes.saturating_add(u32::from(batch.lease_expired));
        tx.prepare_cached(LEASE)?.execute((
            batch.id,
            request.token,
            due_at,
            attempts,
            crashes,
            now,
        ))?;
        return Ok(Some(Ok(ClaimedBatch {
            lease: Lease { batch: batch.id, token: request.token },
            seed: batch.seed,
            events,
            attempts,
            crashes,
            lease_expired: batch.lease_expired,
            ambiguous_for: batch.ambiguous_at.map(|since| elapsed(since, now)),
        })));
    }
}

fn events_of(tx: &Transaction<'_>, batch: &BatchRow) -> Result<Vec<StoredEvent>, Failure> {
    let mut statement = tx.prepare_cached(EVENTS)?;
    let mut rows = statement.query((batch.first_seq, batch.last_seq))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let place = place(seq, batch.base_seq).ok_or_else(|| {
            Failure::invalid_row(format!(
                "in `inngest_outbox_batch`, the `base_seq` of batch {} does not fit its event {seq}",
                batch.id
            ))
        })?;
        events.push(stored_event(row, place)?);
    }
    Ok(events)
}

/// Seals pending events, up to the limits of `request`.
fn seal(
    tx: &Transaction<'_>,
    request: &ClaimRequest,
    now: i64,
) -> Result<Option<ClaimedBatch>, Failure> {
    let mut statement = tx.prepare_cached(PENDING)?;
    let limit = i64::try_from(request.max_events).unwrap_or(i64::MAX);
    let mut rows = statement.query([limit])?;
    let (mut first_seq, mut last_seq) = (0, 0);
    let mut bytes = 1_usize;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        if events.is_empty() {
            first_seq = seq;
        }
        let Some(place) = place(seq, first_seq) else { break };
        bytes = bytes.saturating_add(row.get_ref(2)?.as_blob().map_or(0, <[u8]>::len) + 1);
        if bytes > request.max_bytes && !events.is_empty() {
            break;
        }
        events.push(stored_event(row, place)?);
        last_seq = seq;
    }
    drop(rows);
    if events.is_empty() {
        return Ok(None);
    }
    let due_at = now.saturating_add(millis(request.lease));
    let row = (first_seq, last_seq, request.seed, request.token, due_at, now);
    tx.prepare_cached(SEAL)?.execute(row)?;
    Ok(Some(ClaimedBatch {
        lease: Lease { batch: tx.last_insert_rowid(), token: request.token },
        seed: request.seed,
        events,
        attempts: 1,
        crashes: 0,
        lease_expired: false,
        ambiguous_for: None,
    }))
}

/// Returns the place of the row `seq` in its batch, or `None` if it is out of range.
fn place(seq: i64, base_seq: i64) -> Option<u32> {
    seq.checked_sub(base_seq).and_then(|place| u32::try_from(place).ok())
}

fn stored_event(row: &Row<'_>, place: u32) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        place,
        name: lossy_text(row, 1)?,
        body: row.get(2)?,
        traceparent: row.get_ref(3)?.as_str().ok().map(str::to_owned),
    })
}

/// Reads a text that is only displayed, and replaces invalid UTF-8. SQLite does not check that a text is
/// UTF-8, and a row that cannot be read would stop all events.
pub(super) fn lossy_text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let bytes = row.get_ref(column)?.as_bytes_or_null()?.unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// Returns the time from `since` to `now`, or zero if the clock was set back.
fn elapsed(since: i64, now: i64) -> std::time::Duration {
    let millis = u64::try_from(now.saturating_sub(since)).unwrap_or_default();
    std::time::Duration::from_millis(millis)
}
