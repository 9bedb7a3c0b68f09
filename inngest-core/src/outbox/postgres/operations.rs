//! The operations of a store on a pool of this version of sqlx.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::super::error::of_code;
use super::super::pool::{Call, Claim, Pool};
use super::super::scan::Scan;
use super::super::statements::{
    BEGIN, COUNTS, DEAD_EVENTS, PURGE_DEAD, RENEW, REQUEUE_FRESH, REQUEUE_KEEP,
};
use super::super::{PostgresPool, seconds};
use super::sqlx::postgres::PgRow;
use super::sqlx::{self, PgPool, Row};
use super::{claim, migrate, settle};
use crate::outbox::dead::{DeadEvent, Ids};
use crate::outbox::error::StoreError;
use crate::outbox::store::{ClaimRequest, Counts, Lease, MAX_CRASHES, Settled, Settlement};

/// Pending events are counted up to this number.
const MAX_PENDING: i64 = 10_000;

/// An error of the driver, or of the store itself.
pub(super) struct Failure(StoreError);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Failure {
        if let Some(code) = error.as_database_error().and_then(|error| error.code()) {
            let code = code.into_owned();
            return Failure(of_code(&code, error));
        }
        Failure(match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => StoreError::Connection(Arc::new(error)),
            _ => StoreError::Database(Arc::new(error)),
        })
    }
}

impl From<PgPool> for PostgresPool {
    fn from(pool: PgPool) -> PostgresPool {
        PostgresPool(Arc::new(pool))
    }
}

impl From<&PgPool> for PostgresPool {
    fn from(pool: &PgPool) -> PostgresPool {
        pool.clone().into()
    }
}

impl Pool for PgPool {
    fn schema_version(&self) -> Call<'_, i32> {
        call(async { migrate::schema_version(&mut *self.acquire().await?).await })
    }

    fn migrate(&self) -> Call<'_, ()> {
        call(async { migrate::migrate(&mut *self.acquire().await?).await })
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest, scan: Scan) -> Call<'a, Claim> {
        call(async move { claim::claim(&mut *self.acquire().await?, request, scan).await })
    }

    fn renew(&self, lease: Lease, length: Duration) -> Call<'_, bool> {
        call(async move {
            let mut tx = self.begin_with(BEGIN).await?;
            let renew = sqlx::query(RENEW).bind(lease.batch).bind(lease.token);
            let renewed = renew.bind(seconds(length)).execute(&mut *tx).await?.rows_affected();
            tx.commit().await?;
            Ok(renewed > 0)
        })
    }

    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Call<'a, Settled> {
        call(async move { settle::settle(&mut *self.acquire().await?, settlement).await })
    }

    fn counts(&self) -> Call<'_, Counts> {
        call(async {
            let mut tx = self.begin_with(BEGIN).await?;
            let counts = sqlx::query(COUNTS).bind(MAX_PENDING).bind(i64::from(MAX_CRASHES));
            let row = counts.fetch_one(&mut *tx).await?;
            tx.commit().await?;
            Ok(counts_of(&row)?)
        })
    }

    fn dead_events(&self, after: i64, limit: u32) -> Call<'_, Vec<DeadEvent>> {
        call(async move {
            let mut tx = self.begin_with(BEGIN).await?;
            let select = sqlx::query(DEAD_EVENTS).bind(after).bind(i64::from(limit));
            let rows = select.fetch_all(&mut *tx).await?;
            tx.commit().await?;
            Ok(rows.iter().map(dead_event).collect::<Result<_, _>>()?)
        })
    }

    fn requeue<'a>(&'a self, dead: &'a [i64], ids: Ids, max_age: Duration) -> Call<'a, u64> {
        call(async move {
            let mut tx = self.begin_with(BEGIN).await?;
            let requeued = match ids {
                Ids::Keep => {
                    let requeue = sqlx::query_scalar(REQUEUE_KEEP).bind(dead);
                    count(requeue.bind(seconds(max_age)).fetch_one(&mut *tx).await?)
                }
                Ids::Fresh => {
                    let requeue = sqlx::query(REQUEUE_FRESH).bind(dead);
                    requeue.execute(&mut *tx).await?.rows_affected()
                }
            };
            tx.commit().await?;
            Ok(requeued)
        })
    }

    fn purge_dead(&self, older_than: Duration, limit: u32) -> Call<'_, u64> {
        call(async move {
            let mut tx = self.begin_with(BEGIN).await?;
            let purge = sqlx::query(PURGE_DEAD).bind(seconds(older_than)).bind(i64::from(limit));
            let purged = purge.execute(&mut *tx).await?.rows_affected();
            tx.commit().await?;
            Ok(purged)
        })
    }
}

fn call<'a, T>(call: impl Future<Output = Result<T, Failure>> + Send + 'a) -> Call<'a, T> {
    Box::pin(async { call.await.map_err(|Failure(error)| error) })
}

fn counts_of(row: &PgRow) -> Result<Counts, sqlx::Error> {
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

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
