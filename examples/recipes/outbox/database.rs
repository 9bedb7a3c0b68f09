//! The shop's database: a table of orders, and the outbox, in SQLite or PostgreSQL.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, process};

use inngest_core::outbox::{Outbox, PostgresStore, SqliteStore};
use rusqlite::{Connection, TransactionBehavior, params};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::Commit;
use crate::failure::Failure;
use crate::shop::OrderPlaced;

/// The shop's table, in both databases.
const CREATE_ORDERS: &str =
    "CREATE TABLE orders (number BIGINT PRIMARY KEY, cents BIGINT NOT NULL)";

pub(crate) enum Database {
    Sqlite { file: PathBuf, connection: Connection },
    Postgres { schema: String, pool: PgPool },
}

impl Database {
    /// Creates the tables, in PostgreSQL if `DATABASE_URL` is set.
    pub(crate) async fn create() -> Result<Database, Failure> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let unique = format!("inngest_outbox_example_{}_{since_1970}", process::id());
        if env::var_os("DATABASE_URL").is_some() {
            let pool = connect("public").await?;
            sqlx::query(&format!("CREATE SCHEMA {unique}")).execute(&pool).await?;
            pool.close().await;
            let database = Database::open(&unique).await?;
            database.postgres_store()?.migrate().await?;
            sqlx::query(CREATE_ORDERS).execute(database.pool()?).await?;
            return Ok(database);
        }
        let directory = env::temp_dir().join(unique);
        fs::create_dir(&directory)?;
        let database = Database::open(&directory.join("shop.db").to_string_lossy()).await?;
        database.sqlite_store()?.migrate().await?;
        if let Database::Sqlite { connection, .. } = &database {
            connection.execute(CREATE_ORDERS, [])?;
        }
        Ok(database)
    }

    /// Opens the database in an SQLite file, or in a schema of PostgreSQL.
    pub(crate) async fn open(place: &str) -> Result<Database, Failure> {
        if env::var_os("DATABASE_URL").is_some() {
            let pool = connect(place).await?;
            return Ok(Database::Postgres { schema: place.to_owned(), pool });
        }
        Ok(Database::Sqlite { file: place.into(), connection: Connection::open(place)? })
    }

    /// Writes an order and its event in one transaction.
    pub(crate) async fn place(
        &mut self,
        outbox: &Outbox,
        order: &OrderPlaced,
        commit: Commit,
    ) -> Result<(), Failure> {
        let placed = match self {
            Database::Sqlite { connection, .. } => {
                place_in_sqlite(connection, outbox, order, commit)
            }
            Database::Postgres { pool, .. } => place_in_postgres(pool, outbox, order, commit).await,
        };
        placed?;
        // This wakes relays in this process only. The relays in other processes find the event by polling the database.
        outbox.wake();
        Ok(())
    }

    /// Returns the numbers of the orders.
    pub(crate) async fn orders(&self) -> Result<BTreeSet<i64>, Failure> {
        const ORDERS: &str = "SELECT number FROM orders";
        match self {
            Database::Sqlite { connection, .. } => {
                let mut statement = connection.prepare(ORDERS)?;
                let numbers = statement.query_map([], |row| row.get(0))?;
                Ok(numbers.collect::<Result<_, _>>()?)
            }
            Database::Postgres { pool, .. } => {
                let numbers: Vec<i64> = sqlx::query_scalar(ORDERS).fetch_all(pool).await?;
                Ok(numbers.into_iter().collect())
            }
        }
    }

    /// Returns the number of events in the outbox.
    pub(crate) async fn waiting(&self) -> Result<i64, Failure> {
        match self {
            Database::Sqlite { connection, .. } => {
                // The rows of sealed batches stay in the table until they are sent.
                let count = "SELECT count(*) FROM inngest_outbox";
                Ok(connection.query_row(count, [], |row| row.get(0))?)
            }
            Database::Postgres { pool, .. } => {
                let count = "SELECT (SELECT count(*) FROM inngest_outbox) \
                             + (SELECT coalesce(sum(cardinality(places)), 0)::bigint FROM inngest_outbox_batch)";
                Ok(sqlx::query_scalar(count).fetch_one(pool).await?)
            }
        }
    }

    pub(crate) fn sqlite_store(&self) -> Result<SqliteStore, Failure> {
        match self {
            Database::Sqlite { file, .. } => Ok(SqliteStore::open(file)?),
            Database::Postgres { .. } => Err(Failure::new("this is no SQLite database")),
        }
    }

    pub(crate) fn postgres_store(&self) -> Result<PostgresStore, Failure> {
        Ok(PostgresStore::new(self.pool()?.clone()))
    }

    fn pool(&self) -> Result<&PgPool, Failure> {
        match self {
            Database::Postgres { pool, .. } => Ok(pool),
            Database::Sqlite { .. } => Err(Failure::new("this is no PostgreSQL database")),
        }
    }

    /// Returns the file or the schema, for [`open`](Database::open).
    pub(crate) fn place_name(&self) -> String {
        match self {
            Database::Sqlite { file, .. } => file.to_string_lossy().into_owned(),
            Database::Postgres { schema, .. } => schema.clone(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Database::Sqlite { .. } => "SQLite",
            Database::Postgres { .. } => "PostgreSQL",
        }
    }

    /// Returns the number of relays that send at the same time.
    pub(crate) fn relays(&self) -> usize {
        match self {
            Database::Sqlite { .. } => 1,
            Database::Postgres { .. } => 3,
        }
    }

    /// Removes the temporary file, or the schema.
    pub(crate) async fn remove(self) -> Result<(), Failure> {
        match self {
            Database::Sqlite { file, connection } => {
                drop(connection);
                fs::remove_dir_all(file.parent().unwrap_or(Path::new("")))?;
            }
            Database::Postgres { schema, pool } => {
                sqlx::query(&format!("DROP SCHEMA {schema} CASCADE")).execute(&pool).await?;
            }
        }
        Ok(())
    }
}

fn place_in_sqlite(
    connection: &mut Connection,
    outbox: &Outbox,
    order: &OrderPlaced,
    commit: Commit,
) -> Result<(), Failure> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute(
        "INSERT INTO orders (number, cents) VALUES (?1, ?2)",
        params![order.number, order.cents],
    )?;
    outbox.enqueue_sqlite(&tx, order)?;
    let end = if commit == Commit::Yes { tx.commit() } else { tx.rollback() };
    Ok(end?)
}

async fn place_in_postgres(
    pool: &PgPool,
    outbox: &Outbox,
    order: &OrderPlaced,
    commit: Commit,
) -> Result<(), Failure> {
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO orders (number, cents) VALUES ($1, $2)")
        .bind(order.number)
        .bind(order.cents)
        .execute(&mut *tx)
        .await?;
    outbox.enqueue(&mut tx, order).await?;
    let end = if commit == Commit::Yes { tx.commit().await } else { tx.rollback().await };
    Ok(end?)
}

/// Connects to `DATABASE_URL`, with tables in `schema`.
async fn connect(schema: &str) -> Result<PgPool, Failure> {
    let url = env::var("DATABASE_URL")?;
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(Failure::new(
            "DATABASE_URL must be the URL of a PostgreSQL database, postgres://user@host/database; \
             without it, this example uses SQLite in a temporary file",
        ));
    }
    let options: PgConnectOptions = url.parse()?;
    let options = options.options([("search_path", schema)]);
    Ok(PgPoolOptions::new().max_connections(8).connect_with(options).await?)
}
