//! The settlement of a claimed batch, and the extension of its lease.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction};

use super::claim::lossy_text;
use super::connection::{Database, Durability, millis, now_millis};
use super::dead::dead_event;
use super::error::Failure;
use crate::outbox::dead::DeadEvent;
use crate::outbox::store::{Lease, Part, Settled, Settlement};

const RENEW: &str = "UPDATE inngest_outbox_batch SET due_at = ?3 WHERE id = ?1 AND token = ?2";

const LEASED: &str = "\
SELECT base_seq, seed, sealed_at, ambiguous_at, last_error FROM inngest_outbox_batch
WHERE id = ?1 AND token = ?2";

const INSERT_DEAD: &str = "\
INSERT INTO inngest_outbox_dead
  (name, body, traceparent, created_at, seed, place, reason, ambiguous_at, died_at)
SELECT name, body, traceparent, created_at, ?2, ?3, ?4, ?5, ?6 FROM inngest_outbox WHERE seq = ?1
RETURNING id, name, body, traceparent, created_at, died_at, reason, ambiguous_at";

const DELETE_EVENTS: &str = "DELETE FROM inngest_outbox WHERE seq BETWEEN ?1 AND ?2";

const DELETE_BATCH: &str = "DELETE FROM inngest_outbox_batch WHERE id = ?1";

const UPDATE_BATCH: &str = "\
UPDATE inngest_outbox_batch SET token = NULL, first_seq = ?2, last_seq = ?3, due_at = ?4,
  attempts = ?5, crashes = ?6, ambiguous_at = ?7, last_error = ?8 WHERE id = ?1";

const INSERT_BATCH: &str = "\
INSERT INTO inngest_outbox_batch
  (first_seq, last_seq, due_at, attempts, crashes, ambiguous_at, last_error, base_seq, seed, sealed_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// The columns of a leased batch that are copied to its parts.
struct Leased {
    base_seq: i64,
    seed: [u8; 16],
    sealed_at: i64,
    ambiguous_at: Option<i64>,
    last_error: Option<String>,
}

pub(super) fn renew(
    database: &mut Database,
    lease: Lease,
    length: Duration,
) -> Result<bool, Failure> {
    database.write(Durability::Normal, |tx| {
        let due_at = now_millis().saturating_add(millis(length));
        let renewed = tx.prepare_cached(RENEW)?.execute((lease.batch, lease.token, due_at))?;
        Ok(renewed > 0)
    })
}

/// Records a settlement. If a loss of power undoes it, the batch is sent again, with the same ids.
pub(super) fn settle(database: &mut Database, settlement: &Settlement) -> Result<Settled, Failure> {
    database.write(Durability::Normal, |tx| {
        let now = now_millis();
        let Some(mut leased) = leased(tx, settlement.lease)? else {
            return Ok(Settled::LeaseLost);
        };
        if settlement.unambiguous {
            leased.ambiguous_at = None;
        }
        if settlement.last_error.is_some() {
            leased.last_error.clone_from(&settlement.last_error);
        }
        let dead = bury(tx, settlement, &leased, now)?;
        delete_events(tx, &settlement.delivered, &leased)?;
        update_batches(tx, settlement, &leased, now)?;
        Ok(Settled::Recorded(dead))
    })
}

fn leased(tx: &Transaction<'_>, lease: Lease) -> rusqlite::Result<Option<Leased>> {
    let mut statement = tx.prepare_cached(LEASED)?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Leased {
            base_seq: row.get(0)?,
            seed: row.get(1)?,
            sealed_at: row.get(2)?,
            ambiguous_at: row.get(3)?,
            last_error: Some(lossy_text(row, 4)?).filter(|error| !error.is_empty()),
        })
    };
    statement.query_row((lease.batch, lease.token), read).optional()
}

impl Leased {
    fn seq(&self, place: u32) -> i64 {
        self.base_seq.saturating_add(i64::from(place))
    }
}

/// Moves the dead events to their table.
fn bury(
    tx: &Transaction<'_>,
    settlement: &Settlement,
    leased: &Leased,
    now: i64,
) -> rusqlite::Result<Vec<DeadEvent>> {
    let mut insert = tx.prepare_cached(INSERT_DEAD)?;
    let mut dead = Vec::with_capacity(settlement.dead.len());
    for (place, reason) in &settlement.dead {
        let seq = leased.seq(*place);
        let row = (seq, leased.seed, place, reason, leased.ambiguous_at, now);
        // `None` if another program has deleted the event.
        dead.extend(insert.query_row(row, dead_event).optional()?);
    }
    let places: Vec<u32> = settlement.dead.iter().map(|(place, _)| *place).collect();
    delete_events(tx, &places, leased)?;
    Ok(dead)
}

/// Deletes the rows of `places`, which are ascending: one statement for each run without a gap.
fn delete_events(tx: &Transaction<'_>, places: &[u32], leased: &Leased) -> rusqlite::Result<()> {
    let mut delete = tx.prepare_cached(DELETE_EVENTS)?;
    for run in places.chunk_by(|place, next| place.checked_add(1) == Some(*next)) {
        if let [first, ..] = run {
            let last = run.last().unwrap_or(first);
            delete.execute((leased.seq(*first), leased.seq(*last)))?;
        }
    }
    Ok(())
}

/// Writes the parts of the batch: the first in its own row, the others in new rows.
fn update_batches(
    tx: &Transaction<'_>,
    settlement: &Settlement,
    leased: &Leased,
    now: i64,
) -> rusqlite::Result<()> {
    let id = settlement.lease.batch;
    let mut parts = settlement.parts.iter().filter_map(|part| {
        let (first, last) = (part.places.first()?, part.places.last()?);
        Some((part, leased.seq(*first), leased.seq(*last)))
    });
    let due_at = |part: &Part| now.saturating_add(millis(part.due_in));
    let Some((part, first_seq, last_seq)) = parts.next() else {
        tx.prepare_cached(DELETE_BATCH)?.execute([id])?;
        return Ok(());
    };
    tx.prepare_cached(UPDATE_BATCH)?.execute((
        id,
        first_seq,
        last_seq,
        due_at(part),
        part.attempts,
        part.crashes,
        leased.ambiguous_at,
        &leased.last_error,
    ))?;
    for (part, first_seq, last_seq) in parts {
        tx.prepare_cached(INSERT_BATCH)?.execute((
            first_seq,
            last_seq,
            due_at(part),
            part.attempts,
            part.crashes,
            leased.ambiguous_at,
            &leased.last_error,
            leased.base_seq,
            leased.seed,
            leased.sealed_at,
        ))?;
    }
    Ok(())
}
