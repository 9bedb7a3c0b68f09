//! Tests of behavior that a relay does not show: which claims read the tables, and which commits reach the disk.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;

use super::claim::claim;
use super::connection::{Database, Idle};
use super::migrate::migrate;
use super::settle::{renew, settle};
use crate::outbox::Outbox;
use crate::outbox::sql::sqlite::INSERT;
use crate::outbox::store::{ClaimRequest, ClaimedBatch, Settlement};

/// A database in a file that is removed at the end.
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str) -> TestFile {
        let name = format!("inngest-outbox-{}-{name}.db", std::process::id());
        TestFile(std::env::temp_dir().join(name))
    }

    fn open(&self) -> Connection {
        Connection::open(&self.0).expect("a file")
    }

    fn migrated(&self) -> Database {
        let mut database = Database::new(self.open());
        migrate(&mut database).expect("tables");
        database
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{suffix}", self.0.display())));
        }
    }
}

fn enqueue(connection: &Connection) {
    let event = crate::RawEvent::new("shop/order.placed", serde_json::json!({}));
    let event = Outbox::new().prepare(event).expect("an event");
    let row = (event.name(), event.body(), event.traceparent());
    connection.execute(INSERT, row).expect("a row");
}

fn claim_now(database: &mut Database) -> Option<ClaimedBatch> {
    let request = ClaimRequest::new((10, 10_000), Duration::from_secs(60), false);
    claim(database, &request).expect("tables")
}

#[test]
fn a_claim_reads_no_table_until_something_changes() {
    let file = TestFile::new("idle");
    let mut database = file.migrated();
    assert!(claim_now(&mut database).is_none());
    // Changes by the database's own connection do not change `data_version`, so the claim does not read the tables.
    let rename = "ALTER TABLE inngest_outbox RENAME TO elsewhere";
    database.connection().execute_batch(rename).expect("a table");
    assert!(claim_now(&mut database).is_none());
    let rename = "ALTER TABLE elsewhere RENAME TO inngest_outbox";
    database.connection().execute_batch(rename).expect("a table");

    let other = file.open();
    enqueue(&other);
    let claimed = claim_now(&mut database).expect("the event of another connection");
    assert!(claim_now(&mut database).is_none());
    // After a change by the store itself, the claim reads the tables.
    let places = claimed.events.iter().map(|event| event.place);
    let part = crate::outbox::store::Part {
        places: places.collect(),
        due_in: Duration::ZERO,
        attempts: 1,
        crashes: 0,
    };
    let settlement =
        Settlement { lease: claimed.lease, parts: vec![part], ..Settlement::default() };
    settle(&mut database, &settlement).expect("tables");
    std::thread::sleep(Duration::from_millis(2));
    assert!(claim_now(&mut database).is_some());
}

#[test]
fn an_idle_outbox_is_read_again_when_a_batch_is_due_or_the_clock_was_set_back() {
    let mut database = Database::new(Connection::open_in_memory().expect("memory"));
    assert!(!database.is_still_idle(1, 100));
    database.set_idle(Idle { data_version: 1, checked_at: 100, next_due: Some(200) });
    for (data_version, now, idle) in [
        (1, 100, true),
        (1, 199, true),
        (1, 200, false),
        (1, 5_000, false),
        (1, 99, false),
        (2, 150, false),
    ] {
        assert_eq!(database.is_still_idle(data_version, now), idle, "{data_version}, {now}");
    }
    database.set_idle(Idle { data_version: 1, checked_at: 100, next_due: None });
    assert!(database.is_still_idle(1, i64::MAX));
}

#[test]
fn a_claim_is_committed_to_the_disk_and_a_settlement_only_without_wal() {
    fn synchronous(database: &Database) -> i64 {
        let pragma = "PRAGMA synchronous";
        database.connection().query_row(pragma, (), |row| row.get(0)).expect("a number")
    }
    const NORMAL: i64 = 1;
    const FULL: i64 = 2;
    for (mode, settled) in [("wal", NORMAL), ("delete", FULL)] {
        let file = TestFile::new(mode);
        let mut database = file.migrated();
        let set = format!("PRAGMA journal_mode = {mode}");
        database.connection().query_row(&set, (), |_| Ok(())).expect("a mode");
        enqueue(database.connection());
        let claimed = claim_now(&mut database).expect("a batch");
        assert_eq!(synchronous(&database), FULL, "{mode}");
        assert!(renew(&mut database, claimed.lease, Duration::from_secs(60)).expect("tables"));
        assert_eq!(synchronous(&database), settled, "{mode}");
        let settlement = Settlement {
            lease: claimed.lease,
            delivered: claimed.events.iter().map(|event| event.place).collect(),
            ..Settlement::default()
        };
        settle(&mut database, &settlement).expect("tables");
        assert_eq!(synchronous(&database), settled, "{mode}");
        enqueue(database.connection());
        claim_now(&mut database).expect("a batch");
        assert_eq!(synchronous(&database), FULL, "{mode}");
    }
}
