//! The operations of a store on a pool of this version of sqlx.

use std::sync::Arc;
use std::time::Duration;

use super::super::pool::{Call, Claim, Pool};
use super::super::scan::Scan;
use super::super::statements::{
    BEGIN, COUNTS, DEAD_EVENTS, PURGE_DEAD, RENEW, REQUEUE_FRESH, REQUEUE_KEEP,
};
use super::super::{PostgresPool, seconds};
use super::failure::Failure;
use super::rows::{count, counts_of, dead_event};
use super::sqlx::{self, PgPool};
use super::{claim, migrate, settle};
use crate::outbox::dead::{DeadEvent, Ids};
use crate::outbox::store::{ClaimRequest, Counts, Lease, MAX_CRASHES, Settled, Settlement};

/// Pending events are counted up to this number.
const MAX_PENDING: i64 = 10_000;

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
