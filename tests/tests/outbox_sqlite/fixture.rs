//! A shop: a database in a temporary file, an Event API, and a client of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use inngest_core::outbox::{Outbox, RelayBuilder, RelayReport, SqliteStore};
use inngest_core::testing::{EventApi, StoredEvent};
use inngest_core::{Client, ClientBuilder, RetryPolicy};
use inngest_tests::ItemViewed;
use rusqlite::{Connection, TransactionBehavior};

/// A folder that is removed at the end of the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("outbox-sqlite-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("shop.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub(crate) struct Shop {
    pub(crate) folder: Folder,
    pub(crate) api: EventApi,
    pub(crate) client: Client,
    pub(crate) outbox: Outbox,
}

impl Shop {
    pub(crate) async fn open() -> Shop {
        Shop::with(|builder| builder).await
    }

    /// Opens a shop whose client has the options that `configure` sets.
    pub(crate) async fn with(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Shop {
        let api = EventApi::start().await;
        let folder = Folder::new();
        let store = SqliteStore::open(folder.file()).expect("a file");
        store.migrate().await.expect("tables");
        let retry = RetryPolicy::default().initial_backoff(Duration::from_millis(1));
        let retry = retry.max_backoff(Duration::from_millis(5));
        let builder = Client::builder().no_env().dev(true).base_url(api.url()).retry(retry);
        let client = configure(builder).build().expect("a client");
        let outbox = Outbox::for_client(&client);
        Shop { folder, api, client, outbox }
    }

    /// Opens a connection of the application.
    pub(crate) fn db(&self) -> Connection {
        Connection::open(self.folder.file()).expect("a file")
    }

    /// Opens a store of its own connection.
    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open(self.folder.file()).expect("a file")
    }

    /// Commits the views `numbers` in one transaction.
    pub(crate) fn enqueue(&self, numbers: impl IntoIterator<Item = u32>) {
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).expect("a lock");
        for number in numbers {
            self.outbox.enqueue_sqlite(&tx, ItemViewed::number(number)).expect("a row");
        }
        tx.commit().expect("a commit");
    }

    pub(crate) fn relay(&self) -> RelayBuilder<SqliteStore> {
        self.outbox.relay(&self.client, self.store())
    }

    pub(crate) async fn drain(&self) -> RelayReport {
        self.relay().drain().await.expect("a database")
    }

    /// Executes SQL, as another program does.
    pub(crate) fn sql(&self, sql: &str) -> usize {
        self.db().execute(sql, ()).expect("valid SQL")
    }

    /// Returns the number in the first column of the first row.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.db().query_row(sql, (), |row| row.get(0)).expect("a number")
    }

    /// Ends all waits and leases.
    pub(crate) fn make_all_due(&self) {
        self.sql("UPDATE inngest_outbox_batch SET due_at = 1");
    }

    /// Drains until nothing but dead events is in the outbox.
    pub(crate) async fn drain_all(&self) {
        for _ in 0..200 {
            self.drain().await;
            if self.number("SELECT count(*) FROM inngest_outbox") == 0 {
                assert_eq!(self.number("SELECT count(*) FROM inngest_outbox_batch"), 0);
                return;
            }
            self.make_all_due();
        }
        panic!("200 drains have not emptied the outbox");
    }

    /// Returns the ids under which each view was accepted.
    pub(crate) fn ids(&self) -> BTreeMap<u32, BTreeSet<String>> {
        let mut ids: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        for (number, id) in self.ids_in_order() {
            ids.entry(number).or_default().insert(id);
        }
        ids
    }

    /// Returns the number and the id of each view, in the order in which they were accepted.
    pub(crate) fn ids_in_order(&self) -> Vec<(u32, String)> {
        let number =
            |event: &StoredEvent| event.decode::<ItemViewed>().expect("a view").data.number;
        self.api.events().iter().map(|event| (number(event), event.id.to_string())).collect()
    }

    /// Asserts that exactly the views `numbers` were accepted, each under one id, and no two under the
    /// same.
    pub(crate) fn assert_delivered(&self, numbers: impl IntoIterator<Item = u32>) {
        let ids = self.ids();
        let expected: BTreeSet<u32> = numbers.into_iter().collect();
        assert_eq!(ids.keys().copied().collect::<BTreeSet<_>>(), expected);
        for (number, ids) in &ids {
            assert_eq!(ids.len(), 1, "view {number} was accepted under {ids:?}");
        }
        let distinct: BTreeSet<&String> = ids.values().flatten().collect();
        assert_eq!(distinct.len(), ids.len(), "two views have the same id");
    }
}

/// Returns the numbers of delivered, dead, released and left events.
pub(crate) fn counts(report: RelayReport) -> [u64; 4] {
    [report.delivered, report.dead, report.released, report.left]
}

/// Waits until `is_met` returns true.
///
/// # Panics
///
/// Panics after 20 s.
pub(crate) async fn until(what: &str, mut is_met: impl FnMut() -> bool) {
    let wait = async {
        while !is_met() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let met = tokio::time::timeout(Duration::from_secs(20), wait).await;
    met.unwrap_or_else(|_| panic!("waited 20 s for {what}"));
}
