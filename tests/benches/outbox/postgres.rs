//! PostgreSQL, with sqlx 0.8. The application's connection is used from a runtime on this thread, so that its CPU time is
//! known.

use inngest_core::outbox::{Outbox, PostgresStore, sql};
use sqlx08::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx08::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::runtime::{Handle, Runtime};

use crate::{CheckoutCompleted, Database};

pub(crate) struct Postgres {
    runtime: Runtime,
    server: PgConnectOptions,
    database: String,
    connection: PgConnection,
}

impl Postgres {
    /// Creates a database. Also returns the settings of the server that matter.
    pub(crate) fn create(url: &str) -> (Postgres, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let server: PgConnectOptions = url.parse().expect("the URL of a PostgreSQL database");
        let database = format!("inngest_bench_{}", std::process::id());
        let (connection, settings) = runtime.block_on(async {
            let mut connection = server.connect().await.expect("a connection");
            let create = format!("CREATE DATABASE {database}");
            sqlx08::query(&create).execute(&mut connection).await.expect("a database");
            let settings = "SELECT 'version ' || current_setting('server_version') || ', fsync ' || \
                 current_setting('fsync') || ', synchronous_commit ' || current_setting('synchronous_commit')";
            let settings: String =
                sqlx08::query_scalar(settings).fetch_one(&mut connection).await.expect("settings");
            let options = server.clone().database(&database);
            let pool = PgPoolOptions::new().connect_with(options.clone()).await.expect("a pool");
            PostgresStore::new(pool.clone()).migrate().await.expect("tables");
            pool.close().await;
            (options.connect().await.expect("a connection"), settings)
        });
        (Postgres { runtime, server, database, connection }, settings)
    }

    pub(crate) fn remove(self) {
        self.runtime.block_on(async {
            self.connection.close().await.expect("a closed connection");
            let mut connection = self.server.connect().await.expect("a connection");
            let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
            sqlx08::query(&drop).execute(&mut connection).await.expect("no database");
        });
    }
}

impl Database for Postgres {
    type Store = PostgresStore;

    fn enqueue(&mut self, outbox: &Outbox, event: &CheckoutCompleted) {
        self.runtime.block_on(async {
            let mut transaction = self.connection.begin().await.expect("a transaction");
            outbox.enqueue(&mut transaction, event).await.expect("an event");
            transaction.commit().await.expect("a commit");
        });
    }

    fn insert(&mut self, name: &str, body: &[u8], trace: Option<&str>) {
        self.runtime.block_on(async {
            let mut transaction = self.connection.begin().await.expect("a transaction");
            let insert = sqlx08::query(sql::postgres::INSERT);
            let insert = insert.bind(name).bind(body).bind(trace);
            insert.execute(&mut *transaction).await.expect("a row");
            transaction.commit().await.expect("a commit");
        });
    }

    fn fill(&mut self, outbox: &Outbox, events: &[CheckoutCompleted]) {
        self.runtime.block_on(async {
            let mut transaction = self.connection.begin().await.expect("a transaction");
            for events in events.chunks(1_000) {
                outbox.enqueue_all(&mut transaction, events).await.expect("events");
            }
            transaction.commit().await.expect("a commit");
        });
    }

    fn clear(&mut self) {
        self.runtime.block_on(async {
            let truncate = sqlx08::query("TRUNCATE inngest_outbox, inngest_outbox_batch");
            truncate.execute(&mut self.connection).await.expect("no rows");
        });
    }

    fn store(&self, runtime: &Handle) -> PostgresStore {
        let _guard = runtime.enter();
        let options = self.server.clone().database(&self.database);
        PostgresStore::new(PgPoolOptions::new().max_connections(6).connect_lazy_with(options))
    }
}
