//! The tables: their creation, and their version.

use std::time::Duration;

use inngest_core::outbox::sql::sqlite::MIGRATIONS;
use inngest_core::outbox::{Outbox, RelayError, SqliteStore, StoreError};
use inngest_core::testing::EventApi;
use inngest_tests::ItemViewed;
use rusqlite::{Connection, TransactionBehavior};

use crate::fixture::{Folder, Shop, counts};

fn text(db: &Connection, sql: &str) -> String {
    db.query_row(sql, (), |row| row.get(0)).expect("a text")
}

#[tokio::test]
async fn migrate_sets_wal_in_a_new_file_only() {
    let folder = Folder::new();
    SqliteStore::open(folder.file()).expect("a file").migrate().await.expect("tables");
    let db = Connection::open(folder.file()).expect("a file");
    assert_eq!(text(&db, "PRAGMA journal_mode"), "wal");

    let folder = Folder::new();
    let db = Connection::open(folder.file()).expect("a file");
    db.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY)").expect("a table");
    SqliteStore::open(folder.file()).expect("a file").migrate().await.expect("tables");
    assert_eq!(text(&db, "PRAGMA journal_mode"), "delete");
    // It works there too.
    let api = EventApi::start().await;
    let outbox = Outbox::new();
    outbox.enqueue_sqlite(&db, ItemViewed::number(1)).expect("a row");
    let store = SqliteStore::open(folder.file()).expect("a file");
    let report = outbox.relay(&api.client(), store).drain().await.expect("a database");
    assert_eq!(counts(report), [1, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_migrations_of_a_new_file_at_once_succeed() {
    for _ in 0..5 {
        let folder = Folder::new();
        let stores: Vec<_> =
            (0..6).map(|_| SqliteStore::open(folder.file()).expect("a file")).collect();
        let tasks = stores.into_iter().map(|store| {
            tokio::spawn(async move {
                store.migrate().await?;
                store.migrate().await
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("no panic").expect("tables");
        }
        let db = Connection::open(folder.file()).expect("a file");
        assert_eq!(text(&db, "SELECT group_concat(version) FROM inngest_outbox_schema"), "1");
    }
}

#[tokio::test]
async fn a_migration_of_a_new_file_waits_for_the_lock_of_another() {
    let folder = Folder::new();
    let mut other = Connection::open(folder.file()).expect("a file");
    let lock = other.transaction_with_behavior(TransactionBehavior::Immediate).expect("a lock");
    let store = SqliteStore::open(folder.file()).expect("a file");
    let migration = tokio::spawn(async move { store.migrate().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!migration.is_finished());
    lock.commit().expect("a commit");
    migration.await.expect("no panic").expect("tables");
}

#[tokio::test]
async fn a_migration_of_current_tables_waits_for_no_lock() {
    let shop = Shop::open().await;
    let relay = shop.relay().start().await.expect("a relay");
    let mut db = shop.db();
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).expect("a lock");
    let connection = shop.db();
    connection.busy_timeout(Duration::ZERO).expect("a timeout");
    SqliteStore::from_connection(connection).migrate().await.expect("nothing to do");
    tx.rollback().expect("a rollback");
    relay.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn other_tools_can_create_the_tables_with_the_public_texts() {
    let folder = Folder::new();
    let mut db = Connection::open(folder.file()).expect("a file");
    for migration in MIGRATIONS {
        let tx = db.transaction().expect("a transaction");
        tx.execute_batch(migration).expect("valid SQL");
        tx.commit().expect("a commit");
    }
    let api = EventApi::start().await;
    let outbox = Outbox::new();
    outbox.enqueue_sqlite(&db, ItemViewed::number(1)).expect("a row");
    let store = SqliteStore::open(folder.file()).expect("a file");
    store.migrate().await.expect("nothing to do");
    let report = outbox.relay(&api.client(), store).drain().await.expect("a database");
    assert_eq!(counts(report), [1, 0, 0, 0]);
}

#[tokio::test]
async fn tables_of_a_newer_release_are_refused() {
    let shop = Shop::open().await;
    shop.sql("INSERT INTO inngest_outbox_schema (version) VALUES (7)");
    let text = "the tables of the outbox have version 7, which is newer than version 1 of this \
                release of inngest-core: update inngest-core";
    let error = shop.relay().start().await.expect_err("newer tables");
    assert!(matches!(error, RelayError::Schema { found: 7, needed: 1, .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
    let error = shop.store().migrate().await.expect_err("newer tables");
    assert!(matches!(error, StoreError::Schema { found: 7, needed: 1, .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}
