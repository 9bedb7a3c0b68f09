//! The databases of a shop that is killed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use inngest_core::Client;
use inngest_core::outbox::{DeadEvent, Outbox, RelayError, RelayReport, SqliteStore};
use rusqlite::Connection;

/// A database with the orders and the outbox of a shop. `outbox-shop` reads its location.
pub(crate) trait ShopDatabase {
    /// Whether a second shop runs beside the one that is killed.
    const HAS_SECOND_SHOP: bool;

    /// Returns the value of `SHOP_DATABASE`.
    fn location(&self) -> String;

    /// Returns the numbers of the committed orders.
    async fn orders(&self) -> BTreeSet<u32>;

    /// Returns the number of rows of the outbox and of its sealed batches.
    async fn rows(&self) -> i64;

    /// Ends all waits and leases.
    async fn make_all_due(&self);

    /// Gives each sealed batch another seed.
    async fn rewrite_seeds(&self);

    /// Sends all that is due.
    async fn drain(&self, client: &Client) -> Result<RelayReport, RelayError>;

    /// Returns the dead events.
    async fn dead(&self, client: &Client) -> Vec<DeadEvent>;

    /// Asserts that the database is not damaged.
    async fn check(&self);
}

/// A file that is removed at the end of the test.
pub(crate) struct Sqlite(PathBuf);

impl Sqlite {
    pub(crate) fn create() -> Sqlite {
        let name = format!("outbox-kill-{}-{}", std::process::id(), fastrand::u32(..));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        Sqlite(folder.join("shop.db"))
    }

    fn open(&self) -> Connection {
        Connection::open(&self.0).expect("a file")
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.0).expect("a file")
    }

    fn execute(&self, sql: &str) {
        self.open().execute_batch(sql).expect("valid SQL");
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if let Some(folder) = self.0.parent() {
            drop(std::fs::remove_dir_all(folder));
        }
    }
}

impl ShopDatabase for Sqlite {
    const HAS_SECOND_SHOP: bool = false;

    fn location(&self) -> String {
        format!("sqlite:{}", self.0.display())
    }

    async fn orders(&self) -> BTreeSet<u32> {
        let db = self.open();
        let mut statement = db.prepare("SELECT number FROM orders").expect("valid SQL");
        let numbers = statement.query_map((), |row| row.get(0)).expect("rows");
        numbers.collect::<Result<_, _>>().expect("rows")
    }

    async fn rows(&self) -> i64 {
        let rows = "SELECT (SELECT count(*) FROM inngest_outbox) +
            (SELECT count(*) FROM inngest_outbox_batch)";
        self.open().query_row(rows, (), |row| row.get(0)).expect("a number")
    }

    async fn make_all_due(&self) {
        self.execute("UPDATE inngest_outbox_batch SET due_at = 1");
    }

    async fn rewrite_seeds(&self) {
        // The time is not 0, since Inngest would ignore the seed.
        self.execute(
            "UPDATE inngest_outbox_batch SET seed = CAST(x'0001' || randomblob(14) AS BLOB)",
        );
    }

    async fn drain(&self, client: &Client) -> Result<RelayReport, RelayError> {
        Outbox::new().relay(client, self.store()).drain().await
    }

    async fn dead(&self, client: &Client) -> Vec<DeadEvent> {
        let relay = Outbox::new().relay(client, self.store()).start().await.expect("a relay");
        relay.dead_events(0, u32::MAX).await.expect("a database")
    }

    async fn check(&self) {
        let check = "PRAGMA integrity_check";
        let result: String = self.open().query_row(check, (), |row| row.get(0)).expect("a row");
        assert_eq!(result, "ok");
    }
}
