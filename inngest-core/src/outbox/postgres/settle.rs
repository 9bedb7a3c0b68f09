//! Extends a lease, and records the outcomes of a claimed batch.

use std::time::Duration;

use super::super::seconds;
use super::super::statements::{
    BEGIN, BEGIN_SETTLE, BURY, DELETE_BATCH, KEEP_ALL, KEEP_SOME, RENEW, SPLIT,
};
use super::failure::Failure;
use super::rows::dead_event;
use super::sqlx::postgres::PgArguments;
use super::sqlx::query::Query;
use super::sqlx::{self, Connection, PgConnection, Postgres};
use crate::outbox::dead::DeadEvent;
use crate::outbox::store::{Lease, Part, Settled, Settlement};

/// Records a settlement. The last statement changes the batch, so its row count shows whether the lease was held.
pub(super) async fn settle(
    connection: &mut PgConnection,
    settlement: &Settlement,
) -> Result<Settled, Failure> {
    let begin = if settlement.dead.is_empty() { BEGIN_SETTLE } else { BEGIN };
    let mut tx = connection.begin_with(begin).await?;
    let mut dead = Vec::new();
    if !settlement.dead.is_empty() {
        dead = bury(&mut tx, settlement).await?;
    }
    let last = match &*settlement.parts {
        [] => {
            let lease = settlement.lease;
            sqlx::query(DELETE_BATCH).bind(lease.batch).bind(lease.token)
        }
        [part] if settlement.delivered.is_empty() && settlement.dead.is_empty() => {
            keep(KEEP_ALL, settlement, part)
        }
        [first, others @ ..] => {
            for part in others {
                keep(SPLIT, settlement, part).bind(places(&part.places)).execute(&mut *tx).await?;
            }
            keep(KEEP_SOME, settlement, first).bind(places(&first.places))
        }
    };
    if last.execute(&mut *tx).await?.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(Settled::LeaseLost);
    }
    tx.commit().await?;
    Ok(Settled::Recorded(dead))
}

/// Extends a lease. Returns whether it was still held.
pub(super) async fn renew(
    connection: &mut PgConnection,
    lease: Lease,
    length: Duration,
) -> Result<bool, Failure> {
    let mut tx = connection.begin_with(BEGIN).await?;
    let renew = sqlx::query(RENEW).bind(lease.batch).bind(lease.token).bind(seconds(length));
    let renewed = renew.execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(renewed > 0)
}

async fn bury(tx: &mut PgConnection, settlement: &Settlement) -> Result<Vec<DeadEvent>, Failure> {
    let dead = settlement.dead.iter();
    let (dead_places, reasons): (Vec<u32>, Vec<String>) =
        dead.map(|(place, reason)| (*place, text(reason))).unzip();
    let bury = sqlx::query(BURY)
        .bind(settlement.lease.batch)
        .bind(settlement.lease.token)
        .bind(settlement.unambiguous)
        .bind(places(&dead_places))
        .bind(reasons);
    let rows = bury.fetch_all(tx).await?;
    let mut dead = rows.iter().map(dead_event).collect::<Result<Vec<_>, _>>()?;
    dead.sort_by_key(|event| event.id);
    Ok(dead)
}

/// Returns a query with the parameters of `KEEP_ALL`.
fn keep<'q>(
    statement: &'static str,
    settlement: &Settlement,
    part: &Part,
) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(statement)
        .bind(settlement.lease.batch)
        .bind(settlement.lease.token)
        .bind(seconds(part.due_in))
        .bind(integer(part.attempts))
        .bind(integer(part.crashes))
        .bind(settlement.unambiguous)
        .bind(settlement.last_error.as_deref().map(text))
}

fn places(places: &[u32]) -> Vec<i32> {
    places.iter().copied().map(integer).collect()
}

/// Converts a number, which fits: it was read from the database, or counted by a relay.
fn integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Returns a text that PostgreSQL accepts: a server's message can contain NUL.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
