//! The outbox in PostgreSQL.
//!
//! The operations are written once, for two versions of sqlx: `sqlx08.rs` and `sqlx09.rs` each
//! include the same files.

mod error;
mod pool;
mod scan;
#[cfg(feature = "outbox-postgres")]
#[allow(clippy::duplicate_mod, reason = "the same source is compiled for each version of sqlx")]
mod sqlx08;
#[cfg(feature = "outbox-postgres-sqlx09")]
#[allow(clippy::duplicate_mod, reason = "the same source is compiled for each version of sqlx")]
mod sqlx09;
mod statements;
mod transaction;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pool::{Claim, Pool};
use scan::Hints;

use super::dead::{DeadEvent, Ids};
use super::error::StoreError;
use super::store::{
    ClaimRequest, ClaimedBatch, Counts, Lease, Protocol, Settled, Settlement, Store,
};

pub use transaction::{Enqueuing, PgTransaction};

/// An outbox in a PostgreSQL database, for a [relay](super::Outbox::relay). PostgreSQL 12 or newer.
///
/// Any number of stores, in any number of processes and machines, can use the same tables. The
/// tables are found through the `search_path` of the pool's connections.
///
/// Each call uses a connection of the pool for one short transaction. A relay uses at most one
/// connection for each of its batches in flight, plus one. If the pool is smaller, the relay waits
/// for connections. No session state is used, so the pool can connect to pgbouncer in transaction
/// mode (before pgbouncer 1.21, set `statement_cache_capacity(0)`).
///
/// ```no_run
/// # #[cfg(feature = "outbox-postgres")] {
/// # use sqlx08 as sqlx;
/// use inngest_core::Client;
/// use inngest_core::outbox::{Outbox, PostgresStore};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::PgPool::connect("postgres://localhost/shop").await?;
/// let client = Client::from_env()?;
/// let outbox = Outbox::for_client(&client);
/// let store = PostgresStore::new(pool);
/// store.migrate().await?;
/// let relay = outbox.relay(&client, store).start().await?;
/// # drop(relay);
/// # Ok(())
/// # }
/// # }
/// ```
///
/// See [outbox](crate::guide::outbox) in the guide.
pub struct PostgresStore {
    pool: PostgresPool,
    hints: Mutex<Hints>,
}

/// A pool of PostgreSQL connections, converted from the `PgPool` of sqlx 0.8 or sqlx 0.9.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone)]
pub struct PostgresPool(Arc<dyn Pool>);

impl PostgresStore {
    /// Creates a store that uses the connections of `pool`, a `PgPool` of sqlx 0.8 (feature
    /// `outbox-postgres`) or sqlx 0.9 (feature `outbox-postgres-sqlx09`).
    #[must_use]
    pub fn new(pool: impl Into<PostgresPool>) -> PostgresStore {
        PostgresStore { pool: pool.into(), hints: Mutex::default() }
    }

    /// Creates the tables of the outbox, or migrates them to the version that this release needs. Does
    /// nothing, and takes no lock, if they have this version.
    ///
    /// Can be called by several processes at once, and while relays run. All changes are made in one
    /// transaction.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails, if the role is not allowed to create tables, if a
    /// lock was not available within 10 s, or if a newer release of inngest-core has migrated the tables.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.pool.0.migrate().await
    }

    fn hints(&self) -> MutexGuard<'_, Hints> {
        self.hints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for PostgresStore {}

impl Protocol for PostgresStore {
    async fn schema_version(&self) -> Result<i32, StoreError> {
        self.pool.0.schema_version().await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Option<ClaimedBatch>, StoreError> {
        let now = Instant::now();
        let scan = self.hints().next(now);
        let Claim { found, batch } = self.pool.0.claim(request, scan).await?;
        self.hints().record(scan, found, now);
        Ok(batch)
    }

    async fn renew(&self, lease: Lease, length: Duration) -> Result<bool, StoreError> {
        self.pool.0.renew(lease, length).await
    }

    async fn settle(&self, settlement: &Settlement) -> Result<Settled, StoreError> {
        self.pool.0.settle(settlement).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.pool.0.counts().await
    }

    async fn dead_events(&self, after: i64, limit: u32) -> Result<Vec<DeadEvent>, StoreError> {
        self.pool.0.dead_events(after, limit).await
    }

    async fn requeue(&self, dead: &[i64], ids: Ids, max_age: Duration) -> Result<u64, StoreError> {
        self.pool.0.requeue(dead, ids, max_age).await
    }

    async fn purge_dead(&self, older_than: Duration, limit: u32) -> Result<u64, StoreError> {
        self.pool.0.purge_dead(older_than, limit).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

/// Returns the seconds in a duration, limited to what PostgreSQL can subtract from a time.
fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64().min(1e10)
}

impl fmt::Debug for PostgresPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresPool").finish_non_exhaustive()
    }
}
