//! Dead events: reading, requeuing and deleting them.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row, Transaction};

use super::claim::lossy_text;
use super::connection::{Database, Durability, millis, now_millis, time_of};
use super::error::Failure;
use crate::batch::Seed;
use crate::outbox::dead::{DeadEvent, Ids};

const DEAD: &str = "\
SELECT id, name, body, traceparent, created_at, died_at, reason, ambiguous_at
FROM inngest_outbox_dead WHERE id > ?1 ORDER BY id LIMIT ?2";

/// Returns the Inngest id of a dead event. Returns no row for an event that is too old to be sent with the same
/// id, or that has none.
const KEEPABLE: &str = "\
SELECT seed, place, ambiguous_at FROM inngest_outbox_dead
WHERE id = ?1 AND seed IS NOT NULL AND place IS NOT NULL
  AND (ambiguous_at IS NULL OR ambiguous_at > ?2)";

/// Inserts a dead event into the outbox. If the `seq` is NULL, SQLite assigns the next number.
const REINSERT: &str = "\
INSERT INTO inngest_outbox (seq, name, body, traceparent, created_at)
SELECT ?2, name, body, traceparent, created_at FROM inngest_outbox_dead WHERE id = ?1";

const DELETE_DEAD: &str = "DELETE FROM inngest_outbox_dead WHERE id = ?1";

const PENDING_SIZES: &str = "\
SELECT seq, length(body) FROM inngest_outbox WHERE seq >
  (SELECT coalesce(max(last_seq), -9223372036854775808) FROM inngest_outbox_batch)
ORDER BY seq";

/// Inserts a batch that no relay has claimed.
const INSERT_BATCH: &str = "\
INSERT INTO inngest_outbox_batch
  (base_seq, first_seq, last_seq, seed, due_at, attempts, sealed_at, ambiguous_at)
VALUES (?1, ?2, ?3, ?4, ?5, 0, ?5, ?6)";

const PURGE: &str = "\
DELETE FROM inngest_outbox_dead WHERE id IN
  (SELECT id FROM inngest_outbox_dead WHERE died_at <= ?1 ORDER BY died_at, id LIMIT ?2)";

/// The limits of the batches into which a requeue seals the pending events. They are the defaults of
/// a relay; a client with smaller limits sends several requests.
const SEALED_EVENTS: i64 = 500;
const SEALED_BYTES: i64 = 512 * 1024;

pub(super) fn dead_events(
    database: &mut Database,
    after: i64,
    limit: u32,
) -> Result<Vec<DeadEvent>, Failure> {
    let mut statement = database.connection().prepare_cached(DEAD)?;
    let events = statement.query_map((after, limit), dead_event)?;
    Ok(events.collect::<Result<_, _>>()?)
}

/// Reads a dead event: `id`, `name`, `body`, `traceparent`, `created_at`, `died_at`, `reason` and
/// `ambiguous_at`.
pub(super) fn dead_event(row: &Row<'_>) -> rusqlite::Result<DeadEvent> {
    Ok(DeadEvent {
        id: row.get(0)?,
        name: lossy_text(row, 1)?,
        body: row.get(2)?,
        traceparent: row.get_ref(3)?.as_str().ok().map(str::to_owned),
        created_at: time_of(row.get(4)?),
        died_at: time_of(row.get(5)?),
        reason: lossy_text(row, 6)?,
        may_be_delivered: row.get::<_, Option<i64>>(7)?.is_some(),
    })
}

pub(super) fn requeue(
    database: &mut Database,
    mut dead: Vec<i64>,
    ids: Ids,
    max_age: Duration,
) -> Result<u64, Failure> {
    dead.sort_unstable();
    dead.dedup();
    database.write(Durability::Full, |tx| match ids {
        Ids::Keep => requeue_with_ids(tx, &dead, max_age),
        Ids::Fresh => {
            let mut requeued = 0;
            for id in dead {
                requeued += u64::from(reinsert(tx, id, None)?);
            }
            Ok(requeued)
        }
    })
}

/// A dead event and its Inngest id: a seed and a place in it.
struct DeadId {
    id: i64,
    seed: [u8; 16],
    place: u32,
    ambiguous_at: Option<i64>,
}

