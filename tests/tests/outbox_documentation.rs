//! The queries in the documentation of the outbox fit its tables.

use inngest_core::outbox::{Outbox, PostgresStore, SqliteStore, sql};
use inngest_tests::ItemViewed;
use sqlx08::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx08::{ConnectOptions as _, Connection as _, Executor as _};

const DOCUMENTATION: &str = include_str!("../../inngest-core/docs/outbox.md");

/// Returns the statements in the documentation's SQL for `database`.
fn statements(database: &str) -> Vec<&'static str> {
    let blocks = DOCUMENTATION.split("```sql\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    let mut blocks = blocks.filter(|block| block.starts_with(&format!("-- {database}")));
    let block = blocks.next().expect("a block with SQL");
    assert!(blocks.next().is_none(), "one block for each database");
    let statements: Vec<_> =
        block.split(';').map(str::trim).filter(|it| it.contains("SELECT")).collect();
    assert!(statements.len() >= 3, "several statements");
    statements
}

#[tokio::test]
async fn the_documented_queries_run_on_sqlite() {
    let directory =
        std::env::temp_dir().join(format!("inngest-documentation-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("shop.db");
    SqliteStore::open(&file).unwrap().migrate().await.unwrap();
    let db = rusqlite::Connection::open(&file).unwrap();
    Outbox::new().enqueue_sqlite(&db, ItemViewed::number(1)).unwrap();

    for text in statements("SQLite") {
        // A semicolon within a comment would leave half a comment.
        let mut statement = db.prepare(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        let mut rows = statement.query([]).unwrap();
        let row = rows.next().unwrap_or_else(|error| panic!("{error} in {text}"));
        if text.contains("AS events, strftime") {
            let row = row.expect("a row");
            assert_eq!(row.get::<_, i64>("events").unwrap(), 1);
            assert!((0..60).contains(&row.get::<_, i64>("age").unwrap()), "the age in seconds");
        }
    }
    drop(db);
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn the_documented_queries_run_on_postgresql() {
    let Ok(url) = std::env::var("INNGEST_TEST_DATABASE_URL") else {
        println!("PostgreSQL is left out: INNGEST_TEST_DATABASE_URL is not set");
        return;
    };
    let server: PgConnectOptions = url.parse().unwrap();
    let database = format!("inngest_documentation_{}", std::process::id());
    let mut admin = server.clone().connect().await.unwrap();
    admin.execute(&*format!("CREATE DATABASE {database}")).await.unwrap();
    let pool = PgPoolOptions::new().connect_with(server.database(&database)).await.unwrap();
    PostgresStore::new(pool.clone()).migrate().await.unwrap();
    let event = Outbox::new().prepare(ItemViewed::number(1)).unwrap();
    let insert = sqlx08::query(sql::postgres::INSERT).bind(event.name()).bind(event.body());
    insert.bind(event.traceparent()).execute(&pool).await.unwrap();

    for text in statements("PostgreSQL") {
        let rows = pool.fetch_all(text).await.unwrap_or_else(|error| panic!("{error} in {text}"));
        if text.contains("AS pending") {
            assert_eq!(sqlx08::Row::get::<i64, _>(&rows[0], "pending"), 1);
        }
    }
    pool.close().await;
    admin.execute(&*format!("DROP DATABASE {database} WITH (FORCE)")).await.unwrap();
    admin.close().await.unwrap();
}
