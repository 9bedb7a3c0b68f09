//! The cost of the outbox: enqueuing against an INSERT of the same row, draining against `send_batch` of events that
//! are in memory already, the time from commit to request, and the CPU time of an idle relay: `cargo bench -p
//! inngest-tests --bench outbox`.
//!
//! SQLite is measured in memory (`/dev/shm`) and on the disk of the temporary directory, PostgreSQL if
//! `INNGEST_TEST_DATABASE_URL` is set. The ratios are of runs that alternate; the other figures depend on the machine.
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use std::env;
use std::path::Path;
use std::time::Instant;

#[allow(dead_code, reason = "other benchmarks use the rest")]
#[path = "../common/mod.rs"]
mod common;
mod cpu;
mod enqueue;
mod postgres;
mod relay;
mod sqlite;
mod table;

use common::{CheckoutCompleted, checkout};
use inngest_core::outbox::{Outbox, Store};
use table::Column;

/// A database with an outbox.
trait Database: Sized {
    type Store: Store;

    /// Runs one transaction that enqueues one event.
    fn enqueue(&mut self, outbox: &Outbox, event: &CheckoutCompleted);

    /// Runs one transaction that inserts one row.
    fn insert(&mut self, name: &str, body: &[u8], trace: Option<&str>);

    /// Enqueues many events in one transaction.
    fn fill(&mut self, outbox: &Outbox, events: &[CheckoutCompleted]);

    /// Deletes all rows.
    fn clear(&mut self);

    /// Returns a new store, for a relay in `runtime`.
    fn store(&self, runtime: &tokio::runtime::Handle) -> Self::Store;
}

/// Measures everything. `relays` is the number of relays that drain at once, the second time.
fn measure<D: Database>(column: &mut Column, database: &mut D, relays: usize) {
    let start = Instant::now();
    enqueue::measure(column, database);
    relay::drain(column, database, relays);
    relay::latency(column, database);
    relay::idle(column, database);
    eprintln!("{}: measured in {:.0?}", column.title(), start.elapsed());
}

fn main() {
    let mut columns = Vec::new();
    let memory = Path::new("/dev/shm");
    let disk = env::temp_dir();
    for (medium, directory) in [("tmpfs", memory), ("disk", &*disk)] {
        if !directory.is_dir() {
            println!("{} is missing, so SQLite on {medium} is left out", directory.display());
            continue;
        }
        let mut column = Column::new(format!("SQLite, {medium}"));
        column.set("fdatasync", format!("{:.0}", sqlite::syncs_per_second(directory)));
        measure(&mut column, &mut sqlite::Sqlite::create(directory), 2);
        columns.push(column);
    }
    match env::var("INNGEST_TEST_DATABASE_URL") {
        Ok(url) => {
            let (mut database, settings) = postgres::Postgres::create(&url);
            println!("PostgreSQL: {settings}");
            let mut column = Column::new("PostgreSQL".to_owned());
            measure(&mut column, &mut database, 2);
            database.remove();
            columns.push(column);
        }
        Err(_) => println!("PostgreSQL is left out: INNGEST_TEST_DATABASE_URL is not set"),
    }
    table::print(&columns);
}