/// Puts dead events back in sealed batches. The distances between the numbers of their rows are the distances
/// between the events' places.
fn requeue_with_ids(tx: &Transaction<'_>, dead: &[i64], max_age: Duration) -> Result<u64, Failure> {
    let now = now_millis();
    let mut events = Vec::new();
    for id in dead {
        events.extend(dead_id(tx, *id, now.saturating_sub(millis(max_age)))?);
    }
    if events.is_empty() {
        return Ok(0);
    }
    // Pending events are sealed first, since the next seal starts after the last sealed row.
    seal_pending(tx, now)?;
    events.sort_by_key(|event| (event.seed, event.ambiguous_at, event.place));
    let together = |event: &DeadId, next: &DeadId| {
        event.seed == next.seed
            && event.ambiguous_at == next.ambiguous_at
            && event.place < next.place
    };
    for batch in events.chunk_by(together) {
        let Some(first) = batch.first() else { continue };
        reinsert(tx, first.id, None)?;
        let first_seq = tx.last_insert_rowid();
        let base_seq = first_seq - i64::from(first.place);
        let mut last_seq = first_seq;
        for event in &batch[1..] {
            last_seq = base_seq + i64::from(event.place);
            reinsert(tx, event.id, Some(last_seq))?;
        }
        let row = (base_seq, first_seq, last_seq, first.seed, now, first.ambiguous_at);
        tx.prepare_cached(INSERT_BATCH)?.execute(row)?;
    }
    Ok(events.len() as u64)
}

/// Returns the Inngest id of a dead event if the event can be sent with it again: no attempt with an
/// unknown outcome was made at the time `forgotten` or before.
fn dead_id(tx: &Transaction<'_>, id: i64, forgotten: i64) -> Result<Option<DeadId>, Failure> {
    let mut statement = tx.prepare_cached(KEEPABLE)?;
    let read = |row: &Row<'_>| {
        Ok(DeadId { id, seed: row.get(0)?, place: row.get(1)?, ambiguous_at: row.get(2)? })
    };
    statement.query_row((id, forgotten), read).optional().map_err(|error| match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => Failure::invalid_row(format!(
            "in `inngest_outbox_dead`, the `seed` or `place` of row {id} is invalid: {error}"
        )),
        error => error.into(),
    })
}

/// Moves a dead event back to the outbox. Returns whether it existed.
fn reinsert(tx: &Transaction<'_>, id: i64, seq: Option<i64>) -> rusqlite::Result<bool> {
    let inserted = tx.prepare_cached(REINSERT)?.execute((id, seq))?;
    tx.prepare_cached(DELETE_DEAD)?.execute([id])?;
    Ok(inserted > 0)
}

/// Seals all pending events in batches that are due.
fn seal_pending(tx: &Transaction<'_>, now: i64) -> Result<(), Failure> {
    let mut statement = tx.prepare_cached(PENDING_SIZES)?;
    let mut rows = statement.query(())?;
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    let (mut events, mut bytes) = (0, 0);
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let size = row.get::<_, i64>(1)?.saturating_add(1);
        (events, bytes) = (events + 1, bytes + size);
        match ranges.last_mut() {
            Some((first, last))
                if events <= SEALED_EVENTS
                    && bytes < SEALED_BYTES
                    && seq - *first <= i64::from(u32::MAX) =>
            {
                *last = seq;
            }
            _ => {
                ranges.push((seq, seq));
                (events, bytes) = (1, size);
            }
        }
    }
    drop(rows);
    let mut insert = tx.prepare_cached(INSERT_BATCH)?;
    for (first, last) in ranges {
        insert.execute((first, first, last, Seed::new().to_bytes(), now, None::<i64>))?;
    }
    Ok(())
}

pub(super) fn purge(
    database: &mut Database,
    older_than: Duration,
    limit: u32,
) -> Result<u64, Failure> {
    database.write(Durability::Full, |tx| {
        let died_by = now_millis().saturating_sub(millis(older_than));
        Ok(tx.prepare_cached(PURGE)?.execute((died_by, limit))? as u64)
    })
}
