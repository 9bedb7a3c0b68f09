//! For the tests of the recipes: an empty schema in the PostgreSQL of `INNGEST_TEST_DATABASE_URL`.

use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

pub(crate) struct TestSchema {
    url: String,
    name: String,
}

impl TestSchema {
    /// Creates a schema. Returns `None`, and prints a message, if the variable is not set.
    pub(crate) async fn create() -> Option<TestSchema> {
        let Ok(url) = env::var("INNGEST_TEST_DATABASE_URL") else {
            println!("PostgreSQL is left out: INNGEST_TEST_DATABASE_URL is not set");
            return None;
        };
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
        let name = format!("recipe_{}_{}", process::id(), since_1970.as_nanos());
        let schema = TestSchema { url, name };
        schema.execute("CREATE SCHEMA").await;
        Some(schema)
    }

    /// Returns the URL of the database.
    #[allow(dead_code, reason = "not every recipe needs it")]
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    #[allow(dead_code, reason = "not every recipe needs it")]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns options with which tables are in this schema.
    pub(crate) fn options(&self) -> PgConnectOptions {
        let options: PgConnectOptions = self.url.parse().expect("the URL of a PostgreSQL database");
        options.options([("search_path", &self.name)])
    }

    pub(crate) async fn remove(self) {
        self.execute("DROP SCHEMA").await;
    }

    async fn execute(&self, statement: &str) {
        let cascade = if statement.starts_with("DROP") { "CASCADE" } else { "" };
        let statement = format!("{statement} {} {cascade}", self.name);
        let mut connection: PgConnection = self.options().connect().await.expect("a connection");
        sqlx::query(&statement)
            .execute(&mut connection)
            .await
            .expect("the right to create schemas");
        connection.close().await.expect("a closed connection");
    }
}
