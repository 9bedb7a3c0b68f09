//! The outbox in SQLite.
//!
//! SQLite has one writer at a time, and `AUTOINCREMENT` never reuses a number, so events are committed
//! in the order of `seq`. A sealed batch is therefore a range of rows, and sealing writes only the row
//! of the batch. The rows above all ranges are pending. Rows that are missing in a range were delivered
//! or are dead.

mod claim;
mod connection;
mod counts;
mod dead;
mod enqueue;
mod error;
mod migrate;
mod settle;
#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;

use connection::Database;
use error::Failure;

use super::dead::{DeadEvent, Ids};
use super::error::StoreError;
use super::store::{
    ClaimRequest, ClaimedBatch, Counts, Lease, Protocol, Settled, Settlement, Store,
};

/// How long a call waits for another connection's write transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An outbox in an SQLite database, for a [relay](super::Outbox::relay).
///
/// The store has its own connection, and its calls run on tokio's threads for blocking calls. Any
/// number of stores, in any number of processes on one machine, can use the same file.
///
/// A relay is another writer to the file, in short transactions. Begin the transactions of the
/// application with `BEGIN IMMEDIATE` (`TransactionBehavior::Immediate`), and set a `busy_timeout` on
/// its connections: rusqlite sets 5 s by default.
///
/// ```no_run
/// use inngest_core::Client;
/// use inngest_core::outbox::{Outbox, SqliteStore};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::from_env()?;
/// let outbox = Outbox::for_client(&client);
/// let store = SqliteStore::open("shop.db")?;
/// store.migrate().await?;
/// let relay = outbox.relay(&client, store).start().await?;
/// # drop(relay);
/// # Ok(())
/// # }
/// ```
///
/// See [outbox](crate::guide::outbox) in the guide.
pub struct SqliteStore(Arc<Mutex<Database>>);

impl SqliteStore {
    /// Opens the database in the file `path`, and creates the file if it is missing. Waits up to 5 s
    /// for other connections that write.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        let open = || {
            let connection = rusqlite::Connection::open(path)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok::<_, rusqlite::Error>(connection)
        };
        let connection = open().map_err(Failure::from)?;
        Ok(SqliteStore::from_connection(connection))
    }

    /// Creates a store from a connection that was opened with other options than
    /// [`open`](SqliteStore::open) uses, such as a key. It must not have an open transaction. The store
    /// does not change its `busy_timeout`, but sets `synchronous`, since a claim must be on disk before
    /// its events are sent.
    ///
    /// In tests, use a temporary file: a database in memory is visible to its own connection only, and
    /// with a shared cache, `busy_timeout` has no effect.
    #[must_use]
    pub fn from_connection(connection: rusqlite::Connection) -> SqliteStore {
        SqliteStore(Arc::new(Mutex::new(Database::new(connection))))
    }

    /// Creates the tables of the outbox, or migrates them to the version that this release needs. Does
    /// nothing if they have this version. In a new file, it also sets the journal mode to WAL. It does
    /// not change the journal mode of an existing database.
    ///
    /// Can be called by several processes at once, and while relays run.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails, or if a newer release of inngest-core has migrated the
    /// tables.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.run(migrate::migrate).await
    }

    /// Runs a call on a thread for blocking calls. A call that has begun is completed even if the
    /// future is dropped.
    async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Database) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.0);
        let call = move || {
            // After a panic, the connection can be used: the transaction was rolled back.
            let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
            call(&mut database)
        };
        match spawn_blocking(call).await {
            Ok(result) => Ok(result?),
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime is shutting down.
            Err(error) => Err(StoreError::Database(Arc::new(error))),
        }
    }
}

impl Store for SqliteStore {}

impl Protocol for SqliteStore {
    async fn schema_version(&self) -> Result<i32, StoreError> {
        self.run(|database| Ok(migrate::schema_version(database.connection())?)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Option<ClaimedBatch>, StoreError> {
        let request = *request;
        self.run(move |database| claim::claim(database, &request)).await
    }

    async fn renew(&self, lease: Lease, length: Duration) -> Result<bool, StoreError> {
        self.run(move |database| settle::renew(database, lease, length)).await
    }

    async fn settle(&self, settlement: &Settlement) -> Result<Settled, StoreError> {
        let settlement = settlement.clone();
        self.run(move |database| settle::settle(database, &settlement)).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.run(counts::counts).await
    }

    async fn dead_events(&self, after: i64, limit: u32) -> Result<Vec<DeadEvent>, StoreError> {
        self.run(move |database| dead::dead_events(database, after, limit)).await
    }

    async fn requeue(&self, dead: &[i64], ids: Ids, max_age: Duration) -> Result<u64, StoreError> {
        let dead = dead.to_vec();
        self.run(move |database| dead::requeue(database, dead, ids, max_age)).await
    }

    async fn purge_dead(&self, older_than: Duration, limit: u32) -> Result<u64, StoreError> {
        self.run(move |database| dead::purge(database, older_than, limit)).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
