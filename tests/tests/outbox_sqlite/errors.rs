//! Each failure of the database is an error that says what to do, and none ends a relay.

use std::path::Path;
use std::time::Duration;

use inngest_core::outbox::{EnqueueError, RelayError, SqliteStore, StoreError};
use inngest_tests::ItemViewed;
use rusqlite::{Connection, OpenFlags};

use crate::fixture::{Folder, Shop, until};

/// Returns the error of a drain.
async fn drain_error(shop: &Shop, store: SqliteStore) -> StoreError {
    match shop.outbox.relay(&shop.client, store).drain().await {
        Err(RelayError::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn assert_text(error: &StoreError, start: &str, cause: &str) {
    let text = error.to_string();
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains(cause), "{text}");
}

#[tokio::test]
async fn missing_tables_ask_for_migrate() {
    let shop = Shop::open().await;
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).expect("a file");
    let error = shop.outbox.relay(&shop.client, store).start().await.expect_err("no tables");
    assert!(matches!(error, RelayError::Schema { found: 0, .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the tables of the outbox are missing: call `migrate` on the store before the relay is started"
    );
    let db = Connection::open(folder.file()).expect("a file");
    let error = shop.outbox.enqueue_sqlite(&db, ItemViewed::number(1)).expect_err("no tables");
    assert!(matches!(error, EnqueueError::Database(_)), "{error:?}");
    assert!(error.to_string().contains("no such table: inngest_outbox"), "{error}");

    shop.sql("DROP TABLE inngest_outbox");
    let error = drain_error(&shop, shop.store()).await;
    assert!(matches!(error, StoreError::MissingTable(_)), "{error:?}");
    assert_text(
        &error,
        "a table of the outbox is missing: call `migrate` on the store first (",
        "no such table: inngest_outbox",
    );
}

#[tokio::test]
async fn a_read_only_database_asks_for_the_right_to_write() {
    let shop = Shop::open().await;
    shop.enqueue([1]);
    let read_only = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = Connection::open_with_flags(shop.folder.file(), flags).expect("a file");
        SqliteStore::from_connection(db)
    };
    let error = drain_error(&shop, read_only()).await;
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
    assert_text(
        &error,
        "the database is read-only: a relay writes to it, so it needs write access \
         (for SQLite also to the file's directory) (",
        "attempt to write a readonly database",
    );
    shop.sql("DROP TABLE inngest_outbox_schema");
    let error = read_only().migrate().await.expect_err("a file that cannot be written");
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
}

/// On Unix, and not as root, who may write everything.
#[cfg(unix)]
#[tokio::test]
async fn a_read_only_directory_asks_for_the_right_to_write() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let shop = Shop::open().await;
    let db = shop.db();
    // Without WAL, SQLite creates a journal in the directory for each transaction.
    db.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(())).expect("no other connection");
    drop(db);
    shop.enqueue([1]);
    let file = shop.folder.file();
    let folder = file.parent().expect("a folder");
    set_permissions(folder, Permissions::from_mode(0o555)).expect("the owner");
    let may_write = std::fs::write(folder.join("probe"), "").is_ok();
    if may_write {
        println!("SKIPPED: this user may write in a read-only directory");
    } else {
        let error = drain_error(&shop, shop.store()).await;
        assert!(matches!(error, StoreError::ReadOnly(_) | StoreError::Connection(_)), "{error:?}");
        assert!(error.to_string().contains("directory"), "{error}");
    }
    set_permissions(folder, Permissions::from_mode(0o755)).expect("the owner");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_asks_for_its_path() {
    let folder = Folder::new();
    let missing = folder.file().join("no").join("such.db");
    for path in [missing.as_path(), Path::new(env!("CARGO_TARGET_TMPDIR"))] {
        let error = SqliteStore::open(path).expect_err("no file");
        assert!(matches!(error, StoreError::Connection(_)), "{error:?}");
        assert_text(
            &error,
            "no connection to the database: check its address and that it runs (for SQLite, the \
             path of the file, and the right to read and write in its directory) (",
            &path.display().to_string(),
        );
    }
}

#[tokio::test]
async fn a_locked_database_names_the_other_transaction() {
    let shop = Shop::open().await;
    shop.enqueue([1]);
    let db = shop.db();
    db.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let connection = shop.db();
    connection.busy_timeout(Duration::from_millis(5)).expect("a timeout");
    let error = drain_error(&shop, SqliteStore::from_connection(connection)).await;
    assert!(matches!(error, StoreError::Locked(_)), "{error:?}");
    assert_text(
        &error,
        "the database is locked: another transaction holds it for too long, or did not begin with \
         BEGIN IMMEDIATE (",
        "database is locked",
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error_that_says_so() {
    let shop = Shop::open().await;
    let folder = Folder::new();
    std::fs::write(folder.file(), "a text, and not a short one: ".repeat(100)).expect("a file");
    let store = SqliteStore::open(folder.file()).expect("SQLite reads the file later");
    let error = drain_error(&shop, store).await;
    assert!(matches!(error, StoreError::Database(_)), "{error:?}");
    assert_text(&error, "the database failed: ", "file is not a database");
}

#[tokio::test]
async fn a_row_that_no_relay_writes_is_named() {
    let shop = Shop::open().await;
    shop.enqueue([1]);
    shop.sql(
        "INSERT INTO inngest_outbox_batch
           (base_seq, first_seq, last_seq, seed, due_at, sealed_at)
         VALUES (-5000000000, 1, 1, randomblob(16), 1, 1)",
    );
    let error = drain_error(&shop, shop.store()).await;
    assert!(matches!(error, StoreError::InvalidRow { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the outbox contains an invalid row: in `inngest_outbox_batch`, the `base_seq` of batch 1 \
         does not fit its event 1"
    );
}

#[tokio::test]
async fn a_failing_database_does_not_end_a_relay() {
    let shop = Shop::open().await;
    let relay = shop.relay().start().await.expect("a relay");
    shop.sql("ALTER TABLE inngest_outbox RENAME TO elsewhere");
    let mut failures = 0;
    while failures < 3 {
        failures += u32::from(relay.stats().await.is_err());
    }
    // Some claims fail meanwhile.
    tokio::time::sleep(Duration::from_millis(200)).await;
    shop.sql("ALTER TABLE elsewhere RENAME TO inngest_outbox");
    shop.enqueue(0..3);
    until("an empty outbox", || shop.number("SELECT count(*) FROM inngest_outbox") == 0).await;
    relay.close(Duration::from_secs(5)).await;
    shop.assert_delivered(0..3);
}
