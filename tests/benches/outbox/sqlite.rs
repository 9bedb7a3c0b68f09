//! SQLite, with rusqlite. The application's connection commits with `synchronous = FULL`.

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use inngest_core::outbox::{Outbox, SqliteStore, sql};
use rusqlite::{Connection, TransactionBehavior};

use crate::{CheckoutCompleted, Database};

pub(crate) struct Sqlite {
    directory: PathBuf,
    connection: Connection,
}

impl Sqlite {
    pub(crate) fn create(directory: &Path) -> Sqlite {
        let directory = directory.join(format!("inngest-bench-{}", process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let file = directory.join("shop.db");
        let store = SqliteStore::open(&file).expect("a database");
        runtime.block_on(store.migrate()).expect("tables");
        let connection = Connection::open(&file).expect("a database");
        connection.pragma_update(None, "synchronous", "FULL").expect("a setting");
        Sqlite { directory, connection }
    }

    fn transaction(&mut self) -> rusqlite::Transaction<'_> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        transaction.expect("a transaction")
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.directory));
    }
}

impl Database for Sqlite {
    type Store = SqliteStore;

    fn enqueue(&mut self, outbox: &Outbox, event: &CheckoutCompleted) {
        let transaction = self.transaction();
        outbox.enqueue_sqlite(&transaction, event).expect("an event");
        transaction.commit().expect("a commit");
    }

    fn insert(&mut self, name: &str, body: &[u8], trace: Option<&str>) {
        let transaction = self.transaction();
        let mut statement = transaction.prepare_cached(sql::sqlite::INSERT).expect("a statement");
        statement.execute((name, body, trace)).expect("a row");
        drop(statement);
        transaction.commit().expect("a commit");
    }

    fn fill(&mut self, outbox: &Outbox, events: &[CheckoutCompleted]) {
        let transaction = self.transaction();
        for event in events {
            outbox.enqueue_sqlite(&transaction, event).expect("an event");
        }
        transaction.commit().expect("a commit");
    }

    fn clear(&mut self) {
        let delete = "DELETE FROM inngest_outbox; DELETE FROM inngest_outbox_batch";
        self.connection.execute_batch(delete).expect("deleted rows");
    }

    fn store(&self, _: &tokio::runtime::Handle) -> SqliteStore {
        SqliteStore::open(self.directory.join("shop.db")).expect("a database")
    }
}

/// Returns how many writes of 4 KiB a second reach the disk, one after another.
pub(crate) fn syncs_per_second(directory: &Path) -> f64 {
    let path = directory.join(format!("inngest-bench-sync-{}", process::id()));
    let mut file = File::create(&path).expect("a file");
    let start = Instant::now();
    let mut count = 0.0;
    while start.elapsed() < Duration::from_millis(500) {
        file.rewind().expect("a position");
        file.write_all(&[0; 4096]).expect("a write");
        file.sync_data().expect("a sync");
        count += 1.0;
    }
    let rate = count / start.elapsed().as_secs_f64();
    fs::remove_file(path).expect("a file");
    rate
}
