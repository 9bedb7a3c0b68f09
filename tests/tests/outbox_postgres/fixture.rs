//! A shop: a database of its own, an Event API, and a client of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use inngest_core::outbox::{Outbox, PostgresStore, RelayBuilder, RelayReport};
use inngest_core::testing::{EventApi, StoredEvent};
use inngest_core::{Client, ClientBuilder, RetryPolicy};
use inngest_tests::ItemViewed;

use crate::sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use crate::sqlx::{self, ConnectOptions, Connection, Executor, PgPool, Row};

/// A database that is dropped at the end of the test.
pub(crate) struct Database {
    server: PgConnectOptions,
    name: String,
}

impl Database {
    /// Creates a database, or prints that PostgreSQL is left out.
    pub(crate) async fn create() -> Option<Database> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(url) = std::env::var("INNGEST_TEST_DATABASE_URL") else {
            println!("PostgreSQL is left out: INNGEST_TEST_DATABASE_URL is not set");
            return None;
        };
        let server: PgConnectOptions = url.parse().expect("INNGEST_TEST_DATABASE_URL is a URL");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("inngest_test_{}_{number}", std::process::id());
        let mut connection = server.connect().await.expect("a server");
        connection.execute(raw(&format!("CREATE DATABASE {name}"))).await.expect("a database");
        connection.close().await.expect("a server");
        Some(Database { server, name })
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn pool(&self, connections: u32) -> PgPool {
        let options = PgPoolOptions::new().max_connections(connections);
        options.connect_with(self.options()).await.expect("a database")
    }

    /// Executes SQL on a new connection to the database.
    pub(crate) async fn sql(&self, sql: &str) -> u64 {
        let mut connection = self.options().connect().await.expect("a database");
        let done = connection.execute(raw(sql)).await.expect("valid SQL");
        connection.close().await.expect("a database");
        done.rows_affected()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let server = self.server.clone();
        let drop_database = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let mut connection = server.connect().await?;
                connection.execute(raw(&drop_database)).await?;
                connection.close().await
            })
        });
        if let Ok(Err(error)) = thread.join() {
            println!("the database is left: {error}");
        }
    }
}

pub(crate) struct Shop {
    pub(crate) database: Database,
    pub(crate) pool: PgPool,
    pub(crate) api: EventApi,
    pub(crate) client: Client,
    pub(crate) outbox: Outbox,
}

impl Shop {
    pub(crate) async fn open() -> Option<Shop> {
        Shop::with(|builder| builder).await
    }

    /// Opens a shop whose client has the options that `configure` sets.
    pub(crate) async fn with(
        configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Option<Shop> {
        let database = Database::create().await?;
        let pool = database.pool(8).await;
        PostgresStore::new(&pool).migrate().await.expect("tables");
        let api = EventApi::start().await;
        let retry = RetryPolicy::default().initial_backoff(Duration::from_millis(1));
        let retry = retry.max_backoff(Duration::from_millis(5));
        let builder = Client::builder().no_env().dev(true).base_url(api.url()).retry(retry);
        let client = configure(builder).build().expect("a client");
        let outbox = Outbox::for_client(&client);
        Some(Shop { database, pool, api, client, outbox })
    }

    /// Commits the views `numbers` in one transaction.
    pub(crate) async fn enqueue(&self, numbers: impl IntoIterator<Item = u32>) {
        let mut tx = self.pool.begin().await.expect("a transaction");
        let views = numbers.into_iter().map(ItemViewed::number);
        self.outbox.enqueue_all(&mut tx, views).await.expect("rows");
        tx.commit().await.expect("a commit");
    }

    pub(crate) fn relay(&self) -> RelayBuilder<PostgresStore> {
        self.relay_with(&self.pool)
    }

    pub(crate) fn relay_with(&self, pool: &PgPool) -> RelayBuilder<PostgresStore> {
        self.outbox.relay(&self.client, PostgresStore::new(pool))
    }

    pub(crate) async fn drain(&self) -> RelayReport {
        self.relay().drain().await.expect("a database")
    }

    /// Executes SQL, as another program does.
    pub(crate) async fn sql(&self, sql: &str) -> u64 {
        self.pool.execute(raw(sql)).await.expect("valid SQL").rows_affected()
    }

    pub(crate) async fn row(&self, sql: &str) -> PgRow {
        self.pool.fetch_one(raw(sql)).await.expect("valid SQL")
    }

    /// Returns the number in the first column of the first row.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let select = format!("SELECT ({sql})::bigint");
        self.row(&select).await.get(0)
    }

