//! Counts events, and handles dead ones.

use std::time::Duration;

use super::super::seconds;
use super::super::statements::{
    BEGIN, COUNTS, DEAD_EVENTS, PURGE_DEAD, REQUEUE_FRESH, REQUEUE_KEEP,
};
use super::failure::Failure;
use super::rows::{count, counts_of, dead_event};
use super::sqlx::{self, Connection, PgConnection};
use crate::outbox::dead::{DeadEvent, Ids};
use crate::outbox::store::{Counts, MAX_CRASHES};

/// Pending events are counted up to this number.
const MAX_PENDING: i64 = 10_000;

pub(super) async fn counts(connection: &mut PgConnection) -> Result<Counts, Failure> {
    let mut tx = connection.begin_with(BEGIN).await?;
    let counts = sqlx::query(COUNTS).bind(MAX_PENDING).bind(i64::from(MAX_CRASHES));
    let row = counts.fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(counts_of(&row)?)
}

pub(super) async fn dead_events(
    connection: &mut PgConnection,
    after: i64,
    limit: u32,
) -> Result<Vec<DeadEvent>, Failure> {
    let mut tx = connection.begin_with(BEGIN).await?;
    let select = sqlx::query(DEAD_EVENTS).bind(after).bind(i64::from(limit));
    let rows = select.fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(rows.iter().map(dead_event).collect::<Result<_, _>>()?)
}

pub(super) async fn requeue(
    connection: &mut PgConnection,
    dead: &[i64],
    ids: Ids,
    max_age: Duration,
) -> Result<u64, Failure> {
    let mut tx = connection.begin_with(BEGIN).await?;
    let requeued = match ids {
        Ids::Keep => {
            let requeue = sqlx::query_scalar(REQUEUE_KEEP).bind(dead).bind(seconds(max_age));
            count(requeue.fetch_one(&mut *tx).await?)
        }
        Ids::Fresh => {
            let requeue = sqlx::query(REQUEUE_FRESH).bind(dead);
            requeue.execute(&mut *tx).await?.rows_affected()
        }
    };
    tx.commit().await?;
    Ok(requeued)
}

pub(super) async fn purge_dead(
    connection: &mut PgConnection,
    older_than: Duration,
    limit: u32,
) -> Result<u64, Failure> {
    let mut tx = connection.begin_with(BEGIN).await?;
    let purge = sqlx::query(PURGE_DEAD).bind(seconds(older_than)).bind(i64::from(limit));
    let purged = purge.execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(purged)
}
