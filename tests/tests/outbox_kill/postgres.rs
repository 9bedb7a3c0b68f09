//! A shop in PostgreSQL.

use std::collections::BTreeSet;

use inngest_core::Client;
use inngest_core::outbox::{DeadEvent, Outbox, PostgresStore, RelayError, RelayReport};
use inngest_tests::postgres::sqlx::{ConnectOptions, Executor, PgPool, Row};
use inngest_tests::postgres::{TestDatabase, raw};

use crate::database::ShopDatabase;

pub(crate) struct Postgres {
    database: TestDatabase,
    pool: PgPool,
}

impl Postgres {
    /// Creates a database, or prints that PostgreSQL is left out.
    pub(crate) async fn create() -> Option<Postgres> {
        let database = TestDatabase::create().await?;
        let pool = database.pool(8).await;
        PostgresStore::new(&pool).migrate().await.expect("tables");
        Some(Postgres { database, pool })
    }

    async fn execute(&self, sql: &'static str) {
        self.pool.execute(sql).await.expect("valid SQL");
    }
}

impl ShopDatabase for Postgres {
    const HAS_SECOND_SHOP: bool = true;

    fn location(&self) -> String {
        self.database.options().to_url_lossy().into()
    }

    async fn orders(&self) -> BTreeSet<u32> {
        let rows = self.pool.fetch_all("SELECT number FROM orders").await.expect("rows");
        let number = |row| u32::try_from(Row::get::<i32, _>(row, 0)).expect("a number");
        rows.iter().map(number).collect()
    }

    async fn rows(&self) -> i64 {
        let rows = "SELECT (SELECT count(*) FROM inngest_outbox) +
            (SELECT count(*) FROM inngest_outbox_batch)";
        self.pool.fetch_one(rows).await.expect("a row").get(0)
    }

    async fn make_all_due(&self) {
        self.execute("UPDATE inngest_outbox_batch SET due_at = 'epoch'").await;
    }

    async fn rewrite_seeds(&self) {
        // The time is not 0, since Inngest would ignore the seed.
        self.execute(
            "UPDATE inngest_outbox_batch SET seed =
               '\\x0001' || decode(substr(md5(random()::text || id), 1, 28), 'hex')",
        )
        .await;
    }

    async fn drain(&self, client: &Client) -> Result<RelayReport, RelayError> {
        Outbox::new().relay(client, PostgresStore::new(&self.pool)).drain().await
    }

    async fn dead(&self, client: &Client) -> Vec<DeadEvent> {
        let store = PostgresStore::new(&self.pool);
        let relay = Outbox::new().relay(client, store).start().await.expect("a relay");
        relay.dead_events(0, u32::MAX).await.expect("a database")
    }

    async fn check(&self) {
        let open = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        let open: i64 = self.pool.fetch_one(raw(open)).await.expect("a row").get(0);
        assert_eq!(open, 0, "transactions of killed shops are open");
    }
}
