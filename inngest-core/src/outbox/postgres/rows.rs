//! Reads the rows of dead events and counts.

use std::time::{Duration, SystemTime};

use super::sqlx::postgres::PgRow;
use super::sqlx::{self, Row};
use crate::outbox::dead::DeadEvent;
use crate::outbox::store::Counts;

/// Returns the counts in the row of `COUNTS`.
pub(super) fn counts_of(row: &PgRow) -> Result<Counts, sqlx::Error> {
    let oldest: Option<i64> = row.try_get(1)?;
    Ok(Counts {
        pending: count(row.try_get(0)?),
        oldest: oldest.map(time),
        sealed: count(row.try_get(2)?),
        in_flight: count(row.try_get(3)?),
        isolated: count(row.try_get(4)?),
        dead: count(row.try_get(5)?),
    })
}

/// Returns the dead event in a row of `DEAD_EVENTS` or `BURY`.
pub(super) fn dead_event(row: &PgRow) -> Result<DeadEvent, sqlx::Error> {
    Ok(DeadEvent {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        body: row.try_get(2)?,
        traceparent: row.try_get(3)?,
        created_at: time(row.try_get(4)?),
        died_at: time(row.try_get(5)?),
        reason: row.try_get(6)?,
        may_be_delivered: row.try_get(7)?,
    })
}

/// Converts microseconds since 1970.
fn time(micros: i64) -> SystemTime {
    let distance = Duration::from_micros(micros.unsigned_abs());
    let time = if micros < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}

pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
