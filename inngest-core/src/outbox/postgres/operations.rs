//! The operations of a store, for the pool of one version of sqlx.

use std::sync::Arc;
use std::time::Duration;

use super::super::PostgresPool;
use super::super::pool::{Call, Claim, Pool};
use super::super::scan::Scan;
use super::checkout::Checkout;
use super::failure::Failure;
use super::sqlx::PgPool;
use super::{claim, inspect, migrate, settle};
use crate::outbox::dead::{DeadEvent, Ids};
use crate::outbox::store::{ClaimRequest, Counts, Lease, Settled, Settlement};

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
        call(async {
            let mut checkout = Checkout::of(self).await?;
            let version = migrate::schema_version(&mut checkout.connection).await;
            checkout.finish(version)
        })
    }

    fn migrate(&self) -> Call<'_, ()> {
        call(async {
            let mut checkout = Checkout::of(self).await?;
            let migrated = migrate::migrate(&mut checkout.connection).await;
            checkout.finish(migrated)
        })
    }

    fn claim<'a>(&'a self, request: &'a ClaimRequest, scan: Scan) -> Call<'a, Claim> {
        call(async move {
            let mut checkout = Checkout::of(self).await?;
            let claimed = claim::claim(&mut checkout.connection, request, scan).await;
            checkout.finish(claimed)
        })
    }

    fn renew(&self, lease: Lease, length: Duration) -> Call<'_, bool> {
        call(async move {
            let mut checkout = Checkout::of(self).await?;
            let renewed = settle::renew(&mut checkout.connection, lease, length).await;
            checkout.finish(renewed)
        })
    }

    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Call<'a, Settled> {
        call(async move {
            let mut checkout = Checkout::of(self).await?;
            let settled = settle::settle(&mut checkout.connection, settlement).await;
            checkout.finish(settled)
        })
    }

    fn counts(&self) -> Call<'_, Counts> {
        call(async {
            let mut checkout = Checkout::of(self).await?;
            let counts = inspect::counts(&mut checkout.connection).await;
            checkout.finish(counts)
        })
    }

    fn dead_events(&self, after: i64, limit: u32) -> Call<'_, Vec<DeadEvent>> {
        call(async move {
            let mut checkout = Checkout::of(self).await?;
            let dead = inspect::dead_events(&mut checkout.connection, after, limit).await;
            checkout.finish(dead)
        })
    }

    fn requeue<'a>(&'a self, dead: &'a [i64], ids: Ids, max_age: Duration) -> Call<'a, u64> {
        call(async move {
            let mut checkout = Checkout::of(self).await?;
            let requeued = inspect::requeue(&mut checkout.connection, dead, ids, max_age).await;
            checkout.finish(requeued)
        })
    }

    fn purge_dead(&self, older_than: Duration, limit: u32) -> Call<'_, u64> {
        call(async move {
            let mut checkout = Checkout::of(self).await?;
            let purged = inspect::purge_dead(&mut checkout.connection, older_than, limit).await;
            checkout.finish(purged)
        })
    }
}

fn call<'a, T>(call: impl Future<Output = Result<T, Failure>> + Send + 'a) -> Call<'a, T> {
    Box::pin(async { call.await.map_err(|Failure(error)| error) })
}
