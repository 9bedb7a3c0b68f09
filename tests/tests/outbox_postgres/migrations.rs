//! The tables are created once, beside anything that runs.

use std::time::Duration;

use inngest_core::outbox::{PostgresStore, RelayError, StoreError, sql};

use crate::fixture::{Database, Shop, raw};
use crate::sqlx::Executor;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_migrate_an_empty_database_at_once() {
    let Some(database) = Database::create().await else { return };
    let pool = database.pool(12).await;
    let store = |_| PostgresStore::new(&pool);
    let stores: Vec<_> = (0..12).map(store).collect();
    let migrations = stores.iter().map(PostgresStore::migrate);
    for result in futures_util::future::join_all(migrations).await {
        result.expect("tables");
    }
    let versions = pool.fetch_all(raw("SELECT version FROM inngest_outbox_schema")).await;
    assert_eq!(versions.expect("a table").len(), 1);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_beside_running_relays_and_transactions_of_the_application_do_not_deadlock() {
    let Some(shop) = Shop::open().await else { return };
    let mut relays = Vec::new();
    for _ in 0..2 {
        relays.push(shop.relay().batch_events(5).start().await.expect("a relay"));
    }
    let store = PostgresStore::new(&shop.pool);
    for start in 0..40 {
        let mut tx = shop.pool.begin().await.expect("a transaction");
        let view = inngest_tests::ItemViewed::number(start);
        shop.outbox.enqueue(&mut tx, view).await.expect("a row");
        // While this transaction has a lock on the table.
        let migrated = tokio::time::timeout(Duration::from_secs(5), store.migrate()).await;
        migrated.expect("it does not wait").expect("tables");
        tx.commit().await.expect("a commit");
        shop.outbox.wake();
    }
    shop.empty().await;
    for relay in relays {
        relay.close(Duration::from_secs(5)).await;
    }
    shop.assert_delivered(0..40);
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(shop.number(deadlocks).await, 0);
}

#[tokio::test]
async fn a_migration_waits_for_no_lock_if_the_tables_are_current() {
    let Some(shop) = Shop::open().await else { return };
    let mut tx = shop.pool.begin().await.expect("a transaction");
    let lock = "LOCK TABLE inngest_outbox, inngest_outbox_batch, inngest_outbox_dead";
    tx.execute(raw(lock)).await.expect("a lock");
    let lock = "SELECT pg_advisory_xact_lock(7308319243157692532)";
    tx.execute(raw(lock)).await.expect("a lock");
    let store = PostgresStore::new(&shop.pool);
    let migrated = tokio::time::timeout(Duration::from_secs(5), store.migrate()).await;
    migrated.expect("it does not wait").expect("tables");
}

#[tokio::test]
async fn a_failed_migration_leaves_no_table() {
    let Some(database) = Database::create().await else { return };
    database.sql("CREATE TABLE inngest_outbox_dead ()").await;
    let pool = database.pool(2).await;
    let error = PostgresStore::new(&pool).migrate().await.expect_err("a table exists");
    assert!(error.to_string().contains("\"inngest_outbox_dead\" already exists"), "{error}");
    let tables = "SELECT * FROM pg_tables WHERE tablename LIKE 'inngest%'";
    assert_eq!(pool.fetch_all(raw(tables)).await.expect("a database").len(), 1);
    database.sql("DROP TABLE inngest_outbox_dead").await;
    PostgresStore::new(&pool).migrate().await.expect("tables");
    pool.close().await;
}

#[tokio::test]
async fn another_migration_tool_can_create_the_tables() {
    let Some(database) = Database::create().await else { return };
    for migration in sql::postgres::MIGRATIONS {
        database.sql(migration).await;
    }
    let pool = database.pool(2).await;
    PostgresStore::new(&pool).migrate().await.expect("tables");
    pool.close().await;
}

#[tokio::test]
async fn missing_and_newer_tables_are_errors_that_name_the_fix() {
    let Some(shop) = Shop::open().await else { return };
    shop.sql("UPDATE inngest_outbox_schema SET version = 7").await;
    let error = shop.relay().start().await.expect_err("newer tables");
    assert!(matches!(error, RelayError::Schema { found: 7, needed: 1 }), "{error}");
    assert!(error.to_string().contains("update inngest-core"), "{error}");
    let error = PostgresStore::new(&shop.pool).migrate().await.expect_err("newer tables");
    assert!(matches!(error, StoreError::Schema { found: 7, .. }), "{error}");
    shop.sql("DROP TABLE inngest_outbox_schema").await;
    let error = shop.relay().drain().await.expect_err("no tables");
    assert!(matches!(error, RelayError::Schema { found: 0, .. }), "{error}");
    assert!(error.to_string().contains("call `migrate`"), "{error}");
}

#[tokio::test]
async fn the_tables_are_in_the_schema_of_the_search_path() {
    let Some(shop) = Shop::open().await else { return };
    shop.sql("CREATE SCHEMA events").await;
    let options = shop.database.options().options([("search_path", "events")]);
    let pool = crate::sqlx::PgPool::connect_with(options).await.expect("a database");
    let error = shop.relay_with(&pool).drain().await.expect_err("no tables");
    assert!(matches!(error, RelayError::Schema { found: 0, .. }), "{error}");
    PostgresStore::new(&pool).migrate().await.expect("tables");
    let mut tx = pool.begin().await.expect("a transaction");
    let view = inngest_tests::ItemViewed::number(1);
    shop.outbox.enqueue(&mut tx, view).await.expect("a row");
    tx.commit().await.expect("a commit");
    assert_eq!(shop.number("SELECT count(*) FROM events.inngest_outbox").await, 1);
    assert_eq!(shop.drain().await.delivered, 0, "the other outbox is empty");
    let report = shop.relay_with(&pool).drain().await.expect("a database");
    assert_eq!(report.delivered, 1);
    pool.close().await;
}
