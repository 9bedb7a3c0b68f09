//! PostgreSQL databases for tests.

use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(not(feature = "sqlx09"))]
pub use sqlx08 as sqlx;
#[cfg(feature = "sqlx09")]
pub use sqlx09 as sqlx;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgPool};

/// A database that is dropped at the end of the test.
pub struct TestDatabase {
    server: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// Creates a database on the server `INNGEST_TEST_DATABASE_URL`. If the variable is not set, prints
    /// that PostgreSQL is left out.
    pub async fn create() -> Option<TestDatabase> {
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
        Some(TestDatabase { server, name })
    }

    /// Returns the options of a connection to the database.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// Returns the name of the database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Connects a pool.
    pub async fn pool(&self, connections: u32) -> PgPool {
        let options = PgPoolOptions::new().max_connections(connections);
        options.connect_with(self.options()).await.expect("a database")
    }

    /// Executes statements on a new connection to the database.
    pub async fn sql(&self, sql: &str) {
        let mut connection = self.options().connect().await.expect("a database");
        connection.execute(raw(sql)).await.expect("valid SQL");
        connection.close().await.expect("a database");
    }
}

impl Drop for TestDatabase {
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

/// Returns a query of any number of statements, without parameters.
#[cfg(not(feature = "sqlx09"))]
#[must_use]
pub fn raw(sql: &str) -> sqlx::RawSql<'_> {
    sqlx::raw_sql(sql)
}

/// Returns a query of any number of statements, without parameters.
#[cfg(feature = "sqlx09")]
#[must_use]
pub fn raw(sql: &str) -> sqlx::RawSql {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
}