    /// Returns the truth of a condition on the only row of the sealed batches.
    pub(crate) async fn batch_has(&self, condition: &str) -> bool {
        let select = format!("SELECT {condition} FROM inngest_outbox_batch");
        let rows = self.pool.fetch_all(raw(&select)).await.expect("valid SQL");
        assert_eq!(rows.len(), 1, "the number of batches");
        rows[0].get(0)
    }

    /// Returns the number of events that are not dead.
    pub(crate) async fn waiting(&self) -> i64 {
        self.number(
            "SELECT (SELECT count(*) FROM inngest_outbox)
                + (SELECT coalesce(sum(cardinality(places)), 0) FROM inngest_outbox_batch)",
        )
        .await
    }

    /// Waits until nothing but dead events is in the outbox.
    pub(crate) async fn empty(&self) {
        let wait = async {
            while self.waiting().await > 0 {
                self.outbox.wake();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let empty = tokio::time::timeout(Duration::from_secs(30), wait).await;
        empty.expect("the outbox is empty after 30 s");
    }

    /// Ends all waits and leases.
    pub(crate) async fn make_all_due(&self) {
        self.sql("UPDATE inngest_outbox_batch SET due_at = 'epoch'").await;
    }

    /// Drains until nothing but dead events is in the outbox.
    pub(crate) async fn drain_all(&self) {
        for _ in 0..200 {
            self.drain().await;
            if self.waiting().await == 0 {
                return;
            }
            self.make_all_due().await;
        }
        panic!("200 drains have not emptied the outbox");
    }

    /// Returns the ids under which each view was accepted.
    pub(crate) fn ids(&self) -> BTreeMap<u32, BTreeSet<String>> {
        let mut ids: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        for event in &self.api.events() {
            ids.entry(number(event)).or_default().insert(event.id.to_string());
        }
        ids
    }

    /// Asserts that exactly the views `numbers` were accepted, each under one id, and no two under the
    /// same.
    pub(crate) fn assert_delivered(&self, numbers: impl IntoIterator<Item = u32>) {
        let ids = self.ids();
        let expected: BTreeSet<u32> = numbers.into_iter().collect();
        assert_eq!(ids.keys().copied().collect::<BTreeSet<_>>(), expected);
        for (number, ids) in &ids {
            assert_eq!(ids.len(), 1, "view {number} was accepted under {ids:?}");
        }
        let distinct: BTreeSet<&String> = ids.values().flatten().collect();
        assert_eq!(distinct.len(), ids.len(), "two views have the same id");
    }
}

/// Returns the number of an accepted view.
pub(crate) fn number(event: &StoredEvent) -> u32 {
    event.decode::<ItemViewed>().expect("a view").data.number
}

/// Returns a query of any number of statements.
#[cfg(not(feature = "sqlx09"))]
pub(crate) fn raw(sql: &str) -> sqlx::RawSql<'_> {
    sqlx::raw_sql(sql)
}

#[cfg(feature = "sqlx09")]
pub(crate) fn raw(sql: &str) -> sqlx::RawSql {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
}

/// Returns the numbers of delivered, dead, released and left events.
pub(crate) fn counts(report: RelayReport) -> [u64; 4] {
    [report.delivered, report.dead, report.released, report.left]
}

/// Waits until `is_met` returns true.
///
/// # Panics
///
/// Panics after 20 s.
pub(crate) async fn until(what: &str, mut is_met: impl FnMut() -> bool) {
    let wait = async {
        while !is_met() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let met = tokio::time::timeout(Duration::from_secs(20), wait).await;
    met.unwrap_or_else(|_| panic!("waited 20 s for {what}"));
}
